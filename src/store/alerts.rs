//! Alerts, their numbers, and what happened to them.

use super::{Result, Store, Tx, from_object, object, text};
use crate::model::Alert;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    SAVE_ALERT = "INSERT INTO alert (id, number, identity, state, opened, night, changed_at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, night = excluded.night,
            changed_at = excluded.changed_at, body = excluded.body";
    ALERTS_SINCE = "SELECT body FROM alert WHERE state <> 'closed' OR night >= $1 ORDER BY number";
    ALERTS = "SELECT body FROM alert ORDER BY night DESC, number DESC LIMIT $1";
    ALERT_BY_NUMBER = "SELECT body FROM alert WHERE number = $1";
    NEXT_NUMBER = "INSERT INTO alert_number (year, last) VALUES ($1, 1)
        ON CONFLICT (year) DO UPDATE SET last = alert_number.last + 1 RETURNING last";
    ADD_EVENT = "INSERT INTO alert_event (id, alert_id, at, what, who, why) VALUES ($1, $2, $3, $4, $5, $6)";
    EVENTS = "SELECT at, what, who, why FROM alert_event WHERE alert_id = $1 ORDER BY at, id";
    EVENTS_SINCE = "SELECT what, COUNT(*) FROM alert_event WHERE at >= $1 AND at < $2 GROUP BY what ORDER BY what";
    TAKE_TURN = "INSERT INTO turn (name, times) VALUES ($1, 1)
        ON CONFLICT (name) DO UPDATE SET times = turn.times + 1";
    SAVE_NOTICE = "INSERT INTO notice (alert_id, sequence, body) VALUES ($1, $2, $3)
        ON CONFLICT (alert_id, sequence) DO UPDATE SET body = excluded.body";
    NOTICE = "SELECT body FROM notice WHERE alert_id = $1 AND sequence <= $2 ORDER BY sequence DESC LIMIT 1";
    TOLD_NUMBERS = "SELECT id, number FROM alert WHERE id IN (SELECT about FROM outbox WHERE kind = 'alert')";
    ANSWERED_WITH = "SELECT body FROM alert WHERE state = 'closed' AND night >= $1 ORDER BY number";
}

/// One thing that happened to an alert.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AlertEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// What, as [`crate::alerts::Event::code`] writes it.
    pub what: String,
    /// By whom: a role and area, an account's name, or `engine`.
    pub who: String,
    /// Why, or what was not told and for which reason; empty where there is no more to say.
    pub why: String,
}

impl Store {
    /// Every alert that is alive, and those that closed on or after a night.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn alerts_since(&self, night: NaiveDate) -> Result<Vec<Alert>> {
        let bodies: Vec<serde_json::Value> =
            on!(Self, self, pool => sqlx::query_scalar(ALERTS_SINCE).bind(night).fetch_all(pool).await?);
        bodies.into_iter().map(|body| from_object(body, "alert")).collect()
    }

    /// The latest alerts, the newest night first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn alerts(&self, at_most: i64) -> Result<Vec<Alert>> {
        let bodies: Vec<serde_json::Value> =
            on!(Self, self, pool => sqlx::query_scalar(ALERTS).bind(at_most).fetch_all(pool).await?);
        bodies.into_iter().map(|body| from_object(body, "alert")).collect()
    }

    /// One alert, by what people call it.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn alert(&self, number: &str) -> Result<Option<Alert>> {
        let body: Option<serde_json::Value> = on!(Self, self, pool => sqlx::query_scalar(ALERT_BY_NUMBER).bind(number).fetch_optional(pool).await?);
        body.map(|body| from_object(body, "alert")).transpose()
    }

    /// What people call the alerts that messages are about.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn told_numbers(&self) -> Result<HashMap<Uuid, String>> {
        let rows: Vec<(Uuid, String)> =
            on!(Self, self, pool => sqlx::query_as(TOLD_NUMBERS).fetch_all(pool).await?);
        Ok(rows.into_iter().collect())
    }

    /// What happened to an alert, in order.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn alert_events(&self, alert: Uuid) -> Result<Vec<AlertEvent>> {
        Ok(on!(Self, self, pool => sqlx::query_as(EVENTS).bind(alert).fetch_all(pool).await?))
    }
}

impl Store {
    /// How often each thing happened to any alert from an instant on and before another.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn events_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<(String, i64)>> {
        Ok(on!(Self, self, pool => sqlx::query_as(EVENTS_SINCE).bind(from).bind(to).fetch_all(pool).await?))
    }

    /// Closed alerts that were last judged on or after a night.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn closed_alerts(&self, since: NaiveDate) -> Result<Vec<Alert>> {
        let bodies: Vec<serde_json::Value> =
            on!(Self, self, pool => sqlx::query_scalar(ANSWERED_WITH).bind(since).fetch_all(pool).await?);
        bodies.into_iter().map(|body| from_object(body, "alert")).collect()
    }

    /// What the messages of a notice were made from: that of `sequence`, or the latest before it.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn notice<T: serde::de::DeserializeOwned>(
        &self,
        alert: Uuid,
        sequence: i64,
    ) -> Result<Option<T>> {
        let body: Option<serde_json::Value> = on!(Self, self, pool => sqlx::query_scalar(NOTICE)
            .bind(alert)
            .bind(sequence)
            .fetch_optional(pool)
            .await?);
        body.map(|body| from_object(body, "notice")).transpose()
    }
}

impl Tx {
    /// Waits for everybody else who changes alerts, until this transaction ends: what is read after it is what is changed.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn take_turn_with_alerts(&mut self) -> Result<()> {
        execute!(self, sqlx::query(TAKE_TURN).bind("alerts"));
        Ok(())
    }

    /// As [`Store::alerts_since`], inside the transaction.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn alerts_since(&mut self, night: NaiveDate) -> Result<Vec<Alert>> {
        let bodies: Vec<serde_json::Value> =
            on!(Self, self, tx => sqlx::query_scalar(ALERTS_SINCE).bind(night).fetch_all(&mut **tx).await?);
        bodies.into_iter().map(|body| from_object(body, "alert")).collect()
    }

    /// As [`Store::alert`], inside the transaction.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn alert(&mut self, number: &str) -> Result<Option<Alert>> {
        let body: Option<serde_json::Value> = on!(Self, self, tx => sqlx::query_scalar(ALERT_BY_NUMBER)
            .bind(number)
            .fetch_optional(&mut **tx)
            .await?);
        body.map(|body| from_object(body, "alert")).transpose()
    }

    /// Keeps what the messages of a notice are made from.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn save_notice<T: serde::Serialize>(
        &mut self,
        alert: Uuid,
        sequence: i64,
        body: &T,
    ) -> Result<()> {
        let body = object(body, "notice")?;
        execute!(self, sqlx::query(SAVE_NOTICE).bind(alert).bind(sequence).bind(&body));
        Ok(())
    }

    /// The next number of a year, counted from 1; given back when the transaction is not committed.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn next_alert_number(&mut self, year: i32) -> Result<i64> {
        Ok(on!(Self, self, tx => sqlx::query_scalar(NEXT_NUMBER)
            .bind(i64::from(year))
            .fetch_one(&mut **tx)
            .await?))
    }

    /// Keeps an alert as it now stands.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says; also when another living alert has the same identity.
    pub async fn save_alert(&mut self, alert: &Alert, night: NaiveDate) -> Result<()> {
        let state = text(&alert.state, "state of an alert")?;
        let body = object(alert, "alert")?;
        execute!(
            self,
            sqlx::query(SAVE_ALERT)
                .bind(alert.id)
                .bind(&alert.number)
                .bind(&alert.identity)
                .bind(&state)
                .bind(alert.opened)
                .bind(night)
                .bind(alert.changed_at)
                .bind(&body)
        );
        Ok(())
    }

    /// Notes what happened to an alert.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_alert_event(&mut self, id: Uuid, alert: Uuid, event: &AlertEvent) -> Result<()> {
        execute!(
            self,
            sqlx::query(ADD_EVENT)
                .bind(id)
                .bind(alert)
                .bind(event.at)
                .bind(&event.what)
                .bind(&event.who)
                .bind(&event.why)
        );
        Ok(())
    }
}
