//! Farrington flexible: a quasi-Poisson regression on years of history, with season groups and a trend.
//!
//! Source: Noufaily, Enki, Farrington, Garthwaite, Andrews and Charlett, An improved algorithm for outbreak detection
//! in multiple surveillance systems, Statistics in Medicine 2013, 32, 1206-1222; as R `farringtonFlexible` does it.
//!
//! # What R does oddly, and this follows
//!
//! - After reweighting, standard errors rest on another dispersion than phi (see `quasi.rs`), which may be below 1.
//! - With `nbPlugin` and `muan` the score is (y - log mean) / (upper - log mean): a difference of two scales. The alarm
//!   is the same.
//! - Where a season group never had a case the fit runs towards minus infinity and stops where it happens to: the mean
//!   is 1e-9 or less, and any single case alarms. An all-zero baseline does not settle at all; then there is no model
//!   and no alarm, whatever was observed.

use std::ops::Range;

use super::bound::{PowerBound, normal_quantile};
use super::quasi::{Fit, Robust};
use super::tail::CountTail;
use super::verdict::{demand_sound, finite};
use super::{Detail, FlexibleControl, History, JudgeError, ThresholdMethod, Verdict, season};

/// Judges the periods at `points` (0-based). A missing count is not judged, but gets what would have been usual.
///
/// A period for which no model can be fitted (an all-zero or too small baseline, no past count of its season) gets a
/// verdict without figures and without alarm.
///
/// # Errors
///
/// When a setting is out of range, a point does not exist, or the series does not have `b` years (and `w` periods) before it.
pub fn judge(
    history: &History<'_>,
    control: &FlexibleControl,
    points: Range<usize>,
) -> Result<Vec<Verdict>, JudgeError> {
    demand_sound(history, &points, control.check())?;
    let mut robust = Robust::default();
    let mut past = Vec::new();
    points
        .map(|point| {
            season::baseline(history, control, point, &mut past)?;
            let groups = control.no_periods;
            let fit = robust.load(&past, groups, groups - 1).and_then(|()| model(&mut robust, control));
            Ok(verdict(history, control, point, fit.as_ref()))
        })
        .collect()
}

/// Fits with the trend and keeps it if it deserves it, else without.
///
/// A trend is kept with at least three years of history, p < `pThresholdTrend` (1: whatever p, short of exactly 1), and
/// a prediction not above the largest count of the baseline.
fn model(robust: &mut Robust, control: &FlexibleControl) -> Option<Fit> {
    let reweight_above = control.reweight.then_some(control.weights_threshold);
    let fit = robust.fit(control.trend, reweight_above)?;
    let Some(p) = fit.trend_p(dispersion(&fit, control)) else { return Some(fit) };
    let kept = control.b >= 3 && p < control.p_threshold_trend && fit.mean() <= robust.largest();
    if kept { Some(fit) } else { robust.fit(false, reweight_above) }
}

/// What multiplies the variances: see [`Robust::fit`].
fn dispersion(fit: &Fit, control: &FlexibleControl) -> f64 {
    if control.reweight { fit.quirk } else { fit.raw_phi }
}

/// A threshold with what the score is measured from.
struct Bound {
    centre: f64,
    expected: f64,
    upper: Option<f64>,
    p_value: Option<f64>,
}

fn verdict(history: &History<'_>, control: &FlexibleControl, point: usize, fit: Option<&Fit>) -> Verdict {
    let observed = history.count(point);
    let bound = fit.map(|fit| match control.threshold_method {
        ThresholdMethod::Delta => delta(fit, control, observed),
        ThresholdMethod::NbPlugin => plugged_in(fit, fit.eta, control, observed),
        ThresholdMethod::Muan => {
            let error = (dispersion(fit, control) * fit.eta_variance).sqrt();
            plugged_in(fit, fit.eta + normal_quantile(control.alpha) * error, control, observed)
        }
    });
    // Without a threshold R has no figures at all.
    let bound = bound.filter(|bound| bound.upper.is_some());
    let score = bound
        .as_ref()
        .and_then(|bound| finite((observed? as f64 - bound.centre) / (bound.upper? - bound.centre)));
    let (cases, periods) = control.limit54;
    let enough = history.recent_sum(point, periods).is_some_and(|sum| sum >= cases);
    Verdict {
        position: point,
        observed,
        expected: bound.as_ref().filter(|_| enough).and_then(|bound| finite(bound.expected)),
        upper: bound.as_ref().filter(|_| enough).and_then(|bound| bound.upper),
        p_value: bound.as_ref().and_then(|bound| bound.p_value),
        score,
        alarm: enough && observed != Some(0) && score.is_some_and(|score| score > 1.0),
        detail: Detail::Farrington {
            phi: fit.and_then(|fit| finite(fit.phi)),
            trend: fit.and_then(|fit| finite(fit.trend?.slope)),
        },
    }
}

fn delta(fit: &Fit, control: &FlexibleControl, observed: Option<u64>) -> Bound {
    let mean = fit.mean();
    let variance = dispersion(fit, control) * fit.eta_variance * mean * mean;
    let bound = PowerBound::new(mean, variance, fit.phi, control.powertrans);
    Bound {
        centre: mean,
        expected: mean,
        upper: finite(bound.upper(control.alpha)),
        p_value: observed.and_then(|count| finite(bound.tail(count as f64))),
    }
}

/// Negative binomial with mean exp(`eta`) and variance phi times that.
fn plugged_in(fit: &Fit, eta: f64, control: &FlexibleControl, observed: Option<u64>) -> Bound {
    let tail = CountTail::new(eta.exp(), fit.phi);
    Bound {
        centre: fit.eta,
        expected: fit.eta.exp(),
        upper: tail.and_then(|tail| finite(tail.quantile(control.alpha))),
        p_value: tail.and_then(|tail| Some(tail.at_least(observed?))),
    }
}
