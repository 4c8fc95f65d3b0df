//! The command line: one file per command.
//!
//! In: arguments. Out: an exit code; 0 done, 1 the work failed, 2 the call or an input file is wrong.
//!
//! # Adding a command
//!
//! One file with an `Args` struct whose doc comments are the help, a `run` function, and a line in [`Command`].

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Early warning of emerging community tensions.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Cli {
    /// The configuration file.
    #[arg(long, global = true, default_value = "tension-watch.toml", value_name = "FILE")]
    pub config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {}

/// The call or an input file is wrong: exit code 2. Anything else that fails is exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Wrong {
    /// From any error that is the caller's to mend.
    pub fn from(error: impl std::fmt::Display) -> anyhow::Error {
        Self(error.to_string()).into()
    }
}

/// Runs the command and tells the exit code. What went wrong is told on standard error.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    match cli.command {}
}
