//! From incidents to counts per area, category and local day.
//!
//! In: incidents as known on a date. Out: series, every day present, empty days as zero; how late each source
//! is, and how much of a day is known by then. Nothing here reads a clock, a file or a database.
//!
//! # Adding a way to count
//!
//! One file with a function over [`Case`]s; counts are of incidents, each once, never of mentions.

mod archive;
mod case;
mod completeness;
mod feeds;
mod history;
mod ledger;

pub use archive::{Archive, Seen, SeenIncident};
pub use case::{Case, Counted};
pub use completeness::Completeness;
pub use feeds::{Feed, feeds};
pub use history::{History, HistoryAt, Linked};
pub use ledger::{Days, Ledger};
