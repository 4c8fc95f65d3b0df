//! Each sentence for none, one, two and many.

use super::*;
use crate::{
    mail::sample::Sample,
    model::{AreaRef, ShareSeen, Told, Window},
};
use uuid::Uuid;

fn wards(sample: &mut Sample, codes: &[&str]) {
    sample.alert.latest.wards = codes.iter().map(|&code| code.to_owned()).collect();
}

#[test]
fn the_headline_names_none_one_two_and_many_wards() {
    let mut sample = Sample::new();
    let mut heads = Vec::new();
    for codes in [&[][..], &["W1"], &["W1", "W2"], &["W1", "W2", "W3", "W4", "W9"]] {
        wards(&mut sample, codes);
        heads.push(sample.context().headline());
    }
    insta::assert_snapshot!(heads.join("\n"), @"
    9 reports in 7 days in Leicester, Leicestershire and Rutland, where about 2 is usual
    9 reports in 7 days in Belgrave, where about 2 is usual
    9 reports in 7 days in Belgrave and Rushey Mead, where about 2 is usual
    9 reports in 7 days in Belgrave, Rushey Mead, Syston East and 2 more, where about 2 is usual
    ");
}

#[test]
fn each_kind_of_signal_has_its_own_sentence() {
    let mut sample = Sample::new();
    let mut heads = Vec::new();
    let csp = AreaRef { kind: AreaKind::Csp, code: "charnwood".into() };
    let finding = &mut sample.alert.latest;
    finding.subject =
        Subject::Area { area: csp, boundary_year: 2025, category: None, source: Some("council".into()) };
    finding.window = Window::ending(finding.window.last, 28);
    (finding.observed, finding.expected, finding.signal) = (4, 19.6, SignalKind::Drop);
    heads.push(sample.context().headline());
    let finding = &mut sample.alert.latest;
    finding.share = Some(ShareSeen {
        of: vec!["violence against the person".into(), "criminal damage".into()],
        total: 40,
        before: 0.104,
        rise: (0.2, 0.6),
    });
    (finding.observed, finding.expected, finding.signal) = (22, 4.2, SignalKind::Share);
    heads.push(sample.context().headline());
    sample.alert.latest.signal = SignalKind::Combine;
    heads.push(sample.context().headline());
    wards(&mut sample, &["W1", "W2"]);
    let finding = &mut sample.alert.latest;
    finding.window = Window::ending(finding.window.last, 7);
    (finding.observed, finding.expected, finding.signal) = (4, 0.3, SignalKind::Spread);
    heads.push(sample.context().headline());
    insta::assert_snapshot!(heads.join("\n"), @"
    Only 4 reports from council in 28 days in Charnwood, where about 20 is usual
    Violence against the person and criminal damage made up 55% of 40 reports in 28 days in Charnwood, 10% before
    22 reports in 28 days in Charnwood, found by several rules at once
    4 reports in 7 days in Belgrave, next to Rushey Mead, where fewer than 1 is usual
    ");
}

#[test]
fn each_kind_of_finding_has_its_own_sentence() {
    let mut sample = Sample::new();
    let mut heads = Vec::new();
    sample.alert.latest.observed = 1;
    sample.alert.latest.expected = 12.4;
    heads.push(sample.context().headline());
    let area = |kind, code: &str, category: Option<&str>| Subject::Area {
        area: AreaRef { kind, code: code.into() },
        boundary_year: 2025,
        category: category.map(str::to_owned),
        source: None,
    };
    sample.alert.latest.subject = area(AreaKind::Csp, "charnwood", None);
    heads.push(sample.context().headline());
    sample.alert.latest.observed = 6;
    sample.alert.latest.expected = 0.3;
    sample.alert.latest.subject = area(AreaKind::Ward, "W1", Some("sexual_orientation"));
    heads.push(sample.context().headline());
    sample.alert.latest.subject = Subject::Cluster(Uuid::nil());
    heads.push(sample.context().headline());
    sample.figures.across_metres = None;
    heads.push(sample.context().headline());
    sample.alert.latest.subject = Subject::Place(Uuid::nil());
    sample.alert.latest.window = Window::ending(sample.alert.latest.window.last, 365);
    wards(&mut sample, &["W1"]);
    heads.push(sample.context().headline());
    insta::assert_snapshot!(heads.join("\n"), @"
    1 report in 7 days in Belgrave and Rushey Mead, where about 12 is usual
    1 report in 7 days in Charnwood, where about 12 is usual
    6 reports (sexual orientation) in 7 days in Belgrave and Rushey Mead, where fewer than 1 is usual
    6 reports within 900 metres and 7 days in Belgrave and Rushey Mead, where fewer than 1 is usual
    6 reports close together within 7 days in Belgrave and Rushey Mead, where fewer than 1 is usual
    6 reports at one place in Belgrave in 12 months, where fewer than 1 is usual
    ");
}

#[test]
fn strands_are_told_in_words_that_give_no_small_figure_away() {
    let mut sample = Sample::new();
    let mut told = Vec::new();
    for (codes, mentions) in [
        (&[][..], &[][..]),
        (&["race"], &[("race", 9)]),
        (&["race", "religion"], &[("race", 8), ("religion", 2)]),
        (&["race", "religion"], &[("race", 9), ("religion", 6)]),
        (&["race", "religion"], &[("race", 4), ("religion", 3)]),
        (&["race", "religion", "disability"], &[("race", 5), ("religion", 2), ("disability", 1)]),
        (&["race", "religion", "disability"], &[("race", 3), ("religion", 3), ("disability", 3)]),
        (&["race", "unheard_of"], &[("race", 8)]),
    ] {
        sample.alert.latest.categories = codes.iter().map(|&code| code.to_owned()).collect();
        sample.figures.mentions = mentions.iter().map(|&(code, count)| (code.to_owned(), count)).collect();
        told.push(sample.context().categories());
    }
    sample.figures = Figures::default();
    told.push(sample.context().categories());
    insta::assert_snapshot!(told.join("\n"), @"

    Race
    Mostly race; religion in fewer than 5
    Race and religion
    Race and religion, in fewer than 5 each
    Mostly race; religion and disability in fewer than 5 each
    Race, religion and disability, in fewer than 5 each
    Mostly race; unheard_of in fewer than 5
    Race and unheard_of
    ");
}

#[test]
fn an_update_says_what_has_grown() {
    let mut sample = Sample::new();
    sample.alert.latest.observed = 12;
    sample.before = Some(Told {
        on: "2026-06-23".parse().unwrap(),
        level: AlertLevel::Watch,
        observed: 9,
        wards: vec!["W1".into()],
        categories: vec!["race".into()],
    });
    assert_eq!(sample.context().since_last(), [""; 0]);
    sample.kind = NoticeKind::Grown(vec![
        Growth::LevelRose { from: AlertLevel::Watch },
        Growth::WardsJoined(vec!["W2".into()]),
        Growth::WardsJoined(vec!["W2".into(), "W4".into()]),
        Growth::CategoriesJoined(vec!["religion".into()]),
    ]);
    let grown = sample.context().since_last();
    sample.kind = NoticeKind::Grown(vec![Growth::CountDoubled { from: 6 }]);
    let doubled = sample.context().since_last();
    insta::assert_snapshot!([grown, doubled].concat().join("\n"), @"
    The level has risen from watch to elevated.
    The ward Rushey Mead has joined.
    The wards Rushey Mead and Troon have joined.
    The strand religion has joined.
    9 reports when last told, on 23 June 2026; 12 now (+3).
    The count has doubled or more: 6 when last told, 12 now.
    ");
}

#[test]
fn small_figures_are_not_told() {
    let mut sample = Sample::new();
    assert_eq!(sample.context().class().as_deref(), Some("More than half recorded as crimes"));
    assert_eq!(sample.context().hours().as_deref(), Some("Most between 15:00 and 17:00"));
    sample.figures.hours[15] = 2;
    assert_eq!(sample.context().hours().as_deref(), Some("Most between 15:00 and 19:00"));
    sample.figures.hours = [0; 24];
    (sample.figures.hours[23], sample.figures.hours[0]) = (4, 3);
    assert_eq!(sample.context().hours().as_deref(), Some("Most between 23:00 and 01:00"));
    sample.figures.hours = [1; 24];
    assert_eq!(sample.context().hours(), None);
    sample.figures.incidents = 4;
    assert_eq!((sample.context().class(), sample.context().categories()), (None, "Race and religion".into()));
}

#[test]
fn times_are_local_and_late_reports_are_told_only_when_known() {
    let sample = Sample::new();
    let mut context = sample.context();
    assert_eq!(
        context.data(),
        "As at Tuesday 30 June 2026, 00:00. Reports from the last 3 days usually still grow by about 25%"
    );
    context.late = Some(crate::mail::LateReports { days: 1, percent: f64::NAN });
    assert_eq!(context.data(), "As at Tuesday 30 June 2026, 00:00");
    assert!(context.asked().contains("by 17:00 on Thursday 2 July 2026, then"));
    context.asked = crate::mail::Asked::default();
    assert!(context.asked().starts_with("Please acknowledge this alert, then"));
    context.others = &[];
    assert_eq!(context.others(), "Nobody else");
}

#[test]
fn distances_are_rounded_up() {
    let told = [0.0, 49.0, 51.0, 870.0, 1_960.0, 2_310.0, f64::NAN].map(about_metres);
    assert_eq!(told[..4], ["50 metres", "50 metres", "100 metres", "900 metres"]);
    assert_eq!(told[4..], ["2.0 kilometres", "2.4 kilometres", "50 metres"]);
}
