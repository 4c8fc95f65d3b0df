//! Campaigns that ask people to report: when and where, and whether more people did.

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, typed_day},
    reader::{Reader, Sight},
};
use crate::{
    model::{AreaKind, AreaRef, Geography},
    rules::{Event, EventKind, Where},
    stages::campaigns::{Asked, CampaignView, LONGEST, Lift, areas_of},
    words::times,
};
use axum::{
    extract::{Query, State},
    response::Html,
};
use chrono::{Days, NaiveDate};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;

/// Campaigns that ended are listed for so long.
const LISTED: Days = Days::new(2 * 366);

/// With less of its days known a campaign's figures are told as early ones.
const MOSTLY_KNOWN: f64 = 0.9;

/// Which campaign; the latest that has begun without a name.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    name: Option<String>,
    from: Option<String>,
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(chosen): Query<Chosen>,
) -> Result<Html<String>, PageError> {
    let run = site.engine.store.last_night().await?.ok_or(PageError::NotFound)?;
    let geography = site.engine.county.geography(run.night)?;
    let sight = reader.sight(&geography);
    let mut campaigns = site.engine.events(run.night).await?;
    campaigns.retain(|event| event.kind == EventKind::Campaign && event.window.last >= run.night - LISTED);
    campaigns.sort_by(|a, b| (b.window.first, &a.name).cmp(&(a.window.first, &b.name)));
    let from = chosen.from.as_deref().and_then(typed_day);
    let asked_for =
        |event: &&Event| chosen.name.as_ref() == Some(&event.name) && from == Some(event.window.first);
    let one = match &chosen.name {
        Some(_) => Some(campaigns.iter().find(asked_for).ok_or(PageError::NotFound)?),
        None => campaigns.iter().find(|event| event.window.first <= run.night),
    };
    let told = match one {
        Some(event) => {
            Some(told(&site, &reader, &sight, event, (run.night, run.as_known_on), &geography).await?)
        }
        None => None,
    };
    let (mut coming, mut past) = (Vec::new(), Vec::new());
    for event in &campaigns {
        let line = context! {
            name => &event.name,
            from => event.window.first.to_string(),
            first => day(event.window.first),
            last => day(event.window.last),
            places => places(event, &geography),
            chosen => one == Some(event),
        };
        if event.window.first > run.night { coming.insert(0, line) } else { past.push(line) }
    }
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => told.as_ref().map_or_else(
                || if coming.is_empty() { "The calendar names no campaign".to_owned() } else { "No campaign has begun yet".to_owned() },
                |told| told.heading.clone()
            ),
            told => told.map(|told| told.values),
            coming, past,
        },
    };
    Ok(Html(site.render("campaigns.html", values)?))
}

/// What is said of one campaign.
struct Told {
    heading: String,
    values: Value,
}

async fn told(
    site: &Arc<Site>,
    reader: &Reader,
    sight: &Sight,
    event: &Event,
    (night, as_known_on): (NaiveDate, chrono::DateTime<chrono::Utc>),
    geography: &Geography,
) -> Result<Told, PageError> {
    let own = reader.area.as_ref().filter(|_| *sight != Sight::Everything);
    let asked = Asked { event: event.clone(), areas: areas_of(event, own, geography), night, as_known_on };
    let view = if asked.areas.is_empty() { Arc::new(None) } else { site.campaign(&asked).await? };
    let view = (*view).as_ref();
    let name = |area: &AreaRef| {
        geography.get(area.kind, &area.code).map_or_else(|| area.code.clone(), |area| area.name.clone())
    };
    let lines = |view: &CampaignView| -> Vec<Value> {
        view.areas.iter().map(|(area, lift)| line(name(area), lift, false)).collect()
    };
    let channels = |view: &CampaignView| -> Vec<Value> {
        let named = |channel: &Option<String>| {
            channel
                .as_ref()
                .is_some_and(|own| event.channels.iter().any(|named| named.eq_ignore_ascii_case(own)))
        };
        let told = |(channel, lift): &(Option<String>, Lift)| {
            let label = channel.as_ref().map_or_else(|| "Not told".to_owned(), |channel| capital(channel));
            line(label, lift, named(channel))
        };
        view.channels.iter().map(told).collect()
    };
    let pack = &site.engine.county.pack;
    let heading = match view {
        Some(view) => heading(event, view),
        None => format!(
            "{}: {}",
            capital(&event.name),
            if event.window.first > night { "it has not begun" } else { "not in your areas" }
        ),
    };
    let values = context! {
        first => day(event.window.first),
        last => day(event.window.last),
        days => event.window.days(),
        places => places(event, geography),
        around => matches!(event.place, Where::Around { .. }),
        begun => event.window.first <= night,
        over => event.window.last <= night,
        mostly_known => view.is_some_and(|view| view.known_share >= MOSTLY_KNOWN),
        known => view.map(|view| format!("{:.0}%", 100.0 * view.known_share)),
        cut => view.is_some_and(|view| view.window.first > event.window.first).then_some(LONGEST),
        strands => (event.categories != pack.categories.all())
            .then(|| pack.categories.names(event.categories).map(|code| pack.label(code).to_owned()).collect::<Vec<_>>().join(", ")),
        category_word => &pack.category_word,
        own_channels => event.channels.join(", "),
        together => view.map(|view| line(String::new(), &view.together, false)),
        where_not => view.map(|view| {
            let not = view.areas.iter().filter(|(_, lift)| lift.expected.is_some() && !lift.is_more());
            not.map(|(area, _)| name(area)).collect::<Vec<_>>()
        }),
        many => asked.areas.len() > 1,
        areas => view.map(lines),
        channels => view.map(channels),
        as_at => as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
    };
    Ok(Told { heading, values })
}

fn heading(event: &Event, view: &CampaignView) -> String {
    let name = capital(&event.name);
    let (lift, reports) = (&view.together, view.together.observed);
    let were =
        if reports == 1 { "one report".to_owned() } else { format!("{} reports", number(reports as usize)) };
    match lift.expected {
        None => format!("{name}: {were}, and too little is known to say what is usual"),
        Some(_) if lift.is_more() => format!("{name}: more was reported than usual"),
        Some(_) if lift.is_less() => format!("{name}: less was reported than usual"),
        Some(_) => format!("{name}: about as much was reported as usual"),
    }
}

fn line(label: String, lift: &Lift, own: bool) -> Value {
    context! {
        label, own,
        observed => lift.observed,
        usual => lift.expected.map(|expected| format!("{expected:.1}")),
        ratio => lift.expected.filter(|expected| *expected > 0.0).map(|expected| times(lift.observed as f64 / expected)),
        interval => lift.times.map(|(low, high)| format!("{low:.1} to {high:.1}")),
        said => match lift.expected {
            None => "Too little to say",
            Some(_) if lift.is_more() => "More than usual",
            Some(_) if lift.is_less() => "Less than usual",
            Some(_) => "No change that can be told from chance",
        },
    }
}

/// Where a campaign is, in words.
fn places(event: &Event, geography: &Geography) -> String {
    match &event.place {
        Where::Everywhere => "the whole county".to_owned(),
        Where::Around { .. } => "around one place".to_owned(),
        Where::Areas(areas) => {
            let name = |area: &AreaRef| {
                let known =
                    geography.get(area.kind, &area.code).map_or(area.code.as_str(), |area| &area.name);
                if area.kind == AreaKind::Ward { format!("{known} ward") } else { known.to_owned() }
            };
            areas.iter().map(name).collect::<Vec<_>>().join(", ")
        }
    }
}
