//! The outbox page: where messages stand, and that they are sent again; never what they say.

use super::*;
use crate::store::{
    MessageState::{self, Failed, Held, Waiting},
    OutboxFilter,
};

async fn states(pages: &Pages) -> Vec<MessageState> {
    let entries = pages.store.outbox(&OutboxFilter::default(), 10).await.unwrap();
    entries.into_iter().rev().map(|entry| entry.state).collect()
}

/// A message about the alert that was given up, one that is held and one that waits, in this order.
async fn in_trouble(pages: &Pages) -> Vec<Uuid> {
    let told = pages.store.alert("LLR-2026-0001").await.unwrap().unwrap();
    let now = pages.clock.now();
    let mut ids = Vec::new();
    let mut tx = pages.store.begin().await.unwrap();
    for n in 0..3 {
        let id = Uuid::now_v7();
        let message = OutboxMessage {
            id,
            kind: MessageKind::Alert,
            about: told.id,
            mailbox: format!("csp{n}@llr.invalid"),
            sequence: 0,
            priority: 1,
            message_id: format!("<{n}@llr.invalid>"),
            message: "Subject: secret-text\r\n\r\nsecret-text\r\n".into(),
            created_at: now + TimeDelta::milliseconds(n),
            due: now,
            held: n == 1,
        };
        tx.add_message(&message).await.unwrap();
        ids.push(id);
    }
    tx.commit().await.unwrap();
    let claimed = pages.store.claim_messages(now, now + TimeDelta::minutes(5), 1).await.unwrap();
    assert_eq!(claimed[0].id, ids[0]);
    let mut tx = pages.store.begin().await.unwrap();
    assert!(tx.message_failed(&claimed[0], now, "550 no such <mailbox>", false).await.unwrap());
    tx.commit().await.unwrap();
    ids
}

#[tokio::test]
async fn analysts_see_where_messages_stand_and_send_them_again() {
    let pages = Pages::new().await;
    let ids = in_trouble(&pages).await;
    let cookie = pages.sign_in("analyst").await;
    let (_, text) = pages.get("/outbox", &cookie).await;
    assert!(text.contains("<h1>1 message could not be sent, 1 held</h1>"), "{text}");
    assert!(text.contains("550 no such &lt;mailbox&gt;") && text.contains("LLR-2026-0001"), "{text}");
    assert!(!text.contains("secret-text"));
    let (_, failed) = pages.get("/outbox?state=failed&kind=alert", &cookie).await;
    assert!(failed.contains("csp0@llr.invalid") && !failed.contains("csp1@llr.invalid"), "{failed}");
    let (_, none) = pages.get("/outbox?state=sent", &cookie).await;
    assert!(none.contains("No message fits this"), "{none}");

    let token = format!("token={}", pages.token("/outbox", &cookie).await);
    pages.post("/outbox/held/retry", &cookie, OWN, "token=0").await;
    assert_eq!(states(&pages).await, [Failed, Held, Waiting]);
    let (answer, _) = pages.post("/outbox/sent/retry", &cookie, OWN, &token).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    for _ in 0..2 {
        pages.post(&format!("/outbox/{}/retry", ids[0]), &cookie, OWN, &token).await;
        assert_eq!(states(&pages).await, [Waiting, Held, Waiting]);
    }
    pages.post("/outbox/held/retry", &cookie, OWN, &token).await;
    assert_eq!(states(&pages).await, [Waiting, Waiting, Waiting]);
    let (_, text) = pages.get("/outbox", &cookie).await;
    assert!(text.contains("<h1>3 messages on the way, none in trouble</h1>"), "{text}");
}

#[tokio::test]
async fn administrators_learn_of_the_mail_but_of_no_alert_and_auditors_press_nothing() {
    let pages = Pages::new().await;
    in_trouble(&pages).await;
    let (_, text) = pages.get("/outbox", &pages.sign_in("the-admin").await).await;
    assert!(text.contains("csp0@llr.invalid") && text.contains("/outbox/failed/retry"), "{text}");
    assert!(!text.contains("LLR-2026-0001"), "{text}");
    let (_, text) = pages.get("/outbox", &pages.sign_in("the-auditor").await).await;
    assert!(text.contains("LLR-2026-0001") && !text.contains("/retry"), "{text}");
}
