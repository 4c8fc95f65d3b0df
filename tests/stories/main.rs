//! Stories through the public door, on real parts: both databases, real files, a real conversation.

mod access;
mod actions;
mod answers;
mod api;
mod delivery;
mod detect;
mod failpoints;
mod inbox;
mod kill;
mod kill_site;
mod letters;
mod nights;
mod oidc;
mod outage;
mod outbox_model;
mod pictures;
mod published;
mod real;
mod real_server;
mod reporting;
mod reports;
mod rule_files;
mod serve;
mod store;
mod support;
mod trial;
