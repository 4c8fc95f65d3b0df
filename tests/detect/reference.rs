//! Whatever comes in, what comes out is a verdict with finite figures or an error that says what to do.

use chrono::{Days, Months, NaiveDate};
use proptest::prelude::*;
use tension_watch::detect::reference::{
    Control, Detail, EarsMethod, FlexibleControl, History, Method, Verdict, judge,
};

fn counts() -> impl Strategy<Value = Vec<Option<u64>>> {
    let usual = prop_oneof![8 => (0_u64..6).prop_map(Some), 1 => Just(None)];
    let odd = prop_oneof![6 => 0_u64..4, 2 => 0_u64..60, 1 => Just(1_000_000_000_u64), 1 => Just(u64::MAX)];
    let wild = prop_oneof![8 => odd.prop_map(Some), 1 => Just(None)];
    // Half of the series are long enough for several years.
    let n = prop_oneof![1_usize..420, 250_usize..420].boxed();
    let drawn = |value: BoxedStrategy<Option<u64>>| {
        n.clone().prop_flat_map(move |n| prop::collection::vec(value.clone(), n))
    };
    prop_oneof![
        drawn(usual.boxed()),
        drawn(wild.boxed()),
        (0_u64..9, n.clone()).prop_map(|(value, n)| vec![Some(value); n]),
        n.clone().prop_map(|n| vec![None; n]),
        (n.clone(), 0_usize..90, 0_u64..2_000_000_000).prop_map(|(n, back, value)| {
            let mut counts = vec![Some(0); n];
            let at = n.saturating_sub(back + 1);
            counts[at] = Some(value);
            counts
        }),
    ]
}

fn calendar(n: usize, freq: u32, start: NaiveDate) -> Vec<NaiveDate> {
    let step = |i: usize| match freq {
        12 => start + Months::new(i as u32),
        52 => start + Days::new(7 * i as u64),
        _ => start + Days::new(i as u64),
    };
    (0..n).map(step).collect()
}

fn control() -> impl Strategy<Value = Control> {
    let yes = any::<bool>();
    let threshold = prop::sample::select(vec!["delta", "nbPlugin", "muan"]);
    let power = prop::sample::select(vec!["2/3", "1/2", "none"]);
    let flexible = (1_u32..6, 0_usize..9, yes, yes, 1_usize..12, 0_usize..30, threshold, power.clone())
        .prop_map(|(b, w, trend, reweight, periods, left_out, threshold, power)| {
            let json = format!(
                r#"{{"b": {b}, "w": {w}, "trend": {trend}, "reweight": {reweight}, "noPeriods": {periods},
                "pastWeeksNotIncluded": {left_out}, "thresholdMethod": "{threshold}", "powertrans": "{power}",
                "limit54": [0, 4], "alpha": 0.01, "pThresholdTrend": 1}}"#
            );
            Control::from_json(Method::FarringtonFlexible, &json).unwrap()
        });
    let older = (1_u32..6, 0_usize..9, yes, yes, power).prop_map(|(b, w, trend, reweight, power)| {
        let json = format!(
            r#"{{"b": {b}, "w": {w}, "trend": {trend}, "reweight": {reweight}, "powertrans": "{power}",
            "limit54": [0, 4]}}"#
        );
        Control::from_json(Method::Farrington1996, &json).unwrap()
    });
    let ears = (prop::sample::select(Method::ALL[2..5].to_vec()), 2_usize..20, 0.0_f64..1.0).prop_map(
        |(method, baseline, sigma)| {
            let sigma = if sigma < 0.5 { 0.0 } else { sigma };
            Control::from_json(method, &format!(r#"{{"baseline": {baseline}, "minSigma": {sigma}}}"#))
                .unwrap()
        },
    );
    let trans = prop::sample::select(vec!["standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin"]);
    let mean = prop::sample::select(vec!["null", "\"glm\"", "3.5"]);
    let cusum = (trans, mean).prop_map(|(trans, mean)| {
        let json = format!(r#"{{"trans": "{trans}", "m": {mean}, "alpha": 0.3}}"#);
        Control::from_json(Method::Cusum, &json).unwrap()
    });
    prop_oneof![4 => flexible, 2 => older, 1 => ears, 1 => cusum]
}

fn sound(verdict: &Verdict) -> Result<(), TestCaseError> {
    let more = match verdict.detail {
        Detail::Farrington { phi, trend } => [phi, trend],
        Detail::Ears { sigma } => [sigma, None],
        Detail::Cusum { sum } => [sum, None],
    };
    for figure in
        [verdict.expected, verdict.upper, verdict.p_value, verdict.score].into_iter().chain(more).flatten()
    {
        prop_assert!(figure.is_finite(), "{verdict:?}");
    }
    prop_assert!(verdict.expected.is_none_or(|mean| mean >= 0.0), "{verdict:?}");
    prop_assert!(verdict.upper.is_none_or(|upper| upper >= 0.0), "{verdict:?}");
    prop_assert!(verdict.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{verdict:?}");
    prop_assert!(!verdict.alarm || verdict.observed.is_some(), "{verdict:?}");
    let without_score = verdict.score.is_none() && !matches!(verdict.detail, Detail::Ears { .. });
    prop_assert!(!(verdict.alarm && without_score), "{verdict:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_every_figure_is_one(
        counts in counts(), control in control(), freq in 1_u32..60, last in 0_usize..25,
    ) {
        let history = History::indexed(&counts, freq).unwrap();
        match judge(&history, &control, history.last(last)) {
            Ok(verdicts) => {
                prop_assert_eq!(verdicts.len(), last.min(counts.len()));
                for verdict in &verdicts {
                    sound(verdict)?;
                }
            }
            Err(error) => prop_assert!(error.to_string().contains("judg"), "{}", error),
        }
    }

    #[test]
    fn dates_do_not_change_that(
        counts in counts(), control in control(), freq in prop::sample::select(vec![12_u32, 52, 365]),
        first in 0_u64..4000, last in 0_usize..25,
    ) {
        let dates = calendar(counts.len(), freq, NaiveDate::from_ymd_opt(1995, 12, 28).unwrap() + Days::new(first));
        let history = History::dated(&counts, &dates, freq).unwrap();
        for verdict in judge(&history, &control, history.last(last)).unwrap_or_default() {
            sound(&verdict)?;
        }
    }

    #[test]
    fn more_cases_in_the_judged_period_are_never_less_alarming(
        mut counts in prop::collection::vec((0_u64..8).prop_map(Some), 330..360),
        control in control(), more in 1_u64..40,
    ) {
        // C3 looks at the two periods before only; that oddity of R is its own.
        if matches!(&control, Control::Ears(ears) if ears.method() == EarsMethod::C3) {
            return Ok(());
        }
        let judged = |counts: &[Option<u64>]| {
            let history = History::indexed(counts, 52).unwrap();
            judge(&history, &control, history.last(1)).unwrap()[0]
        };
        let fewer = judged(&counts);
        let last = counts.last_mut().unwrap();
        *last = last.map(|count| count + more);
        let higher = judged(&counts);
        prop_assert_eq!(fewer.expected, higher.expected);
        prop_assert!(higher.score >= fewer.score, "{:?} {:?}", fewer, higher);
        prop_assert!(higher.p_value <= fewer.p_value, "{:?} {:?}", fewer, higher);
        prop_assert!(higher.alarm >= fewer.alarm, "{:?} {:?}", fewer, higher);
    }

    #[test]
    fn any_text_is_a_control_or_an_error(text: String, which in 0_usize..6) {
        let _ = Control::from_json(Method::ALL[which], &text);
        let _ = Control::from_json(Method::ALL[which], &format!("{{\"alpha\": {text}}}"));
    }
}

#[test]
fn asking_beyond_the_end_is_an_error() {
    let history = History::indexed(&[Some(1); 400], 52).unwrap();
    for method in Method::ALL {
        let told = judge(&history, &Control::default_for(method), 399..401).unwrap_err().to_string();
        assert_eq!(told, "asked to judge up to period 401 of a series of 400; judge fewer periods");
        assert_eq!(judge(&history, &Control::default_for(method), 300..300), Ok(Vec::new()));
    }
}

#[test]
fn too_short_a_series_says_what_is_missing() {
    let history = History::indexed(&[Some(1); 20], 52).unwrap();
    let told = |method| judge(&history, &Control::default_for(method), 0..20).unwrap_err().to_string();
    assert_eq!(
        told(Method::FarringtonFlexible),
        "judging period 1 needs counts back to 5 years earlier, before the series begins; lower b or judge fewer \
         periods"
    );
    assert_eq!(
        told(Method::Farrington1996),
        "judging period 1 needs counts back to at least one year earlier, before the series begins; judge fewer periods"
    );
    assert_eq!(
        told(Method::Ears(EarsMethod::C3)),
        "judging period 1 needs counts back to 11 periods earlier, before the series begins; lower baseline or judge \
         fewer periods"
    );
    assert_eq!(told(Method::Cusum), "there is no count before period 1 to learn from; judge fewer periods");
}

#[test]
fn settings_built_by_hand_are_checked_too() {
    let history = History::indexed(&[Some(1); 400], 52).unwrap();
    let control = FlexibleControl { no_periods: 0, ..FlexibleControl::default() };
    assert_eq!(
        judge(&history, &Control::FarringtonFlexible(control), history.last(1)).unwrap_err().to_string(),
        "the settings do not fit: `noPeriods` is 0; give the number of season groups, for example 10; 1 switches them \
         off"
    );
}

#[test]
fn years_without_a_case_have_no_model_and_no_alarm() {
    let mut counts = vec![Some(0); 312];
    counts[311] = Some(3);
    let history = History::indexed(&counts, 52).unwrap();
    let control =
        Control::from_json(Method::FarringtonFlexible, r#"{"noPeriods": 10, "limit54": [0, 4]}"#).unwrap();
    let verdict = judge(&history, &control, history.last(1)).unwrap()[0];
    assert_eq!((verdict.expected, verdict.upper, verdict.alarm), (None, None, false));
}
