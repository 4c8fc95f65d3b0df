//! Which files were imported, and the rows that could not be used.

use super::{Result, Store, Tx};
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use uuid::Uuid;

statements! {
    ADD_IMPORT = "INSERT INTO import_file (id, source, file_name, sha256, imported_at, row_count, added, changed,
            unchanged, rejected)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    IMPORTS = "SELECT id, source, file_name, sha256, imported_at, row_count, added, changed, unchanged, rejected
        FROM import_file ORDER BY imported_at, id";
    REJECTS = "SELECT line, body FROM reject WHERE import_id = $1 ORDER BY position";
}

/// One file, as it was imported.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ImportRecord {
    /// Key.
    pub id: Uuid,
    /// Who supplied it.
    pub source: String,
    /// Its name, without the folder.
    pub file_name: String,
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
        Ok(on!(Self, self, pool => sqlx::query_as(IMPORTS).fetch_all(pool).await?))
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
    /// Notes an import. Its versions and rejects follow in the same transaction.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_import(&mut self, import: &ImportRecord) -> Result<()> {
        execute!(
            self,
            sqlx::query(ADD_IMPORT)
                .bind(import.id)
                .bind(&import.source)
                .bind(&import.file_name)
                .bind(&import.sha256)
                .bind(import.imported_at)
                .bind(import.row_count)
                .bind(import.added)
                .bind(import.changed)
                .bind(import.unchanged)
                .bind(import.rejected)
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
