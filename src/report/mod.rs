//! What the boards read: a quarter in figures that were published, and what was done about alerts.
//!
//! In: publications of weeks, alerts, actions, the calendar and figures of data quality. Out: a [`Report`], the same from the
//! same inputs, as HTML, CSV and JSON. Every count of reports in it is a sum of published ones: nothing new is published, and
//! there is nothing to subtract. docs/REPORTS.md defines each figure.

mod charts;
mod definitions;
mod figures;
mod html;
mod limits;
mod quarter;
mod table;
mod work;
#[cfg(test)]
mod tests;

pub use definitions::{Definition, DefinitionsError, SHIPPED as SHIPPED_DEFINITIONS, definitions};
pub use figures::{AreaLine, CampaignLine, Control, Report, Strand, reach};
pub use html::html;
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

/// For whom a report is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The whole county, partnership by partnership.
    County,
    /// One partnership, by code, beside the whole county.
    Csp(String),
}

/// How good the records of the quarter are, over the whole county; exact, and told in whole per cents only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// Reports of events in the quarter, by whatever class.
    pub reports: u64,
    /// Of those, recorded as crimes.
    pub crimes: u64,
    /// Without a ward.
    pub unlocated: u64,
    /// Moved to another class or strand after they were first recorded.
    pub reclassified: u64,
    /// Taken back.
    pub withdrawn: u64,
    /// Rows of files imported in the quarter.
    pub rows: u64,
    /// Of those, rows that could not be used.
    pub rejected: u64,
    /// Days after which half and nine tenths of reports are known.
    pub half_known_after: Option<u32>,
    /// The same for nine tenths.
    pub most_known_after: Option<u32>,
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
    pub quality: Quality,
    /// The terms in use.
    pub definitions: Vec<Definition>,
    /// What became known, or was done, from this instant on is not in it.
    pub as_of: DateTime<Utc>,
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
