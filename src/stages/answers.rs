//! Answers of partners to an alert, whichever way they come: by a page, a link of a mail, or the command line.

use super::{
    actions::Plan,
    letters::{hash_of, keyed},
    night::Engine,
};
use crate::{
    alerts::{self, Answered},
    failpoint,
    model::{Alert, AlertState, Outcome, Party},
    rules::FOLLOW_UP_DAYS,
    store::{AlertEvent, AnswerLink, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// A link in a mail works until so long after its alert closed.
pub const LINK_LASTS: TimeDelta = TimeDelta::days(30);

/// A button that was not pressed for so long has to be loaded again.
pub const BUTTON_LASTS: TimeDelta = TimeDelta::hours(12);

/// What became of a pressed button.
#[derive(Debug, Clone, PartialEq)]
pub enum Pressed {
    /// The answer is taken; whether it changed anything.
    Taken(Box<Alert>, bool),
    /// This very button has been pressed before.
    Before,
    /// The page with the button is too old, or not ours.
    TooOld,
    /// The link leads nowhere, or no longer.
    Ended,
}

/// What somebody answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// They have it.
    Acknowledge,
    /// They do something about it.
    Act(Plan),
    /// They know an event that explains it.
    Expected {
        /// What people call it.
        event: String,
    },
    /// It is over for them.
    Close(Outcome),
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerer {
    /// For whom they answer.
    pub party: Party,
    /// How the record names them: an account, or what they wrote.
    pub who: String,
}

impl Engine {
    /// Takes an answer: the alert as it stands then, and whether anything changed. None when there is no such alert.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn answer(
        &self,
        number: &str,
        by: &Answerer,
        answer: &Answer,
        now: DateTime<Utc>,
    ) -> Result<Option<(Alert, bool)>> {
        let mut tx = self.store.begin().await?;
        let answered = self.answer_in(&mut tx, number, by, answer, now).await?;
        failpoint::reached("answer-before-commit");
        tx.commit().await.context("keeping an answer")?;
        failpoint::reached("answer-after-commit");
        Ok(answered)
    }

    pub(crate) async fn answer_in(
        &self,
        tx: &mut Tx,
        number: &str,
        by: &Answerer,
        answer: &Answer,
        now: DateTime<Utc>,
    ) -> Result<Option<(Alert, bool)>> {
        tx.take_turn_with_alerts().await.context("waiting for others")?;
        let Some(mut alert) = tx.alert(number).await.context("loading the alert")? else { return Ok(None) };
        let events: Answered = match answer {
            Answer::Acknowledge => {
                let days = alert.follow_up_days.unwrap_or(FOLLOW_UP_DAYS);
                let until = self.county.working_days().after(now, days);
                alerts::acknowledge(&mut alert, &by.party, now, until)
            }
            Answer::Act(plan) => {
                let geography = self.county.geography(alert.night)?;
                let action = plan.about(&alert, &by.party, &by.who, &geography, now);
                tx.add_action(&action).await.context("keeping an action")?;
                alerts::act(&mut alert, &by.party, now)
            }
            Answer::Expected { event } => alerts::expected(&mut alert, &by.party, event, now),
            Answer::Close(outcome) => alerts::close(&mut alert, &by.party, *outcome, now),
        };
        for event in &events {
            let event =
                AlertEvent { at: now, what: event.code().into(), who: by.who.clone(), why: event.why() };
            tx.add_alert_event(Uuid::now_v7(), alert.id, &event).await?;
        }
        if !events.is_empty() {
            tx.save_alert(&alert, alert.night).await.context("saving an alert")?;
        }
        Ok(Some((alert, !events.is_empty())))
    }

    /// Where a link of a mail leads; none when it leads nowhere, or no longer. Asking changes nothing.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn link(&self, token: &str, now: DateTime<Utc>) -> Result<Option<(AnswerLink, Alert)>> {
        let Some(link) = self.store.answer_link(&hash_of(token)).await.context("looking for a link")? else {
            return Ok(None);
        };
        let alert = self.store.alert(&link.alert).await.context("loading the alert")?;
        Ok(alert.filter(|alert| lives(alert, now)).map(|alert| (link, alert)))
    }

    /// What a button of a link's page carries: it works once, for that link, for [`BUTTON_LASTS`]. `chance` is what makes two
    /// of them differ. Nothing is kept until it is pressed.
    #[must_use]
    pub fn button(&self, token: &str, chance: &str, now: DateTime<Utc>) -> String {
        let until = (now + BUTTON_LASTS).timestamp();
        let sign = keyed(&self.answer_key, &format!("button/{token}/{chance}/{until}"));
        format!("{chance}-{until}-{sign}")
    }

    /// Takes the answer of somebody who pressed a button on the page of a link.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn press(
        &self,
        token: &str,
        button: &str,
        who: &str,
        answer: &Answer,
        now: DateTime<Utc>,
    ) -> Result<Pressed> {
        let mut parts = button.split('-');
        let (Some(chance), Some(until)) = (parts.next(), parts.next()) else { return Ok(Pressed::TooOld) };
        let in_time = until.parse().is_ok_and(|until: i64| until > now.timestamp());
        let ours = in_time
            .then(|| until.parse().ok().and_then(|until| DateTime::from_timestamp(until, 0)))
            .flatten()
            .is_some_and(|until| self.button(token, chance, until - BUTTON_LASTS) == button);
        if !ours {
            return Ok(Pressed::TooOld);
        }
        let Some((link, _)) = self.link(token, now).await? else { return Ok(Pressed::Ended) };
        let mut tx = self.store.begin().await?;
        if !tx.press(button, now, now - BUTTON_LASTS * 2).await.context("noting a pressed button")? {
            return Ok(Pressed::Before);
        }
        let geography = self.county.geography(self.county.day_of(now))?;
        let who = format!("{} ({who}, by the link of a mail)", link.party.label(&geography));
        let by = Answerer { party: link.party, who };
        let answered = self.answer_in(&mut tx, &link.alert, &by, answer, now).await?;
        tx.commit().await.context("keeping an answer")?;
        Ok(answered.map_or(Pressed::Ended, |(alert, changed)| Pressed::Taken(Box::new(alert), changed)))
    }
}

/// Whether the links of an alert still work.
fn lives(alert: &Alert, now: DateTime<Utc>) -> bool {
    let ended = alert.closing.as_ref().map_or(alert.changed_at, |closing| closing.at);
    alert.state != AlertState::Closed || now < ended + LINK_LASTS
}
