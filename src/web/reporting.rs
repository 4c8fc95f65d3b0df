//! Where fewer people may be reporting, for those responsible: what is improbably low, wards without any report, and through
//! whom reports come.

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, late},
    reader::{Reader, Sight},
};
use crate::{
    model::{AreaKind, AreaRef, Geography},
    stages::reporting::{FALSE_SHARE, LOOKED_BACK, Mix, Quiet, Reporting, SilentWard, What},
    words::{counted, thousands},
};
use axum::{
    extract::{Query, State},
    response::Html,
};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;

/// The assumption of the sensitivity line while nobody has made another: so many of a hundred incidents are reported.
const ASSUMED: (u32, u32) = (40, 60);

/// An assumption about how much is reported.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Assumed {
    low: Option<String>,
    high: Option<String>,
}

impl Assumed {
    /// Two shares of a hundred, the smaller first; the usual ones for anything else.
    fn shares(&self) -> (u32, u32) {
        let share = |text: &Option<String>| -> Option<u32> {
            text.as_ref()?.trim().parse().ok().filter(|share| (1..=100).contains(share))
        };
        match (share(&self.low), share(&self.high)) {
            (Some(one), Some(other)) => (one.min(other), one.max(other)),
            _ => ASSUMED,
        }
    }
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(assumed): Query<Assumed>,
) -> Result<Html<String>, PageError> {
    let run = site.engine.store.last_night().await?.ok_or(PageError::NotFound)?;
    let geography = site.engine.county.geography(run.night)?;
    let sight = reader.sight(&geography);
    let reporting = site.reporting(run.night, run.as_known_on).await?;
    let seen = |area: &AreaRef| sight.of_all(&geography.wards_in(Some(area)));
    let quiet: Vec<Value> = reporting
        .quiet
        .iter()
        .filter(|one| seen(&one.area))
        .map(|one| line(&site, one, &geography))
        .collect();
    let silent = reporting.silent.as_ref().map(|wards| {
        let own = wards.iter().filter(|one| sight.of_ward(&one.ward));
        own.map(|one| silent(one, &geography)).collect::<Vec<_>>()
    });
    let pack = &site.engine.county.pack;
    let (low, high) = assumed.shares();
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => heading(quiet.len(), silent.as_ref().map_or(0, Vec::len)),
            looked_at => thousands(reporting.looked_at as u64),
            one_in => (1.0 / FALSE_SHARE).round() as u32,
            weeks => LOOKED_BACK.map(|days| number(days as usize / 7)),
            night => day(run.night),
            as_at => run.as_known_on.with_timezone(&pack.zone).format("%-d %B %Y, %H:%M").to_string(),
            late => reporting.late.iter().map(late).collect::<Vec<_>>(),
            quiet,
            silent,
            mix => mixes(&reporting, &geography, &seen),
            assumption => assumption(&reporting, &geography, &reader, &sight, (low, high)),
            low, high,
        },
    };
    Ok(Html(site.render("reporting.html", values)?))
}

fn heading(quiet: usize, silent: usize) -> String {
    let quiet = match quiet {
        0 => "No count is improbably low".to_owned(),
        1 => "Quiet, check: one count is improbably low".to_owned(),
        many => format!("Quiet, check: {} counts are improbably low", number(many)),
    };
    match silent {
        0 => quiet,
        1 => format!("{quiet}; one ward has had no report in a year"),
        many => format!("{quiet}; {} wards have had no report in a year", number(many)),
    }
}

fn name(area: &AreaRef, geography: &Geography) -> String {
    geography.get(area.kind, &area.code).map_or_else(|| area.code.clone(), |area| area.name.clone())
}

fn line(site: &Site, one: &Quiet, geography: &Geography) -> Value {
    let pack = &site.engine.county.pack;
    let strand = match &one.what {
        What::Category(code) => code.as_str(),
        What::All | What::Channel(_) => "",
    };
    context! {
        name => name(&one.area, geography),
        place => (one.area.kind == AreaKind::Ward)
            .then(|| geography.above(&one.area.code, AreaKind::District).next().map(|area| area.name.clone())),
        address => format!("/areas/{}/{}?strand={strand}&period=28", one.area.kind.code(), one.area.code),
        what => match &one.what {
            What::All => "All reports".to_owned(),
            What::Category(code) => pack.label(code).to_owned(),
            What::Channel(channel) => format!("Reported through: {channel}"),
        },
        first => day(one.window.first),
        weeks => one.window.days() / 7,
        observed => one.observed,
        usual => format!("{:.1}", one.expected),
        range => format!("{} to {}", one.usual_range.0, one.usual_range.1),
    }
}

fn silent(one: &SilentWard, geography: &Geography) -> Value {
    let place = geography.above(&one.ward, AreaKind::District).next();
    context! {
        code => &one.ward,
        name => geography.get(AreaKind::Ward, &one.ward).map(|ward| ward.name.clone()),
        place => place.map(|district| district.name.clone()),
        people => one.population.map(|people| thousands(people.into())),
        like => one.like_neighbours.map(|reports| format!("{reports:.1}")),
        neighbours => one.neighbours,
    }
}

/// Through whom reports come, partnership by partnership, beside the county.
fn mixes(reporting: &Reporting, geography: &Geography, seen: &dyn Fn(&AreaRef) -> bool) -> Vec<Value> {
    let county = reporting.mix.iter().find(|mix| mix.area.kind == AreaKind::Whole);
    let whole = county.and_then(|mix| mix.share).map(|share| share.0);
    let said = |mix: &Mix| match (mix.share, whole) {
        _ if mix.area.kind == AreaKind::Whole => "",
        (Some((_, _, high)), Some(whole)) if high < whole => "Fewer through others than in the county",
        (Some((_, low, _)), Some(whole)) if low > whole => "More through others than in the county",
        (Some(_), _) => "As in the county, within chance",
        (None, _) => "No reports",
    };
    let line = |mix: &Mix| {
        context! {
            name => name(&mix.area, geography),
            whole => mix.area.kind == AreaKind::Whole,
            police => thousands(mix.police),
            others => thousands(mix.others),
            ratio => (mix.police > 0).then(|| format!("{:.0}", 100.0 * mix.others as f64 / mix.police as f64)),
            share => mix.share.map(|share| format!("{:.0}%", 100.0 * share.0)),
            interval => mix.share.map(|(_, low, high)| format!("{:.0}% to {:.0}%", 100.0 * low, 100.0 * high)),
            said => said(mix),
        }
    };
    reporting.mix.iter().filter(|mix| seen(&mix.area)).map(line).collect()
}

/// What a year's reports would stand for if so much of what happens is reported.
fn assumption(
    reporting: &Reporting,
    geography: &Geography,
    reader: &Reader,
    sight: &Sight,
    (low, high): (u32, u32),
) -> Option<Value> {
    let area = match sight {
        Sight::Everything => reporting.year.keys().find(|area| area.kind == AreaKind::Whole),
        _ => reader.area.as_ref(),
    }?;
    let reports = *reporting.year.get(area)?;
    let stands = |share: u32| thousands((reports as f64 * 100.0 / f64::from(share)).round() as u64);
    Some(context! {
        place => name(area, geography),
        reports => capital(&counted(reports, "report")),
        from => stands(high),
        to => stands(low),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumption_is_two_shares_in_order_or_the_usual_one() {
        let shares =
            |low: &str, high: &str| Assumed { low: Some(low.into()), high: Some(high.into()) }.shares();
        assert_eq!(shares("30", "50"), (30, 50));
        assert_eq!(shares("50", "30"), (30, 50));
        for (low, high) in [("0", "50"), ("x", "50"), ("30", "101"), ("-3", "40"), ("", "")] {
            assert_eq!(shares(low, high), ASSUMED);
        }
        assert_eq!(Assumed::default().shares(), ASSUMED);
    }

    #[test]
    fn the_heading_says_what_to_check() {
        assert_eq!(heading(0, 0), "No count is improbably low");
        assert_eq!(
            heading(1, 2),
            "Quiet, check: one count is improbably low; two wards have had no report in a year"
        );
    }
}
