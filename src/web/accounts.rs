//! Accounts, for administrators: who may sign in, added, changed and taken away. A password is made here and shown once.

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, options},
    oidc::is_vouched_for,
    password::{hashed, new_password},
    reader::Reader,
};
use crate::{
    model::{AreaKind, AreaRef, Geography, Role},
    stages::access::{AccessError, place, save_account},
    store::Account,
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

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
    name: String,
    role: String,
    area: String,
}

/// What happened to the last form.
enum Told {
    Nothing,
    Problem(String),
    /// Kept: the account, what it is, and its password.
    Kept(String, String, String),
}

/// Every area that somebody may answer for, as `kind/code` and name; the whole county is none of them.
pub(super) fn areas(geography: &Geography) -> Vec<(String, String)> {
    [(AreaKind::Csp, "partnership"), (AreaKind::District, "district"), (AreaKind::Npa, "neighbourhood area")]
        .into_iter()
        .flat_map(|(kind, word)| {
            geography.of_kind(kind).map(move |area| {
                let code = format!("{}/{}", kind.code(), area.code);
                (code, format!("{}, {word}", area.name))
            })
        })
        .collect()
}

/// `kind/code`; none for the whole county.
pub(super) fn area_of(text: &str) -> Result<Option<AreaRef>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let area = text
        .split_once('/')
        .and_then(|(kind, code)| Some(AreaRef { kind: kind.parse().ok()?, code: code.to_owned() }));
    area.map(Some).ok_or_else(|| "choose an area of the list".into())
}

async fn page(site: &Site, reader: &Reader, form: &Sent, told: Told) -> Result<Response, PageError> {
    let county = &site.engine.county;
    let geography = county.geography(county.day_of(site.clock.now()))?;
    let accounts = site.engine.store.accounts().await?;
    let named = |area: &AreaRef| {
        geography.get(area.kind, &area.code).map_or_else(|| place(Some(area)), |known| known.name.clone())
    };
    let line = |account: &Account| {
        context! {
            name => &account.name,
            role => account.role.label(),
            area => account.area.as_ref().map_or_else(|| "The whole county".into(), &named),
            since => day(county.day_of(account.created_at)),
            by_provider => is_vouched_for(&account.name),
            may_remove => account.name != reader.name,
        }
    };
    let roles = Role::ALL.map(|role| (role.code(), role.label()));
    let all = areas(&geography);
    let all = all.iter().map(|(code, name)| (code.as_str(), name.as_str()));
    let status = match &told {
        Told::Problem(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Told::Nothing | Told::Kept(..) => StatusCode::OK,
    };
    let (problem, kept) = match told {
        Told::Nothing => (None, None),
        Told::Problem(problem) => (Some(format!("{}.", capital(&problem))), None),
        Told::Kept(name, what, password) => (None, Some(context! { name, what, password })),
    };
    let values = context! {
        ..frame(site, reader),
        ..context! {
            heading => match accounts.len() {
                1 => "One account may sign in".to_owned(),
                many => format!("{} accounts may sign in", capital(&number(many))),
            },
            lines => accounts.iter().map(line).collect::<Vec<Value>>(),
            roles => options([("", "Choose a role")].into_iter().chain(roles), &form.role),
            areas => options([("", "The whole county")].into_iter().chain(all), &form.area),
            name => &form.name,
            problem,
            kept,
        },
    };
    Ok((status, Html(site.render("accounts.html", values)?)).into_response())
}

/// All of them, by name.
pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Response, PageError> {
    page(&site, &reader, &Sent::default(), Told::Nothing).await
}

/// Adds an account, or gives one a new role, area and password; the page that answers shows the password, no other does.
pub(super) async fn save(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&form.token)?;
    let name = form.name.trim().to_owned();
    let wanted = match (form.role.parse::<Role>(), area_of(&form.area)) {
        _ if name == reader.name => Err("your own account is changed by another administrator".to_owned()),
        (Err(_), _) => Err("choose a role".into()),
        (_, Err(problem)) => Err(problem),
        (Ok(role), Ok(area)) => Ok((role, area)),
    };
    let (role, area) = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return page(&site, &reader, &form, Told::Problem(problem)).await,
    };
    let password = new_password();
    let account = Account {
        name: name.clone(),
        role,
        area,
        password_hash: hashed(password.clone()).await?,
        created_at: site.clock.now(),
    };
    let known = match save_account(&site.engine.store, &account).await {
        Ok(known) => known,
        Err(AccessError::Asked(problem)) => {
            return page(&site, &reader, &form, Told::Problem(problem)).await;
        }
        Err(AccessError::Store(failed)) => return Err(failed.into()),
    };
    let what = format!("{} of {}", role.label(), place(account.area.as_ref()));
    let about = format!("{name} as {} of {}", role.code(), place(account.area.as_ref()));
    let word = if known { "account changed" } else { "account added" };
    site.record(&reader.name, Some(reader.role), word, &about, "done").await?;
    page(&site, &reader, &Sent::default(), Told::Kept(name, what, password)).await
}

/// Takes an account away, except one's own; whoever is signed in by it is signed out.
pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&form.token)?;
    let name = form.name;
    if name == reader.name {
        let problem = "your own account is removed by another administrator".to_owned();
        return page(&site, &reader, &Sent::default(), Told::Problem(problem)).await;
    }
    if site.engine.store.delete_account(&name).await? {
        site.record(&reader.name, Some(reader.role), "account removed", &name, "done").await?;
    }
    Ok(Redirect::to("/accounts").into_response())
}
