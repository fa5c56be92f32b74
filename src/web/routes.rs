//! What answers to which path; every answer is read-only and carries the same guards.

use std::sync::Arc;

use axum::Router;
use axum::extract::{self, Extension, Path, RawQuery, State};
use axum::http::header::{ALLOW, CACHE_CONTROL};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;
use url::form_urlencoded;

use crate::model::ItemKey;
use crate::outputs::ServedOutput;
use crate::render::{Document, Format};

use super::access::{self, Access};
use super::answer::{Audience, finish, fresh, guarded, line, of_text, page, refused};
use super::error::Error;
use super::gate::{self, Entrance, Refusal};
use super::negotiate::{self, Wish};
use super::settings::MetricsPage;
use super::site::{Peer, Site};
use super::{feed, index, readiness, scrape, status, stories};

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

    /// The answer to a request that gets no other.
    pub(super) fn refusal<B>(&self, request: &Request<B>, entrance: Entrance) -> Option<Response> {
        let refusal = gate::admit(request, entrance, &self.site.settings()).err()?;
        Some(self.counted(turned_away(refusal)))
    }

    /// The answer to almost every request: a document that is ready, with no router before it and
    /// nothing to wait for. `None`: [`App::routed`] has to answer.
    pub(super) fn at_once<B>(&self, request: &Request<B>) -> Option<Response> {
        let (file, query) = (request.uri().path().strip_prefix('/')?, request.uri().query());
        let headers = request.headers();
        let granted = document(&self.site, file, query, headers)?;
        // Compressing takes milliseconds: not on this thread.
        let ready = feed::is_ready(&granted.document, headers);
        ready.then(|| self.counted(granted.answer(headers)))
    }

    /// A connection ended in a panic.
    pub(super) fn panicked(&self) {
        self.site.panicked();
    }

    fn counted(&self, response: Response) -> Response {
        counted(&self.site, guarded(response))
    }

    /// Whatever else there is.
    pub(super) fn routed(&self) -> Router {
        self.router.clone()
    }
}

/// Every path there is. GET brings HEAD with it; no other method comes so far.
fn router(site: Arc<Site>) -> Router {
    let behind_gate = from_fn_with_state(Arc::clone(&site), behind_gate);
    let counting = Arc::clone(&site);
    Router::new()
        .route("/", get(front))
        .route("/style.css", get(style))
        .route("/healthz", get(async || readiness::alive()))
        .route("/readyz", get(ready))
        .route("/subscriptions.opml", get(subscriptions))
        .route("/{file}", get(people))
        .route("/{id}/archive/{file}", get(archived))
        .route("/{id}/story/{key}", get(story))
        .merge(backstage().route_layer(behind_gate))
        .fallback(|| async { refused(StatusCode::NOT_FOUND) })
        .with_state(site)
        .layer(map_response(move |response| {
            let answer = counted(&counting, guarded(response));
            async { answer }
        }))
}

fn counted(site: &Site, response: Response) -> Response {
    if let Some(backstage) = &site.backstage {
        backstage.metrics.answered(response.status().as_u16());
    }
    response
}

/// The operator's pages: nothing that is put in here can be had past the gate.
fn backstage() -> Router<Arc<Site>> {
    status::routes().route("/metrics", get(metrics))
}

async fn behind_gate(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    request: extract::Request,
    next: Next,
) -> Response {
    match gate::backstage(&request, peer, &site.settings()) {
        Ok(()) => next.run(request).await,
        Err(status) => refused(status),
    }
}

fn turned_away(refusal: Refusal) -> Response {
    match refusal {
        Refusal::NoHost => line(StatusCode::BAD_REQUEST, "a request names one host\n"),
        // RFC 9110 15.5.20.
        Refusal::Stranger => line(
            StatusCode::MISDIRECTED_REQUEST,
            "this server does not go by that name: its operator may add it to hosts in [web]\n",
        ),
        Refusal::Method => {
            let mut response = line(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            // RFC 9110 15.5.6.
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    }
}

/// A document that the client may have.
struct Granted {
    output: Arc<ServedOutput>,
    document: Arc<Document>,
    audience: Audience,
}

impl Granted {
    fn answer(&self, headers: &HeaderMap) -> Response {
        feed::answer(&self.output, &self.document, headers, &self.audience)
    }
}

/// `planet.atom`: the document; `None` for browsers, which get a page, and for clients that may not
/// have it.
fn document(site: &Site, file: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Granted> {
    let (id, Some(format)) = named(file) else { return None };
    let output = site.served.output(id)?;
    let Access::Granted(output, audience) = access::judge(Some(&output), query, headers) else {
        return None;
    };
    if output.contents.is_some() && negotiate::wish(headers) == Wish::Page {
        return None;
    }
    let (output, document) = (Arc::clone(output), Arc::clone(output.document(format)?));
    Some(Granted { output, document, audience })
}

/// `planet`, and for browsers `planet.atom`: the page for people.
async fn people(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // A name with an escape in it is as good as one without.
    if let Some(granted) = document(&site, &file, query.as_deref(), &headers) {
        if !feed::is_ready(&granted.document, &headers) {
            let (document, coding) = (Arc::clone(&granted.document), negotiate::coding(&headers));
            // It cannot fail; after a panic the answer tries again, and is counted as one.
            drop(tokio::task::spawn_blocking(move || document.bytes(coding)).await);
        }
        return granted.answer(&headers);
    }
    let (id, format) = named(&file);
    let output = site.served.output(id);
    let (output, audience) = match access::judge(output.as_ref(), query.as_deref(), &headers) {
        Access::Refused(status) => return refused(status),
        Access::Granted(output, audience) => (output, audience),
    };
    if format.is_some_and(|format| output.document(format).is_none()) {
        return refused(StatusCode::NOT_FOUND);
    }
    let (shown, token) = (Arc::clone(output), audience.token().cloned());
    let asked = stories::query(query.as_deref());
    let page = site.ask(output, move |contents| {
        stories::page(&shown, contents, &asked, token.as_ref()).map(Some)
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
    let output = site.served.output(&id);
    let (output, audience) = match access::judge(output.as_ref(), query.as_deref(), &headers) {
        Access::Refused(status) => return refused(status),
        Access::Granted(output, audience) => (output, audience),
    };
    let (number, format) = named(&file);
    // One page has one address: not also `007`, `+7`.
    let number = number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number);
    let Some((number, format)) = number.zip(format) else {
        return refused(StatusCode::NOT_FOUND);
    };
    let found = site.ask(output, move |contents| Ok(contents.archive_page(number, format)?));
    match found.await {
        Ok(Some(document)) => feed::answer(output, &document, &headers, &audience),
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
    let output = site.served.output(&id);
    let (output, audience) = match access::judge(output.as_ref(), query.as_deref(), &headers) {
        Access::Refused(status) => return refused(status),
        Access::Granted(output, audience) => (output, audience),
    };
    let Ok(key) = key.parse().map(ItemKey) else { return refused(StatusCode::NOT_FOUND) };
    let (shown, token) = (Arc::clone(output), audience.token().cloned());
    let page =
        site.ask(output, move |contents| stories::alone(&shown, contents, key, token.as_ref()));
    html(page.await, &headers, &audience)
}

fn html(page: Result<Option<String>, Error>, headers: &HeaderMap, audience: &Audience) -> Response {
    match page {
        Ok(Some(html)) => of_text("text/html; charset=utf-8", &html, headers, audience),
        Ok(None) => refused(StatusCode::NOT_FOUND),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Response {
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
    match index::render(&site.served.outputs()) {
        Ok(html) => {
            let response = page("text/html; charset=utf-8").header(CACHE_CONTROL, "no-cache");
            finish(response, html.into())
        }
        Err(error) => failed(&error.into()),
    }
}

async fn style(headers: HeaderMap) -> Response {
    of_text("text/css; charset=utf-8", index::STYLE, &headers, &Audience::Public)
}

/// The feeds behind the outputs. OPML has no registered media type; this one is what readers know.
async fn subscriptions(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match site.served.subscriptions() {
        Some(list) => of_text("text/x-opml; charset=utf-8", &list, &headers, &Audience::Public),
        None => refused(StatusCode::NOT_FOUND),
    }
}

/// Whether newswire is of use; all that is known of it is for the operator.
async fn ready(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    request: extract::Request,
) -> Response {
    let Some(backstage) = &site.backstage else { return refused(StatusCode::NOT_FOUND) };
    let now = backstage.clock.elapsed();
    let asked = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    if !asked.into_iter().any(|(name, _)| name == "verbose") {
        return readiness::ready(&backstage.vitals, now, request.headers());
    }
    match gate::backstage(&request, peer, &site.settings()) {
        Ok(()) => readiness::verbose(&backstage.vitals, now, request.headers()),
        Err(status) => refused(status),
    }
}

/// What is counted, and how all is now.
async fn metrics(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let wanted = site.settings().metrics;
    let Some(backstage) = site.backstage.as_ref().filter(|_| wanted != MetricsPage::Off) else {
        return refused(StatusCode::NOT_FOUND);
    };
    let (reader, served) = (backstage.reader.clone(), Arc::clone(&site.served));
    let now = backstage.clock.now();
    let sample = site.off_thread(move || scrape::sample(&reader, &served, wanted, now));
    match sample.await {
        Ok(sample) => {
            let exposition = scrape::exposition(&headers);
            let text = backstage.metrics.encode(exposition, &sample);
            fresh(StatusCode::OK, exposition.content_type(), &text, &headers)
        }
        Err(error) => failed(&error),
    }
}
