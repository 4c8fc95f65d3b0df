//! Quiet that somebody asked for.

use super::{Result, Store, Tx, from_object, object};
use crate::model::Silence;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

statements! {
    ADD_SILENCE = "INSERT INTO silence (id, body, first, last, made_at, ended_at) VALUES ($1, $2, $3, $4, $5, NULL)";
    SILENCES = "SELECT id, body, made_at, ended_at FROM silence ORDER BY made_at DESC, id DESC LIMIT 500";
    SILENT_ON = "SELECT body FROM silence WHERE first <= $1 AND last >= $1 AND ended_at IS NULL ORDER BY id";
    END_SILENCE = "UPDATE silence SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
}

/// A silence as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSilence {
    /// Key.
    pub id: Uuid,
    /// What is quiet.
    pub silence: Silence,
    /// Since when it is known.
    pub made_at: DateTime<Utc>,
    /// When somebody ended it before its time.
    pub ended_at: Option<DateTime<Utc>>,
}

type Row = (Uuid, serde_json::Value, DateTime<Utc>, Option<DateTime<Utc>>);

impl Store {
    /// The latest silences, the newest first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn silences(&self) -> Result<Vec<SavedSilence>> {
        let rows: Vec<Row> = on!(Self, self, pool => sqlx::query_as(SILENCES).fetch_all(pool).await?);
        rows.into_iter()
            .map(|(id, body, made_at, ended_at)| {
                Ok(SavedSilence { id, silence: from_object(body, "silence")?, made_at, ended_at })
            })
            .collect()
    }

    /// Those in force on a day.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn silences_on(&self, day: NaiveDate) -> Result<Vec<Silence>> {
        let bodies: Vec<serde_json::Value> =
            on!(Self, self, pool => sqlx::query_scalar(SILENT_ON).bind(day).fetch_all(pool).await?);
        bodies.into_iter().map(|body| from_object(body, "silence")).collect()
    }
}

impl Tx {
    /// Keeps a silence.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_silence(&mut self, id: Uuid, silence: &Silence, now: DateTime<Utc>) -> Result<()> {
        let body = object(silence, "silence")?;
        execute!(
            self,
            sqlx::query(ADD_SILENCE).bind(id).bind(&body).bind(silence.first).bind(silence.last).bind(now)
        );
        Ok(())
    }

    /// Ends a silence before its time; false when there is none that stands.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn end_silence(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        Ok(execute!(self, sqlx::query(END_SILENCE).bind(id).bind(now)) == 1)
    }
}
