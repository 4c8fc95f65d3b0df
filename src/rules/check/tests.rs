use super::*;
use crate::{
    model::{Area, AreaKind},
    rules::{Areas, Detector},
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

mod playbooks;
mod told;

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

/// A county to check against.
struct County {
    categories: Categories,
    geography: Geography,
    former: BTreeMap<String, (String, i32)>,
}

impl County {
    fn new() -> Self {
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
            workday_population: None,
        };
        let areas = [
            area(AreaKind::Ward, "E05010461", "Belgrave"),
            area(AreaKind::Ward, "E05010463", "Castle"),
            area(AreaKind::Ward, "E05005440", "Loughborough Ashby"),
            area(AreaKind::District, "E06000016", "Leicester"),
            area(AreaKind::District, "E07000130", "Charnwood"),
            area(AreaKind::Csp, "safer-leicester", "Safer Leicester Partnership"),
            area(AreaKind::Csp, "charnwood", "Charnwood"),
        ];
        let links = [
            ("E05010461", "E06000016", "safer-leicester"),
            ("E05010463", "E06000016", "safer-leicester"),
            ("E05005440", "E07000130", "charnwood"),
        ];
        let links = links.into_iter().flat_map(|(ward, district, csp)| {
            let of = |kind, code: &str| (ward.to_owned(), kind, code.to_owned());
            [of(AreaKind::District, district), of(AreaKind::Csp, csp)]
        });
        let geography = Geography::on(day("2026-06-30"), areas, links).unwrap();
        let former = [("E05006000".to_owned(), ("Latimer".to_owned(), 2003))].into();
        Self { categories, geography, former }
    }

    fn check(&self, files: &[(&str, &str)]) -> Checked {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let known = Known { categories: &self.categories, geography: &self.geography, former: &self.former };
        check(&files, &known)
    }
}

fn checked(files: &[(&str, &str)]) -> Checked {
    County::new().check(files)
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
    insta::assert_snapshot!(found.shown());
}

#[test]
fn a_level_is_a_promise() {
    let common = GOOD.replace("once in 100 days", "once in 50 days");
    insta::assert_snapshot!(checked(&[("a.toml", &common)]).shown());
}

#[test]
fn quotes_from_a_word_processor_are_recognised() {
    let curly = "id     = \"x-rule\"\ntitle  = \u{201c}Racist incidents\u{201d}\n";
    insta::assert_snapshot!(checked(&[("c.toml", curly)]).shown());
    let unclosed = checked(&[("d.toml", "level = elevated\n[spike\n")]).shown();
    assert!(!unclosed.contains("curly"), "{unclosed}");
}

#[test]
fn no_mutation_of_a_good_file_makes_it_panic_and_every_place_lies_in_the_text() {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let pieces = [
        "\"",
        "'",
        "[",
        "]",
        "[[",
        "{",
        "}",
        "=",
        ",",
        "#",
        "\n",
        "\r\n",
        "\t",
        "\u{201c}",
        "\u{201d}",
        "\u{2013}",
        "\u{a0}",
        "\\",
        "\u{0}",
        "\u{1f600}",
        "\u{feff}",
        "-1",
        "99999999999999999999",
        "0.5",
        "true",
        "race",
        "[spike]",
        "[[test]]",
        "any",
        "\"\"\"",
        "id",
        "\u{301}",
        "2027-02-30",
        "nan",
        "inf",
        "0x",
        "e9",
        ".",
        ":",
        "\r",
    ];
    let areas = County::new();
    for round in 0..10_000 {
        let (name, good) = MUTATED[round % MUTATED.len()];
        let mut text: Vec<char> = good.chars().collect();
        for _ in 0..chance.random_range(1..4) {
            let from = chance.random_range(0..=text.len());
            let to = (from + chance.random_range(0..6)).min(text.len());
            let piece = pieces[chance.random_range(0..pieces.len())];
            match chance.random_range(0..4) {
                0 => drop(text.splice(from..to, piece.chars())),
                1 => drop(text.drain(from..to)),
                2 => drop(text.splice(from..from, piece.chars())),
                _ => {
                    let other = chance.random_range(0..=text.len());
                    let copied: Vec<char> = text[from..to].to_vec();
                    text.splice(other..other, copied);
                }
            }
        }
        let text: String = text.into_iter().collect();
        let found = areas.check(&[(name, &text)]);
        for mistake in &found.mistakes {
            assert!(mistake.place.end <= text.len().max(1), "{mistake:?}");
            assert!(mistake.line <= text.matches('\n').count() + 1, "{mistake:?}");
            assert!(!mistake.message.is_empty() && !mistake.remedy.is_empty(), "{mistake:?}");
            if round % 8 == 0 {
                assert!(!mistake.shown().is_empty());
            }
        }
    }
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
    insta::assert_snapshot!(checked(&[("race.toml", &named("cusum"))]).shown());
    let month = named("ears-c1").replace("7 days", "month");
    assert!(checked(&[("race.toml", &month)]).shown().contains("calendar months have a method of their own"));
    let long = named("ears-c1").replace("7 days", "50 days");
    assert!(checked(&[("race.toml", &long)]).shown().contains("a year is no whole number of such periods"));
}

const EVENTS: &str = r#"
[[event]]
name = "hate crime awareness week"
kind = "campaign"
from = 2027-10-09
to = 2027-10-16
channels = ["online"]
[[event]]
name = "city match days"
from = 2027-08-01
to = 2027-08-02
around = { east = 458300, north = 303900 }
within_metres = 1500
"#;

/// Everything a rule can have.
const FULL: &str = r#"
id = "full-spike"
title = "Racist incidents well above usual"
owner = "analysis.team@example.org"
status = "live"
level = "elevated"
review_by = 2027-04-01
[look_at]
categories = ["race", "religion"]
wards = ["Belgrave", "E05010463"]
period = "7 days"
wait_for_late_reports = "2 days"
[spike]
at_least = 5
times_usual = 2.5
rarer_than = "once in 100 days"
[budget]
false_alerts = "4 per year"
[tell]
who = ["csp"]
ack_within = "2 working days"
then_tell = ["csp chair"]
[[override]]
csps = ["Safer Leicester Partnership"]
at_least = 3
[[calendar]]
when = "hate crime awareness week"
effect = "expect more"
by = 1.4
[[test]]
name = "jump"
weeks = [1, 0, 2, 1, 8]
incidents = [{ day = -1, east = 461200, north = 305900, category = "race" }]
expect = "alert"
"#;

const MUTATED: [(&str, &str); 3] = [("a.toml", GOOD), ("full.toml", FULL), ("calendar/2027.toml", EVENTS)];
