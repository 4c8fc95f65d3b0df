//! What programs that watch the site ask for, in a handful of counts.

use super::{OutboxCount, Result, Store};
use chrono::{DateTime, Utc};

statements! {
    ALERTS_BY_STATE = "SELECT state, COUNT(*) FROM alert GROUP BY state ORDER BY state";
    RUNS_BY_OUTCOME = "SELECT outcome, COUNT(*) FROM run GROUP BY outcome ORDER BY outcome";
    IMPORTS_BY_SOURCE = "SELECT source, CAST(SUM(added) AS BIGINT) AS added, CAST(SUM(changed) AS BIGINT) AS changed,
            CAST(SUM(unchanged) AS BIGINT) AS unchanged, CAST(SUM(rejected) AS BIGINT) AS rejected, MAX(imported_at) AS last
        FROM import_file GROUP BY source ORDER BY source";
    OPEN_DATA_ALERTS = "SELECT COUNT(*) FROM data_alert WHERE closed_at IS NULL";
}

/// Rows of a source's files.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ImportedRows {
    /// Who supplied them.
    pub source: String,
    /// New incidents.
    pub added: i64,
    /// New versions of known ones.
    pub changed: i64,
    /// Rows that were known already.
    pub unchanged: i64,
    /// Rows that could not be used.
    pub rejected: i64,
    /// When the last file was read.
    pub last: DateTime<Utc>,
}

/// Counts of everything that has to keep moving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Alerts by the word for their state.
    pub alerts: Vec<(String, i64)>,
    /// Runs of the engine by the word for their outcome.
    pub runs: Vec<(String, i64)>,
    /// When a run was done last.
    pub last_done: Option<DateTime<Utc>>,
    /// Messages by state.
    pub messages: Vec<OutboxCount>,
    /// Since when the oldest message could leave that has not.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Rows by source.
    pub imports: Vec<ImportedRows>,
    /// Data alerts that are open.
    pub data_alerts: i64,
    /// Bytes of the database.
    pub bytes: i64,
    /// Bytes that a SQLite database has yet to take into itself.
    pub wal_bytes: Option<u64>,
}

impl Store {
    /// All of them, as of now.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn measured(&self, now: DateTime<Utc>) -> Result<Measured> {
        Ok(Measured {
            alerts: on!(Self, self, pool => sqlx::query_as(ALERTS_BY_STATE).fetch_all(pool).await?),
            runs: on!(Self, self, pool => sqlx::query_as(RUNS_BY_OUTCOME).fetch_all(pool).await?),
            last_done: self.last_finished().await?,
            messages: self.outbox_counts().await?,
            waiting_since: self.oldest_waiting(now).await?,
            imports: on!(Self, self, pool => sqlx::query_as(IMPORTS_BY_SOURCE).fetch_all(pool).await?),
            data_alerts: on!(Self, self, pool => sqlx::query_scalar(OPEN_DATA_ALERTS).fetch_one(pool).await?),
            bytes: match self {
                Self::Sqlite(pool, ..) => {
                    sqlx::query_scalar(
                        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                    )
                    .fetch_one(pool)
                    .await?
                }
                Self::Postgres(pool, _) => {
                    sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(pool).await?
                }
            },
            wal_bytes: match self {
                Self::Sqlite(pool, ..) => {
                    let mut name = pool.connect_options().get_filename().as_os_str().to_owned();
                    name.push("-wal");
                    std::fs::metadata(name).ok().map(|about| about.len())
                }
                Self::Postgres(..) => None,
            },
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn answers(&self) -> Result<()> {
        on!(Self, self, pool => sqlx::query("SELECT 1").execute(pool).await.map(|_| ())?);
        Ok(())
    }
}
