//! OPML: reads versions 1 and 2, writes version 2.0.
//!
//! Outlines may be nested, and attribute names may be in any case. DTDs, custom entities and external resources are not
//! processed. What is written is well-formed for any input.

use std::borrow::Cow;

use jiff::Timestamp;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

use super::feed_list::{
    Error, FeedList, ListBuilder, ListedFeed, MAX_DEPTH, MAX_OUTLINES, RawFeed, line, unescape,
};

/// Largest number of attributes that are read from one outline.
const MAX_ATTRIBUTES: usize = 64;

/// Parses an OPML document.
pub(super) fn read(text: &str) -> Result<FeedList, Error> {
    let mut walk = Walk { text, at: 0, line: 1, ..Walk::default() };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event();
        walk.count_lines(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        match event {
            Ok(Event::Start(tag)) => {
                walk.open(&tag, depth)?;
                depth += 1;
            }
            Ok(Event::Empty(tag)) => {
                walk.open(&tag, depth)?;
                walk.close(tag.name().0);
            }
            Ok(Event::End(tag)) => {
                depth = depth.saturating_sub(1);
                walk.close(tag.name().0);
            }
            Ok(Event::Eof) if depth > 0 => {
                let message = "the document ends inside an outline".to_owned();
                return Err(Error::Malformed { line: walk.line, message });
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                return Err(Error::Malformed { line: walk.line, message: error.to_string() });
            }
        }
    }
    match walk.root {
        true => Ok(walk.builder.build()),
        false => Err(Error::UnknownFormat("the document contains no element".to_owned())),
    }
}

/// Attributes with settings that are not imported, as Miniflux, FreshRSS and Liferea write them, and what to do instead.
/// Their values may be secret.
const SETTINGS: [(&[&str], &str); 7] = [
    (
        &["disabled"],
        "the feed is polled; to pause it, set paused = true in a [[feed]] with its URL",
    ),
    (
        &[
            "blocklistRules",
            "keeplistRules",
            "blockFilterEntryRules",
            "keepFilterEntryRules",
            "frss:filtersActionRead",
        ],
        "filters are not imported; set include or exclude in a [[feed]] with its URL",
    ),
    (
        &["username", "password"],
        "logins are not imported; set authorization in a [[feed]] with its URL",
    ),
    (
        &["frss:CURLOPT_COOKIE", "frss:CURLOPT_COOKIEFILE", "frss:CURLOPT_HTTPHEADER"],
        "headers are not imported; set headers in a [[feed]] with its URL",
    ),
    (
        &["frss:CURLOPT_USERAGENT", "userAgent"],
        "the User-Agent is not imported; set user_agent in a [[feed]] with its URL",
    ),
    (
        &["frss:CURLOPT_PROXY", "fetchViaProxy"],
        "the feed is polled without this proxy; set proxy in a [[feed]] with its URL",
    ),
    (
        &[
            "filtercmd",
            "scraperRules",
            "rewriteRules",
            "crawler",
            "frss:cssFullContent",
            "frss:cssFullContentFilter",
            "frss:cssContentFilter",
        ],
        "texts are published as they are in the feed; to remove parts, set remove in a [[feed]] with its URL",
    ),
];

/// An outline whose end was not reached yet.
struct Open {
    line: usize,
    /// Name of the folder; `None` for a feed.
    folder: Option<String>,
    is_feed: bool,
    /// Whether it, or an outline that contains it, is commented out.
    is_comment: bool,
    has_children: bool,
    /// Whether its feeds are those of another list.
    is_list: bool,
}

#[derive(Default)]
struct Walk<'a> {
    text: &'a str,
    /// Offset up to which line ends were counted.
    at: usize,
    line: usize,
    root: bool,
    open: Vec<Open>,
    outlines: usize,
    builder: ListBuilder,
}

impl Walk<'_> {
    /// Counts the lines up to an offset.
    fn count_lines(&mut self, at: usize) {
        let at = at.min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = at;
    }

    fn open(&mut self, tag: &BytesStart<'_>, depth: usize) -> Result<(), Error> {
        let name = tag.local_name();
        if !std::mem::replace(&mut self.root, true) && !name.as_ref().eq_ignore_ascii_case("opml") {
            let name: String = name.as_ref().chars().take(40).collect();
            return Err(Error::UnknownFormat(format!("the root element <{name}> is not opml")));
        }
        // Other namespaces and the head may contain outlines too.
        if !is_outline(tag.name().0) {
            return Ok(());
        }
        self.outlines += 1;
        if self.outlines > MAX_OUTLINES || depth > 100_000 {
            return Err(Error::TooMany(self.line));
        }
        let is_in_comment = self.open.last().is_some_and(|above| above.is_comment);
        if let Some(above) = self.open.last_mut() {
            above.has_children = true;
        }
        let attributes = Attributes::of(tag);
        let line = self.line;
        let label = attributes.label();
        let label = label.as_deref();
        let is_comment = is_in_comment || attributes.is_comment();
        let mut open = Open {
            line,
            folder: None,
            is_feed: true,
            is_comment,
            has_children: false,
            is_list: attributes.is_list(),
        };
        match attributes.feed() {
            // Reported once, with the outermost one.
            _ if is_in_comment => {}
            _ if is_comment => {
                let reason = "it is commented out (isComment), with what it contains";
                self.builder.skip(line, label.unwrap_or_default(), reason);
            }
            Feed::At(_) if self.open.len() >= MAX_DEPTH => {
                let reason = "it is nested more than 32 levels deep";
                self.builder.skip(line, label.unwrap_or_default(), reason);
            }
            Feed::At(url) => {
                let page = attributes.get("htmlurl");
                let mut tags = attributes.categories();
                tags.extend(self.open.iter().filter_map(|open| open.folder.as_deref()));
                for (name, reason) in attributes.without_counterpart() {
                    let name = format!("{name} of {}", label.unwrap_or(url));
                    self.builder.ignore(line, &name, reason);
                }
                self.builder.add(RawFeed { line, url, title: label, page, tags });
            }
            Feed::Other(why) => self.builder.skip(line, label.unwrap_or_default(), why),
            Feed::None => {
                open = Open { folder: label.map(str::to_owned), is_feed: false, ..open };
            }
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, name: &str) {
        if !is_outline(name) {
            return;
        }
        if let Some(closed) = self.open.pop()
            && !closed.is_feed
            && !closed.has_children
        {
            let name = closed.folder.unwrap_or_default();
            let reason = match closed.is_list {
                true => {
                    "its feeds are those of another list (opmlUrl); follow that list with [[subscriptions]]"
                }
                false => "it has no xmlUrl and contains no feeds",
            };
            self.builder.skip(closed.line, &name, reason);
        }
    }
}

fn is_outline(name: &str) -> bool {
    name.eq_ignore_ascii_case("outline")
}

/// What an outline represents.
enum Feed<'a> {
    /// A feed with this URL.
    At(&'a str),
    /// Neither a feed nor a folder; why it is skipped.
    Other(&'static str),
    /// A folder, which contains other outlines.
    None,
}

/// The attributes of an outline: names in lower case, values without references.
struct Attributes<'a>(Vec<(String, Cow<'a, str>)>);

impl<'a> Attributes<'a> {
    fn of(tag: &'a BytesStart<'_>) -> Self {
        let mut attributes = tag.html_attributes();
        // The check for repeated names takes quadratic time.
        let read = attributes.with_checks(false).take(MAX_ATTRIBUTES).filter_map(Result::ok);
        let unescaped = |value| match value {
            Cow::Borrowed(value) => unescape(value),
            Cow::Owned(value) => Cow::Owned(unescape(&value).into_owned()),
        };
        Self(read.map(|one| (one.key.0.to_ascii_lowercase(), unescaped(one.value))).collect())
    }

    /// Value of the first attribute of that name that is not blank.
    fn get(&self, name: &str) -> Option<&str> {
        let found =
            |(key, value): &&(String, Cow<'_, str>)| key == name && !value.trim().is_empty();
        self.0.iter().find(found).map(|(_, value)| &**value)
    }

    /// Title or text. Its references are resolved again: `text` may contain HTML (OPML 2.0), and many programs
    /// escape titles twice.
    fn label(&self) -> Option<Cow<'_, str>> {
        self.get("title").or_else(|| self.get("text")).map(unescape)
    }

    /// OPML 2.0, `isComment`: what it contains is a comment too.
    fn is_comment(&self) -> bool {
        self.get("iscomment").is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// A category of FreshRSS with the feeds of another list.
    fn is_list(&self) -> bool {
        self.get("frss:opmlurl").is_some()
    }

    /// The settings of the feed that Newswire does not take over: name and reason.
    fn without_counterpart(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let is_set = |name: &str| {
            let value = self.get(&name.to_ascii_lowercase());
            value.is_some_and(|it| {
                !["false", "0"].contains(&it.trim().to_ascii_lowercase().as_str())
            })
        };
        let settings =
            SETTINGS.iter().flat_map(|(names, reason)| names.iter().map(|name| (*name, *reason)));
        settings.filter(move |(name, _)| is_set(name))
    }

    fn feed(&self) -> Feed<'_> {
        let kind = self.get("type").unwrap_or_default().to_ascii_lowercase();
        match (self.get("xmlurl"), self.get("url"), kind.as_str()) {
            (Some(_), _, "opml" | "fl_opml") => {
                Feed::Other("it is a list of feeds; follow it with [[subscriptions]]")
            }
            // FreshRSS: html+xpath, xml+xpath, json+dotnotation, html+xpath+json+dotnotation.
            (Some(_), _, kind) if kind.contains("+xpath") || kind.contains("+dotnotation") => {
                Feed::Other("it is not a feed; another program makes one of it")
            }
            (Some(url), ..) => Feed::At(url),
            // Some old programs write `url` instead of `xmlUrl`.
            (None, Some(url), "rss" | "atom" | "feed") => Feed::At(url),
            (None, _, "include") => Feed::Other("it refers to another list; import that one too"),
            (None, Some(_), _) => Feed::Other("it is a link, not a feed"),
            (None, None, "rss" | "atom" | "feed" | "link") => Feed::Other("it has no xmlUrl"),
            (None, None, _) => Feed::None,
        }
    }

    /// OPML 2.0, `category`: values separated by commas; a value that begins with a slash is a path.
    fn categories(&self) -> Vec<&str> {
        let all = self.get("category").unwrap_or_default();
        let parts =
            all.split(',').map(str::trim).flat_map(|category| match category.strip_prefix('/') {
                Some(path) => path.split('/').collect::<Vec<_>>(),
                None => vec![category],
            });
        parts.collect()
    }
}

/// The head of an OPML document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpmlHead {
    /// Title of the list.
    pub title: String,
    /// Time of creation (UTC); `None` omits it, so that the same feeds give the same bytes.
    pub created: Option<Timestamp>,
}

/// Longest text that is written, in characters.
const LONGEST: usize = 1000;

/// The OPML document. Tags are written as categories. Each feed is also in a folder of its first tag,
/// because most feed readers support only folders.
#[must_use]
pub fn write(head: &OpmlHead, feeds: &[ListedFeed]) -> String {
    let mut document = Document(Writer::new_with_indent(Vec::new(), b' ', 2));
    document.event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    document.open("opml", &[("version", "2.0")]);
    document.open("head", &[]);
    document.text("title", &head.title);
    if let Some(created) = head.created {
        // RFC 822 5.1, with a four-digit year.
        document.text("dateCreated", &created.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    document.close("head");
    document.open("body", &[]);
    for (folder, feeds) in folders(feeds) {
        if let Some(name) = folder {
            document.open("outline", &[("text", name), ("title", name)]);
        }
        for feed in feeds {
            document.feed(feed);
        }
        if folder.is_some() {
            document.close("outline");
        }
    }
    document.close("body");
    document.close("opml");
    let mut bytes = document.0.into_inner();
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The feeds by folder, in the order of the first feed of each; feeds without a folder are last.
fn folders(list: &[ListedFeed]) -> Vec<(Option<&str>, Vec<&ListedFeed>)> {
    let mut indexes = std::collections::HashMap::new();
    let mut folders: Vec<(Option<&str>, Vec<&ListedFeed>)> = Vec::new();
    let mut loose = Vec::new();
    for entry in list {
        // A tag that a category cannot represent becomes a folder.
        let unwritable = entry.tags.iter().filter(|tag| !is_category(tag));
        let mut names: Vec<&str> = unwritable.map(String::as_str).collect();
        if names.is_empty() {
            names.extend(entry.tags.first().map(String::as_str));
        }
        if names.is_empty() {
            loose.push(entry);
        }
        for name in names {
            let index = *indexes.entry(name).or_insert(folders.len());
            if index == folders.len() {
                folders.push((Some(name), Vec::new()));
            }
            folders[index].1.push(entry);
        }
    }
    folders.push((None, loose));
    folders
}

/// Whether a category can represent the tag (OPML 2.0): a comma separates values, a leading slash makes a path.
fn is_category(tag: &str) -> bool {
    !tag.contains(',') && !tag.starts_with('/')
}

struct Document(Writer<Vec<u8>>);

impl Document {
    fn event(&mut self, event: Event<'_>) {
        let written = self.0.write_event(event);
        debug_assert!(written.is_ok(), "writing into memory: {written:?}");
    }

    fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.event(Event::Start(start(name, attributes)));
    }

    fn close(&mut self, name: &'static str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.open(name, &[]);
        self.event(Event::Text(BytesText::new(&line(text, LONGEST).unwrap_or_default())));
        self.close(name);
    }

    fn feed(&mut self, feed: &ListedFeed) {
        let host = feed.url.host_str().unwrap_or_default();
        let title = feed.title.as_deref().unwrap_or(host);
        let categories: Vec<&str> =
            feed.tags.iter().map(String::as_str).filter(|tag| is_category(tag)).collect();
        let categories = categories.join(",");
        let mut attributes =
            vec![("type", "rss"), ("text", title), ("title", title), ("xmlUrl", feed.url.as_str())];
        attributes.extend(feed.page.as_ref().map(|page| ("htmlUrl", page.as_str())));
        if !categories.is_empty() {
            attributes.push(("category", categories.as_str()));
        }
        self.event(Event::Empty(start("outline", &attributes)));
    }
}

fn start(name: &'static str, attributes: &[(&str, &str)]) -> BytesStart<'static> {
    let mut tag = BytesStart::new(name);
    for (key, value) in attributes {
        let longest = if key.ends_with("Url") || *key == "category" { usize::MAX } else { LONGEST };
        tag.push_attribute((*key, line(value, longest).unwrap_or_default().as_str()));
    }
    tag
}
