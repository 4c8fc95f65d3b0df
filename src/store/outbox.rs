//! Messages that wait to be sent, as bytes that never change.
//!
//! `waiting` → `sending`, committed before a connection is made → `sent`, committed after the server's 250. A sender that
//! vanishes in between leaves `sending` behind: when its claim has run out the message is claimed again, and marked as
//! one that may have arrived.

use super::{Result, Store, Tx};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::str::FromStr;
use uuid::Uuid;

statements! {
    /// After a restore, and until the first night that came due since, everything but what analysts hear of the data is held:
    /// the copy does not know what was sent after it was made.
    ADD_MESSAGE = "INSERT INTO outbox (id, kind, about, mailbox, sequence, priority, message_id, message, created_at,
            due, state, attempts, next_try, claimed_until, maybe_arrived, last_error, sent_at, failed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
            CASE WHEN $11 = 'waiting' AND $2 <> 'data' AND EXISTS (SELECT 1 FROM restored WHERE at >= COALESCE(
                    (SELECT MAX(COALESCE(tick, as_known_on)) FROM run WHERE outcome IN ('running', 'done')), at))
                THEN 'held' ELSE $11 END,
            0, $10, NULL, FALSE, NULL, NULL, NULL)
        ON CONFLICT DO NOTHING";
    /// The condition stands inside and outside: that is what keeps two senders on PostgreSQL apart. `state IN` is the
    /// condition of the index whose order is asked for.
    CLAIM = "UPDATE outbox SET state = 'sending', claimed_until = $2, attempts = attempts + 1,
            maybe_arrived = (maybe_arrived OR state = 'sending')
        WHERE id IN (SELECT id FROM outbox WHERE state IN ('waiting', 'sending')
                     AND ((state = 'waiting' AND next_try <= $1) OR (state = 'sending' AND claimed_until <= $1))
                     ORDER BY priority, next_try, id LIMIT $3)
          AND ((state = 'waiting' AND next_try <= $1) OR (state = 'sending' AND claimed_until <= $1))
        RETURNING id, kind, about, mailbox, sequence, priority, message_id, message, created_at, due, attempts,
            next_try, claimed_until, maybe_arrived";
    /// Every result names the claim it belongs to: one that comes late finds another claim there and changes nothing.
    SENT = "UPDATE outbox SET state = 'sent', sent_at = $4, claimed_until = NULL, last_error = NULL
        WHERE id = $1 AND state = 'sending' AND attempts = $2 AND claimed_until = $3";
    TRY_AGAIN = "UPDATE outbox SET state = 'waiting', next_try = $4, claimed_until = NULL, last_error = $5,
            maybe_arrived = (maybe_arrived OR $6)
        WHERE id = $1 AND state = 'sending' AND attempts = $2 AND claimed_until = $3";
    GIVE_UP = "UPDATE outbox SET state = 'failed', failed_at = $4, claimed_until = NULL, last_error = $5,
            maybe_arrived = (maybe_arrived OR $6)
        WHERE id = $1 AND state = 'sending' AND attempts = $2 AND claimed_until = $3";
    /// What is tried again by hand has its days of trying before it once more.
    RETRY = "UPDATE outbox SET state = 'waiting', due = $2, next_try = $2, failed_at = NULL
        WHERE id = $1 AND state IN ('failed', 'held')";
    RETRY_ALL = "UPDATE outbox SET state = 'waiting', due = $2, next_try = $2, failed_at = NULL
        WHERE state = $1 AND state IN ('failed', 'held')";
    COUNT_OUTBOX = "SELECT state, COUNT(*) AS messages FROM outbox GROUP BY state ORDER BY state";
    OLDEST = "SELECT MIN(due) FROM outbox WHERE state IN ('waiting', 'sending') AND due <= $1";
    FAILED_SINCE = "SELECT id, kind, about, mailbox, failed_at, last_error FROM outbox
        WHERE state = 'failed' AND failed_at >= $1 ORDER BY failed_at, id";
    LIST = "SELECT id, kind, about, mailbox, sequence, priority, message_id, created_at, due, state, attempts,
            next_try, claimed_until, maybe_arrived, last_error, sent_at, failed_at
        FROM outbox
        WHERE (CAST($1 AS TEXT) IS NULL OR state = $1) AND (CAST($2 AS TEXT) IS NULL OR kind = $2)
          AND (CAST($3 AS TEXT) IS NULL OR LOWER(mailbox) = LOWER($3))
        ORDER BY created_at DESC, id LIMIT $4";
    SHOW = "SELECT id, kind, about, mailbox, sequence, priority, message_id, created_at, due, state, attempts,
            next_try, claimed_until, maybe_arrived, last_error, sent_at, failed_at
        FROM outbox WHERE id = $1";
    MESSAGE = "SELECT message FROM outbox WHERE id = $1";
    TOLD = "SELECT mailbox FROM outbox WHERE about = $1 GROUP BY mailbox ORDER BY mailbox";
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MessageKind {
    /// One alert.
    Alert,
    /// Many alerts at once.
    Summary,
    /// A week.
    Digest,
    /// The data or the delivery itself: a source that is late, a mailbox that can't be reached.
    Data,
    /// Actions that are overdue.
    Action,
    /// A quarter, for the boards.
    Report,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Alert, Self::Summary, Self::Digest, Self::Data, Self::Action, Self::Report];

    /// As it is stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Summary => "summary",
            Self::Digest => "digest",
            Self::Data => "data",
            Self::Action => "action",
            Self::Report => "report",
        }
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MessageState {
    /// For its time, or for its next attempt.
    Waiting,
    /// A sender has it.
    Sending,
    /// The server has taken it.
    Sent,
    /// Given up: the operator has to look.
    Failed,
    /// Kept back until somebody releases it.
    Held,
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Sending, Self::Sent, Self::Failed, Self::Held];

    /// As it is stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }
}

/// The value with this code; tells which there are otherwise.
fn by_code<T: Copy>(
    text: &str,
    all: &[T],
    code: impl Fn(T) -> &'static str,
) -> std::result::Result<T, String> {
    all.iter().copied().find(|one| code(*one) == text).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| code(*one)).collect();
        format!("there are {}", known.join(", "))
    })
}

impl FromStr for MessageKind {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        by_code(text, &Self::ALL, Self::code)
    }
}

impl FromStr for MessageState {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        by_code(text, &Self::ALL, Self::code)
    }
}

/// A message as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Key.
    pub id: Uuid,
    /// What it is about.
    pub kind: MessageKind,
    /// The alert it tells of; for other kinds the thing it is about.
    pub about: Uuid,
    /// To whom.
    pub mailbox: String,
    /// 0 for the first message about it to this mailbox.
    pub sequence: i64,
    /// 0 leaves first.
    pub priority: i64,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
    /// The whole message, ASCII with CRLF.
    pub message: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The first moment it may leave.
    pub due: DateTime<Utc>,
    /// Kept back until somebody releases it.
    pub held: bool,
}

/// A message that one sender has, until its claim runs out.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claimed {
    /// Key.
    pub id: Uuid,
    /// What it is about.
    pub kind: MessageKind,
    /// The alert it tells of; for other kinds the thing it is about.
    pub about: Uuid,
    /// To whom.
    pub mailbox: String,
    /// 0 for the first message about it to this mailbox.
    pub sequence: i64,
    /// 0 leaves first.
    pub priority: i64,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
    /// The whole message, ASCII with CRLF.
    pub message: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The first moment it might leave.
    pub due: DateTime<Utc>,
    /// Attempts begun, this one included.
    pub attempts: i64,
    /// When it was to be tried.
    pub next_try: DateTime<Utc>,
    /// When the claim runs out.
    pub claimed_until: DateTime<Utc>,
    /// It may have arrived at an attempt before.
    pub maybe_arrived: bool,
}

/// What is known of a message, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct OutboxEntry {
    /// Key.
    pub id: Uuid,
    /// What it is about.
    pub kind: MessageKind,
    /// The alert it tells of; for other kinds the thing it is about.
    pub about: Uuid,
    /// To whom.
    pub mailbox: String,
    /// 0 for the first message about it to this mailbox.
    pub sequence: i64,
    /// 0 leaves first.
    pub priority: i64,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The first moment it may leave, or might.
    pub due: DateTime<Utc>,
    /// Where it stands.
    pub state: MessageState,
    /// Attempts begun.
    pub attempts: i64,
    /// When it is tried next, while it waits.
    pub next_try: DateTime<Utc>,
    /// When the claim of its sender runs out.
    pub claimed_until: Option<DateTime<Utc>>,
    /// It may have reached the server more than once, or without our knowing.
    pub maybe_arrived: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When the server took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was given up.
    pub failed_at: Option<DateTime<Utc>>,
}

/// Which messages are asked for; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutboxFilter {
    /// In this state.
    pub state: Option<MessageState>,
    /// Of this kind.
    pub kind: Option<MessageKind>,
    /// To this mailbox.
    pub mailbox: Option<String>,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailedMessage {
    /// Key.
    pub id: Uuid,
    /// What it is about.
    pub kind: MessageKind,
    /// The alert it tells of; for other kinds the thing it is about.
    pub about: Uuid,
    /// Who did not get it.
    pub mailbox: String,
    /// When it was given up.
    pub failed_at: DateTime<Utc>,
    /// Why.
    pub last_error: Option<String>,
}

/// How many messages are in a state.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxCount {
    /// The state.
    pub state: MessageState,
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

    /// Messages without their text, the newest first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn outbox(&self, filter: &OutboxFilter, at_most: i64) -> Result<Vec<OutboxEntry>> {
        let state = filter.state.map(MessageState::code);
        let kind = filter.kind.map(MessageKind::code);
        Ok(on!(Self, self, pool => sqlx::query_as(LIST)
            .bind(state)
            .bind(kind)
            .bind(&filter.mailbox)
            .bind(at_most)
            .fetch_all(pool)
            .await?))
    }

    /// One message without its text.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn outbox_entry(&self, id: Uuid) -> Result<Option<OutboxEntry>> {
        Ok(on!(Self, self, pool => sqlx::query_as(SHOW).bind(id).fetch_optional(pool).await?))
    }

    /// The text of a message, as it leaves.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn outbox_message(&self, id: Uuid) -> Result<Option<String>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(MESSAGE).bind(id).fetch_optional(pool).await?))
    }

    /// Lets a failed or held message wait to be sent now. False when it is neither.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn retry_message(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let mut tx = self.begin().await?;
        let touched = execute!(&mut tx, sqlx::query(RETRY).bind(id).bind(now));
        tx.commit().await?;
        Ok(touched == 1)
    }

    /// Lets all failed or all held messages wait to be sent now, and tells how many. Other states are left alone.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn retry_all(&self, state: MessageState, now: DateTime<Utc>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let touched = execute!(&mut tx, sqlx::query(RETRY_ALL).bind(state.code()).bind(now));
        tx.commit().await?;
        Ok(touched)
    }

    /// Since when the message that has waited longest could have left; those that may not leave yet don't count.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn oldest_waiting(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(OLDEST).bind(now).fetch_one(pool).await?))
    }

    /// Messages that were given up since an instant, the first first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn failed_since(&self, since: DateTime<Utc>) -> Result<Vec<FailedMessage>> {
        Ok(on!(Self, self, pool => sqlx::query_as(FAILED_SINCE).bind(since).fetch_all(pool).await?))
    }

    /// The mailboxes that were told of an alert.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn mailboxes_told(&self, alert: Uuid) -> Result<Vec<String>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(TOLD).bind(alert).fetch_all(pool).await?))
    }

    /// Hands out messages that are due, in the order in which they should leave, each to one sender only until
    /// `claimed_until`. One whose sender has vanished is handed out again, as one that may have arrived.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn claim_messages(
        &self,
        now: DateTime<Utc>,
        claimed_until: DateTime<Utc>,
        at_most: i64,
    ) -> Result<Vec<Claimed>> {
        let mut tx = self.begin().await?;
        let mut claimed: Vec<Claimed> = on!(Tx, &mut tx, tx => sqlx::query_as(CLAIM)
            .bind(now)
            .bind(claimed_until)
            .bind(at_most)
            .fetch_all(&mut **tx)
            .await?);
        tx.commit().await?;
        // RETURNING promises no order.
        claimed.sort_by_key(|message| (message.priority, message.next_try, message.id));
        Ok(claimed)
    }
}

impl Tx {
    /// Puts a message into the outbox. Nothing happens when the same thing, mailbox and sequence is there already.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_message(&mut self, message: &OutboxMessage) -> Result<()> {
        let state = if message.held { MessageState::Held } else { MessageState::Waiting };
        execute!(
            self,
            sqlx::query(ADD_MESSAGE)
                .bind(message.id)
                .bind(message.kind.code())
                .bind(message.about)
                .bind(&message.mailbox)
                .bind(message.sequence)
                .bind(message.priority)
                .bind(&message.message_id)
                .bind(&message.message)
                .bind(message.created_at)
                .bind(message.due)
                .bind(state.code())
        );
        Ok(())
    }

    /// Notes that a message is through. False when the claim is no longer this one; nothing has changed then.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn message_sent(&mut self, claim: &Claimed, now: DateTime<Utc>) -> Result<bool> {
        Ok(execute!(
            self,
            sqlx::query(SENT).bind(claim.id).bind(claim.attempts).bind(claim.claimed_until).bind(now)
        ) == 1)
    }

    /// Notes that a message has to be tried again, and whether it may have arrived. False when the claim is no longer
    /// this one; nothing has changed then.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn message_later(
        &mut self,
        claim: &Claimed,
        next_try: DateTime<Utc>,
        why: &str,
        maybe_arrived: bool,
    ) -> Result<bool> {
        Ok(execute!(
            self,
            sqlx::query(TRY_AGAIN)
                .bind(claim.id)
                .bind(claim.attempts)
                .bind(claim.claimed_until)
                .bind(next_try)
                .bind(why)
                .bind(maybe_arrived)
        ) == 1)
    }

    /// Notes that a message is given up, and whether it may have arrived all the same. False when the claim is no longer
    /// this one; nothing has changed then.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn message_failed(
        &mut self,
        claim: &Claimed,
        now: DateTime<Utc>,
        why: &str,
        maybe_arrived: bool,
    ) -> Result<bool> {
        Ok(execute!(
            self,
            sqlx::query(GIVE_UP)
                .bind(claim.id)
                .bind(claim.attempts)
                .bind(claim.claimed_until)
                .bind(now)
                .bind(why)
                .bind(maybe_arrived)
        ) == 1)
    }
}
