//! What the tests stand on: both databases, the real ones.

pub mod clock;
pub mod postgres;
pub mod smtp;
pub mod visitor;

use postgres::Postgres;
use tension_watch::store::Store;

/// A database of each kind, empty, gone with this value.
pub struct Stores {
    /// SQLite first, then PostgreSQL; with the name for messages.
    pub each: Vec<(&'static str, Store)>,
    _folder: tempfile::TempDir,
    _server: Postgres,
}

/// Opens a SQLite file and starts a PostgreSQL server of its own.
pub async fn stores() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start();
    let sqlite = Store::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.unwrap();
    let postgres = Store::open(&server.address()).await.unwrap();
    Stores { each: vec![("sqlite", sqlite), ("postgres", postgres)], _folder: folder, _server: server }
}

/// An instant, from RFC 3339.
pub fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

/// A day, from ISO 8601.
pub fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}
