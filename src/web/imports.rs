//! What was imported, and the rows that could not be used, to be mended and sent again.

use super::{
    Site, download,
    error::PageError,
    hotspots::{day, frame},
    reader::Reader,
    routes::Right,
};
use crate::{
    import::{Reject, rejects_csv},
    store::{ImportRecord, SavedReject},
    words::{counted, thousands},
};
use axum::{
    extract::{Path, State},
    response::{Html, Response},
};
use chrono::{DateTime, Utc};
use minijinja::{Value, context};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// So many imports are listed, the latest first.
const LISTED: usize = 200;

/// So many rejected rows are shown; the file has all of them.
const SHOWN: i64 = 200;

fn line(site: &Site, import: &ImportRecord) -> Value {
    let zone = site.engine.county.pack.zone;
    let moment = |at: DateTime<Utc>| at.with_timezone(&zone).format("%-d %B %Y, %H:%M").to_string();
    let count = |rows: i64| thousands(rows.unsigned_abs());
    context! {
        id => import.id.to_string(),
        at => moment(import.imported_at),
        source => &import.source,
        file => &import.file_name,
        rows => count(import.row_count),
        added => count(import.added),
        changed => count(import.changed),
        unchanged => count(import.unchanged),
        rejected => count(import.rejected),
        any_rejected => import.rejected > 0,
    }
}

/// All of them, the latest first, with the last of each source.
pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    let mut imports = site.engine.store.imports().await?;
    imports.reverse();
    let mut sources: BTreeMap<&str, &ImportRecord> = BTreeMap::new();
    for import in &imports {
        sources.entry(&import.source).or_insert(import);
    }
    let county = &site.engine.county;
    let last = |(source, import): (&&str, &&ImportRecord)| {
        format!("{source} {}", day(county.day_of(import.imported_at)))
    };
    let rejected: i64 = sources.values().map(|import| import.rejected).sum();
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => match (imports.len(), rejected) {
                (0, _) => "Nothing has been imported yet".to_owned(),
                (_, 0) => "Every row of the latest imports was used".to_owned(),
                (_, rows) => {
                    format!("{} of the latest imports could not be used", counted(rows.unsigned_abs(), "row"))
                }
            },
            sources => sources.iter().map(last).collect::<Vec<_>>(),
            lines => imports.iter().take(LISTED).map(|import| line(&site, import)).collect::<Vec<Value>>(),
            more => imports.len() > LISTED,
            listed => LISTED,
        },
    };
    Ok(Html(site.render("imports.html", values)?))
}

async fn found(site: &Site, id: &str) -> Result<ImportRecord, PageError> {
    let id: Uuid = id.parse().map_err(|_| PageError::NotFound)?;
    site.engine.store.import(id).await?.ok_or(PageError::NotFound)
}

fn read(saved: Vec<SavedReject>) -> Result<Vec<Reject>, serde_json::Error> {
    saved.into_iter().map(|reject| serde_json::from_value(reject.body)).collect()
}

/// One import: its counts, and what was wrong with each row that could not be used, the row beside it.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let import = found(&site, &id).await?;
    let rejects = read(site.engine.store.some_rejects(import.id, SHOWN, 0).await?)?;
    // Why rows fail is mostly the same for many of them.
    let all = read(site.engine.store.rejects(import.id).await?)?;
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    for reject in &all {
        *columns.entry(reject.column.as_deref().unwrap_or("the row as a whole")).or_default() += 1;
    }
    let reject = |reject: &Reject| {
        let cells: Vec<Value> = import
            .header
            .iter()
            .zip(&reject.row)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| context! { name, cell, wrong => Some(name) == reject.column.as_ref() })
            .collect();
        context! { line => reject.line, column => &reject.column, reason => &reject.reason, cells }
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => match import.rejected {
                0 => format!("Every row of {} was used", import.file_name),
                rows => format!("{} of {} could not be used", counted(rows.unsigned_abs(), "row"), import.file_name),
            },
            import => line(&site, &import),
            columns => columns.iter().map(|(column, rows)| format!("{column} ({rows})")).collect::<Vec<_>>(),
            rejects => rejects.iter().map(reject).collect::<Vec<Value>>(),
            more => import.rejected > SHOWN,
            shown => SHOWN,
            may_take => Right::Mend.allows(reader.role),
        },
    };
    Ok(Html(site.render("import.html", values)?))
}

/// The rejected rows as a file to be mended and imported again.
pub(super) async fn csv(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let import = found(&site, &id).await?;
    let rejects = read(site.engine.store.rejects(import.id).await?)?;
    let name = format!("OFFICIAL-SENSITIVE-rejects-{}.csv", import.id);
    Ok(download::file("text/csv; charset=utf-8", &name, rejects_csv(&import.header, &rejects).into_bytes()))
}
