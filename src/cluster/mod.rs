//! From points to clusters in space and time, and to places where it happens again and again.
//!
//! In: points on a metric grid with a local day. Out: clusters with how often by chance and a name that lasts; repeat
//! places with how often by the county's own past; the table of near repeats. Distances are metres on the grid, never
//! degrees. Nothing here reads a clock, a file or a database.

mod clustering;
mod clusters;
mod column;
mod knox;
mod lives;
mod places;
pub mod scan;
mod st_dbscan;
mod strength;

pub use clustering::Clustering;
pub use clusters::{Chance, Near, clusters};
pub use knox::{Bands, BandsError, Cell, KnoxError, Table, knox};
pub use lives::{Life, Lives, Turn};
pub use places::{Again, repeat_people, repeat_places};
pub use st_dbscan::{Point, Reach, ReachError, Role, st_dbscan};
pub use strength::Strengths;
