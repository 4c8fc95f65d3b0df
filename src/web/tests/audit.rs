//! The audit log: complete, and without incident text or secrets.

use super::*;
use crate::store::AuditEntry;

async fn log(pages: &Pages) -> Vec<AuditEntry> {
    let until = pages.clock.now() + TimeDelta::days(1);
    let mut log = pages.store.audit(chrono::DateTime::UNIX_EPOCH, until, None, 1000, 0).await.unwrap();
    log.reverse();
    log
}

fn line(entry: &AuditEntry) -> String {
    format!("{} ({}) {} {}: {}", entry.account, entry.role, entry.what, entry.about, entry.outcome)
}

#[tokio::test]
async fn who_saw_and_who_did_what_is_recorded() {
    let pages = Pages::new().await;
    let own = "name=leicester&password=a+long+password";
    pages.post("/sign-in", "", OWN, "name=leicester&password=guess-one").await;
    pages.post("/sign-in", "", OWN, "name=my-secret-password&password=leicester").await;
    let (answer, _) = pages.post("/sign-in", "", OWN, own).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let token = pages.token("/alerts/LLR-2026-0001", &cookie).await;
    pages.get("/?area=ward&period=7", &cookie).await;
    pages.get("/rules/%3Cb%3E?x=%0a", &cookie).await;
    let form = format!("token={token}&answer=acknowledge");
    pages.post("/alerts/LLR-2026-0001/answer", &cookie, OWN, &form).await;
    pages.post("/alerts/LLR-2026-0001/answer", &cookie, OWN, "token=0&answer=acknowledge").await;
    pages.get("/alerts/LLR-2026-0002", &cookie).await;
    pages.get("/audit", &cookie).await;
    pages.get("/static/site.css", &cookie).await;
    pages.post("/sign-out", &cookie, OWN, &format!("token={token}")).await;
    let lines: Vec<String> = log(&pages).await.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "leicester (csp_coordinator) sign-in : wrong name or password",
            " () sign-in : wrong name or password",
            "leicester (csp_coordinator) sign-in : done",
            "leicester (csp_coordinator) alert /alerts/LLR-2026-0001: shown",
            "leicester (csp_coordinator) hotspot page /?area=ward&period=7: shown",
            "leicester (csp_coordinator) rule /rules/%3Cb%3E: not found, or not theirs",
            "leicester (csp_coordinator) answer to an alert /alerts/LLR-2026-0001/answer: done",
            "leicester (csp_coordinator) answer to an alert /alerts/LLR-2026-0001/answer: refused",
            "leicester (csp_coordinator) alert /alerts/LLR-2026-0002: not found, or not theirs",
            "leicester (csp_coordinator) audit log /audit: not found, or not theirs",
            "leicester (csp_coordinator) sign-out /sign-out: done",
        ]
    );
}

#[tokio::test]
async fn the_log_is_read_by_auditors_and_administrators_page_by_page() {
    let pages = Pages::new().await;
    let entry = |n: i64| AuditEntry {
        at: pages.clock.now() - TimeDelta::days(3) + TimeDelta::seconds(n),
        account: if n % 2 == 0 { "even" } else { "odd<b>" }.into(),
        role: "analyst".into(),
        what: "hotspot page".into(),
        about: format!("/n{n}."),
        outcome: "shown".into(),
    };
    for n in 0..130 {
        pages.store.add_audit(&[entry(n)]).await.unwrap();
    }
    for name in ["the-auditor", "the-admin"] {
        let cookie = pages.sign_in(name).await;
        let (answer, text) = pages.get("/audit?account=even", &cookie).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text.matches("<td>&#x2f;n").count(), 65, "one account");
        assert!(!text.contains("odd"));
        let day = entry(0).at.date_naive();
        let (_, text) = pages.get(&format!("/audit?day={day}"), &cookie).await;
        assert!(text.contains("odd&lt;b&gt;") && text.contains("Older"), "{text}");
        assert_eq!(text.matches("<tr><th scope=\"row\"").count(), 100);
        let (_, text) = pages.get(&format!("/audit?day={day}&page=2"), &cookie).await;
        assert!(text.contains("Newer") && text.contains("n0."), "{text}");
        let (_, text) = pages.get("/audit?day=2020-01-01", &cookie).await;
        assert!(text.contains("Nothing is recorded for this"));
        for odd in ["day=+262142-12-31", "day=nonsense", "page=99999999", "page=-1", "account=%27--"] {
            let (answer, _) = pages.get(&format!("/audit?{odd}"), &cookie).await;
            assert_eq!(answer.status(), StatusCode::OK, "{odd}");
        }
    }
}

#[tokio::test]
async fn an_administrator_reads_who_but_not_of_which_alert() {
    let pages = Pages::new().await;
    for (what, about) in [
        ("alert", "/alerts/LLR-2026-0001"),
        ("why a rule holds", "/rules/why-not?ward=Belgrave"),
        ("hotspot page", "/?strand=race"),
        ("alert, by the link of a mail", "LLR-2026-0001"),
        ("account added", "lead as analyst of the whole county"),
    ] {
        pages.site.record("somebody", Some(Role::Analyst), what, about, "shown").await.unwrap();
    }
    let (_, text) = pages.get("/audit", &pages.sign_in("the-admin").await).await;
    assert!(text.contains("<td>&#x2f;alerts</td>") && text.contains("<td>&#x2f;rules</td>"), "{text}");
    assert!(text.contains("<td>&#x2f;</td>") && text.contains("lead as analyst"), "{text}");
    assert!(!text.contains("LLR-2026") && !text.contains("Belgrave") && !text.contains("race"), "{text}");
    let (_, text) = pages.get("/audit", &pages.sign_in("the-auditor").await).await;
    assert!(text.contains("LLR-2026-0001") && text.contains("Belgrave"), "auditors read everything");
}

#[test]
fn nothing_in_the_store_changes_or_takes_away_a_line() {
    let touching: Vec<&str> = Store::statements()
        .filter(|(_, text)| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "audit")
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(touching, ["ADD_AUDIT", "AUDIT"]);
}
