//! What the house method promises of any input.

use proptest::prelude::*;
use tension_watch::detect::house::{Control, Night, Series, Verdict, judge};

/// Counts that look random, from a seed: a small linear congruence, so that no test depends on a generator's version.
fn counts(seed: u64, blocks: usize, mean: f64) -> Vec<Option<u32>> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..blocks)
        .map(|_| {
            let (limit, mut product, mut count) = ((-mean).exp(), unit(), 0);
            while product > limit {
                product *= unit();
                count += 1;
            }
            Some(count)
        })
        .collect()
}

fn night(group: &[Vec<Option<u32>>], t: usize) -> Option<Night> {
    let series: Vec<Series<'_>> = group.iter().map(|counts| Series { counts, exposure: &[] }).collect();
    judge(&series, t, &Control::blocks(52.0))
}

fn verdicts(group: &[Vec<Option<u32>>], t: usize) -> Vec<Verdict> {
    night(group, t).map(|night| night.verdicts.into_iter().flatten().collect()).unwrap_or_default()
}

fn sound(night: &Night) -> bool {
    let fine = |v: &Verdict| {
        let numbers = [v.observed, v.expected, v.score];
        let windows = v.windows.iter().all(|w| {
            [w.observed, w.expected, w.size].iter().all(|x| x.is_finite() && *x >= 0.0)
                && [w.p_upper, w.p_lower].iter().all(|p| (0.0..=1.0).contains(p))
        });
        windows
            && numbers.iter().all(|x| x.is_finite())
            && (0.0..=1.0).contains(&v.p_upper)
            && (0.0..=1.0).contains(&v.p_lower)
            && v.usual.0 <= v.usual.1
    };
    night.dispersion.is_finite() && night.verdicts.iter().flatten().all(fine)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()) + 1e-9
}

#[test]
fn odd_inputs_have_a_stated_result() {
    assert!(judge(&[], 10, &Control::blocks(52.0)).is_none());
    assert!(night(&[vec![]], 0).is_none());
    assert!(night(&[vec![Some(3)]], 0).is_none());
    let zeros = vec![Some(0); 200];
    let calm = verdicts(&[zeros.clone(), zeros.clone()], 199);
    assert!(calm.iter().all(|v| v.p_upper > 0.4 && v.expected < 0.1), "{calm:?}");
    let mut gap = counts(3, 200, 2.0);
    gap[199] = None;
    assert_eq!(night(&[gap], 199).map(|night| night.verdicts), Some(vec![None]));
    for odd in
        [vec![Some(7); 200], vec![Some(1_000_000_000); 200], vec![None; 200], vec![Some(u32::MAX); 200]]
    {
        assert!(night(std::slice::from_ref(&odd), 199).is_none_or(|night| sound(&night)), "{:?}", odd[0]);
        assert!(night(&[odd, zeros.clone()], 199).is_some_and(|night| sound(&night)));
    }
}

#[test]
fn a_slip_of_the_pen_in_the_past_does_not_matter() {
    let clean = counts(5, 300, 1.0);
    let mut slipped = clean.clone();
    slipped[120] = Some(1_000_000_000);
    let (clean, slipped) = (verdicts(&[clean], 299), verdicts(&[slipped], 299));
    assert!((slipped[0].expected / clean[0].expected - 1.0).abs() < 0.05, "{clean:?} {slipped:?}");
}

#[test]
fn past_outbreaks_stop_mattering() {
    let (mut before, mut after) = (0.0, 0.0);
    for seed in 0..12 {
        let clean = counts(600 + seed, 300, 0.3);
        let mut sick = clean.clone();
        for week in [100, 101, 102, 160, 161, 220] {
            sick[week] = Some(6);
        }
        let (a, b) = (verdicts(&[clean], 299)[0].expected, verdicts(&[sick], 299)[0].expected);
        (before, after) = (before + a, after + b);
    }
    // Left in, they would raise the mean by 40 %.
    assert!((after / before - 1.0).abs() < 0.1, "{before} {after}");
}

#[test]
fn a_step_in_recording_is_found_and_rebased() {
    let group: Vec<_> =
        (0..10_u64).map(|ward| [counts(ward + 20, 150, 1.0), counts(ward + 90, 60, 2.5)].concat()).collect();
    let night = night(&group, 209);
    assert!(night.is_some());
    let Some(night) = night else { return };
    assert!(night.steps.iter().any(|step| step.abs_diff(150) <= 4), "{:?}", night.steps);
    let expected: f64 = night.verdicts.iter().flatten().map(|v| v.expected).sum();
    assert!((22.0..28.0).contains(&expected), "{expected}");
}

#[test]
fn a_burst_and_a_slow_rise_are_seen_and_a_burst_that_is_over_is_not() {
    let quiet: Vec<_> = (0..10_u64).map(|ward| counts(ward + 300, 260, 0.3)).collect();
    let with = |added: &[(usize, u32)]| {
        let mut group = quiet.clone();
        for &(week, more) in added {
            group[0][week] = group[0][week].map(|count| count + more);
        }
        verdicts(&group, 259).remove(0)
    };
    let usual = with(&[]);
    let burst = with(&[(259, 5)]);
    let slow: Vec<(usize, u32)> = (252..260).map(|week| (week, 1)).collect();
    let slow = with(&slow);
    let over = with(&[(254, 8)]);
    assert!(burst.p_upper < 1e-3, "{burst:?}");
    assert!(slow.p_upper < 0.02 && slow.score > usual.score + 2.0, "{slow:?}");
    assert!(over.p_upper > 0.02, "{over:?}");
}

#[test]
fn late_reports_are_allowed_for() {
    let counts = counts(9, 200, 4.0);
    let mut exposure = vec![1.0; 200];
    exposure[199] = 0.5;
    let control = Control::blocks(52.0);
    let expected = |exposure: &[f64]| {
        let series = [Series { counts: &counts, exposure }];
        judge(&series, 199, &control).and_then(|night| night.verdicts[0].as_ref().map(|v| v.expected))
    };
    let (whole, half) = (expected(&[]).unwrap_or(0.0), expected(&exposure).unwrap_or(0.0));
    assert!(near(half * 2.0, whole), "{half} {whole}");
}

#[test]
fn months_and_days_work_too() {
    for (freq, blocks, mean) in [(12.0, 72, 3.0), (365.0, 800, 0.2)] {
        let counts = counts(11, blocks, mean);
        let night = judge(&[Series { counts: &counts, exposure: &[] }], blocks - 1, &Control::blocks(freq));
        assert!(night.is_some_and(|night| sound(&night)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn more_incidents_never_lower_the_score(seed in 0_u64..10_000, mean in 0.01_f64..20.0, wards in 1_usize..6) {
        let mut group: Vec<_> = (0..wards as u64).map(|ward| counts(seed + ward, 150, mean)).collect();
        let mut last: Option<Verdict> = None;
        for count in [0, 1, 2, 3, 5, 8, 20, 100, 5_000, 1_000_000, 1_000_000_000] {
            group[0][149] = Some(count);
            let now = verdicts(&group, 149).remove(0);
            if let Some(last) = last {
                prop_assert!(now.score >= last.score - 1e-6 * last.score.abs());
                prop_assert!(now.p_upper <= last.p_upper + 1e-9, "{count} {} {}", now.p_upper, last.p_upper);
                prop_assert!(now.p_lower >= last.p_lower - 1e-9);
            }
            last = Some(now);
        }
    }

    #[test]
    fn the_order_of_wards_changes_nothing(seed in 0_u64..10_000, mean in 0.05_f64..5.0, turn in 1_usize..5) {
        let group: Vec<_> = (0..6).map(|ward| counts(seed + ward, 180, mean * (1 + ward) as f64 / 3.0)).collect();
        let mut turned = group.clone();
        turned.rotate_left(turn);
        let (mut a, b) = (verdicts(&group, 179), verdicts(&turned, 179));
        a.rotate_left(turn);
        for (a, b) in a.iter().zip(&b) {
            // The score is a logarithm: what is relative in the odds is absolute in it, also around 0.
            let same_odds = (a.score - b.score).abs() <= 1e-6;
            prop_assert!(near(a.p_upper, b.p_upper) && same_odds && near(a.expected, b.expected), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_history_so_many_times_as_large_is_expected_to_go_on_so(
        seed in 0_u64..10_000, mean in 0.5_f64..5.0, times in 2_u32..6,
    ) {
        let group: Vec<_> = (0..4).map(|ward| counts(seed + ward * 77, 200, mean)).collect();
        let larger: Vec<Vec<Option<u32>>> =
            group.iter().map(|counts| counts.iter().map(|count| count.map(|count| times * count)).collect()).collect();
        for (one, many) in verdicts(&group, 199).iter().zip(&verdicts(&larger, 199)) {
            let ratio = many.expected / one.expected / f64::from(times);
            prop_assert!((0.8..1.25).contains(&ratio), "{} and {}", one.expected, many.expected);
        }
    }

    #[test]
    fn the_future_is_not_read(seed in 0_u64..10_000, t in 80_usize..150, noise in 0_u32..1000) {
        let group: Vec<_> = (0..4).map(|ward| counts(seed + ward, 150, 0.5)).collect();
        let cut: Vec<_> = group.iter().map(|one| one[..=t].to_vec()).collect();
        let mut other = group.clone();
        for one in &mut other {
            one[t + 1..].fill(Some(noise));
        }
        let whole = night(&group, t);
        prop_assert_eq!(&whole, &night(&cut, t));
        prop_assert_eq!(&whole, &night(&other, t));
    }

    #[test]
    fn nothing_makes_it_stumble(
        group in proptest::collection::vec(proptest::collection::vec(proptest::option::weighted(0.8, prop_oneof![
            8 => 0_u32..4, 2 => 0_u32..1000, 1 => Just(1_000_000_000_u32), 1 => any::<u32>(),
        ]), 0..160), 0..5),
        exposure in proptest::collection::vec(prop_oneof![
            6 => 0.1_f64..2.0, 1 => Just(0.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(-1.0), 1 => Just(1e300),
        ], 0..160),
        t in 0_usize..170,
        freq in prop_oneof![Just(52.0), Just(12.0), Just(365.0), Just(f64::NAN), Just(0.0)],
    ) {
        let series: Vec<Series<'_>> =
            group.iter().map(|counts| Series { counts, exposure: &exposure }).collect();
        if let Some(night) = judge(&series, t, &Control::blocks(freq)) {
            prop_assert!(sound(&night), "{night:?}");
        }
    }
}
