//! Beyond the rank: a Gumbel distribution through the replicated maxima.
//!
//! Source: Abrams, Kulldorff and Kleinman, Gumbel based p-value approximations for spatial scan statistics,
//! International Journal of Health Geographics 2010, 9:61. Fitted by moments: against the ranks of 99,999 replications,
//! those fits to 999 were nearer in the tail than the likeliest ones. What they tell errs towards the larger probability:
//! at 0.01 by up to a quarter, at 0.001 by up to three quarters, at 0.0001 by up to two times, on the median of 40 seeds.

/// With fewer maxima there is no telling their shape.
const LEAST: usize = 99;

/// A Gumbel distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gumbel {
    /// Its mode.
    pub location: f64,
    /// Its width.
    pub scale: f64,
}

impl Gumbel {
    /// By moments, to maxima in ascending order. None when more than a quarter of the replications had no window at all:
    /// then their maxima are no longer distributed so, and the tail would be told far too thin.
    pub(super) fn fit(maxima: &[f64]) -> Option<Self> {
        if maxima.get(maxima.len() / 4).is_none_or(|quarter| *quarter <= 0.0) {
            return None;
        }
        let number = maxima.len() as f64;
        let mean = maxima.iter().sum::<f64>() / number;
        let variance = maxima.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (number - 1.0);
        let scale = variance.sqrt() * 6.0_f64.sqrt() / std::f64::consts::PI;
        (maxima.len() >= LEAST && scale > 0.0)
            .then_some(Self { location: mean - 0.577_215_664_901_532_9 * scale, scale })
    }

    /// The probability of a maximum at least this high.
    #[must_use]
    pub fn tail(&self, ratio: f64) -> f64 {
        -(-(-(ratio - self.location) / self.scale).exp()).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gumbel_sample_gives_its_distribution_back() {
        let told = Gumbel { location: 5.4, scale: 0.95 };
        let sample: Vec<f64> = (0..999)
            .map(|rank| told.location - told.scale * (-((f64::from(rank) + 0.5) / 999.0).ln()).ln())
            .collect();
        let fitted = Gumbel::fit(&sample).unwrap();
        assert!((fitted.location - 5.4).abs() < 0.01 && (fitted.scale - 0.95).abs() < 0.01, "{fitted:?}");
        // Far out, a tail falls by e with every scale.
        let (near, far) = (fitted.tail(30.0), fitted.tail(30.0 + fitted.scale));
        assert!(near > 0.0 && (near / far - std::f64::consts::E).abs() < 1e-6);
        assert!((fitted.tail(-50.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_or_all_the_same_have_no_shape() {
        assert_eq!(Gumbel::fit(&[]), None);
        assert_eq!(Gumbel::fit(&[1.0, 2.0, 3.0]), None);
        assert_eq!(Gumbel::fit(&[4.0; 999]), None);
    }
}
