//! What partners do: the action register.

use super::{AreaRef, Party};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// Which of the three priorities of the county's strategy an action serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Raising awareness.
    RaiseAwareness,
    /// Improving our response: identifying and responding to emerging issues.
    ImproveResponse,
    /// Reassuring, strengthening and educating communities.
    StrengthenCommunities,
}

impl Priority {
    /// All of them, in the order of the strategy.
    pub const ALL: [Self; 3] = [Self::RaiseAwareness, Self::ImproveResponse, Self::StrengthenCommunities];

    /// As forms, tables and playbooks write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RaiseAwareness => "raise awareness",
            Self::ImproveResponse => "improve response",
            Self::StrengthenCommunities => "strengthen communities",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RaiseAwareness => "Raising awareness",
            Self::ImproveResponse => "Improving our response",
            Self::StrengthenCommunities => "Strengthening communities",
        }
    }

    /// The priority of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.code() == code)
    }
}

/// How an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionState {
    /// Not ended.
    Open,
    /// It was done.
    Done,
    /// It was given up.
    Dropped,
}

impl ActionState {
    /// As tables and forms write it, and as people read it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }

    /// The state of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Dropped].into_iter().find(|state| state.code() == code)
    }
}

/// Something that a party does, about an alert or on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Key.
    pub id: Uuid,
    /// The alert that it answers, by key and by number; none when it answers none.
    pub alert: Option<(Uuid, String)>,
    /// Who does it.
    pub owner: Party,
    /// Where: a ward or a partnership; none is the whole county.
    pub area: Option<AreaRef>,
    /// What it is for.
    pub priority: Priority,
    /// What, in a line without names of people.
    pub title: String,
    /// By when, where that was said.
    pub due: Option<NaiveDate>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who recorded it.
    pub who: String,
    /// How it stands.
    pub state: ActionState,
    /// What came of it, where that was said.
    pub outcome: Option<String>,
    /// When it was done or dropped.
    pub ended_at: Option<DateTime<Utc>>,
    /// When its owner was told that it is overdue.
    pub overdue_told_at: Option<DateTime<Utc>>,
    /// The area four weeks after it was done, as the page writes it.
    pub looked_at: Option<String>,
}

impl Action {
    /// Whether it is open although its day has passed.
    #[must_use]
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.state == ActionState::Open && self.due.is_some_and(|due| due < today)
    }
}
