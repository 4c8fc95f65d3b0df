//! Days of outage in seconds: the clock is moved by hand, the mail server is a value.

use crate::{
    delivery::{message, put},
    support::{at, clock::HandClock, stores},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};
use tension_watch::{
    clock::Clock,
    mail::transport::{Carrier, Letter, Outcome, Transport},
    stages::send::Sender,
    store::{MessageState, OutboxFilter, OutboxMessage, Store},
};

/// A server that is down until an instant, in one way or another.
#[derive(Debug)]
struct Relay {
    clock: Arc<HandClock>,
    up_from: DateTime<Utc>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Connections while it was down.
    asked: Vec<DateTime<Utc>>,
    /// When each message was taken.
    taken: HashMap<String, Vec<DateTime<Utc>>>,
}

#[async_trait::async_trait]
impl Carrier for Relay {
    async fn carry(&self, letter: Letter<'_>) -> Outcome {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap();
        let taken = |seen: &mut Seen| seen.taken.entry(letter.id.to_owned()).or_default().push(now);
        if now >= self.up_from {
            taken(&mut seen);
            return Outcome::Sent;
        }
        seen.asked.push(now);
        match seen.asked.len() % 20 {
            0 => {
                taken(&mut seen);
                Outcome::Unknown("no answer; it may have arrived".into())
            }
            1..5 => Outcome::Configuration("535 wrong password".into()),
            _ => Outcome::Down("connection refused".into()),
        }
    }
}

/// Resident memory, in megabytes.
fn memory() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096.0 / 1e6
}

async fn outage(database: &str, store: &Store, hours: i64, messages: u128) {
    let began = at("2026-06-30T04:30:00Z");
    let clock = Arc::new(HandClock::new(began));
    let up_from = began + TimeDelta::hours(hours);
    let relay = Arc::new(Relay { clock: Arc::clone(&clock), up_from, seen: Mutex::default() });
    // One in ten may not leave before some moment of the outage or after it.
    let due = |n: u128| match n % 10 {
        0 => began + TimeDelta::minutes((hours * 66) * (n as i64) / messages as i64),
        _ => began,
    };
    for some in (1..=messages).collect::<Vec<_>>().chunks(500) {
        let some: Vec<OutboxMessage> =
            some.iter().map(|n| OutboxMessage { due: due(*n), ..message(*n, began) }).collect();
        put(store, &some).await;
    }
    let mut sender = Sender::new(Transport::Other(relay.clone()), "watch@county.invalid".into());
    let (started, before, mut most) = (Instant::now(), memory(), 0.0_f64);
    while clock.now() < up_from {
        sender.pass(store, &*clock).await.unwrap();
        clock.pass(TimeDelta::seconds(15));
        most = most.max(memory());
    }
    let asked = relay.seen.lock().unwrap().asked.clone();
    let (down_for, down_memory) = (started.elapsed(), most);
    // Up again: every message leaves within its next wait, an hour and a fifth at most.
    let (started, mut left) = (Instant::now(), Vec::new());
    let waits = async || {
        let counts = store.outbox_counts().await.unwrap();
        counts
            .iter()
            .filter(|count| count.state != MessageState::Sent)
            .map(|count| count.messages)
            .sum::<i64>()
    };
    while clock.now() < up_from + TimeDelta::hours(hours / 10 + 2) && waits().await > 0 {
        let sent = sender.pass(store, &*clock).await.unwrap().sent;
        left.push((clock.now() - up_from, sent));
        clock.pass(TimeDelta::seconds(60));
        most = most.max(memory());
    }
    let at_once = left.first().map_or(0, |first| first.1);
    let last = left.last().map_or(TimeDelta::zero(), |last| last.0).num_minutes();
    println!(
        "{database}: {hours} h of outage, {messages} messages: {} connections in {:.1} s; after it {at_once} left at \
         once, the last {last} minutes later, in {:.1} s; resident before {before:.1} MB, at most {down_memory:.1} MB \
         in the outage, {most:.1} MB in all",
        asked.len(),
        down_for.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );

    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= TimeDelta::minutes(1)), "{database}");
    assert!(asked.len() as i64 > hours * 58, "{database}: it goes on asking: {}", asked.len());
    let rows = store.outbox(&OutboxFilter::default(), i64::MAX).await.unwrap();
    assert_eq!(rows.len() as u128, messages);
    let seen = relay.seen.lock().unwrap();
    for row in &rows {
        assert_eq!(row.state, MessageState::Sent, "{database}: {row:?}");
        let taken = &seen.taken[&row.message_id];
        assert!(taken.iter().all(|at| *at >= row.due), "{database}: {row:?} left before its time");
        assert!(taken.len() == 1 || row.maybe_arrived, "{database}: {row:?} arrived {} times", taken.len());
    }
}

/// `TENSION_WATCH_FULL_OUTAGE=1` makes it three days and 10,000 messages.
#[tokio::test]
async fn after_an_outage_everything_arrives() {
    let full = std::env::var_os("TENSION_WATCH_FULL_OUTAGE").is_some();
    let (hours, messages) = if full { (72, 10_000) } else { (4, 300) };
    for (database, store) in &stores().await.each {
        outage(database, store, hours, messages).await;
    }
}
