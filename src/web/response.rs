//! Responses: short texts, pages and pictures, the documents of outputs (whole, as 304 or as a delta, RFC 3229), and the
//! headers that every response has.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, LAST_MODIFIED, LINK, LOCATION, REFERRER_POLICY, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::general_pages::Plain;
use super::negotiate::{self, Precondition};
use crate::outputs::ServedOutput;
use crate::render::{
    Coding, Document, Effort, Images, Logo, Token, etag, in_coding, without_variant,
};

/// `Content-Type` of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// `Content-Type` of plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// Pages load only the style sheet of this server, send forms only to it, and cannot be framed. They load
/// no pictures of other sites, which would learn who reads the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// The policy of the pages of an output: sounds and films may be loaded, which happens when the reader plays them.
const PLAYER_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
                             media-src https: http:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// As [`PLAYER_POLICY`], and pictures of other sites are loaded.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' https: http:; \
                              media-src https: http:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A picture needs nothing, even if it is opened as a page.
const IMAGE_POLICY: &str = "default-src 'none'; sandbox";
/// Freshness lifetime of copies of images.
const IMAGE_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Freshness lifetime of the picture for an image that cannot be shown.
const NO_IMAGE_MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// Shown instead of an image that cannot be shown. Browsers show the pictures of error responses.
const NO_IMAGE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 36\" width=\"48\" height=\"36\" \
    fill=\"none\" stroke=\"#888\" stroke-width=\"2\"><rect x=\"7\" y=\"6\" width=\"34\" height=\"24\" rx=\"3\"/>\
    <path d=\"m8 27 10-9 7 6 6-5 9 8\"/><circle cx=\"30\" cy=\"13\" r=\"2.5\"/></svg>\n";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Freshness lifetime of story pages.
const PAGE_MAX_AGE: Duration = Duration::from_secs(60);

/// Adds the headers that every response has.
pub(super) fn with_security_headers(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_MODIFIED {
        // RFC 9111 3.2: the client keeps the stored headers that a 304 does not have.
        return response;
    }
    let headers = response.headers_mut();
    let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    // URLs may contain a token, and other sites must not learn what is read here.
    put(REFERRER_POLICY, "no-referrer");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    response
}

/// The policy of a page of an output.
fn policy(images: Images) -> &'static str {
    match images {
        Images::Link | Images::Proxy => PLAYER_POLICY,
        Images::Direct => PICTURE_POLICY,
    }
}

/// The policy of a page of an output in a file. Only a server can forbid that other sites frame a page.
pub(super) fn page_policy(images: Images) -> String {
    policy(images)
        .replace("form-action 'self'", "form-action 'none'")
        .replace("frame-ancestors 'none'; ", "")
}

/// The page of an output, which may load media of other sites.
pub(super) fn with_media(mut response: Response, images: Images) -> Response {
    if response.status() == StatusCode::OK {
        let policy = HeaderValue::from_static(policy(images));
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A response that pages of other sites cannot embed.
pub(super) fn same_origin(content_type: &'static str) -> Builder {
    Response::builder().header(CONTENT_TYPE, content_type).header(RESOURCE_POLICY, "same-origin")
}

/// Who may see a response.
#[derive(Debug)]
pub(super) enum Audience {
    /// All clients; shared caches may store it.
    Public,
    /// The client alone: it sent a token in a header, or is a browser that gets a page at the URL of a document.
    Subscriber,
    /// The client that sent this token in the URL: links must contain it.
    Linked(Token),
}

impl Audience {
    /// The value of `Cache-Control`, RFC 9111 5.2.2.
    pub(super) fn cache_control(&self, max_age: Duration) -> String {
        let scope = if matches!(self, Self::Public) { "public" } else { "private" };
        format!("{scope}, max-age={}", max_age.as_secs())
    }

    /// The token that links must contain.
    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            Self::Linked(token) => Some(token),
            _ => None,
        }
    }
}

/// A page or another text with a validator, or 304 if the client has it.
pub(super) fn cacheable(
    content_type: &'static str,
    text: &str,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    let coding = negotiate::coding(headers);
    let etag = in_coding(&etag(text.as_bytes()), coding);
    let response = same_origin(content_type)
        .header(ETAG, &etag)
        .header(CACHE_CONTROL, audience.cache_control(PAGE_MAX_AGE))
        .header(VARY, "Accept-Encoding");
    if negotiate::precondition(headers, &etag, None) == Precondition::NotModified {
        return build(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    encoded(response, text, headers)
}

/// A picture with a validator, or 304 if the client has it.
pub(super) fn picture(logo: &Logo, headers: &HeaderMap, audience: &Audience) -> Response {
    let etag = etag(&logo.bytes);
    let response = same_origin(logo.media_type)
        .header(ETAG, &etag)
        .header(CACHE_CONTROL, audience.cache_control(PAGE_MAX_AGE));
    if negotiate::precondition(headers, &etag, None) == Precondition::NotModified {
        return build(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    build(response, Body::from(logo.bytes.to_vec()))
}

/// A copy of an image with a validator, or 304 if the client has it.
pub(super) fn image_copy(
    (bytes, media_type): (Vec<u8>, &'static str),
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    let etag = etag(&bytes);
    let response = same_origin(media_type)
        .header(ETAG, &etag)
        .header(CONTENT_SECURITY_POLICY, IMAGE_POLICY)
        .header(CACHE_CONTROL, audience.cache_control(IMAGE_MAX_AGE));
    if negotiate::precondition(headers, &etag, None) == Precondition::NotModified {
        return build(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    build(response, bytes.into())
}

/// The picture for an image that cannot be shown: 404, or 503 for one that is not there yet.
pub(super) fn no_image(status: StatusCode, audience: &Audience) -> Response {
    let cache = match status {
        StatusCode::NOT_FOUND => audience.cache_control(NO_IMAGE_MAX_AGE),
        _ => "no-store".to_owned(),
    };
    let response = same_origin("image/svg+xml")
        .status(status)
        .header(CONTENT_SECURITY_POLICY, IMAGE_POLICY)
        .header(CACHE_CONTROL, cache);
    build(response, NO_IMAGE.into())
}

/// A permanent redirect to the URL with the final slash. `location` is relative.
pub(super) fn moved(location: &str, audience: &Audience) -> Response {
    redirect(StatusCode::PERMANENT_REDIRECT, location, audience)
}

/// A redirect to a URL that may change again. `location` is relative.
pub(super) fn moved_for_now(location: &str, audience: &Audience) -> Response {
    redirect(StatusCode::TEMPORARY_REDIRECT, location, audience)
}

fn redirect(status: StatusCode, location: &str, audience: &Audience) -> Response {
    let response = same_origin(TEXT)
        .status(status)
        .header(LOCATION, location)
        .header(CACHE_CONTROL, audience.cache_control(PAGE_MAX_AGE));
    build(response, Body::empty())
}

/// A text that no cache stores.
pub(super) fn uncached(
    status: StatusCode,
    content_type: &'static str,
    text: &str,
    headers: &HeaderMap,
) -> Response {
    let response = same_origin(content_type)
        .status(status)
        .header(CACHE_CONTROL, "no-store")
        .header(VARY, "Accept, Accept-Encoding");
    encoded(response, text, headers)
}

/// Completes a response with the text in the coding that the client prefers.
fn encoded(response: Builder, text: &str, headers: &HeaderMap) -> Response {
    let coding = negotiate::coding(headers);
    let response = match coding.name() {
        Some(name) => response.header(CONTENT_ENCODING, name),
        None => response,
    };
    build(response, coding.encode(text.as_bytes(), Effort::Full).into())
}

/// A line of plain text, which caches must revalidate.
pub(super) fn line(status: StatusCode, text: &'static str) -> Response {
    let response = same_origin(TEXT).status(status);
    build(response.header(CACHE_CONTROL, "no-cache"), text.into())
}

/// A line of plain text about an error, instead of which browsers get a page.
pub(super) fn error(status: StatusCode, text: &'static str) -> Response {
    let mut response = line(status, text);
    response.extensions_mut().insert(Plain);
    response
}

/// A response 404 without details.
pub(super) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "not found\n")
}

/// The response to a request without access: 401, 403, or for any other status 404.
pub(super) fn denied(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => {}
        StatusCode::FORBIDDEN => return error(status, "forbidden for requests from other sites\n"),
        _ => return not_found(),
    }
    let mut response = error(status, "the token is not valid: ask its sender for a new one\n");
    // RFC 6750 3.
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// The complete response; 500 if a header is invalid.
pub(super) fn build(response: Builder, body: Body) -> Response {
    // Fails only for invalid header values, and all of them come from newswire.
    response.body(body).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot build a response");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// The request fields that select the representation at the URL of a document, RFC 9110 12.5.5.
pub(super) const VARIES: &str = "Accept, Accept-Encoding, Sec-Fetch-Mode";

/// The response to a request for a document.
pub(super) fn document(
    output: &ServedOutput,
    document: &Document,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    let coding = negotiate::coding(headers);
    let tag = document.tag(coding);
    let precondition = negotiate::precondition(
        headers,
        str::from_utf8(&tag).unwrap_or_default(),
        document.modified,
    );
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
        return delta_response(
            with_content(response, output, document, coding),
            document,
            &delta,
            coding,
        );
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

/// Whether [`document`] does not have to compress the document.
pub(super) fn is_ready(document: &Document, headers: &HeaderMap) -> bool {
    let coding = negotiate::coding(headers);
    let tag = document.tag(coding);
    let tag = str::from_utf8(&tag).unwrap_or_default();
    document.is_ready(coding)
        || negotiate::precondition(headers, tag, document.modified) == Precondition::NotModified
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
    let marks = negotiate::tags(headers)
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
fn delta_response(
    response: Builder,
    document: &Document,
    delta: &[u8],
    coding: Coding,
) -> Response {
    let response = response
        .status(StatusCode::IM_USED)
        .header("im", "feed")
        // RFC 3229 10.9: a cache that does not know 226 must not store it.
        .header(CACHE_CONTROL, format!("no-store, im, max-age={}", document.max_age.as_secs()))
        .header(VARY, format!("{VARIES}, A-IM, If-None-Match"));
    build(response, coding.encode(delta, Effort::Full).into())
}
