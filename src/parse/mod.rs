//! Bytes to `ParsedFeed` and parse warnings; the only room that knows feed-rs.
//!
//! ```text
//! decode   bytes to text: encoding, where the document begins
//! scan     text to an element tree, with limits and repairs
//! layout   the dialect, the channel element and the item elements
//! channel, item   ids, dates, people, links, files and hints of every dialect
//! feed_rs  texts of the items by feed-rs, if the document is clean and the dialect known
//! item     texts of the items by newswire, in all other documents
//! ```
//!
//! Pure, with bounded cost. The result is what the publisher wrote, unsafe HTML included; `normalise`
//! makes it safe. Elements that no output carries are ignored: `cloud`, `textInput`, `rating`,
//! `docs`, GeoRSS, `thr:total`, `slash:comments`, licences, and funding of podcasts.

mod channel;
mod charset;
mod constructs;
mod context;
mod date_calendars;
mod date_clock;
mod date_names;
mod date_order;
mod date_signs;
mod date_words;
mod date_zones;
mod dates;
mod decode;
mod detection;
mod entity;
mod feed_link;
mod feed_rs;
mod item;
mod json;
mod json_repair;
mod json_tree;
mod layout;
mod markup;
mod media;
mod mixed;
mod namespace;
mod nesting;
mod page;
#[cfg(test)]
mod repair_tests;
mod repairs;
mod repeated;
mod scan;
mod serialise;
mod start;
mod structure;
#[cfg(test)]
mod structure_tests;
mod tags;
#[cfg(test)]
mod tests;
mod tree;

use url::Url;

use self::channel::Sources;
use self::context::Context;
pub use self::decode::FoundBy;
use self::nesting::Syntax;
pub use self::page::LeftOut;
use crate::model::{Dialect, Failure, FailureKind, Link, ParseWarning, ParsedFeed, ParsedItem};
use crate::text::file_kind;

/// Version of the crate feed-rs, which reads clean documents.
pub const FEED_RS: &str = "3.0.0";

/// A document as it was received.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The body after content decoding, before charset decoding.
    pub bytes: &'a [u8],
    /// Value of the `Content-Type` header with its parameters.
    pub content_type: Option<&'a str>,
    /// Final URL after redirects: the base of relative references.
    pub url: &'a Url,
    /// Maximum number of items to keep; the newest are kept.
    pub max_items: usize,
}

/// A parsed document with how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The feed with its items.
    pub feed: ParsedFeed,
    /// Number of items dropped because of `max_items`.
    pub dropped: usize,
    /// Name of the encoding, as in the Encoding standard.
    pub charset: &'static str,
    /// What the encoding was found by.
    pub charset_by: FoundBy,
    /// Reader of the texts of the items.
    pub read_by: ReadBy,
    /// What had to be repaired or ignored.
    pub parse_warnings: Vec<ParseWarning>,
}

/// Reader of the texts of the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// feed-rs: the document is clean and its dialect known.
    FeedRs,
    /// Newswire, in all other documents.
    Newswire,
}

/// Parses a document.
///
/// # Errors
/// `NotAFeed` if the document is not a feed, `Malformed` if it is broken beyond repair.
pub fn parse(input: Input<'_>) -> Result<Parsed, Failure> {
    read(input, Sources::OtherFeeds).map_err(|failure| match file_kind::binary(input.bytes) {
        Some(kind) if matches!(failure.kind, FailureKind::NotAFeed | FailureKind::Malformed) => {
            let message = format!("the document is {kind}, not a feed");
            Failure::new(FailureKind::NotAFeed, message)
                .help("RSS, Atom and JSON Feed are supported")
        }
        _ => failure,
    })
}

/// Parses a document that Newswire published. Its items keep their sources: each is a feed that was merged, also where
/// it is on the host of the document.
///
/// # Errors
/// As [`parse()`].
pub fn parse_published(input: Input<'_>) -> Result<Parsed, Failure> {
    read(input, Sources::All)
}

fn read(input: Input<'_>, sources: Sources) -> Result<Parsed, Failure> {
    let decoded = decode::decode(input.bytes, input.content_type, input.url.domain());
    let mut parse_warnings = decoded.parse_warnings.clone();
    let (text, charset, charset_by) = (decoded.document(), decoded.charset, decoded.found_by);
    let context = Context::document(input.url);
    let max = input.max_items;
    let (mut feed, dropped, read_by) = match text.trim_start().chars().next() {
        None => return Err(not_a_feed("the document is empty")),
        Some('{') => {
            let (feed, dropped) = json::read(text, max, &context, &mut parse_warnings)?;
            (feed, dropped, ReadBy::Newswire)
        }
        Some('<') => xml(&decoded, max, &context, &mut parse_warnings)?,
        Some(first) => return Err(not_a_feed(other_document(text, first))),
    };
    if dropped > 0 {
        let all = feed.items.len() + dropped;
        let message =
            format!("document has {all} items; only the newest {max} are read (max_items)");
        parse_warnings.push(ParseWarning::new("too_many_items", None, message));
    }
    channel::complete(&mut feed, &context, sources);
    parse_warnings.extend(context.parse_warnings());
    Ok(Parsed { feed, dropped, charset, charset_by, read_by, parse_warnings })
}

/// Help for a challenge of a bot protection.
const CHALLENGED: &str = "ask the publisher to exempt the feed from it";

/// What a document is that is text or a script.
const NEITHER: &str = "the document is neither XML nor JSON";

/// What a document is that begins with neither an element nor an object.
fn other_document(text: &str, first: char) -> &'static str {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text.trim()).is_ok();
    match first {
        '[' if is_json => "the document is a JSON array; a JSON Feed is an object",
        '"' if is_json && text.contains("<rss") || text.contains("<feed") => {
            "the document is a JSON string that contains a feed; a feed is not encoded again"
        }
        '"' if is_json => "the document is a JSON string; a JSON Feed is an object",
        'n' if is_json => "the document is the JSON value null; a JSON Feed is an object",
        _ if is_json => "the document is a JSON value; a JSON Feed is an object",
        _ => NEITHER,
    }
}

fn not_a_feed(message: &str) -> Failure {
    Failure::new(FailureKind::NotAFeed, message).help("check the URL")
}

/// Failure for a document that has no feed in it.
fn no_feed(decoded: &decode::Decoded<'_>, root: &tree::Element<'_>, context: &Context) -> Failure {
    if layout::is_html(root) {
        return web_page(decoded, context);
    }
    if decoded.junk().is_some() {
        return not_a_feed(NEITHER);
    }
    if let Some(to) = moved_to(root) {
        let message = format!("the document says that the feed has moved to {to}");
        let help = format!("set url = \"{to}\" in the [[feed]]");
        return Failure::new(FailureKind::NotAFeed, message).help(help);
    }
    if root.name.eq_ignore_ascii_case("opml") {
        let message = "the document is a list of feeds (OPML), not a feed";
        let help = "'newswire import FILE' adds the feeds of a list; [[subscriptions]] with its url follows it";
        return Failure::new(FailureKind::NotAFeed, message).help(help);
    }
    let name: String = root.name.chars().take(40).collect();
    let message = format!("the root element <{name}> is not the root of a feed");
    let help = "check the URL; RSS, Atom and JSON Feed are supported";
    Failure::new(FailureKind::NotAFeed, message).help(help)
}

/// Target of the redirect document of RSS: `<redirect><newLocation>`.
fn moved_to(root: &tree::Element<'_>) -> Option<String> {
    let redirect = root.name.eq_ignore_ascii_case("redirect");
    let new = root.elements().find(|inner| inner.name.eq_ignore_ascii_case("newLocation"))?;
    new.trimmed().filter(|_| redirect)
}

/// Failure for a web page, with the feeds that it links to.
fn web_page(decoded: &decode::Decoded<'_>, context: &Context) -> Failure {
    let text = &*decoded.text;
    if file_kind::is_challenge(text.as_bytes()) {
        let message = "the server answered with a challenge for browsers";
        return Failure::new(FailureKind::Forbidden, message).help(CHALLENGED);
    }
    let mut feeds = match &context.base {
        Some(url) => page::links(text, url, Syntax::Html).best(),
        None => Vec::new(),
    };
    feeds.truncate(3);
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

/// Feeds that a web page links to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternates {
    /// Links with the type of a feed (HTML 4.6.7.1) in the header `Link` and in the page, or else `<a>` elements with such
    /// a type. Absolute URLs without duplicates, at most 20.
    pub feeds: Vec<Link>,
    /// Further links of this kind.
    pub left_out: LeftOut,
    /// Other links that may lead to feeds, by their URL, their text or a type of JSON or XML: groups with the same evidence,
    /// the likeliest first; at most 20 in all.
    pub possible: Vec<Vec<Link>>,
    /// The page that a browser shows instead at once (`<meta http-equiv=refresh>`).
    pub refresh: Option<Url>,
    /// URLs on the site of the page where feeds often are, for the operator to try; empty if it is not a web page.
    pub usual: Vec<Url>,
}

/// Feeds that a web page links to; `header` are the values of the headers `Link`, joined by commas.
#[must_use]
pub fn alternates(input: Input<'_>, header: Option<&str>) -> Alternates {
    let decoded = decode::decode(input.bytes, input.content_type, input.url.domain());
    let is_xml = |name: &str| {
        let bare = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        bare.ends_with("+xml") || bare.ends_with("/xml")
    };
    let syntax = if input.content_type.is_some_and(is_xml) { Syntax::Xml } else { Syntax::Html };
    let mut links = page::links(&decoded.text, input.url, syntax);
    let mut declared =
        header.map(|values| feed_link::feeds_of_header(values, input.url)).unwrap_or_default();
    for link in std::mem::take(&mut links.declared) {
        if declared.iter().all(|known| known.href != link.href) {
            declared.push(link);
        }
    }
    links.declared = declared;
    let mut possible = std::mem::take(&mut links.possible);
    // Comments are no feed of the site.
    possible.iter_mut().for_each(|group| group.retain(|link| !feed_link::is_of_comments(link)));
    // What is left if a declared feed is not there.
    if !links.declared.is_empty() {
        possible.insert(0, std::mem::take(&mut links.anchors));
    }
    possible.retain(|group| !group.is_empty());
    let usual = if links.is_page { page::usual_urls(input.url) } else { Vec::new() };
    let (left_out, refresh) = (links.left_out, links.refresh.take());
    Alternates { feeds: links.best(), left_out, possible, refresh, usual }
}

/// The feed, the number of items dropped because of `max_items`, and the reader of the texts.
fn xml(
    decoded: &decode::Decoded<'_>,
    max_items: usize,
    context: &Context,
    parse_warnings: &mut Vec<ParseWarning>,
) -> Result<(ParsedFeed, usize, ReadBy), Failure> {
    let text = decoded.document();
    let Some(tree) = scan::scan_newest(text, max_items) else {
        return Err(not_a_feed("the document has no element in it"));
    };
    let is_feed = |layout: &layout::Layout<'_, '_>| {
        decoded.junk().is_none_or(|before| !layout::is_quoted(&tree, layout, before))
    };
    let Some(mut layout) = layout::layout(&tree).filter(is_feed) else {
        return Err(no_feed(decoded, &tree.root, context));
    };
    layout.leave_out_drafts();
    let dropped = tree.dropped + layout.keep_newest(max_items);
    let links = || channel::links(layout.channel, layout.dialect, &Context::default());
    let mut context = context.with_web_base(links).into_owned();
    context.keeps_div = layout.dialect == Dialect::Atom03;
    let root = context.enter(layout.root);
    let own = std::ptr::eq(layout.root, layout.channel);
    let mut inner = if own { root.into_owned() } else { root.enter(layout.channel).into_owned() };
    inner.base = layout.base(&inner);
    inner.feed_language = channel::language(layout.channel, layout.root, &inner);
    inner.date_order = date_order::of_document(layout.items.iter().copied());
    let mut feed = channel::channel(&layout, &inner);
    feed.explicit = media::explicit(layout.channel);
    feed.block = media::is_blocked(layout.channel);
    (feed.item_authors, feed.surplus_authors) = item::authors(layout.channel, &inner);
    inner.home = feed.links.iter().find(|it| it.rel == "alternate").map(|it| it.href.clone());
    let clean = feed_rs::texts(text, &layout, &inner);
    let read_by = if clean.is_some() { ReadBy::FeedRs } else { ReadBy::Newswire };
    let mut clean = clean.map(Vec::into_iter);
    repeated::report(layout.channel, "the feed", &inner);
    repeated::channels(layout.root, &inner);
    let read = |element: &&tree::Element<'_>| {
        repeated::report(element, "an item", &inner);
        let by_feed_rs = clean.as_mut().and_then(Iterator::next);
        let texts = by_feed_rs.unwrap_or_else(|| item::texts(element, &inner));
        let item::Texts { title, summary, content, rights } = texts;
        let facts = item::facts(element, layout.dialect, &inner);
        let language = facts.language.clone().or_else(|| feed.language.clone());
        ParsedItem { title, summary, content, rights, language, ..facts }
    };
    let items = layout.items.iter().map(read).collect();
    feed.items = items;
    feed.partial = tree.partial;
    parse_warnings.extend(tree.parse_warnings);
    Ok((feed, dropped, read_by))
}
