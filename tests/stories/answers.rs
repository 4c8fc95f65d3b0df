//! What happens after a mail: answers by its link, what is not answered, quiet on request, the weekly digest and data
//! alerts, on both databases.

use crate::{
    nights::{county, incidents, night, read, rules, shipped},
    support::{at, day, stores},
};
use std::{collections::BTreeMap, path::Path};
use tension_watch::{
    clock::FixedClock,
    mail::transport::{FileTransport, Transport},
    model::{AlertState, AreaKind, AreaRef, Outcome, Party, Role, Silence},
    stages::{
        answers::{Answer, Pressed},
        night::Engine,
        rules::InForce,
        send::send_due,
        silences::{WrongSilence, checked},
    },
    store::Store,
};

/// A mail, as far as these stories read it.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Mail {
    /// The secret part of the link by which its reader answers.
    fn link(&self) -> String {
        let at = self.text.find("/answer/").unwrap_or_else(|| panic!("no link in {}", self.text));
        self.text[at + 8..at + 40].to_owned()
    }
}

/// Sends everything that is due and reads what arrived since the last time.
pub async fn mails(store: &Store, folder: &Path, now: &str) -> Vec<Mail> {
    let before: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    let transport = Transport::File(FileTransport::new(folder.to_owned()));
    send_due(store, &transport, "watch@llr.invalid", &FixedClock(at(now))).await.unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut new: Vec<Mail> = files
        .filter(|path| !before.contains(path))
        .map(|path| {
            let raw = std::fs::read_to_string(path).unwrap();
            let (head, body) = raw.split_once("\r\n\r\n").unwrap();
            // Soft line breaks of quoted-printable are of no interest here.
            let whole = format!("{head}\r\n\r\n{}", body.replace("=\r\n", ""));
            let unfolded = head.replace("\r\n ", " ");
            let field = |name: &str| {
                let line = unfolded.lines().find(|line| line.starts_with(name));
                line.map(|line| line[name.len()..].trim().to_owned()).unwrap_or_default()
            };
            Mail { to: field("To:"), subject: field("Subject:"), text: whole.clone() }
        })
        .collect();
    new.sort_by(|a, b| (&a.to, &a.subject).cmp(&(&b.to, &b.subject)));
    new
}

pub fn csp() -> Party {
    let area = AreaRef { kind: AreaKind::Csp, code: "safer-leicester".into() };
    Party { role: Role::CspCoordinator, area: Some(area) }
}

/// The county of the nights' stories with one rule that asks for an answer within two working days.
async fn told(store: &Store, folder: &Path, last: &str) -> (Engine, InForce) {
    let engine = county(store).await;
    read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
    std::fs::copy(shipped().join("race-week-spike.toml"), folder.join("race.toml")).unwrap();
    let rules = rules(&engine, folder).await;
    let found = night(&engine, &rules, last).await;
    assert_eq!(found.findings().count(), 1, "{:?}", found.outcomes);
    (engine, rules)
}

#[tokio::test]
async fn an_answer_by_the_link_of_a_mail_is_recorded_and_an_unanswered_alert_goes_up_the_chain() {
    for (database, store) in &stores().await.each {
        let (rule_folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // The night of Saturday 27 June, told on the Sunday morning.
        let (engine, rules) = told(store, rule_folder.path(), "2026-06-27").await;
        let sent = mails(store, mail.path(), "2026-06-28T04:00:00Z").await;
        let to: Vec<&str> = sent.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(to, ["csp-coordinator@safer-leicester.invalid", "npt-east-leicester@police.invalid"]);
        let number = store.alerts(1).await.unwrap()[0].number.clone();

        // The partnership answers by its link; the police do not.
        let now = at("2026-06-29T09:00:00Z");
        let token = sent[0].link();
        let (link, alert) = engine.link(&token, now).await.unwrap().unwrap();
        assert_eq!((link.party, alert.state), (csp(), AlertState::Open), "{database}");
        let button = engine.button(&token, "00112233", now);
        let press = async |answer: &Answer| engine.press(&token, &button, "KM", answer, now).await.unwrap();
        assert!(matches!(press(&Answer::Acknowledge).await, Pressed::Taken(_, true)), "{database}");
        assert_eq!(press(&Answer::Close(Outcome::FalseAlarm)).await, Pressed::Before);
        let other = engine.button(&sent[1].link(), "00112233", now);
        let foreign = engine.press(&token, &other, "KM", &Answer::Acknowledge, now).await.unwrap();
        assert_eq!(foreign, Pressed::TooOld, "a button of another link");
        let old = engine.button(&token, "44", at("2026-06-28T09:00:00Z"));
        assert_eq!(
            engine.press(&token, &old, "KM", &Answer::Acknowledge, now).await.unwrap(),
            Pressed::TooOld
        );

        // Two working days after Sunday end on Tuesday at five.
        assert_eq!(engine.follow_up(at("2026-06-30T15:59:00Z"), &rules).await.unwrap(), 0);
        assert_eq!(engine.follow_up(at("2026-06-30T16:00:00Z"), &rules).await.unwrap(), 1);
        assert_eq!(engine.follow_up(at("2026-06-30T16:01:00Z"), &rules).await.unwrap(), 0, "once");
        let chair = mails(store, mail.path(), "2026-06-30T16:02:00Z").await;
        assert_eq!(chair[0].to, "csp-chair@safer-leicester.invalid", "{database}");
        assert_eq!(chair[0].subject, sent[0].subject, "the subject is the same over the life of an alert");
        let text = chair[0].text.replace("\r\n", " ");
        assert!(
            text.contains("has not been acknowledged in time by neighbourhood sergeant, East Leicester"),
            "{text}"
        );

        // Then the Senior Officer Group, and nobody after it.
        assert_eq!(engine.follow_up(at("2026-07-02T16:00:00Z"), &rules).await.unwrap(), 1);
        let group = mails(store, mail.path(), "2026-07-02T16:02:00Z").await;
        assert!(group[0].to.starts_with("senior-officer-group"), "{}", group[0].to);
        let events: Vec<(String, String)> = engine
            .store
            .alert_events(alert.id)
            .await
            .unwrap()
            .into_iter()
            .map(|one| (one.what, one.who))
            .collect();
        let what: Vec<&str> = events.iter().map(|one| one.0.as_str()).collect();
        let want = ["opened", "told", "acknowledged", "not acknowledged in time", "not acknowledged in time"];
        assert_eq!(what, want, "{database}");
        assert_eq!(events[2].1, "CSP coordinator, Safer Leicester Partnership (KM, by the link of a mail)");

        // A week later nothing has followed the partnership's word: it is asked again.
        assert_eq!(engine.follow_up(at("2026-07-06T16:00:00Z"), &rules).await.unwrap(), 1, "{database}");
        let reminder = mails(store, mail.path(), "2026-07-06T16:02:00Z").await;
        assert_eq!(reminder[0].to, "csp-coordinator@safer-leicester.invalid");
        assert!(reminder[0].text.contains("No action has been recorded since"), "{}", reminder[0].text);
        assert!(reminder[0].text.contains("References:"));

        // The link works until 30 days after the alert is closed.
        let by = tension_watch::stages::answers::Answerer { party: csp(), who: "csp".into() };
        let close = Answer::Close(Outcome::UsefulActed);
        let (closed, _) =
            engine.answer(&number, &by, &close, at("2026-07-07T09:00:00Z")).await.unwrap().unwrap();
        assert_eq!(closed.state, AlertState::Closed);
        assert!(engine.link(&token, at("2026-08-06T08:00:00Z")).await.unwrap().is_some());
        assert!(engine.link(&token, at("2026-08-06T10:00:00Z")).await.unwrap().is_none(), "{database}");
    }
}

#[tokio::test]
async fn quiet_on_request_is_kept_counted_and_ends() {
    for (database, store) in &stores().await.each {
        let (rule_folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = county(store).await;
        read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
        std::fs::copy(shipped().join("race-week-spike.toml"), rule_folder.path().join("race.toml")).unwrap();
        let rules = rules(&engine, rule_folder.path()).await;
        let silence = Silence {
            rule: Some("race-week-spike".into()),
            area: csp().area,
            category: None,
            first: day("2026-06-20"),
            last: day("2026-06-28"),
            reason: "reports of one known campaign".into(),
            author: "analyst".into(),
        };
        let ids = engine.rule_ids().await.unwrap();
        assert_eq!(checked(&silence, &engine, &ids), Ok(()), "{ids:?}");
        let wrong = Silence { rule: Some("race-weak-spike".into()), ..silence.clone() };
        assert!(matches!(checked(&wrong, &engine, &ids), Err(WrongSilence::Unknown { what: "rule", .. })));
        let endless = Silence { last: day("2028-01-01"), ..silence.clone() };
        assert_eq!(checked(&endless, &engine, &ids), Err(WrongSilence::Length));
        let all = Silence { rule: None, area: None, ..silence.clone() };
        assert_eq!(checked(&all, &engine, &ids), Err(WrongSilence::Everything));
        engine.keep_silence(&silence, at("2026-06-20T09:00:00Z")).await.unwrap();

        let found = night(&engine, &rules, "2026-06-28").await;
        assert_eq!(found.findings().count(), 1);
        let sent = mails(store, mail.path(), "2026-06-29T04:00:00Z").await;
        let signals =
            |mails: &[Mail]| mails.iter().filter(|mail| mail.subject.contains("Tension signal")).count();
        assert_eq!(signals(&sent), 0, "{database}: {sent:?}");
        let digest = sent.iter().find(|mail| mail.to == "csp-coordinator@safer-leicester.invalid").unwrap();
        for words in ["QUIET ON REQUEST", "reports of one known campaign", "not mailed: silenced"] {
            assert!(digest.text.replace("\r\n ", "").contains(words), "{words}: {}", digest.text);
        }
        assert_eq!(engine.would_be_silent(&silence, day("2026-06-29")).await.unwrap().len(), 1);
        // The silence is over and the rule still holds: now it is told.
        night(&engine, &rules, "2026-06-29").await;
        let sent = mails(store, mail.path(), "2026-06-30T04:00:00Z").await;
        assert_eq!(signals(&sent), 2, "{database}");
    }
}

#[tokio::test]
async fn a_quiet_week_is_told_so_that_silence_is_known_to_be_health() {
    let stores = stores().await;
    let (database, store) = &stores.each[0];
    let (rule_folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = county(store).await;
    read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
    std::fs::copy(shipped().join("race-week-spike.toml"), rule_folder.path().join("race.toml")).unwrap();
    let rules = rules(&engine, rule_folder.path()).await;
    for last in
        ["2026-06-15", "2026-06-16", "2026-06-17", "2026-06-18", "2026-06-19", "2026-06-20", "2026-06-21"]
    {
        night(&engine, &rules, last).await;
    }
    let sent = mails(store, mail.path(), "2026-06-22T04:00:00Z").await;
    let charnwood = sent.iter().find(|mail| mail.to == "csp-coordinator@charnwood.invalid").unwrap();
    assert!(charnwood.subject.contains("Weekly digest, 15 June to 21 June 2026"), "{}", charnwood.subject);
    let text = charnwood.text.split("text/html").next().unwrap().replace("\r\n", "\n");
    let body = text.split("\n\n").skip(2).collect::<Vec<_>>().join("\n\n");
    assert!(body.contains("All was quiet in the week 15 June to 21 June 2026."), "{database}: {body}");
    assert!(body.contains("One rule looked at 176 wards on 7 nights, with no errors."), "{body}");
    // Each reader gets one, and the same night again makes none.
    let mut to: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in &sent {
        *to.entry(&mail.to).or_default() += 1;
    }
    assert!(to.values().all(|count| *count == 1) && to.len() > 10, "{to:?}");
    night(&engine, &rules, "2026-06-21").await;
    assert_eq!(mails(store, mail.path(), "2026-06-22T05:00:00Z").await.len(), 0);
    // A week of which one night was judged was not quiet as far as anybody knows.
    night(&engine, &rules, "2026-07-05").await;
    let sent = mails(store, mail.path(), "2026-07-06T04:00:00Z").await;
    let charnwood = sent.iter().find(|mail| mail.to == "csp-coordinator@charnwood.invalid").unwrap();
    let text = charnwood.text.replace("\r\n", "\n");
    assert!(
        text.contains("Nothing was found on the nights that ran in the week 29 June to 5 July 2026."),
        "{text}"
    );
    assert!(
        text.contains("on 1 night, with no errors; 6 nights did not") && !text.contains("was quiet in"),
        "{text}"
    );
}

#[tokio::test]
async fn faults_of_the_data_are_told_to_the_analyst_once_and_never_to_a_partnership() {
    for (database, store) in &stores().await.each {
        let (rule_folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = county(store).await;
        read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
        let good = std::fs::read_to_string(shipped().join("race-week-spike.toml")).unwrap();
        let file = rule_folder.path().join("race.toml");
        std::fs::write(&file, &good).unwrap();
        rules(&engine, rule_folder.path()).await;
        std::fs::write(&file, good.replace("at_least", "at_leest")).unwrap();
        let wrong = rules(&engine, rule_folder.path()).await;
        assert!(wrong.mistakes.is_some());
        night(&engine, &wrong, "2026-06-15").await;
        night(&engine, &wrong, "2026-06-16").await;
        let sent = mails(store, mail.path(), "2026-06-17T04:00:00Z").await;
        let to: Vec<&str> = sent.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(to.len(), 1, "{database}: {to:?}");
        assert!(to[0].starts_with("analysis-team"), "{to:?}");
        assert!(sent[0].subject.contains("Data alert"), "{}", sent[0].subject);
        assert!(sent[0].text.contains("at_leest"), "{}", sent[0].text);
        // Mended: it is over; wrong again, it is told again.
        std::fs::write(&file, &good).unwrap();
        let mended = rules(&engine, rule_folder.path()).await;
        night(&engine, &mended, "2026-06-17").await;
        assert!(store.data_alerts().await.unwrap().iter().all(|one| one.closed_at.is_some()), "{database}");
        night(&engine, &wrong, "2026-06-18").await;
        assert_eq!(mails(store, mail.path(), "2026-06-19T04:00:00Z").await.len(), 1, "{database}");
    }
}
