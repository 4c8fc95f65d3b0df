//! Signing in by a provider, with one that does what a provider should not.

mod fake;
mod settings;

use super::*;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fake::{Fake, Instead, by_secret, encoded};
use serde_json::Value;
use std::{collections::BTreeMap as Map, path::Path};

const SECRET: &str = "the-secret-of-client-and-provider";
const BACK: &str = "/sign-in/oidc/back";

/// The provider of a configuration like that of a site.
pub(super) fn provider(folder: &Path, address: &str, issuer: &str) -> Option<Provider> {
    let file = folder.join("tension-watch.toml");
    std::fs::write(folder.join("secret"), format!("{SECRET}\n")).unwrap();
    let text = format!(
        r#"
[store]
address = "sqlite:t.db"
[site]
address = "{address}"
[mail]
from = "watch@county.invalid"
transport = {{ kind = "file", folder = "mail" }}
[sign_in.oidc]
issuer = "{issuer}"
client_id = "watch"
client_secret_file = "secret"
label = "Sign in with the <county>"
scopes = ["profile"]
role_claim = "realm_access.roles"
roles = [
  {{ value = "analysts", role = "analyst" }},
  {{ value = "leicester", role = "csp_coordinator", area = "csp/safer-leicester" }},
]
"#
    );
    std::fs::write(&file, text).unwrap();
    Provider::of(&crate::config::Config::read(&file).unwrap(), &|_| true).unwrap()
}

/// Somebody who has pressed the button.
struct Left {
    cookie: String,
    asked: Map<String, String>,
}

fn query(address: &str) -> Map<String, String> {
    openidconnect::url::Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

fn location(answer: &Answer<()>) -> &str {
    answer.headers().get("location").map_or("", |at| at.to_str().unwrap())
}

fn cookie(answer: &Answer<()>, name: &str) -> Option<String> {
    let set = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    set.filter(|value| value.starts_with(&format!("{name}=")))
        .map(|value| value.split(';').next().unwrap().to_owned())
        .find(|value| !value.ends_with('='))
}

async fn leave(pages: &Pages, next: &str) -> Left {
    let (answer, text) = pages.get(&format!("/sign-in/oidc?next={next}"), "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{text}");
    let whole = answer.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(whole.contains(part), "{whole}");
    }
    Left { cookie: cookie(&answer, "tension-watch-oidc").unwrap(), asked: query(location(&answer)) }
}

async fn come_back(pages: &Pages, left: &Left) -> (Answer<()>, String) {
    pages.get(&format!("{BACK}?state={}&code=a-code", left.asked["state"]), &left.cookie).await
}

/// What a token says of somebody, rightly.
fn claims(fake: &Fake, pages: &Pages, left: &Left, subject: &str, roles: &[&str]) -> Value {
    let now = pages.clock.now().timestamp();
    json!({
        "iss": fake.issuer, "sub": subject, "aud": "watch", "exp": now + 300, "iat": now,
        "nonce": left.asked["nonce"], "realm_access": {"roles": roles},
    })
}

/// The whole way, as somebody.
async fn sign_in(fake: &Fake, pages: &Pages, subject: &str, roles: &[&str]) -> (Answer<()>, String) {
    let left = leave(pages, "/").await;
    fake.will_give(fake.signed(&claims(fake, pages, &left, subject, roles)));
    come_back(pages, &left).await
}

fn session(answer: &Answer<()>) -> String {
    cookie(answer, "tension-watch").expect("somebody was signed in")
}

async fn with_fake() -> (Fake, Pages) {
    let fake = Fake::start().await;
    let pages = Pages::with_provider("http://127.0.0.1:8080", &[], &fake.issuer).await;
    (fake, pages)
}

async fn log(pages: &Pages) -> Vec<String> {
    let until = pages.clock.now() + TimeDelta::days(1);
    let lines = pages.store.audit(chrono::DateTime::UNIX_EPOCH, until, None, 1000, 0).await.unwrap();
    lines
        .iter()
        .map(|line| format!("{} ({}) {}: {}", line.account, line.role, line.what, line.outcome))
        .collect()
}

#[tokio::test]
async fn somebody_is_signed_in_with_the_role_of_their_group() {
    let (fake, pages) = with_fake().await;
    let (_, page) = pages.get("/sign-in?next=/alerts?a=1%26b=2", "").await;
    assert!(page.contains("Sign in with the &lt;county&gt;"), "{page}");
    assert!(page.contains("/sign-in/oidc?next=") && page.contains("name=\"password\""), "{page}");
    let left = leave(&pages, "/alerts?a=1%26b=2").await;
    assert_eq!(left.asked["redirect_uri"], "http://127.0.0.1:8080/sign-in/oidc/back");
    assert_eq!(left.asked["scope"], "openid profile");
    assert_eq!(left.asked["code_challenge_method"], "S256");
    fake.will_give(fake.signed(&claims(&fake, &pages, &left, "0815", &["other", "leicester"])));
    let (answer, text) = come_back(&pages, &left).await;
    assert_eq!((answer.status(), location(&answer)), (StatusCode::SEE_OTHER, "/alerts?a=1&b=2"), "{text}");

    let (who, form) = fake.plan.lock().unwrap().forms[0].clone();
    assert_eq!(who, format!("Basic {}", BASE64_STANDARD.encode(format!("watch:{SECRET}"))));
    let challenge = encoded(ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes()));
    assert_eq!(left.asked["code_challenge"], challenge);
    assert_eq!((form["code"].as_str(), form["grant_type"].as_str()), ("a-code", "authorization_code"));

    let session = session(&answer);
    assert_eq!(pages.get("/alerts/LLR-2026-0001", &session).await.0.status(), StatusCode::OK);
    assert_eq!(pages.get("/rules", &session).await.0.status(), StatusCode::NOT_FOUND, "no analyst");
    let accounts = pages.store.accounts().await.unwrap();
    let account = accounts.iter().find(|account| account.name.starts_with("oidc:0815.")).unwrap();
    assert_eq!((account.role, &account.area), (Role::CspCoordinator, &leicester().area));
    let lines = log(&pages).await;
    let done = format!("{} (csp_coordinator) sign-in by the provider: done", account.name);
    assert!(lines.contains(&done), "{lines:?}");
    assert_eq!(fake.asked("/.well-known/openid-configuration"), 1, "what it said is kept");
}

/// Makes a token that proves nothing from claims that are good.
type Tamper<'t> = &'t dyn Fn(&Value) -> Value;

#[tokio::test]
async fn a_token_that_proves_nothing_signs_nobody_in() {
    let (fake, pages) = with_fake().await;
    let later = pages.clock.now().timestamp();
    let changed = |claims: &Value, key: &str, value: Value| {
        let mut claims = claims.clone();
        claims[key] = value;
        claims
    };
    let tamper: [(&str, Tamper<'_>); 16] = [
        ("another key", &|good| fake.forged(good).into()),
        ("a changed signature", &|good| {
            let token = fake.signed(good);
            let last = if token.ends_with('A') { "Q" } else { "A" };
            format!("{}{last}", &token[..token.len() - 1]).into()
        }),
        ("changed claims", &|good| {
            let token = fake.signed(good);
            let parts: Vec<&str> = token.split('.').collect();
            let other = changed(good, "realm_access", json!({"roles": ["analysts"]}));
            format!("{}.{}.{}", parts[0], encoded(other.to_string()), parts[2]).into()
        }),
        ("no signature", &|good| {
            format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(good.to_string())).into()
        }),
        ("the shared secret", &|good| by_secret(good).into()),
        ("another audience", &|good| fake.signed(&changed(good, "aud", json!("another"))).into()),
        ("one audience too many", &|good| fake.signed(&changed(good, "aud", json!(["watch", "b"]))).into()),
        ("another issuer", &|good| fake.signed(&changed(good, "iss", json!("http://127.0.0.1:2"))).into()),
        ("another nonce", &|good| fake.signed(&changed(good, "nonce", json!("another"))).into()),
        ("no nonce", &|good| fake.signed(&changed(good, "nonce", Value::Null)).into()),
        ("expired", &|good| fake.signed(&changed(good, "exp", json!(later - 1))).into()),
        ("no end", &|good| fake.signed(&changed(good, "exp", Value::Null)).into()),
        ("from the future", &|good| fake.signed(&changed(good, "iat", json!(later + 900))).into()),
        ("another access token", &|good| {
            fake.signed(&changed(good, "at_hash", json!(encoded([7; 16])))).into()
        }),
        ("no token", &|_| Value::Null),
        ("no JWT", &|_| "nonsense".into()),
    ];
    for (what, tampered) in tamper {
        let left = leave(&pages, "/").await;
        fake.will_give(tampered(&claims(&fake, &pages, &left, "0815", &["leicester"])));
        let (answer, text) = come_back(&pages, &left).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{what}: {text}");
        assert!(text.contains("could not be verified") && !text.contains("0815"), "{what}: {text}");
        assert_eq!(cookie(&answer, "tension-watch"), None, "{what}");
    }
    assert!(pages.store.accounts().await.unwrap().iter().all(|account| !account.name.starts_with("oidc:")));
    let lines = log(&pages).await;
    assert_eq!(lines, vec![" () sign-in by the provider: token not accepted"; 16]);
    assert_eq!(sign_in(&fake, &pages, "0815", &["leicester"]).await.0.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn only_the_browser_that_left_comes_back_and_only_once() {
    let (fake, pages) = with_fake().await;
    let (mine, other) = (leave(&pages, "/").await, leave(&pages, "/").await);
    fake.will_give(fake.signed(&claims(&fake, &pages, &mine, "0815", &["leicester"])));
    let state = &mine.asked["state"];
    for (what, path, cookie) in [
        ("no cookie", format!("{BACK}?state={state}&code=a"), String::new()),
        ("another browser", format!("{BACK}?state={state}&code=a"), other.cookie.clone()),
        ("another state", format!("{BACK}?state={}&code=a", other.asked["state"]), mine.cookie.clone()),
        ("no state", format!("{BACK}?code=a"), mine.cookie.clone()),
        ("an empty state", format!("{BACK}?state=&code=a"), mine.cookie.clone()),
        ("two states", format!("{BACK}?state={state}&state={state}&code=a"), mine.cookie.clone()),
        ("nothing", BACK.into(), mine.cookie.clone()),
    ] {
        let (answer, text) = pages.get(&path, &cookie).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{what}");
        assert!(
            text.contains("That sign-in has ended") && text.contains("name=\"password\""),
            "{what}: {text}"
        );
        assert!(!answer.headers().contains_key("set-cookie"), "{what}");
    }
    assert_eq!(fake.asked("/token"), 0, "none of them makes us ask the provider");
    let (answer, text) = come_back(&pages, &mine).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "theirs goes on: {text}");
    let (again, _) = come_back(&pages, &mine).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST, "a way back is gone once");
    assert_eq!(fake.asked("/token"), 1);
    pages.clock.by(TimeDelta::minutes(11));
    let (late, _) = come_back(&pages, &other).await;
    assert_eq!(late.status(), StatusCode::BAD_REQUEST, "and lasts ten minutes");
    let lines = log(&pages).await;
    assert_eq!(lines[0], " () sign-in by the provider: no such sign-in under way");
    for _ in 0..60 {
        pages.get(BACK, "").await;
    }
    assert!(log(&pages).await.len() < 45, "a flood is not written down");
}

#[tokio::test]
async fn a_provider_that_says_no_or_is_another_signs_nobody_in() {
    let (fake, pages) = with_fake().await;
    for more in ["error=access_denied&error_description=<b>", "", "code=a&iss=http://evil.example", "code=a"]
    {
        let left = leave(&pages, "/").await;
        // It has no token for the code, either.
        let path =
            format!("{BACK}?state={}&{}", left.asked["state"], more.replace('<', "%3C").replace('>', "%3E"));
        let (answer, text) = pages.get(&path, &left.cookie).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{more}: {text}");
        assert!(text.contains("let nobody in") && !text.contains("<b>"), "{text}");
    }
    assert_eq!(fake.asked("/token"), 1);
    assert_eq!(log(&pages).await, vec![" () sign-in by the provider: refused by the provider"; 4]);
}

#[tokio::test]
async fn whoever_has_no_group_of_the_configuration_has_no_access() {
    let (fake, pages) = with_fake().await;
    let before = session(&sign_in(&fake, &pages, "0815", &["leicester"]).await.0);
    assert_eq!(pages.get("/", &before).await.0.status(), StatusCode::OK);
    let (answer, text) = sign_in(&fake, &pages, "0815", &["Leicester", "nothing"]).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(text.contains("You have no access") && text.contains("which group you need"), "{text}");
    assert_eq!(cookie(&answer, "tension-watch"), None);
    assert_eq!(
        pages.get("/", &before).await.0.status(),
        StatusCode::SEE_OTHER,
        "and the one of before has ended"
    );
    assert!(log(&pages).await[0].ends_with("() sign-in by the provider: no role here"));
}

#[tokio::test]
async fn roles_are_asked_for_anew_at_every_sign_in() {
    let (fake, pages) = with_fake().await;
    let one = session(&sign_in(&fake, &pages, "0815", &["leicester"]).await.0);
    let two = session(&sign_in(&fake, &pages, "0815", &["leicester"]).await.0);
    let other = session(&sign_in(&fake, &pages, "0816", &["leicester"]).await.0);
    for session in [&one, &two, &other] {
        assert_eq!(pages.get("/", session).await.0.status(), StatusCode::OK, "as many browsers as they like");
    }
    let analyst = session(&sign_in(&fake, &pages, "0815", &["leicester", "analysts"]).await.0);
    assert_eq!(pages.get("/rules", &analyst).await.0.status(), StatusCode::OK);
    for session in [&one, &two] {
        assert_eq!(
            pages.get("/", session).await.0.status(),
            StatusCode::SEE_OTHER,
            "what they were has ended"
        );
    }
    assert_eq!(pages.get("/", &other).await.0.status(), StatusCode::OK);
    let name =
        log(&pages).await.iter().find_map(|line| Some(line.split_once(" (analyst)")?.0.to_owned())).unwrap();
    assert!(pages.store.delete_account(&name).await.unwrap());
    assert_eq!(pages.get("/", &analyst).await.0.status(), StatusCode::SEE_OTHER);

    // A site whose configuration gives this to nobody any more.
    let folder = tempfile::tempdir().unwrap();
    for changed in [None, {
        let mut less = provider(folder.path(), "http://127.0.0.1:8080", &fake.issuer).unwrap();
        less.forget("leicester");
        Some(Arc::new(less))
    }] {
        let site = Site::new(&pages.site.engine, "http://127.0.0.1:8080".into(), Vec::new()).unwrap();
        let router = router_of(&Arc::new(site.signing_in_by(changed)));
        let request = Request::get("/").header("cookie", &other).header("host", "127.0.0.1:8080");
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn nobody_becomes_an_account_of_the_site_or_gets_in_by_a_password() {
    let (fake, pages) = with_fake().await;
    let before = pages.store.account("leicester").await.unwrap();
    let local = pages.sign_in("leicester").await;
    for subject in ["leicester", "the-admin", "oidc:leicester", "leicester\n", "<b>", ""] {
        let (answer, _) = sign_in(&fake, &pages, subject, &["analysts"]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{subject:?}");
        let (_, page) = pages.get("/", &session(&answer)).await;
        assert!(page.contains("class=\"who\">oidc:"), "{subject:?}");
    }
    assert_eq!(pages.store.account("leicester").await.unwrap(), before);
    assert_eq!(pages.get("/rules", &local).await.0.status(), StatusCode::NOT_FOUND, "still a coordinator");
    let accounts = pages.store.accounts().await.unwrap();
    let vouched: Vec<_> = accounts.iter().filter(|account| account.name.starts_with("oidc:")).collect();
    assert_eq!(vouched.len(), 6);
    for account in vouched {
        for password in ["", "a+long+password"] {
            let form = format!("name={}&password={password}", account.name.replace(':', "%3A"));
            let (answer, _) = pages.post("/sign-in", "", OWN, &form).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
    }
}

#[tokio::test]
async fn the_id_changes_at_sign_in_by_a_provider_too() {
    let (fake, pages) = with_fake().await;
    let old = pages.sign_in("partner").await;
    let left = leave(&pages, "/").await;
    fake.will_give(fake.signed(&claims(&fake, &pages, &left, "0815", &["analysts"])));
    let path = format!("{BACK}?state={}&code=a-code", left.asked["state"]);
    let (answer, _) = pages.get(&path, &format!("{old}; {}", left.cookie)).await;
    let new = session(&answer);
    assert_ne!(new, old);
    assert_eq!(pages.get("/rules", &new).await.0.status(), StatusCode::OK);
    assert_eq!(
        pages.get("/published", &old).await.0.status(),
        StatusCode::SEE_OTHER,
        "the one of before is dead"
    );
    // What a sign-in under way is kept by is no session.
    let under_way = leave(&pages, "/").await.cookie.replace("tension-watch-oidc", "tension-watch");
    assert_eq!(pages.get("/", &under_way).await.0.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_looked_for() {
    let (mut fake, pages) = with_fake().await;
    assert_eq!(sign_in(&fake, &pages, "0815", &["analysts"]).await.0.status(), StatusCode::SEE_OTHER);
    fake.change_key("two");
    assert_eq!(sign_in(&fake, &pages, "0815", &["analysts"]).await.0.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(fake.asked("/keys"), 1, "not at once: unknown keys are no way to make us ask");
    pages.clock.by(TimeDelta::seconds(6));
    assert_eq!(sign_in(&fake, &pages, "0815", &["analysts"]).await.0.status(), StatusCode::SEE_OTHER);
    assert_eq!(fake.asked("/keys"), 2);
    pages.clock.by(TimeDelta::minutes(61));
    assert_eq!(sign_in(&fake, &pages, "0815", &["analysts"]).await.0.status(), StatusCode::SEE_OTHER);
    assert_eq!(fake.asked("/keys"), 3, "what is kept has an end");
}

#[tokio::test]
async fn a_provider_that_is_down_or_misbehaves_leaves_accounts_of_the_site() {
    let (fake, pages) = with_fake().await;
    let good = fake.plan.lock().unwrap().document.clone();
    let changed = |key: &str, value: &str| {
        let mut document = good.clone();
        document[key] = value.into();
        document
    };
    let cases = [
        (Some(Instead::Redirects), good.clone()),
        (Some(Instead::IsHuge), good.clone()),
        (Some(Instead::IsNonsense), good.clone()),
        (Some(Instead::IsSilent), good.clone()),
        (None, changed("issuer", "http://127.0.0.1:2")),
        (None, changed("jwks_uri", "http://169.254.169.254/latest")),
        (None, changed("jwks_uri", "http://county.example/keys")),
        (None, changed("jwks_uri", "file:///etc/passwd")),
        (None, changed("authorization_endpoint", "javascript:alert(1)")),
        (None, changed("authorization_endpoint", "http://evil.example/")),
    ];
    for (instead, document) in cases {
        let what = format!("{instead:?} {document}");
        (fake.plan.lock().unwrap().instead, fake.plan.lock().unwrap().document) = (instead, document);
        let (answer, text) = pages.get("/sign-in/oidc?next=/alerts", "").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
        assert!(text.contains("does not answer") && text.contains("name=\"password\""), "{what}: {text}");
        assert!(text.contains("name=\"next\" value=\"&#x2f;alerts\""), "{what}: {text}");
        assert!(!answer.headers().contains_key("set-cookie"), "{what}");
        pages.clock.by(TimeDelta::seconds(6));
    }
    assert_eq!(fake.asked("/elsewhere"), 0, "a redirect is not followed");
    let asked = fake.asked("/.well-known/openid-configuration");
    fake.plan.lock().unwrap().document = changed("token_endpoint", "http://127.0.0.1:1/token");
    let left = leave(&pages, "/").await;
    let (answer, text) = come_back(&pages, &left).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{text}");
    assert_eq!(fake.asked("/.well-known/openid-configuration"), asked + 1);
    assert_eq!(log(&pages).await, [" () sign-in by the provider: the provider did not answer"]);
    pages.sign_in("leicester").await;
}

#[tokio::test]
async fn beginnings_are_limited_by_address_and_those_that_end_well_do_not_count() {
    let (fake, pages) = with_fake().await;
    for _ in 0..40 {
        assert_eq!(sign_in(&fake, &pages, "0815", &["analysts"]).await.0.status(), StatusCode::SEE_OTHER);
    }
    for _ in 0..30 {
        leave(&pages, "/").await;
    }
    let (answer, text) = pages.get("/sign-in/oidc", "").await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(text.contains("quarter of an hour"), "{text}");
    pages.sign_in("leicester").await;
    pages.clock.by(TimeDelta::minutes(16));
    leave(&pages, "/").await;
}

#[tokio::test]
async fn over_https_the_cookie_of_the_way_is_for_https_and_this_host_only() {
    let fake = Fake::start().await;
    let pages = Pages::with_provider("https://watch.county.example/", &[], &fake.issuer).await;
    let (answer, _) = pages.get("/sign-in/oidc", "").await;
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-tension-watch-oidc=") && set.contains("Secure"), "{set}");
    assert!(set.contains("Path=/") && !set.contains("Domain"), "{set}");
    let asked = query(location(&answer));
    assert_eq!(asked["redirect_uri"], "https://watch.county.example/sign-in/oidc/back");
    let mine = cookie(&answer, "__Host-tension-watch-oidc").unwrap();
    let left = Left { cookie: mine, asked };
    fake.will_give(fake.signed(&claims(&fake, &pages, &left, "0815", &["analysts"])));
    let (answer, text) = come_back(&pages, &left).await;
    assert!(cookie(&answer, "__Host-tension-watch").is_some(), "{text}");
}
