//! A parsed document as text: format, polling hints, parse warnings, items.

use std::fmt::Write as _;

use crate::cli::document::Document;
use crate::cli::why::feed::removed_text;
use crate::model::{Dialect, Hints, ParsedItem, Person, Removed};
use crate::parse::{Parsed, ReadBy};
use crate::text::chars::{self, MAX_SHOWN};

/// Length of an excerpt, in characters.
const EXCERPT: usize = 160;
/// Maximum number of items that are printed.
const MAX_ITEMS: usize = 1_000;
/// Maximum number of links, files or pictures that are printed of a feed or of an item.
const MAX_LISTED: usize = 100;
/// Maximum number of people that are named.
const MAX_PEOPLE: usize = 10;

/// The report of `newswire probe` for people.
pub(super) fn text(document: &Document, parsed: &Parsed, removed: &[Removed]) -> String {
    let mut lines = Lines::default();
    let feed = &parsed.feed;
    lines.add("url", Some(document.url.as_str()));
    for hop in &document.hops {
        lines.add("redirect", Some(&format!("{} to {}", hop.status, hop.location)));
    }
    let requested = document
        .requested_at
        .map(|at| format!("at {at} by another command; --force requests it again"));
    lines.add("requested", requested.as_deref());
    lines.add("media type", document.content_type.as_deref());
    lines.add("format", feed.dialect.map(Dialect::slug));
    let charset = format!("{}, by {}", parsed.charset, parsed.charset_by.name());
    lines.add("charset", Some(&charset));
    lines.add(
        "parser",
        Some(match parsed.read_by {
            ReadBy::FeedRs => "feed-rs; ids and dates by newswire",
            ReadBy::Newswire => "newswire",
        }),
    );
    let bytes =
        |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| String::from_utf8_lossy(b).into_owned());
    lines.add("ETag", bytes(&document.validators.etag).as_deref());
    lines.add("Last-Modified", bytes(&document.validators.last_modified).as_deref());
    lines.add("title", feed.title.as_ref().map(|title| title.value.as_str()));
    lines.add("subtitle", feed.subtitle.as_ref().map(|text| excerpt(&text.value)).as_deref());
    lines.add("id", feed.id.as_deref());
    lines.add("language", feed.language.as_deref());
    lines.add("authors", people(&feed.authors).as_deref());
    for link in feed.links.iter().take(MAX_LISTED) {
        lines.add(&format!("link {}", chars::line(&link.rel, 20)), Some(&link.href));
    }
    hints(&mut lines, &feed.hints);
    if feed.partial {
        lines.add("incomplete", Some("the end is missing or cannot be parsed"));
    }
    for warning in parsed.parse_warnings.iter().take(MAX_LISTED) {
        let offset = warning.offset.map_or_else(String::new, |at| format!(" at byte {at}"));
        lines.add("warning", Some(&format!("{}{offset}: {}", warning.code, warning.message)));
    }
    for removed in removed {
        lines.add("removed", Some(&removed_text(removed)));
    }
    lines.add("items", Some(&feed.items.len().to_string()));
    for item in feed.items.iter().take(MAX_ITEMS) {
        lines.text.push('\n');
        self::item(&mut lines, item);
    }
    if let Some(more) = feed.items.len().checked_sub(MAX_ITEMS).filter(|more| *more > 0) {
        let _ = writeln!(lines.text, "\n{more} more items; --json prints them all");
    }
    lines.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Adds one line, unless the value is empty. A long value is cut.
    fn add(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|value| chars::line(value, MAX_SHOWN)).unwrap_or_default();
        if !value.is_empty() {
            let _ = writeln!(self.text, "{name:<14} {value}");
        }
    }
}

fn hints(lines: &mut Lines, hints: &Hints) {
    let seconds = |value: Option<u64>| value.map(|seconds| format!("{seconds} s"));
    let numbers = |numbers: &[u8]| numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
    lines.add("ttl", seconds(hints.ttl).as_deref());
    lines.add("update period", seconds(hints.period).as_deref());
    lines.add("skip hours", Some(&numbers(&hints.skip_hours)));
    lines.add("skip days", Some(&numbers(&hints.skip_days)));
    lines.add("hubs", Some(&hints.hubs.join(" ")));
    lines.add("next archive", hints.older.as_deref());
}

fn item(lines: &mut Lines, item: &ParsedItem) {
    lines.add("title", item.title.as_ref().map(|title| title.value.as_str()));
    let permalink = if item.id_is_permalink { " (its page)" } else { "" };
    lines.add("  id", item.id.as_ref().map(|id| format!("{id}{permalink}")).as_deref());
    lines.add("  page", item.page());
    lines.add("  published", item.published.map(|at| at.to_string()).as_deref());
    lines.add("  updated", item.updated.map(|at| at.to_string()).as_deref());
    let authors = people(&item.authors).filter(|_| !item.authors_are_inherited);
    lines.add("  authors", authors.as_deref());
    let terms: Vec<&str> = item.categories.iter().map(|category| category.term.as_str()).collect();
    lines.add("  categories", Some(&terms.join(", ")));
    for file in item.enclosures.iter().take(MAX_LISTED) {
        let length = file.length.map_or_else(String::new, |length| format!(", {length} bytes"));
        lines.add("  enclosure", Some(&format!("{} ({}{length})", file.url, file.media_type)));
    }
    for image in item.thumbnails.iter().take(MAX_LISTED) {
        lines.add("  picture", Some(&image.url));
    }
    lines.add("  comments", item.comments.as_deref());
    let source =
        item.source.as_ref().and_then(|source| source.title.as_ref().or(source.feed_url.as_ref()));
    lines.add("  source", source.map(String::as_str));
    lines.add("  summary", item.summary.as_ref().map(|text| excerpt(&text.value)).as_deref());
    lines.add("  content", item.content.as_ref().map(|text| excerpt(&text.value)).as_deref());
}

fn people(people: &[Person]) -> Option<String> {
    let of = |person: &Person| match &person.email {
        Some(email) => format!("{} <{email}>", person.name).trim().to_owned(),
        None => person.name.clone(),
    };
    let mut names: Vec<String> = people.iter().take(MAX_PEOPLE).map(of).collect();
    if let Some(more) = people.len().checked_sub(MAX_PEOPLE).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    (!names.is_empty()).then(|| names.join(", "))
}

fn excerpt(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}… ({} characters)", &words[..end], text.chars().count()),
        None => words,
    }
}
