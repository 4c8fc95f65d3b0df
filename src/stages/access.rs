//! Who may sign in and which programs may call: what the command line and the pages both do.

use super::county::County;
use crate::{
    model::{AreaRef, Scope},
    store::{Account, ApiToken, Store, StoreError},
};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

/// The longest name of an account, a token or a source.
const LONGEST_NAME: usize = 60;

/// Why somebody does not get in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It can't be as it was asked for; says what to do.
    #[error("{0}")]
    Asked(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn asked<T>(what: impl Into<String>) -> Result<T, AccessError> {
    Err(AccessError::Asked(what.into()))
}

/// Letters, digits, hyphens, dots and underscores: what can be typed everywhere and stands in a log without doubt.
fn is_plain(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(letters)
}

async fn is_known(store: &Store, area: Option<&AreaRef>) -> Result<(), AccessError> {
    let Some(wanted) = area else { return Ok(()) };
    let known = store.areas().await?;
    if known.iter().any(|known| known.kind == wanted.kind && known.code == wanted.code) {
        return Ok(());
    }
    asked(format!("there is no {} `{}` in the area pack", wanted.kind.code(), wanted.code))
}

/// An area as people type it: `csp/charnwood`, or `the whole county`.
#[must_use]
pub fn place(area: Option<&AreaRef>) -> String {
    area.map_or_else(|| "the whole county".into(), |area| format!("{}/{}", area.kind.code(), area.code))
}

/// Keeps an account; true when there was one of this name, which now has this role, area and password. Whoever was signed
/// in by it is signed out.
///
/// # Errors
///
/// When the name can't be typed everywhere, the area is not in the pack, or the store fails.
pub async fn save_account(store: &Store, account: &Account) -> Result<bool, AccessError> {
    if !is_plain(&account.name) {
        return asked("a name has letters, digits, hyphens, dots and underscores only, at most 60");
    }
    is_known(store, account.area.as_ref()).await?;
    let known = store.account(&account.name).await?.is_some();
    store.save_account(account).await?;
    Ok(known)
}

/// Keeps a token, by the hash of its secret.
///
/// # Errors
///
/// When what it allows does not fit together, its name was used before, or the store fails.
pub async fn add_token(store: &Store, token: &ApiToken, hash: &str) -> Result<(), AccessError> {
    if !is_plain(&token.name) {
        return asked("a name has letters, digits, hyphens, dots and underscores only, at most 60");
    }
    if token.scopes.is_empty() {
        return asked("a token that allows nothing is of no use: name a scope");
    }
    if token.scopes.contains(&Scope::IncidentsWrite) != token.source.is_some() {
        return asked(
            "incidents:write and a source (--source NAME) go together: a token sends incidents of one source",
        );
    }
    if token.source.as_ref().is_some_and(|source| !is_plain(source)) {
        return asked("a source has letters, digits, hyphens, dots and underscores only, at most 60");
    }
    let reads = |scope: &Scope| matches!(scope, Scope::FiguresRead | Scope::AlertsRead);
    if token.area.is_some() && !token.scopes.iter().any(reads) {
        return asked("an area limits figures:read and alerts:read; without them it says nothing");
    }
    is_known(store, token.area.as_ref()).await?;
    if store.add_token(token, hash).await? {
        return Ok(());
    }
    asked(format!(
        "there is a token `{}`, or was one; choose another name, so that the audit log stays clear",
        token.name
    ))
}

/// The first instant after a day: a token is good until then.
///
/// # Errors
///
/// When the day is over.
pub fn end_of(county: &County, last: NaiveDate, now: DateTime<Utc>) -> Result<DateTime<Utc>, AccessError> {
    let next = last.checked_add_days(Days::new(1)).map(|next| county.start_of(next));
    match next.filter(|ends| *ends > now) {
        Some(ends) => Ok(ends),
        None => asked(format!("{last} is over; a token ends on a day that is yet to end")),
    }
}

/// The last day of a token that ends at an instant.
#[must_use]
pub fn last_day(county: &County, ends: DateTime<Utc>) -> NaiveDate {
    county.day_of(ends - TimeDelta::seconds(1))
}

/// `good`, `ended` or `revoked`.
#[must_use]
pub fn state(token: &ApiToken, now: DateTime<Utc>) -> &'static str {
    match (token.revoked_at, token.ends_at) {
        (Some(_), _) => "revoked",
        (None, Some(ends)) if ends <= now => "ended",
        _ => "good",
    }
}

/// What a token allows, in a line.
#[must_use]
pub fn allows(token: &ApiToken) -> String {
    let area = || token.area.as_ref().map(|area| format!(" of {}", place(Some(area))));
    let one = |scope: &Scope| match scope {
        Scope::IncidentsWrite => {
            format!("{} of {}", scope.code(), token.source.as_deref().unwrap_or_default())
        }
        Scope::PublishedRead => scope.code().to_owned(),
        Scope::FiguresRead | Scope::AlertsRead => format!("{}{}", scope.code(), area().unwrap_or_default()),
    };
    token.scopes.iter().map(one).collect::<Vec<_>>().join(", ")
}
