//! Which files were imported, and the rows that could not be used.

use super::{Result, Store, StoreError, Tx, from_object, object};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;
use uuid::Uuid;

statements! {
    ADD_IMPORT = "INSERT INTO import_file (id, source, file_name, header, sha256, imported_at, row_count, added, changed,
            unchanged, rejected, known_from)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    IMPORTS = "SELECT id, source, file_name, header, sha256, imported_at, row_count, added, changed, unchanged, rejected,
            known_from FROM import_file ORDER BY imported_at, id";
    IMPORT_BY_ID = "SELECT id, source, file_name, header, sha256, imported_at, row_count, added, changed, unchanged, rejected,
            known_from FROM import_file WHERE id = $1";
    IMPORT_COUNT = "SELECT COUNT(*) FROM import_file";
    TELLING_OF = "SELECT COUNT(*) FROM import_file WHERE known_from < $1";
    SEEN_BEFORE = "SELECT MAX(imported_at) FROM import_file WHERE source = $1 AND sha256 = $2";
    IMPORT_TURN = "INSERT INTO turn (name, times) VALUES ($1, 1)
        ON CONFLICT (name) DO UPDATE SET times = turn.times + 1";
    REJECTS_PAGE = "SELECT line, body FROM reject WHERE import_id = $1 ORDER BY position LIMIT $2 OFFSET $3";
    REJECTS = "SELECT line, body FROM reject WHERE import_id = $1 ORDER BY position";
}

/// One file, as it was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// Key.
    pub id: Uuid,
    /// Who supplied it.
    pub source: String,
    /// Its name, without the folder.
    pub file_name: String,
    /// Its columns, for giving rejected rows back.
    pub header: Vec<String>,
    /// A hash of its bytes.
    pub sha256: String,
    /// When.
    pub imported_at: DateTime<Utc>,
    /// Rows below the header. Every one of them is added, changed, unchanged or rejected.
    pub row_count: i64,
    /// Rows of incidents not known before.
    pub added: i64,
    /// Rows that are new versions of incidents known before.
    pub changed: i64,
    /// Rows that say what was known already.
    pub unchanged: i64,
    /// Rows that could not be used.
    pub rejected: i64,
    /// The earliest instant at which something that it told became known: long ago where the file itself says when.
    pub known_from: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
struct Row {
    id: Uuid,
    source: String,
    file_name: String,
    header: serde_json::Value,
    sha256: String,
    imported_at: DateTime<Utc>,
    row_count: i64,
    added: i64,
    changed: i64,
    unchanged: i64,
    rejected: i64,
    known_from: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for ImportRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let header: Header = from_object(row.header, "header of an import")?;
        Ok(Self {
            id: row.id,
            source: row.source,
            file_name: row.file_name,
            header: header.columns,
            sha256: row.sha256,
            imported_at: row.imported_at,
            row_count: row.row_count,
            added: row.added,
            changed: row.changed,
            unchanged: row.unchanged,
            rejected: row.rejected,
            known_from: row.known_from,
        })
    }
}

/// JSON columns hold objects only.
#[derive(Serialize, Deserialize)]
struct Header {
    columns: Vec<String>,
}

/// A row that could not be used.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SavedReject {
    /// Its line in the file; the header is line 1.
    pub line: i64,
    /// Column, reason and the row itself without the columns that may not be kept.
    pub body: serde_json::Value,
}

impl Store {
    /// Every import, oldest first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn imports(&self) -> Result<Vec<ImportRecord>> {
        let rows: Vec<Row> = on!(Self, self, pool => sqlx::query_as(IMPORTS).fetch_all(pool).await?);
        rows.into_iter().map(ImportRecord::try_from).collect()
    }

    /// One import.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn import(&self, id: Uuid) -> Result<Option<ImportRecord>> {
        let row: Option<Row> =
            on!(Self, self, pool => sqlx::query_as(IMPORT_BY_ID).bind(id).fetch_optional(pool).await?);
        row.map(ImportRecord::try_from).transpose()
    }

    /// How many files were imported: while it stays the same, so does what is known.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn import_count(&self) -> Result<i64> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(IMPORT_COUNT).fetch_one(pool).await?))
    }

    /// How many imports have told of something that was known before an instant: what was known then is the same as long as this
    /// is.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn imports_telling_of(&self, instant: DateTime<Utc>) -> Result<i64> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(TELLING_OF).bind(instant).fetch_one(pool).await?))
    }

    /// When the same bytes of a source were last imported.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn seen_before(&self, source: &str, sha256: &str) -> Result<Option<DateTime<Utc>>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(SEEN_BEFORE)
            .bind(source)
            .bind(sha256)
            .fetch_one(pool)
            .await?))
    }

    /// So many of the rows that could not be used, after the first `skip`.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn some_rejects(&self, import: Uuid, limit: i64, skip: i64) -> Result<Vec<SavedReject>> {
        Ok(on!(Self, self, pool => sqlx::query_as(REJECTS_PAGE)
            .bind(import)
            .bind(limit)
            .bind(skip)
            .fetch_all(pool)
            .await?))
    }

    /// The rows of an import that could not be used, in the order of the file.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn rejects(&self, import: Uuid) -> Result<Vec<SavedReject>> {
        Ok(on!(Self, self, pool => sqlx::query_as(REJECTS).bind(import).fetch_all(pool).await?))
    }
}

impl Tx {
    /// Waits for every other import, until this transaction ends.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn take_turn_with_imports(&mut self) -> Result<()> {
        execute!(self, sqlx::query(IMPORT_TURN).bind("imports"));
        Ok(())
    }

    /// Notes an import. Its versions and rejects follow in the same transaction.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_import(&mut self, import: &ImportRecord) -> Result<()> {
        let header = object(&Header { columns: import.header.clone() }, "header of an import")?;
        execute!(
            self,
            sqlx::query(ADD_IMPORT)
                .bind(import.id)
                .bind(&import.source)
                .bind(&import.file_name)
                .bind(&header)
                .bind(&import.sha256)
                .bind(import.imported_at)
                .bind(import.row_count)
                .bind(import.added)
                .bind(import.changed)
                .bind(import.unchanged)
                .bind(import.rejected)
                .bind(import.known_from)
        );
        Ok(())
    }

    /// Keeps the rows that could not be used.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_rejects(&mut self, import: Uuid, rejects: &[SavedReject]) -> Result<()> {
        let placed: Vec<(usize, &SavedReject)> = rejects.iter().enumerate().collect();
        for chunk in placed.chunks(500) {
            on!(Self, self, tx => {
                let mut insert = QueryBuilder::new("INSERT INTO reject (import_id, line, position, body) ");
                insert.push_values(chunk, |mut row, (position, reject)| {
                    row.push_bind(import)
                        .push_bind(reject.line)
                        .push_bind(*position as i64)
                        .push_bind(&reject.body);
                });
                insert.build().execute(&mut **tx).await?;
            });
        }
        Ok(())
    }
}
