//! Serves what lies on the shelf over HTTP: the outbound feeds and their archives, pages for people,
//! a health check.
//!
//! Read-only: GET and HEAD, no state of its own, nothing that a request could change. Rendering
//! and compressing happened before (`publish`); who listens where is for the caller to say.

pub mod samples;
pub mod settings;

mod access;
mod answer;
mod conditional;
mod feed;
mod gate;
mod index;
mod negotiate;
mod readiness;
mod routes;
mod scrape;
mod server;
mod site;
mod status;
mod stories;

pub use server::{Listener, serve};
pub use settings::{MetricsPage, Settings, StatusPages};
pub use site::{Backstage, Peer, Site};
