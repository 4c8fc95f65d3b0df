//! Against the definition, case by case.

use super::*;
use proptest::prelude::*;

pub(super) fn plan(metres: u32, days: u32, last_day: i32) -> Plan {
    Plan {
        limits: Limits { metres, days, share: 0.5, least_cases: 2 },
        first_day: 0,
        last_day,
        mode: Mode::Alive,
        centres: Centres::Places,
        replications: 0,
        seed: 7,
        stop_early: None,
    }
}

pub(super) fn at(easting: i32, northing: i32, day: i32) -> Point {
    Point { easting, northing, day }
}

fn apart(event: Point, centre: (i32, i32)) -> i64 {
    zones::squared([event.easting.into(), event.northing.into()], [centre.0.into(), centre.1.into()])
}

/// The ratio as the paper has it.
fn ratio(inside: f64, expected: f64, all: f64) -> f64 {
    let outside = if inside < all { (all - inside) * ((all - inside) / (all - expected)).ln() } else { 0.0 };
    if inside > expected { inside * (inside / expected).ln() + outside } else { 0.0 }
}

/// Every circle about every centre crossed with every run of days, counted case by case; those that reach a place
/// already taken left out.
fn by_definition(events: &[Point], plan: &Plan, centres: &[(i32, i32)], taken: &[Point]) -> f64 {
    let all = events.len() as f64;
    let limits = plan.limits;
    let mut best = 0.0_f64;
    for &centre in centres {
        let mut radii: Vec<i64> = events.iter().map(|&event| apart(event, centre)).collect();
        radii.sort_unstable();
        radii.dedup();
        for radius in radii.into_iter().filter(|radius| *radius <= i64::from(limits.metres).pow(2)) {
            let zone: Vec<&Point> = events.iter().filter(|event| apart(**event, centre) <= radius).collect();
            if zone.len() as f64 > limits.share * all
                || taken.iter().any(|event| apart(*event, centre) <= radius)
            {
                continue;
            }
            for last in plan.first_day..=plan.last_day {
                if plan.mode == Mode::Alive && last != plan.last_day {
                    continue;
                }
                for first in (last - limits.days as i32 + 1).max(plan.first_day)..=last {
                    let within = |event: &&Point| (first..=last).contains(&event.day);
                    let inside = zone.iter().copied().filter(within).count();
                    let expected = zone.len() as f64 * events.iter().filter(within).count() as f64 / all;
                    if inside >= limits.least_cases as usize {
                        best = best.max(ratio(inside as f64, expected, all));
                    }
                }
            }
        }
    }
    best
}

fn centres(events: &[Point], plan: &Plan) -> Vec<(i32, i32)> {
    let zones = Zones::new(&Places::new(events), plan).unwrap();
    zones.centres.iter().map(|centre| (centre[0] as i32, centre[1] as i32)).collect()
}

/// That each cluster is what it says, and that nothing better was left.
pub(super) fn agree(events: &[Point], plan: &Plan) -> Result<(), TestCaseError> {
    let found = scan(events, plan).unwrap();
    let centres = centres(events, plan);
    let mut taken: Vec<Point> = Vec::new();
    for cluster in &found.clusters {
        let best = by_definition(events, plan, &centres, &taken);
        prop_assert!((cluster.llr - best).abs() < 1e-9, "{} {best}", cluster.llr);
        let radius = (cluster.radius_metres * cluster.radius_metres).round() as i64;
        let zone: Vec<usize> =
            (0..events.len()).filter(|&index| apart(events[index], cluster.centre) <= radius).collect();
        let window = cluster.first_day..=cluster.last_day;
        let members: Vec<usize> =
            zone.iter().copied().filter(|&index| window.contains(&events[index].day)).collect();
        let dates = events.iter().filter(|event| window.contains(&event.day)).count();
        prop_assert_eq!(&members, &cluster.members);
        prop_assert_eq!(members.len(), cluster.observed as usize);
        prop_assert!((cluster.expected - (zone.len() * dates) as f64 / events.len() as f64).abs() < 1e-9);
        taken.extend(zone.iter().map(|&index| events[index]));
    }
    let left = by_definition(events, plan, &centres, &taken);
    prop_assert!(left.abs() < 1e-9, "{} was left", left);
    Ok(())
}

fn some_events(most: usize) -> impl Strategy<Value = Vec<Point>> {
    // A coarse grid makes ties of distance and shared places common.
    let event = (0_i32..12, 0_i32..12, 0_i32..40).prop_map(|(e, n, day)| at(e * 100, n * 100, day));
    prop::collection::vec(event, 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn living_clusters_are_those_of_the_definition(
        events in some_events(60), metres in 0_u32..700, days in 1_u32..40, share in 0.05_f64..=1.0, least in 0_u32..4,
    ) {
        let mut plan = plan(metres, days, 39);
        plan.limits.share = share;
        plan.limits.least_cases = least;
        agree(&events, &plan)?;
        plan.centres = Centres::Lattice { metres: 150 };
        agree(&events, &plan)?;
    }

    #[test]
    fn all_clusters_are_those_of_the_definition(events in some_events(30), metres in 0_u32..500, days in 1_u32..36) {
        agree(&events, &Plan { mode: Mode::Any, ..plan(metres, days, 39) })?;
    }

    #[test]
    fn order_and_origin_change_nothing(
        events in some_events(50).prop_shuffle(), east in -90_000_i32..90_000, north in -90_000_i32..90_000,
    ) {
        let plan = Plan { replications: 99, ..plan(400, 14, 39) };
        let here = scan(&events, &plan).unwrap();
        let moved: Vec<Point> =
            events.iter().rev().map(|e| at(e.easting + east, e.northing + north, e.day + 500)).collect();
        // A longer study changes nothing either.
        let there = scan(&moved, &Plan { first_day: 0, last_day: 539, ..plan }).unwrap();
        prop_assert_eq!(here.maxima, there.maxima);
        prop_assert_eq!(here.clusters.len(), there.clusters.len());
        for (a, b) in here.clusters.into_iter().zip(there.clusters) {
            let mut members: Vec<usize> = b.members.iter().map(|index| events.len() - 1 - index).collect();
            members.sort_unstable();
            let back = ScanWindow {
                centre: (b.centre.0 - east, b.centre.1 - north),
                first_day: b.first_day - 500, last_day: b.last_day - 500, members, ..b
            };
            prop_assert_eq!(a, back);
        }
    }
}

#[test]
fn chance_deals_every_order_alike() {
    // Six cases have 720 orders of their dates: the exact probability against 20,000 replications.
    let events = [at(0, 0, 9), at(0, 0, 8), at(900, 0, 1), at(0, 900, 9), at(900, 0, 2), at(0, 0, 3)];
    let plan = Plan { replications: 20_000, ..plan(100, 3, 9) };
    let found = scan(&events, &plan).unwrap();
    let (mut reached, mut days) = (0, events.map(|event| event.day));
    permute(&mut days, 0, &mut |days| {
        let dealt: Vec<Point> =
            events.iter().zip(days).map(|(event, &day)| Point { day, ..*event }).collect();
        let best =
            scan(&dealt, &Plan { replications: 0, ..plan }).unwrap().clusters.first().map_or(0.0, |c| c.llr);
        reached += u32::from(best >= found.clusters[0].llr);
    });
    let exact = f64::from(reached) / 720.0;
    let error = 4.0 * (exact * (1.0 - exact) / 20_000.0).sqrt();
    assert!((found.clusters[0].p - exact).abs() < error, "{} {exact}", found.clusters[0].p);
}

fn permute(days: &mut [i32], from: usize, visit: &mut impl FnMut(&[i32])) {
    if from == days.len() {
        return visit(days);
    }
    for other in from..days.len() {
        days.swap(from, other);
        permute(days, from + 1, visit);
        days.swap(from, other);
    }
}
