//! A rule that is tried: checked together with the folder it would stand in.

use super::{county::County, rules::checked};
use crate::rules::{Rule, RuleSet};
use anyhow::Result;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// A rule file with the folder around it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// As the file was named.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The rule in it.
    pub rule: Rule,
    /// The rules of the folder, with this one in place of its namesake.
    pub set: RuleSet,
}

/// Why a text can't be tried: its mistakes, as an analyst reads them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCandidate(pub String);

impl Candidate {
    /// Checks a rule's text together with the files of a folder, by name and text. A file of the folder with the same id gives
    /// way to it.
    ///
    /// # Errors
    ///
    /// [`NoCandidate`] when the text or the folder has mistakes; else when the area pack can't be read.
    pub fn of(
        name: String,
        text: String,
        mut folder: BTreeMap<String, String>,
        county: &County,
        day: NaiveDate,
    ) -> Result<Self> {
        let own = id(&text);
        folder.retain(|other, text| other.contains('/') || own.is_none() || id(text) != own);
        folder.insert(name.clone(), text.clone());
        let found = checked(&folder, county, day)?;
        let set = found.rule_set().ok_or_else(|| NoCandidate(found.shown()))?;
        let rule = set.rules.iter().find(|rule| rule.file == name).cloned();
        let rule = rule.ok_or_else(|| NoCandidate(format!("{name}: holds no rule")))?;
        Ok(Self { name, text, rule, set })
    }
}

/// The id in a rule file, as far as the file can be read at all.
fn id(text: &str) -> Option<String> {
    text.parse::<toml::Table>().ok()?.get("id")?.as_str().map(str::to_owned)
}
