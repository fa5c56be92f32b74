//! The publish gate: reads a rendered document back, before it may replace the last good one.
//!
//! Trusts nothing of the writers: a reader that resolves every prefix, characters looked at one by
//! one, ids compared with those of the selection. What to do when a document fails is the
//! caller's business.

use std::borrow::Cow;
use std::collections::HashSet;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use serde_json::Value;

use crate::model::Entry;

use super::output::Format;
use super::shown;

/// Why a document must not leave the building.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Not UTF-8, not XML, not JSON, or not a feed of its format.
    #[error("at byte {at}: {what}")]
    IllFormed {
        /// Where, in bytes from the beginning; 0 where only the whole is known to be wrong.
        at: u64,
        /// What, a fragment.
        what: String,
    },
    /// Another number of items than was selected.
    #[error("{found} items in the document, {expected} were selected")]
    Count {
        /// Selected.
        expected: usize,
        /// In the document.
        found: usize,
    },
    /// An item has another id than the one selected for its place.
    #[error("item {position} has the id {found:?}, not {expected:?}")]
    Id {
        /// From 0.
        position: usize,
        /// Selected.
        expected: String,
        /// In the document.
        found: String,
    },
    /// Two items have one id; readers would show one of them, or all of them again.
    #[error("two items have the id {0:?}")]
    Repeated(String),
}

/// Reads `bytes` back and compares them with the `entries` they were made of.
///
/// # Errors
/// When the document is not well-formed, uses a prefix that it does not declare, or does not have
/// exactly these entries in this order, each under an id of its own.
pub fn check(format: Format, bytes: &[u8], entries: &[Entry]) -> Result<(), CheckError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| ill(error.valid_up_to() as u64, "not UTF-8"))?;
    let found = match format {
        Format::Atom => XmlCheck::new(ATOM).ids(text)?,
        Format::Rss => XmlCheck::new(RSS).ids(text)?,
        Format::Json => json_ids(text)?,
    };
    if found.len() != entries.len() {
        return Err(CheckError::Count { expected: entries.len(), found: found.len() });
    }
    let mut seen = HashSet::with_capacity(found.len());
    if let Some(again) = found.iter().find(|id| !seen.insert(id.as_str())) {
        return Err(CheckError::Repeated(again.clone()));
    }
    for (position, (found, entry)) in found.iter().zip(entries).enumerate() {
        let expected: Cow<'_, str> = shown::id(entry);
        if *found != expected {
            let (expected, found) = (expected.into_owned(), found.clone());
            return Err(CheckError::Id { position, expected, found });
        }
    }
    Ok(())
}

fn ill(at: u64, what: impl Into<String>) -> CheckError {
    CheckError::IllFormed { at, what: what.into() }
}

fn json_ids(text: &str) -> Result<Vec<String>, CheckError> {
    let feed: Value = serde_json::from_str(text).map_err(|error| ill(0, error.to_string()))?;
    if feed["version"] != "https://jsonfeed.org/version/1.1" {
        return Err(ill(0, "not a JSON Feed 1.1"));
    }
    let items = feed["items"].as_array().ok_or_else(|| ill(0, "no array of items"))?;
    let id = |item: &Value| item["id"].as_str().map(str::to_owned);
    items.iter().map(id).collect::<Option<_>>().ok_or_else(|| ill(0, "an item without an id"))
}

/// An element by namespace and local name.
type Name = (Option<&'static str>, &'static str);

const NS: Option<&str> = Some("http://www.w3.org/2005/Atom");
/// The way from the root over an item to its id.
const ATOM: &[Name] = &[(NS, "feed"), (NS, "entry"), (NS, "id")];
const RSS: &[Name] = &[(None, "rss"), (None, "channel"), (None, "item"), (None, "guid")];

/// One walk through an XML document.
struct XmlCheck {
    path: &'static [Name],
    /// Open elements.
    depth: usize,
    /// So many of them, from the root, lie on the path.
    on_path: usize,
    roots: usize,
    items: usize,
    ids: Vec<String>,
}

impl XmlCheck {
    fn new(path: &'static [Name]) -> Self {
        Self { path, depth: 0, on_path: 0, roots: 0, items: 0, ids: Vec::new() }
    }

    fn ids(mut self, text: &str) -> Result<Vec<String>, CheckError> {
        if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_xml_char(*c)) {
            return Err(ill(at as u64, format!("U+{:04X} is no character of XML", u32::from(c))));
        }
        let mut reader = NsReader::from_str(text);
        reader.config_mut().enable_all_checks(true);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let at = reader.buffer_position();
            let event = reader.read_event().map_err(|error| ill(at, error.to_string()))?;
            let place = |what: String| ill(at, what);
            match event {
                Event::Start(element) => {
                    attributes(&reader, &element).map_err(place)?;
                    let (namespace, name) = reader.resolver().resolve_element(element.name());
                    self.start(&namespace, name.as_ref()).map_err(place)?;
                }
                Event::End(_) => self.end().map_err(place)?,
                Event::Text(text) if text.contains("]]>") => return Err(ill(at, "a bare ]]>")),
                Event::Text(text) => self.text(&text).map_err(place)?,
                Event::GeneralRef(reference) => {
                    let c = resolve(&reference).map_err(place)?;
                    self.text(c.encode_utf8(&mut [0; 4])).map_err(place)?;
                }
                Event::Decl(_) if at == 0 => {}
                Event::Eof if self.depth == 0 && self.roots == 1 => return Ok(self.ids),
                Event::Eof => return Err(ill(at, "the document ends too early")),
                other => return Err(ill(at, format!("markup that has no place here: {other:?}"))),
            }
        }
    }

    fn start(&mut self, namespace: &ResolveResult<'_>, name: &str) -> Result<(), String> {
        let namespace = match namespace {
            ResolveResult::Unbound => None,
            ResolveResult::Bound(Namespace(namespace)) => Some(*namespace),
            ResolveResult::Unknown(prefix) => return Err(undeclared(prefix)),
        };
        if self.on_path == self.depth && self.path.get(self.depth) == Some(&(namespace, name)) {
            self.on_path += 1;
        }
        self.roots += usize::from(self.depth == 0);
        self.depth += 1;
        if self.on_path == 0 || self.roots > 1 {
            return Err(format!("<{name}> is not the root of this format"));
        }
        if self.on_path == self.depth {
            let id = self.path.len();
            self.items += usize::from(self.depth + 1 == id);
            if self.depth == id {
                self.ids.push(String::new());
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let item_ends = self.depth + 1 == self.path.len() && self.on_path == self.depth;
        self.depth = self.depth.saturating_sub(1);
        self.on_path = self.on_path.min(self.depth);
        if item_ends && self.ids.len() != self.items {
            return Err("an item without an id, or with two".to_owned());
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if self.depth == 0 && !text.trim().is_empty() {
            return Err("text outside of the root".to_owned());
        }
        if self.on_path == self.path.len()
            && self.depth == self.on_path
            && let Some(id) = self.ids.last_mut()
        {
            id.push_str(text);
        }
        Ok(())
    }
}

/// Well-formed, each once, every prefix declared.
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
        if !value.chars().all(is_xml_char) {
            return Err("a reference to a character that is none of XML".to_owned());
        }
    }
    Ok(())
}

fn undeclared(prefix: &str) -> String {
    format!("the prefix {prefix:?} is not declared")
}

/// The character that a reference stands for: a number, or one of the five names of XML.
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
    let c = number.or_else(named).ok_or_else(|| "an entity that is not declared".to_owned())?;
    if is_xml_char(c) { Ok(c) } else { Err("a reference to no character of XML".to_owned()) }
}

/// XML 1.0 2.2.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
