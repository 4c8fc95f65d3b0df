//! The program as it runs for weeks: the site, the nights and the sender in one process.

use crate::{
    kill_site::{Site, program},
    support::day,
};
use chrono::TimeDelta;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tension_watch::{
    clock::{Clock, SystemClock},
    store::{Run, RunOutcome, Store},
};
use uuid::Uuid;

/// As if the last night had been answered two days ago, so that the program owes one when it starts.
async fn owes_a_night(store: &Store) {
    let then = SystemClock.now() - TimeDelta::days(2);
    let run = Run {
        id: Uuid::now_v7(),
        night: day("2026-06-01"),
        tick: Some(then),
        as_known_on: then,
        started_at: then,
        finished_at: Some(then),
        outcome: RunOutcome::Done,
        rules_version: "none".into(),
        summary: serde_json::json!({}),
    };
    let mut tx = store.begin().await.unwrap();
    assert!(tx.begin_run(&run).await.unwrap());
    tx.finish_run(&run, &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Rules that were never good are no reason to be silent: the analyst is told, and the pages go on.
#[tokio::test]
async fn a_night_that_can_not_even_begin_is_told_to_the_analyst_while_the_pages_go_on() {
    let site = Site::new();
    let config = site.path.join("tension-watch.toml");
    let text = fs::read_to_string(&config).unwrap();
    let free = text.replacen("\"127.0.0.1:8080\"", "\"127.0.0.1:0\"", 1);
    assert_ne!(text, free, "{text}");
    fs::write(&config, free).unwrap();
    let store = site.store().await;
    owes_a_night(&store).await;
    fs::rename(site.path.join("rules"), site.path.join("elsewhere")).unwrap();

    let mut serving = program(&site.path, &["serve"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serving.stdout.take().unwrap()).lines();
    let address = said.next().unwrap().unwrap();
    let address = address.strip_prefix("Tension Watch listens on http://").unwrap().to_owned();
    let began = Instant::now();
    while site.server.taken().is_empty() {
        assert!(began.elapsed() < Duration::from_mins(2), "nobody is told");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let taken = site.server.taken();
    assert_eq!(taken[0].to, "analysis-team@police.invalid");
    assert!(taken[0].text.contains("The nightly run failed"), "{}", taken[0].text);
    let open = store.data_alerts().await.unwrap();
    assert_eq!(open.iter().map(|one| one.alert.identity.as_str()).collect::<Vec<_>>(), ["night-failed"]);

    let head = tokio::task::spawn_blocking(move || page(&address, "/sign-in")).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(serving.try_wait().unwrap().is_none(), "it goes on");
    let ended = Command::new("kill").arg(serving.id().to_string()).status().unwrap();
    assert!(ended.success() && serving.wait().unwrap().success(), "it ends cleanly when it is told to");
    store.close().await;
}

/// What a page answers.
fn page(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Counts of what has to keep moving, without signing in and at an address of its own; nothing of any incident.
#[tokio::test]
async fn what_watches_the_site_reads_counts_and_nothing_of_an_incident() {
    let site = Site::new();
    let config = site.path.join("tension-watch.toml");
    let text = fs::read_to_string(&config).unwrap();
    let free = text.replacen("\"127.0.0.1:8080\"", "\"127.0.0.1:0\"", 1);
    fs::write(&config, format!("{free}\n[metrics]\nlisten = \"127.0.0.1:0\"\n")).unwrap();
    let row = "reference,known_at,class,status,categories,occurred_from,easting,northing\n\
               CANARY-7,2026-06-02T02:00:00Z,crime,confirmed,race,2026-06-01,458500,304500\n\
               CANARY-8,2026-06-02T02:00:00Z,crime,confirmed,rage,2026-06-01,458500,304500\n";
    fs::write(site.path.join("one.csv"), row).unwrap();
    let imported = program(&site.path, &["import", "incidents", "one.csv", "--source", "police"]).output();
    assert!(imported.unwrap().status.success());

    let mut serving = program(&site.path, &["serve"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serving.stdout.take().unwrap()).lines();
    let mut address = |before: &str| {
        let line = said.next().unwrap().unwrap();
        line.strip_prefix(before).unwrap_or_else(|| panic!("{line}")).to_owned()
    };
    let counts = address("Counts for Prometheus: http://").trim_end_matches("/metrics").to_owned();
    let pages = address("Tension Watch listens on http://");
    let asked = tokio::task::spawn_blocking(move || {
        assert!(page(&pages, "/sign-in").starts_with("HTTP/1.1 200"));
        assert!(page(&pages, "/answer/SECRET-OF-A-LINK").contains("x-request-id: "));
        assert!(page(&pages, "/ready").contains("ready"));
        assert!(page(&pages, "/metrics").starts_with("HTTP/1.1 404"), "readers' address has none");
        assert!(page(&counts, "/ready").starts_with("HTTP/1.1 200"));
        let began = Instant::now();
        loop {
            let told = page(&counts, "/metrics");
            if told.contains("tension_watch_leader 1.0") || began.elapsed() > Duration::from_mins(1) {
                return told;
            }
        }
    });
    let told = asked.await.unwrap();
    for line in [
        "tension_watch_leader 1.0",
        "tension_watch_store_up 1.0",
        "tension_watch_http_requests_total{route=\"/sign-in\",method=\"GET\",status=\"200\"} 1",
        "tension_watch_import_rows{source=\"police\",outcome=\"new\"} 351.0",
        "tension_watch_import_rows{source=\"police\",outcome=\"rejected\"} 1.0",
        "tension_watch_outbox_oldest_seconds 0.0",
        "tension_watch_process_resident_memory_bytes ",
        "tension_watch_store_wal_bytes ",
        "# EOF",
    ] {
        assert!(told.contains(line), "{line} is missing:\n{told}");
    }
    for secret in ["CANARY", "SECRET", "rage"] {
        assert!(!told.contains(secret), "{secret}:\n{told}");
    }
    let ended = Command::new("kill").arg(serving.id().to_string()).status().unwrap();
    assert!(ended.success() && serving.wait().unwrap().success());
}
