//! A copy made while the site works, the loss of everything, and the way back, on both databases.

use crate::{
    nights::{county, incidents, read, rules, shipped},
    support::{at, day, postgres::Postgres},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tension_watch::{
    clock::{Clock, SystemClock},
    stages::night::{Engine, When},
    store::{MessageState, OutboxFilter, Store},
};

fn tension_watch(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tension-watch");
    Command::new(program).current_dir(folder).args(arguments).output().unwrap()
}

fn done(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn configured(folder: &Path, address: &str) {
    let text = format!(
        "[store]\naddress = \"{address}\"\n[mail]\nfrom = \"watch@llr.invalid\"\ntransport = {{ kind = \"file\", folder = \"mail\" }}\n"
    );
    fs::create_dir_all(folder.join("mail")).unwrap();
    fs::write(folder.join("tension-watch.toml"), text).unwrap();
}

fn private(folder: &Path) -> PathBuf {
    let private = folder.join("backups");
    fs::create_dir(&private).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
    private
}

/// Judges the night of seven incidents by a rule, as of a tick.
async fn judged(engine: &Engine, rule: &str, tick: DateTime<Utc>) {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(shipped().join(rule), folder.path().join(rule)).unwrap();
    let rules = rules(engine, folder.path()).await;
    let as_known_on = at("2026-06-30T03:30:00Z");
    let when = When { night: day("2026-06-29"), as_known_on, now: as_known_on, tick: Some(tick) };
    engine.night(when, &rules).await.unwrap();
}

async fn in_state(store: &Store, state: MessageState) -> usize {
    let filter = OutboxFilter { state: Some(state), ..OutboxFilter::default() };
    store.outbox(&filter, 100).await.unwrap().len()
}

fn mails(folder: &Path) -> usize {
    fs::read_dir(folder.join("mail")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_comes_back_and_mails_nothing_twice() {
    let server = Postgres::start();
    for database in ["sqlite", "postgres"] {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path();
        let sqlite = format!("sqlite:{}", site.join("watch.db").display());
        let address = if database == "sqlite" { sqlite.clone() } else { server.address() };
        configured(site, &address);
        let store = Store::open(&address).await.unwrap();
        let engine = county(&store).await;
        read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
        let first = at("2026-06-30T03:30:00Z");
        judged(&engine, "race-week-spike.toml", first).await;
        let waiting = in_state(&store, MessageState::Waiting).await;
        assert!(waiting > 0, "{database}");
        let before = store.contents().await.unwrap();

        // While it works; only where nobody else reads.
        let told = refused(&tension_watch(site, &["backup", "--out", "open.db"]));
        assert!(told.contains("chmod 700") && !site.join("open.db").exists(), "{told}");
        let copy = private(site).join("copy");
        let out = copy.display().to_string();
        done(&tension_watch(site, &["backup", "--out", &out]));
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600, "{database}");
        assert!(refused(&tension_watch(site, &["backup", "--out", &out])).contains("can't be made"));
        let piped = tension_watch(site, &["backup", "--out", "-"]);
        done(&piped);
        assert!(piped.stdout.len() > 10_000, "{database}: {}", piped.stdout.len());

        // The mails leave, and then everything is lost.
        done(&tension_watch(site, &["outbox", "send"]));
        assert_eq!(mails(site), waiting, "{database}");
        let restored =
            if database == "sqlite" {
                assert!(refused(&tension_watch(site, &["restore", &out])).contains("--replace"));
                store.close().await;
                done(&tension_watch(site, &["restore", &out, "--replace"]));
                assert!(fs::read_dir(site).unwrap().any(|file| {
                    file.unwrap().file_name().to_string_lossy().starts_with("watch.db.before-")
                }));
                address
            } else {
                assert!(refused(&tension_watch(site, &["restore", &out])).contains("not empty"));
                store.close().await;
                let restored = address.replace("/postgres", "/restored");
                server.query("CREATE DATABASE restored");
                configured(site, &restored);
                let told = done(&tension_watch(site, &["restore", &out]));
                assert!(told.contains("held"), "{told}");
                restored
            };

        // All of it is there; what had left since does not leave again, nor what the lost night is judged to once more.
        let store = Store::open(&restored).await.unwrap();
        assert_eq!(store.contents().await.unwrap(), before, "{database}");
        assert_eq!(in_state(&store, MessageState::Held).await, waiting, "{database}");
        let engine = county(&store).await;
        judged(&engine, "race-week-spike.toml", first + TimeDelta::days(1)).await;
        done(&tension_watch(site, &["outbox", "send"]));
        assert_eq!(mails(site), waiting, "{database}: nothing twice");

        // The first night that is due after the restore tells people again.
        judged(&engine, "any-ward-month-spike.toml", SystemClock.now() + TimeDelta::hours(1)).await;
        assert!(in_state(&store, MessageState::Waiting).await > 0, "{database}: told again");
        let told = done(&tension_watch(site, &["outbox", "retry", "--all-held"]));
        assert!(told.is_empty() || !told.contains("panicked"), "{told}");
        store.close().await;
    }
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    assert!(tension_watch(site, &["init"]).status.success());
    let mode = |name: &str| fs::metadata(site.join(name)).unwrap().permissions().mode() & 0o077;
    for name in ["tension-watch.db", "tension-watch.toml", "inbox", "mail", "rules"] {
        assert_eq!(mode(name), 0, "{name} is nobody else's");
    }
    fs::write(site.join("text"), "not a database at all, but a text that is long enough to look at").unwrap();
    let scripted = |name: &str, statement: &str| {
        let store = Command::new("python3")
            .args([
                "-c",
                "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])",
                name,
                statement,
            ])
            .current_dir(site)
            .stderr(Stdio::inherit())
            .status();
        assert!(store.unwrap().success());
    };
    scripted("other.db", "CREATE TABLE songs (name TEXT);");
    // The file of a site may have a part of it in its log: a copy is whole.
    let copy = private(site).join("copy.db");
    done(&tension_watch(site, &["backup", "--out", &copy.display().to_string()]));
    let before = fs::read(site.join("tension-watch.db")).unwrap();
    fs::copy(&copy, site.join("newer.db")).unwrap();
    scripted(
        "newer.db",
        "INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', TRUE, x'00', 1);",
    );
    let whole = fs::read(&copy).unwrap();
    fs::write(site.join("half.db"), &whole[..whole.len() / 2]).unwrap();
    let restore = |name: &str| refused(&tension_watch(site, &["restore", name, "--replace"]));
    for (name, why) in [
        ("text", "no database of Tension Watch"),
        ("other.db", "no database of Tension Watch"),
        ("newer.db", "newer version"),
        ("half.db", "damaged"),
        ("nothing", "did not answer"),
    ] {
        let told = restore(name);
        assert!(told.contains(why), "{name}: {told}");
    }
    assert_eq!(fs::read(site.join("tension-watch.db")).unwrap(), before);

    // The same as the database of a site: told, with what to do.
    for (name, why) in
        [("other.db", "no database of Tension Watch"), ("newer.db", "newer version"), ("text", "no database")]
    {
        configured(site, &format!("sqlite:{name}"));
        let output = tension_watch(site, &["outbox", "list"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(why), "{name}: {told}");
    }
}
