//! `tension-watch directory check`: whether every ward has somebody who is told.

use super::site::{Site, now};
use crate::stages::{coverage::coverage, rules::in_force};
use anyhow::Result;
use std::path::PathBuf;

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
    let covered = coverage(&site.store, &county, &rules.set.rules, today).await?;
    for entry in &covered.inactive {
        println!("inactive, passed over: {} ({})", entry.address, entry.role.label());
    }
    let wards = covered.wards;
    for (role, missing) in &covered.missing {
        match missing.len() {
            0 => println!("{}: all {wards} wards", role.label()),
            many if many == wards => println!("{}: NOBODY for any ward", role.label()),
            many => println!("{}: NOBODY for {many} of {wards} wards: {}", role.label(), missing.join(", ")),
        }
    }
    if covered.is_whole() {
        println!("every ward has somebody for each role that rules tell");
        return Ok(());
    }
    Err(anyhow::anyhow!(
        "mend the directory and import it again: tension-watch import directory FILE; until then the analyst and the \
         force's lead are told in their place"
    ))
}
