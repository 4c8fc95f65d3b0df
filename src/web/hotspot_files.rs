//! What the hotspot page shows, as files: the table, the figures on their outlines, the map.

use super::{
    Site,
    classes::heading,
    download::{self, Told},
    error::PageError,
    hotspots::{Asked, Row, Rows, address, rows},
    reader::Reader,
};
use crate::{import::safe_cell, model::AreaKind};
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// The protective marking of exact figures.
const MARKING: &str = "OFFICIAL-SENSITIVE";

fn name(answer: &Rows, ending: &str) -> String {
    format!("{MARKING}-hotspots-{}.{ending}", answer.question.night)
}

/// The table.
pub(super) async fn csv(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (answer, _) = rows(&site, &reader, &asked).await?;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "code",
        "name",
        "district",
        "strand",
        "recorded_as",
        "from",
        "to",
        "observed",
        "change",
        "usual",
        "range_low",
        "range_high",
        "class",
        "by_chance_once_in_days",
        "per_1000_residents_a_year",
        "per_1000_workday_population_a_year",
        "as_known_on",
        "marking",
    ])?;
    let rate = |rate: Option<f64>| rate.map_or_else(String::new, |rate| format!("{rate:.2}"));
    for row in &answer.lines {
        let figure = &row.figure;
        writer.write_record([
            safe_cell(&figure.area.code),
            safe_cell(&figure.name),
            safe_cell(row.district.as_deref().unwrap_or_default()),
            answer.question.category.clone().unwrap_or_else(|| "all".into()),
            answer.question.class.clone().unwrap_or_else(|| "all".into()),
            answer.first.to_string(),
            answer.question.night.to_string(),
            figure.observed.to_string(),
            figure.change.map_or_else(String::new, |change| change.to_string()),
            format!("{:.2}", figure.expected),
            figure.usual_range.0.to_string(),
            figure.usual_range.1.to_string(),
            row.class.code().to_owned(),
            row.rare().map_or_else(String::new, |rare| format!("{:.0}", rare.days())),
            rate(row.rates.0),
            rate(row.rates.1),
            answer.question.as_known_on.to_rfc3339(),
            MARKING.to_owned(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|failed| anyhow::anyhow!("{failed}"))?;
    Ok(download::file("text/csv; charset=utf-8", &name(&answer, "csv"), bytes))
}

/// The figures on their outlines, for a map of one's own. Wards only: larger areas have no outlines here.
pub(super) async fn geojson(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (answer, _) = rows(&site, &reader, &asked).await?;
    let drawn = site.desk.drawn(answer.question.night).await?;
    let lines: BTreeMap<&str, &Row> = answer.by_code();
    let mut body = drawn.geojson_of(|ward| {
        let row = lines.get(ward)?;
        let figure = &row.figure;
        Some(json!({
            "ward": ward, "name": figure.name, "district": row.district, "observed": figure.observed,
            "change": figure.change, "usual": figure.expected, "range": [figure.usual_range.0, figure.usual_range.1],
            "class": row.class.code(), "by_chance_once_in_days": row.rare().map(|rare| rare.days().round()),
            "per_1000_residents_a_year": row.rates.0, "per_1000_workday_population_a_year": row.rates.1,
        }))
    })?;
    body["marking"] = MARKING.into();
    body["from"] = answer.first.to_string().into();
    body["to"] = answer.question.night.to_string().into();
    body["strand"] = answer.question.category.clone().unwrap_or_else(|| "all".into()).into();
    body["recorded_as"] = answer.question.class.clone().unwrap_or_else(|| "all".into()).into();
    body["as_known_on"] = answer.question.as_known_on.to_rfc3339().into();
    Ok(download::file("application/geo+json", &name(&answer, "geojson"), body.to_string().into_bytes()))
}

/// The map as a picture; the page itself says why there is none.
pub(super) async fn png(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (answer, _) = rows(&site, &reader, &asked).await?;
    let instead = Redirect::to(&address(&answer.question, answer.question.night)).into_response();
    if answer.question.kind != AreaKind::Ward || answer.lines.is_empty() {
        return Ok(instead);
    }
    let pack = &site.engine.county.pack;
    let drawn = site.desk.drawn(answer.question.night).await?;
    let strand = answer.question.category.as_deref().map(|code| pack.label(code).to_lowercase());
    let class = answer.question.class.as_deref().and_then(|code| pack.class_label(code));
    let about = format!(
        "{}, {}{}{}. As known on {}.",
        pack.name,
        answer.days(),
        strand.map_or_else(String::new, |label| format!(", {} {label}", pack.category_word)),
        class.map_or_else(String::new, |label| format!(", recorded as {}", label.to_lowercase())),
        answer.question.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M"),
    );
    let classes = answer.by_code();
    let told = Told {
        marking: MARKING,
        heading: heading(&answer.counts(), "ward", "wards"),
        about,
        legend: download::legend(
            answer.lines.iter().map(|row| (row.class, &*row.figure.name, row.figure.observed)),
        ),
        blank: "Not shown to you",
        notes: vec![
            "Each ward against its own past, season and weekday. The step is rarity by chance, never the multiple."
                .to_owned(),
            "More reports are not worse by themselves. Not a forecast.".to_owned(),
        ],
    };
    let of = |ward: &str| classes.get(ward).map(|row| row.class);
    Ok(download::picture(&drawn, of, told, &name(&answer, "png")).await?.unwrap_or(instead))
}
