//! The command line: one file per command.
//!
//! In: arguments. Out: an exit code; 0 done, 1 the work failed, 2 the call or an input file is wrong.
//!
//! # Adding a command
//!
//! One file with an `Args` struct whose doc comments are the help, a `run` function, and a line in `Command`.

mod alert;
mod audit;
mod backup;
mod cluster;
mod demo;
mod detect;
mod directory;
mod erase;
mod import;
mod inbox;
mod init;
mod locate;
mod manual;
mod migrate_store;
mod outbox;
mod picture;
mod progress;
mod report;
mod rules;
mod run;
mod serve;
mod silence;
mod site;
mod table;
mod token;
mod user;

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Early warning of emerging community tensions.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Cli {
    /// The configuration file.
    #[arg(long, global = true, default_value = "tension-watch.toml", value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: a synthetic county, its last nights replayed, mails as files, the site.
    Demo(demo::Args),
    /// Set up a real site: configuration, area pack, directory, rules, first administrator.
    Init(init::Args),
    /// Run the site, the nightly engine and the mail sender.
    Serve,
    /// Run one engine night, now or replayed.
    Run(run::Args),
    /// Import incidents, outlines of wards, or the directory.
    Import(import::Args),
    /// Check rule files, try them on history, tune them.
    Rules(rules::Args),
    /// Alerts: list them, show one, answer it, look at its mail.
    Alert(alert::Args),
    /// Reports for the boards: a quarter of the county or of a partnership.
    Report(report::Args),
    /// Ask for quiet about a rule, an area or a category, for a while.
    Silence(silence::Args),
    /// Check that every ward has somebody who is told.
    Directory(directory::Args),
    /// See what has left, what waits and what could not be sent; try it again; send what is due.
    Outbox(outbox::Args),
    /// Add or take away somebody who may sign in; list them.
    User(user::Args),
    /// Add or revoke the token by which a program calls the API; list them.
    Token(token::Args),
    /// See who saw exact data, and who did what.
    Audit(audit::Args),
    /// Erase incidents for good, by reference or by age.
    Erase(erase::Args),
    /// Copy the database into a file, while the site works.
    Backup(backup::Args),
    /// Put a backup in place of the database.
    Restore(backup::RestoreArgs),
    /// Move everything from one database into another, of either kind.
    MigrateStore(migrate_store::Args),
    /// Judge series of counts against what is usual for them, CSV in and out, without a database.
    Detect(detect::Args),
    /// Find clusters of points, CSV in and out, without a database.
    Cluster(cluster::Args),
    /// Find the ward of points, CSV in and out, without a database.
    Locate(locate::Args),
    /// Write manual pages and shell completions, for packages.
    #[command(hide = true)]
    Manual(manual::Args),
}

/// The call or an input file is wrong: exit code 2. Anything else that fails is exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(String);

/// From any error that is the caller's to mend.
fn wrong(error: impl std::fmt::Display) -> anyhow::Error {
    Wrong(error.to_string()).into()
}

/// Runs the command and tells the exit code. What went wrong is told on standard error.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let config = cli.config;
    let outcome = match cli.command {
        Command::Demo(args) => wait(demo::run(args)),
        Command::Init(args) => wait(init::run(args)),
        Command::Serve => wait(serve::run(config)),
        Command::Run(args) => wait(run::run(config, args)),
        Command::Import(args) => wait(import::run(config, args)),
        Command::Rules(args) => wait(rules::run(config, args)),
        Command::Alert(args) => wait(alert::run(config, args)),
        Command::Report(args) => wait(report::run(config, args)),
        Command::Silence(args) => wait(silence::run(config, args)),
        Command::Directory(args) => wait(directory::run(config, args)),
        Command::Outbox(args) => wait(outbox::run(config, args)),
        Command::User(args) => wait(user::run(config, args)),
        Command::Token(args) => wait(token::run(config, args)),
        Command::Audit(args) => wait(audit::run(config, args)),
        Command::Erase(args) => wait(erase::run(config, args)),
        Command::Backup(args) => wait(backup::run(config, args)),
        Command::Restore(args) => wait(backup::restore(config, args)),
        Command::MigrateStore(args) => wait(migrate_store::run(args)),
        Command::Detect(args) => detect::run(&args),
        Command::Cluster(args) => cluster::run(&args),
        Command::Locate(args) => locate::run(&args),
        Command::Manual(args) => manual::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) if failed.is::<Wrong>() => {
            eprintln!("{failed}");
            ExitCode::from(2)
        }
        Err(failed) => {
            eprintln!("{failed:#}");
            ExitCode::FAILURE
        }
    }
}

fn wait(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
