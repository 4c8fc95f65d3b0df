//! Signing in and out.

use super::{
    Site,
    error::PageError,
    password::{is_right, random_bytes},
    reader::{ACCOUNT, Reader, TOKEN},
};
use crate::import::hex;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use minijinja::context;
use serde::Deserialize;
use std::sync::Arc;
use tower_sessions::Session;

/// Failures are counted over this time.
const COUNTED: TimeDelta = TimeDelta::minutes(15);
/// So many failures of one account, and no password is right for the rest of the time.
const MOST_FAILURES: i64 = 10;

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct SignOut {
    token: String,
}

pub(super) async fn show(State(site): State<Arc<Site>>) -> Result<Html<String>, PageError> {
    page(&site, false)
}

fn page(site: &Site, failed: bool) -> Result<Html<String>, PageError> {
    let accounts = &site.demo_accounts;
    Ok(Html(
        site.render("sign_in.html", context! { failed, accounts, county => &site.engine.county.pack.name })?,
    ))
}

pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, PageError> {
    same_origin(&headers)?;
    let store = &site.engine.store;
    let now = site.clock.now();
    let who: String = form.name.trim().chars().take(60).collect();
    let tried_out = store.sign_in_failures(&who, now - COUNTED).await? >= MOST_FAILURES;
    let hash = store.account(&who).await?.map(|account| account.password_hash);
    let password: String = form.password.chars().take(200).collect();
    if tried_out || !is_right(password, hash).await {
        store.count_sign_in_failure(&who, now, now - COUNTED).await?;
        return Ok((StatusCode::UNAUTHORIZED, page(&site, true)?).into_response());
    }
    store.forget_sign_in_failures(&who).await?;
    // A session that was there before must not become the one that is signed in.
    session.cycle_id().await?;
    session.insert(ACCOUNT, who).await?;
    session.insert(TOKEN, hex(&random_bytes::<16>())).await?;
    Ok(Redirect::to("/").into_response())
}

pub(super) async fn sign_out(
    reader: Reader,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<SignOut>,
) -> Result<Redirect, PageError> {
    same_origin(&headers)?;
    reader.sent(&form.token)?;
    session.flush().await?;
    Ok(Redirect::to("/sign-in"))
}

/// A form that a browser says comes from another site is refused.
pub(super) fn same_origin(headers: &HeaderMap) -> Result<(), PageError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => Ok(()),
        (Some(origin), Some(host)) if origin.split_once("://").is_some_and(|(_, from)| from == host) => {
            Ok(())
        }
        _ => Err(PageError::Form),
    }
}
