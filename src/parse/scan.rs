//! Text to an element tree, with limits and repairs.
//!
//! The cost is linear in the size of the document: repairs that search for a far `>` and the text of
//! declared entities are limited.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::entity::{Declared, entity, unescape};
use super::namespace::{Bindings, Namespace};
use super::structure::{self, Home, Name, Resolved};
use super::tags::{self, Quotes, Written};
use super::tree::{Attribute, Element, Items, MIN_ITEMS, Node, Tree};
use crate::model::ParseWarning;
use crate::text::quoted::in_quotes;

/// Maximum depth of elements. Deeper elements are dropped; their text belongs to the ancestor.
const MAX_DEPTH: usize = 96;
/// Maximum number of elements: about 100 MB of memory.
pub(crate) const MAX_ELEMENTS: usize = 500_000;
/// Maximum number of elements of a document that feed-rs reads: it makes a copy of all of them.
const MAX_FOR_FEED_RS: usize = 100_000;
/// Maximum number of attributes of an element.
pub(crate) const MAX_ATTRIBUTES: usize = 64;
/// Maximum number of parse warnings.
const MAX_WARNINGS: usize = 20;

/// Parses a document; `None` if it has no element.
#[cfg(test)]
pub(crate) fn scan(text: &str) -> Option<Tree<'_>> {
    scan_newest(text, usize::MAX)
}

/// Parses a document that may have many items. At any time an element has fewer than twice `max_items` or
/// [`MIN_ITEMS`] items, because the older ones are dropped while reading.
pub(crate) fn scan_newest(text: &str, max_items: usize) -> Option<Tree<'_>> {
    let mut scanner = Scanner::new(text);
    scanner.max_items = max_items.max(MIN_ITEMS);
    scanner.run();
    if !scanner.unclosed && scanner.open.is_empty() {
        return scanner.finish();
    }
    // Elements are not closed. By the names of a feed, it is known where most of them end.
    let max_items = scanner.max_items;
    scanner = Scanner { closes_by_name: true, max_items, ..Scanner::new(text) };
    scanner.run();
    scanner.finish()
}

/// An element whose end tag was not read yet.
pub(super) struct Open<'a> {
    pub(super) element: Element<'a>,
    /// Name of the element with its prefix.
    pub(super) tag: &'a str,
    /// Number of namespace declarations before it.
    bindings: usize,
    items: Items,
}

impl<'a> Open<'a> {
    fn name(&self) -> Name<'a> {
        let Element { namespace, name: local, attributes, .. } = &self.element;
        Name { namespace: *namespace, local, has_attributes: !attributes.is_empty() }
    }
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Byte offset where the reader started.
    start: usize,
    pub(super) open: Vec<Open<'a>>,
    /// Number of open elements beyond the depth limit.
    pub(super) too_deep: usize,
    bindings: Bindings<'a>,
    home: Home<'a>,
    /// Whether an element ends where its names and the next one require it.
    closes_by_name: bool,
    /// Whether an element was not closed.
    unclosed: bool,
    declared: Declared<'a>,
    root: Option<Element<'a>>,
    root_namespace: Cow<'a, str>,
    /// Number of elements in the tree.
    elements: usize,
    /// Maximum number of items, and the number of items that were dropped because of it.
    max_items: usize,
    dropped: usize,
    pub(super) far_repairs: usize,
    parse_warnings: Vec<ParseWarning>,
    /// Number of repairs without a parse warning.
    unreported: usize,
    clean: bool,
    pub(super) partial: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            reader: reader(text),
            start: 0,
            open: Vec::new(),
            too_deep: 0,
            bindings: Bindings::default(),
            home: Home::default(),
            closes_by_name: false,
            unclosed: false,
            declared: Declared::default(),
            root: None,
            root_namespace: Cow::Borrowed(""),
            elements: 0,
            max_items: usize::MAX,
            dropped: 0,
            far_repairs: 0,
            parse_warnings: Vec::new(),
            unreported: 0,
            clean: true,
            partial: false,
        }
    }

    /// Byte offset of the next event.
    fn position(&self) -> usize {
        self.start + usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Continues at byte `offset`.
    pub(super) fn jump(&mut self, offset: usize) {
        let offset = (offset..=self.text.len()).find(|at| self.text.is_char_boundary(*at));
        self.start = offset.unwrap_or(self.text.len());
        self.reader = reader(&self.text[self.start..]);
    }

    pub(super) fn repair(&mut self, code: &'static str, offset: usize, message: impl Into<String>) {
        self.clean = false;
        // The first of each kind is always kept.
        let new = self.parse_warnings.iter().all(|known| known.code != code);
        if new || self.parse_warnings.len() < MAX_WARNINGS {
            self.parse_warnings.push(ParseWarning::new(code, Some(offset), message));
        } else {
            self.unreported += 1;
        }
    }

    fn run(&mut self) {
        while self.root.is_none() && !self.partial {
            let before = self.position();
            if self.stray_less_than(before) || self.irregular_tag(before) {
                continue;
            }
            let event = self.reader.read_event();
            let after = self.position();
            match event {
                Ok(Event::Eof) => break,
                Ok(event) => self.event(event, before, after),
                Err(error) => self.broken(before, &error),
            }
        }
    }

    fn event(&mut self, event: Event<'a>, before: usize, after: usize) {
        match event {
            Event::Start(_) => self.start_tag(before + 1, after.saturating_sub(1), before),
            Event::Empty(_) if self.has_slash_in_value(before, after) => {
                self.repair("bad_attribute", before, "the value of an attribute has no quotes");
                self.start_tag(before + 1, after.saturating_sub(1), before);
            }
            Event::Empty(_) => {
                let depth = self.open.len() + self.too_deep;
                self.start_tag(before + 1, after.saturating_sub(2), before);
                if self.open.len() + self.too_deep > depth {
                    self.close_one();
                }
            }
            Event::End(_) => self.end_tag(before, after),
            Event::Text(text) => {
                let text = text.into_inner();
                if text.starts_with('&') {
                    self.repair(
                        "bare_ampersand",
                        before,
                        "`&` is not the start of a reference; it must be written as &amp;",
                    );
                }
                self.push_text(text);
            }
            Event::CData(text) => self.cdata(text.into_inner(), before),
            Event::GeneralRef(name) => self.reference(&name.into_inner(), before),
            // feed-rs does not read declared entities.
            Event::DocType(_) => {
                self.clean = false;
                self.declared = Declared::new(self.text.get(before..after).unwrap_or_default());
            }
            // feed-rs panics on a declaration that is not at the start.
            Event::Decl(_) => self.clean &= before == 0,
            Event::Comment(_) | Event::PI(_) | Event::Eof => {}
        }
    }

    pub(super) fn start_tag(&mut self, from: usize, to: usize, offset: usize) {
        self.open_element(self.text.get(from..to).unwrap_or_default(), Quotes::Regular, offset);
    }

    /// Opens the element whose start tag has this content.
    pub(super) fn open_element(&mut self, content: &'a str, quotes: Quotes, offset: usize) {
        let end = content.find(|c: char| c.is_ascii_whitespace() || c == '/');
        let tag = &content[..end.unwrap_or(content.len())];
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            self.repair("too_many_elements", offset, "too many elements; the rest is ignored");
            self.partial = true;
            return;
        }
        if self.open.len() >= MAX_DEPTH {
            if self.too_deep == 0 {
                self.repair(
                    "too_deep",
                    offset,
                    "elements are nested too deeply; the inner ones are ignored",
                );
            }
            self.too_deep += 1;
            return;
        }
        if self.closes_by_name {
            self.close_by_name(tag, content.len() > tag.len() + 1, offset);
        }
        let bindings = self.bindings.len();
        let attributes = self.attributes(content, quotes, offset);
        let (namespace, name) = self.resolve(tag, offset);
        let element = Element { namespace, name, attributes, nodes: Vec::new() };
        if self.open.is_empty() {
            self.root_namespace = self.bindings.name_of(tag);
        }
        self.open.push(Open { element, tag, bindings, items: Items::default() });
    }

    /// Closes the elements that end where an element with this tag begins.
    fn close_by_name(&mut self, tag: &str, has_attributes: bool, offset: usize) {
        let (prefix, local) = tag.split_once(':').unwrap_or(("", tag));
        let namespace = self.bindings.namespace_of(prefix).unwrap_or(Namespace::Rss);
        let namespace = self.home.known(prefix, namespace);
        let open: Vec<Name<'_>> = self.open.iter().map(|open| open.name()).collect();
        let stay = structure::stay_open(&open, Name { namespace, local, has_attributes });
        if stay < self.open.len() {
            let inner = self.open[stay].tag;
            let message = format!("<{}> is not closed before <{}>", shorten(inner), shorten(tag));
            self.repair("unclosed_tag", offset, message);
        }
        while self.open.len() > stay {
            self.close_one();
        }
    }

    /// The attributes of a tag. Adds namespace declarations to the bindings.
    fn attributes(
        &mut self,
        content: &'a str,
        quotes: Quotes,
        offset: usize,
    ) -> Vec<Attribute<'a>> {
        let Written { found, surplus, is_broken } = tags::attributes(content, quotes);
        if surplus > 0 {
            let tag =
                shorten(content.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or(""));
            let message =
                format!("<{tag}> has more than {MAX_ATTRIBUTES} attributes; {surplus} left out");
            self.repair("too_many_parts", offset, message);
        }
        if is_broken {
            self.repair("bad_attribute", offset, "malformed attribute");
        }
        let mut kept = Vec::with_capacity(found.len());
        for (key, value) in found {
            let value = match value {
                Cow::Borrowed(value) => unescape(value, &self.declared),
                Cow::Owned(value) => Cow::Owned(unescape(&value, &self.declared).into_owned()),
            };
            match key.split_once(':').unwrap_or(("", key)) {
                ("xmlns", prefix) => self.bindings.declare(prefix, value),
                ("", "xmlns") => self.bindings.declare("", value),
                _ => kept.push((key, value)),
            }
        }
        kept.into_iter()
            .map(|(key, value)| {
                let (namespace, name) = match key.split_once(':') {
                    Some((prefix, name)) => {
                        (self.bindings.namespace_of(prefix).unwrap_or(Namespace::Other), name)
                    }
                    None => (Namespace::Rss, key),
                };
                Attribute { namespace, name, value }
            })
            .collect()
    }

    fn resolve(&mut self, tag: &'a str, offset: usize) -> (Namespace, &'a str) {
        let (prefix, name) = tag.split_once(':').unwrap_or(("", tag));
        if !self.bindings.declares(prefix) && !prefix.is_empty() && prefix != "xml" {
            let message = format!("namespace prefix of <{}> is not declared", shorten(tag));
            self.repair("undeclared_prefix", offset, message);
        }
        let declared = self.bindings.namespace_of(prefix).unwrap_or(Namespace::Rss);
        let parent = self.open.last().map(Open::name);
        let namespace = match self.home.resolve(prefix, name, declared, parent) {
            Resolved::Declared(namespace) => namespace,
            Resolved::Adopted(namespace) => {
                self.clean = false;
                namespace
            }
            Resolved::NewlyAdopted(namespace) => {
                let url = self.bindings.name_of(tag);
                let message = format!(
                    "<{}> is in the namespace {}; read as {}",
                    shorten(tag),
                    in_quotes(shorten(&url)),
                    if namespace == Namespace::Atom { "Atom" } else { "RSS" },
                );
                self.repair("unknown_namespace", offset, message);
                namespace
            }
        };
        (namespace, name)
    }

    pub(super) fn end_tag(&mut self, before: usize, after: usize) {
        let tag = self.text.get(before + 2..after.saturating_sub(1)).unwrap_or_default().trim();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        match self.open.iter().rposition(|open| open.tag == tag) {
            Some(depth) => {
                if depth + 1 < self.open.len() {
                    let inner = self.open.last().map_or("", |open| open.tag);
                    let message = format!(
                        "</{}> closes an element in which <{}> is open",
                        shorten(tag),
                        shorten(inner)
                    );
                    self.repair("unclosed_tag", before, message);
                    self.unclosed = true;
                }
                while self.open.len() > depth {
                    self.close_one();
                }
            }
            None => {
                let message = format!("</{}> has no start tag", shorten(tag));
                self.repair("stray_end_tag", before, message);
            }
        }
    }

    pub(super) fn close_one(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let Some(closed) = self.open.pop() else { return };
        self.bindings.truncate(closed.bindings);
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(closed.element);
            return;
        };
        parent.items.count += usize::from(closed.element.is_item());
        parent.element.nodes.push(Node::Element(Box::new(closed.element)));
        if parent.items.count / 2 >= self.max_items {
            self.drop_older();
        }
    }

    /// Keeps the newest items of the open element.
    fn drop_older(&mut self) {
        let Some(Open { element, items, .. }) = self.open.last_mut() else { return };
        let (dropped, elements) = items.keep_newest(element, self.max_items);
        self.dropped += dropped;
        self.elements = self.elements.saturating_sub(elements);
        // feed-rs would read the dropped ones.
        self.clean = false;
    }

    pub(super) fn push_text(&mut self, text: Cow<'a, str>) {
        // Text before the root is dropped.
        if let Some(open) = self.open.last_mut() {
            open.element.push_text(text);
        }
    }

    /// Appends the text of a reference `&name;`.
    fn reference(&mut self, name: &str, offset: usize) {
        if !matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") && !name.starts_with('#') {
            // feed-rs does not know HTML entities.
            self.clean = false;
        }
        match self.declared.text(name) {
            Some(Ok(text)) => return self.push_text(Cow::Owned(text)),
            Some(Err(unread)) => {
                let message =
                    format!("entity &{}; is not read: {}", shorten(name), unread.reason());
                self.repair("unread_entity", offset, message);
                return self.push_text(Cow::Owned(format!("&{name};")));
            }
            None => {}
        }
        match entity(name) {
            Some(value) => self.push_text(value),
            None => {
                self.repair(
                    "unknown_entity",
                    offset,
                    format!("unknown entity &{};", shorten(name)),
                );
                self.push_text(Cow::Owned(format!("&{name};")));
            }
        }
    }

    /// Closes open elements and returns the tree.
    fn finish(mut self) -> Option<Tree<'a>> {
        if !self.open.is_empty() {
            self.partial = true;
            let open = shorten(self.open.last().map_or("", |open| open.tag));
            let mut message = format!("document ends inside <{open}>");
            // A part of an item is never published: without its guid it would be another item and come twice.
            if let Some(at) = self.open.iter().position(|open| open.element.is_item()) {
                self.open.truncate(at.max(1));
                message.push_str("; the item that it cuts is left out");
                if at == 0 {
                    self.open[0].element.nodes.clear();
                }
            }
            self.repair("cut", self.text.len(), message);
            self.too_deep = 0;
            while !self.open.is_empty() {
                self.close_one();
            }
        }
        let after = self.text.get(self.position()..).unwrap_or_default().trim();
        let mut followed_by_text = false;
        if !after.is_empty() && !self.partial {
            self.clean = false;
            followed_by_text = !after.trim_start_matches('\0').starts_with('<');
            if !after.starts_with("<!--") {
                self.repair("junk_after", self.position(), "content after the document");
            }
        }
        if let Some(last) = self.parse_warnings.last_mut().filter(|_| self.unreported > 0) {
            last.message.push_str(&format!(" ({} more repairs)", self.unreported));
        }
        self.clean &= self.bindings.are_exact();
        let clean = self.clean && !self.partial && self.elements <= MAX_FOR_FEED_RS;
        Some(Tree {
            root: self.root?,
            root_namespace: self.root_namespace,
            parse_warnings: self.parse_warnings,
            partial: self.partial,
            dropped: self.dropped,
            clean,
            followed_by_text,
        })
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

fn shorten(name: &str) -> &str {
    name.char_indices().nth(40).map_or(name, |(end, _)| &name[..end])
}
