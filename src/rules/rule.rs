//! A rule, once it has been checked.

use super::{calendar::Calendar, playbook::Play};
use crate::{
    detect::reference::Method,
    model::{
        AlertLevel, AreaKind, AreaRef, CategorySet, Effect, Geography, Period, Precision, Role, SignalKind,
    },
};
use chrono::NaiveDate;

/// Where a rule is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being written: not evaluated.
    Draft,
    /// Evaluated and recorded, told to nobody.
    Shadow,
    /// Evaluated and told.
    Live,
    /// Kept for the record: not evaluated.
    Retired,
}

/// Which categories a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryChoice {
    /// All of them.
    pub all: CategorySet,
    /// Each apart, with its code; empty when they are counted together.
    pub each: Vec<(String, CategorySet)>,
}

/// Where a rule looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Areas {
    /// The kind of area that is judged.
    pub kind: AreaKind,
    /// Only these wards, by code; empty is all of them.
    pub wards: Vec<String>,
    /// Only what lies in these districts and partnerships; empty is everywhere.
    pub only: Vec<AreaRef>,
}

impl Areas {
    /// Every area of a kind.
    #[must_use]
    pub fn every(kind: AreaKind) -> Self {
        Self { kind, wards: Vec::new(), only: Vec::new() }
    }

    /// Whether an area of the kind is looked at. A larger area is when all its wards are.
    #[must_use]
    pub fn hold(&self, code: &str, geography: &Geography) -> bool {
        if self.kind == AreaKind::Ward {
            return self.hold_ward(code, geography);
        }
        if self.wards.is_empty() && self.only.is_empty() {
            return true;
        }
        let mut wards = geography.wards_of(self.kind, code).peekable();
        wards.peek().is_some() && wards.all(|ward| self.hold_ward(&ward.code, geography))
    }

    /// Whether a ward is looked at, or lies in an area that is.
    #[must_use]
    pub fn hold_ward(&self, ward: &str, geography: &Geography) -> bool {
        (self.wards.is_empty() || self.wards.iter().any(|own| own == ward))
            && (self.only.is_empty() || self.only.iter().any(|area| lies_in(ward, area, geography)))
    }
}

/// Whether a ward belongs to an area.
pub(super) fn lies_in(ward: &str, area: &AreaRef, geography: &Geography) -> bool {
    match area.kind {
        AreaKind::Ward => area.code == ward,
        kind => geography.above(ward, kind).any(|above| above.code == area.code),
    }
}

/// Whether what concerns these wards, the most concerned first, lies in one of the partnerships.
pub(super) fn lies_in_any(wards: &[String], csps: &[String], geography: &Geography) -> bool {
    let lies = |csp: &String| {
        let area = AreaRef { kind: AreaKind::Csp, code: csp.clone() };
        wards.first().is_some_and(|ward| lies_in(ward, &area, geography))
    };
    csps.iter().any(lies)
}

/// What comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatOf {
    /// A place.
    Place,
    /// A person, by the supplier's opaque key.
    Victim,
}

/// Where a rise goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// In the wards that share a border.
    AdjacentWards,
    /// In the same ward, in other categories.
    OtherCategories,
}

/// What rules that are combined have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// A ward.
    Ward,
    /// Wards that share a border.
    AdjacentWards,
    /// A community safety partnership.
    Csp,
}

/// What a rule asks of the detectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Detector {
    /// More than usual in an area.
    Spike {
        /// Never below this many incidents.
        at_least: u64,
        /// And at least this multiple of what is usual.
        times_usual: f64,
        /// The reference method that says what is usual; none is the house method.
        method: Option<Method>,
    },
    /// Several near to each other in space and time.
    Cluster {
        /// So many within the reach make a cluster.
        at_least: usize,
        /// The reach in metres.
        metres: u32,
        /// The reach in days.
        days: u32,
    },
    /// One place or person again and again.
    Repeat {
        /// Which.
        of: RepeatOf,
        /// So many in the window.
        at_least: usize,
        /// The window.
        within: Period,
    },
    /// Fewer reports than usual.
    Drop {
        /// Only where so many are usual.
        usual_at_least: f64,
        /// And less than this share of what is usual, 0 to 1.
        below_usual: f64,
        /// Each source apart.
        by_source: bool,
        /// Silent about sources that are late.
        ignore_late: bool,
    },
    /// A kind of offence makes up more of the incidents than it used to.
    Share {
        /// The kinds of offence, in small letters.
        of: Vec<String>,
        /// Only with so many incidents in the window.
        at_least: u64,
        /// The rise of the share, 0 to 1.
        rises_by: f64,
        /// How sure the rise must be, 0 to 1.
        surely: f64,
    },
    /// A rise that goes on beside another rule's.
    Spread {
        /// The rule that held first.
        after: String,
        /// Where it goes on.
        into: Into,
        /// So many there.
        at_least: u64,
        /// And at least this multiple of what is usual there.
        times_usual: f64,
        /// So many days after at most.
        within: u32,
    },
    /// Other rules together.
    Combine {
        /// The rules.
        members: Vec<String>,
        /// So many of them.
        at_least: usize,
        /// What they have in common.
        same: Same,
        /// Within so many days.
        within: u32,
        /// Their own alerts fold into this one.
        replaces: bool,
    },
}

impl Detector {
    /// The section of the file that asks for it.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Spike { .. } => "spike",
            Self::Cluster { .. } => "cluster",
            Self::Repeat { .. } => "repeat",
            Self::Drop { .. } => "drop",
            Self::Share { .. } => "share",
            Self::Spread { .. } => "spread",
            Self::Combine { .. } => "combine",
        }
    }
}

/// The kind of signal that a detector finds.
pub(super) const fn signal(detector: &Detector) -> SignalKind {
    match detector {
        Detector::Spike { .. } => SignalKind::Spike,
        Detector::Cluster { .. } => SignalKind::Cluster,
        Detector::Repeat { .. } => SignalKind::Repeat,
        Detector::Drop { .. } => SignalKind::Drop,
        Detector::Share { .. } => SignalKind::Share,
        Detector::Spread { .. } => SignalKind::Spread,
        Detector::Combine { .. } => SignalKind::Combine,
    }
}

/// What is news while an alert is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent answers of the file")]
pub struct TellAgain {
    /// The level rises.
    pub level: bool,
    /// The count doubles.
    pub count: bool,
    /// A category joins.
    pub category: bool,
    /// A ward joins.
    pub ward: bool,
}

impl TellAgain {
    /// All of them.
    pub const ALL: Self = Self { level: true, count: true, category: true, ward: true };
}

/// A calendar entry that a rule uses.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarUse {
    /// The name of the events.
    pub when: String,
    /// What they do.
    pub effect: Effect,
    /// The multiplier; 1 for a note.
    pub by: f64,
}

/// Other numbers for some partnerships.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The partnerships, by code.
    pub csps: Vec<String>,
    /// The rule as it is there; its own overrides are empty.
    pub rule: Box<Rule>,
}

/// An acknowledgement holds for so many working days without an action where the rule says nothing else; then the alert
/// waits for one again.
pub const FOLLOW_UP_DAYS: u32 = 5;

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Part of every alert's identity: never changes.
    pub id: String,
    /// What it finds, in a few words.
    pub title: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it exists.
    pub why: Option<String>,
    /// Where in its life.
    pub status: Status,
    /// What its alerts promise.
    pub level: AlertLevel,
    /// When somebody should look at it again.
    pub review_by: NaiveDate,
    /// Which categories.
    pub categories: CategoryChoice,
    /// Where.
    pub areas: Areas,
    /// How long a time.
    pub period: Period,
    /// The window ends so many days before the night, when late reports have come in.
    pub wait_days: u32,
    /// Incidents placed more roughly are left out; none leaves out none.
    pub quality: Option<Precision>,
    /// What it asks of the detectors.
    pub detector: Detector,
    /// By chance no oftener than once in so many days, anywhere it looks.
    pub rarer_than_days: f64,
    /// False alerts a year that are accepted.
    pub budget_a_year: Option<f64>,
    /// Who is told.
    pub who: Vec<Role>,
    /// An alert that closed at most so many days ago is opened again.
    pub quiet_for_days: u32,
    /// What is news while an alert is open.
    pub tell_again: TellAgain,
    /// So many nights in a row it has to hold before anybody is told.
    pub hold_nights: u32,
    /// So many working days to acknowledge, where the rule says so.
    pub ack_within_days: Option<u32>,
    /// So many working days for an action or an expected event to follow an acknowledgement.
    pub follow_up_within_days: u32,
    /// Who is told when nobody has.
    pub then_tell: Vec<Role>,
    /// What it makes of the calendar.
    pub calendar: Vec<CalendarUse>,
    /// Other numbers for some partnerships.
    pub overrides: Vec<Override>,
    /// Its tests.
    pub tests: Vec<TestCase>,
    /// A short hash of the file's text.
    pub version: String,
    /// The file, as it was named when it was read.
    pub file: String,
}

/// An incident of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestIncident {
    /// 0 is the night, -1 the day before.
    pub day: i64,
    /// Metres on the grid; without it the incident has a ward and no place.
    pub point: Option<(i32, i32)>,
    /// Its category; the first the rule looks at otherwise.
    pub category: Option<String>,
    /// Its source.
    pub source: Option<String>,
    /// The kind of offence.
    pub offence: Option<String>,
    /// It happened in the ward next door.
    pub next_door: bool,
    /// The supplier's key for a person.
    pub repeat_key: Option<String>,
}

/// A made-up history and what the rule should say of its last night.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// The line of the file it begins on.
    pub line: usize,
    /// Incidents a week in the tested area, oldest first.
    pub weeks: Vec<u32>,
    /// How many of them are of the kinds of offence that the rule names.
    pub of_which: Vec<u32>,
    /// Incidents a week in an adjacent ward.
    pub next_door: Vec<u32>,
    /// The category of the weekly counts.
    pub category: Option<String>,
    /// The source of the weekly counts.
    pub source: Option<String>,
    /// Single incidents.
    pub incidents: Vec<TestIncident>,
    /// Whether the rule should hold.
    pub alert: bool,
}

impl Rule {
    /// The rule as it is where a finding is: with the numbers of its partnership, where it has others.
    #[must_use]
    pub fn at(&self, wards: &[String], geography: &Geography) -> &Self {
        let there = |own: &&Override| lies_in_any(wards, &own.csps, geography);
        self.overrides.iter().find(there).map_or(self, |own| &*own.rule)
    }

    /// Whether it is evaluated.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        matches!(self.status, Status::Live | Status::Shadow)
    }

    /// What it asks for, in a sentence without a full stop.
    #[must_use]
    pub fn in_words(&self) -> String {
        let rare =
            format!("by chance no oftener than once in {:.0} days anywhere it looks", self.rarer_than_days);
        let period = self.period;
        match &self.detector {
            Detector::Spike { at_least, times_usual, method } => {
                let by = method.map_or_else(String::new, |method| format!(" by {method}"));
                format!(
                    "at least {at_least} incidents in {period}, at least {times_usual} times what is usual{by}, {rare}"
                )
            }
            Detector::Cluster { at_least, metres, days } => {
                format!(
                    "at least {at_least} incidents within {metres} metres and {days} days of each other, {rare}"
                )
            }
            Detector::Repeat { of, at_least, within } => {
                let what = if *of == RepeatOf::Place { "place" } else { "person" };
                format!("at least {at_least} incidents at one {what} in {within}, {rare}")
            }
            Detector::Drop { usual_at_least, below_usual, by_source, .. } => {
                let source = if *by_source { " from one source" } else { "" };
                format!(
                    "less than {:.0}% of the usual reports{source} in {period}, where at least {usual_at_least:.0} are usual, {rare}",
                    below_usual * 100.0
                )
            }
            Detector::Share { of, at_least, rises_by, surely } => format!(
                "{} make up at least {:.0} percentage points more of the incidents in {period} than before, surely by {:.0}%, with at least {at_least} incidents, {rare}",
                of.join(" and "),
                rises_by * 100.0,
                surely * 100.0
            ),
            Detector::Spread { after, into, at_least, times_usual, within } => {
                let place = match into {
                    Into::AdjacentWards => "in a ward beside one",
                    Into::OtherCategories => "in other strands of a ward",
                };
                format!(
                    "at least {at_least} incidents in {period} and {times_usual} times what is usual {place} where {after} held in the last {within} days, {rare}"
                )
            }
            Detector::Combine { members, at_least, same, within, .. } => {
                let place = match same {
                    Same::Ward => "in one ward",
                    Same::AdjacentWards => "in one ward or wards that share a border",
                    Same::Csp => "in one partnership",
                };
                let which = if *at_least == members.len() {
                    members.join(" and ")
                } else {
                    format!("at least {at_least} of {}", members.join(", "))
                };
                format!("{which} hold {place} within {within} days")
            }
        }
    }
}

/// The rules in force together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleSet {
    /// By id.
    pub rules: Vec<Rule>,
    /// Events and campaigns.
    pub calendar: Calendar,
    /// What partnerships usually do, in the order of the files.
    pub playbook: Vec<Play>,
    /// A hash over all files.
    pub version: String,
}
