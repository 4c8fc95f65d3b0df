//! Every figure that a partner gets, from what was published alone.

use super::{
    cube::{Publication, Span},
    noise::{Chances, VARIANCE, chances},
};
use crate::{
    detect::Expectation,
    model::{AreaKind, Geography, Window},
};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// Which areas are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Wards, by month.
    Ward,
    /// Districts.
    District,
    /// Community safety partnerships, as far as they are made of whole districts.
    Csp,
    /// The whole county.
    Whole,
}

impl Level {
    /// The kind of area.
    #[must_use]
    pub const fn kind(self) -> AreaKind {
        match self {
            Self::Ward => AreaKind::Ward,
            Self::District => AreaKind::District,
            Self::Csp => AreaKind::Csp,
            Self::Whole => AreaKind::Whole,
        }
    }

    /// The lengths of time it is published for.
    #[must_use]
    pub const fn paces(self) -> &'static [Pace] {
        match self {
            Self::Ward => &[Pace::Month],
            _ => &[Pace::Week, Pace::FourWeeks],
        }
    }
}

/// How long a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pace {
    /// A calendar month.
    Month,
    /// Monday to Sunday.
    Week,
    /// Four of them, without gap or overlap.
    FourWeeks,
}

impl Pace {
    /// What it is made of.
    #[must_use]
    pub const fn span(self) -> Span {
        match self {
            Self::Month => Span::Month,
            Self::Week | Self::FourWeeks => Span::Week,
        }
    }

    /// Publications in one figure.
    const fn parts(self) -> usize {
        match self {
            Self::Month | Self::Week => 1,
            Self::FourWeeks => 4,
        }
    }

    /// Figures before, whose mean is what is usual: a year, or half of one where that is many.
    const fn before(self) -> usize {
        match self {
            Self::Month => 12,
            Self::Week => 26,
            Self::FourWeeks => 13,
        }
    }
}

/// With fewer figures before than this nothing is said of what is usual.
const LEAST_BEFORE: usize = 6;

/// A curve shows at most so many figures.
const CURVE: usize = 26;

/// A page shows a mark this strong by chance as often as that: one page in ten, one in a hundred.
const MARKED: f64 = 0.1;
const STRONGLY: f64 = 0.01;

/// So sure is "give or take".
const SURE: f64 = 0.95;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which areas.
    pub level: Level,
    /// How long.
    pub pace: Pace,
    /// One category, or all together.
    pub category: Option<String>,
    /// The last day of the figure wanted; the latest without one.
    pub day: Option<NaiveDate>,
}

/// A published figure against those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Further above than chance and the change of the figures bring on one page in a hundred.
    WellAbove,
    /// The same on one page in ten.
    Above,
    /// So far below.
    Below,
    /// Fewer than six figures before.
    TooEarly,
    /// Nothing to see.
    Within,
}

/// One area.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The district it lies in, for wards.
    pub district: Option<String>,
    /// The published figure, never below 0.
    pub count: i64,
    /// The mean of the figures before.
    pub usual: Option<f64>,
    /// Against them.
    pub standing: Standing,
    /// More than in the figure before, or less.
    pub change: Option<i64>,
    /// Reports a year for every 1,000 residents, at this figure's pace.
    pub rate: Option<f64>,
    /// Up to 26 figures that end with this one, oldest first, with their first days.
    pub curve: Vec<(NaiveDate, u32)>,
}

/// A page of published figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What the figures are about.
    pub window: Window,
    /// What became known from this instant on is in none of them.
    pub as_known_on: chrono::DateTime<chrono::Utc>,
    /// By how much a figure may differ from the true count: in 95 of 100 cases no more than this.
    pub give_or_take: i64,
    /// The areas, those that stand out first.
    pub lines: Vec<Line>,
    /// The last days of the figures before and after, where there are any.
    pub earlier: Option<NaiveDate>,
    /// The next.
    pub later: Option<NaiveDate>,
}

impl Shown {
    /// Answers from publications; none when nothing of the kind is published.
    #[must_use]
    pub fn of(published: &[Publication], geography: &Geography, request: &Request) -> Option<Self> {
        let Request { level, pace, category, day } = request;
        let pace = if level.paces().contains(pace) { *pace } else { level.paces()[0] };
        let mut own: Vec<&Publication> = published.iter().filter(|one| one.span == pace.span()).collect();
        own.sort_by_key(|one| one.window.first);
        let newest = own.len().checked_sub(1)?;
        let wanted = |day| own.iter().rposition(|one| one.window.last <= day).unwrap_or(0);
        // Before the first whole figure there is none: it is shown.
        let end = day.map_or(newest, wanted).clamp((pace.parts() - 1).min(newest), newest);
        let figures = figures(&own[..=end], pace.parts());
        let at = figures.len().checked_sub(1)?;
        let now = &figures[at];
        let window = Window { first: now[0].window.first, last: now[now.len() - 1].window.last };
        let mut cells = members(*level, geography);
        // The sum of nothing is no figure.
        cells.retain(|_, cells| !cells.is_empty());
        let many = cells.len() as f64;
        let mut lines: Vec<Line> = Vec::new();
        for (code, cells) in &cells {
            let sum = |parts: &[&Publication]| -> Option<i64> {
                let of = |part: &&Publication| {
                    cells.iter().map(|cell| part.counts.of(cell, category.as_deref())).sum::<Option<i64>>()
                };
                parts.iter().map(of).sum()
            };
            // Judged as it is shown: that chance made a figure less than none says nothing.
            let Some(count) = sum(now).map(|count| count.max(0)) else { continue };
            let before: Vec<i64> =
                figures[at.saturating_sub(pace.before())..at].iter().filter_map(|parts| sum(parts)).collect();
            let changed = cells.len() * pace.parts();
            let chances = chances(changed);
            let usual = (before.len() >= LEAST_BEFORE)
                .then(|| (before.iter().sum::<i64>() as f64 / before.len() as f64).max(0.0));
            let area = geography.get(level.kind(), code);
            let people = area.and_then(|area| area.population).filter(|people| *people > 0);
            let curve = &figures[(at + 1).saturating_sub(CURVE)..=at];
            lines.push(Line {
                code: code.clone(),
                name: area.map_or_else(|| code.clone(), |area| area.name.clone()),
                district: (*level == Level::Ward)
                    .then(|| {
                        geography.above(code, AreaKind::District).next().map(|district| district.name.clone())
                    })
                    .flatten(),
                count,
                usual,
                standing: usual.map_or(Standing::TooEarly, |usual| {
                    standing(count, usual, &before, (&chances, changed), many)
                }),
                change: at
                    .checked_sub(1)
                    .and_then(|last| sum(&figures[last]))
                    .map(|last| count - last.max(0)),
                rate: people.map(|people| {
                    count as f64 / f64::from(people) * 1_000.0 * 365.25 / f64::from(window.days())
                }),
                curve: curve
                    .iter()
                    .filter_map(|parts| {
                        Some((parts[0].window.first, u32::try_from(sum(parts)?.max(0)).unwrap_or(u32::MAX)))
                    })
                    .collect(),
            });
        }
        lines.sort_by(|a, b| (a.standing, &a.name, &a.code).cmp(&(b.standing, &b.name, &b.code)));
        let changed = cells.values().map(BTreeSet::len).max().unwrap_or(1) * pace.parts();
        let last = |at: usize| own.get(at).map(|one| one.window.last);
        Some(Self {
            window,
            as_known_on: now.iter().map(|part| part.as_known_on).max()?,
            give_or_take: chances(changed).within(SURE),
            lines,
            earlier: end.checked_sub(pace.parts()).and_then(last),
            later: (end + 1 < own.len()).then(|| last((end + pace.parts()).min(own.len() - 1))).flatten(),
        })
    }
}

/// Publications without gaps between them, so many to a figure, the last figure with the last of them; oldest first.
fn figures<'a>(own: &[&'a Publication], parts: usize) -> Vec<Vec<&'a Publication>> {
    let mut figures = Vec::new();
    for parts in own.rchunks(parts).filter(|chunk| chunk.len() == parts) {
        let whole = parts.windows(2).all(|pair| pair[0].window.last.succ_opt() == Some(pair[1].window.first));
        if whole {
            figures.push(parts.to_vec());
        }
    }
    figures.reverse();
    figures
}

/// The cells that an area is the sum of, by the area's code.
fn members(level: Level, geography: &Geography) -> BTreeMap<String, BTreeSet<String>> {
    let alone =
        |kind| geography.of_kind(kind).map(|area| (area.code.clone(), BTreeSet::from([area.code.clone()])));
    let districts = || geography.of_kind(AreaKind::District).map(|area| area.code.clone());
    match level {
        Level::Ward | Level::District => alone(level.kind()).collect(),
        Level::Whole => {
            let whole = geography.of_kind(AreaKind::Whole).map(|area| area.code.clone()).next();
            BTreeMap::from([(whole.unwrap_or_default(), districts().collect())])
        }
        Level::Csp => geography
            .of_kind(AreaKind::Csp)
            .filter_map(|csp| {
                let wards: BTreeSet<&str> =
                    geography.wards_of(AreaKind::Csp, &csp.code).map(|ward| ward.code.as_str()).collect();
                let above =
                    |ward: &&str| geography.above(ward, AreaKind::District).map(|area| area.code.clone());
                let own: BTreeSet<String> = wards.iter().flat_map(above).collect();
                // A partnership that cuts a district can't be summed from districts.
                let whole = own.iter().all(|district| {
                    geography
                        .wards_of(AreaKind::District, district)
                        .all(|ward| wards.contains(ward.code.as_str()))
                });
                (whole && !own.is_empty()).then(|| (csp.code.clone(), own))
            })
            .collect(),
    }
}

/// How a figure stands against the mean of `before` earlier ones. The true count is taken as negative binomial around that
/// mean, f times as variable as Poisson counts, f being what the earlier figures show beyond their noise and at least 1; and as
/// unsure as a mean of so many is: Var = f m + (f m + cells x Var Z) / before. The change is added to it by convolution. The
/// season is not taken out: it is in f.
fn standing(
    count: i64,
    usual: f64,
    before: &[i64],
    (chances, cells): (&Chances, usize),
    many: f64,
) -> Standing {
    let mean = usual.max(0.1 * cells as f64);
    let noise = cells as f64 * VARIANCE;
    let n = before.len() as f64;
    let spread = before.iter().map(|one| (*one as f64 - usual).powi(2)).sum::<f64>() / (n - 1.0);
    let own = mean * ((spread - noise) / mean).max(1.0);
    let unsure = own - mean + (own + noise) / n;
    let Ok(truth) = Expectation::new(mean, mean * mean / unsure) else { return Standing::TooEarly };
    let at_least = |count: i64| u64::try_from(count).map_or(1.0, |count| truth.upper_tail(count));
    let upper: f64 = chances.each().map(|(z, p)| p * at_least(count - z)).sum();
    let lower: f64 = chances.each().map(|(z, p)| p * (1.0 - at_least(count - z + 1))).sum();
    match (upper * many, lower * many) {
        (upper, _) if upper < STRONGLY => Standing::WellAbove,
        (upper, _) if upper < MARKED => Standing::Above,
        (_, lower) if lower < MARKED => Standing::Below,
        _ => Standing::Within,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Area, publish::Counts};
    use chrono::Days;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Two districts, each a partnership of its own ward; a third partnership has half of the second.
    fn geography() -> Geography {
        let area = |kind, code: &str, population| Area {
            kind,
            code: code.into(),
            name: format!("The {code}"),
            boundary_year: 2025,
            valid_from: day("2020-01-01"),
            valid_to: None,
            population,
            workday_population: None,
        };
        let areas = [
            area(AreaKind::Ward, "W1", Some(1_000)),
            area(AreaKind::Ward, "W2", None),
            area(AreaKind::Ward, "W3", None),
            area(AreaKind::District, "D1", Some(10_000)),
            area(AreaKind::District, "D2", None),
            area(AreaKind::Csp, "c1", None),
            area(AreaKind::Csp, "half", None),
        ];
        let links = [
            ("W1", AreaKind::District, "D1"),
            ("W2", AreaKind::District, "D2"),
            ("W3", AreaKind::District, "D2"),
            ("W1", AreaKind::Csp, "c1"),
            ("W2", AreaKind::Csp, "half"),
        ];
        let links = links.map(|(ward, kind, code)| (ward.to_owned(), kind, code.to_owned()));
        Geography::on(day("2026-01-01"), areas, links).unwrap()
    }

    /// Weeks from Monday 5 January 2026 on, with counts of D1 and D2.
    fn weeks(counts: &[(i64, i64)]) -> Vec<Publication> {
        let week = |(n, (one, two)): (usize, &(i64, i64))| {
            let window = Span::Week.around(day("2026-01-05") + Days::new(7 * n as u64)).unwrap();
            let counts: Counts = serde_json::from_value(
                serde_json::json!({"D1": {"": one, "race": 1}, "D2": {"": two, "race": 0}}),
            )
            .unwrap();
            Publication {
                span: Span::Week,
                window,
                as_known_on: "2026-07-01T03:30:00Z".parse().unwrap(),
                counts,
            }
        };
        counts.iter().enumerate().map(week).collect()
    }

    fn asked(level: Level, pace: Pace, day: Option<&str>) -> Request {
        Request { level, pace, category: None, day: day.map(|text| text.parse().unwrap()) }
    }

    #[test]
    fn larger_figures_are_sums_of_published_ones_and_nothing_is_below_none() {
        let published = weeks(&[(3, -2), (4, -1), (5, 1), (6, -4), (7, 2)]);
        let show = |level, pace, day| Shown::of(&published, &geography(), &asked(level, pace, day)).unwrap();
        let week = show(Level::District, Pace::Week, Some("2026-02-01"));
        assert_eq!(week.window.first, day("2026-01-26"));
        assert_eq!((week.earlier, week.later), (Some(day("2026-01-25")), Some(day("2026-02-08"))));
        let counts: Vec<(&str, i64, Option<i64>)> =
            week.lines.iter().map(|line| (line.code.as_str(), line.count, line.change)).collect();
        assert_eq!(counts, [("D1", 6, Some(1)), ("D2", 0, Some(-1))]);
        assert!(week.lines.iter().all(|line| line.standing == Standing::TooEarly && line.usual.is_none()));
        let four = show(Level::Whole, Pace::FourWeeks, None);
        assert_eq!((four.window.first, four.lines[0].count), (day("2026-01-12"), 22 - 2));
        assert!(four.give_or_take > week.give_or_take);
        let csps = show(Level::Csp, Pace::Week, None);
        let codes: Vec<&str> = csps.lines.iter().map(|line| line.code.as_str()).collect();
        assert_eq!(codes, ["c1"], "a partnership that cuts a district can't be summed");
        let early = show(Level::Whole, Pace::FourWeeks, Some("0001-01-01"));
        assert_eq!((early.window.first, early.earlier), (day("2026-01-05"), None));
        let race = Request { category: Some("race".into()), ..asked(Level::Whole, Pace::Week, None) };
        assert_eq!(Shown::of(&published, &geography(), &race).unwrap().lines[0].count, 1);
        assert_eq!(Shown::of(&published, &geography(), &asked(Level::Ward, Pace::Month, None)), None);
        assert_eq!(Shown::of(&[], &geography(), &asked(Level::Whole, Pace::Week, None)), None);
    }

    #[test]
    fn it_stands_out_when_chance_and_noise_would_seldom_show_as_much() {
        let after = |last: i64| {
            let mut counts = vec![(5, 5); 20];
            counts.push((last, 5));
            let published = weeks(&counts);
            let shown =
                Shown::of(&published, &geography(), &asked(Level::District, Pace::Week, None)).unwrap();
            shown.lines.iter().find(|line| line.code == "D1").unwrap().standing
        };
        assert_eq!(after(5), Standing::Within);
        assert_eq!(after(10), Standing::Within);
        assert_eq!(after(12), Standing::Above);
        assert_eq!(after(30), Standing::WellAbove);
        assert_eq!(after(2), Standing::Within);
        assert_eq!((after(0), after(-9)), (Standing::Below, Standing::Below), "judged as it is shown");
    }
}
