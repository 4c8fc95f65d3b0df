//! One night in the life of all alerts.

use super::{
    answers::attended,
    growth::{Growth, growth, told_with},
};
use crate::{
    model::{Alert, AlertLevel, AlertState, Finding, Outcome, Told, Untold},
    rules::TellAgain,
};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};
use uuid::Uuid;

/// So many nights in a row without its rule holding ease an alert: a count that goes to and fro across its line is no
/// change.
pub const EASES_AFTER: u32 = 2;

/// So many nights in a row without its rule holding close an alert. One week: a rolling week that has emptied does not
/// fill again by the same incidents.
pub const CLOSES_AFTER: u32 = 7;

/// A finding with what its rule says about telling.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// An alert that closed at most so many days ago is opened again rather than begun anew.
    pub quiet_for_days: u32,
    /// The rule is only being tried: no alert comes of it.
    pub shadow: bool,
    /// It is told with the alert of a rule that combines it with others.
    pub folded: bool,
    /// Somebody asked for quiet about it: the last silent day.
    pub silenced: Option<NaiveDate>,
    /// So many nights in a row the rule has to hold before anybody is told; at least 1.
    pub hold_nights: u32,
    /// What is news while its alert is open.
    pub tell_again: TellAgain,
}

/// Why recipients are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The first message about the alert.
    New,
    /// It has outgrown what was told, in these ways; never empty.
    Grown(Vec<Growth>),
    /// Nobody has acknowledged it in time; told to the next in the chain.
    Unanswered {
        /// Since when it waits.
        since: DateTime<Utc>,
    },
    /// The reader acknowledged it at that time, and no action followed.
    RanOut {
        /// When it was acknowledged.
        acknowledged: DateTime<Utc>,
    },
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The alert.
    pub alert: Uuid,
    /// The message's place in the thread: 0 for the first.
    pub sequence: i64,
    /// Why.
    pub kind: NoticeKind,
    /// What recipients knew before; none before the first message.
    pub before: Option<Told>,
}

/// What happened to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It began, and waits for its rule to hold longer.
    Pending,
    /// It began, or has held long enough.
    Opened,
    /// It had eased or closed, and its rule holds again; or it grew after being answered.
    OpenAgain,
    /// Its rule has not held for [`EASES_AFTER`] nights.
    Easing,
    /// Its rule has not held for [`CLOSES_AFTER`] nights, or did not hold long enough to begin with.
    Closed,
    /// A message is due.
    Told,
    /// There would be something to tell, and it is not told.
    NotTold(Untold),
    /// A party has said that they have it.
    Acknowledged,
    /// Nothing followed an acknowledgement in time.
    RanOut,
    /// Nobody acknowledged it in time.
    Unanswered,
    /// A party has recorded an action.
    Action,
    /// A party sees a known event in it.
    ExpectedEvent(String),
    /// A party has closed it.
    ClosedAs(Outcome),
}

impl Event {
    /// As the record of an alert writes it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Opened => "opened",
            Self::OpenAgain => "open again",
            Self::Easing => "easing",
            Self::Closed | Self::ClosedAs(_) => "closed",
            Self::Told => "told",
            Self::NotTold(_) => "not told",
            Self::Acknowledged => "acknowledged",
            Self::RanOut => "acknowledgement ran out",
            Self::Unanswered => "not acknowledged in time",
            Self::Action => "action recorded",
            Self::ExpectedEvent(_) => "expected event",
        }
    }

    /// Why, where the code does not say it all; empty otherwise.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Easing => format!("the rule has not held for {EASES_AFTER} nights"),
            Self::NotTold(reason) => reason.in_words(),
            Self::ExpectedEvent(name) => name.clone(),
            Self::ClosedAs(outcome) => outcome.label().into(),
            Self::RanOut => "no action was recorded in time".into(),
            _ => String::new(),
        }
    }
}

/// What a night changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// Every alert that changed, as it now stands, by identity.
    pub alerts: Vec<Alert>,
    /// The messages that are due, by identity of the alert.
    pub notices: Vec<Notice>,
    /// What happened, in order.
    pub events: Vec<(Uuid, Event)>,
}

/// Takes one night.
///
/// `alerts` are those alive, and those closed lately (as far back as the longest `quiet_for_days`); among closed ones of
/// one identity the latest counts. The order of both inputs means nothing: of two findings with one identity the
/// stronger is kept. The same night again with the same findings changes nothing, and an alert that was judged on a
/// later night than this is left alone.
///
/// Messages are due for `elevated` and `severe` only; `watch` waits for the weekly digest. An acknowledged alert stays
/// acknowledged, through quiet nights too, until it grows: nobody is asked twice for the same. One that somebody closed
/// stays closed while its rule goes on holding, and for `quiet_for_days` after that, unless it grows.
///
/// What is folded into another alert counts as told: its recipients read of it there.
/// Numbers are handed out by identity; a caller whose numbers wait asks [`numbers_wanted`] first.
pub fn step(
    night: NaiveDate,
    now: DateTime<Utc>,
    alerts: Vec<Alert>,
    findings: &[Judged],
    new_id: &mut dyn FnMut() -> Uuid,
    next_number: &mut dyn FnMut(i32) -> i64,
    prefix: &str,
) -> Step {
    let mut known = latest_by_identity(alerts);
    let mut step = Step::default();
    let held = strongest_by_identity(findings);
    let identities: BTreeSet<String> = held.keys().chain(known.keys()).cloned().collect();
    for identity in identities {
        match (known.remove(&identity), held.get(&identity)) {
            (Some(alert), _) if alert.night > night => {}
            (Some(alert), Some(judged)) if !is_over(&alert, judged, night) => {
                step.keep(&alert, again(alert.clone(), judged, night), Some(judged), now);
            }
            (_, Some(judged)) => {
                let number = next_number(night.year());
                let number = format!("{prefix}-{}-{number:04}", night.year());
                step.open(Alert::new(new_id(), number, judged.finding.clone(), night, now), judged);
            }
            (Some(alert), None) => step.keep(&alert, quieter(alert.clone(), night), None, now),
            (None, None) => {}
        }
    }
    step
}

/// How many new numbers [`step`] will ask for with the same arguments.
#[must_use]
pub fn numbers_wanted(night: NaiveDate, alerts: &[Alert], findings: &[Judged]) -> usize {
    let known = latest_by_identity(alerts.to_vec());
    strongest_by_identity(findings)
        .iter()
        .filter(|(identity, judged)| {
            known.get(*identity).is_none_or(|alert| alert.night <= night && is_over(alert, judged, night))
        })
        .count()
}

impl Step {
    fn open(&mut self, mut alert: Alert, judged: &Judged) {
        let pending = judged.hold_nights > 1;
        if pending {
            alert.state = AlertState::Pending;
        }
        self.events.push((alert.id, if pending { Event::Pending } else { Event::Opened }));
        self.tell(&mut alert, judged);
        self.alerts.push(alert);
    }

    fn keep(&mut self, before: &Alert, mut after: Alert, judged: Option<&Judged>, now: DateTime<Utc>) {
        let event = match (before.state, after.state) {
            (AlertState::Closed, AlertState::Pending) => Some(Event::Pending),
            (AlertState::Pending, AlertState::Open) => Some(Event::Opened),
            (AlertState::Easing | AlertState::Closed, AlertState::Open | AlertState::Acknowledged) => {
                Some(Event::OpenAgain)
            }
            (AlertState::Open, AlertState::Easing) => Some(Event::Easing),
            (AlertState::Closed, AlertState::Closed) => None,
            (_, AlertState::Closed) => Some(Event::Closed),
            _ => None,
        };
        self.events.extend(event.map(|event| (after.id, event)));
        if let Some(judged) = judged {
            self.tell(&mut after, judged);
        }
        if after != *before {
            after.changed_at = now;
            self.alerts.push(after);
        }
    }

    /// Adds the message that is due, if one is, and notes in the alert that it has been told; or why not.
    fn tell(&mut self, alert: &mut Alert, judged: &Judged) {
        if alert.state == AlertState::Pending {
            return;
        }
        let night = alert.night;
        let kind = match &alert.told {
            None => Some(NoticeKind::New),
            Some(told) => Some(growth(told, &alert.latest, judged.tell_again))
                .filter(|reasons| !reasons.is_empty())
                .map(NoticeKind::Grown),
        };
        let answered = alert.closing.is_some() && alert.state == AlertState::Closed;
        let untold = match &kind {
            // Closed before anybody was told of it, as a `watch` may be: nothing was said that it could outgrow.
            Some(NoticeKind::New) | None if answered => Some(Untold::Answered),
            None => return,
            Some(_) if judged.folded => Some(Untold::Folded),
            Some(_) if alert.latest.level < AlertLevel::Elevated => Some(Untold::Digest),
            Some(_) => judged.silenced.map(|until| Untold::Silenced { until }),
        };
        let Some(kind) = kind.filter(|_| untold.is_none()) else {
            if untold == Some(Untold::Folded) {
                alert.told = Some(told_with(alert.told.as_ref(), &alert.latest, night));
            }
            if alert.untold != untold {
                self.events.extend(untold.clone().map(|reason| (alert.id, Event::NotTold(reason))));
                alert.untold = untold;
            }
            return;
        };
        if matches!(alert.state, AlertState::Acknowledged | AlertState::Closed) {
            alert.state = AlertState::Open;
            self.events.push((alert.id, Event::OpenAgain));
        }
        alert.untold = None;
        alert.closing = None;
        alert.acknowledged.clear();
        let told = told_with(alert.told.as_ref(), &alert.latest, night);
        let before = alert.told.replace(told);
        self.notices.push(Notice { alert: alert.id, sequence: alert.sequence, kind, before });
        self.events.push((alert.id, Event::Told));
        alert.sequence += 1;
    }
}

/// Its rule holds on this night.
fn again(mut alert: Alert, judged: &Judged, night: NaiveDate) -> Alert {
    let another = alert.night < night;
    alert.latest = judged.finding.clone();
    alert.quiet_nights = 0;
    alert.night = night;
    match alert.state {
        AlertState::Pending => {
            alert.held_nights += u32::from(another);
            if alert.held_nights >= judged.hold_nights {
                alert.state = AlertState::Open;
            }
        }
        AlertState::Easing => {
            alert.state = if attended(&alert) { AlertState::Acknowledged } else { AlertState::Open }
        }
        AlertState::Closed if alert.closing.is_none() => {
            alert.state = AlertState::Open;
            if alert.told.is_none() && alert.held_nights < judged.hold_nights {
                // It went away before it was told: it has to last from the beginning.
                alert.state = AlertState::Pending;
                alert.held_nights = 1;
            }
        }
        AlertState::Open | AlertState::Acknowledged | AlertState::Closed => {}
    }
    alert
}

/// Its rule does not hold on this night.
fn quieter(mut alert: Alert, night: NaiveDate) -> Alert {
    let counted = alert.night == night && alert.quiet_nights > 0;
    if alert.state == AlertState::Closed || counted {
        return alert;
    }
    alert.quiet_nights += 1;
    alert.night = night;
    if alert.quiet_nights >= CLOSES_AFTER || alert.state == AlertState::Pending {
        alert.state = AlertState::Closed;
    } else if alert.state == AlertState::Open && alert.quiet_nights >= EASES_AFTER {
        alert.state = AlertState::Easing;
    }
    alert
}

/// Closed, and too long ago to be opened again.
fn is_over(alert: &Alert, judged: &Judged, night: NaiveDate) -> bool {
    alert.state == AlertState::Closed && (night - alert.night).num_days() > i64::from(judged.quiet_for_days)
}

fn latest_by_identity(alerts: Vec<Alert>) -> BTreeMap<String, Alert> {
    let age = |alert: &Alert| (alert.state != AlertState::Closed, alert.night, alert.number.clone());
    let mut latest: BTreeMap<String, Alert> = BTreeMap::new();
    for alert in alerts {
        match latest.get(&alert.identity) {
            Some(other) if age(other) >= age(&alert) => {}
            _ => drop(latest.insert(alert.identity.clone(), alert)),
        }
    }
    latest
}

fn strongest_by_identity(findings: &[Judged]) -> BTreeMap<String, &Judged> {
    let mut strongest: BTreeMap<String, &Judged> = BTreeMap::new();
    for judged in findings.iter().filter(|judged| !judged.shadow) {
        let identity = judged.finding.identity();
        match strongest.get(&identity) {
            Some(other) if strength(other, judged).is_ge() => {}
            _ => drop(strongest.insert(identity, judged)),
        }
    }
    strongest
}

fn strength(one: &Judged, other: &Judged) -> Ordering {
    let (a, b) = (&one.finding, &other.finding);
    (a.level.cmp(&b.level))
        .then(a.recurrence.days().total_cmp(&b.recurrence.days()))
        .then(a.observed.cmp(&b.observed))
        .then((a.window.last, &a.wards, &a.categories).cmp(&(b.window.last, &b.wards, &b.categories)))
        .then(b.window.first.cmp(&a.window.first))
}

#[cfg(test)]
mod tests;
