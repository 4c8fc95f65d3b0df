//! From coordinates to wards.
//!
//! In: boundaries and points, in degrees or on the grid. Out: the one ward a point lies in, and what is wrong with the
//! boundaries. Grid and degrees are kept in
//! step by a real transformation. Nothing here reads a clock, a file or a database.

mod boundaries;
mod broken;
mod fault;
mod grid;
mod lattice;
mod misfits;
mod neighbours;
mod outline;
mod transverse_mercator;

pub use boundaries::{Boundaries, Boundary};
pub use broken::broken;
pub use fault::{Fault, FaultKind};
pub use grid::Grid;
pub use misfits::misfits;
pub use neighbours::neighbours;
pub use transverse_mercator::TransverseMercator;
