//! Writes OPML 2.0 that is well-formed whatever is put in.

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::entry::Entry;
use super::text::line;

/// What a list says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// Its title.
    pub title: String,
    /// When it was made; left out where not given, so that the same feeds give the same bytes.
    pub created: Option<Timestamp>,
}

/// More of a text helps nobody.
const LONGEST: usize = 1000;

/// The list as a document. Tags go out as categories; and because most readers know folders alone,
/// each feed lies in a folder of its first tag.
#[must_use]
pub fn write(head: &Head, entries: &[Entry]) -> String {
    let mut document = Document(Writer::new_with_indent(Vec::new(), b' ', 2));
    document.event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    document.open("opml", &[("version", "2.0")]);
    document.open("head", &[]);
    document.text("title", &head.title);
    if let Some(created) = head.created {
        // RFC 822 5.1, with a year of four digits.
        document.text("dateCreated", &created.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    document.close("head");
    document.open("body", &[]);
    for (folder, feeds) in folders(entries) {
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

/// The feeds by folder, folders in the order of their first feed, feeds without one at the end.
fn folders(entries: &[Entry]) -> Vec<(Option<&str>, Vec<&Entry>)> {
    let mut places = std::collections::HashMap::new();
    let mut folders: Vec<(Option<&str>, Vec<&Entry>)> = Vec::new();
    let mut loose = Vec::new();
    for entry in entries {
        // A tag that a category cannot carry gets a folder, and the feed stands in each of these.
        let odd = entry.tags.iter().filter(|tag| !is_category(tag));
        let mut names: Vec<&str> = odd.map(String::as_str).collect();
        if names.is_empty() {
            names.extend(entry.tags.first().map(String::as_str));
        }
        if names.is_empty() {
            loose.push(entry);
        }
        for name in names {
            let place = *places.entry(name).or_insert(folders.len());
            if place == folders.len() {
                folders.push((Some(name), Vec::new()));
            }
            folders[place].1.push(entry);
        }
    }
    folders.push((None, loose));
    folders
}

/// OPML 2.0, category: a comma would part it, a slash in front make a way of it.
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

    fn feed(&mut self, feed: &Entry) {
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
