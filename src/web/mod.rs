//! The site: pages for those responsible, over the store.
//!
//! In: requests of signed-in people. Out: pages that work without a script, data for the map, health.
