//! `newswire probe`: shows how Newswire reads one document, from the web or from a file: as text with format, polling hints,
//! parse warnings and items, or as JSON.
//!
//! `--conformance` reads a list of files and prints one JSON object for each, for the tests that compare
//! Newswire with other parsers.

mod json;

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::arguments::Format;
use super::online::{Document, DocumentError, MAX_ITEMS, Online, Promises};
use super::why::removed_text;
use crate::clock::Clock;
use crate::config::Config;
use crate::dedupe;
use crate::fetch;
use crate::files;
use crate::model::{Dialect, GuidUse, Hints, Outcome, ParsedItem, Person, Removed, Validators};
use crate::normalise;
use crate::opml;
use crate::parse::{self, Parsed, ReadBy};
use crate::text::chars::{self, MAX_SHOWN, shortened};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// Why a document cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read {0}: {1}")]
    File(String, io::Error),
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Fetcher(#[from] fetch::FetcherError),
    /// The document of this URL or file cannot be fetched or parsed.
    #[error("{}", of_document(.0, .1))]
    Document(String, DocumentError),
}

crate::model::codes! {
    Error:
    Self::File(..) => "file_unreadable": "name a file or an http(s) URL",
    ;
    Self::Fetcher(error) => error,
    Self::Document(_, error) => error,
}

/// An error with the URL or file that it is about, once.
fn of_document(target: &str, error: &DocumentError) -> String {
    match error {
        DocumentError::Held { denied, .. } if denied.url.as_str() == target => error.to_string(),
        error => format!("{}: {error}", shortened(target)),
    }
}

/// Reads one document and writes what it contains to `out`.
///
/// # Errors
/// When it cannot be fetched or read, or is not a feed.
pub(super) async fn run(
    (target, promises): (&str, Promises),
    config: Option<&Config>,
    format: Format,
    out: &mut impl Write,
) -> Result<(), Error> {
    let failed = |error: DocumentError| Error::Document(target.to_owned(), error);
    let mut selectors: Arc<[normalise::Selector]> = Arc::default();
    let document = match web_url(target) {
        Some(url) => {
            let subscription = config.and_then(|config| {
                config.subscriptions.iter().find(|subscription| subscription.feed.url == url)
            });
            let fetch = match (subscription, config) {
                (Some(subscription), _) => subscription.fetch.as_ref().clone(),
                (None, Some(config)) => config.fetch.clone(),
                (None, None) => fetch::Settings::default(),
            };
            selectors = subscription.map(|it| Arc::clone(&it.remove)).unwrap_or_default();
            let schedule = match (subscription, config) {
                (Some(subscription), _) => Arc::clone(&subscription.schedule),
                (None, Some(config)) => Arc::clone(&config.schedule),
                (None, None) => Arc::default(),
            };
            let online = Online::new(config, promises)?;
            match online.fetch(&url, &fetch, &schedule).await {
                Err(DocumentError::Absent { outcome: Outcome::NotModified, .. }) => {
                    let _ = out.write_all(not_modified(target, format).as_bytes());
                    return Ok(());
                }
                fetched => fetched.map_err(failed)?,
            }
        }
        None => read(Path::new(target))?,
    };
    let mut parsed = document.parse().map_err(|failure| failed(failure.into()))?;
    add_warnings(&mut parsed, &document.url);
    let mut reduction = normalise::remove(&parsed.feed.items, &selectors);
    for (at, item) in reduction.items.drain() {
        parsed.feed.items[at] = item;
    }
    let text = match format {
        Format::Text => text(&document, &parsed, &reduction.effects),
        Format::Json => {
            let mut json = full_json(target, &document, &parsed);
            json["removed"] = json!(reduction.effects);
            format!("{json:#}\n")
        }
    };
    // A closed pipe is not an error.
    let _ = out.write_all(text.as_bytes());
    Ok(())
}

/// The URL that the argument is; `None`: it is the path of a file.
pub(super) fn web_url(target: &str) -> Option<Url> {
    let url = Url::parse(&opml::without_feed_scheme(target)).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Leaves out what a poll leaves out, and adds the warnings that it would have.
fn add_warnings(parsed: &mut Parsed, url: &Url) {
    let blank = normalise::leave_out_blank(&mut parsed.feed, url);
    parsed.parse_warnings.extend(blank);
    let (known, rule) = (GuidUse::Unique, dedupe::IdentityRule::Auto);
    let (_, identities) = dedupe::identify(&parsed.feed.items, known, rule);
    parsed.parse_warnings.extend(identities.parse_warnings());
    let warnings = normalise::warnings(&parsed.feed, url, Clock::system().now());
    parsed.parse_warnings.extend(warnings);
}

/// What is printed for a feed whose document is that of the last poll.
fn not_modified(target: &str, format: Format) -> String {
    match format {
        Format::Text => format!(
            "{}: not modified since the last poll; --force requests the complete document\n",
            shortened(target)
        ),
        Format::Json => format!("{:#}\n", json!({ "url": target, "not_modified": true })),
    }
}

fn read(path: &Path) -> Result<Document, Error> {
    let failed = |error| Error::File(path.display().to_string(), error);
    let bytes = files::open_regular(path).and_then(|file| files::read_bounded(file, MAX_FILE));
    let too_large = || io::Error::other(format!("larger than {MAX_FILE} bytes"));
    let bytes = bytes.and_then(|bytes| bytes.ok_or_else(too_large)).map_err(failed)?;
    let absolute = std::path::absolute(path).map_err(failed)?;
    let url = Url::from_file_path(absolute).unwrap_or_else(|()| no_base());
    let (hops, validators) = (Vec::new(), Validators::default());
    let (ignored, requested_at) = (None, None);
    Ok(Document {
        url,
        bytes,
        content_type: None,
        links: None,
        hops,
        validators,
        hash: None,
        ignored,
        requested_at,
    })
}

/// A base URL that no relative reference can be resolved against.
fn no_base() -> Url {
    Url::parse("about:blank").expect("a constant is a URL")
}

/// The document as JSON, with how it was transferred and parsed.
fn full_json(target: &str, document: &Document, parsed: &Parsed) -> Value {
    let mut value = json::document(target, &document.url, parsed);
    let bytes = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    value["url"] = json!(document.url.as_str());
    value["requested_at"] = json!(document.requested_at.map(|at| at.to_string()));
    value["content_type"] = json!(document.content_type);
    value["redirects"] =
        document.hops.iter().map(|hop| json!([hop.status, hop.location])).collect();
    value["etag"] = json!(bytes(&document.validators.etag));
    value["last_modified"] = json!(bytes(&document.validators.last_modified));
    value["charset"] = json!({ "name": parsed.charset, "found_by": parsed.charset_by.name() });
    value["hints"] = json!(parsed.feed.hints);
    value["incomplete"] = json!(parsed.feed.partial);
    value["parse_warnings"] = json!(parsed.parse_warnings);
    value
}

/// Reads lines `PATH <TAB> CONTENT_TYPE <TAB> BASE_URI` and writes one JSON object per document. A document
/// that cannot be parsed, or that causes a panic, gives an object with `"ok": false`.
///
/// # Errors
/// When a line cannot be read or an object cannot be written.
pub(super) fn conformance(lines: impl BufRead, out: &mut impl Write) -> io::Result<()> {
    for line in lines.lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let path = parts.next().unwrap_or_default();
        let content_type = parts.next().filter(|part| !part.is_empty());
        let base = parts.next().and_then(|base| Url::parse(base).ok());
        let value = answer(path, content_type, base.as_ref());
        writeln!(out, "{value}")?;
    }
    out.flush()
}

fn answer(path: &str, content_type: Option<&str>, base: Option<&Url>) -> Value {
    let failed = |error: String| json!({ "file": path, "ok": false, "error": error });
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return failed(error.to_string()),
    };
    let url = base.cloned().unwrap_or_else(no_base);
    let input = parse::Input { bytes: &bytes, content_type, url: &url, max_items: MAX_ITEMS };
    match catch_unwind(|| parse::parse(input).map(|parsed| json::document(path, &url, &parsed))) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => failed(failure.to_string()),
        Err(_) => {
            json!({ "file": path, "ok": false, "panic": true, "error": "the parser panicked" })
        }
    }
}

/// Length of an excerpt, in characters.
const EXCERPT: usize = 160;
/// Maximum number of items that are printed.
const MAX_ITEMS_SHOWN: usize = 1_000;
/// Maximum number of links, files or pictures that are printed of a feed or of an item.
const MAX_LISTED: usize = 100;
/// Maximum number of people that are named.
const MAX_PEOPLE: usize = 10;

/// The report of `newswire probe` for people.
fn text(document: &Document, parsed: &Parsed, removed: &[Removed]) -> String {
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
    for item in feed.items.iter().take(MAX_ITEMS_SHOWN) {
        lines.text.push('\n');
        self::item(&mut lines, item);
    }
    if let Some(more) = feed.items.len().checked_sub(MAX_ITEMS_SHOWN).filter(|more| *more > 0) {
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
