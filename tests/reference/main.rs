//! The reference methods against R, and against whatever comes in.

mod oracle;
mod properties;
