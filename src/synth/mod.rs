//! The synthetic county: incidents from stated parameters, with planted episodes and their truth.
//!
//! In: ward centres, a seed and options. Out: outlines, incident files in our own format, truth labels. Nothing here
//! reads a clock, a file or a database; chance comes from the seed.
//!
//! Nothing in it is about a real event or person. The parameters (volumes, strand mix, season, weekday, hour, noise,
//! near repeats, delays, revisions, faults) are stated where they are used.

mod county;
mod draw;
mod episodes;
pub mod llr;
mod record;
mod tessellation;

pub use county::{County, Options, Ward, county};
pub use episodes::{Episode, EpisodeKind};
pub use tessellation::tessellation;
