//! Tokens of programs, for administrators: what each allows, made and taken back. A token is shown once.

use super::{
    Site,
    accounts::{area_of, areas},
    api::token::new_token,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, options, typed_day},
    reader::Reader,
};
use crate::{
    model::Scope,
    stages::access::{AccessError, add_token, allows, end_of, last_day, state},
    store::ApiToken,
};
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;

/// What the form sends; a box that is ticked sends `on`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
    name: String,
    incidents: String,
    figures: String,
    published: String,
    alerts: String,
    source: String,
    area: String,
    ends: String,
}

impl Sent {
    fn scopes(&self) -> Vec<Scope> {
        let boxes = [
            (Scope::IncidentsWrite, &self.incidents),
            (Scope::FiguresRead, &self.figures),
            (Scope::PublishedRead, &self.published),
            (Scope::AlertsRead, &self.alerts),
        ];
        boxes.into_iter().filter(|(_, ticked)| !ticked.is_empty()).map(|(scope, _)| scope).collect()
    }
}

async fn page(
    site: &Site,
    reader: &Reader,
    form: &Sent,
    problem: Option<String>,
    made: Option<(String, String)>,
) -> Result<Response, PageError> {
    let county = &site.engine.county;
    let now = site.clock.now();
    let geography = county.geography(county.day_of(now))?;
    let tokens = site.engine.store.tokens().await?;
    let line = |token: &ApiToken| {
        let state = state(token, now);
        context! {
            name => &token.name,
            allows => allows(token),
            state => capital(state),
            ends => token.ends_at.map(|ends| day(last_day(county, ends))),
            used => token.used_at.map(|used| day(county.day_of(used))),
            may_revoke => state == "good",
        }
    };
    let all = areas(&geography);
    let all = all.iter().map(|(code, name)| (code.as_str(), name.as_str()));
    let good = tokens.iter().filter(|token| state(token, now) == "good").count();
    let values = context! {
        ..frame(site, reader),
        ..context! {
            heading => match good {
                0 => "No program may call".to_owned(),
                1 => "One program may call".to_owned(),
                many => format!("{} programs may call", capital(&number(many))),
            },
            lines => tokens.iter().map(line).collect::<Vec<Value>>(),
            areas => options([("", "The whole county")].into_iter().chain(all), &form.area),
            form => context! {
                name => &form.name,
                source => &form.source,
                ends => &form.ends,
                ticked => form.scopes().iter().map(|scope| scope.code()).collect::<Vec<_>>(),
            },
            problem => problem.as_ref().map(|problem| format!("{}.", capital(problem))),
            made => made.map(|(name, secret)| context! { name, secret }),
        },
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(site.render("tokens.html", values)?)).into_response())
}

/// All of them, those that are no longer good too.
pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Response, PageError> {
    page(&site, &reader, &Sent::default(), None, None).await
}

/// Makes a token; the page that answers shows it, no other does.
pub(super) async fn add(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&form.token)?;
    let (secret, hash) = new_token();
    match wanted(&site, &form, &hash).await {
        Ok(token) => {
            let about = format!("{} with {}", token.name, allows(&token));
            site.record(&reader.name, Some(reader.role), "token added", &about, "done").await?;
            page(&site, &reader, &Sent::default(), None, Some((token.name, secret))).await
        }
        Err(AccessError::Asked(problem)) => page(&site, &reader, &form, Some(problem), None).await,
        Err(AccessError::Store(failed)) => Err(failed.into()),
    }
}

async fn wanted(site: &Site, form: &Sent, hash: &str) -> Result<ApiToken, AccessError> {
    let now = site.clock.now();
    let ends_at = match form.ends.trim() {
        "" => None,
        text => {
            let last = typed_day(text).ok_or_else(|| {
                AccessError::Asked("write the last day as YYYY-MM-DD, or leave it empty".into())
            })?;
            Some(end_of(&site.engine.county, last, now)?)
        }
    };
    let token = ApiToken {
        name: form.name.trim().to_owned(),
        scopes: form.scopes(),
        source: Some(form.source.trim().to_owned()).filter(|source| !source.is_empty()),
        area: area_of(&form.area).map_err(AccessError::Asked)?,
        created_at: now,
        ends_at,
        revoked_at: None,
        used_at: None,
    };
    add_token(&site.engine.store, &token, hash).await?;
    Ok(token)
}

/// Takes a token back: the next call with it is refused.
pub(super) async fn revoke(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Form(form): Form<Sent>,
) -> Result<Redirect, PageError> {
    reader.sent(&form.token)?;
    let name = form.name;
    if site.engine.store.revoke_token(&name, site.clock.now()).await? {
        site.record(&reader.name, Some(reader.role), "token revoked", &name, "done").await?;
    }
    Ok(Redirect::to("/tokens"))
}
