use super::*;
use crate::model::{AlertLevel, Area, AreaRef, Period, Recurrence, Role};
use crate::rules::{CategoryChoice, Detector, Status, TellAgain};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Wards A and B in partnership P, ward C in Q.
fn geography() -> Geography {
    let area = |kind, code: &str| Area {
        kind,
        code: code.into(),
        name: code.into(),
        boundary_year: 2025,
        valid_from: day("2000-01-01"),
        valid_to: None,
        population: None,
        workday_population: None,
    };
    let wards = ["A", "B", "C"].map(|code| area(AreaKind::Ward, code));
    let csps = ["P", "Q"].map(|code| area(AreaKind::Csp, code));
    let links = [("A", "P"), ("B", "P"), ("C", "Q")]
        .map(|(ward, csp)| (ward.to_owned(), AreaKind::Csp, csp.to_owned()));
    Geography::on(day("2026-06-30"), wards.into_iter().chain(csps), links).unwrap()
}

fn episode(from: &str, peak: &str, to: &str, areas: &[(AreaKind, &str)], categories: u32) -> Episode {
    let areas = areas.iter().map(|(kind, code)| AreaRef { kind: *kind, code: (*code).into() });
    Episode {
        name: from.into(),
        window: Window { first: day(from), last: day(to) },
        peak: day(peak),
        areas: areas.collect(),
        categories: CategorySet::from_bits(categories),
    }
}

fn alert(night: &str, ward: &str, category: &str, members: std::ops::Range<u128>) -> TriedAlert {
    let night = day(night);
    TriedAlert {
        night,
        last: night,
        csps: Vec::new(),
        mails: 1,
        finding: Finding {
            rule: "r".into(),
            rule_version: String::new(),
            title: String::new(),
            level: AlertLevel::Elevated,
            subject: Subject::Place(Uuid::from_u128(members.start)),
            wards: vec![ward.into()],
            categories: vec![category.into()],
            window: Window::ending(night, 7),
            observed: members.clone().count() as u64,
            expected: 1.0,
            usual_range: None,
            times_usual: None,
            change: None,
            signal: crate::model::SignalKind::Spike,
            share: None,
            calendar: Vec::new(),
            without_calendar: None,
            recurrence: Recurrence::from_daily_rate(0.01),
            members: members.map(Uuid::from_u128).collect(),
        },
    }
}

fn rule(wards: &[&str]) -> Rule {
    let wards = wards.iter().map(|ward| (*ward).to_owned()).collect();
    Rule {
        id: "r".into(),
        title: String::new(),
        owner: String::new(),
        why: None,
        status: Status::Live,
        level: AlertLevel::Elevated,
        review_by: day("2027-01-01"),
        categories: CategoryChoice { all: CategorySet::from_bits(1), each: Vec::new() },
        areas: Areas { kind: AreaKind::Ward, wards, only: Vec::new() },
        period: Period::Days(7),
        wait_days: 0,
        quality: None,
        detector: Detector::Spike { at_least: 4, times_usual: 2.0, method: None },
        rarer_than_days: 100.0,
        budget_a_year: None,
        who: vec![Role::Analyst],
        quiet_for_days: 14,
        tell_again: TellAgain::ALL,
        hold_nights: 1,
        ack_within_days: None,
        follow_up_within_days: 5,
        then_tell: Vec::new(),
        calendar: Vec::new(),
        overrides: Vec::new(),
        tests: Vec::new(),
        version: String::new(),
        file: String::new(),
    }
}

#[test]
fn a_rate_has_garwoods_limits_a_year() {
    let rate = Rate::of(10, 2.0);
    assert!((rate.a_year - 5.0).abs() < 1e-12);
    assert!((rate.low - 4.795 / 2.0).abs() < 3e-3 && (rate.high - 18.391 / 2.0).abs() < 3e-3, "{rate:?}");
    let none = Rate::of(0, 1.0);
    assert!(none.low.abs() < 1e-12 && (none.high - 3.689).abs() < 5e-3);
    assert!(Rate::of(0, 0.0).high > 1e300, "over no time nothing is known");
}

#[test]
fn an_alert_belongs_where_window_ward_and_category_meet() {
    let (geography, categories) = (geography(), Categories::new(["race", "religion"]).unwrap());
    let episodes = [
        episode("2026-03-01", "2026-03-20", "2026-04-10", &[], 1),
        episode("2026-03-01", "2026-03-25", "2026-04-10", &[(AreaKind::Csp, "P")], 1),
    ];
    let labels = Labels { episodes: &episodes, geography: &geography, categories: &categories };
    let of = |night: &str, ward: &str, category: &str| labels.of(&alert(night, ward, category, 0..5).finding);
    assert_eq!(of("2026-03-05", "A", "race"), Some(1), "the one that names its areas");
    assert_eq!(of("2026-03-05", "C", "race"), Some(0));
    assert_eq!(of("2026-03-05", "A", "religion"), None);
    assert_eq!(of("2026-02-28", "A", "race"), None);
    assert_eq!(of("2026-04-16", "A", "race"), Some(1), "its window begins on the last day");
    assert_eq!(of("2026-04-17", "A", "race"), None);

    let nights = Window { first: day("2026-01-01"), last: day("2026-06-29") };
    let alerts = [alert("2026-03-30", "A", "race", 0..5), alert("2026-03-10", "C", "race", 5..9)];
    let seen = labels.seen(&rule(&[]), nights, &alerts);
    assert_eq!(seen[0], Seen { episode: 0, alert: Some(1), lead: Some(10) });
    assert_eq!(seen[1], Seen { episode: 1, alert: Some(0), lead: Some(-5) });
    assert_eq!(labels.seen(&rule(&["C"]), nights, &alerts).len(), 1, "it does not look where the other was");
    assert!(labels.seen(&rule(&[]), Window { first: day("2026-05-01"), ..nights }, &alerts).is_empty());
}

#[test]
fn quiet_years_leave_out_what_episodes_take() {
    let (geography, categories) = (geography(), Categories::new(["race", "religion"]).unwrap());
    let nights: Vec<NaiveDate> = day("2026-01-01").iter_days().take(100).collect();
    let years = |episodes: &[Episode]| {
        let labels = Labels { episodes, geography: &geography, categories: &categories };
        let rule = rule(&[]);
        labels.quiet_years(&rule, &labels.wards(&rule.areas), &nights) * YEAR
    };
    assert!((years(&[]) - 100.0).abs() < 1e-9);
    // Ten days, and six more on which a window of seven days still holds the last of them; two of three wards.
    let own = episode("2026-02-01", "2026-02-01", "2026-02-10", &[(AreaKind::Csp, "P")], 1);
    assert!((years(std::slice::from_ref(&own)) - (100.0 - 16.0 * 2.0 / 3.0)).abs() < 1e-9);
    let other = Episode { categories: CategorySet::from_bits(2), ..own };
    assert!((years(&[other]) - 100.0).abs() < 1e-9);
}

#[test]
fn alerts_of_two_rules_are_paired_once() {
    let old = [alert("2026-03-01", "A", "race", 0..6), alert("2026-05-01", "B", "race", 50..55)];
    let new = [
        alert("2026-02-26", "A", "race", 2..7),
        alert("2026-03-04", "A", "race", 1..8),
        alert("2026-04-01", "C", "race", 90..95),
    ];
    let pairs = pair(&old, &new);
    // Both of the first two are three days away: the first is taken.
    assert_eq!(pairs, [(Some(0), Some(0)), (None, Some(1)), (None, Some(2)), (Some(1), None)]);
    assert!(pair(&[], &[]).is_empty());
}

#[test]
fn a_live_rule_told_of_it_when_it_saw_half_of_it_in_time() {
    let tried = alert("2026-03-01", "A", "race", 0..6);
    let told = |night: &str, ward: &str, members: std::ops::Range<u128>| {
        let told = [(day(night), alert(night, ward, "race", members).finding)];
        also_told(&tried, &told).is_some()
    };
    assert!(told("2026-03-08", "A", 3..20) && told("2026-02-22", "A", 0..3));
    assert!(!told("2026-03-09", "A", 0..6), "too late");
    assert!(!told("2026-03-01", "B", 0..6), "elsewhere");
    assert!(!told("2026-03-01", "A", 4..20), "a third of it");
}
