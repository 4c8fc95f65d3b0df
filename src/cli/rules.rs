//! `tension-watch rules`: what analysts do with their files.

mod new;
mod reference;
mod schema;

use super::{
    init::{shipped, write},
    site::Site,
    wrong,
};
use crate::{
    model::Categories,
    stages::rules::{checked, read_folder},
};
use anyhow::{Context, Result};
use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

pub(super) use schema::write_schemas;

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
    /// Write a new rule to begin with: a draft that explains every field and holds two tests.
    ///
    /// Example: tension-watch rules new school-gates --detector cluster
    New(new::Args),
    /// Write the JSON Schema that lets an editor complete and explain fields.
    ///
    /// Example: tension-watch rules schema --out rules/rule.schema.json
    Schema(schema::Args),
    /// Write the reference page of rule files: every section and field, in Markdown.
    ///
    /// Example: tension-watch rules reference --out RULES.md
    Reference(reference::Args),
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    match args.command {
        Command::Check { files } => check(&config, &files).await,
        Command::New(args) => new::run(&config, &args).await,
        Command::Schema(args) => schema::run(&config, &args).await,
        Command::Reference(args) => reference::run(&args),
    }
}

async fn check(config: &Path, files: &[PathBuf]) -> Result<()> {
    let site = Site::open(config).await?;
    let county = site.county().await?;
    let files = read(&site, files)?;
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

/// The strands of the site, or of the area pack that comes with the program where there is no site: the commands that
/// help to write rules work anywhere. What was taken is said on standard error, since standard output may be a file.
async fn strands(config: &Path) -> Result<Categories> {
    if config.exists() {
        match of_site(config).await {
            Ok(found) => return Ok(found),
            Err(failed) => {
                eprintln!("{failed:#}; the strands are those of the area pack that comes with the program");
            }
        }
    }
    Ok(shipped()?.0.pack.categories)
}

async fn of_site(config: &Path) -> Result<Categories> {
    Ok(Site::open(config).await?.county().await?.pack.categories)
}

/// Writes a text to a file, or to standard output.
fn put(text: &str, out: Option<&Path>) -> Result<()> {
    if let Some(path) = out {
        return write(path, text);
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough, as `head` does.
        Err(closed) if closed.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output can't be written"),
    }
}
