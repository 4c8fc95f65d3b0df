//! A rule that held, and the alert it becomes.

use super::{
    Acknowledgement, AlertLevel, AreaRef, Asked, Change, Closing, Effect, Recurrence, Untold, Window,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a finding is about; with the rule it makes the identity of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An area, under one boundary year; with `each = true` one category of it.
    Area {
        /// The area.
        area: AreaRef,
        /// The year of its boundaries.
        boundary_year: i32,
        /// The category, when the rule judges each apart.
        category: Option<String>,
        /// The source, when the rule judges each source apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// A cluster, by its oldest core incident.
    Cluster(Uuid),
    /// A place, by its oldest incident.
    Place(Uuid),
}

/// What kind of signal a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// More than usual in an area.
    #[default]
    Spike,
    /// Several near to each other.
    Cluster,
    /// One place or person again and again.
    Repeat,
    /// Fewer reports than usual.
    Drop,
    /// A kind of offence makes up more than it used to.
    Share,
    /// A rise goes on beside another rule's.
    Spread,
    /// Several rules together.
    Combine,
}

/// How many of a window's incidents are of some kinds of offence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareSeen {
    /// The kinds.
    pub of: Vec<String>,
    /// All incidents in the window whose kind is known.
    pub total: u64,
    /// Their share before, 0 to 1.
    pub before: f64,
    /// The interval of the rise of the share, in parts of 1.
    pub rise: (f64, f64),
}

/// An entry of the calendar at the time and place of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalendarNote {
    /// What people call it.
    pub name: String,
    /// When.
    pub window: Window,
    /// What the rule makes of it; none when the rule does not name it.
    pub effect: Option<Effect>,
    /// The multiplier; 1 for a note.
    pub by: f64,
    /// What came through its channels, where it is a campaign that names some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Through>,
}

/// How many of a finding's reports came through the channels of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Through {
    /// The channels, as the calendar writes them.
    pub channels: Vec<String>,
    /// So many reports.
    pub reports: u64,
    /// Their share of the same area's reports in the year before, 0 to 1; none of too few.
    pub share_before: Option<f64>,
}

/// What holds without the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plain {
    /// Incidents usual.
    pub expected: f64,
    /// How often by chance.
    pub recurrence: Recurrence,
}

/// A rule that held on a night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What the rule said when it held: a short hash of its file.
    pub rule_version: String,
    /// The rule's title.
    pub title: String,
    /// The level the rule promises.
    pub level: AlertLevel,
    /// What it is about.
    pub subject: Subject,
    /// The wards concerned, by code, the most concerned first.
    pub wards: Vec<String>,
    /// The categories seen, by code, in the pack's order.
    pub categories: Vec<String>,
    /// When.
    pub window: Window,
    /// Incidents known, each once.
    pub observed: u64,
    /// Incidents usual.
    pub expected: f64,
    /// The central 95 % of what is usual, where the detector tells it.
    pub usual_range: Option<(u64, u64)>,
    /// How many times what is usual: the central 95 %, where the detector tells it.
    #[serde(default)]
    pub times_usual: Option<(f64, f64)>,
    /// How a cluster goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// What kind of signal it is.
    #[serde(default)]
    pub signal: SignalKind,
    /// The share of a kind of offence, where the rule is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ShareSeen>,
    /// Events and campaigns of the calendar at that time and place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<CalendarNote>,
    /// What holds without the calendar, where it changed what was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_calendar: Option<Plain>,
    /// How often by chance, over everything the rule looks at.
    pub recurrence: Recurrence,
    /// The incidents counted, oldest first.
    pub members: Vec<Uuid>,
}

impl Through {
    /// The same without a count, for mails: small ones are not told there.
    #[must_use]
    pub fn in_short(&self, of: u64) -> String {
        let most = if self.reports * 2 > of { "more than half" } else { "half or fewer" };
        format!(
            "{most} of the reports came through its channels ({}){}",
            self.channels.join(", "),
            self.before()
        )
    }

    /// In words, of so many reports, for those who see each; what may follow a colon.
    #[must_use]
    pub fn in_words(&self, of: u64) -> String {
        let came = match self.reports {
            0 => format!("none of the {of} reports came"),
            all if all == of => format!("all {of} reports came"),
            some => format!("{some} of the {of} reports came"),
        };
        format!("{came} through its channels ({}){}", self.channels.join(", "), self.before())
    }

    fn before(&self) -> String {
        let told = |share: f64| format!("; in the year before {:.0}% did", share * 100.0);
        self.share_before.map_or_else(String::new, told)
    }
}

impl Finding {
    /// With only these of its incidents.
    #[must_use]
    pub fn keeping(mut self, members: &[Uuid]) -> Self {
        self.members.retain(|id| members.contains(id));
        // It was of all of them.
        self.calendar.iter_mut().for_each(|note| note.through = None);
        self
    }

    /// The identity of its alert, unique while the alert is open. Rule edits keep it, and so do new categories.
    #[must_use]
    pub fn identity(&self) -> String {
        match &self.subject {
            Subject::Area { area, boundary_year, category, source } => {
                let category = category.as_deref().unwrap_or("together");
                let source = source.as_ref().map_or_else(String::new, |source| format!("/{source}"));
                format!("{}/{}/{}/{boundary_year}/{category}{source}", self.rule, area.kind.code(), area.code)
            }
            Subject::Cluster(name) => format!("{}/cluster/{name}", self.rule),
            Subject::Place(name) => format!("{}/place/{name}", self.rule),
        }
    }
}

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Its rule holds, and waits for another night before anybody is told.
    Pending,
    /// Its rule holds, and it has been told or is about to be.
    Open,
    /// Everybody who was asked has said that they have it.
    Acknowledged,
    /// Its rule has stopped holding; it closes if that lasts.
    Easing,
    /// Over.
    Closed,
}

impl AlertState {
    /// As pages, tables and the command line write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Easing => "easing",
            Self::Closed => "closed",
        }
    }
}

/// A finding with a life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Key.
    pub id: Uuid,
    /// What people call it, for example `LLR-2026-0147`.
    pub number: String,
    /// See [`Finding::identity`].
    pub identity: String,
    /// Where in its life.
    pub state: AlertState,
    /// The night it opened.
    pub opened: NaiveDate,
    /// The latest night it was judged on: the same night again counts no quiet night twice.
    pub night: NaiveDate,
    /// The finding of the latest night on which the rule held.
    pub latest: Finding,
    /// What the recipients were last told, and when.
    pub told: Option<Told>,
    /// Nights in a row on which the rule did not hold.
    pub quiet_nights: u32,
    /// Mails sent so far: 0 before the first.
    pub sequence: i64,
    /// When it last changed.
    pub changed_at: DateTime<Utc>,
    /// Nights on which the rule has held, while pending.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_nights: u32,
    /// Why it is not told, while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
    /// Who was asked to acknowledge it: those told first, then those who were told because the ones before had not
    /// answered in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// Who has, each for themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Acknowledgement>,
    /// So many working days after an acknowledgement something has to have followed, as its rule said when it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_days: Option<u32>,
    /// How it was closed, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
    /// The known event that those responsible see in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_event: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Alert {
    /// Whether people see it beside the figures of a night: it had begun by then, and was told or is about to be. On the latest
    /// night one that somebody has closed is over; on an earlier one it was still open.
    #[must_use]
    pub fn lived_on(&self, night: NaiveDate, latest_night: NaiveDate) -> bool {
        let over = self.state == AlertState::Closed && night == latest_night;
        self.opened <= night && self.state != AlertState::Pending && !over
    }

    /// A new alert, of which nobody has been told.
    #[must_use]
    pub fn new(id: Uuid, number: String, finding: Finding, night: NaiveDate, now: DateTime<Utc>) -> Self {
        Self {
            id,
            number,
            identity: finding.identity(),
            state: AlertState::Open,
            opened: night,
            night,
            latest: finding,
            told: None,
            quiet_nights: 0,
            sequence: 0,
            changed_at: now,
            held_nights: 1,
            untold: None,
            asked: Vec::new(),
            acknowledged: Vec::new(),
            follow_up_days: None,
            closing: None,
            expected_event: None,
        }
    }
}

/// What the recipients were last told: an alert is told again only when it outgrows this.
///
/// Wards and categories are all that were ever told of this alert, so that one that leaves and comes back is no news;
/// level and count are those of the last message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The night.
    pub on: NaiveDate,
    /// The level.
    pub level: AlertLevel,
    /// The count.
    pub observed: u64,
    /// The wards.
    pub wards: Vec<String>,
    /// The categories.
    pub categories: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AreaKind;

    #[test]
    fn identity_outlives_rule_edits_and_new_categories() {
        let day = NaiveDate::from_ymd_opt(2026, 6, 29).unwrap();
        let first = Finding {
            rule: "race-week-spike".into(),
            rule_version: "1a2b".into(),
            title: "Racist incidents well above usual".into(),
            level: AlertLevel::Elevated,
            subject: Subject::Area {
                area: AreaRef { kind: AreaKind::Ward, code: "E05010458".into() },
                boundary_year: 2025,
                category: None,
                source: None,
            },
            wards: vec!["E05010458".into()],
            categories: vec!["race".into()],
            window: Window::ending(day, 7),
            observed: 9,
            expected: 2.1,
            usual_range: Some((0, 5)),
            times_usual: None,
            change: None,
            signal: SignalKind::Spike,
            share: None,
            calendar: Vec::new(),
            without_calendar: None,
            recurrence: Recurrence::from_daily_rate(1.0 / 140.0),
            members: Vec::new(),
        };
        assert_eq!(first.window.days(), 7);
        let later = Finding {
            rule_version: "3c4d".into(),
            categories: vec!["race".into(), "religion".into()],
            window: Window::ending(day.succ_opt().unwrap(), 7),
            ..first.clone()
        };
        assert_eq!(first.identity(), later.identity());
        assert_eq!(first.identity(), "race-week-spike/ward/E05010458/2025/together");
    }
}
