//! Early warning of emerging community tensions.
//!
//! ```text
//! bytes ─ import ─ locate ─ count ─┬─ detect ──┬─ rules ─ alerts ─ mail
//!                                  └─ cluster ─┘            └───── web, report
//! (partners: count ─ publish ─ web)
//! ```
//!
//! The modules stand in the order in which data flows. Those passed on from `middle` are pure: no clock, no database,
//! no network; time and chance are arguments. `tests/architecture.rs` keeps it so.

// No input may end the program; tests may.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]

pub use middle::{
    alerts, cluster, count, detect, import, locate, model, picture, publish, report, rules, synth, words,
};

pub mod mail;
pub mod web;
pub mod store;
pub mod config;
pub mod clock;
mod failpoint;
pub mod schedule;
pub mod stages;
pub mod cli;
