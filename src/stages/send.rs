//! The sender: what is due in the outbox leaves, unchanged.

use crate::{
    clock::Clock,
    failpoint,
    mail::{
        Envelope,
        backoff::{self, Circuit},
        transport::{Letter, Outcome, Transport},
    },
    store::{Claimed, Store},
};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};

/// A sender that has vanished holds its message this long; a conversation with a mail server ends long before.
pub const CLAIM: TimeDelta = TimeDelta::minutes(3);

/// What our own settings keep from leaving is tried again after so long when its days of trying are over: it is never
/// given up for that.
const SETTINGS_AGAIN: TimeDelta = TimeDelta::hours(1);

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Through.
    pub sent: usize,
    /// To be tried again.
    pub later: usize,
    /// Given up.
    pub failed: usize,
    /// Answers that came when another sender had taken the message over; nothing was noted.
    pub too_late: usize,
    /// The server is down: what is due waits for the next pass that finds it up.
    pub server_down: bool,
}

/// Sends messages over one transport, and remembers from pass to pass whether its server is down.
#[derive(Debug)]
pub struct Sender {
    transport: Transport,
    from: String,
    circuit: Circuit,
}

impl Sender {
    /// `from` is the sender of the envelope: where mail servers send what they can't deliver.
    #[must_use]
    pub fn new(transport: Transport, from: String) -> Self {
        Self { transport, from, circuit: Circuit::default() }
    }

    /// Sends everything that is due, one message after the other, the most urgent first. Each is claimed before a
    /// connection is made, so that two senders never try the same one together, and nothing is claimed that is not tried:
    /// what a sender leaves behind when it vanishes may have arrived. When the server is down the rest waits.
    ///
    /// # Errors
    ///
    /// When the store fails; what was claimed is tried again when the claim has run out.
    pub async fn pass(&mut self, store: &Store, clock: &dyn Clock) -> Result<Sent> {
        let mut done = Sent::default();
        loop {
            let now = clock.now();
            if !self.circuit.lets_through(now) {
                done.server_down = true;
                return Ok(done);
            }
            let claimed = store.claim_messages(now, now + CLAIM, 1).await.context("claiming a message")?;
            let Some(message) = claimed.into_iter().next() else { return Ok(done) };
            failpoint::reached("message-claimed");
            let envelope = Envelope { from: &self.from, to: &message.mailbox };
            let letter = Letter { envelope, id: &message.message_id, message: message.message.as_bytes() };
            let outcome = self.transport.send(letter).await;
            failpoint::reached("message-taken");
            let now = clock.now();
            if outcome.is_about_the_server() {
                self.circuit.down(now);
            } else {
                self.circuit.up();
            }
            note(store, &message, outcome, now, &mut done)
                .await
                .context("noting what became of a message")?;
            failpoint::reached("message-noted");
        }
    }
}

/// One pass of a sender that remembers nothing from passes before.
///
/// # Errors
///
/// As [`Sender::pass`].
pub async fn send_due(store: &Store, transport: &Transport, from: &str, clock: &dyn Clock) -> Result<Sent> {
    Sender::new(transport.clone(), from.to_owned()).pass(store, clock).await
}

/// Keeps what became of a message.
async fn note(
    store: &Store,
    message: &Claimed,
    outcome: Outcome,
    now: DateTime<Utc>,
    done: &mut Sent,
) -> Result<()> {
    let attempts = u32::try_from(message.attempts).unwrap_or(u32::MAX);
    let again = backoff::next_try(attempts, message.due, now, backoff::chance(message.id, attempts));
    let maybe_arrived = matches!(outcome, Outcome::Unknown(_));
    let id = message.id;
    let mut tx = store.begin().await?;
    let (noted, count) = match (outcome, again) {
        (Outcome::Sent, _) => {
            if message.maybe_arrived {
                tracing::warn!(message = %id, "a message is through that may have arrived before");
            }
            (tx.message_sent(message, now).await?, &mut done.sent)
        }
        (Outcome::Retry(why) | Outcome::Down(why) | Outcome::Unknown(why), Some(at)) => {
            tracing::warn!(message = %id, why, next_try = %at, "a message is tried again later");
            (tx.message_later(message, at, &why, maybe_arrived).await?, &mut done.later)
        }
        (Outcome::Configuration(why), _) => {
            let at = again.unwrap_or(now + SETTINGS_AGAIN);
            tracing::error!(message = %id, why, "the mail settings are wrong; messages wait");
            (tx.message_later(message, at, &why, false).await?, &mut done.later)
        }
        (Outcome::GiveUp(why) | Outcome::Retry(why) | Outcome::Down(why) | Outcome::Unknown(why), _) => {
            tracing::error!(message = %id, why, "a message can't be sent");
            (tx.message_failed(message, now, &why, maybe_arrived).await?, &mut done.failed)
        }
    };
    tx.commit().await?;
    if noted {
        *count += 1;
    } else {
        tracing::warn!(message = %id, "another sender has taken this message over; it may arrive twice");
        done.too_late += 1;
    }
    Ok(())
}
