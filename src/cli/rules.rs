//! `tension-watch rules`: what analysts do with their files. One file per subcommand.

mod check;
mod diff;
mod explain;
mod new;
mod past;
mod picture;
mod reference;
mod schema;
mod test;
mod trial;
mod tune;
mod why_not;

use super::{
    init::{shipped, write},
    site::Site,
    wrong,
};
use crate::model::Categories;
use anyhow::{Context, Result};
use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

pub(super) use schema::write_schemas;

/// Check, test, try and explain rule files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show every mistake in rule files, with its line and what to do.
    Check(check::Args),
    /// Run the tests inside rule files, on the same path as a real night.
    ///
    /// Example: tension-watch rules test race-week-spike
    Test(test::Args),
    Try(trial::Args),
    Diff(diff::Args),
    Tune(tune::Args),
    /// Tell every number that made an alert, in order.
    ///
    /// Example: tension-watch rules explain LLR-2026-0014
    Explain(explain::Args),
    /// Tell for each rule why it did not hold in a ward on a night.
    ///
    /// Example: tension-watch rules why-not Belgrave race 2026-06-12
    WhyNot(why_not::Args),
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
        Command::Check(args) => check::run(config, args).await,
        Command::Test(args) => test::run(&config, &args).await,
        Command::Try(args) => trial::run(&Site::open(&config).await?, args).await,
        Command::Diff(args) => diff::run(&Site::open(&config).await?, args).await,
        Command::Tune(args) => tune::run(&Site::open(&config).await?, args).await,
        Command::Explain(args) => explain::run(&config, &args).await,
        Command::WhyNot(args) => why_not::run(&config, &args).await,
        Command::New(args) => new::run(&config, &args).await,
        Command::Schema(args) => schema::run(&config, &args).await,
        Command::Reference(args) => reference::run(&args),
    }
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
