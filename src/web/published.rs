//! The page for partners: published figures and released alerts, in words, as a table, on the map and as files.
//!
//! Handlers here take a [`Desk`]: they could not show more if they wanted to.

use super::{
    classes::{Class, capital, number},
    desk::{AtDesk, Desk},
    download::{self, Told},
    error::PageError,
    hotspots::{day, options, typed_day},
    map::HAS_SCRIPT,
    reader::Reader,
    spark::spark,
};
use crate::{
    import::safe_cell,
    model::{AlertLevel, AreaKind, Geography, Pack},
    publish::{Level, Line, Pace, Request, Shown, Standing},
    store::ReleasedAlert,
};
use axum::{
    Json,
    extract::{Query, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{Days, NaiveDate, TimeDelta};
use minijinja::{Value, context};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// What the address asks for; anything it can't mean is the usual.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    pub(super) area: Option<String>,
    pub(super) strand: Option<String>,
    pub(super) period: Option<String>,
    pub(super) to: Option<String>,
}

/// Publications that one page may need: a year before the figure, and half of one for the curve.
const REACH: Days = Days::new(2 * 366);

/// The next figure begins within these days.
const NEXT: Days = Days::new(5 * 7);

/// Released alerts are shown for so long: what was released before has been read.
pub(super) const RELEASED_FOR: TimeDelta = TimeDelta::days(365);

/// The order, the codes and the words of the levels.
pub(super) const LEVELS: [(Level, &str, &str, &str); 4] = [
    (Level::Ward, "ward", "ward", "wards"),
    (Level::District, "district", "district", "districts"),
    (Level::Csp, "csp", "partnership", "partnerships"),
    (Level::Whole, "llr", "county", "whole county"),
];

pub(super) const PACES: [(Pace, &str, &str); 3] = [
    (Pace::Month, "month", "A month"),
    (Pace::FourWeeks, "4-weeks", "4 weeks"),
    (Pace::Week, "week", "A week"),
];

/// What is shown, and how it was asked for.
pub(super) struct Answer {
    pub(super) request: Request,
    pub(super) pace: Pace,
    pub(super) geography: Arc<Geography>,
    pub(super) shown: Option<Shown>,
}

impl Answer {
    pub(super) fn words(&self) -> (&'static str, &'static str, &'static str) {
        let own = LEVELS.iter().find(|level| level.0 == self.request.level).unwrap_or(&LEVELS[0]);
        (own.1, own.2, own.3)
    }

    /// The address that shows exactly this.
    pub(super) fn address(&self, path: &str, to: Option<NaiveDate>) -> String {
        let pace = PACES.iter().find(|pace| pace.0 == self.pace).unwrap_or(&PACES[0]).1;
        let strand = self.request.category.as_deref().unwrap_or_default();
        let to = to.map_or_else(String::new, |to| format!("&to={to}"));
        format!("{path}?area={}&strand={strand}&period={pace}{to}", self.words().0)
    }

    /// The address that shows one area closely, of the same time and category.
    fn page_of(&self, code: &str) -> String {
        let asked = self.address("", self.shown.as_ref().map(|shown| shown.window.last));
        let asked = asked.split_once('&').map_or("", |asked| asked.1);
        format!("/published/{}/{code}?{asked}", self.words().0)
    }

    /// The area of the level that a ward is, or lies in.
    fn area_of(&self, ward: &str) -> Option<String> {
        match self.request.level {
            Level::Ward => Some(ward.to_owned()),
            Level::Whole => self.shown.as_ref()?.lines.first().map(|line| line.code.clone()),
            level => self.geography.above(ward, level.kind()).next().map(|area| area.code.clone()),
        }
    }

    /// The class of a ward on the map: its own, or that of what it lies in.
    fn class_of(&self, ward: &str) -> Option<Class> {
        let code = self.area_of(ward)?;
        self.shown.as_ref()?.lines.iter().find(|line| line.code == code).map(class)
    }
}

pub(super) async fn answer(desk: &Desk, asked: &Asked) -> Result<Answer, PageError> {
    Ok(answers(desk, asked, Vec::new()).await?.0)
}

/// The answer, and beside it what the same question of each of these categories would show: all from one reading.
pub(super) async fn answers(
    desk: &Desk,
    asked: &Asked,
    categories: Vec<String>,
) -> Result<(Answer, Vec<(String, Option<Shown>)>), PageError> {
    let level = LEVELS
        .iter()
        .find(|level| Some(level.1) == asked.area.as_deref())
        .map_or(Level::Ward, |level| level.0);
    let paces = level.paces();
    let pace = PACES
        .iter()
        .find(|pace| Some(pace.1) == asked.period.as_deref() && paces.contains(&pace.0))
        .map_or(if level == Level::Ward { Pace::Month } else { Pace::FourWeeks }, |pace| pace.0);
    let known = &desk.county.pack.categories;
    let request = Request {
        level,
        pace,
        category: asked.strand.clone().filter(|code| known.find(code).is_some()),
        day: asked.to.as_deref().and_then(typed_day),
    };
    let span = pace.span();
    // What is asked for lies where something is published; a page needs the two years before it and the next figure.
    let end = desk
        .store
        .reach(span)
        .await?
        .map(|(first, last)| request.day.map_or(last, |day| day.clamp(first, last)));
    let published =
        match end.and_then(|end| Some((end.checked_sub_days(REACH)?, end.checked_add_days(NEXT)?))) {
            Some(between) => desk.store.publications(span, between).await?,
            None => Vec::new(),
        };
    // The areas of the figure's own time: an area that was redrawn since is not the one that was counted.
    let last = published
        .iter()
        .map(|one| one.window.last)
        .filter(|last| request.day.is_none_or(|day| *last <= day))
        .max();
    let last = last.or_else(|| published.first().map(|one| one.window.last));
    let geography = match last {
        Some(last) => desk.county.geography(last)?,
        None => Arc::default(),
    };
    // Judging takes a while of a core: those who wait for other pages must not wait for it.
    let judged = tokio::task::spawn_blocking(move || {
        let shown = Shown::of(&published, &geography, &request);
        let by_category = categories.into_iter().map(|code| {
            let one = Request { category: Some(code.clone()), ..request.clone() };
            (code, Shown::of(&published, &geography, &one))
        });
        let by_category = by_category.collect();
        (Answer { request, pace, geography, shown }, by_category)
    });
    Ok(judged.await?)
}

pub(super) fn class(line: &Line) -> Class {
    match line.standing {
        Standing::WellAbove => Class::WellAbove,
        Standing::Above => Class::Above,
        Standing::Below => Class::Below,
        Standing::TooEarly => Class::TooEarly,
        Standing::Within => Class::Within,
    }
}

/// What a step means here.
const fn meaning(class: Class) -> &'static str {
    match class {
        Class::WellAbove => {
            "Chance and the noise in the figures would show one on one page in a hundred or fewer."
        }
        Class::Above | Class::SlightlyAbove => {
            "Chance and the noise in the figures would show one on one page in ten or fewer."
        }
        Class::Below => {
            "So few would be shown by chance on one page in ten or fewer. Fewer reports may mean less reporting."
        }
        Class::TooEarly => "Fewer than six figures were published before.",
        Class::Within => "No more or fewer than chance and the noise in the figures explain.",
    }
}

/// The window in words: months by name.
pub(super) fn when(shown: &Shown, pace: Pace) -> String {
    match pace {
        Pace::Month => shown.window.first.format("%B %Y").to_string(),
        _ => format!("{} to {}", day(shown.window.first), day(shown.window.last)),
    }
}

fn heading(answer: &Answer) -> String {
    let Some(shown) = &answer.shown else { return "Nothing has been published yet".to_owned() };
    let (_, one, many) = answer.words();
    let when = match answer.pace {
        Pace::Month => format!("in {}", when(shown, answer.pace)),
        _ => format!("from {}", when(shown, answer.pace)),
    };
    let above = shown.lines.iter().filter(|line| class(line) < Class::Below).count();
    let below = shown.lines.iter().filter(|line| class(line) == Class::Below).count();
    match (answer.request.level, above, below) {
        (Level::Whole, 0, 0) => format!("The county was as usual {when}"),
        (Level::Whole, 0, _) => format!("The county was below its own normal {when}"),
        (Level::Whole, _, _) => format!("The county was above its own normal {when}"),
        (_, 0, 0) => format!("No {one} stood out {when}"),
        (_, 0, 1) => format!("No {one} was above its own normal {when}, one was below"),
        (_, 0, below) => format!("No {one} was above its own normal {when}, {} were below", number(below)),
        (_, 1, _) => format!("One {one} was above its own normal {when}"),
        (_, above, _) => format!("{} {many} were above their own normal {when}", capital(&number(above))),
    }
}

pub(super) async fn page(
    State(AtDesk { desk, now }): State<AtDesk>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let answer = answer(&desk, &asked).await?;
    let pack = &desk.county.pack;
    let (code, one, many) = answer.words();
    let (mut figures, mut picture) = (context! {}, String::new());
    if let Some(shown) = &answer.shown {
        let drawn = desk.drawn(shown.window.last).await?;
        picture = drawn.picture(|ward| answer.class_of(ward));
        let blank = drawn.paths_of(|ward| answer.class_of(ward).is_none()).0.iter().any(|(blank, _)| *blank);
        let groups: Vec<Value> = Class::ALL
            .into_iter()
            .map(|of| (of, shown.lines.iter().filter(|line| class(line) == of).collect::<Vec<_>>()))
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(of, lines)| group(of, &lines, &answer, &pack.name))
            .collect();
        figures = context! {
            when => when(shown, answer.pace),
            as_at => shown.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
            give_or_take => shown.give_or_take,
            groups,
            earlier => shown.earlier.map(|to| answer.address("/published", Some(to))),
            later => shown.later.map(|to| answer.address("/published", Some(to))),
            to => shown.window.last.to_string(),
            csv => answer.address("/published.csv", Some(shown.window.last)),
            geojson => answer.address("/published.geojson", Some(shown.window.last)),
            png => answer.address("/published.png", Some(shown.window.last)),
            data => answer.address("/published/figures.json", Some(shown.window.last)),
            wards => answer.request.level == Level::Ward,
            blank,
        };
    }
    let released = desk.store.released(now - RELEASED_FOR).await?;
    let values = context! {
        ..desk.frame(&reader),
        ..figures,
        ..context! {
            heading => heading(&answer),
            any => answer.shown.is_some(),
            one, many, picture,
            has_script => HAS_SCRIPT && answer.request.level == Level::Ward,
            released => released.iter().map(|alert| told(alert, &answer.geography, pack)).collect::<Vec<_>>(),
            kinds => options(LEVELS.iter().map(|level| (level.1, level.3)), code),
            strands => options(std::iter::once(("", "All together")).chain(pack.labels()), answer.request.category.as_deref().unwrap_or_default()),
            category_word => &pack.category_word,
            periods => options(
                PACES.iter().filter(|pace| answer.request.level.paces().contains(&pace.0)).map(|pace| (pace.1, pace.2)),
                PACES.iter().find(|pace| pace.0 == answer.pace).map_or("", |pace| pace.1),
            ),
        },
    };
    Ok(Html(desk.render("published.html", values)?))
}

fn group(of: Class, lines: &[&Line], answer: &Answer, whole: &str) -> Value {
    let row = |line: &&Line| {
        context! {
            code => &line.code,
            page => answer.page_of(&line.code),
            name => if answer.request.level == Level::Whole { whole } else { &line.name },
            district => &line.district,
            count => line.count,
            usual => line.usual.map(|usual| format!("{usual:.1}")),
            change => line.change.map(signed),
            rate => line.rate.map(|rate| format!("{rate:.1}")),
            spark => spark(&line.curve),
        }
    };
    let folded = of == Class::Within && lines.len() > 12;
    context! {
        code => of.code(),
        label => of.label(),
        meaning => meaning(of),
        count => lines.len(),
        folded,
        rows => lines.iter().map(row).collect::<Vec<_>>(),
    }
}

/// With a true minus, so that it is read as one.
pub(super) fn signed(change: i64) -> String {
    match change {
        0 => "0".to_owned(),
        more if more > 0 => format!("+{more}"),
        less => format!("\u{2212}{}", less.unsigned_abs()),
    }
}

/// A released alert in words.
pub(super) fn told(alert: &ReleasedAlert, geography: &Geography, pack: &Pack) -> Value {
    let name = |code: &String| {
        geography.get(AreaKind::Ward, code).map_or_else(|| code.clone(), |ward| ward.name.clone())
    };
    let level = match alert.level {
        AlertLevel::Severe => "severe",
        AlertLevel::Elevated => "elevated",
        AlertLevel::Watch => "watch",
    };
    context! {
        title => &alert.title,
        wards => alert.wards.iter().map(name).collect::<Vec<_>>().join(", "),
        strands => alert.categories.iter().map(|code| pack.label(code)).collect::<Vec<_>>().join(", "),
        level,
        since => day(alert.since),
        over => alert.over,
    }
}

/// What the map's script colours.
pub(super) async fn figures(
    State(AtDesk { desk, .. }): State<AtDesk>,
    _reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Json<serde_json::Value>, PageError> {
    let answer = answer(&desk, &asked).await?;
    let area = |line: &Line| {
        let value = json!({
            "name": line.name,
            "class": class(line).code(),
            "observed": line.count,
            "usual": line.usual.map(|usual| (usual * 10.0).round() / 10.0),
            "standing": class(line).of_one(),
        });
        (line.code.clone(), value)
    };
    let lines = answer.shown.iter().flat_map(|shown| &shown.lines);
    Ok(Json(json!({"areas": lines.map(area).collect::<BTreeMap<_, _>>()})))
}

/// What every download says of itself.
pub(super) const NOTE: &str = "changed by chance before publication; published once; see give_or_take";

/// The table as a file.
pub(super) async fn csv(
    State(AtDesk { desk, .. }): State<AtDesk>,
    _reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let answer = answer(&desk, &asked).await?;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "code",
        "name",
        "district",
        "strand",
        "from",
        "to",
        "published",
        "give_or_take",
        "usual",
        "class",
        "change",
        "per_1000_a_year",
        "as_known_on",
        "marking",
        "note",
    ])?;
    for (shown, line) in
        answer.shown.iter().flat_map(|shown| shown.lines.iter().map(move |line| (shown, line)))
    {
        writer.write_record([
            safe_cell(&line.code),
            safe_cell(&line.name),
            safe_cell(line.district.as_deref().unwrap_or_default()),
            answer.request.category.clone().unwrap_or_else(|| "all".into()),
            shown.window.first.to_string(),
            shown.window.last.to_string(),
            line.count.to_string(),
            shown.give_or_take.to_string(),
            line.usual.map_or_else(String::new, |usual| format!("{usual:.2}")),
            class(line).code().to_owned(),
            line.change.map_or_else(String::new, |change| change.to_string()),
            line.rate.map_or_else(String::new, |rate| format!("{rate:.2}")),
            shown.as_known_on.to_rfc3339(),
            "OFFICIAL".to_owned(),
            NOTE.to_owned(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|failed| anyhow::anyhow!("{failed}"))?;
    Ok(file("text/csv; charset=utf-8", "csv", answer.shown.as_ref(), bytes))
}

/// The figures on their outlines, for a map of one's own.
pub(super) async fn geojson(
    State(AtDesk { desk, .. }): State<AtDesk>,
    _reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let answer = answer(&desk, &asked).await?;
    let Some(shown) = &answer.shown else {
        let empty = json!({"type": "FeatureCollection", "features": []}).to_string();
        return Ok(file("application/geo+json", "geojson", None, empty.into_bytes()));
    };
    let drawn = desk.drawn(shown.window.last).await?;
    let lines: BTreeMap<&str, &Line> = shown.lines.iter().map(|line| (line.code.as_str(), line)).collect();
    let mut body = drawn.geojson_of(|ward| {
        let line = lines.get(answer.area_of(ward)?.as_str())?;
        Some(json!({
            "ward": ward, "code": line.code, "name": line.name, "published": line.count,
            "class": class(line).code(), "usual": line.usual,
        }))
    })?;
    body["marking"] = "OFFICIAL".into();
    body["note"] = NOTE.into();
    body["from"] = shown.window.first.to_string().into();
    body["to"] = shown.window.last.to_string().into();
    body["strand"] = answer.request.category.clone().unwrap_or_else(|| "all".into()).into();
    body["give_or_take"] = shown.give_or_take.into();
    body["as_known_on"] = shown.as_known_on.to_rfc3339().into();
    Ok(file("application/geo+json", "geojson", Some(shown), body.to_string().into_bytes()))
}

/// The map as a picture; the page itself says why there is none.
pub(super) async fn png(
    State(AtDesk { desk, .. }): State<AtDesk>,
    _reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let answer = answer(&desk, &asked).await?;
    let Some(shown) = &answer.shown else { return Ok(Redirect::to("/published").into_response()) };
    let pack = &desk.county.pack;
    let drawn = desk.drawn(shown.window.last).await?;
    let strand = answer.request.category.as_deref();
    let about = format!(
        "{}, published figures for {}{}. As known on {}.",
        pack.name,
        when(shown, answer.pace),
        strand.map_or_else(String::new, |code| format!(
            ", {} {}",
            pack.category_word,
            pack.label(code).to_lowercase()
        )),
        shown.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M"),
    );
    let told = Told {
        marking: "OFFICIAL",
        heading: heading(&answer),
        about,
        legend: download::legend(shown.lines.iter().map(|line| (class(line), &*line.name, line.count))),
        blank: "No figure is published",
        notes: vec![
            format!(
                "Before publication a random number was added to each figure: in 95 of 100 cases it is at most {} off.",
                shown.give_or_take
            ),
            "More reports are not worse by themselves. Not a forecast.".to_owned(),
        ],
    };
    let name = format!("published-{}.png", shown.window.last);
    let made = download::picture(&drawn, |ward| answer.class_of(ward), told, &name).await?;
    Ok(made.unwrap_or_else(|| {
        Redirect::to(&answer.address("/published", Some(shown.window.last))).into_response()
    }))
}

fn file(kind: &str, ending: &str, shown: Option<&Shown>, bytes: Vec<u8>) -> Response {
    let of = shown.map_or_else(|| "nothing".to_owned(), |shown| shown.window.last.to_string());
    download::file(kind, &format!("published-{of}.{ending}"), bytes)
}
