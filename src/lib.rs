//! Early warning of emerging community tensions.
//!
//! ```text
//! bytes ─ import ─ locate ─ count ─┬─ detect ──┬─ rules ─ alerts ─ mail
//!                                  └─ cluster ─┘            └───── web, report
//! ```
//!
//! The modules stand in the order in which data flows. Those above the edge are pure: no clock, no database, no
//! network; time and chance are arguments. `tests/architecture.rs` keeps it so.

pub mod model;

pub mod detect;
pub mod cluster;

pub mod clock;
pub mod schedule;
