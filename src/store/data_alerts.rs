//! What an analyst has to know of the data, the rules and the mail, while it lasts.

use super::{Result, Store, Tx, from_object, object};
use crate::model::DataAlert;
use chrono::{DateTime, Utc};
use uuid::Uuid;

statements! {
    OPEN_DATA_ALERT = "INSERT INTO data_alert (id, identity, body, opened_at, closed_at) VALUES ($1, $2, $3, $4, NULL)
        ON CONFLICT DO NOTHING";
    CLOSE_DATA_ALERT = "UPDATE data_alert SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL";
    OPEN_DATA_ALERTS = "SELECT id, body, opened_at, closed_at FROM data_alert WHERE closed_at IS NULL ORDER BY identity";
    DATA_ALERTS = "SELECT id, body, opened_at, closed_at FROM data_alert ORDER BY opened_at DESC, identity LIMIT 200";
}

/// A data alert as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDataAlert {
    /// Key.
    pub id: Uuid,
    /// What it says.
    pub alert: DataAlert,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// When it was over.
    pub closed_at: Option<DateTime<Utc>>,
}

type Row = (Uuid, serde_json::Value, DateTime<Utc>, Option<DateTime<Utc>>);

fn read(rows: Vec<Row>) -> Result<Vec<SavedDataAlert>> {
    rows.into_iter()
        .map(|(id, body, opened_at, closed_at)| {
            Ok(SavedDataAlert { id, alert: from_object(body, "data alert")?, opened_at, closed_at })
        })
        .collect()
}

impl Store {
    /// The latest, the newest first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn data_alerts(&self) -> Result<Vec<SavedDataAlert>> {
        read(on!(Self, self, pool => sqlx::query_as(DATA_ALERTS).fetch_all(pool).await?))
    }
}

impl Tx {
    /// Those that are open.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn open_data_alerts(&mut self) -> Result<Vec<SavedDataAlert>> {
        read(on!(Self, self, tx => sqlx::query_as(OPEN_DATA_ALERTS).fetch_all(&mut **tx).await?))
    }

    /// Opens one; false when one of the same identity is open.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn open_data_alert(&mut self, id: Uuid, alert: &DataAlert, now: DateTime<Utc>) -> Result<bool> {
        let body = object(alert, "data alert")?;
        let made =
            execute!(self, sqlx::query(OPEN_DATA_ALERT).bind(id).bind(&alert.identity).bind(&body).bind(now));
        Ok(made == 1)
    }

    /// Notes that one is over.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn close_data_alert(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        execute!(self, sqlx::query(CLOSE_DATA_ALERT).bind(id).bind(now));
        Ok(())
    }
}
