//! The quarterly reports, for boards and those responsible: published figures and what was done.

use super::{
    Site,
    error::PageError,
    hotspots::{day, frame},
    reader::Reader,
    routes::Right,
};
use crate::{
    model::AreaKind,
    publish::Span,
    report::{self, NoReport, Quarter, Report, Whom},
    store::PublishedStore,
};
use axum::{
    extract::{Path, Query, State},
    http::header,
    response::{Html, IntoResponse, Response},
};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;

/// So many quarters are listed, the latest first.
const LISTED: usize = 8;

/// A report carries its own styles and needs nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The code of a partnership; the county without one.
    #[serde(rename = "for")]
    whom: Option<String>,
    /// `csv` or `json` to take away.
    format: Option<String>,
}

pub(super) async fn list(State(site): State<Arc<Site>>, reader: Reader) -> Result<Html<String>, PageError> {
    let store = PublishedStore::new(site.engine.store.clone());
    let reach = store.reach(Span::Week).await?;
    let mut quarters: Vec<Value> = Vec::new();
    let mut geography = Arc::default();
    if let Some((first, last)) = reach {
        geography = site.engine.county.geography(last)?;
        let mut next = Some(Quarter::of(last));
        while let Some(quarter) =
            next.filter(|quarter| quarters.len() < LISTED && quarter.days().last >= first)
        {
            let weeks = quarter.weeks();
            let published = weeks.iter().filter(|week| week.last <= last && week.first >= first).count();
            if published > 0 {
                quarters.push(context! {
                    code => quarter.to_string(),
                    words => quarter.in_words(),
                    whole => published == weeks.len(),
                    published,
                    weeks => weeks.len(),
                });
            }
            next = Some(quarter.before());
        }
    }
    let csps: Vec<Value> = geography
        .of_kind(AreaKind::Csp)
        .map(|csp| context! { code => &csp.code, name => &csp.name })
        .collect();
    let values = context! {
        ..frame(&site, &reader),
        ..context! { heading => "Quarterly reports", quarters, csps, last => reach.map(|reach| day(reach.1)) },
    };
    Ok(Html(site.render("reports.html", values)?))
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(quarter): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let quarter: Quarter = quarter.parse().map_err(|_| PageError::NotFound)?;
    let whom = asked.whom.unwrap_or_default();
    let report = match report_of(&site, quarter, &whom).await? {
        Ok(report) => report,
        Err(NoReport::UnknownCsp { .. }) => return Err(PageError::NotFound),
        Err(none) => {
            let values = context! {
                ..frame(&site, &reader),
                ..context! { heading => "There is no report of this quarter", missing => super::classes::capital(&none.to_string()) + ".", back => "/reports" },
            };
            return Ok(Html(site.render("missing.html", values)?).into_response());
        }
    };
    let name =
        |ending: &str| format!("{}-{}.{ending}", report.quarter, report.csp.as_deref().unwrap_or("county"));
    let file = |kind, name: String, text: String| super::download::file(kind, &name, text.into_bytes());
    match asked.format.as_deref() {
        Some("csv" | "json") if !Right::Download.allows(reader.role) => Err(PageError::NotFound),
        Some("csv") => Ok(file("text/csv; charset=utf-8", name("csv"), report::csv(&report)?)),
        Some("json") => Ok(file("application/json", name("json"), serde_json::to_string_pretty(&*report)?)),
        _ => {
            let head = [(header::CONTENT_SECURITY_POLICY, POLICY)];
            Ok((head, Html(report::html(&report)?)).into_response())
        }
    }
}

/// The report as of the last night, kept for those who ask the same.
async fn report_of(
    site: &Arc<Site>,
    quarter: Quarter,
    whom: &str,
) -> Result<Result<Arc<Report>, NoReport>, PageError> {
    let run = site.engine.store.last_night().await?.ok_or(PageError::NotFound)?;
    let asked = if whom.is_empty() { Whom::County } else { Whom::Csp(whom.to_owned()) };
    let (engine, terms) = (Arc::clone(&site.engine), site.definitions.clone());
    let answer = site.turns.one(async move { engine.quarter(quarter, asked, terms, run.as_known_on).await });
    let key = (quarter, whom.to_owned(), run.as_known_on);
    let answer = site.reports.get(&key, 0, answer).await?;
    Ok(match &*answer {
        Ok(report) => Ok(Arc::new(report.clone())),
        Err(none) => Err(none.clone()),
    })
}
