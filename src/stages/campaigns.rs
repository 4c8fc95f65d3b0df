//! What came of a campaign: whether more people reported, through which channels, and where not.

use super::{
    background::background,
    night::Engine,
    reporting::{night_of_channel, whole_night},
};
use crate::{
    count::{Seen, SeenIncident},
    detect::{Expectation, times_usual},
    model::{AreaKind, AreaRef, Geography, Window},
    rules::{Event, Night, Where},
};
use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::{collections::BTreeMap, sync::Arc};

/// Longer campaigns are judged by their last days, so many: what is usual is known for no longer time.
pub const LONGEST: u32 = 91;

/// Reports that a channel must have had in the year before the campaign for anything to be usual.
const LEAST_A_YEAR: u64 = 12;

/// Reports of a time against what is usual in it without a campaign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// Reports known.
    pub observed: u64,
    /// Reports usual, as far as they would be known by now; none where too little is known to say.
    pub expected: Option<f64>,
    /// The central 95 % of how many times as many as usual.
    pub times: Option<(f64, f64)>,
}

/// A campaign and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignView {
    /// The days that are judged.
    pub window: Window,
    /// All channels and places together.
    pub together: Lift,
    /// By place.
    pub areas: Vec<(AreaRef, Lift)>,
    /// By channel, the campaign's own first; none is what no channel is told of.
    pub channels: Vec<(Option<String>, Lift)>,
    /// The share of the days' reports that is usually known by now.
    pub known_share: f64,
}

/// Which campaign, looked at where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The campaign.
    pub event: Event,
    /// The areas that are told one by one.
    pub areas: Vec<AreaRef>,
    /// The last night.
    pub night: NaiveDate,
    /// What became known from this instant on is not seen.
    pub as_known_on: DateTime<Utc>,
}

/// The areas in which a campaign can be told to somebody who sees these wards and no others: the whole county by partnership, or
/// the campaign's own areas, or what lies in both.
#[must_use]
pub fn areas_of(event: &Event, own: Option<&AreaRef>, geography: &Geography) -> Vec<AreaRef> {
    let within = |small: &AreaRef, large: &AreaRef| {
        let wards = geography.wards_in(Some(small));
        !wards.is_empty() && wards.iter().all(|ward| geography.lies_in(ward, large))
    };
    match (&event.place, own) {
        (Where::Around { .. }, _) => Vec::new(),
        (Where::Everywhere, Some(own)) => vec![own.clone()],
        (Where::Everywhere, None) => {
            let csp = |area: &crate::model::Area| AreaRef { kind: AreaKind::Csp, code: area.code.clone() };
            geography.of_kind(AreaKind::Csp).map(csp).collect()
        }
        (Where::Areas(areas), None) => outermost(areas, geography),
        (Where::Areas(areas), Some(own)) => {
            let common = |area: &AreaRef| match (within(own, area), within(area, own)) {
                (true, _) => Some(own.clone()),
                (false, true) => Some(area.clone()),
                (false, false) => None,
            };
            let mut found: Vec<AreaRef> = areas.iter().filter_map(common).collect();
            found.dedup();
            outermost(&found, geography)
        }
    }
}

/// Areas without those that lie in another one of them: what is added up must not be counted twice.
fn outermost(areas: &[AreaRef], geography: &Geography) -> Vec<AreaRef> {
    let lies_in = |place: usize, area: &AreaRef| {
        let wards = geography.wards_in(Some(area));
        areas.iter().enumerate().any(|(other, large)| {
            let same = wards.len() == geography.wards_in(Some(large)).len();
            other != place
                && wards.iter().all(|ward| geography.lies_in(ward, large))
                && (!same || other < place)
        })
    };
    let kept = areas.iter().enumerate().filter(|(place, area)| !lies_in(*place, area));
    kept.map(|(_, area)| area.clone()).collect()
}

/// Looks at a campaign that has begun; none before.
///
/// # Errors
///
/// When the store fails.
pub async fn campaign_view(engine: &Arc<Engine>, asked: &Asked) -> Result<Option<CampaignView>> {
    let seen = engine.as_known(asked.as_known_on).await?;
    let (engine, asked) = (Arc::clone(engine), asked.clone());
    background(move || looked_at(&engine, &seen, &asked)).await?
}

fn looked_at(engine: &Engine, seen: &Seen, asked: &Asked) -> Result<Option<CampaignView>> {
    let event = &asked.event;
    let last = event.window.last.min(asked.night);
    if event.window.first > last {
        return Ok(None);
    }
    let days = (last - event.window.first).num_days() as u32 + 1;
    let window = Window::ending(last, days.min(LONGEST));
    let geography = engine.county.geography(asked.night)?;
    let counting = Counting { engine, seen, asked, geography: &geography, window };
    let whole = whole_night(engine, seen, (&geography, asked.night, asked.as_known_on));
    let all = counting.lifts(whole, &|_| true);
    let mut channels: Vec<(Option<String>, Lift)> = counting
        .channels()
        .into_iter()
        .map(|(channel, in_a_year)| {
            let of = |one: &SeenIncident<'_>| one.channel() == channel.as_deref();
            let lift = if in_a_year < LEAST_A_YEAR {
                Lift { observed: counting.count(&of), expected: None, times: None }
            } else {
                counting.lifts(counting.channel(channel.as_deref()), &of).together
            };
            (channel, lift)
        })
        .collect();
    let own = |channel: &Option<String>| channel.as_ref().is_some_and(|channel| event.has_channel(channel));
    channels
        .sort_by_key(|(channel, lift)| (!own(channel), channel.is_none(), std::cmp::Reverse(lift.observed)));
    Ok(Some(CampaignView {
        window,
        together: all.together,
        areas: asked.areas.iter().cloned().zip(all.areas).collect(),
        channels,
        known_share: all.known_share,
    }))
}

/// Counts of some reports in the campaign's areas.
struct Counting<'a> {
    engine: &'a Engine,
    seen: &'a Seen,
    asked: &'a Asked,
    geography: &'a Geography,
    window: Window,
}

struct Lifts {
    together: Lift,
    areas: Vec<Lift>,
    known_share: f64,
}

impl Counting<'_> {
    /// A night with the reports of one channel.
    fn channel(&self, channel: Option<&str>) -> Night<'_> {
        let when = (self.geography, self.asked.night, self.asked.as_known_on);
        night_of_channel(self.engine, self.seen, when, channel)
    }

    /// What is counted of some reports, with what is usual of them: learned from those alone, as of the last night, up to the
    /// day before the window.
    fn lifts(&self, mut night: Night<'_>, of: &dyn Fn(&SeenIncident<'_>) -> bool) -> Lifts {
        let mut by_kind = BTreeMap::new();
        let mut judged = |night: &mut Night<'_>, area: &AreaRef| -> Option<(u64, Expectation)> {
            let all: &Vec<_> = by_kind
                .entry(area.kind)
                .or_insert_with(|| night.judge(area.kind, self.asked.event.categories, self.window));
            let (judgement, usual) = all.iter().find(|(judgement, _)| judgement.area == *area)?;
            Some((judgement.observed, *usual))
        };
        let each: Vec<Option<(u64, Expectation)>> =
            self.asked.areas.iter().map(|area| judged(&mut night, area)).collect();
        let areas = self.asked.areas.iter().zip(&each).map(|(area, judged)| match judged {
            Some((observed, usual)) => Lift::of(*observed, Some(*usual)),
            None => Lift::of(self.count_in(std::slice::from_ref(area), of), None),
        });
        let areas: Vec<Lift> = areas.collect();
        let whole: Option<Vec<(u64, Expectation)>> = each.into_iter().collect();
        let together = match whole {
            Some(each) if !each.is_empty() => {
                let observed = each.iter().map(|(observed, _)| observed).sum();
                Lift::of(observed, Some(Expectation::together(each.into_iter().map(|(_, usual)| usual))))
            }
            _ => Lift::of(self.count(of), None),
        };
        Lifts { together, areas, known_share: night.known_share(self.window) }
    }

    fn count(&self, of: &dyn Fn(&SeenIncident<'_>) -> bool) -> u64 {
        self.count_in(&self.asked.areas, of)
    }

    fn count_in(&self, areas: &[AreaRef], of: &dyn Fn(&SeenIncident<'_>) -> bool) -> u64 {
        let own = |one: &SeenIncident<'_>| of(one) && self.holds(one, areas, self.window);
        self.seen.iter().filter(own).count() as u64
    }

    fn holds(&self, one: &SeenIncident<'_>, areas: &[AreaRef], days: Window) -> bool {
        one.categories().touches(self.asked.event.categories)
            && one.day(self.engine.county.pack.zone).is_some_and(|day| days.holds(day))
            && one.ward().is_some_and(|ward| areas.iter().any(|area| self.geography.lies_in(ward, area)))
    }

    /// The channels of the campaign's days and of the year before, with their reports of that year.
    fn channels(&self) -> Vec<(Option<String>, u64)> {
        let before = self.window.first - Days::new(1);
        let year = Window { first: before - Days::new(364), last: self.window.last };
        let mut found: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        for one in self.seen.iter().filter(|one| self.holds(one, &self.asked.areas, year)) {
            let day = one.day(self.engine.county.pack.zone);
            *found.entry(one.channel()).or_default() += u64::from(day.is_some_and(|day| day <= before));
        }
        found.into_iter().map(|(channel, count)| (channel.map(str::to_owned), count)).collect()
    }
}

impl Lift {
    fn of(observed: u64, usual: Option<Expectation>) -> Self {
        Self {
            observed,
            expected: usual.map(|usual| usual.mean()),
            times: usual.and_then(|usual| times_usual(observed, usual)),
        }
    }

    /// Whether more than usual was reported, beyond chance.
    #[must_use]
    pub fn is_more(&self) -> bool {
        self.times.is_some_and(|(low, _)| low > 1.0)
    }

    /// Whether less than usual was.
    #[must_use]
    pub fn is_less(&self) -> bool {
        self.times.is_some_and(|(_, high)| high < 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{import::read_pack, model::CategorySet, rules::EventKind, synth::llr};

    #[test]
    fn a_campaign_is_told_where_it_was_and_where_somebody_may_look() {
        let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
        let geography = Geography::on("2026-06-30".parse().unwrap(), files.areas, files.links).unwrap();
        let area = |kind, code: &str| AreaRef { kind, code: code.into() };
        let event = |place| Event {
            name: "tell us".into(),
            kind: EventKind::Campaign,
            window: Window::ending("2026-06-30".parse().unwrap(), 8),
            place,
            categories: CategorySet::default(),
            channels: Vec::new(),
        };
        let (city, charnwood) = (area(AreaKind::Csp, "safer-leicester"), area(AreaKind::Csp, "charnwood"));
        let ward = area(AreaKind::Ward, "E05014685"); // of Charnwood
        let everywhere = event(Where::Everywhere);
        assert_eq!(areas_of(&everywhere, None, &geography).len(), 8);
        assert_eq!(areas_of(&everywhere, Some(&city), &geography), std::slice::from_ref(&city));
        // A ward that lies in a partnership of the same campaign is not counted twice.
        let both = event(Where::Areas(vec![ward.clone(), charnwood.clone(), charnwood.clone()]));
        assert_eq!(areas_of(&both, None, &geography), std::slice::from_ref(&charnwood));
        assert_eq!(areas_of(&both, Some(&city), &geography), []);
        assert_eq!(areas_of(&both, Some(&charnwood), &geography), std::slice::from_ref(&charnwood));
        let one = event(Where::Areas(vec![ward.clone()]));
        assert_eq!(areas_of(&one, Some(&charnwood), &geography), std::slice::from_ref(&ward));
        let around = event(Where::Around { easting: 1.0, northing: 1.0, metres: 500.0 });
        assert_eq!(areas_of(&around, None, &geography), []);
    }
}
