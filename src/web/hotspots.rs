//! The hotspot page: every area against its own normal, the table first and the map beside it.

use super::{
    Site,
    alerts::{level, places},
    classes::{Class, heading},
    error::PageError,
    kept::Edition,
    map,
    published::signed,
    reader::{Reader, Sight},
    spark::spark,
};
use crate::{
    count::Feed,
    model::{Alert, Area, AreaKind, AreaRef, Recurrence},
    stages::figures::{AreaFigure, Question},
};
use axum::{
    extract::{Query, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{Datelike, Days, NaiveDate};
use minijinja::{Value, context};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// What the address asks for; anything it can't mean is the usual.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    area: Option<String>,
    strand: Option<String>,
    class: Option<String>,
    period: Option<String>,
    night: Option<String>,
}

/// One line of the table.
pub(super) struct Row {
    pub(super) figure: AreaFigure,
    pub(super) class: Class,
    /// The district of a ward.
    pub(super) district: Option<String>,
    /// Reports of the last year for every 1,000 residents, and for every 1,000 who are there on a working day.
    pub(super) rates: (Option<f64>, Option<f64>),
}

/// For every 1,000 of so many people.
pub(super) fn per_thousand(reports: u64, people: Option<u32>) -> Option<f64> {
    people.filter(|people| *people > 0).map(|people| reports as f64 / f64::from(people) * 1_000.0)
}

/// The table, as far as somebody may see it. Kept for all who see the same, with the long parts of the page that follow from
/// it.
pub(super) struct Rows {
    pub(super) lines: Vec<Row>,
    pub(super) question: Question,
    pub(super) sight: Sight,
    pub(super) first: NaiveDate,
    late: Vec<Feed>,
    /// Nothing of the window can be known yet.
    unarrived: bool,
    /// The table and the picture, when somebody has looked at the page.
    table: OnceLock<Value>,
    picture: OnceLock<Value>,
}

impl Row {
    /// How rare by chance, where it is off its own normal.
    pub(super) fn rare(&self) -> Option<Recurrence> {
        let rare = self.figure.above.or(self.figure.below);
        rare.filter(|_| self.class.is_off())
    }
}

impl Rows {
    /// How many areas are in each class.
    pub(super) fn counts(&self) -> Vec<(Class, usize)> {
        let count = |class| self.lines.iter().filter(|row| row.class == class).count();
        Class::ALL.into_iter().map(|class| (class, count(class))).collect()
    }

    pub(super) fn by_code(&self) -> BTreeMap<&str, &Row> {
        self.lines.iter().map(|row| (row.figure.area.code.as_str(), row)).collect()
    }

    /// The window in words.
    pub(super) fn days(&self) -> String {
        let last = day(self.question.night);
        if self.question.days == 1 { last } else { format!("{} to {last}", day(self.first)) }
    }
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

/// With so little of a window known there is nothing to compare, however long the past.
const UNARRIVED: f64 = 1e-3;

/// What an address asks for, and the last night there is.
pub(super) async fn chosen(site: &Site, asked: &Asked) -> Result<(Question, NaiveDate), PageError> {
    let store = &site.engine.store;
    let last = store.last_night().await?.ok_or(PageError::NotFound)?;
    let wanted = asked.night.as_deref().and_then(typed_day);
    let run = match wanted.filter(|night| *night != last.night) {
        Some(night) => store.judged_night(night).await?.ok_or(PageError::NotFound)?,
        None => last,
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
        class: asked.class.clone().filter(|code| pack.classes.iter().any(|class| class.code == *code)),
        days: asked.period.as_deref().and_then(period).unwrap_or(28),
    };
    Ok((question, last.night))
}

/// Answers what is asked, sorted by class and name, and cut to what the reader may see; and the last night there is.
pub(super) async fn rows(
    site: &Arc<Site>,
    reader: &Reader,
    asked: &Asked,
) -> Result<(Arc<Rows>, NaiveDate), PageError> {
    let (question, last_night) = chosen(site, asked).await?;
    let sight = reader.sight(&*site.engine.county.geography(question.night)?);
    let edition = site.edition(question.as_known_on).await?;
    let key = (question.clone(), sight.clone());
    let answer = Box::pin(answered(Arc::clone(site), question, edition, sight));
    Ok((site.rows.get(&key, edition, answer).await?, last_night))
}

async fn answered(
    site: Arc<Site>,
    question: Question,
    edition: Edition,
    sight: Sight,
) -> Result<Rows, PageError> {
    let geography = site.engine.county.geography(question.night)?;
    let mut answer = Rows {
        lines: Vec::new(),
        first: question.night,
        question,
        sight,
        late: Vec::new(),
        unarrived: false,
        table: OnceLock::new(),
        picture: OnceLock::new(),
    };
    if answer.sight == Sight::Published {
        return Ok(answer);
    }
    let figures = site.fresh_figures(&answer.question, edition).await?;
    answer.first = figures.window.first;
    answer.late.clone_from(&figures.late);
    answer.unarrived = figures.areas.is_empty() && figures.known_share < UNARRIVED;
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
        .map(|figure| {
            let area = geography.get(figure.area.kind, &figure.area.code);
            let rate = |people: fn(&Area) -> Option<u32>| per_thousand(figure.year?, area.and_then(people));
            Row {
                class: Class::of(figure, figures.known_share),
                district: (figure.area.kind == AreaKind::Ward)
                    .then(|| geography.above(&figure.area.code, AreaKind::District).next())
                    .flatten()
                    .map(|district| district.name.clone()),
                rates: (rate(|area| area.population), rate(|area| area.workday_population)),
                figure: figure.clone(),
            }
        })
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
    let (answer, last_night) = match rows(&site, &reader, &asked).await {
        Err(PageError::NotFound) => return nothing_yet(&site, &reader, asked.night.is_some()),
        answer => answer?,
    };
    let question = &answer.question;
    let (_, one, many) = KINDS.iter().find(|kind| kind.0 == question.kind).copied().unwrap_or(KINDS[0]);
    let counts = answer.counts();
    let pack = &site.engine.county.pack;
    let address = |night: NaiveDate| address(question, night);
    let (weeks, [earlier, later]) = weeks(&site, last_night, question.night).await?;
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            nothing => false,
            heading => match &*answer.lines {
                [] if answer.unarrived => "Reports of these days have not arrived yet".to_owned(),
                [] => format!("There is nothing to compare for these {many}"),
                _ => heading(&counts, one, many),
            },
            unarrived => answer.unarrived,
            days => answer.days(),
            period_days => question.days,
            off => counts.iter().any(|(class, count)| class.is_off() && *count > 0),
            early => counts.iter().any(|(class, count)| *class == Class::TooEarly && *count > 0),
            as_at => question.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
            one, many,
            late => answer.late.iter().map(late).collect::<Vec<_>>(),
            total => answer.lines.len(),
            blank => answer.sight != Sight::Everything,
            table => table(&site, &answer, one)?,
            picture => picture(&site, &answer).await?,
            legend => counts.iter().filter(|(_, count)| *count > 0).map(|(class, _)| context! { code => class.code(), label => class.label() }).collect::<Vec<_>>(),
            alerts => alerts(&site, &answer, last_night).await?,
            has_script => map::HAS_SCRIPT && question.kind == AreaKind::Ward,
            kinds => options(kinds(&answer.sight).map(|(kind, _, many)| (kind.code(), *many)), question.kind.code()),
            strands => options(
                std::iter::once(("", "All together")).chain(pack.labels()),
                question.category.as_deref().unwrap_or_default(),
            ),
            category_word => &pack.category_word,
            classes => options(
                std::iter::once(("", "All together"))
                    .chain(pack.classes.iter().map(|class| (class.code.as_str(), class.label.as_str()))),
                question.class.as_deref().unwrap_or_default(),
            ),
            class => question.class.as_deref().and_then(|code| pack.class_label(code)),
            by_day => answer.lines.iter().any(|row| row.rates.1.is_some()),
            periods => options(PERIODS, &question.days.to_string()),
            night => question.night.to_string(),
            latest => last_night.to_string(),
            weeks => weeks.join(" "),
            earlier => earlier.map(address),
            later => later.map(address),
            csv => address(question.night).replacen('/', "/hotspots.csv", 1),
            geojson => (question.kind == AreaKind::Ward).then(|| address(question.night).replacen('/', "/hotspots.geojson", 1)),
            png => address(question.night).replacen('/', "/hotspots.png", 1),
            data => address(question.night).replacen('/', "/map/figures.json", 1),
        },
    };
    Ok(Html(site.render("hotspots.html", values)?).into_response())
}

/// The table, written once for all who see the same.
fn table(site: &Site, answer: &Rows, one: &str) -> Result<Value, PageError> {
    if let Some(written) = answer.table.get() {
        return Ok(written.clone());
    }
    let counts = answer.counts();
    let groups = counts.iter().filter(|(_, count)| *count > 0);
    let groups: Vec<Value> = groups.map(|(class, count)| group(*class, *count, answer)).collect();
    let written = site.render("hotspots_table.html", context! { groups, one })?;
    Ok(answer.table.get_or_init(|| Value::from_safe_string(written)).clone())
}

/// The wards in their colours, drawn once for all who see the same.
async fn picture(site: &Site, answer: &Rows) -> Result<Value, PageError> {
    if answer.question.kind != AreaKind::Ward {
        return Ok(Value::from(""));
    }
    if let Some(drawn) = answer.picture.get() {
        return Ok(drawn.clone());
    }
    let drawn = site.desk.drawn(answer.question.night).await?;
    if drawn.is_empty() {
        return Ok(Value::from("")); // outlines may still come
    }
    let lines = answer.by_code();
    let within = |ward: &str| answer.sight.of_ward(ward).then_some(Class::Within);
    let svg = drawn.picture(|ward| lines.get(ward).map(|row| row.class).or_else(|| within(ward)));
    Ok(answer.picture.get_or_init(|| Value::from_safe_string(svg)).clone())
}

/// The alerts that lived on the night and concern the reader, the newest first.
async fn alerts(site: &Site, answer: &Rows, last_night: NaiveDate) -> Result<Vec<Value>, PageError> {
    let night = answer.question.night;
    let geography = site.engine.county.geography(night)?;
    let mut all = site.engine.store.alerts_since(night).await?;
    all.retain(|alert| alert.lived_on(night, last_night) && answer.sight.of_any(&alert.latest.wards));
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

/// The nights that the slider stops at, oldest first: a week apart, a year at most, those that were judged; and the nights a
/// week before and after one, where they were.
async fn weeks(
    site: &Site,
    last: NaiveDate,
    night: NaiveDate,
) -> Result<(Vec<String>, [Option<NaiveDate>; 2]), PageError> {
    let reach = last - Days::new(7 * 51);
    let beside = [night - Days::new(7), night + Days::new(7)];
    let judged = site.engine.store.nights_since(reach.min(beside[0])).await?;
    let weeks = judged.iter().filter(|one| **one >= reach && (last - **one).num_days() % 7 == 0);
    let there = beside.map(|one| Some(one).filter(|one| judged.binary_search(one).is_ok()));
    Ok((weeks.map(ToString::to_string).collect(), there))
}

/// Before the first night, and of one that was not judged, there is nothing to show.
fn nothing_yet(site: &Site, reader: &Reader, of_one_night: bool) -> Result<Response, PageError> {
    let values = context! {
        ..frame(site, reader),
        ..context! { heading => if of_one_night { "There are no figures for this night" } else { "There are no figures yet" }, of_one_night, total => 0, nothing => true },
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
                district => &row.district,
                observed => figure.observed,
                change => figure.change.map(signed),
                rate => row.rates.0.map(|rate| format!("{rate:.1}")),
                by_day => row.rates.1.map(|rate| format!("{rate:.1}")),
                usual => format!("{:.1}", figure.expected),
                range => format!("{low} to {high}"),
                rare,
                spark => spark(&figure.weeks),
            }
        })
        .collect();
    context! { code => class.code(), label => class.label(), meaning => class.meaning(), count, rows, folded => !class.is_off() }
}

/// The address that shows one area closely, of the same time and category.
fn page_of(area: &AreaRef, question: &Question) -> String {
    let asked =
        address(question, question.night).split_once('&').map_or_else(String::new, |asked| asked.1.into());
    format!("/areas/{}/{}?{asked}", area.kind.code(), area.code)
}

/// A source that is late, for a sentence.
pub(super) fn late(feed: &Feed) -> Value {
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
    let class = question.class.as_ref().map_or_else(String::new, |class| format!("&class={class}"));
    format!(
        "/?area={}&strand={}{class}&period={}&night={night}",
        question.kind.code(),
        question.category.as_deref().unwrap_or_default(),
        question.days
    )
}
