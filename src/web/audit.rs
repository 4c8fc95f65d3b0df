//! The audit log: who saw exact data, and who did what. No incident text, no password, no secret of a link.

use super::{
    Site,
    error::PageError,
    hotspots::{frame, typed_day},
    reader::Reader,
    routes::is_exact,
};
use crate::{
    model::Role,
    store::{AuditEntry, Store, StoreError},
};
use axum::{
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::Html,
};
use chrono::{DateTime, Days, Utc};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Lines of a page.
const LINES: i64 = 100;

/// Longest word on what a line is about.
const LONGEST: usize = 200;

impl Site {
    /// Adds a line.
    pub(super) async fn record(
        &self,
        account: &str,
        role: Option<Role>,
        what: &str,
        about: &str,
        outcome: &str,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            at: self.clock.now(),
            account: account.to_owned(),
            role: role.map(|role| role.code().to_owned()).unwrap_or_default(),
            what: what.to_owned(),
            about: about.to_owned(),
            outcome: outcome.to_owned(),
        };
        let (told, written) = oneshot::channel();
        self.audit.lock().push((entry, told));
        // A task of its own: whoever asked may give up, and would take the lines of others along.
        tokio::spawn(write(Arc::clone(&self.audit), self.engine.store.clone()));
        match written.await {
            Ok(true) => Ok(()),
            _ => Err(StoreError::Unrecorded),
        }
    }
}

/// Lines that nobody has begun to write yet, with those who wait for them. A commit costs the same for one line as for a
/// hundred, so whoever comes to write takes all that wait.
#[derive(Default)]
pub(super) struct Waiting {
    lines: Mutex<Vec<(AuditEntry, oneshot::Sender<bool>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Vec<(AuditEntry, oneshot::Sender<bool>)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(waiting: Arc<Waiting>, store: Store) {
    let _turn = waiting.turn.lock().await;
    let (entries, told): (Vec<_>, Vec<_>) = std::mem::take(&mut *waiting.lock()).into_iter().unzip();
    if entries.is_empty() {
        return; // another one took them along
    }
    let written = store.add_audit(&entries).await;
    if let Err(failed) = &written {
        tracing::error!(
            error = %failed,
            cause = std::error::Error::source(failed).map(ToString::to_string),
            lines = entries.len(),
            "the audit log could not be written"
        );
    }
    for one in told {
        // Whoever gave up is told nothing.
        let _ = one.send(written.is_ok());
    }
}

/// The address that was asked for; what was asked in it only when it is as our own pages write it.
pub(super) fn about(uri: &Uri) -> String {
    let whole = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || "/?&=-_.".contains(c);
    let shown = if whole.chars().all(plain) { whole } else { uri.path() };
    shown.chars().take(LONGEST).collect()
}

/// What a reader of the log may know of it: those without incident data don't learn which alerts there are.
fn readable(entry: &AuditEntry, role: Role) -> &str {
    let about = entry.about.as_str();
    if is_exact(role) || entry.what.starts_with("account ") || entry.what.starts_with("token ") {
        about
    } else if let Some(path) = about.strip_prefix('/') {
        let page = path.find(['/', '?']).map_or(about.len(), |end| end + 1);
        &about[..page]
    } else {
        ""
    }
}

/// How it went.
pub(super) fn outcome(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "shown",
        300..=399 => "done",
        404 => "not found, or not theirs",
        422 => "incomplete",
        400..=499 => "refused",
        _ => "failed",
    }
}

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    account: String,
    day: String,
    page: String,
}

/// The log, the newest first.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let county = &site.engine.county;
    let account = asked.account.trim();
    let day = typed_day(&asked.day);
    let (from, until) = match day.and_then(|day| Some((day, day.checked_add_days(Days::new(1))?))) {
        Some((day, next)) => (county.start_of(day), county.start_of(next)),
        None => (DateTime::<Utc>::UNIX_EPOCH, site.clock.now() + chrono::TimeDelta::days(1)),
    };
    let number = asked.page.parse::<u16>().unwrap_or(1).max(1);
    let skip = i64::from(number - 1) * LINES;
    let only = Some(account).filter(|account| !account.is_empty());
    // One more than is shown tells whether there is another page.
    let mut entries = site.engine.store.audit(from, until, only, LINES + 1, skip).await?;
    let more = entries.len() as i64 > LINES;
    entries.truncate(LINES as usize);
    let zone = county.pack.zone;
    let line = |entry: &AuditEntry| {
        let role = entry.role.parse().map_or("", |role: Role| role.label());
        context! {
            at => entry.at.with_timezone(&zone).format("%-d %B %Y, %H:%M:%S").to_string(),
            account => &entry.account,
            role,
            what => &entry.what,
            about => readable(entry, reader.role),
            outcome => &entry.outcome,
        }
    };
    let address = |number: u16| {
        let day = day.map(|day| day.to_string()).unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let account: String = account.chars().filter(|c| plain(*c)).collect();
        format!("/audit?account={account}&day={day}&page={number}")
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => "Who saw and did what",
            lines => entries.iter().map(line).collect::<Vec<Value>>(),
            account,
            day => day.map(|day| day.to_string()),
            number,
            newer => (number > 1).then(|| address(number - 1)),
            older => (more && number < u16::MAX).then(|| address(number.saturating_add(1))),
        },
    };
    Ok(Html(site.render("audit.html", values)?))
}
