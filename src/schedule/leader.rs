//! Which machine runs the engine: one at a time, and another when it fails.
//!
//! On PostgreSQL a leader beats every half second by a connection of its own. It stops by itself two seconds after its last
//! beat that arrived; the others take over when they have seen none for three and a half, and from then on whatever the old
//! one still writes is refused ([`Store::led`]). On SQLite all programs are on one machine: the operating system keeps a lock
//! on a file beside the database for whoever leads, and takes it away when that program ends, however it ends.

use crate::store::{LeaderSeen, Result, Store, StoreError};
use std::{
    fs::{File, TryLockError},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout, timeout_at},
};

/// Between two beats, and between two looks at the leader's.
const LOOK: Duration = Duration::from_millis(500);

/// A leader whose beats have not arrived for so long stops by itself.
const STEP_DOWN: Duration = Duration::from_secs(2);

/// Who has seen no beat for so long takes over.
const TAKE_OVER: Duration = Duration::from_millis(3_500);

/// What a database that does not answer is waited for before it is asked again.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Whether this machine runs the engine. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Leading(Arc<AtomicI64>);

impl Leading {
    /// The term in which it does.
    #[must_use]
    pub fn term(&self) -> Option<i64> {
        Some(self.0.load(Relaxed)).filter(|term| *term > 0)
    }
}

/// Waits until this machine leads, then works with a store that refuses to write once it leads no more; for ever. Work is
/// dropped where it waits as soon as another may lead. `holder` is a name that nobody else has.
pub async fn lead<W>(store: &Store, holder: &str, leading: &Leading, mut work: W)
where
    W: AsyncFnMut(Store),
{
    loop {
        let led = match Lead::taken(store, holder).await {
            Ok(led) => led,
            Err(failed) => {
                tracing::error!(error = %failed, "who runs the engine could not be settled; it is tried again");
                sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        tracing::info!(term = led.term, "this machine runs the engine");
        leading.0.store(led.term, Relaxed);
        let mut beats = led.beats;
        tokio::select! {
            () = work(store.led(led.term)) => (),
            _ = &mut beats.0 => (),
        }
        leading.0.store(0, Relaxed);
        drop(beats);
        tracing::warn!(term = led.term, "this machine has stopped running the engine");
        // Whoever waits need not; where this does not arrive, the lead ends by itself.
        if let Ok(Err(failed)) = timeout(STEP_DOWN, store.give_up_lead(holder)).await {
            tracing::debug!(error = %failed, "the lead could not be given up");
        }
    }
}

/// A lead that was taken.
struct Lead {
    term: i64,
    /// Ends when the lead does.
    beats: Beats,
}

/// Beats as long as this value lives.
struct Beats(JoinHandle<()>);

impl Drop for Beats {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Lead {
    async fn taken(store: &Store, holder: &str) -> Result<Self> {
        if let Some(path) = store.lock_file() {
            let file = locked(&path).await?;
            // Nobody else is there: what is seen is the truth.
            let term = loop {
                if let Some(term) = store.take_lead(&store.leader().await?, holder).await? {
                    break term;
                }
            };
            let beats = tokio::spawn(async move {
                let _locked = file;
                std::future::pending::<()>().await;
            });
            return Ok(Self { term, beats: Beats(beats) });
        }
        let own = store.apart().await?;
        let term = waited(&own, holder).await?;
        Ok(Self { term, beats: Beats(tokio::spawn(beat(own, term))) })
    }
}

/// Waits for the lock of a file.
async fn locked(path: &std::path::Path) -> Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(LOOK).await,
            // A disk that knows no locks.
            Err(TryLockError::Error(failed)) => return Err(failed.into()),
        }
    }
}

/// Waits until nobody leads, and takes over.
async fn waited(store: &Store, holder: &str) -> Result<i64> {
    let mut last: Option<(LeaderSeen, Instant)> = None;
    loop {
        // A connection that was cut off tells nothing for minutes: a new one is made then.
        let seen = timeout(STEP_DOWN, store.leader()).await.map_err(|_| StoreError::Silent)??;
        let since = match &last {
            Some((before, since)) if *before == seen => *since,
            _ => Instant::now(),
        };
        if (seen.holder.is_empty() || since.elapsed() >= TAKE_OVER)
            && let Some(term) = store.take_lead(&seen, holder).await?
        {
            return Ok(term);
        }
        last = Some((seen, since));
        sleep(LOOK).await;
    }
}

/// Beats until none has arrived for too long, or another leads. A task of its own: a night may keep its thread busy.
async fn beat(store: Store, term: i64) {
    let mut arrived = Instant::now();
    loop {
        // What was sent before the time was taken has arrived after it, never before.
        let sent = Instant::now();
        match timeout_at(arrived + STEP_DOWN, store.beat(term)).await {
            Ok(Ok(true)) => arrived = sent,
            Ok(Ok(false)) => return tracing::warn!(term, "another machine runs the engine"),
            Ok(Err(failed)) => tracing::warn!(term, error = %failed, "a heartbeat did not arrive"),
            Err(_) => return tracing::warn!(term, "heartbeats did not arrive for two seconds"),
        }
        sleep(LOOK).await;
    }
}
