//! The operator pages: `/status`, `/status.json`, one page per feed, and the feed of incidents, which is a page in a
//! browser.
//!
//! Plain HTML without scripts. `health` decides what the pages show about a feed.

mod chart;
mod feed;
mod overview;
mod snapshot;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;

use self::overview::FeedFilter;
use self::snapshot::Snapshot;
use super::base_url::BaseUrl;
use super::negotiate::{self, Representation};
use super::response::{self, Audience, HTML, build, cacheable, error, not_found, same_origin};
use super::site::{Error, Site};
use crate::model::Incident;
use crate::render::Format;
use crate::web::parts::{RemedyParts, Time};

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
        let page = site.with_snapshot(|snapshot| Ok(incidents_page(snapshot)?));
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
    response.headers_mut().insert(VARY, HeaderValue::from_static(response::VARIES));
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

/// Maximum number of resolved incidents that are shown.
const MAX_RESOLVED: usize = 50;

#[derive(Template)]
#[template(path = "incidents.html", config = "src/web/askama.toml")]
struct IncidentsPage {
    root: &'static str,
    /// Open incidents, the latest first.
    open: Vec<ShownIncident>,
    resolved: Vec<ShownIncident>,
    version: &'static str,
}

struct ShownIncident {
    kind: &'static str,
    name: String,
    text: String,
    remedy: RemedyParts,
    /// Start, or for a resolved incident the end.
    at: Time,
}

/// The page of incidents as HTML.
fn incidents_page(snapshot: &Snapshot) -> Result<String, askama::Error> {
    let shown = |incident: &Incident| ShownIncident {
        kind: incident.kind.word(),
        name: incident.name.clone(),
        text: incident.text.clone(),
        remedy: RemedyParts {
            text: incident.remedy.clone(),
            toml: incident.toml.clone().unwrap_or_default(),
            command: String::new(),
        },
        at: Time::new(incident.resolved_at.unwrap_or(incident.since), snapshot.now),
    };
    let (mut open, mut resolved): (Vec<&Incident>, Vec<&Incident>) =
        snapshot.incidents.iter().partition(|incident| incident.resolved_at.is_none());
    open.sort_by_key(|incident| std::cmp::Reverse(incident.since));
    resolved.sort_by_key(|incident| std::cmp::Reverse(incident.resolved_at));
    IncidentsPage {
        root: "",
        open: open.into_iter().map(shown).collect(),
        resolved: resolved.into_iter().take(MAX_RESOLVED).map(shown).collect(),
        version: env!("CARGO_PKG_VERSION"),
    }
    .render()
}
