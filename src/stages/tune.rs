//! The curve of a rule: what every threshold would have brought, on history and in the simulated quiet county.

use super::trial::Replay;
use crate::{
    model::AreaKind,
    rules::{
        Rule,
        trial::{Labels, Rate, TriedAlert},
        tune::{FalseAlerts, Threshold, grid, middle, years},
    },
};
use chrono::NaiveDate;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Where the alerts of a rule are counted, and over how many quiet years.
struct Exposure {
    all: f64,
    by_csp: BTreeMap<String, f64>,
}

/// What each threshold of [`grid`] would have brought. Both replays hold as their first set the rule as
/// [`super::trial::loosened`] makes it; `rule` is the rule as it is.
#[must_use]
pub fn curve(
    rule: &Rule,
    history: &Replay,
    simulated: Option<&Replay>,
    labels: &Labels<'_>,
) -> Vec<Threshold> {
    let nights = history.nights();
    let quiet = exposure(rule, labels, |wards| labels.quiet_years(rule, wards, &nights));
    let invented = simulated.map(|replay| {
        let all = years(replay.nights().len());
        (replay, exposure(rule, labels, |_| all))
    });
    grid(rule)
        .into_par_iter()
        .map(|days| {
            let alerts = history.alerts(0, rule, Some(days));
            let stray = |alert: &&TriedAlert| labels.of(&alert.finding).is_none();
            let wrong: Vec<&TriedAlert> = alerts.iter().filter(stray).collect();
            let simulated = invented.as_ref().map(|(replay, exposure)| {
                let alerts = replay.alerts(0, rule, Some(days));
                counted(&alerts.iter().collect::<Vec<_>>(), exposure)
            });
            let (labelled, leads) = leads(rule, &nights, &alerts, labels);
            Threshold {
                days,
                alerts: Rate::of(alerts.len(), years(nights.len())),
                history: counted(&wrong, &quiet),
                simulated,
                found: leads.len(),
                labelled,
                lead: middle(leads),
            }
        })
        .collect()
}

/// How many labelled episodes there were to tell of, and the lead times of those that were told.
fn leads(rule: &Rule, nights: &[NaiveDate], alerts: &[TriedAlert], labels: &Labels<'_>) -> (usize, Vec<i64>) {
    let (Some(first), Some(last)) = (nights.first(), nights.last()) else { return (0, Vec::new()) };
    let seen = labels.seen(rule, crate::model::Window { first: *first, last: *last }, alerts);
    (seen.len(), seen.iter().filter_map(|one| one.lead).collect())
}

fn exposure(rule: &Rule, labels: &Labels<'_>, years: impl Fn(&[&str]) -> f64) -> Exposure {
    let wards = labels.wards(&rule.areas);
    let mut members: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for ward in &wards {
        for csp in labels.geography.above(ward, AreaKind::Csp) {
            members.entry(csp.code.clone()).or_default().push(ward);
        }
    }
    Exposure {
        all: years(&wards),
        by_csp: members.into_iter().map(|(csp, wards)| (csp, years(&wards))).collect(),
    }
}

fn counted(alerts: &[&TriedAlert], exposure: &Exposure) -> FalseAlerts {
    let of = |csp: &String| alerts.iter().filter(|alert| alert.csps.contains(csp)).count();
    let by_csp = exposure.by_csp.iter().map(|(csp, years)| (csp.clone(), Rate::of(of(csp), *years)));
    FalseAlerts { all: Rate::of(alerts.len(), exposure.all), by_csp: by_csp.collect() }
}
