//! Quiet on request: who may ask for it, what it would have covered, and how it reads.

use super::night::Engine;
use crate::{
    alerts::covers,
    model::{Alert, AreaKind, Silence},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use uuid::Uuid;

/// The longest silence; it can be asked for again.
pub const LONGEST_DAYS: i64 = 92;

/// A silence that can't be kept, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongSilence {
    /// It covers everything.
    #[error("name a rule, an area or a category: a silence of everything would hide what nobody thought of")]
    Everything,
    /// It does not end, or ends before it begins.
    #[error(
        "a silence ends on or after its first day, and at most {LONGEST_DAYS} days later; it can be asked for again"
    )]
    Length,
    /// Nobody says why.
    #[error("say why: the reason stands in the weekly digest")]
    Reason,
    /// Something that is not there.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// As it was written.
        name: String,
    },
}

/// Checks a silence before it is kept.
///
/// # Errors
///
/// See [`WrongSilence`].
pub fn checked(silence: &Silence, engine: &Engine, rules: &[String]) -> Result<(), WrongSilence> {
    if silence.rule.is_none() && silence.area.is_none() && silence.category.is_none() {
        return Err(WrongSilence::Everything);
    }
    let days = (silence.last - silence.first).num_days();
    if !(0..LONGEST_DAYS).contains(&days) {
        return Err(WrongSilence::Length);
    }
    if silence.reason.trim().is_empty() {
        return Err(WrongSilence::Reason);
    }
    let unknown = |what, name: &str| WrongSilence::Unknown { what, name: name.chars().take(60).collect() };
    if let Some(rule) = silence.rule.as_ref().filter(|rule| !rules.contains(rule)) {
        return Err(unknown("rule", rule));
    }
    if let Some(code) = &silence.category
        && engine.county.pack.categories.find(code).is_none()
    {
        return Err(unknown("category", code));
    }
    if let Some(area) = &silence.area {
        let known = engine.county.geography(silence.first).ok();
        let known = known.as_ref().and_then(|known| known.get(area.kind, &area.code));
        if known.is_none() && area.kind != AreaKind::Whole {
            return Err(unknown("area", &area.code));
        }
    }
    Ok(())
}

/// What a silence covers, in words.
#[must_use]
pub fn in_words(silence: &Silence, engine: &Engine) -> String {
    let pack = &engine.county.pack;
    let geography = engine.county.geography(silence.first).ok();
    let mut parts = Vec::new();
    parts.extend(silence.rule.as_ref().map(|rule| format!("rule {rule}")));
    parts.extend(silence.category.as_ref().map(|code| pack.label(code).to_lowercase()));
    parts.extend(silence.area.as_ref().map(|area| {
        let known = geography.as_ref().and_then(|known| known.get(area.kind, &area.code));
        format!("in {}", known.map_or(area.code.as_str(), |area| area.name.as_str()))
    }));
    parts.join(", ")
}

impl Engine {
    /// The alerts alive now, and those of the last 90 days, that a silence would have covered: what it would hide.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn would_be_silent(&self, silence: &Silence, today: NaiveDate) -> Result<Vec<Alert>> {
        let since = today - Days::new(90);
        let alerts = self.store.alerts_since(since).await.context("loading the alerts")?;
        let geography = self.county.geography(today)?;
        let always = Silence { first: NaiveDate::MIN, last: NaiveDate::MAX, ..silence.clone() };
        let covered = |alert: &Alert| covers(&always, &alert.latest, today, &geography);
        Ok(alerts.into_iter().filter(covered).collect())
    }

    /// The rules of the last good set, by id.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn rule_ids(&self) -> Result<Vec<String>> {
        let Some(saved) = self.store.last_rules().await.context("loading the rules")? else {
            return Ok(Vec::new());
        };
        let found = super::rules::checked(&saved.files, &self.county, self.county.day_of(saved.accepted_at))?;
        let set = found.rule_set();
        Ok(set.map(|set| set.rules.into_iter().map(|rule| rule.id).collect()).unwrap_or_default())
    }

    /// Keeps a silence that was [`checked`].
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn keep_silence(&self, silence: &Silence, now: DateTime<Utc>) -> Result<Uuid> {
        let id = Uuid::now_v7();
        let mut tx = self.store.begin().await?;
        tx.add_silence(id, silence, now).await.context("keeping a silence")?;
        tx.commit().await.context("keeping a silence")?;
        Ok(id)
    }

    /// Ends a silence; false when none of that key stands.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn end_silence(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let ended = tx.end_silence(id, now).await.context("ending a silence")?;
        tx.commit().await.context("ending a silence")?;
        Ok(ended)
    }
}
