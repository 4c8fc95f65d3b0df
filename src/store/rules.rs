//! The rule sets that were in force: the last good one stays so while a newer one is wrong.

use super::{Result, Store, Tx, from_object, object};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

statements! {
    ADD_RULES = "INSERT INTO rule_set (version, files, accepted_at) VALUES ($1, $2, $3)
        ON CONFLICT (version) DO UPDATE SET accepted_at = excluded.accepted_at";
    LAST_RULES = "SELECT version, files, accepted_at FROM rule_set ORDER BY accepted_at DESC, version LIMIT 1";
    RULES_OF = "SELECT version, files, accepted_at FROM rule_set WHERE version = $1";
}

/// A rule set as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRules {
    /// A hash over all files.
    pub version: String,
    /// The text of each file, by name.
    pub files: BTreeMap<String, String>,
    /// When it came into force.
    pub accepted_at: DateTime<Utc>,
}

type Row = (String, serde_json::Value, DateTime<Utc>);

fn saved((version, files, accepted_at): Row) -> Result<SavedRules> {
    Ok(SavedRules { version, files: from_object(files, "rule set")?, accepted_at })
}

impl Store {
    /// The rule set accepted last.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn last_rules(&self) -> Result<Option<SavedRules>> {
        let row: Option<Row> =
            on!(Self, self, pool => sqlx::query_as(LAST_RULES).fetch_optional(pool).await?);
        row.map(saved).transpose()
    }

    /// The rule set of a version, as runs name it.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn rules_of(&self, version: &str) -> Result<Option<SavedRules>> {
        let row: Option<Row> =
            on!(Self, self, pool => sqlx::query_as(RULES_OF).bind(version).fetch_optional(pool).await?);
        row.map(saved).transpose()
    }
}

impl Tx {
    /// Puts a rule set into force.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn accept_rules(&mut self, rules: &SavedRules) -> Result<()> {
        let files = object(&rules.files, "rule set")?;
        execute!(self, sqlx::query(ADD_RULES).bind(&rules.version).bind(files).bind(rules.accepted_at));
        Ok(())
    }
}
