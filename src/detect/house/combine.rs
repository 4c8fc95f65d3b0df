//! Windows of several lengths tested together, the price of looking several times paid.

use super::{Span, forecast::Forecast};
use std::f64::consts::PI;

/// In windows longer than this by two and more, older blocks are capped.
const FRESH: usize = 3;

/// Upper and lower p-value over the tested windows.
///
/// Cauchy's combination (Liu and Xie, JASA 2020, 115, 393-402): p = 1/2 - atan(Σ w cot(π p_w)) / π with weights of sum 1.
/// Its tail holds under any dependence of the windows, and is nearly exact where p is small. Upward a window counts only
/// when every shorter tested window is above its own middle: a burst that is over is no news.
pub(super) fn p_values(forecast: &Forecast, spans: &[Span]) -> (f64, f64) {
    let tested = || spans.iter().filter(|span| span.test > 0.0 && span.blocks <= forecast.blocks().max(1));
    let weights: f64 = tested().map(|span| span.test).sum();
    let (mut upper, mut lower, mut rising) = (0.0, 0.0, true);
    for span in tested() {
        let (up, down) = if span.blocks > FRESH + 1 {
            forecast.capped_mid_p(span.blocks, FRESH * spans_unit(spans))
        } else {
            forecast.usual(forecast.total(0, span.blocks).1).mid_p(forecast.total(0, span.blocks).0)
        };
        let share = span.test / weights * if span.blocks > 1 { 1.3 } else { 1.0 };
        upper += share * cotangent(if rising { up } else { 0.5 });
        lower += span.test / weights * cotangent(down);
        rising &= up < 0.5;
    }
    (tail(upper), tail(lower))
}

/// Blocks in what the shortest windows of weeks and months have as one: 7 where there are windows of a day and a week.
fn spans_unit(spans: &[Span]) -> usize {
    spans.get(1).map_or(1, |second| if second.blocks == 7 { 7 } else { 1 })
}

/// cot(π p). Evidence for calm in one window takes little from another: p is not taken above 0.9.
fn cotangent(p: f64) -> f64 {
    1.0 / (PI * p.clamp(1e-300, 0.9)).tan()
}

fn tail(sum: f64) -> f64 {
    // atan2 keeps the digits of small tails.
    (1.0_f64.atan2(sum) / PI).clamp(0.0, 1.0)
}
