//! One area closely, as partners may see it: its published figures over two years, by category, and what was released.

use super::{
    classes::Class,
    curve::{Bar, curve},
    desk::{AtDesk, Desk},
    error::PageError,
    hotspots::day,
    published::{Answer, Asked, RELEASED_FOR, answer, class, signed, told, when},
    reader::Reader,
};
use crate::{
    model::{AreaRef, Window},
    publish::Line,
};
use axum::{
    extract::{Path, Query, State},
    response::Html,
};
use chrono::{Days, NaiveDate};
use minijinja::{Value, context};

pub(super) async fn page(
    State(AtDesk(desk)): State<AtDesk>,
    reader: Reader,
    Path((area, code)): Path<(String, String)>,
    Query(mut asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    asked.area = Some(area.clone());
    let answer = answer(&desk, &asked).await?;
    let pack = &desk.county.pack;
    if answer.words().0 != area {
        return Err(PageError::NotFound);
    }
    let place = AreaRef { kind: answer.request.level.kind(), code };
    let known = answer.geography.get(place.kind, &place.code);
    // Before anything is published there is no geography to look in.
    if answer.shown.is_some() && known.is_none() {
        return Err(PageError::NotFound);
    }
    let name = known.map_or_else(|| place.code.clone(), |known| known.name.clone());
    let mut figures = context! {};
    if let Some((shown, line)) =
        answer.shown.as_ref().and_then(|shown| Some((shown, of(&answer, &place.code)?)))
    {
        let bars = bars(line, shown.window);
        let mut by_category = Vec::new();
        for code in pack.categories.codes() {
            asked.strand = Some(code.clone());
            let one = self::answer(&desk, &asked).await?;
            let Some(own) = of(&one, &place.code) else { continue };
            by_category.push(context! {
                label => pack.label(code),
                count => own.count,
                usual => own.usual.map(|usual| format!("{usual:.1}")),
                standing => class(own).of_one().to_lowercase(),
                off => !matches!(class(own), Class::Within | Class::TooEarly),
            });
        }
        figures = context! {
            count => line.count,
            when => when(shown, answer.pace),
            as_at => shown.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
            give_or_take => shown.give_or_take,
            class => class(line).code(),
            standing => class(line).of_one(),
            usual => line.usual.map(|usual| format!("{usual:.1}")),
            change => line.change.map(signed),
            rate => line.rate.map(|rate| format!("{rate:.1}")),
            district => &line.district,
            curve => curve(&bars, &alternative(&bars, &name)),
            windows => bars.iter().rev().map(window).collect::<Vec<_>>(),
            categories => by_category,
        };
    }
    let heading =
        answer.shown.as_ref().and_then(|shown| Some((shown, of(&answer, &place.code)?))).map_or_else(
            || format!("Nothing has been published of {name} yet"),
            |(shown, line)| {
                let reports = if line.count == 1 { "report" } else { "reports" };
                format!("{name}: about {} {reports}, {}", line.count, when(shown, answer.pace))
            },
        );
    let values = context! {
        ..desk.frame(&reader),
        ..figures,
        ..context! {
            heading, name,
            back => answer.address("/published", answer.shown.as_ref().map(|shown| shown.window.last)),
            any => of(&answer, &place.code).is_some(),
            strand => answer.request.category.as_deref().map(|code| pack.label(code)),
            category_word => &pack.category_word,
            released => released(&desk, &answer, &place).await?,
            reporting => pack.reporting.iter().map(|way| context! { label => &way.label, url => &way.url }).collect::<Vec<_>>(),
        },
    };
    Ok(Html(desk.render("published_area.html", values)?))
}

fn of<'a>(answer: &'a Answer, code: &str) -> Option<&'a Line> {
    answer.shown.as_ref()?.lines.iter().find(|line| line.code == code)
}

/// The published figures, oldest first. Each lasts until the day before the next one.
fn bars(line: &Line, last: Window) -> Vec<Bar> {
    let firsts: Vec<NaiveDate> = line.curve.iter().map(|one| one.0).collect();
    let end = |place: usize| firsts.get(place + 1).map_or(last.last, |next| *next - Days::new(1));
    let is_last = |place: usize| place + 1 == firsts.len();
    line.curve
        .iter()
        .enumerate()
        .map(|(place, (first, count))| Bar {
            window: Window { first: *first, last: end(place) },
            count: u64::from(*count),
            usual: line.usual.filter(|_| is_last(place)),
            range: None,
        })
        .collect()
}

fn alternative(bars: &[Bar], name: &str) -> String {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return String::new() };
    format!(
        "{name}, {} published figures from {} on; the last is {}. The table below says the same.",
        bars.len(),
        day(first.window.first),
        last.count
    )
}

fn window(bar: &Bar) -> Value {
    context! { first => day(bar.window.first), last => day(bar.window.last), count => bar.count }
}

/// The alerts released to partners that concern the area.
async fn released(desk: &Desk, answer: &Answer, place: &AreaRef) -> Result<Vec<Value>, PageError> {
    let newest = answer.shown.as_ref().map_or_else(Default::default, |shown| shown.as_known_on);
    let all = desk.store.released(newest - RELEASED_FOR).await?;
    let own = all.iter().filter(|alert| alert.wards.iter().any(|ward| answer.geography.lies_in(ward, place)));
    Ok(own.map(|alert| told(alert, &answer.geography, &desk.county.pack)).collect())
}
