//! Serves what lies on the shelf over HTTP: the outbound feeds and their archives, and pages for
//! people; and to the operator how it goes: status, metrics, incidents, health.
//!
//! Read-only: GET and HEAD, nothing that a request could change. The documents were rendered and
//! compressed before (`publish`); who listens where is for the caller to say.

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
