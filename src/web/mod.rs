//! Serves outputs over HTTP: their documents and archive pages, and web pages of their items; and
//! for the operator status, metrics, incidents and health.
//!
//! Read-only: GET and HEAD, nothing that a request could change. The documents were rendered and
//! compressed before (`outputs`). The caller decides where to listen.

pub mod samples;
pub mod settings;

mod access;
mod answer;
mod conditional;
mod error;
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
