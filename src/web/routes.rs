//! What answers to which path; every answer is read-only and carries the same guards.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;

use crate::model::ItemKey;
use crate::publish::{Document, Format, StacksError};

use super::access::{self, Access};
use super::answer::{Audience, finish, guarded, line, of_text, page, refused};
use super::negotiate::{self, Wish};
use super::site::Site;
use super::{feed, index, status, stories};

/// All that is served. Cheap to clone, one for each connection.
#[derive(Debug, Clone)]
pub(super) struct App {
    site: Arc<Site>,
    router: Router,
}

impl App {
    /// Serves the site.
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self { router: router(Arc::clone(&site)), site }
    }

    /// The answer to almost every request: a document that is ready, with no router before it and
    /// nothing to wait for. `None`: [`App::routed`] has to answer.
    pub(super) fn at_once<B>(&self, request: &Request<B>) -> Option<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let (file, query) = (request.uri().path().strip_prefix('/')?, request.uri().query());
        document(&self.site, file, query, request.headers()).map(guarded)
    }

    /// Whatever else there is.
    pub(super) fn routed(&self) -> Router {
        self.router.clone()
    }
}

/// Every path there is. GET brings HEAD with it; any other method is a 405 with Allow.
fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/style.css", get(style))
        .route("/healthz", get(health))
        .route("/subscriptions.opml", get(subscriptions))
        .route("/{file}", get(people))
        .route("/{id}/archive/{file}", get(archived))
        .route("/{id}/story/{key}", get(story))
        .merge(status::routes())
        .fallback(|| async { refused(StatusCode::NOT_FOUND) })
        .with_state(site)
        .layer(map_response(async |response| guarded(response)))
}

/// `planet.atom`: the document, unless a person's browser asks for it, or whoever asks may not
/// have it.
fn document(site: &Site, file: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Response> {
    let (id, Some(format)) = named(file) else { return None };
    let listing = site.shelf.listing(id)?;
    let Access::Granted(listing, audience) = access::judge(Some(&listing), query, headers) else {
        return None;
    };
    if listing.stacks.is_some() && negotiate::wish(headers) == Wish::Page {
        return None;
    }
    Some(feed::answer(listing, listing.document(format)?, headers, &audience))
}

/// `planet`, and for browsers `planet.atom`: the page for people.
async fn people(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // A name with an escape in it is as good as one without.
    if let Some(response) = document(&site, &file, query.as_deref(), &headers) {
        return response;
    }
    let (id, format) = named(&file);
    let listing = site.shelf.listing(id);
    let (listing, audience) = match access::judge(listing.as_ref(), query.as_deref(), &headers) {
        Access::Refused(status) => return refused(status),
        Access::Granted(listing, audience) => (listing, audience),
    };
    if format.is_some_and(|format| listing.document(format).is_none()) {
        return refused(StatusCode::NOT_FOUND);
    }
    let (shown, token) = (Arc::clone(listing), audience.token().cloned());
    let question = stories::question(query.as_deref());
    let page = site.ask(listing, move |stacks| {
        stories::page(&shown, stacks, &question, token.as_ref()).map(Some)
    });
    html(page.await, &headers, &audience)
}

/// `planet/archive/7.atom`: a page of the archive.
async fn archived(
    State(site): State<Arc<Site>>,
    Path((id, file)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let listing = site.shelf.listing(&id);
    let (listing, audience) = match access::judge(listing.as_ref(), query.as_deref(), &headers) {
        Access::Refused(status) => return refused(status),
        Access::Granted(listing, audience) => (listing, audience),
    };
    let (number, format) = named(&file);
    // One page has one address: not also `007`, `+7`.
    let number = number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number);
    let Some((number, format)) = number.zip(format) else {
        return refused(StatusCode::NOT_FOUND);
    };
    let found: Result<Option<Arc<Document>>, StacksError> =
        site.ask(listing, move |stacks| stacks.archived(number, format)).await;
    match found {
        Ok(Some(document)) => feed::answer(listing, &document, &headers, &audience),
        Ok(None) => refused(StatusCode::NOT_FOUND),
        Err(error) => failed(&error),
    }
}

/// `planet/story/4711`: one story alone.
async fn story(
    State(site): State<Arc<Site>>,
    Path((id, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let listing = site.shelf.listing(&id);
    let (listing, audience) = match access::judge(listing.as_ref(), query.as_deref(), &headers) {
        Access::Refused(status) => return refused(status),
        Access::Granted(listing, audience) => (listing, audience),
    };
    let Ok(key) = key.parse().map(ItemKey) else { return refused(StatusCode::NOT_FOUND) };
    let (shown, token) = (Arc::clone(listing), audience.token().cloned());
    let page = site.ask(listing, move |stacks| stories::alone(&shown, stacks, key, token.as_ref()));
    html(page.await, &headers, &audience)
}

fn html(
    page: Result<Option<String>, stories::Error>,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    match page {
        Ok(Some(html)) => of_text("text/html; charset=utf-8", &html, headers, audience),
        Ok(None) => refused(StatusCode::NOT_FOUND),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "a page cannot be made");
    line(StatusCode::INTERNAL_SERVER_ERROR, "no page\n")
}

/// `planet.atom`: the output and the format.
fn named(file: &str) -> (&str, Option<Format>) {
    let split = file.rsplit_once('.');
    match split.map(|(id, extension)| (id, Format::from_extension(extension))) {
        Some((id, Some(format))) => (id, Some(format)),
        _ => (file, None),
    }
}

async fn front(State(site): State<Arc<Site>>) -> Response {
    match index::render(&site.shelf.listings()) {
        Ok(html) => {
            let response = page("text/html; charset=utf-8").header(CACHE_CONTROL, "no-cache");
            finish(response, html.into())
        }
        Err(error) => failed(&error),
    }
}

async fn style(headers: HeaderMap) -> Response {
    of_text("text/css; charset=utf-8", index::STYLE, &headers, &Audience::Public)
}

/// The feeds behind the outputs. OPML has no registered media type; this one is what readers know.
async fn subscriptions(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match site.shelf.subscriptions() {
        Some(list) => of_text("text/x-opml; charset=utf-8", &list, &headers, &Audience::Public),
        None => refused(StatusCode::NOT_FOUND),
    }
}

async fn health() -> Response {
    line(StatusCode::OK, "ok\n")
}
