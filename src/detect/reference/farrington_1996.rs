//! Farrington 1996: a quasi-Poisson regression on the same weeks of earlier years.
//!
//! Source: Farrington, Andrews, Beale and Catchpole, A statistical algorithm for the early detection of outbreaks of
//! infectious disease, JRSS A 1996, 159, 547-563; as R `farrington` does it.
//!
//! # What R does oddly, and this follows
//!
//! - The bound is two-sided: `alpha` 0.05 alarms in 2.5 % of quiet periods.
//! - Even with dates, the trend counts positions, not days.
//! - A short history is shortened silently; even one year is judged.
//! - Where there are too few cases to judge, the upper bound is 0 (not missing) and there is no alarm.

use std::ops::Range;

use super::bound::PowerBound;
use super::quasi::{Fit, Past, Robust};
use super::verdict::{demand_sound, finite};
use super::{Detail, Farrington1996Control, History, JudgeError, Verdict, calendar};

/// Standardised residual above which a past count is weighted down.
const WEIGHTS_THRESHOLD: f64 = 1.0;
/// A trend is kept below this p-value.
const TREND_P: f64 = 0.05;

/// Judges the periods at `points` (0-based).
///
/// A period for which no model can be fitted gets a verdict without figures and without alarm.
///
/// # Errors
///
/// When a setting is out of range, a point does not exist, no earlier year is in the series, or a count is missing in the baseline or among the
/// last periods of `limit54` (R stops there too).
pub fn judge(
    history: &History<'_>,
    control: &Farrington1996Control,
    points: Range<usize>,
) -> Result<Vec<Verdict>, JudgeError> {
    demand_sound(history, &points, control.check())?;
    let mut robust = Robust::default();
    let mut past = Vec::new();
    points
        .map(|point| {
            baseline(history, control, point, &mut past)?;
            let enough = is_enough(history, control, point)?;
            let fit = robust.load(&past, 1, 0).and_then(|()| model(&mut robust, control));
            Ok(verdict(history, control, point, enough, fit.as_ref()))
        })
        .collect()
}

/// The windows of half width w around the same period of the last b years, as far as the series has them.
fn baseline(
    history: &History<'_>,
    control: &Farrington1996Control,
    point: usize,
    past: &mut Vec<Past>,
) -> Result<(), JudgeError> {
    past.clear();
    let half = i64::try_from(control.w.min(history.len())).unwrap_or(i64::MAX);
    for years in (1..=control.b).rev() {
        for offset in -half..=half {
            let Some(position) = position(history, point, years, offset) else { continue };
            let cases = history.count(position).ok_or_else(|| gap(history, point, position))?;
            past.push(Past { group: 0, time: position as f64 - point as f64, cases: cases as f64 });
        }
    }
    if past.is_empty() {
        return Err(JudgeError::TooShort {
            point: history.label(point),
            needed: "at least one year earlier".to_owned(),
            way_out: "judge fewer periods",
        });
    }
    Ok(())
}

fn position(history: &History<'_>, point: usize, years: u32, offset: i64) -> Option<usize> {
    let Some(dates) = history.dates() else {
        let back = i64::from(years) * i64::from(history.freq()) - offset;
        return usize::try_from(i64::try_from(point).ok()? - back)
            .ok()
            .filter(|position| *position < history.len());
    };
    let today = *dates.get(point)?;
    let day = calendar::shifted(calendar::years_before(today, years)?, offset, history.freq())?;
    let day = if history.freq() == 52 { calendar::nearest_weekday(day, today)? } else { day };
    dates.binary_search(&day).ok()
}

fn is_enough(
    history: &History<'_>,
    control: &Farrington1996Control,
    point: usize,
) -> Result<bool, JudgeError> {
    let (cases, periods) = control.limit54;
    if let Some(sum) = history.recent_sum(point, periods) {
        return Ok(history.count(point).is_some() && sum >= cases);
    }
    let missing = (0..=point).rev().find(|position| history.count(*position).is_none()).unwrap_or(point);
    Err(gap(history, point, missing))
}

fn gap(history: &History<'_>, point: usize, missing: usize) -> JudgeError {
    JudgeError::Gap { point: history.label(point), missing: history.label(missing) }
}

/// Keeps a trend with at least three years, p < 0.05 and no prediction above the largest count of the baseline.
fn model(robust: &mut Robust, control: &Farrington1996Control) -> Option<Fit> {
    let reweight_above = control.reweight.then_some(WEIGHTS_THRESHOLD);
    let fit = robust.fit(control.trend, reweight_above)?;
    let Some(p) = fit.trend_p(fit.raw_phi) else { return Some(fit) };
    let kept = control.b >= 3 && p < TREND_P && fit.mean() <= robust.largest();
    if kept { Some(fit) } else { robust.fit(false, reweight_above) }
}

fn verdict(
    history: &History<'_>,
    control: &Farrington1996Control,
    point: usize,
    enough: bool,
    fit: Option<&Fit>,
) -> Verdict {
    let observed = history.count(point);
    let mean = fit.map(Fit::mean);
    let bound = fit.map(|fit| {
        let mean = fit.mean();
        PowerBound::new(mean, fit.phi * fit.eta_variance * mean * mean, fit.phi, control.powertrans)
    });
    let (upper, score) = if enough {
        let upper = bound.and_then(|bound| finite(bound.upper(control.alpha / 2.0)));
        (upper, mean.and_then(|mean| finite((observed? as f64 - mean) / (upper? - mean))))
    } else {
        (bound.map(|_| 0.0), bound.map(|_| 0.0))
    };
    Verdict {
        position: point,
        observed,
        expected: mean.and_then(finite),
        upper,
        p_value: bound.and_then(|bound| finite(bound.tail(observed? as f64))),
        score,
        alarm: score.is_some_and(|score| score > 1.0),
        detail: Detail::Farrington {
            phi: fit.and_then(|fit| finite(fit.phi)),
            trend: fit.and_then(|fit| finite(fit.trend?.slope)),
        },
    }
}
