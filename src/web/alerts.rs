//! The alerts: a list, a page each, and the button that says "we have it".

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, once_in, typed_day},
    reader::{Reader, Sight},
    routes::Right,
};
use crate::{
    model::{Alert, AlertLevel, AlertState, AreaKind, Geography, Outcome, Party, Priority, Subject, Untold},
    rules::Play,
    stages::{
        actions::{Plan, due_by, one_line},
        answers::{Answer, Answerer},
    },
    words::times,
};
use axum::{
    Form,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;

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
    // Faults of the data are for those who can mend them.
    let data: Vec<Value> = if sight == Sight::Everything {
        let open =
            site.engine.store.data_alerts().await?.into_iter().filter(|saved| saved.closed_at.is_none());
        open.map(|saved| {
            let since = day(site.engine.county.day_of(saved.opened_at));
            context! { title => saved.alert.title, text => saved.alert.text, since }
        })
        .collect()
    } else {
        Vec::new()
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading, data,
            published => sight == Sight::Published,
            open => part(false),
            closed => part(true),
        },
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
    let moment = |at: DateTime<Utc>| at.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string();
    let events: Vec<Value> = site
        .engine
        .store
        .alert_events(alert.id)
        .await?
        .into_iter()
        .map(|event| context! { at => moment(event.at), what => event.what, who => event.who, why => event.why })
        .collect();
    let released = site.engine.store.released_since(alert.id).await?;
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            number => &alert.number,
            title => &finding.title,
            heading => heading(&alert, &geography),
            places => places(&alert, &geography),
            strands => finding.categories.iter().map(|code| pack.label(code).to_owned()).collect::<Vec<_>>(),
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
            events,
            untold => alert.untold.as_ref().map(Untold::in_words),
            answers => answers(&site, &alert, &geography).await?,
            may_answer => Right::Answer.allows(reader.role),
            own => own_answer(&alert, &reader.party()),
            outcomes => outcomes(),
            plan => plan(&site, &alert, &geography).await?,
            mailed => alert.sequence > 0,
            may_release => may_release(&reader, &alert, &geography) || released.is_some() && Right::Release.allows(reader.role),
            released => released.map(moment),
        },
    };
    Ok(Html(site.render("alert.html", values)?))
}

/// What the button for partners sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Released {
    token: String,
    /// Whether partners are to know: `yes` or `no`.
    known: String,
}

/// Lets partners know of an alert, or takes that back.
pub(super) async fn release(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(number): Path<String>,
    Form(sent): Form<Released>,
) -> Result<Redirect, PageError> {
    reader.sent(&sent.token)?;
    let geography = geography(&site).await?;
    let alert = find(&site, &reader, &geography, &number).await?;
    let may = may_release(&reader, &alert, &geography)
        // Whoever sees it may take it back: it may have grown since.
        || sent.known != "yes" && Right::Release.allows(reader.role);
    if !may {
        return Err(PageError::NotFound);
    }
    let who = format!("{} ({})", reader.name, reader.role.label());
    site.engine.release(&alert, sent.known == "yes", &who, site.clock.now()).await?;
    Ok(Redirect::to(&format!("/alerts/{}", alert.number)))
}

/// Those responsible for all of its wards, and the force.
fn may_release(reader: &Reader, alert: &Alert, geography: &Geography) -> bool {
    Right::Release.allows(reader.role) && reader.sight(geography).of_all(&alert.latest.wards)
}

/// What the forms of an alert send.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    pub(super) token: String,
    pub(super) answer: String,
    pub(super) who: String,
    /// A suggestion of the playbook, by its words; empty when `action` says something else.
    pub(super) suggestion: String,
    pub(super) action: String,
    pub(super) priority: String,
    pub(super) due: String,
    pub(super) event: String,
    pub(super) outcome: String,
}

impl Sent {
    /// The answer, or what is missing in it. `plays` are the suggestions that fit the alert.
    pub(super) fn answer(&self, plays: &[Play], today: NaiveDate) -> Result<Answer, &'static str> {
        match self.answer.as_str() {
            "acknowledge" => Ok(Answer::Acknowledge),
            "action" => self.plan(plays, today).map(Answer::Act),
            "expected" => match one_line(&self.event) {
                event if event.is_empty() => Err("Write which event you expected."),
                event => Ok(Answer::Expected { event }),
            },
            "close" => {
                Outcome::of(&self.outcome).map(Answer::Close).ok_or("Choose what you made of this alert.")
            }
            _ => Err("Press one of the buttons on the page."),
        }
    }

    fn plan(&self, plays: &[Play], today: NaiveDate) -> Result<Plan, &'static str> {
        let due = match self.due.trim() {
            "" => None,
            due => Some(typed_day(due).ok_or("Write the date as YYYY-MM-DD, or leave it empty.")?),
        };
        let suggested = one_line(&self.suggestion);
        if let Some(play) = plays.iter().find(|play| play.action == suggested) {
            let due = due.or_else(|| Some(due_by(play, today)));
            return Ok(Plan {
                title: play.action.clone(),
                due,
                priority: play.priority,
                owner: Some(play.owner),
            });
        }
        // The playbook may have changed since the page was opened: what was chosen is recorded all the same.
        let title = if suggested.is_empty() { one_line(&self.action) } else { suggested };
        if title.is_empty() {
            return Err("Choose a suggestion, or write what you are doing, in a line without names.");
        }
        let priority = Priority::of(&self.priority).unwrap_or(Priority::ImproveResponse);
        Ok(Plan { title, due, priority, owner: None })
    }
}

/// Only a pressed button acts: a link in a mail opens a page and changes nothing.
pub(super) async fn answer(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(number): Path<String>,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&form.token)?;
    let geography = geography(&site).await?;
    let alert = find(&site, &reader, &geography, &number).await?;
    let plays = site.engine.suggestions(&alert, &geography).await?;
    let answer = match form.answer(&plays, site.engine.county.day_of(site.clock.now())) {
        Ok(answer) => answer,
        Err(missing) => {
            let values = context! {
                ..frame(&site, &reader),
                ..context! { heading => "Something is missing", missing => format!("{missing} Nothing has changed."), back => format!("/alerts/{}", alert.number) },
            };
            let page = Html(site.render("missing.html", values)?);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let party = reader.party();
    let who = format!("{}, account {}", party.label(&geography), reader.name);
    let by = Answerer { party, who };
    site.engine.answer(&alert.number, &by, &answer, site.clock.now()).await?;
    Ok(Redirect::to(&format!("/alerts/{}", alert.number)).into_response())
}

/// What a party has answered, as a word for the page.
pub(super) fn own_answer(alert: &Alert, party: &Party) -> &'static str {
    match (&alert.closing, alert.acknowledged.iter().find(|one| one.party == *party)) {
        (Some(_), _) => "closed",
        (None, _) if alert.state == AlertState::Closed => "over",
        (None, Some(one)) if one.until.is_none() => "acted",
        (None, Some(_)) => "acknowledged",
        (None, None) => "nothing",
    }
}

/// What the form for an action offers: the suggestions that fit the alert, and the priorities.
pub(super) async fn plan(site: &Site, alert: &Alert, geography: &Geography) -> anyhow::Result<Value> {
    let today = site.engine.county.day_of(site.clock.now());
    let plays = site.engine.suggestions(alert, geography).await?;
    let play = |play: &Play| {
        context! {
            action => &play.action,
            owner => play.owner.label(),
            priority => play.priority.label().to_lowercase(),
            due => day(due_by(play, today)),
        }
    };
    Ok(context! { plays => plays.iter().map(play).collect::<Vec<_>>(), priorities => priorities() })
}

pub(super) fn priorities() -> Vec<Value> {
    let one = |priority: Priority| {
        context! { code => priority.code(), label => priority.label(), chosen => priority == Priority::ImproveResponse }
    };
    Priority::ALL.into_iter().map(one).collect()
}

pub(super) fn outcomes() -> Vec<Value> {
    let one = |outcome: Outcome| context! { code => outcome.code(), label => capital(outcome.label()) };
    Outcome::ALL.into_iter().map(one).collect()
}

/// Who was asked and what they said, and what is being done: roles, never addresses.
pub(super) async fn answers(site: &Site, alert: &Alert, geography: &Geography) -> anyhow::Result<Value> {
    let zone = site.engine.county.pack.zone;
    let moment = |at: DateTime<Utc>| at.with_timezone(&zone).format("%-d %B %Y, %H:%M").to_string();
    let said = |party: &Party| {
        let own = alert.acknowledged.iter().find(|one| one.party == *party);
        own.map(|one| {
            context! { at => moment(one.at), until => one.until.map(moment) }
        })
    };
    let mut asked: Vec<Value> = Vec::new();
    for (round, group) in alert.asked.iter().enumerate() {
        for party in &group.parties {
            asked.push(context! {
                label => party.label(geography),
                by => group.by.map(moment),
                later => round > 0,
                acknowledged => said(party),
            });
        }
    }
    let was_asked = |party: &Party| alert.asked.iter().any(|group| group.parties.contains(party));
    let others = alert.acknowledged.iter().filter(|one| !was_asked(&one.party));
    asked.extend(others.map(|one| {
        context! { label => one.party.label(geography), by => (), later => false, acknowledged => said(&one.party) }
    }));
    let actions: Vec<Value> = site
        .engine
        .store
        .actions(alert.id)
        .await?
        .into_iter()
        .map(|action| {
            context! {
                title => action.title,
                party => action.owner.label(geography),
                at => moment(action.at),
                due => action.due.map(day),
                state => action.state.code(),
                outcome => action.outcome,
                looked_at => action.looked_at,
            }
        })
        .collect();
    let closed = alert.closing.as_ref().map(|closing| {
        context! {
            outcome => closing.outcome.label(),
            party => closing.party.label(geography),
            at => moment(closing.at),
        }
    });
    Ok(context! { asked, actions, closed, expected => &alert.expected_event })
}

/// The mail about an alert as it was told last, as its reader would get it: `html`, `text` or `chart`.
pub(super) async fn mail(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path((number, part)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let geography = geography(&site).await?;
    let alert = find(&site, &reader, &geography, &number).await?;
    let shown = site.engine.preview(&alert).await?.ok_or(PageError::NotFound)?;
    let kind = |kind: &'static str| [(header::CONTENT_TYPE, kind)];
    Ok(match part.as_str() {
        "text" => (kind("text/plain; charset=utf-8"), format!("{}\n\n{}", shown.subject, shown.text))
            .into_response(),
        "html" => {
            // A mail carries its styles and pictures with it, and needs nothing else.
            let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
            let head = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, policy),
            ];
            (head, shown.whole_html()).into_response()
        }
        _ => return Err(PageError::NotFound),
    })
}

/// An alert that concerns the reader's wards; others look as if they were not there.
async fn find(site: &Site, reader: &Reader, geography: &Geography, number: &str) -> Result<Alert, PageError> {
    let alert = site.engine.store.alert(number).await?.ok_or(PageError::NotFound)?;
    if reader.sight(geography).of_any(&alert.latest.wards) { Ok(alert) } else { Err(PageError::NotFound) }
}

pub(super) async fn geography(site: &Site) -> Result<Arc<Geography>, PageError> {
    let last = site.engine.store.last_night().await?;
    let night = last.map_or_else(|| site.clock.now().date_naive(), |run| run.night);
    Ok(site.engine.county.geography(night)?)
}

/// What changed, in a sentence.
pub(super) fn heading(alert: &Alert, geography: &Geography) -> String {
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
pub(super) fn places(alert: &Alert, geography: &Geography) -> String {
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
    state.code()
}

pub(super) fn level(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Watch => "watch",
        AlertLevel::Elevated => "elevated",
        AlertLevel::Severe => "severe",
    }
}
