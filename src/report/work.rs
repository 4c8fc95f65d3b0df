//! What was done: alerts and actions, which are counts of the partners' own work and therefore exact.

use crate::model::{Action, ActionState, Alert, AlertState, Party, Window};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// What was done about alerts in a quarter, in some wards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Alerts that opened in the quarter and that people were told of.
    pub raised: u64,
    /// Of those, alerts whose first readers were given a time to answer.
    pub asked: u64,
    /// Of those, acknowledged in time by all of them.
    pub in_time: u64,
    /// Of those raised, judged right or wrong by somebody.
    pub judged: u64,
    /// Of those, judged useful.
    pub useful: u64,
    /// Of those raised, over without an action, an expected event or a word that there was nothing in them.
    pub unanswered: u64,
    /// Actions recorded in the quarter.
    pub opened: u64,
    /// Actions done in it.
    pub done: u64,
    /// Actions dropped in it.
    pub dropped: u64,
    /// Actions open at the report's day although theirs has passed.
    pub overdue: u64,
}

/// Counts what was done. Alerts and actions are those of the wards asked about; `unanswered` says which alerts ended so.
pub fn work<'a>(
    alerts: impl IntoIterator<Item = &'a Alert>,
    actions: impl IntoIterator<Item = &'a Action>,
    (days, today): (Window, NaiveDate),
    day_of: impl Fn(DateTime<Utc>) -> NaiveDate,
    unanswered: impl Fn(&Alert) -> bool,
) -> Work {
    let mut work = Work::default();
    for alert in alerts.into_iter().filter(|alert| days.holds(alert.opened) && alert.told.is_some()) {
        work.raised += 1;
        if let Some((first, by)) = alert.asked.first().and_then(|first| Some((first, first.by?))) {
            work.asked += 1;
            let in_time =
                |party: &Party| alert.acknowledged.iter().any(|one| one.party == *party && one.at <= by);
            work.in_time += u64::from(first.parties.iter().all(in_time));
        }
        let right = alert.closing.as_ref().and_then(|closing| closing.outcome.was_right());
        work.judged += u64::from(right.is_some());
        work.useful += u64::from(right == Some(true));
        work.unanswered += u64::from(alert.state == AlertState::Closed && unanswered(alert));
    }
    for action in actions {
        work.opened += u64::from(days.holds(day_of(action.at)));
        let ended = action.ended_at.is_some_and(|at| days.holds(day_of(at)));
        work.done += u64::from(ended && action.state == ActionState::Done);
        work.dropped += u64::from(ended && action.state == ActionState::Dropped);
        work.overdue += u64::from(action.is_overdue(today));
    }
    work
}
