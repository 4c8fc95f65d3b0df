//! `tension-watch audit`: who saw and did what.

use super::{
    site::{Site, now},
    wrong,
};
use crate::store::AuditEntry;
use anyhow::Result;
use chrono::{NaiveDate, TimeDelta};
use std::{io::Write, path::PathBuf};

/// The name under which what is done on the command line is recorded: no account can have it.
pub(super) const COMMAND_LINE: &str = "(command line)";

/// Who saw and did what.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the log, the newest first.
    ///
    /// Example: tension-watch audit list --since 2026-06-01 --account lead
    List {
        /// From the beginning of this day, in the county's time.
        #[arg(long, value_name = "YYYY-MM-DD")]
        since: NaiveDate,
        /// Only this account.
        #[arg(long)]
        account: Option<String>,
        /// At most so many lines.
        #[arg(long, default_value_t = 1000, value_name = "N")]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let Command::List { since, account, limit, json } = args.command;
    let site = Site::open(&config).await?;
    let county = site.county().await?;
    // Times in the log come from the clocks of several machines.
    let until = now() + TimeDelta::days(1);
    if since > county.day_of(until) {
        return Err(wrong(format!("{since} is yet to come")));
    }
    let from = county.start_of(since);
    let entries = site.store.audit(from, until, account.as_deref(), limit.into(), 0).await?;
    let text = if json { serde_json::to_string_pretty(&entries)? } else { table(&entries, county.pack.zone) };
    match writeln!(std::io::stdout().lock(), "{text}") {
        // A reader that has seen enough, as `head`, is no failure.
        Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => Err(failed.into()),
        _ => Ok(()),
    }
}

fn table(entries: &[AuditEntry], zone: chrono_tz::Tz) -> String {
    if entries.is_empty() {
        return "nothing is recorded for this".into();
    }
    let line = |entry: &AuditEntry| {
        let at = entry.at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
        let who = if entry.account.is_empty() { "nobody" } else { &entry.account };
        let about = if entry.about.is_empty() { String::new() } else { format!(" {}", entry.about) };
        format!("{at}  {who:<20} {:<16} {}{about}: {}", entry.role, entry.what, entry.outcome)
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Records what was done on the command line.
pub(super) async fn record(site: &Site, what: &str, about: &str) -> Result<()> {
    let entry = AuditEntry {
        at: now(),
        account: COMMAND_LINE.into(),
        role: String::new(),
        what: what.into(),
        about: about.into(),
        outcome: "done".into(),
    };
    Ok(site.store.add_audit(&[entry]).await?)
}
