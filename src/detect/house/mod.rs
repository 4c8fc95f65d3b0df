//! The house method: what is usual for each series of a group, and how unusual its last blocks are.
//!
//! In: a group of series (wards of one strand and district, say, or a single series) of counts over equal blocks, and the
//! block to judge. Out: for each series the expectation with its interval, the windows' own results, calibrated upper and
//! lower p-values over all windows together, and a score to rank by. Nothing later than the judged block is read; nothing
//! here reads a clock or a file, and nothing is random.
//!
//! ```text
//! Series ─▶ history ─▶ pattern (season, trend, level, steps)  ┐
//!              ▲         rates   (gamma-Poisson)              ├─▶ forecast ─▶ combine (p_upper, p_lower)
//!              └─ weights, dispersion ◀───────────────────────┘        └────▶ filter  (score)
//! ```
//! docs/DETECTION.md gives the model, its sources, every constant and the measurements.

mod combine;
mod control;
mod filter;
mod fit;
mod forecast;
mod history;
mod kept;
mod linear;
mod panel;
mod pattern;
mod rates;

pub use control::{Control, Span};
pub use fit::{Fit, learn};
use forecast::Forecast;
use panel::Panel;

/// One series: counts of equal blocks, oldest first, and how much of the usual each could hold.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// Incidents a block; `None` where nothing is known (before the first report, a feed that failed).
    pub counts: &'a [Option<u32>],
    /// Multipliers of the expectation: completeness of late reports, campaigns, days in the month. Missing, negative or
    /// not finite ones count as 1; a block of multiplier 0 neither teaches nor is judged.
    pub exposure: &'a [f64],
}

impl Series<'_> {
    /// Count and exposure of a block, where both say something.
    fn at(&self, block: usize) -> Option<(f64, f64)> {
        let count = f64::from(self.counts.get(block).copied().flatten()?);
        let exposure =
            self.exposure.get(block).copied().filter(|e| e.is_finite() && *e >= 0.0).unwrap_or(1.0).min(1e6);
        (exposure > 1e-9).then_some((count, exposure))
    }
}

/// What was found for a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Night {
    /// One for each series, in their order; `None` where the judged block is not known: not a calm.
    pub verdicts: Vec<Option<Verdict>>,
    /// First blocks of new regimes of recording.
    pub steps: Vec<usize>,
    /// Variance over mean of a block.
    pub dispersion: f64,
}

/// What was found for a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Incidents of the judged block.
    pub observed: f64,
    /// Expected incidents of the judged block.
    pub expected: f64,
    /// The central 95 % of what is usual in it.
    pub usual: (u64, u64),
    /// Chance of windows together at least as high, on quiet data (mid-p; uniform as far as counts allow).
    pub p_upper: f64,
    /// Chance of windows together at least as low.
    pub p_lower: f64,
    /// Logarithm of the odds, up to a constant, that an outbreak is going on now. Ranks series of all groups.
    pub score: f64,
    /// The windows' own results, shortest first.
    pub windows: Vec<Window>,
}

/// A window that ends with the judged block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its length.
    pub blocks: usize,
    /// Incidents in it.
    pub observed: f64,
    /// Expected incidents.
    pub expected: f64,
    /// Their variance is `expected + expected² / size`, with what is not known about the expectation.
    pub size: f64,
    /// Mid-p upward, of this window alone.
    pub p_upper: f64,
    /// Mid-p downward, of this window alone.
    pub p_lower: f64,
}

/// Judges block `t` (from 0) of every series of a group. `None` while fewer than [`Control::least_history`] known
/// blocks lie before the guard.
#[must_use]
pub fn judge(series: &[Series<'_>], t: usize, control: &Control) -> Option<Night> {
    let longest = series.iter().map(|one| one.counts.len()).max().unwrap_or(0);
    let history = fit::taught(series, t, control).filter(|_| t < longest)?;
    let panel = Panel::learn(series, history, t + 1, control);
    let verdicts = (0..series.len()).map(|i| verdict(&panel, i, &series[i], t, control)).collect();
    Some(Night { verdicts, steps: panel.steps, dispersion: panel.dispersion })
}

fn verdict(panel: &Panel, i: usize, series: &Series<'_>, t: usize, control: &Control) -> Option<Verdict> {
    series.at(t)?;
    let forecast = Forecast::new(panel, i, series, t, control);
    let (p_upper, p_lower) = combine::p_values(&forecast, control);
    let block = forecast.usual(forecast.total(0, 1).1);
    let high = block.least_count_as_rare_as(0.025).saturating_sub(1);
    let windows = control.spans.iter().filter(|span| span.blocks <= t + 1).map(|span| {
        let (observed, expected) = forecast.total(0, span.blocks);
        let usual = forecast.usual(expected);
        let (p_upper, p_lower) = usual.mid_p(observed);
        Window { blocks: span.blocks, observed, expected, size: usual.size(), p_upper, p_lower }
    });
    let windows: Vec<Window> = windows.collect();
    let first = windows.first()?;
    Some(Verdict {
        observed: first.observed,
        expected: first.expected,
        usual: (block.least_count_not_below(0.025).min(high), high),
        p_upper,
        p_lower,
        score: filter::log_odds(&forecast, control),
        windows,
    })
}
