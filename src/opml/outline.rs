//! OPML 1 and 2: outlines nested in each other, with attributes in whatever case.
//!
//! Read as it stands: no DTD, no entities of its own, nothing that another document would have to be
//! fetched for.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::entry::{Gather, List, MAX_DEPTH, MAX_OUTLINES, Said};
use super::error::Error;
use super::text::unescape;

/// Nobody needs more on one outline.
const MAX_ATTRIBUTES: usize = 64;

/// Reads an OPML document.
pub(super) fn read(text: &str) -> Result<List, Error> {
    let mut walk = Walk { text, at: 0, line: 1, ..Walk::default() };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event();
        walk.reach(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
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
                let message = "the document ends before its outlines do".to_owned();
                return Err(Error::Broken { line: walk.line, message });
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                return Err(Error::Broken { line: walk.line, message: error.to_string() });
            }
        }
    }
    match walk.root {
        true => Ok(walk.gather.finish()),
        false => Err(Error::Unknown("there is no element in it".to_owned())),
    }
}

/// An outline that is still open.
struct Open {
    line: usize,
    /// What it is called; of a feed, which is no folder, nothing.
    folder: Option<String>,
    is_feed: bool,
    holds_others: bool,
}

#[derive(Default)]
struct Walk<'a> {
    text: &'a str,
    /// So far the lines are counted.
    at: usize,
    line: usize,
    root: bool,
    open: Vec<Open>,
    outlines: usize,
    gather: Gather,
}

impl Walk<'_> {
    /// Counts lines up to a byte.
    fn reach(&mut self, at: usize) {
        let at = at.min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = at;
    }

    fn open(&mut self, tag: &BytesStart<'_>, depth: usize) -> Result<(), Error> {
        let name = tag.local_name();
        if !std::mem::replace(&mut self.root, true) && !name.as_ref().eq_ignore_ascii_case("opml") {
            let name: String = name.as_ref().chars().take(40).collect();
            return Err(Error::Unknown(format!("<{name}> is no list of feeds")));
        }
        // Namespaces of others may have outlines too, and so may the head.
        if !is_outline(tag.name().0) {
            return Ok(());
        }
        self.outlines += 1;
        if self.outlines > MAX_OUTLINES || depth > 100_000 {
            return Err(Error::TooMany(self.line));
        }
        if let Some(above) = self.open.last_mut() {
            above.holds_others = true;
        }
        let attributes = Attributes::of(tag);
        let line = self.line;
        let label = attributes.get("title").or_else(|| attributes.get("text"));
        let mut open = Open { line, folder: None, is_feed: true, holds_others: false };
        match attributes.feed() {
            Feed::At(_) if self.open.len() >= MAX_DEPTH => {
                let why = "it is nested more than 32 deep";
                self.gather.leave(line, label.unwrap_or_default(), why);
            }
            Feed::At(url) => {
                let page = attributes.get("htmlurl");
                let mut tags = attributes.categories();
                tags.extend(self.open.iter().filter_map(|open| open.folder.as_deref()));
                self.gather.take(Said { line, url, title: label, page, tags });
            }
            Feed::Other(why) => self.gather.leave(line, label.unwrap_or_default(), why),
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
            && !closed.holds_others
        {
            let what = closed.folder.unwrap_or_default();
            self.gather.leave(closed.line, &what, "it has no xmlUrl and holds no feeds");
        }
    }
}

fn is_outline(name: &str) -> bool {
    name.eq_ignore_ascii_case("outline")
}

/// What an outline is.
enum Feed<'a> {
    At(&'a str),
    /// Something that is no feed, and no folder either.
    Other(&'static str),
    None,
}

/// The attributes of an outline, names in lower case, values unescaped.
struct Attributes<'a>(Vec<(String, Cow<'a, str>)>);

impl<'a> Attributes<'a> {
    fn of(tag: &'a BytesStart<'_>) -> Self {
        let mut attributes = tag.html_attributes();
        // Finding the same name twice costs the square of their number.
        let read = attributes.with_checks(false).take(MAX_ATTRIBUTES).filter_map(Result::ok);
        let unescaped = |value| match value {
            Cow::Borrowed(value) => unescape(value),
            Cow::Owned(value) => Cow::Owned(unescape(&value).into_owned()),
        };
        Self(read.map(|one| (one.key.0.to_ascii_lowercase(), unescaped(one.value))).collect())
    }

    /// The first of that name that says anything.
    fn get(&self, name: &str) -> Option<&str> {
        let found =
            |(key, value): &&(String, Cow<'_, str>)| key == name && !value.trim().is_empty();
        self.0.iter().find(found).map(|(_, value)| &**value)
    }

    fn feed(&self) -> Feed<'_> {
        let kind = self.get("type").unwrap_or_default().to_ascii_lowercase();
        match (self.get("xmlurl"), self.get("url"), kind.as_str()) {
            (Some(url), ..) => Feed::At(url),
            // Some old programs write it so.
            (None, Some(url), "rss" | "atom" | "feed") => Feed::At(url),
            (None, _, "include") => Feed::Other("it includes another list: import that one too"),
            (None, Some(_), _) => Feed::Other("it is a link and no feed"),
            (None, None, "rss" | "atom" | "feed" | "link") => Feed::Other("it has no xmlUrl"),
            (None, None, _) => Feed::None,
        }
    }

    /// OPML 2.0, category: parted by commas; with a slash in front it is a way through a tree.
    fn categories(&self) -> Vec<&str> {
        let all = self.get("category").unwrap_or_default();
        let parts =
            all.split(',').map(str::trim).flat_map(|category| match category.strip_prefix('/') {
                Some(way) => way.split('/').collect::<Vec<_>>(),
                None => vec![category],
            });
        parts.collect()
    }
}
