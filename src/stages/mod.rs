//! Load, compute, save: the only place where the pure rooms meet the store.
//!
//! In: a store, a night, the rules. Out: what changed, saved in one transaction for each step.

pub mod access;
pub mod actions;
pub mod answers;
pub mod area;
mod background;
pub mod boards;
pub mod campaigns;
pub mod candidate;
pub mod counts;
pub mod county;
pub mod coverage;
mod data_alerts;
mod digest;
pub mod explain;
pub mod figures;
mod follow_up;
pub mod import;
pub(crate) mod letters;
mod maps;
pub mod night;
pub mod past;
pub mod pdf;
pub mod places;
mod publish;
pub mod receive;
pub mod report;
pub mod reporting;
pub mod rules;
pub mod send;
pub mod setup;
pub mod silences;
mod telling;
pub mod trial;
pub mod tried;
pub mod tune;
