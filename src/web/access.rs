//! Who may read an output that has a token: pure.
//!
//! A subscriber shows it as `?token=…` or as `Authorization: Bearer …`. Who shows none is told
//! that there is nothing, 404; who shows a wrong one, 401, so that a subscriber whose token was
//! changed learns why. Both are told so of every name, whether or not there is an output of it.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use url::form_urlencoded;

use crate::outputs::ServedOutput;

use super::answer::Audience;

/// What a request may see of one output.
#[derive(Debug)]
pub(super) enum Access<'o> {
    /// All of it.
    Granted(&'o Arc<ServedOutput>, Audience),
    /// Nothing: an answer of this status.
    Refused(StatusCode),
}

/// Judges a request for an output, or for one that is not there.
pub(super) fn judge<'o>(
    output: Option<&'o Arc<ServedOutput>>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Access<'o> {
    let token = output.map(|output| (output, output.token.as_ref()));
    if let Some((output, None)) = token {
        return Access::Granted(output, Audience::Public);
    }
    let in_query = query.and_then(|query| {
        form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token")
    });
    let in_header = headers.get(AUTHORIZATION).map(|value| bearer(value.as_bytes()));
    if let Some((output, Some(token))) = token {
        // RFC 6750 2: one way at a time; the header comes first.
        if in_header.is_some_and(|offered| token.opens(offered)) {
            return Access::Granted(output, Audience::Subscriber);
        }
        if in_query.as_ref().is_some_and(|(_, offered)| token.opens(offered.as_bytes())) {
            return Access::Granted(output, Audience::Linked(token.clone()));
        }
    }
    let offered = in_query.is_some() || in_header.is_some();
    Access::Refused(if offered { StatusCode::UNAUTHORIZED } else { StatusCode::NOT_FOUND })
}

/// The token of `Bearer …`, RFC 6750 2.1; nothing that opens where it is another scheme.
fn bearer(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => b"",
    }
}
