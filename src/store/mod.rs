//! All SQL: one text for SQLite and PostgreSQL.
//!
//! In: model values. Out: model values. No judgement is made here.
