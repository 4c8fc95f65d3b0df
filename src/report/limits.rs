//! Intervals, funnel and control limits of published figures, which vary by chance and by what was added to them.

use crate::{
    detect::{Expectation, times_usual},
    publish::VARIANCE,
};

/// What varies in a published sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Varies {
    /// The variance of counts over their mean, at least 1.
    pub spread: f64,
    /// Published cells that were added up.
    pub cells: usize,
}

impl Varies {
    /// The variance of a sum around a mean: spread times the mean, and the added noise of each cell.
    #[must_use]
    pub fn variance(self, mean: f64) -> f64 {
        self.spread * mean.max(0.0) + self.cells as f64 * VARIANCE
    }
}

/// The central 95 % of the true level behind a published sum.
///
/// Exact limits of a Poisson mean with count and mean divided by the ratio of variance to mean (quasi-likelihood; see
/// [`times_usual`]), which holds over-dispersion and the noise that was added before publication.
#[must_use]
pub fn interval(sum: i64, varies: Varies) -> (f64, f64) {
    // A sum of nothing is as unsure as a sum of one.
    let count = u64::try_from(sum).unwrap_or(0);
    let mean = (count as f64).max(1.0);
    let more = varies.variance(mean) - mean;
    let size = if more > 1e-9 { mean * mean / more } else { f64::INFINITY };
    let limits = Expectation::new(mean, size).ok().and_then(|usual| times_usual(count, usual));
    limits.map_or((0.0, f64::INFINITY), |(low, high)| (low * mean, high * mean))
}

/// The limits within which a rate lies by chance when all areas share one: `rate` plus or minus `z` standard deviations of the
/// sum of an area with `people`, per person (a funnel plot; Spiegelhalter, Funnel plots for comparing institutional performance,
/// Statistics in Medicine 2005, 24, 1185-1202, section 3.3, with multiplicative over-dispersion, section 4).
#[must_use]
pub fn funnel(rate: f64, people: f64, z: f64, varies: Varies) -> (f64, f64) {
    let wide = z * varies.variance(rate * people).sqrt() / people;
    ((rate - wide).max(0.0), rate + wide)
}

/// How much sums of earlier times vary over their mean, less the noise that was added; at least 1. None with fewer than eight.
#[must_use]
pub fn spread(sums: &[i64], cells: usize) -> Option<f64> {
    let n = sums.len() as f64;
    let mean = sums.iter().sum::<i64>() as f64 / n;
    if sums.len() < 8 || mean <= 0.0 {
        return None;
    }
    // Neighbours, so that a slow trend is no spread (von Neumann, Annals of Mathematical Statistics 1941, 12, 367-395).
    let steps = sums.windows(2).map(|pair| ((pair[1] - pair[0]) as f64).powi(2)).sum::<f64>();
    let variance = steps / (2.0 * (n - 1.0));
    Some(((variance - cells as f64 * VARIANCE) / mean).max(1.0))
}

/// The centre and the limits of a control chart of single values: mean plus or minus 2.66 times the mean moving range (Shewhart;
/// Wheeler, Understanding Variation, 1993: 2.66 is 3 over the 1.128 by which the range of two is larger than sigma). None with
/// fewer than eight.
#[must_use]
pub fn control(values: &[i64]) -> Option<(f64, f64, f64)> {
    if values.len() < 8 {
        return None;
    }
    let mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
    let ranges: u64 = values.windows(2).map(|pair| pair[1].abs_diff(pair[0])).sum();
    let wide = 2.66 * ranges as f64 / (values.len() - 1) as f64;
    Some((mean, (mean - wide).max(0.0), mean + wide))
}

/// How many times as many as usual a sum is, with its central 95 %: `sum` over some weeks, and `usual` over `weeks` of the same
/// length before. The logarithm of the ratio is taken as normal, with the variance of both sums (delta method). None where
/// either is not positive.
#[must_use]
pub fn ratio(
    sum: (i64, usize),
    usual: (i64, usize),
    spread: f64,
    districts: usize,
) -> Option<(f64, f64, f64)> {
    let ((now, weeks), (before, before_weeks)) = (sum, usual);
    if now <= 0 || before <= 0 || weeks == 0 || before_weeks == 0 {
        return None;
    }
    let (a, b) = (now as f64, before as f64);
    let of = |sum: f64, weeks: usize| Varies { spread, cells: districts * weeks }.variance(sum) / (sum * sum);
    let ratio = (a / weeks as f64) / (b / before_weeks as f64);
    let wide = 1.959_964 * (of(a, weeks) + of(b, before_weeks)).sqrt();
    Some((ratio, ratio * (-wide).exp(), ratio * wide.exp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_those_of_their_sources() {
        // Without noise and over-dispersion: Garwood's table, 10 seen, 4.80 to 18.39.
        let (low, high) = interval(10, Varies { spread: 1.0, cells: 0 });
        assert!((low - 4.795).abs() < 0.01 && (high - 18.391).abs() < 0.01, "{low} {high}");
        let wider = interval(10, Varies { spread: 1.0, cells: 13 });
        assert!(wider.0 < low && wider.1 > high, "{wider:?}");
        assert!(interval(-4, Varies { spread: 1.0, cells: 13 }).0.abs() < 1e-9);
        // 100 per 10,000 people: 1.96 times 10 of them either way.
        let (low, high) = funnel(0.01, 10_000.0, 1.96, Varies { spread: 1.0, cells: 0 });
        assert!((low - 0.008_04).abs() < 1e-6 && (high - 0.011_96).abs() < 1e-6, "{low} {high}");
        let (centre, low, high) = control(&[10, 12, 10, 12, 10, 12, 10, 12]).unwrap();
        assert!((centre - 11.0).abs() < 1e-9 && (high - 16.32).abs() < 1e-9 && (low - 5.68).abs() < 1e-9);
        assert_eq!(control(&[1; 7]), None);
        let (times, low, high) = ratio((30, 2), (75, 10), 1.0, 0).unwrap();
        assert!((times - 2.0).abs() < 1e-9);
        assert!(
            (low - 2.0 * (-1.959_964 * (1.0_f64 / 30.0 + 1.0 / 75.0).sqrt()).exp()).abs() < 1e-9
                && high > 3.0
        );
        assert_eq!(ratio((0, 2), (75, 10), 1.0, 9), None);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_sum(sum in -50_i64..5_000, spread in 1.0_f64..9.0, cells in 0_usize..200) {
            let (low, high) = interval(sum, Varies { spread, cells });
            prop_assert!(low >= 0.0 && low <= high);
            let sum = sum.max(0) as f64;
            prop_assert!(low <= sum * (1.0 + 1e-6) + 1e-9 && sum <= high * (1.0 + 1e-6));
        }
    }
}
