//! The synthetic county: incidents from stated parameters, with planted episodes and their truth.
//!
//! In: a seed and options. Out: an area pack, incident files in our own format, truth labels. Nothing here reads a clock,
//! a file or a database; chance comes from the seed.
