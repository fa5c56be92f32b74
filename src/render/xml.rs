//! Writes XML that is always well-formed.
//!
//! Characters that XML does not allow are dropped, CDATA is never used, and `>` is always escaped, so that
//! `]]>` cannot occur (XML 1.0 2.4).

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::text::without_markup;
use crate::text::chars;

/// An indented document in memory.
pub(super) struct XmlWriter {
    writer: Writer<Vec<u8>>,
    open: Vec<&'static str>,
}

/// The attributes of an element, in the order they are written.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl XmlWriter {
    /// Starts with the XML declaration.
    pub(super) fn new() -> Self {
        let mut document =
            Self { writer: Writer::new_with_indent(Vec::new(), b' ', 2), open: Vec::new() };
        document.event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
        document
    }

    /// Opens an element, until [`XmlWriter::close`].
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.event(Event::Start(start(name, attributes)));
        self.open.push(name);
    }

    /// Closes the element opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.event(Event::End(BytesEnd::new(name)));
        }
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// An element with text in it.
    pub(super) fn text(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, &escape(text, Context::Text));
    }

    /// An element that RSS defines as plain text, for readers that parse it as HTML. Markup characters are escaped
    /// numerically, which survives readers that decode twice (RSS Best Practices Profile, character data).
    pub(super) fn plain(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, &escape(&without_markup(text), Context::Plain));
    }

    fn element(&mut self, name: &'static str, attributes: Attributes<'_>, escaped: &str) {
        self.event(Event::Start(start(name, attributes)));
        self.event(Event::Text(BytesText::from_escaped(escaped)));
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// The bytes; elements still open are closed.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        let mut bytes = self.writer.into_inner();
        bytes.push(b'\n');
        bytes
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing into a Vec cannot fail.
        let written = self.writer.write_event(event);
        debug_assert!(written.is_ok(), "writing into memory: {written:?}");
    }
}

fn start(name: &'static str, attributes: Attributes<'_>) -> BytesStart<'static> {
    let mut content = name.to_owned();
    for (key, value) in attributes {
        content.push(' ');
        content.push_str(key);
        content.push_str("=\"");
        content.push_str(&escape(value, Context::Attribute));
        content.push('"');
    }
    BytesStart::from_content(content, name.len())
}

/// Where an escaped text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Text,
    Plain,
    Attribute,
}

fn escape(text: &str, context: Context) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let text = chars::clean(text);
    let mut rest = &*text;
    let special = if context == Context::Attribute { &SPECIAL_IN_ATTRIBUTES } else { &SPECIAL };
    while let Some(at) = rest.bytes().position(|byte| special[usize::from(byte)]) {
        escaped.push_str(&rest[..at]);
        match (char::from(rest.as_bytes()[at]), context) {
            ('&', Context::Plain) => escaped.push_str("&#x26;"),
            ('<', Context::Plain) => escaped.push_str("&#x3C;"),
            ('>', Context::Plain) => escaped.push_str("&#x3E;"),
            ('&', _) => escaped.push_str("&amp;"),
            ('<', _) => escaped.push_str("&lt;"),
            ('>', _) => escaped.push_str("&gt;"),
            ('"', Context::Attribute) => escaped.push_str("&quot;"),
            // XML 1.0 3.3.3 would turn these into spaces.
            ('\n', Context::Attribute) => escaped.push_str("&#xA;"),
            ('\t', Context::Attribute) => escaped.push_str("&#x9;"),
            (c, _) => escaped.push(c),
        }
        rest = &rest[at + 1..];
    }
    escaped.push_str(rest);
    escaped
}

/// The characters that are escaped, each a byte.
const SPECIAL: [bool; 256] = table(b"&<>");
const SPECIAL_IN_ATTRIBUTES: [bool; 256] = table(b"&<>\"\n\t");

const fn table(bytes: &[u8]) -> [bool; 256] {
    let (mut table, mut at) = ([false; 256], 0);
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped_and_filtered() {
        let mut document = XmlWriter::new();
        document.open("a", &[("b", "1 & \"2\"\n<3>")]);
        document.text("c", &[], "x ]]> & <y> \"z\" \u{0}\u{7}\u{fffe}");
        document.plain("d", &[], "]]> & <y>");
        document.empty("e", &[("f", "'")]);
        let text = String::from_utf8(document.finish()).unwrap();
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <a b=\"1 &amp; &quot;2&quot;&#xA;&lt;3&gt;\">\n  \
             <c>x ]]&gt; &amp; &lt;y&gt; \"z\" </c>\n  \
             <d>]]&#x3E; &#x26; &#x3C;\u{2060}y&#x3E;</d>\n  <e f=\"'\"/>\n</a>\n"
        );
    }
}
