//! A real site is killed at random moments while it imports, judges and sends, and started again: what was acknowledged
//! is there, every alert is raised once, and every message arrives, twice only where the outbox says so.

use crate::support::{
    clock::HandClock,
    day,
    smtp::{MailServer, Mode},
};
use chrono::{Days, NaiveDate, TimeDelta};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tension_watch::{
    clock::{Clock, SystemClock},
    mail::transport::{SmtpTransport, Tls, Transport},
    stages::send::send_due,
    store::{MessageState, OutboxFilter, Store},
    synth::llr,
};

/// A step that is killed so often is let through the next time: the days have to go on.
const IN_A_ROW: usize = 6;

pub struct Site {
    _folder: tempfile::TempDir,
    pub path: PathBuf,
    pub server: MailServer,
    pub imported: usize,
}

pub fn program(site: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tension-watch"));
    command
        .current_dir(site)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A quiet past, as in the story of the nights.
fn past() -> (String, usize) {
    let mut text = HEAD.to_owned();
    for n in 0..350_usize {
        let ward = &llr::wards()[n % 14];
        let (east, north) = (ward.centre.0 as u32 + (n as u32 * 37) % 300, ward.centre.1 as u32);
        let on = day("2024-06-01") + Days::new(2 * n as u64);
        let known = on + Days::new(1);
        writeln!(text, "P{n},{known}T02:00:00Z,crime,confirmed,race,{on},{east},{north}").unwrap();
    }
    (text, 350)
}

const HEAD: &str = "reference,known_at,class,status,categories,occurred_from,easting,northing\n";
pub const BURST: usize = 9;

/// A burst in another ward for every turn, in the week that ends with the night.
pub fn burst(turn: usize, night: NaiveDate) -> String {
    let mut text = HEAD.to_owned();
    let wards = llr::wards();
    let ward = &wards[(20 + turn) % wards.len()];
    for n in 0..BURST {
        let on = night - Days::new(n as u64 % 5);
        let (east, north) = (ward.centre.0 as u32 + 60 * n as u32, ward.centre.1 as u32);
        writeln!(text, "T{turn}-{n},{night}T20:00:00Z,crime,confirmed,race,{on},{east},{north}").unwrap();
    }
    text
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let server = MailServer::start(Mode::Good);
        assert!(program(&path, &["init"]).status().unwrap().success());
        for entry in fs::read_dir(path.join("rules")).unwrap().flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().ends_with(".toml") && name != "race-week-spike.toml" {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        let file = path.join("tension-watch.toml");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace(
            "transport = { kind = \"file\", folder = \"mail\" }",
            &format!(
                "transport = {{ kind = \"smtp\", host = \"127.0.0.1\", port = {}, security = \"none\" }}",
                server.port
            ),
        );
        fs::write(&file, text).unwrap();
        let (text, rows) = past();
        fs::write(path.join("past.csv"), text).unwrap();
        let import = program(&path, &["import", "incidents", "past.csv", "--source", "police"]).status();
        assert!(import.unwrap().success());
        Self { _folder: folder, path, server, imported: rows }
    }

    pub async fn store(&self) -> Store {
        Store::open(&format!("sqlite:{}", self.path.join("tension-watch.db").display())).await.unwrap()
    }

    /// One day in three steps, each as often as `attempt` says that it did not come to its end.
    async fn day(&mut self, turn: usize, mut attempt: impl AsyncFnMut(&Self, &str, Command) -> bool) {
        let night = day("2026-05-01") + Days::new(turn as u64);
        fs::write(self.path.join("burst.csv"), burst(turn, night)).unwrap();
        let as_of = night.to_string();
        let steps: [(&str, &[&str], Mode); 3] = [
            ("import", &["import", "incidents", "burst.csv", "--source", "police"], Mode::Good),
            // The messages of the night are left for the step that sends them.
            ("run", &["run", "--as-of", &as_of], Mode::Greeting("421 busy")),
            ("send", &["outbox", "send"], Mode::EndLate),
        ];
        for (step, arguments, mode) in steps {
            self.server.set(mode);
            while !attempt(self, step, program(&self.path, arguments)).await {}
            if step == "import" {
                self.imported += BURST;
            }
        }
    }

    /// What must hold at every moment.
    pub async fn holds(&self, told: &str) {
        let store = self.store().await;
        let Store::Sqlite(pool, ..) = &store else { panic!("not SQLite") };
        let checked: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(pool).await.unwrap();
        assert_eq!(checked, "ok", "{told}");
        let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM incident WHERE source = 'police'")
            .fetch_one(pool)
            .await
            .unwrap();
        let known = usize::try_from(known).unwrap();
        assert!(known >= self.imported, "{told}: {known} incidents of {} acknowledged", self.imported);
        assert_eq!((known - 350) % BURST, 0, "{told}: half of a file");
        store.close().await;
    }

    /// Hours later, when every claim has run out: everything leaves. The nights lie in the past, so a message that was
    /// refused once has been given up as too old: the operator lets it go.
    pub async fn send_the_rest(&self) {
        self.server.set(Mode::Good);
        let store = self.store().await;
        let clock = HandClock::new(SystemClock.now() + TimeDelta::hours(2));
        let smtp = SmtpTransport::new("127.0.0.1", self.server.port, Tls::NoneOnLoopback, None).unwrap();
        store.retry_all(MessageState::Failed, clock.now()).await.unwrap();
        let sent = send_due(&store, &Transport::Smtp(smtp), "watch@county.invalid", &clock).await.unwrap();
        assert_eq!((sent.later, sent.failed), (0, 0), "{sent:?}");
        store.close().await;
    }

    /// Every message arrived, twice only where the outbox says that it may have: how many messages, how many twice, how
    /// many are marked.
    pub async fn all_arrived(&self) -> (usize, usize, usize) {
        let store = self.store().await;
        let rows = store.outbox(&OutboxFilter::default(), 100_000).await.unwrap();
        let taken = self.server.taken();
        let mut twice = 0;
        for row in &rows {
            assert_eq!(row.state, MessageState::Sent, "{row:?}");
            let same: Vec<_> = taken.iter().filter(|one| one.id == row.message_id).collect();
            assert!(!same.is_empty(), "{row:?} never arrived");
            assert!(same.iter().all(|one| one.text == same[0].text && one.to == same[0].to), "{row:?}");
            assert!(same.len() == 1 || row.maybe_arrived, "{row:?} arrived {} times, unmarked", same.len());
            twice += usize::from(same.len() > 1);
        }
        assert!(taken.iter().all(|one| rows.iter().any(|row| row.message_id == one.id)));
        let marked = rows.iter().filter(|row| row.maybe_arrived).count();
        (rows.len(), twice, marked)
    }

    /// Alerts by number, and to whom what was mailed.
    pub async fn told(&self) -> (BTreeMap<String, String>, BTreeSet<(String, String)>) {
        let store = self.store().await;
        let alerts = store.alerts(10_000).await.unwrap();
        let alerts =
            alerts.into_iter().map(|alert| (alert.number, format!("{} {}", alert.opened, alert.identity)));
        let subject = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("Subject:"));
            line.unwrap_or_default().to_owned()
        };
        let mails = self.server.taken().into_iter().map(|one| (one.to, subject(&one.text))).collect();
        (alerts.collect(), mails)
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// `TENSION_WATCH_KILLS` and `TENSION_WATCH_SEED` say how often, and from which seed.
#[tokio::test]
async fn killing_a_site_at_random_loses_nothing_and_doubles_nothing_unseen() {
    let wanted = number("TENSION_WATCH_KILLS", 200) as usize;
    let seed = number("TENSION_WATCH_SEED", 1);
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    println!("seed {seed}, {wanted} kills");
    let began = Instant::now();

    let (mut site, mut undisturbed) = (Site::new(), Site::new());
    let (mut kills, mut turns) = (BTreeMap::<String, usize>::new(), 0);
    while kills.values().sum::<usize>() < wanted {
        // A step is killed at some moment of the time that it takes when nobody disturbs it.
        let mut usual = BTreeMap::new();
        undisturbed
            .day(turns, async |_, step, mut command| {
                let began = Instant::now();
                let done = command.status().unwrap().success() || step == "send";
                usual.insert(step.to_owned(), began.elapsed());
                done
            })
            .await;
        let (mut last, mut in_a_row) = (String::new(), 0);
        site.day(turns, async |site, step, mut command| {
            if last != step {
                (last, in_a_row) = (step.to_owned(), 0);
            }
            let longest = usual.get(step).map_or(1, Duration::as_micros) as u64;
            let wait = Duration::from_micros(chance.random_range(0..=longest));
            let mut child = command.spawn().unwrap();
            let until = Instant::now() + wait;
            while in_a_row < IN_A_ROW && Instant::now() < until && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            if in_a_row < IN_A_ROW && child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                child.wait().unwrap();
                in_a_row += 1;
                *kills.entry(step.to_owned()).or_default() += 1;
                site.holds(&format!("seed {seed}, day {turns}, {step} killed after {wait:?}")).await;
                return false;
            }
            let status = child.wait().unwrap();
            // A message may wait for its next attempt: that is no failure of the step.
            assert!(status.success() || step == "send", "day {turns}: {step}: {status}");
            true
        })
        .await;
        turns += 1;
    }
    site.send_the_rest().await;
    site.holds("at the end").await;

    undisturbed.send_the_rest().await;
    let (expected, found) = (undisturbed.told().await, site.told().await);
    assert!(expected.0.len() * 2 > turns, "few alerts prove little: {:?}", expected.0);
    assert_eq!(found, expected);

    let (messages, twice, marked) = site.all_arrived().await;
    println!(
        "{kills:?} in {turns} days: {} incidents, {} alerts, {messages} messages, of which {twice} arrived twice and \
         {marked} are marked; {:.0} s",
        site.imported,
        found.0.len(),
        began.elapsed().as_secs_f64()
    );
}
