//! Answers as such: those in a few words, and what every answer carries.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY,
    VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::render::{Effort, Token, etag, in_coding};

use super::conditional::{self, Precondition};
use super::negotiate;

/// Nothing is loaded but our own style sheet, forms lead to us alone, and no page may frame ours.
///
/// No pictures of others either: whoever reads the page would be made known to all of them.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Puts on what every answer carries.
pub(super) fn guarded(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_MODIFIED {
        // RFC 9111 3.2: of what it has, the client keeps all that this does not name.
        return response;
    }
    let headers = response.headers_mut();
    let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(CONTENT_SECURITY_POLICY, POLICY);
    // An address may carry a token, and no other site should learn what is read here.
    put(REFERRER_POLICY, "no-referrer");
    response
}

/// An answer of ours to a person: no other site's page may embed it.
pub(super) fn page(content_type: &'static str) -> Builder {
    Response::builder().header(CONTENT_TYPE, content_type).header(RESOURCE_POLICY, "same-origin")
}

/// Whom an answer is for.
#[derive(Debug)]
pub(super) enum Audience {
    /// Everybody: caches on the way may keep it.
    Public,
    /// The one who showed a token in a header.
    Subscriber,
    /// The one who showed this token in the address: links must carry it.
    Linked(Token),
}

impl Audience {
    /// RFC 9111 5.2.2.
    pub(super) fn cache_control(&self, max_age: Duration) -> String {
        let whose = if matches!(self, Self::Public) { "public" } else { "private" };
        format!("{whose}, max-age={}", max_age.as_secs())
    }

    /// What links must carry.
    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            Self::Linked(token) => Some(token),
            _ => None,
        }
    }
}

/// For how long a page may be kept: a story more or less does not matter to a person.
const PAGE: Duration = Duration::from_secs(60);

/// A page, or what belongs to it, in the coding that the client likes best; or word that it has it.
pub(super) fn of_text(
    content_type: &'static str,
    text: &str,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    let coding = negotiate::coding(headers);
    let etag = in_coding(&etag(text.as_bytes()), coding);
    let response = page(content_type)
        .header(ETAG, &etag)
        .header(CACHE_CONTROL, audience.cache_control(PAGE))
        .header(VARY, "Accept, Accept-Encoding");
    if conditional::evaluate(headers, &etag, None) == Precondition::NotModified {
        return finish(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    let response = match coding.name() {
        Some(name) => response.header(CONTENT_ENCODING, name),
        None => response,
    };
    finish(response, coding.encode(text.as_bytes(), Effort::Full).into())
}

/// A line of text that is made afresh for every request.
pub(super) fn line(status: StatusCode, text: &'static str) -> Response {
    let response = page("text/plain; charset=utf-8").status(status);
    finish(response.header(CACHE_CONTROL, "no-cache"), text.into())
}

/// A text of this moment: nobody keeps it.
pub(super) fn fresh(
    status: StatusCode,
    content_type: &'static str,
    text: &str,
    headers: &HeaderMap,
) -> Response {
    let coding = negotiate::coding(headers);
    let response = page(content_type)
        .status(status)
        .header(CACHE_CONTROL, "no-store")
        .header(VARY, "Accept, Accept-Encoding");
    let response = match coding.name() {
        Some(name) => response.header(CONTENT_ENCODING, name),
        None => response,
    };
    finish(response, coding.encode(text.as_bytes(), Effort::Full).into())
}

/// What is not there, or may not be seen.
pub(super) fn refused(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => {}
        StatusCode::FORBIDDEN => return line(status, "not for pages of another site\n"),
        _ => return line(status, "there is no such feed here\n"),
    }
    let mut response = line(status, "this token opens no feed here: ask who gave it to you\n");
    // RFC 6750 3.
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// The answer.
pub(super) fn finish(response: Builder, body: Body) -> Response {
    // Only a header value that is none could fail here, and all of them are our own.
    response.body(body).unwrap_or_else(|error| {
        tracing::error!(%error, "a response cannot be made");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
