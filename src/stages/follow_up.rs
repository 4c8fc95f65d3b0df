//! What follows when an alert is not acknowledged in time, or an acknowledgement leads to nothing.

use super::{
    letters::{Letter, Posted},
    maps::{Maps, Shows},
    night::Engine,
    rules::InForce,
};
use crate::{
    alerts::{self, Missing, NoticeKind, asked_too, has_acknowledged, missing, route},
    mail::Facts,
    model::{Alert, AlertState, Finding, Geography, Party, Role},
    store::{AlertEvent, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Who is told when those told first have not acknowledged an alert in time, as messages say it.
pub(super) fn next_in_words(then_tell: &[Role]) -> String {
    let roles = if then_tell.is_empty() { &[Role::CspChair][..] } else { then_tell };
    roles.iter().map(|role| format!("the {}", role.label())).collect::<Vec<_>>().join(" and ")
}

impl Engine {
    /// Tells whoever has to be told because an answer is missing; how many messages were made. Asked again at once, it does
    /// nothing more.
    ///
    /// # Errors
    ///
    /// When the store fails, or a message can't be made; then nothing has changed.
    pub async fn follow_up(&self, now: DateTime<Utc>, rules: &InForce) -> Result<usize> {
        // Nothing is missing most of the time, and then nobody has to wait for a turn.
        let Some(mut maps) = self.maps_of_missing(now, rules).await? else { return Ok(0) };
        let mut tx = self.store.begin().await?;
        let posted = self.follow_up_in(&mut tx, &mut maps, now, rules).await?;
        self.tell_held(&mut tx, posted.held, now).await?;
        tx.commit().await.context("keeping what was asked")?;
        Ok(posted.messages)
    }

    /// The maps of what has to be told because an answer is missing; none when nothing is missing. Nothing is changed.
    async fn maps_of_missing(&self, now: DateTime<Utc>, rules: &InForce) -> Result<Option<Maps>> {
        let day = self.county.day_of(now);
        let geography = self.county.geography(day)?;
        let mut shows: Vec<Shows> = Vec::new();
        let mut any = false;
        for mut alert in self.store.alerts_since(day).await.context("loading the alerts")? {
            let Some((then, by)) = self.chain(&alert, &geography, now, rules) else { continue };
            let (due, events) = missing(&mut alert, &then, now, by);
            any |= !due.is_empty() || !events.is_empty();
            if !due.is_empty()
                && let Some(told) = self.store.notice::<Facts>(alert.id, alert.sequence).await?
            {
                shows.push((told.alert.night, told.alert.latest.wards));
            }
        }
        Ok(if any { Some(self.maps_at_hand(shows).await) } else { None })
    }

    /// Who is told next when an alert is not attended to in time, and until when those asked now are expected to answer; none
    /// for an alert of which nobody is asked.
    fn chain(
        &self,
        alert: &Alert,
        geography: &Geography,
        now: DateTime<Utc>,
        rules: &InForce,
    ) -> Option<(Vec<Role>, Option<DateTime<Utc>>)> {
        if alert.asked.is_empty() || !matches!(alert.state, AlertState::Open | AlertState::Acknowledged) {
            return None;
        }
        let rule = rules.set.rules.iter().find(|rule| rule.id == alert.latest.rule);
        let rule = rule.map(|rule| rule.at(&alert.latest.wards, geography));
        let days = rule.and_then(|rule| rule.ack_within_days);
        let by = days.map(|days| self.county.working_days().after(now, days));
        Some((rule.map_or_else(Vec::new, |rule| rule.then_tell.clone()), by))
    }

    pub(super) async fn follow_up_in(
        &self,
        tx: &mut Tx,
        maps: &mut Maps,
        now: DateTime<Utc>,
        rules: &InForce,
    ) -> Result<Posted> {
        tx.take_turn_with_alerts().await.context("waiting for others")?;
        let day = self.county.day_of(now);
        let geography = self.county.geography(day)?;
        let mut letters = Vec::new();
        for mut alert in tx.alerts_since(day).await.context("loading the alerts")? {
            let Some((then, by)) = self.chain(&alert, &geography, now, rules) else { continue };
            let (due, events) = missing(&mut alert, &then, now, by);
            if due.is_empty() && events.is_empty() {
                continue;
            }
            for (event, party) in &events {
                let who = party.as_ref().map_or_else(|| "engine".to_owned(), |party| party.label(&geography));
                let event = AlertEvent { at: now, what: event.code().into(), who, why: event.why() };
                tx.add_alert_event(Uuid::now_v7(), alert.id, &event).await?;
            }
            for one in due {
                letters.extend(self.reminder(&mut alert, one, &geography, now, by).await?);
            }
            tx.save_alert(&alert, alert.night).await.context("saving an alert")?;
        }
        self.post(tx, letters, maps, &geography, now).await
    }

    /// The letters that say an answer is missing, made from what was told last.
    async fn reminder(
        &self,
        alert: &mut Alert,
        missing: Missing,
        geography: &Geography,
        now: DateTime<Utc>,
        by: Option<DateTime<Utc>>,
    ) -> Result<Vec<Letter>> {
        let told =
            self.store.notice::<Facts>(alert.id, alert.sequence).await.context("loading what was told")?;
        let Some(told) = told else { return Ok(Vec::new()) };
        let directory = &self.directory().await?;
        let mut recipients = match &missing.party {
            None => route(&alert.latest, &missing.roles, geography, directory).recipients,
            Some(party) => everybody(party, &alert.latest, geography, directory),
        };
        // Nobody hears in somebody else's place that an answer is missing.
        recipients.retain(|to| !to.in_place);
        if let NoticeKind::Unanswered { .. } = missing.kind {
            let parties = recipients.iter().map(alerts::Recipient::party).collect();
            asked_too(alert, parties, now, by);
        }
        let facts = Facts { kind: missing.kind, ..told };
        let waiting: Vec<String> = alert.asked.first().map_or_else(Vec::new, |first| {
            let silent = first.parties.iter().filter(|party| !has_acknowledged(alert, party));
            silent.map(|party| party.label(geography)).collect()
        });
        let mut letters = Letter::each(&facts, alert.sequence, recipients, geography, by, None);
        for letter in &mut letters {
            letter.waiting.clone_from(&waiting);
        }
        alert.sequence += 1;
        Ok(letters)
    }
}

/// The mailboxes of one party.
fn everybody(
    party: &Party,
    finding: &Finding,
    geography: &Geography,
    directory: &[crate::model::Mailbox],
) -> Vec<alerts::Recipient> {
    let own = |to: &alerts::Recipient| to.party() == *party;
    route(finding, &[party.role], geography, directory).recipients.into_iter().filter(own).collect()
}
