//! Delivery through the public door, on both databases, to mail servers that misbehave in every way.

use crate::support::{
    at,
    clock::HandClock,
    smtp::{MailServer, Mode},
    stores,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::{Duration, Instant};
use tension_watch::{
    clock::Clock,
    mail::{
        Envelope,
        transport::{Letter, Outcome, SmtpTransport, Tls, Transport},
    },
    stages::send::{CLAIM, Sender, send_due},
    store::{Claimed, MessageKind, MessageState, OutboxEntry, OutboxFilter, OutboxMessage, Store},
};
use uuid::Uuid;

const FROM: &str = "bounces@county.invalid";

/// A message that is due when it is made.
pub fn message(n: u128, now: DateTime<Utc>) -> OutboxMessage {
    OutboxMessage {
        id: Uuid::from_u128(n),
        kind: MessageKind::Alert,
        about: Uuid::from_u128(n),
        mailbox: format!("csp{n}@mill.invalid"),
        sequence: 0,
        priority: 1,
        message_id: format!("<{n}@county.invalid>"),
        message: format!("Message-ID: <{n}@county.invalid>\r\nSubject: x\r\n\r\n.a line with a dot\r\n"),
        created_at: now,
        due: now,
        held: false,
    }
}

/// Puts messages into the outbox.
pub async fn put(store: &Store, messages: &[OutboxMessage]) {
    let mut tx = store.begin().await.unwrap();
    for message in messages {
        tx.add_message(message).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn entry(store: &Store, id: Uuid) -> OutboxEntry {
    store.outbox_entry(id).await.unwrap().unwrap()
}

fn to(port: u16) -> SmtpTransport {
    let sign_in = Some(("watch".to_owned(), "open sesame".to_owned()));
    let transport = SmtpTransport::new("127.0.0.1", port, Tls::NoneOnLoopback, sign_in).unwrap();
    transport.at_most(Duration::from_secs(1))
}

fn letter(message: &OutboxMessage) -> Letter<'_> {
    let envelope = Envelope { from: FROM, to: &message.mailbox };
    Letter { envelope, id: &message.message_id, message: message.message.as_bytes() }
}

/// What an outcome means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Through.
    Sent,
    /// Waits, and has not arrived.
    Waits,
    /// Waits, and may have arrived.
    Unknown,
    /// Given up at once.
    Failed,
}
use Fate::{Failed, Sent, Unknown, Waits};

/// Every way to misbehave, what becomes of the message, whether the server counts as down, and how often it took the
/// message before it was mended.
const MODES: [(Mode, Fate, bool, usize); 38] = [
    (Mode::Good, Sent, false, 1),
    (Mode::GoodbyeSilent, Sent, false, 1),
    (Mode::Greeting("421 busy"), Waits, true, 0),
    (Mode::Greeting("554 no service for you"), Waits, true, 0),
    (Mode::Greeting("SSH-2.0-OpenSSH_9.2"), Waits, true, 0),
    (Mode::GreetingSilent, Waits, true, 0),
    (Mode::GreetingSlow, Waits, true, 0),
    (Mode::GreetingEndless, Waits, true, 0),
    (Mode::Refuses("EHLO", "421 later"), Waits, true, 0),
    (Mode::Refuses("EHLO", "554 not you"), Waits, true, 0),
    (Mode::Refuses("AUTH", "535 wrong password"), Waits, true, 0),
    (Mode::Refuses("AUTH", "454 later"), Waits, true, 0),
    (Mode::Refuses("MAIL", "451 later"), Waits, true, 0),
    (Mode::Refuses("MAIL", "550 not this sender"), Waits, true, 0),
    (Mode::Refuses("MAIL", "530 must issue STARTTLS"), Waits, true, 0),
    (Mode::Refuses("RCPT", "421 closing"), Waits, true, 0),
    (Mode::Refuses("RCPT", "450 greylisted"), Waits, false, 0),
    (Mode::Refuses("RCPT", "451 greylisted"), Waits, false, 0),
    (Mode::Refuses("RCPT", "530 sign in first"), Waits, true, 0),
    (Mode::Refuses("RCPT", "554 relay access denied"), Waits, true, 0),
    (Mode::Refuses("RCPT", "550 no such mailbox"), Failed, false, 0),
    (Mode::Refuses("RCPT", "551 moved away"), Failed, false, 0),
    (Mode::Refuses("RCPT", "552 mailbox full"), Failed, false, 0),
    (Mode::Refuses("RCPT", "553 bad mailbox name"), Failed, false, 0),
    (Mode::Refuses("RCPT", "556 takes no mail"), Failed, false, 0),
    (Mode::Refuses("DATA", "452 no room"), Waits, false, 0),
    (Mode::Refuses("DATA", "554 no valid recipients"), Waits, true, 0),
    (Mode::Refuses("END", "451 later"), Waits, false, 0),
    (Mode::Refuses("END", "421 closing"), Waits, true, 0),
    (Mode::Refuses("END", "552 too big"), Failed, false, 0),
    (Mode::Refuses("END", "550 not wanted"), Failed, false, 0),
    (Mode::Refuses("END", "554 refused"), Waits, true, 0),
    (Mode::Refuses("END", "what is this"), Unknown, true, 0),
    (Mode::EndSilent, Unknown, true, 1),
    (Mode::EndSlow, Unknown, true, 1),
    (Mode::DropsInside, Unknown, true, 0),
    (Mode::DropsBeforeTaking, Unknown, true, 0),
    (Mode::DropsAfterTaking, Unknown, true, 1),
];

#[tokio::test]
async fn whatever_the_server_does_the_message_arrives_when_it_is_mended() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let server = MailServer::start(Mode::Good);
        let transport = Transport::Smtp(to(server.port));
        let clock = HandClock::new(at("2026-06-30T04:30:00Z"));
        for (n, (mode, fate, down, took)) in MODES.into_iter().enumerate() {
            let told = format!("{mode:?} on {database}");
            let mut sender = Sender::new(transport.clone(), FROM.into());
            let mine = message(n as u128 + 1, clock.now());
            put(store, std::slice::from_ref(&mine)).await;
            server.set(mode);
            let done = sender.pass(store, &clock).await.unwrap();
            assert_eq!(done.server_down, down, "{told}: {done:?}");
            let row = entry(store, mine.id).await;
            let state = match fate {
                Sent => MessageState::Sent,
                Failed => MessageState::Failed,
                Waits | Unknown => MessageState::Waiting,
            };
            assert_eq!((row.state, row.attempts), (state, 1), "{told}: {row:?}");
            assert_eq!(row.maybe_arrived, fate == Unknown, "{told}: {row:?}");
            assert_eq!(row.last_error.is_none(), fate == Sent, "{told}: {row:?}");
            assert!(!row.last_error.unwrap_or_default().contains("sesame"), "{told}");
            let taken = || server.taken().into_iter().filter(|one| one.id == mine.message_id).count();
            assert_eq!(taken(), took, "{told}");
            if state == MessageState::Waiting {
                let wait = row.next_try - clock.now();
                assert!(wait >= TimeDelta::seconds(4) && wait <= TimeDelta::seconds(6), "{told}: {wait}");
            }

            // Mended: what waits leaves by itself, what was given up when somebody asks for it.
            server.set(Mode::Good);
            if fate == Failed {
                assert_eq!(store.failed_since(clock.now()).await.unwrap()[0].mailbox, mine.mailbox, "{told}");
                assert!(store.retry_message(mine.id, clock.now()).await.unwrap(), "{told}");
            }
            clock.pass(TimeDelta::seconds(61));
            sender.pass(store, &clock).await.unwrap();
            let row = entry(store, mine.id).await;
            assert_eq!(row.state, MessageState::Sent, "{told}: {row:?}");
            assert_eq!(row.last_error, None, "{told}");
            // Twice only where nobody could know, and then it is marked.
            let times = if fate == Sent { 1 } else { took + 1 };
            assert_eq!(taken(), times, "{told}");
            assert!(times == 1 || row.maybe_arrived, "{told}: {row:?}");
        }
        assert!(server.taken().iter().all(|one| one.from == FROM && one.to.ends_with("@mill.invalid")));
        assert!(
            server.taken()[0].text.contains("\r\n..a line with a dot\r\n"),
            "{database}: a dot is doubled"
        );
    }
}

#[tokio::test]
async fn without_a_certificate_that_is_trusted_nothing_is_said() {
    let server = MailServer::start(Mode::Good);
    let mine = message(1, at("2026-06-30T04:30:00Z"));
    for (mode, tls) in
        [(Mode::Good, Tls::StartTls), (Mode::Good, Tls::FromTheStart), (Mode::BadCertificate, Tls::StartTls)]
    {
        server.set(mode);
        let sign_in = Some(("watch".to_owned(), "open sesame".to_owned()));
        let transport = SmtpTransport::new("localhost", server.port, tls, sign_in).unwrap();
        assert!(!format!("{transport:?}").contains("sesame"));
        let outcome = Transport::Smtp(transport).send(letter(&mine)).await;
        assert!(matches!(outcome, Outcome::Configuration(_)), "{mode:?}, {tls:?}: {outcome:?}");
    }
    assert_eq!(server.taken(), []);
}

#[tokio::test]
async fn nobody_is_waited_for_long_and_nobody_listening_is_down() {
    let mine = message(1, at("2026-06-30T04:30:00Z"));
    for mode in [Mode::GreetingSilent, Mode::GreetingSlow, Mode::GreetingEndless, Mode::EndSilent] {
        let server = MailServer::start(mode);
        let began = Instant::now();
        Transport::Smtp(to(server.port)).send(letter(&mine)).await;
        // Reading what never ends is work rather than waiting: as long as the machine takes for a megabyte.
        let longest = if mode == Mode::GreetingEndless { 60 } else { 4 };
        assert!(began.elapsed() < Duration::from_secs(longest), "{mode:?}");
    }
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = Transport::Smtp(to(unused)).send(letter(&mine)).await;
    assert!(matches!(outcome, Outcome::Down(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_is_down_is_asked_once_a_minute_and_the_rest_waits_untouched() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let server = MailServer::start(Mode::Greeting("421 busy"));
        let clock = HandClock::new(at("2026-06-30T04:30:00Z"));
        let messages: Vec<OutboxMessage> = (1..=20).map(|n| message(n, clock.now())).collect();
        put(store, &messages).await;
        let mut sender = Sender::new(Transport::Smtp(to(server.port)), FROM.into());
        for _ in 0..40 {
            sender.pass(store, &clock).await.unwrap();
            clock.pass(TimeDelta::seconds(15));
        }
        assert_eq!(server.connections(), 10, "{database}: ten minutes");
        let rows = store.outbox(&OutboxFilter::default(), 100).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.attempts).sum::<i64>(), 10, "{database}");
        server.set(Mode::Good);
        clock.pass(TimeDelta::hours(1));
        assert_eq!(sender.pass(store, &clock).await.unwrap().sent, 20, "{database}");
    }
}

/// Claims the only message that is due.
async fn claim(store: &Store, now: DateTime<Utc>) -> Claimed {
    let mut claimed = store.claim_messages(now, now + CLAIM, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

#[tokio::test]
async fn a_sender_that_vanished_or_comes_late_changes_nothing_that_is_not_its_own() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let now = at("2026-06-30T04:30:00Z");
        let mine = message(1, now);
        put(store, std::slice::from_ref(&mine)).await;
        let first = claim(store, now).await;
        assert_eq!(entry(store, mine.id).await.state, MessageState::Sending, "{database}");
        let early =
            store.claim_messages(now + CLAIM - TimeDelta::seconds(1), now + CLAIM * 2, 1).await.unwrap();
        assert_eq!(early, [], "{database}");
        let later = now + CLAIM;
        let second = claim(store, later).await;
        assert!(second.maybe_arrived && !first.maybe_arrived, "{database}");
        assert_eq!((second.attempts, &second.message), (2, &first.message), "{database}");
        let before = entry(store, mine.id).await;
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.message_sent(&first, later).await.unwrap(), "{database}");
        assert!(!tx.message_later(&first, later, "late", false).await.unwrap(), "{database}");
        assert!(!tx.message_failed(&first, later, "late", true).await.unwrap(), "{database}");
        tx.commit().await.unwrap();
        assert_eq!(entry(store, mine.id).await, before, "{database}");
        let mut tx = store.begin().await.unwrap();
        assert!(tx.message_sent(&second, later).await.unwrap(), "{database}");
        assert!(!tx.message_sent(&second, later).await.unwrap(), "{database}: once");
        tx.commit().await.unwrap();
        let row = entry(store, mine.id).await;
        assert!(row.state == MessageState::Sent && row.maybe_arrived, "{database}: {row:?}");
    }
}

#[tokio::test]
async fn the_severe_leave_first_and_nothing_leaves_before_its_time() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let server = MailServer::start(Mode::Good);
        let now = at("2026-06-30T04:30:00Z");
        let clock = HandClock::new(now);
        let hour = TimeDelta::hours(1);
        let messages = [
            OutboxMessage { due: now - hour, ..message(1, now) },
            message(2, now),
            OutboxMessage { priority: 0, ..message(3, now) },
            OutboxMessage { due: now + hour, priority: 0, ..message(4, now) },
            OutboxMessage { held: true, priority: 0, ..message(5, now) },
        ];
        put(store, &messages).await;
        let transport = Transport::Smtp(to(server.port));
        let ids = || server.taken().into_iter().map(|one| one.id).collect::<Vec<_>>();
        let id = |n: usize| messages[n - 1].message_id.clone();
        assert_eq!(store.oldest_waiting(now).await.unwrap(), Some(now - hour), "{database}");
        send_due(store, &transport, FROM, &clock).await.unwrap();
        assert_eq!(ids(), [id(3), id(1), id(2)], "{database}");
        assert_eq!(
            store.oldest_waiting(now).await.unwrap(),
            None,
            "{database}: what is not due does not count"
        );
        clock.pass(hour);
        send_due(store, &transport, FROM, &clock).await.unwrap();
        assert_eq!(store.retry_all(MessageState::Sent, clock.now()).await.unwrap(), 0, "{database}");
        assert_eq!(store.retry_all(MessageState::Held, clock.now()).await.unwrap(), 1, "{database}");
        send_due(store, &transport, FROM, &clock).await.unwrap();
        assert_eq!(ids(), [id(3), id(1), id(2), id(4), id(5)], "{database}");
        let filter = OutboxFilter { mailbox: Some("CSP4@mill.invalid".into()), ..OutboxFilter::default() };
        let found = store.outbox(&filter, 10).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [messages[3].id], "{database}");
    }
}

#[tokio::test]
async fn after_five_days_a_message_fails_where_it_can_be_seen_and_wrong_settings_never_end_it() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let clock = HandClock::new(at("2026-06-30T04:30:00Z"));
        let server = MailServer::start(Mode::Refuses("RCPT", "450 greylisted"));
        let transport = Transport::Smtp(to(server.port));
        let muted = OutboxMessage { due: clock.now() + TimeDelta::days(3), ..message(1, clock.now()) };
        put(store, std::slice::from_ref(&muted)).await;
        clock.pass(TimeDelta::days(7));
        send_due(store, &transport, FROM, &clock).await.unwrap();
        assert_eq!(
            entry(store, muted.id).await.state,
            MessageState::Waiting,
            "{database}: four days of trying"
        );
        clock.pass(TimeDelta::days(1));
        let done = send_due(store, &transport, FROM, &clock).await.unwrap();
        assert_eq!(done.failed, 1, "{database}");
        let failed = store.failed_since(clock.now()).await.unwrap();
        assert!(failed[0].last_error.as_ref().unwrap().contains("greylisted"), "{database}: {failed:?}");

        server.set(Mode::Refuses("AUTH", "535 wrong password"));
        let kept = message(2, clock.now());
        put(store, std::slice::from_ref(&kept)).await;
        clock.pass(TimeDelta::days(9));
        send_due(store, &transport, FROM, &clock).await.unwrap();
        assert_eq!(entry(store, kept.id).await.state, MessageState::Waiting, "{database}");
    }
}
