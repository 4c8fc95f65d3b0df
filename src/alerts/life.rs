//! One night in the life of all alerts.

use super::growth::{Growth, growth, told_with};
use crate::{
    model::{Alert, AlertLevel, AlertState, Finding, Told},
    rules::TellAgain,
};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};
use uuid::Uuid;

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
    /// What is news while its alert is open.
    pub tell_again: TellAgain,
}

/// Why recipients are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// The first message about the alert.
    New,
    /// It has outgrown what was told, in these ways; never empty.
    Grown(Vec<Growth>),
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

/// What happened to an alert in a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// It began.
    Opened,
    /// It had eased or closed, and its rule holds again; or it grew after being acknowledged.
    OpenAgain,
    /// Its rule has stopped holding.
    Easing,
    /// Its rule has not held for [`CLOSES_AFTER`] nights.
    Closed,
    /// A message is due.
    Told,
    /// It is told with another alert, and not by itself.
    Folded,
}

impl Event {
    /// As the record of an alert writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::OpenAgain => "open again",
            Self::Easing => "easing",
            Self::Closed => "closed",
            Self::Told => "told",
            Self::Folded => "folded into another alert",
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
/// Messages are due for `elevated` and `severe` only; `watch` waits for the weekly digest, which is not built yet. An
/// acknowledged alert stays acknowledged, through quiet nights too, until it grows: nobody is asked twice for the same.
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
                step.open(opened(new_id(), number, identity, judged, night, now), judged);
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
        self.events.push((alert.id, Event::Opened));
        if judged.folded {
            self.events.push((alert.id, Event::Folded));
        }
        self.tell(&mut alert, judged);
        self.alerts.push(alert);
    }

    fn keep(&mut self, before: &Alert, mut after: Alert, judged: Option<&Judged>, now: DateTime<Utc>) {
        let event = match (before.state, after.state) {
            (AlertState::Easing | AlertState::Closed, AlertState::Open) => Some(Event::OpenAgain),
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

    /// Adds the message that is due, if one is, and notes in the alert that it has been told.
    fn tell(&mut self, alert: &mut Alert, judged: &Judged) {
        let night = alert.night;
        if alert.latest.level < AlertLevel::Elevated || judged.folded {
            return;
        }
        let kind = match &alert.told {
            None => NoticeKind::New,
            Some(told) => match growth(told, &alert.latest, judged.tell_again) {
                reasons if reasons.is_empty() => return,
                reasons => NoticeKind::Grown(reasons),
            },
        };
        if alert.state == AlertState::Acknowledged {
            alert.state = AlertState::Open;
            self.events.push((alert.id, Event::OpenAgain));
        }
        let told = told_with(alert.told.as_ref(), &alert.latest, night);
        let before = alert.told.replace(told);
        self.notices.push(Notice { alert: alert.id, sequence: alert.sequence, kind, before });
        self.events.push((alert.id, Event::Told));
        alert.sequence += 1;
    }
}

fn opened(
    id: Uuid,
    number: String,
    identity: String,
    judged: &Judged,
    night: NaiveDate,
    now: DateTime<Utc>,
) -> Alert {
    Alert {
        id,
        number,
        identity,
        state: AlertState::Open,
        opened: night,
        night,
        latest: judged.finding.clone(),
        told: None,
        quiet_nights: 0,
        sequence: 0,
        changed_at: now,
    }
}

/// Its rule holds on this night.
fn again(mut alert: Alert, judged: &Judged, night: NaiveDate) -> Alert {
    alert.latest = judged.finding.clone();
    alert.quiet_nights = 0;
    alert.night = night;
    if matches!(alert.state, AlertState::Easing | AlertState::Closed) {
        alert.state = AlertState::Open;
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
    if alert.quiet_nights >= CLOSES_AFTER {
        alert.state = AlertState::Closed;
    } else if alert.state == AlertState::Open {
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
