//! Who calls: a program by its token. Tokens are 256 bits of chance, so that a hash of them is enough to keep; tries
//! are counted all the same, so that nobody floods the log.

use super::problem::Problem;
use crate::{
    model::{AreaRef, Geography, Scope},
    stages::letters::hash_of,
    store::{ApiToken, Counted},
    web::{Site, audit, client::Client, new_key, reader::Sight, routes::Route},
};
use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use std::sync::Arc;

/// What every token begins with, so that people and scanners recognise a lost one.
const PREFIX: &str = "tw_";

/// Unknown tokens are counted over this time.
const COUNTED: TimeDelta = TimeDelta::minutes(15);

/// So many from one address, and the rest of the time it is not asked why.
const MOST_OF_A_CLIENT: i64 = 30;

/// That a token was used is written at most this often.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// A token that nobody has seen before, and the hash under which it is kept.
#[must_use]
pub fn new_token() -> (String, String) {
    let token = format!("{PREFIX}{}", new_key());
    let hash = hash_of(&token);
    (token, hash)
}

/// A program whose token was good when it called.
#[derive(Debug, Clone)]
pub(in crate::web) struct Caller {
    pub(in crate::web) name: String,
    pub(in crate::web) source: Option<String>,
    area: Option<AreaRef>,
}

/// What a call was about, where the address does not say it.
#[derive(Debug, Clone)]
pub(in crate::web) struct About(pub(in crate::web) String);

impl Caller {
    /// Which wards it may see exactly; whether it may see any is for its scope to say.
    pub(in crate::web) fn sight(&self, geography: &Geography) -> Sight {
        self.area.as_ref().map_or(Sight::Everything, |area| Sight::within(area, geography))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Put there by the gate of the route.
        parts.extensions.get::<Self>().cloned().ok_or_else(no_token)
    }
}

fn no_token() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "Send the token as `Authorization: Bearer tw_…`. Signing in on the site does not count here.",
    )
}

/// What stands in the header, if it is a token.
fn sent(headers: &HeaderMap) -> Option<&str> {
    let mut told = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (told.next(), told.next()) else { return None };
    let (scheme, token) = one.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Lets programs through whose token allows it, and records what they saw or did.
pub(in crate::web) async fn gate(
    site: Arc<Site>,
    route: &'static Route,
    scope: Scope,
    request: Request,
    next: Next,
) -> Response {
    match let_in(&site, route, scope, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn let_in(
    site: &Arc<Site>,
    route: &'static Route,
    scope: Scope,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let address = audit::about(&parts.uri);
    let token = known(site, &mut parts, &address).await?;
    let who = format!("token:{}", token.name);
    let what = route.what.unwrap_or_default();
    if !token.scopes.contains(&scope) {
        site.record(&who, None, what, &address, "refused").await?;
        let detail = format!(
            "It needs the scope {}; ask whoever runs the site for a token that has it.",
            scope.code()
        );
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let ApiToken { name, source, area, .. } = token;
    parts.extensions.insert(Caller { name, source, area });
    let response = next.run(Request::from_parts(parts, body)).await;
    // What is published already is nobody's secret.
    if scope == Scope::PublishedRead {
        return Ok(response);
    }
    let about = response.extensions().get::<About>().map_or(address, |about| about.0.clone());
    let shown = route.method == Method::GET;
    let outcome = match audit::outcome(response.status()) {
        "shown" if !shown => "done",
        outcome => outcome,
    };
    match site.record(&who, None, what, &about, outcome).await {
        Ok(()) => Ok(response),
        // As for pages: nobody sees what is not recorded; what was done is done.
        Err(failed) if shown => Err(failed.into()),
        Err(failed) => {
            tracing::error!(error = %failed, what, "an act could not be recorded");
            Ok(response)
        }
    }
}

/// The token that was sent, if it is good.
async fn known(site: &Arc<Site>, parts: &mut Parts, address: &str) -> Result<ApiToken, Problem> {
    let token = sent(&parts.headers).ok_or_else(no_token)?;
    let store = &site.engine.store;
    let now = site.clock.now();
    let found = store.token(&hash_of(token)).await?;
    if let Some(token) = found.as_ref().filter(|token| token.is_good(now)) {
        if token.used_at.is_none_or(|used| now - used >= NOTED) {
            store.token_used(&token.name, now).await?;
        }
        return Ok(token.clone());
    }
    // A good token is never counted: others may share its address.
    let Ok(client) = Client::from_request_parts(parts, site).await;
    let who = format!("token-{}", client.counted(&site.engine.answer_key));
    let counted = [Counted { who: &who, most: MOST_OF_A_CLIENT }];
    if !store.may_try(&counted, now, now - COUNTED).await? {
        let detail = "Too many calls from your address had no good token. Wait a quarter of an hour.";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).after(900));
    }
    // What is no token of ours may be a secret of somebody else.
    let name = found.map(|token| format!("token:{}", token.name)).unwrap_or_default();
    let outcome = if name.is_empty() { "unknown token" } else { "revoked or ended" };
    site.record(&name, None, "token", address, outcome).await?;
    let detail = "It may be mistyped, revoked or ended. Ask whoever runs the site for another.";
    Err(Problem::new(StatusCode::UNAUTHORIZED, detail))
}
