//! The quasi-Poisson fit of both Farrington methods, with past outbreaks weighted down.

use super::glm::{End, Irls};
use super::grouped::Grouped;

/// A fit, and what follows from it for the prediction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// Overdispersion, at least 1.
    pub(super) phi: f64,
    /// Predicted log mean.
    pub(super) eta: f64,
    /// Variance of `eta` for dispersion 1.
    pub(super) eta_variance: f64,
    /// The trend, if it was fitted.
    pub(super) trend: Option<Trend>,
    /// Overdispersion before the floor.
    pub(super) raw_phi: f64,
    /// Overdispersion with the prior weights in place of the working weights: see [`Robust::fit`].
    pub(super) quirk: f64,
    /// Points minus coefficients.
    pub(super) freedom: f64,
}

/// A linear trend of the log mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trend {
    /// Change of the log mean per period.
    pub(super) slope: f64,
    /// Variance of the slope for dispersion 1.
    pub(super) variance: f64,
}

impl Fit {
    /// Predicted mean on the scale of counts, at least the machine epsilon as R's `exp` link returns it.
    pub(super) fn mean(&self) -> f64 {
        self.eta.exp().max(f64::EPSILON)
    }

    /// Two-sided p-value of the trend, t distribution; `None` without one, NaN when nothing is left to compare with.
    pub(super) fn trend_p(&self, dispersion: f64) -> Option<f64> {
        let trend = self.trend?;
        let t2 = trend.slope * trend.slope / (dispersion * trend.variance);
        if t2.is_nan() {
            return Some(f64::NAN);
        }
        // P(|T| > t) = I(df / (df + t²); df / 2, 1 / 2).
        let x = self.freedom / (self.freedom + t2);
        Some(statrs::function::beta::checked_beta_reg(self.freedom / 2.0, 0.5, x).unwrap_or(f64::NAN))
    }
}

/// Counts, design and buffers of the fits, kept from point to point.
#[derive(Debug, Default)]
pub(super) struct Robust {
    irls: Irls,
    design: Grouped,
    leverages: Vec<f64>,
    largest: f64,
}

/// A past count as the fit takes it: periods from the point to predict, cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Past {
    /// Season group, from 0.
    pub(super) group: usize,
    /// Periods from the point to predict (negative: before it).
    pub(super) time: f64,
    /// Cases.
    pub(super) cases: f64,
}

impl Robust {
    /// Takes the baseline, sorted by group; the prediction is for the group `target` at time 0.
    ///
    /// `None` when that group has no point: there is no model.
    pub(super) fn load(&mut self, past: &[Past], groups: usize, target: usize) -> Option<()> {
        self.irls.load(past.iter().map(|point| point.cases));
        self.leverages.resize(past.len(), 0.0);
        self.largest = past.iter().map(|point| point.cases).fold(0.0, f64::max);
        let sizes = past.chunk_by(|a, b| a.group == b.group);
        let mut sizes = sizes.filter_map(|chunk| Some((chunk.first()?.group, chunk.len()))).peekable();
        let sizes =
            (0..groups).map(|group| sizes.next_if(|(own, _)| *own == group).map_or(0, |(_, size)| size));
        self.design.load(past.iter().map(|point| point.time), sizes, target)
    }

    /// The largest count of the baseline.
    pub(super) fn largest(&self) -> f64 {
        self.largest
    }

    /// Fits with the trend if wanted; without it when that fit does not settle; `None` when neither does.
    ///
    /// With `reweight_above`, points whose Anscombe residual is larger get the weight s^-2 (all weights scaled to sum
    /// to their number) and the fit is repeated once. Only counts that are too *high* are weighted down.
    ///
    /// # What R does oddly
    ///
    /// After reweighting, the flexible method overwrites the model's working weights by the prior weights, so the
    /// standard error of the prediction and the p-value of the trend rest on sum(prior r²) / (n - p) instead of phi.
    /// That figure is `quirk`; the 1996 method does not use it.
    pub(super) fn fit(&mut self, trend: bool, reweight_above: Option<f64>) -> Option<Fit> {
        self.irls.level_prior();
        if trend && self.fits(true) {
            return self.refine(reweight_above);
        }
        if self.fits(false) { self.refine(reweight_above) } else { None }
    }

    fn fits(&mut self, trend: bool) -> bool {
        self.design.start(trend);
        self.freedom() > 0.0 && self.irls.fit(&mut self.design) == End::Converged
    }

    fn freedom(&self) -> f64 {
        self.irls.y.len() as f64 - self.design.rank() as f64
    }

    fn refine(&mut self, reweight_above: Option<f64>) -> Option<Fit> {
        if let Some(threshold) = reweight_above {
            self.reweight(threshold);
            let trend = self.design.slope().is_some();
            self.design.start(trend);
            // R warns, but goes on, when this second fit does not settle.
            if self.irls.fit(&mut self.design) == End::Failed {
                return None;
            }
        }
        self.describe()
    }

    /// phi before the floor: sum W r² / (n - p), W the working weights of the last solve, r = (y - mu) / mu.
    fn raw_phi(&self) -> f64 {
        self.mean_square(&self.irls.weights)
    }

    fn mean_square(&self, weights: &[f64]) -> f64 {
        let points = self.irls.y.iter().zip(&self.irls.mu).zip(weights);
        let sum: f64 = points.map(|((y, mu), weight)| weight * ((y - mu) / mu).powi(2)).sum();
        sum / self.freedom()
    }

    /// Prior weights from the Anscombe residuals s = 1.5 (y^(2/3) mu^(-1/6) - mu^(1/2)) / sqrt(phi (1 - h)).
    ///
    /// A point that alone determines its level has leverage 1 and no residual; R divides by about zero there, here it
    /// counts as usual.
    fn reweight(&mut self, threshold: f64) {
        const ALONE: f64 = 1e-9;
        let phi = self.raw_phi().max(1.0);
        self.design.leverages(&self.irls.weights, &mut self.leverages);
        let points = self.irls.y.iter().zip(&self.irls.mu).zip(&self.leverages).zip(&mut self.irls.prior);
        let mut sum = 0.0;
        for (((y, mu), leverage), prior) in points {
            let free = 1.0 - leverage;
            let raw = 1.5 * (y.cbrt().powi(2) / mu.cbrt().sqrt() - mu.sqrt());
            let residual = if free > ALONE { raw / (phi * free).sqrt() } else { 0.0 };
            *prior = if residual > threshold { residual.powi(-2).max(f64::MIN_POSITIVE) } else { 1.0 };
            sum += *prior;
        }
        let scale = self.irls.prior.len() as f64 / sum;
        self.irls.prior.iter_mut().for_each(|prior| *prior *= scale);
    }

    fn describe(&self) -> Option<Fit> {
        let raw_phi = self.raw_phi();
        let fit = Fit {
            phi: raw_phi.max(1.0),
            eta: self.design.prediction(),
            eta_variance: self.design.prediction_variance(),
            trend: self.design.slope().map(|slope| Trend { slope, variance: self.design.slope_variance() }),
            raw_phi,
            quirk: self.mean_square(&self.irls.prior),
            freedom: self.freedom(),
        };
        // Sparse groups may overflow here; then R has NA or infinite figures, and there is no model to speak of.
        (raw_phi.is_finite() && fit.eta.is_finite()).then_some(fit)
    }
}
