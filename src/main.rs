//! The `tension-watch` command: arguments in, exit code out. Everything else is in the library.

use clap::Parser;
use std::{io::IsTerminal, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Reading and storing rows is mostly small strings: with this allocator an import takes about a third less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let level = EnvFilter::try_from_env("TENSION_WATCH_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,sqlx=error,tension_watch=info"));
    let log = tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr);
    if std::env::var("TENSION_WATCH_LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().init();
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).init();
    }
    // Whatever is written tells of incidents: nobody else on the machine reads it, unless its owner lets them.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    tension_watch::cli::run(tension_watch::cli::Cli::parse())
}
