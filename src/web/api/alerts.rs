//! Alerts, as the pages show them to those responsible.

use super::{
    asked::{Asked, Page},
    problem::{Problem, of_page},
    token::Caller,
};
use crate::{
    model::{Alert, AlertLevel, AlertState, AreaKind, Geography, Subject},
    web::{Site, alerts::geography},
};
use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The latest so many are looked at: decades of them.
const LOOKED_AT: i64 = 10_000;

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertState)]
enum Life {
    /// Its rule holds, and it waits for another night.
    Pending,
    /// Its rule holds.
    Open,
    /// Everybody who was asked has it.
    Acknowledged,
    /// Its rule has stopped holding.
    Easing,
    /// Over.
    Closed,
}

impl From<AlertState> for Life {
    fn from(state: AlertState) -> Self {
        match state {
            AlertState::Pending => Self::Pending,
            AlertState::Open => Self::Open,
            AlertState::Acknowledged => Self::Acknowledged,
            AlertState::Easing => Self::Easing,
            AlertState::Closed => Self::Closed,
        }
    }
}

/// How rare such a signal is by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertLevel)]
pub(in crate::web) enum Level {
    /// About once in 30 days or rarer.
    Watch,
    /// About once in 100 days or rarer.
    Elevated,
    /// About once in 365 days or rarer.
    Severe,
}

impl From<AlertLevel> for Level {
    fn from(level: AlertLevel) -> Self {
        match level {
            AlertLevel::Watch => Self::Watch,
            AlertLevel::Elevated => Self::Elevated,
            AlertLevel::Severe => Self::Severe,
        }
    }
}

/// A ward.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Ward {
    /// Its code.
    #[schema(example = "E05010461")]
    pub(in crate::web) code: String,
    /// Its name.
    pub(in crate::web) name: String,
}

impl Ward {
    pub(in crate::web) fn of(code: &str, geography: &Geography) -> Self {
        let name = geography.get(AreaKind::Ward, code).map_or(code, |ward| ward.name.as_str());
        Self { code: code.into(), name: name.into() }
    }
}

/// An alert, with the figures of the latest night on which its rule held.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub(in crate::web) struct Told {
    /// What people call it.
    #[schema(example = "LLR-2026-0147")]
    number: String,
    /// The title of its rule.
    title: String,
    /// Where in its life.
    state: Life,
    /// Its level.
    level: Level,
    /// Its rule.
    rule: String,
    /// What it is about: `area`, `cluster` or `place`.
    about: &'static str,
    /// The wards concerned, the most concerned first.
    wards: Vec<Ward>,
    /// The strands seen.
    strands: Vec<String>,
    /// The first day counted.
    from: NaiveDate,
    /// The last day counted.
    to: NaiveDate,
    /// The night it opened.
    opened: NaiveDate,
    /// The latest night it was judged on.
    night: NaiveDate,
    /// Incidents known.
    observed: u64,
    /// Incidents usual.
    expected: f64,
    /// By chance about once in so many days.
    once_in_days: f64,
    /// When it last changed.
    changed_at: DateTime<Utc>,
}

impl Told {
    fn of(alert: &Alert, geography: &Geography) -> Self {
        let finding = &alert.latest;
        Self {
            number: alert.number.clone(),
            title: finding.title.clone(),
            state: alert.state.into(),
            level: finding.level.into(),
            rule: finding.rule.clone(),
            about: match finding.subject {
                Subject::Area { .. } => "area",
                Subject::Cluster(_) => "cluster",
                Subject::Place(_) => "place",
            },
            wards: finding.wards.iter().map(|code| Ward::of(code, geography)).collect(),
            strands: finding.categories.clone(),
            from: finding.window.first,
            to: finding.window.last,
            opened: alert.opened,
            night: alert.night,
            observed: finding.observed,
            expected: finding.expected,
            once_in_days: finding.recurrence.days(),
            changed_at: alert.changed_at,
        }
    }
}

/// A part of the list.
#[derive(Serialize, ToSchema)]
#[schema(as = Alerts)]
pub(in crate::web) struct Listed {
    /// The alerts of this page, the latest night first.
    alerts: Vec<Told>,
    /// How many there are in all.
    total: u64,
    /// The number of the next page, if there is one.
    next_page: Option<u32>,
}

/// Which alerts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Which {
    /// Only those in this state.
    #[param(inline)]
    state: Option<Life>,
    /// Which page, counted from 1.
    #[param(minimum = 1, maximum = 100_000)]
    page: Option<u32>,
    /// Alerts of a page; 50 without it.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List alerts.
///
/// Those that concern a ward of the token's area.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    tag = "alerts",
    params(Which),
    responses((status = 200, description = "The alerts, a page at a time.", body = Listed)),
    security(("token" = ["alerts:read"]))
)]
pub(in crate::web) async fn list(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Asked(asked): Asked<Which>,
) -> Result<Json<Listed>, Problem> {
    let page = Page::of(asked.page, asked.limit, 50, 200)?;
    let geography = geography(&site).await.map_err(of_page)?;
    let sight = caller.sight(&geography);
    let mut alerts = site.engine.store.alerts(LOOKED_AT).await?;
    alerts.retain(|alert| {
        sight.of_any(&alert.latest.wards) && asked.state.is_none_or(|state| state == Life::from(alert.state))
    });
    let shown = alerts.iter().skip(page.skip()).take(page.limit as usize);
    Ok(Json(Listed {
        alerts: shown.map(|alert| Told::of(alert, &geography)).collect(),
        total: alerts.len() as u64,
        next_page: page.next(alerts.len()),
    }))
}

/// One thing that happened to an alert.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertEvent)]
struct Event {
    /// When.
    at: DateTime<Utc>,
    /// What.
    what: String,
    /// By whom: a role and area, an account, or `engine`.
    who: String,
    /// Why; empty where there is no more to say.
    why: String,
}

/// One alert with its history.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertWithHistory)]
pub(in crate::web) struct WithHistory {
    /// The alert.
    alert: Told,
    /// What happened to it, in order.
    history: Vec<Event>,
    /// The page that shows it to people.
    page: String,
}

/// No parameter at all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Nothing {}

/// Show one alert.
///
/// One that is not of the token's area looks as if there were none.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{number}",
    tag = "alerts",
    params(("number" = String, Path, description = "What people call it.", example = "LLR-2026-0147")),
    responses((status = 200, description = "The alert with its history.", body = WithHistory)),
    security(("token" = ["alerts:read"]))
)]
pub(in crate::web) async fn one(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(number): Path<String>,
    Asked(_): Asked<Nothing>,
) -> Result<Json<WithHistory>, Problem> {
    let geography = geography(&site).await.map_err(of_page)?;
    let found = site.engine.store.alert(&number).await?;
    let alert = found.filter(|alert| caller.sight(&geography).of_any(&alert.latest.wards));
    let alert = alert.ok_or_else(Problem::not_found)?;
    let events = site.engine.store.alert_events(alert.id).await?;
    let event = |event: crate::store::AlertEvent| Event {
        at: event.at,
        what: event.what,
        who: event.who,
        why: event.why,
    };
    Ok(Json(WithHistory {
        page: format!("{}/alerts/{}", site.address.trim_end_matches('/'), alert.number),
        alert: Told::of(&alert, &geography),
        history: events.into_iter().map(event).collect(),
    }))
}
