//! `tension-watch rules reference`: the page that explains rule files.

use super::put;
use crate::rules::reference;
use anyhow::Result;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    put(&reference(), args.out.as_deref())
}
