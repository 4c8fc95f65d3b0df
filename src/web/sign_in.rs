//! Signing in and out.

use super::{
    Site,
    client::Client,
    error::PageError,
    password::random_bytes,
    reader::{ACCOUNT, MARK, Reader, TOKEN, mark},
};
use crate::{
    import::hex,
    stages::letters::keyed,
    store::{Account, Counted},
};
use axum::{
    Form,
    extract::{Query, State},
    http::{Method, StatusCode, request::Parts, uri::PathAndQuery},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use minijinja::context;
use serde::Deserialize;
use std::sync::Arc;
use tower_sessions::Session;

/// Failures are counted over this time.
pub(super) const COUNTED: TimeDelta = TimeDelta::minutes(15);
/// So many failures of one account, and no password is right for the rest of the time.
const MOST_OF_AN_ACCOUNT: i64 = 10;
/// So many from one address, and no password from there is looked at.
pub(super) const MOST_OF_A_CLIENT: i64 = 30;

/// What is said of a wrong name and of a wrong password alike.
const WRONG: (&str, &str) = (
    "That did not work.",
    "Check the name and the password. After ten wrong passwords for an account, or thirty from one place, no password \
     is looked at for a quarter of an hour.",
);

/// No path of ours is longer.
const LONGEST_NEXT: usize = 200;

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct SignOut {
    token: String,
}

/// Where to go afterwards.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) next: String,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    page(&site, None, local(&asked.next))
}

/// The page, with what went wrong before: in a few words, and what to do.
pub(super) fn page(
    site: &Site,
    trouble: Option<(&str, &str)>,
    next: &str,
) -> Result<Html<String>, PageError> {
    let accounts = &site.demo_accounts;
    let county = &site.engine.county.pack.name;
    let provider = site.provider.as_ref().map(|provider| {
        let query = if next == "/" { String::new() } else { format!("?next={}", in_query(next)) };
        context! { label => provider.label(), query }
    });
    Ok(Html(site.render("sign_in.html", context! { trouble, accounts, county, next, provider })?))
}

/// Sends somebody to sign in first, and back to the page that they asked for.
pub(super) fn first(parts: &Parts) -> Redirect {
    let asked = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let next = if parts.method == Method::GET { local(asked) } else { "/" };
    if next == "/" {
        return Redirect::to("/sign-in");
    }
    Redirect::to(&format!("/sign-in?next={}", in_query(next)))
}

/// A path of this site as part of an address: `local` leaves nothing but `&` that would mean something there.
fn in_query(next: &str) -> String {
    next.replace('&', "%26")
}

/// A path of this site, or the first page: whatever could lead elsewhere has letters that our own paths lack.
pub(super) fn local(next: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.?=&".contains(c);
    let own = next.starts_with('/') && !next.contains("//") && next.len() <= LONGEST_NEXT;
    if own && next.chars().all(plain) { next } else { "/" }
}

pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    session: Session,
    client: Client,
    Form(form): Form<SignIn>,
) -> Result<Response, PageError> {
    let store = &site.engine.store;
    let now = site.clock.now();
    let who: String = form.name.trim().chars().filter(|letter| !letter.is_control()).take(60).collect();
    let key = &site.engine.answer_key;
    // Hashed: what is typed here may be a password in the wrong field.
    let by_account = format!("account:{}", keyed(key, &format!("account/{who}")));
    let by_client = client.counted(key);
    let counted = [
        Counted { who: &by_client, most: MOST_OF_A_CLIENT },
        Counted { who: &by_account, most: MOST_OF_AN_ACCOUNT },
    ];
    let may_try = store.may_try(&counted, now, now - COUNTED).await?;
    let account = store.account(&who).await?;
    let password: String = form.password.chars().take(200).collect();
    // Accounts that a provider vouches for have none, and take as long.
    let hash = account.as_ref().map(|account| account.password_hash.clone()).filter(|hash| !hash.is_empty());
    let right = may_try && site.is_right(password, hash).await;
    let role = account.as_ref().map(|account| account.role);
    let Some(account) = account.filter(|_| right) else {
        // What is no account's name may be a password in the wrong field. Tries that cost us nothing are not written
        // down one by one: whoever floods the page would flood the log.
        if may_try {
            let known = role.map_or("", |_| who.as_str());
            site.record(known, role, "sign-in", "", "wrong name or password").await?;
        }
        return Ok((StatusCode::UNAUTHORIZED, page(&site, Some(WRONG), local(&form.next))?).into_response());
    };
    store.has_signed_in(&by_account, &by_client).await?;
    begin_session(&session, &account).await?;
    site.record(&who, role, "sign-in", "", "done").await?;
    Ok(Redirect::to(local(&form.next)).into_response())
}

/// Signs somebody in.
pub(super) async fn begin_session(session: &Session, account: &Account) -> Result<(), PageError> {
    // A session that was there before must not become the one that is signed in.
    session.clear().await;
    session.cycle_id().await?;
    session.insert(ACCOUNT, &account.name).await?;
    session.insert(MARK, mark(account)).await?;
    session.insert(TOKEN, hex(&random_bytes::<16>())).await?;
    Ok(())
}

pub(super) async fn sign_out(
    reader: Reader,
    session: Session,
    Form(form): Form<SignOut>,
) -> Result<Redirect, PageError> {
    reader.sent(&form.token)?;
    session.flush().await?;
    Ok(Redirect::to("/sign-in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_led_elsewhere() {
        for evil in [
            "//evil.example",
            "///evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/%2f%2fevil.example",
            "/%5cevil.example",
            "%2f%2fevil.example",
            "javascript:alert(1)",
            "/javascript:alert(1)",
            "data:text/html,x",
            "https://evil.example",
            "https:evil.example",
            "/\r\nlocation: https://evil.example",
            "/%0d%0aset-cookie: a=b",
            "/\t/evil.example",
            " //evil.example",
            "/a//evil.example",
            "/.//evil.example",
            "evil.example",
            "@evil.example",
            "/@evil.example",
            "",
        ] {
            assert_eq!(local(evil), "/", "{evil:?}");
        }
        let long = format!("/{}", "a".repeat(400));
        assert_eq!(local(&long), "/");
        for own in ["/", "/alerts/LLR-2026-0001", "/?area=ward&strand=race&period=28&night=2026-06-29"] {
            assert_eq!(local(own), own);
        }
    }
}
