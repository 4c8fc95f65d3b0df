//! One area closely, as partners may see it: its published figures over two years, by category, and what was released.

use super::{
    curve::{Bar, curve},
    desk::{AtDesk, Desk},
    error::PageError,
    hotspots::day,
    published::{Answer, Asked, RELEASED_FOR, answers, class, signed, told, when},
    reader::Reader,
};
use crate::{
    model::{AreaRef, Window},
    publish::{Line, Shown},
};
use axum::{
    extract::{Path, Query, State},
    response::Html,
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use minijinja::{Value, context};

pub(super) async fn page(
    State(AtDesk { desk, now }): State<AtDesk>,
    reader: Reader,
    Path((area, code)): Path<(String, String)>,
    Query(mut asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    asked.area = Some(area.clone());
    let pack = &desk.county.pack;
    let codes = pack.categories.codes().to_vec();
    let (answer, by_category) = answers(&desk, &asked, codes).await?;
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
    let mut heading = format!("Nothing has been published of {name} yet");
    let line = of(answer.shown.as_ref(), &place.code);
    if let (Some(shown), Some(line)) = (&answer.shown, line) {
        let reports = if line.count == 1 { "report" } else { "reports" };
        heading = format!("{name}: about {} {reports}, {}", line.count, when(shown, answer.pace));
        let bars = bars(line, shown.window);
        let by_category = by_category.iter().filter_map(|(code, shown)| {
            let own = of(shown.as_ref(), &place.code)?;
            Some(context! {
                label => pack.label(code),
                count => own.count,
                usual => own.usual.map(|usual| format!("{usual:.1}")),
                standing => class(own).of_one().to_lowercase(),
                off => class(own).is_off(),
            })
        });
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
            curve => curve(&bars, &[], &alternative(&bars, &name)),
            windows => bars.iter().rev().map(window).collect::<Vec<_>>(),
            categories => by_category.collect::<Vec<_>>(),
        };
    }
    let values = context! {
        ..desk.frame(&reader),
        ..figures,
        ..context! {
            heading, name,
            back => answer.address("/published", answer.shown.as_ref().map(|shown| shown.window.last)),
            any => line.is_some(),
            strand => answer.request.category.as_deref().map(|code| pack.label(code)),
            category_word => &pack.category_word,
            released => released(&desk, &answer, &place, now - RELEASED_FOR).await?,
            reporting => pack.reporting.iter().map(|way| context! { label => &way.label, url => &way.url }).collect::<Vec<_>>(),
        },
    };
    Ok(Html(desk.render("published_area.html", values)?))
}

fn of<'a>(shown: Option<&'a Shown>, code: &str) -> Option<&'a Line> {
    shown?.lines.iter().find(|line| line.code == code)
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

/// The alerts released to partners since then that concern the area.
async fn released(
    desk: &Desk,
    answer: &Answer,
    place: &AreaRef,
    since: DateTime<Utc>,
) -> Result<Vec<Value>, PageError> {
    let all = desk.store.released(since).await?;
    let own = all.iter().filter(|alert| alert.wards.iter().any(|ward| answer.geography.lies_in(ward, place)));
    Ok(own.map(|alert| told(alert, &answer.geography, &desk.county.pack)).collect())
}
