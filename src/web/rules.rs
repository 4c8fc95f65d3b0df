//! The rules: all of them with how they fare, each as it is in force, and why one does not hold somewhere.

use super::{
    Site,
    classes::capital,
    error::PageError,
    hotspots::{day, frame, typed_day},
    reader::{Reader, Sight},
    routes::Right,
};
use crate::{
    alerts::Worth,
    model::{Alert, AreaKind, Geography},
    rules::{Rule, Status, rehearse},
    stages::{explain::ward_named, rules::checked},
};
use axum::{
    extract::{Path, Query, State},
    response::Html,
};
use chrono::Days;
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;

/// Alerts of so many days are counted.
const COUNTED: u64 = 365;

/// So many alerts are read for it, the latest first.
const READ: i64 = 5_000;

/// Every rule with its state, and what it found last night and in the last year.
pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    let store = &site.engine.store;
    let saved = store.last_rules().await?.ok_or(PageError::NotFound)?;
    let county = &site.engine.county;
    let today = county.day_of(site.clock.now());
    everything(&reader, &*county.geography(today)?)?;
    let rules = checked(&saved.files, county, county.day_of(saved.accepted_at))?.rules;
    let run = store.last_run().await?;
    let since = today - Days::new(COUNTED);
    let alerts = store.alerts(READ).await?;
    let summary = run.as_ref().map(|run| run.summary.clone()).unwrap_or_default();
    let line = |rule: &Rule| {
        let night = summary["rules"].as_array().into_iter().flatten().find(|one| one["rule"] == rule.id);
        let told: Vec<&Alert> =
            alerts.iter().filter(|alert| alert.latest.rule == rule.id && alert.opened >= since).collect();
        context! {
            id => &rule.id,
            title => &rule.title,
            status => status(rule.status),
            level => rule.level.to_string(),
            tests => rule.tests.len(),
            findings => night.and_then(|one| one["findings"].as_u64()),
            failed => night.and_then(|one| one["failed"].as_str()),
            alerts => told.len(),
            right => said(&Worth::of(told.iter().copied())),
            review => day(rule.review_by),
            overdue => rule.is_evaluated() && rule.review_by < today,
        }
    };
    let lines: Vec<Value> = rules.iter().map(line).collect();
    let judged = rules.iter().filter(|rule| rule.is_evaluated()).count();
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => format!("{} rules are judged every night", capital(&super::classes::number(judged))),
            rules => lines,
            version => &saved.version,
            since => day(county.day_of(saved.accepted_at)),
            night => run.as_ref().map(|run| day(run.night)),
            mistakes => summary["rule_mistakes"].as_str(),
        },
    };
    Ok(Html(site.render("rules.html", values)?))
}

/// A rule as it is in force: what the link in a mail opens. Analysts also see how its tests go.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let saved = site.engine.store.last_rules().await?.ok_or(PageError::NotFound)?;
    let county = &site.engine.county;
    let on = county.day_of(saved.accepted_at);
    let found = checked(&saved.files, county, on)?;
    let set = found.rule_set().ok_or(PageError::NotFound)?;
    let rule = set.rules.iter().find(|rule| rule.id == id).ok_or(PageError::NotFound)?.clone();
    let geography = county.geography(on)?;
    let text = saved.files.get(&rule.file).cloned().unwrap_or_default();
    let analyst = reader.sight(&geography) == Sight::Everything;
    let worth = if analyst {
        let since = county.day_of(site.clock.now()) - Days::new(COUNTED);
        let mut alerts = site.engine.store.alerts(READ).await?;
        alerts.retain(|alert| alert.opened >= since);
        Some(feedback(&alerts, &id, &geography))
    } else {
        None
    };
    let tests = if analyst {
        let (rule, categories) = (rule.clone(), county.pack.categories.clone());
        let run = move || rehearse(&rule, &set, &geography, &categories);
        tokio::task::spawn_blocking(run).await.map_err(anyhow::Error::from)?
    } else {
        Vec::new()
    };
    let tested = |one: &crate::rules::Rehearsed| {
        context! {
            name => &one.test,
            expects => if one.expected { "an alert" } else { "nothing" },
            found => if one.held { "an alert" } else { "nothing" },
            passed => one.passed(),
            why => &one.why,
        }
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => &rule.title,
            in_words => rule.in_words(),
            status => status(rule.status),
            why => &rule.why,
            owner => &rule.owner,
            review => day(rule.review_by),
            version => &rule.version,
            since => day(on),
            who => rule.who.iter().map(|role| role.label()).collect::<Vec<_>>(),
            worth,
            tests => tests.iter().map(tested).collect::<Vec<_>>(),
            analyst,
            may_try => Right::Try.allows(reader.role),
            id => &rule.id,
            text,
        },
    };
    Ok(Html(site.render("rule.html", values)?))
}

/// What is asked about a ward.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    ward: String,
    #[serde(default)]
    strand: String,
    #[serde(default)]
    night: String,
}

/// Why each rule holds or does not in a ward on a night.
pub(super) async fn why_not(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let county = &site.engine.county;
    let last = site.engine.store.last_night().await?.map(|run| run.night);
    let on = typed_day(&asked.night).or(last).ok_or(PageError::NotFound)?;
    let geography = county.geography(on)?;
    everything(&reader, &geography)?;
    let known = &county.pack.categories;
    let strand = Some(asked.strand.as_str()).filter(|code| known.find(code).is_some());
    let ward = ward_named(county, asked.ward.trim(), on)?;
    let answers = match &ward {
        Some(ward) => site.engine.why_not(ward, strand, on).await?,
        None => None,
    };
    let problem = match (asked.ward.trim().is_empty(), &ward, &answers) {
        (false, None, _) => Some("No ward has that name or code on that night."),
        (false, Some(_), None) => Some("No run of that night is on record."),
        _ => None,
    };
    let answer = |one: &crate::stages::explain::WhyNot| {
        context! { rule => &one.rule, title => &one.title, lines => &one.lines }
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => "Why a rule did or did not hold",
            ward => asked.ward,
            strand => strand,
            night => on.to_string(),
            strands => county.pack.labels().map(|(code, label)| context! { code, label }).collect::<Vec<_>>(),
            wards => geography.of_kind(AreaKind::Ward).map(|ward| ward.name.clone()).collect::<Vec<_>>(),
            problem,
            answers => answers.iter().flatten().map(answer).collect::<Vec<_>>(),
        },
    };
    Ok(Html(site.render("why_not.html", values)?))
}

/// `3 of 4`, or nothing where nobody has said yet.
fn said(worth: &Worth) -> String {
    match worth.right() {
        (_, 0) => "not said yet".into(),
        (right, judged) => format!("{right} of {judged}"),
    }
}

/// Who said what of the alerts of a rule: each outcome with its count, and the shares by partnership.
fn feedback(alerts: &[Alert], rule: &str, geography: &Geography) -> Value {
    let told: Vec<&Alert> = alerts.iter().filter(|alert| alert.latest.rule == rule).collect();
    let worth = Worth::of(told.iter().copied());
    let outcomes =
        worth.outcomes.iter().map(|(outcome, count)| context! { label => capital(outcome.label()), count });
    let csps = geography.of_kind(AreaKind::Csp).filter_map(|csp| {
        let here = |alert: &&&Alert| {
            let above =
                |ward: &String| geography.above(ward, AreaKind::Csp).any(|above| above.code == csp.code);
            alert.latest.wards.iter().any(above)
        };
        let worth = Worth::of(told.iter().filter(here).copied());
        (!worth.outcomes.is_empty()).then(|| context! { name => &csp.name, said => said(&worth) })
    });
    context! {
        said => said(&worth),
        outcomes => outcomes.collect::<Vec<_>>(),
        unsaid => worth.unsaid,
        csps => csps.collect::<Vec<_>>(),
    }
}

/// Analysts, the force's lead and auditors see what rules found everywhere; others see their alerts.
fn everything(reader: &Reader, geography: &Geography) -> Result<(), PageError> {
    if reader.sight(geography) == Sight::Everything { Ok(()) } else { Err(PageError::NotFound) }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft: not judged",
        Status::Shadow => "shadow: judged, nobody is told",
        Status::Live => "live",
        Status::Retired => "retired: not judged",
    }
}
