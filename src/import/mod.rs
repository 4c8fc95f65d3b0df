//! From bytes to incidents: what others wrote is read here, and nothing is dropped silently.
//!
//! In: bytes of CSV, TOML and GeoJSON files, a column mapping, the area pack. Out: incidents without a ward, rejects with
//! line, column and reason, areas, links and a directory. Nothing here reads a clock, opens a file or asks a database.
