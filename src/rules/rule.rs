//! A rule, once it has been checked.

use crate::{
    detect::reference::Method,
    model::{AlertLevel, AreaKind, CategorySet, Period, Precision, Role},
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
pub enum Areas {
    /// Every area of a kind.
    Every(AreaKind),
    /// These wards, by code.
    Wards(Vec<String>),
}

impl Areas {
    /// The kind of area.
    #[must_use]
    pub fn kind(&self) -> AreaKind {
        match self {
            Self::Every(kind) => *kind,
            Self::Wards(_) => AreaKind::Ward,
        }
    }

    /// Whether an area of the kind is looked at.
    #[must_use]
    pub fn holds(&self, code: &str) -> bool {
        match self {
            Self::Every(_) => true,
            Self::Wards(codes) => codes.iter().any(|own| own == code),
        }
    }
}

/// What comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatOf {
    /// A place.
    Place,
    /// A person, by the supplier's opaque key.
    Victim,
}

/// What a rule asks of the detectors.
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Part of every alert's identity: never changes.
    pub id: String,
    /// What it finds, in a few words.
    pub title: String,
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
    /// Who is told.
    pub who: Vec<Role>,
    /// An alert that closed at most so many days ago is opened again.
    pub quiet_for_days: u32,
    /// So many working days to acknowledge, where the rule says so.
    pub ack_within_days: Option<u32>,
    /// A short hash of the file's text.
    pub version: String,
}

impl Rule {
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
        match self.detector {
            Detector::Spike { at_least, times_usual, method } => {
                let by = method.map_or_else(String::new, |method| format!(" by {method}"));
                let period = self.period;
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
                let what = if of == RepeatOf::Place { "place" } else { "person" };
                format!("at least {at_least} incidents at one {what} in {within}, {rare}")
            }
        }
    }
}

/// The rules in force together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleSet {
    /// By id.
    pub rules: Vec<Rule>,
    /// A hash over all files.
    pub version: String,
}
