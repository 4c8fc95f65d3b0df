//! How much more counts vary than Poisson counts with the same means.

/// Var(X) = mean (1 + clumping) + mean² / size, estimated over many cells of one kind and length.
///
/// `clumping` (no unit) is what follow-ups do: an incident brings others, also where the mean is tiny. `1 / size` is what
/// weeks and months do that are livelier than others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    clumping: f64,
    one_over_size: f64,
}

impl Dispersion {
    /// Poisson.
    pub const NONE: Self = Self { clumping: 0.0, one_over_size: 0.0 };

    /// Follow-ups alone: a ratio of variance to mean, the same at every mean.
    #[must_use]
    pub fn clumped(ratio: f64) -> Self {
        Self { clumping: (ratio - 1.0).max(0.0), one_over_size: 0.0 }
    }

    /// Weighted least squares of ((x - mean)² - mean) / mean on the mean, over cells (mean, count). The weight of a cell is
    /// the inverse of that quantity's variance under Poisson, 2 + 1 / mean (its fourth moment is mean + 3 mean²). Neither
    /// parameter is taken below zero.
    #[must_use]
    pub fn learn(cells: impl Iterator<Item = (f64, f64)>) -> Self {
        let (mut w, mut wm, mut wmm, mut wy, mut wmy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (mean, count) in cells.filter(|cell| cell.0 > 1e-6) {
            let weight = 1.0 / (2.0 + 1.0 / mean);
            let excess = ((count - mean).powi(2) - mean) / mean;
            w += weight;
            wm += weight * mean;
            wmm += weight * mean * mean;
            wy += weight * excess;
            wmy += weight * mean * excess;
        }
        let determinant = w * wmm - wm * wm;
        if w <= 0.0 {
            return Self::NONE;
        }
        let (mut clumping, mut one_over_size) = if determinant > 1e-9 * w * wmm {
            ((wmm * wy - wm * wmy) / determinant, (w * wmy - wm * wy) / determinant)
        } else {
            (wy / w, 0.0)
        };
        if clumping < 0.0 {
            (clumping, one_over_size) = (0.0, wmy / wmm);
        } else if one_over_size < 0.0 {
            (clumping, one_over_size) = (wy / w, 0.0);
        }
        Self { clumping: clumping.max(0.0), one_over_size: one_over_size.max(0.0) }
    }

    /// One over the size of a negative binomial with this mean and variance.
    #[must_use]
    pub fn one_over_size(&self, mean: f64) -> f64 {
        if mean > 0.0 { self.clumping / mean + self.one_over_size } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, Gamma, Poisson};

    #[test]
    fn both_kinds_of_variation_are_found_again() {
        let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let cells: Vec<(f64, f64)> = (0..60_000)
            .map(|n| {
                let mean = [0.05, 0.3, 1.0, 4.0, 16.0][n % 5];
                let mood: f64 = Gamma::new(8.0, 1.0 / 8.0).unwrap().sample(&mut chance);
                let parents: f64 = Poisson::new(mean * mood / 1.25).unwrap().sample(&mut chance);
                let children = if parents > 0.0 {
                    Poisson::new(parents * 0.25).unwrap().sample(&mut chance)
                } else {
                    0.0
                };
                (mean, parents + children)
            })
            .collect();
        let found = Dispersion::learn(cells.into_iter());
        // Parents with Poisson children of mean 0.25: variance over mean is 1 + 0.25 + 0.25 * 0.25 / 1.25 + …
        assert!((0.35..0.55).contains(&found.clumping), "{found:?}");
        assert!((0.10..0.15).contains(&found.one_over_size), "{found:?}");
    }
}
