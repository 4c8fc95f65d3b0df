//! How much of a day is known after so many days: reports come late, and a source may be late altogether.

use super::{Case, Feed, feeds};
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// The longest delay that is learned, in days.
const LONGEST: usize = 90;

/// Incidents happened in this many days, before the longest delay, teach the delays.
const TAUGHT_BY: i64 = 730;

/// So many incidents of one source teach its delays; sources with fewer share what all teach together.
const ENOUGH: u32 = 100;

/// The share of what will be known that is known after so many days, from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Completeness {
    feeds: Vec<Feed>,
    /// By source, in the order of the feeds: the share known by delay.
    by_source: Vec<Vec<f64>>,
    /// Of all sources together.
    together: Vec<f64>,
}

impl Completeness {
    /// Learns delays by source, from the day of an incident to the day it became known, as seen on the morning after
    /// `last`. Days too recent to be complete do not teach, nor does what a source handed over on its first day: that is
    /// its past, not its delay. Without enough to learn from everything counts as known.
    #[must_use]
    pub fn learn(cases: &[Case], last: NaiveDate) -> Self {
        let feeds = feeds(cases, last);
        let mut first: BTreeMap<&str, NaiveDate> = BTreeMap::new();
        for case in cases {
            first
                .entry(&case.source)
                .and_modify(|day| *day = case.known_on.min(*day))
                .or_insert(case.known_on);
        }
        let regular: Vec<&Case> =
            cases.iter().filter(|case| first.get(case.source.as_str()) != Some(&case.known_on)).collect();
        let together = by_delay(regular.iter().copied(), last).unwrap_or_else(|| vec![1.0]);
        let own = |feed: &Feed| {
            let own = regular.iter().copied().filter(|case| case.source == feed.source);
            by_delay(own, last).unwrap_or_else(|| together.clone())
        };
        Self { by_source: feeds.iter().map(own).collect(), feeds, together }
    }

    /// The share that is known `days` days after the day itself; 0 for the evening of the day. Each source counts by its
    /// share, and what a late source is behind is not yet known.
    #[must_use]
    pub fn after(&self, days: i64) -> f64 {
        if self.feeds.is_empty() {
            return at(&self.together, days);
        }
        let known = |(feed, by_delay): (&Feed, &Vec<f64>)| {
            let known = days - feed.late_by;
            feed.share * if feed.late_by > 0 && known < 0 { 0.0 } else { at(by_delay, known) }
        };
        self.feeds.iter().zip(&self.by_source).map(known).sum::<f64>().min(1.0)
    }

    /// The sources, and whether they are late.
    #[must_use]
    pub fn feeds(&self) -> &[Feed] {
        &self.feeds
    }
}

fn at(by_delay: &[f64], days: i64) -> f64 {
    let place = usize::try_from(days).unwrap_or(0).min(by_delay.len().saturating_sub(1));
    by_delay.get(place).copied().unwrap_or(1.0)
}

/// The share known by delay; none with too few incidents.
fn by_delay<'c>(cases: impl Iterator<Item = &'c Case>, last: NaiveDate) -> Option<Vec<f64>> {
    let newest = last - TimeDelta::days(LONGEST as i64);
    let oldest = newest - TimeDelta::days(TAUGHT_BY);
    let mut delays = vec![0_u32; LONGEST + 1];
    for case in cases {
        let Some(day) = case.day.filter(|day| (oldest..=newest).contains(day)) else { continue };
        let delay = (case.known_on - day).num_days().clamp(0, LONGEST as i64);
        delays[delay as usize] += 1;
    }
    let all: u32 = delays.iter().sum();
    let mut known = 0;
    (all >= ENOUGH).then(|| {
        let share = |count: &u32| {
            known += count;
            f64::from(known) / f64::from(all)
        };
        delays.iter().map(share).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::case::tests::case;

    fn last() -> NaiveDate {
        "2026-06-30".parse().unwrap()
    }

    #[test]
    fn half_are_known_the_next_day() {
        let long_ago = last() - TimeDelta::days(900);
        let cases: Vec<Case> = std::iter::once(case(long_ago, long_ago))
            .chain((0..1_000).map(|n| {
                let day = last() - TimeDelta::days(100 + n / 4);
                case(day, day + TimeDelta::days(if n % 2 == 0 { 1 } else { 10 }))
            }))
            .collect();
        let learned = Completeness::learn(&cases, last());
        let plain = Completeness { feeds: Vec::new(), ..learned };
        assert!(plain.after(0).abs() < 1e-9);
        assert!((plain.after(1) - 0.5).abs() < 1e-9 && (plain.after(9) - 0.5).abs() < 1e-9);
        assert!((plain.after(10) - 1.0).abs() < 1e-9 && (plain.after(900) - 1.0).abs() < 1e-9);
        assert!((Completeness::learn(&[], last()).after(0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn years_handed_over_at_once_are_not_years_late() {
        let years = (0..700).map(|ago| case(last() - TimeDelta::days(ago), last()));
        let learned = Completeness::learn(&years.collect::<Vec<_>>(), last());
        assert!((learned.after(1) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_a_late_source_is_behind_is_not_yet_known() {
        let deliver = |source: &str, until: i64, delay: i64| {
            let source = source.to_owned();
            (until..400).map(move |ago| {
                let day = last() - TimeDelta::days(ago);
                Case { source: source.clone(), ..case(day, day + TimeDelta::days(delay)) }
            })
        };
        let both: Vec<Case> = deliver("police", 0, 1).chain(deliver("council", 0, 1)).collect();
        assert!((Completeness::learn(&both, last()).after(1) - 1.0).abs() < 1e-9);
        let silent: Vec<Case> = deliver("police", 0, 1).chain(deliver("council", 20, 1)).collect();
        let learned = Completeness::learn(&silent, last());
        assert_eq!(learned.feeds()[0].late_by, 19);
        let share = learned.feeds()[1].share;
        assert!((learned.after(1) - share).abs() < 1e-9, "nothing of the council's last days");
        assert!((learned.after(30) - 1.0).abs() < 1e-9);
    }
}
