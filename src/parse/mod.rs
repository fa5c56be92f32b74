//! Bytes to `ParsedFeed` and parse warnings; the only room that knows feed-rs.
//!
//! ```text
//! decode  bytes to text, whatever they are encoded in
//! scan    text to a tree, within bounds, mending what is broken
//! shape   which dialect, which element is the channel, which are items
//! channel, item   ids, dates, people, links, files, hints: always ours
//! clean   the texts of the items by feed-rs, where the document is clean and the dialect known
//! item    the texts by our own reading, everywhere else
//! ```
//!
//! Pure and bounded: the same bytes give the same answer. Leaves safety to `normalise`: what comes
//! out is what the publisher said, HTML and all. Left out on purpose, for no output would carry it:
//! `cloud`, `textInput`, `rating`, `docs`, GeoRSS, `thr:total`, `slash:comments`, licences, and of
//! the podcast vocabularies all but pictures, durations, people and files: transcripts, chapters
//! and funding live on the publisher's page.

mod channel;
mod charset;
mod clean;
mod construct;
mod dates;
mod decode;
#[cfg(test)]
mod differential;
mod entity;
mod hints;
mod item;
mod json;
mod media;
mod people;
mod scan;
#[cfg(test)]
mod scan_tests;
mod scope;
mod shape;
mod space;
#[cfg(test)]
mod tests;
mod tree;

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

pub use self::charset::FoundBy;
use self::scope::Scope;
use crate::model::{Failure, FailureKind, Link, ParseWarning, ParsedFeed, ParsedItem};

/// The version of feed-rs that reads clean documents.
pub const FEED_RS: &str = "3.0.0";

/// A document as it came.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Decoded by content coding, not yet by charset.
    pub bytes: &'a [u8],
    /// The HTTP header of that name, charset included.
    pub content_type: Option<&'a str>,
    /// Where it came from in the end; relative references resolve against it.
    pub url: &'a Url,
    /// Only so many of the newest items are kept.
    pub max_items: usize,
}

/// What a document said, and what had to be mended to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it said.
    pub feed: ParsedFeed,
    /// Items that were left out, because there are too many.
    pub dropped: usize,
    /// The name of its encoding, as the Encoding standard has it.
    pub charset: &'static str,
    /// How that was found.
    pub charset_by: FoundBy,
    /// Who read the texts of the items.
    pub reader: ReadBy,
    /// For the operator to tell the publisher.
    pub parse_warnings: Vec<ParseWarning>,
}

/// Who read the texts of the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// The document is clean, its dialect known.
    FeedRs,
    /// It is not.
    Own,
}

/// Reads a document.
///
/// # Errors
/// `NotAFeed` for what is something else, `Malformed` for what cannot be made sense of.
pub fn parse(input: Input<'_>) -> Result<Parsed, Failure> {
    let decoded = decode::decode(input.bytes, input.content_type);
    let decode::Decoded { text, charset, found_by: charset_by, mut parse_warnings } = decoded;
    let scope = Scope::document(input.url);
    let (mut feed, reader) = match text.trim_start().chars().next() {
        None => return Err(not_a_feed("the document is empty")),
        Some('{') => (json::read(&text, &scope, &mut parse_warnings)?, ReadBy::Own),
        Some('<') => xml(&text, &scope, &mut parse_warnings)?,
        Some(_) => return Err(not_a_feed("the document is neither XML nor JSON")),
    };
    let dropped = keep_newest(&mut feed.items, input.max_items, &mut parse_warnings);
    Ok(Parsed { feed, dropped, charset, charset_by, reader, parse_warnings })
}

fn not_a_feed(message: &str) -> Failure {
    Failure::new(FailureKind::NotAFeed, message).help("check the URL")
}

/// The failure for a document whose root is not that of a feed.
fn no_feed(root: &tree::Element<'_>, scope: &Scope) -> Failure {
    if root.name.eq_ignore_ascii_case("html") {
        return web_page(root, scope);
    }
    if let Some(to) = moved_to(root) {
        let message = format!("the document says that the feed has moved to {to}");
        let help = format!("set url = \"{to}\" in the [[feed]]");
        return Failure::new(FailureKind::NotAFeed, message).help(help);
    }
    let name: String = root.name.chars().take(40).collect();
    let message = format!("the root element <{name}> is not that of a feed");
    let help = "check the URL; RSS, Atom and JSON Feed are supported";
    Failure::new(FailureKind::NotAFeed, message).help(help)
}

/// RSS's own redirect, a document instead of a status: `<redirect><newLocation>`.
fn moved_to(root: &tree::Element<'_>) -> Option<String> {
    let redirect = root.name.eq_ignore_ascii_case("redirect");
    let new = root.elements().find(|inner| inner.name.eq_ignore_ascii_case("newLocation"))?;
    new.trimmed().filter(|_| redirect)
}

/// What to tell of a web page: the feeds that it names itself. It is for the operator to choose.
fn web_page(root: &tree::Element<'_>, scope: &Scope) -> Failure {
    let mut feeds = Vec::new();
    named_feeds(root, scope, 3, &mut feeds);
    match feeds.as_slice() {
        [] => Failure::new(FailureKind::NotAFeed, "the document is a web page, not a feed")
            .help("look for the URL of its feed"),
        feeds => {
            let links: Vec<&str> = feeds.iter().map(|feed| feed.href.as_str()).collect();
            let message =
                format!("the document is a web page that links to {}", links.join(" and "));
            Failure::new(FailureKind::NotAFeed, message).help("set url to the URL of the feed")
        }
    }
}

/// The feeds that a web page names, by `rel=alternate` (HTML, 4.6.7.1): absolute, each once, the
/// first twenty.
#[must_use]
pub fn alternates(input: Input<'_>) -> Vec<Link> {
    let decoded = decode::decode(input.bytes, input.content_type);
    let mut feeds = Vec::new();
    if let Some(tree) = scan::scan(&decoded.text) {
        named_feeds(&tree.root, &Scope::document(input.url), 20, &mut feeds);
    }
    feeds
}

fn named_feeds(element: &tree::Element<'_>, scope: &Scope, most: usize, feeds: &mut Vec<Link>) {
    let is = |name: &str, part: &str| {
        element.attribute(name).is_some_and(|value| value.to_ascii_lowercase().contains(part))
    };
    let kind = ["rss+xml", "atom+xml", "feed+json"].iter().any(|kind| is("type", kind));
    if element.name.eq_ignore_ascii_case("link") && is("rel", "alternate") && kind {
        let own = |name| element.attribute(name).map(str::to_owned);
        if let Some(href) = element.attribute("href").map(|href| scope.resolve(href))
            && feeds.iter().all(|known| known.href != href)
            && feeds.len() < most
        {
            let (rel, media_type, title) = ("alternate".to_owned(), own("type"), own("title"));
            feeds.push(Link { href, rel, media_type, title, ..Link::default() });
        }
    }
    for inner in element.elements() {
        if feeds.len() < most {
            named_feeds(inner, scope, most, feeds);
        }
    }
}

fn xml(
    text: &str,
    scope: &Scope,
    parse_warnings: &mut Vec<ParseWarning>,
) -> Result<(ParsedFeed, ReadBy), Failure> {
    let Some(tree) = scan::scan(text) else {
        return Err(not_a_feed("the document has no element in it"));
    };
    let Some(shape) = shape::shape(&tree) else {
        return Err(no_feed(&tree.root, scope));
    };
    let root = scope.enter(shape.root);
    let own = std::ptr::eq(shape.root, shape.channel);
    let inner = if own { root } else { Cow::Owned(root.enter(shape.channel).into_owned()) };
    let mut feed = channel::channel(&shape, &inner);
    let clean = clean::texts(text, &shape, &inner);
    let reader = if clean.is_some() { ReadBy::FeedRs } else { ReadBy::Own };
    let mut clean = clean.map(Vec::into_iter);
    let read = |element: &&tree::Element<'_>| {
        let theirs = clean.as_mut().and_then(Iterator::next);
        let texts = theirs.unwrap_or_else(|| item::texts(element, &inner));
        let item::Texts { title, summary, content, rights } = texts;
        let facts = item::facts(element, shape.dialect, &inner);
        let language = facts.language.clone().or_else(|| feed.language.clone());
        ParsedItem { title, summary, content, rights, language, ..facts }
    };
    let items = shape.items.iter().map(read).collect();
    feed.items = items;
    feed.partial = tree.partial;
    parse_warnings.extend(tree.parse_warnings);
    Ok((feed, reader))
}

/// Keeps the newest `max` items, in document order; without dates the first ones. Tells how many went.
fn keep_newest(
    items: &mut Vec<ParsedItem>,
    max: usize,
    parse_warnings: &mut Vec<ParseWarning>,
) -> usize {
    let Some(surplus) = items.len().checked_sub(max).filter(|surplus| *surplus > 0) else {
        return 0;
    };
    let message = format!("{} items: only the newest {max} are read, see max_items", items.len());
    parse_warnings.push(ParseWarning::new("too_many_items", None, message));
    let stamp = |item: &ParsedItem| item.published.or(item.updated).unwrap_or(Timestamp::MIN);
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(stamp(&items[*index])));
    let mut kept = vec![false; items.len()];
    for index in order.into_iter().take(max) {
        kept[index] = true;
    }
    let mut kept = kept.into_iter();
    items.retain(|_| kept.next().unwrap_or_default());
    surplus
}
