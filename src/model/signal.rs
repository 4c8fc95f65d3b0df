//! What detectors found, before any rule has judged it.

use super::{AreaKind, CategorySet, Recurrence};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whole local days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First day.
    pub first: NaiveDate,
    /// Last day, not before the first.
    pub last: NaiveDate,
}

impl Window {
    /// The window of `days` that ends on `last`; at least one day long.
    #[must_use]
    pub fn ending(last: NaiveDate, days: u32) -> Self {
        Self { first: last - chrono::Days::new(u64::from(days.max(1) - 1)), last }
    }

    /// How many days it holds.
    #[must_use]
    pub fn days(self) -> u32 {
        (self.last - self.first).num_days() as u32 + 1
    }

    /// Whether a day is in it.
    #[must_use]
    pub fn holds(self, day: NaiveDate) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// An area by kind and code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AreaRef {
    /// What it is.
    pub kind: AreaKind,
    /// Its code.
    pub code: String,
}

/// A count held against what is usual for its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Where.
    pub area: AreaRef,
    /// What was counted together; each incident once.
    pub categories: CategorySet,
    /// When.
    pub window: Window,
    /// Incidents known.
    pub observed: u64,
    /// Incidents usual in such a window, as far as they would be known by now.
    pub expected: f64,
    /// P(at least this many), when nothing but the usual happens.
    pub p_upper: f64,
    /// P(at most this many), when nothing but the usual happens.
    pub p_lower: f64,
}

/// What a calendar entry does to what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Multiplies it.
    ExpectMore,
    /// Divides it.
    WatchCloser,
    /// Leaves it: a line is printed.
    NoteOnly,
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ExpectMore => "expect more",
            Self::WatchCloser => "watch closer",
            Self::NoteOnly => "note only",
        })
    }
}

/// How a cluster goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing happened there in the time before.
    New,
    /// No change that chance would not bring.
    Ongoing,
    /// More than in the time before.
    Intensifying,
    /// Less than in the time before.
    Diminishing,
}

/// Incidents close together in space and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The incidents, oldest first. The first core incident gives the cluster its lasting name.
    pub members: Vec<Uuid>,
    /// Those that are unusual together, oldest first: what follows is told of them.
    pub part: Vec<Uuid>,
    /// The oldest core incident.
    pub name: Uuid,
    /// Wards touched, most incidents first.
    pub wards: Vec<String>,
    /// Categories carried by any.
    pub categories: CategorySet,
    /// From the first to the last.
    pub window: Window,
    /// Middle, metres on the pack's grid.
    pub centre: (f64, f64),
    /// Metres from the middle to the farthest.
    pub radius: f64,
    /// Incidents usual in that circle and time.
    pub expected: f64,
    /// How often by chance.
    pub recurrence: Recurrence,
    /// How it goes on.
    pub change: Change,
}

/// One place, again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatPlace {
    /// The incidents in the window, oldest first.
    pub members: Vec<Uuid>,
    /// The place's oldest incident on record: its lasting name.
    pub name: Uuid,
    /// The ward.
    pub ward: String,
    /// Categories carried by any member.
    pub categories: CategorySet,
    /// The window looked at.
    pub window: Window,
    /// Incidents usual at such a place in such a window.
    pub expected: f64,
    /// How often something this strong comes up.
    pub recurrence: Recurrence,
}
