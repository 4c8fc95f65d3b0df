//! Programs: tokens on the command line, incidents sent once, and the whole API under a tester that somebody else wrote.

use crate::{
    nights::{county, incidents, night, read, rules, shipped},
    support::{at, stores},
};
use chrono::{NaiveTime, TimeDelta};
use chrono_tz::Europe::London;
use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tension_watch::{
    count::SeenIncident,
    import::Mapping,
    stages::{
        county::Outlines,
        import::ImportReport,
        night::Engine,
        receive::{Form, Received, Sent},
    },
    store::{ApiCall, CallClaim, Known, Store},
};
use tokio::sync::Mutex;

fn run(site: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tension-watch"))
        .current_dir(site)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

async fn site_store(site: &Path) -> Store {
    Store::open(&format!("sqlite:{}", site.join("tension-watch.db").display())).await.unwrap()
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    assert!(run(site, &["init", "--dir", "."]).status.success());
    let add = ["token", "add", "--name"];
    for (wrong, remedy) in [
        (&["a b", "--scope", "alerts:read"][..], "letters, digits"),
        (&["a", "--scope", "alerts"], "incidents:write"),
        (&["a"], "--scope"),
        (&["a", "--scope", "incidents:write"], "--source NAME"),
        (&["a", "--scope", "alerts:read", "--source", "police"], "go together"),
        (&["a", "--scope", "published:read", "--area", "csp/charnwood"], "says nothing"),
        (&["a", "--scope", "alerts:read", "--area", "csp/nowhere"], "there is no csp"),
        (&["a", "--scope", "alerts:read", "--ends", "2020-01-01"], "is over"),
    ] {
        let output = run(site, &[&add[..], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", said(&output));
        assert!(said(&output).contains(remedy), "{wrong:?}: {}", said(&output));
    }
    let made = ["feed", "--scope", "incidents:write", "--source", "police", "--ends", "2099-12-31"];
    let output = said(&run(site, &[&add[..], &made].concat()));
    let secret = output.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(secret.starts_with("tw_") && secret.len() == 67, "{output}");
    let output = run(site, &[&add[..], &made].concat());
    assert!(output.status.code() == Some(2) && said(&output).contains("another name"), "{}", said(&output));
    let wide = ["wide", "--scope", "alerts:read", "--scope", "figures:read", "--area", "csp/charnwood"];
    assert!(run(site, &[&add[..], &wide].concat()).status.success());
    let listed = said(&run(site, &["token", "list"]));
    assert!(listed.contains("ends 2099-12-31") && listed.contains("incidents:write of police"), "{listed}");
    assert!(listed.contains("alerts:read of csp/charnwood") && !listed.contains("tw_"), "{listed}");
    assert!(run(site, &["token", "revoke", "feed"]).status.success());
    assert_eq!(run(site, &["token", "revoke", "feed"]).status.code(), Some(2));
    let json = run(site, &["token", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json[0]["state"].as_str(), json[1]["state"].as_str()), (Some("revoked"), Some("good")));
    let log = said(&run(site, &["audit", "list", "--since", "2026-01-01"]));
    assert!(log.contains("token added feed with incidents:write of police: done"), "{log}");
    assert!(log.contains("token revoked feed: done") && !log.contains("tw_"), "{log}");
    // The database holds no way to call.
    for file in fs::read_dir(site).unwrap().filter_map(Result::ok).filter(|file| file.path().is_file()) {
        let bytes = fs::read(file.path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{:?}", file.path());
    }
}

fn answer(report: &ImportReport) -> serde_json::Result<String> {
    let record = &report.record;
    serde_json::to_string(&(record.id, record.added, record.changed, record.unchanged, record.rejected))
}

fn sent<'a>(key: &'a str, bytes: &'a [u8], form: Form<'a>) -> Sent<'a> {
    Sent { token: "feed", source: "police", key, bytes, form }
}

async fn receive(engine: &Engine, outlines: &Mutex<Outlines>, sent: Sent<'_>, now: &str) -> Received {
    engine.receive(outlines, &sent, at(now), answer).await.unwrap()
}

/// Some incidents as objects, from one number up to another.
fn objects(from: usize, to: usize) -> Vec<u8> {
    let one = |n| serde_json::json!({"reference": format!("S{n}"), "categories": ["race"], "occurred_from": "2026-06-01"});
    serde_json::to_vec(&(from..to).map(one).collect::<Vec<_>>()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_imported_once_on_both_databases() {
    for (database, store) in &stores().await.each {
        let engine = county(store).await;
        let outlines = Mutex::new(Outlines::default());
        let now = "2026-06-30T08:00:00Z";
        let body = objects(0, 300);
        let json = |key: &'static str| sent(key, &body, Form::Json);
        // Ten at the same moment: one is imported, the others are told to wait or get its answer.
        let calls = (0..10).map(|_| receive(&engine, &outlines, json("a"), now));
        let told = join(calls.collect()).await;
        let done: Vec<_> = told.iter().filter(|one| matches!(one, Received::Done(_))).collect();
        assert_eq!(done.len(), 1, "{database}: {told:?}");
        let Received::Done(first) = done[0] else { unreachable!() };
        for one in &told {
            assert!(
                matches!(one, Received::Done(_) | Received::UnderWay)
                    || *one == Received::Before(first.clone()),
                "{database}: {one:?}"
            );
        }
        let again = receive(&engine, &outlines, json("a"), now).await;
        assert_eq!(again, Received::Before(first.clone()), "{database}");
        let other = objects(0, 2);
        let another = receive(&engine, &outlines, sent("a", &other, Form::Json), now).await;
        assert_eq!(another, Received::Another, "{database}");
        assert_eq!(store.imports().await.unwrap().len(), 1, "{database}");

        // Other names with rows in common at the same moment: nothing is added twice, and nothing fails.
        let bodies: Vec<(String, Vec<u8>)> =
            (0..6).map(|n| (format!("b{n}"), objects(300 + n, 400 + n))).collect();
        let calls =
            bodies.iter().map(|(key, body)| receive(&engine, &outlines, sent(key, body, Form::Json), now));
        let told = join(calls.collect()).await;
        assert!(told.iter().all(|one| matches!(one, Received::Done(_))), "{database}: {told:?}");
        assert_eq!(Known::default().archive(store).await.unwrap().len(), 405, "{database}");

        // Whoever died with a claim leaves it for a minute.
        let call =
            ApiCall { token: "feed", key: "c", body_hash: "of another body", claim: uuid::Uuid::now_v7() };
        let old = at(now) - TimeDelta::days(7);
        store.claim_call(&call, at(now), at(now), old).await.unwrap();
        let theirs = receive(&engine, &outlines, json("c"), now).await;
        assert_eq!(theirs, Received::Another, "{database}");
        store.give_call_up(call.claim).await.unwrap();
        let died = engine.receive(&outlines, &sent("c", b"[{}]", Form::Json), at(now), answer).await;
        assert!(died.is_err(), "{database}");
        let done = receive(&engine, &outlines, json("c"), now).await;
        assert!(matches!(done, Received::Done(_)), "{database}: a refused call is given up");

        // After a week a name is free again; the incidents are known by then.
        let later = receive(&engine, &outlines, json("a"), "2026-07-07T08:00:01Z").await;
        let Received::Done(later) = later else { panic!("{database}: {later:?}") };
        assert!(later.ends_with(",0,0,300,0]"), "{database}: {later}");
    }
}

#[tokio::test]
async fn a_claim_is_taken_over_when_it_is_a_minute_old_and_the_first_can_answer_no_more() {
    for (database, store) in &stores().await.each {
        let now = at("2026-06-30T08:00:00Z");
        let claim = async |key: &str, claim: u128, at: chrono::DateTime<chrono::Utc>| {
            let claim = uuid::Uuid::from_u128(claim);
            let call = ApiCall { token: "feed", key, body_hash: "h", claim };
            store.claim_call(&call, at, at - TimeDelta::minutes(1), at - TimeDelta::days(7)).await.unwrap()
        };
        assert_eq!(claim("a", 1, now).await, CallClaim::Ours, "{database}");
        assert_eq!(claim("a", 2, now + TimeDelta::seconds(50)).await, CallClaim::UnderWay, "{database}");
        assert_eq!(claim("a", 3, now + TimeDelta::seconds(61)).await, CallClaim::Ours, "{database}");
        for (claim, may) in [(1_u128, false), (3, true), (3, false)] {
            let mut tx = store.begin().await.unwrap();
            let answered = tx.answer_call(uuid::Uuid::from_u128(claim), "{}").await.unwrap();
            assert_eq!(answered, may, "{database}");
            tx.commit().await.unwrap();
        }
        assert_eq!(claim("a", 4, now).await, CallClaim::Answered("{}".into()), "{database}");
    }
}

/// All of them at once, in their order.
async fn join<T>(calls: Vec<impl Future<Output = T>>) -> Vec<T> {
    use std::task::Poll;
    let mut calls: Vec<_> = calls.into_iter().map(|call| (Box::pin(call), None)).collect();
    std::future::poll_fn(|context| {
        for (call, done) in calls.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = call.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if calls.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    calls.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn json_and_csv_by_the_api_say_what_the_file_says() {
    let text = incidents();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().unwrap().clone();
    let objects: Vec<serde_json::Value> = reader
        .records()
        .map(|row| {
            let value = |(name, cell): (&str, &str)| {
                let value = match name {
                    "categories" => cell.split(';').collect::<Vec<_>>().into(),
                    "easting" | "northing" => cell.parse::<i64>().unwrap().into(),
                    _ => cell.into(),
                };
                (name.to_owned(), value)
            };
            names.iter().zip(row.unwrap().iter()).map(value).collect::<serde_json::Map<_, _>>().into()
        })
        .collect();
    let json = serde_json::to_vec(&serde_json::json!({"incidents": objects})).unwrap();
    let own = Mapping::shipped("own").unwrap();
    let now = "2026-06-30T03:00:00Z";
    let mut kept = Vec::new();
    for way in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
        let engine = county(&store).await;
        let outlines = Mutex::new(Outlines::default());
        let call = match way {
            0 => {
                read(&engine, &text, now).await;
                None
            }
            1 => Some(sent("a", text.as_bytes(), Form::Csv(&own))),
            _ => Some(sent("a", &json, Form::Json)),
        };
        if let Some(call) = call {
            assert!(matches!(receive(&engine, &outlines, call, now).await, Received::Done(_)));
        }
        let seen = store.incidents_as_known(at("2026-07-01T00:00:00Z")).await.unwrap();
        assert_eq!(seen.len(), 387);
        let told = |one: SeenIncident<'_>| (one.case(London, NaiveTime::MIN), one.class().to_owned());
        kept.push(seen.iter().map(told).collect::<Vec<_>>());
    }
    assert_eq!(kept[0], kept[1], "CSV");
    assert_eq!(kept[0], kept[2], "JSON");
}

/// Python with schemathesis; None where there is no Python.
fn schemathesis() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let tester = folder.join("bin/st");
    let works =
        || Command::new(&tester).arg("--version").output().is_ok_and(|output| output.status.success());
    if !works() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
        if made.is_ok_and(|output| output.status.success()) {
            let pip = ["-m", "pip", "install", "--quiet", "schemathesis==4.32.5"];
            let _ = Command::new(folder.join("bin/python")).args(pip).output();
        }
    }
    works().then_some(tester)
}

/// A site that is served until this value is gone.
struct Served(Child, u16);

impl Served {
    fn start(site: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = site.join("tension-watch.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))).unwrap();
        let log = fs::File::create(site.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tension-watch"))
            .current_dir(site)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let served = Self(child, port);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{}",
                fs::read_to_string(site.join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A site with incidents and an alert, and a token for everything.
async fn seeded(site: &Path) -> String {
    assert!(run(site, &["init", "--dir", "."]).status.success());
    let store = site_store(site).await;
    let engine = county(&store).await;
    read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
    let report = night(&engine, &rules(&engine, &shipped()).await, "2026-06-28").await;
    assert!(report.findings().count() > 0);
    store.close().await;
    let all = ["incidents:write", "figures:read", "published:read", "alerts:read"];
    let scopes: Vec<&str> = all.iter().flat_map(|scope| ["--scope", scope]).collect();
    let add = [&["token", "add", "--name", "tester", "--source", "police"][..], &scopes].concat();
    let output = said(&run(site, &add));
    output.trim().rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_document_keeps_what_it_promises() {
    let Some(tester) = schemathesis() else {
        let needed = std::env::var_os("TENSION_WATCH_NEEDS_NPM").is_some();
        assert!(!needed, "Python with schemathesis could not be set up; scripts/test installs python3-venv");
        eprintln!("SKIPPED: no Python with schemathesis: the API was not tried by it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    let token = seeded(site).await;
    let served = Served::start(site);
    let settings = site.join("schemathesis.toml");
    let mut file = fs::File::create(&settings).unwrap();
    file.write_all(include_bytes!("support/schemathesis.toml")).unwrap();
    let begun = Instant::now();
    let output = Command::new(tester)
        .current_dir(site)
        .args(["--config-file", "schemathesis.toml", "--no-color", "run"])
        .arg(format!("http://127.0.0.1:{}/api/v1/openapi.json", served.1))
        .args(["--header", &format!("Authorization: Bearer {token}"), "--seed", "20260630"])
        .output()
        .unwrap();
    let text = said(&output);
    eprintln!("{text}");
    assert!(output.status.success(), "{text}\n{}", fs::read_to_string(site.join("log")).unwrap());
    assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
    let log = fs::read_to_string(site.join("log")).unwrap();
    assert!(!log.contains("a call failed") && !log.contains("panicked"), "{log}");
    assert!(!log.contains(&token), "no token in the log");
}
