//! Responses with documents of outputs: the whole document, 304, or a delta (RFC 3229).

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, LINK, VARY,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use crate::outputs::ServedOutput;
use crate::render::{Coding, Document, Effort, without_variant};

use super::conditional::{self, Precondition};
use super::negotiate;
use super::response::{Audience, build};

/// The request fields that select the representation at the URL of a document, RFC 9110 12.5.5.
pub(super) const VARIES: &str = "Accept, Accept-Encoding, Sec-Fetch-Mode";

/// The response to a request for a document.
pub(super) fn respond(
    output: &ServedOutput,
    document: &Document,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    let coding = negotiate::coding(headers);
    let tag = document.tag(coding);
    let precondition =
        conditional::evaluate(headers, str::from_utf8(&tag).unwrap_or_default(), document.modified);
    // RFC 9110 15.4.5: a 304 has these headers too.
    let mut response = Response::builder().header(ETAG, shared(tag));
    if let Some(date) = &document.last_modified {
        response = response.header(LAST_MODIFIED, shared(date.clone()));
    }
    if matches!(audience, Audience::Public) {
        // Public feeds may be read by scripts of other sites.
        response = response.header(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if output.deltas
        && precondition == Precondition::Changed
        && let Some(delta) = delta(output, document, headers)
    {
        return partial(with_content(response, output, document, coding), document, &delta, coding);
    }
    response = response
        .header(CACHE_CONTROL, cache_control(document, audience))
        // Browsers get a page at the same URL.
        .header(VARY, HeaderValue::from_static(VARIES));
    if precondition == Precondition::NotModified {
        return build(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    build(with_content(response, output, document, coding), document.bytes(coding).into())
}

/// Whether [`respond`] does not have to compress the document.
pub(super) fn is_ready(document: &Document, headers: &HeaderMap) -> bool {
    let coding = negotiate::coding(headers);
    let tag = document.tag(coding);
    let tag = str::from_utf8(&tag).unwrap_or_default();
    document.is_ready(coding)
        || conditional::evaluate(headers, tag, document.modified) == Precondition::NotModified
}

fn cache_control(document: &Document, audience: &Audience) -> HeaderValue {
    match audience {
        Audience::Public => shared(document.cache_control.clone()),
        other => shared(other.cache_control(document.max_age).into()),
    }
}

/// A header value without a copy, because most responses consist of such values.
fn shared(value: Bytes) -> HeaderValue {
    // All of them are visible ASCII.
    HeaderValue::from_maybe_shared(value).unwrap_or(HeaderValue::from_static(""))
}

fn with_content(
    response: Builder,
    output: &ServedOutput,
    document: &Document,
    coding: Coding,
) -> Builder {
    let mut response = response.header(CONTENT_TYPE, document.content_type);
    if !document.url.is_empty() {
        // RFC 8288, WebSub 4: the same as in the document.
        let separator = if document.url.contains('?') { '&' } else { '?' };
        let token = output.token.as_ref().map(|token| format!("{separator}{}", token.query()));
        let url = format!("{}{}", document.url, token.unwrap_or_default());
        response = response.header(LINK, format!("<{url}>; rel=\"self\""));
    }
    match coding.name() {
        Some(name) => response.header(CONTENT_ENCODING, name),
        None => response,
    }
}

/// The document with only the items that the client does not have; `None` if the client does not
/// accept a delta or its version is unknown.
fn delta(output: &ServedOutput, document: &Document, headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut manipulations = headers.get_all("a-im").iter().filter_map(|line| line.to_str().ok());
    let has_feed = |line: &str| line.split(',').any(is_feed);
    if !manipulations.any(has_feed) {
        return None;
    }
    // A tag names one coding of the document; the items are the same in all.
    let marks = conditional::tags(headers)
        .find_map(|tag| output.marks(document.format, &without_variant(tag)))?;
    document.since(&marks)
}

/// Whether it is `feed` with a weight above 0.
fn is_feed(manipulation: &str) -> bool {
    let (name, weight) = manipulation.split_once(';').unwrap_or((manipulation, ""));
    let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
    name.trim().eq_ignore_ascii_case("feed") && weight.unwrap_or(1.0) > 0.0
}

/// A 226 response, RFC 3229 10.4.1, with the validator of the whole document for the next request.
fn partial(response: Builder, document: &Document, delta: &[u8], coding: Coding) -> Response {
    let response = response
        .status(StatusCode::IM_USED)
        .header("im", "feed")
        // RFC 3229 10.9: a cache that does not know 226 must not store it.
        .header(CACHE_CONTROL, format!("no-store, im, max-age={}", document.max_age.as_secs()))
        .header(VARY, format!("{VARIES}, A-IM, If-None-Match"));
    build(response, coding.encode(delta, Effort::Full).into())
}
