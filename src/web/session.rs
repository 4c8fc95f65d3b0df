//! Sessions of the site, kept in the store. When they end is decided here, by our own clock, never by the cookie.

use super::reader::ACCOUNT;
use crate::{
    clock::Clock,
    stages::letters::hash_of,
    store::{SavedSession, Store},
};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// A reader who does nothing for so long is signed out.
pub(super) const IDLE: TimeDelta = TimeDelta::minutes(30);

/// However busy they are, they sign in again after so long.
pub(super) const LONGEST: TimeDelta = TimeDelta::hours(12);

/// That somebody was seen is written at most this often: most pages write nothing.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// The store as the session layer sees it.
#[derive(Clone)]
pub(super) struct Sessions {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    noted: Arc<Mutex<HashMap<String, DateTime<Utc>>>>,
}

impl Sessions {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, noted: Arc::default() }
    }

    /// Whether it is on this request to note that somebody was seen: a page asks for many things at once, and each would
    /// write the same.
    fn notes(&self, key: &str, now: DateTime<Utc>) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, at| now - *at < NOTED);
        match noted.entry(key.to_owned()) {
            Entry::Vacant(slot) => {
                slot.insert(now);
                true
            }
            Entry::Occupied(_) => false,
        }
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let now = self.clock.now();
        // A good moment to forget those that have ended.
        self.store.delete_old_sessions(now - IDLE, now - LONGEST).await.map_err(failed)?;
        loop {
            let session = SavedSession {
                id: key(&record.id),
                account: account(record),
                body: body(record)?,
                started_at: now,
                seen_at: now,
            };
            if self.store.new_session(&session).await.map_err(failed)? {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let body = body(record)?;
        self.store.save_session(&key(&record.id), &account(record), &body).await.map_err(failed)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let (key, now) = (key(id), self.clock.now());
        let found = self.store.session(&key, now - IDLE, now - LONGEST).await.map_err(failed)?;
        let Some(saved) = found else { return Ok(None) };
        if now - saved.seen_at >= NOTED && self.notes(&key, now) {
            self.store.session_seen(&key, now).await.map_err(failed)?;
        }
        let ends = (saved.started_at + LONGEST).timestamp();
        let data: HashMap<String, serde_json::Value> =
            serde_json::from_value(saved.body).map_err(|wrong| Error::Decode(wrong.to_string()))?;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(ends)
            .map_err(|wrong| Error::Decode(wrong.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.store.delete_session(&key(id)).await.map_err(failed)
    }
}

/// Under what a session is kept: whoever reads the table, or a copy of it, learns no id that a browser could send.
pub(super) fn key(id: &Id) -> String {
    hash_of(&id.to_string())
}

fn body(record: &Record) -> Result<serde_json::Value> {
    serde_json::to_value(&record.data).map_err(|wrong| Error::Encode(wrong.to_string()))
}

fn account(record: &Record) -> String {
    record.data.get(ACCOUNT).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn failed(wrong: crate::store::StoreError) -> Error {
    Error::Backend(format!("{:#}", anyhow::Error::from(wrong)))
}
