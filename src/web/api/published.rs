//! What partners may know, for their programs.
//!
//! The handler takes a desk, as the page does: it could not show more if it wanted to.

use super::{
    alerts::{Level, Ward},
    asked::{Asked, Day},
    problem::{Problem, of_page},
    token::Caller,
};
use crate::web::{
    desk::AtDesk,
    published::{self, LEVELS, NOTE, PACES, RELEASED_FOR},
};
use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which kind of area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Wards, by month.
    #[default]
    Ward,
    /// Districts, by week or four weeks.
    District,
    /// Community safety partnerships, by week or four weeks.
    Csp,
    /// The whole county, by week or four weeks.
    Llr,
}

impl Kind {
    const fn code(self) -> &'static str {
        match self {
            Self::Ward => "ward",
            Self::District => "district",
            Self::Csp => "csp",
            Self::Llr => "llr",
        }
    }
}

/// How long a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum Period {
    /// A calendar month.
    #[serde(rename = "month")]
    Month,
    /// Four weeks.
    #[serde(rename = "4-weeks")]
    FourWeeks,
    /// Monday to Sunday.
    #[serde(rename = "week")]
    Week,
}

impl Period {
    const fn code(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::FourWeeks => "4-weeks",
            Self::Week => "week",
        }
    }
}

/// Which figures.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Which {
    /// The kind of area; wards without it.
    #[param(inline)]
    area: Option<Kind>,
    /// One strand, as the county calls it; all together without one.
    #[param(example = "race")]
    strand: Option<String>,
    /// The length of time: months for wards, weeks or four weeks for anything larger.
    #[param(inline)]
    period: Option<Period>,
    /// A day: the figure is the latest that ends by then. The latest of all without one.
    #[param(value_type = Option<String>, format = Date, example = "2026-06-28")]
    to: Option<Day>,
}

/// One area.
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedFigure)]
struct Line {
    /// Its code.
    code: String,
    /// Its name.
    name: String,
    /// The district of a ward.
    district: Option<String>,
    /// The published count: changed by chance.
    published: i64,
    /// The mean of the figures before; none with fewer than six of them.
    usual: Option<f64>,
    /// How it stands against them: `well-above`, `above`, `within`, `below` or `too-early`.
    class: &'static str,
    /// Against the figure before.
    change: Option<i64>,
    /// A year's incidents for 1,000 people, at this pace.
    per_1000_a_year: Option<f64>,
}

/// An alert that those responsible let partners know of: no counts.
#[derive(Serialize, ToSchema)]
#[schema(as = ReleasedAlert)]
struct Told {
    /// The title of its rule.
    title: String,
    /// Its level.
    level: Level,
    /// The wards concerned.
    wards: Vec<Ward>,
    /// The strands seen.
    strands: Vec<String>,
    /// The night it began.
    since: NaiveDate,
    /// Whether it is over.
    over: bool,
    /// When partners could first know.
    released_at: DateTime<Utc>,
}

/// Published figures and released alerts.
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedFigures)]
pub(in crate::web) struct Answer {
    /// The kind of area.
    area: &'static str,
    /// The length of time.
    period: &'static str,
    /// The strand, or `all`.
    strand: String,
    /// The first day of the figure; none where nothing is published yet.
    from: Option<NaiveDate>,
    /// Its last day.
    to: Option<NaiveDate>,
    /// When what it counts was known.
    as_known_on: Option<DateTime<Utc>>,
    /// Chance has changed each count by at most about so much.
    give_or_take: Option<i64>,
    /// What is to be said of every use of it.
    note: &'static str,
    /// The areas.
    areas: Vec<Line>,
    /// The last day of the figure before, if there is one.
    earlier: Option<NaiveDate>,
    /// The last day of the figure after, if there is one.
    later: Option<NaiveDate>,
    /// Alerts that partners may know of, the latest first.
    released_alerts: Vec<Told>,
}

/// Read what is published.
///
/// The same figures as on the page for partners: counts changed by chance before they were written, once.
#[utoipa::path(
    get,
    path = "/api/v1/published",
    tag = "published",
    params(Which),
    responses((status = 200, description = "Published figures and released alerts.", body = Answer)),
    security(("token" = ["published:read"]))
)]
pub(in crate::web) async fn get(
    State(AtDesk { desk, now }): State<AtDesk>,
    _caller: Caller,
    Asked(asked): Asked<Which>,
) -> Result<Json<Answer>, Problem> {
    let refused = |detail: String| Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    let area = asked.area.unwrap_or_default().code();
    let categories = &desk.county.pack.categories;
    if asked.strand.as_ref().is_some_and(|code| categories.find(code).is_none()) {
        let known = categories.codes().join(", ");
        return refused(format!("`strand` is none of this county; there are {known}."));
    }
    let period = asked.period.map(Period::code);
    let paces = || {
        let level = LEVELS.iter().find(|level| level.1 == area).map(|level| level.0);
        PACES.iter().filter(move |pace| level.is_some_and(|level| level.paces().contains(&pace.0)))
    };
    if period.is_some_and(|period| !paces().any(|pace| pace.1 == period)) {
        let known: Vec<&str> = paces().map(|pace| pace.1).collect();
        return refused(format!("`period` of this kind of area is {}.", known.join(" or ")));
    }
    let question = published::Asked {
        area: Some(area.into()),
        strand: asked.strand,
        period: period.map(str::to_owned),
        to: asked.to.map(|day| day.0.to_string()),
    };
    let answer = published::answer(&desk, &question).await.map_err(of_page)?;
    let shown = answer.shown.as_ref();
    let areas = shown.iter().flat_map(|shown| &shown.lines).map(|line| Line {
        code: line.code.clone(),
        name: line.name.clone(),
        district: line.district.clone(),
        published: line.count,
        usual: line.usual,
        class: published::class(line).code(),
        change: line.change,
        per_1000_a_year: line.rate,
    });
    let released = desk.store.released(now - RELEASED_FOR).await?;
    let released = released.into_iter().map(|alert| Told {
        title: alert.title,
        level: alert.level.into(),
        wards: alert.wards.iter().map(|code| Ward::of(code, &answer.geography)).collect(),
        strands: alert.categories,
        since: alert.since,
        over: alert.over,
        released_at: alert.released_at,
    });
    Ok(Json(Answer {
        area,
        period: PACES.iter().find(|pace| pace.0 == answer.pace).map_or("", |pace| pace.1),
        strand: answer.request.category.clone().unwrap_or_else(|| "all".into()),
        from: shown.map(|shown| shown.window.first),
        to: shown.map(|shown| shown.window.last),
        as_known_on: shown.map(|shown| shown.as_known_on),
        give_or_take: shown.map(|shown| shown.give_or_take),
        note: NOTE,
        areas: areas.collect(),
        earlier: shown.and_then(|shown| shown.earlier),
        later: shown.and_then(|shown| shown.later),
        released_alerts: released.collect(),
    }))
}
