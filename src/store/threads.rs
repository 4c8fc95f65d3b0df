//! What the outbox holds about one thing, and what it keeps back.

use super::{Result, Tx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

statements! {
    ROOT = "SELECT message_id, created_at FROM outbox WHERE about = $1 AND mailbox = $2 ORDER BY sequence LIMIT 1";
    /// Without an index: asked only while something is held.
    HELD = "SELECT created_at FROM outbox WHERE state = 'held' ORDER BY created_at, id";
}

/// The first message about a thing to a mailbox: the root of its thread.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ThreadRoot {
    /// Its Message-ID.
    pub message_id: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Tx {
    /// The root of the thread about a thing to a mailbox.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn thread_root(&mut self, about: Uuid, mailbox: &str) -> Result<Option<ThreadRoot>> {
        Ok(on!(Self, self, tx => sqlx::query_as(ROOT)
            .bind(about)
            .bind(mailbox)
            .fetch_optional(&mut **tx)
            .await?))
    }

    /// When each message that is held was made.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn held_since(&mut self) -> Result<Vec<DateTime<Utc>>> {
        Ok(on!(Self, self, tx => sqlx::query_scalar(HELD).fetch_all(&mut **tx).await?))
    }
}
