//! Early warning of emerging community tensions.
//!
//! ```text
//! bytes ─ import ─ locate ─ count ─┬─ detect ──┬─ rules ─ alerts ─ mail
//!                                  └─ cluster ─┘            └───── web, report
//! (partners: count ─ publish ─ web)
//! ```
//!
//! The modules stand in the order in which data flows. Those above the edge are pure: no clock, no database, no
//! network; time and chance are arguments. `tests/architecture.rs` keeps it so.

// No input may end the program; tests may.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]

pub mod model;

pub mod import;
pub mod locate;
pub mod count;
pub mod detect;
pub mod cluster;
pub mod rules;
pub mod alerts;
pub mod publish;

pub mod mail;
pub mod web;
pub mod store;
pub mod config;
pub mod clock;
mod failpoint;
pub mod schedule;
pub mod stages;
pub mod synth;
pub mod cli;
