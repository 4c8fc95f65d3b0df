//! What was known when: every version of every incident, read once and kept packed.
//!
//! A replay of years asks the same table once a night, and a page of many readers once a question. What imports add is read
//! and put beside what is kept; anything else that changes what is known makes it read anew.

use super::{Result, Store, incidents::Row};
use crate::{
    count::{Archive, Linked, Seen},
    model::Incident,
};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::QueryBuilder;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio::sync::Mutex;
use uuid::Uuid;

statements! {
    LINKS = "SELECT also, linked_at, undone_at FROM same_event";
    IMPORTS = "SELECT id FROM import_file";
    /// Whatever changes what is known changes one of these counts.
    STATE = "SELECT (SELECT COUNT(*) FROM incident), (SELECT COUNT(*) FROM import_file),
            (SELECT COUNT(*) FROM same_event), (SELECT COUNT(undone_at) FROM same_event)";
}

const VERSIONS: &str = "SELECT id, known_at, source, reference, class, status, categories, occurred_from, \
                        occurred_to, recorded_at, lon, lat, easting, northing, precision, ward, channel, offence, \
                        repeat_key FROM incident";

/// With so many new imports everything is read in one go.
const MOST_NEW: usize = 500;

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
        let mut kept = self.0.lock().await;
        let now = Self::read(&mut kept, store).await?;
        if let Some((_, seen)) = now.last.as_ref().filter(|(asked, _)| *asked == instant) {
            return Ok(seen.clone());
        }
        let seen = now.archive.as_known(instant);
        now.last = Some((instant, seen.clone()));
        Ok(seen)
    }

    /// Every version and every link, for questions about many instants.
    ///
    /// # Errors
    ///
    /// As [`StoreError`](super::StoreError) says.
    pub async fn archive(&self, store: &Store) -> Result<Arc<Archive>> {
        let mut kept = self.0.lock().await;
        Ok(Arc::clone(&Self::read(&mut kept, store).await?.archive))
    }

    /// What is kept, as of now. Whoever asks meanwhile waits, so that it is read once.
    async fn read<'k>(kept: &'k mut Option<Kept>, store: &Store) -> Result<&'k mut Kept> {
        let state = store.state().await?;
        // What was kept is given up first: two of them would need twice the room.
        let now = match kept.take() {
            Some(now) if now.state == state => now,
            before => store.renewed(before, state).await?,
        };
        Ok(kept.insert(now))
    }
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
                let archive = Arc::make_mut(&mut kept.archive);
                if !new.is_empty() {
                    self.read_into(archive, Some(&new)).await?;
                }
                if i64::try_from(archive.len()) == Ok(state.0) {
                    archive.put_in_order(links);
                    kept.imports.extend(new);
                    kept.state = state;
                    return Ok(kept);
                }
            }
        }
        let mut archive = Archive::default();
        archive.reserve(usize::try_from(state.0).unwrap_or_default());
        self.read_into(&mut archive, None).await?;
        archive.put_in_order(links);
        let imports = imports.into_iter().collect();
        Ok(Kept { state, imports, archive: Arc::new(archive), last: None })
    }

    /// Row by row: all rows beside all that is kept of them would take many times the room.
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
            let mut rows = query.build_query_as::<Row>().fetch(pool);
            while let Some(row) = rows.try_next().await? {
                archive.add(&Incident::try_from(row)?);
            }
        });
        Ok(())
    }
}
