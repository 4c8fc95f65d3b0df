//! `tension-watch erase`: incidents that must go, or whose time is over; and what the configured periods say each night.

use super::{audit, site::Site, wrong};
use crate::store::Erasable;
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Erase incidents for good: their text, their place and every trace of a single one.
///
/// Every version goes from the database and its files, the rejected rows that name it, and its lines in files that were put away
/// in the inbox. What stays: counts that alerts and mails have told, published figures, and a line in the audit log that
/// says how many, of which source and why. Backups made before still hold it: erase them by their own rules.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Erase the incident of a source's reference.
    ///
    /// Example: tension-watch erase incident --source police --reference 24/001234 --why "request 17 of the data office" --yes
    Incident {
        /// Who supplied it.
        #[arg(long)]
        source: String,
        /// The source's own reference.
        #[arg(long)]
        reference: String,
        #[command(flatten)]
        how: How,
    },
    /// Erase every incident that was over before a day.
    ///
    /// Example: tension-watch erase before 2019-04-01 --why "six years are over" --yes
    Before {
        /// The first day that stays.
        day: NaiveDate,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// Why, for the audit log; no name and no reference.
    #[arg(long)]
    why: String,
    /// Do it. Without this it is only told what would go.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    let (incidents, how, named) = match args.command {
        Command::Incident { source, reference, how } => {
            let found = site.store.erasable(&source, &reference).await?;
            // A row that was rejected has no incident, and its text all the same.
            let named = Erasable { id: uuid::Uuid::nil(), source, reference };
            (found, how, Some(named))
        }
        Command::Before { day, how } => {
            let start = site.county().await?.start_of(day);
            (site.store.erasable_before(start).await?, how, None)
        }
    };
    let mut told = BTreeMap::<&str, usize>::new();
    for one in &incidents {
        *told.entry(&one.source).or_default() += 1;
    }
    let told = told.iter().map(|(source, many)| format!("{many} of {source}")).collect::<Vec<_>>().join(", ");
    let told = if told.is_empty() { "no incident".to_owned() } else { told };
    if !how.yes {
        println!("would be erased: {told}; also rejected rows and lines of put-away files that name them");
        println!("nothing was changed; with --yes it is erased for good");
        return Ok(());
    }
    let mut all = incidents;
    let found = all.len();
    if found == 0 {
        all.extend(named);
    }
    let (rejects, lines, whole) = erased(&site, &all).await?;
    if found + rejects as usize + lines == 0 {
        return Err(wrong("there is no such incident, rejected row or line; nothing was changed"));
    }
    audit::record(
        &site,
        "erasing",
        &format!("{told}; {rejects} rejected rows, {lines} lines of files; why: {}", how.why),
    )
    .await?;
    println!("erased: {told}; {rejects} rejected rows, {lines} lines of put-away files");
    if !whole {
        println!(
            "a reader still holds a part of the database's log; it is gone when `serve` is started anew"
        );
    }
    Ok(())
}

/// Erases incidents from the database and the inbox: rejected rows and lines of files that went, and whether the database's
/// files hold nothing more of them.
async fn erased(site: &Site, incidents: &[Erasable]) -> Result<(u64, usize, bool)> {
    // Files first: while a line is there, the next night could read it again.
    let lines = lines_erased(&site.config.path(&site.config.import.inbox), incidents)?;
    let mut tx = site.store.begin().await?;
    let rejects = tx.erase(incidents).await.context("erasing")?;
    tx.commit().await.context("erasing")?;
    let whole = site.store.forget_erased().await.context("clearing the database's files")?;
    Ok((rejects, lines, whole))
}

/// What the configured periods say; called each night by the machine that runs the engine.
pub(super) async fn retain(site: &Site, now: DateTime<Utc>) -> Result<()> {
    let periods = &site.config.retention;
    let before = |days: Option<u32>| days.map(|days| now - Days::new(days.into()));
    let mut told = Vec::new();
    if let Some(instant) = before(periods.incidents_days) {
        let incidents = site.store.erasable_before(instant).await?;
        if !incidents.is_empty() {
            erased(site, &incidents).await?;
            told.push(format!("{} incidents", incidents.len()));
        }
    }
    let mut tx = site.store.begin().await?;
    let mut note = |what: &str, many: u64| told.extend((many > 0).then(|| format!("{many} {what}")));
    if let Some(instant) = before(periods.rejects_days) {
        note("rejected rows", tx.erase_rejects_before(instant).await?);
    }
    if let Some(instant) = before(periods.messages_days) {
        note("messages", tx.erase_messages_before(instant).await?);
    }
    tx.commit().await?;
    if let Some(instant) = before(periods.files_days) {
        note("put-away files", files_erased(&site.config.path(&site.config.import.inbox), instant)?);
    }
    if !told.is_empty() {
        tracing::info!(erased = told.join(", "), "their periods are over");
        audit::record(site, "erasing", &format!("{}; why: their periods are over", told.join(", "))).await?;
    }
    Ok(())
}

/// Files that were put away after they were read, by source.
fn put_away(inbox: &Path) -> Vec<(String, PathBuf)> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder)
            .map(|found| found.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
            .unwrap_or_default()
    };
    let sources = inside(inbox).into_iter().filter(|path| path.is_dir());
    let of = |source: PathBuf| {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = ["done", "rejected"].into_iter().flat_map(move |folder| inside(&source.join(folder)));
        files.map(move |file| (name.clone(), file)).collect::<Vec<_>>()
    };
    sources.flat_map(of).collect()
}

/// Takes out of put-away files every record in which a reference stands; how many.
fn lines_erased(inbox: &Path, incidents: &[Erasable]) -> Result<usize> {
    let mut erased = 0;
    for (source, path) in put_away(inbox) {
        let gone: HashSet<&str> =
            incidents.iter().filter(|one| one.source == source).map(|one| one.reference.as_str()).collect();
        if gone.is_empty() {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("{}: can't be read", path.display()))?;
        let (kept, dropped) = without(&bytes, &gone);
        if dropped > 0 {
            let coming = path.with_extension("coming");
            fs::write(&coming, &kept)
                .and_then(|()| fs::rename(&coming, &path))
                .with_context(|| format!("{}: can't be written", path.display()))?;
            erased += dropped;
        }
    }
    Ok(erased)
}

/// A CSV, or a report in lines, without the records in which one of these texts is a cell, or a word.
fn without(bytes: &[u8], gone: &HashSet<&str>) -> (Vec<u8>, usize) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let (mut kept, mut dropped, mut begin) = (Vec::with_capacity(bytes.len()), 0, 0);
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let end = reader.position().byte() as usize;
        let names = |cell: &[u8]| {
            let text = String::from_utf8_lossy(cell);
            let word = |word: &str| gone.contains(word.trim_matches(|c: char| !c.is_alphanumeric()));
            gone.contains(text.trim()) || text.split_whitespace().any(word)
        };
        if record.iter().any(names) {
            dropped += 1;
        } else {
            kept.extend_from_slice(&bytes[begin..end]);
        }
        begin = end;
    }
    kept.extend_from_slice(&bytes[begin.min(bytes.len())..]);
    (kept, dropped)
}

/// Takes away files that were put away before an instant; how many.
fn files_erased(inbox: &Path, instant: DateTime<Utc>) -> Result<u64> {
    let mut erased = 0;
    for (_, path) in put_away(inbox) {
        let changed: DateTime<Utc> = fs::metadata(&path)?.modified()?.into();
        if changed < instant {
            fs::remove_file(&path).with_context(|| format!("{}: can't be taken away", path.display()))?;
            erased += 1;
        }
    }
    Ok(erased)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_that_name_a_reference_go_and_others_stay_to_the_byte() {
        let gone = HashSet::from(["R-1"]);
        let text = b"reference,note\r\nR-1,\"two\nlines\"\r\nR-10,\"R-1 is not this\"\r\nR-2,x\r\n";
        let (kept, dropped) = without(text, &gone);
        assert_eq!((String::from_utf8(kept).unwrap().as_str(), dropped), ("reference,note\r\nR-2,x\r\n", 2));
    }

    proptest! {
        #[test]
        fn any_bytes_without_the_reference_stay_as_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (kept, dropped) = without(&bytes, &HashSet::from(["a reference that is not there"]));
            prop_assert_eq!((kept, dropped), (bytes, 0));
        }
    }
}
