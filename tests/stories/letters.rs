//! How many mails one recipient gets, when, and what an analyst hears when a night goes wrong, on both databases.

use crate::{
    answers::{Mail, csp, mails},
    nights::{county, incidents, night, read, rules, shipped},
    support::{at, day, stores},
};
use chrono::Days;
use std::path::Path;
use tension_watch::{
    model::{AlertState, Mailbox, Role},
    stages::{
        answers::{Answer, Answerer},
        night::{Engine, When},
        rules::InForce,
    },
    store::{MessageKind, MessageState, OutboxEntry, OutboxFilter, RunOutcome, Store},
};

const CSP: &str = "csp-coordinator@safer-leicester.invalid";
const TEAM: &str = "npt-east-leicester@police.invalid";

/// So many rules that all find the same rise, each its own, told to the partnership only; the first ones are severe.
fn many_rules(folder: &Path, severe: usize, elevated: usize) {
    let text = std::fs::read_to_string(shipped().join("race-week-spike.toml")).unwrap();
    for n in 0..severe + elevated {
        let mut own = text
            .replace("race-week-spike", &format!("race-{n}"))
            .replace("times_usual = 2.0", &format!("times_usual = {}", 1.5 + n as f64 / 100.0))
            .replace("[\"csp\", \"neighbourhood team\"]", "[\"csp\"]");
        if n < severe {
            own = own.replace("level     = \"elevated\"", "level     = \"severe\"");
            own = own.replace("once in 100 days", "once in 365 days").replace("3 per year", "1 per year");
        }
        // The tests in the file are about other numbers.
        let own = own.split("[[test]]").next().unwrap_or_default();
        std::fs::write(folder.join(format!("race-{n}.toml")), own).unwrap();
    }
}

/// The county of the nights' stories, its incidents read, with a folder of rules.
async fn site(store: &Store, folder: &Path) -> (Engine, InForce) {
    let engine = county(store).await;
    read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
    let rules = rules(&engine, folder).await;
    assert_eq!(rules.mistakes, None);
    (engine, rules)
}

/// Changes the directory as an import of it would, under an engine that runs.
async fn mend_directory(store: &Store, change: impl Fn(&mut Mailbox)) {
    let mut entries = store.directory().await.unwrap();
    entries.iter_mut().for_each(change);
    let mut tx = store.begin().await.unwrap();
    tx.replace_directory(&entries).await.unwrap();
    tx.commit().await.unwrap();
}

async fn outbox(store: &Store) -> Vec<OutboxEntry> {
    store.outbox(&OutboxFilter::default(), 1_000).await.unwrap()
}

fn subjects<'a>(mails: &'a [Mail], to: &str) -> Vec<&'a str> {
    mails.iter().filter(|mail| mail.to == to).map(|mail| mail.subject.as_str()).collect()
}

#[tokio::test]
async fn more_than_five_letters_at_once_come_as_one_summary_and_the_severe_each_by_itself() {
    for (database, store) in &stores().await.each {
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        many_rules(folder.path(), 2, 6);
        let (engine, rules) = site(store, folder.path()).await;
        let found = night(&engine, &rules, "2026-06-27").await;
        assert_eq!((found.opened.len(), found.messages, found.held), (8, 6, 0), "{database}");

        let rows = outbox(store).await;
        let alerts = rows.iter().filter(|row| row.kind == MessageKind::Alert);
        let urgent = alerts.clone().filter(|row| row.priority == 0).count();
        assert_eq!((alerts.count(), urgent), (5, 2), "{database}: both severe go apart, and leave first");
        let sent = mails(store, mail.path(), "2026-06-28T04:00:00Z").await;
        let got = subjects(&sent, CSP);
        assert_eq!(got.len(), 6, "{database}: {got:?}");
        let summary = sent.iter().find(|mail| mail.subject.contains("3 further tension signals")).unwrap();
        // All eight are told: five by themselves, three with a link each in the summary.
        let mut told = Vec::new();
        for alert in store.alerts(100).await.unwrap() {
            let apart = got.iter().filter(|subject| subject.contains(&alert.number)).count();
            let inside = usize::from(summary.text.contains(&alert.number));
            assert_eq!(apart + inside, 1, "{database}: {} in {got:?}", alert.number);
            assert!(inside == 0 || alert.latest.rule.as_str() > "race-1", "{database}: a severe one inside");
            told.push(inside);
        }
        assert_eq!(told.iter().sum::<usize>(), 3, "{database}");
        let text = summary.text.split("text/html").next().unwrap_or_default();
        assert_eq!(text.matches("/answer/").count(), 3, "{database}: {text}");
        // The same night again makes no second summary.
        assert_eq!(night(&engine, &rules, "2026-06-27").await.messages, 0, "{database}");
    }
}

#[tokio::test]
async fn beyond_twenty_severe_letters_the_rest_is_held_the_analyst_is_told_and_nothing_is_lost() {
    for (database, store) in &stores().await.each {
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        many_rules(folder.path(), 23, 0);
        let (engine, rules) = site(store, folder.path()).await;
        let found = night(&engine, &rules, "2026-06-26").await;
        assert_eq!((found.opened.len(), found.held), (23, 3), "{database}");
        let sent = mails(store, mail.path(), "2026-06-27T04:00:00Z").await;
        assert_eq!(subjects(&sent, CSP).len(), 20, "{database}");
        let analyst: Vec<&Mail> = sent.iter().filter(|mail| mail.to != CSP).collect();
        assert_eq!(analyst.len(), 1, "{database}: {analyst:?}");
        assert_eq!(analyst[0].to, "analysis-team@police.invalid", "{database}");
        assert!(analyst[0].subject.contains("3 messages are held"), "{database}: {}", analyst[0].subject);

        // The next night tells nothing again, and the data alert lasts while the mail is held.
        let open = async || {
            let all = store.data_alerts().await.unwrap();
            all.into_iter().filter(|one| one.closed_at.is_none()).count()
        };
        night(&engine, &rules, "2026-06-27").await;
        assert_eq!((open().await, mails(store, mail.path(), "2026-06-28T04:00:00Z").await.len()), (1, 0));
        let filter = OutboxFilter { state: Some(MessageState::Held), ..OutboxFilter::default() };
        assert_eq!(store.outbox(&filter, 100).await.unwrap().len(), 3, "{database}");

        // Released, it arrives, and the data alert ends with the next night.
        let released = store.retry_all(MessageState::Held, at("2026-06-28T09:00:00Z")).await.unwrap();
        let rest = mails(store, mail.path(), "2026-06-28T09:00:00Z").await;
        assert_eq!((released, subjects(&rest, CSP).len()), (3, 3), "{database}");
        for alert in store.alerts(100).await.unwrap() {
            let told = sent.iter().chain(&rest).filter(|mail| mail.subject.contains(&alert.number)).count();
            assert_eq!(told, 1, "{database}: {}", alert.number);
        }
        night(&engine, &rules, "2026-06-29").await;
        assert_eq!(open().await, 0, "{database}");
    }
}

#[tokio::test]
async fn a_storm_of_reminders_is_held_and_told_too() {
    let stores = stores().await;
    let (_, store) = &stores.each[0];
    let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    many_rules(folder.path(), 21, 0);
    let (engine, rules) = site(store, folder.path()).await;
    night(&engine, &rules, "2026-06-26").await;
    mails(store, mail.path(), "2026-06-27T04:00:00Z").await;
    // Two working days after Saturday end on Tuesday at five: nobody has answered, and the chair hears of all at once.
    let made = engine.follow_up(at("2026-06-30T16:00:00Z"), &rules).await.unwrap();
    assert_eq!(made, 21);
    let sent = mails(store, mail.path(), "2026-06-30T16:01:00Z").await;
    assert_eq!(subjects(&sent, "csp-chair@safer-leicester.invalid").len(), 20);
    let told = subjects(&sent, "analysis-team@police.invalid");
    assert!(told.len() == 1 && told[0].contains("One message is held"), "{told:?}");
}

#[tokio::test]
async fn mute_hours_hold_a_letter_until_they_end_and_the_severe_passes() {
    for (database, store) in &stores().await.each {
        for (severe, elevated) in [(0, 1), (1, 0)] {
            let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            many_rules(folder.path(), severe, elevated);
            // Each case has a rule of its own, so that its alert is a new one.
            let name = format!("mute-{severe}");
            let text = std::fs::read_to_string(folder.path().join("race-0.toml")).unwrap();
            std::fs::write(folder.path().join("race-0.toml"), text.replace("race-0", &name)).unwrap();
            let (engine, rules) = site(store, folder.path()).await;
            mend_directory(store, |entry| {
                if entry.address == CSP {
                    entry.mute = Some("18:00-08:00".parse().unwrap());
                }
            })
            .await;
            night(&engine, &rules, "2026-06-27").await;
            // The night ends at half past five local time; the hours end at eight, which is seven UTC.
            let early = mails(store, mail.path(), "2026-06-28T06:59:59Z").await;
            let after = mails(store, mail.path(), "2026-06-28T07:00:00Z").await;
            let got = (subjects(&early, CSP).len(), subjects(&after, CSP).len());
            assert_eq!(got, if severe == 1 { (1, 0) } else { (0, 1) }, "{database}, severe {severe}");
            let waiting = outbox(store).await.into_iter().filter(|row| row.state != MessageState::Sent);
            assert_eq!(waiting.count(), 0, "{database}: nothing is dropped");
        }
    }
}

#[tokio::test]
async fn an_alert_is_pending_for_the_nights_its_rule_asks_for_and_told_on_the_last() {
    for (database, store) in &stores().await.each {
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        many_rules(folder.path(), 0, 2);
        for (n, nights) in [(0, 3), (1, 14)] {
            let file = folder.path().join(format!("race-{n}.toml"));
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(file, text.replace("[tell]", &format!("[tell]\nhold_nights = {nights}"))).unwrap();
        }
        let (engine, rules) = site(store, folder.path()).await;
        let mut held = 0;
        let mut told = Vec::new();
        for on in (0..20).map(|days| day("2026-06-22") + Days::new(days)) {
            let found = night(&engine, &rules, &on.to_string()).await;
            held += found.findings().filter(|finding| finding.rule == "race-0").count();
            let sent = mails(store, mail.path(), &format!("{}T06:00:00Z", on + Days::new(1))).await;
            let signals = sent.iter().filter(|mail| mail.to == CSP && mail.subject.contains("signal"));
            told.extend(signals.map(|mail| (held, mail.subject.clone())));
            let alerts = store.alerts(10).await.unwrap();
            let waits = alerts.iter().find(|alert| alert.latest.rule == "race-0");
            if (1..3).contains(&held) {
                assert_eq!(waits.map(|alert| alert.state), Some(AlertState::Pending), "{database}, {on}");
            }
        }
        assert!((3..14).contains(&held), "{database}: {held} nights");
        let alerts = store.alerts(10).await.unwrap();
        let of = |rule: &str| alerts.iter().find(|alert| alert.latest.rule == rule).unwrap();
        // Told once, on the third night; the other went away before its fourteenth and was never told.
        assert_eq!(told.len(), 1, "{database}: {told:?}");
        assert!(told[0].0 == 3 && told[0].1.contains(&of("race-0").number), "{database}: {told:?}");
        let events = store.alert_events(of("race-1").id).await.unwrap();
        let what: Vec<&str> = events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(what, ["pending", "closed"], "{database}");
        assert_eq!((of("race-1").state, &of("race-1").told), (AlertState::Closed, &None), "{database}");
    }
}

#[tokio::test]
async fn a_night_that_fails_as_a_whole_is_told_to_the_analyst_once_and_ended_by_the_next_good_one() {
    for (database, store) in &stores().await.each {
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        many_rules(folder.path(), 0, 1);
        let (engine, rules) = site(store, folder.path()).await;
        night(&engine, &rules, "2026-06-15").await;
        assert_eq!(mails(store, mail.path(), "2026-06-16T04:00:00Z").await.len(), 0, "{database}");

        // No message can be made for this mailbox, so nothing of the night can be kept.
        let broken = async |address: &str| {
            mend_directory(store, |entry| {
                if entry.role == Role::CspCoordinator && entry.area == csp().area && entry.active {
                    address.clone_into(&mut entry.address);
                }
            })
            .await;
        };
        broken("no address").await;
        for minute in 0..3 {
            let now = at("2026-06-28T03:30:00Z") + chrono::TimeDelta::minutes(minute);
            let when = When { night: day("2026-06-27"), as_known_on: now, now, tick: None };
            assert!(engine.night(when, &rules).await.is_err(), "{database}");
        }
        let runs = store.runs(3).await.unwrap();
        assert!(runs.iter().all(|run| run.outcome == RunOutcome::Failed), "{database}");
        assert_eq!(store.alerts(10).await.unwrap().len(), 0, "{database}: all of a night or nothing");
        let sent = mails(store, mail.path(), "2026-06-28T04:00:00Z").await;
        assert_eq!(sent.len(), 1, "{database}: {sent:?}");
        assert_eq!(sent[0].to, "analysis-team@police.invalid", "{database}");
        assert!(sent[0].subject.contains("Data alert - The nightly run failed"), "{}", sent[0].subject);
        assert!(sent[0].text.contains("making a message"), "{database}: {}", sent[0].text);

        // Mended while the program runs: the night is told, and the fault is over. When it comes again, it is told again.
        broken(CSP).await;
        night(&engine, &rules, "2026-06-27").await;
        assert!(store.data_alerts().await.unwrap().iter().all(|one| one.closed_at.is_some()), "{database}");
        let sent = mails(store, mail.path(), "2026-06-28T05:00:00Z").await;
        assert_eq!(sent.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [CSP], "{database}");
        engine.night_failed(&anyhow::anyhow!("no rules"), at("2026-06-29T03:30:00Z")).await.unwrap();
        assert_eq!(mails(store, mail.path(), "2026-06-29T04:00:00Z").await.len(), 1, "{database}");
    }
}

#[tokio::test]
async fn an_acknowledgement_runs_out_after_the_days_its_rule_gives() {
    for (database, store) in &stores().await.each {
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        many_rules(folder.path(), 0, 2);
        let file = folder.path().join("race-1.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("[tell]", "[tell]\nfollow_up_within = \"2 working days\"");
        std::fs::write(file, text).unwrap();
        let (engine, rules) = site(store, folder.path()).await;
        night(&engine, &rules, "2026-06-27").await;
        let now = at("2026-06-29T09:00:00Z");
        let by = Answerer { party: csp(), who: "csp".into() };
        for alert in store.alerts(10).await.unwrap() {
            engine.answer(&alert.number, &by, &Answer::Acknowledge, now).await.unwrap().unwrap();
        }
        mails(store, mail.path(), "2026-06-29T09:00:00Z").await;
        // Monday and two working days: Wednesday at five. Five: Monday at five.
        for (minute, rule) in [("2026-07-01T16:00:00Z", "race-1"), ("2026-07-06T16:00:00Z", "race-0")] {
            let before = at(minute) - chrono::TimeDelta::minutes(1);
            assert_eq!(engine.follow_up(before, &rules).await.unwrap(), 0, "{database}: {rule}");
            assert!(engine.follow_up(at(minute), &rules).await.unwrap() >= 1, "{database}: {rule}");
            let sent = mails(store, mail.path(), minute).await;
            let alerts = store.alerts(10).await.unwrap();
            let number = &alerts.iter().find(|alert| alert.latest.rule == rule).unwrap().number;
            let own = sent.iter().find(|mail| mail.to == CSP).unwrap();
            assert!(own.subject.contains(number), "{database}: {} for {rule}", own.subject);
            assert!(own.text.contains("No action has been recorded since"), "{database}: {}", own.text);
            // What follows now is no part of this story.
            let alert = Answer::Close(tension_watch::model::Outcome::UsefulKnown);
            engine.answer(number, &by, &alert, at(minute)).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn later_letters_keep_their_thread_in_outlook_and_only_the_digest_can_be_refused() {
    let stores = stores().await;
    let (_, store) = &stores.each[0];
    let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    many_rules(folder.path(), 0, 1);
    let (engine, rules) = site(store, folder.path()).await;
    // Four on Thursday, seven and more on Sunday: told, then told again because it doubled or went on to the chair.
    for on in ["2026-06-25", "2026-06-26", "2026-06-27", "2026-06-28"] {
        night(&engine, &rules, on).await;
    }
    engine.follow_up(at("2026-07-03T16:00:00Z"), &rules).await.unwrap();
    engine.follow_up(at("2026-07-10T16:00:00Z"), &rules).await.unwrap();
    let sent = mails(store, mail.path(), "2026-07-11T16:00:00Z").await;
    let field = |mail: &Mail, name: &str| {
        let head = mail.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        head.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
    };
    let signals: Vec<&Mail> = sent.iter().filter(|mail| mail.subject.contains("signal")).collect();
    assert!(signals.len() >= 2, "{:?}", sent.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    for mail in &signals {
        let index = field(mail, "Thread-Index:").unwrap();
        let later = field(mail, "In-Reply-To:").is_some();
        assert_eq!(index.len(), if later { 36 } else { 32 }, "{index}");
        assert_eq!(field(mail, "List-Unsubscribe:"), None, "{}: a role on duty is told", mail.to);
    }
    let digests: Vec<&Mail> = sent.iter().filter(|mail| mail.subject.contains("Weekly digest")).collect();
    assert!(digests.len() > 10);
    for mail in digests {
        let refuse = field(mail, "List-Unsubscribe:").unwrap();
        assert_eq!(refuse, "<mailto:analysis-team@police.invalid?subject=unsubscribe>");
        assert_eq!(field(mail, "Thread-Index:"), None);
    }
    assert!(!signals.iter().any(|mail| mail.to == TEAM));
}
