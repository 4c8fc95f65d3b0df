//! What administrators and analysts do about accounts, tokens, imports and the engine.

use super::{
    api::{call, send},
    *,
};
use crate::{
    import::Reject,
    model::{DataAlert, Scope},
    store::{ImportRecord, SavedReject, Tx},
};
use axum::http::Method;
use chrono::{DateTime, Utc};

/// An import of three rows, one of which could not be used.
pub(super) async fn import(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) {
    let record = ImportRecord {
        id,
        source: "police".into(),
        file_name: "week-<27>.csv".into(),
        header: vec!["reference".into(), "occurred_from".into(), "categories".into()],
        sha256: "00".into(),
        imported_at: now,
        row_count: 3,
        added: 2,
        changed: 0,
        unchanged: 0,
        rejected: 1,
        known_from: Some(now),
    };
    let reject = Reject {
        line: 3,
        column: Some("categories".into()),
        reason: "`rage` is not a category; did you mean `race`?".into(),
        row: vec!["=R-2".into(), "2026-06-02".into(), "<rage>".into()],
    };
    tx.add_import(&record).await.unwrap();
    let body = serde_json::to_value(&reject).unwrap();
    tx.add_rejects(id, &[SavedReject { line: 3, body }]).await.unwrap();
}

/// What a page shows once.
fn secret(text: &str) -> String {
    let behind =
        text.split("<p class=\"secret\"><code>").nth(1).unwrap_or_else(|| panic!("no secret: {text}"));
    behind.split('<').next().unwrap().to_owned()
}

async fn log(pages: &Pages) -> Vec<String> {
    let until = pages.clock.now() + TimeDelta::days(1);
    let lines = pages.store.audit(DateTime::<Utc>::UNIX_EPOCH, until, None, 100, 0).await.unwrap();
    lines.into_iter().map(|line| format!("{} {} {}", line.account, line.what, line.about)).collect()
}

#[tokio::test]
async fn an_account_is_made_changed_and_taken_away() {
    let pages = Pages::new().await;
    let admin = pages.sign_in("the-admin").await;
    let token = pages.token("/accounts", &admin).await;
    let save =
        async |form: &str| pages.post("/accounts", &admin, OWN, &format!("token={token}&{form}")).await;
    for (form, why) in [
        ("name=chair", "Choose a role."),
        ("name=chair&role=king", "Choose a role."),
        ("name=two words&role=csp_chair", "letters, digits"),
        ("name=chair&role=csp_chair&area=csp/nowhere", "no csp `nowhere`"),
        ("name=chair&role=csp_chair&area=nowhere", "Choose an area"),
        ("name=the-admin&role=analyst", "another administrator"),
    ] {
        let (answer, text) = save(form).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(text.contains(why) && !text.contains("class=\"secret\""), "{form}: {text}");
    }
    let (answer, text) = save("name=chair&role=csp_chair&area=csp/charnwood").await;
    assert_eq!(answer.status(), StatusCode::OK, "{text}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let password = secret(&text);
    assert!(!pages.get("/accounts", &admin).await.1.contains(&password), "shown once");
    let form = format!("name=chair&password={password}");
    let (answer, _) = pages.post("/sign-in", "", OWN, &form).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(pages.get("/alerts", &cookie).await.0.status(), StatusCode::OK);

    // A new role signs out whoever is signed in, and the old password is gone.
    let (_, text) = save("name=chair&role=partner").await;
    assert_ne!(secret(&text), password);
    assert_eq!(pages.get("/alerts", &cookie).await.0.status(), StatusCode::SEE_OTHER);
    assert_eq!(pages.post("/sign-in", "", OWN, &form).await.0.status(), StatusCode::UNAUTHORIZED);

    let remove = async |name: &str| {
        pages.post("/accounts/remove", &admin, OWN, &format!("token={token}&name={name}")).await.0.status()
    };
    assert_eq!(remove("the-admin").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(remove("chair").await, StatusCode::SEE_OTHER);
    assert_eq!(remove("chair").await, StatusCode::SEE_OTHER, "pressed twice");
    assert!(pages.store.account("chair").await.unwrap().is_none());
    assert!(pages.store.account("the-admin").await.unwrap().is_some());
    let log = log(&pages).await;
    for line in [
        "the-admin account added chair as csp_chair of csp/charnwood",
        "the-admin account changed chair as partner of the whole county",
        "the-admin account removed chair",
    ] {
        assert_eq!(log.iter().filter(|one| *one == line).count(), 1, "{line}: {log:?}");
    }
    assert!(!log.iter().any(|line| line.contains(&password)));
}

#[tokio::test]
async fn a_token_is_made_used_and_taken_back() {
    let pages = Pages::new().await;
    let admin = pages.sign_in("the-admin").await;
    let token = pages.token("/tokens", &admin).await;
    let add = async |form: &str| pages.post("/tokens", &admin, OWN, &format!("token={token}&{form}")).await;
    for (form, why) in [
        ("name=feed", "allows nothing"),
        ("name=feed&incidents=on", "go together"),
        ("name=feed&published=on&area=csp/charnwood", "says nothing"),
        ("name=feed&published=on&ends=2020-01-01", "is over"),
        ("name=feed&published=on&ends=soon", "YYYY-MM-DD"),
        ("name=a+feed&published=on", "letters, digits"),
    ] {
        let (answer, text) = add(form).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(text.contains(why) && text.contains("Nothing was kept"), "{form}: {text}");
    }
    let (_, text) = add("name=feed&incidents=on&source=police&published=on").await;
    let program = secret(&text);
    assert!(text.contains("incidents:write of police, published:read"), "{text}");
    assert!(!pages.get("/tokens", &admin).await.1.contains(&program), "shown once");
    let (_, text) = add("name=feed&published=on").await;
    assert!(text.contains("choose another name"), "{text}");
    let scopes = pages.store.tokens().await.unwrap()[0].scopes.clone();
    assert_eq!(scopes, [Scope::IncidentsWrite, Scope::PublishedRead]);

    let body = br#"{"incidents": []}"#;
    let sent = send(&pages, &program, "application/json", "one", body).await.0.status();
    assert!(!matches!(sent, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), "{sent}");
    let at = "/api/v1/published?from=2026-01&to=2026-01";
    assert_ne!(call(&pages, Method::GET, at, &program, "").await.0.status(), StatusCode::UNAUTHORIZED);
    let (answer, _) = pages.post("/tokens/revoke", &admin, OWN, &format!("token={token}&name=feed")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(call(&pages, Method::GET, at, &program, "").await.0.status(), StatusCode::UNAUTHORIZED);
    let log = log(&pages).await;
    assert!(log.contains(&"the-admin token revoked feed".to_owned()), "{log:?}");
    assert!(!log.iter().any(|line| line.contains(&program)));
}

#[tokio::test]
async fn rows_that_could_not_be_used_are_shown_with_their_reason_and_taken_away_to_be_mended() {
    let pages = Pages::new().await;
    let analyst = pages.sign_in("analyst").await;
    let (_, text) = pages.get("/imports", &analyst).await;
    assert!(text.contains("Nothing has been imported yet"), "{text}");
    let (id, now) = (Uuid::now_v7(), pages.clock.now());
    let mut tx = pages.store.begin().await.unwrap();
    import(&mut tx, id, now).await;
    tx.commit().await.unwrap();
    let (_, text) = pages.get("/imports", &analyst).await;
    assert!(text.contains("1 row of the latest imports could not be used"), "{text}");
    assert!(text.contains("week-&lt;27&gt;.csv") && text.contains(&format!("/imports/{id}")), "{text}");
    let (_, text) = pages.get(&format!("/imports/{id}"), &analyst).await;
    assert!(text.contains("did you mean `race`?") && text.contains("&lt;rage&gt;"), "{text}");
    assert!(text.contains("categories (1)") && !text.contains("<rage>"), "{text}");
    let (answer, text) = pages.get(&format!("/imports/{id}/rejects.csv"), &analyst).await;
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains("OFFICIAL-SENSITIVE"));
    assert!(text.contains("'=R-2,2026-06-02,<rage>,3,categories,"), "a formula is a text: {text}");
    // The auditor reads and takes nothing away.
    let auditor = pages.sign_in("the-auditor").await;
    let (_, text) = pages.get(&format!("/imports/{id}"), &auditor).await;
    assert!(text.contains("did you mean") && !text.contains("rejects.csv"), "{text}");
    for at in ["nothing".to_owned(), Uuid::now_v7().to_string()] {
        let (answer, _) = pages.get(&format!("/imports/{at}"), &analyst).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{at}");
    }
}

#[tokio::test]
async fn the_page_of_the_engine_says_what_to_look_at_and_administrators_read_no_figure() {
    let pages = Pages::new().await;
    let analyst = pages.sign_in("analyst").await;
    let (_, text) = pages.get("/runs", &analyst).await;
    assert!(text.contains("The engine is well") && text.contains("29 June 2026"), "{text}");
    let now = pages.clock.now();
    let run = Run {
        id: Uuid::now_v7(),
        night: "2026-06-30".parse().unwrap(),
        tick: Some(now),
        as_known_on: now,
        started_at: now,
        finished_at: None,
        outcome: RunOutcome::Running,
        rules_version: "1".into(),
        summary: json!({}),
    };
    let alert = DataAlert {
        identity: "late/police".into(),
        title: "No reports from police".into(),
        text: "Ask whether 41 reports are missing".into(),
    };
    let mut tx = pages.store.begin().await.unwrap();
    tx.begin_run(&run).await.unwrap();
    tx.fail_run(run.id, now, &json!({"error": "the rules of 41 wards"})).await.unwrap();
    assert!(tx.open_data_alert(Uuid::now_v7(), &alert, now).await.unwrap());
    tx.commit().await.unwrap();
    // A role that the rules tell has nobody any more.
    let mut directory = pages.store.directory().await.unwrap();
    for mailbox in &mut directory {
        mailbox.active &= mailbox.role != Role::NptSergeant;
    }
    let mut tx = pages.store.begin().await.unwrap();
    tx.replace_directory(&directory).await.unwrap();
    tx.commit().await.unwrap();

    let (_, text) = pages.get("/runs", &analyst).await;
    assert!(text.contains("Two things to look at"), "{text}");
    assert!(text.contains("Failed: nothing was saved") && text.contains("the rules of 41 wards"), "{text}");
    assert!(text.contains("Ask whether 41") && text.contains("nobody for any ward"), "{text}");
    let (_, text) = pages.get("/runs", &pages.sign_in("the-admin").await).await;
    assert!(text.contains("No reports from police") && text.contains("Failed: nothing was saved"), "{text}");
    // A number begins a word; the token of the page's forms may hold the same digits.
    assert!(!text.contains(" 41"), "{text}");
}
