//! OPML 1 and 2: nested outlines, attribute names in any case.
//!
//! DTDs, custom entities and external resources are not processed.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::error::Error;
use super::feed_list::{FeedList, ListBuilder, MAX_DEPTH, MAX_OUTLINES, RawFeed};
use super::text::unescape;

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

/// An outline whose end was not reached yet.
struct Open {
    line: usize,
    /// Name of the folder; `None` for a feed.
    folder: Option<String>,
    is_feed: bool,
    has_children: bool,
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
        if let Some(above) = self.open.last_mut() {
            above.has_children = true;
        }
        let attributes = Attributes::of(tag);
        let line = self.line;
        let label = attributes.get("title").or_else(|| attributes.get("text"));
        let mut open = Open { line, folder: None, is_feed: true, has_children: false };
        match attributes.feed() {
            Feed::At(_) if self.open.len() >= MAX_DEPTH => {
                let reason = "it is nested more than 32 levels deep";
                self.builder.skip(line, label.unwrap_or_default(), reason);
            }
            Feed::At(url) => {
                let page = attributes.get("htmlurl");
                let mut tags = attributes.categories();
                tags.extend(self.open.iter().filter_map(|open| open.folder.as_deref()));
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
            self.builder.skip(closed.line, &name, "it has no xmlUrl and contains no feeds");
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

    fn feed(&self) -> Feed<'_> {
        let kind = self.get("type").unwrap_or_default().to_ascii_lowercase();
        match (self.get("xmlurl"), self.get("url"), kind.as_str()) {
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
