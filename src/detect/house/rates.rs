//! Each series' own rate beside its group's, drawn towards 1 as far as the group is alike.

use statrs::function::gamma::ln_gamma;

/// Gamma posteriors of relative rates: rate i has mean `shape / rate` and relative variance 1 / `shape`.
#[derive(Debug, Clone)]
pub(super) struct Rates {
    pub mean: Vec<f64>,
    /// Relative variance of each.
    pub variance: Vec<f64>,
}

impl Rates {
    /// A group of one has nothing to compare with: its level is the group's.
    pub fn one(series: usize) -> Self {
        Self { mean: vec![1.0; series], variance: vec![0.0; series] }
    }

    /// Empirical Bayes (Clayton and Kaldor, Biometrics 1987, 43, 671-681). `seen` holds count and expected count at
    /// relative rate 1, both divided by the dispersion (quasi-likelihood).
    pub fn learn(seen: &[(f64, f64)]) -> Self {
        let shape = likeliest_shape(seen);
        let posterior = |&(y, n): &(f64, f64)| ((y + shape) / (n + shape), 1.0 / (y + shape));
        let (mean, variance) = seen.iter().map(posterior).unzip();
        Self { mean, variance }
    }
}

/// The shape of the gamma (mean 1) that relative rates follow, by the mode of its marginal posterior on a grid of
/// logarithms; the prior of the shape is lognormal around 2 (wards differ by a factor of two or so).
fn likeliest_shape(seen: &[(f64, f64)]) -> f64 {
    let value = |log_shape: f64| {
        let a = log_shape.exp();
        let prior = -0.5 * (log_shape - 2.0_f64.ln()).powi(2);
        let none = ln_gamma(a);
        let one = |&(y, n): &(f64, f64)| {
            // Most wards have none of the rarer strands.
            let gammas = if y > 0.0 { fast_ln_gamma(y + a) - none } else { 0.0 };
            gammas - (y + a) * (n + a).ln()
        };
        prior + seen.len() as f64 * a * log_shape + seen.iter().map(one).sum::<f64>()
    };
    let grid: Vec<f64> = (0..17).map(|place| -1.5 + 0.375 * f64::from(place)).collect();
    let values: Vec<f64> = grid.iter().map(|&x| value(x)).collect();
    let best = (0..grid.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0);
    grid[best].exp()
}

/// ln Γ(x) by Stirling's series where four terms give it to 1e-12.
fn fast_ln_gamma(x: f64) -> f64 {
    if x < 10.0 {
        return ln_gamma(x);
    }
    let (one, squared) = (1.0 / x, 1.0 / (x * x));
    let series = (1.0 / 12.0 - squared * (1.0 / 360.0 - squared * (1.0 / 1260.0 - squared / 1680.0))) * one;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_meets_the_gamma_function() {
        for x in (0..200).map(|n| 9.0 + 1.07_f64.powi(n)) {
            let exact = ln_gamma(x);
            assert!((fast_ln_gamma(x) - exact).abs() < 1e-12 * exact.abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn a_ward_without_history_has_its_groups_rate_and_one_with_much_keeps_its_own() {
        let rates = Rates::learn(&[(0.0, 0.0), (300.0, 100.0), (30.0, 100.0), (90.0, 100.0), (60.0, 100.0)]);
        assert!((rates.mean[0] - 1.0).abs() < 1e-9 && rates.variance[0] > 0.1);
        assert!((rates.mean[1] - 3.0).abs() < 0.1 && rates.variance[1] < 0.01);
    }
}
