//! `tension-watch rules`: what analysts do with their files.

use super::{site::Site, wrong};
use crate::stages::rules::{checked, read_folder};
use anyhow::Result;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Check rule files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show every mistake in rule files, with its line and what to do.
    ///
    /// Example: tension-watch rules check rules/
    Check {
        /// A folder, or files that are judged as one folder; the folder of the configuration otherwise.
        files: Vec<PathBuf>,
    },
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let Command::Check { files } = args.command;
    let site = Site::open(&config).await?;
    let county = site.county().await?;
    let files = read(&site, &files)?;
    let now = super::site::now();
    let found = checked(&files, &county, county.day_of(now))?;
    for note in &found.notes {
        println!("note: {note}");
    }
    match found.rule_set() {
        Some(set) => {
            let live = set.rules.iter().filter(|rule| rule.is_evaluated()).count();
            println!(
                "{} rule files, no mistakes; {live} rules are evaluated. Version {}",
                files.len(),
                set.version
            );
            Ok(())
        }
        None => Err(wrong(found.shown())),
    }
}

fn read(site: &Site, paths: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    if paths.is_empty() {
        return read_folder(&site.config.path(&site.config.rules.folder));
    }
    let mut files = BTreeMap::new();
    for path in paths {
        if path.is_dir() {
            files.extend(read_folder(path)?);
        } else {
            let text = fs::read_to_string(path)
                .map_err(|cause| wrong(format!("{}: can't be read ({cause})", path.display())))?;
            files.insert(path.display().to_string(), text);
        }
    }
    Ok(files)
}
