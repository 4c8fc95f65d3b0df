//! What a rule would have told: its alerts over past nights, which labelled episodes they belong to, and what the live rules
//! told at the same time.

use super::{
    candidate::Candidate,
    night::When,
    past::Past,
    trial::{as_live, live_without},
};
use crate::{
    model::Finding,
    rules::trial::{Rate, SAME_WITHIN, Seen, TriedAlert, also_told},
};
use anyhow::Result;
use chrono::{NaiveDate, TimeDelta};

/// A rule that was tried.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The alerts it would have opened, in order.
    pub alerts: Vec<TriedAlert>,
    /// What became of each labelled episode that it could have told of.
    pub seen: Vec<Seen>,
    /// Nights and findings of the live rules, near the alerts; none when they were not asked.
    pub live: Option<Vec<(NaiveDate, Finding)>>,
    /// False alerts: those that belong to no labelled episode, over the quiet years.
    pub stray: Rate,
}

/// Tries a rule as if it were live, whatever its status. `alone` leaves out the comparison with the live rules, which takes
/// most of the time. `watch` is told what is replayed and of how many nights so many are done. Takes every core: call it
/// where nobody waits.
///
/// # Errors
///
/// When the county's links are wrong on a night.
pub fn tried(
    past: &Past,
    candidate: &Candidate,
    alone: bool,
    watch: &(dyn Fn(&'static str, u64, u64) + Sync),
) -> Result<Tried> {
    let own = as_live(&candidate.set, &candidate.rule.id);
    let all = past.nights.len() as u64;
    let replay = past.replay(&past.history, &past.nights, &[&own], &|done| watch("nights", done, all))?;
    let alerts = replay.alerts(0, &candidate.rule, None);
    let live = if alone { None } else { Some(near(past, &alerts, candidate, watch)?) };
    let labels = past.labels(&candidate.set);
    let seen = labels.seen(&candidate.rule, past.window(), &alerts);
    let wards = labels.wards(&candidate.rule.areas);
    let quiet = labels.quiet_years(&candidate.rule, &wards, &replay.nights());
    let stray = alerts.iter().filter(|alert| labels.of(&alert.finding).is_none()).count();
    Ok(Tried { alerts, seen, live, stray: Rate::of(stray, quiet) })
}

impl Tried {
    /// The alerts of which no live rule told; none when they were not asked.
    #[must_use]
    pub fn told_by_no_other(&self) -> Option<usize> {
        let live = self.live.as_ref()?;
        Some(self.alerts.iter().filter(|alert| also_told(alert, live).is_none()).count())
    }
}

/// What the live rules of the folder found on the alerts' own nights, and where that is not the same, about four days and a
/// week before and after: what a rule tells lasts for days, so that a look every few nights sees it.
fn near(
    past: &Past,
    alerts: &[TriedAlert],
    candidate: &Candidate,
    watch: &(dyn Fn(&'static str, u64, u64) + Sync),
) -> Result<Vec<(NaiveDate, Finding)>> {
    let others = live_without(&candidate.set, &candidate.rule.id);
    let mut found: Vec<(NaiveDate, Finding)> = Vec::new();
    let around = [-SAME_WITHIN, -4, 4, SAME_WITHIN];
    for (what, apart) in [("nights of the live rules", &[0][..]), ("nights around them", &around)] {
        let open: Vec<NaiveDate> = alerts
            .iter()
            .filter(|alert| also_told(alert, &found).is_none())
            .flat_map(|alert| apart.iter().map(|days| alert.night + TimeDelta::days(*days)))
            .collect();
        let unseen = |night| found.iter().all(|(seen, _)| *seen != night);
        let wanted = |when: &&When| open.contains(&when.night) && unseen(when.night);
        let nights: Vec<When> = past.nights.iter().filter(wanted).copied().collect();
        if !nights.is_empty() && !others.rules.is_empty() {
            let all = nights.len() as u64;
            let done = |done| watch(what, done, all);
            found.extend(past.replay(&past.history, &nights, &[&others], &done)?.findings(0));
        }
    }
    found.sort_by_key(|(night, _)| *night);
    Ok(found)
}
