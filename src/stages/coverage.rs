//! Whether every ward has somebody for each role that rules tell.

use super::county::County;
use crate::{
    alerts::gaps,
    model::{AreaKind, Mailbox, Role},
    rules::Rule,
    store::Store,
};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// How well the directory covers the county.
pub struct Coverage {
    /// Wards in force.
    pub wards: usize,
    /// Roles that rules tell, each with the wards, by name and code, for which there is nobody.
    pub missing: BTreeMap<Role, Vec<String>>,
    /// Mailboxes that are passed over.
    pub inactive: Vec<Mailbox>,
}

impl Coverage {
    /// Whether somebody is missing anywhere.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.values().all(Vec::is_empty)
    }
}

/// Asks the directory for each role that these rules may tell, the next in the chain included.
///
/// # Errors
///
/// When the store fails, or the county's links are wrong on that day.
pub async fn coverage(store: &Store, county: &County, rules: &[Rule], today: NaiveDate) -> Result<Coverage> {
    let mut asked: BTreeSet<Role> = BTreeSet::from([Role::Analyst]);
    for rule in rules.iter().filter(|rule| rule.is_evaluated()) {
        for one in std::iter::once(rule).chain(rule.overrides.iter().map(|own| &*own.rule)) {
            asked.extend(one.who.iter().chain(&one.then_tell));
            if one.ack_within_days.is_some() {
                asked.extend([Role::CspChair, Role::Sog]);
            }
        }
    }
    let asked: Vec<Role> = asked.into_iter().collect();
    let geography = county.geography(today)?;
    let directory = store.directory().await.context("loading the directory")?;
    let mut missing: BTreeMap<Role, Vec<String>> = asked.iter().map(|role| (*role, Vec::new())).collect();
    for gap in gaps(&geography, &asked, &directory) {
        let ward = gap.ward.unwrap_or_default();
        let name = geography.get(AreaKind::Ward, &ward).map_or(ward.clone(), |known| known.name.clone());
        missing.entry(gap.role).or_default().push(format!("{name} ({ward})"));
    }
    Ok(Coverage {
        wards: geography.of_kind(AreaKind::Ward).count(),
        missing,
        inactive: directory.into_iter().filter(|entry| !entry.active).collect(),
    })
}
