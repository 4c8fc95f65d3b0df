//! What mails and pages show: curves and maps as pictures, with their words for those who don't see them.
//!
//! In: a history of windows with their expected band, or outlines of wards. Out: PNG with a font of its own and few
//! colours, and a sentence that says the same. Needs no browser.

pub mod chart;
pub mod county;
pub mod map;
mod history;
mod indexed;
mod letters;

pub use history::{History, Period};
