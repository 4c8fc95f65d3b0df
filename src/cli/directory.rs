//! `tension-watch directory check`: whether every ward has somebody who is told.

use super::site::{Site, now};
use crate::{
    alerts::gaps,
    model::{AreaKind, Role},
    stages::rules::in_force,
};
use anyhow::Result;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The directory of roles and mailboxes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check that every ward in force has a live mailbox for each role that rules tell, and name the gaps.
    ///
    /// Exit code 1 when there are any.
    ///
    /// Example: tension-watch directory check
    Check,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let Command::Check = args.command;
    let site = Site::open(&config).await?;
    let county = site.county().await?;
    let today = county.day_of(now());
    let folder = site.config.path(&site.config.rules.folder);
    let rules = in_force(&site.store, &county, &folder, today, now()).await?;
    let mut asked: BTreeSet<Role> = BTreeSet::from([Role::Analyst]);
    for rule in rules.set.rules.iter().filter(|rule| rule.is_evaluated()) {
        for one in std::iter::once(rule).chain(rule.overrides.iter().map(|own| &*own.rule)) {
            asked.extend(one.who.iter().chain(&one.then_tell));
            if one.ack_within_days.is_some() {
                asked.extend([Role::CspChair, Role::Sog]);
            }
        }
    }
    let asked: Vec<Role> = asked.into_iter().collect();
    let geography = county.geography(today)?;
    let directory = site.store.directory().await?;
    let mut missing: BTreeMap<Role, Vec<String>> = BTreeMap::new();
    for gap in gaps(&geography, &asked, &directory) {
        let ward = gap.ward.unwrap_or_default();
        let name = geography.get(AreaKind::Ward, &ward).map_or(ward.clone(), |known| known.name.clone());
        missing.entry(gap.role).or_default().push(format!("{name} ({ward})"));
    }
    let inactive: Vec<_> = directory.iter().filter(|entry| !entry.active).collect();
    for entry in &inactive {
        println!("inactive, passed over: {} ({})", entry.address, entry.role.label());
    }
    let wards = geography.of_kind(AreaKind::Ward).count();
    for role in &asked {
        match missing.get(role) {
            None => println!("{}: all {wards} wards", role.label()),
            Some(missing) if missing.len() == wards => println!("{}: NOBODY for any ward", role.label()),
            Some(missing) => {
                println!(
                    "{}: NOBODY for {} of {wards} wards: {}",
                    role.label(),
                    missing.len(),
                    missing.join(", ")
                );
            }
        }
    }
    if missing.is_empty() {
        println!("every ward has somebody for each role that rules tell");
        return Ok(());
    }
    Err(anyhow::anyhow!(
        "mend the directory and import it again: tension-watch import directory FILE; until then the analyst and the \
         force's lead are told in their place"
    ))
}
