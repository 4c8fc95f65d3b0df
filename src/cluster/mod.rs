//! From points to clusters in space and time.
//!
//! In: points on a metric grid with a local day. Out: clusters, with the role of each point in them. Distances are
//! metres on the grid, never degrees. Nothing here reads a clock, a file or a database.

mod st_dbscan;

pub use st_dbscan::{Point, Reach, ReachError, Role, st_dbscan};
