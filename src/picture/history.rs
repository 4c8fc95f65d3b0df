//! The counts behind an alert's chart: a year of windows, each against its own normal.

use crate::{detect::Past, model::Window};
use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// The counts of the same area and categories in windows of one length, one after the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// Oldest first; the last one is the alert's own.
    pub periods: Vec<Period>,
}

/// One window of a [`History`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// Its last day.
    pub last: NaiveDate,
    /// Reports in it.
    pub count: u32,
    /// What was usual in it.
    pub expected: f64,
    /// The central 95 % of what was usual in it.
    pub usual_range: (u64, u64),
}

impl Period {
    /// Whether more than normal was counted.
    #[must_use]
    pub fn is_above(&self) -> bool {
        u64::from(self.count) > self.usual_range.1
    }
}

impl History {
    /// More windows than these are not told apart.
    pub const MOST: usize = 52;

    /// Fewer than these are nothing to compare with: windows so long that a year holds fewer reach further back.
    const LEAST: u32 = 4;

    /// What a night knows of the windows of a year that ends with this one.
    #[must_use]
    pub fn of(past: &[Past], last: Window) -> Self {
        let first = Self::windows(last).first().map_or(last.first, |window| window.first);
        let period = |past: &Past| Period {
            last: past.window.last,
            count: u32::try_from(past.observed).unwrap_or(u32::MAX),
            expected: past.expected,
            usual_range: past.usual_range,
        };
        Self { periods: past.iter().filter(|past| past.window.first >= first).map(period).collect() }
    }

    /// Where nobody knows what was usual in the windows before: what is usual in the last one stands for all.
    #[must_use]
    pub fn constant(
        counts: impl IntoIterator<Item = (NaiveDate, u32)>,
        expected: f64,
        usual_range: (u64, u64),
    ) -> Self {
        let period = |(last, count)| Period { last, count, expected, usual_range };
        Self { periods: counts.into_iter().map(period).collect() }
    }

    /// The windows of a chart that ends with this one, oldest first: as many of its length as a year holds, at most 52. A
    /// whole calendar month goes with the twelve before it, so that the same month of last year is there.
    #[must_use]
    pub fn windows(last: Window) -> Vec<Window> {
        let next = last.last.checked_add_days(Days::new(1));
        let whole_month = last.first.day() == 1 && last.first.checked_add_months(Months::new(1)) == next;
        let days = last.days().max(1);
        let count = if whole_month { 13 } else { (365 / days).clamp(Self::LEAST, Self::MOST as u32) };
        let before = |back: u32| {
            if whole_month {
                let first = last.first.checked_sub_months(Months::new(back))?;
                let next = first.checked_add_months(Months::new(1))?;
                return Some(Window { first, last: next.pred_opt()? });
            }
            let shift = Days::new(u64::from(back) * u64::from(days));
            Some(Window {
                first: last.first.checked_sub_days(shift)?,
                last: last.last.checked_sub_days(shift)?,
            })
        };
        (0..count).rev().filter_map(before).collect()
    }

    /// Those that are shown: the latest.
    #[must_use]
    pub fn shown(&self) -> &[Period] {
        &self.periods[self.periods.len().saturating_sub(Self::MOST)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_of_windows_follow_one_another() {
        for (days, count) in [(1, 52), (7, 52), (14, 26), (28, 13), (90, 4), (365, 4)] {
            let last = Window::ending(day("2026-06-29"), days);
            let windows = History::windows(last);
            assert_eq!((windows.len(), windows.last()), (count, Some(&last)), "{days} days");
            for pair in windows.windows(2) {
                assert_eq!((pair[0].last.succ_opt(), pair[0].days()), (Some(pair[1].first), days));
            }
        }
    }

    #[test]
    fn a_calendar_month_goes_with_months() {
        let months = History::windows(Window { first: day("2026-02-01"), last: day("2026-02-28") });
        assert_eq!(months.len(), 13);
        assert_eq!(months[0], Window { first: day("2025-02-01"), last: day("2025-02-28") });
        assert_eq!(months[11], Window { first: day("2026-01-01"), last: day("2026-01-31") });
        let at_the_edge = Window { first: NaiveDate::MIN, last: NaiveDate::MIN };
        assert_eq!(History::windows(at_the_edge), [at_the_edge]);
    }

    #[test]
    fn it_can_be_kept_as_text() {
        let counts = [(day("2026-06-22"), 2), (day("2026-06-29"), 9)];
        let history = History::constant(counts, 2.3, (0, 6));
        assert_eq!(history.periods.iter().filter(|period| period.is_above()).count(), 1);
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
    }
}
