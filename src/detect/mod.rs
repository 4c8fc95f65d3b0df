//! From counts to signals: how unusual is a count against what is usual for its series?
//!
//! In: counts and expectations. Out: probabilities, and how often by chance. Nothing here reads a clock, a file or a
//! database.

mod tails;

pub use tails::{Expectation, ExpectationError};
