//! What answers to which path; every answer is read-only and carries the same guards.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, LAST_MODIFIED, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;

use crate::publish::{Document, Shelf};

use super::conditional::{self, Precondition};
use super::{negotiate, page};

/// Nothing is loaded but our own style sheet, and no page may frame ours.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Every path there is. GET brings HEAD with it; any other method is a 405 with Allow.
pub(super) fn router(shelf: Arc<Shelf>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/style.css", get(style))
        .route("/healthz", get(health))
        .route("/{file}", get(feed))
        .fallback(|| async { not_found() })
        .with_state(shelf)
        .layer(map_response(guarded))
}

async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn feed(
    State(shelf): State<Arc<Shelf>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    shelf.document(&file).map_or_else(not_found, |document| answer(&document, &headers))
}

/// The document, or word that the client has it.
fn answer(document: &Document, headers: &HeaderMap) -> Response {
    let coding = negotiate::coding(headers);
    let etag = document.etag(coding);
    let precondition = conditional::evaluate(headers, &etag, document.modified);
    // RFC 9110 15.4.5: a 304 repeats what a cache may update by it.
    let response = Response::builder()
        .header(ETAG, etag)
        .header(LAST_MODIFIED, conditional::to_http_date(document.modified))
        .header(CACHE_CONTROL, format!("public, max-age={}", document.max_age.as_secs()))
        .header(VARY, "Accept-Encoding")
        // A feed is public and made to be read by other sites' programs.
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    match (precondition, coding.name()) {
        (Precondition::NotModified, _) => {
            finish(response.status(StatusCode::NOT_MODIFIED), Body::empty())
        }
        (Precondition::Changed, name) => {
            let response = response.header(CONTENT_TYPE, document.content_type);
            let response = match name {
                Some(name) => response.header(CONTENT_ENCODING, name),
                None => response,
            };
            finish(response, document.bytes(coding).into())
        }
    }
}

async fn index(State(shelf): State<Arc<Shelf>>) -> Response {
    match page::index(&shelf.listings()) {
        Ok(html) => finish(text("text/html; charset=utf-8"), html.into()),
        Err(error) => {
            tracing::error!(%error, "the index page cannot be rendered");
            let response = text("text/plain; charset=utf-8");
            finish(response.status(StatusCode::INTERNAL_SERVER_ERROR), "no page\n".into())
        }
    }
}

async fn style() -> Response {
    let response = Response::builder()
        .header(CONTENT_TYPE, "text/css; charset=utf-8")
        .header(CACHE_CONTROL, "public, max-age=3600");
    finish(response, page::STYLE.into())
}

async fn health() -> Response {
    finish(text("text/plain; charset=utf-8"), "ok\n".into())
}

fn not_found() -> Response {
    let response = text("text/plain; charset=utf-8").status(StatusCode::NOT_FOUND);
    finish(response, "there is no such feed here\n".into())
}

/// An answer that is made afresh for every request.
fn text(content_type: &'static str) -> Builder {
    Response::builder().header(CONTENT_TYPE, content_type).header(CACHE_CONTROL, "no-cache")
}

fn finish(response: Builder, body: Body) -> Response {
    // Only a header value that is none could fail here, and all of them are our own.
    response.body(body).unwrap_or_else(|error| {
        tracing::error!(%error, "a response cannot be made");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
