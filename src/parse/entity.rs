//! Character and entity references of XML and HTML, and the entities that a DOCTYPE declares.
//!
//! Entities may refer to others. Each is expanded once, with limits on its length and on the text of all references,
//! because nested entities can expand exponentially. External entities are never fetched.

use std::borrow::Cow;
use std::cell::Cell;

use encoding_rs::WINDOWS_1252;
use html5ever::data::NAMED_ENTITIES;

use crate::text::html::{join_surrogates, reference_number, resolve_references};

/// Replaces references. Unknown ones stay unchanged.
pub(crate) fn unescape<'t>(text: &'t str, declared: &Declared<'_>) -> Cow<'t, str> {
    let value = |name: &str| match declared.text(name) {
        Some(text) => text.ok().map(Cow::Owned),
        None => entity(name),
    };
    // The longest name has 32 characters.
    match join_surrogates(text) {
        Cow::Borrowed(text) => resolve_references(text, 33, value),
        Cow::Owned(text) => Cow::Owned(resolve_references(&text, 33, value).into_owned()),
    }
}

/// Maximum length in bytes of two references to surrogates: `&#55357;&#56832;` or `&#xD83D;&#xDE00;`.
const MAX_PAIR: usize = 16;

/// Joins two references to surrogates at the end of a text. The scanner reads them one by one, and neither is a
/// character.
pub(crate) fn join_last_surrogates(text: &mut String) {
    let start = text.len().saturating_sub(MAX_PAIR);
    let Some(start) = (start..text.len()).find(|at| text.is_char_boundary(*at)) else { return };
    if let Cow::Owned(joined) = join_surrogates(&text[start..]) {
        text.truncate(start);
        text.push_str(&joined);
    }
}

/// Maximum length of a declared entity in bytes, as written and expanded.
const MAX_VALUE: usize = 4 << 10;
/// Maximum number of declared entities.
const MAX_DECLARED: usize = 100;
/// Maximum depth of entities that refer to each other.
const MAX_DEPTH: usize = 16;
/// Maximum total size in bytes of the text of references to declared entities.
const MAX_EXPANSION: usize = 64 << 10;

/// Why a declared entity is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    External,
    Recursive,
    Long,
    /// It refers to an entity that is unknown or not read.
    Nested,
}

impl Unread {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::External => "it is external, and external entities are not fetched",
            Self::Recursive => "it refers to itself",
            Self::Long => "its text is too long",
            Self::Nested => "it refers to an unknown entity or to one that is not read",
        }
    }
}

/// The entities that a DOCTYPE declares.
#[derive(Debug, Default)]
pub(crate) struct Declared<'a> {
    /// Names, and texts without references.
    entities: Vec<(&'a str, Result<String, Unread>)>,
    /// Size in bytes of the text of references so far.
    expanded: Cell<usize>,
}

impl<'a> Declared<'a> {
    /// Reads the declarations of a DOCTYPE.
    pub(crate) fn new(doctype: &'a str) -> Self {
        let written = doctype.split("<!ENTITY").skip(1).filter_map(declaration);
        let mut raw: Vec<(&str, Result<Cow<'a, str>, Unread>)> = Vec::new();
        for (name, value) in written {
            // XML 1.0 4.2: the first declaration counts.
            if raw.len() < MAX_DECLARED && raw.iter().all(|(known, _)| *known != name) {
                raw.push((name, value));
            }
        }
        let mut texts: Vec<Option<Result<String, Unread>>> = vec![None; raw.len()];
        for index in 0..raw.len() {
            let _ = expand(index, &raw, &mut texts, 0);
        }
        let texts = texts.into_iter().map(|text| text.unwrap_or(Err(Unread::Recursive)));
        let entities = raw.iter().map(|(name, _)| *name).zip(texts).collect();
        Self { entities, expanded: Cell::new(0) }
    }

    /// The text of a reference; `None` if the entity is not declared.
    pub(crate) fn text(&self, name: &str) -> Option<Result<String, Unread>> {
        let (_, text) = self.entities.iter().find(|(known, _)| *known == name)?;
        let all = self.expanded.get() + text.as_ref().map_or(0, String::len);
        if all > MAX_EXPANSION {
            return Some(Err(Unread::Long));
        }
        self.expanded.set(all);
        Some(text.clone())
    }
}

/// The name and the literal value of an entity, with character references replaced (XML 1.0 4.4.5). `None` for
/// parameter entities and malformed declarations.
fn declaration(written: &str) -> Option<(&str, Result<Cow<'_, str>, Unread>)> {
    let written = written.strip_prefix(|c: char| c.is_ascii_whitespace())?.trim_start();
    let (name, rest) = written.split_once(|c: char| c.is_ascii_whitespace())?;
    let rest = rest.trim_start();
    if name == "%" {
        return None;
    }
    if rest.starts_with("SYSTEM") || rest.starts_with("PUBLIC") {
        return Some((name, Err(Unread::External)));
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = rest[1..].split(quote).next()?;
    if value.len() > MAX_VALUE {
        return Some((name, Err(Unread::Long)));
    }
    let number = |name: &str| name.starts_with('#').then(|| entity(name)).flatten();
    // Markup in it is read as HTML source, in texts that may be HTML.
    Some((name, Ok(resolve_references(value, 33, number))))
}

/// Expands an entity and those that it refers to, each once. An entity that is being expanded is recursive until it
/// has a text.
fn expand(
    index: usize,
    raw: &[(&str, Result<Cow<'_, str>, Unread>)],
    texts: &mut [Option<Result<String, Unread>>],
    depth: usize,
) -> Result<String, Unread> {
    if let Some(text) = &texts[index] {
        return text.clone();
    }
    texts[index] = Some(Err(Unread::Recursive));
    let text = match &raw[index].1 {
        Err(unread) => Err(*unread),
        Ok(_) if depth >= MAX_DEPTH => Err(Unread::Long),
        Ok(value) => expanded(value, raw, texts, depth),
    };
    texts[index] = Some(text.clone());
    text
}

fn expanded(
    value: &str,
    raw: &[(&str, Result<Cow<'_, str>, Unread>)],
    texts: &mut [Option<Result<String, Unread>>],
    depth: usize,
) -> Result<String, Unread> {
    let (mut text, mut rest) = (String::new(), value);
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        rest = after;
        let Some((name, after)) = after.split_once(';').filter(|(name, _)| name.len() <= 64) else {
            text.push('&');
            continue;
        };
        match raw.iter().position(|(known, _)| *known == name) {
            Some(index) => match expand(index, raw, texts, depth + 1) {
                Ok(inner) => text.push_str(&inner),
                Err(Unread::Recursive) => return Err(Unread::Recursive),
                Err(Unread::Long) => return Err(Unread::Long),
                Err(_) => return Err(Unread::Nested),
            },
            None => text.push_str(&entity(name).ok_or(Unread::Nested)?),
        }
        if text.len() > MAX_VALUE {
            return Err(Unread::Long);
        }
        rest = after;
    }
    text.push_str(rest);
    if text.len() > MAX_VALUE { Err(Unread::Long) } else { Ok(text) }
}

/// The text that a reference is replaced by; `name` is without `&` and `;`.
pub(crate) fn entity(name: &str) -> Option<Cow<'static, str>> {
    // XML 1.0 4.6: the most frequent ones.
    match name {
        "amp" => return Some(Cow::Borrowed("&")),
        "lt" => return Some(Cow::Borrowed("<")),
        "gt" => return Some(Cow::Borrowed(">")),
        "quot" => return Some(Cow::Borrowed("\"")),
        "apos" => return Some(Cow::Borrowed("'")),
        _ => {}
    }
    if !name.starts_with('#') {
        // HTML 13.5: some references are two characters.
        let (first, second) = *NAMED_ENTITIES.get(&format!("{name};"))?;
        let characters = [first, second].into_iter().filter(|code| *code > 0);
        // A prefix of a longer name has an entry without characters.
        let text: String = characters.filter_map(char::from_u32).collect();
        return (!text.is_empty()).then_some(Cow::Owned(text));
    }
    let code = reference_number(name)?;
    // HTML 13.2.5.80: numbers from 128 to 159 are Windows-1252.
    if let Some(byte) = u8::try_from(code).ok().filter(|byte| (0x80..=0x9f).contains(byte)) {
        let bytes = [byte];
        let (text, _, _) = WINDOWS_1252.decode(&bytes);
        return Some(Cow::Owned(text.into_owned()));
    }
    char::from_u32(code).map(|c| Cow::Owned(c.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_and_numeric_references_are_resolved_and_others_are_not() {
        for (name, value) in [
            ("amp", "&"),
            ("alpha", "α"),
            ("OElig", "Œ"),
            ("semi", ";"),
            ("nbsp", "\u{a0}"),
            ("#8217", "’"),
            ("#x2019", "’"),
            ("#146", "’"),
        ] {
            assert_eq!(entity(name).as_deref(), Some(value), "{name}");
        }
        for name in ["", "nosuch", "ampx", "am p", "#", "#x", "#xd800", "#99999999"] {
            assert_eq!(entity(name), None, "{name}");
        }
    }

    #[test]
    fn surrogates_in_attributes_and_texts_are_joined() {
        let declared = Declared::default();
        assert_eq!(unescape("a &#55357;&#56832; &amp; b", &declared), "a 😀 & b");
        assert_eq!(unescape("&#xD83D; &#xDE00;", &declared), "&#xD83D; &#xDE00;");
        for (text, joined) in [
            ("größer &#55357;&#56832;", "größer 😀"),
            ("ééééééé&#xD83D;&#xDE00;", "ééééééé😀"),
            ("é&#55357;", "é&#55357;"),
            ("", ""),
        ] {
            let mut text = text.to_owned();
            join_last_surrogates(&mut text);
            assert_eq!(text, joined);
        }
    }

    fn text(declarations: &str, name: &str) -> Option<Result<String, Unread>> {
        Declared::new(&format!("<!DOCTYPE rss [{declarations}]>")).text(name)
    }

    #[test]
    fn entities_may_refer_to_others() {
        let ok = |text: &str| Some(Ok(text.to_owned()));
        for (declarations, expected) in [
            ("<!ENTITY x 'plain'>", ok("plain")),
            ("<!ENTITY a 'A'> <!ENTITY x '&a;y&a;'>", ok("AyA")),
            ("<!ENTITY x '&a;y'> <!ENTITY a \"'\">", ok("'y")),
            ("<!ENTITY a 'A'><!ENTITY b '&a;B'><!ENTITY x '&b;&amp;&eacute;&#233;'>", ok("AB&éé")),
            ("<!ENTITY x 'first'><!ENTITY x 'second'>", ok("first")),
            ("<!ENTITY x 'R&D'>", ok("R&D")),
            ("<!ENTITY x '&#38;lt;'>", ok("<")),
            ("<!ENTITY x '<b>bold</b>'>", ok("<b>bold</b>")),
            ("<!ENTITY x '&#60;b>'>", ok("<b>")),
            ("<!ENTITY x SYSTEM 'file:///etc/passwd'>", Some(Err(Unread::External))),
            ("<!ENTITY x PUBLIC 'a' 'https://e.org/x'>", Some(Err(Unread::External))),
            ("<!ENTITY a SYSTEM 'x'><!ENTITY x '&a;'>", Some(Err(Unread::Nested))),
            ("<!ENTITY x '&nosuch;'>", Some(Err(Unread::Nested))),
            ("<!ENTITY x '&x;'>", Some(Err(Unread::Recursive))),
            ("<!ENTITY a '&x;'><!ENTITY x '&a;'>", Some(Err(Unread::Recursive))),
            ("<!ENTITY % x 'parameter'>", None),
        ] {
            assert_eq!(text(declarations, "x"), expected, "{declarations}");
        }
    }

    #[test]
    fn nested_entities_cannot_grow_without_limit() {
        for first in ["lol", ""] {
            let mut declarations = format!("<!ENTITY e0 '{first}'>");
            for level in 1..90 {
                let before = format!("&e{};", level - 1).repeat(100);
                declarations.push_str(&format!("<!ENTITY e{level} '{before}'>"));
            }
            let expected = if first.is_empty() { Ok(String::new()) } else { Err(Unread::Long) };
            assert_eq!(text(&declarations, "e89"), Some(expected), "{first}");
        }
        let declared = format!("<!DOCTYPE rss [<!ENTITY x '{}'>]>", "y".repeat(MAX_VALUE));
        let declared = Declared::new(&declared);
        let read = (0..100).filter(|_| declared.text("x").is_some_and(|text| text.is_ok())).count();
        assert_eq!(read, MAX_EXPANSION / MAX_VALUE);
    }
}
