//! The API: every scope at every door, tokens that are no longer good, and what hostile bodies get.

use super::{super::routes::ROUTES, *};
use crate::{
    model::Scope,
    store::ApiToken,
    web::{api::token::new_token, routes::Right},
};
use axum::http::Method;
use std::collections::BTreeSet;

/// Keeps a token and gives what its program sends.
pub(super) async fn token(pages: &Pages, name: &str, scopes: &[Scope], area: Option<&str>) -> String {
    let (secret, hash) = new_token();
    let token = ApiToken {
        name: name.into(),
        scopes: scopes.into(),
        source: scopes.contains(&Scope::IncidentsWrite).then(|| "police".into()),
        area: area.map(|code| AreaRef { kind: crate::model::AreaKind::Csp, code: code.into() }),
        created_at: pages.clock.now(),
        ends_at: None,
        revoked_at: None,
        used_at: None,
    };
    assert!(pages.store.add_token(&token, &hash).await.unwrap());
    secret
}

pub(super) async fn call(
    pages: &Pages,
    method: Method,
    at: &str,
    token: &str,
    body: &str,
) -> (Answer<()>, String) {
    let mut request = Request::builder().method(method).uri(at).header("host", "127.0.0.1:8080");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request
        .header("content-type", "application/json")
        .header("idempotency-key", format!("{:x}", md(body)))
        .body(Body::from(body.to_owned()))
        .unwrap();
    pages.ask(request).await
}

/// Another name for every body.
fn md(body: &str) -> u64 {
    body.bytes().fold(7, |sum, byte| sum.wrapping_mul(1_099_511_628_211).wrapping_add(byte.into()))
}

pub(super) async fn send(
    pages: &Pages,
    token: &str,
    kind: &str,
    key: &str,
    body: &[u8],
) -> (Answer<()>, String) {
    let mut request = Request::post("/api/v1/incidents")
        .header("host", "127.0.0.1:8080")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", kind);
    if !key.is_empty() {
        request = request.header("idempotency-key", key);
    }
    pages.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

pub(super) const JSON: &str = "application/json";

/// An address that each door answers.
fn address(path: &str) -> String {
    let path = path.replace("{number}", "LLR-2026-0001").replace("{id}", &Uuid::nil().to_string());
    if path.ends_with("/figures") { path + "?from=2026-06-01&to=2026-06-28" } else { path }
}

/// A problem, and nothing but what belongs into one.
pub(super) fn is_problem(answer: &Answer<()>, text: &str, status: u16) -> serde_json::Value {
    assert_eq!(answer.status().as_u16(), status, "{text}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{text}");
    let problem: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(problem["status"], status, "{text}");
    assert!(problem["title"].as_str().is_some_and(|title| title.len() > 5), "{text}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{text}");
    problem
}

#[tokio::test]
async fn every_scope_is_let_in_at_its_own_doors_and_nowhere_else() {
    let pages = Pages::new().await;
    let mut doors = 0;
    for scope in Scope::ALL {
        let secret = token(&pages, scope.code().replace(':', "-").as_str(), &[scope], None).await;
        for route in &ROUTES {
            let Right::Token(wanted) = route.right else { continue };
            doors += 1;
            let (answer, text) =
                call(&pages, route.method.clone(), &address(route.path), &secret, "[]").await;
            if wanted != scope {
                let problem = is_problem(&answer, &text, 403);
                assert!(problem["detail"].as_str().unwrap().contains(wanted.code()), "{text}");
            } else if route.path.contains("{id}") {
                is_problem(&answer, &text, 404);
            } else {
                assert_eq!(answer.status(), StatusCode::OK, "{} {text}", route.path);
            }
        }
        // A token opens no page.
        for page in ["/", "/alerts", "/published", "/audit"] {
            let (answer, _) = call(&pages, Method::GET, page, &secret, "").await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{page}");
        }
    }
    assert_eq!(doors, 4 * 6, "a new door is walked too; count it here");
}

#[tokio::test]
async fn without_a_token_nothing_is_told_however_somebody_signed_in() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("analyst").await;
    for route in ROUTES.iter().filter(|route| matches!(route.right, Right::Token(_))) {
        let at = address(route.path);
        let (answer, text) = call(&pages, route.method.clone(), &at, "", "[]").await;
        is_problem(&answer, &text, 401);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        let request = Request::builder().method(route.method.clone()).uri(&at);
        let request = request.header("host", "127.0.0.1:8080").header("cookie", &cookie);
        let (answer, text) = pages.ask(request.body(Body::empty()).unwrap()).await;
        is_problem(&answer, &text, 401);
    }
    let good = token(&pages, "alerts", &[Scope::AlertsRead], None).await;
    for odd in
        ["", "Bearer", "Bearer ", "Basic dTpw", &format!("Bearer {good} x"), &format!("Token {good}"), &good]
    {
        let request =
            Request::get("/api/v1/alerts").header("host", "127.0.0.1:8080").header("authorization", odd);
        let (answer, text) = pages.ask(request.body(Body::empty()).unwrap()).await;
        is_problem(&answer, &text, 401);
    }
    let request = Request::get("/api/v1/alerts").header("host", "127.0.0.1:8080");
    let request = request.header("authorization", format!("bearer {good}"));
    assert_eq!(pages.ask(request.body(Body::empty()).unwrap()).await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_is_revoked_or_ended_is_refused_at_once() {
    let pages = Pages::new().await;
    let revoked = token(&pages, "revoked", &[Scope::AlertsRead], None).await;
    let (secret, hash) = new_token();
    let mut ending = pages.store.tokens().await.unwrap().remove(0);
    ending.name = "ending".into();
    ending.ends_at = Some(pages.clock.now() + TimeDelta::hours(1));
    assert!(pages.store.add_token(&ending, &hash).await.unwrap());
    assert!(!pages.store.add_token(&ending, "another").await.unwrap(), "a name is taken once");
    let get = async |token: &str| call(&pages, Method::GET, "/api/v1/alerts", token, "").await;
    assert_eq!(get(&revoked).await.0.status(), StatusCode::OK);
    assert_eq!(get(&secret).await.0.status(), StatusCode::OK);
    assert!(pages.store.revoke_token("revoked", pages.clock.now()).await.unwrap());
    assert!(!pages.store.revoke_token("revoked", pages.clock.now()).await.unwrap());
    let (answer, text) = get(&revoked).await;
    is_problem(&answer, &text, 401);
    pages.clock.by(TimeDelta::minutes(59));
    assert_eq!(get(&secret).await.0.status(), StatusCode::OK);
    pages.clock.by(TimeDelta::minutes(1));
    let (answer, text) = get(&secret).await;
    is_problem(&answer, &text, 401);
    let used = async || pages.store.tokens().await.unwrap()[0].used_at;
    let before = used().await;
    assert!(before.is_some());
    // Nothing of a token itself is kept.
    let kept = format!("{:?}", pages.store.tokens().await.unwrap());
    assert!(!kept.contains(&secret) && !kept.contains(&hash), "{kept}");
}

#[tokio::test]
async fn that_a_token_was_used_is_written_once_a_minute() {
    let pages = Pages::new().await;
    let secret = token(&pages, "alerts", &[Scope::AlertsRead], None).await;
    let used = async || pages.store.tokens().await.unwrap()[0].used_at.unwrap();
    call(&pages, Method::GET, "/api/v1/alerts", &secret, "").await;
    let first = used().await;
    pages.clock.by(TimeDelta::seconds(50));
    call(&pages, Method::GET, "/api/v1/alerts", &secret, "").await;
    assert_eq!(used().await, first);
    pages.clock.by(TimeDelta::seconds(15));
    call(&pages, Method::GET, "/api/v1/alerts", &secret, "").await;
    assert!(used().await > first);
}

#[tokio::test]
async fn unknown_tokens_are_counted_by_address_and_good_ones_still_work() {
    let pages = Pages::new().await;
    let good = token(&pages, "alerts", &[Scope::AlertsRead], None).await;
    for n in 0..35 {
        let (answer, text) = call(&pages, Method::GET, "/api/v1/alerts", &format!("tw_{n}"), "").await;
        if n < 30 {
            is_problem(&answer, &text, 401);
        } else {
            is_problem(&answer, &text, 429);
            assert_eq!(answer.headers()["retry-after"], "900");
        }
    }
    let (answer, _) = call(&pages, Method::GET, "/api/v1/alerts", &good, "").await;
    assert_eq!(answer.status(), StatusCode::OK, "somebody else at the same address");
    pages.sign_in("leicester").await;
    pages.clock.by(TimeDelta::minutes(16));
    let (answer, text) = call(&pages, Method::GET, "/api/v1/alerts", "tw_x", "").await;
    is_problem(&answer, &text, 401);
}

#[tokio::test]
async fn an_alert_is_for_tokens_of_its_area() {
    let pages = Pages::new().await;
    for (area, seen) in [(None, true), (Some("safer-leicester"), true), (Some("charnwood"), false)] {
        let scopes = [Scope::AlertsRead, Scope::FiguresRead];
        let secret = token(&pages, area.unwrap_or("all"), &scopes, area).await;
        let (answer, text) = call(&pages, Method::GET, "/api/v1/alerts/LLR-2026-0001", &secret, "").await;
        if seen {
            let told: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(told["alert"]["wards"][0]["name"], "Belgrave", "{text}");
            assert_eq!(
                (told["alert"]["observed"].as_u64(), told["alert"]["state"].as_str()),
                (Some(9), Some("open"))
            );
        } else {
            is_problem(&answer, &text, 404);
            let (other, same) = call(&pages, Method::GET, "/api/v1/alerts/LLR-2026-9999", &secret, "").await;
            assert_eq!((other.status(), same), (answer.status(), text), "the same as if it were not there");
        }
        let (_, list) = call(&pages, Method::GET, "/api/v1/alerts?state=open&limit=1", &secret, "").await;
        assert_eq!(list.contains("LLR-2026-0001"), seen, "{list}");
        let (_, list) = call(&pages, Method::GET, "/api/v1/alerts?state=closed", &secret, "").await;
        assert!(!list.contains("LLR-2026-0001"), "{list}");
        let at = "/api/v1/figures?from=2026-06-01&to=2026-06-28&area=";
        for kind in ["ward", "district"] {
            let (_, text) = call(&pages, Method::GET, &format!("{at}{kind}"), &secret, "").await;
            let told: serde_json::Value = serde_json::from_str(&text).unwrap();
            let codes: BTreeSet<&str> =
                told["areas"].as_array().unwrap().iter().map(|area| area["code"].as_str().unwrap()).collect();
            assert!(!codes.is_empty(), "{area:?} {kind}");
            if kind == "ward" {
                assert_eq!(codes.contains("E05010461"), seen, "{area:?}: {codes:?}");
            } else {
                assert_eq!(codes.contains("E06000016"), seen, "{area:?}: {codes:?}");
                assert_eq!(codes.len() == 1, area.is_some(), "{area:?}: {codes:?}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_told_as_a_problem() {
    let pages = Pages::new().await;
    let all = token(&pages, "all", &Scope::ALL, None).await;
    let mut wrong = vec![
        (Method::GET, "/api", 404),
        (Method::GET, "/api/", 404),
        (Method::GET, "/api/v2/alerts", 404),
        (Method::GET, "/api/v1/alerts/", 404),
        (Method::DELETE, "/api/v1/alerts", 405),
        (Method::PUT, "/api/v1/incidents", 405),
        (Method::GET, "/api/v1/imports/7", 404),
        (Method::GET, "/api/v1/alerts/%FF", 400),
        (Method::GET, "/api/v1/figures", 400),
        (Method::GET, "/api/v1/published?to=%00", 404),
    ];
    let figures = "/api/v1/figures?from=2026-06-01&to=2026-06-28";
    let more: Vec<String> = [
        "&area=csp",
        "&strand=race",
        "&to=2026-06-28",
        "&", // the last is no mistake
    ]
    .map(|more| format!("{figures}{more}"))
    .into();
    wrong.extend(more.iter().take(3).map(|at| (Method::GET, at.as_str(), 400)));
    wrong.extend([
        (Method::GET, "/api/v1/figures?from=2026-06-02&to=2026-06-01", 400),
        (Method::GET, "/api/v1/figures?from=2020-06-02&to=2026-06-01", 400),
        (Method::GET, "/api/v1/figures?from=%2B262142-12-31&to=2026-06-01", 400),
        (Method::GET, "/api/v1/figures?from=0001-01-01&to=0001-01-02", 400),
        (Method::GET, "/api/v1/alerts?limit=0", 400),
        (Method::GET, "/api/v1/alerts?limit=201", 400),
        (Method::GET, "/api/v1/alerts?page=0", 400),
        (Method::GET, "/api/v1/alerts?page=-1", 400),
        (Method::GET, "/api/v1/alerts?page=4294967296", 400),
        (Method::GET, "/api/v1/alerts?state=lost", 400),
        (Method::GET, "/api/v1/alerts?unknown=1", 400),
        (Method::GET, "/api/v1/alerts/LLR-2026-0001?unknown=1", 400),
        (Method::GET, "/api/v1/published?area=npa", 400),
        (Method::GET, "/api/v1/published?period=week", 400),
        (Method::GET, "/api/v1/published?strand=CanaryStrand", 400),
        (Method::GET, "/api/v1/published?night=2026-06-01", 400),
    ]);
    for (method, at, status) in wrong {
        let (answer, text) = call(&pages, method, at, &all, "[]").await;
        is_problem(&answer, &text, status);
        assert_eq!(answer.headers().contains_key("allow"), status == 405, "{at}");
    }
    let (answer, _) = call(&pages, Method::GET, &more[3], &all, "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let (answer, text) = send(&pages, &all, "text/xml", "a", b"<a/>").await;
    is_problem(&answer, &text, 415);
    let (answer, text) = send(&pages, &all, JSON, "", b"[]").await;
    is_problem(&answer, &text, 400);
    for key in ["a b", "a\tb", &"k".repeat(201)] {
        let (answer, text) = send(&pages, &all, JSON, key, b"[]").await;
        is_problem(&answer, &text, 400);
    }
    let (answer, text) = send(&pages, &all, JSON, "large", &vec![b' '; 9 << 20]).await;
    is_problem(&answer, &text, 413);
    let request = Request::get("/api/v1/alerts").header("host", "evil.example");
    let (answer, text) = pages.ask(request.body(Body::empty()).unwrap()).await;
    is_problem(&answer, &text, 421);
}

#[tokio::test]
async fn what_programs_see_and_do_is_recorded_under_their_tokens() {
    let pages = Pages::new().await;
    let secret = token(&pages, "feed", &Scope::ALL, None).await;
    let narrow = token(&pages, "narrow", &[Scope::PublishedRead], None).await;
    let (_, text) = send(&pages, &secret, JSON, "k", b"[]").await;
    let id = serde_json::from_str::<serde_json::Value>(&text).unwrap()["id"].as_str().unwrap().to_owned();
    send(&pages, &secret, JSON, "l", b"[").await;
    call(&pages, Method::GET, "/api/v1/alerts/LLR-2026-0001", &secret, "").await;
    call(&pages, Method::GET, "/api/v1/alerts/LLR-2026-0009", &secret, "").await;
    call(&pages, Method::GET, "/api/v1/figures?from=2026-06-01&to=2026-06-28", &secret, "").await;
    call(&pages, Method::GET, "/api/v1/published", &secret, "").await;
    call(&pages, Method::GET, "/api/v1/alerts", &narrow, "").await;
    call(&pages, Method::GET, "/api/v1/alerts", "tw_guess", "").await;
    pages.store.revoke_token("narrow", pages.clock.now()).await.unwrap();
    call(&pages, Method::GET, "/api/v1/alerts", &narrow, "").await;
    let now = pages.clock.now() + TimeDelta::hours(1);
    let mut lines = pages.store.audit(now - TimeDelta::hours(2), now, None, 100, 0).await.unwrap();
    lines.reverse();
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}: {}", line.account, line.what, line.about, line.outcome))
        .map(|line| line.replace(&id, "ID"))
        .collect();
    assert_eq!(
        lines,
        [
            "token:feed sending incidents /api/v1/imports/ID: done",
            "token:feed sending incidents /api/v1/incidents: refused",
            "token:feed alert /api/v1/alerts/LLR-2026-0001: shown",
            "token:feed alert /api/v1/alerts/LLR-2026-0009: not found, or not theirs",
            "token:feed figures /api/v1/figures?from=2026-06-01&to=2026-06-28: shown",
            "token:narrow list of alerts /api/v1/alerts: refused",
            " token /api/v1/alerts: unknown token",
            "token:narrow token /api/v1/alerts: revoked or ended",
        ]
    );
}

#[tokio::test]
async fn the_document_and_the_table_of_routes_say_the_same() {
    let pages = Pages::new().await;
    let (answer, text) = pages.get("/api/v1/openapi.json", "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut told = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scope = operation["security"][0]["token"][0].as_str().unwrap_or_default().to_owned();
            let described = operation["description"].as_str().is_some_and(|text| text.len() > 10);
            assert!(described, "{path} {method}");
            told.insert((method.to_uppercase(), path.clone(), scope));
        }
    }
    let routes: BTreeSet<_> = ROUTES
        .iter()
        .filter(|route| route.path.starts_with("/api"))
        .map(|route| {
            let scope = match route.right {
                Right::Token(scope) => scope.code().to_owned(),
                _ => String::new(),
            };
            (route.method.to_string(), route.path.to_owned(), scope)
        })
        .collect();
    assert_eq!(told, routes);
}
