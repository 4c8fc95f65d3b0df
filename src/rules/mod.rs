//! From signals to findings, by rule files that analysts write.
//!
//! In: the text of rule files, and what the detectors found. Out: checked rules or every mistake with its line and
//! remedy; findings with their reason. Nothing here reads a clock, a file or a database.
