//! What people answer, and what follows when they do not.

use super::{Event, NoticeKind};
use crate::model::{Acknowledgement, Alert, AlertState, Asked, Closing, Outcome, Party, Role};
use chrono::{DateTime, Utc};

/// What an answer did: what goes into the record, nothing when nothing changed.
pub type Answered = Vec<Event>;

/// Whether somebody has taken an alert on: everybody who was told first, or anybody who was told because they had not. An
/// alert that nobody was asked about is attended to by whoever acknowledges it.
#[must_use]
pub fn attended(alert: &Alert) -> bool {
    let has = |party: &Party| alert.acknowledged.iter().any(|one| one.party == *party);
    match alert.asked.split_first() {
        None => !alert.acknowledged.is_empty(),
        Some((first, later)) => {
            first.parties.iter().all(has) || later.iter().any(|asked| asked.parties.iter().any(has))
        }
    }
}

/// Whether a party has said that they have it.
#[must_use]
pub fn has_acknowledged(alert: &Alert, party: &Party) -> bool {
    alert.acknowledged.iter().any(|one| one.party == *party)
}

/// A party has it: theirs runs out at `until` unless something follows. Nobody else's answer is touched. Nothing happens
/// to an alert that is closed, or a second time.
pub fn acknowledge(alert: &mut Alert, party: &Party, now: DateTime<Utc>, until: DateTime<Utc>) -> Answered {
    if alert.state == AlertState::Closed || has_acknowledged(alert, party) {
        return Vec::new();
    }
    alert.acknowledged.push(Acknowledgement { party: party.clone(), at: now, until: Some(until) });
    settle(alert, now);
    vec![Event::Acknowledged]
}

/// A party has recorded an action: that acknowledges the alert too, and theirs no longer runs out. Also after it closed.
pub fn act(alert: &mut Alert, party: &Party, now: DateTime<Utc>) -> Answered {
    let mut events = followed(alert, party, now);
    events.push(Event::Action);
    events
}

/// A party sees a known event in it: that acknowledges it too. Nothing happens to an alert that is closed.
pub fn expected(alert: &mut Alert, party: &Party, event: &str, now: DateTime<Utc>) -> Answered {
    if alert.state == AlertState::Closed {
        return Vec::new();
    }
    let mut events = followed(alert, party, now);
    alert.expected_event = Some(event.to_owned());
    events.push(Event::ExpectedEvent(event.to_owned()));
    events
}

/// A party closes it and says what they made of it. Nothing happens to an alert that somebody has closed already; one that
/// closed by itself takes the outcome.
pub fn close(alert: &mut Alert, party: &Party, outcome: Outcome, now: DateTime<Utc>) -> Answered {
    if alert.closing.is_some() {
        return Vec::new();
    }
    alert.state = AlertState::Closed;
    alert.closing = Some(Closing { outcome, party: party.clone(), at: now });
    alert.changed_at = now;
    vec![Event::ClosedAs(outcome)]
}

fn followed(alert: &mut Alert, party: &Party, now: DateTime<Utc>) -> Answered {
    let mut events = Vec::new();
    match alert.acknowledged.iter_mut().find(|one| one.party == *party) {
        Some(one) => one.until = None,
        None if alert.state == AlertState::Closed => {}
        None => {
            alert.acknowledged.push(Acknowledgement { party: party.clone(), at: now, until: None });
            events.push(Event::Acknowledged);
        }
    }
    settle(alert, now);
    events
}

fn settle(alert: &mut Alert, now: DateTime<Utc>) {
    match alert.state {
        AlertState::Open if attended(alert) => alert.state = AlertState::Acknowledged,
        AlertState::Acknowledged if !attended(alert) => alert.state = AlertState::Open,
        _ => {}
    }
    alert.changed_at = now;
}

/// Somebody has to be told because an answer is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Why.
    pub kind: NoticeKind,
    /// These parties; none when it is for roles.
    pub party: Option<Party>,
    /// Whoever holds these roles where the alert is.
    pub roles: Vec<Role>,
}

/// What is missing by now, noted in the alert; with what happened, and whose it was.
///
/// An acknowledgement that nothing followed runs out, its party is told, and the clock of those who were asked begins
/// anew: `by` is when they are next expected to answer. An alert that is not attended to in time goes to the next of the
/// chain: those whom the rule names (the chairs of the partnerships where it names nobody), then the Senior Officer Group.
/// The caller finds their mailboxes and notes them with [`asked_too`]. Alerts that ease or are closed have no clock.
pub fn missing(
    alert: &mut Alert,
    then_tell: &[Role],
    now: DateTime<Utc>,
    by: Option<DateTime<Utc>>,
) -> (Vec<Missing>, Vec<(Event, Option<Party>)>) {
    let (mut due, mut events) = (Vec::new(), Vec::new());
    if !matches!(alert.state, AlertState::Open | AlertState::Acknowledged) {
        return (due, events);
    }
    let (over, kept) = std::mem::take(&mut alert.acknowledged)
        .into_iter()
        .partition::<Vec<_>, _>(|one| one.until.is_some_and(|until| until <= now));
    alert.acknowledged = kept;
    for one in over {
        events.push((Event::RanOut, Some(one.party.clone())));
        due.push(Missing {
            kind: NoticeKind::RanOut { acknowledged: one.at },
            party: Some(one.party),
            roles: Vec::new(),
        });
    }
    if !events.is_empty() {
        alert.asked.truncate(1);
        if let Some(first) = alert.asked.first_mut() {
            *first = Asked { since: now, by: first.by.and(by), parties: std::mem::take(&mut first.parties) };
        }
        settle(alert, now);
        return (due, events);
    }
    let late = alert.asked.last().and_then(|asked| asked.by).is_some_and(|by| by <= now);
    if alert.state == AlertState::Open && late && !attended(alert) {
        let chain =
            [if then_tell.is_empty() { vec![Role::CspChair] } else { then_tell.to_vec() }, vec![Role::Sog]];
        let since = alert.asked.first().map_or(now, |asked| asked.since);
        if let Some(roles) = chain.get(alert.asked.len() - 1) {
            events.push((Event::Unanswered, None));
            due.push(Missing { kind: NoticeKind::Unanswered { since }, party: None, roles: roles.clone() });
        }
    }
    (due, events)
}

/// Notes that more have been asked, because those before had not answered.
pub fn asked_too(alert: &mut Alert, parties: Vec<Party>, now: DateTime<Utc>, by: Option<DateTime<Utc>>) {
    alert.asked.push(Asked { parties, since: now, by });
    alert.changed_at = now;
}

#[cfg(test)]
mod tests;
