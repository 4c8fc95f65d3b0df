//! One area closely, for those responsible: how its counts ran against its own normal, which categories, when in the week,
//! which alerts, and what was done.

use super::{
    Site,
    alerts::{level, places},
    classes::Class,
    curve::{Bar, curve},
    error::PageError,
    hotspots::{Asked, chosen, day, frame, once_in, per_thousand},
    reader::Reader,
};
use crate::{
    detect::Past,
    model::{Alert, AreaKind, AreaRef, Geography},
    rules::{Event, EventKind},
    stages::area::{HOURS, Week, area_view},
    words::thousands,
};
use axum::{
    extract::{Path, Query, State},
    response::Html,
};
use chrono::{Days, NaiveDate};
use minijinja::{Value, context};
use std::sync::Arc;

/// Fewer than these in a block of hours are not told: they would say when somebody was at risk.
const LEAST_TOLD: u32 = 5;

/// Alerts of so many days are listed.
const ALERTS_OF: Days = Days::new(2 * 365);

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path((kind, code)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let kind: AreaKind = kind.parse().map_err(|_| PageError::NotFound)?;
    let area = AreaRef { kind, code };
    let (mut question, _) = chosen(&site, &asked).await?;
    question.kind = kind;
    let geography = site.engine.county.geography(question.night)?;
    let known = geography.get(kind, &area.code).ok_or(PageError::NotFound)?;
    let wards: Vec<String> = match kind {
        AreaKind::Ward => vec![area.code.clone()],
        kind => geography.wards_of(kind, &area.code).map(|ward| ward.code.clone()).collect(),
    };
    if !reader.sight(&geography).of_all(&wards) {
        return Err(PageError::NotFound);
    }
    let figures = site.figures(&question).await?;
    let figure = figures.areas.iter().find(|figure| figure.area == area);
    let (engine, asked, one) = (Arc::clone(&site.engine), question.clone(), area.clone());
    let view = site.turns.one(async move { area_view(&engine, &one, &asked).await });
    let Some(view) = view.await? else {
        return Err(PageError::NotFound);
    };
    let changes = changes(&site, &area, &view.curve, question.night, &geography).await?;
    let pack = &site.engine.county.pack;
    let observed = figure.map_or(0, |figure| figure.observed);
    let reports = if observed == 1 { "report" } else { "reports" };
    let span = if question.days == 1 { "one day".to_owned() } else { format!("{} days", question.days) };
    let class = figure.map(|figure| Class::of(figure, figures.known_share));
    let alerts = alerts(&site, &area, &geography, question.night - ALERTS_OF).await?;
    let rate = |people| {
        let rate = per_thousand(figure.and_then(|figure| figure.year)?, people)?;
        Some(format!("{rate:.1}"))
    };
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => format!("{}: {observed} {reports} in {span}", known.name),
            name => &known.name,
            above => above(&area, &geography),
            first => day(figures.window.first),
            last => day(figures.window.last),
            as_at => question.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
            class_label => question.class.as_deref().and_then(|code| pack.class_label(code)),
            strand => question.category.as_deref().map(|code| pack.label(code)),
            category_word => &pack.category_word,
            class => class.map(Class::code),
            standing => class.map(Class::of_one),
            usual => figure.map(|figure| format!("{:.1}", figure.expected)),
            range => figure.map(|figure| format!("{} to {}", figure.usual_range.0, figure.usual_range.1)),
            rare => figure
                .filter(|_| class.is_some_and(Class::is_off))
                .and_then(|figure| figure.above.or(figure.below))
                .map(|rare| format!("{} {}", once_in(rare), anywhere(kind))),
            rate => rate(known.population),
            by_day => rate(known.workday_population),
            people => known.population.map(|people| thousands(people.into())),
            people_by_day => known.workday_population.map(|people| thousands(people.into())),
            curve => curve(
                &view.curve.iter().map(Bar::from).collect::<Vec<_>>(),
                &changes.iter().map(|event| event.window.first).collect::<Vec<_>>(),
                &alternative(&view.curve, &known.name),
            ),
            changes => changes
                .iter()
                .map(|event| context! { name => &event.name, at => day(event.window.first) })
                .collect::<Vec<_>>(),
            windows => view.curve.iter().rev().map(window).collect::<Vec<_>>(),
            window_days => question.days,
            categories => view
                .categories
                .iter()
                .map(|one| context! {
                    label => pack.label(&one.code),
                    observed => one.observed,
                    usual => format!("{:.1}", one.expected),
                    range => format!("{} to {}", one.usual_range.0, one.usual_range.1),
                    year => one.year,
                })
                .collect::<Vec<_>>(),
            blocks => (0..24 / HOURS).map(|block| format!("{:02} to {:02}", block * HOURS, (block + 1) * HOURS)).collect::<Vec<_>>(),
            hours => hours(&view.hours),
            any_hour => view.hours.iter().flatten().any(|count| *count >= LEAST_TOLD),
            least_told => LEAST_TOLD,
            without_hour => view.without_hour,
            alerts => alerts.0,
            actions => alerts.1,
            reporting => pack.reporting.iter().map(|way| context! { label => &way.label, url => &way.url }).collect::<Vec<_>>(),
            back => super::hotspots::address(&question, question.night),
        },
    };
    Ok(Html(site.render("area.html", values)?))
}

/// Changes in how reports are recorded that concern an area, within the days of its curve, the first first.
async fn changes(
    site: &Site,
    area: &AreaRef,
    curve: &[Past],
    night: NaiveDate,
    geography: &Geography,
) -> Result<Vec<Event>, PageError> {
    let Some(first) = curve.first().map(|past| past.window.first) else { return Ok(Vec::new()) };
    let wards = geography.wards_in(Some(area));
    let mut changes = site.engine.events(night).await?;
    changes.retain(|event| {
        event.kind == EventKind::RecordingChange
            && (first..=night).contains(&event.window.first)
            && wards.iter().any(|ward| event.place.holds_ward(ward, geography))
    });
    Ok(changes)
}

/// How far a rarity looks: over all areas of the kind.
const fn anywhere(kind: AreaKind) -> &'static str {
    match kind {
        AreaKind::Ward => "in any ward of the county",
        AreaKind::District => "in any district of the county",
        AreaKind::Csp => "in any partnership of the county",
        _ => "in the county",
    }
}

/// The larger areas it lies in, by name.
fn above(area: &AreaRef, geography: &Geography) -> Vec<String> {
    if area.kind != AreaKind::Ward {
        return Vec::new();
    }
    let of = |kind| geography.above(&area.code, kind).map(|area| area.name.clone()).collect::<Vec<_>>();
    [AreaKind::District, AreaKind::Csp, AreaKind::Npa].into_iter().flat_map(of).collect()
}

fn alternative(past: &[Past], name: &str) -> String {
    let (Some(first), Some(last)) = (past.first(), past.last()) else { return String::new() };
    let above = past.iter().filter(|one| one.observed > one.usual_range.1).count();
    format!(
        "{name}, {} windows of {} days from {} on: {} reports in the last one, where {} to {} are usual; {above} of them above \
         their normal range. The table below says the same.",
        past.len(),
        last.window.days(),
        day(first.window.first),
        last.observed,
        last.usual_range.0,
        last.usual_range.1
    )
}

fn window(past: &Past) -> Value {
    context! {
        first => day(past.window.first),
        last => day(past.window.last),
        observed => past.observed,
        usual => format!("{:.1}", past.expected),
        range => format!("{} to {}", past.usual_range.0, past.usual_range.1),
    }
}

/// Rows of weekdays; how dark a cell is says its share of the fullest one, in four steps.
fn hours(week: &Week) -> Vec<Value> {
    let most = week.iter().flatten().copied().max().unwrap_or(0).max(1);
    let cell = |count: &u32| {
        let told = *count >= LEAST_TOLD;
        context! { count => told.then_some(*count), step => if told { (count * 4).div_ceil(most) } else { 0 } }
    };
    let row = |(weekday, blocks): (&&str, &[u32; 8])| {
        context! { weekday => *weekday, cells => blocks.iter().map(cell).collect::<Vec<_>>() }
    };
    WEEKDAYS.iter().zip(week).map(row).collect()
}

/// The alerts that concern an area, the newest first, and what was done about them.
async fn alerts(
    site: &Site,
    area: &AreaRef,
    geography: &Geography,
    since: NaiveDate,
) -> Result<(Vec<Value>, Vec<Value>), PageError> {
    let mut own: Vec<Alert> = site.engine.store.alerts_since(since).await?;
    own.retain(|alert| {
        alert.opened >= since && alert.latest.wards.iter().any(|ward| geography.lies_in(ward, area))
    });
    own.sort_by(|a, b| (b.opened, &b.number).cmp(&(a.opened, &a.number)));
    let mut actions = Vec::new();
    for alert in &own {
        for action in site.engine.store.actions(alert.id).await? {
            actions.push(context! {
                title => action.title,
                party => action.owner.label(geography),
                at => day(site.engine.county.day_of(action.at)),
                due => action.due.map(day),
                number => &alert.number,
            });
        }
    }
    let line = |alert: &Alert| {
        context! {
            number => &alert.number,
            title => &alert.latest.title,
            places => places(alert, geography),
            level => level(alert.latest.level),
            state => alert.state.code(),
            opened => day(alert.opened),
        }
    };
    Ok((own.iter().map(line).collect(), actions))
}
