//! Who writes to a SQLite file next. SQLite itself lets one write at a time and makes the others wait, each with a
//! connection in its hands: a writer that needs a second one to read would wait for them, and they for it. So whoever wants
//! to write waits here first, without a connection. Programs beside this one still wait for SQLite.

use super::Result;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

/// As long as SQLite itself waits for a lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The queue of those who want to write, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<()>>);

impl Turns {
    /// Waits for its turn, then begins a transaction that may write.
    pub(super) async fn begin(&self, pool: &SqlitePool) -> Result<Turn> {
        let turn = timeout(PATIENCE, Arc::clone(&self.0).lock_owned());
        let turn = turn.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        Ok(Turn { tx: pool.begin_with("BEGIN IMMEDIATE").await?, _turn: turn })
    }
}

/// A transaction that may write, and the turn to do so until it ends.
#[derive(Debug)]
pub struct Turn {
    // Dropped first: the next writer begins when this one is over.
    tx: Transaction<'static, Sqlite>,
    _turn: OwnedMutexGuard<()>,
}

impl Turn {
    /// Makes what was written lasting, and lets the next one write.
    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.tx.commit().await
    }
}

impl Deref for Turn {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.tx
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

#[cfg(test)]
mod tests {
    use crate::store::Store;

    #[tokio::test]
    async fn writers_that_wait_leave_a_writer_its_second_connection() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.db");
        let store = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
        let first = store.begin().await.unwrap();
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.begin().await.unwrap().commit().await.unwrap() })
            })
            .collect();
        tokio::task::yield_now().await;
        // With a connection for each that waits this would never come.
        assert_eq!(store.last_run().await.unwrap(), None);
        first.commit().await.unwrap();
        for one in waiting {
            one.await.unwrap();
        }
    }
}
