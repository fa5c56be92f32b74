//! Writes OPML 2.0. The result is well-formed for any input.

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::feed_list::ListedFeed;
use super::text::line;

/// The head of an OPML document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpmlHead {
    /// Title of the list.
    pub title: String,
    /// Time of creation (UTC); `None` omits it, so that the same feeds give the same bytes.
    pub created: Option<Timestamp>,
}

/// Longest text, in characters.
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
