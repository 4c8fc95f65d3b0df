//! From signals to findings, by rule files that analysts write.
//!
//! In: the text of rule files, and what the detectors found. Out: checked rules or every mistake with its line and
//! remedy; findings with their reason. Nothing here reads a clock, a file or a database.
//!
//! # Adding a field, or a detector
//!
//! A field is a line in `fields`: the check, its message and its example, the schema for editors, the template of new
//! rules and the reference page follow from it. A detector is a section of
//! fields there, a variant of [`Detector`], and a file under `evaluate`.

mod calendar;
mod check;
mod evaluate;
mod explain;
mod fields;
mod mistake;
mod night;
mod playbook;
mod reference;
mod rehearsal;
mod rule;
mod schema;
mod template;
pub mod trial;
pub mod tune;

pub use calendar::{Calendar, Episode, Event, EventKind, Where};
pub use check::{Checked, Known, check};
pub use evaluate::{Earlier, Miss, Missed, RuleOutcome, evaluate, follow};
pub use explain::{Known as ExplainKnown, explain, why_not};
pub use fields::DETECTORS;
pub use mistake::Mistake;
pub use night::Night;
pub use playbook::Play;
pub use reference::reference;
pub use rehearsal::{Rehearsed, rehearse};
pub use rule::{
    Areas, CalendarUse, CategoryChoice, Detector, FOLLOW_UP_DAYS, Into, Override, RepeatOf, Rule, RuleSet,
    Same, Status, TellAgain, TestCase, TestIncident,
};
pub use schema::{SchemaOf, schema};
pub use template::{Template, TemplateError};
