//! Errors as pages, for browsers. All other clients get a line of text.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::negotiate::{self, Representation};
use super::notices::Notices;
use super::response::HTML;
use super::site::Site;

/// Mark of a response whose text is for clients other than browsers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

#[derive(Template)]
#[template(path = "error.html", config = "src/web/askama.toml")]
struct ErrorPage {
    code: &'static str,
    /// Relative URL of the root of the server.
    root: String,
    status: u16,
    title: &'static str,
    text: &'static str,
    /// Link to the page of the output; `None`: the path names no public output.
    output: Option<OutputLink>,
    all_feeds: &'static str,
}

struct OutputLink {
    url: String,
    title: String,
}

/// Replaces the text of an error by a page if a browser asked for it.
pub(super) async fn explained(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if negotiate::representation(request.headers()) == Representation::Feed {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let preferred = Notices::preferred(request.headers());
    let mut response = next.run(request).await;
    if response.extensions().get::<Plain>().is_none() {
        return response;
    }
    if let Some(html) = page(&site, &path, response.status(), preferred) {
        describe(response.headers_mut());
        *response.body_mut() = Body::from(html);
    }
    response
}

fn describe(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Language, Sec-Fetch-Mode"));
}

/// The page: in the language of the output that the path names, else in the language that the client prefers.
///
/// Only public outputs count, so that the page does not show which other outputs there are.
fn page(site: &Site, path: &str, status: StatusCode, preferred: &Notices) -> Option<String> {
    let id = path.split('/').nth(1).unwrap_or_default();
    let id = id.rsplit_once('.').map_or(id, |(id, _)| id);
    let output = site.served.output(id).filter(|output| output.token.is_none());
    let language = output.as_ref().and_then(|output| output.presentation.language.as_deref());
    let notices = language.and_then(Notices::of).unwrap_or(preferred);
    let (title, text) = notices.error(status);
    let root = "../".repeat(path.matches('/').count().saturating_sub(1));
    let page = ErrorPage {
        code: notices.code,
        status: status.as_u16(),
        title,
        text,
        output: output.filter(|output| output.contents.is_some()).map(|output| OutputLink {
            url: format!("{root}{}/", output.id),
            title: output.title.clone(),
        }),
        all_feeds: notices.all_feeds,
        root,
    };
    page.render().ok()
}
