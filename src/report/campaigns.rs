//! Campaigns of a quarter: how many reports were published of their weeks, and how many times as many as before.

use super::{
    ratio,
    weeks::{Cells, Weeks, districts, touches},
};
use crate::{
    model::{AreaKind, Geography, Window},
    publish::{Publication, Span},
    rules::{Event, EventKind, Where},
};
use chrono::{Days, NaiveDate};
use serde::Serialize;

/// Weeks before a campaign that say what is usual.
const BEFORE: usize = 26;

/// A campaign that touched the quarter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignLine {
    /// Its name.
    pub name: String,
    /// Its days.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
    /// Where: `everywhere`, or the districts that it was in.
    pub places: String,
    /// Reports published of its weeks.
    pub reports: Option<i64>,
    /// How many times as many as in the weeks before, with its central 95 %.
    pub lift: Option<[f64; 3]>,
}

/// Campaigns whose days touch some days.
pub(super) fn campaigns(
    events: &[Event],
    days: Window,
    weeks: &Weeks<'_>,
    geography: &Geography,
    spread: f64,
) -> Vec<CampaignLine> {
    let touches = |event: &&Event| event.window.first <= days.last && event.window.last >= days.first;
    let campaigns = events.iter().filter(|event| event.kind == EventKind::Campaign);
    campaigns.filter(touches).map(|event| campaign(event, weeks, geography, spread)).collect()
}

/// The published weeks that a campaign touches against those before it, in its districts.
fn campaign(event: &Event, weeks: &Weeks<'_>, geography: &Geography, spread: f64) -> CampaignLine {
    let within = |district: &String| match &event.place {
        Where::Everywhere => true,
        Where::Areas(areas) => areas.iter().any(|area| touches(geography, district, area)),
        Where::Around { .. } => false,
    };
    let cells: Cells = districts(geography).into_iter().filter(within).collect();
    let first = Span::Week.around(event.window.first).map(|week| week.first);
    let next = |day: &NaiveDate| day.checked_add_days(Days::new(7));
    let own: Option<Vec<&Publication>> = std::iter::successors(first, next)
        .take_while(|day| *day <= event.window.last)
        .map(|day| weeks.at(day))
        .collect();
    let own = own.filter(|own| !own.is_empty() && !cells.is_empty());
    let sum = own.as_ref().map(|own| Weeks::sum(own.iter().copied(), &cells, None));
    let before = first.and_then(|first| weeks.before(first, BEFORE));
    let lift = own.as_ref().zip(sum).zip(before).and_then(|((own, sum), before)| {
        let usual = Weeks::sum(before.iter().copied(), &cells, None);
        ratio((sum, own.len()), (usual, before.len()), spread, cells.len())
    });
    let name = |code: &String| {
        geography.get(AreaKind::District, code).map_or_else(|| code.clone(), |area| area.name.clone())
    };
    CampaignLine {
        name: event.name.clone(),
        first: event.window.first,
        last: event.window.last,
        places: match &event.place {
            Where::Everywhere => "everywhere".to_owned(),
            _ if cells.is_empty() => "around one place; figures are published by district".to_owned(),
            _ => cells.iter().map(name).collect::<Vec<_>>().join(", "),
        },
        reports: sum,
        lift: lift.map(|(ratio, low, high)| [ratio, low, high]),
    }
}
