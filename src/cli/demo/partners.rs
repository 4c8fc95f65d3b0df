//! The partners of the demonstration answer: most of them, most of the time, during working hours.
//!
//! What each does depends on the alert's number and their role alone, so that a replay that is cut off and begun again ends
//! where an undisturbed one does.

use super::belongs;
use crate::{
    model::{ActionState, Alert, AlertState, Outcome, Party, Priority, Role},
    stages::{
        actions::Plan,
        answers::{Answer, Answerer},
        letters::keyed,
        night::{Engine, When},
    },
    synth::County,
};
use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// What those who were asked did on the day before a night is judged.
pub(super) async fn answer(
    engine: &Engine,
    made: &County,
    when: When,
    references: &HashMap<Uuid, String>,
) -> Result<()> {
    let day = engine.county.day_of(when.now) - Days::new(1);
    if !engine.county.working_days().holds(day) {
        return Ok(());
    }
    let geography = engine.county.geography(day)?;
    for alert in engine.store.alerts_since(day - Days::new(30)).await? {
        let age = (day - alert.opened).num_days();
        let parties: Vec<Party> = alert.asked.iter().flat_map(|asked| asked.parties.clone()).collect();
        for party in parties {
            let Some(answer) = decided(&alert, &party, age, day, || outcome(&alert, made, references)) else {
                continue;
            };
            let by = Answerer { who: party.label(&geography), party: party.clone() };
            let at = moment(engine, day, chance(&alert, &party, "minute"));
            engine.answer(&alert.number, &by, &answer, at).await?;
            let acts = matches!((party.role, &answer), (Role::CspCoordinator, Answer::Act(_)));
            if acts && chance(&alert, &party, "releases") < 0.5 {
                engine.release(&alert, true, &by.who, at).await?;
            }
        }
    }
    // Most of what is to be done is done, about when it was to be; a little is dropped, and a little forgotten.
    for action in engine.store.action_register(when.now).await? {
        let Some((due, (_, number))) = action.due.zip(action.alert.clone()) else { continue };
        let Some(alert) = engine.store.alert(&number).await? else { continue };
        let own = |about: &str| chance(&alert, &action.owner, about);
        let late = (own("late") * 12.0) as i64 - 8;
        if own("forgets") < 0.1 || (day - due).num_days() < late {
            continue;
        }
        let (state, outcome) = if own("drops") < 0.1 {
            (ActionState::Dropped, "Taken up by another action")
        } else {
            (
                ActionState::Done,
                OUTCOMES[(own("came of it") * OUTCOMES.len() as f64) as usize % OUTCOMES.len()],
            )
        };
        let at = moment(engine, day, own("minute of the end"));
        engine.end_action(action.id, state, Some(outcome), at).await?;
    }
    Ok(())
}

const OUTCOMES: [&str; 4] = [
    "Residents say that it is calmer; two more reports came in through the centre",
    "Agreed with the neighbourhood team to go on for another month",
    "Nobody had heard of more; contact details left with the shops",
    "Support service in touch with those concerned",
];

fn decided(
    alert: &Alert,
    party: &Party,
    age: i64,
    day: NaiveDate,
    outcome: impl Fn() -> Outcome,
) -> Option<Answer> {
    if alert.state == AlertState::Closed {
        return None;
    }
    let own = alert.acknowledged.iter().find(|one| one.party == *party);
    match own {
        None => (chance(alert, party, "acknowledges") < 0.75).then_some(Answer::Acknowledge),
        Some(one) if one.until.is_some() => (age >= 2 && chance(alert, party, "acts") < 0.93).then(|| {
            let title =
                ACTIONS[(chance(alert, party, "action") * ACTIONS.len() as f64) as usize % ACTIONS.len()];
            Answer::Act(Plan {
                title: title.into(),
                due: Some(day + Days::new(14)),
                priority: Priority::ImproveResponse,
                owner: None,
            })
        }),
        Some(_) => {
            let closes = matches!(party.role, Role::CspCoordinator) && chance(alert, party, "closes") < 0.8;
            (closes && age >= 9).then(|| Answer::Close(outcome()))
        }
    }
}

const ACTIONS: [&str; 6] = [
    "Visible patrols on the main street at school closing time",
    "Visit to the community centre with the victim support service",
    "Reassurance message through the residents' network",
    "Asked the transport operator for the bus stop cameras",
    "Joint visit with the housing provider",
    "Raised at the weekly tasking meeting",
];

fn outcome(alert: &Alert, made: &County, references: &HashMap<uuid::Uuid, String>) -> Outcome {
    let planted = made.truth.iter().find(|episode| belongs(&alert.latest, episode, references));
    match planted {
        Some(episode) if episode.kind.is_tension() => Outcome::UsefulActed,
        Some(_) => Outcome::UsefulKnown,
        None => Outcome::FalseAlarm,
    }
}

fn moment(engine: &Engine, day: NaiveDate, part: f64) -> DateTime<Utc> {
    let nine = engine.county.start_of(day) + TimeDelta::hours(9);
    nine + TimeDelta::minutes((part * 420.0) as i64)
}

/// A number from 0 to 1 that is always the same for the same question.
fn chance(alert: &Alert, party: &Party, question: &str) -> f64 {
    let area = party.area.as_ref().map_or("", |area| &area.code);
    let drawn = keyed("partners", &format!("{}/{}/{area}/{question}", alert.number, party.role.code()));
    u32::from_str_radix(drawn.get(..8).unwrap_or("0"), 16).map_or(0.0, |n| f64::from(n) / f64::from(u32::MAX))
}
