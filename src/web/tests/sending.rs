//! Incidents that programs send: what hostile bodies get, and what becomes of each row.

use super::{
    api::{JSON, call, is_problem, send, token},
    threats::everything_logged,
    *,
};
use crate::{model::Scope, web::api::token::new_token};
use axum::http::Method;

#[tokio::test]
async fn hostile_bodies_are_refused_and_nothing_is_kept() {
    let pages = Pages::new().await;
    let secret = token(&pages, "feed", &[Scope::IncidentsWrite], None).await;
    let row = r#""reference": "1", "categories": ["race"], "occurred_from": "2026-06-01""#;
    let wide = format!("{}\n", vec!["c"; 50_000].join(","));
    let head = "reference,known_at,categories,occurred_from,lon,lat";
    let many = format!("[{}{{}}]", "{},".repeat(10_000));
    for (name, kind, body, status) in [
        ("nothing", JSON, String::new(), 400),
        ("half", JSON, "[{".into(), 400),
        ("deep", JSON, "[".repeat(100_000), 422),
        ("deep in a row", JSON, format!("[{{\"class\": {}}}]", "[".repeat(100_000)), 400),
        ("huge number", JSON, format!("[{{{row}, \"lon\": 1e999, \"lat\": 52}}]"), 400),
        ("a number", JSON, "7".into(), 422),
        ("a list of numbers", JSON, "[7]".into(), 422),
        ("an object", JSON, "{}".into(), 422),
        ("more beside", JSON, "{\"incidents\": [], \"x\": 1}".into(), 422),
        ("twice", JSON, "{\"incidents\": [], \"incidents\": []}".into(), 422),
        ("many", JSON, many, 413),
        ("a text for a number", JSON, format!("[{{{row}, \"lon\": \"-1.1\"}}]"), 422),
        ("an object for a text", JSON, format!("[{{{row}, \"class\": {{}}}}]"), 422),
        ("a field twice", JSON, format!("[{{{row}, \"reference\": \"2\"}}]"), 422),
        ("no date", JSON, "[{\"reference\": \"1\", \"categories\": [\"race\"]}]".into(), 422),
        ("an unknown field", JSON, format!("[{{{row}, \"refrence\": \"2\"}}]"), 422),
        ("a name", JSON, format!("[{{{row}, \"victim_name\": \"CanaryName\"}}]"), 422),
        ("a birth date", JSON, format!("[{{{row}, \"dob\": \"1990-01-01\"}}]"), 422),
        ("a narrative", JSON, format!("[{{{row}, \"notes\": \"CanaryNote\"}}]"), 422),
        ("long", JSON, format!("[{{{row}, \"offence\": \"{}\"}}]", "x".repeat(70_000)), 422),
        ("no header", "text/csv", String::new(), 422),
        ("wide", "text/csv", wide, 422),
        ("a zero", "text/csv", format!("{head}\n1\0,,race,2026-06-01,,\n"), 422),
        ("an open quote", "text/csv", format!("{head}\n\"1,,race,2026-06-01,,\n"), 422),
        ("a column of names", "text/csv", format!("{head},Victim name\n"), 422),
        ("another supplier's", "text/csv", "a,b\n1,2\n".into(), 422),
        ("many rows", "text/csv", format!("{head}\n{}", "1\n".repeat(10_001)), 413),
    ] {
        let begun = std::time::Instant::now();
        let (answer, text) = send(&pages, &secret, kind, &name.replace(' ', "-"), body.as_bytes()).await;
        is_problem(&answer, &text, status);
        assert!(text.len() < 2_000 && !text.contains("CanaryN"), "{name}: {text}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
    }
    assert!(pages.store.imports().await.unwrap().is_empty());
    let (answer, text) = send(&pages, &secret, JSON, "a-name", format!("[{{{row}}}]").as_bytes()).await;
    assert_eq!(answer.status(), StatusCode::OK, "a refused call uses up no key: {text}");
}

#[tokio::test]
async fn every_row_has_an_outcome_and_the_same_call_the_same_answer() {
    let pages = Pages::new().await;
    let secret = token(&pages, "feed", &[Scope::IncidentsWrite], None).await;
    let at = r#""occurred_from": "2026-06-01 10:00""#;
    let body = format!(
        r#"{{"incidents": [
            {{"reference": "1", "categories": ["race", "religion"], {at}, "lon": -1.1332, "lat": 52.6369}},
            {{"reference": "2", "categories": ["rase"], {at}}},
            {{"reference": "3", "categories": ["race"], {at}, "lon": 2.35, "lat": 48.85}},
            {{"reference": "1", "categories": ["race", "religion"], {at}, "lon": -1.1332, "lat": 52.6369}},
            {{"reference": "1", "categories": ["race"], {at}, "lon": -1.1332, "lat": 52.6369, "known_at": null}},
            {{"reference": "4", "categories": ["race"], {at}, "offence": "a\u0000b"}}
        ]}}"#
    );
    let (answer, text) = send(&pages, &secret, JSON, "k", body.as_bytes()).await;
    assert_eq!(answer.status(), StatusCode::OK, "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows: Vec<String> = told["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {} {}", row["row"], row["outcome"], row["field"], row["reason"]))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    1 "accepted" null null
    2 "rejected" "categories" "`rase` is not a strand; there are race, religion, sexual_orientation, disability, transgender, other; did you mean `race`?"
    3 "rejected" "lon" "the place lies outside Leicester, Leicestershire and Rutland; check the coordinates, or leave both empty"
    4 "duplicate" null null
    5 "updated" null null
    6 "rejected" "offence" "there is a NUL character; take it out"
    "#);
    let counts = ["received", "accepted", "updated", "duplicate", "rejected"]
        .map(|count| told[count].as_u64().unwrap());
    assert_eq!(counts, [6, 1, 1, 1, 3]);
    let (again, same) = send(&pages, &secret, JSON, "k", body.as_bytes()).await;
    assert_eq!((again.status(), &same), (StatusCode::OK, &text));
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    let (other, text) = send(&pages, &secret, JSON, "k", b"[]").await;
    is_problem(&other, &text, 422);
    assert_eq!(pages.store.imports().await.unwrap().len(), 1, "once");
    let id = told["id"].as_str().unwrap();
    let (_, text) = call(&pages, Method::GET, &format!("/api/v1/imports/{id}?limit=2"), &secret, "").await;
    let saved: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((saved["rejected"].as_u64(), saved["next_page"].as_u64()), (Some(3), Some(2)));
    assert_eq!(saved["rejects"][0]["row"], 2, "{text}");
    // Another source's token sees nothing of it.
    let mut other = pages.store.tokens().await.unwrap().remove(0);
    (other.name, other.source) = ("other".into(), Some("council".into()));
    let (stranger, hash) = new_token();
    pages.store.add_token(&other, &hash).await.unwrap();
    let (answer, text) = call(&pages, Method::GET, &format!("/api/v1/imports/{id}"), &stranger, "").await;
    is_problem(&answer, &text, 404);
    // Its key is its own.
    let (answer, _) = send(&pages, &stranger, JSON, "k", b"[]").await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn nothing_of_what_was_sent_is_logged_or_told_to_anybody_else() {
    let log = everything_logged();
    let pages = Pages::new().await;
    let secret = token(&pages, "feed", &[Scope::IncidentsWrite], None).await;
    let row = r#""occurred_from": "2026-06-01", "reference""#;
    let csv = "reference,known_at,categories,occurred_from,lon,lat\n";
    for (key, kind, body) in [
        (
            "a",
            JSON,
            format!(
                r#"[{{{row}: "CanaryReference", "categories": ["CanaryStrand"], "offence": "CanaryOffence"}}]"#
            ),
        ),
        (
            "b",
            JSON,
            format!(r#"[{{{row}: "CanaryKept", "categories": ["race"], "channel": "CanaryChannel"}}]"#),
        ),
        ("c", JSON, format!(r#"[{{{row}: "1", "categories": ["race"], "surname": "CanaryName"}}]"#)),
        ("d", JSON, format!(r#"[{{{row}: "1", "categories": ["race"], "lon": "CanaryLon"}}]"#)),
        ("e", JSON, r#"["CanaryShape"]"#.into()),
        ("f", JSON, "[{CanarySyntax".into()),
        ("g", "text/csv", format!("{csv}CanaryRow,,race,CanaryDate,,\n")),
        ("h", "text/csv", format!("{csv}\"CanaryQuote,,race,2026-06-01,,\n")),
        ("i", "text/CanaryKind", "CanaryBody".into()),
    ] {
        let (answer, text) = send(&pages, &secret, kind, key, body.as_bytes()).await;
        assert!(answer.status().as_u16() < 500, "{key}: {text}");
        for kept in
            ["CanaryReference", "CanaryOffence", "CanaryKept", "CanaryChannel", "CanaryName", "CanaryRow"]
        {
            assert!(!text.contains(kept), "{key}: {text}");
        }
    }
    call(&pages, Method::GET, "/api/v1/imports/CanaryImport", &secret, "").await;
    call(&pages, Method::GET, "/api/v1/imports/CanaryImport", "tw_CanaryToken", "").await;
    let now = pages.clock.now() + TimeDelta::hours(1);
    let lines = pages.store.audit(now - TimeDelta::days(1), now, None, 100, 0).await.unwrap();
    assert!(lines.len() >= 11, "{lines:?}");
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("TRACE"), "the log was caught");
    let told = logged.lines().find(|line| line.contains("Canary") || line.contains(&secret));
    assert!(told.is_none(), "the log tells {}", told.unwrap_or_default());
    let audited = format!("{lines:?}").replace("/api/v1/imports/CanaryImport", "");
    assert!(!audited.contains("Canary") && !audited.contains(&secret), "{audited}");
}
