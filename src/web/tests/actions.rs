//! The action register on its page: who sees what, who may end what, and what a form must say.

use super::*;
use crate::model::{Action, ActionState};

async fn all(pages: &Pages) -> Vec<Action> {
    pages.store.action_register(pages.clock.now()).await.unwrap()
}

#[tokio::test]
async fn an_action_is_recorded_from_the_alert_and_ended_in_the_register() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("leicester").await;
    let play = include_str!("../../../rules/playbooks/first-steps.toml").to_owned();
    let files = [("playbooks/first-steps.toml".to_owned(), play)].into();
    let mut tx = pages.store.begin().await.unwrap();
    let saved = SavedRules { version: "2".into(), files, accepted_at: pages.clock.now() };
    tx.accept_rules(&saved).await.unwrap();
    tx.commit().await.unwrap();

    let (_, page) = pages.get("/alerts/LLR-2026-0001", &cookie).await;
    assert!(page.contains("Your playbook suggests"), "{page}");
    let token = pages.token("/alerts/LLR-2026-0001", &cookie).await;
    let answer = async |more: &str| {
        let form = format!("token={token}&answer=action{more}");
        pages.post("/alerts/LLR-2026-0001/answer", &cookie, OWN, &form).await.0.status()
    };
    assert_eq!(answer("").await, StatusCode::UNPROCESSABLE_ENTITY, "neither a suggestion nor words");
    let suggested = "&suggestion=Speak+to+the+faith+and+community+leaders+of+the+area+about+reassurance";
    assert_eq!(answer(suggested).await, StatusCode::SEE_OTHER);
    let recorded = all(&pages).await.remove(0);
    assert_eq!(recorded.priority, crate::model::Priority::StrengthenCommunities);
    assert!(recorded.due.is_some() && recorded.owner == leicester());

    // It stands in the register of those who see the ward, and nobody else's.
    for (name, seen) in [("leicester", true), ("analyst", true), ("charnwood", false)] {
        let cookie = pages.sign_in(name).await;
        let (_, page) = pages.get("/actions", &cookie).await;
        assert_eq!(page.contains("faith and community leaders"), seen, "{name}");
    }
    let end = format!("/actions/{}/end", recorded.id);
    let other = pages.sign_in("charnwood").await;
    let theirs = pages.token("/actions", &other).await;
    let form = format!("token={theirs}&state=done&outcome=x");
    assert_eq!(pages.post(&end, &other, OWN, &form).await.0.status(), StatusCode::NOT_FOUND);
    let (answer, text) = pages.post(&end, &cookie, OWN, &format!("token={token}&state=done&outcome=")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("what came of it"), "{text}");
    let form = format!("token={token}&state=done&outcome=Two+visits+were+made");
    assert_eq!(pages.post(&end, &cookie, OWN, &form).await.0.status(), StatusCode::SEE_OTHER);
    let ended = pages.store.action(recorded.id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.outcome.as_deref()), (ActionState::Done, Some("Two visits were made")));
}

#[tokio::test]
async fn an_action_of_ones_own_needs_words_a_day_and_an_area_of_ones_own() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("charnwood").await;
    let token = pages.token("/actions", &cookie).await;
    let add = async |form: &str| {
        pages.post("/actions", &cookie, OWN, &format!("token={token}{form}")).await.0.status()
    };
    let good = "&action=Talk+at+the+college&priority=raise+awareness&owner=npt_sergeant&due=2026-07-20";
    assert_eq!(add(&format!("{good}&area=csp/safer-leicester")).await, StatusCode::NOT_FOUND);
    assert_eq!(add(good).await, StatusCode::UNPROCESSABLE_ENTITY, "the whole county is not theirs");
    let own = "&area=csp/charnwood";
    assert_eq!(
        add(&format!("{own}&action=&owner=npt_sergeant&due=2026-07-20")).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        add(&format!("{own}&action=x&owner=npt_sergeant&due=soon")).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        add(&format!("{own}&action=x&owner=spb&due=2026-07-20")).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(all(&pages).await.is_empty());
    assert_eq!(add(&format!("{own}{good}")).await, StatusCode::SEE_OTHER);
    let recorded = all(&pages).await.remove(0);
    assert_eq!(recorded.owner.role, Role::NptSergeant);
    assert_eq!(recorded.owner.area.unwrap().kind, crate::model::AreaKind::Npa);
    assert_eq!(recorded.alert, None);
}
