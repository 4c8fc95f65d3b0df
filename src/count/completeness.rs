//! How much of a day is known after so many days: reports come late.

use super::Case;
use chrono::{NaiveDate, TimeDelta};

/// The longest delay that is learned, in days.
const LONGEST: usize = 90;

/// Incidents happened in this many days, before the longest delay, teach the delays.
const TAUGHT_BY: i64 = 730;

/// The share of what will be known that is known after so many days, 0 to 1, never falling.
#[derive(Debug, Clone, PartialEq)]
pub struct Completeness {
    by_delay: Vec<f64>,
}

impl Completeness {
    /// Learns delays, from the day of an incident to the day it became known, as seen on the evening of `last`. Days too
    /// recent to be complete do not teach. Without enough to learn from everything counts as known.
    #[must_use]
    pub fn learn(cases: &[Case], last: NaiveDate) -> Self {
        let newest = last - TimeDelta::days(LONGEST as i64);
        let oldest = newest - TimeDelta::days(TAUGHT_BY);
        let mut delays = vec![0_u32; LONGEST + 1];
        for case in cases {
            let Some(day) = case.day.filter(|day| (oldest..=newest).contains(day)) else { continue };
            let delay = (case.known_on - day).num_days().clamp(0, LONGEST as i64);
            delays[delay as usize] += 1;
        }
        let all: u32 = delays.iter().sum();
        if all < 100 {
            return Self { by_delay: vec![1.0] };
        }
        let mut known = 0;
        let by_delay = delays
            .iter()
            .map(|count| {
                known += count;
                f64::from(known) / f64::from(all)
            })
            .collect();
        Self { by_delay }
    }

    /// The share that is known `days` days after the day itself; 0 for the evening of the day.
    #[must_use]
    pub fn after(&self, days: i64) -> f64 {
        let last = self.by_delay.len() - 1;
        self.by_delay[usize::try_from(days).unwrap_or(0).min(last)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CategorySet, Precision};
    use uuid::Uuid;

    #[test]
    fn half_are_known_the_next_day() {
        let last: NaiveDate = "2026-06-30".parse().unwrap();
        let cases: Vec<Case> = (0..1_000)
            .map(|n| {
                let day = last - TimeDelta::days(100 + n / 4);
                Case {
                    id: Uuid::nil(),
                    day: Some(day),
                    month: None,
                    categories: CategorySet::from_bits(1),
                    ward: None,
                    point: None,
                    precision: Precision::None,
                    known_on: day + TimeDelta::days(if n % 2 == 0 { 1 } else { 10 }),
                    repeat_key: None,
                }
            })
            .collect();
        let learned = Completeness::learn(&cases, last);
        assert!(learned.after(0).abs() < 1e-9);
        assert!((learned.after(1) - 0.5).abs() < 1e-9 && (learned.after(9) - 0.5).abs() < 1e-9);
        assert!((learned.after(10) - 1.0).abs() < 1e-9 && (learned.after(900) - 1.0).abs() < 1e-9);
        assert!((Completeness::learn(&[], last).after(0) - 1.0).abs() < 1e-9);
    }
}
