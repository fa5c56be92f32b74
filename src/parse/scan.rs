//! The one walk over the document: quick-xml's events to a tree, within bounds, mending as it goes.
//!
//! Costs stay linear in the document: the few repairs that look for a far `>` are counted and
//! given up when there are too many, and so is the text of entities that the document declares.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;

use super::entity::{declared, entity, unescape};
use super::space::{Bindings, Space};
use super::tree::{Attribute, Element, Node, Tree};
use crate::model::ParseWarning;

/// No feed nests so deep; what is deeper gives its text to its ancestor.
const MAX_DEPTH: usize = 96;
/// A tree of this many elements is some 100 MB.
pub(crate) const MAX_ELEMENTS: usize = 500_000;
/// Nobody needs more on one element.
pub(crate) const MAX_ATTRIBUTES: usize = 64;
/// More of them help nobody to mend a feed.
const MAX_COMPLAINTS: usize = 20;
/// So much text of declared entities is put in, in bytes.
const MAX_EXPANSION: usize = 64 << 10;
/// Repairs that look far ahead.
const MAX_FAR_REPAIRS: usize = 100;

/// Reads a document into a tree; `None` when there is no element in it.
pub(crate) fn scan(text: &str) -> Option<Tree<'_>> {
    let mut walk = Walk::new(text);
    walk.run();
    walk.finish()
}

/// An element that is still open.
struct Open<'a> {
    element: Element<'a>,
    /// Its name with the prefix.
    tag: &'a str,
    /// Declarations in force before it.
    bindings: usize,
}

struct Walk<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Where the reader began.
    start: usize,
    open: Vec<Open<'a>>,
    /// Open elements beyond the depth limit.
    too_deep: usize,
    bindings: Bindings<'a>,
    /// Entities that the document declares, and how much of their text may still be put in.
    declared: Vec<(&'a str, &'a str)>,
    expansion: usize,
    root: Option<Element<'a>>,
    namespace: Cow<'a, str>,
    elements: usize,
    far_repairs: usize,
    parse_warnings: Vec<ParseWarning>,
    clean: bool,
    partial: bool,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            reader: reader(text),
            start: 0,
            open: Vec::new(),
            too_deep: 0,
            bindings: Bindings::default(),
            declared: Vec::new(),
            expansion: MAX_EXPANSION,
            root: None,
            namespace: Cow::Borrowed(""),
            elements: 0,
            far_repairs: 0,
            parse_warnings: Vec::new(),
            clean: true,
            partial: false,
        }
    }

    /// Byte offset of the next event.
    fn position(&self) -> usize {
        self.start + usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Goes on reading at `offset`.
    fn jump(&mut self, offset: usize) {
        let offset = (offset..=self.text.len()).find(|at| self.text.is_char_boundary(*at));
        self.start = offset.unwrap_or(self.text.len());
        self.reader = reader(&self.text[self.start..]);
    }

    fn mend(&mut self, code: &'static str, offset: usize, message: impl Into<String>) {
        self.clean = false;
        if self.parse_warnings.len() < MAX_COMPLAINTS {
            self.parse_warnings.push(ParseWarning::new(code, Some(offset), message));
        }
    }

    fn run(&mut self) {
        while self.root.is_none() && !self.partial {
            let before = self.position();
            if self.stray_less_than(before) {
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

    /// A `<` that begins no markup is text; the reader would look for its `>` to the end.
    fn stray_less_than(&mut self, at: usize) -> bool {
        let Some(rest) = self.text.get(at..).and_then(|rest| rest.strip_prefix('<')) else {
            return false;
        };
        let begins = |c: char| c.is_alphabetic() || matches!(c, '/' | '!' | '?' | '_' | ':');
        if rest.starts_with(begins) {
            return false;
        }
        self.mend("bare_less_than", at, "`<` where no tag begins: write it as &lt;");
        self.push_text(Cow::Borrowed("<"));
        self.jump(at + 1);
        true
    }

    fn event(&mut self, event: Event<'a>, before: usize, after: usize) {
        match event {
            Event::Start(_) => self.start_tag(before + 1, after.saturating_sub(1), before),
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
                    self.mend("bare_ampersand", before, "`&` where no reference begins");
                }
                self.push_text(text);
            }
            Event::CData(text) => self.push_text(text.into_inner()),
            Event::GeneralRef(name) => self.reference(&name.into_inner(), before),
            // feed-rs does not know what a document declares.
            Event::DocType(_) => {
                self.clean = false;
                self.declared = declared(self.text.get(before..after).unwrap_or_default());
            }
            // feed-rs panics over one that does not stand at the beginning.
            Event::Decl(_) => self.clean &= before == 0,
            Event::Comment(_) | Event::PI(_) | Event::Eof => {}
        }
    }

    fn start_tag(&mut self, from: usize, to: usize, offset: usize) {
        let content = self.text.get(from..to).unwrap_or_default();
        let end = content.find(|c: char| c.is_ascii_whitespace() || c == '/');
        let tag = &content[..end.unwrap_or(content.len())];
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            self.mend("too_many_elements", offset, "too many elements: the rest was not read");
            self.partial = true;
            return;
        }
        if self.open.len() >= MAX_DEPTH {
            if self.too_deep == 0 {
                self.mend("too_deep", offset, "nested too deep: inner elements were left out");
            }
            self.too_deep += 1;
            return;
        }
        let bindings = self.bindings.len();
        let attributes = self.attributes(content, tag.len(), offset);
        let (space, name) = self.resolve(tag, offset);
        let element = Element { space, name, attributes, nodes: Vec::new() };
        if self.open.is_empty() {
            self.namespace = self.bindings.name_of(tag);
        }
        self.open.push(Open { element, tag, bindings });
    }

    /// The attributes of a tag; declarations among them come into force.
    fn attributes(&mut self, content: &'a str, name: usize, offset: usize) -> Vec<Attribute<'a>> {
        if content.len() <= name {
            return Vec::new();
        }
        let (mut found, mut broken) = (Vec::new(), false);
        let mut iterator = Attributes::html(content, name);
        // Finding the same name twice costs the square of their number.
        for attribute in iterator.with_checks(false).take(MAX_ATTRIBUTES) {
            match attribute {
                Ok(attribute) => found.push((attribute.key.0, attribute.value)),
                Err(_) => broken = true,
            }
        }
        if broken {
            self.mend("bad_attribute", offset, "an attribute that cannot be read");
        }
        let mut kept = Vec::with_capacity(found.len());
        for (key, value) in found {
            let value = match value {
                Cow::Borrowed(value) => unescape(value),
                Cow::Owned(value) => Cow::Owned(unescape(&value).into_owned()),
            };
            match key.split_once(':').unwrap_or(("", key)) {
                ("xmlns", prefix) => self.bindings.declare(prefix, value),
                ("", "xmlns") => self.bindings.declare("", value),
                _ => kept.push((key, value)),
            }
        }
        kept.into_iter()
            .map(|(key, value)| {
                let (space, name) = match key.split_once(':') {
                    Some((prefix, name)) => {
                        (self.bindings.space_of(prefix).unwrap_or(Space::Other), name)
                    }
                    None => (Space::Rss, key),
                };
                Attribute { space, name, value }
            })
            .collect()
    }

    fn resolve(&mut self, tag: &'a str, offset: usize) -> (Space, &'a str) {
        let (prefix, name) = tag.split_once(':').unwrap_or(("", tag));
        if !self.bindings.declares(prefix) && !prefix.is_empty() && prefix != "xml" {
            let message = format!("the prefix of <{}> is not declared", shorten(tag));
            self.mend("undeclared_prefix", offset, message);
        }
        (self.bindings.space_of(prefix).unwrap_or(Space::Rss), name)
    }

    fn end_tag(&mut self, before: usize, after: usize) {
        let tag = self.text.get(before + 2..after.saturating_sub(1)).unwrap_or_default().trim();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        match self.open.iter().rposition(|open| open.tag == tag) {
            Some(depth) => {
                if depth + 1 < self.open.len() {
                    let inner = self.open.last().map_or("", |open| open.tag);
                    let message =
                        format!("</{}> closes an open <{}>", shorten(tag), shorten(inner));
                    self.mend("unclosed_tag", before, message);
                }
                while self.open.len() > depth {
                    self.close_one();
                }
            }
            None => {
                let message = format!("</{}> closes nothing", shorten(tag));
                self.mend("stray_end_tag", before, message);
            }
        }
    }

    fn close_one(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let Some(closed) = self.open.pop() else { return };
        self.bindings.truncate(closed.bindings);
        match self.open.last_mut() {
            Some(parent) => parent.element.nodes.push(Node::Element(closed.element)),
            None => self.root = Some(closed.element),
        }
    }

    fn push_text(&mut self, text: Cow<'a, str>) {
        // Between the declaration and the root there is nothing to keep.
        if let Some(open) = self.open.last_mut() {
            open.element.push_text(text);
        }
    }

    /// `&name;` in text.
    fn reference(&mut self, name: &str, offset: usize) {
        if !matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") && !name.starts_with('#') {
            // An HTML entity is unknown to XML, and so to feed-rs.
            self.clean = false;
        }
        let own = self.declared.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        if let Some(value) = own.filter(|value| value.len() <= self.expansion) {
            self.expansion -= value.len();
            self.push_text(Cow::Borrowed(value));
            return;
        }
        match entity(name) {
            Some(value) => self.push_text(value),
            None => {
                self.mend("unknown_entity", offset, format!("&{}; is not known", shorten(name)));
                self.push_text(Cow::Owned(format!("&{name};")));
            }
        }
    }

    /// Markup that quick-xml cannot get to the end of.
    fn broken(&mut self, at: usize, error: &quick_xml::Error) {
        self.far_repairs += 1;
        let rest = self.text.get(at..).unwrap_or_default();
        if self.far_repairs > MAX_FAR_REPAIRS || self.open.is_empty() {
            self.mend("broken_markup", at, format!("cannot be read from here on: {error}"));
            self.partial = true;
            return;
        }
        if let Some(inside) = rest.strip_prefix("<![CDATA[") {
            // Nothing ends it: it ends where its element does.
            let tag = self.open.last().map_or("", |open| open.tag);
            let end = inside.find(&format!("</{tag}")).unwrap_or(inside.len());
            self.mend("unclosed_cdata", at, "a CDATA section without an end");
            self.push_text(Cow::Borrowed(&inside[..end]));
            self.jump(at + "<![CDATA[".len() + end);
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            self.mend("broken_markup", at, error.to_string());
            self.jump(at + rest.find('>').map_or(rest.len(), |end| end + 1));
        } else if let Some(end) = rest.find('>').filter(|_| rest.starts_with('<')) {
            // A quote that is never closed.
            self.mend("unclosed_quote", at, error.to_string());
            self.start_tag(at + 1, at + end, at);
            self.jump(at + end + 1);
        } else {
            self.mend("cut", at, "the document ends in the middle of a tag");
            self.partial = true;
        }
    }

    /// Closes what is open and hands out the tree.
    fn finish(mut self) -> Option<Tree<'a>> {
        if !self.open.is_empty() {
            self.partial = true;
            let open = self.open.last().map_or("", |open| open.tag);
            let message = format!("the document ends inside <{}>", shorten(open));
            self.mend("cut", self.text.len(), message);
            self.too_deep = 0;
            while !self.open.is_empty() {
                self.close_one();
            }
        }
        let after = self.text.get(self.position()..).unwrap_or_default().trim();
        if !after.is_empty() && !self.partial {
            self.clean = false;
            if !after.starts_with("<!--") {
                self.mend("junk_after", self.position(), "something stands after the document");
            }
        }
        let Self { root, namespace, parse_warnings, clean, partial, .. } = self;
        Some(Tree { root: root?, namespace, parse_warnings, clean: clean && !partial, partial })
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
