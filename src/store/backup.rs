//! Copies of a database while it works, and what a copy holds.

use super::{MIGRATIONS, PG_TABLES, Result, Store, StoreError};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use std::path::Path;

statements! {
    CONTENTS = "SELECT (SELECT COUNT(DISTINCT id) FROM incident) AS incidents, (SELECT COUNT(*) FROM alert) AS alerts,
            (SELECT COUNT(*) FROM outbox) AS messages, (SELECT MAX(night) FROM run WHERE outcome = 'done') AS last_night";
    HOLD_UNSENT = "UPDATE outbox SET state = 'held', claimed_until = NULL WHERE state IN ('waiting', 'sending')";
    NOTE_RESTORED = "INSERT INTO restored (at) VALUES ($1)";
    SIGN_EVERYBODY_OUT = "DELETE FROM session";
}

/// What a database holds, for people who compare it with what they expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Contents {
    /// Incidents, each once.
    pub incidents: i64,
    /// Alerts.
    pub alerts: i64,
    /// Messages, sent or not.
    pub messages: i64,
    /// The last night that was judged.
    pub last_night: Option<NaiveDate>,
}

impl Store {
    /// What it holds.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn contents(&self) -> Result<Contents> {
        Ok(on!(Self, self, pool => sqlx::query_as(CONTENTS).fetch_one(pool).await?))
    }

    /// Notes that this database was restored from a copy: what had not been sent when the copy was made is held, because it
    /// may have been sent since; so is what is written up to the next night (the outbox sees to it). Everybody signs in
    /// once more. How many messages are held.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn note_restored(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let held = execute!(&mut tx, sqlx::query(HOLD_UNSENT));
        execute!(&mut tx, sqlx::query(NOTE_RESTORED).bind(now));
        execute!(&mut tx, sqlx::query(SIGN_EVERYBODY_OUT));
        tx.commit().await?;
        Ok(held)
    }
}

/// Copies a SQLite database as it is at one instant into a file that is not there or empty, while others write (VACUUM INTO,
/// SQLite's documentation). The tables stay those of the version that made them: a copy may be wanted before an upgrade.
///
/// # Errors
///
/// As [`StoreError`] says; what was written of the file may be thrown away.
pub async fn copy_sqlite(address: &str, file: &Path) -> Result<()> {
    let name = file.to_str().ok_or(StoreError::Unreadable { what: "file name" })?;
    let mut alone = address.parse::<SqliteConnectOptions>()?.connect().await.map_err(not_ours)?;
    ours(&mut alone).await?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut alone).await?;
    alone.close().await?;
    Ok(())
}

/// What a copy of a SQLite database holds, after it was looked through.
///
/// # Errors
///
/// When it is no database, damaged, of another program, or of a newer version of this one.
pub async fn looked_through(file: &Path) -> Result<Contents> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let mut copy = options.connect().await.map_err(not_ours)?;
    ours(&mut copy).await?;
    let told: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut copy).await.map_err(not_ours)?;
    if told != "ok" {
        tracing::error!(told, "the database is damaged");
        return Err(StoreError::Damaged);
    }
    let newest: i64 =
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut copy).await?;
    if MIGRATIONS.iter().all(|own| own.version < newest) {
        return Err(StoreError::Newer);
    }
    let contents = sqlx::query_as(CONTENTS).fetch_one(&mut copy).await?;
    copy.close().await?;
    Ok(contents)
}

/// Refuses a SQLite file that holds the tables of another program.
pub(super) async fn ours(file: &mut SqliteConnection) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(file)
        .await
        .map_err(not_ours)?;
    if tables.is_empty() || tables.iter().any(|name| name == "_sqlx_migrations") {
        Ok(())
    } else {
        Err(StoreError::NotOurs)
    }
}

/// A file that is no database at all is told apart from one that can't be read.
pub(super) fn not_ours(error: sqlx::Error) -> StoreError {
    // SQLITE_CORRUPT and SQLITE_NOTADB.
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("11") => StoreError::Damaged,
        Some("26") => StoreError::NotOurs,
        _ => StoreError::Database(error),
    }
}

/// Whether a PostgreSQL database holds no table yet.
///
/// # Errors
///
/// As [`StoreError`] says.
pub async fn is_new(address: &str) -> Result<bool> {
    let mut alone = address.parse::<PgConnectOptions>()?.connect().await?;
    let tables: Vec<String> = sqlx::query_scalar(PG_TABLES).fetch_all(&mut alone).await?;
    alone.close().await?;
    Ok(tables.is_empty())
}

/// The name of a PostgreSQL database.
///
/// # Errors
///
/// When the address is not understood.
pub fn postgres_database(address: &str) -> Result<String> {
    let options: PgConnectOptions = address.parse()?;
    Ok(options.get_database().unwrap_or_else(|| options.get_username()).to_owned())
}

/// How PostgreSQL's own programs reach a server: names of their environment, and what they are to hold. Nothing of it stands in
/// a list of processes.
///
/// # Errors
///
/// When the address is not understood.
pub fn postgres_environment(address: &str) -> Result<Vec<(&'static str, String)>> {
    let options: PgConnectOptions = address.parse()?;
    let socket = options.get_socket().map(|path| path.display().to_string());
    let mut told = vec![
        ("PGHOST", socket.unwrap_or_else(|| options.get_host().to_owned())),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", options.get_username().to_owned()),
    ];
    told.push(("PGDATABASE", postgres_database(address)?));
    let url: url::Url = address.parse().map_err(|_| StoreError::Address(String::new()))?;
    told.extend(url.password().map(|password| {
        ("PGPASSWORD", percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned())
    }));
    Ok(told)
}
