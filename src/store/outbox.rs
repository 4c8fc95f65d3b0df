//! Messages that wait to be sent, as bytes that never change.

use super::{Result, Store, Tx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

statements! {
    ADD_MESSAGE = "INSERT INTO outbox (id, alert_id, mailbox, sequence, message_id, message, created_at, state,
            attempts, next_try, claimed_until, last_error, sent_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $7, NULL, NULL, NULL) ON CONFLICT DO NOTHING";
    /// The condition stands inside and outside: that is what keeps two senders on PostgreSQL apart.
    CLAIM = "UPDATE outbox SET claimed_until = $2, attempts = attempts + 1
        WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND next_try <= $1
                     AND (claimed_until IS NULL OR claimed_until < $1) ORDER BY next_try, id LIMIT $3)
          AND state = 'waiting' AND (claimed_until IS NULL OR claimed_until < $1)
        RETURNING id, alert_id, mailbox, sequence, message_id, message, created_at, attempts";
    SENT = "UPDATE outbox SET state = 'sent', sent_at = $2, claimed_until = NULL, last_error = NULL WHERE id = $1";
    TRY_AGAIN = "UPDATE outbox SET next_try = $2, claimed_until = NULL, last_error = $3
        WHERE id = $1 AND state = 'waiting'";
    GIVE_UP = "UPDATE outbox SET state = 'failed', claimed_until = NULL, last_error = $2
        WHERE id = $1 AND state = 'waiting'";
    COUNT_OUTBOX = "SELECT state, COUNT(*) AS messages FROM outbox GROUP BY state ORDER BY state";
    TOLD = "SELECT mailbox FROM outbox WHERE alert_id = $1 GROUP BY mailbox ORDER BY mailbox";
    ROOT = "SELECT message_id FROM outbox WHERE alert_id = $1 AND mailbox = $2 ORDER BY sequence LIMIT 1";
}

/// A message as it was made.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxMessage {
    /// Key.
    pub id: Uuid,
    /// The alert it tells of.
    pub alert_id: Uuid,
    /// To whom.
    pub mailbox: String,
    /// 0 for the first message of the alert to this mailbox.
    pub sequence: i64,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
    /// The whole message, ASCII with CRLF.
    pub message: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Attempts begun.
    pub attempts: i64,
}

/// How many messages are in a state.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxCount {
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// How many.
    pub messages: i64,
}

impl Store {
    /// Messages by state.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn outbox_counts(&self) -> Result<Vec<OutboxCount>> {
        Ok(on!(Self, self, pool => sqlx::query_as(COUNT_OUTBOX).fetch_all(pool).await?))
    }

    /// The mailboxes that were told of an alert.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn mailboxes_told(&self, alert: Uuid) -> Result<Vec<String>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(TOLD).bind(alert).fetch_all(pool).await?))
    }

    /// Hands out messages that are due, each to one sender only until `claimed_until`; after that a sender that has
    /// vanished no longer holds them.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn claim_messages(
        &self,
        now: DateTime<Utc>,
        claimed_until: DateTime<Utc>,
        at_most: i64,
    ) -> Result<Vec<OutboxMessage>> {
        let mut tx = self.begin().await?;
        let claimed = on!(Tx, &mut tx, tx => sqlx::query_as(CLAIM)
            .bind(now)
            .bind(claimed_until)
            .bind(at_most)
            .fetch_all(&mut **tx)
            .await?);
        tx.commit().await?;
        Ok(claimed)
    }
}

impl Tx {
    /// Puts a message into the outbox. Nothing happens when the same alert, mailbox and sequence is there already.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_message(&mut self, message: &OutboxMessage) -> Result<()> {
        execute!(
            self,
            sqlx::query(ADD_MESSAGE)
                .bind(message.id)
                .bind(message.alert_id)
                .bind(&message.mailbox)
                .bind(message.sequence)
                .bind(&message.message_id)
                .bind(&message.message)
                .bind(message.created_at)
        );
        Ok(())
    }

    /// The Message-ID of the first message of an alert to a mailbox: the root of its thread.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn thread_root(&mut self, alert: Uuid, mailbox: &str) -> Result<Option<String>> {
        Ok(on!(Self, self, tx => sqlx::query_scalar(ROOT)
            .bind(alert)
            .bind(mailbox)
            .fetch_optional(&mut **tx)
            .await?))
    }

    /// Notes that a message is through.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn message_sent(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        execute!(self, sqlx::query(SENT).bind(id).bind(now));
        Ok(())
    }

    /// Notes that a message has to be tried again.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn message_later(&mut self, id: Uuid, next_try: DateTime<Utc>, why: &str) -> Result<()> {
        execute!(self, sqlx::query(TRY_AGAIN).bind(id).bind(next_try).bind(why));
        Ok(())
    }

    /// Notes that a message can't be sent.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn message_failed(&mut self, id: Uuid, why: &str) -> Result<()> {
        execute!(self, sqlx::query(GIVE_UP).bind(id).bind(why));
        Ok(())
    }
}
