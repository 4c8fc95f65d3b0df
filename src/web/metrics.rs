//! Counts for programs that watch the site, as Prometheus reads them (text exposition format): requests of this machine, and
//! what the database says of all. No area, no category, no incident. Behind an address of its own, which no reader needs.

use super::{Site, serve::serve_router};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{
    fs,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};
use tokio::net::TcpListener;
use tracing::Instrument;
use uuid::Uuid;

type Labels = Vec<(&'static str, String)>;
type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;

/// Seconds.
const STEPS: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Requests of this machine since it began.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    answered: Family<Labels, Counter>,
    took: Histogram,
}

impl Default for Requests {
    fn default() -> Self {
        Self { answered: Family::default(), took: Histogram::new(STEPS) }
    }
}

/// Counts a request by its route, never by its address: that may name an alert or a person's link. What is logged meanwhile
/// carries the request's id, and so does the answer.
pub(super) async fn count(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let began = Instant::now();
    let id = Uuid::now_v7().to_string();
    let span = tracing::info_span!("request", id, method, route);
    let mut answer = next.run(request).instrument(span).await;
    if let Ok(id) = id.parse() {
        answer.headers_mut().insert("x-request-id", id);
    }
    let labels = vec![("route", route), ("method", method), ("status", answer.status().as_u16().to_string())];
    site.requests.answered.get_or_create(&labels).inc();
    site.requests.took.observe(began.elapsed().as_secs_f64());
    answer
}

/// Serves `/metrics` and `/ready` at an address of their own, for ever.
pub(super) async fn serve_metrics(site: Arc<Site>, listener: TcpListener) -> anyhow::Result<()> {
    let router = Router::new().route("/metrics", get(metrics)).route("/ready", get(ready)).with_state(site);
    serve_router(router, listener, std::future::pending()).await
}

/// Whether this machine can answer: its database does. Nights and mail are told by `/health`.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    match site.engine.store.answers().await {
        Ok(()) => "ready\n".into_response(),
        Err(failed) => {
            tracing::error!(error = %failed, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let mut registry = Registry::with_prefix("tension_watch");
    registry.register("http_requests", "Requests answered by this machine", site.requests.answered.clone());
    registry.register("http_request_duration_seconds", "How long answers took", site.requests.took.clone());
    let here = [
        ("leader", "1 where the engine runs", f64::from(u8::from(site.leading.term().is_some()))),
        (
            "term",
            "The term in which this machine runs the engine; 0 where it does not",
            site.leading.term().unwrap_or(0) as f64,
        ),
    ];
    for (name, help, value) in here {
        number(&mut registry, name, help, [(Vec::new(), value)]);
    }
    number(
        &mut registry,
        "build_info",
        "The version, as a label",
        [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
    );
    process(&mut registry);
    // A database that does not answer is one of the things that are watched for.
    let answers = match of_the_store(&site, &mut registry).await {
        Ok(()) => 1.0,
        Err(failed) => {
            tracing::error!(error = %failed, "the database does not answer");
            0.0
        }
    };
    number(&mut registry, "store_up", "1 while the database answers", [(Vec::new(), answers)]);
    let mut text = String::new();
    if let Err(failed) = encode(&mut text, &registry) {
        tracing::error!(error = %failed, "metrics could not be written");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}

async fn of_the_store(site: &Site, registry: &mut Registry) -> crate::store::Result<()> {
    let now = site.clock.now();
    let seen = site.engine.store.measured(now).await?;
    let by = |name: &'static str, counts: Vec<(String, i64)>| {
        counts.into_iter().map(move |(word, count)| (vec![(name, word)], count as f64))
    };
    let plain = |value: f64| [(Vec::new(), value)];
    number(registry, "alerts", "Alerts by state", by("state", seen.alerts));
    number(registry, "runs", "Runs of the engine by outcome", by("outcome", seen.runs));
    if let Some(done) = seen.last_done {
        let help = "When the engine has judged a night last, seconds since 1970";
        number(registry, "last_night_timestamp_seconds", help, plain(done.timestamp() as f64));
    }
    let messages = seen.messages.into_iter().map(|one| (one.state.code().to_owned(), one.messages)).collect();
    number(registry, "outbox_messages", "Messages by state", by("state", messages));
    let waits = seen.waiting_since.map_or(0.0, |since| (now - since).num_seconds().max(0) as f64);
    number(
        registry,
        "outbox_oldest_seconds",
        "How long the oldest message that may leave has waited",
        plain(waits),
    );
    let rows = seen.imports.iter().flat_map(|one| {
        let of = |outcome: &str, rows: i64| {
            (vec![("source", one.source.clone()), ("outcome", outcome.to_owned())], rows as f64)
        };
        [
            of("new", one.added),
            of("changed", one.changed),
            of("known", one.unchanged),
            of("rejected", one.rejected),
        ]
    });
    number(registry, "import_rows", "Rows of imported files by source and what came of them", rows);
    let last =
        seen.imports.iter().map(|one| (vec![("source", one.source.clone())], one.last.timestamp() as f64));
    let help = "When a file of a source was read last, seconds since 1970";
    number(registry, "last_import_timestamp_seconds", help, last);
    number(registry, "data_alerts", "Open alerts about data, rules and mail", plain(seen.data_alerts as f64));
    number(registry, "store_bytes", "Size of the database", plain(seen.bytes as f64));
    if let Some(bytes) = seen.wal_bytes {
        let help = "Size of what a SQLite database has yet to take into itself";
        number(registry, "store_wal_bytes", help, plain(bytes as f64));
    }
    Ok(())
}

/// Memory and files of this process; nothing where the system does not tell.
fn process(registry: &mut Registry) {
    let resident = fs::read_to_string("/proc/self/statm").ok();
    let pages = resident.and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok());
    if let Some(pages) = pages {
        let bytes = pages * rustix::param::page_size() as f64;
        number(registry, "process_resident_memory_bytes", "Memory of this process", [(Vec::new(), bytes)]);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        number(
            registry,
            "process_open_fds",
            "Open files and connections of this process",
            [(Vec::new(), open.count() as f64)],
        );
    }
}

fn number(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
    values: impl IntoIterator<Item = (Labels, f64)>,
) {
    let numbers = Numbers::default();
    for (labels, value) in values {
        numbers.get_or_create(&labels).set(value);
    }
    registry.register(name, help, numbers);
}
