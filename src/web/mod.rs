//! Serves what lies on the shelf over HTTP: the outbound feeds, an index page, a health check.
//!
//! Read-only: GET and HEAD, no state of its own, nothing that a request could change. Rendering
//! and compressing happened before (`publish`); who listens where is for the caller to say.

pub mod samples;
pub mod settings;

mod conditional;
mod negotiate;
mod page;
mod routes;
mod server;

pub use server::serve;
pub use settings::Settings;
