//! Unusual events, unusual plans, and what the seed promises.

use super::{
    tests::{agree, at, plan},
    *,
};

/// A quiet county: 300 cases over 30 places and 100 days, without a cluster of note.
fn quiet() -> Vec<Point> {
    (0..300_i32).map(|n| at(n * 37 % 6 * 700, n * 53 % 5 * 900, n * 61 % 100)).collect()
}

/// The same with five cases at one place in the last four days.
fn struck() -> Vec<Point> {
    let mut events = quiet();
    events.extend((95..100).map(|day| at(700, 900, day.max(96))));
    events
}

#[test]
fn a_strike_at_one_place_is_found() {
    let found = scan(&struck(), &Plan { replications: 999, ..plan(1_000, 14, 99) }).unwrap();
    let first = &found.clusters[0];
    assert_eq!((first.centre, first.radius_metres), ((700, 900), 0.0));
    assert_eq!((first.first_day, first.last_day), (96, 99));
    assert!(first.members.ends_with(&[300, 301, 302, 303, 304]), "{:?}", first.members);
    assert!(first.p <= 0.01 && first.p_tail.unwrap() <= 0.01, "{first:?}");
    assert_eq!(found.maxima.len(), 999);
}

#[test]
fn the_seed_decides_and_not_the_threads() {
    let on = |threads: usize, plan: Plan| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| scan(&struck(), &plan).unwrap())
    };
    for mode in [Mode::Alive, Mode::Any] {
        let plan = Plan { replications: 300, mode, ..plan(1_000, 14, 99) };
        assert_eq!(on(1, plan), on(3, plan));
        assert_ne!(on(1, plan).maxima, on(1, Plan { seed: 8, ..plan }).maxima);
        let plan = Plan { stop_early: Some(0.01), ..plan };
        assert_eq!(on(1, plan), on(2, plan));
    }
}

#[test]
fn what_cannot_matter_stops_early() {
    let long = Plan { replications: 9_999, ..plan(1_000, 14, 99) };
    let short = Plan { stop_early: Some(0.05), ..long };
    let (all, some) = (scan(&quiet(), &long).unwrap(), scan(&quiet(), &short).unwrap());
    assert_eq!(all.maxima.len(), 9_999);
    assert!(some.maxima.len() < 2_000, "{}", some.maxima.len());
    assert!(all.clusters[0].p > 0.05 && some.clusters[0].p > 0.05);
    assert_eq!(all.clusters[0].llr.to_bits(), some.clusters[0].llr.to_bits());
    // What does matter is dealt to the end, with the same answer.
    let [long, short] = [long, short].map(|plan| Plan { replications: 999, ..plan });
    assert_eq!(scan(&struck(), &long).unwrap(), scan(&struck(), &short).unwrap());
}

#[test]
fn more_windows_than_one_block_and_more_cases_than_a_byte_holds() {
    let mut events: Vec<Point> = (0..200).map(|n| at(n % 7 * 100, n % 5 * 100, n * 7 % 90)).collect();
    agree(&events, &plan(250, 85, 89)).unwrap();
    agree(&events, &Plan { mode: Mode::Any, ..plan(100, 40, 89) }).unwrap();
    // 300 of 400 on the last day, where 113 are expected: a byte is tried and given up.
    events = (0..1_064).map(|n| at(1_000 + n % 8 * 500, 0, n % 50)).collect();
    events.extend((0..400).map(|n| at(0, 0, if n < 300 { 50 } else { n % 50 })));
    let found = scan(&events, &Plan { replications: 19, ..plan(300, 2, 50) }).unwrap();
    assert_eq!((found.clusters[0].observed, found.clusters[0].first_day), (300, 50));
    assert!((found.clusters[0].p - 0.05).abs() < 1e-12);
    agree(&events, &plan(300, 2, 50)).unwrap();
    // And where far more are expected it is not tried.
    events.extend((0..1_500).map(|n| at(0, 300, 49 + n % 2)));
    events.extend((0..1_500).map(|n| at(9_000, 300, 49 + n % 2)));
    agree(&events, &plan(300, 2, 50)).unwrap();
}

#[test]
fn nothing_comes_of_nothing() {
    let plan = Plan { replications: 99, ..plan(500, 7, 40) };
    let nothing = Scan { clusters: vec![], maxima: vec![], tail: None };
    for mode in [Mode::Alive, Mode::Any] {
        let plan = Plan { mode, ..plan };
        assert_eq!(scan(&[], &plan).unwrap(), nothing);
        assert_eq!(scan(&[at(0, 0, 5)], &plan).unwrap(), nothing);
        // All at one place and day: a circle with every case is no cluster, whatever the share.
        assert_eq!(scan(&[at(0, 0, 5); 50], &plan).unwrap(), nothing);
        let whole = Plan { limits: Limits { share: 1.0, ..plan.limits }, ..plan };
        assert_eq!(scan(&[at(0, 0, 5); 50], &whole).unwrap(), nothing);
        assert_eq!(scan(&[at(0, 0, 5)], &whole).unwrap(), nothing);
    }
    // Nothing in the last week: no window is alive.
    assert_eq!(scan(&[at(0, 0, 5), at(0, 0, 5), at(900, 0, 7), at(900, 0, 8)], &plan).unwrap(), nothing);
}

#[test]
fn the_ends_of_the_grid_and_of_time_are_in_order() {
    let (low, high) = (i32::MIN, i32::MAX);
    let mut events = vec![at(low, low, low), at(low, high, low), at(high, low, 0), at(high, 0, 5)];
    events.extend([at(high, high, high), at(high, high - 1, high), at(high - 3, high, high)]);
    for (mode, centres) in [
        (Mode::Alive, Centres::Places),
        (Mode::Any, Centres::Places),
        (Mode::Any, Centres::Lattice { metres: 500_000 }),
    ] {
        let mut plan =
            Plan { first_day: low, mode, centres, replications: 9, ..plan(2_000_000, 200_000, high) };
        plan.limits.share = 0.9;
        let found = scan(&events, &plan).unwrap();
        assert_eq!(found.clusters[0].members, [4, 5, 6], "{mode:?}");
    }
}

#[test]
fn impossible_plans_are_refused() {
    let good = Plan { replications: 9, ..plan(500, 7, 99) };
    let refused = |events: &[Point], plan: Plan| scan(events, &plan).unwrap_err().to_string();
    let limited = |limits: Limits| refused(&quiet(), Plan { limits, ..good });
    assert!(limited(Limits { days: 0, ..good.limits }).contains("1 or more"));
    assert!(limited(Limits { days: u32::MAX, ..good.limits }).contains("200,000 days"));
    assert!(limited(Limits { metres: u32::MAX, ..good.limits }).contains("2,000,000 metres"));
    for share in [0.0, -0.5, 1.01, f64::NAN, f64::INFINITY] {
        assert!(limited(Limits { share, ..good.limits }).contains("more than 0"));
    }
    for level in [0.0, 1.0, f64::NAN] {
        assert!(refused(&[], Plan { stop_early: Some(level), ..good }).contains("probability"));
    }
    assert!(refused(&[], Plan { first_day: 100, ..good }).contains("before its first day"));
    assert!(refused(&[at(0, 0, 3), at(0, 0, 100)], good).contains("event 1 is of day 100"));
    assert!(refused(&[at(0, 0, -1)], good).contains("outside the study"));
    assert!(refused(&[], Plan { replications: 10_000_000, ..good }).contains("1,000,000"));
    assert!(refused(&quiet(), Plan { centres: Centres::Lattice { metres: 0 }, ..good }).contains("1 metre"));
    let fine = Plan { centres: Centres::Lattice { metres: 1 }, ..good };
    assert!(
        refused(&quiet(), Plan { limits: Limits { metres: 5_000, ..good.limits }, ..fine }).contains("wider")
    );
    assert!(refused(&vec![at(0, 0, 0); 1_000_001], good).contains("too many"));
    // 3,000 days, any window of up to 3,000 days: millions of windows.
    let daily: Vec<Point> = (0..6_000).map(|n| at(n % 40, 0, n % 3_000)).collect();
    assert!(refused(&daily, Plan { mode: Mode::Any, ..plan(5, 3_000, 2_999) }).contains("too many windows"));
}

#[test]
fn without_replications_nothing_is_improbable() {
    let found = scan(&struck(), &plan(0, 14, 99)).unwrap();
    assert!(found.clusters.len() > 1 && found.maxima.is_empty());
    assert!(found.clusters.iter().all(|cluster| (cluster.p - 1.0).abs() < 1e-12 && cluster.p_tail.is_none()));
}
