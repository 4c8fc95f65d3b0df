//! Every role at every door, and every door that changes something without its token or from elsewhere.

use super::{
    super::routes::{ROUTES, Route},
    *,
};
use crate::model::{Action, ActionState, Priority, Silence};
use axum::http::Method;
use std::collections::BTreeSet;

/// The doors of people; those of programs have tests of their own.
fn pages_of() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| !route.path.starts_with("/api"))
}

const LINK: &str = "00112233445566778899aabbccddeeff";

/// A store in which everything that a path can name is there.
async fn furnished() -> (Pages, Uuid) {
    let pages = Pages::new().await;
    let saved = pages.store.alert("LLR-2026-0001").await.unwrap().unwrap();
    let now = pages.clock.now();
    let id = Uuid::now_v7();
    let silence = Silence {
        rule: None,
        area: leicester().area,
        category: None,
        first: now.date_naive(),
        last: now.date_naive(),
        reason: "a march".into(),
        author: "somebody".into(),
    };
    let mut tx = pages.store.begin().await.unwrap();
    tx.save_answer_link(&crate::stages::letters::hash_of(LINK), saved.id, "csp@x.invalid", &leicester(), now)
        .await
        .unwrap();
    // Nothing can be made of this notice: whoever is let in gets an error, whoever is not gets a 404.
    tx.save_notice(saved.id, 1, &json!({})).await.unwrap();
    tx.add_silence(id, &silence, now).await.unwrap();
    tx.add_action(&action(id, now)).await.unwrap();
    super::administration::import(&mut tx, id, now).await;
    tx.commit().await.unwrap();
    (pages, id)
}

/// Something that Leicester's partnership does.
fn action(id: Uuid, now: chrono::DateTime<chrono::Utc>) -> Action {
    Action {
        id,
        alert: None,
        owner: leicester(),
        area: leicester().area,
        priority: Priority::RaiseAwareness,
        title: "A talk at the college".into(),
        due: None,
        at: now,
        who: "somebody".into(),
        state: ActionState::Open,
        outcome: None,
        ended_at: None,
        overdue_told_at: None,
        looked_at: None,
    }
}

/// An address of a route, with what is there.
fn address(route: &Route, silence: Uuid) -> String {
    let id = if route.path.starts_with("/rules") { "race-week-spike".into() } else { silence.to_string() };
    route
        .path
        .replace("{number}", "LLR-2026-0001")
        .replace("{part}", "text")
        .replace("{area}/{code}", "ward/E05010461")
        .replace("{kind}/{code}", "ward/E05010461")
        .replace("{id}", &id)
        .replace("{quarter}", "2026Q2")
        .replace("{which}", "failed")
        .replace("{token}", LINK)
        .replace("{file}", "site.css")
}

async fn token(pages: &Pages, cookie: &str) -> String {
    // Where this reader begins: the hotspot page, or where it sends them.
    let (answer, _) = pages.get("/", cookie).await;
    let at = answer.headers().get("location").map_or("/", |at| at.to_str().unwrap());
    pages.token(at, cookie).await
}

/// Who is let in where; written here once more, apart from the table that the router is built from.
fn expected(method: &Method, path: &str) -> Vec<Role> {
    let exact = vec![
        Role::CspCoordinator,
        Role::CspChair,
        Role::NptSergeant,
        Role::NpaCommander,
        Role::HateLead,
        Role::Analyst,
        Role::Auditor,
    ];
    let with = |more: &[Role]| [&exact[..], more].concat();
    let without =
        |roles: Vec<Role>, role: Role| roles.into_iter().filter(|one| *one != role).collect::<Vec<_>>();
    let silences = vec![Role::CspCoordinator, Role::CspChair, Role::HateLead, Role::Analyst, Role::Auditor];
    match (method.as_str(), path) {
        (
            "GET",
            "/" | "/map/figures.json" | "/published" | "/published/{area}/{code}" | "/published/figures.json",
        ) => with(&[Role::Sog, Role::Spb, Role::Partner]),
        (
            "GET",
            "/hotspots.csv" | "/hotspots.geojson" | "/hotspots.png" | "/published.csv" | "/published.geojson"
            | "/published.png",
        ) => without(with(&[Role::Sog, Role::Spb, Role::Partner]), Role::Auditor),
        (
            "GET",
            "/alerts"
            | "/areas/{kind}/{code}"
            | "/map/hexagons.json"
            | "/alerts/{number}"
            | "/alerts/{number}/mail/{part}"
            | "/alerts/{number}/explained"
            | "/actions"
            | "/under-reporting"
            | "/campaigns"
            | "/rules/{id}",
        ) => exact,
        ("POST", "/alerts/{number}/answer" | "/actions" | "/actions/{id}/end") => {
            without(exact, Role::Auditor)
        }
        ("GET", "/reports" | "/reports/{quarter}") => with(&[Role::Sog, Role::Spb]),
        ("GET", "/silences") => silences,
        ("POST", "/silences" | "/silences/{id}/end" | "/alerts/{number}/release") => {
            without(silences, Role::Auditor)
        }
        ("GET", "/rules" | "/rules/why-not" | "/imports" | "/imports/{id}") => {
            vec![Role::HateLead, Role::Analyst, Role::Auditor]
        }
        ("GET", "/imports/{id}/rejects.csv") | ("GET" | "POST", "/rules/{id}/try") => {
            vec![Role::HateLead, Role::Analyst]
        }
        ("GET" | "POST", "/accounts" | "/accounts/remove" | "/tokens" | "/tokens/revoke") => {
            vec![Role::Admin]
        }
        ("GET", "/runs" | "/outbox") => vec![Role::Analyst, Role::Auditor, Role::Admin],
        ("POST", "/outbox/{which}/retry") => vec![Role::Analyst, Role::Admin],
        ("GET", "/audit") => vec![Role::Auditor, Role::Admin],
        (
            "GET",
            "/sign-in" | "/sign-in/oidc" | "/sign-in/oidc/back" | "/answer/{token}" | "/health" | "/ready"
            | "/static/{file}",
        )
        | ("POST", "/sign-in" | "/sign-out" | "/answer/{token}") => Role::ALL.to_vec(),
        _ => panic!("{method} {path}: say who may"),
    }
}

/// These need no account.
fn is_open(path: &str) -> bool {
    matches!(
        path,
        "/sign-in"
            | "/sign-in/oidc"
            | "/sign-in/oidc/back"
            | "/answer/{token}"
            | "/health"
            | "/ready"
            | "/static/{file}"
    )
}

async fn call(pages: &Pages, route: &Route, at: &str, cookie: &str, token: &str) -> (Answer<()>, String) {
    if route.method == Method::GET {
        pages.get(at, cookie).await
    } else {
        let form =
            format!("token={token}&answer=acknowledge&name=nobody&password=guess&area=csp/safer-leicester");
        pages.post(at, cookie, OWN, &form).await
    }
}

#[tokio::test]
async fn every_role_is_let_in_where_it_has_the_right_and_nowhere_else() {
    let (pages, silence) = furnished().await;
    for role in Role::ALL {
        let cookie = pages.sign_in(&format!("the-{}", role.code())).await;
        let token = token(&pages, &cookie).await;
        let last = |route: &&Route| route.path == "/sign-out";
        for route in pages_of().filter(|route| !last(route)).chain(pages_of().filter(last)) {
            let at = address(route, silence);
            let (answer, text) = call(&pages, route, &at, &cookie, &token).await;
            let allowed = expected(&route.method, route.path).contains(&role);
            let status = answer.status();
            let what = format!("{role} {} {at}: {status} {text}", route.method);
            if allowed {
                assert_ne!(status, StatusCode::NOT_FOUND, "{what}");
                assert_ne!(status, StatusCode::FORBIDDEN, "{what}");
            } else if route.path == "/" {
                assert_eq!(answer.headers()["location"], "/runs", "{what}");
            } else {
                assert_eq!(status, StatusCode::NOT_FOUND, "{what}");
                assert!(text.contains("There is no such page"), "{what}");
            }
            if !is_open(route.path) && !matches!(route.path, "/sign-out") && allowed {
                let away = answer.headers().get("location").and_then(|at| at.to_str().ok()).unwrap_or("");
                assert!(!away.starts_with("/sign-in"), "{what}");
            }
            // The alert lies in Belgrave: nobody without exact figures reads of it, wherever they are.
            if matches!(role, Role::Sog | Role::Spb | Role::Partner | Role::Admin) && !is_open(route.path) {
                assert!(!text.contains("Belgrave") && !text.contains("LLR-2026-0001"), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_signing_in() {
    let (pages, silence) = furnished().await;
    for route in pages_of() {
        let at = address(route, silence);
        let (answer, text) = call(&pages, route, &at, "", "").await;
        let location = answer.headers().get("location").and_then(|at| at.to_str().ok()).unwrap_or_default();
        assert_eq!(location.starts_with("/sign-in"), !is_open(route.path), "{} {at}", route.method);
        assert!(is_open(route.path) || text.is_empty(), "{at}: {text}");
    }
}

#[tokio::test]
async fn another_area_sees_nothing_of_an_alert() {
    let (pages, silence) = furnished().await;
    let cookie = pages.sign_in("charnwood").await;
    let token = token(&pages, &cookie).await;
    for route in pages_of().filter(|route| {
        route.path.contains("{number}")
            || route.path.starts_with("/areas/")
            || (route.path.contains("{id}") && route.method == Method::POST)
    }) {
        let at = address(route, silence);
        let (answer, text) = call(&pages, route, &at, &cookie, &token).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{at}");
        let unknown = at
            .replace("0001", "9999")
            .replace("E05010461", "E09999999")
            .replace(&silence.to_string(), &Uuid::nil().to_string());
        let (other, same) = call(&pages, route, &unknown, &cookie, &token).await;
        assert_eq!((other.status(), same), (answer.status(), text), "{at}: the same as if it were not there");
        // Each request has an id of its own.
        let without_id = |answer: &Answer<()>| {
            let mut headers = answer.headers().clone();
            headers.remove("x-request-id").map(|_| headers)
        };
        assert_eq!(without_id(&other), without_id(&answer), "{at}");
    }
}

#[tokio::test]
async fn whatever_changes_something_refuses_other_sites_and_forms_without_their_token() {
    let (pages, silence) = furnished().await;
    // Nobody has more to press than these two.
    let (analyst, admin) = (pages.sign_in("the-analyst").await, pages.sign_in("the-admin").await);
    let tokens = [token(&pages, &analyst).await, token(&pages, &admin).await];
    let stranger = token(&pages, &pages.sign_in("the-csp_coordinator").await).await;
    let before = pages.store.alert("LLR-2026-0001").await.unwrap();
    let accounts = pages.store.accounts().await.unwrap();
    let mut walked = BTreeSet::new();
    for route in pages_of().filter(|route| route.method != Method::GET) {
        let at = address(route, silence);
        walked.insert(route.path);
        let administers = !expected(&route.method, route.path).contains(&Role::Analyst);
        let (cookie, own) = if administers { (&admin, &tokens[1]) } else { (&analyst, &tokens[0]) };
        let good = format!("token={own}&answer=acknowledge&name=leicester&password=a+long+password");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:8081"),
            ("origin", "https://127.0.0.1:8080.evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = Request::post(&at)
                .header("cookie", cookie)
                .header("host", "127.0.0.1:8080")
                .header(name, value)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(good.clone()))
                .unwrap();
            let (answer, _) = pages.ask(request).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{at} {name}: {value}");
            assert!(!answer.headers().contains_key("set-cookie"), "{at}");
        }
        // Before signing in there is no session that a token could belong to.
        if route.path == "/sign-in" {
            continue;
        }
        for form in ["", "token=", "token=guess", &format!("token={stranger}"), &format!("token={own}0")] {
            let form = format!("{form}&answer=acknowledge&who=KM");
            let (answer, text) = pages.post(&at, cookie, OWN, &form).await;
            let refused = [StatusCode::FORBIDDEN, StatusCode::UNPROCESSABLE_ENTITY];
            assert!(refused.contains(&answer.status()), "{at} {form}: {} {text}", answer.status());
        }
    }
    assert_eq!(walked.len(), 15, "{walked:?}: a new one is walked too; count it here");
    assert_eq!(pages.store.alert("LLR-2026-0001").await.unwrap(), before, "nothing has changed");
    assert!(pages.store.silences().await.unwrap()[0].ended_at.is_none());
    assert_eq!(pages.store.accounts().await.unwrap(), accounts);
    for (page, cookie) in [("/", analyst), ("/runs", admin)] {
        assert_eq!(pages.get(page, &cookie).await.0.status(), StatusCode::OK, "and nobody was signed out");
    }
}

#[tokio::test]
async fn a_method_that_no_route_has_is_refused() {
    let (pages, silence) = furnished().await;
    let cookie = pages.sign_in("the-analyst").await;
    for route in &ROUTES {
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            let request = Request::builder()
                .method(method)
                .uri(address(route, silence))
                .header("cookie", &cookie)
                .header("host", "127.0.0.1:8080")
                .body(Body::empty())
                .unwrap();
            assert_eq!(pages.ask(request).await.0.status(), StatusCode::METHOD_NOT_ALLOWED, "{}", route.path);
        }
    }
}
