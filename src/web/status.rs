//! The operator's pages: how all feeds are doing, the same for programs, each feed alone, and the
//! feed of incidents. Plain HTML without scripts; what may be said of a feed is `health`'s.

mod feed;
mod json;
mod overview;
mod plot;
mod question;
mod seen;
mod shape;
mod steps;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use self::question::Question;
use self::seen::Seen;
use super::answer::{Audience, finish, line, of_text, page, refused};
use super::error::Error;
use super::site::Site;
use crate::render::Format;

/// Where the operator's pages are; they are to be put behind the gate.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/status", get(overview))
        .route("/status.json", get(programs))
        .route("/status/{id}", get(alone))
        .route("/health.atom", get(incidents))
}

async fn overview(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let question = Question::of(query.as_deref());
    answer(
        site.seen(move |seen| overview::render(seen, &question).map_err(Error::from)).await,
        HTML,
    )
}

async fn programs(State(site): State<Arc<Site>>) -> Response {
    let made = site.seen(|seen| Ok::<_, Error>(json::render(seen).to_string())).await;
    answer(made, "application/json")
}

async fn alone(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Response {
    let Some(backstage) = site.backstage.clone() else { return refused(StatusCode::NOT_FOUND) };
    let outputs = site.served.outputs();
    let now = backstage.clock.now();
    let made = move || backstage.reader.read(|reader| feed::render(reader, &outputs, &id, now));
    answer(site.off_thread(made).await, HTML)
}

async fn incidents(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match site.incidents() {
        Some(atom) => of_text(Format::Atom.content_type(), &atom, &headers, &Audience::Subscriber),
        None => refused(StatusCode::NOT_FOUND),
    }
}

const HTML: &str = "text/html; charset=utf-8";

impl Site {
    /// Makes a page of all that there is to see; `None` where there is no backstage.
    async fn seen(
        &self,
        make: impl FnOnce(&Seen) -> Result<String, Error> + Send + 'static,
    ) -> Result<Option<String>, Error> {
        let Some(backstage) = self.backstage.clone() else { return Ok(None) };
        let (served, since) = (Arc::clone(&self.served), self.since);
        let work = move || make(&Seen::look(&backstage, &served, since)?).map(Some);
        self.off_thread(work).await
    }
}

fn answer(made: Result<Option<String>, Error>, content_type: &'static str) -> Response {
    match made {
        // As it is at this moment, and nobody else's business.
        Ok(Some(text)) => finish(page(content_type).header(CACHE_CONTROL, "no-store"), text.into()),
        Ok(None) => refused(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "a page for the operator cannot be made");
            line(StatusCode::INTERNAL_SERVER_ERROR, "no page: the log says why\n")
        }
    }
}
