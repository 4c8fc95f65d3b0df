//! One file of incidents: read, placed in wards, compared with what is known, saved.

use super::county::{County, Outlines};
use crate::{
    failpoint,
    import::{self, ImportContext, Mapping, Reject},
    model::Incident,
    store::{ImportRecord, KnownVersion, LinkedEvent, NewVersion, SavedReject, Store},
};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use uuid::Uuid;

/// A file to import.
pub struct File<'a> {
    /// Its name, without the folder.
    pub name: &'a str,
    /// Who supplied it.
    pub source: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
    /// How its columns are read.
    pub mapping: &'a Mapping,
}

/// What became of a file: every row is in exactly one of the four counts.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// As kept in the store.
    pub record: ImportRecord,
    /// Rows that could not be used.
    pub rejects: Vec<Reject>,
    /// When the same bytes were imported before, if they were.
    pub seen_before: Option<DateTime<Utc>>,
    /// Incidents with a place that lies in no ward.
    pub outside_every_ward: usize,
    /// Incidents without a place.
    pub without_place: usize,
    /// Reports newly taken as the same event as one from another source.
    pub same_event: usize,
    /// What the reader should know beside that.
    pub notes: Vec<String>,
}

/// Reads a file and saves what it says, in one transaction. With `dry_run` nothing is saved.
///
/// # Errors
///
/// [`import::ImportError`] when the file as a whole can't be read; otherwise when the store fails.
pub async fn import(
    store: &Store,
    county: &County,
    outlines: &mut Outlines,
    file: &File<'_>,
    now: DateTime<Utc>,
    dry_run: bool,
) -> Result<ImportReport> {
    let context =
        ImportContext { pack: &county.pack, grid: &county.grid, source: file.source, imported_at: now };
    let mut read = import::read_incidents(file.bytes, file.mapping, &context)?;
    outlines.place(store, county, &mut read.incidents).await?;

    let sha256 = import::hex(&Sha256::digest(file.bytes));
    let seen_before = store
        .imports()
        .await?
        .into_iter()
        .rfind(|before| before.sha256 == sha256 && before.source == file.source)
        .map(|before| before.imported_at);
    let outside_every_ward =
        read.incidents.iter().filter(|one| one.place.is_some() && one.ward.is_none()).count();
    let without_place = read.incidents.iter().filter(|one| one.place.is_none()).count();
    let known = store.known_versions(file.source).await.context("loading what is known of this source")?;
    let sorted = sort(read.incidents, known, now);

    let record = ImportRecord {
        id: Uuid::now_v7(),
        source: file.source.to_owned(),
        file_name: file.name.to_owned(),
        header: read.header,
        sha256,
        imported_at: now,
        row_count: read.rows as i64,
        added: sorted.added as i64,
        changed: sorted.changed as i64,
        unchanged: sorted.unchanged as i64,
        rejected: read.rejects.len() as i64,
    };
    let mut report = ImportReport {
        record,
        rejects: read.rejects,
        seen_before,
        outside_every_ward,
        without_place,
        same_event: 0,
        notes: read.notes,
    };
    if !dry_run {
        report.same_event = save(store, &report, &sorted.new, now).await?;
    }
    Ok(report)
}

/// Saves the import and links reports that are probably one event. Returns how many were newly linked.
async fn save(store: &Store, report: &ImportReport, new: &[NewVersion], now: DateTime<Utc>) -> Result<usize> {
    let links = if store.has_another_source(&report.record.source).await? {
        same_events(store, new, now).await?
    } else {
        Vec::new()
    };
    let rejects = report
        .rejects
        .iter()
        .map(|reject| Ok(SavedReject { line: reject.line as i64, body: serde_json::to_value(reject)? }))
        .collect::<Result<Vec<_>>>()?;
    let mut tx = store.begin().await?;
    tx.add_import(&report.record).await.context("noting the import")?;
    tx.add_versions(report.record.id, new).await.context("saving incidents")?;
    tx.add_rejects(report.record.id, &rejects).await.context("saving rejected rows")?;
    for link in &links {
        tx.link_same_event(link).await.context("linking two reports of one event")?;
    }
    failpoint::reached("import-before-commit");
    tx.commit().await.context("saving the import")?;
    failpoint::reached("import-after-commit");
    Ok(links.len())
}

/// Reports from other sources that are probably the same events as the new ones. A link holds from the moment both
/// reports were known, so that a replay sees it when a night of that time could have seen it.
async fn same_events(store: &Store, new: &[NewVersion], now: DateTime<Utc>) -> Result<Vec<LinkedEvent>> {
    let known: Vec<Incident> = store
        .incidents_as_known(now + TimeDelta::days(1))
        .await
        .context("loading what other sources told")?
        .into_iter()
        .map(|seen| Arc::unwrap_or_clone(seen.incident))
        .collect();
    let new: Vec<Incident> = new.iter().map(|version| version.incident.clone()).collect();
    Ok(links(&known, &new))
}

/// The links between reports that are probably one event; `new` is compared with itself and with what is known.
pub(super) fn links(known: &[Incident], new: &[Incident]) -> Vec<LinkedEvent> {
    let first_known: HashMap<Uuid, DateTime<Utc>> =
        known.iter().chain(new).fold(HashMap::new(), |mut first, one| {
            first.entry(one.id).and_modify(|at| *at = one.known_at.min(*at)).or_insert(one.known_at);
            first
        });
    import::same_event(known, new)
        .into_iter()
        .map(|pair| LinkedEvent {
            linked_at: first_known[&pair.also].max(first_known[&pair.kept]),
            also: pair.also,
            kept: pair.kept,
            reason: pair.reason,
            undone_at: None,
        })
        .collect()
}

/// What is new of a file, and how its rows compare with what was known.
struct Sorted {
    new: Vec<NewVersion>,
    added: usize,
    changed: usize,
    unchanged: usize,
}

/// Keeps the versions that say something new. A version that says what the version before it says adds nothing; one
/// that says something else at an instant that is taken became known only now.
fn sort(read: Vec<Incident>, known: Vec<KnownVersion>, now: DateTime<Utc>) -> Sorted {
    let mut history: HashMap<Uuid, BTreeMap<DateTime<Utc>, String>> = HashMap::new();
    for version in known {
        history.entry(version.id).or_default().insert(version.known_at, version.content);
    }
    let mut sorted = Sorted { new: Vec::new(), added: 0, changed: 0, unchanged: 0 };
    let mut read = read;
    read.sort_by_key(|incident| incident.known_at);
    for mut incident in read {
        let content = import::hex(&import::content_hash(&incident));
        let before = history.entry(incident.id).or_default();
        let same =
            |version: Option<(&DateTime<Utc>, &String)>| version.is_some_and(|(_, said)| *said == content);
        if same(before.range(..=incident.known_at).next_back())
            || before.get(&incident.known_at).is_some() && same(before.iter().next_back())
        {
            sorted.unchanged += 1;
            continue;
        }
        while before.contains_key(&incident.known_at) {
            incident.known_at = now.max(incident.known_at + TimeDelta::microseconds(1));
        }
        if before.is_empty() {
            sorted.added += 1;
        } else {
            sorted.changed += 1;
        }
        before.insert(incident.known_at, content.clone());
        sorted.new.push(NewVersion { incident, content });
    }
    sorted
}
