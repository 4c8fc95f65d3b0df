//! What every page needs and nobody has to be kept from: the county's words, its outlines, and what was published.
//!
//! Pages for partners get a [`Desk`] and nothing else: from here no way leads to an incident, an exact count or an alert that
//! was not released.

use super::{drawn::Drawn, error::PageError, reader::Reader, routes::Right};
use crate::{stages::county::County, store::PublishedStore};
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use minijinja::{Environment, Value, context};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What pages for partners stand on.
pub(super) struct Desk {
    pub(super) store: PublishedStore,
    pub(super) county: Arc<County>,
    pub(super) synthetic: bool,
    pub(super) templates: Environment<'static>,
    /// Outlines by the day on which their boundaries came into force.
    drawn: Mutex<BTreeMap<NaiveDate, Arc<Drawn>>>,
}

/// The desk as handlers get it.
#[derive(Clone)]
pub(super) struct AtDesk {
    pub(super) desk: Arc<Desk>,
    pub(super) now: DateTime<Utc>,
}

impl Desk {
    pub(super) fn new(
        store: PublishedStore,
        county: Arc<County>,
        synthetic: bool,
        templates: Environment<'static>,
    ) -> Self {
        Self { store, county, synthetic, templates, drawn: Mutex::default() }
    }

    pub(super) fn render(&self, template: &str, values: Value) -> Result<String> {
        Ok(self.templates.get_template(template)?.render(values)?)
    }

    /// What every page of a signed-in reader has.
    pub(super) fn frame(&self, reader: &Reader) -> Value {
        context! {
            county => &self.county.pack.name,
            prefix => &self.county.pack.prefix,
            synthetic => self.synthetic,
            reader => &reader.name,
            role => reader.role.label(),
            token => &reader.token,
            exact_pages => reader.sees_exact(),
            figures_page => Right::Figures.allows(reader.role),
            may_download => Right::Download.allows(reader.role),
            alerts_page => Right::AlertList.allows(reader.role),
            actions_page => Right::Actions.allows(reader.role),
            reporting_page => Right::Area.allows(reader.role),
            reports_page => Right::Reports.allows(reader.role),
            silences_page => Right::Silences.allows(reader.role),
            rules_page => Right::Rules.allows(reader.role),
            imports_page => Right::Imports.allows(reader.role),
            runs_page => Right::Runs.allows(reader.role),
            outbox_page => Right::Outbox.allows(reader.role),
            access_page => Right::Access.allows(reader.role),
            audit_page => Right::Audit.allows(reader.role),
        }
    }

    /// The outlines in force on a day.
    pub(super) async fn drawn(&self, day: NaiveDate) -> Result<Arc<Drawn>, PageError> {
        let since = self.county.boundaries_since(day);
        let kept = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).get(&since).cloned();
        if let Some(drawn) = kept {
            return Ok(drawn);
        }
        let shapes = self.store.ward_shapes(day).await?;
        let county = Arc::clone(&self.county);
        let drawn = Arc::new(tokio::task::spawn_blocking(move || Drawn::of(&shapes, &county)).await?);
        // None yet may only mean that no outlines were loaded: those are not kept.
        if !drawn.is_empty() {
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner).insert(since, Arc::clone(&drawn));
        }
        Ok(drawn)
    }
}
