//! The figures of a quarter, from what was published.

use super::{
    CampaignLine, Control, Definition, Inputs, NoReport, Quality, Quarter, Varies, Whom, Work,
    campaigns::campaigns,
    control::{BLOCK, POINTS},
    funnel, interval, share, spread,
    weeks::{Cells, Weeks, districts, partnerships},
    work,
};
use crate::{
    alerts::{acted, is_unanswered},
    model::{Action, Alert, AreaKind, Window},
    publish::{Publication, chances},
    rules::EventKind,
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

/// Weeks in a year, as far as sums are concerned.
const YEAR: usize = 52;

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
    /// Of all, those that were recorded as crimes; none while weeks of the quarter are still to be published, or
    /// where the county does not tell crimes apart.
    pub crimes: Option<Crimes>,
    /// What was done.
    pub work: Work,
}

/// Reports of an area that were recorded as crimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Crimes {
    /// So many, about. May be below 0, as any published figure.
    pub reports: i64,
    /// In 95 of 100 cases the true count is no further off.
    pub give_or_take: i64,
    /// Of all reports of the area, in whole per cents; none of fewer than [`Quality::LEAST`].
    pub share: Option<u8>,
}

/// A strand, as the pack writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strand {
    /// Its code.
    pub code: String,
    /// Its name.
    pub label: String,
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

/// Whether a line is the county's, or of a part of it that stands beside the county's rate.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    County,
    Part { county_rate: Option<f64> },
}

/// What lines are made from.
struct Made<'a> {
    inputs: &'a Inputs<'a>,
    weeks: Weeks<'a>,
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
        let (quarter, geography, pack) = (inputs.quarter, inputs.geography, inputs.pack);
        let weeks = Weeks::of(quarter, &inputs.weeks)?;
        let (partnerships, left) = partnerships(geography);
        let (csp, whom) = match &inputs.whom {
            Whom::County => (None, pack.name.clone()),
            Whom::Csp(code) => match (partnerships.get(code), geography.get(AreaKind::Csp, code)) {
                (Some((name, _)), _) => (Some(code.clone()), name.clone()),
                (None, Some(csp)) => return Err(NoReport::CutsDistrict(csp.name.clone())),
                (None, None) => {
                    let known: Vec<&str> = partnerships.keys().map(String::as_str).collect();
                    return Err(NoReport::unknown(code, &known));
                }
            },
        };
        let all = districts(geography);
        let control = Control::of(&weeks, &all);
        let spread = spread(&control.before(), BLOCK * all.len()).unwrap_or(1.0);
        let day = inputs.as_of.with_timezone(&pack.zone).date_naive();
        let made = Made { inputs, weeks, day, spread, acted: acted(&inputs.actions) };
        let mut total = made.line(String::new(), pack.name.clone(), &all, Extent::County);
        let county_rate = total
            .population
            .filter(|people| *people > 0)
            .map(|people| total.reports.max(0) as f64 / f64::from(people));
        total.code = pack.prefix.to_lowercase();
        let part = |code: &str, name: &str, cells: &Cells| {
            made.line(code.to_owned(), name.to_owned(), cells, Extent::Part { county_rate })
        };
        let lines = partnerships.iter().map(|(code, (name, cells))| part(code, name, cells)).collect();
        let others = (!left.is_empty()).then(|| part("other", "Other districts", &left));
        let (first, last) = made.weeks.days();
        let quality = Quality::of(&inputs.records, total.reports);
        let compared = quarter.a_year_before().days().first;
        Ok(Self {
            quarter: quarter.to_string(),
            quarter_in_words: quarter.in_words(),
            county: pack.name.clone(),
            whom,
            csp,
            first,
            last,
            weeks: made.weeks.own.len(),
            weeks_in_all: quarter.weeks().len(),
            as_known_on: made.weeks.own.iter().map(|week| week.as_known_on).max().unwrap_or_default(),
            as_of: inputs.as_of,
            day,
            strands: pack
                .labels()
                .map(|(code, label)| Strand { code: code.to_owned(), label: label.to_owned() })
                .collect(),
            strand_word: pack.category_word.clone(),
            partnerships: lines,
            others,
            total,
            control,
            campaigns: campaigns(inputs.events, quarter.days(), &made.weeks, geography, spread),
            recording_changes: recording_changes(inputs, (compared, quarter.days().last)),
            changed_areas: inputs.changed_areas.clone(),
            quality,
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

/// Changes in recording that began within some days, the first first.
fn recording_changes(inputs: &Inputs<'_>, (from, to): (NaiveDate, NaiveDate)) -> Vec<(NaiveDate, String)> {
    let changes = inputs.events.iter().filter(|event| event.kind == EventKind::RecordingChange);
    let mut changes: Vec<(NaiveDate, String)> = changes
        .filter(|event| (from..=to).contains(&event.window.first))
        .map(|event| (event.window.first, event.name.clone()))
        .collect();
    changes.sort();
    changes
}

impl Made<'_> {
    fn line(&self, code: String, name: String, cells: &Cells, extent: Extent) -> AreaLine {
        let county_rate = match extent {
            Extent::County => None,
            Extent::Part { county_rate } => county_rate,
        };
        let inputs = self.inputs;
        let weeks = self.weeks.own.len();
        let sum = |weeks: &[&Publication]| Weeks::sum(weeks.iter().copied(), cells, None);
        let reports = sum(&self.weeks.own);
        let varies = Varies { spread: self.spread, cells: cells.len() * weeks };
        let end = self.weeks.days().1 + Days::new(1);
        let year = self.weeks.before(end, YEAR);
        let year_ago = self.weeks.before(end - Days::new(7 * YEAR as u64), YEAR);
        let year_before = self.weeks.as_many_of(inputs.quarter.a_year_before());
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
            let Some(area) = &action.area else { return extent == Extent::County };
            inputs.geography.wards_in(Some(area)).iter().any(|ward| wards.contains(ward))
        };
        let crimes = inputs.records.counts.as_ref().and_then(|counts| counts.crimes.as_ref()).map(|crimes| {
            let crimes = cells.iter().filter_map(|cell| crimes.get(cell)).sum();
            Crimes {
                reports: crimes,
                give_or_take: chances(cells.len()).within(SURE),
                share: share(crimes, reports),
            }
        });
        AreaLine {
            crimes,
            code,
            name,
            reports,
            give_or_take: chances(cells.len() * weeks).within(SURE),
            year_before: year_before.map(|weeks| sum(&weeks)),
            twelve_months: year.map(|weeks| sum(&weeks)),
            twelve_months_before: year_ago.map(|weeks| sum(&weeks)),
            population,
            rate,
            funnel: population.zip(county_rate).map(|(people, rate)| funnel_of(people, rate)),
            strands: inputs
                .pack
                .categories
                .codes()
                .iter()
                .map(|code| Weeks::sum(self.weeks.own.iter().copied(), cells, Some(code)))
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
