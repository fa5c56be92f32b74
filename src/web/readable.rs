//! Finds the output that a path names, for clients that may read it.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::access::{self, OutputAccess};
use super::response::{Audience, denied};
use super::site::Site;
use crate::outputs::ServedOutput;

/// The output that the parameter `id` of the path names, for a client that may read it.
pub(super) struct Readable {
    pub(super) output: Arc<ServedOutput>,
    pub(super) audience: Audience,
}

impl FromRequestParts<Arc<Site>> for Readable {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let path = RawPathParams::from_request_parts(parts, site).await;
        let path = path.map_err(IntoResponse::into_response)?;
        let id = path.iter().find_map(|(name, id)| (name == "id").then_some(id));
        let output = id.and_then(|id| site.served.output(id));
        match access::authorize(output.as_ref(), parts.uri.query(), &parts.headers) {
            OutputAccess::Denied(status) => Err(denied(status)),
            OutputAccess::Granted(output, audience) => {
                Ok(Self { output: Arc::clone(output), audience })
            }
        }
    }
}
