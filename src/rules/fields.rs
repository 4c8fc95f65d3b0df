//! Every field a rule file can have, in one table.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Text in quotes.
    Text,
    /// A rule's id.
    Id,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// A list of text.
    Texts,
    /// A whole number in a range.
    Whole(i64, i64),
    /// A number in a range.
    Number(f64, f64),
    /// A day.
    Date,
    /// A length of time, as `7 days` or `12 months`.
    Period,
    /// A length of time in days or working days.
    Days,
    /// How rare, as `once in 100 days`.
    OnceIn,
    /// true or false.
    Flag,
    /// A list of categories of the area pack, or `any`.
    Categories,
    /// A list of wards by code or name.
    Wards,
    /// Anything: checked by what will use it.
    Open,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Field {
    /// Its section; empty for those at the top.
    pub(super) section: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) shape: Shape,
    /// Whether its section is wrong without it.
    pub(super) needed: bool,
    /// How it is written.
    pub(super) example: &'static str,
}

/// Sections that find something; a rule has exactly one of them.
pub(super) const DETECTORS: [&str; 7] = ["spike", "cluster", "repeat", "drop", "share", "spread", "combine"];

/// Sections that this version evaluates.
pub(super) const EVALUATED: [&str; 3] = ["spike", "cluster", "repeat"];

/// Other sections.
pub(super) const SECTIONS: [&str; 3] = ["look_at", "tell", "budget"];

/// Sections that may stand there several times, in double brackets.
pub(super) const LISTS: [&str; 2] = ["calendar", "test"];

/// Who can be told.
pub(super) const WHO: [&str; 11] = [
    "csp",
    "csp chair",
    "neighbourhood team",
    "neighbourhood commander",
    "hate lead",
    "analyst",
    "sog",
    "spb",
    "partner",
    "auditor",
    "admin",
];

const STATUSES: [&str; 4] = ["draft", "shadow", "live", "retired"];
const LEVELS: [&str; 3] = ["watch", "elevated", "severe"];
const AREAS: [&str; 5] = ["every ward", "every district", "every csp", "every npa", "whole county"];
const QUALITIES: [&str; 3] = ["exact", "street or better", "postcode or better"];
const METHODS: [&str; 7] =
    ["house", "farrington-flexible", "farrington-1996", "ears-c1", "ears-c2", "ears-c3", "cusum"];
const AGAIN: [&str; 4] = ["level rises", "count doubles", "new category joins", "new ward joins"];
const EFFECTS: [&str; 3] = ["expect more", "watch closer", "note only"];

const fn field(
    section: &'static str,
    name: &'static str,
    shape: Shape,
    needed: bool,
    example: &'static str,
) -> Field {
    Field { section, name, shape, needed, example }
}

/// The table.
pub(super) const FIELDS: &[Field] = &[
    field("", "id", Shape::Id, true, r#"id = "race-week-spike""#),
    field("", "title", Shape::Text, true, r#"title = "Racist incidents well above usual""#),
    field("", "owner", Shape::Text, true, r#"owner = "analysis.team@example.org""#),
    field("", "status", Shape::Word(&STATUSES), true, r#"status = "live""#),
    field("", "level", Shape::Word(&LEVELS), true, r#"level = "elevated""#),
    field("", "review_by", Shape::Date, true, "review_by = 2027-04-01"),
    field("", "why", Shape::Text, false, r#"why = "Agreed with the partnership leads""#),
    field("look_at", "categories", Shape::Categories, true, r#"categories = ["race", "religion"]"#),
    field("look_at", "each", Shape::Flag, false, "each = true"),
    field("look_at", "areas", Shape::Word(&AREAS), false, r#"areas = "every ward""#),
    field("look_at", "wards", Shape::Wards, false, r#"wards = ["E05010461"]"#),
    field("look_at", "period", Shape::Period, true, r#"period = "7 days""#),
    field("look_at", "wait_for_late_reports", Shape::Days, false, r#"wait_for_late_reports = "2 days""#),
    field(
        "look_at",
        "location_quality",
        Shape::Word(&QUALITIES),
        false,
        r#"location_quality = "street or better""#,
    ),
    field("spike", "at_least", Shape::Whole(1, 10_000), true, "at_least = 5"),
    field("spike", "times_usual", Shape::Number(1.0, 1_000.0), false, "times_usual = 2.0"),
    field("spike", "rarer_than", Shape::OnceIn, true, r#"rarer_than = "once in 100 days""#),
    field("spike", "method", Shape::Word(&METHODS), false, r#"method = "house""#),
    field("cluster", "at_least", Shape::Whole(2, 1_000), true, "at_least = 4"),
    field("cluster", "within_metres", Shape::Whole(1, 50_000), true, "within_metres = 300"),
    field("cluster", "within", Shape::Days, true, r#"within = "7 days""#),
    field("cluster", "rarer_than", Shape::OnceIn, true, r#"rarer_than = "once in 365 days""#),
    field("repeat", "of", Shape::Word(&["place", "victim"]), true, r#"of = "place""#),
    field("repeat", "at_least", Shape::Whole(2, 1_000), true, "at_least = 4"),
    field("repeat", "within", Shape::Period, true, r#"within = "12 months""#),
    field("repeat", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 100 days""#),
    field("drop", "usual_at_least", Shape::Whole(1, 100_000), true, "usual_at_least = 12"),
    field("drop", "below_usual", Shape::Text, false, r#"below_usual = "60%""#),
    field("drop", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 100 days""#),
    field("drop", "by_source", Shape::Flag, false, "by_source = true"),
    field(
        "drop",
        "ignore_if",
        Shape::Words(&["feed late", "feed failed"]),
        false,
        r#"ignore_if = ["feed late"]"#,
    ),
    field("share", "of", Shape::Texts, true, r#"of = ["violence against the person"]"#),
    field("share", "at_least", Shape::Whole(1, 100_000), true, "at_least = 10"),
    field("share", "rises_by", Shape::Text, true, r#"rises_by = "15 points""#),
    field("share", "surely", Shape::Text, false, r#"surely = "95%""#),
    field("spread", "after", Shape::Text, true, r#"after = "race-week-spike""#),
    field(
        "spread",
        "into",
        Shape::Word(&["adjacent wards", "other categories"]),
        true,
        r#"into = "adjacent wards""#,
    ),
    field("spread", "at_least", Shape::Whole(1, 1_000), true, "at_least = 2"),
    field("spread", "within", Shape::Days, true, r#"within = "14 days""#),
    field("combine", "all_of", Shape::Texts, false, r#"all_of = ["race-week-spike", "any-street-cluster"]"#),
    field("combine", "any_of", Shape::Texts, false, r#"any_of = ["race-week-spike"]"#),
    field("combine", "at_least", Shape::Whole(1, 100), false, "at_least = 2"),
    field("combine", "same", Shape::Word(&["ward", "adjacent wards", "csp"]), true, r#"same = "ward""#),
    field("combine", "within", Shape::Days, true, r#"within = "7 days""#),
    field("combine", "replaces", Shape::Flag, false, "replaces = true"),
    field("tell", "who", Shape::Words(&WHO), true, r#"who = ["csp", "neighbourhood team"]"#),
    field("tell", "quiet_for", Shape::Days, false, r#"quiet_for = "14 days""#),
    field("tell", "tell_again_when", Shape::Words(&AGAIN), false, r#"tell_again_when = ["level rises"]"#),
    field("tell", "ack_within", Shape::Days, false, r#"ack_within = "2 working days""#),
    field("tell", "then_tell", Shape::Words(&WHO), false, r#"then_tell = ["csp chair"]"#),
    field("budget", "false_alerts", Shape::Text, false, r#"false_alerts = "4 per year""#),
    field("calendar", "when", Shape::Text, true, r#"when = "hate crime awareness week""#),
    field("calendar", "effect", Shape::Word(&EFFECTS), true, r#"effect = "expect more""#),
    field("calendar", "by", Shape::Number(1.0, 20.0), false, "by = 1.4"),
    field("test", "name", Shape::Text, true, r#"name = "three in a quiet ward""#),
    field("test", "weeks", Shape::Open, false, "weeks = [1, 0, 2, 8]"),
    field("test", "incidents", Shape::Open, false, r#"incidents = [{ day = -1, category = "race" }]"#),
    field("test", "expect", Shape::Word(&["alert", "nothing"]), true, r#"expect = "alert""#),
];

/// The fields of a section.
pub(super) fn of(section: &str) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.section == section)
}
