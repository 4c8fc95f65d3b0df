//! What a method says about one period, and why it may refuse to say anything.

use std::ops::Range;

use super::{ControlError, History};

/// What a reference method says about one period.
///
/// Every figure is finite; what R reports as NA, NaN or infinite is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// 0-based position in the history.
    pub position: usize,
    /// The count that was judged; `None` when missing.
    pub observed: Option<u64>,
    /// Usual cases in the period.
    pub expected: Option<f64>,
    /// The largest count that is still no alarm, on the scale of counts (not always a whole number). CUSUM: the count
    /// from which on there is an alarm.
    pub upper: Option<f64>,
    /// P(this count or more | usual), where the method has one.
    pub p_value: Option<f64>,
    /// Strength without a unit: above 1 alarms (Farrington), standard deviations above usual (EARS), the cumulative
    /// sum (CUSUM).
    pub score: Option<f64>,
    /// Whether the method raises an alarm.
    pub alarm: bool,
    /// What only this method knows.
    pub detail: Detail,
}

/// The columns that only one method has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Detail {
    /// Either version of Farrington.
    Farrington {
        /// Overdispersion, at least 1: variance of a count divided by its mean.
        phi: Option<f64>,
        /// Change of the log mean per period, if the trend was kept.
        trend: Option<f64>,
    },
    /// EARS.
    Ears {
        /// Standard deviation of the baseline (cases), raised to the floor `minSigma`.
        sigma: Option<f64>,
    },
    /// CUSUM.
    Cusum {
        /// The cumulative sum S after this period (standard deviations).
        sum: Option<f64>,
    },
}

/// Why a method cannot judge a period of this series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// Settings that were built by hand and are out of range; see [`ControlError`].
    #[error("the settings do not fit: {0}")]
    Settings(String),
    /// Asked for positions that do not exist.
    #[error("asked to judge up to period {end} of a series of {len}; judge fewer periods")]
    Outside {
        /// Last period asked for, 1-based.
        end: usize,
        /// Periods in the series.
        len: usize,
    },
    /// The baseline reaches back before the series begins.
    #[error("judging {point} needs counts back to {needed}, before the series begins; {way_out}")]
    TooShort {
        /// The period to judge.
        point: String,
        /// What is needed.
        needed: String,
        /// What the user can change.
        way_out: &'static str,
    },
    /// A reference date is not in a dated series.
    #[error(
        "judging {point} needs a count dated {needed}, which the series does not have; add the row (it may be \
         empty), lower b or judge fewer periods"
    )]
    NoSuchDate {
        /// The period to judge.
        point: String,
        /// The date that is missing.
        needed: String,
    },
    /// A missing count where the method knows no way round it.
    #[error(
        "judging {point} needs the count of {missing}, which is missing; fill it in or use \
         farrington-flexible, which leaves missing counts out"
    )]
    Gap {
        /// The period to judge.
        point: String,
        /// The period without a count.
        missing: String,
    },
    /// Not one count to learn from.
    #[error("there is no count before {point} to learn from; judge fewer periods")]
    NothingBefore {
        /// The first period to judge.
        point: String,
    },
}

/// The figure, unless it is not one.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Refuses settings out of range and positions that do not exist.
pub(super) fn demand_sound(
    history: &History<'_>,
    points: &Range<usize>,
    settings: Result<(), ControlError>,
) -> Result<(), JudgeError> {
    settings.map_err(|error| JudgeError::Settings(error.to_string()))?;
    if points.end > history.len() && !points.is_empty() {
        return Err(JudgeError::Outside { end: points.end, len: history.len() });
    }
    Ok(())
}
