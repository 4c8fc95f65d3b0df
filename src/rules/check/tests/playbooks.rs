//! Playbooks are checked like rules.

use super::*;
use crate::model::{AlertLevel, AreaRef, Finding, Priority, Recurrence, Role, SignalKind, Subject, Window};

const SHIPPED: &str = include_str!("../../../../rules/playbooks/first-steps.toml");

const PLAY: &str = r#"[[play]]
action     = "Speak to the college"
priority   = "raise awareness"
owner      = "neighbourhood team"
due_within = "14 days"
signals    = ["spike", "cluster"]
categories = ["race"]
csps       = ["Charnwood"]
"#;

fn playbook(text: &str) -> Checked {
    checked(&[("playbooks/ours.toml", text)])
}

fn finding(signal: SignalKind, category: &str, ward: &str) -> Finding {
    let area = AreaRef { kind: AreaKind::Ward, code: ward.into() };
    Finding {
        rule: "r".into(),
        rule_version: "1".into(),
        title: "t".into(),
        level: AlertLevel::Watch,
        subject: Subject::Area { area, boundary_year: 2025, category: None, source: None },
        wards: vec![ward.into()],
        categories: vec![category.into()],
        window: Window::ending(day("2026-06-29"), 7),
        observed: 3,
        expected: 1.0,
        usual_range: None,
        times_usual: None,
        change: None,
        signal,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: Recurrence::from_daily_rate(0.01),
        members: Vec::new(),
    }
}

#[test]
fn a_play_is_read_and_fits_what_it_names() {
    let county = County::new();
    assert!(playbook(SHIPPED).mistakes.is_empty(), "{}", playbook(SHIPPED).shown());
    let plays = playbook(PLAY).rule_set().unwrap().playbook;
    let play = &plays[0];
    assert_eq!(
        (play.priority, play.owner, play.due_within_days),
        (Priority::RaiseAwareness, Role::NptSergeant, 14)
    );
    let fits = |signal, category, ward| {
        play.fits(&finding(signal, category, ward), &county.categories, &county.geography)
    };
    assert!(fits(SignalKind::Spike, "race", "E05005440"));
    assert!(!fits(SignalKind::Drop, "race", "E05005440"), "another signal");
    assert!(!fits(SignalKind::Spike, "religion", "E05005440"), "another strand");
    assert!(!fits(SignalKind::Spike, "race", "E05010461"), "another partnership");
    // What is not named is not asked.
    let any = PLAY.lines().take(5).collect::<Vec<_>>().join("\n");
    let plays = playbook(&any).playbook;
    assert!(plays[0].fits(
        &finding(SignalKind::Drop, "transgender", "E05010461"),
        &county.categories,
        &county.geography
    ));
}

#[test]
fn mistakes_of_a_playbook_are_told_with_their_remedies() {
    let wrong = r#"[[play]]
action     = ""
priority   = "improve the response"
owner      = "coordinator"
due_within = "soon"
signals    = ["spikes"]
categories = ["race", "rage"]
csps       = ["Charnwod"]

[[play]]
priority = "raise awareness"
who      = "csp"

[[plays]]
action = "x"
"#;
    let found = playbook(wrong);
    insta::assert_snapshot!(found.shown());
    assert!(found.rule_set().is_none());
}
