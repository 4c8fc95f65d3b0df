//! From coordinates to wards.
//!
//! In: boundaries and points, in degrees or on the grid. Out: the one ward a point lies in. Grid and degrees are kept in
//! step by a real transformation. Nothing here reads a clock, a file or a database.

mod boundaries;
mod grid;
mod transverse_mercator;

pub use boundaries::{Boundaries, Boundary};
pub use grid::Grid;
pub use transverse_mercator::TransverseMercator;
