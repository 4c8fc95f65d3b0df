//! Control of false discoveries.

/// Which of many p-values are discoveries when at most this share of all discoveries may be false, on average.
///
/// The step-up rule of Benjamini and Hochberg (JRSS B 1995, 57, 289-300): with m values in order, the largest k with
/// p(k) <= share k / m, and all up to it. It keeps its promise for independent values and for those that depend positively
/// (Benjamini and Yekutieli, Annals of Statistics 2001, 29, 1165-1188). A value that is not a number is no discovery.
#[must_use]
pub fn discoveries(p_values: &[f64], share: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = p_values.iter().copied().filter(|p| p.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let m = sorted.len() as f64;
    let limit = sorted.iter().enumerate().rev().find(|(k, p)| **p <= share * (*k as f64 + 1.0) / m);
    let limit = limit.map(|(_, p)| *p);
    p_values.iter().map(|p| limit.is_some_and(|limit| *p <= limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_step_goes_up_to_the_last_that_fits() {
        // 0.04 is above its own step but below that of the next, which fits.
        let found = discoveries(&[0.9, 0.001, 0.04, 0.05, f64::NAN], 0.1);
        assert_eq!(found, [false, true, true, true, false]);
        assert_eq!(discoveries(&[0.5, 0.9], 0.1), [false, false]);
        assert!(discoveries(&[], 0.1).is_empty());
    }

    proptest! {
        #[test]
        fn a_larger_share_finds_no_less(p in proptest::collection::vec(0.0_f64..1.0, 0..60), share in 0.01_f64..0.5) {
            let (few, more) = (discoveries(&p, share), discoveries(&p, 2.0 * share));
            prop_assert!(few.iter().zip(&more).all(|(few, more)| !few || *more));
        }
    }
}
