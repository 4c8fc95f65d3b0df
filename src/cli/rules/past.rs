//! Which nights a rule is tried on, and what is said about them.

use crate::{
    cli::{
        progress::Progress,
        site::{Site, now, replayed},
        wrong,
    },
    count::History,
    model::{AreaKind, Finding, Geography, Subject, Window},
    rules::{
        RuleSet,
        trial::{Labels, TriedAlert, YEAR},
    },
    schedule::Schedule,
    stages::{
        night::{Engine, When},
        trial::{Neighbours, Replay, known},
    },
};
use anyhow::Result;
use chrono::{Days, Months, NaiveDate};
use std::str::FromStr;

/// From when on nights are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// So many months before the last night.
    Months(u32),
    /// So many days before it.
    Days(u32),
    /// From this night on.
    Night(NaiveDate),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(night) = text.parse() {
            return Ok(Self::Night(night));
        }
        let length = text.strip_suffix(['y', 'm', 'd']).and_then(|number| number.parse::<u32>().ok());
        match (length.filter(|length| (1..=20_000).contains(length)), text.chars().last()) {
            (Some(years), Some('y')) => Ok(Self::Months(years.min(60) * 12)),
            (Some(months), Some('m')) => Ok(Self::Months(months.min(720))),
            (Some(days), _) => Ok(Self::Days(days)),
            _ => Err("write 2y, 18m, 90d or a day as 2024-06-30".to_owned()),
        }
    }
}

impl Since {
    /// The first night.
    fn first(self, last: NaiveDate) -> NaiveDate {
        match self {
            Self::Months(months) => {
                last.checked_sub_months(Months::new(months)).map_or(last, |day| day + Days::new(1))
            }
            Self::Days(days) => last - Days::new(u64::from(days - 1)),
            Self::Night(night) => night.min(last),
        }
    }
}

/// The nights, and everything they knew.
pub(super) struct Past {
    pub(super) engine: Engine,
    pub(super) history: History,
    pub(super) nights: Vec<When>,
    /// Areas on the last night.
    pub(super) geography: Geography,
    schedule: Schedule,
    /// Wards that share a border, by the boundaries of the last night.
    neighbours: Neighbours,
    /// The local day on which the first report became known.
    begun: NaiveDate,
}

impl Past {
    /// The nights from `since` to the last one that a delivery has told of.
    pub(super) async fn open(site: &Site, since: Since) -> Result<Self> {
        let engine = site.engine(false).await?;
        let history = known(&engine).await?;
        let county = &engine.county;
        let Some((begun, ended)) = history.span() else {
            return Err(wrong("there are no incidents yet; `tension-watch import incidents` reads them"));
        };
        let begun = county.day_of(begun);
        let last = county.day_of(ended.min(now())) - Days::new(1);
        let first = since.first(last).max(begun);
        let schedule = site.schedule(county)?;
        let days = first.iter_days().take_while(|day| *day <= last);
        let nights: Vec<When> = days.map(|night| replayed(county, &schedule, night)).collect();
        if nights.is_empty() {
            return Err(wrong(format!(
                "no night can be tried yet: the first report became known on {begun}"
            )));
        }
        let geography = county.geography(last)?;
        let neighbours = county.neighbours(&engine.store, last).await?;
        Ok(Self { engine, history, nights, geography, schedule, neighbours, begun })
    }

    /// So many nights up to one.
    pub(super) fn nights_before(&self, last: NaiveDate, many: u64) -> Vec<When> {
        let days = (0..many).rev().map(|back| last - Days::new(back));
        days.map(|night| replayed(&self.engine.county, &self.schedule, night)).collect()
    }

    /// The first and the last night.
    pub(super) fn window(&self) -> Window {
        let night = |when: Option<&When>| when.map_or(self.begun, |when| when.night);
        Window { first: night(self.nights.first()), last: night(self.nights.last()) }
    }

    /// What is known of labelled episodes.
    pub(super) fn labels<'a>(&'a self, set: &'a RuleSet) -> Labels<'a> {
        Labels {
            episodes: &set.calendar.episodes,
            geography: &self.geography,
            categories: &self.engine.county.pack.categories,
        }
    }

    /// Replays nights, and shows how far it is.
    pub(super) fn replay(
        &self,
        what: &'static str,
        history: &History,
        nights: &[When],
        sets: &[&RuleSet],
    ) -> Result<Replay> {
        let progress = Progress::new(what, nights.len() as u64);
        let replay = tokio::task::block_in_place(|| {
            let asked = (sets, &self.neighbours);
            Replay::of(&self.engine.county, history, nights, asked, &|done| progress.step(done))
        });
        progress.finish();
        replay
    }

    /// Which nights these are, in a sentence.
    pub(super) fn told(&self) -> String {
        let Window { first, last } = self.window();
        format!(
            "{} nights, {first} to {last}, each with what was known on it; the first report here became known on {}.",
            self.nights.len(),
            self.begun
        )
    }

    /// How many months they are.
    pub(super) fn months(&self) -> f64 {
        self.nights.len() as f64 / YEAR * 12.0
    }

    /// What an alert is about, by name.
    pub(super) fn name(&self, finding: &Finding) -> String {
        let of = |kind, code: &str| {
            self.geography.get(kind, code).map_or_else(|| code.to_owned(), |area| area.name.clone())
        };
        if let Subject::Area { area, category, .. } = &finding.subject {
            let category = category.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
            return format!("{}{category}", of(area.kind, &area.code));
        }
        let wards = finding.wards.iter().map(|ward| of(AreaKind::Ward, ward));
        wards.collect::<Vec<_>>().join(", ")
    }

    /// The name of a partnership.
    pub(super) fn csp(&self, code: &str) -> String {
        let known = self.geography.get(AreaKind::Csp, code);
        known.map_or_else(|| code.to_owned(), |csp| csp.name.clone())
    }

    /// An alert in a line.
    pub(super) fn line(&self, alert: &TriedAlert) -> String {
        let finding = &alert.finding;
        format!(
            "{}  {}: {} seen, {:.1} usual, about once in {:.0} days",
            alert.night,
            self.name(finding),
            finding.observed,
            finding.expected,
            finding.recurrence.days()
        )
    }
}

/// How an alert came against the day everybody knew.
pub(super) fn lead(days: i64) -> String {
    let length = |days: i64| if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    match days {
        0 => "on the day everybody knew".to_owned(),
        1.. => format!("{} before everybody knew", length(days)),
        _ => format!("{} after everybody knew", length(-days)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_read_as_people_write_it() {
        let last: NaiveDate = "2026-06-29".parse().unwrap();
        let first = |text: &str| text.parse::<Since>().map(|since| since.first(last).to_string());
        assert_eq!(first("2y"), Ok("2024-06-30".to_owned()));
        assert_eq!(first("18m"), Ok("2024-12-30".to_owned()));
        assert_eq!(first("90d"), Ok("2026-04-01".to_owned()));
        assert_eq!(first("2026-01-05"), Ok("2026-01-05".to_owned()));
        for wrong in ["", "y", "0d", "-1d", "two years", "2 y", "99999999d", "2026-13-01"] {
            assert!(first(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn leads_are_told_in_words() {
        assert_eq!(
            [lead(12), lead(1), lead(0), lead(-3)],
            [
                "12 days before everybody knew",
                "1 day before everybody knew",
                "on the day everybody knew",
                "3 days after everybody knew"
            ]
        );
    }
}
