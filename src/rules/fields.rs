//! Every field a rule file or a calendar file can have, in one table: the check, its messages, the reference page and the
//! schema for editors follow from it.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Text in quotes, at most so many characters.
    Text(usize),
    /// A rule's id.
    Id,
    /// The id of another rule.
    Rule,
    /// The ids of other rules.
    Rules,
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
    /// A length of time in days.
    Days,
    /// A length of time in days or working days.
    WorkingDays,
    /// How rare, as `once in 100 days`.
    OnceIn,
    /// A share of the whole, as `60%`.
    Percent,
    /// A difference of two shares, as `15 points`.
    Points,
    /// So many in a time, as `4 per year`.
    Budget,
    /// true or false.
    Flag,
    /// A list of categories of the area pack, or `any`.
    Categories,
    /// One category of the area pack.
    Category,
    /// A list of wards by code or name.
    Wards,
    /// A list of districts by code or name.
    Districts,
    /// A list of community safety partnerships by code or name.
    Csps,
    /// The name of an event or campaign of the calendar.
    Event,
    /// Whole numbers, oldest first.
    Counts,
    /// Incidents of a test.
    Incidents,
    /// A point on the grid, in metres.
    Point,
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
    /// What it means to an analyst, in one sentence; with what holds without it.
    pub(super) meaning: &'static str,
}

/// Sections that find something; a rule has exactly one of them.
pub const DETECTORS: [&str; 7] = ["spike", "cluster", "repeat", "drop", "share", "spread", "combine"];

/// Other sections.
pub(super) const SECTIONS: [&str; 3] = ["look_at", "budget", "tell"];

/// Sections that may stand there several times, in double brackets.
pub(super) const LISTS: [&str; 3] = ["override", "calendar", "test"];

/// What sections are for.
pub(super) const MEANINGS: [(&str, &str); 13] = [
    ("", "What the rule is called, who owns it and what its alerts promise."),
    ("look_at", "Which incidents, where and over how long a time. Every rule but [combine] has it."),
    ("spike", "More incidents than usual in an area."),
    ("cluster", "Several incidents near to each other in place and time, across ward borders too."),
    ("repeat", "The same place or the same person, again and again."),
    ("drop", "Fewer reports than usual, where there is enough to fall from."),
    ("share", "A kind of offence makes up more of the incidents than it used to."),
    ("spread", "After another rule has held: a rise in the wards beside it, or in other categories."),
    ("combine", "Other rules hold in the same place at about the same time."),
    (
        "budget",
        "How many false alerts you accept. `tension-watch rules tune` finds the rarity that keeps it.",
    ),
    ("tell", "Who is told, how soon they answer, and when they are told again."),
    (
        "override",
        "Other numbers for some partnerships, for rules that don't follow others. Nothing changes anywhere else.",
    ),
    ("calendar", "What a known event or campaign does to what is expected. It never mutes a rule."),
];

/// What a test is for; apart from the others because it stands in every file.
pub(super) const TEST: &str = "A made-up history and what the rule should say of its last night.";

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

pub(super) const STATUSES: [&str; 4] = ["draft", "shadow", "live", "retired"];
const LEVELS: [&str; 3] = ["watch", "elevated", "severe"];
const AREAS: [&str; 5] = ["every ward", "every district", "every csp", "every npa", "whole county"];
const QUALITIES: [&str; 3] = ["exact", "street or better", "postcode or better"];
const METHODS: [&str; 7] =
    ["house", "farrington-flexible", "farrington-1996", "ears-c1", "ears-c2", "ears-c3", "cusum"];
const AGAIN: [&str; 4] = ["level rises", "count doubles", "new category joins", "new ward joins"];
const EFFECTS: [&str; 3] = ["expect more", "watch closer", "note only"];
const PRIORITIES: [&str; 3] = ["raise awareness", "improve response", "strengthen communities"];
const KINDS: [&str; 3] = ["event", "campaign", "recording change"];

pub(super) const TITLE: usize = 120;
const NAME: usize = 120;
const LONG: usize = 600;
const ACTION: usize = 200;

const fn field(
    section: &'static str,
    name: &'static str,
    shape: Shape,
    needed: bool,
    example: &'static str,
    meaning: &'static str,
) -> Field {
    Field { section, name, shape, needed, example, meaning }
}

/// The fields of a rule file.
#[rustfmt::skip]
pub(super) const FIELDS: &[Field] = &[
    field("", "id", Shape::Id, true, r#"id = "race-week-spike""#, "The rule's name for the engine: small letters, digits and hyphens. It is part of every alert's identity, so it never changes."),
    field("", "title", Shape::Text(TITLE), true, r#"title = "Racist incidents well above usual""#, "What the rule finds, as people read it in mails and lists."),
    field("", "owner", Shape::Text(NAME), true, r#"owner = "analysis.team@example.org""#, "The mailbox of the team that answers for the rule."),
    field("", "status", Shape::Word(&STATUSES), true, r#"status = "live""#, "draft: not judged. shadow: judged and recorded, nobody is told. live: judged and told. retired: kept for the record."),
    field("", "level", Shape::Word(&LEVELS), true, r#"level = "elevated""#, "What an alert promises: by chance no oftener than once in 30 days (watch), 100 days (elevated) or 365 days (severe), over everything the rule looks at."),
    field("", "review_by", Shape::Date, true, "review_by = 2027-04-01", "The day by which somebody looks at the rule again. A rule past it is named by `rules check` and on the rules page."),
    field("", "why", Shape::Text(LONG), false, r#"why = "Agreed with the partnership leads""#, "Why the rule exists, for those who read it in two years."),

    field("look_at", "categories", Shape::Categories, true, r#"categories = ["race", "religion"]"#, "Which strands, by code, or \"any\". They are counted together, each incident once."),
    field("look_at", "each", Shape::Flag, false, "each = true", "Judge each strand apart instead of together. False unless you write it."),
    field("look_at", "areas", Shape::Word(&AREAS), false, r#"areas = "every ward""#, "What is judged. Every ward unless you write it."),
    field("look_at", "wards", Shape::Wards, false, r#"wards = ["E05010458"]"#, "Only these wards, by code or name. Instead of `areas`."),
    field("look_at", "only_districts", Shape::Districts, false, r#"only_districts = ["Charnwood"]"#, "Of those areas only the ones in these districts."),
    field("look_at", "only_csps", Shape::Csps, false, r#"only_csps = ["Safer Leicester Partnership"]"#, "Of those areas only the ones in these partnerships."),
    field("look_at", "period", Shape::Period, true, r#"period = "7 days""#, "How long a time is added up. Days and weeks end with the night; \"month\" is the last whole calendar month."),
    field("look_at", "wait_for_late_reports", Shape::Days, false, r#"wait_for_late_reports = "2 days""#, "End the period so many days before the night, when late reports have come in. Without it late reports are allowed for by estimate."),
    field("look_at", "location_quality", Shape::Word(&QUALITIES), false, r#"location_quality = "street or better""#, "Leave out incidents that are placed more roughly. For [cluster] and [repeat] it is \"street or better\" unless you write another."),

    field("spike", "at_least", Shape::Whole(1, 10_000), true, "at_least = 5", "Never below so many incidents."),
    field("spike", "times_usual", Shape::Number(1.0, 1_000.0), false, "times_usual = 2.0", "And at least this multiple of what is usual."),
    field("spike", "rarer_than", Shape::OnceIn, true, r#"rarer_than = "once in 100 days""#, "And by chance no oftener than this, anywhere the rule looks."),
    field("spike", "method", Shape::Word(&METHODS), false, r#"method = "house""#, "Who says what is usual: the house method unless you name a reference method."),

    field("cluster", "at_least", Shape::Whole(2, 1_000), true, "at_least = 4", "So many incidents near to one another make a cluster."),
    field("cluster", "within_metres", Shape::Whole(1, 50_000), true, "within_metres = 300", "How near in place."),
    field("cluster", "within", Shape::Days, true, r#"within = "7 days""#, "How near in time."),
    field("cluster", "rarer_than", Shape::OnceIn, true, r#"rarer_than = "once in 365 days""#, "And by chance no oftener than this, anywhere the rule looks."),

    field("repeat", "of", Shape::Word(&["place", "victim"]), true, r#"of = "place""#, "What comes again: a place, or a person by the supplier's opaque key."),
    field("repeat", "at_least", Shape::Whole(2, 1_000), true, "at_least = 4", "So many incidents."),
    field("repeat", "within", Shape::Period, true, r#"within = "12 months""#, "In this time."),
    field("repeat", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 100 days""#, "And no oftener than this. What the level promises unless you write it."),

    field("drop", "usual_at_least", Shape::Whole(1, 100_000), true, "usual_at_least = 12", "Only where so many are usual in the period."),
    field("drop", "below_usual", Shape::Percent, false, r#"below_usual = "60%""#, "And fewer than this share of what is usual were reported."),
    field("drop", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 100 days""#, "And by chance no oftener than this. What the level promises unless you write it."),
    field("drop", "by_source", Shape::Flag, false, "by_source = true", "Judge the reports of each source apart and name the one that fell."),
    field("drop", "ignore_if", Shape::Words(&["feed late", "feed failed"]), false, r#"ignore_if = ["feed late"]"#, "Say nothing of a source whose data are late or failed to arrive: that is a matter for whoever runs the feed. A source that has stopped is late, and what it is behind is never expected."),

    field("share", "of", Shape::Texts, true, r#"of = ["violence against the person"]"#, "The kinds of offence, as the sources name them."),
    field("share", "at_least", Shape::Whole(1, 100_000), true, "at_least = 10", "Only with so many incidents of any kind in the period."),
    field("share", "rises_by", Shape::Points, true, r#"rises_by = "15 points""#, "The share is so many percentage points above what it was in the two years before."),
    field("share", "surely", Shape::Percent, false, r#"surely = "95%""#, "How sure the rise must be: the lower end of its interval is above zero. 95% unless you write it."),
    field("share", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 100 days""#, "And by chance no oftener than this. What the level promises unless you write it."),

    field("spread", "after", Shape::Rule, true, r#"after = "race-week-spike""#, "The [spike] rule that held first."),
    field("spread", "into", Shape::Word(&["adjacent wards", "other categories"]), true, r#"into = "adjacent wards""#, "Where the rise goes on: in the wards that share a border, or in the same ward in other strands."),
    field("spread", "at_least", Shape::Whole(1, 1_000), true, "at_least = 3", "So many incidents there in the period."),
    field("spread", "times_usual", Shape::Number(1.0, 1_000.0), false, "times_usual = 2.0", "And at least this multiple of what is usual there."),
    field("spread", "within", Shape::Days, true, r#"within = "14 days""#, "At most so long after the first rule held."),
    field("spread", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 100 days""#, "And by chance no oftener than this. What the level promises unless you write it."),

    field("combine", "all_of", Shape::Rules, false, r#"all_of = ["race-week-spike", "any-street-cluster"]"#, "Every one of these rules holds."),
    field("combine", "any_of", Shape::Rules, false, r#"any_of = ["race-week-spike", "any-street-cluster"]"#, "One of these rules holds, or as many as `at_least` says."),
    field("combine", "at_least", Shape::Whole(1, 100), false, "at_least = 2", "So many of those in `any_of`. One unless you write it."),
    field("combine", "same", Shape::Word(&["ward", "adjacent wards", "csp"]), true, r#"same = "ward""#, "What they have in common."),
    field("combine", "within", Shape::Days, true, r#"within = "7 days""#, "They held in the same so many days."),
    field("combine", "replaces", Shape::Flag, false, "replaces = true", "Their own alerts fold into this one: one mail instead of several. A member of a higher level is still told by itself."),

    field("budget", "false_alerts", Shape::Budget, true, r#"false_alerts = "4 per year""#, "False alerts you accept over everything the rule looks at."),

    field("tell", "who", Shape::Words(&WHO), true, r#"who = ["csp", "neighbourhood team"]"#, "Who is told, by role."),
    field("tell", "quiet_for", Shape::Days, false, r#"quiet_for = "14 days""#, "An alert that closed at most so long ago is opened again rather than begun anew. 14 days unless you write it."),
    field("tell", "tell_again_when", Shape::Words(&AGAIN), false, r#"tell_again_when = ["level rises", "count doubles"]"#, "What is news while an alert is open. All four unless you write it."),
    field("tell", "hold_nights", Shape::Whole(1, 14), false, "hold_nights = 2", "The rule holds on so many nights in a row before anybody is told. 1 unless you write it: the first night is told."),
    field("tell", "ack_within", Shape::WorkingDays, false, r#"ack_within = "2 working days""#, "By when those told acknowledge the alert, each for themselves; then `then_tell` are told. No clock runs without it."),
    field("tell", "follow_up_within", Shape::WorkingDays, false, r#"follow_up_within = "5 working days""#, "By when an action or an expected event follows an acknowledgement; else it runs out, and whoever gave it is asked again. 5 working days unless you write it."),
    field("tell", "then_tell", Shape::Words(&WHO), false, r#"then_tell = ["csp chair"]"#, "Who is told when somebody of those told first has not. The chairs of the partnerships unless you write it; the Senior Officer Group after them."),

    field("override", "csps", Shape::Csps, true, r#"csps = ["Charnwood"]"#, "The partnerships with other numbers."),
    field("override", "at_least", Shape::Whole(1, 10_000), false, "at_least = 3", "Instead of the detector's own."),
    field("override", "times_usual", Shape::Number(1.0, 1_000.0), false, "times_usual = 3.0", "Instead of the detector's own."),
    field("override", "rarer_than", Shape::OnceIn, false, r#"rarer_than = "once in 200 days""#, "Instead of the detector's own; never commoner than the level promises."),
    field("override", "status", Shape::Word(&["shadow", "live", "retired"]), false, r#"status = "shadow""#, "Instead of the rule's own."),
    field("override", "who", Shape::Words(&WHO), false, r#"who = ["csp"]"#, "Instead of the rule's own."),
    field("override", "quiet_for", Shape::Days, false, r#"quiet_for = "28 days""#, "Instead of the rule's own."),

    field("calendar", "when", Shape::Event, true, r#"when = "hate crime awareness week""#, "The name of an event or campaign in rules/calendar/."),
    field("calendar", "effect", Shape::Word(&EFFECTS), true, r#"effect = "expect more""#, "expect more: multiply what is expected. watch closer: divide it. note only: print a line."),
    field("calendar", "by", Shape::Number(1.0, 20.0), false, "by = 1.4", "The multiplier. Needed by expect more and watch closer."),

    field("test", "name", Shape::Text(NAME), true, r#"name = "jump from one a week to eight""#, "What the test shows."),
    field("test", "weeks", Shape::Counts, false, "weeks = [1, 0, 2, 1, 8]", "Incidents a week in one area, oldest first; the last week ends with the last day the rule looks at."),
    field("test", "category", Shape::Category, false, r#"category = "race""#, "The strand of `weeks`. The first that the rule looks at unless you write it."),
    field("test", "source", Shape::Text(NAME), false, r#"source = "police""#, "The source of `weeks`."),
    field("test", "of_which", Shape::Counts, false, "of_which = [0, 0, 1, 0, 6]", "How many of `weeks` are of the kinds of offence that [share] names."),
    field("test", "next_door", Shape::Counts, false, "next_door = [0, 1, 0, 0, 4]", "Incidents a week in an adjacent ward."),
    field("test", "incidents", Shape::Incidents, false, r#"incidents = [{ day = -1, east = 461200, north = 305900, category = "race" }]"#, "Single incidents: day (0 is the night, -1 the day before), east and north in metres, category, source, offence, ward (\"next door\" for an adjacent one) and repeat_key."),
    field("test", "expect", Shape::Word(&["alert", "nothing"]), true, r#"expect = "alert""#, "Whether the rule should hold on the night."),
];

/// The fields of `[[event]]` in a calendar file.
#[rustfmt::skip]
pub(super) const EVENT: &[Field] = &[
    field("event", "name", Shape::Text(NAME), true, r#"name = "hate crime awareness week""#, "What rules call it. The same name may come again in another year."),
    field("event", "kind", Shape::Word(&KINDS), false, r#"kind = "campaign""#, "An event unless you write another."),
    field("event", "from", Shape::Date, true, "from = 2027-10-09", "Its first day."),
    field("event", "to", Shape::Date, true, "to = 2027-10-16", "Its last day."),
    field("event", "wards", Shape::Wards, false, r#"wards = ["Castle"]"#, "Where: these wards. Everywhere without a place."),
    field("event", "districts", Shape::Districts, false, r#"districts = ["Charnwood"]"#, "Where: these districts."),
    field("event", "csps", Shape::Csps, false, r#"csps = ["Safer Leicester Partnership"]"#, "Where: these partnerships."),
    field("event", "around", Shape::Point, false, "around = { east = 458300, north = 303900 }", "Where: around a point on the grid, with `within_metres`."),
    field("event", "within_metres", Shape::Whole(50, 50_000), false, "within_metres = 1500", "How far around the point."),
    field("event", "categories", Shape::Categories, false, r#"categories = ["race"]"#, "Which strands it bears on. All unless you write it."),
    field("event", "channels", Shape::Texts, false, r#"channels = ["online", "third party"]"#, "Through which channels a campaign asks people to report. Alerts at its time and place say whether their reports came through them."),
    field("event", "why", Shape::Text(LONG), false, r#"why = "Rose by a third in 2025 and 2026""#, "Where the dates or the size come from."),
];

/// The fields of `[[episode]]` in an episodes file: what really happened, to try rules against.
#[rustfmt::skip]
pub(super) const EPISODE: &[Field] = &[
    field("episode", "name", Shape::Text(NAME), true, r#"name = "east Leicester 2022""#, "What people call it."),
    field("episode", "from", Shape::Date, true, "from = 2022-08-28", "The first day on which there was anything to see."),
    field("episode", "peak", Shape::Date, false, "peak = 2022-09-17", "The day everybody knew: lead times count to it. The first day unless you write it."),
    field("episode", "to", Shape::Date, true, "to = 2022-09-30", "The last day."),
    field("episode", "wards", Shape::Wards, false, r#"wards = ["Belgrave"]"#, "Where: these wards."),
    field("episode", "districts", Shape::Districts, false, r#"districts = ["Leicester"]"#, "Where: these districts. The whole county without a place."),
    field("episode", "categories", Shape::Categories, false, r#"categories = ["religion"]"#, "Which strands. All unless you write it."),
];

/// The fields of `[[play]]` in a playbook: what a partnership usually does about a kind of signal.
#[rustfmt::skip]
pub(super) const PLAY: &[Field] = &[
    field("play", "action", Shape::Text(ACTION), true, r#"action = "Visit the shops of the street together""#, "What to do, in a line without names of people. It stands on the alert's page with a button that records it."),
    field("play", "priority", Shape::Word(&PRIORITIES), true, r#"priority = "improve response""#, "Which of the strategy's three priorities it serves."),
    field("play", "owner", Shape::Word(&WHO), true, r#"owner = "csp""#, "Who does it, by role, where the alert is."),
    field("play", "due_within", Shape::Days, true, r#"due_within = "7 days""#, "In how many days it is to be done."),
    field("play", "signals", Shape::Words(&DETECTORS), false, r#"signals = ["spike", "cluster"]"#, "For alerts of rules that find these. Any unless you write it."),
    field("play", "categories", Shape::Categories, false, r#"categories = ["race", "religion"]"#, "For alerts that have one of these strands. Any unless you write it."),
    field("play", "csps", Shape::Csps, false, r#"csps = ["Charnwood"]"#, "For alerts in these partnerships. Any unless you write it."),
    field("play", "why", Shape::Text(LONG), false, r#"why = "Agreed by the hate crime group in May""#, "Where it comes from."),
];

/// The fields of one incident of a test.
#[rustfmt::skip]
pub(super) const INCIDENT: &[Field] = &[
    field("incidents", "day", Shape::Whole(-1_100, 0), true, "day = -1", "The day: 0 is the night, -1 the day before."),
    field("incidents", "east", Shape::Number(-1e7, 1e7), false, "east = 461200", "Metres east on the grid, together with `north`. Without a place the incident has a ward only."),
    field("incidents", "north", Shape::Number(-1e7, 1e7), false, "north = 305900", "Metres north on the grid, together with `east`."),
    field("incidents", "category", Shape::Category, false, r#"category = "race""#, "Its strand. The first that the rule looks at unless you write it."),
    field("incidents", "source", Shape::Text(NAME), false, r#"source = "police""#, "Its source."),
    field("incidents", "offence", Shape::Text(NAME), false, r#"offence = "criminal damage""#, "The kind of offence, as the source names it."),
    field("incidents", "ward", Shape::Word(&["next door"]), false, r#"ward = "next door""#, "In an adjacent ward instead of the tested one."),
    field("incidents", "repeat_key", Shape::Text(NAME), false, r#"repeat_key = "a1""#, "The supplier's opaque key for a person."),
];

/// The fields of a point on the grid.
#[rustfmt::skip]
pub(super) const POINT: &[Field] = &[
    field("around", "east", Shape::Number(-1e7, 1e7), true, "east = 458300", "Metres east on the grid."),
    field("around", "north", Shape::Number(-1e7, 1e7), true, "north = 303900", "Metres north on the grid."),
];

/// The fields of a section of a rule file.
pub(super) fn of(section: &str) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.section == section)
}

/// What a section is for.
pub(super) fn meaning(section: &str) -> &'static str {
    MEANINGS.iter().find(|(name, _)| *name == section).map_or(TEST, |(_, meaning)| meaning)
}
