//! The two routes: to the provider, and back from it.

use super::{Identity, Secrets, Trouble, unguessable};
use crate::{
    stages::letters::hash_of,
    store::{Account, Counted, SavedSession},
    web::{
        Site,
        client::Client,
        error::PageError,
        session::{IDLE, LONGEST},
        sign_in::{self, Asked, COUNTED, MOST_OF_A_CLIENT, local},
    },
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tower_sessions::{
    Session,
    cookie::{Cookie, SameSite, time},
};

/// Whoever needs longer at the provider begins anew.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(10);

/// The word in the audit log.
const WHAT: &str = "sign-in by the provider";

/// What a provider says on the way back.
#[derive(Deserialize)]
pub(in crate::web) struct Answered {
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// What was kept when somebody left.
#[derive(Deserialize)]
struct Kept {
    nonce: String,
    verifier: String,
    next: String,
}

/// Under what a sign-in under way is kept. Both are needed to find it: what only this browser has, and what the provider
/// was told; so neither another browser nor another answer ends it.
fn key(browser: &str, state: &str) -> String {
    hash_of(&format!("oidc/{browser}/{state}"))
}

/// Sends somebody to the provider.
pub(in crate::web) async fn begin(
    State(site): State<Arc<Site>>,
    client: Client,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let provider = site.provider.as_ref().ok_or(PageError::NotFound)?;
    let (store, now, next) = (&site.engine.store, site.clock.now(), local(&asked.next));
    // Counted until they come back: every beginning is kept, and makes us ask the provider.
    let by_client = counted(&site, client);
    if !store.may_try(&[Counted { who: &by_client, most: MOST_OF_A_CLIENT }], now, now - COUNTED).await? {
        let text = "Thirty sign-ins that began at this place were not finished. Wait a quarter of an hour.";
        return refuse(&site, StatusCode::TOO_MANY_REQUESTS, ("Too many tries.", text), next);
    }
    let secrets = Secrets { state: unguessable(), nonce: unguessable(), verifier: unguessable() };
    let there = match provider.way_there(&secrets, now).await {
        Ok(there) => there,
        Err(trouble) => {
            // No failure of theirs: when the provider is back, they are let in at once.
            store.has_signed_in("", &by_client).await?;
            let (status, words, _) = told(&trouble);
            return refuse(&site, status, words, next);
        }
    };
    let browser = unguessable();
    store.delete_old_sessions(now - IDLE, now - LONGEST).await?;
    let kept = SavedSession {
        id: key(&browser, &secrets.state),
        account: String::new(),
        body: json!({ "nonce": secrets.nonce, "verifier": secrets.verifier, "next": next }),
        started_at: now,
        seen_at: now,
    };
    store.new_session(&kept).await?;
    Ok((with_cookie(&site, browser, UNDER_WAY), Redirect::to(there.as_str())).into_response())
}

/// Takes somebody back from the provider.
pub(in crate::web) async fn back(
    State(site): State<Arc<Site>>,
    client: Client,
    session: Session,
    headers: HeaderMap,
    answered: Result<Query<Answered>, QueryRejection>,
) -> Result<Response, PageError> {
    let provider = site.provider.as_ref().ok_or(PageError::NotFound)?;
    let (store, now) = (&site.engine.store, site.clock.now());
    let by_client = counted(&site, client);
    let kept = match (browser(&site, &headers), &answered) {
        (Some(browser), Ok(Query(answered))) => {
            store.take_session(&key(&browser, &answered.state), now - UNDER_WAY).await?
        }
        _ => None,
    };
    let kept = kept.and_then(|body| serde_json::from_value::<Kept>(body).ok());
    let (Some(kept), Ok(Query(answered))) = (kept, answered) else {
        // Whoever floods this door would flood the log.
        if store.may_try(&[Counted { who: &by_client, most: MOST_OF_A_CLIENT }], now, now - COUNTED).await? {
            site.record("", None, WHAT, "", "no such sign-in under way").await?;
        }
        let text =
            "It was begun more than ten minutes ago, in another browser, or is finished already. Begin anew.";
        return refuse(&site, StatusCode::BAD_REQUEST, ("That sign-in has ended.", text), "/");
    };
    let code = match answered {
        Answered { iss: Some(iss), .. } if iss != provider.settings.issuer.as_str() => {
            Err(Trouble::Refused("another provider answered".into()))
        }
        Answered { error: Some(_), .. } | Answered { code: None, .. } => {
            Err(Trouble::Refused("it let nobody in".into()))
        }
        Answered { code: Some(code), .. } => Ok(code),
    };
    let identity = match code {
        Ok(code) => provider.identity(code, kept.nonce, kept.verifier, now).await,
        Err(trouble) => Err(trouble),
    };
    match identity {
        Err(trouble) => {
            tracing::warn!(error = %trouble, "nobody was signed in by the provider");
            let (status, words, outcome) = told(&trouble);
            site.record("", None, WHAT, "", outcome).await?;
            refuse(&site, status, words, &kept.next)
        }
        Ok(identity) => let_in(&site, &session, identity, &kept.next, &by_client).await,
    }
}

/// Gives somebody the account that is theirs here, if any is.
async fn let_in(
    site: &Site,
    session: &Session,
    identity: Identity,
    next: &str,
    by_client: &str,
) -> Result<Response, PageError> {
    let store = &site.engine.store;
    let name = identity.account;
    let Some((role, area)) = identity.granted else {
        // What they were here before, they are no more.
        store.delete_account(&name).await?;
        site.record(&name, None, WHAT, "", "no role here").await?;
        let text = "Your organisation knows you, but none of your groups has access to this site. \
                    Ask whoever runs it which group you need.";
        return refuse(site, StatusCode::FORBIDDEN, ("You have no access.", text), next);
    };
    let created_at = site.clock.now();
    let account = Account { name, role, area, password_hash: String::new(), created_at };
    let known = store.account(&account.name).await?;
    // Saving ends every session of the account: only when something has changed.
    if known.is_none_or(|known| (known.role, &known.area) != (account.role, &account.area)) {
        store.save_account(&account).await?;
    }
    store.has_signed_in(&format!("account:{}", account.name), by_client).await?;
    sign_in::begin_session(session, &account).await?;
    site.record(&account.name, Some(role), WHAT, "", "done").await?;
    Ok((with_cookie(site, String::new(), TimeDelta::zero()), Redirect::to(local(next))).into_response())
}

/// Under what beginnings are counted.
fn counted(site: &Site, client: Client) -> String {
    format!("oidc-{}", client.counted(&site.engine.answer_key))
}

/// What is said of it, to people and in the audit log.
const fn told(trouble: &Trouble) -> (StatusCode, (&'static str, &'static str), &'static str) {
    match trouble {
        Trouble::Down(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            (
                "Your organisation's sign-in does not answer.",
                "Try again in a few minutes. Accounts of this site still work below.",
            ),
            "the provider did not answer",
        ),
        Trouble::Refused(_) => (
            StatusCode::UNAUTHORIZED,
            ("Your organisation's sign-in let nobody in.", "Begin anew, or ask those who run it."),
            "refused by the provider",
        ),
        Trouble::Token(_) => (
            StatusCode::UNAUTHORIZED,
            (
                "Your organisation's sign-in could not be verified.",
                "Begin anew. If it happens again, tell whoever runs this site: its log says why.",
            ),
            "token not accepted",
        ),
    }
}

fn refuse(site: &Site, status: StatusCode, words: (&str, &str), next: &str) -> Result<Response, PageError> {
    Ok((status, sign_in::page(site, Some(words), local(next))?).into_response())
}

fn cookie_name(site: &Site) -> &'static str {
    if site.address.starts_with("https://") { "__Host-tension-watch-oidc" } else { "tension-watch-oidc" }
}

/// What tells this browser from others until it is back. Lax: the way back comes from another site.
fn with_cookie(site: &Site, value: String, lives: TimeDelta) -> [(header::HeaderName, HeaderValue); 1] {
    let cookie = Cookie::build((cookie_name(site), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.address.starts_with("https://"))
        .max_age(time::Duration::seconds(lives.num_seconds()))
        .build();
    // Made of letters that a header may hold.
    let value = HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
    [(header::SET_COOKIE, value)]
}

fn browser(site: &Site, headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == cookie_name(site) && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}
