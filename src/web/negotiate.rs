//! Selects the response from the fields of a request: content negotiation, RFC 9110 12.5, and conditional requests,
//! RFC 9110 13. Pure.

use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, IF_MODIFIED_SINCE, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::render::Coding;
use crate::text::dates;

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

/// The result of the preconditions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The client does not have this version.
    Changed,
    /// The client has this version: answer 304.
    NotModified,
}

/// Evaluates the preconditions for a document with this `etag`, last changed at `modified`.
pub(super) fn precondition(
    headers: &HeaderMap,
    etag: &str,
    modified: Option<Timestamp>,
) -> Precondition {
    // RFC 9110 13.2.2: If-None-Match takes precedence over If-Modified-Since.
    let client_has_it = if headers.contains_key(IF_NONE_MATCH) {
        tags(headers).any(|tag| tag == etag || tag == "*")
    } else {
        let date =
            headers.get(IF_MODIFIED_SINCE).and_then(|date| dates::parse_http(date.to_str().ok()?));
        // Both headers have whole seconds.
        date.zip(modified).is_some_and(|(date, modified)| modified.as_second() <= date.as_second())
    };
    if client_has_it { Precondition::NotModified } else { Precondition::Changed }
}

/// The entity tags of If-None-Match without `W/`, or `*`: RFC 9110 13.1.2 compares weakly.
pub(super) fn tags(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(IF_NONE_MATCH).iter().flat_map(|line| Tags(line.as_bytes().trim_ascii()))
}

/// The rest of one line of If-None-Match.
struct Tags<'h>(&'h [u8]);

impl<'h> Iterator for Tags<'h> {
    type Item = &'h str;

    /// Parses a whole tag, because it may contain commas. Ends at invalid text.
    fn next(&mut self) -> Option<&'h str> {
        let list = std::mem::take(&mut self.0);
        if list == b"*" {
            return Some("*");
        }
        let list = list.strip_prefix(b"W/").unwrap_or(list);
        let inner = list.strip_prefix(b"\"")?;
        let end = inner.iter().position(|byte| *byte == b'"')? + 2;
        let (tag, rest) = list.split_at(end);
        if let Some(rest) = rest.trim_ascii_start().strip_prefix(b",") {
            // Empty members are allowed, RFC 9110 5.6.1.2.
            let empty = rest.iter().take_while(|byte| matches!(byte, b',' | b' ' | b'\t')).count();
            self.0 = &rest[empty..];
        }
        // Tags of newswire are ASCII: anything else matches none.
        Some(std::str::from_utf8(tag).unwrap_or_default())
    }
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

    const ETAG: &str = "\"abc\"";
    const MODIFIED: Timestamp = Timestamp::constant(784_111_777, 900_000_000);

    fn is_not_modified(name: &'static str, values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        precondition(&headers, ETAG, Some(MODIFIED)) == Precondition::NotModified
    }

    #[test]
    fn tags_match_weakly_and_in_lists() {
        for list in
            ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"a,b\" ,, W/\"abc\",\"y\"", "*", " * "]
        {
            assert!(is_not_modified("if-none-match", &[list]), "{list}");
        }
        assert!(is_not_modified("if-none-match", &["\"x\"", "\"abc\""]), "two lines are one list");
    }

    #[test]
    fn other_and_invalid_tags_do_not_match() {
        for list in
            ["", "abc", "\"ab\"", "\"abc", "\"abc-gz\"", "\"x,\"abc\"", "w/\"abc\"", "\"*\"", ","]
        {
            assert!(!is_not_modified("if-none-match", &[list]), "{list}");
        }
    }

    #[test]
    fn dates_are_compared_in_whole_seconds() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:38 GMT",
        ] {
            assert!(is_not_modified("if-modified-since", &[date]), "{date}");
        }
        for date in ["Sun, 06 Nov 1994 08:49:36 GMT", "yesterday", "", "Sun, 06 Nov 1994 08:49:38"]
        {
            assert!(!is_not_modified("if-modified-since", &[date]), "{date}");
        }
    }

    #[test]
    fn tags_take_precedence_over_dates() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, "\"x\"".parse().unwrap());
        headers.insert(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        assert_eq!(precondition(&headers, ETAG, Some(MODIFIED)), Precondition::Changed);
    }
}
