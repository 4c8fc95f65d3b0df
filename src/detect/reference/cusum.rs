//! CUSUM: the sum of what each period is above usual.
//!
//! S(t) = max(0, S(t-1) + z(t) - k), S = 0 before the first judged period, alarm when S(t) >= h. Source: Rossi,
//! Lampugnani and Marchi, An approximate CUSUM procedure for surveillance of health events, Statistics in Medicine
//! 1999, 18, 2111-2122; as R `algo.cusum` does it.
//!
//! # What R does oddly, and this follows
//!
//! - The sum is not set back after an alarm: alarms go on until it has sunk below h by itself.
//! - The in-control mean is that of everything before the first judged period, so it depends on where judging begins.
//! - `upper` is not the exact inverse: that of `standard` is rounded up to a whole count, that of `rossi` squares a
//!   difference that may be negative (after a large sum it is above 0 though the alarm is certain), and that of
//!   `anscombe2nd` has the correction m^(1/3) / 9 where the sum has m^(-1/3) / 9. `sum` and `alarm` decide.

use std::ops::Range;

use super::glm::{End, Irls};
use super::harmonic::Harmonic;
use super::verdict::{demand_sound, finite};
use super::{CusumControl, CusumTransform, Detail, History, InControlMean, JudgeError, Verdict};

/// Judges the periods at `points` (0-based), from the first to the last.
///
/// A missing count leaves the sum as it is and does not alarm. With a mean of zero (no case before) nothing can be
/// standardised: the verdicts have no sum, no bound (R writes 0) and no alarm.
///
/// # Errors
///
/// When a setting is out of range, a point does not exist, or the mean is to be learnt and there is no count before the first point.
pub fn judge(
    history: &History<'_>,
    control: &CusumControl,
    points: Range<usize>,
) -> Result<Vec<Verdict>, JudgeError> {
    demand_sound(history, &points, control.check())?;
    if points.is_empty() {
        return Ok(Vec::new());
    }
    let mean = Mean::learn(history, control, points.start)?;
    let mut sum = Some(0.0);
    Ok(points
        .map(|point| {
            let expected = mean.at(point);
            let m = expected.filter(|m| *m > 0.0);
            let observed = history.count(point);
            let upper =
                m.zip(sum).and_then(|(m, sum)| finite(alarm_from(control, m, control.h + control.k - sum)));
            // Once without a value the sum stays so, as NA does in R.
            sum = m.zip(sum).and_then(|(m, sum)| match observed {
                Some(count) => finite((sum + standardised(control, count as f64, m) - control.k).max(0.0)),
                None => Some(sum),
            });
            Verdict {
                position: point,
                observed,
                expected,
                upper,
                p_value: None,
                score: sum,
                alarm: observed.is_some() && sum.is_some_and(|sum| sum >= control.h),
                detail: Detail::Cusum { sum },
            }
        })
        .collect())
}

enum Mean {
    Constant(f64),
    Wave(Harmonic),
    Unknown,
}

impl Mean {
    fn learn(history: &History<'_>, control: &CusumControl, first: usize) -> Result<Self, JudgeError> {
        if let InControlMean::Fixed(m) = control.m {
            return Ok(Self::Constant(m));
        }
        let before = history.counts().iter().take(first).enumerate();
        let known: Vec<(usize, f64)> =
            before.filter_map(|(at, count)| Some((at, (*count)? as f64))).collect();
        if known.is_empty() {
            return Err(JudgeError::NothingBefore { point: history.label(first) });
        }
        if control.m == InControlMean::Past {
            return Ok(Self::Constant(
                known.iter().map(|(_, count)| count).sum::<f64>() / known.len() as f64,
            ));
        }
        let mut design = Harmonic::new(known.iter().map(|(at, _)| *at), history.freq());
        let mut irls = Irls::default();
        irls.load(known.iter().map(|(_, count)| *count));
        // R goes on with the last iteration of a fit that does not settle.
        Ok(if irls.fit(&mut design) == End::Failed { Self::Unknown } else { Self::Wave(design) })
    }

    /// In-control mean (cases); `None` when the regression failed.
    fn at(&self, point: usize) -> Option<f64> {
        let mean = match self {
            Self::Constant(mean) => *mean,
            Self::Wave(design) => design.at(point).exp().max(f64::EPSILON),
            Self::Unknown => return None,
        };
        finite(mean)
    }
}

/// z of a count x, in standard deviations: see [`CusumTransform`].
fn standardised(control: &CusumControl, x: f64, m: f64) -> f64 {
    let two_thirds = |value: f64| value.cbrt().powi(2);
    let sixth = m.cbrt().sqrt();
    match control.trans {
        CusumTransform::Standard => (x - m) / m.sqrt(),
        CusumTransform::Rossi => (x - 3.0 * m + 2.0 * (x * m).sqrt()) / (2.0 * m.sqrt()),
        CusumTransform::Anscombe => 1.5 * (two_thirds(x) - two_thirds(m)) / sixth,
        CusumTransform::Anscombe2nd => {
            (two_thirds(x) - (two_thirds(m) - 1.0 / (9.0 * m.cbrt()))) / (2.0 / 3.0 * sixth)
        }
        CusumTransform::PearsonNegBin => (x - m) / negative_binomial_sigma(control, m),
    }
}

/// The count from which on the sum reaches h, if z has to be at least `needed`.
fn alarm_from(control: &CusumControl, m: f64, needed: f64) -> f64 {
    let two_thirds = m.cbrt().powi(2);
    let sixth = m.cbrt().sqrt();
    let upper = match control.trans {
        CusumTransform::Standard => (m + needed * m.sqrt()).ceil(),
        CusumTransform::Rossi => {
            let square = 4.0 * m + 2.0 * needed * m.sqrt();
            if square < 0.0 { 0.0 } else { (square.sqrt() - m.sqrt()).powi(2) }
        }
        CusumTransform::Anscombe => (two_thirds + 2.0 / 3.0 * sixth * needed).max(0.0).powf(1.5),
        CusumTransform::Anscombe2nd => {
            (two_thirds - m.cbrt() / 9.0 + 2.0 / 3.0 * sixth * needed).max(0.0).powf(1.5)
        }
        CusumTransform::PearsonNegBin => m + needed * negative_binomial_sigma(control, m),
    };
    upper.max(0.0)
}

fn negative_binomial_sigma(control: &CusumControl, m: f64) -> f64 {
    (m + control.alpha.unwrap_or(0.0) * m * m).sqrt()
}
