//! Conditional requests, RFC 9110 13. Pure.

use axum::http::HeaderMap;
use axum::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use jiff::Timestamp;

use crate::text::dates;

/// The result of the preconditions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The client does not have this version.
    Changed,
    /// The client has this version: answer 304.
    NotModified,
}

/// Evaluates the preconditions for a document with this `etag`, last changed at `modified`.
pub(super) fn evaluate(
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

    const ETAG: &str = "\"abc\"";
    const MODIFIED: Timestamp = Timestamp::constant(784_111_777, 900_000_000);

    fn is_not_modified(name: &'static str, values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        evaluate(&headers, ETAG, Some(MODIFIED)) == Precondition::NotModified
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
        assert_eq!(evaluate(&headers, ETAG, Some(MODIFIED)), Precondition::Changed);
    }
}
