//! Exact counts, for those responsible.

use super::{
    asked::{Asked, Day},
    problem::Problem,
    token::Caller,
};
use crate::{
    model::{AreaKind, Window},
    web::Site,
};
use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// The longest time that one call may ask for.
const MOST_DAYS: i64 = 366;

/// Which kind of area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AreaKind)]
enum Kind {
    /// Wards.
    #[default]
    Ward,
    /// Districts.
    District,
}

/// Which figures.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Which {
    /// The kind of area; wards without it.
    #[param(inline)]
    area: Option<Kind>,
    /// The first day counted.
    #[param(value_type = String, format = Date, example = "2026-06-01")]
    from: Day,
    /// The last day counted, at most a year after the first.
    #[param(value_type = String, format = Date, example = "2026-06-28")]
    to: Day,
}

/// One area.
#[derive(Serialize, ToSchema)]
#[schema(as = AreaFigures)]
struct Counted {
    /// Its code.
    #[schema(example = "E05010461")]
    code: String,
    /// Its name.
    name: String,
    /// Incidents, each once.
    incidents: u64,
    /// Incidents that carry each strand. One may carry several: these don't add up.
    by_strand: BTreeMap<String, u64>,
}

/// Exact counts. They are of those who answer for the area; partners read what is published.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Figures {
    /// The kind of area.
    area: Kind,
    /// The first day counted.
    from: NaiveDate,
    /// The last day counted.
    to: NaiveDate,
    /// When this was known; later reports change it.
    as_known_on: DateTime<Utc>,
    /// Every area that the token may see, by code.
    areas: Vec<Counted>,
}

/// Count incidents.
///
/// By the days on which they happened, for every ward or district of the token's area; a district only where all its wards
/// are. Incidents without a ward, and those whose date is longer than a day, are counted in none.
#[utoipa::path(
    get,
    path = "/api/v1/figures",
    tag = "figures",
    params(Which),
    responses((status = 200, description = "The counts.", body = Figures)),
    security(("token" = ["figures:read"]))
)]
pub(in crate::web) async fn get(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Asked(asked): Asked<Which>,
) -> Result<Json<Figures>, Problem> {
    let window = Window { first: asked.from.0, last: asked.to.0 };
    let days = (window.last - window.first).num_days();
    if !(0..=MOST_DAYS).contains(&days) {
        let detail = "`to` is not before `from`, and at most 366 days after it.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let kind = asked.area.unwrap_or_default();
    let of = match kind {
        Kind::Ward => AreaKind::Ward,
        Kind::District => AreaKind::District,
    };
    let engine = &site.engine;
    let now = site.clock.now();
    let geography = engine.county.geography(window.last)?;
    let sight = caller.sight(&geography);
    let seen = |code: &String| match of {
        AreaKind::Ward => sight.of_ward(code),
        of => {
            let wards: Vec<String> = geography.wards_of(of, code).map(|ward| ward.code.clone()).collect();
            sight.of_all(&wards)
        }
    };
    let codes = engine.county.pack.categories.codes();
    let counts = engine.counts(of, window, now).await?;
    let areas = counts
        .into_iter()
        .filter(|count| seen(&count.area.code))
        .map(|count| Counted {
            code: count.area.code,
            name: count.area.name,
            incidents: count.incidents,
            by_strand: codes.iter().cloned().zip(count.mentions).collect(),
        })
        .collect();
    Ok(Json(Figures { area: kind, from: window.first, to: window.last, as_known_on: now, areas }))
}
