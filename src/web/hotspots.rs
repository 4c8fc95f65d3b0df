//! The hotspot page: every area against its own normal, the table first and the map beside it.

use super::{
    Site,
    alerts::{level, places},
    classes::{Class, heading},
    error::PageError,
    map,
    reader::{Reader, Sight},
    spark::spark,
};
use crate::{
    count::Feed,
    model::{Alert, AlertState, AreaKind, AreaRef, Recurrence},
    stages::figures::{AreaFigure, Question},
};
use axum::{
    extract::{Query, State},
    http::header,
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{Datelike, Days, NaiveDate};
use minijinja::{Value, context};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// What the address asks for; anything it can't mean is the usual.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    area: Option<String>,
    strand: Option<String>,
    period: Option<String>,
    night: Option<String>,
}

/// One line of the table.
pub(super) struct Row {
    pub(super) figure: AreaFigure,
    pub(super) class: Class,
}

/// The table, as far as the reader may see it.
pub(super) struct Rows {
    pub(super) lines: Vec<Row>,
    pub(super) question: Question,
    pub(super) sight: Sight,
    first: NaiveDate,
    last_night: NaiveDate,
    late: Vec<Feed>,
}

/// Kinds of area that the page can show, with the words for one and for many.
const KINDS: [(AreaKind, &str, &str); 4] = [
    (AreaKind::Ward, "ward", "wards"),
    (AreaKind::District, "district", "districts"),
    (AreaKind::Csp, "partnership", "partnerships"),
    (AreaKind::Whole, "county", "whole county"),
];

/// The kinds of area of which a reader may see some.
fn kinds(sight: &Sight) -> impl Iterator<Item = &'static (AreaKind, &'static str, &'static str)> {
    let whole = *sight == Sight::Everything;
    KINDS.iter().filter(move |kind| whole || kind.0 != AreaKind::Whole)
}

/// Lengths of time that the page can show: days, with their words.
const PERIODS: [(&str, &str); 4] = [("1", "1 day"), ("7", "7 days"), ("28", "28 days"), ("56", "8 weeks")];

fn period(text: &str) -> Option<u32> {
    PERIODS.iter().find(|period| period.0 == text)?.0.parse().ok()
}

/// What an address asks for, and the last night there is.
pub(super) async fn chosen(site: &Site, asked: &Asked) -> Result<(Question, NaiveDate), PageError> {
    let store = &site.engine.store;
    let last = store.last_run().await?.ok_or(PageError::NotFound)?;
    let wanted = asked.night.as_deref().and_then(typed_day);
    let run = match wanted {
        Some(night) => store.run_of(night).await?.ok_or(PageError::NotFound)?,
        None => last.clone(),
    };
    let pack = &site.engine.county.pack;
    let question = Question {
        night: run.night,
        as_known_on: run.as_known_on,
        kind: asked
            .area
            .as_deref()
            .and_then(|text| text.parse().ok())
            .filter(|kind| KINDS.iter().any(|k| k.0 == *kind))
            .unwrap_or(AreaKind::Ward),
        category: asked.strand.clone().filter(|code| pack.categories.find(code).is_some()),
        days: asked.period.as_deref().and_then(period).unwrap_or(28),
    };
    Ok((question, last.night))
}

/// Answers what is asked, sorted by class and name, and cut to what the reader may see.
pub(super) async fn rows(site: &Site, reader: &Reader, asked: &Asked) -> Result<Rows, PageError> {
    let (question, last_night) = chosen(site, asked).await?;
    let geography = site.engine.county.geography(question.night)?;
    let sight = reader.sight(&geography);
    let mut answer =
        Rows { lines: Vec::new(), first: question.night, question, sight, last_night, late: Vec::new() };
    if answer.sight == Sight::Published {
        return Ok(answer);
    }
    let figures = site.figures(answer.question.clone()).await?;
    answer.first = figures.window.first;
    answer.late.clone_from(&figures.late);
    answer.lines = figures
        .areas
        .iter()
        .filter(|figure| match figure.area.kind {
            AreaKind::Ward => answer.sight.of_ward(&figure.area.code),
            kind => {
                let wards: Vec<String> =
                    geography.wards_of(kind, &figure.area.code).map(|ward| ward.code.clone()).collect();
                answer.sight.of_all(&wards)
            }
        })
        .map(|figure| Row { class: Class::of(figure, figures.known_share), figure: figure.clone() })
        .collect();
    answer.lines.sort_by(|a, b| a.class.cmp(&b.class).then(a.figure.name.cmp(&b.figure.name)));
    Ok(answer)
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    if !reader.sees_exact() {
        return Ok(Redirect::to("/published").into_response());
    }
    let answer = match rows(&site, &reader, &asked).await {
        Err(PageError::NotFound) => return nothing_yet(&site, &reader),
        answer => answer?,
    };
    let question = &answer.question;
    let (_, one, many) = KINDS.iter().find(|kind| kind.0 == question.kind).copied().unwrap_or(KINDS[0]);
    let counts: Vec<(Class, usize)> = Class::ALL
        .into_iter()
        .map(|class| (class, answer.lines.iter().filter(|row| row.class == class).count()))
        .collect();
    let classes: BTreeMap<&str, Class> =
        answer.lines.iter().map(|row| (row.figure.area.code.as_str(), row.class)).collect();
    let picture = if question.kind == AreaKind::Ward {
        let drawn = site.desk.drawn(question.night).await?;
        drawn.picture(|ward| {
            classes.get(ward).copied().or_else(|| answer.sight.of_ward(ward).then_some(Class::Within))
        })
    } else {
        String::new()
    };
    let groups: Vec<Value> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(class, count)| group(*class, *count, &answer))
        .collect();
    let pack = &site.engine.county.pack;
    let address = |night: NaiveDate| address(question, night);
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => heading(&counts, one, many),
            days => if question.days == 1 { day(question.night) } else { format!("{} to {}", day(answer.first), day(question.night)) },
            off => counts.iter().any(|(class, count)| !matches!(class, Class::Within | Class::TooEarly) && *count > 0),
            early => counts.iter().any(|(class, count)| *class == Class::TooEarly && *count > 0),
            as_at => question.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
            one, many,
            late => answer.late.iter().map(late).collect::<Vec<_>>(),
            total => answer.lines.len(),
            groups, picture,
            alerts => alerts(&site, &answer).await?,
            has_script => map::HAS_SCRIPT && question.kind == AreaKind::Ward,
            kinds => options(kinds(&answer.sight).map(|(kind, _, many)| (kind.code(), *many)), question.kind.code()),
            strands => options(
                std::iter::once(("", "All together")).chain(pack.labels()),
                question.category.as_deref().unwrap_or_default(),
            ),
            category_word => &pack.category_word,
            periods => options(PERIODS, &question.days.to_string()),
            night => question.night.to_string(),
            latest => answer.last_night.to_string(),
            weeks => weeks(&site, answer.last_night).await?.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            earlier => address(question.night - Days::new(7)),
            later => (question.night + Days::new(7) <= answer.last_night).then(|| address(question.night + Days::new(7))),
            download => address(question.night).replacen('/', "/hotspots.csv", 1),
            data => address(question.night).replacen('/', "/map/figures.json", 1),
        },
    };
    Ok(Html(site.render("hotspots.html", values)?).into_response())
}

/// The alerts that lived on the night and concern the reader, the newest first.
async fn alerts(site: &Site, answer: &Rows) -> Result<Vec<Value>, PageError> {
    let night = answer.question.night;
    let geography = site.engine.county.geography(night)?;
    let mut all = site.engine.store.alerts_since(night).await?;
    all.retain(|alert| {
        let begun = alert.opened <= night && alert.state != AlertState::Pending;
        let closed = alert.state == AlertState::Closed && night == answer.last_night;
        begun && !closed && answer.sight.of_any(&alert.latest.wards)
    });
    all.sort_by(|a, b| (b.opened, &b.number).cmp(&(a.opened, &a.number)));
    let line = |alert: &Alert| {
        context! {
            number => &alert.number,
            title => &alert.latest.title,
            places => places(alert, &geography),
            level => level(alert.latest.level),
            opened => day(alert.opened),
        }
    };
    Ok(all.iter().map(line).collect())
}

/// The nights that the slider stops at, oldest first: a week apart, a year at most, those that were judged.
async fn weeks(site: &Site, last: NaiveDate) -> Result<Vec<NaiveDate>, PageError> {
    let mut nights = site.engine.store.nights_since(last - Days::new(7 * 51)).await?;
    nights.retain(|night| (last - *night).num_days() % 7 == 0);
    Ok(nights)
}

/// Before the first night there is nothing to show.
fn nothing_yet(site: &Site, reader: &Reader) -> Result<Response, PageError> {
    let values = context! {
        ..frame(site, reader),
        ..context! { heading => "There are no figures for this night", total => 0, groups => Vec::<Value>::new(), nothing => true },
    };
    Ok(Html(site.render("hotspots.html", values)?).into_response())
}

fn group(class: Class, count: usize, answer: &Rows) -> Value {
    let rows: Vec<Value> = answer
        .lines
        .iter()
        .filter(|row| row.class == class)
        .map(|row| {
            let figure = &row.figure;
            let (low, high) = figure.usual_range;
            let rare = figure.above.or(figure.below).map(once_in);
            let rare = match class {
                Class::Within => "as usual".to_owned(),
                Class::TooEarly => "too early to say".to_owned(),
                _ => rare.unwrap_or_default(),
            };
            context! {
                code => &figure.area.code,
                page => page_of(&figure.area, &answer.question),
                name => &figure.name,
                observed => figure.observed,
                usual => format!("{:.1}", figure.expected),
                range => format!("{low} to {high}"),
                rare,
                spark => spark(&figure.weeks),
            }
        })
        .collect();
    context! { code => class.code(), label => class.label(), meaning => class.meaning(), count, rows, folded => matches!(class, Class::Within | Class::TooEarly) }
}

/// The address that shows one area closely, of the same time and category.
fn page_of(area: &AreaRef, question: &Question) -> String {
    let asked =
        address(question, question.night).split_once('&').map_or_else(String::new, |asked| asked.1.into());
    format!("/areas/{}/{}?{asked}", area.kind.code(), area.code)
}

/// A source that is late, for a sentence.
fn late(feed: &Feed) -> Value {
    context! {
        source => &feed.source,
        last => day(feed.last_delivery),
        days => feed.late_by,
        share => format!("{:.0}%", feed.share * 100.0),
    }
}

/// Rarity in words.
pub(super) fn once_in(strength: Recurrence) -> String {
    let days = strength.days();
    if days >= 3_650.0 {
        "rarer than once in ten years".to_owned()
    } else if days >= 730.0 {
        format!("about once in {:.0} years", days / 365.25)
    } else {
        format!("about once in {days:.0} days")
    }
}

/// A day that somebody typed. The arithmetic of zones and databases ends somewhere in other centuries.
pub(super) fn typed_day(text: &str) -> Option<NaiveDate> {
    text.trim().parse::<NaiveDate>().ok().filter(|day| (1900..2200).contains(&day.year()))
}

pub(super) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// What every page of a signed-in reader has.
pub(super) fn frame(site: &Site, reader: &Reader) -> Value {
    site.desk.frame(reader)
}

pub(super) fn options<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>, chosen: &str) -> Vec<Value> {
    all.into_iter().map(|(value, label)| context! { value, label, chosen => value == chosen }).collect()
}

/// The address that shows exactly this.
pub(super) fn address(question: &Question, night: NaiveDate) -> String {
    format!(
        "/?area={}&strand={}&period={}&night={night}",
        question.kind.code(),
        question.category.as_deref().unwrap_or_default(),
        question.days
    )
}

/// The same table as a file.
pub(super) async fn csv(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let answer = rows(&site, &reader, &asked).await?;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "code",
        "name",
        "from",
        "to",
        "observed",
        "usual",
        "range_low",
        "range_high",
        "class",
        "by_chance_once_in_days",
    ])?;
    for row in &answer.lines {
        let figure = &row.figure;
        let rare = figure.above.or(figure.below);
        let rare = rare.filter(|_| !matches!(row.class, Class::Within | Class::TooEarly));
        writer.write_record([
            figure.area.code.clone(),
            crate::import::safe_cell(&figure.name),
            answer.first.to_string(),
            answer.question.night.to_string(),
            figure.observed.to_string(),
            format!("{:.2}", figure.expected),
            figure.usual_range.0.to_string(),
            figure.usual_range.1.to_string(),
            row.class.code().to_owned(),
            rare.map_or_else(String::new, |rare| format!("{:.0}", rare.days())),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|failed| anyhow::anyhow!("{failed}"))?;
    let name = format!("attachment; filename=\"hotspots-{}.csv\"", answer.question.night);
    let head =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, bytes).into_response())
}
