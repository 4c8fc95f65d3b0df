//! The figures of a quarter, from what was published.

use super::{
    Definition, Inputs, NoReport, Quality, Quarter, Varies, Whom, Work, control, funnel, interval, ratio,
    spread, work,
};
use crate::{
    alerts::{acted, is_unanswered},
    model::{Action, Alert, AreaKind, AreaRef, Geography, Window},
    publish::{Publication, chances},
    rules::{Event, EventKind, Where},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Weeks in a year, as far as sums are concerned.
const YEAR: usize = 52;

/// Weeks that a point of the control chart adds up.
const BLOCK: usize = 4;

/// Points of the control chart before the quarter, whose limits it is held against: three years at most.
const POINTS: usize = 36;

/// Weeks before a campaign that say what is usual.
const BEFORE_CAMPAIGN: usize = 26;

/// So sure is "give or take".
const SURE: f64 = 0.95;

/// One area in the quarter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AreaLine {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The sum of its published figures over the quarter's published weeks. May be below 0 where few were reported: what was added
    /// by chance was larger.
    pub reports: i64,
    /// In 95 of 100 cases the true sum is no further off.
    pub give_or_take: i64,
    /// The same weeks of the same quarter of the year before; none where they were not all published.
    pub year_before: Option<i64>,
    /// The 52 weeks that end with the quarter's last published one.
    pub twelve_months: Option<i64>,
    /// The 52 weeks before those.
    pub twelve_months_before: Option<i64>,
    /// Residents.
    pub population: Option<u32>,
    /// Reports for every 1,000 residents in a year, at the quarter's pace, with its central 95 %.
    pub rate: Option<[f64; 3]>,
    /// The limits of the county's rate for so many residents: 95 % and 99.8 %.
    pub funnel: Option<[f64; 4]>,
    /// By strand, in the order of the report; a report may carry several.
    pub strands: Vec<i64>,
    /// What was done.
    pub work: Work,
}

/// A strand, as the pack writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strand {
    /// Its code.
    pub code: String,
    /// Its name.
    pub label: String,
}

/// The county in blocks of four weeks, against its own limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// First day and sum of each block, oldest first; the last ones are of the quarter.
    pub points: Vec<(NaiveDate, i64)>,
    /// How many of them are of the quarter.
    pub of_the_quarter: usize,
    /// Centre, lower and upper limit, from the blocks before.
    pub limits: Option<[f64; 3]>,
}

/// A campaign that touched the quarter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignLine {
    /// Its name.
    pub name: String,
    /// Its days.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
    /// Where: `everywhere`, or the districts that it was in.
    pub places: String,
    /// Reports published of its weeks.
    pub reports: Option<i64>,
    /// How many times as many as in the weeks before, with its central 95 %.
    pub lift: Option<[f64; 3]>,
}

/// A quarter for a board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The quarter, as `2026Q2`.
    pub quarter: String,
    /// In words.
    pub quarter_in_words: String,
    /// The county.
    pub county: String,
    /// For whom: the county's or a partnership's name.
    pub whom: String,
    /// The code of the partnership, when it is for one.
    pub csp: Option<String>,
    /// The first day of the quarter's weeks.
    pub first: NaiveDate,
    /// The last day of its weeks that are published.
    pub last: NaiveDate,
    /// Weeks of the quarter that are published.
    pub weeks: usize,
    /// Weeks it has.
    pub weeks_in_all: usize,
    /// What became known from this instant on is not in the figures.
    pub as_known_on: DateTime<Utc>,
    /// The report's own day: alerts and actions stand as on it.
    pub as_of: DateTime<Utc>,
    /// The local day of it.
    pub day: NaiveDate,
    /// The strands, in the order of the figures.
    pub strands: Vec<Strand>,
    /// The word for a strand.
    pub strand_word: String,
    /// Partnerships that are made of whole districts, by name; all reports of the county are in one of them or in `others`.
    pub partnerships: Vec<AreaLine>,
    /// Districts of no such partnership, together; none where there are none.
    pub others: Option<AreaLine>,
    /// The whole county: the sum of the lines above.
    pub total: AreaLine,
    /// Months by month, in blocks of four weeks.
    pub control: Control,
    /// Campaigns.
    pub campaigns: Vec<CampaignLine>,
    /// Changes in how reports are recorded, in the quarter or the year before it: day, name.
    pub recording_changes: Vec<(NaiveDate, String)>,
    /// Areas whose boundaries changed in the quarter: name, day.
    pub changed_areas: Vec<(String, NaiveDate)>,
    /// How good the records are; whole county.
    pub quality: Quality,
    /// The terms that held in the quarter or in the year it is compared with.
    pub definitions: Vec<Definition>,
}

/// Cells of the weekly table that an area is the sum of.
type Cells = BTreeSet<String>;

struct Made<'a> {
    inputs: &'a Inputs<'a>,
    /// The quarter's weeks that are published.
    own: Vec<&'a Publication>,
    by_first: BTreeMap<NaiveDate, &'a Publication>,
    day: NaiveDate,
    spread: f64,
    acted: Vec<uuid::Uuid>,
}

impl Report {
    /// Makes the report.
    ///
    /// # Errors
    ///
    /// When nothing of the quarter is published, or there is no such partnership.
    pub fn of(inputs: &Inputs<'_>) -> Result<Self, NoReport> {
        let quarter = inputs.quarter;
        let weeks = quarter.weeks();
        let by_first: BTreeMap<NaiveDate, &Publication> =
            inputs.weeks.iter().map(|week| (week.window.first, week)).collect();
        // Without gaps from the first on: what is compared has the same weeks.
        let own: Vec<&Publication> =
            weeks.iter().map_while(|week| by_first.get(&week.first).copied()).collect();
        let (Some(first), Some(last)) = (own.first(), own.last()) else {
            let first = by_first.keys().next().copied();
            return Err(match first.filter(|first| quarter.days().last < *first) {
                Some(first) => NoReport::Before { quarter, first },
                None => NoReport::NotYet {
                    quarter,
                    latest: by_first.values().next_back().map(|week| week.window.last),
                },
            });
        };
        let mut partnerships: BTreeMap<String, (String, Cells)> = BTreeMap::new();
        let mut left: Cells =
            inputs.geography.of_kind(AreaKind::District).map(|area| area.code.clone()).collect();
        let all = left.clone();
        for csp in inputs.geography.of_kind(AreaKind::Csp) {
            if let Some(cells) =
                whole_districts(inputs.geography, &csp.code).filter(|cells| cells.is_subset(&left))
            {
                left.retain(|district| !cells.contains(district));
                partnerships.insert(csp.code.clone(), (csp.name.clone(), cells));
            }
        }
        if let Whom::Csp(code) = &inputs.whom
            && !partnerships.contains_key(code)
        {
            return Err(match inputs.geography.get(AreaKind::Csp, code) {
                Some(csp) => NoReport::CutsDistrict(csp.name.clone()),
                None => NoReport::UnknownCsp {
                    asked: code.chars().take(40).collect(),
                    known: partnerships.keys().cloned().collect::<Vec<_>>().join(", "),
                },
            });
        }
        let zone = inputs.pack.zone;
        let mut made = Made {
            inputs,
            own: own.clone(),
            by_first,
            day: inputs.as_of.with_timezone(&zone).date_naive(),
            spread: 1.0,
            acted: acted(&inputs.actions),
        };
        let control = made.control(&all);
        let before: Vec<i64> = control.points[..control.points.len() - control.of_the_quarter]
            .iter()
            .map(|point| point.1)
            .collect();
        made.spread = spread(&before, BLOCK * all.len()).unwrap_or(1.0);
        let mut total = made.line(String::new(), inputs.pack.name.clone(), &all, None);
        let county_rate = total
            .population
            .filter(|people| *people > 0)
            .map(|people| total.reports.max(0) as f64 / f64::from(people));
        total.code = inputs.pack.prefix.to_lowercase();
        let lines: Vec<AreaLine> = partnerships
            .iter()
            .map(|(code, (name, cells))| made.line(code.clone(), name.clone(), cells, county_rate))
            .collect();
        let others = (!left.is_empty())
            .then(|| made.line("other".into(), "Other districts".into(), &left, county_rate));
        let (csp, whom) = match &inputs.whom {
            Whom::County => (None, inputs.pack.name.clone()),
            Whom::Csp(code) => (Some(code.clone()), partnerships[code].0.clone()),
        };
        let compared = quarter.a_year_before().days().first;
        Ok(Self {
            quarter: quarter.to_string(),
            quarter_in_words: quarter.in_words(),
            county: inputs.pack.name.clone(),
            whom,
            csp,
            first: first.window.first,
            last: last.window.last,
            weeks: own.len(),
            weeks_in_all: weeks.len(),
            as_known_on: own.iter().map(|week| week.as_known_on).max().unwrap_or_default(),
            as_of: inputs.as_of,
            day: made.day,
            strands: inputs
                .pack
                .labels()
                .map(|(code, label)| Strand { code: code.to_owned(), label: label.to_owned() })
                .collect(),
            strand_word: inputs.pack.category_word.clone(),
            partnerships: lines,
            others,
            total,
            control,
            campaigns: made.campaigns(),
            recording_changes: inputs
                .events
                .iter()
                .filter(|event| event.kind == EventKind::RecordingChange)
                .filter(|event| event.window.first >= compared && event.window.first <= quarter.days().last)
                .map(|event| (event.window.first, event.name.clone()))
                .collect(),
            changed_areas: inputs.changed_areas.clone(),
            quality: inputs.quality,
            definitions: inputs
                .definitions
                .iter()
                .filter(|one| one.held(compared, quarter.days().last))
                .cloned()
                .collect(),
        })
    }

    /// The area that the report is for.
    #[must_use]
    pub fn own(&self) -> &AreaLine {
        let own = self.csp.as_ref().and_then(|code| self.partnerships.iter().find(|line| line.code == *code));
        own.unwrap_or(&self.total)
    }

    /// Whether some of its weeks are not published yet.
    #[must_use]
    pub const fn is_provisional(&self) -> bool {
        self.weeks < self.weeks_in_all
    }
}

/// The districts of a partnership; none where it cuts one.
fn whole_districts(geography: &Geography, csp: &str) -> Option<Cells> {
    let wards: BTreeSet<String> =
        geography.wards_of(AreaKind::Csp, csp).map(|ward| ward.code.clone()).collect();
    let districts: Cells = wards
        .iter()
        .flat_map(|ward| geography.above(ward, AreaKind::District).map(|area| area.code.clone()))
        .collect();
    let whole = districts.iter().all(|district| {
        geography.wards_of(AreaKind::District, district).all(|ward| wards.contains(&ward.code))
    });
    (whole && !districts.is_empty()).then_some(districts)
}

impl Made<'_> {
    /// The sum of some cells over some weeks, all of them published; a district that was not there yet counts nothing.
    fn sum<'a>(
        &self,
        weeks: impl IntoIterator<Item = &'a Publication>,
        cells: &Cells,
        strand: Option<&str>,
    ) -> i64 {
        let of =
            |week: &Publication| cells.iter().filter_map(|cell| week.counts.of(cell, strand)).sum::<i64>();
        weeks.into_iter().map(of).sum()
    }

    /// So many weeks that end with the one before `end`, where all are published.
    fn before(&self, end: NaiveDate, weeks: usize) -> Option<Vec<&Publication>> {
        let first = |back: usize| end.checked_sub_days(Days::new(7 * back as u64));
        (1..=weeks).map(|back| self.by_first.get(&first(back)?).copied()).collect()
    }

    fn line(&self, code: String, name: String, cells: &Cells, county_rate: Option<f64>) -> AreaLine {
        let inputs = self.inputs;
        let weeks = self.own.len();
        let reports = self.sum(self.own.iter().copied(), cells, None);
        let varies = Varies { spread: self.spread, cells: cells.len() * weeks };
        let year_before: Option<Vec<&Publication>> = inputs
            .quarter
            .a_year_before()
            .weeks()
            .iter()
            .take(weeks)
            .map(|week| self.by_first.get(&week.first).copied())
            .collect();
        let end = self.own.last().map_or(self.day, |week| week.window.last + Days::new(1));
        let year = self.before(end, YEAR);
        let year_ago = self.before(end - Days::new(7 * YEAR as u64), YEAR);
        let people = |cell: &String| inputs.geography.get(AreaKind::District, cell)?.population;
        let population: Option<u32> =
            cells.iter().map(people).sum::<Option<u32>>().filter(|people| *people > 0);
        let a_year = YEAR as f64 / weeks as f64 * 1_000.0;
        let rate = population.map(|people| {
            let each = a_year / f64::from(people);
            let (low, high) = interval(reports, varies);
            [reports.max(0) as f64 * each, low * each, high * each]
        });
        let funnel_of = |people: u32, rate: f64| {
            let limits = |z| funnel(rate, f64::from(people), z, varies);
            let ((low, high), (lowest, highest)) = (limits(1.959_964), limits(3.090_232));
            [lowest, low, high, highest].map(|limit| limit * a_year)
        };
        let wards: BTreeSet<String> = cells
            .iter()
            .flat_map(|cell| {
                inputs.geography.wards_of(AreaKind::District, cell).map(|ward| ward.code.clone())
            })
            .collect();
        let alert_here = |alert: &&Alert| alert.latest.wards.iter().any(|ward| wards.contains(ward));
        let action_here = |action: &&Action| {
            let Some(area) = &action.area else { return wards.is_empty() || county_rate.is_none() };
            inputs.geography.wards_in(Some(area)).iter().any(|ward| wards.contains(ward))
        };
        AreaLine {
            code,
            name,
            reports,
            give_or_take: chances(cells.len() * weeks).within(SURE),
            year_before: year_before.map(|weeks| self.sum(weeks, cells, None)),
            twelve_months: year.map(|weeks| self.sum(weeks, cells, None)),
            twelve_months_before: year_ago.map(|weeks| self.sum(weeks, cells, None)),
            population,
            rate,
            funnel: population.zip(county_rate).map(|(people, rate)| funnel_of(people, rate)),
            strands: inputs
                .pack
                .categories
                .codes()
                .iter()
                .map(|code| self.sum(self.own.iter().copied(), cells, Some(code)))
                .collect(),
            work: work(
                inputs.alerts.iter().filter(alert_here),
                inputs.actions.iter().filter(action_here),
                (inputs.quarter.days(), self.day),
                |at| at.with_timezone(&inputs.pack.zone).date_naive(),
                |alert| is_unanswered(alert, &self.acted),
            ),
        }
    }

    /// Blocks of four weeks: those of the quarter from its first week on, and those before it.
    fn control(&self, all: &Cells) -> Control {
        let mut points: Vec<(NaiveDate, i64)> = Vec::new();
        let Some(start) = self.own.first().map(|week| week.window.first) else {
            return Control { points, of_the_quarter: 0, limits: None };
        };
        let mut end = start;
        while points.len() < POINTS
            && let Some(weeks) = self.before(end, BLOCK)
        {
            end = end - Days::new(7 * BLOCK as u64);
            points.push((end, self.sum(weeks, all, None)));
        }
        points.reverse();
        let before: Vec<i64> = points.iter().map(|point| point.1).collect();
        let blocks = self.own.chunks(BLOCK).filter(|weeks| weeks.len() == BLOCK);
        let own: Vec<(NaiveDate, i64)> =
            blocks.map(|weeks| (weeks[0].window.first, self.sum(weeks.iter().copied(), all, None))).collect();
        let of_the_quarter = own.len();
        points.extend(own);
        let limits = control(&before).map(|(centre, low, high)| [centre, low, high]);
        Control { points, of_the_quarter, limits }
    }

    /// Campaigns whose days touch the quarter, with their lift: the published weeks that they touch against those before.
    fn campaigns(&self) -> Vec<CampaignLine> {
        let days = self.inputs.quarter.days();
        let touches = |event: &&Event| event.window.first <= days.last && event.window.last >= days.first;
        let campaigns = self.inputs.events.iter().filter(|event| event.kind == EventKind::Campaign);
        campaigns.filter(touches).map(|event| self.campaign(event)).collect()
    }

    fn campaign(&self, event: &Event) -> CampaignLine {
        let geography = self.inputs.geography;
        let cells: Cells = geography
            .of_kind(AreaKind::District)
            .filter(|district| match &event.place {
                Where::Everywhere => true,
                Where::Areas(areas) => areas.iter().any(|area| touches(geography, &district.code, area)),
                Where::Around { .. } => false,
            })
            .map(|district| district.code.clone())
            .collect();
        let first = crate::publish::Span::Week.around(event.window.first).map(|week| week.first);
        let mut weeks: Vec<&Publication> = Vec::new();
        let mut next = first;
        let mut whole = !cells.is_empty();
        while let Some(day) = next.filter(|day| *day <= event.window.last) {
            match self.by_first.get(&day) {
                Some(week) => weeks.push(week),
                None => whole = false,
            }
            next = day.checked_add_days(Days::new(7));
        }
        let sum = (whole && !weeks.is_empty()).then(|| self.sum(weeks.iter().copied(), &cells, None));
        let before = first.and_then(|first| self.before(first, BEFORE_CAMPAIGN));
        let lift = sum.zip(before).and_then(|(sum, before)| {
            let usual = (self.sum(before.iter().copied(), &cells, None), before.len());
            ratio((sum, weeks.len()), usual, self.spread, cells.len())
        });
        let name = |code: &String| {
            geography.get(AreaKind::District, code).map_or_else(|| code.clone(), |area| area.name.clone())
        };
        CampaignLine {
            name: event.name.clone(),
            first: event.window.first,
            last: event.window.last,
            places: match &event.place {
                Where::Everywhere => "everywhere".to_owned(),
                _ if cells.is_empty() => "around one place; figures are published by district".to_owned(),
                _ => cells.iter().map(name).collect::<Vec<_>>().join(", "),
            },
            reports: sum,
            lift: lift.map(|(ratio, low, high)| [ratio, low, high]),
        }
    }
}

/// Whether an area has a ward in a district.
fn touches(geography: &Geography, district: &str, area: &AreaRef) -> bool {
    geography
        .wards_in(Some(area))
        .iter()
        .any(|ward| geography.above(ward, AreaKind::District).any(|above| above.code == district))
}

/// The days of the quarter's weeks, for those who load what is published of them: two years more, for comparisons.
#[must_use]
pub fn reach(quarter: Quarter) -> Window {
    let weeks = quarter.weeks();
    let days = quarter.days();
    let first = weeks.first().map_or(days.first, |week| week.first);
    // Three years of blocks before the quarter, and the twelve months before the last twelve.
    let back = Days::new(7 * (BLOCK * POINTS + BLOCK) as u64);
    Window { first: first.checked_sub_days(back).unwrap_or(first), last: days.last }
}
