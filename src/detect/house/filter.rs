//! The score: is an outbreak going on now? Evidence is carried from block to block.

use super::{
    Control,
    forecast::{Forecast, ln_gamma_ratio},
};

/// Log odds that an outbreak is going on at the judged block, against none now, up to a constant.
///
/// A semi-Markov filter (explicit-duration switching: Ferguson 1980; for surveillance Le Strat and Carrat, Stat. Med. 1999,
/// 18, 3463-3478). Spells of outbreak begin with chance `onset` a block and have one of the lengths of the spans. With
/// `calm(b)` the likelihood, over that of nothing at all, of what was seen until `b` blocks back with no outbreak then:
///
/// ```text
/// calm(b)  = calm(b + 1) + onset Σ_d prior_d calm(b + 1 + d) ratio(b + 1, d)      ended just before
/// odds     = Σ_d prior_d calm(d) ratio(0, d) / calm(0)                            going on now
/// ```
///
/// so that a burst that has ended is explained by its end, and long windows cost short ones little. `calm(0)` does not know
/// the judged block, and every ratio rises with it: more incidents never lower the score.
pub(super) fn log_odds(forecast: &Forecast, control: &Control) -> f64 {
    let blocks = forecast.blocks();
    let total: f64 = control.spans.iter().map(|span| span.prior).sum();
    let spells = |back: usize, calm: &[f64]| -> f64 {
        let fitting = control.spans.iter().filter(|span| span.prior > 0.0 && back + span.blocks <= blocks);
        fitting.fold(f64::NEG_INFINITY, |sum, span| {
            let ratio = log_ratio(forecast, back, span.blocks, control);
            log_add(sum, (span.prior / total).ln() + calm[back + span.blocks] + ratio)
        })
    };
    let mut calm = vec![0.0; blocks + 1];
    for back in (0..blocks).rev() {
        calm[back] = log_add(calm[back + 1], control.onset.ln() + spells(back + 1, &calm));
    }
    let odds = spells(0, &calm) - calm[0];
    if odds.is_finite() { odds.clamp(-1e12, 1e12) } else { -1e12 }
}

/// Log likelihood ratio of a window of `blocks` that ends `back` blocks before the judged one, with an outbreak against
/// without, over the excesses looked for in equal parts.
///
/// The excess e has the clumping c of the window (variance over mean less one), so that both counts are negative binomial
/// with one probability and sizes r = m / c and r + a, a = e / c:
/// ln ratio = ln Γ(y + r + a) - ln Γ(y + r) - ln Γ(r + a) + ln Γ(r) - a ln(1 + c), which rises with y.
fn log_ratio(forecast: &Forecast, back: usize, blocks: usize, control: &Control) -> f64 {
    let (count, mean) = forecast.total(back, back + blocks);
    let mean = mean.max(1e-9);
    let clumping = forecast.clumping(mean).max(1e-3);
    let size = mean / clumping;
    let scale = (0.8 * (forecast.dispersion * mean / blocks as f64).sqrt()).max(1.0);
    let parts = control.excesses.len().max(1) as f64;
    control.excesses.iter().fold(f64::NEG_INFINITY, |sum, excess| {
        let more = excess * scale / clumping;
        let ratio = ln_gamma_ratio(count + size, more) - ln_gamma_ratio(size, more) - more * clumping.ln_1p();
        log_add(sum, ratio - parts.ln())
    })
}

/// ln(exp(a) + exp(b)).
fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}
