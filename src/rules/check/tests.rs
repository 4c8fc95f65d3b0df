use super::*;
use crate::{
    model::{Area, AreaKind},
    rules::{Areas, Detector},
};
use proptest::prelude::*;

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

fn checked(files: &[(&str, &str)]) -> Checked {
    let categories =
        Categories::new(["race", "religion", "sexual_orientation", "disability", "transgender", "other"])
            .unwrap();
    let area = |kind, code: &str, name: &str| Area {
        kind,
        code: code.into(),
        name: name.into(),
        boundary_year: 2025,
        valid_from: day("2015-05-07"),
        valid_to: None,
        population: None,
    };
    let areas = [
        area(AreaKind::Ward, "E05010461", "Belgrave"),
        area(AreaKind::Ward, "E05010463", "Castle"),
        area(AreaKind::District, "E06000016", "Leicester"),
        area(AreaKind::Csp, "safer-leicester", "Safer Leicester Partnership"),
    ];
    let links = ["E05010461", "E05010463"].map(|ward| {
        let of = |kind, code: &str| (ward.to_owned(), kind, code.to_owned());
        [of(AreaKind::District, "E06000016"), of(AreaKind::Csp, "safer-leicester")]
    });
    let geography = Geography::on(day("2026-06-30"), areas, links.into_iter().flatten()).unwrap();
    let former = [("E05006000".to_owned(), ("Latimer".to_owned(), 2003))].into();
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    check(&files, &Known { categories: &categories, geography: &geography, former: &former })
}

const GOOD: &str = r#"
id = "race-week-spike"
title = "Racist incidents well above usual"
owner = "analysis.team@example.org"
status = "live"
level = "elevated"
review_by = 2027-04-01
[look_at]
categories = ["race"]
areas = "every ward"
period = "7 days"
[spike]
at_least = 5
times_usual = 2
rarer_than = "once in 100 days"
[tell]
who = ["csp", "neighbourhood team"]
"#;

#[test]
fn a_good_rule_is_read() {
    let found = checked(&[("race.toml", GOOD)]);
    assert!(found.mistakes.is_empty(), "{}", found.shown());
    let set = found.rule_set().unwrap();
    let rule = &set.rules[0];
    assert_eq!(rule.detector, Detector::Spike { at_least: 5, times_usual: 2.0, method: None });
    assert_eq!((rule.who.len(), rule.quiet_for_days, rule.rarer_than_days), (2, 14, 100.0));
    assert_eq!(rule.areas, Areas::every(AreaKind::Ward));
    assert_ne!(
        set.version,
        checked(&[("race.toml", &GOOD.replace("= 5", "= 6"))]).rule_set().unwrap().version
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are what an analyst reads")]
fn every_mistake_is_shown_in_one_pass() {
    let bad = r#"
id     = "race-week-spike"
title  = "Racist incidents"
owner  = "analysis.team@example.org"
status = "live"
level  = "amber"

[look_at]
categories = ["rase", "religion"]
wards      = ["E0501046", "Belgrav"]
period     = "7 dyas"

[spike]
at_leest    = 5
times_usual = "two"
rarer_than  = "1 week in 2"

[tell]
who        = ["csp", "neighborhood team"]
ack_within = 2
"#;
    let found = checked(&[("01-race.toml", GOOD), ("90-bad.toml", bad)]);
    assert!(found.rule_set().is_none(), "a folder comes into force whole or not at all");
    insta::assert_snapshot!(found.shown(), @r#"
    error: `review_by` is missing in the file
     --> 90-bad.toml:1:1
      |
    1 |
      | ^
      |
      = help: add for example  review_by = 2027-04-01

    error: the id "race-week-spike" is already used
     --> 90-bad.toml:2:10
      |
    2 | id     = "race-week-spike"
      |          ^^^^^^^^^^^^^^^^^
      |
      = help: it is also in 01-race.toml; ids are part of an alert's identity

    error: "amber" is not known in `level`
     --> 90-bad.toml:6:10
      |
    6 | level  = "amber"
      |          ^^^^^^^
      |
      = help: use one of watch, elevated, severe

    error: "rase" is not known in `categories`
     --> 90-bad.toml:9:15
      |
    9 | categories = ["rase", "religion"]
      |               ^^^^^^
      |
      = help: did you mean "race"? There are any, race, religion, sexual_orientation, disability, transgender, other

    error: no ward has the code or name E0501046
      --> 90-bad.toml:10:15
       |
    10 | wards      = ["E0501046", "Belgrav"]
       |               ^^^^^^^^^^
       |
       = help: ward codes here have 9 characters, this has 8

    error: no ward has the code or name Belgrav
      --> 90-bad.toml:10:27
       |
    10 | wards      = ["E0501046", "Belgrav"]
       |                           ^^^^^^^^^
       |
       = help: did you mean Belgrave?

    error: `7 dyas` is not a period; write a whole number and a unit, for example `7 days`, `4 weeks` or `12 months`
      --> 90-bad.toml:11:14
       |
    11 | period     = "7 dyas"
       |              ^^^^^^^^
       |
       = help: for example  period = "7 days"

    error: `at_least` is missing in [spike]
      --> 90-bad.toml:13:2
       |
    13 | [spike]
       |  ^^^^^
       |
       = help: add for example  at_least = 5

    error: `at_leest` is not known in [spike]
      --> 90-bad.toml:14:1
       |
    14 | at_leest    = 5
       | ^^^^^^^^
       |
       = help: did you mean `at_least`?

    error: `times_usual` must be a number without quotes
      --> 90-bad.toml:15:15
       |
    15 | times_usual = "two"
       |               ^^^^^
       |
       = help: for example  times_usual = 2.0

    error: `1 week in 2` does not say how rare
      --> 90-bad.toml:16:15
       |
    16 | rarer_than  = "1 week in 2"
       |               ^^^^^^^^^^^^^
       |
       = help: write `once in` and a number of days, for example  rarer_than = "once in 100 days"

    error: "neighborhood team" is not known in `who`
      --> 90-bad.toml:19:22
       |
    19 | who        = ["csp", "neighborhood team"]
       |                      ^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean "neighbourhood team"? There are csp, csp chair, neighbourhood team, neighbourhood commander, hate lead, analyst, sog, spb, partner, auditor, admin

    error: `ack_within` must be text in quotes
      --> 90-bad.toml:20:14
       |
    20 | ack_within = 2
       |              ^
       |
       = help: for example  ack_within = "2 working days"

    13 mistakes to mend
    "#);
}

#[test]
fn a_level_is_a_promise() {
    let common = GOOD.replace("once in 100 days", "once in 50 days");
    insta::assert_snapshot!(checked(&[("a.toml", &common)]).shown(), @r#"
    error: the level of this rule promises once in 100 days or rarer
      --> a.toml:15:14
       |
    15 | rarer_than = "once in 50 days"
       |              ^^^^^^^^^^^^^^^^^
       |
       = help: write  rarer_than = "once in 100 days"  or choose a lower level

    1 mistake to mend
    "#);
}

#[test]
fn quotes_from_a_word_processor_are_recognised() {
    let curly = "id     = \"x-rule\"\ntitle  = \u{201c}Racist incidents\u{201d}\n";
    insta::assert_snapshot!(checked(&[("c.toml", curly)]).shown(), @r#"
    error: string values must be quoted, expected literal string
     --> c.toml:2:10
      |
    2 | title  = “Racist incidents”
      |          ^^^^^^^^^^^^^^^^^^
      |
      = help: there are curly quotes in the file; replace them by straight ones (")

    1 mistake to mend
    "#);
    let unclosed = checked(&[("d.toml", "level = elevated\n[spike\n")]).shown();
    assert!(!unclosed.contains("curly"), "{unclosed}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", place in 0_usize..400, piece in ".{0,12}") {
        let _ = checked(&[("x.toml", &text)]).shown();
        let mut broken: Vec<char> = GOOD.chars().collect();
        let at = place.min(broken.len());
        broken.splice(at..(at + 3).min(broken.len()), piece.chars());
        let _ = checked(&[("x.toml", &broken.into_iter().collect::<String>())]).shown();
    }
}

#[test]
fn a_method_that_cannot_keep_the_rarity_is_refused() {
    let named = |method: &str| GOOD.replace("[spike]", &format!("[spike]\nmethod = \"{method}\""));
    let found = checked(&[("race.toml", &named("ears-c2"))]);
    assert!(found.mistakes.is_empty(), "{}", found.shown());
    insta::assert_snapshot!(checked(&[("race.toml", &named("cusum"))]).shown(), @r#"
    error: cusum does not say how rare a count is, so `rarer_than` could not be kept
      --> race.toml:13:10
       |
    13 | method = "cusum"
       |          ^^^^^^^
       |
       = help: write  method = "house"  or one of farrington-flexible, farrington-1996, ears-c1, ears-c2

    1 mistake to mend
    "#);
    let month = named("ears-c1").replace("7 days", "month");
    assert!(checked(&[("race.toml", &month)]).shown().contains("calendar months have a method of their own"));
    let long = named("ears-c1").replace("7 days", "50 days");
    assert!(checked(&[("race.toml", &long)]).shown().contains("a year is no whole number of such periods"));
}
