//! A site dies at every named step of its day, one after the other, and is started again: the same must hold as when it is
//! killed at random, and a message arrives twice only where the program died between the server's word and our noting it.

use crate::{
    kill_site::{BURST, Site, burst, program},
    support::day,
};
use chrono::{Datelike, Days, Weekday};
use std::{fs, os::unix::process::ExitStatusExt, time::Instant};
use tension_watch::model::Alert;

/// Where the program dies, and what it does then. The third day is a Sunday: it has a digest.
const POINTS: [(&str, Step); 12] = [
    ("import-before-commit", Step::Import),
    ("import-after-commit", Step::Import),
    ("digest", Step::Run),
    ("night-before-commit", Step::Run),
    ("night-after-commit", Step::Run),
    ("message-claimed", Step::Run),
    ("before-connecting", Step::Run),
    ("message-taken", Step::Run),
    ("message-noted", Step::Run),
    ("answer-before-commit", Step::Answer),
    ("answer-after-commit", Step::Answer),
    ("data-alert", Step::Run),
];

/// Died by `abort`.
const ABORTED: i32 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Import,
    Run,
    Answer,
}

/// Runs a step to its end; before that, where this is its turn, to the point at which it dies.
async fn step(site: &Site, point: Option<&str>, arguments: &[&str]) {
    if let Some(point) = point {
        let died = program(&site.path, arguments).env("TENSION_WATCH_DIES_AT", point).status().unwrap();
        assert_eq!(died.signal(), Some(ABORTED), "{point} was not reached: {died}");
        site.holds(point).await;
    }
    let done = program(&site.path, arguments).status().unwrap();
    assert!(done.success(), "{arguments:?} after {point:?}: {done}");
}

async fn newest(site: &Site) -> Option<Alert> {
    let store = site.store().await;
    let mut alerts = store.alerts(1).await.unwrap();
    store.close().await;
    alerts.pop()
}

/// One day for each point; `dies` says whether it is played or left out.
async fn days(site: &mut Site, dies: bool) {
    for (turn, (point, at)) in POINTS.into_iter().enumerate() {
        let night = day("2026-05-01") + Days::new(turn as u64);
        assert!(point != "digest" || night.weekday() == Weekday::Sun);
        let here = |step: Step| Some(point).filter(|_| dies && step == at);
        fs::write(site.path.join("burst.csv"), burst(turn, night)).unwrap();
        let import = ["import", "incidents", "burst.csv", "--source", "police"];
        step(site, here(Step::Import), &import).await;
        site.imported += BURST;

        // A mistake in a rule file is what the analyst is told of.
        let rule = site.path.join("rules/race-week-spike.toml");
        let good = fs::read_to_string(&rule).unwrap();
        if point == "data-alert" {
            fs::write(&rule, good.replace("at_least", "at_leest")).unwrap();
        }
        step(site, here(Step::Run), &["run", "--as-of", &night.to_string()]).await;
        fs::write(&rule, good).unwrap();

        let alert = newest(site).await.unwrap();
        step(site, here(Step::Answer), &["alert", "ack", &alert.number]).await;
        let answered = newest(site).await.unwrap();
        assert_eq!(answered.acknowledged.len(), 1, "{point}: {answered:?}");
        let store = site.store().await;
        let events = store.alert_events(answered.id).await.unwrap();
        assert_eq!(events.iter().filter(|event| event.what == "acknowledged").count(), 1, "{point}");
        store.close().await;
    }
    site.send_the_rest().await;
    site.holds("at the end").await;
}

#[cfg_attr(not(debug_assertions), ignore = "a release build has no such steps")]
#[tokio::test]
async fn dying_at_any_named_step_loses_nothing_and_doubles_only_what_was_taken_and_not_noted() {
    let began = Instant::now();
    let (mut site, mut undisturbed) = (Site::new(), Site::new());
    days(&mut site, true).await;
    days(&mut undisturbed, false).await;
    let (expected, found) = (undisturbed.told().await, site.told().await);
    assert!(expected.0.len() * 2 > POINTS.len(), "few alerts prove little: {:?}", expected.0);
    assert_eq!(found, expected);
    assert!(found.1.iter().any(|(_, subject)| subject.contains("Weekly")), "{:?}", found.1);
    assert!(found.1.iter().any(|(_, subject)| subject.contains("Data alert")), "{:?}", found.1);
    let (messages, twice, marked) = site.all_arrived().await;
    // Claimed and then dead: marked, because nobody can know. Taken and not noted: the one that arrived twice.
    assert_eq!((twice, marked), (1, 3), "{messages} messages");
    assert_eq!(undisturbed.all_arrived().await, (messages, 0, 0));
    println!("{} points, {messages} messages; {:.0} s", POINTS.len(), began.elapsed().as_secs_f64());
}
