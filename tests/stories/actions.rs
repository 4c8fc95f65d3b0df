//! The action register: from an alert to an action by its playbook, an overdue one, and the second look four weeks after, on
//! both databases.

use crate::{
    answers::{csp, mails},
    nights::{county, incidents, night, read, rules, shipped},
    support::{at, day, stores},
};
use chrono::Days;
use std::fmt::Write;
use tension_watch::{
    alerts::{acted, is_unanswered},
    model::{ActionState, AreaKind, Priority, Role},
    stages::{
        actions::{Plan, due_by},
        answers::{Answer, Answerer},
    },
    synth::llr,
};

/// Reports go on after June, one every other day, away from where the action is.
fn later() -> String {
    let mut text = "reference,known_at,class,status,categories,occurred_from,easting,northing\n".to_owned();
    let ward = &llr::wards()[5];
    for n in 0..19_u64 {
        let on = day("2026-06-30") + Days::new(2 * n);
        let (east, north) = (ward.centre.0 as u64 + 11 * n, ward.centre.1 as u64);
        let known = on + Days::new(1);
        let _ = writeln!(text, "L{n},{known}T02:00:00Z,crime,confirmed,race,{on},{east},{north}");
    }
    text
}

#[tokio::test]
async fn an_action_is_suggested_recorded_chased_ended_and_its_area_looked_at_again() {
    for (database, store) in &stores().await.each {
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::copy(shipped().join("race-week-spike.toml"), folder.path().join("race.toml")).unwrap();
        std::fs::create_dir(folder.path().join("playbooks")).unwrap();
        let steps = shipped().join("playbooks/first-steps.toml");
        std::fs::copy(steps, folder.path().join("playbooks/first-steps.toml")).unwrap();
        let engine = county(store).await;
        read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
        let rules = rules(&engine, folder.path()).await;
        night(&engine, &rules, "2026-06-27").await;
        mails(store, mail.path(), "2026-06-28T04:00:00Z").await;
        let alert = store.alerts(1).await.unwrap().remove(0);

        // What the playbook says of a racist spike, and nothing about drops or disabled people.
        let geography = engine.county.geography(day("2026-06-27")).unwrap();
        let plays = engine.suggestions(&alert, &geography).await.unwrap();
        let found: Vec<(Priority, Role, u32)> =
            plays.iter().map(|play| (play.priority, play.owner, play.due_within_days)).collect();
        assert_eq!(
            found,
            [
                (Priority::ImproveResponse, Role::CspCoordinator, 7),
                (Priority::StrengthenCommunities, Role::CspCoordinator, 7),
            ],
            "{database}"
        );

        let by = Answerer { party: csp(), who: "KM".into() };
        let now = at("2026-06-29T09:00:00Z");
        let plan = Plan {
            title: plays[0].action.clone(),
            due: Some(due_by(&plays[0], engine.county.day_of(now))),
            priority: plays[0].priority,
            owner: Some(plays[0].owner),
        };
        engine.answer(&alert.number, &by, &Answer::Act(plan.clone()), now).await.unwrap();
        // The police are given one, too: theirs is the neighbourhood of the alert.
        let theirs = Plan { title: "Patrols at closing time".into(), owner: Some(Role::NptSergeant), ..plan };
        engine.answer(&alert.number, &by, &Answer::Act(theirs), now).await.unwrap();
        let actions = store.actions(alert.id).await.unwrap();
        assert_eq!(actions.len(), 2, "{database}");
        let (own, police) = (&actions[0], &actions[1]);
        assert_eq!(
            (own.owner.clone(), own.due, own.state),
            (csp(), Some(day("2026-07-06")), ActionState::Open)
        );
        assert_eq!(own.alert, Some((alert.id, alert.number.clone())));
        let ward = own.area.as_ref().unwrap();
        assert_eq!((ward.kind, ward.code.as_str()), (AreaKind::Ward, "E05010461"));
        let area = police.owner.area.as_ref().unwrap();
        assert_eq!((area.kind, area.code.as_str()), (AreaKind::Npa, "east-leicester"), "{database}");
        assert_eq!(store.action(own.id).await.unwrap().as_ref(), Some(own));

        // On its day it is not overdue; the day after its owner and the chair hear of it, once.
        assert_eq!(engine.tell_overdue(at("2026-07-06T20:00:00Z")).await.unwrap(), 0);
        assert_eq!(engine.tell_overdue(at("2026-07-07T08:00:00Z")).await.unwrap(), 3, "{database}");
        assert_eq!(engine.tell_overdue(at("2026-07-07T08:01:00Z")).await.unwrap(), 0, "once");
        let sent = mails(store, mail.path(), "2026-07-07T08:02:00Z").await;
        let told: Vec<(&str, &str)> =
            sent.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
        assert_eq!(
            told,
            [
                ("csp-chair@safer-leicester.invalid", "[OFFICIAL-SENSITIVE] 2 actions are overdue"),
                ("csp-coordinator@safer-leicester.invalid", "[OFFICIAL-SENSITIVE] One action is overdue"),
                ("npt-east-leicester@police.invalid", "[OFFICIAL-SENSITIVE] One action is overdue"),
            ],
            "{database}"
        );
        assert!(
            sent[1].text.contains("by 6 July 2026") && sent[1].text.contains("/actions"),
            "{}",
            sent[1].text
        );

        // Done on the 8th; the second time changes nothing.
        let done = at("2026-07-08T09:00:00Z");
        assert!(engine.end_action(own.id, ActionState::Done, Some("calmer"), done).await.unwrap());
        assert!(!engine.end_action(own.id, ActionState::Dropped, None, done).await.unwrap());
        assert!(engine.end_action(police.id, ActionState::Dropped, Some("no staff"), done).await.unwrap());
        read(&engine, &later(), "2026-08-06T03:00:00Z").await;
        night(&engine, &rules, "2026-08-04").await;
        assert_eq!(store.action(own.id).await.unwrap().unwrap().looked_at, None, "27 days after");
        night(&engine, &rules, "2026-08-05").await;
        let looked = store.action(own.id).await.unwrap().unwrap();
        let words = looked.looked_at.unwrap();
        assert!(
            words.contains("in the 28 days before it was done") && words.contains("28 days after"),
            "{words}"
        );
        assert!(words.ends_with("this shows no effect by itself."), "{words}");
        assert_eq!((looked.state, looked.outcome.as_deref()), (ActionState::Done, Some("calmer")));
        assert_eq!(store.action(police.id).await.unwrap().unwrap().looked_at, None, "it was not done");

        // The register has what ended within the year asked for; an alert with an action is answered.
        assert_eq!(store.action_register(at("2026-07-01T00:00:00Z")).await.unwrap().len(), 2, "{database}");
        assert_eq!(store.action_register(at("2026-07-09T00:00:00Z")).await.unwrap().len(), 0);
        let close = Answer::Close(tension_watch::model::Outcome::UsefulActed);
        engine.answer(&alert.number, &by, &close, at("2026-08-06T09:00:00Z")).await.unwrap();
        let alert = store.alert(&alert.number).await.unwrap().unwrap();
        assert_eq!(alert.state, tension_watch::model::AlertState::Closed, "{database}");
        assert!(!is_unanswered(&alert, &acted(&store.actions(alert.id).await.unwrap())));
        assert!(is_unanswered(&alert, &[]));
    }
}
