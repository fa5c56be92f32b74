//! The web server: documents of outputs, pages of their stories, and for the operator status, metrics,
//! incidents and health.
//!
//! It answers GET and HEAD alone, and no request changes anything but copies of images. `outputs` has rendered the documents
//! before; the caller passes the listeners. Start reading in `routes`.

pub mod samples;
pub mod settings;

mod access;
mod base_url;
mod filters;
mod general_pages;
mod images;
mod links;
mod monitoring;
mod negotiate;
mod parts;
mod readable;
mod response;
mod routes;
mod server;
mod site;
mod static_site;
mod status;
mod stories;
mod subscribers;

pub use images::{FeedRequests, ImageProxy, ImageRequests};
pub use monitoring::readiness_lines;
pub use server::{Listener, serve};
pub use settings::{ListenAddress, ListenAddressError, MetricsPage, Settings, StatusPages};
pub use site::{OperatorPages, Peer, Site};
pub use static_site::StaticSites;
