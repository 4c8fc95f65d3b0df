//! The site for programs: tokens instead of sessions, JSON instead of pages.
//!
//! In: requests with a token. Out: JSON, or a problem (RFC 9457). `docs/API.md` tells how to use it; `document` writes the
//! OpenAPI document from what stands here.
//!
//! # Adding an endpoint
//!
//! A handler that takes a [`Caller`](token::Caller) with `#[utoipa::path]` above it, its name in [`document`], and a line in
//! [`super::routes::ROUTES`] that says which scope it asks for.

pub(super) mod alerts;
mod asked;
pub(super) mod document;
pub(super) mod figures;
pub(super) mod imports;
pub(super) mod problem;
pub(super) mod published;
pub(super) mod token;

/// Every address of the API begins with it.
const PREFIX: &str = "/api";

/// Largest body that incidents may be sent in, in bytes.
pub(super) const LARGEST_IMPORT: usize = 8 * 1024 * 1024;
