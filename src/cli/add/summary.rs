//! What `newswire add` shows of a feed, as plain text.

use std::cmp::Reverse;
use std::fmt::Write as _;

use jiff::Timestamp;
use url::Url;

use crate::model::{ParsedItem, Text, TextKind};
use crate::normalise::text_of_html;
use crate::parse::Parsed;
use crate::text::chars;

/// Number of items that are shown.
const SHOWN_ITEMS: usize = 3;
/// Longest title that is shown, in characters.
const MAX_TITLE: usize = 100;

/// Title, URL and newest items of a feed, by which the operator recognises it.
pub(super) fn summary(url: &Url, parsed: &Parsed) -> String {
    let feed = &parsed.feed;
    let title = feed.title.as_ref().map(plain).filter(|title| !title.is_empty());
    let mut text = format!("{}\n{url}\n", title.as_deref().unwrap_or("feed without a title"));
    let stamp = |item: &ParsedItem| item.published.or(item.updated);
    let mut newest: Vec<&ParsedItem> = feed.items.iter().collect();
    newest.sort_by_key(|item| Reverse(stamp(item).unwrap_or(Timestamp::MIN)));
    for item in newest.into_iter().take(SHOWN_ITEMS) {
        let day = stamp(item).map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string());
        let title = item.title.as_ref().map(plain).filter(|title| !title.is_empty());
        let title = title.or_else(|| item.page().map(line));
        let _ = writeln!(text, "  {day:<10}  {}", title.as_deref().unwrap_or("untitled"));
    }
    if feed.items.is_empty() {
        text.push_str("  no items yet\n");
    }
    for warning in parsed.parse_warnings.iter().take(SHOWN_ITEMS) {
        let _ = writeln!(text, "  warning: {} ({})", line(&warning.message), warning.code);
    }
    text
}

/// A text as one line of plain text.
pub(in crate::cli) fn plain(text: &Text) -> String {
    match text.kind {
        TextKind::Html => line(&text_of_html(&text.value)),
        TextKind::Plain => line(&text.value),
    }
}

/// A text of the feed or of a page as one line, cut after [`MAX_TITLE`] characters.
pub(super) fn line(text: &str) -> String {
    chars::line(text, MAX_TITLE)
}
