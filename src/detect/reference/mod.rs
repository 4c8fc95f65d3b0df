//! The reference methods: published detectors, equal number for number to R `surveillance` 1.20.3.
//!
//! In: a [`History`] (counts per period, with or without dates), a [`Control`] and the positions to judge.
//! Out: one [`Verdict`] per position. Nothing here reads a clock, a file or a database, and nothing is random.
//! These methods are yardsticks: a reader who knows the R package gets here what the package would say, oddities
//! included. Each oddity is named where the code follows it.
//!
//! | method | file | source |
//! | --- | --- | --- |
//! | Farrington flexible | `farrington_flexible.rs` | Noufaily et al., Statistics in Medicine 2013, 32, 1206-1222 |
//! | Farrington 1996 | `farrington_1996.rs` | Farrington et al., JRSS A 1996, 159, 547-563 |
//! | EARS C1, C2, C3 | `ears.rs` | Hutwagner et al., Journal of Urban Health 2003, 80, i89-i96; Fricker et al. 2008 |
//! | CUSUM | `cusum.rs` | Rossi et al., Statistics in Medicine 1999, 18, 2111-2122 |
//!
//! What they share: `history.rs` (the series), `calendar.rs` and `season.rs` (which past counts belong to the
//! baseline), `glm.rs` (fitting by reweighted least squares) with its two designs `grouped.rs` and `harmonic.rs`,
//! `quasi.rs` (the fit with past outbreaks weighted down), `bound.rs` and `tail.rs` (from a fit to a threshold).
//!
//! # Adding a method
//!
//! 1. One file with `pub fn judge(&History, &ItsControl, Range<usize>) -> Result<Vec<Verdict>, JudgeError>`.
//! 2. Its settings in `control.rs` or `control_simple.rs`, a variant in [`Method`] and one in [`Control`]; the
//!    compiler names the places.
//! 3. Rows of R's answers in the oracle folder and a case in `tests/detect/oracle.rs`.

mod bound;
mod calendar;
mod control;
mod control_simple;
pub mod cusum;
pub mod ears;
pub mod farrington_1996;
pub mod farrington_flexible;
mod glm;
mod grouped;
mod harmonic;
mod history;
mod method;
mod quasi;
mod season;
mod tail;
mod verdict;

pub use control::{ControlError, Farrington1996Control, FlexibleControl, PowerTransform, ThresholdMethod};
pub use control_simple::{CusumControl, CusumTransform, EarsControl, EarsMethod, InControlMean};
pub use history::{History, HistoryError};
pub use method::{Control, Method, judge};
pub use verdict::{Detail, JudgeError, Verdict};
