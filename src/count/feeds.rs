//! Who supplies incidents, and whether they are late: a source that goes silent is a data matter, not a calm.

use super::Case;
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeMap, BTreeSet};

/// What happened in this many days before the night says how a source usually delivers.
const REMEMBERED: i64 = 365;

/// With fewer earlier deliveries than this nothing is usual yet.
const LEAST_DELIVERIES: usize = 7;

/// One source, as known on the morning after a night.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// Its name.
    pub source: String,
    /// Its share of the incidents that became known in the past year, 0 to 1.
    pub share: f64,
    /// The last day on which anything new came from it.
    pub last_delivery: NaiveDate,
    /// The longest it was ever silent in the past year, in days; none with too few deliveries to tell.
    pub longest_gap: Option<i64>,
    /// How many days it is overdue; 0 when it is not late.
    pub late_by: i64,
}

/// The sources of the past year, by name.
///
/// A source is late when it has been silent for a quarter longer than ever in that year, and a day: with n gaps seen the
/// chance of a longer one is about 1 / n by itself, and much less for one so much longer.
#[must_use]
pub fn feeds(cases: &[Case], last: NaiveDate) -> Vec<Feed> {
    let morning = last + TimeDelta::days(1);
    let since = morning - TimeDelta::days(REMEMBERED);
    let mut sources: BTreeMap<&str, (usize, BTreeSet<NaiveDate>)> = BTreeMap::new();
    let recent = cases.iter().filter(|case| case.known_on > since && case.known_on <= morning);
    for case in recent {
        let source = sources.entry(&case.source).or_default();
        source.0 += 1;
        source.1.insert(case.known_on);
    }
    let all: usize = sources.values().map(|source| source.0).sum();
    sources
        .into_iter()
        .filter_map(|(source, (incidents, deliveries))| {
            let last_delivery = *deliveries.last()?;
            let days: Vec<NaiveDate> = deliveries.into_iter().collect();
            let longest = days.windows(2).map(|pair| (pair[1] - pair[0]).num_days()).max();
            let longest_gap = longest.filter(|_| days.len() >= LEAST_DELIVERIES);
            let silent = (morning - last_delivery).num_days();
            let late_by =
                longest_gap.map_or(0, |gap| if silent > gap + gap / 4 + 1 { silent - gap } else { 0 });
            let share = incidents as f64 / all.max(1) as f64;
            Some(Feed { source: source.to_owned(), share, last_delivery, longest_gap, late_by })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::case::tests::case;

    #[test]
    fn a_source_that_stays_silent_longer_than_ever_is_late() {
        let last: NaiveDate = "2026-06-30".parse().unwrap();
        let every = |source: &str, step: usize, until: i64| {
            let source = source.to_owned();
            (until..300).step_by(step).map(move |ago| {
                let day = last - TimeDelta::days(ago);
                super::Case { source: source.clone(), ..case(day, day + TimeDelta::days(1)) }
            })
        };
        let cases: Vec<Case> =
            every("police", 1, 0).chain(every("council", 7, 12)).chain(every("charity", 60, 100)).collect();
        let found = feeds(&cases, last);
        let of = |name: &str| found.iter().find(|feed| feed.source == name).unwrap();
        assert_eq!(of("police").late_by, 0);
        assert_eq!((of("council").longest_gap, of("council").late_by), (Some(7), 5));
        assert_eq!(of("charity").longest_gap, None, "four deliveries tell nothing");
        assert!((found.iter().map(|feed| feed.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(feeds(&[], last).is_empty());
    }
}
