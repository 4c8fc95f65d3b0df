//! A group that was learned, to be asked about blocks and windows of any length.

use super::{Control, Series, panel::Panel};

/// What is usual in every block of every series of a group.
#[derive(Debug, Clone)]
pub struct Fit {
    panel: Panel,
    /// How much of the usual each block could hold, by series; 0 where nothing is known.
    exposure: Vec<Vec<f64>>,
    blocks: usize,
    taught: usize,
}

/// Learns a group for windows that end with block `t` (from 0). `None` while fewer than [`Control::least_history`] known
/// blocks lie before the guard.
#[must_use]
pub fn learn(series: &[Series<'_>], t: usize, control: &Control) -> Option<Fit> {
    let taught = taught(series, t, control)?;
    let panel = Panel::learn(series, taught, t + 1, control);
    let exposure = series
        .iter()
        .map(|one| (0..=t).map(|block| one.at(block).map_or(0.0, |cell| cell.1)).collect())
        .collect();
    Some(Fit { panel, exposure, blocks: t + 1, taught })
}

/// How many blocks lie before the guard; none while fewer than [`Control::least_history`] of them are known of any series.
pub(super) fn taught(series: &[Series<'_>], t: usize, control: &Control) -> Option<usize> {
    let taught = (t + 1).checked_sub(control.guard)?;
    let least = control.least_history.max(1);
    let known = (0..taught).filter(|block| series.iter().any(|one| one.at(*block).is_some()));
    (known.take(least).count() == least).then_some(taught)
}

impl Fit {
    /// Blocks up to the judged one.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Blocks that teach: those before the guard.
    #[must_use]
    pub fn taught(&self) -> usize {
        self.taught
    }

    /// Incidents usual in a block of a series, as far as they could be known; 0 beyond the last block or series.
    #[must_use]
    pub fn expected(&self, series: usize, block: usize) -> f64 {
        let exposure = self.exposure.get(series).and_then(|own| own.get(block)).copied().unwrap_or(0.0);
        let rate = self.panel.rates.mean.get(series).copied().unwrap_or(0.0);
        let level = self.panel.levels.get(block).copied().unwrap_or(0.0);
        if exposure > 0.0 { rate * exposure * level } else { 0.0 }
    }

    /// How much a block that teaches counted in the end, 0 to 1: little for one that belongs to an episode.
    #[must_use]
    pub fn weight(&self, series: usize, block: usize) -> f64 {
        self.panel.weight.get(series).and_then(|own| own.get(block)).copied().unwrap_or(0.0)
    }

    /// The relative variance of what is usual now: what is not known about it.
    #[must_use]
    pub fn unsure(&self, series: usize) -> f64 {
        self.panel.unsure(series)
    }

    /// Variance over mean of a block.
    #[must_use]
    pub fn dispersion(&self) -> f64 {
        self.panel.dispersion
    }
}
