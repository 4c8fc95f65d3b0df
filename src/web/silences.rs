//! Quiet on request: what is in force, what a new one would have covered, and a form that keeps it.

use super::{
    Site,
    alerts::{geography, places},
    error::PageError,
    hotspots::{day, frame, typed_day},
    reader::{Reader, Sight},
    routes::Right,
};
use crate::{
    model::{AreaKind, AreaRef, Geography, Silence},
    stages::silences::{checked, in_words},
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
    step: String,
    rule: String,
    area: String,
    category: String,
    until: String,
    reason: String,
}

/// Coordinators and chairs ask for quiet in their own area, analysts and the force's lead anywhere.
fn may(reader: &Reader) -> bool {
    Right::Quiet.allows(reader.role)
}

pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    let geography = geography(&site).await?;
    Ok(Html(page(&site, &reader, &geography, &Sent::default(), None, &[]).await?))
}

async fn page(
    site: &Site,
    reader: &Reader,
    geography: &Geography,
    form: &Sent,
    problem: Option<String>,
    covered: &[Value],
) -> Result<String, PageError> {
    let engine = &site.engine;
    let today = engine.county.day_of(site.clock.now());
    let mine = |silence: &Silence| match (reader.sight(geography), &silence.area) {
        (Sight::Everything, _) => true,
        (sight, Some(area)) => sight.of_any(&wards(area, geography)),
        (_, None) => false,
    };
    let saved = engine.store.silences().await?;
    let lines: Vec<Value> = saved
        .iter()
        .filter(|saved| mine(&saved.silence))
        .map(|saved| {
            let silence = &saved.silence;
            let in_force = saved.ended_at.is_none() && silence.last >= today;
            context! {
                id => saved.id.to_string(),
                what => super::classes::capital(&in_words(silence, engine)),
                first => day(silence.first),
                last => day(silence.last),
                reason => &silence.reason,
                author => &silence.author,
                state => if saved.ended_at.is_some() { "ended" } else if in_force { "in force" } else { "over" },
                may_end => in_force && may(reader),
            }
        })
        .collect();
    let pack = &engine.county.pack;
    let strands = pack.labels();
    let areas: Vec<Value> = match (&reader.area, reader.sight(geography)) {
        (_, Sight::Everything) => geography
            .of_kind(AreaKind::Csp)
            .map(|csp| context! { value => format!("csp/{}", csp.code), label => &csp.name })
            .collect(),
        (Some(area), _) => {
            let name =
                geography.get(area.kind, &area.code).map_or(area.code.clone(), |known| known.name.clone());
            vec![context! { value => format!("{}/{}", area.kind.code(), area.code), label => name }]
        }
        _ => Vec::new(),
    };
    let values = context! {
        ..frame(site, reader),
        ..context! {
            heading => "Quiet on request",
            lines, problem, covered, areas,
            everywhere => reader.sight(geography) == Sight::Everything,
            may_ask => may(reader),
            rules => engine.rule_ids().await?,
            strands => strands.map(|(code, label)| context! { code, label }).collect::<Vec<_>>(),
            shown => form.step == "preview",
            form => context! {
                rule => &form.rule, area => &form.area, category => &form.category,
                until => &form.until, reason => &form.reason,
            },
        },
    };
    Ok(site.render("silences.html", values)?)
}

fn wards(area: &AreaRef, geography: &Geography) -> Vec<String> {
    match area.kind {
        AreaKind::Ward => vec![area.code.clone()],
        kind => geography.wards_of(kind, &area.code).map(|ward| ward.code.clone()).collect(),
    }
}

/// Shows what a silence would have covered, or keeps it.
pub(super) async fn ask(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&form.token)?;
    let geography = geography(&site).await?;
    let now = site.clock.now();
    let today = site.engine.county.day_of(now);
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let area = form
        .area
        .split_once('/')
        .and_then(|(kind, code)| Some(AreaRef { kind: kind.parse().ok()?, code: code.to_owned() }));
    // What a reader may see is what they may silence.
    let own = match (&area, reader.sight(&geography)) {
        (_, Sight::Everything) => true,
        (Some(area), sight) => sight.of_all(&wards(area, &geography)),
        (None, _) => false,
    };
    if !own {
        return Err(PageError::NotFound);
    }
    let silence = typed_day(&form.until).map(|last| Silence {
        rule: some(&form.rule),
        area,
        category: some(&form.category),
        first: today,
        last,
        reason: form.reason.chars().filter(|letter| !letter.is_control()).take(200).collect(),
        author: format!("{}, account {}", reader.party().label(&geography), reader.name),
    });
    let ids = site.engine.rule_ids().await?;
    let silence = match silence {
        None => Err("Write until which day, as YYYY-MM-DD: every silence ends.".to_owned()),
        Some(silence) => match checked(&silence, &site.engine, &ids) {
            Ok(()) => Ok(silence),
            Err(wrong) => Err(format!("{}.", super::classes::capital(&wrong.to_string()))),
        },
    };
    match silence {
        Err(problem) => {
            let page = page(&site, &reader, &geography, &form, Some(problem), &[]).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
        }
        Ok(silence) if form.step == "keep" => {
            site.engine.keep_silence(&silence, now).await?;
            Ok(Redirect::to("/silences").into_response())
        }
        Ok(silence) => {
            let covered = site.engine.would_be_silent(&silence, today).await?;
            let sight = reader.sight(&geography);
            let lines: Vec<Value> = covered
                .iter()
                .filter(|alert| sight.of_any(&alert.latest.wards))
                .map(|alert| {
                    context! {
                        number => &alert.number,
                        title => &alert.latest.title,
                        places => places(alert, &geography),
                        opened => day(alert.opened),
                    }
                })
                .collect();
            Ok(Html(page(&site, &reader, &geography, &form, None, &lines).await?).into_response())
        }
    }
}

#[derive(Deserialize)]
pub(super) struct End {
    token: String,
}

/// Ends a silence before its time.
pub(super) async fn end(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<Uuid>,
    Form(form): Form<End>,
) -> Result<Redirect, PageError> {
    reader.sent(&form.token)?;
    let geography = geography(&site).await?;
    let saved = site.engine.store.silences().await?;
    let found = saved.iter().find(|saved| saved.id == id).ok_or(PageError::NotFound)?;
    let own = match (&found.silence.area, reader.sight(&geography)) {
        (_, Sight::Everything) => true,
        (Some(area), sight) => sight.of_all(&wards(area, &geography)),
        (None, _) => false,
    };
    if !own {
        return Err(PageError::NotFound);
    }
    site.engine.end_silence(id, site.clock.now()).await?;
    Ok(Redirect::to("/silences"))
}
