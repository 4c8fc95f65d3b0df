//! Everything from one kind of database into the other, and back.

use crate::{
    nights::{county, incidents, night, read, rules, shipped},
    support::postgres::Postgres,
};
use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output},
};
use tension_watch::store::{Store, TABLES};

fn moved(folder: &Path, from: &str, to: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_tension-watch");
    Command::new(program).current_dir(folder).args(["migrate-store", from, to]).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_moves_to_a_server_and_back_and_nothing_differs() {
    let server = Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let (old, there, back) = (file("old.db"), server.address(), file("back.db"));
    let store = Store::open(&old).await.unwrap();
    let engine = county(&store).await;
    read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
    let chosen = tempfile::tempdir().unwrap();
    std::fs::copy(shipped().join("race-week-spike.toml"), chosen.path().join("race.toml")).unwrap();
    let in_force = rules(&engine, chosen.path()).await;
    night(&engine, &in_force, "2026-06-29").await;

    // No table is forgotten.
    let Store::Sqlite(pool, ..) = &store else { panic!("not SQLite") };
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            .fetch_all(pool)
            .await
            .unwrap();
    let moving: BTreeSet<&str> =
        TABLES.into_iter().chain(["turn", "leader", "heartbeat", "_sqlx_migrations"]).collect();
    assert_eq!(names.iter().map(String::as_str).collect::<BTreeSet<_>>(), moving);

    // Broken off after a part, and begun again.
    let server_store = Store::open(&there).await.unwrap();
    for table in &TABLES[..8] {
        store.copy_table(table, &server_store).await.unwrap();
    }
    let contents = store.contents().await.unwrap();
    assert!(contents.incidents > 300 && contents.alerts > 0 && contents.messages > 0, "{contents:?}");
    for (from, to) in [(&old, &there), (&there, &back)] {
        let output = moved(folder.path(), from, to);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("and equal"), "{told}");
    }
    let again = Store::open(&back).await.unwrap();
    assert_eq!(again.contents().await.unwrap(), contents);
    for table in TABLES {
        assert_eq!(again.sum(table).await.unwrap(), store.sum(table).await.unwrap(), "{table}");
    }
    assert!(store.sum("incident").await.unwrap().rows > 300);

    // A new database that holds something else is told apart.
    let mut tx = again.begin().await.unwrap();
    tx.abandon_runs("2026-07-01T00:00:00Z".parse().unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    again.secret("another", "secret").await.unwrap();
    let output = moved(folder.path(), &old, &back);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("secret (0 rows, 1 in the new one)"), "{told}");
    let nothing = moved(folder.path(), &file("nothing.db"), &back);
    assert!(nothing.status.code() == Some(2) && !folder.path().join("nothing.db").exists());
}
