//! The rules in force: those of the folder while they are right, else the last good ones.

use super::county::{County, apart};
use crate::{
    rules::{Checked, Known, RuleSet, check},
    store::{SavedRules, Store},
};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, NaiveDate, Utc};
use std::{collections::BTreeMap, fs, path::Path};

/// The rules of a night, and what to say about them.
pub struct InForce {
    /// The rules.
    pub set: RuleSet,
    /// When the folder has mistakes, so that older rules stay in force: what the mistakes are.
    pub mistakes: Option<String>,
}

/// Reads a folder of rule files: name and text of every `.toml` file directly in it, and in its folders `calendar`,
/// `episodes` and `playbooks`.
///
/// # Errors
///
/// When the folder or a file in it can't be read.
pub fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    read_into(&mut files, folder, "")?;
    for name in ["calendar", "episodes", "playbooks"] {
        let inner = folder.join(name);
        if inner.is_dir() {
            read_into(&mut files, &inner, &format!("{name}/"))?;
        }
    }
    Ok(files)
}

fn read_into(files: &mut BTreeMap<String, String>, folder: &Path, prefix: &str) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}: can't be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("{}: can't be read", path.display()))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.insert(format!("{prefix}{name}"), text);
        }
    }
    Ok(())
}

/// Checks rule files against the county.
///
/// # Errors
///
/// When the county's links are wrong on that day.
pub fn checked(files: &BTreeMap<String, String>, county: &County, day: NaiveDate) -> Result<Checked> {
    let geography = county.geography(day)?;
    let former = county.former_wards(day);
    Ok(check(files, &Known { categories: &county.pack.categories, geography: &geography, former: &former }))
}

/// The same while pages are served.
pub(super) async fn checked_apart(
    files: BTreeMap<String, String>,
    county: &County,
    day: NaiveDate,
) -> Result<Checked> {
    let (geography, former) = (county.geography(day)?, county.former_wards(day));
    let categories = county.pack.categories.clone();
    let known =
        move || check(&files, &Known { categories: &categories, geography: &geography, former: &former });
    apart(known).await
}

/// The rules to judge a night by. A folder without mistakes comes into force and is kept; one with a mistake, or that
/// can't be read, leaves the last good set in force, and says so.
///
/// # Errors
///
/// When there are mistakes and no set was ever good, or the store fails.
pub async fn in_force(
    store: &Store,
    county: &County,
    folder: &Path,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<InForce> {
    let last = store.last_rules().await.context("loading the last good rules")?;
    let (files, mistakes) = match read_folder(folder) {
        Ok(files) => {
            let found = checked_apart(files.clone(), county, day).await?;
            match found.rule_set() {
                Some(set) => {
                    if last.is_none_or(|last| last.version != set.version) {
                        let mut tx = store.begin().await?;
                        tx.accept_rules(&SavedRules {
                            version: set.version.clone(),
                            files,
                            accepted_at: now,
                        })
                        .await?;
                        tx.commit().await.context("keeping the rules")?;
                    }
                    return Ok(InForce { set, mistakes: None });
                }
                None => (last.map(|last| last.files), found.shown()),
            }
        }
        Err(unreadable) => (last.map(|last| last.files), format!("{unreadable:#}")),
    };
    let Some(files) = files else { bail!("no rules can be used:\n{mistakes}") };
    match checked_apart(files, county, day).await?.rule_set() {
        Some(set) => Ok(InForce { set, mistakes: Some(mistakes) }),
        None => bail!(
            "the last good rules do not fit the area pack any more, and the folder has mistakes:\n{mistakes}"
        ),
    }
}
