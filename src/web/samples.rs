//! The sample site of `newswire demo`: a few feeds and their pages, one feed that grows and one that fails.
//! With it newswire can be tried without a network.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::text::dates::{rfc822, rfc3339};
use crate::text::sha256::sha256;

/// Interval in which the growing feed gets a new item.
pub const GROWTH: Duration = Duration::from_secs(8);

/// Number of items of the growing feed: as many as the burst guard never holds, however rarely it is polled.
const SHOWN: usize = 5;

/// The paths of the feeds that `newswire demo` subscribes to.
pub const FEEDS: &[&str] = &[
    "garden/feed.xml",
    "harbour/feed.atom",
    "observatory/index.rdf",
    "workshop/feed.json",
    "tide/feed.xml",
    "lamp/feed.xml",
];

/// The constant documents: path, media type, and text with placeholders, see [`filled_in`].
const DOCUMENTS: &[(&str, &str, &str)] = &[
    ("garden/feed.xml", "application/rss+xml", include_str!("samples/garden.xml")),
    ("harbour/feed.atom", "application/atom+xml", include_str!("samples/harbour.xml")),
    ("observatory/index.rdf", "application/rdf+xml", include_str!("samples/observatory.rdf")),
    ("workshop/feed.json", "application/feed+json", include_str!("samples/workshop.json")),
];

#[derive(Debug, Clone)]
struct Site {
    base: String,
    clock: Clock,
    opened: Timestamp,
    started: Timestamp,
}

/// Serves the site until `shutdown` resolves.
///
/// # Errors
/// When the listener has no address or fails.
pub async fn serve(
    listener: TcpListener,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let base = format!("http://{}", listener.local_addr()?);
    let started = clock.now();
    let site = Site { base, opened: start_of_day(started), started, clock };
    let router =
        Router::new().route("/", get(index)).route("/{*path}", get(answer)).with_state(site);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

/// 00:00 UTC of this day, so that a restart on the same day does not change the documents.
fn start_of_day(now: Timestamp) -> Timestamp {
    let since = now.as_second().rem_euclid(24 * 60 * 60);
    now.saturating_sub(SignedDuration::from_secs(since)).unwrap_or(now)
}

async fn index(State(site): State<Site>) -> Response {
    let links: String =
        FEEDS.iter().map(|path| format!("<li><a href=\"/{path}\">{path}</a>")).collect();
    page(&site, "Sample feeds of newswire demo", &format!("<ul>{links}</ul>"))
}

async fn answer(State(site): State<Site>, Path(path): Path<String>, asked: HeaderMap) -> Response {
    if let Some((_, media_type, text)) = DOCUMENTS.iter().find(|(known, _, _)| *known == path) {
        return document(media_type, filled_in(text, &site), &asked);
    }
    match path.as_str() {
        "tide/feed.xml" => document("application/rss+xml", tide(&site), &asked),
        "lamp/feed.xml" => {
            (StatusCode::INTERNAL_SERVER_ERROR, "The lamp is broken, on purpose.\n").into_response()
        }
        _ => page(&site, "A sample story", "<p>This page stands in for the story itself.</p>"),
    }
}

/// The response with a feed document, or 304.
fn document(media_type: &'static str, text: String, asked: &HeaderMap) -> Response {
    let hash = sha256(text.as_bytes());
    let etag = format!("\"{:02x}{:02x}{:02x}{:02x}\"", hash[0], hash[1], hash[2], hash[3]);
    let known =
        asked.get(header::IF_NONE_MATCH).is_some_and(|sent| sent.as_bytes() == etag.as_bytes());
    if known {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    ([(header::CONTENT_TYPE, media_type.to_owned()), (header::ETAG, etag)], text).into_response()
}

fn page(site: &Site, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1>{body}<p><a href=\"{}/\">All sample feeds</a>",
        site.base
    );
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// Replaces `@BASE@` by the URL of the site, `@R-3@` by an RFC 822 date three hours before the site opened, and
/// `@I-3@` by an RFC 3339 date.
fn filled_in(text: &str, site: &Site) -> String {
    let mut filled = String::with_capacity(text.len() + 256);
    let mut parts = text.split('@');
    filled.push_str(parts.next().unwrap_or_default());
    while let (Some(token), Some(rest)) = (parts.next(), parts.next()) {
        let at = |hours: &str| {
            let hours = hours.parse().unwrap_or_default();
            site.opened.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(site.opened)
        };
        match token.split_at_checked(2) {
            Some(("R-", hours)) => filled.push_str(&rfc822(at(hours))),
            Some(("I-", hours)) => filled.push_str(&rfc3339(at(hours))),
            _ => filled.push_str(&site.base),
        }
        filled.push_str(rest);
    }
    filled
}

/// The growing feed, with its newest items. The first new one comes [`GROWTH`] after the start; an item that is
/// shown again after a restart is the same.
fn tide(site: &Site) -> String {
    let seconds = |at: Timestamp| at.as_second().max(0).unsigned_abs();
    let (now, started) = (seconds(site.clock.now()), seconds(site.started));
    let newest = started / GROWTH.as_secs() + now.saturating_sub(started) / GROWTH.as_secs();
    let items: String = (0..=newest)
        .rev()
        .take(SHOWN)
        .map(|n| {
            let seconds = i64::try_from(n * GROWTH.as_secs()).unwrap_or_default();
            let at = Timestamp::from_second(seconds);
            let height = 210 + (n * 37) % 180;
            format!(
                "<item><title>Water at {height} cm</title><link>{base}/tide/{n}</link><guid>{base}/tide/{n}</guid>\
                 <pubDate>{date}</pubDate><description>Reading number {n} of the gauge at the east pier.</description></item>",
                base = site.base,
                date = rfc822(at.unwrap_or(Timestamp::UNIX_EPOCH)),
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>The Tide Gauge</title>\
         <link>{}/tide/</link><description>A reading every few seconds</description>{items}</channel></rss>",
        site.base
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(now: i64) -> Site {
        let clock = Clock::manual(Timestamp::from_second(now).unwrap());
        Site {
            base: "http://127.0.0.1:1".to_owned(),
            opened: Timestamp::from_second(360_000).unwrap(),
            started: Timestamp::UNIX_EPOCH,
            clock,
        }
    }

    #[test]
    fn every_placeholder_of_the_samples_is_replaced() {
        for (path, _, text) in DOCUMENTS {
            let text = filled_in(text, &site(360_000));
            assert!(!text.contains('@') && text.contains("http://127.0.0.1:1/"), "{path}");
        }
        assert_eq!(filled_in("<d>@R-100@</d>", &site(0)), "<d>Thu, 01 Jan 1970 00:00:00 +0000</d>");
    }

    #[test]
    fn the_growing_feed_has_its_newest_items() {
        let items = |now| tide(&site(now)).matches("<item>").count();
        assert_eq!([items(0), items(8), items(360_800)], [1, 2, SHOWN]);
        let newest =
            |now| tide(&site(now)).split("<guid>").nth(1).map(|guid| guid[..30].to_owned());
        assert_eq!(newest(360_000), newest(360_007));
        assert_ne!(newest(360_000), newest(360_008));
    }

    #[test]
    fn the_burst_guard_holds_no_item_of_the_growing_feed() {
        use crate::dedupe::{DocumentOrder, Rhythm, Settings, admit};
        let known = Rhythm { document: DocumentOrder::Later, ..Rhythm::default() };
        let now = Timestamp::UNIX_EPOCH;
        let held = admit(&Settings::default(), &known, &[None; SHOWN], now);
        assert!(held.iter().all(Option::is_none));
    }

    #[test]
    fn two_sample_feeds_have_the_same_story() {
        let carrying =
            DOCUMENTS.iter().filter(|(_, _, text)| text.contains("/harbour/ferry-is-back"));
        assert_eq!(carrying.count(), 2);
    }
}
