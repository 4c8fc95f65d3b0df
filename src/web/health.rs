//! Whether the site works, how fresh its nights are and whether its messages leave: for programs that watch it, and for the
//! page of the engine.

use super::Site;
use crate::{store::StoreError, words::counted};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;
use std::sync::Arc;

/// A message that could leave for longer than this means that mail is not going out.
const WAITS_AT_MOST: TimeDelta = TimeDelta::hours(1);

/// For so long a message that was given up is told of.
const FAILURES_SHOW: TimeDelta = TimeDelta::days(1);

/// Nights are a day apart, and a run takes its time.
const NIGHTS_APART: TimeDelta = TimeDelta::hours(26);

/// What a person has to look at.
pub(super) enum Trouble {
    /// A message could have left since then.
    Waiting(DateTime<Utc>),
    /// So many messages were given up lately.
    Failed(u64),
    /// No night was judged since then.
    NoNight(DateTime<Utc>),
}

impl Trouble {
    /// With the command that shows more.
    fn told(&self) -> String {
        match self {
            Self::Waiting(since) => {
                format!("a message waits to be sent since {since}; see `tension-watch outbox list`")
            }
            Self::Failed(messages) => format!(
                "{} could not be sent; see `tension-watch outbox list --state failed`",
                counted(*messages, "message")
            ),
            Self::NoNight(since) => {
                format!("no night has been judged since {since}; see the log of `serve`")
            }
        }
    }
}

/// No data. Anything that a person has to look at makes it 503.
pub(super) async fn get(State(site): State<Arc<Site>>) -> Response {
    match troubles(&site).await {
        Ok((last_night, troubles)) => {
            let good = troubles.is_empty();
            let body = json!({
                "status": if good { "ok" } else { "trouble" },
                "version": env!("CARGO_PKG_VERSION"),
                "last_night": last_night,
                "engine": if site.leading.term().is_some() { "here" } else { "not here" },
                "troubles": troubles.iter().map(Trouble::told).collect::<Vec<_>>(),
            });
            let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, axum::Json(body)).into_response()
        }
        Err(failed) => {
            tracing::error!(error = %failed, "the database does not answer");
            let body = json!({"status": "the database does not answer"});
            (StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response()
        }
    }
}

/// The last night that was judged, and what a person has to look at.
pub(super) async fn troubles(site: &Site) -> Result<(Option<NaiveDate>, Vec<Trouble>), StoreError> {
    let store = &site.engine.store;
    let now = site.clock.now();
    let mut troubles = Vec::new();
    let waiting = store.oldest_waiting(now).await?.filter(|since| now - *since > WAITS_AT_MOST);
    troubles.extend(waiting.map(Trouble::Waiting));
    let failed = store.failed_since(now - FAILURES_SHOW).await?.len();
    troubles.extend((failed > 0).then_some(Trouble::Failed(failed as u64)));
    // The demonstration's clock stands still: no night comes after its last.
    let done = store.last_finished().await?.filter(|_| !site.engine.synthetic);
    troubles.extend(done.filter(|done| now - *done > NIGHTS_APART).map(Trouble::NoNight));
    Ok((store.last_night().await?.map(|run| run.night), troubles))
}
