//! A reference method on the windows of a rule: the past is cut into windows of the same length that end where the
//! judged one begins, and the method says what is usual.

use super::{
    Expectation,
    reference::{Control, Detail, EarsMethod, History, Method, judge},
};

/// Whether a method says how its counts vary, so that a rule can ask how rare one is. EARS C3 and CUSUM say no more than
/// that they alarm.
#[must_use]
pub fn tells_rarity(method: Method) -> bool {
    !matches!(method, Method::Ears(EarsMethod::C3) | Method::Cusum)
}

/// Whether a year is a whole number of windows of so many days, within a week: Farrington's methods look back by years.
#[must_use]
pub fn fits_a_year(days: u32) -> bool {
    let days = f64::from(days.max(1));
    ((365.25 / days).round() * days - 365.25).abs() <= 7.0
}

/// What a method thinks is usual for the last `days` of daily counts; none where it has no model, or too little history.
///
/// Farrington flexible as Noufaily et al. 2013 recommend (ten season groups, 26 weeks before the window left out,
/// reweighting beyond 2.58, trend kept), with as many of five years as there are; the count is negative binomial with the
/// method's mean and dispersion. EARS: mean and standard deviation of its seven windows, matched by a negative binomial
/// (never less varied than Poisson). No mean is taken below half an incident in all of the history. Late reports are not
/// allowed for: these methods know nothing of them, so a rule should wait for them (`wait_for_late_reports`). How rare a
/// count is by this expectation is the method's own belief; only the house method's has been calibrated.
#[must_use]
pub fn usual_by(method: Method, counts: &[u32], days: usize) -> Option<Expectation> {
    let blocks: Vec<Option<u64>> = counts
        .rchunks_exact(days.max(1))
        .rev()
        .map(|block| Some(block.iter().map(|count| u64::from(*count)).sum()))
        .collect();
    let a_year = ((365.25 / days.max(1) as f64).round() as usize).max(1);
    let control = Control::from_json(method, &settings(method, blocks.len(), a_year, days)?).ok()?;
    let history = History::indexed(&blocks, u32::try_from(a_year).ok()?).ok()?;
    let verdict = *judge(&history, &control, history.last(1)).ok()?.first()?;
    let mean = verdict.expected?.max(0.5 / blocks.len() as f64);
    let variance = match verdict.detail {
        Detail::Farrington { phi, .. } => phi? * mean,
        Detail::Ears { sigma } => sigma?.powi(2),
        Detail::Cusum { .. } => return None,
    };
    let size = if variance > mean * (1.0 + 1e-9) { mean * mean / (variance - mean) } else { f64::INFINITY };
    Expectation::new(mean, size).ok()
}

/// The settings for a history of so many windows, as JSON in R's names; none when it is shorter than a year and a half.
fn settings(method: Method, windows: usize, a_year: usize, days: usize) -> Option<String> {
    let half = (21 / days.max(1)).max(1);
    let left_out = (182 / days.max(1)).max(1);
    let years = (windows.checked_sub(1 + half)? / a_year).min(5);
    match method {
        Method::Ears(_) => Some("{}".into()),
        Method::FarringtonFlexible if years > 0 => {
            let groups = if a_year >= 52 { 10 } else { 1 };
            Some(format!(
                r#"{{"b": {years}, "w": {half}, "noPeriods": {groups}, "pastWeeksNotIncluded": {left_out},
                "trend": true, "pThresholdTrend": 1, "reweight": true, "weightsThreshold": 2.58,
                "limit54": [0, 4], "thresholdMethod": "nbPlugin"}}"#
            ))
        }
        Method::Farrington1996 if years > 0 => {
            Some(format!(r#"{{"b": {years}, "w": {half}, "limit54": [0, 4]}}"#))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_steady_series_is_usual_by_every_method_that_tells_rarity() {
        let counts: Vec<u32> =
            (0..2_000).map(|day| u32::from(day % 7 == 2) * (2 + u32::from(day % 3 == 0))).collect();
        for method in Method::ALL.into_iter().filter(|method| tells_rarity(*method)) {
            for days in [7, 28] {
                let usual =
                    usual_by(method, &counts, days).unwrap_or_else(|| panic!("{method} over {days} days"));
                let mean = 2.33 * days as f64 / 7.0;
                assert!((usual.mean() / mean - 1.0).abs() < 0.2, "{method} over {days} days: {usual:?}");
            }
        }
        assert!(usual_by(Method::FarringtonFlexible, &counts[..300], 7).is_none(), "no year to learn from");
        assert!(usual_by(Method::Cusum, &counts, 7).is_none());
        assert!(
            [1, 7, 14, 28, 91].into_iter().all(fits_a_year) && ![50, 56, 300].into_iter().any(fits_a_year)
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(counts in proptest::collection::vec(0_u32..2_000_000, 0..900), days in 0_usize..40) {
            for method in Method::ALL {
                let _ = usual_by(method, &counts, days);
            }
        }
    }
}
