//! `tension-watch migrate-store`: everything from one database into another.

use super::{progress::Progress, wrong};
use crate::store::{Store, TABLES};
use anyhow::{Context, Result};
use std::fs::File;

/// Move everything from one database into another, of either kind.
///
/// Stop `serve` on every machine first. The new database must be empty, or one to which this was begun before: what is there is
/// not copied again. At the end every table is compared, row by row, by count and checksum. The old database stays as it is;
/// name the new one in [store] address.
///
/// Example: tension-watch migrate-store sqlite:tension-watch.db "$ADDRESS"
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The database that holds everything: sqlite: and a file, or the address of a PostgreSQL database.
    from: String,
    /// The one that is to hold it.
    to: String,
}

pub(super) async fn run(args: Args) -> Result<()> {
    if args.from == args.to {
        return Err(wrong("both addresses are the same database"));
    }
    if args.from.strip_prefix("sqlite:").is_some_and(|file| !std::path::Path::new(file).exists()) {
        return Err(wrong(format!("{}: there is no such file", args.from)));
    }
    let from = Store::open(&args.from)
        .await
        .with_context(|| format!("opening the old database, {}", kind(&args.from)))?;
    // Nobody may write meanwhile: what is copied already would not be looked at again.
    let lock =
        from.lock_file().map(|path| File::options().create(true).append(true).open(path)).transpose()?;
    if lock.as_ref().is_some_and(|file| file.try_lock().is_err()) {
        return Err(wrong("`serve` works on the old database; stop it first"));
    }
    let to = Store::open(&args.to)
        .await
        .with_context(|| format!("opening the new database, {}", kind(&args.to)))?;
    let progress = Progress::new("tables copied", TABLES.len() as u64);
    for (place, table) in TABLES.iter().enumerate() {
        from.copy_table(table, &to).await.with_context(|| format!("copying {table}"))?;
        progress.step(place as u64 + 1);
    }
    progress.finish();
    let mut rows = 0;
    let mut differing = Vec::new();
    for table in TABLES {
        let (old, new) = (from.sum(table).await?, to.sum(table).await?);
        rows += old.rows;
        if old != new {
            differing.push(format!("{table} ({} rows, {} in the new one)", old.rows, new.rows));
        }
    }
    from.close().await;
    to.close().await;
    if !differing.is_empty() {
        return Err(wrong(format!(
            "these tables differ: {}; the new database held something else before, or the old one was written to; make a new one and begin again",
            differing.join(", ")
        )));
    }
    println!(
        "{rows} rows of {} tables are in the new database, and equal; name it in [store] address",
        TABLES.len()
    );
    Ok(())
}

/// An address may hold a password.
fn kind(address: &str) -> &'static str {
    if address.starts_with("sqlite:") { "a SQLite file" } else { "on PostgreSQL" }
}
