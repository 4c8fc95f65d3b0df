//! Who supplies incidents, and whether they are late: a source that goes silent is a data matter, not a calm.

use super::Counted;
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// What happened in this many days before the night says how a source usually delivers.
const REMEMBERED: i64 = 365;

/// With fewer earlier deliveries than this nothing is usual yet.
const LEAST_DELIVERIES: usize = 7;

/// A source delivers in batches when a delivery holds so many incidents on average, ...
const BATCH_INCIDENTS: usize = 3;

/// ... and comes so many days after the one before, on average. Others deliver as things happen: a day without anything
/// from them is a quiet day.
const BATCH_DAYS: i64 = 2;

/// One source, as known on the morning after a night.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// Its name.
    pub source: String,
    /// Its share of the incidents that became known in the past year, 0 to 1.
    pub share: f64,
    /// The last morning on which anything new from it could be seen.
    pub last_delivery: NaiveDate,
    /// Whether it delivers in batches, days apart.
    pub in_batches: bool,
    /// The longest it was ever silent in the past year, in days; none with too few deliveries to tell.
    pub longest_gap: Option<i64>,
    /// How many days it is overdue; 0 when it is not late.
    pub late_by: i64,
}

/// When an incident happened and when it could be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivered {
    pub(super) day: Option<NaiveDate>,
    pub(super) known_on: NaiveDate,
}

/// Incidents by source.
pub(super) fn by_source<'c>(
    cases: impl IntoIterator<Item: Into<Counted<'c>>>,
) -> BTreeMap<&'c str, Vec<Delivered>> {
    let cases = cases.into_iter();
    // Most come from one source: with room for all at once its list does not take twice as much for a while.
    let mut room = cases.size_hint().1.unwrap_or_default().min(1 << 24);
    let mut found: Vec<(&str, Vec<Delivered>)> = Vec::new();
    for case in cases {
        let Counted { source, day, known_on, .. } = case.into();
        let one = Delivered { day, known_on };
        // A county has a few sources.
        if let Some((_, own)) = found.iter_mut().find(|(of, _)| *of == source) {
            own.push(one);
        } else {
            let mut own = Vec::with_capacity(std::mem::take(&mut room));
            own.push(one);
            found.push((source, own));
        }
    }
    found.into_iter().collect()
}

/// The first morning on which something of a source could be seen. What it handed over then is its past.
pub(super) fn beginning(own: &[Delivered]) -> Option<NaiveDate> {
    own.iter().map(|case| case.known_on).min()
}

/// The sources of the past year, by name; the past that a source handed over at first is left out.
///
/// A source is late when it has been silent for a quarter longer than ever in that year, and a day: with n gaps seen the
/// chance of a longer one is about 1 / n by itself, and much less for one so much longer.
#[must_use]
pub fn feeds<'c>(cases: impl IntoIterator<Item: Into<Counted<'c>>>, last: NaiveDate) -> Vec<Feed> {
    of_sources(&by_source(cases), last)
}

pub(super) fn of_sources(cases: &BTreeMap<&str, Vec<Delivered>>, last: NaiveDate) -> Vec<Feed> {
    let morning = last + TimeDelta::days(1);
    let since = morning - TimeDelta::days(REMEMBERED);
    let mut sources: BTreeMap<&str, BTreeMap<NaiveDate, usize>> = BTreeMap::new();
    for (source, own) in cases {
        let first = beginning(own);
        let begun = |case: &&Delivered| {
            first.is_some_and(|first| case.known_on > first)
                && case.known_on > since
                && case.known_on <= morning
        };
        for case in own.iter().filter(begun) {
            *sources.entry(source).or_default().entry(case.known_on).or_default() += 1;
        }
    }
    let all: usize = sources.values().flat_map(BTreeMap::values).sum();
    sources.into_iter().filter_map(|(source, deliveries)| feed(source, &deliveries, morning, all)).collect()
}

fn feed(
    source: &str,
    deliveries: &BTreeMap<NaiveDate, usize>,
    morning: NaiveDate,
    all: usize,
) -> Option<Feed> {
    let incidents: usize = deliveries.values().sum();
    let days: Vec<NaiveDate> = deliveries.keys().copied().collect();
    let (first, last_delivery) = (*days.first()?, *days.last()?);
    let longest = days.windows(2).map(|pair| (pair[1] - pair[0]).num_days()).max();
    let longest_gap = longest.filter(|_| days.len() >= LEAST_DELIVERIES);
    let silent = (morning - last_delivery).num_days();
    let gaps = days.len() as i64 - 1;
    Some(Feed {
        source: source.to_owned(),
        share: incidents as f64 / all.max(1) as f64,
        last_delivery,
        in_batches: incidents >= BATCH_INCIDENTS * days.len()
            && gaps > 0
            && (last_delivery - first).num_days() >= BATCH_DAYS * gaps,
        longest_gap,
        late_by: longest_gap.map_or(0, |gap| if silent > gap + gap / 4 + 1 { silent - gap } else { 0 }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::{Case, case::tests::case};

    #[test]
    fn a_source_that_stays_silent_longer_than_ever_is_late() {
        let last: NaiveDate = "2026-06-30".parse().unwrap();
        let every = |source: &str, step: usize, until: i64| {
            let source = source.to_owned();
            (until..300).step_by(step).map(move |ago| {
                let day = last - TimeDelta::days(ago);
                Case { source: source.as_str().into(), ..case(day, day + TimeDelta::days(1)) }
            })
        };
        let cases: Vec<Case> =
            every("police", 1, 0).chain(every("council", 7, 12)).chain(every("charity", 60, 100)).collect();
        let found = feeds(&cases, last);
        let of = |name: &str| found.iter().find(|feed| feed.source == name).unwrap();
        assert_eq!(of("police").late_by, 0);
        assert_eq!((of("council").longest_gap, of("council").late_by), (Some(7), 5));
        assert_eq!(of("charity").longest_gap, None, "a few deliveries tell nothing");
        assert!(!of("council").in_batches, "one incident a week is no batch");
        assert!((found.iter().map(|feed| feed.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(feeds(&[] as &[Case], last).is_empty());
    }

    #[test]
    fn what_a_source_handed_over_at_first_says_nothing_of_its_share() {
        let last: NaiveDate = "2026-06-30".parse().unwrap();
        let past = (0..1_000).map(|n| {
            let day = last - TimeDelta::days(100 + n);
            Case { source: "council".into(), ..case(day, last - TimeDelta::days(90)) }
        });
        let since = (0..90).flat_map(|ago| {
            let day = last - TimeDelta::days(ago);
            let known = day + TimeDelta::days(1);
            [case(day, known), Case { source: "council".into(), ..case(day, known) }]
        });
        let found = feeds(&past.chain(since).collect::<Vec<_>>(), last);
        assert!((found[0].share - 0.5).abs() < 0.01, "{found:?}");
    }
}
