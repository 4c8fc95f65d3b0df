//! From bytes to incidents: what others wrote is read here, and nothing is dropped silently.
//!
//! In: bytes of CSV, JSON, TOML and GeoJSON, a column mapping, the area pack. Out: incidents without a ward, rejects with
//! line, column and reason, areas, links and a directory. Nothing here reads a clock, opens a file or asks a database.
//!
//! # Adding a format
//!
//! A supplier's CSV needs a file in `mappings/`, no code.

mod areas;
mod duplicates;
mod identity;
mod json;
mod mapping;
mod pack;
mod reader;
mod rejects;
mod row;
mod series;
mod table;
mod when;

pub use areas::{AreasError, geometry, read_areas, shape};
pub use duplicates::{NEAR_DAYS, SameEvent, same_event};
pub use identity::{content_hash, hex};
pub use json::{JsonError, MOST_OBJECTS, read_json};
pub use mapping::{Mapping, MappingError, SHIPPED_MAPPINGS};
pub use pack::{PackFiles, PackMistakes, read_directory, read_pack};
pub use reader::{ImportContext, ImportedFile, read_at_most, read_incidents};
pub use rejects::{Reject, rejects_csv, safe_cell};
pub use series::{Frequency, NamedSeries, Periods, SeriesError, SeriesGroup, read_series};
pub use table::ImportError;
