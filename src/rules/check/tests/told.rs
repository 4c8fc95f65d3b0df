//! Mistakes as they are told: each case is one file of `snapshots`.

use super::*;

const CLUSTER: &str = r#"
id = "street-cluster"
title = "Several incidents close together"
owner = "analysis.team@example.org"
status = "live"
level = "severe"
review_by = 2027-04-01
[look_at]
categories = ["any"]
period = "7 days"
[cluster]
at_least = 4
within_metres = 300
within = "7 days"
rarer_than = "once in 365 days"
[tell]
who = ["csp"]
"#;

const COMBINE: &str = r#"
id = "both"
title = "Spike and cluster"
owner = "analysis.team@example.org"
status = "live"
level = "severe"
review_by = 2027-04-01
[combine]
all_of = ["race-week-spike", "street-cluster"]
same = "ward"
within = "7 days"
[tell]
who = ["csp"]
"#;

const SPREAD: &str = r#"
id = "next-door"
title = "A rise goes on next door"
owner = "analysis.team@example.org"
status = "live"
level = "elevated"
review_by = 2027-04-01
[look_at]
categories = ["race"]
period = "7 days"
[spread]
after = "race-week-spike"
into = "adjacent wards"
at_least = 2
within = "14 days"
[tell]
who = ["csp"]
"#;

const SHARE: &str = r#"
id = "violence-share"
title = "Violent share is rising"
owner = "analysis.team@example.org"
status = "live"
level = "elevated"
review_by = 2027-04-01
[look_at]
categories = ["any"]
areas = "every csp"
period = "28 days"
[share]
of = ["violence against the person"]
at_least = 10
rises_by = "15 points"
surely = "95%"
[tell]
who = ["csp"]
[[test]]
name = "more violence"
weeks = [5, 5, 5, 5]
of_which = [0, 1, 0, 4]
expect = "alert"
"#;

const DROP: &str = r#"
id = "reports-drop"
title = "Reports have dried up"
owner = "analysis.team@example.org"
status = "live"
level = "watch"
review_by = 2027-04-01
[look_at]
categories = ["any"]
areas = "every csp"
period = "28 days"
[drop]
usual_at_least = 12
below_usual = "60%"
[tell]
who = ["analyst"]
"#;

/// The good files, one of them changed in one place.
struct Changed {
    files: Vec<(&'static str, String)>,
}

fn folder() -> Changed {
    let files = [
        ("calendar/2027.toml", EVENTS),
        ("cluster.toml", CLUSTER),
        ("combine.toml", COMBINE),
        ("drop.toml", DROP),
        ("full.toml", FULL),
        ("race.toml", GOOD),
        ("share.toml", SHARE),
        ("spread.toml", SPREAD),
    ];
    Changed { files: files.map(|(name, text)| (name, text.to_owned())).to_vec() }
}

impl Changed {
    fn told(&self, county: &County) -> String {
        let files: Vec<(&str, &str)> = self.files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        county.check(&files).shown()
    }
}

/// What is told when in a file of the folder one text stands in place of another.
fn told(county: &County, file: &str, before: &str, after: &str) -> String {
    let mut folder = folder();
    let (_, text) = folder.files.iter_mut().find(|(name, _)| *name == file).unwrap();
    assert!(text.contains(before), "{file} has no {before}");
    *text = text.replacen(before, after, 1);
    format!("{file}: {} -> {}\n\n{}\n", before.trim(), after.trim(), folder.told(county))
}

fn all(cases: &[(&str, &str, &str)]) -> String {
    let county = County::new();
    let line = format!("{}\n", "-".repeat(80));
    cases
        .iter()
        .map(|(file, before, after)| told(&county, file, before, after))
        .collect::<Vec<_>>()
        .join(&line)
}

fn told_as(name: &str, cases: &[(&str, &str, &str)]) {
    insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!(name, all(cases)) });
}

#[test]
fn the_good_files_are_good() {
    let found = folder().told(&County::new());
    assert!(found.starts_with("0 mistakes"), "{found}");
}

#[test]
fn syntax() {
    told_as(
        "syntax",
        &[
            ("race.toml", "\"Racist incidents well above usual\"", "\u{201c}Racist incidents\u{201d}"),
            ("race.toml", "who = [\"csp\", ", "who = [\u{201c}csp\u{201d}, "),
            ("race.toml", "\"elevated\"", "elevated"),
            ("race.toml", "\"elevated\"", "elevatd"),
            ("race.toml", "\"7 days\"", "7 days"),
            ("race.toml", "[\"race\"]", "[race]"),
            ("race.toml", "[spike]", "[spike"),
            ("race.toml", "[spike]", "spike]"),
            ("race.toml", "[spike]", "[spike]]"),
            ("race.toml", "[look_at]", "[look at]"),
            ("full.toml", "[[test]]", "[[test]"),
            ("race.toml", "\"race-week-spike\"", "\"race-week-spike"),
            ("race.toml", "\"csp\", \"neighbourhood team\"]", "\"csp\", \"neighbourhood team]"),
            ("full.toml", "\"race\", \"religion\"", "\"race\" \"religion\""),
            ("full.toml", "[\"race\", \"religion\"]", "[\"race\", \"religion\""),
            ("race.toml", "status = \"live\"", "status = \"live\"\nstatus = \"draft\""),
            ("race.toml", "[tell]", "[spike]\nmethod = \"house\"\n[tell]"),
            ("race.toml", "status = ", "status "),
            ("race.toml", "status = ", "status: "),
            ("race.toml", "status = ", "the status = "),
            ("race.toml", "[spike]", "look for spikes\n[spike]"),
            ("race.toml", "[spike]", "// what it finds\n[spike]"),
            ("race.toml", "2027-04-01", "2027\u{2013}04\u{2013}01"),
            ("race.toml", "2027-04-01", "1 April 2027"),
            ("race.toml", "2027-04-01", "01/04/2027"),
            ("race.toml", "2027-04-01", "2027-4-1"),
            ("race.toml", "2027-04-01", "2027-02-30"),
            ("race.toml", "at_least = 5", "at_least = five"),
            ("race.toml", "at_least = 5", "at_least = 5 incidents"),
            ("race.toml", "at_least = 5", "at_least = 1,000"),
            ("race.toml", "at_least = 5", "at_least = 05"),
            ("race.toml", "at_least = 5", "at_least ="),
            ("race.toml", "at_least = 5", "at_least = >= 5"),
            ("race.toml", "at_least = 5", "at_least = 5;"),
            ("race.toml", "times_usual = 2", "times_usual = 2,5"),
            ("race.toml", "areas = \"every ward\"", "each = True"),
            ("race.toml", "areas = \"every ward\"", "each = yes"),
            ("race.toml", "areas = \"every ward\"", "areas\u{a0}= \"every ward\""),
            ("race.toml", "well above usual", "\"well above\" usual"),
            ("race.toml", "Racist incidents", "C:\\Racist"),
            ("race.toml", "who = [\"csp\", \"neighbourhood team\"]", "who = \"csp\", \"neighbourhood team\""),
            ("race.toml", "[tell]\n", "[tell] "),
            ("full.toml", "{ day = -1, east", "{ day = -1 east"),
            ("full.toml", "category = \"race\" }", "category = \"race\""),
            ("full.toml", "[1, 0, 2", "[1, 0,, 2"),
        ],
    );
}

#[test]
fn shapes() {
    told_as(
        "shapes",
        &[
            ("race.toml", "at_least", "at_leest"),
            ("race.toml", "[spike]", "[spkie]"),
            ("race.toml", "period = \"7 days\"\n", "period = \"7 days\"\nat_least = 5\n"),
            ("race.toml", "level = \"elevated\"\n", ""),
            ("race.toml", "\"Racist incidents well above usual\"", "\"\""),
            ("race.toml", "well above", "well above\\n"),
            (
                "race.toml",
                "above usual",
                "above usual in this ward, compared with the four years before and with the wards around it, in the seven days before the night",
            ),
            ("race.toml", "\"race-week-spike\"", "\"Race Week Spike\""),
            ("race.toml", "at_least = 5", "at_least = \"5\""),
            ("race.toml", "at_least = 5", "at_least = 5.5"),
            ("race.toml", "at_least = 5", "at_least = 0"),
            ("race.toml", "times_usual = 2", "times_usual = \"2.5\""),
            ("race.toml", "2027-04-01", "\"1 April 2027\""),
            ("race.toml", "2027-04-01", "0227-04-01"),
            ("race.toml", "\"7 days\"", "\"7 dyas\""),
            ("race.toml", "\"7 days\"", "7"),
            ("race.toml", "\"once in 100 days\"", "\"1 week in 2\""),
            ("race.toml", "[\"race\"]", "\"race\""),
            ("race.toml", "[\"race\"]", "[\"rase\"]"),
            ("race.toml", "[\"race\"]", "[\"any\", \"race\"]"),
            ("race.toml", "[\"race\"]", "[]"),
            ("race.toml", "\"neighbourhood team\"", "\"neighborhood team\""),
            ("race.toml", "\"neighbourhood team\"", "\"npt_sergeant\""),
            ("race.toml", "\"neighbourhood team\"", "\"csp\""),
            ("race.toml", "areas = \"every ward\"", "each = \"true\""),
            ("full.toml", "\"Belgrave\"", "\"Belgrav\""),
            ("full.toml", "\"Belgrave\"", "\"belgrave\""),
            ("full.toml", "\"Belgrave\"", "\"E0501046\""),
            ("full.toml", "\"Belgrave\"", "\"E05006000\""),
            ("full.toml", "\"Belgrave\"", "\"Leicester\""),
            ("share.toml", "areas = \"every csp\"", "only_districts = [\"Charnwod\"]"),
            ("full.toml", "wait_for_late_reports = \"2 days\"", "wait_for_late_reports = \"2 working days\""),
            ("full.toml", "ack_within = \"2 working days\"", "ack_within = 2"),
            (
                "race.toml",
                "\"neighbourhood team\"]",
                "\"neighbourhood team\"]\nfollow_up_within = \"2 weeks\"",
            ),
            ("full.toml", "\"4 per year\"", "\"four\""),
            ("full.toml", "day = -1", "day = 1"),
            ("full.toml", "east = 461200, ", ""),
            ("full.toml", "east = 461200, north = 305900", "east = -1.13, north = 52.63"),
            ("full.toml", "category = \"race\" }", "kategory = \"race\" }"),
            ("full.toml", "[1, 0, 2", "[1, -1, 2"),
            ("full.toml", "[[calendar]]", "[calendar]"),
            ("share.toml", "\"95%\"", "95"),
            ("share.toml", "\"15 points\"", "\"15\""),
            ("calendar/2027.toml", "to = 2027-10-16", "until = 2027-10-16"),
            ("calendar/2027.toml", "{ east = 458300, north = 303900 }", "\"stadium\""),
        ],
    );
}

#[test]
fn meaning() {
    told_as(
        "meaning",
        &[
            ("race.toml", "once in 100 days", "once in 50 days"),
            ("full.toml", "4 per year", "1 per month"),
            ("race.toml", "7 days", "3 months"),
            ("race.toml", "areas = \"every ward\"", "areas = \"every ward\"\nwards = [\"Castle\"]"),
            ("full.toml", "\"2 days\"", "\"90 days\""),
            ("drop.toml", "60%", "100%"),
            ("share.toml", "95%", "40%"),
            ("share.toml", "95%", "100%"),
            ("share.toml", "15 points", "100 points"),
            ("share.toml", "[0, 1, 0, 4]", "[0, 1, 4]"),
            ("share.toml", "[0, 1, 0, 4]", "[0, 1, 0, 6]"),
            ("cluster.toml", "period", "areas = \"every csp\"\nperiod"),
            ("cluster.toml", "period", "each = true\nperiod"),
            ("cluster.toml", "within = \"7 days\"", "within = \"2000 days\""),
            (
                "cluster.toml",
                "[tell]",
                "[[calendar]]\nwhen = \"city match days\"\neffect = \"expect more\"\nby = 2\n[tell]",
            ),
            ("full.toml", "by = 1.4\n", ""),
            ("full.toml", "by = 1.4", "by = 1"),
            ("full.toml", "expect more", "note only"),
            ("full.toml", "ack_within = \"2 working days\"\n", ""),
            ("full.toml", "at_least = 3\n", ""),
            ("full.toml", "at_least = 3", "at_least = 5"),
            ("full.toml", "at_least = 3", "rarer_than = \"once in 30 days\""),
            ("full.toml", "csps = [\"Safer Leicester Partnership\"]", "csps = [\"Charnwood\"]"),
            ("full.toml", "period", "only_districts = [\"Charnwood\"]\nperiod"),
            ("full.toml", "weeks = [1, 0, 2, 1, 8]\nincidents", "next_door = [1, 2]\nincidents"),
            ("race.toml", "[tell]", "[[test]]\nname = \"empty\"\nexpect = \"alert\"\n[tell]"),
            (
                "race.toml",
                "[spike]",
                "[cluster]\nat_least = 4\nwithin_metres = 300\nwithin = \"7 days\"\nrarer_than = \"once in 365 days\"\n[spike]",
            ),
            ("combine.toml", "all_of", "any_of = [\"race-week-spike\"]\nall_of"),
            ("combine.toml", ", \"street-cluster\"]", "]"),
            ("combine.toml", "all_of", "at_least = 3\nany_of"),
            ("calendar/2027.toml", "to = 2027-10-16", "to = 2026-10-16"),
            ("calendar/2027.toml", "within_metres = 1500\n", ""),
            ("calendar/2027.toml", "within_metres = 1500", "within_metres = 1500\nwards = [\"Castle\"]"),
        ],
    );
}

#[test]
fn over_all_files() {
    told_as(
        "over_all_files",
        &[
            ("share.toml", "violence-share", "street-cluster"),
            ("combine.toml", "street-cluster", "street-clustre"),
            ("combine.toml", "street-cluster", "both"),
            (
                "combine.toml",
                "all_of = [\"race-week-spike\", \"street-cluster\"]",
                "any_of = [\"race-week-spike\", \"street-cluster\"]",
            ),
            ("spread.toml", "\"race-week-spike\"", "\"street-cluster\""),
            ("cluster.toml", "\"live\"", "\"draft\""),
            ("full.toml", "hate crime awareness week", "hate crime awarness week"),
            (
                "calendar/2027.toml",
                "name = \"city match days\"\nfrom = 2027-08-01\nto = 2027-08-02",
                "name = \"hate crime awareness week\"\nfrom = 2027-10-16\nto = 2027-10-20",
            ),
            ("spread.toml", SPREAD, &GOOD.replace("race-week-spike", "same-again")),
            ("race.toml", "race-week-spike\"", "race-week-spike"),
        ],
    );
}
