//! How much of a day is known by a morning: reports come late, and a source may be late altogether.

use super::{
    Counted, Feed,
    feeds::{Delivered, beginning, by_source, of_sources},
};
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeSet;

/// The longest delay that is learned, in days.
const LONGEST: usize = 90;

/// Incidents happened in this many days, before the longest delay, teach the delays.
const TAUGHT_BY: i64 = 730;

/// So many incidents of one source teach its delays; sources with fewer share what all teach together.
const ENOUGH: u32 = 100;

/// The share of what will be known that is known by the morning after the night, from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Completeness {
    morning: NaiveDate,
    feeds: Vec<Feed>,
    /// By source, in the order of the feeds: the share known by delay.
    by_source: Vec<Vec<f64>>,
    /// Of all sources together.
    together: Vec<f64>,
}

impl Completeness {
    /// Learns delays by source, from the day of an incident to the first morning on which it could be seen, as known on
    /// the morning after `last`. Days too recent to be complete do not teach, nor do days before a source's first
    /// delivery: of those only what was late came by itself. Without enough to learn from everything counts as known.
    ///
    /// Of a source that delivers in batches the share is learned by the days between an incident's day and a delivery:
    /// how much of that day did such deliveries hold in the past?
    #[must_use]
    pub fn learn<'c>(cases: impl IntoIterator<Item: Into<Counted<'c>>>, last: NaiveDate) -> Self {
        let mut regular = by_source(cases);
        let feeds = of_sources(&regular, last);
        for own in regular.values_mut() {
            if let Some(begun) = beginning(own) {
                own.retain(|case| case.day.is_some_and(|day| day >= begun));
            }
        }
        let together = by_delay(regular.values().flatten(), last).unwrap_or_else(|| vec![1.0]);
        let own = |feed: &Feed| {
            let own = regular.get(feed.source.as_str()).map(Vec::as_slice).unwrap_or_default();
            let learned = if feed.in_batches { by_delivery(own, last) } else { by_delay(own, last) };
            learned.unwrap_or_else(|| together.clone())
        };
        let morning = last + TimeDelta::days(1);
        Self { morning, by_source: feeds.iter().map(own).collect(), feeds, together }
    }

    /// The share that is known of a day `days` before the morning. Each source counts by its share; one that delivers in
    /// batches, or is late, is taken as on the morning of its last delivery, and what happened since is not known.
    #[must_use]
    pub fn after(&self, days: i64) -> f64 {
        if self.feeds.is_empty() {
            return at(&self.together, days);
        }
        let known = |(feed, by_delay): (&Feed, &Vec<f64>)| {
            let waiting = feed.in_batches || feed.late_by > 0;
            let silent = if waiting { (self.morning - feed.last_delivery).num_days() } else { 0 };
            let known = days - silent;
            feed.share * if waiting && known < 0 { 0.0 } else { at(by_delay, known) }
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

/// The days that teach.
fn taught(last: NaiveDate) -> std::ops::RangeInclusive<NaiveDate> {
    let newest = last - TimeDelta::days(LONGEST as i64);
    newest - TimeDelta::days(TAUGHT_BY)..=newest
}

/// The share known by delay; none with too few incidents. Half an incident beside those seen keeps it above nothing: what
/// never came in a day in two years may yet.
fn by_delay<'a>(cases: impl IntoIterator<Item = &'a Delivered>, last: NaiveDate) -> Option<Vec<f64>> {
    let taught = taught(last);
    let mut delays = vec![0_u32; LONGEST + 1];
    for case in cases {
        let Some(day) = case.day.filter(|day| taught.contains(day)) else { continue };
        let delay = (case.known_on - day).num_days().clamp(0, LONGEST as i64);
        delays[delay as usize] += 1;
    }
    let all: u32 = delays.iter().sum();
    let mut known = 0;
    (all >= ENOUGH).then(|| {
        let share = |count: &u32| {
            known += count;
            (f64::from(known) + 0.5) / (f64::from(all) + 0.5)
        };
        delays.iter().map(share).collect()
    })
}

/// The share known by the days from an incident's day to a delivery, over all pairs of both; none with too few incidents.
fn by_delivery(cases: &[Delivered], last: NaiveDate) -> Option<Vec<f64>> {
    let taught = taught(last);
    let deliveries: BTreeSet<NaiveDate> = cases.iter().map(|case| case.known_on).collect();
    let (mut known, mut all) = (vec![0_u32; LONGEST + 1], vec![0_u32; LONGEST + 1]);
    let mut incidents = 0;
    for case in cases {
        let Some(day) = case.day.filter(|day| taught.contains(day)) else { continue };
        incidents += 1;
        for delivery in deliveries.range(day..=day + TimeDelta::days(LONGEST as i64)) {
            let delay = (*delivery - day).num_days() as usize;
            all[delay] += 1;
            known[delay] += u32::from(case.known_on <= *delivery);
        }
    }
    let share = |(known, all): (&u32, &u32)| (f64::from(*known) + 0.5) / (f64::from(*all) + 0.5);
    // More is never known earlier; places without a pair take what is known before them.
    let mut most = 0.0_f64;
    let rising = |(known, all): (&u32, &u32)| {
        if *all > 0 {
            most = most.max(share((known, all)));
        }
        most
    };
    (incidents >= ENOUGH).then(|| known.iter().zip(&all).map(rising).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::{Case, case::tests::case};

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
        assert!(plain.after(0) > 0.0 && plain.after(0) < 1e-3, "never quite nothing");
        assert!((plain.after(1) - 0.5).abs() < 1e-3 && (plain.after(9) - 0.5).abs() < 1e-3);
        assert!((plain.after(10) - 1.0).abs() < 1e-9 && (plain.after(900) - 1.0).abs() < 1e-9);
        assert!((Completeness::learn(&[] as &[Case], last()).after(0) - 1.0).abs() < 1e-9);
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
                Case { source: source.as_str().into(), ..case(day, day + TimeDelta::days(delay)) }
            })
        };
        let both: Vec<Case> = deliver("police", 0, 1).chain(deliver("council", 0, 1)).collect();
        assert!((Completeness::learn(&both, last()).after(1) - 1.0).abs() < 1e-9);
        let silent: Vec<Case> = deliver("police", 0, 1).chain(deliver("council", 20, 1)).collect();
        let learned = Completeness::learn(&silent, last());
        assert_eq!(learned.feeds()[0].late_by, 19);
        let share = learned.feeds()[1].share;
        for days in [1, 19] {
            assert!((learned.after(days) - share).abs() < 1e-2, "nothing of the council's last days: {days}");
        }
        assert!((learned.after(30) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_batch_is_whole_on_its_morning_and_nothing_before_the_next() {
        // Every Monday morning a council hands over what happened until Sunday, three incidents a day.
        let monday: NaiveDate = "2026-06-29".parse().unwrap();
        let cases: Vec<Case> = (1..800)
            .flat_map(|ago| {
                let day = monday - TimeDelta::days(ago);
                let known = monday - TimeDelta::days((ago - 1) / 7 * 7);
                [case(day, known), case(day, known), case(day, known)]
            })
            .collect();
        let learned = Completeness::learn(&cases, monday.pred_opt().unwrap());
        assert!(learned.feeds()[0].in_batches);
        assert!((1..8).all(|days| learned.after(days) > 0.99), "the week before is whole");
        let seen: Vec<Case> = cases.into_iter().filter(|case| case.known_on < monday).collect();
        let before = Completeness::learn(&seen, monday.pred_opt().unwrap().pred_opt().unwrap());
        assert_eq!(before.feeds()[0].late_by, 0);
        assert!(
            (1..6).all(|days| before.after(days) < 0.01),
            "nothing of this week before it is handed over"
        );
        assert!(before.after(8) > 0.99);
    }
}
