//! Stories through the public door, on real parts: both databases, real files, a real conversation.

mod store;
mod support;
