//! Which nights a rule is tried on, with everything they knew, and what is said about them.

use super::{
    county::County,
    night::{Engine, When},
    trial::{Neighbours, Replay, known},
};
use crate::{
    count::History,
    model::{AreaKind, Finding, Geography, Subject, Window},
    rules::{
        RuleSet,
        trial::{Labels, TriedAlert, YEAR},
    },
    schedule::Schedule,
};
use anyhow::Result;
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use std::{str::FromStr, sync::Arc};

impl When {
    /// A past night as it would have run: it is answered by the first tick of the day after it, and sees what was known by
    /// then.
    #[must_use]
    pub fn replayed(county: &County, schedule: &Schedule, night: NaiveDate) -> Self {
        let morning = county.start_of(night + Days::new(1));
        let tick = schedule.next_after(morning).unwrap_or(morning);
        Self { night, as_known_on: tick, now: tick, tick: None }
    }
}

/// Why no night can be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPast {
    /// Nothing was imported.
    #[error("there are no incidents yet; `tension-watch import incidents` reads them")]
    Empty,
    /// The first delivery came after the last night.
    #[error("no night can be tried yet: the first report became known on {0}")]
    TooYoung(NaiveDate),
}

/// From when on nights are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
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
pub struct Past {
    /// Where everything is.
    pub engine: Arc<Engine>,
    /// Everything that was ever known.
    pub history: History,
    /// The nights, in order.
    pub nights: Vec<When>,
    /// Areas on the last night.
    pub geography: Arc<Geography>,
    schedule: Schedule,
    /// Wards that share a border, by the boundaries of the last night.
    neighbours: Neighbours,
    /// The local day on which the first report became known.
    begun: NaiveDate,
}

impl Past {
    /// The nights from `since` to the last one that a delivery has told of by `now`.
    ///
    /// # Errors
    ///
    /// When there is no such night ([`NoPast`]), or the store fails.
    pub async fn open(
        engine: Arc<Engine>,
        schedule: Schedule,
        since: Since,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let history = known(&engine).await?;
        let county = &engine.county;
        let (begun, ended) = history.span().ok_or(NoPast::Empty)?;
        let begun = county.day_of(begun);
        let last = county.day_of(ended.min(now)) - Days::new(1);
        let first = since.first(last).max(begun);
        let days = first.iter_days().take_while(|day| *day <= last);
        let nights: Vec<When> = days.map(|night| When::replayed(county, &schedule, night)).collect();
        anyhow::ensure!(!nights.is_empty(), NoPast::TooYoung(begun));
        let geography = county.geography(last)?;
        let neighbours = county.neighbours(&engine.store, last).await?;
        Ok(Self { engine, history, nights, geography, schedule, neighbours, begun })
    }

    /// So many nights up to one.
    #[must_use]
    pub fn nights_before(&self, last: NaiveDate, many: u64) -> Vec<When> {
        let days = (0..many).rev().map(|back| last - Days::new(back));
        days.map(|night| When::replayed(&self.engine.county, &self.schedule, night)).collect()
    }

    /// The first and the last night.
    #[must_use]
    pub fn window(&self) -> Window {
        let night = |when: Option<&When>| when.map_or(self.begun, |when| when.night);
        Window { first: night(self.nights.first()), last: night(self.nights.last()) }
    }

    /// What is known of labelled episodes.
    #[must_use]
    pub fn labels<'a>(&'a self, set: &'a RuleSet) -> Labels<'a> {
        Labels {
            episodes: &set.calendar.episodes,
            geography: &self.geography,
            categories: &self.engine.county.pack.categories,
        }
    }

    /// Replays nights; `done` is called with the number of those that are. Takes every core: call it where nobody waits.
    ///
    /// # Errors
    ///
    /// When the county's links are wrong on a night.
    pub fn replay(
        &self,
        history: &History,
        nights: &[When],
        sets: &[&RuleSet],
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Replay> {
        Replay::of(&self.engine.county, history, nights, (sets, &self.neighbours), done)
    }

    /// Which nights these are, in a sentence.
    #[must_use]
    pub fn told(&self) -> String {
        let Window { first, last } = self.window();
        format!(
            "{} nights, {first} to {last}, each with what was known on it; the first report here became known on {}.",
            self.nights.len(),
            self.begun
        )
    }

    /// How many months they are.
    #[must_use]
    pub fn months(&self) -> f64 {
        self.nights.len() as f64 / YEAR * 12.0
    }

    /// What an alert is about, by name.
    #[must_use]
    pub fn name(&self, finding: &Finding) -> String {
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
    #[must_use]
    pub fn csp(&self, code: &str) -> String {
        let known = self.geography.get(AreaKind::Csp, code);
        known.map_or_else(|| code.to_owned(), |csp| csp.name.clone())
    }

    /// An alert in a line.
    #[must_use]
    pub fn line(&self, alert: &TriedAlert) -> String {
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
#[must_use]
pub fn lead(days: i64) -> String {
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
