//! The action register: what partners do, what is overdue, and what came of it.

use super::{
    Site,
    alerts::{geography, priorities},
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, options, typed_day},
    reader::{Reader, Sight},
    routes::Right,
};
use crate::{
    alerts::{acted, is_unanswered},
    model::{Action, ActionState, AreaKind, AreaRef, Geography, Priority, Role},
    stages::{
        actions::{Plan, one_line},
        answers::Answerer,
    },
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Days, Utc};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// Actions that ended, and alerts that closed, are shown for so long.
const SHOWN: Days = Days::new(365);

/// So many alerts are looked through for those that were closed without an action.
const LOOKED_THROUGH: i64 = 2_000;

/// Roles that can be given an action.
const OWNERS: [Role; 6] = [
    Role::CspCoordinator,
    Role::CspChair,
    Role::NptSergeant,
    Role::NpaCommander,
    Role::HateLead,
    Role::Analyst,
];

/// What the form for an action that answers no alert sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
    action: String,
    priority: String,
    owner: String,
    area: String,
    due: String,
}

/// What the form that ends an action sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Ended {
    token: String,
    /// `done` or `dropped`.
    state: String,
    outcome: String,
}

pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    Ok(Html(page(&site, &reader, None).await?))
}

async fn page(site: &Site, reader: &Reader, problem: Option<&str>) -> Result<String, PageError> {
    let engine = &site.engine;
    let geography = geography(site).await?;
    let sight = reader.sight(&geography);
    let today = engine.county.day_of(site.clock.now());
    let since = engine.county.start_of(today - SHOWN);
    let mut actions = engine.store.action_register(since).await?;
    actions.retain(|action| may_see(reader, &sight, action, &geography));
    let of = |keep: &dyn Fn(&Action) -> bool| -> Vec<Value> {
        let kept = actions.iter().filter(|action| keep(action));
        kept.map(|action| line(site, reader, &sight, action, &geography)).collect()
    };
    let overdue = of(&|action| action.is_overdue(today));
    let open = of(&|action| action.state == ActionState::Open && !action.is_overdue(today));
    let ended = of(&|action| action.state != ActionState::Open);
    let many = |count: usize, what: &str| match count {
        1 => format!("One action is {what}"),
        count => format!("{} actions are {what}", capital(&number(count))),
    };
    let heading = match (overdue.len(), open.len()) {
        (0, 0) => "No action is open".to_owned(),
        (0, open) => format!("{}, none is overdue", many(open, "open")),
        (overdue, _) => many(overdue, "overdue"),
    };
    let values = context! {
        ..frame(site, reader),
        ..context! {
            heading, problem,
            unanswered => unanswered(site, &sight, since).await?,
            groups => [("Overdue", overdue), ("Open", open), ("Ended in the past year", ended)]
                .into_iter()
                .filter(|(_, lines)| !lines.is_empty())
                .map(|(label, lines)| context! { label, lines })
                .collect::<Vec<_>>(),
            may_act => Right::Act.allows(reader.role),
            priorities => priorities(),
            owners => options(OWNERS.map(|role| (role.code(), role.label())), reader.role.code()),
            areas => areas(reader, &sight, &geography),
        },
    };
    Ok(site.render("actions.html", values)?)
}

fn line(site: &Site, reader: &Reader, sight: &Sight, action: &Action, geography: &Geography) -> Value {
    let place = action.area.as_ref().map_or_else(
        || site.engine.county.pack.name.clone(),
        |area| {
            geography.get(area.kind, &area.code).map_or_else(|| area.code.clone(), |known| known.name.clone())
        },
    );
    let ended = |at: DateTime<Utc>| day(site.engine.county.day_of(at));
    context! {
        id => action.id.to_string(),
        title => &action.title,
        number => action.alert.as_ref().map(|alert| &alert.1),
        owner => action.owner.label(geography),
        place,
        priority => action.priority.label(),
        due => action.due.map(day),
        recorded => ended(action.at),
        state => action.state.code(),
        ended => action.ended_at.map(ended),
        outcome => &action.outcome,
        looked_at => &action.looked_at,
        may_end => action.state == ActionState::Open && may_end(reader, sight, action, geography),
    }
}

/// The areas that a new action can be for: partnerships that the reader sees, or their own area.
fn areas(reader: &Reader, sight: &Sight, geography: &Geography) -> Vec<Value> {
    match (&reader.area, sight) {
        (Some(area), Sight::Wards(_)) => {
            let name =
                geography.get(area.kind, &area.code).map_or(area.code.clone(), |known| known.name.clone());
            vec![context! { value => format!("{}/{}", area.kind.code(), area.code), label => name }]
        }
        _ => geography
            .of_kind(AreaKind::Csp)
            .map(|csp| context! { value => format!("csp/{}", csp.code), label => &csp.name })
            .collect(),
    }
}

/// Alerts that were closed without an action or a word that there was nothing in them.
async fn unanswered(site: &Site, sight: &Sight, since: DateTime<Utc>) -> Result<Vec<Value>, PageError> {
    let store = &site.engine.store;
    let acted = acted(&store.actions_before(site.clock.now()).await?);
    let alerts = store.alerts(LOOKED_THROUGH).await?;
    let own = alerts.iter().filter(|alert| {
        alert.changed_at >= since && sight.of_any(&alert.latest.wards) && is_unanswered(alert, &acted)
    });
    let line = |alert: &crate::model::Alert| {
        context! { number => &alert.number, title => &alert.latest.title, opened => day(alert.opened) }
    };
    Ok(own.map(line).collect())
}

/// Those who see one of its wards, and whoever does it.
fn may_see(reader: &Reader, sight: &Sight, action: &Action, geography: &Geography) -> bool {
    action.owner == reader.party()
        || *sight == Sight::Everything
        || action.area.is_some() && sight.of_any(&geography.wards_in(action.area.as_ref()))
}

/// Those responsible for all of its wards, and whoever does it.
fn may_end(reader: &Reader, sight: &Sight, action: &Action, geography: &Geography) -> bool {
    Right::Act.allows(reader.role)
        && (action.owner == reader.party() || sight.of_all(&geography.wards_in(action.area.as_ref())))
}

/// Records an action that answers no alert.
pub(super) async fn add(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&sent.token)?;
    let geography = geography(&site).await?;
    let area = match sent.area.split_once('/') {
        Some((kind, code)) => {
            let area =
                AreaRef { kind: kind.parse().map_err(|_| PageError::NotFound)?, code: code.to_owned() };
            let wards = geography.wards_in(Some(&area));
            // What a reader does not see is not theirs to act in.
            if wards.is_empty() || !reader.sight(&geography).of_all(&wards) {
                return Err(PageError::NotFound);
            }
            Some(area)
        }
        None => None,
    };
    let nowhere = area.is_none() && reader.sight(&geography) != Sight::Everything;
    let title = one_line(&sent.action);
    let due = typed_day(&sent.due);
    let owner = sent.owner.parse::<Role>().ok().filter(|role| OWNERS.contains(role));
    let problem = match (&*title, due, owner) {
        _ if nowhere => Some("Choose where."),
        ("", _, _) => Some("Write what is to be done, in a line without names."),
        (_, None, _) => Some("Write by when, as YYYY-MM-DD."),
        (_, _, None) => Some("Choose who does it."),
        _ => None,
    };
    if problem.is_some() {
        let page = Html(page(&site, &reader, problem).await?);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let priority = Priority::of(&sent.priority).unwrap_or(Priority::ImproveResponse);
    let plan = Plan { title, due, priority, owner };
    let party = reader.party();
    let by = Answerer { who: format!("{}, account {}", party.label(&geography), reader.name), party };
    site.engine.plan(&plan, &by, area, site.clock.now()).await?;
    Ok(Redirect::to("/actions").into_response())
}

/// Says that an action was done or dropped, and what came of it.
pub(super) async fn end(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<Uuid>,
    Form(sent): Form<Ended>,
) -> Result<Response, PageError> {
    reader.sent(&sent.token)?;
    let geography = geography(&site).await?;
    let action = site.engine.store.action(id).await?.ok_or(PageError::NotFound)?;
    if !may_end(&reader, &reader.sight(&geography), &action, &geography) {
        return Err(PageError::NotFound);
    }
    let outcome = one_line(&sent.outcome);
    let state = ActionState::of(&sent.state).filter(|state| *state != ActionState::Open);
    let (Some(state), false) = (state, outcome.is_empty()) else {
        let problem = "Say whether it was done or dropped, and what came of it, in a line without names.";
        let page = Html(page(&site, &reader, Some(problem)).await?);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    site.engine.end_action(id, state, Some(&outcome), site.clock.now()).await?;
    Ok(Redirect::to("/actions").into_response())
}
