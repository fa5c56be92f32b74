//! Strict parsers that read a rendered document back.
//!
//! They share no code with the writers: they resolve every prefix, check every character, and have their
//! own JSON structures. `check` decides what the document must contain.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use serde::Deserialize;

use super::output::Format;
use crate::text::chars;
use crate::text::quoted::in_quotes;

/// Why a document cannot be read.
#[derive(Debug)]
pub(super) struct ReadError {
    /// Offset in bytes; 0 if it is unknown.
    pub(super) at: u64,
    /// What is wrong, a fragment.
    pub(super) what: String,
}

/// An item of a document, as far as it is checked.
#[derive(Debug, Default)]
pub(super) struct ReadItem {
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    /// URL of its page.
    pub(super) url: Option<String>,
    /// Publication date as written.
    pub(super) published: Option<String>,
    /// Title of its source.
    pub(super) source: Option<String>,
}

/// The items of a document, in its order, each with an id.
pub(super) fn read(format: Format, bytes: &[u8]) -> Result<Vec<ReadItem>, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError {
        at: error.valid_up_to() as u64,
        what: "not UTF-8".to_owned(),
    })?;
    match format {
        Format::Atom | Format::Rss => XmlReader::new(format).read(text),
        Format::Json => json(text).map_err(|what| ReadError { at: 0, what }),
    }
}

/// The parts of JSON Feed 1.1 that are checked.
#[derive(Deserialize)]
struct JsonFeed {
    version: String,
    items: Vec<JsonItem>,
}

#[derive(Deserialize)]
struct JsonItem {
    id: String,
    title: Option<String>,
    url: Option<String>,
    date_published: Option<String>,
    #[serde(rename = "_newswire")]
    newswire: Option<JsonExtension>,
}

#[derive(Deserialize)]
struct JsonExtension {
    source: JsonSource,
}

#[derive(Deserialize)]
struct JsonSource {
    title: String,
}

fn json(text: &str) -> Result<Vec<ReadItem>, String> {
    let feed: JsonFeed = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if feed.version != "https://jsonfeed.org/version/1.1" {
        return Err("not a JSON Feed 1.1".to_owned());
    }
    let read = |item: JsonItem| ReadItem {
        id: Some(item.id),
        title: item.title,
        url: item.url,
        published: item.date_published,
        source: item.newswire.map(|extension| extension.source.title),
    };
    Ok(feed.items.into_iter().map(read).collect())
}

/// The meaning of an element in its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Root,
    Channel,
    Item,
    Id,
    Title,
    Link,
    Published,
    Source,
    Other,
}

fn atom(namespace: Option<&str>, name: &str) -> Tag {
    match name {
        _ if namespace != Some("http://www.w3.org/2005/Atom") => Tag::Other,
        "feed" => Tag::Root,
        "entry" => Tag::Item,
        "id" => Tag::Id,
        "title" => Tag::Title,
        "link" => Tag::Link,
        "published" => Tag::Published,
        "source" => Tag::Source,
        _ => Tag::Other,
    }
}

fn rss(namespace: Option<&str>, name: &str) -> Tag {
    match name {
        _ if namespace.is_some() => Tag::Other,
        "rss" => Tag::Root,
        "channel" => Tag::Channel,
        "item" => Tag::Item,
        "guid" => Tag::Id,
        "title" => Tag::Title,
        "link" => Tag::Link,
        "pubDate" => Tag::Published,
        "source" => Tag::Source,
        _ => Tag::Other,
    }
}

/// Reads the items of an XML document.
struct XmlReader {
    format: Format,
    /// The open elements, from the root.
    open: Vec<Tag>,
    roots: usize,
    items: Vec<ReadItem>,
}

impl XmlReader {
    fn new(format: Format) -> Self {
        Self { format, open: Vec::new(), roots: 0, items: Vec::new() }
    }

    fn read(mut self, text: &str) -> Result<Vec<ReadItem>, ReadError> {
        if let Some((at, c)) = first_illegal(text) {
            let what = format!("U+{:04X} is not allowed in XML", u32::from(c));
            return Err(ReadError { at: at as u64, what });
        }
        let mut reader = NsReader::from_str(text);
        reader.config_mut().enable_all_checks(true);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let at = reader.buffer_position();
            let error = |what: String| ReadError { at, what };
            match reader.read_event().map_err(|e| error(e.to_string()))? {
                Event::Start(element) => {
                    attributes(&reader, &element).map_err(error)?;
                    let (namespace, name) = reader.resolver().resolve_element(element.name());
                    self.start(&namespace, name.as_ref()).map_err(error)?;
                    self.page(&element).map_err(error)?;
                }
                Event::End(_) => self.end().map_err(error)?,
                Event::Text(text) if text.contains("]]>") => {
                    return Err(error("a bare ]]>".into()));
                }
                Event::Text(text) => self.text(&text).map_err(error)?,
                Event::GeneralRef(reference) => {
                    let c = resolve(&reference).map_err(error)?;
                    self.text(c.encode_utf8(&mut [0; 4])).map_err(error)?;
                }
                Event::Decl(_) if at == 0 => {}
                Event::Eof if self.open.is_empty() && self.roots == 1 => return Ok(self.items),
                Event::Eof => return Err(error("the document ends too early".to_owned())),
                other => return Err(error(format!("unexpected markup: {other:?}"))),
            }
        }
    }

    fn start(&mut self, namespace: &ResolveResult<'_>, name: &str) -> Result<(), String> {
        let namespace = match namespace {
            ResolveResult::Unbound => None,
            ResolveResult::Bound(Namespace(namespace)) => Some(*namespace),
            ResolveResult::Unknown(prefix) => return Err(undeclared(prefix)),
        };
        let tag = match self.format {
            Format::Rss => rss(namespace, name),
            Format::Atom | Format::Json => atom(namespace, name),
        };
        if self.open.is_empty() {
            self.roots += 1;
            if tag != Tag::Root || self.roots > 1 {
                return Err(format!("<{name}> is not the root element of this format"));
            }
        }
        self.open.push(tag);
        if self.within() == Some(&[]) {
            self.items.push(ReadItem::default());
        }
        let Some(field) = self.field() else { return Ok(()) };
        if field.is_some() {
            return Err(format!("two <{name}> in one item"));
        }
        *field = Some(String::new());
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let item_ends = self.within() == Some(&[]);
        self.open.pop();
        let id = self.items.last().and_then(|item| item.id.as_deref());
        if item_ends && id.is_none_or(str::is_empty) {
            return Err("an item without an id".to_owned());
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if self.open.is_empty() && !text.trim().is_empty() {
            return Err("text outside of the root element".to_owned());
        }
        if let Some(Some(field)) = self.field() {
            field.push_str(text);
        }
        Ok(())
    }

    /// The open elements inside of the current item; `None`: outside of items.
    fn within(&self) -> Option<&[Tag]> {
        match self.open.as_slice() {
            [Tag::Root, Tag::Item, within @ ..] => Some(within),
            [Tag::Root, Tag::Channel, Tag::Item, within @ ..] => Some(within),
            _ => None,
        }
    }

    /// The field that the text of the innermost element belongs to.
    fn field(&mut self) -> Option<&mut Option<String>> {
        let in_rss = self.open.get(1) == Some(&Tag::Channel);
        let (first, second, deeper) = match self.within()? {
            [first] => (*first, None, false),
            [first, second, rest @ ..] => (*first, Some(*second), !rest.is_empty()),
            [] => return None,
        };
        let item = self.items.last_mut().filter(|_| !deeper)?;
        match (first, second) {
            (Tag::Id, None) => Some(&mut item.id),
            (Tag::Title, None) => Some(&mut item.title),
            (Tag::Link, None) if in_rss => Some(&mut item.url),
            (Tag::Published, None) => Some(&mut item.published),
            (Tag::Source, None) if in_rss => Some(&mut item.source),
            (Tag::Source, Some(Tag::Title)) => Some(&mut item.source),
            _ => None,
        }
    }

    /// The page of an Atom entry, RFC 4287 4.2.7.2.
    fn page(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        if self.within() != Some(&[Tag::Link]) || self.open.get(1) != Some(&Tag::Item) {
            return Ok(());
        }
        let value = |name: &str| {
            let attribute = element.try_get_attribute(name).ok().flatten()?;
            quick_xml::escape::unescape(&attribute.value).ok().map(|value| value.into_owned())
        };
        let alternate = value("rel").is_none_or(|rel| rel == "alternate");
        match self.items.last_mut().filter(|_| alternate) {
            Some(item) if item.url.is_some() => Err("two pages in one entry".to_owned()),
            Some(item) => {
                item.url = value("href");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Checks attributes: well-formed, unique, every prefix declared.
fn attributes(reader: &NsReader<&[u8]>, element: &BytesStart<'_>) -> Result<(), String> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if let (ResolveResult::Unknown(prefix), _) =
            reader.resolver().resolve_attribute(attribute.key)
        {
            return Err(undeclared(&prefix));
        }
        if attribute.value.contains('<') {
            return Err("a bare < in an attribute".to_owned());
        }
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|e| e.to_string())?;
        if !value.chars().all(chars::is_xml) {
            return Err("a reference to a character that XML does not allow".to_owned());
        }
    }
    Ok(())
}

fn undeclared(prefix: &str) -> String {
    format!("the prefix {prefix} is not declared", prefix = in_quotes(prefix))
}

/// The character of a reference: a number, or one of the five names of XML.
fn resolve(reference: &BytesRef<'_>) -> Result<char, String> {
    let number = reference.resolve_char_ref().map_err(|error| error.to_string())?;
    let named = || match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    };
    let c = number.or_else(named).ok_or_else(|| "an undeclared entity".to_owned())?;
    if chars::is_xml(c) {
        Ok(c)
    } else {
        Err("a reference to a character that XML does not allow".to_owned())
    }
}

/// The first character that XML does not allow, with its offset.
fn first_illegal(text: &str) -> Option<(usize, char)> {
    // Only lines with such bytes can have one: in UTF-8, U+FFFE and U+FFFF begin with EF.
    let is_suspect = |byte: u8| byte < 0x20 || byte == 0xef;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end_matches('\n').bytes().any(is_suspect)
            && let Some((at, c)) = line.char_indices().find(|(_, c)| !chars::is_xml(*c))
        {
            return Some((start + at, c));
        }
        start += line.len();
    }
    None
}
