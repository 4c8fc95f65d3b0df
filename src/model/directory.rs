//! Who is told, and who may see: roles with mailboxes, never personal names.

use super::AreaRef;
use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
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
    /// Whether anybody reads it; one that nobody does is passed over and named as a gap.
    pub active: bool,
    /// When it wants no mail.
    pub mute: Option<Mute>,
}

/// Hours in which a mailbox wants no mail: mail is held until they end, never dropped, and a severe alert passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Their local beginning.
    pub from: NaiveTime,
    /// Their local end; before the beginning when they pass midnight.
    pub to: NaiveTime,
    /// All of Saturday and Sunday too.
    pub weekends: bool,
}

/// Hours that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are no mute hours; write for example 18:00-08:00 or 18:00-08:00 and weekends")]
pub struct UnknownMute(String);

impl Mute {
    /// Longest time that can be mute without an end: a week has a free hour or none.
    const LONGEST_QUARTERS: i64 = 8 * 96;

    /// The first quarter of an hour from `at` on in which mail may come, or `at` itself.
    #[must_use]
    pub fn free_from(&self, at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        if !self.holds(at, zone) {
            return at;
        }
        let quarter = 900;
        let next = (at.timestamp().div_euclid(quarter) + 1) * quarter;
        (0..Self::LONGEST_QUARTERS)
            .filter_map(|more| DateTime::from_timestamp(next + more * quarter, 0))
            .find(|at| !self.holds(*at, zone))
            .unwrap_or(at)
    }

    fn holds(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let local = at.with_timezone(&zone);
        let time = local.time();
        let within = if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            time >= self.from || time < self.to
        };
        within || (self.weekends && matches!(local.weekday(), Weekday::Sat | Weekday::Sun))
    }
}

impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H:%M"), self.to.format("%H:%M"))?;
        if self.weekends { f.write_str(" and weekends") } else { Ok(()) }
    }
}

impl FromStr for Mute {
    type Err = UnknownMute;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || UnknownMute(text.chars().take(40).collect());
        let (hours, weekends) = match text.trim().strip_suffix("and weekends") {
            Some(hours) => (hours.trim(), true),
            None => (text.trim(), false),
        };
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| wrong());
        let (from, to) = (time(from)?, time(to)?);
        if from == to { Err(wrong()) } else { Ok(Self { from, to, weekends }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::London;

    #[test]
    fn mail_waits_until_mute_hours_end() {
        let mute: Mute = "18:00-08:00 and weekends".parse().unwrap();
        assert_eq!(mute.to_string(), "18:00-08:00 and weekends");
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        // Tuesday at half past four in summer time waits until eight; Friday evening until Monday.
        assert_eq!(mute.free_from(at("2026-06-30T03:30:00Z"), London), at("2026-06-30T07:00:00Z"));
        assert_eq!(mute.free_from(at("2026-06-30T10:01:00Z"), London), at("2026-06-30T10:01:00Z"));
        assert_eq!(mute.free_from(at("2026-07-03T17:00:00Z"), London), at("2026-07-06T07:00:00Z"));
        for wrong in ["", "18:00", "18:00-18:00", "25:00-08:00", "weekends"] {
            assert!(wrong.parse::<Mute>().is_err(), "{wrong}");
        }
    }
}
