//! Moving everything from one database to another, of either kind: row by row, again and again if need be, and compared at the
//! end.

use super::{Result, Store, StoreError, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

/// Every table, those that others point to first. What only says whose turn it is, who
/// leads now, and how the tables were made, stays behind.
pub const TABLES: [&str; 33] = [
    "pack",
    "area",
    "area_link",
    "boundary",
    "mailbox",
    "import_file",
    "reject",
    "incident",
    "same_event",
    "rule_set",
    "run",
    "finding",
    "alert",
    "alert_number",
    "alert_event",
    "notice",
    "outbox",
    "answer_link",
    "pressed",
    "secret",
    "action",
    "silence",
    "data_alert",
    "cluster_night",
    "published",
    "released",
    "account",
    "session",
    "sign_in_failure",
    "audit",
    "api_token",
    "api_call",
    "restored",
];

/// Rows at a time.
const BATCH: usize = 500;

/// What a column holds: all that this program ever writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Real,
    Flag,
    Day,
    Instant,
    Key,
    Object,
}

impl Kind {
    /// As either database names it.
    fn named(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "text" => Self::Text,
            "bigint" => Self::Whole,
            "double precision" => Self::Real,
            "boolean" => Self::Flag,
            "date" => Self::Day,
            "timestamptz" | "timestamp with time zone" => Self::Instant,
            "uuid" => Self::Key,
            "jsonb" => Self::Object,
            _ => return Err(StoreError::Unreadable { what: "column" }),
        })
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(Option<String>),
    Whole(Option<i64>),
    Real(Option<f64>),
    Flag(Option<bool>),
    Day(Option<NaiveDate>),
    Instant(Option<DateTime<Utc>>),
    Key(Option<Uuid>),
    Object(Option<Value>),
}

/// A table's rows, whatever their order: how many, and the sum of their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// The sum of the first eight bytes of each row's SHA-256.
    pub hashes: u64,
}

impl Sum {
    fn add(&mut self, row: &[Cell]) {
        let digest = Sha256::digest(format!("{row:?}"));
        let own = digest.iter().take(8).fold(0_u64, |whole, byte| whole << 8 | u64::from(*byte));
        self.rows += 1;
        self.hashes = self.hashes.wrapping_add(own);
    }
}

/// The value of a column of a row, by its kind.
macro_rules! cell {
    ($row:expr, $place:expr, $kind:expr) => {
        match $kind {
            Kind::Text => Cell::Text($row.try_get($place)?),
            Kind::Whole => Cell::Whole($row.try_get($place)?),
            Kind::Real => Cell::Real($row.try_get($place)?),
            Kind::Flag => Cell::Flag($row.try_get($place)?),
            Kind::Day => Cell::Day($row.try_get($place)?),
            Kind::Instant => Cell::Instant($row.try_get($place)?),
            Kind::Key => Cell::Key($row.try_get($place)?),
            Kind::Object => Cell::Object($row.try_get($place)?),
        }
    };
}

impl Store {
    /// The columns of a table, by name with their kinds, in one order on both databases.
    async fn columns(&self, table: &str) -> Result<Vec<(String, Kind)>> {
        let told: Vec<(String, String)> = match self {
            Self::Sqlite(pool, ..) => {
                sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY name").bind(table).fetch_all(pool).await?
            }
            Self::Postgres(pool, _) => {
                sqlx::query_as(
                    "SELECT column_name::text, data_type::text FROM information_schema.columns
                     WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name COLLATE \"C\"",
                )
                .bind(table)
                .fetch_all(pool)
                .await?
            }
        };
        told.into_iter().map(|(name, kind)| Ok((name, Kind::named(&kind)?))).collect()
    }

    /// Calls `each` with every row of a table, in batches.
    async fn rows(
        &self,
        table: &str,
        columns: &[(String, Kind)],
        mut each: impl AsyncFnMut(Vec<Vec<Cell>>) -> Result<()>,
    ) -> Result<()> {
        on!(Self, self, pool => {
            let mut query = QueryBuilder::new("SELECT ");
            let mut list = query.separated(", ");
            for (name, _) in columns {
                list.push(quoted(name));
            }
            query.push(" FROM ").push(quoted(table));
            let mut batches = query.build().fetch(pool).try_chunks(BATCH);
            while let Some(rows) = batches.try_next().await.map_err(|failed| failed.1)? {
                let mut read = Vec::with_capacity(rows.len());
                for row in rows {
                    let cells: sqlx::Result<Vec<Cell>> =
                        columns.iter().enumerate().map(|(place, (_, kind))| Ok(cell!(row, place, *kind))).collect();
                    read.push(cells?);
                }
                each(read).await?;
            }
        });
        Ok(())
    }

    /// A table's rows, counted and summed.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn sum(&self, table: &str) -> Result<Sum> {
        let columns = self.columns(table).await?;
        let mut sum = Sum::default();
        self.rows(table, &columns, async |rows| {
            for row in &rows {
                sum.add(row);
            }
            Ok(())
        })
        .await?;
        Ok(sum)
    }

    /// Copies a table into another database; rows that are there already stay as they are, so it may be called again after it
    /// was broken off.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn copy_table(&self, table: &str, to: &Self) -> Result<()> {
        let columns = self.columns(table).await?;
        self.rows(table, &columns, async |rows| to.put(table, &columns, rows).await).await
    }

    async fn put(&self, table: &str, columns: &[(String, Kind)], rows: Vec<Vec<Cell>>) -> Result<()> {
        let mut tx = self.begin().await?;
        on!(Tx, &mut tx, tx => {
            let mut query = QueryBuilder::new("INSERT INTO ");
            query.push(quoted(table)).push(" (");
            let mut list = query.separated(", ");
            for (name, _) in columns {
                list.push(quoted(name));
            }
            query.push(") ").push_values(rows, |mut row, cells| {
                for cell in cells {
                    match cell {
                        Cell::Text(value) => row.push_bind(value),
                        Cell::Whole(value) => row.push_bind(value),
                        Cell::Real(value) => row.push_bind(value),
                        Cell::Flag(value) => row.push_bind(value),
                        Cell::Day(value) => row.push_bind(value),
                        Cell::Instant(value) => row.push_bind(value),
                        Cell::Key(value) => row.push_bind(value),
                        Cell::Object(value) => row.push_bind(value),
                    };
                }
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(&mut **tx).await?;
        });
        tx.commit().await
    }
}

/// A name of ours as SQL reads it, also where it is a word of the language.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
