//! What a rule would have told: how many alerts a year, which labelled episodes they belong to, and how long before
//! everybody knew.

use super::{Areas, Episode, Rule, rule::lies_in};
use crate::{
    detect::{Expectation, times_usual},
    model::{AreaKind, Categories, CategorySet, Finding, Geography, Subject, Window},
};
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Two alerts on one place, or a live rule's finding and an alert, are about the same when they lie at most so many days
/// apart: an alert lives on for a week after its rule has stopped holding.
pub const SAME_WITHIN: i64 = 7;

/// Days of a year.
pub const YEAR: f64 = 365.25;

/// An alert that would have been opened.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedAlert {
    /// The night it would have been opened on.
    pub night: NaiveDate,
    /// The last night on which its rule held.
    pub last: NaiveDate,
    /// The finding that opens it.
    pub finding: Finding,
    /// The partnerships it lies in, by code.
    pub csps: Vec<String>,
    /// Mails that would be sent about it over its life, to each recipient; 0 for a line of the weekly digest.
    pub mails: usize,
}

/// A count over some time, as a rate.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Rate {
    /// How many.
    pub count: usize,
    /// In so many years.
    pub years: f64,
    /// How many a year.
    pub a_year: f64,
    /// The central 95 % of the yearly rate behind it: exact limits of a Poisson mean (Garwood 1936).
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Rate {
    /// The rate of a count. Without any time nothing is known: from 0 to more than can be told.
    #[must_use]
    pub fn of(count: usize, years: f64) -> Self {
        let limits =
            Expectation::new(years, f64::INFINITY).ok().and_then(|all| times_usual(count as u64, all));
        let (low, high) = limits.unwrap_or((0.0, f64::MAX));
        let a_year = if years > 0.0 { count as f64 / years } else { 0.0 };
        Self { count, years, a_year, low, high }
    }
}

/// The episodes a rule is tried against, with what is needed to match them.
pub struct Labels<'a> {
    /// The labelled episodes of the folder.
    pub episodes: &'a [Episode],
    /// The areas in force.
    pub geography: &'a Geography,
    /// The categories of the pack.
    pub categories: &'a Categories,
}

/// What became of a labelled episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its place among the episodes.
    pub episode: usize,
    /// The first alert that belongs to it.
    pub alert: Option<usize>,
    /// Days from that alert's night to the day everybody knew; below 0 when the alert came after it.
    pub lead: Option<i64>,
}

impl Labels<'_> {
    /// Whether an alert belongs to an episode: its window overlaps it, a ward of it lies in its areas, and they have a
    /// category in common.
    #[must_use]
    pub fn belongs(&self, finding: &Finding, episode: &Episode) -> bool {
        let carried = finding.categories.iter().filter_map(|code| self.categories.find(code));
        overlap(finding.window, episode.window)
            && carried.fold(CategorySet::EMPTY, CategorySet::with).touches(episode.categories)
            && finding.wards.iter().any(|ward| self.holds(episode, ward))
    }

    /// The episode that an alert belongs to; of several the one that names its areas, and of those the first.
    #[must_use]
    pub fn of(&self, finding: &Finding) -> Option<usize> {
        let own = self.episodes.iter().enumerate().filter(|(_, episode)| self.belongs(finding, episode));
        own.min_by_key(|(place, episode)| (episode.areas.is_empty(), *place)).map(|(place, _)| place)
    }

    /// The episodes that a rule could have told of in these nights, each with its first alert.
    #[must_use]
    pub fn seen(&self, rule: &Rule, nights: Window, alerts: &[TriedAlert]) -> Vec<Seen> {
        let could = |(_, episode): &(usize, &Episode)| {
            overlap(nights, episode.window)
                && episode.categories.touches(rule.categories.all)
                && self.wards(&rule.areas).iter().any(|ward| self.holds(episode, ward))
        };
        let first = |(place, episode): (usize, &Episode)| {
            let own = alerts.iter().enumerate().filter(|(_, alert)| self.belongs(&alert.finding, episode));
            let alert = own.min_by_key(|(_, alert)| alert.night).map(|(alert, _)| alert);
            let lead = alert.map(|alert| (episode.peak - alerts[alert].night).num_days());
            Seen { episode: place, alert, lead }
        };
        self.episodes.iter().enumerate().filter(could).map(first).collect()
    }

    /// The wards that a rule looks at.
    #[must_use]
    pub fn wards(&self, areas: &Areas) -> Vec<&str> {
        let wards = self.geography.of_kind(AreaKind::Ward).map(|ward| ward.code.as_str());
        wards.filter(|ward| areas.hold_ward(ward, self.geography)).collect()
    }

    /// How many years of quiet the nights hold for the rule in these wards: of every night the share of the wards in which
    /// the rule's window touches no labelled episode. An alert elsewhere or at another time is a false one.
    #[must_use]
    pub fn quiet_years(&self, rule: &Rule, wards: &[&str], nights: &[NaiveDate]) -> f64 {
        let days = window_days(rule);
        let touching = self.episodes.iter().filter(|one| one.categories.touches(rule.categories.all));
        let episodes: Vec<(Window, Vec<bool>)> = touching
            .map(|one| {
                let until = one.window.last + Days::new(days);
                let window = Window { first: one.window.first, last: until };
                (window, wards.iter().map(|ward| self.holds(one, ward)).collect())
            })
            .collect();
        let quiet = |night: &NaiveDate| {
            let now: Vec<&Vec<bool>> =
                episodes.iter().filter(|(window, _)| window.holds(*night)).map(|(_, held)| held).collect();
            let loud = (0..wards.len()).filter(|ward| now.iter().any(|held| held[*ward])).count();
            1.0 - loud as f64 / wards.len().max(1) as f64
        };
        nights.iter().map(quiet).sum::<f64>() / YEAR
    }

    fn holds(&self, episode: &Episode, ward: &str) -> bool {
        episode.areas.is_empty() || episode.areas.iter().any(|area| lies_in(ward, area, self.geography))
    }
}

/// The days a rule's window reaches back from the night, at least.
fn window_days(rule: &Rule) -> u64 {
    use crate::model::Period;
    let days = match rule.period {
        Period::Days(days) => days,
        Period::Months(months) => months * 31,
    };
    u64::from(days.saturating_sub(1) + rule.wait_days)
}

fn overlap(a: Window, b: Window) -> bool {
    a.first <= b.last && b.first <= a.last
}

/// Incidents that two findings share.
fn shared(a: &Finding, b: &Finding) -> usize {
    let own: BTreeSet<&Uuid> = a.members.iter().collect();
    b.members.iter().filter(|member| own.contains(member)).count()
}

/// Whether two alerts of two rules are about the same thing: at about the same time on the same area, or with at least
/// half of the incidents of the smaller.
#[must_use]
pub fn alike(a: &TriedAlert, b: &TriedAlert) -> bool {
    let apart = Days::new(SAME_WITHIN.unsigned_abs());
    let meet = a.night <= b.last + apart && b.night <= a.last + apart;
    let of_area = |one: &TriedAlert| matches!(one.finding.subject, Subject::Area { .. });
    let same = of_area(a) && a.finding.subject == b.finding.subject;
    let least = a.finding.members.len().min(b.finding.members.len());
    meet && (same || least > 0 && 2 * shared(&a.finding, &b.finding) >= least)
}

/// Pairs the alerts of two rules: kept by both, lost with the new one, gained by it. By night.
#[must_use]
pub fn pair(old: &[TriedAlert], new: &[TriedAlert]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut near: Vec<(i64, usize, usize)> = Vec::new();
    for (a, one) in old.iter().enumerate() {
        let others = new.iter().enumerate().filter(|(_, other)| alike(one, other));
        near.extend(others.map(|(b, other)| ((one.night - other.night).num_days().abs(), a, b)));
    }
    near.sort_unstable();
    let (mut of_old, mut of_new) = (vec![None; old.len()], vec![None; new.len()]);
    for (_, a, b) in near {
        if of_old[a].is_none() && of_new[b].is_none() {
            (of_old[a], of_new[b]) = (Some(b), Some(a));
        }
    }
    let mut pairs: Vec<(Option<usize>, Option<usize>)> =
        of_old.iter().enumerate().map(|(a, b)| (Some(a), *b)).collect();
    pairs.extend(of_new.iter().enumerate().filter(|(_, a)| a.is_none()).map(|(b, _)| (None, Some(b))));
    let night = |&(a, b): &(Option<usize>, Option<usize>)| {
        a.map(|a| old[a].night).into_iter().chain(b.map(|b| new[b].night)).min()
    };
    pairs.sort_by_key(night);
    pairs
}

/// The first time that another rule told of what an alert tells: at most [`SAME_WITHIN`] days before or after, with a ward
/// in common and at least half of the alert's incidents. `told` holds nights and findings, by night.
#[must_use]
pub fn also_told<'f>(
    alert: &TriedAlert,
    told: &'f [(NaiveDate, Finding)],
) -> Option<&'f (NaiveDate, Finding)> {
    let all = alert.finding.members.len();
    told.iter().find(|(night, other)| {
        (*night - alert.night).num_days().abs() <= SAME_WITHIN
            && other.wards.iter().any(|ward| alert.finding.wards.contains(ward))
            && all > 0
            && 2 * shared(&alert.finding, other) >= all
    })
}

#[cfg(test)]
mod tests;
