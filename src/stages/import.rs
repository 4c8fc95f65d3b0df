//! One file of incidents: read, placed in wards, compared with what is known, saved.

use super::county::{County, Outlines};
use crate::{
    failpoint,
    import::{self, ImportContext, ImportedFile, Mapping, Reject},
    model::Incident,
    store::{ImportRecord, KnownVersion, LinkedEvent, NewVersion, SavedReject, Store, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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

/// Where what is imported came from.
pub struct Origin<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Who supplied it.
    pub source: &'a str,
    /// A hash of its bytes.
    pub sha256: String,
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOutcome {
    /// An incident not known before.
    Added,
    /// A new version of one known before.
    Changed,
    /// It says what was known already.
    Unchanged,
    /// It can't be used.
    Rejected,
}

/// What became of a file: every row is in exactly one of the four counts.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// As kept in the store.
    pub record: ImportRecord,
    /// Rows that could not be used.
    pub rejects: Vec<Reject>,
    /// What became of each row, in their order.
    pub rows: Vec<RowOutcome>,
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
    let origin = Origin { name: file.name, source: file.source, sha256 };
    if dry_run {
        return Ok(compared(store, &mut read, &origin, now).await?.report);
    }
    let (tx, report) = save(store, read, origin, now).await?;
    committed(tx).await?;
    Ok(report)
}

/// How what was read compares with what is known.
struct Compared {
    report: ImportReport,
    /// The rows that say something new, with the hash of what they say.
    new: Vec<(usize, String)>,
    /// The incidents among them of which something was known.
    known_before: Vec<Uuid>,
}

async fn compared(
    store: &Store,
    read: &mut ImportedFile,
    origin: &Origin<'_>,
    now: DateTime<Utc>,
) -> Result<Compared> {
    let seen_before = store.seen_before(origin.source, &origin.sha256).await?;
    let outside_every_ward =
        read.incidents.iter().filter(|one| one.place.is_some() && one.ward.is_none()).count();
    let without_place = read.incidents.iter().filter(|one| one.place.is_none()).count();
    let ids: BTreeSet<Uuid> = read.incidents.iter().map(|incident| incident.id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let known = store.known_versions(&ids).await.context("loading what is known of these incidents")?;
    let known_before: BTreeSet<Uuid> = known.iter().map(|version| version.id).collect();
    let (new, sorted) = sort(&mut read.incidents, known, now);
    let mut sorted = sorted.into_iter();
    let became = |usable: &bool| {
        let found = if *usable { sorted.next() } else { None };
        found.unwrap_or(RowOutcome::Rejected)
    };
    let rows: Vec<RowOutcome> = read.usable.iter().map(became).collect();
    let count = |outcome| rows.iter().filter(|row| **row == outcome).count() as i64;
    let record = ImportRecord {
        id: Uuid::now_v7(),
        source: origin.source.to_owned(),
        file_name: origin.name.to_owned(),
        header: read.header.clone(),
        sha256: origin.sha256.clone(),
        imported_at: now,
        row_count: read.rows as i64,
        added: count(RowOutcome::Added),
        changed: count(RowOutcome::Changed),
        unchanged: count(RowOutcome::Unchanged),
        rejected: read.rejects.len() as i64,
        known_from: new.iter().map(|(row, _)| read.incidents[*row].known_at).min(),
    };
    let report = ImportReport {
        record,
        rejects: read.rejects.clone(),
        rows,
        seen_before,
        outside_every_ward,
        without_place,
        same_event: 0,
        notes: read.notes.clone(),
    };
    Ok(Compared { report, new, known_before: known_before.into_iter().collect() })
}

/// Saves what was read, placed in wards before, and links reports that are probably one event; the caller may add to the
/// transaction, and commits it. Imports take turns: what one compares with is what the one before it has saved. Comparing
/// takes longer than saving, so it is done before others have to wait, and again if another import was saved meanwhile.
pub(super) async fn save(
    store: &Store,
    mut read: ImportedFile,
    origin: Origin<'_>,
    now: DateTime<Utc>,
) -> Result<(Tx, ImportReport)> {
    let before = store.import_count().await?;
    let mut compared_with = compared(store, &mut read, &origin, now).await?;
    let mut links = same_events(store, &read, &compared_with, now).await?;
    let mut tx = store.begin().await?;
    tx.take_turn_with_imports().await?;
    if store.import_count().await? != before {
        compared_with = compared(store, &mut read, &origin, now).await?;
        links = same_events(store, &read, &compared_with, now).await?;
    }
    let Compared { mut report, new, .. } = compared_with;
    let new: Vec<NewVersion<'_>> = new
        .into_iter()
        .map(|(row, content)| NewVersion { incident: &read.incidents[row], content })
        .collect();
    let rejects = report
        .rejects
        .iter()
        .map(|reject| Ok(SavedReject { line: reject.line as i64, body: serde_json::to_value(reject)? }))
        .collect::<Result<Vec<_>>>()?;
    tx.add_import(&report.record).await.context("noting the import")?;
    tx.add_versions(report.record.id, &new).await.context("saving incidents")?;
    tx.add_rejects(report.record.id, &rejects).await.context("saving rejected rows")?;
    for link in &links {
        tx.link_same_event(link).await.context("linking two reports of one event")?;
    }
    report.same_event = links.len();
    Ok((tx, report))
}

/// Makes an import lasting.
pub(super) async fn committed(tx: Tx) -> Result<()> {
    failpoint::reached("import-before-commit");
    tx.commit().await.context("saving the import")?;
    failpoint::reached("import-after-commit");
    Ok(())
}

/// Reports from other sources that are probably the same events as the new ones. A link holds from the moment both
/// reports were known, so that a replay sees it when a night of that time could have seen it.
async fn same_events(
    store: &Store,
    read: &ImportedFile,
    compared: &Compared,
    now: DateTime<Utc>,
) -> Result<Vec<LinkedEvent>> {
    let source = &compared.report.record.source;
    if !store.has_another_source(source).await? {
        return Ok(Vec::new());
    }
    let new: Vec<Incident> = compared.new.iter().map(|(row, _)| read.incidents[*row].clone()).collect();
    let began = || new.iter().map(|incident| incident.occurred_from);
    let (Some(first), Some(last)) = (began().min(), began().max()) else { return Ok(Vec::new()) };
    let around = TimeDelta::days(import::NEAR_DAYS);
    let between = (first - around, last + around);
    // Two reports of one source are never one event: of its own only what is corrected is looked at.
    let until = now + TimeDelta::days(1);
    let others = store.incidents_between(between, source, until).await;
    let mut known = others.context("loading what other sources told")?;
    let own = store.incidents_of(&compared.known_before, until).await;
    known.extend(own.context("loading what is corrected")?);
    let linked = store.same_events().await.context("loading which reports are linked")?;
    let second: HashSet<Uuid> =
        linked.iter().filter(|link| link.undone_at.is_none()).map(|link| link.also).collect();
    known.retain(|incident| !second.contains(&incident.id));
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

/// The versions that say something new, and what became of each incident, in their order. A version that says what the
/// version before it says adds nothing; one that says something else at an instant that is taken became known only now.
fn sort(
    read: &mut [Incident],
    known: Vec<KnownVersion>,
    now: DateTime<Utc>,
) -> (Vec<(usize, String)>, Vec<RowOutcome>) {
    let mut history: HashMap<Uuid, BTreeMap<DateTime<Utc>, String>> = HashMap::new();
    for version in known {
        history.entry(version.id).or_default().insert(version.known_at, version.content);
    }
    let mut outcomes = vec![RowOutcome::Unchanged; read.len()];
    let mut new = Vec::new();
    let mut order: Vec<usize> = (0..read.len()).collect();
    order.sort_by_key(|place| read[*place].known_at);
    for place in order {
        let incident = &mut read[place];
        let content = import::hex(&import::content_hash(incident));
        let before = history.entry(incident.id).or_default();
        let same =
            |version: Option<(&DateTime<Utc>, &String)>| version.is_some_and(|(_, said)| *said == content);
        if same(before.range(..=incident.known_at).next_back())
            || before.get(&incident.known_at).is_some() && same(before.iter().next_back())
        {
            continue;
        }
        while before.contains_key(&incident.known_at) {
            incident.known_at = now.max(incident.known_at + TimeDelta::microseconds(1));
        }
        outcomes[place] = if before.is_empty() { RowOutcome::Added } else { RowOutcome::Changed };
        before.insert(incident.known_at, content.clone());
        new.push((place, content));
    }
    (new, outcomes)
}
