//! The operator pages: `/status`, `/status.json`, one page per feed, and the feed of incidents.
//!
//! Plain HTML without scripts. `health` decides what the pages show about a feed.

mod chart;
mod feed;
mod filter;
mod incidents;
mod overview;
mod snapshot;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;

use self::filter::FeedFilter;
use self::snapshot::Snapshot;
use super::base_url::BaseUrl;
use super::document;
use super::negotiate::{self, Representation};
use super::response::{Audience, HTML, build, cacheable, error, not_found, same_origin};
use super::site::{Error, Site};
use crate::render::Format;

/// The routes of these pages, without access control.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/status", get(overview))
        .route("/status.json", get(status_json))
        .route("/status/{id}", get(feed))
        .route("/health.atom", get(incidents))
}

async fn overview(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let filter = FeedFilter::parse(query.as_deref());
    let page = site.with_snapshot(move |snapshot| Ok(overview::render(snapshot, &filter)?));
    respond(page.await, HTML)
}

async fn status_json(State(site): State<Arc<Site>>) -> Response {
    let json = site.with_snapshot(|snapshot| Ok(snapshot.to_json().to_string()));
    respond(json.await, "application/json")
}

async fn feed(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Response {
    let Some(pages) = site.operator_pages.clone() else { return not_found() };
    let outputs = site.served.outputs();
    let now = pages.clock.now();
    let page = site
        .off_thread(move || pages.reader.read(|reader| feed::render(reader, &outputs, &id, now)));
    respond(page.await, HTML)
}

async fn incidents(
    State(site): State<Arc<Site>>,
    Extension(base): Extension<BaseUrl>,
    headers: HeaderMap,
) -> Response {
    if negotiate::representation(&headers) == Representation::Page {
        let page = site.with_snapshot(|snapshot| Ok(incidents::render(snapshot)?));
        return varying(respond(page.await, HTML));
    }
    match site.incidents(&base) {
        Some(atom) => {
            varying(cacheable(Format::Atom.content_type(), &atom, &headers, &Audience::Subscriber))
        }
        None => not_found(),
    }
}

/// Marks a response at a URL that has a page for browsers and a feed for others.
fn varying(mut response: Response) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static(document::VARIES));
    response
}

impl Site {
    /// Renders a text from a snapshot of now; `None` if there are no operator pages.
    async fn with_snapshot(
        &self,
        render: impl FnOnce(&Snapshot) -> Result<String, Error> + Send + 'static,
    ) -> Result<Option<String>, Error> {
        let Some(pages) = self.operator_pages.clone() else { return Ok(None) };
        let (served, started_at) = (Arc::clone(&self.served), self.started_at);
        let today = self.subscribers();
        let work = move || render(&Snapshot::read(&pages, (&served, started_at), today)?).map(Some);
        self.off_thread(work).await
    }
}

fn respond(text: Result<Option<String>, Error>, content_type: &'static str) -> Response {
    match text {
        Ok(Some(text)) => {
            build(same_origin(content_type).header(CACHE_CONTROL, "no-store"), text.into())
        }
        Ok(None) => not_found(),
        Err(why) => {
            tracing::error!(error = %why, "cannot render an operator page");
            error(StatusCode::INTERNAL_SERVER_ERROR, "internal server error: see the log\n")
        }
    }
}
