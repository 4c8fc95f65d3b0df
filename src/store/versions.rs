//! What was known when: every version of every incident, read once and kept while nothing is added.
//!
//! A replay of years asks the same table once a night. Reading it is most of such a night, so the versions stay in memory
//! as long as the store says that they are all there is; what was known on a date is then picked from them.

use super::{Result, Store, StoreError, incidents::Row};
use crate::{
    count::Linked,
    model::{Incident, Status},
};
use chrono::{DateTime, Utc};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

statements! {
    VERSIONS = "SELECT id, known_at, source, reference, class, status, categories, occurred_from, occurred_to,
            recorded_at, lon, lat, easting, northing, precision, ward, channel, offence, repeat_key
        FROM incident";
    LINKS = "SELECT also, linked_at, undone_at FROM same_event";
    /// Whatever changes what is known changes one of these counts.
    STATE = "SELECT (SELECT COUNT(*) FROM incident), (SELECT COUNT(*) FROM import_file),
            (SELECT COUNT(*) FROM same_event), (SELECT COUNT(undone_at) FROM same_event)";
}

/// An incident as known on a date.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenIncident {
    /// The version in force.
    pub incident: Arc<Incident>,
    /// When its first version became known here.
    pub first_known: DateTime<Utc>,
}

/// A count of everything that can change what is known.
type State = (i64, i64, i64, i64);

/// Every version and every link.
#[derive(Debug)]
pub struct Versions {
    state: State,
    /// By incident, oldest first.
    incidents: Vec<Arc<Incident>>,
    links: HashMap<Uuid, Vec<Linked>>,
}

/// Keeps the versions between questions. Clones share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<Option<Arc<Versions>>>>);

impl Known {
    /// Every incident that counts, as it was known just before `instant`: no later version, none that had been taken
    /// back by then, and of two reports of one event only the one that is kept. Oldest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn as_known(&self, store: &Store, instant: DateTime<Utc>) -> Result<Vec<SeenIncident>> {
        Ok(self.versions(store).await?.as_known(instant))
    }

    /// Every version and every link, for questions about many instants.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn versions(&self, store: &Store) -> Result<Arc<Versions>> {
        let state = store.versions_state().await?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.state == state) {
            return Ok(kept);
        }
        let read = Arc::new(store.versions(state).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&read));
        Ok(read)
    }
}

impl Versions {
    /// Every version, those of one incident together, the oldest first.
    #[must_use]
    pub fn incidents(&self) -> &[Arc<Incident>] {
        &self.incidents
    }

    /// When each incident was taken as a second report of another's event.
    #[must_use]
    pub fn links(&self) -> &HashMap<Uuid, Vec<Linked>> {
        &self.links
    }

    fn as_known(&self, instant: DateTime<Utc>) -> Vec<SeenIncident> {
        let of_one = self.incidents.chunk_by(|a, b| a.id == b.id);
        let in_force = of_one.filter_map(|versions| {
            let known = versions.partition_point(|version| version.known_at < instant);
            let (first, last) = (versions.first()?, versions[..known].last()?);
            let counts = last.status != Status::Withdrawn && !self.is_second(last.id, instant);
            counts.then(|| SeenIncident { incident: Arc::clone(last), first_known: first.known_at })
        });
        let mut seen: Vec<SeenIncident> = in_force.collect();
        seen.sort_unstable_by_key(|one| (one.incident.occurred_from, one.incident.id));
        seen
    }

    /// Whether by then a report was taken as a second one of an event.
    fn is_second(&self, id: Uuid, instant: DateTime<Utc>) -> bool {
        let stood = |(from, to): &Linked| *from < instant && to.is_none_or(|to| to >= instant);
        self.links.get(&id).is_some_and(|links| links.iter().any(stood))
    }
}

impl Store {
    /// [`Known::as_known`] for a single question.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn incidents_as_known(&self, instant: DateTime<Utc>) -> Result<Vec<SeenIncident>> {
        Known::default().as_known(self, instant).await
    }

    async fn versions_state(&self) -> Result<State> {
        Ok(on!(Self, self, pool => sqlx::query_as(STATE).fetch_one(pool).await?))
    }

    /// What is added between the state and the reading only makes the next question read again.
    async fn versions(&self, state: State) -> Result<Versions> {
        let rows: Vec<Row> = on!(Self, self, pool => sqlx::query_as(VERSIONS).fetch_all(pool).await?);
        let versions = rows.into_iter().map(|row| Incident::try_from(row).map(Arc::new));
        let mut incidents = versions.collect::<std::result::Result<Vec<_>, StoreError>>()?;
        incidents.sort_unstable_by_key(|version| (version.id, version.known_at));
        let rows: Vec<(Uuid, DateTime<Utc>, Option<DateTime<Utc>>)> =
            on!(Self, self, pool => sqlx::query_as(LINKS).fetch_all(pool).await?);
        let mut links: HashMap<Uuid, Vec<Linked>> = HashMap::new();
        for (also, linked_at, undone_at) in rows {
            links.entry(also).or_default().push((linked_at, undone_at));
        }
        Ok(Versions { state, incidents, links })
    }
}
