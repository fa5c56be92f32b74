//! Which path is answered by which function.
//!
//! Start reading at [`App`]: most requests are answered by [`App::document`] without the router.

use std::sync::Arc;

use axum::Router;
use axum::extract::{self, Extension, Path, RawQuery, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;
use url::form_urlencoded;

use crate::model::ItemKey;
use crate::outputs::ServedOutput;
use crate::render::{Document, Format, Images, Token, story as item};

use super::access::{self, LocalEnd, OutputAccess, Rejection};
use super::base_url::{self, BaseUrl, Place, Proxy};
use super::general_pages::{self, Notices};
use super::images::{ItemImage, Unavailable, Variant, image_name, image_url};
use super::links::{self, Target};
use super::negotiate::{self, Representation};
use super::readable::Readable;
use super::response::{
    Audience, HTML, build, cacheable, denied, image_copy, line, moved, moved_for_now, no_image,
    not_found, picture, same_origin, uncached, with_media, with_security_headers,
};
use super::settings::MetricsPage;
use super::site::{Error, Peer, Site};
use super::stories::{Links, StoryAddress};
use super::{monitoring, response, status, stories};

/// The answers of a site. Cheap to clone, one for each connection.
#[derive(Debug, Clone)]
pub(super) struct App {
    site: Arc<Site>,
    router: Router,
}

impl App {
    /// The answers of `site`.
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self { router: router(Arc::clone(&site)), site }
    }

    /// The response to a request that is rejected whatever its path; `None`: it is not.
    pub(super) fn rejection<B>(&self, request: &Request<B>, local: LocalEnd) -> Option<Response> {
        let rejection = access::admit(request, local, &self.site.settings()).err()?;
        Some(finished(&self.site, rejected(rejection)))
    }

    /// Removes the path of `public_url` from the target, if a proxy has not done it. Returns the response to a
    /// request without the last slash of it.
    pub(super) fn remove_prefix<B>(&self, request: &mut Request<B>) -> Option<Response> {
        let settings = self.site.settings();
        let prefix = settings.prefix()?;
        let is_output = |id: &str| self.site.served.output(id).is_some();
        let known = (prefix, Proxy::of(request.headers(), prefix));
        let inside = match base_url::place(request.uri().path(), known, is_output) {
            Place::Unchanged => return None,
            Place::WithoutSlash(name) => {
                return Some(finished(&self.site, moved(&format!("{name}/"), &Audience::Public)));
            }
            Place::Inside(path) => match request.uri().query() {
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            },
        };
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = inside.parse().ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
        None
    }

    /// The response to a request for a document that is ready, without the router and without
    /// waiting. `None`: [`App::router`] has to answer.
    pub(super) fn document<B>(&self, request: &Request<B>, peer: Peer) -> Option<Response> {
        let (file, query) = (request.uri().path().strip_prefix('/')?, request.uri().query());
        let headers = request.headers();
        let requested = requested_document(&self.site, file, query, headers)?;
        let base = self.base_url(request);
        let document = self.site.variants.find(&requested.output, &requested.document, &base)?;
        // Compressing takes milliseconds, too long for this thread.
        let ready = response::is_ready(&document, headers);
        ready.then(|| {
            self.site.count_subscriber(
                (&requested.output.id, document.format),
                Some(peer),
                headers,
            );
            finished(&self.site, requested.respond(&document, headers))
        })
    }

    /// The URL of the server that a request was sent to.
    pub(super) fn base_url<B>(&self, request: &Request<B>) -> BaseUrl {
        access::base_url(request, &self.site.settings())
    }

    /// Records that a connection ended in a panic.
    pub(super) fn count_panic(&self) {
        self.site.count_panic();
    }

    /// The router for all other requests.
    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }
}

/// All paths. GET includes HEAD; other methods were rejected before.
fn router(site: Arc<Site>) -> Router {
    let operator_only = from_fn_with_state(Arc::clone(&site), operator_only);
    let operator_pages = status::routes().route("/metrics", get(metrics));
    let shared = Arc::clone(&site);
    Router::new()
        .route("/", get(index))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .route("/healthz", get(async || monitoring::alive()))
        .route("/readyz", get(ready))
        .route("/subscriptions.opml", get(subscriptions))
        .route("/{file}", get(output))
        .route("/{id}/", get(page))
        .route("/{id}/theme.css", get(theme_style))
        .route("/{id}/logo", get(logo))
        .route("/{id}/archive/{file}", get(archive_page))
        .route("/{id}/{file}", get(static_page))
        .route("/{id}/feed/{file}", get(static_page))
        .route("/{id}/tag/{file}", get(static_page))
        .route("/{id}/story/{key}", get(story))
        .route("/{id}/image/{key}/{name}", get(full_image))
        .route("/{id}/thumbnail/{key}/{name}", get(thumbnail))
        .merge(operator_pages.route_layer(operator_only))
        .fallback(|| async { not_found() })
        .with_state(Arc::clone(&site))
        .layer(from_fn_with_state(site, general_pages::with_error_page))
        .layer(map_response(move |response| {
            let response = finished(&shared, response);
            async { response }
        }))
}

/// The response as it is sent; counts it.
fn finished(site: &Site, response: Response) -> Response {
    site.count_response(response.status().as_u16());
    with_security_headers(response)
}

/// Passes requests that may see the operator pages, and denies all others.
async fn operator_only(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    request: extract::Request,
    next: Next,
) -> Response {
    match access::admit_operator(&request, peer, &site.settings()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            site.log_refusal(peer, refusal);
            denied(refusal.status())
        }
    }
}

fn rejected(rejection: Rejection) -> Response {
    match rejection {
        Rejection::NoHost => line(StatusCode::BAD_REQUEST, "the request must name one host\n"),
        // RFC 9110 15.5.20.
        Rejection::UnknownHost => line(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown host name: the operator can add it to 'hosts' in [web]\n",
        ),
        // RFC 9110 15.5.15.
        Rejection::LongTarget => line(StatusCode::URI_TOO_LONG, "the URL is too long\n"),
        Rejection::Method => {
            let mut response =
                line(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n");
            // RFC 9110 15.5.6.
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    }
}

/// A document that the client may read.
struct RequestedDocument {
    output: Arc<ServedOutput>,
    document: Arc<Document>,
    audience: Audience,
}

impl RequestedDocument {
    fn respond(&self, variant: &Document, headers: &HeaderMap) -> Response {
        response::document(&self.output, variant, headers, &self.audience)
    }
}

/// The document of `planet.atom`; `None` for browsers, which get a page, and for clients that may not
/// read it.
fn requested_document(
    site: &Site,
    file: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Option<RequestedDocument> {
    let (id, Some(format)) = split_file_name(file) else { return None };
    let output = site.served.output(id)?;
    let access = access::authorize(Some(&output), query, headers);
    let OutputAccess::Granted(output, audience) = access else { return None };
    let is_filtered = || links::query_of(query).is_filter();
    if output.contents.is_some()
        && (negotiate::representation(headers) == Representation::Page || is_filtered())
    {
        return None;
    }
    let (output, document) = (Arc::clone(output), Arc::clone(output.document(format)?));
    Some(RequestedDocument { output, document, audience })
}

/// `planet.atom`: the document, in a browser the page of stories. `planet`: a redirect to the page.
async fn output(
    State(site): State<Arc<Site>>,
    (Extension(base), Extension(peer)): (Extension<BaseUrl>, Extension<Peer>),
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(requested) = requested_document(&site, &file, query.as_deref(), &headers) {
        let document = (&*requested.output.id, requested.document.format);
        site.count_subscriber(document, Some(peer), &headers);
        return document_response(site, requested, base, &headers).await;
    }
    let (id, format) = split_file_name(&file);
    let output = site.served.output(id);
    let (output, audience) = match access::authorize(output.as_ref(), query.as_deref(), &headers) {
        OutputAccess::Denied(status) => return denied(status),
        OutputAccess::Granted(output, audience) => (output, audience),
    };
    if output.contents.is_none() {
        return not_found();
    }
    let Some(format) = format else {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        return moved(&format!("{id}/{query}"), &audience);
    };
    if output.document(format).is_none() {
        return not_found();
    }
    if negotiate::representation(&headers) == Representation::Feed {
        site.count_subscriber((&output.id, format), Some(peer), &headers);
        let (query, shared) = (links::query_of(query.as_deref()), Arc::clone(&site));
        let shown = Arc::clone(output);
        let found = site.query(output, move |contents| {
            let document = contents.filtered(&query, format)?;
            Ok(document.map(|document| shared.variants.make(&shown, &document, &base)))
        });
        return found_document(found.await, output, &headers, &audience);
    }
    // The page at the URL of a document is for this client alone: a shared cache would send it to feed readers.
    let audience = match audience {
        Audience::Public => Audience::Subscriber,
        other => other,
    };
    let links = Links {
        root: "",
        base,
        token: audience.token().cloned(),
        images: site.images(),
        target: Target::Server,
    };
    let page = stories_page(&site, output, query.as_deref(), links).await;
    let mut response = page_response(page, output, &headers, &audience);
    response.headers_mut().insert(VARY, HeaderValue::from_static(response::VARIES));
    response
}

/// The response with a document that was not ready, or whose name is percent-encoded.
async fn document_response(
    site: Arc<Site>,
    requested: RequestedDocument,
    base: BaseUrl,
    headers: &HeaderMap,
) -> Response {
    let (output, document) = (Arc::clone(&requested.output), Arc::clone(&requested.document));
    let coding = negotiate::coding(headers);
    let shared = Arc::clone(&site);
    let work = move || {
        let variant = shared.variants.make(&output, &document, &base);
        drop(variant.bytes(coding));
        variant
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(variant) => requested.respond(&variant, headers),
        Err(error) => {
            site.count_panic();
            failed(&Error::Panicked(error.to_string()))
        }
    }
}

/// `planet/`: the page of stories.
async fn page(
    State(site): State<Arc<Site>>,
    Extension(base): Extension<BaseUrl>,
    Readable { output, audience }: Readable,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let links = Links {
        root: "../",
        base,
        token: audience.token().cloned(),
        images: site.images(),
        target: Target::Server,
    };
    let page = stories_page(&site, &output, query.as_deref(), links).await;
    page_response(page, &output, &headers, &audience)
}

/// The page of stories as HTML; `None`: the output has documents only.
async fn stories_page(
    site: &Site,
    output: &Arc<ServedOutput>,
    query: Option<&str>,
    links: Links,
) -> Result<Option<String>, Error> {
    let (shown, query) = (Arc::clone(output), links::query_of(query));
    site.query(output, move |contents| stories::page(&shown, contents, &query, &links).map(Some))
        .await
}

/// `planet/archive/7.atom`: an archive page.
async fn archive_page(
    State(site): State<Arc<Site>>,
    Extension(base): Extension<BaseUrl>,
    Readable { output, audience }: Readable,
    Path((_, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (number, format) = split_file_name(&file);
    // Each archive page has one URL: `007` and `+7` have none.
    let number = number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number);
    let Some((number, format)) = number.zip(format) else { return not_found() };
    let (shared, shown) = (Arc::clone(&site), Arc::clone(&output));
    let found = site.query(&output, move |contents| {
        let document = contents.archive_page(number, format)?;
        Ok(document.map(|document| shared.variants.make(&shown, &document, &base)))
    });
    found_document(found.await, &output, &headers, &audience)
}

/// The response with a document that was made for this request.
fn found_document(
    found: Result<Option<Arc<Document>>, Error>,
    output: &ServedOutput,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    match found {
        Ok(Some(document)) => response::document(output, &document, headers, audience),
        Ok(None) => not_found(),
        Err(error) => failed(&error),
    }
}

/// `planet/story/4711`: the page of one story.
async fn story(
    State(site): State<Arc<Site>>,
    Extension(base): Extension<BaseUrl>,
    Readable { output, audience }: Readable,
    Path((_, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    // The names of the pages of a static site lead to the same stories.
    let Ok(key) = key.strip_suffix(".html").unwrap_or(&key).parse().map(ItemKey) else {
        return not_found();
    };
    let links = Links {
        root: "../../",
        base,
        token: audience.token().cloned(),
        images: site.images(),
        target: Target::Server,
    };
    let shown = Arc::clone(&output);
    let page =
        site.query(&output, move |contents| stories::story_page(&shown, contents, key, &links));
    let page = match page.await {
        Ok(Some(StoryAddress::Moved(lead))) => {
            let token_query = audience.token().map(Token::query).unwrap_or_default();
            let location = links::with_queries(&lead.0.to_string(), &[&token_query]);
            return moved_for_now(&location, &audience);
        }
        Ok(Some(StoryAddress::Page(html))) => Ok(Some(html)),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    page_response(page, &output, &headers, &audience)
}

/// `planet/2026-11.html`, `planet/tag/rust.atom`: what has the stories of this page or document of a static site. For now,
/// because the files may be served again.
async fn static_page(
    State(site): State<Arc<Site>>,
    Readable { output, audience }: Readable,
    uri: Uri,
) -> Response {
    let name = uri.path().splitn(3, '/').nth(2).and_then(|name| name.rsplit_once('.'));
    let Some((stem, extension)) = name else { return not_found() };
    let format = Format::from_extension(extension);
    if format.is_none() && extension != "html" {
        return not_found();
    }
    let (root, asked) = (if stem.contains('/') { "../../" } else { "../" }, stem.to_owned());
    let query = match site.query(&output, move |contents| Ok(contents.query_of_page(&asked)?)).await
    {
        Ok(Some(query)) if format.is_none() || query.is_filter() => query,
        Ok(_) => return not_found(),
        Err(error) => return failed(&error),
    };
    let address = links::served_url((root, &output.id), format, &query, audience.token());
    moved_for_now(&address, &audience)
}

/// `planet/image/4711/NAME`: a copy of an image in the text of a story.
async fn full_image(
    State(site): State<Arc<Site>>,
    readable: Readable,
    Path((_, key, name)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    image(&site, readable, (&key, name, Variant::Full), &headers).await
}

/// `planet/thumbnail/4711/NAME`: a copy of an image for lists.
async fn thumbnail(
    State(site): State<Arc<Site>>,
    readable: Readable,
    Path((_, key, name)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    image(&site, readable, (&key, name, Variant::Thumbnail), &headers).await
}

/// A copy of an image that an item of the output has.
async fn image(
    site: &Site,
    Readable { output, audience }: Readable,
    (key, name, variant): (&str, String, Variant),
    headers: &HeaderMap,
) -> Response {
    let proxy = site.images().filter(|_| output.presentation.images == Images::Proxy);
    let (Some(proxy), Ok(key)) = (proxy, key.parse().map(ItemKey)) else { return not_found() };
    let shown = Arc::clone(&output);
    let found = site.query(&output, move |contents| {
        let Some(entry) = contents.item(key)? else { return Ok(None) };
        let urls = item::image_urls(&entry, &shown.presentation);
        let mut urls = urls.iter().filter_map(|url| image_url(url));
        Ok(urls.find(|url| image_name(url) == name).map(|url| (entry.feed.id.clone(), url)))
    });
    let (feed, url) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return not_found(),
        Err(error) => return failed(&error),
    };
    match proxy.get(ItemImage { feed: &feed, url: &url }, variant).await {
        Ok(copy) => image_copy((copy.bytes, copy.media_type), headers, &audience),
        Err(Unavailable::Failed) => no_image(StatusCode::NOT_FOUND, &audience),
        Err(Unavailable::NotYet) => no_image(StatusCode::SERVICE_UNAVAILABLE, &audience),
    }
}

fn page_response(
    page: Result<Option<String>, Error>,
    output: &ServedOutput,
    headers: &HeaderMap,
    audience: &Audience,
) -> Response {
    match page {
        Ok(Some(html)) => {
            let response = cacheable(HTML, &html, headers, audience);
            with_media(response, output.presentation.images)
        }
        Ok(None) => not_found(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "cannot render a page");
    response::error(StatusCode::INTERNAL_SERVER_ERROR, "internal server error\n")
}

/// Splits `planet.atom` into output id and format; a name without the extension of a format is an id.
fn split_file_name(file: &str) -> (&str, Option<Format>) {
    let split = file.rsplit_once('.');
    match split.map(|(id, extension)| (id, Format::from_extension(extension))) {
        Some((id, Some(format))) => (id, Some(format)),
        _ => (file, None),
    }
}

async fn index(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let page = general_pages::index(&site.served.outputs(), Notices::preferred(&headers));
    let response = same_origin(HTML).header(CACHE_CONTROL, "no-cache");
    match page {
        Ok(html) => build(response.header(VARY, "Accept-Language"), html.into()),
        Err(error) => failed(&error.into()),
    }
}

async fn style(headers: HeaderMap) -> Response {
    cacheable("text/css; charset=utf-8", general_pages::STYLE, &headers, &Audience::Public)
}

/// `planet/theme.css`: the style sheet of the operator.
async fn theme_style(Readable { output, audience }: Readable, headers: HeaderMap) -> Response {
    match &output.theme.stylesheet {
        Some(css) => cacheable("text/css; charset=utf-8", css, &headers, &audience),
        None => not_found(),
    }
}

/// `planet/logo`: the logo of the operator.
async fn logo(Readable { output, audience }: Readable, headers: HeaderMap) -> Response {
    match &output.theme.logo {
        Some(logo) => picture(logo, &headers, &audience),
        None => not_found(),
    }
}

async fn icon(headers: HeaderMap) -> Response {
    cacheable("image/svg+xml", general_pages::ICON, &headers, &Audience::Public)
}

/// The subscribed feeds as OPML. It has no registered media type; feed readers know this one.
async fn subscriptions(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match site.served.subscriptions() {
        Some(list) => cacheable("text/x-opml; charset=utf-8", &list, &headers, &Audience::Public),
        None => not_found(),
    }
}

/// Whether newswire is ready; details are for the operator alone.
async fn ready(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    request: extract::Request,
) -> Response {
    let Some(pages) = &site.operator_pages else { return not_found() };
    let now = pages.clock.elapsed();
    let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    if !query.into_iter().any(|(name, _)| name == "verbose") {
        return monitoring::ready(&pages.readiness, now, request.headers());
    }
    match access::admit_operator(&request, peer, &site.settings()) {
        Ok(()) => monitoring::ready_verbose(&pages.readiness, now, request.headers()),
        Err(refusal) => {
            site.log_refusal(peer, refusal);
            denied(refusal.status())
        }
    }
}

async fn metrics(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let page = site.settings().metrics;
    let Some(pages) = site.operator_pages.as_ref().filter(|_| page != MetricsPage::Off) else {
        return not_found();
    };
    let (reader, served) = (pages.reader.clone(), Arc::clone(&site.served));
    let now = (pages.clock.now(), site.subscribers());
    let readiness = pages.readiness.clone();
    let sample =
        site.off_thread(move || monitoring::sample((&reader, &readiness), &served, page, now));
    match sample.await {
        Ok(sample) => {
            let exposition = monitoring::exposition(&headers);
            let text = pages.metrics.encode(exposition, &sample);
            uncached(StatusCode::OK, exposition.content_type(), &text, &headers)
        }
        Err(error) => failed(&error),
    }
}
