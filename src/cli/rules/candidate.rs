//! A rule file that is tried: checked together with the folder it would stand in.

use crate::{
    cli::{site::Site, wrong},
    rules::{Rule, RuleSet},
    stages::{
        county::County,
        rules::{checked, read_folder},
    },
};
use anyhow::Result;
use chrono::NaiveDate;
use std::{collections::BTreeMap, fs, path::Path};

/// A rule file with the folder around it.
pub(super) struct Candidate {
    /// As the file was named.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    /// The rule in it.
    pub(super) rule: Rule,
    /// The rules of the folder, with this one in place of its namesake.
    pub(super) set: RuleSet,
}

impl Candidate {
    /// Reads a file and checks it together with the folder of the configuration. A file of the folder with the same id gives
    /// way to it.
    pub(super) fn read(site: &Site, county: &County, path: &Path, day: NaiveDate) -> Result<Self> {
        let name = path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|cause| wrong(format!("{name}: can't be read ({cause})")))?;
        let folder = site.config.path(&site.config.rules.folder);
        let mut files = if folder.is_dir() { read_folder(&folder)? } else { BTreeMap::new() };
        let own = id(&text);
        files.retain(|other, text| other.contains('/') || own.is_none() || id(text) != own);
        files.insert(name.clone(), text.clone());
        let found = checked(&files, county, day)?;
        let Some(set) = found.rule_set() else { return Err(wrong(found.shown())) };
        let rule = set.rules.iter().find(|rule| rule.file == name).cloned();
        let rule = rule.ok_or_else(|| wrong(format!("{name}: holds no rule")))?;
        Ok(Self { name, text, rule, set })
    }
}

/// The id in a rule file, as far as the file can be read at all.
fn id(text: &str) -> Option<String> {
    text.parse::<toml::Table>().ok()?.get("id")?.as_str().map(str::to_owned)
}
