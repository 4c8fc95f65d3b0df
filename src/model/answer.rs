//! What people answer to an alert, and who was asked.

use super::{AreaRef, Geography, Role};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Somebody who is told and answers: a role for an area, never a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// The role.
    pub role: Role,
    /// The area it answers for; none is the whole county.
    pub area: Option<AreaRef>,
}

impl Party {
    /// As other readers see it, for example `CSP coordinator, Safer Leicester`.
    #[must_use]
    pub fn label(&self, geography: &Geography) -> String {
        let area = self.area.as_ref().map(|area| {
            geography.get(area.kind, &area.code).map_or_else(|| area.code.clone(), |known| known.name.clone())
        });
        match area {
            Some(area) => format!("{}, {area}", self.role.label()),
            None => self.role.label().to_owned(),
        }
    }
}

/// Who was asked together to acknowledge, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// All of them.
    pub parties: Vec<Party>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when; then the next in the chain are told. None where the rule sets no time.
    pub by: Option<DateTime<Utc>>,
}

/// One party has said that they have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub party: Party,
    /// When.
    pub at: DateTime<Utc>,
    /// It runs out then unless the party has recorded an action or named an expected event before; none once they have.
    pub until: Option<DateTime<Utc>>,
}

/// What people made of an alert, when they close it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was useful, and something was done.
    UsefulActed,
    /// It was right, and known before.
    UsefulKnown,
    /// There was nothing in it.
    FalseAlarm,
    /// Another alert says the same.
    Duplicate,
    /// The records were wrong.
    DataError,
    /// Too little was told to judge it.
    TooLittle,
}

impl Outcome {
    /// All of them, in the order in which forms offer them.
    pub const ALL: [Self; 6] = [
        Self::UsefulActed,
        Self::UsefulKnown,
        Self::FalseAlarm,
        Self::Duplicate,
        Self::DataError,
        Self::TooLittle,
    ];

    /// As forms, files and the command line write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UsefulActed => "useful-acted",
            Self::UsefulKnown => "useful-known",
            Self::FalseAlarm => "false-alarm",
            Self::Duplicate => "duplicate",
            Self::DataError => "data-error",
            Self::TooLittle => "too-little",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::UsefulActed => "useful, and acted on",
            Self::UsefulKnown => "useful, but already known",
            Self::FalseAlarm => "false alarm",
            Self::Duplicate => "duplicate of another alert",
            Self::DataError => "error in the data",
            Self::TooLittle => "not enough detail to judge",
        }
    }

    /// Whether it counts for or against the rule; duplicates and alerts that could not be judged count for neither.
    #[must_use]
    pub const fn was_right(self) -> Option<bool> {
        match self {
            Self::UsefulActed | Self::UsefulKnown => Some(true),
            Self::FalseAlarm | Self::DataError => Some(false),
            Self::Duplicate | Self::TooLittle => None,
        }
    }

    /// From [`Outcome::code`].
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

/// Somebody closed an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// What they made of it.
    pub outcome: Outcome,
    /// Who.
    pub party: Party,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why an alert that holds is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// Its level is for the weekly digest.
    Digest,
    /// It is told with the alert of a rule that combines it with others.
    Folded,
    /// Somebody asked for quiet until the end of a day.
    Silenced {
        /// The last silent day.
        until: NaiveDate,
    },
    /// Somebody closed it, and it has not grown since.
    Answered,
}

impl Untold {
    /// As the record of an alert writes it.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Digest => "level watch: it waits for the weekly digest".into(),
            Self::Folded => "told with the alert of a rule that combines it with others".into(),
            Self::Silenced { until } => format!("silenced until {}", until.format("%-d %B %Y")),
            Self::Answered => "closed by those responsible, and not grown since".into(),
        }
    }
}

/// Quiet about a rule, an area or a category, or where all that are named meet; it always ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Only this rule; none is any.
    pub rule: Option<String>,
    /// Only alerts all of whose wards lie in this area; none is everywhere.
    pub area: Option<AreaRef>,
    /// Only alerts of nothing but this category; none is any.
    pub category: Option<String>,
    /// The first silent day.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
    /// Why.
    pub reason: String,
    /// Who asked for it: a role and area, or an account's name.
    pub author: String,
}

/// Something about the data, the rules or the mail that an analyst has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataAlert {
    /// Unique while it is open, for example `late/leicester-council`.
    pub identity: String,
    /// What, in a line.
    pub title: String,
    /// What it means, and what to do.
    pub text: String,
}
