//! One pass of the sender: what is due in the outbox leaves, unchanged.

use crate::{
    clock::Clock,
    mail::{
        Envelope, backoff,
        transport::{Letter, Outcome, Transport},
    },
    store::Store,
};
use anyhow::{Context, Result};
use chrono::TimeDelta;

/// A sender that has vanished holds its messages this long.
const CLAIM: TimeDelta = TimeDelta::minutes(10);

/// So many messages are claimed at a time.
const BATCH: i64 = 5;

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Through.
    pub sent: usize,
    /// To be tried again.
    pub later: usize,
    /// Given up.
    pub failed: usize,
}

/// Sends everything that is due. Each message is claimed before it is tried, so that two senders never try the same one
/// together; one that may have arrived is tried again under the same Message-ID.
///
/// # Errors
///
/// When the store fails; what was claimed is tried again later.
pub async fn send_due(store: &Store, transport: &Transport, from: &str, clock: &dyn Clock) -> Result<Sent> {
    let mut done = Sent::default();
    loop {
        let now = clock.now();
        let claimed = store.claim_messages(now, now + CLAIM, BATCH).await.context("claiming messages")?;
        if claimed.is_empty() {
            return Ok(done);
        }
        for message in claimed {
            let envelope = Envelope { from, to: &message.mailbox };
            let letter = Letter { envelope, id: &message.message_id, message: message.message.as_bytes() };
            let outcome = transport.send(letter).await;
            let now = clock.now();
            let attempts = u32::try_from(message.attempts).unwrap_or(u32::MAX);
            let again = backoff::next_try(attempts, message.created_at, now);
            let mut tx = store.begin().await?;
            match (outcome, again) {
                (Outcome::Sent, _) => {
                    tx.message_sent(message.id, now).await?;
                    done.sent += 1;
                }
                (Outcome::Retry(why), Some(at)) => {
                    tracing::warn!(message = %message.id, why, next_try = %at, "a message is tried again later");
                    tx.message_later(message.id, at, &why).await?;
                    done.later += 1;
                }
                (Outcome::Configuration(why), _) => {
                    let at = again.unwrap_or(now + TimeDelta::hours(1));
                    tracing::error!(message = %message.id, why, "the mail settings are wrong; messages wait");
                    tx.message_later(message.id, at, &why).await?;
                    done.later += 1;
                }
                (Outcome::GiveUp(why) | Outcome::Retry(why), _) => {
                    tracing::error!(message = %message.id, why, "a message can't be sent");
                    tx.message_failed(message.id, &why).await?;
                    done.failed += 1;
                }
            }
            tx.commit().await.context("noting what became of a message")?;
        }
    }
}
