//! All SQL: one text for SQLite and PostgreSQL.
//!
//! In: model values. Out: model values. No judgement is made here.
//!
//! # Adding a statement
//!
//! 1. Put its text into the `statements!` of the file it belongs to; `tests/store.rs` prepares it on both databases.
//! 2. Bind only `Uuid`, text, `i64`, `f64`, `bool`, `NaiveDate`, `DateTime<Utc>` and JSON objects. Times are always
//!    bound, never asked of the database.
//! 3. What reads and then writes runs in a [`Tx`].

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* const $name: &str = $text;)*
        /// Every statement of this file, by name, for the test that prepares them all.
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

/// One SQL text, one body, compiled once for each database.
macro_rules! on {
    ($kind:ident, $target:expr, $db:ident => $body:expr) => {
        match $target {
            $kind::Sqlite($db, ..) => $body,
            $kind::Postgres($db, ..) => $body,
        }
    };
}

/// Runs a statement in a [`Tx`] and tells how many rows it touched.
macro_rules! execute {
    ($tx:expr, $query:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => $query.execute(&mut **tx).await?.rows_affected(),
            $crate::store::Tx::Postgres(tx) => $query.execute(&mut **tx).await?.rows_affected(),
        }
    };
}

mod accounts;
mod actions;
mod alerts;
mod answers;
mod areas;
mod audit;
mod backup;
mod clusters;
mod data_alerts;
mod erase;
mod imports;
mod incidents;
mod leader;
mod measured;
mod migrate;
mod outbox;
mod published;
mod rules;
mod runs;
mod sessions;
mod silences;
mod threads;
mod tokens;
mod turns;
mod versions;

pub use accounts::Account;
pub use alerts::AlertEvent;
pub use answers::AnswerLink;
pub use areas::WardShape;
pub use audit::AuditEntry;
pub use backup::{Contents, copy_sqlite, is_new, looked_through, postgres_database, postgres_environment};
pub use data_alerts::SavedDataAlert;
pub use erase::Erasable;
pub use imports::{ImportRecord, SavedReject};
pub use incidents::{KnownVersion, LinkedEvent, NewVersion};
pub use leader::{Fence, LeaderSeen};
pub use measured::{ImportedRows, Measured};
pub use migrate::{Sum, TABLES};
pub use outbox::{
    Claimed, FailedMessage, MessageKind, MessageState, OutboxCount, OutboxEntry, OutboxFilter, OutboxMessage,
};
pub use published::{PublishedStore, ReleasedAlert};
pub use rules::SavedRules;
pub use runs::{JudgedNight, Run, RunOutcome};
pub use sessions::{Counted, SavedSession};
pub use silences::SavedSilence;
pub use threads::ThreadRoot;
pub use tokens::{ApiCall, ApiToken, CallClaim};
pub use versions::Known;

use sqlx::{
    ConnectOptions, Connection, PgPool, Postgres, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::PathBuf, str::FromStr, time::Duration};
use turns::{Turn, Turns};

/// What is asked of PostgreSQL for each connection. A statement that takes longer is ended: nothing that a page asks may hold
/// the server up for ever. A machine that is gone, or stands still within a transaction, keeps its locks no longer than this:
/// another one waits for them.
const LIMITS: [(&str, &str); 6] = [
    ("statement_timeout", "300s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "2"),
    ("tcp_keepalives_interval", "1"),
    ("tcp_keepalives_count", "2"),
    ("tcp_user_timeout", "4000"),
];

/// The tables of the schema that this program would work in.
const PG_TABLES: &str =
    "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The database could not do what was asked. The cause is for the log; people are told what it means for them.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no, or could not be reached.
    #[error("the database did not answer as expected")]
    Database(#[source] sqlx::Error),
    /// Nothing was heard of it for too long.
    #[error("the database did not answer in time")]
    Silent,
    /// There is no room left where the database is.
    #[error("the disk of the database is full; nothing of this was kept. Make room, then do it again")]
    Full,
    /// The database may only be read.
    #[error(
        "the database may not be written to; see to the rights of its file and folder, or of its account"
    )]
    ReadOnly,
    /// The tables could not be made or brought up to date.
    #[error("the tables of the database could not be brought up to date")]
    Migration(sqlx::migrate::MigrateError),
    /// Its tables are those of a later version.
    #[error(
        "the database was made by a newer version of this program; install that version, or restore a backup of before"
    )]
    Newer,
    /// It is no database of this program.
    #[error("this is no database of Tension Watch; name another one, or an empty one, in [store]")]
    NotOurs,
    /// The file is not whole.
    #[error("the database is damaged; restore a backup: `tension-watch restore FILE`")]
    Damaged,
    /// A row holds something that this version does not know.
    #[error("the database holds a {what} that this version cannot read")]
    Unreadable {
        /// What kind of thing.
        what: &'static str,
    },
    /// A leader of the engine wrote after its term had ended; nothing of it is kept.
    #[error("another machine runs the engine by now; nothing was written")]
    Deposed,
    /// A file beside the database can't be used.
    #[error("a file beside the database can't be used")]
    File(#[from] std::io::Error),
    /// Lines of the audit log were not written; the log of the program says why.
    #[error("the audit log could not be written")]
    Unrecorded,
    /// The address is neither a SQLite file nor a PostgreSQL address.
    #[error("`{0}` is not a database address; write sqlite:FILE or postgres://USER@HOST/NAME")]
    Address(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLite's FULL and READONLY, the latter also with a reason behind it; PostgreSQL's own codes for the same.
        match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
            Some("13" | "53100") => Self::Full,
            Some("8" | "264" | "520" | "776" | "1032" | "1288" | "1544" | "25006") => Self::ReadOnly,
            _ => Self::Database(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(_) => Self::Newer,
            other => Self::Migration(other),
        }
    }
}

/// What every function here returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A database: SQLite for one machine, PostgreSQL when several share the work.
#[derive(Debug, Clone)]
pub enum Store {
    /// One file, which one writes at a time.
    Sqlite(SqlitePool, Turns, Fence),
    /// A server.
    Postgres(PgPool, Fence),
}

/// A write transaction; rolled back unless committed.
pub enum Tx {
    /// On SQLite.
    Sqlite(Turn),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Opens a database by its address, makes the SQLite file when there is none, and brings the tables up to date.
    ///
    /// # Errors
    ///
    /// When the address is not understood, the database cannot be reached, or its tables belong to a newer version.
    pub async fn open(address: &str) -> Result<Self> {
        if address.starts_with("sqlite:") {
            // What was acknowledged is on the disk (FULL); what was erased is gone from it (secure_delete).
            let options = SqliteConnectOptions::from_str(address)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(turns::PATIENCE)
                // 8 MB of pages for each connection, and 24 MB for all together: the system keeps the file in its own memory
                // as far as it has room, and a page costs little to fetch from there.
                .pragma("cache_size", "-8192")
                .pragma("soft_heap_limit", "25165824")
                // Rows cross from the database's thread to ours in batches: a night reads them all.
                .row_buffer_size(2_000)
                .pragma("secure_delete", "ON")
                .pragma("trusted_schema", "OFF");
            let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
            let pool = pool.map_err(backup::not_ours)?;
            backup::ours(&mut *pool.acquire().await?).await?;
            MIGRATIONS.run(&pool).await?;
            Ok(Self::Sqlite(pool, Turns::default(), Fence::default()))
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            // Making an index of a large table may take longer than any other statement: tables are brought up to date by a
            // connection of their own.
            let options = PgConnectOptions::from_str(address)?;
            let mut alone = options.connect().await?;
            let tables: Vec<String> = sqlx::query_scalar(PG_TABLES).fetch_all(&mut alone).await?;
            if !tables.is_empty() && tables.iter().all(|name| name != "_sqlx_migrations") {
                return Err(StoreError::NotOurs);
            }
            MIGRATIONS.run(&mut alone).await?;
            alone.close().await?;
            let limited = options.options(LIMITS);
            let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(10));
            Ok(Self::Postgres(pool.connect_with(limited).await?, Fence::default()))
        } else {
            Err(StoreError::Address(address.chars().take(20).collect()))
        }
    }

    /// Begins a write. SQLite takes the write lock at once: a transaction that reads first and then writes would
    /// otherwise fail when two of them meet.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or stays locked.
    pub async fn begin(&self) -> Result<Tx> {
        let (mut tx, fence) = match self {
            Self::Sqlite(pool, turns, fence) => (Tx::Sqlite(turns.begin(pool).await?), fence),
            Self::Postgres(pool, fence) => (Tx::Postgres(pool.begin().await?), fence),
        };
        fence.check(&mut tx).await?;
        Ok(tx)
    }

    /// The same database by a single connection of its own, which nobody else waits for.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn apart(&self) -> Result<Self> {
        Ok(match self {
            Self::Sqlite(..) => self.clone(),
            Self::Postgres(pool, fence) => {
                let own = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(2));
                Self::Postgres(own.connect_with((*pool.connect_options()).clone()).await?, *fence)
            }
        })
    }

    /// A file beside a SQLite database, for locks between programs on its machine; none for a server.
    #[must_use]
    pub fn lock_file(&self) -> Option<PathBuf> {
        let Self::Sqlite(pool, ..) = self else { return None };
        let mut path = pool.connect_options().get_filename().as_os_str().to_owned();
        path.push("-engine");
        Some(path.into())
    }

    /// Closes every connection; what was committed stays.
    pub async fn close(&self) {
        on!(Self, self, pool => pool.close().await);
    }

    /// Every statement by file and name, for the test that prepares them on both databases.
    pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
        [
            accounts::STATEMENTS,
            actions::STATEMENTS,
            alerts::STATEMENTS,
            answers::STATEMENTS,
            areas::STATEMENTS,
            audit::STATEMENTS,
            backup::STATEMENTS,
            clusters::STATEMENTS,
            data_alerts::STATEMENTS,
            erase::STATEMENTS,
            imports::STATEMENTS,
            incidents::STATEMENTS,
            leader::STATEMENTS,
            measured::STATEMENTS,
            outbox::STATEMENTS,
            published::STATEMENTS,
            rules::STATEMENTS,
            runs::STATEMENTS,
            sessions::STATEMENTS,
            silences::STATEMENTS,
            threads::STATEMENTS,
            tokens::STATEMENTS,
            versions::STATEMENTS,
        ]
        .into_iter()
        .flatten()
        .copied()
    }
}

impl Tx {
    /// Makes it lasting.
    ///
    /// # Errors
    ///
    /// When the database cannot; then nothing of it has happened.
    pub async fn commit(self) -> Result<()> {
        on!(Self, self, tx => tx.commit().await?);
        Ok(())
    }
}

/// The text that stands for a value of one of the model's enums.
fn text<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        _ => Err(StoreError::Unreadable { what }),
    }
}

/// The value that a text stands for.
fn value<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| StoreError::Unreadable { what })
}

/// A value as a JSON object.
fn object<T: serde::Serialize>(value: &T, what: &'static str) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|_| StoreError::Unreadable { what })
}

/// The value in a JSON object.
fn from_object<T: serde::de::DeserializeOwned>(body: serde_json::Value, what: &'static str) -> Result<T> {
    serde_json::from_value(body).map_err(|_| StoreError::Unreadable { what })
}
