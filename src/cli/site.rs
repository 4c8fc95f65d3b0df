//! A site as its configuration names it: what every command that works on one begins with.

use super::wrong;
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    mail::Signer,
    schedule::Schedule,
    stages::{county::County, night::Engine},
    store::{Known, Store},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::path::Path;

/// The present moment, asked for once by every command.
pub(super) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// Configuration and store.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) config: Config,
    pub(super) store: Store,
    known: Known,
}

impl Site {
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let config = Config::read(path).map_err(wrong)?;
        let store = Store::open(&config.store_address()).await.context("opening the database")?;
        Ok(Self { config, store, known: Known::default() })
    }

    /// The same site with a store whose writes are those of a leader of the engine.
    pub(super) fn led(&self, store: Store) -> Self {
        Self { store, ..self.clone() }
    }

    pub(super) async fn county(&self) -> Result<County> {
        County::load(&self.store).await
    }

    pub(super) async fn engine(&self, synthetic: bool) -> Result<Engine> {
        Ok(Engine {
            store: self.store.clone(),
            known: self.known.clone(),
            county: self.county().await?.into(),
            from: self.config.mail.from.clone(),
            signer: Signer::of(&self.config).map_err(wrong)?,
            site: self.config.site.address.trim_end_matches('/').to_owned(),
            marking: self.config.mail.marking.clone(),
            answer_key: self
                .store
                .secret("answers", &crate::web::new_key())
                .await
                .context("loading a key")?,
            synthetic,
        })
    }

    pub(super) fn schedule(&self, county: &County) -> Result<Schedule> {
        Schedule::new(&self.config.schedule.nightly, county.pack.zone).map_err(wrong)
    }
}
