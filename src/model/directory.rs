//! Who is told, and who may see: roles with mailboxes, never personal names.

use super::AreaRef;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A role of the directory and of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Coordinates a community safety partnership; `csp` in rule files.
    CspCoordinator,
    /// Chairs one.
    CspChair,
    /// Leads a neighbourhood policing team; `neighbourhood team` in rule files.
    NptSergeant,
    /// Commands a neighbourhood policing area.
    NpaCommander,
    /// Leads on hate crime for the force.
    HateLead,
    /// Writes the rules and runs the imports.
    Analyst,
    /// Senior Officer Group.
    Sog,
    /// Strategic Partnership Board.
    Spb,
    /// Council, health, fire, schools, victims' services: published figures and released alerts only.
    Partner,
    /// Reads everything and exports nothing.
    Auditor,
    /// Accounts and directory; no incident data by that role alone.
    Admin,
}

/// A role that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; the roles are {list}", list = Role::ALL.map(Role::code).join(", "))]
pub struct UnknownRole(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 11] = [
        Self::CspCoordinator,
        Self::CspChair,
        Self::NptSergeant,
        Self::NpaCommander,
        Self::HateLead,
        Self::Analyst,
        Self::Sog,
        Self::Spb,
        Self::Partner,
        Self::Auditor,
        Self::Admin,
    ];

    /// As files and tables write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CspCoordinator => "csp_coordinator",
            Self::CspChair => "csp_chair",
            Self::NptSergeant => "npt_sergeant",
            Self::NpaCommander => "npa_commander",
            Self::HateLead => "hate_lead",
            Self::Analyst => "analyst",
            Self::Sog => "sog",
            Self::Spb => "spb",
            Self::Partner => "partner",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CspCoordinator => "CSP coordinator",
            Self::CspChair => "CSP chair",
            Self::NptSergeant => "neighbourhood sergeant",
            Self::NpaCommander => "neighbourhood area commander",
            Self::HateLead => "force hate crime lead",
            Self::Analyst => "analyst",
            Self::Sog => "Senior Officer Group",
            Self::Spb => "Strategic Partnership Board",
            Self::Partner => "partner",
            Self::Auditor => "auditor",
            Self::Admin => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.code() == text)
            .ok_or_else(|| UnknownRole(text.chars().take(40).collect()))
    }
}

/// One line of the directory: the mailbox of a role, for an area or for the whole county.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// The role.
    pub role: Role,
    /// The area it answers for; none is the whole county.
    pub area: Option<AreaRef>,
    /// A mailbox of the role, for example `coordinator@leicester.invalid`.
    pub address: String,
}
