//! Stories through the public door, on real parts: both databases, real files, a real conversation.

mod answers;
mod delivery;
mod detect;
mod inbox;
mod kill;
mod nights;
mod real;
mod rule_files;
mod store;
mod support;
mod trial;
