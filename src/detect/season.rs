//! Season and weekday, shared by every ward.

use chrono::{Datelike, Days, NaiveDate};

/// Months with fewer incidents than this are drawn towards no season at all.
const PRIOR_INCIDENTS: f64 = 30.0;

/// Factors by month and weekday; their mean over a year is about 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    months: [f64; 12],
    weekdays: [f64; 7],
}

impl Season {
    /// No season.
    pub const NONE: Self = Self { months: [1.0; 12], weekdays: [1.0; 7] };

    /// Learns from the daily counts of a large area up to `upto` days from `first`. Each month is compared with the mean
    /// of the 365 days it lies in, counted back from the end, so that growth and decline do not pass for season; the rest
    /// of an unfinished year does not teach. Less than a year gives no months, less than four weeks no weekdays.
    #[must_use]
    pub fn learn(first: NaiveDate, counts: &[f64], upto: usize) -> Self {
        let counts = &counts[..upto.min(counts.len())];
        let mut season = Self::NONE;
        let day = |place: usize| first + Days::new(place as u64);
        let (mut seen, mut usual) = ([0.0; 12], [0.0; 12]);
        for year in counts.rchunks_exact(365).enumerate() {
            let start = counts.len() - 365 * (year.0 + 1);
            let mean = year.1.iter().sum::<f64>() / 365.0;
            for (place, count) in year.1.iter().enumerate() {
                let month = day(start + place).month0() as usize;
                seen[month] += count;
                usual[month] += mean;
            }
        }
        for month in 0..12 {
            season.months[month] = (seen[month] + PRIOR_INCIDENTS) / (usual[month] + PRIOR_INCIDENTS);
        }
        if counts.len() >= 28 {
            let (mut seen, mut usual) = ([0.0; 7], [0.0; 7]);
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            for (place, count) in counts.iter().enumerate() {
                let weekday = day(place).weekday().num_days_from_monday() as usize;
                seen[weekday] += count;
                usual[weekday] += mean;
            }
            for weekday in 0..7 {
                season.weekdays[weekday] =
                    (seen[weekday] + PRIOR_INCIDENTS) / (usual[weekday] + PRIOR_INCIDENTS);
            }
        }
        season
    }

    /// How many times the mean day this day has.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> f64 {
        self.months[day.month0() as usize] * self.weekdays[day.weekday().num_days_from_monday() as usize]
    }
}
