//! Windows of several lengths tested together, the price of looking several times paid.

use super::{Control, Span, forecast::Forecast};
use std::f64::consts::PI;

/// One over the chance that a long window that is extreme is rising too (as defined below): what asking for it gives back.
/// Measured on quiet tuning weeks: with 1.4 the calibration at 1e-3 was 0.81, with 1 it was 0.65.
const ASKED_TO_RISE: f64 = 1.3;

/// Upper and lower p-value over the tested windows.
///
/// Cauchy's combination (Liu and Xie, JASA 2020, 115, 393-402): p = 1/2 - atan(Σ w cot(π q)) / π over the windows' mid-p
/// values q, with weights w. Its tail holds under any dependence of the windows, and is nearly exact where p is small.
/// Upward a window speaks for a rise only when every shorter tested window is above its own middle: a burst that is over
/// is no news. That is a stricter event, for which [`ASKED_TO_RISE`] pays back.
pub(super) fn p_values(forecast: &Forecast, control: &Control) -> (f64, f64) {
    let tested: Vec<Span> = control
        .spans
        .iter()
        .copied()
        .filter(|span| span.test > 0.0 && span.blocks <= forecast.blocks())
        .collect();
    let weights: f64 = tested.iter().map(|span| span.test).sum();
    let (mut upper, mut lower, mut rising) = (0.0, 0.0, true);
    for (place, span) in tested.iter().enumerate() {
        let (count, mean) = forecast.total(0, span.blocks);
        let (up, down) = if span.blocks > control.fresh + 1 {
            forecast.capped_mid_p(span.blocks, control.fresh)
        } else {
            forecast.usual(mean).mid_p(count)
        };
        let share = span.test / weights;
        let paid_back = if place > 0 { ASKED_TO_RISE } else { 1.0 };
        upper += share * paid_back * cotangent(if rising { up } else { up.max(0.5) });
        lower += share * cotangent(down);
        rising &= up < 0.5;
    }
    (tail(upper), tail(lower))
}

/// cot(π p). Evidence for calm in one window takes little from another: p is not taken above 0.9.
fn cotangent(p: f64) -> f64 {
    1.0 / (PI * p.clamp(1e-300, 0.9)).tan()
}

/// 1/2 - atan(x) / π, with the digits of small tails.
fn tail(sum: f64) -> f64 {
    (1.0_f64.atan2(sum) / PI).clamp(0.0, 1.0)
}
