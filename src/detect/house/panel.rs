//! The fit of a group: shared pattern, own rates, dispersion, and what past episodes may teach, until they agree.

use super::{
    Control, Series,
    history::History,
    pattern::{Design, Pattern, Totals},
    rates::Rates,
};

/// A group fitted on everything known before the guard.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pub rates: Rates,
    /// Variance over mean of a block.
    pub dispersion: f64,
    /// First blocks of new regimes.
    pub steps: Vec<usize>,
    /// How much each cell that teaches counted in the end, by series.
    pub weight: Vec<Vec<f64>>,
    /// What is usual in every block, per unit of rate and exposure.
    pub levels: Vec<f64>,
    /// What is not known of the pattern in the last block: a variance on the log scale.
    doubt: f64,
    /// What the level may have wandered since the last block that taught: a variance on the log scale.
    pub wandered: f64,
}

/// What the shared pattern is made of.
struct Structure {
    pattern: Pattern,
    steps: Vec<usize>,
}

impl Panel {
    /// The relative variance of what is usual for a series in the last block: what is not known about pattern, rate and
    /// level.
    pub fn unsure(&self, series: usize) -> f64 {
        let rate = self.rates.variance.get(series).copied().unwrap_or(0.0);
        (self.doubt + rate + self.wandered).clamp(0.0, 1e3)
    }

    /// Learns from the first `history` blocks; the pattern tells of the first `blocks`.
    pub fn learn(series: &[Series<'_>], history: usize, blocks: usize, control: &Control) -> Self {
        let mut past = History::new(series, history);
        let mut dispersion = control.dispersion;
        let mut rates = past.rough_rates();
        let mut found = structure(&past.totals(&rates), dispersion, blocks, control);
        let fade = 0.5_f64.powf(1.0 / (control.freq * control.rate_half_life));
        for round in 0..control.rounds.max(1) {
            let totals = past.totals(&rates);
            if round == 2 {
                found = structure(&totals, dispersion, blocks, control);
            } else if round > 0 {
                let start = found.pattern.coefficients().to_vec();
                found.pattern = Pattern::fit(found.pattern.design, &totals, dispersion, Some(&start));
            }
            let levels: Vec<f64> = (0..history).map(|block| found.pattern.level(block)).collect();
            if series.len() > 1 {
                rates = Rates::learn(&past.seen(&levels, dispersion, fade));
            }
            dispersion = past.settle((&levels, &rates), dispersion, round == 0, control);
        }
        let pattern = found.pattern;
        let last = blocks.saturating_sub(1);
        Self {
            wandered: pattern.design.wandering() * (blocks - history) as f64 / control.freq,
            levels: (0..blocks).map(|block| pattern.level(block)).collect(),
            doubt: pattern.variance(pattern.design.row(last)),
            rates,
            dispersion,
            steps: found.steps,
            weight: past.into_weights(),
        }
    }
}

/// Finds the steps, then how strong trend, season and wandering of the level are: for each the prior with most evidence.
fn structure(totals: &Totals, dispersion: f64, blocks: usize, control: &Control) -> Structure {
    let history = totals.count.len();
    let mut steps = Vec::new();
    let mut best = Pattern::fit(Design::new(control, blocks, history, &steps), totals, dispersion, None);
    while steps.len() < control.steps {
        match best.best_step(totals, control.segment) {
            Some((step, squared)) if squared > control.step_needs && !steps.contains(&step) => {
                steps.push(step);
            }
            _ => break,
        }
        let start = best.coefficients().to_vec();
        best = Pattern::fit(Design::new(control, blocks, history, &steps), totals, dispersion, Some(&start));
    }
    for (place, part) in best.design.parts().collect::<Vec<_>>() {
        for &sd in control.sds(part).iter().skip(1) {
            let mut design = best.design.clone();
            design.set(place, sd);
            let other = Pattern::fit(design, totals, dispersion, Some(best.coefficients()));
            if other.evidence > best.evidence {
                best = other;
            }
        }
    }
    Structure { pattern: best, steps }
}
