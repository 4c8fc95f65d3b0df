//! The pure middle of Tension Watch: no clock, no database, no network; time and chance are arguments.
//!
//! The modules stand in the order in which data flows. Their sources lie beside those of the edges; `lib.rs` shows the
//! whole flow and passes every module on under its own name.

// No input may end the program; tests may.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]

pub mod model;
pub mod words;

pub mod import;
pub mod locate;
pub mod count;
pub mod detect;
pub mod cluster;
pub mod rules;
pub mod alerts;
pub mod publish;
pub mod picture;
pub mod report;

pub mod synth;
