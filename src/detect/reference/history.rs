//! A series of counts as the reference methods see it.

use chrono::NaiveDate;

/// Why a series cannot be judged by any method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// No count at all.
    #[error("the series is empty; give at least one period")]
    Empty,
    /// Periods per year of zero, or not one of the three a dated series can have.
    #[error(
        "a frequency of {freq} a year does not fit; give 52 (weekly), 12 (monthly) or 365 (daily){}",
        if *.dated { "" } else { ", or leave out the dates to use another number above 0" }
    )]
    Frequency {
        /// What was given.
        freq: u32,
        /// Whether the series has dates.
        dated: bool,
    },
    /// Dates and counts do not pair up.
    #[error("there are {counts} counts but {dates} dates; give one date for each count")]
    Lengths {
        /// Number of counts.
        counts: usize,
        /// Number of dates.
        dates: usize,
    },
    /// The dates do not rise.
    #[error(
        "row {row} is dated {date}, not later than the row before; sort the series and keep one row a period"
    )]
    Order {
        /// 1-based row.
        row: usize,
        /// Its date.
        date: NaiveDate,
    },
}

/// Counts per period, oldest first, every period present; `None` is a period without a report.
///
/// With an integer index, "a year ago" is `freq` periods ago. With dates it is the same calendar day a year ago, which
/// matters: a year is not 52 weeks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History<'a> {
    counts: &'a [Option<u64>],
    dates: Option<&'a [NaiveDate]>,
    freq: u32,
}

impl<'a> History<'a> {
    /// A series with an integer index; `freq` is the number of periods in a year.
    ///
    /// # Errors
    ///
    /// When there is no count, or `freq` is zero.
    pub fn indexed(counts: &'a [Option<u64>], freq: u32) -> Result<Self, HistoryError> {
        if counts.is_empty() {
            return Err(HistoryError::Empty);
        }
        if freq == 0 {
            return Err(HistoryError::Frequency { freq, dated: false });
        }
        Ok(Self { counts, dates: None, freq })
    }

    /// A series with the first day of each period; `freq` is 52 (weekly), 12 (monthly) or 365 (daily).
    ///
    /// # Errors
    ///
    /// When there is no count, the dates do not pair up with the counts or do not rise, or `freq` is another number.
    pub fn dated(counts: &'a [Option<u64>], dates: &'a [NaiveDate], freq: u32) -> Result<Self, HistoryError> {
        if counts.is_empty() {
            return Err(HistoryError::Empty);
        }
        if counts.len() != dates.len() {
            return Err(HistoryError::Lengths { counts: counts.len(), dates: dates.len() });
        }
        if ![12, 52, 365].contains(&freq) {
            return Err(HistoryError::Frequency { freq, dated: true });
        }
        for (row, (before, after)) in dates.iter().zip(dates.iter().skip(1)).enumerate() {
            if after <= before {
                return Err(HistoryError::Order { row: row + 2, date: *after });
            }
        }
        Ok(Self { counts, dates: Some(dates), freq })
    }

    /// Number of periods; never zero.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an empty history cannot be made")]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Periods in a year.
    #[must_use]
    pub fn freq(&self) -> u32 {
        self.freq
    }

    /// The count at a position; `None` when missing or outside.
    #[must_use]
    pub fn count(&self, position: usize) -> Option<u64> {
        self.counts.get(position).copied().flatten()
    }

    /// All counts, oldest first.
    #[must_use]
    pub fn counts(&self) -> &'a [Option<u64>] {
        self.counts
    }

    /// The first day of each period, if the series is dated.
    #[must_use]
    pub fn dates(&self) -> Option<&'a [NaiveDate]> {
        self.dates
    }

    /// The last `n` positions, or all there are.
    #[must_use]
    pub fn last(&self, n: usize) -> std::ops::Range<usize> {
        self.len().saturating_sub(n)..self.len()
    }

    /// How a message names a position: its date, or its 1-based number.
    pub(super) fn label(&self, position: usize) -> String {
        match self.dates.and_then(|dates| dates.get(position)) {
            Some(date) => date.to_string(),
            None => format!("period {}", position + 1),
        }
    }

    /// Cases in the last `periods` up to and including `position`, as many as exist; `None` if one is missing.
    pub(super) fn recent_sum(&self, position: usize, periods: usize) -> Option<u64> {
        let from = (position + 1).saturating_sub(periods);
        self.counts
            .get(from..=position)?
            .iter()
            .copied()
            .try_fold(0_u64, |sum, count| Some(sum.saturating_add(count?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_series_is_refused_with_the_way_out() {
        let day = |d| NaiveDate::from_ymd_opt(2024, 1, d).unwrap();
        assert_eq!(History::indexed(&[], 52), Err(HistoryError::Empty));
        assert_eq!(
            History::indexed(&[Some(1)], 0).unwrap_err().to_string(),
            "a frequency of 0 a year does not fit; give 52 (weekly), 12 (monthly) or 365 (daily), or leave out the \
             dates to use another number above 0"
        );
        assert_eq!(
            History::dated(&[Some(1), None], &[day(8), day(8)], 52).unwrap_err().to_string(),
            "row 2 is dated 2024-01-08, not later than the row before; sort the series and keep one row a period"
        );
        assert!(History::dated(&[Some(1), None], &[day(8)], 52).is_err());
        assert!(History::dated(&[Some(1)], &[day(8)], 4).is_err());
    }

    #[test]
    fn a_missing_count_has_no_sum() {
        let counts = [Some(1), Some(2), None, Some(4)];
        let history = History::indexed(&counts, 52).unwrap();
        assert_eq!(history.recent_sum(1, 4), Some(3));
        assert_eq!(history.recent_sum(3, 1), Some(4));
        assert_eq!(history.recent_sum(3, 2), None);
        assert_eq!(history.recent_sum(3, 0), Some(0));
    }
}
