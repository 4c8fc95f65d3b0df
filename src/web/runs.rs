//! How the engine does: whether it is well, what the data lack, its nights, and who would not be told.

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    health::{Trouble, troubles},
    hotspots::{day, frame},
    reader::Reader,
    routes::is_exact,
};
use crate::{
    model::Role,
    stages::{coverage::coverage, rules::checked},
    store::{Run, RunOutcome, SavedDataAlert},
    words::counted,
};
use axum::{extract::State, response::Html};
use chrono::{DateTime, Utc};
use minijinja::{Value, context};
use std::sync::Arc;

/// So many runs are listed, the latest first.
const LISTED: i64 = 60;

/// So many wards without anybody are named.
const NAMED: usize = 12;

const fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Running => "Running",
        RunOutcome::Done => "Done",
        RunOutcome::Failed => "Failed: nothing was saved",
        RunOutcome::Abandoned => "Ended by the program's end: nothing was saved",
    }
}

/// Health, data alerts, gaps of the directory and the latest runs. Administrators read no figure and no text of a data alert.
pub(super) async fn page(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    let (store, county) = (&site.engine.store, &site.engine.county);
    let exact = is_exact(reader.role);
    let (_, troubles) = troubles(&site).await?;
    let zone = county.pack.zone;
    let moment = |at: DateTime<Utc>| at.with_timezone(&zone).format("%-d %B %Y, %H:%M").to_string();
    let open: Vec<SavedDataAlert> =
        store.data_alerts().await?.into_iter().filter(|one| one.closed_at.is_none()).collect();
    let trouble = |trouble: &Trouble| match trouble {
        Trouble::Waiting(since) => context! {
            words => format!("A message waits to be sent since {}.", moment(*since)),
            see => "/outbox?state=waiting", link => "Messages that wait",
        },
        Trouble::Failed(messages) => context! {
            words => format!("{} could not be sent.", counted(*messages, "message")),
            see => "/outbox?state=failed", link => "Why, and send again",
        },
        Trouble::NoNight(since) => context! {
            words => format!("No night has been judged since {}. Whoever runs the program has to look at its log.", moment(*since)),
            see => "", link => "",
        },
    };
    let told = |one: &SavedDataAlert| {
        context! {
            title => &one.alert.title,
            text => exact.then_some(&one.alert.text),
            since => moment(one.opened_at),
        }
    };
    let run = |run: &Run| {
        let figure = |name: &str| run.summary[name].as_u64().filter(|_| exact);
        let findings = run.summary["rules"]
            .as_array()
            .map(|rules| rules.iter().filter_map(|rule| rule["findings"].as_u64()).sum::<u64>());
        let faults = run.summary["rules"].as_array().into_iter().flatten();
        let faults: Vec<String> = faults
            .filter(|rule| rule["failed"].is_string())
            .filter_map(|rule| Some(rule["rule"].as_str()?.to_owned()))
            .collect();
        context! {
            night => day(run.night),
            started => moment(run.started_at),
            by => if run.tick.is_some() { "Schedule" } else { "Hand" },
            outcome => outcome(run.outcome),
            why => run.summary["error"].as_str().filter(|_| exact),
            seconds => run.summary["milliseconds"].as_u64().map(|ms| format!("{:.1}", ms as f64 / 1000.0)),
            incidents => figure("incidents"),
            findings => findings.filter(|_| exact),
            messages => figure("messages"),
            faults,
        }
    };
    let runs = store.runs(LISTED).await?;
    let gaps = gaps(&site).await?;
    let to_look_at = troubles.len() + open.len() + usize::from(gaps.is_some());
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => match to_look_at {
                0 => "The engine is well".to_owned(),
                1 => "One thing to look at".to_owned(),
                many => format!("{} things to look at", capital(&number(many))),
            },
            last => runs.iter().find(|run| run.outcome == RunOutcome::Done).map(|run| day(run.night)),
            troubles => troubles.iter().map(trouble).collect::<Vec<Value>>(),
            open => open.iter().map(told).collect::<Vec<Value>>(),
            gaps,
            runs => runs.iter().map(run).collect::<Vec<Value>>(),
            exact,
            listed => LISTED,
        },
    };
    Ok(Html(site.render("runs.html", values)?))
}

/// Roles for which the directory has nobody somewhere, in sentences; none while there are no rules or no gaps.
async fn gaps(site: &Site) -> Result<Option<Vec<String>>, PageError> {
    let (store, county) = (&site.engine.store, &site.engine.county);
    let Some(saved) = store.last_rules().await? else { return Ok(None) };
    let rules = checked(&saved.files, county, county.day_of(saved.accepted_at))?.rules;
    let covered = coverage(store, county, &rules, county.day_of(site.clock.now())).await?;
    let sentence = |(role, wards): (&Role, &Vec<String>)| {
        let named = wards.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        match wards.len() {
            0 => None,
            many if many == covered.wards => Some(format!("{}: nobody for any ward", capital(role.label()))),
            many if many <= NAMED => Some(format!("{}: nobody for {named}", capital(role.label()))),
            many => Some(format!("{}: nobody for {many} wards, among them {named}", capital(role.label()))),
        }
    };
    let found: Vec<String> = covered.missing.iter().filter_map(sentence).collect();
    Ok(Some(found).filter(|found| !found.is_empty()))
}
