//! EARS C1, C2 and C3: mean and standard deviation of a few recent periods.
//!
//! Sources: Hutwagner, Thompson, Seeman and Treadwell, Journal of Urban Health 2003, 80 (suppl. 1), i89-i96; Fricker,
//! Hegler and Dunfee, Statistics in Medicine 2008, 27, 3407-3429; as R `earsC` does it.
//!
//! # What R does oddly, and this follows
//!
//! C3 is solved for a bound in which the judged count cancels: it alarms only on the C2 excess of the *two periods
//! before*. With `minSigma` 0, C1 and C2 alarm on any count above a constant baseline, and C3 has no value.

use std::ops::Range;

use super::bound::normal_quantile;
use super::verdict::{demand_sound, finite};
use super::{Detail, EarsControl, EarsMethod, History, JudgeError, Verdict};

/// Judges the periods at `points` (0-based).
///
/// Missing counts are left out of the baseline; with fewer than two counts left, or when the judged count is missing,
/// there is no alarm, and what cannot be said is left empty.
///
/// # Errors
///
/// When a setting is out of range, a point does not exist, or its baseline begins before the series.
pub fn judge(
    history: &History<'_>,
    control: &EarsControl,
    points: Range<usize>,
) -> Result<Vec<Verdict>, JudgeError> {
    demand_sound(history, &points, control.check())?;
    let z = normal_quantile(control.alpha());
    points
        .map(|point| {
            demand_baseline(history, control, point)?;
            let usual = usual(history, control, point);
            let observed = history.count(point);
            let upper = usual.and_then(|usual| match control.method() {
                EarsMethod::C1 | EarsMethod::C2 => finite(usual.mean + z * usual.sigma),
                EarsMethod::C3 => c3_upper(history, control, point, z),
            });
            Ok(Verdict {
                position: point,
                observed,
                expected: usual.map(|usual| usual.mean),
                upper,
                p_value: None,
                score: usual.and_then(|usual| finite((observed? as f64 - usual.mean) / usual.sigma)),
                alarm: observed.zip(upper).is_some_and(|(count, upper)| count as f64 > upper),
                detail: Detail::Ears { sigma: usual.map(|usual| usual.sigma) },
            })
        })
        .collect()
}

/// Periods between the baseline and the judged period.
fn lag(method: EarsMethod) -> usize {
    if method == EarsMethod::C1 { 0 } else { 2 }
}

fn demand_baseline(history: &History<'_>, control: &EarsControl, point: usize) -> Result<(), JudgeError> {
    let before = if control.method() == EarsMethod::C3 { 2 } else { 0 };
    let needed = control.baseline.saturating_add(lag(control.method()) + before);
    if point >= needed {
        return Ok(());
    }
    Err(JudgeError::TooShort {
        point: history.label(point),
        needed: format!("{needed} periods earlier"),
        way_out: "lower baseline or judge fewer periods",
    })
}

#[derive(Debug, Clone, Copy)]
struct Usual {
    mean: f64,
    sigma: f64,
}

/// Mean and standard deviation (n - 1, at least `minSigma`) of the baseline of a position.
fn usual(history: &History<'_>, control: &EarsControl, position: usize) -> Option<Usual> {
    let end = position.checked_sub(lag(control.method()))?;
    let baseline = history.counts().get(end.checked_sub(control.baseline)?..end)?;
    let counts = baseline.iter().flatten().map(|count| *count as f64);
    let n = counts.clone().count() as f64;
    if n < 2.0 {
        return None;
    }
    let mean = counts.clone().sum::<f64>() / n;
    let variance = counts.map(|count| (count - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some(Usual { mean, sigma: variance.sqrt().max(control.min_sigma) })
}

/// max(0, y + sigma (z - e1 - e2)), where e1 and e2 are max(0, C2 - 1) one and two periods ago and C2 is
/// (y - mean) / sigma.
fn c3_upper(history: &History<'_>, control: &EarsControl, point: usize, z: f64) -> Option<f64> {
    let now = usual(history, control, point)?;
    let mut room = z;
    for back in 1..=2 {
        let position = point.checked_sub(back)?;
        let then = usual(history, control, position)?;
        let c2 = (history.count(position)? as f64 - then.mean) / then.sigma;
        // 0 / 0 has no value in R either; `max` alone would hide it.
        if c2.is_nan() {
            return None;
        }
        room -= (c2 - 1.0).max(0.0);
    }
    let upper = history.count(point)? as f64 + now.sigma * room;
    (!upper.is_nan()).then_some(upper.max(0.0))
}
