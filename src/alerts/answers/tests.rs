use super::*;
use crate::model::{AlertLevel, AreaKind, AreaRef, Finding, Recurrence, SignalKind, Subject, Window};
use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use uuid::Uuid;

fn at(hours: i64) -> DateTime<Utc> {
    "2026-06-30T03:30:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
}

fn party(role: Role, code: &str) -> Party {
    Party { role, area: Some(AreaRef { kind: AreaKind::Csp, code: code.into() }) }
}

fn csp() -> Party {
    party(Role::CspCoordinator, "leicester")
}

fn police() -> Party {
    party(Role::NptSergeant, "east-leicester")
}

/// An alert that two partners were told of and asked to acknowledge within two days.
fn told() -> Alert {
    let night: NaiveDate = "2026-06-29".parse().unwrap();
    let finding = Finding {
        rule: "race-week-spike".into(),
        rule_version: "1a2b".into(),
        title: "Racist incidents well above usual".into(),
        level: AlertLevel::Elevated,
        subject: Subject::Cluster(Uuid::nil()),
        wards: vec!["W1".into()],
        categories: vec!["race".into()],
        window: Window::ending(night, 7),
        observed: 9,
        expected: 0.4,
        usual_range: None,
        times_usual: None,
        change: None,
        signal: SignalKind::Spike,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: Recurrence::from_daily_rate(1.0 / 140.0),
        members: Vec::new(),
    };
    let mut alert = Alert::new(Uuid::from_u128(1), "LLR-2026-0001".into(), finding, night, at(0));
    alert.asked = vec![Asked { parties: vec![csp(), police()], since: at(0), by: Some(at(48)) }];
    alert.sequence = 1;
    alert
}

#[test]
fn each_partner_acknowledges_for_itself() {
    let mut alert = told();
    assert_eq!(acknowledge(&mut alert, &csp(), at(5), at(100)), [Event::Acknowledged]);
    assert_eq!(alert.state, AlertState::Open, "the police have not");
    assert_eq!(acknowledge(&mut alert, &csp(), at(6), at(100)), []);
    acknowledge(&mut alert, &police(), at(7), at(100));
    assert_eq!(alert.state, AlertState::Acknowledged);
    assert_eq!(alert.acknowledged[0].at, at(5), "the first word counts");
}

#[test]
fn an_unanswered_alert_goes_up_the_chain_once_for_each_step() {
    let mut alert = told();
    acknowledge(&mut alert, &csp(), at(5), at(500));
    assert_eq!(missing(&mut alert, &[], at(47), Some(at(96))).0, []);
    let (due, events) = missing(&mut alert, &[], at(49), Some(at(96)));
    assert_eq!(due[0].roles, [Role::CspChair]);
    assert_eq!(due[0].kind, NoticeKind::Unanswered { since: at(0) });
    assert_eq!(events, [(Event::Unanswered, None)]);
    asked_too(&mut alert, vec![party(Role::CspChair, "leicester")], at(49), Some(at(96)));
    assert_eq!(missing(&mut alert, &[], at(90), Some(at(140))).0, []);
    let (due, _) = missing(&mut alert, &[], at(97), Some(at(140)));
    assert_eq!(due[0].roles, [Role::Sog]);
    asked_too(&mut alert, Vec::new(), at(97), Some(at(140)));
    assert_eq!(missing(&mut alert, &[], at(1_000), None).0.len(), 1, "the first acknowledgement has run out");
}

#[test]
fn whoever_was_told_later_may_take_it_on_for_all() {
    let mut alert = told();
    let chair = party(Role::CspChair, "leicester");
    missing(&mut alert, &[Role::CspChair], at(49), Some(at(96)));
    asked_too(&mut alert, vec![chair.clone()], at(49), Some(at(96)));
    acknowledge(&mut alert, &chair, at(50), at(170));
    assert_eq!(alert.state, AlertState::Acknowledged);
    assert_eq!(missing(&mut alert, &[], at(97), Some(at(140))).0, []);
}

#[test]
fn an_acknowledgement_without_an_action_runs_out_and_the_clock_begins_anew() {
    let mut alert = told();
    acknowledge(&mut alert, &csp(), at(5), at(125));
    acknowledge(&mut alert, &police(), at(5), at(125));
    act(&mut alert, &police(), at(10));
    let (due, events) = missing(&mut alert, &[], at(126), Some(at(174)));
    assert_eq!(events, [(Event::RanOut, Some(csp()))]);
    assert_eq!((due.len(), due[0].party.clone()), (1, Some(csp())));
    assert_eq!(alert.state, AlertState::Open);
    assert_eq!((alert.asked[0].since, alert.asked[0].by), (at(126), Some(at(174))));
    assert!(has_acknowledged(&alert, &police()), "the police have acted");
    assert_eq!(missing(&mut alert, &[], at(130), Some(at(180))).0, []);
}

#[test]
fn an_action_or_an_expected_event_is_an_acknowledgement_that_lasts() {
    let mut alert = told();
    assert_eq!(act(&mut alert, &csp(), at(3)), [Event::Acknowledged, Event::Action]);
    let named = expected(&mut alert, &police(), "the summer fair", at(4));
    assert_eq!(named, [Event::Acknowledged, Event::ExpectedEvent("the summer fair".into())]);
    assert_eq!(alert.state, AlertState::Acknowledged);
    assert_eq!(missing(&mut alert, &[], at(10_000), None), (vec![], vec![]));
}

#[test]
fn one_outcome_counts_and_nothing_is_acknowledged_after_it() {
    let mut alert = told();
    assert_eq!(
        close(&mut alert, &csp(), Outcome::UsefulActed, at(9)),
        [Event::ClosedAs(Outcome::UsefulActed)]
    );
    assert_eq!(close(&mut alert, &police(), Outcome::FalseAlarm, at(10)), []);
    assert_eq!(acknowledge(&mut alert, &police(), at(10), at(100)), []);
    assert_eq!(expected(&mut alert, &police(), "a fair", at(10)), []);
    assert_eq!(missing(&mut alert, &[], at(500), None).0, []);
    // What was done about it may still be recorded.
    assert_eq!(act(&mut alert, &police(), at(11)), [Event::Action]);
    assert_eq!(alert.state, AlertState::Closed);
}

#[derive(Debug, Clone)]
enum Move {
    Acknowledge(bool),
    Act(bool),
    Expected(bool),
    Close(bool),
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        any::<bool>().prop_map(Move::Acknowledge),
        any::<bool>().prop_map(Move::Act),
        any::<bool>().prop_map(Move::Expected),
        any::<bool>().prop_map(Move::Close),
        (1_i64..100).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn whatever_happens_the_state_says_who_has_it_and_nobody_is_told_twice(moves in moves()) {
        let mut alert = told();
        let mut now = 0;
        for one in moves {
            let who = |first: bool| if first { csp() } else { police() };
            match one {
                Move::Acknowledge(first) => drop(acknowledge(&mut alert, &who(first), at(now), at(now + 120))),
                Move::Act(first) => drop(act(&mut alert, &who(first), at(now))),
                Move::Expected(first) => drop(expected(&mut alert, &who(first), "a fair", at(now))),
                Move::Close(first) => drop(close(&mut alert, &who(first), Outcome::Duplicate, at(now))),
                Move::Wait(hours) => {
                    now += hours;
                    let (due, _) = missing(&mut alert, &[], at(now), Some(at(now + 48)));
                    if due.iter().any(|one| one.party.is_none()) {
                        asked_too(&mut alert, vec![party(Role::Sog, "x")], at(now), Some(at(now + 48)));
                    }
                    prop_assert!(due.iter().all(|one| one.party.is_some() == one.roles.is_empty()));
                    // Asked again at once, nothing more is missing.
                    prop_assert_eq!(missing(&mut alert, &[], at(now), Some(at(now + 48))), (vec![], vec![]));
                }
            }
            let state = if alert.closing.is_some() {
                AlertState::Closed
            } else if attended(&alert) {
                AlertState::Acknowledged
            } else {
                AlertState::Open
            };
            prop_assert_eq!(alert.state, state);
            prop_assert!(alert.asked.len() <= 3);
        }
    }
}
