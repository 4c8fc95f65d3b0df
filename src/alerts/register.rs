//! Which alerts led to something.

use crate::model::{Action, Alert, AlertState, Outcome};
use uuid::Uuid;

/// The alerts that have an action.
#[must_use]
pub fn acted(actions: &[Action]) -> Vec<Uuid> {
    actions.iter().filter_map(|action| action.alert.as_ref().map(|alert| alert.0)).collect()
}

/// Whether an alert that people were told of is over although nobody recorded an action, named an expected event or said that
/// there was nothing in it. `acted` are the alerts with an action.
#[must_use]
pub fn is_unanswered(alert: &Alert, acted: &[Uuid]) -> bool {
    let nothing_in_it = alert.closing.as_ref().is_some_and(|closing| {
        matches!(closing.outcome, Outcome::FalseAlarm | Outcome::Duplicate | Outcome::DataError)
    });
    alert.state == AlertState::Closed
        && alert.told.is_some()
        && !nothing_in_it
        && alert.expected_event.is_none()
        && !acted.contains(&alert.id)
}
