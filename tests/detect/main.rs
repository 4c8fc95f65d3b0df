//! Detection by itself: the reference methods against R, and what every method promises of any input.

mod house;
mod oracle;
mod reference;
