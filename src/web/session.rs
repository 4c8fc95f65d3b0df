//! Sessions of the site, kept in the store.

use crate::store::{SavedSession, Store};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::{collections::HashMap, sync::Arc};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::clock::Clock;

/// The store as the session layer sees it.
#[derive(Clone)]
pub(super) struct Sessions {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        while !self.store.new_session(&saved(record)?).await.map_err(failed)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.store.save_session(&saved(record)?).await.map_err(failed)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = self.store.session(&id.to_string(), self.clock.now()).await.map_err(failed)?;
        found.map(|saved| read(*id, saved)).transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.store.delete_session(&id.to_string()).await.map_err(failed)
    }
}

fn saved(record: &Record) -> Result<SavedSession> {
    Ok(SavedSession {
        id: record.id.to_string(),
        body: serde_json::to_value(&record.data).map_err(|wrong| Error::Encode(wrong.to_string()))?,
        expires_at: DateTime::<Utc>::from_timestamp(record.expiry_date.unix_timestamp(), 0)
            .ok_or_else(|| Error::Encode("the end of the session".into()))?,
    })
}

fn read(id: Id, saved: SavedSession) -> Result<Record> {
    let data: HashMap<String, serde_json::Value> =
        serde_json::from_value(saved.body).map_err(|wrong| Error::Decode(wrong.to_string()))?;
    let expiry_date = time::OffsetDateTime::from_unix_timestamp(saved.expires_at.timestamp())
        .map_err(|wrong| Error::Decode(wrong.to_string()))?;
    Ok(Record { id, data, expiry_date })
}

fn failed(wrong: crate::store::StoreError) -> Error {
    Error::Backend(format!("{:#}", anyhow::Error::from(wrong)))
}
