//! What was known when: every version of every incident, read once and kept packed.
//!
//! A replay of years asks the same table once a night, and a page of many readers once a question. What imports add is read
//! and put beside what is kept; anything else that changes what is known makes it read anew.

use super::{Result, Store, StoreError, incidents::Row};
use crate::{
    count::{Archive, Linked, Seen},
    model::Incident,
};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{FromRow, QueryBuilder};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

statements! {
    LINKS = "SELECT also, linked_at, undone_at FROM same_event";
    IMPORTS = "SELECT id FROM import_file";
    /// Whatever changes what is known changes one of these counts.
    STATE = "SELECT (SELECT COUNT(*) FROM incident), (SELECT COUNT(*) FROM import_file),
            (SELECT COUNT(*) FROM same_event), (SELECT COUNT(undone_at) FROM same_event)";
}

/// What is kept of a version, and no more: each column of a million rows is a second.
const VERSIONS: &str = "SELECT id, known_at, source, class, status, categories, occurred_from, occurred_to, lon, lat, \
                        easting, northing, precision, ward, channel, offence, repeat_key FROM incident";

/// Rows are taken over in batches: the database's thread and ours would otherwise wait for each other's memory at every
/// value.
const BATCH: usize = 10_000;

/// With so many new imports everything is read in one go.
const MOST_NEW: usize = 500;

/// Hundredths of a second that readers of what was kept are waited for.
const PATIENCE: u32 = 300;

/// A count of everything that can change what is known.
type State = (i64, i64, i64, i64);

/// Keeps what is known between questions. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<Option<Kept>>>);

/// All versions, and the answer that was asked for last: a morning's questions are about one instant.
#[derive(Debug)]
struct Kept {
    state: State,
    imports: HashSet<Uuid>,
    archive: Arc<Archive>,
    last: Option<(DateTime<Utc>, Seen)>,
}

impl Known {
    /// Every incident that counts, as [`Archive::as_known`].
    ///
    /// # Errors
    ///
    /// As [`StoreError`](super::StoreError) says.
    pub async fn as_known(&self, store: &Store, instant: DateTime<Utc>) -> Result<Seen> {
        let mut kept = self.read(store).await?;
        let Some(now) = kept.as_mut() else { return Ok(Seen::default()) };
        if let Some((_, seen)) = now.last.as_ref().filter(|(asked, _)| *asked == instant) {
            return Ok(seen.clone());
        }
        let archive = Arc::clone(&now.archive);
        let seen = apart(move || archive.as_known(instant)).await?;
        now.last = Some((instant, seen.clone()));
        Ok(seen)
    }

    /// Every version and every link, for questions about many instants.
    ///
    /// # Errors
    ///
    /// As [`StoreError`](super::StoreError) says.
    pub async fn archive(&self, store: &Store) -> Result<Arc<Archive>> {
        let kept = self.read(store).await?;
        Ok(kept.as_ref().map(|now| Arc::clone(&now.archive)).unwrap_or_default())
    }

    /// What is kept, as of now. Whoever asks meanwhile waits, so that it is read once.
    async fn read(&self, store: &Store) -> Result<OwnedMutexGuard<Option<Kept>>> {
        let mut kept = Arc::clone(&self.0).lock_owned().await;
        let state = store.state().await?;
        if kept.as_ref().is_some_and(|now| now.state == state) {
            return Ok(kept);
        }
        let store = store.clone();
        // A task of its own: whoever asked may give up, and what was read so far would be lost with them.
        let reading = tokio::spawn(async move {
            // What was kept is given up first: two of them would need twice the room.
            let before = kept.take();
            *kept = Some(store.renewed(before, state).await?);
            Ok(kept)
        });
        reading.await.map_err(|_| StoreError::Database(sqlx::Error::WorkerCrashed))?
    }
}

/// On a thread where nobody waits for anything else: a million rows are sorted for a tenth of a second.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Database(sqlx::Error::WorkerCrashed))
}

async fn in_order(mut archive: Archive, links: HashMap<Uuid, Vec<Linked>>) -> Result<Arc<Archive>> {
    let sorted = move || {
        archive.put_in_order(links);
        Arc::new(archive)
    };
    apart(sorted).await
}

/// The archive, once the pages that are being worked out have given it back: a copy would take as much room again. A trial of
/// a rule keeps it for longer, and is left with what it has.
async fn unshared(mut archive: Arc<Archive>) -> Archive {
    for _ in 0..PATIENCE {
        match Arc::try_unwrap(archive) {
            Ok(own) => return own,
            Err(shared) => archive = shared,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Arc::unwrap_or_clone(archive)
}

impl Store {
    /// [`Known::as_known`] for a single question.
    ///
    /// # Errors
    ///
    /// As [`StoreError`](super::StoreError) says.
    pub async fn incidents_as_known(&self, instant: DateTime<Utc>) -> Result<Seen> {
        Known::default().as_known(self, instant).await
    }

    async fn state(&self) -> Result<State> {
        Ok(on!(Self, self, pool => sqlx::query_as(STATE).fetch_one(pool).await?))
    }

    /// What is kept with what imports have added since, or all of it anew. What is added while it is read only makes the next
    /// question read again.
    async fn renewed(&self, before: Option<Kept>, state: State) -> Result<Kept> {
        let imports: Vec<Uuid> = on!(Self, self, pool => sqlx::query_scalar(IMPORTS).fetch_all(pool).await?);
        let mut links: HashMap<Uuid, Vec<Linked>> = HashMap::new();
        let rows: Vec<(Uuid, DateTime<Utc>, Option<DateTime<Utc>>)> =
            on!(Self, self, pool => sqlx::query_as(LINKS).fetch_all(pool).await?);
        for (also, linked_at, undone_at) in rows {
            links.entry(also).or_default().push((linked_at, undone_at));
        }
        if let Some(mut kept) = before {
            // The answer of before holds the archive.
            kept.last = None;
            let new: Vec<Uuid> = imports.iter().filter(|id| !kept.imports.contains(id)).copied().collect();
            if new.len() <= MOST_NEW {
                let mut archive = unshared(kept.archive).await;
                if !new.is_empty() {
                    self.read_into(&mut archive, Some(&new)).await?;
                }
                if i64::try_from(archive.len()) == Ok(state.0) {
                    kept.archive = in_order(archive, links).await?;
                    kept.imports.extend(new);
                    kept.state = state;
                    return Ok(kept);
                }
            }
        }
        let mut archive = Archive::default();
        // Some more than there are: what imports add must not move all of it.
        let all = usize::try_from(state.0).unwrap_or_default();
        archive.reserve(all + all / 8 + 1_000);
        self.read_into(&mut archive, None).await?;
        let archive = in_order(archive, links).await?;
        Ok(Kept { state, imports: imports.into_iter().collect(), archive, last: None })
    }

    /// Batch by batch: all rows beside all that is kept of them would take many times the room.
    async fn read_into(&self, archive: &mut Archive, imports: Option<&[Uuid]>) -> Result<()> {
        on!(Self, self, pool => {
            let mut query = QueryBuilder::new(VERSIONS);
            if let Some(imports) = imports {
                query.push(" WHERE import_id IN (");
                let mut list = query.separated(", ");
                for id in imports {
                    list.push_bind(*id);
                }
                query.push(")");
            }
            let mut batches = query.build().fetch(pool).try_chunks(BATCH);
            while let Some(rows) = batches.try_next().await.map_err(|failed| failed.1)? {
                for row in rows {
                    archive.add(&Incident::try_from(Row::from_row(&row)?)?);
                }
            }
        });
        Ok(())
    }
}
