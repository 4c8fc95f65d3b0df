//! The `tension-watch` command: arguments in, exit code out. Everything else is in the library.

use clap::Parser;

/// Early warning of emerging community tensions.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {}

fn main() {
    Arguments::parse();
}
