//! The outbox: what has left, what waits, and what could not be sent. Never the text of a message.

use super::{
    Site,
    error::PageError,
    hotspots::{frame, options},
    reader::Reader,
    routes::{Right, is_exact},
};
use crate::store::{MessageKind, MessageState, OutboxCount, OutboxEntry, OutboxFilter};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{Html, Redirect},
};
use chrono::{DateTime, Utc};
use minijinja::{Value, context};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// So many messages are listed, the newest first.
const LISTED: i64 = 200;

/// What the page is asked for; anything else than a state or a kind means all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    kind: String,
}

/// What the buttons send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
}

const fn state_in_words(state: MessageState) -> &'static str {
    match state {
        MessageState::Waiting => "waiting",
        MessageState::Sending => "being sent",
        MessageState::Sent => "sent",
        MessageState::Failed => "could not be sent",
        MessageState::Held => "held",
    }
}

const fn kind_in_words(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Alert => "Alert",
        MessageKind::Summary => "Summary of alerts",
        MessageKind::Digest => "Weekly digest",
        MessageKind::Action => "Overdue actions",
        MessageKind::Report => "Quarterly report",
        MessageKind::Data => "Data alert",
    }
}

/// How the mail stands, in a sentence.
fn heading(counts: &[OutboxCount]) -> String {
    let of =
        |state| counts.iter().filter(|count| count.state == state).map(|count| count.messages).sum::<i64>();
    let messages = |many: i64| if many == 1 { "1 message".to_owned() } else { format!("{many} messages") };
    let (failed, held) = (of(MessageState::Failed), of(MessageState::Held));
    let waiting = of(MessageState::Waiting) + of(MessageState::Sending);
    match (failed, held, waiting) {
        (0, 0, 0) if counts.is_empty() => "No mail has been made yet".into(),
        (0, 0, 0) => "All mail has left".into(),
        (0, 0, waiting) => format!("{} on the way, none in trouble", messages(waiting)),
        (0, held, _) => format!("{} held until somebody looks", messages(held)),
        (failed, 0, _) => format!("{} could not be sent", messages(failed)),
        (failed, held, _) => format!("{} could not be sent, {held} held", messages(failed)),
    }
}

/// The list, the newest first.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let store = &site.engine.store;
    let filter =
        OutboxFilter { state: asked.state.parse().ok(), kind: asked.kind.parse().ok(), mailbox: None };
    let mut entries = store.outbox(&filter, LISTED + 1).await?;
    let more = entries.len() as i64 > LISTED;
    entries.truncate(LISTED as usize);
    // Without incident data, not even the number of an alert is learnt here.
    let numbers: HashMap<Uuid, String> =
        if is_exact(reader.role) { store.told_numbers().await? } else { HashMap::new() };
    let zone = site.engine.county.pack.zone;
    let moment = |at: DateTime<Utc>| at.with_timezone(&zone).format("%-d %B %Y, %H:%M").to_string();
    let counts = store.outbox_counts().await?;
    let may_retry = Right::SendAgain.allows(reader.role);
    let line = |entry: &OutboxEntry| {
        let stuck = matches!(entry.state, MessageState::Failed | MessageState::Held);
        context! {
            id => entry.id.to_string(),
            made => moment(entry.created_at),
            to => &entry.mailbox,
            kind => kind_in_words(entry.kind),
            alert => numbers.get(&entry.about),
            state => state_in_words(entry.state),
            when => match entry.state {
                MessageState::Sent => entry.sent_at.map(moment),
                MessageState::Failed => entry.failed_at.map(moment),
                MessageState::Waiting => Some(format!("next attempt {}", moment(entry.next_try))),
                MessageState::Held | MessageState::Sending => None,
            },
            attempts => entry.attempts,
            error => &entry.last_error,
            maybe_arrived => entry.maybe_arrived,
            may_retry => may_retry && stuck,
        }
    };
    let count_of = |state: MessageState| {
        counts.iter().find(|count| count.state == state).map_or(0, |count| count.messages)
    };
    let states = MessageState::ALL.map(|state| (state.code(), state_in_words(state)));
    let kinds = MessageKind::ALL.map(|kind| (kind.code(), kind_in_words(kind)));
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => heading(&counts),
            lines => entries.iter().map(line).collect::<Vec<Value>>(),
            counts => counts
                .iter()
                .map(|count| format!("{} {}", count.messages, state_in_words(count.state)))
                .collect::<Vec<_>>(),
            states => options([("", "Any")].into_iter().chain(states), &asked.state),
            kinds => options([("", "Any")].into_iter().chain(kinds), &asked.kind),
            more,
            listed => LISTED,
            may_retry,
            failed => count_of(MessageState::Failed),
            held => count_of(MessageState::Held),
        },
    };
    Ok(Html(site.render("outbox.html", values)?))
}

/// Lets one message, or all that failed or are held, wait to be sent now. Pressed twice, it does no more than once.
pub(super) async fn retry(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(which): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Redirect, PageError> {
    reader.sent(&sent.token)?;
    let (store, now) = (&site.engine.store, site.clock.now());
    match (which.parse::<Uuid>(), which.parse::<MessageState>()) {
        (Ok(id), _) => {
            store.retry_message(id, now).await?;
        }
        (_, Ok(state @ (MessageState::Failed | MessageState::Held))) => {
            store.retry_all(state, now).await?;
        }
        _ => return Err(PageError::NotFound),
    }
    Ok(Redirect::to("/outbox"))
}
