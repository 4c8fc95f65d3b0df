//! What leaving out rare cells does to a mean and a variance, so that it can be put right.

use std::sync::LazyLock;

/// Expectations of a count that is weighed by `min(1, p / limit)`, p its upper tail, over those of the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    /// E[w Y] / (E[w] m).
    pub mean: f64,
    /// E[w ((Y - m)^2 - m)] / (E[w] (dispersion - 1) m).
    pub excess: f64,
}

/// Factors by mean, on a grid of logarithms.
#[derive(Debug, Clone)]
pub(super) struct Kept([Factors; Kept::PLACES]);

impl Kept {
    /// Logarithm of the least mean tabulated, the grid's step, and its length: means from 0.002 to 120.
    const LEAST: f64 = -6.25;
    const STEP: f64 = 0.5;
    pub const PLACES: usize = 23;

    /// Nothing is left out.
    pub fn all() -> Self {
        Self([Factors { mean: 1.0, excess: 1.0 }; Self::PLACES])
    }

    /// For negative binomials with variance `dispersion` times mean.
    pub fn new(dispersion: f64, limit: f64) -> Self {
        let mean = |place: usize| (Self::LEAST + Self::STEP * place as f64).exp();
        Self(std::array::from_fn(|place| factors(mean(place), dispersion, limit)))
    }

    /// The place nearest to a mean. Asked for every cell of every round: comparing is several times as fast as a logarithm.
    pub fn place(mean: f64) -> usize {
        BEGINS.partition_point(|begin| *begin <= mean)
    }

    /// The places of several means. One is mostly where the one before it was.
    pub fn places(means: &[f64]) -> Vec<u8> {
        let begins = &*BEGINS;
        let (mut place, mut from, mut to) = (0, f64::NEG_INFINITY, begins[0]);
        let of = |mean: &f64| {
            if !(from <= *mean && *mean < to) {
                place = Self::place(*mean);
                from = place.checked_sub(1).map_or(f64::NEG_INFINITY, |before| begins[before]);
                to = begins.get(place).copied().unwrap_or(f64::INFINITY);
            }
            place as u8
        };
        means.iter().map(of).collect()
    }

    fn place_by_logarithm(mean: f64) -> usize {
        let place = (mean.max(1e-300).ln() - Self::LEAST) / Self::STEP + 0.5;
        (place.max(0.0) as usize).min(Self::PLACES - 1)
    }

    pub fn at(&self, place: usize) -> Factors {
        self.0[place]
    }
}

/// The least mean of every place but the first: found on the very formula, so that both agree in every last digit.
static BEGINS: LazyLock<[f64; Kept::PLACES - 1]> = LazyLock::new(|| {
    std::array::from_fn(|place| {
        let (mut below, mut from) = (1e-9_f64.to_bits(), 1e9_f64.to_bits());
        while from - below > 1 {
            let middle = below + (from - below) / 2;
            if Kept::place_by_logarithm(f64::from_bits(middle)) > place {
                from = middle;
            } else {
                below = middle;
            }
        }
        f64::from_bits(from)
    })
});

/// Sums over the counts from 0 up, by the recursion of the negative binomial's probabilities.
fn factors(mean: f64, dispersion: f64, limit: f64) -> Factors {
    let excess = (dispersion - 1.0).clamp(1e-6, 1e3);
    let size = mean / excess;
    let grow = excess / dispersion.max(1.0 + 1e-6);
    let mut probability = (-size * (1.0 + excess).ln()).exp();
    let mut tail = 1.0;
    let (mut w, mut wy, mut we) = (0.0, 0.0, 0.0);
    let mut count = 0.0;
    while tail > 0.02 * limit && count < 5000.0 {
        let part = probability * (tail / limit).min(1.0);
        w += part;
        wy += part * count;
        we += part * ((count - mean) * (count - mean) - mean);
        tail -= probability;
        probability *= grow * (count + size) / (count + 1.0);
        count += 1.0;
    }
    if w <= 0.0 {
        return Factors { mean: 1.0, excess: 1.0 };
    }
    Factors { mean: (wy / (w * mean)).clamp(0.3, 1.0), excess: (we / (w * excess * mean)).clamp(0.2, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_those_of_the_logarithm() {
        for begin in *BEGINS {
            for mean in [begin.next_down(), begin, begin.next_up()] {
                assert_eq!(Kept::place(mean), Kept::place_by_logarithm(mean), "{mean}");
            }
        }
        for mean in [0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(Kept::place(mean), Kept::place_by_logarithm(mean), "{mean}");
        }
    }

    proptest! {
        #[test]
        fn places_are_those_of_the_logarithm_anywhere(log in -30.0_f64..12.0) {
            prop_assert_eq!(Kept::place(log.exp()), Kept::place_by_logarithm(log.exp()));
        }
    }

    #[test]
    fn little_is_lost_where_little_is_left_out() {
        let kept = Kept::new(1.5, 1e-6).at(Kept::place(1.0));
        assert!(kept.mean > 0.999 && kept.excess > 0.99, "{kept:?}");
    }

    #[test]
    fn clumped_counts_lose_more() {
        let (calm, clumped) =
            (Kept::new(1.2, 3e-3).at(Kept::place(0.2)), Kept::new(4.0, 3e-3).at(Kept::place(0.2)));
        assert!(clumped.mean < calm.mean && clumped.mean > 0.7, "{calm:?} {clumped:?}");
        assert!(clumped.excess < 0.9, "{clumped:?}");
    }
}
