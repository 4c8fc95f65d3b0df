//! Weekdays, shared by every ward.

use chrono::{Datelike, Days, NaiveDate};

/// A weekday with fewer incidents than this is drawn towards the mean day.
const PRIOR_INCIDENTS: f64 = 30.0;

/// Factors by weekday, Monday first; their mean is about 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weekdays([f64; 7]);

impl Weekdays {
    /// All alike.
    pub const NONE: Self = Self([1.0; 7]);

    /// Learns from the daily counts of a large area from `first` on. Less than four weeks teach nothing.
    #[must_use]
    pub fn learn(first: NaiveDate, counts: &[f64]) -> Self {
        if counts.len() < 28 {
            return Self::NONE;
        }
        let (mut seen, mut usual) = ([0.0; 7], [0.0; 7]);
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        for (place, count) in counts.iter().enumerate() {
            let weekday = weekday(first + Days::new(place as u64));
            seen[weekday] += count;
            usual[weekday] += mean;
        }
        Self(std::array::from_fn(|day| (seen[day] + PRIOR_INCIDENTS) / (usual[day] + PRIOR_INCIDENTS)))
    }

    /// How many times the mean day this day has.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> f64 {
        self.0[weekday(day)]
    }
}

fn weekday(day: NaiveDate) -> usize {
    day.weekday().num_days_from_monday() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_weekday_is_found_and_little_data_is_not_believed() {
        let monday: NaiveDate = "2026-06-01".parse().unwrap();
        let counts: Vec<f64> = (0..700).map(|day| if day % 7 == 5 { 20.0 } else { 10.0 }).collect();
        let found = Weekdays::learn(monday, &counts);
        assert!(found.on(monday + Days::new(5)) > 1.6 && found.on(monday) < 1.0);
        assert_eq!(Weekdays::learn(monday, &counts[..20]), Weekdays::NONE);
        assert!((Weekdays::learn(monday, &[0.0; 70]).on(monday) - 1.0).abs() < 1e-9);
    }
}
