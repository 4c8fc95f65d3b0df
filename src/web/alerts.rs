//! The alerts: a list, a page each, and the button that says "we have it".

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, once_in},
    reader::{Reader, Sight},
    sign_in::same_origin,
};
use crate::{
    mail::times,
    model::{Alert, AlertLevel, AlertState, AreaKind, Geography, Role, Subject},
    store::AlertEvent,
};
use axum::{
    Form,
    extract::{Path, State},
    http::HeaderMap,
    response::{Html, Redirect},
};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// So many alerts are listed, the latest first.
const LISTED: i64 = 500;

pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    let geography = geography(&site).await?;
    let sight = reader.sight(&geography);
    let alerts = site.engine.store.alerts(LISTED).await?;
    let mine: Vec<&Alert> = alerts.iter().filter(|alert| sight.of_any(&alert.latest.wards)).collect();
    let open = mine.iter().filter(|alert| alert.state != AlertState::Closed).count();
    let heading = match open {
        0 => "No alert is open".to_owned(),
        1 => "One alert is open".to_owned(),
        open => format!("{} alerts are open", capital(&number(open))),
    };
    let line = |alert: &&&Alert| {
        context! {
            number => &alert.number,
            title => &alert.latest.title,
            places => places(alert, &geography),
            state => state(alert.state),
            level => level(alert.latest.level),
            opened => day(alert.opened),
            observed => alert.latest.observed,
        }
    };
    let part = |closed: bool| -> Vec<Value> {
        mine.iter()
            .filter(|alert| (alert.state == AlertState::Closed) == closed)
            .map(|alert| line(&alert))
            .collect()
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! { heading, published => sight == Sight::Published, open => part(false), closed => part(true) },
    };
    Ok(Html(site.render("alerts.html", values)?))
}

/// Every number that made an alert.
pub(super) async fn explained(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(number): Path<String>,
) -> Result<Html<String>, PageError> {
    let geography = geography(&site).await?;
    let alert = find(&site, &reader, &geography, &number).await?;
    let found = site.engine.explain(&alert.number).await?.ok_or(PageError::NotFound)?;
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => format!("How {} came about", alert.number),
            number => &alert.number,
            title => &alert.latest.title,
            night => day(found.night),
            steps => found.steps,
        },
    };
    Ok(Html(site.render("explained.html", values)?))
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(number): Path<String>,
) -> Result<Html<String>, PageError> {
    let geography = geography(&site).await?;
    let alert = find(&site, &reader, &geography, &number).await?;
    let pack = &site.engine.county.pack;
    let finding = &alert.latest;
    let label = |code: &String| {
        let place = pack.categories.codes().iter().position(|known| known == code);
        place.and_then(|place| pack.category_labels.get(place)).unwrap_or(code).clone()
    };
    let events: Vec<Value> = site
        .engine
        .store
        .alert_events(alert.id)
        .await?
        .into_iter()
        .map(|event| {
            let at = event.at.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string();
            context! { at, what => event.what, who => event.who }
        })
        .collect();
    let told = site.engine.store.mailboxes_told(alert.id).await?;
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            number => &alert.number,
            title => &finding.title,
            heading => heading(&alert, &geography),
            places => places(&alert, &geography),
            strands => finding.categories.iter().map(label).collect::<Vec<_>>(),
            category_word => &pack.category_word,
            state => state(alert.state),
            level => level(finding.level),
            first => day(finding.window.first),
            last => day(finding.window.last),
            opened => day(alert.opened),
            observed => finding.observed,
            usual => format!("{:.1}", finding.expected),
            times => finding.times_usual.map(|(low, high)| format!("{} to {}", times(low), times(high))),
            range => finding.usual_range.map(|(low, high)| format!("{low} to {high}")),
            rare => once_in(finding.recurrence),
            rule => &finding.rule,
            version => &finding.rule_version,
            events, told,
            may_acknowledge => may_acknowledge(&reader, &alert),
        },
    };
    Ok(Html(site.render("alert.html", values)?))
}

#[derive(Deserialize)]
pub(super) struct Pressed {
    token: String,
}

/// Only a pressed button acts: a link in a mail opens the page and changes nothing.
pub(super) async fn acknowledge(
    State(site): State<Arc<Site>>,
    reader: Reader,
    headers: HeaderMap,
    Path(number): Path<String>,
    Form(form): Form<Pressed>,
) -> Result<Redirect, PageError> {
    same_origin(&headers)?;
    reader.sent(&form.token)?;
    let geography = geography(&site).await?;
    let mut alert = find(&site, &reader, &geography, &number).await?;
    if may_acknowledge(&reader, &alert) {
        let now = site.clock.now();
        alert.state = AlertState::Acknowledged;
        alert.changed_at = now;
        let event = AlertEvent { at: now, what: "acknowledged".into(), who: reader.name.clone() };
        let mut tx = site.engine.store.begin().await?;
        tx.save_alert(&alert, alert.night).await?;
        tx.add_alert_event(Uuid::now_v7(), alert.id, &event).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to(&format!("/alerts/{}", alert.number)))
}

fn may_acknowledge(reader: &Reader, alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Open | AlertState::Easing) && reader.role != Role::Auditor
}

/// An alert that concerns the reader's wards; others look as if they were not there.
async fn find(site: &Site, reader: &Reader, geography: &Geography, number: &str) -> Result<Alert, PageError> {
    let alert = site.engine.store.alert(number).await?.ok_or(PageError::NotFound)?;
    if reader.sight(geography).of_any(&alert.latest.wards) { Ok(alert) } else { Err(PageError::NotFound) }
}

async fn geography(site: &Site) -> Result<Geography, PageError> {
    let last = site.engine.store.last_run().await?;
    let night = last.map_or_else(|| site.clock.now().date_naive(), |run| run.night);
    Ok(site.engine.county.geography(night)?)
}

/// What changed, in a sentence.
fn heading(alert: &Alert, geography: &Geography) -> String {
    let finding = &alert.latest;
    let reports = if finding.observed == 1 { "report" } else { "reports" };
    let (observed, days) = (finding.observed, finding.window.days());
    let places = places(alert, geography);
    match finding.subject {
        Subject::Cluster(_) => format!("{observed} {reports} close together in {days} days in {places}"),
        Subject::Place(_) => format!("{observed} {reports} at one place in {places} within a year"),
        Subject::Area { .. } => format!("{observed} {reports} in {days} days in {places}"),
    }
}

/// Ward names, never streets.
fn places(alert: &Alert, geography: &Geography) -> String {
    if let Subject::Area { area, .. } = &alert.latest.subject
        && let Some(known) = geography.get(area.kind, &area.code)
    {
        return known.name.clone();
    }
    let names: Vec<&str> = alert
        .latest
        .wards
        .iter()
        .map(|code| geography.get(AreaKind::Ward, code).map_or(code.as_str(), |ward| ward.name.as_str()))
        .collect();
    match &names[..] {
        [] => "no ward".into(),
        [one] => (*one).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Open => "open",
        AlertState::Acknowledged => "acknowledged",
        AlertState::Easing => "easing",
        AlertState::Closed => "closed",
    }
}

fn level(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Watch => "watch",
        AlertLevel::Elevated => "elevated",
        AlertLevel::Severe => "severe",
    }
}
