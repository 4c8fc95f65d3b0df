//! What partners may know: counts that were changed by chance before anybody saw them, written once.
//!
//! In: cases as known on a day, and a key. Out: [`Publication`]s, and from those alone every figure that a partner gets
//! ([`Shown`]). Nothing here that shows figures can reach a true count.

mod cube;
mod noise;
mod shown;

pub use cube::{Counts, Publication, Span, due, publish};
pub use noise::{ALPHA, Chances, VARIANCE, chance_of, chances, draw};
pub use shown::{Level, Line, Pace, Request, Shown, Standing};
