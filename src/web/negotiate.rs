//! Content negotiation, RFC 9110 12.5. Pure.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE};
use axum::http::{HeaderMap, HeaderName};

use crate::render::Coding;

/// The codings in order of preference, for clients that accept several equally.
const PREFERRED: [Coding; 4] = [Coding::Brotli, Coding::Zstd, Coding::Gzip, Coding::Identity];

/// The coding that the client prefers; identity if it names none or refuses all.
pub(super) fn coding(headers: &HeaderMap) -> Coding {
    let mut qualities = [None; PREFERRED.len()];
    let mut any = None;
    for (name, quality) in members(headers, &ACCEPT_ENCODING) {
        if name == "*" {
            any = Some(quality);
        }
        for (coding, named) in PREFERRED.iter().zip(&mut qualities) {
            if is_named(*coding, name) {
                *named = Some(quality);
            }
        }
    }
    let mut best = (Coding::Identity, 0);
    for (coding, named) in PREFERRED.into_iter().zip(qualities) {
        // RFC 9110 12.5.3: identity is acceptable unless excluded; here with the lowest quality.
        let unnamed = any.unwrap_or(u16::from(coding == Coding::Identity));
        let quality = named.unwrap_or(unnamed);
        if quality > best.1 {
            best = (coding, quality);
        }
    }
    best.0
}

/// A representation at the URL of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Representation {
    /// The document, for feed readers.
    Feed,
    /// The page of stories, for browsers.
    Page,
}

/// The representation for a request to the URL of a document: the feed, except for a navigation by a
/// browser.
///
/// Fetch Metadata states what a request is for. Without it, only browsers accept XHTML. HTML alone is no
/// sign: the default of Java's `URLConnection` and of other HTTP libraries prefers it too. A client that
/// accepts the type of a feed at least as gladly gets the feed.
pub(super) fn representation(headers: &HeaderMap) -> Representation {
    if let Some(mode) = headers.get("sec-fetch-mode") {
        let navigates = mode.as_bytes().trim_ascii().eq_ignore_ascii_case(b"navigate");
        return if navigates { Representation::Page } else { Representation::Feed };
    }
    let (mut page, mut feed) = (0, 0);
    for (name, quality) in members(headers, &ACCEPT) {
        let is = |wanted: &&str| name.eq_ignore_ascii_case(wanted);
        if is(&"application/xhtml+xml") {
            page = page.max(quality);
        } else if FEED_TYPES.iter().any(is) {
            feed = feed.max(quality);
        }
    }
    if page > feed { Representation::Page } else { Representation::Feed }
}

/// Media types that only feeds have.
const FEED_TYPES: [&str; 4] =
    ["application/atom+xml", "application/rss+xml", "application/rdf+xml", "application/feed+json"];

/// The languages that the client accepts, each with its quality in thousandths.
pub(super) fn languages(headers: &HeaderMap) -> impl Iterator<Item = (&str, u16)> {
    members(headers, &ACCEPT_LANGUAGE)
}

fn is_named(coding: Coding, name: &str) -> bool {
    let own = coding.name().unwrap_or("identity");
    // RFC 9110 8.4.1.3: x-gzip is gzip.
    name.eq_ignore_ascii_case(own)
        || (coding == Coding::Gzip && name.eq_ignore_ascii_case("x-gzip"))
}

/// The members of a list header with their qualities, over all of its lines.
fn members<'h>(
    headers: &'h HeaderMap,
    name: &'h HeaderName,
) -> impl Iterator<Item = (&'h str, u16)> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.to_str().unwrap_or_default().split(',').filter_map(member))
}

/// Parses `gzip;q=0.8` into name and quality in thousandths, 0 to 1000.
fn member(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    // A quality that is not a number counts as 0.
    let quality = weight.map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (quality.clamp(0.0, 1.0) * 1000.0).round() as u16;
    Some((name, thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        headers
    }

    fn chosen(lines: &[&'static str]) -> Coding {
        coding(&with(ACCEPT_ENCODING, lines))
    }

    #[test]
    fn the_coding_with_the_highest_quality_is_chosen() {
        assert_eq!(chosen(&["gzip, br"]), Coding::Brotli);
        assert_eq!(chosen(&["gzip, deflate, br, zstd"]), Coding::Brotli);
        assert_eq!(chosen(&["gzip, zstd"]), Coding::Zstd);
        assert_eq!(chosen(&["gzip, deflate"]), Coding::Gzip);
        assert_eq!(chosen(&["br;q=0.5, gzip;q=0.8"]), Coding::Gzip);
        assert_eq!(chosen(&["br;q=0, X-GZIP"]), Coding::Gzip);
        assert_eq!(chosen(&["gzip", "br"]), Coding::Brotli, "two lines are one list");
        assert_eq!(chosen(&["identity;q=1, gzip;q=0.5"]), Coding::Identity);
    }

    #[test]
    fn a_star_covers_the_codings_that_are_not_named() {
        assert_eq!(chosen(&["*"]), Coding::Brotli);
        assert_eq!(chosen(&["br;q=0, zstd;q=0, *"]), Coding::Gzip);
        assert_eq!(chosen(&["*;q=0, gzip"]), Coding::Gzip);
    }

    #[test]
    fn missing_and_invalid_lists_mean_identity() {
        let nonsense =
            ["", "zst", "gzip;q=abc", "gzip;q=0", ";;;,,,q=", "identity;q=0", "gzip;q=NaN"];
        for line in nonsense {
            assert_eq!(chosen(&[line]), Coding::Identity, "{line}");
        }
        assert_eq!(chosen(&[]), Coding::Identity);
    }

    #[test]
    fn a_navigation_by_a_browser_gets_the_page() {
        for line in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html, application/xhtml+xml, image/jxr, */*;q=0.7",
            "application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,*/*;q=0.5",
            "text/html, Application/XHTML+XML, application/rss+xml;q=0.5",
        ] {
            assert_eq!(representation(&with(ACCEPT, &[line])), Representation::Page, "{line}");
        }
        let mode = HeaderName::from_static("sec-fetch-mode");
        assert_eq!(representation(&with(mode, &["navigate"])), Representation::Page);
    }

    #[test]
    fn feed_readers_and_http_libraries_get_the_feed() {
        for line in [
            "*/*",
            "",
            "text/html",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            "text/html, text/*;q=0.9, image/jpeg;q=0.9, image/png;q=0.9, image/*;q=0.9, */*;q=0.8",
            "application/atom+xml",
            "application/xml, application/atom+xml, application/rss+xml, application/rdf+xml, \
             application/feed+json, text/html, */*;q=0.9",
            "application/atom+xml,application/rss+xml,application/xml;q=0.9,text/html;q=0.7,*/*;q=0.1",
            "application/rss+xml, application/xhtml+xml, text/html",
            "application/feed+json, text/html",
            "text/html, */*",
            "text/html, text/xml",
            "application/xhtml+xml;q=0",
            "image/png",
        ] {
            assert_eq!(representation(&with(ACCEPT, &[line])), Representation::Feed, "{line}");
        }
        assert_eq!(representation(&HeaderMap::new()), Representation::Feed);
        // A script of a page, which accepts what its browser accepts.
        let mut script = with(ACCEPT, &["text/html,application/xhtml+xml,*/*;q=0.8"]);
        script.insert("sec-fetch-mode", "cors".parse().unwrap());
        assert_eq!(representation(&script), Representation::Feed);
    }
}
