//! Accounts changed on the command line: their sessions die, and the audit log says so.

use crate::support::at;
use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};
use tension_watch::store::{AuditEntry, SavedSession, Store};

fn run(site: &Path, arguments: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tension-watch"))
        .current_dir(site)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks nothing may have ended before it is told.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

async fn sign_in(store: &Store, id: &str) {
    let now = at("2026-06-30T08:00:00Z");
    let body = serde_json::json!({"account": "lead"});
    let session = SavedSession { id: id.into(), account: "lead".into(), body, started_at: now, seen_at: now };
    assert!(store.new_session(&session).await.unwrap());
}

#[tokio::test]
async fn accounts_change_on_the_command_line_and_the_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    assert!(run(site, &["init", "--dir", "."], "").status.success());
    let add = ["user", "add", "lead", "--role", "csp_coordinator", "--area", "csp/charnwood"];
    let output = run(site, &add, "a password of the test\n");
    assert!(output.status.success(), "{}", said(&output));
    let store = Store::open(&format!("sqlite:{}", site.join("tension-watch.db").display())).await.unwrap();
    let before = at("2026-06-01T00:00:00Z");
    for (id, command) in
        [("a", &["user", "add", "lead", "--role", "analyst"][..]), ("b", &["user", "remove", "lead"])]
    {
        sign_in(&store, id).await;
        let output = run(site, command, "another password of it\n");
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(store.session(id, before, before).await.unwrap(), None, "{command:?} ends its sessions");
    }
    let listed = said(&run(site, &["user", "list"], ""));
    assert!(listed.contains("admin") && !listed.contains("lead"), "{listed}");
    let output = run(site, &["user", "remove", "lead"], "");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));

    let log = ["audit", "list", "--since", "2026-01-01"];
    let text = said(&run(site, &log, ""));
    for line in [
        "account added lead as csp_coordinator of csp/charnwood: done",
        "account changed lead as analyst of the whole county: done",
        "account removed lead: done",
    ] {
        assert!(text.contains(line) && text.contains("(command line)"), "{text}");
    }
    assert!(!text.contains("password of"), "{text}");
    let only = said(&run(site, &[&log[..], &["--account", "nobody"]].concat(), ""));
    assert_eq!(only.trim(), "nothing is recorded for this");
    let json = said(&run(site, &[&log[..], &["--json"]].concat(), ""));
    let entries: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(entries.as_array().unwrap().len(), 3);
    let future = run(site, &["audit", "list", "--since", "2999-01-01"], "");
    assert_eq!(future.status.code(), Some(2), "{}", said(&future));
}

#[tokio::test]
async fn the_audit_log_is_the_same_on_both_databases() {
    for (database, store) in &crate::support::stores().await.each {
        let now = at("2026-06-30T08:00:00Z");
        let entry = |n: i64, account: &str| AuditEntry {
            at: now + chrono::Duration::minutes(n),
            account: account.into(),
            role: "analyst".into(),
            what: "hotspot page".into(),
            about: "/".into(),
            outcome: "shown".into(),
        };
        for n in 0..5 {
            store.add_audit(&[entry(n, if n == 3 { "b" } else { "a" })]).await.unwrap();
        }
        let later = now + chrono::Duration::hours(1);
        let all = store.audit(now, later, None, 2, 1).await.unwrap();
        assert_eq!(all, [entry(3, "b"), entry(2, "a")], "{database}: the newest first");
        assert_eq!(store.audit(now, later, Some("b"), 10, 0).await.unwrap(), [entry(3, "b")], "{database}");
        let none = store.audit(later, later, None, 10, 0).await.unwrap();
        assert!(none.is_empty(), "{database}");
    }
}
