use super::*;
use crate::{
    import::read_pack,
    model::{Alert, AreaRef, Finding, Recurrence, Role, Subject, Window},
    stages::{county::County, setup::save_pack},
    store::{Account, Known, MessageKind, OutboxMessage, Run, RunOutcome, SavedRules, Store},
    synth::llr,
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response as Answer, StatusCode},
};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::atomic::AtomicI64;
use tower::ServiceExt;
use uuid::Uuid;

mod access;
mod actions;
mod administration;
mod api;
mod audit;
mod map;
mod oidc;
mod outbox;
mod reporting;
mod routes;
mod sending;
mod threats;
mod trial;

/// A clock that tests move on.
#[derive(Clone, Default)]
struct Moved(Arc<AtomicI64>);

impl Moved {
    fn by(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }
}

impl Clock for Moved {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

struct Pages {
    router: Router,
    site: Arc<Site>,
    clock: Moved,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Pages {
    async fn new() -> Self {
        Self::at("http://127.0.0.1:8080").await
    }

    /// A site with this address.
    async fn at(address: &str) -> Self {
        Self::of(address, &[]).await
    }

    /// A site that believes these proxies.
    async fn behind_proxy(network: &str) -> Self {
        Self::of("http://127.0.0.1:8080", &[network.parse().unwrap()]).await
    }

    async fn of(address: &str, proxies: &[IpNet]) -> Self {
        // Nobody listens there.
        Self::with_provider(address, proxies, "http://127.0.0.1:1").await
    }

    /// A site that signs people in by a provider, too.
    async fn with_provider(address: &str, proxies: &[IpNet], issuer: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
        let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
        let now = "2026-06-30T03:30:00Z".parse().unwrap();
        save_pack(&store, &files, &[], now).await.unwrap();
        let hash = hash_password("a long password").unwrap();
        let csp = |code: &str| Some(AreaRef { kind: crate::model::AreaKind::Csp, code: code.into() });
        for (name, role, area) in [
            ("leicester", Role::CspCoordinator, csp("safer-leicester")),
            ("charnwood", Role::CspCoordinator, csp("charnwood")),
            ("analyst", Role::Analyst, None),
            ("partner", Role::Partner, None),
        ] {
            let account =
                Account { name: name.into(), role, area, password_hash: hash.clone(), created_at: now };
            store.save_account(&account).await.unwrap();
        }
        // One of each role; those who answer for an area have that of the alert.
        for role in Role::ALL {
            let local = matches!(
                role,
                Role::CspCoordinator | Role::CspChair | Role::NptSergeant | Role::NpaCommander
            );
            let area = csp("safer-leicester").filter(|_| local);
            let name = format!("the-{}", role.code());
            let account = Account { name, role, area, password_hash: hash.clone(), created_at: now };
            store.save_account(&account).await.unwrap();
        }
        let run = Run {
            id: Uuid::now_v7(),
            night: "2026-06-29".parse().unwrap(),
            tick: None,
            as_known_on: now,
            started_at: now,
            finished_at: Some(now),
            outcome: RunOutcome::Done,
            rules_version: "1".into(),
            summary: json!({}),
        };
        let mut tx = store.begin().await.unwrap();
        tx.begin_run(&run).await.unwrap();
        tx.finish_run(&run, &[]).await.unwrap();
        let mut told = alert();
        told.asked = vec![crate::model::Asked { parties: vec![leicester()], since: now, by: None }];
        tx.save_alert(&told, run.night).await.unwrap();
        let rule = include_str!("../../rules/race-week-spike.toml").to_owned();
        let files = [("race-week-spike.toml".to_owned(), rule)].into();
        tx.accept_rules(&SavedRules { version: "1".into(), files, accepted_at: now }).await.unwrap();
        tx.commit().await.unwrap();
        let engine = Arc::new(Engine {
            store: store.clone(),
            known: Known::default(),
            county: County::load(&store).await.unwrap().into(),
            from: "watch@llr.invalid".into(),
            signer: None,
            site: "http://127.0.0.1:8080".into(),
            marking: "OFFICIAL-SENSITIVE".into(),
            answer_key: "the-key-of-this-installation".into(),
            synthetic: true,
        });
        let clock = Moved::default();
        let provider = oidc::provider(folder.path(), address, issuer).map(Arc::new);
        let mut site = Site::new(&engine, address.into(), Vec::new())
            .unwrap()
            .behind(proxies)
            .looking(Schedule::new("30 4 * * *", chrono_tz::Europe::London).unwrap())
            .signing_in_by(Some(provider.unwrap()));
        site.clock = Arc::new(clock.clone());
        let site = Arc::new(site);
        Self { router: router_of(&site), site, clock, store, _folder: folder }
    }

    async fn ask(&self, request: Request<Body>) -> (Answer<()>, String) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, 10_000_000).await.unwrap();
        (Answer::from_parts(parts, ()), String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn get(&self, path: &str, cookie: &str) -> (Answer<()>, String) {
        let request = Request::get(path)
            .header("cookie", cookie)
            .header("host", "127.0.0.1:8080")
            .body(Body::empty())
            .unwrap();
        self.ask(request).await
    }

    async fn post(&self, path: &str, cookie: &str, origin: &str, form: &str) -> (Answer<()>, String) {
        let request = Request::post(path)
            .header("cookie", cookie)
            .header("host", "127.0.0.1:8080")
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.ask(request).await
    }

    /// What forms of a page carry.
    async fn token(&self, path: &str, cookie: &str) -> String {
        let (_, text) = self.get(path, cookie).await;
        text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    /// Signs in and gives the cookie.
    async fn sign_in(&self, name: &str) -> String {
        let form = format!("name={name}&password=a+long+password");
        let (answer, _) = self.post("/sign-in", "", OWN, &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{name}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }
}

fn leicester() -> crate::model::Party {
    let area = AreaRef { kind: crate::model::AreaKind::Csp, code: "safer-leicester".into() };
    crate::model::Party { role: Role::CspCoordinator, area: Some(area) }
}

const OWN: &str = "http://127.0.0.1:8080";

fn alert() -> Alert {
    let finding = Finding {
        rule: "race-week-spike".into(),
        rule_version: "1a2b".into(),
        title: "Racist incidents <well> above usual".into(),
        level: AlertLevel::Elevated,
        subject: Subject::Area {
            area: AreaRef { kind: crate::model::AreaKind::Ward, code: "E05010461".into() },
            boundary_year: 2025,
            category: None,
            source: None,
        },
        wards: vec!["E05010461".into()],
        categories: vec!["race".into()],
        window: Window::ending("2026-06-29".parse().unwrap(), 7),
        observed: 9,
        expected: 2.1,
        usual_range: Some((0, 5)),
        times_usual: None,
        change: None,
        signal: crate::model::SignalKind::Spike,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: Recurrence::from_daily_rate(1.0 / 140.0),
        members: Vec::new(),
    };
    Alert {
        id: Uuid::now_v7(),
        number: "LLR-2026-0001".into(),
        identity: finding.identity(),
        state: AlertState::Open,
        opened: "2026-06-29".parse().unwrap(),
        night: "2026-06-29".parse().unwrap(),
        latest: finding,
        told: None,
        quiet_nights: 0,
        sequence: 1,
        changed_at: "2026-06-30T03:30:00Z".parse().unwrap(),
        held_nights: 1,
        untold: None,
        asked: Vec::new(),
        acknowledged: Vec::new(),
        follow_up_days: None,
        closing: None,
        expected_event: None,
    }
}

use crate::model::{AlertLevel, AlertState};

#[tokio::test]
async fn nothing_is_open_to_everyone_but_signing_in_and_health() {
    let pages = Pages::new().await;
    for path in
        ["/", "/alerts", "/alerts/LLR-2026-0001", "/hotspots.csv", "/map/figures.json", "/map/hexagons.json"]
    {
        let (answer, text) = pages.get(path, "").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let first = if path == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={path}") };
        assert_eq!(answer.headers()["location"], first);
        assert!(text.is_empty());
    }
    let (answer, text) = pages.get("/health", "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(text.contains("2026-06-29") && !text.contains("Belgrave"), "{text}");
    let (answer, _) = pages.get("/sign-in", "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let (answer, _) = pages.get("/no-such-page", "").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_password_tells_nothing_and_ten_close_the_account() {
    let pages = Pages::new().await;
    let wrong = pages.post("/sign-in", "", OWN, "name=leicester&password=guess").await;
    let nobody = pages.post("/sign-in", "", OWN, "name=nobody&password=guess").await;
    assert_eq!((wrong.0.status(), nobody.0.status()), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(wrong.1, nobody.1);
    for _ in 0..9 {
        pages.post("/sign-in", "", OWN, "name=leicester&password=guess").await;
    }
    let (closed, _) = pages.post("/sign-in", "", OWN, "name=leicester&password=a+long+password").await;
    assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
    pages.sign_in("charnwood").await;
    let (elsewhere, _) =
        pages.post("/sign-in", "", "https://evil.example", "name=analyst&password=a+long+password").await;
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_alert_is_for_those_whose_wards_it_concerns() {
    let pages = Pages::new().await;
    for (name, seen) in [("leicester", true), ("analyst", true), ("charnwood", false), ("partner", false)] {
        let cookie = pages.sign_in(name).await;
        let (answer, text) = pages.get("/alerts/LLR-2026-0001", &cookie).await;
        assert_eq!(answer.status() == StatusCode::OK, seen, "{name}");
        assert_eq!(text.contains("Belgrave"), seen, "{name}");
        let (_, list) = pages.get("/alerts", &cookie).await;
        assert_eq!(list.contains("LLR-2026-0001"), seen, "{name}");
    }
    let cookie = pages.sign_in("leicester").await;
    let (_, text) = pages.get("/alerts/LLR-2026-0001", &cookie).await;
    assert!(text.contains("9 reports in 7 days in Belgrave") && text.contains("once in 140 days"), "{text}");
    assert!(text.contains("&lt;well&gt;"), "what a rule's title says is text, never markup");
}

#[tokio::test]
async fn only_a_pressed_button_of_our_own_page_acknowledges() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("leicester").await;
    let path = "/alerts/LLR-2026-0001/answer";
    let state = async || pages.store.alert("LLR-2026-0001").await.unwrap().unwrap().state;
    let (answer, _) = pages.get(path, &cookie).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    let (answer, _) = pages.post(path, &cookie, OWN, "token=").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(state().await, AlertState::Open);
    let (_, text) = pages.get("/alerts/LLR-2026-0001", &cookie).await;
    let token = text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (answer, _) = pages.post(path, &cookie, "https://evil.example", &format!("token={token}")).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let other = pages.sign_in("charnwood").await;
    let (answer, _) = pages.post(path, &other, OWN, &format!("token={token}")).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a token is of one session only");
    let (answer, text) = pages.post(path, &cookie, OWN, &format!("token={token}&answer=close")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("Choose what you made of this alert"), "{text}");
    let (answer, _) = pages.post(path, &cookie, OWN, &format!("token={token}&answer=acknowledge")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(state().await, AlertState::Acknowledged);

    let (answer, _) = pages.post("/sign-out", &cookie, OWN, &format!("token={token}")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let (answer, _) = pages.get("/", &cookie).await;
    assert_eq!(answer.headers()["location"], "/sign-in");
}

#[tokio::test]
async fn a_partner_gets_no_exact_figure_anywhere() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("partner").await;
    let (answer, _) = pages.get("/", &cookie).await;
    assert_eq!(answer.headers()["location"], "/published");
    let (_, text) = pages.get("/published", &cookie).await;
    assert!(text.contains("Nothing has been published yet"), "{text}");
    let (_, csv) = pages.get("/hotspots.csv", &cookie).await;
    assert_eq!(csv.lines().count(), 1, "{csv}");
    let (_, data) = pages.get("/map/figures.json", &cookie).await;
    assert_eq!(data, r#"{"areas":{}}"#);
}

#[tokio::test]
async fn a_link_of_a_mail_answers_only_when_a_person_presses_and_once() {
    let pages = Pages::new().await;
    let saved = pages.store.alert("LLR-2026-0001").await.unwrap().unwrap();
    let mut tx = pages.store.begin().await.unwrap();
    let token = "00112233445566778899aabbccddeeff";
    let now = "2026-06-30T03:30:00Z".parse().unwrap();
    let hash = crate::stages::letters::hash_of(token);
    tx.save_answer_link(&hash, saved.id, "csp@safer-leicester.invalid", &leicester(), now).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/answer/{token}");
    let state = async || pages.store.alert("LLR-2026-0001").await.unwrap().unwrap();
    let before = state().await;

    // Whatever opens the link, however often: nothing changes.
    let mut button = String::new();
    for _ in 0..20 {
        let (answer, text) = pages.get(&path, "").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(
            text.contains("Acknowledge: we have it")
                && text.contains("Opening this page has changed nothing")
        );
        button = text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    }
    assert_eq!(state().await, before);
    // A program that sends every form it finds says nothing of who it is, and changes nothing.
    let form = format!("token={button}&answer=acknowledge&who=");
    let (answer, text) = pages.post(&path, "", OWN, &form).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("Write your role or initials"), "{text}");
    for (form, origin, want) in [
        ("token=nonsense&answer=acknowledge&who=KM".to_owned(), OWN, StatusCode::UNPROCESSABLE_ENTITY),
        (format!("token={button}&answer=acknowledge&who=KM"), "https://evil.example", StatusCode::FORBIDDEN),
    ] {
        let (answer, _) = pages.post(&path, "", origin, &form).await;
        assert_eq!(answer.status(), want, "{form}");
    }
    assert_eq!(state().await, before);

    let form = format!("token={button}&answer=acknowledge&who=KM");
    let (answer, text) = pages.post(&path, "", OWN, &form).await;
    assert_eq!(answer.status(), StatusCode::OK, "{text}");
    assert!(text.contains("Your answer is recorded"), "{text}");
    assert_eq!(state().await.state, AlertState::Acknowledged);
    let events = pages.store.alert_events(saved.id).await.unwrap();
    assert_eq!(events.last().unwrap().what, "acknowledged");
    assert!(events.last().unwrap().who.contains("KM, by the link of a mail"), "{events:?}");
    // The same button closes nothing afterwards.
    let form = format!("token={button}&answer=close&outcome=false-alarm&who=KM");
    let (answer, text) = pages.post(&path, "", OWN, &form).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("pressed before"), "{text}");
    assert_eq!(state().await.state, AlertState::Acknowledged);

    let (answer, text) = pages.get("/answer/00000000000000000000000000000000", "").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(text.contains("This link has ended") && !text.contains("Belgrave"));
}

#[tokio::test]
async fn health_turns_red_when_mail_does_not_leave() {
    let pages = Pages::new().await;
    let (answer, body) = pages.get("/health", "").await;
    assert_eq!(answer.status(), StatusCode::OK, "{body}");
    let now = SystemClock.now();
    let waiting = OutboxMessage {
        id: Uuid::from_u128(1),
        kind: MessageKind::Alert,
        about: Uuid::from_u128(1),
        mailbox: "csp@mill.invalid".into(),
        sequence: 0,
        priority: 1,
        message_id: "<1@mill.invalid>".into(),
        message: "Subject: x\r\n\r\n".into(),
        created_at: now - TimeDelta::hours(9),
        due: now - TimeDelta::minutes(61),
        held: false,
    };
    let mut tx = pages.store.begin().await.unwrap();
    tx.add_message(&waiting).await.unwrap();
    tx.commit().await.unwrap();
    let (answer, body) = pages.get("/health", "").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("waits to be sent since") && !body.contains("mill.invalid"), "{body}");
    let claimed = pages.store.claim_messages(now, now + TimeDelta::minutes(3), 1).await.unwrap();
    let mut tx = pages.store.begin().await.unwrap();
    assert!(tx.message_failed(&claimed[0], now, "550 no such mailbox", false).await.unwrap());
    tx.commit().await.unwrap();
    let (answer, body) = pages.get("/health", "").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("1 message could not be sent") && !body.contains("waits"), "{body}");
}
