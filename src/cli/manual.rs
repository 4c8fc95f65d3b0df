//! `tension-watch manual`: the command line's own description as manual pages and completions, for packages.

use super::Cli;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate_to};
use std::{fs, path::PathBuf};

/// Write manual pages and shell completions, for packages.
///
/// DIR/man1 gets a page for every command; DIR/completions a file for bash, zsh and fish.
///
/// Example: tension-watch manual --dir target/manual
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder.
    #[arg(long)]
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let (pages, completions) = (args.dir.join("man1"), args.dir.join("completions"));
    for folder in [&pages, &completions] {
        fs::create_dir_all(folder).with_context(|| format!("{}: can't be made", folder.display()))?;
    }
    clap_mangen::generate_to(Cli::command(), &pages).context("writing the manual pages")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Cli::command(), "tension-watch", &completions)
            .context("writing completions")?;
    }
    println!("{} and {}", pages.display(), completions.display());
    Ok(())
}
