//! Incidents in, and what became of them.

use super::{
    LARGEST_IMPORT,
    asked::{Asked, Page},
    problem::Problem,
    token::{About, Caller},
};
use crate::{
    import::{ImportError, JsonError, Reject},
    stages::{
        import::{ImportReport, RowOutcome},
        receive::{Form, ReceiveError, Received, Sent},
    },
    store::ImportRecord,
    web::Site,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The header that names a call.
const KEY: &str = "idempotency-key";

/// The longest name of a call.
const LONGEST_KEY: usize = 200;

/// So long a program waits that sends what is being imported.
const UNDER_WAY: u32 = 5;

/// One incident, with the names of our own format.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `import::read_json` reads")]
pub(in crate::web) struct Incident {
    /// The supplier's own reference: the same again is a correction, not a second incident.
    #[schema(min_length = 1, example = "26/104512")]
    reference: String,
    /// When it became known, if that was before it is sent: a date, or a date with a time.
    #[schema(example = "2026-06-29T08:30:00+01:00")]
    known_at: Option<String>,
    /// A class of the county's list, such as `crime` or `incident`; `crime` without one.
    #[schema(example = "crime")]
    class: Option<String>,
    /// `pending`, `confirmed`, `reclassified` or `withdrawn`; `confirmed` without one.
    #[schema(example = "confirmed")]
    status: Option<String>,
    /// The strands, as the county calls them; at least one.
    #[schema(max_items = 64, example = json!(["race"]))]
    categories: Vec<String>,
    /// When it happened, or began: a date, or a date with a time. Without a zone it is the county's own time.
    #[schema(example = "2026-06-28 23:40")]
    occurred_from: String,
    /// When it ended.
    #[schema(example = "2026-06-28 23:55")]
    occurred_to: Option<String>,
    /// When the supplier recorded it.
    #[schema(example = "2026-06-29 08:10")]
    recorded_at: Option<String>,
    /// Degrees east (WGS 84), with `lat`; or use `easting` and `northing`, or none where the place is unknown.
    #[schema(example = -1.1332)]
    lon: Option<f64>,
    /// Degrees north.
    #[schema(example = 52.6369)]
    lat: Option<f64>,
    /// Metres on the British National Grid, with `northing`.
    easting: Option<f64>,
    /// Metres north.
    northing: Option<f64>,
    /// How well the place is known: `exact`, `street`, `postcode`, `ward` or `none`; `street` without one.
    #[schema(example = "street")]
    precision: Option<String>,
    /// How it was reported, in a word.
    #[schema(example = "online")]
    channel: Option<String>,
    /// The kind of offence, in a few words.
    #[schema(example = "public order")]
    offence: Option<String>,
    /// The supplier's opaque key for repeats on one person.
    repeat_key: Option<String>,
}

/// A list of incidents, at most 10,000 of them; alone, or as `incidents` of an object.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `import::read_json` reads")]
pub(in crate::web) enum Incidents {
    /// The list alone.
    List(Vec<Incident>),
    /// The list in an object.
    Object(Listed),
}

/// An object that holds the list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `import::read_json` reads")]
pub(in crate::web) struct Listed {
    /// The incidents.
    #[schema(max_items = 10_000)]
    incidents: Vec<Incident>,
}

/// What became of one row.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RowOutcome)]
enum Became {
    /// An incident that was not known before.
    Accepted,
    /// A new version of an incident that was known before.
    Updated,
    /// It says what was known already.
    Duplicate,
    /// It can't be used; nothing is counted of it.
    Rejected,
}

/// One row, in the order in which they were sent.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRow)]
struct OneRow<'a> {
    /// Its place, counted from 1.
    row: u64,
    /// What became of it.
    outcome: Became,
    /// The field or column to look at, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Why it can't be used, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// What became of everything that was sent. It is in the database when this is told.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Import<'a> {
    /// Its key: `GET /api/v1/imports/{id}` tells of it again.
    id: Uuid,
    /// Whose incidents.
    source: &'a str,
    /// Rows that were sent.
    received: u64,
    /// Of incidents not known before.
    accepted: u64,
    /// New versions of incidents known before.
    updated: u64,
    /// That say what was known already.
    duplicate: u64,
    /// That can't be used.
    rejected: u64,
    /// Incidents without a place.
    without_place: u64,
    /// Incidents with a place that lies in no ward.
    outside_every_ward: u64,
    /// Incidents newly taken as events that another source has told of.
    same_event: u64,
    /// What is worth knowing beside that.
    notes: &'a [String],
    /// What became of each row.
    rows: Vec<OneRow<'a>>,
}

/// The answer to an import.
fn answer(report: &ImportReport) -> serde_json::Result<String> {
    let mut rejects = report.rejects.iter();
    let rows = (1..).zip(&report.rows).map(|(row, outcome)| {
        let reject = if *outcome == RowOutcome::Rejected { rejects.next() } else { None };
        OneRow {
            row,
            outcome: match outcome {
                RowOutcome::Added => Became::Accepted,
                RowOutcome::Changed => Became::Updated,
                RowOutcome::Unchanged => Became::Duplicate,
                RowOutcome::Rejected => Became::Rejected,
            },
            field: reject.and_then(|reject| reject.column.as_deref()),
            reason: reject.map(|reject| reject.reason.as_str()),
        }
    });
    let record = &report.record;
    serde_json::to_string(&Import {
        id: record.id,
        source: &record.source,
        received: record.row_count as u64,
        accepted: record.added as u64,
        updated: record.changed as u64,
        duplicate: record.unchanged as u64,
        rejected: record.rejected as u64,
        without_place: report.without_place as u64,
        outside_every_ward: report.outside_every_ward as u64,
        same_event: report.same_event as u64,
        notes: &report.notes,
        rows: rows.collect(),
    })
}

/// Send incidents.
///
/// Of the source that the token is bound to. JSON has the names of our own format; CSV has the columns that the
/// configuration maps for the source, as the files of `tension-watch import incidents` have. Nothing that names or describes
/// a person is taken: fields that look so are refused.
///
/// What has the wrong shape is refused as a whole (422) and nothing is kept; otherwise every row has an outcome of its own.
/// The same `Idempotency-Key` with the same body gets the same answer again for seven days, and nothing is imported twice.
#[utoipa::path(
    post,
    path = "/api/v1/incidents",
    tag = "incidents",
    params(("Idempotency-Key" = String, Header, description = "What you call this call: another for every body, the same when you send it again. 1 to 200 visible ASCII characters; a UUID does well.", min_length = 1, max_length = 200, pattern = "^[!-~]+$", example = "0197b2a4-0c8e-7a31-9d55-3f6c1b7e2d10")),
    request_body(
        content(
            (Incidents = "application/json", example = json!([{"reference": "26/104512", "categories": ["race"], "occurred_from": "2026-06-28 23:40", "lon": -1.1332, "lat": 52.6369}])),
            (String = "text/csv", example = "reference,known_at,categories,occurred_from,lon,lat\n26/104512,2026-06-29,race,2026-06-28 23:40,-1.1332,52.6369\n"),
        ),
        description = "At most 8 MB and 10,000 rows.",
    ),
    responses((status = 200, description = "What became of each row. `Idempotent-Replayed: true` when it was answered before.", body = Import<'static>)),
    security(("token" = ["incidents:write"]))
)]
pub(in crate::web) async fn post(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    let source = caller.source.as_deref().ok_or_else(Problem::not_found)?;
    let form = match media_type(&headers).as_str() {
        "application/json" => Form::Json,
        "text/csv" => Form::Csv(mapping(&site, source)?),
        _ => {
            let detail = "Send application/json or text/csv, and say so in Content-Type.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    };
    let bytes = to_bytes(body, LARGEST_IMPORT).await.map_err(|_| {
        let detail = "The body is larger than 8 MB, or it did not arrive. Send it in several parts.";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    let sent = Sent { token: &caller.name, source, key: &key, bytes: &bytes, form };
    let engine = &site.engine;
    let received = engine.receive(&site.outlines, &sent, site.clock.now(), answer).await.map_err(refused)?;
    let (text, again) = match received {
        Received::Done(text) => (text, false),
        Received::Before(text) => (text, true),
        Received::UnderWay => {
            let detail = "The same call is being imported, or was given up a moment ago. Send it again in a few seconds.";
            return Err(Problem::new(StatusCode::CONFLICT, detail).after(UNDER_WAY));
        }
        Received::Another => {
            let detail =
                "Another body was sent with this Idempotency-Key before. Use another key for another body.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    };
    let id = serde_json::from_str::<Id>(&text)?.id;
    let mut response = ([(header::CONTENT_TYPE, "application/json")], text).into_response();
    if again {
        let replayed = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(replayed, HeaderValue::from_static("true"));
    }
    response.extensions_mut().insert(About(format!("/api/v1/imports/{id}")));
    Ok(response)
}

#[derive(Deserialize)]
struct Id {
    id: Uuid,
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut told = headers.get_all(KEY).iter();
    let key = match (told.next().and_then(|key| key.to_str().ok()), told.next()) {
        (Some(key), None) => key,
        _ => "",
    };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > LONGEST_KEY || !visible {
        let detail = "Send one header Idempotency-Key of 1 to 200 visible ASCII characters: another for every body, the same when you send it again.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(key.to_owned())
}

fn media_type(headers: &HeaderMap) -> String {
    let told = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How the columns of a source are read.
fn mapping<'a>(site: &'a Site, source: &str) -> Result<&'a crate::import::Mapping, Problem> {
    let mapping = match site.mappings.get(source) {
        Some(mapping) => mapping.as_ref(),
        None => site.own_mapping.as_ref(),
    };
    mapping.ok_or_else(|| {
        let detail =
            "The mapping of this source can't be read; whoever runs the site finds the reason in its log.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })
}

fn refused(failed: ReceiveError) -> Problem {
    let wrong = |text: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text);
    match failed {
        ReceiveError::Json(JsonError::Syntax(text)) => {
            Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {text}"))
        }
        ReceiveError::Json(JsonError::Row { row, field, reason }) => {
            wrong(format!("OneRow {row}: {reason}. Nothing was kept.")).at(row, field)
        }
        ReceiveError::Json(many @ JsonError::ManyRows(_)) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, many.to_string())
        }
        ReceiveError::Csv(many @ ImportError::ManyRows(_)) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, many.to_string())
        }
        ReceiveError::Json(mistake) => wrong(mistake.to_string()),
        ReceiveError::Csv(mistake) => wrong(mistake.to_string()),
        ReceiveError::Inside(failed) => failed.into(),
    }
}

/// Which of the rejected rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct WhichRejects {
    /// Which page, counted from 1.
    #[param(minimum = 1, maximum = 100_000)]
    page: Option<u32>,
    /// Rows of a page; 100 without it.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

/// A row that can't be used.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedRow)]
struct Rejected {
    /// Its place, counted from 1; of a file that was imported by hand, the line less one.
    row: i64,
    /// The field or column to look at, where one is to blame.
    field: Option<String>,
    /// Why it can't be used, and what to do.
    reason: String,
}

/// An import, as it was kept.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct SavedImport {
    /// Its key.
    id: Uuid,
    /// Whose incidents.
    source: String,
    /// When.
    imported_at: DateTime<Utc>,
    /// Rows that were sent.
    received: i64,
    /// Of incidents not known before.
    accepted: i64,
    /// New versions of incidents known before.
    updated: i64,
    /// That say what was known already.
    duplicate: i64,
    /// That can't be used.
    rejected: i64,
    /// Those of this page, in the order in which they were sent.
    rejects: Vec<Rejected>,
    /// The number of the next page of them, if there is one.
    next_page: Option<u32>,
}

/// What became of an import.
///
/// Of the source that the token is bound to, by whichever way it came.
#[utoipa::path(
    get,
    path = "/api/v1/imports/{id}",
    tag = "incidents",
    params(("id" = Uuid, Path, description = "The key of the import."), WhichRejects),
    responses((status = 200, description = "The import, with the rows that can't be used.", body = SavedImport)),
    security(("token" = ["incidents:write"]))
)]
pub(in crate::web) async fn get(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<WhichRejects>,
) -> Result<axum::Json<SavedImport>, Problem> {
    let page = Page::of(asked.page, asked.limit, 100, 1_000)?;
    let id: Uuid = id.parse().map_err(|_| Problem::not_found())?;
    let store = &site.engine.store;
    let record = store.import(id).await?.filter(|record| Some(&record.source) == caller.source.as_ref());
    let record: ImportRecord = record.ok_or_else(Problem::not_found)?;
    let saved = store.some_rejects(id, page.limit.into(), page.skip() as i64).await?;
    let rejects = saved
        .into_iter()
        .map(|saved| {
            let reject: Reject = serde_json::from_value(saved.body)?;
            Ok(Rejected { row: saved.line - 1, field: reject.column, reason: reject.reason })
        })
        .collect::<serde_json::Result<_>>()?;
    Ok(axum::Json(SavedImport {
        id,
        source: record.source,
        imported_at: record.imported_at,
        received: record.row_count,
        accepted: record.added,
        updated: record.changed,
        duplicate: record.unchanged,
        rejected: record.rejected,
        rejects,
        next_page: page.next(record.rejected as usize),
    }))
}
