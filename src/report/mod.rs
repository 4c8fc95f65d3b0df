//! What the boards read: a quarter in figures that were published, and what was done about alerts.
//!
//! In: publications of weeks, alerts, actions, the calendar and figures of data quality. Out: a [`Report`], the same from the
//! same inputs, as HTML, CSV and JSON. Every count of reports in it is a sum of published ones: nothing new is published, and
//! there is nothing to subtract. docs/REPORTS.md defines each figure.

mod campaigns;
mod charts;
mod control;
mod definitions;
mod figures;
mod html;
mod limits;
mod quarter;
mod table;
mod weeks;
mod work;
#[cfg(test)]
mod tests;

pub use campaigns::CampaignLine;
pub use control::Control;
pub use definitions::{Definition, DefinitionsError, SHIPPED as SHIPPED_DEFINITIONS, definitions};
pub use figures::{AreaLine, Crimes, Report, Strand, reach};
pub use html::{by_partnership, html, in_short};
pub use limits::{Varies, control, funnel, interval, ratio, spread};
pub use quarter::{Quarter, UnknownQuarter};
pub use table::csv;
pub use work::{Work, work};

use crate::{
    model::{Action, Alert, Geography, Pack},
    publish::Publication,
    rules::Event,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// For whom a report is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The whole county, partnership by partnership.
    County,
    /// One partnership, by code, beside the whole county.
    Csp(String),
}

/// Records of the quarter's weeks when the last of those was published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Counts of people's reports; none while weeks of the quarter are still to be published, so that they are told once.
    pub counts: Option<RecordCounts>,
    /// Rows of files imported meanwhile; of files, and exact.
    pub rows: i64,
    /// Of those, rows that could not be used.
    pub rejected: i64,
    /// Days after which half of reports are known.
    pub half_known_after: Option<u32>,
    /// The same for nine tenths.
    pub most_known_after: Option<u32>,
}

/// Counts of records to which a random number was added, as to every published one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Crimes, by district; none where the county does not tell them apart.
    pub crimes: Option<BTreeMap<String, i64>>,
    /// Without a ward.
    pub unlocated: i64,
    /// Moved to another class or strand after they were first recorded.
    pub reclassified: i64,
    /// Taken back.
    pub withdrawn: i64,
}

/// How good the records were, in whole per cents; none of fewer than [`Quality::LEAST`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// Those without a ward.
    pub unlocated: Option<u8>,
    /// Moved to another class or strand after they were first recorded.
    pub reclassified: Option<u8>,
    /// Taken back.
    pub withdrawn: Option<u8>,
    /// Of the rows of files, those that could not be used.
    pub rejected: Option<u8>,
    /// Days after which half of reports are known.
    pub half_known_after: Option<u32>,
    /// The same for nine tenths.
    pub most_known_after: Option<u32>,
}

impl Quality {
    /// With fewer records than this, shares of them are not told.
    pub const LEAST: i64 = 100;

    /// Shares of the records: of so many published reports and those without a ward, which are in no published figure.
    #[must_use]
    pub fn of(records: &Records, published: i64) -> Self {
        let counted = |share: fn(&RecordCounts, i64) -> Option<u8>| {
            records.counts.as_ref().and_then(|counts| share(counts, published + counts.unlocated))
        };
        Self {
            unlocated: counted(|counts, all| share(counts.unlocated, all)),
            reclassified: counted(|counts, all| share(counts.reclassified, all)),
            withdrawn: counted(|counts, all| share(counts.withdrawn, all + counts.withdrawn)),
            rejected: share(records.rejected, records.rows),
            half_known_after: records.half_known_after,
            most_known_after: records.most_known_after,
        }
    }
}

/// In whole per cents; none of fewer than [`Quality::LEAST`].
fn share(part: i64, of: i64) -> Option<u8> {
    let share = || (100.0 * part.max(0) as f64 / of as f64).round().min(100.0);
    (of >= Quality::LEAST).then(|| share() as u8)
}

/// Everything that a report is made of.
pub struct Inputs<'a> {
    /// Which quarter.
    pub quarter: Quarter,
    /// For whom.
    pub whom: Whom,
    /// The county's words.
    pub pack: &'a Pack,
    /// The areas in force on the quarter's last published day.
    pub geography: &'a Geography,
    /// Areas that changed within the quarter, by name and day.
    pub changed_areas: Vec<(String, NaiveDate)>,
    /// Publications of weeks up to the quarter's end, oldest first.
    pub weeks: Vec<Publication>,
    /// Alerts that people were told of.
    pub alerts: Vec<Alert>,
    /// Actions recorded up to then.
    pub actions: Vec<Action>,
    /// Campaigns and changes in recording.
    pub events: &'a [Event],
    /// The records themselves.
    pub records: Records,
    /// The terms in use.
    pub definitions: Vec<Definition>,
    /// What became known, or was done, from this instant on is not in it.
    pub as_of: DateTime<Utc>,
}

impl NoReport {
    /// No partnership has this code.
    fn unknown(asked: &str, known: &[&str]) -> Self {
        Self::UnknownCsp { asked: asked.chars().take(40).collect(), known: known.join(", ") }
    }
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReport {
    /// Nothing of it is published.
    #[error("nothing of {quarter} is published yet{}", latest.map_or_else(String::new, |last| format!("; the latest published week ends on {}, in {}", last.format("%-d %B %Y"), Quarter::of(last))))]
    NotYet {
        /// The quarter asked for.
        quarter: Quarter,
        /// The last published day.
        latest: Option<NaiveDate>,
    },
    /// The figures begin later.
    #[error("the published figures begin on {}; {quarter} is before them", first.format("%-d %B %Y"))]
    Before {
        /// The quarter asked for.
        quarter: Quarter,
        /// The first published day.
        first: NaiveDate,
    },
    /// There is no such partnership.
    #[error("`{asked}` is no partnership of this county; write `llr` for all of it, or one of {known}")]
    UnknownCsp {
        /// What was asked for.
        asked: String,
        /// The codes there are.
        known: String,
    },
    /// Its figures can't be summed from districts.
    #[error("{0} cuts a district, and figures are published by district: there is no report of it alone")]
    CutsDistrict(String),
}
