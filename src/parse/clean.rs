//! Clean documents of known dialects, read by feed-rs: the texts of the items.
//!
//! feed-rs is asked only for what it is known to read right (see `suits`), with a fresh parser for
//! every document. Ids, dates, people and links are ours in any case, read by `item`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model as theirs;
use feed_rs::parser::Builder;

use super::construct::{Custom, customary};
use super::item::{Lone, Texts, settle};
use super::scope::Scope;
use super::shape::Shape;
use super::space::Space;
use super::tree::Element;
use crate::model::{Dialect, Text, TextKind};

/// The texts of the items in document order; `None` where feed-rs is not to be asked, refuses the
/// document or counts other items than the scan did.
pub(crate) fn texts(document: &str, shape: &Shape<'_, '_>, scope: &Scope) -> Option<Vec<Texts>> {
    let items = || shape.items.iter().all(|item| suits(item, shape.dialect));
    if !shape.plain || shape.channel.elements().any(startles) || !items() {
        return None;
    }
    let parser =
        Builder::new().sanitize_content(false).id_generator(|_, _, _| String::new()).build();
    // It panics on rare input; that costs this reading, not the feed.
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(document.as_bytes()))).ok()?.ok()?;
    if parsed.entries.len() != shape.items.len() {
        return None;
    }
    let both = parsed.entries.into_iter().zip(&shape.items);
    Some(both.map(|(entry, item)| of_entry(entry, shape.dialect, &scope.enter(item))).collect())
}

/// Whether feed-rs reads this item as its publisher meant it.
fn suits(item: &Element<'_>, dialect: Dialect) -> bool {
    item.elements().all(|element| match (dialect, element.space) {
        _ if startles(element) => false,
        // It keeps the last of several, and writes XHTML attributes unescaped.
        (Dialect::Atom, Space::Atom) => match element.name {
            "title" | "summary" | "content" | "rights" => {
                !element.has_elements()
                    && element.attributes.iter().all(|found| found.space != Space::Xml)
                    && element.attribute("src").is_none()
                    && element.attribute("mode").is_none()
                    && matches!(element.attribute("type"), None | Some("text" | "html"))
                    && item.all(Space::Atom, element.name).count() == 1
            }
            _ => true,
        },
        (_, Space::Rss) => match element.name {
            "title" | "description" => {
                !element.has_elements()
                    && element.attributes.is_empty()
                    && item.all(Space::Rss, element.name).count() == 1
            }
            "content" | "body" | "fullitem" | "abstract" => false,
            _ => true,
        },
        (_, Space::Content) => {
            !element.has_elements()
                && element.attributes.is_empty()
                && item.all(Space::Content, element.name).count() == 1
        }
        (_, Space::Dc) => !matches!(element.name, "title" | "description" | "rights"),
        // It refuses documents over a title without text and panics over odd durations.
        (_, Space::Media) => !contains_title(element),
        (_, Space::Itunes) => {
            !matches!(element.name, "title" | "summary" | "duration")
                || element.text().bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
                    && element.text().len() <= 9
                    && element.name == "duration"
        }
        (_, Space::Podcast | Space::Xhtml) => false,
        (_, Space::Atom) => !matches!(element.name, "title" | "summary" | "content" | "rights"),
        _ => true,
    })
}

/// feed-rs panics over letters that are not ASCII beside an e-mail address, wherever a person is named.
fn startles(element: &Element<'_>) -> bool {
    const PEOPLE: &[&str] = &[
        "author",
        "contributor",
        "creator",
        "managingeditor",
        "owner",
        "publisher",
        "webmaster",
        "name",
        "email",
        "person",
    ];
    let named = PEOPLE.iter().any(|name| element.name.eq_ignore_ascii_case(name));
    named && {
        let text = element.text();
        !text.is_ascii() && text.contains('@')
    }
}

fn contains_title(element: &Element<'_>) -> bool {
    matches!(element.name, "title" | "description" | "copyright" | "text")
        || element.elements().any(contains_title)
}

fn of_entry(entry: theirs::Entry, dialect: Dialect, scope: &Scope) -> Texts {
    let custom = if dialect == Dialect::Atom { Custom::Plain } else { Custom::Title };
    let body = |html: bool, value: String| {
        let kind = if html { TextKind::Html } else { TextKind::Plain };
        made(kind, &value, scope)
    };
    let content = entry.content.and_then(|content| {
        let html = dialect != Dialect::Atom || content.content_type.subty() == "html";
        body(html, content.body?)
    });
    let summary = entry.summary.and_then(|text| {
        let html = dialect != Dialect::Atom || text.content_type.subty() == "html";
        body(html, text.content)
    });
    let lone = if dialect == Dialect::Atom { Lone::Summary } else { Lone::Content };
    let (summary, content) = settle(summary, content, lone);
    let short = |text: theirs::Text| {
        let html = text.content_type.subty() == "html";
        let kind = if html { TextKind::Html } else { customary(&text.content, custom) };
        made(kind, &text.content, scope)
    };
    Texts {
        title: entry.title.and_then(short),
        summary,
        content,
        rights: entry.rights.and_then(short),
    }
}

fn made(kind: TextKind, value: &str, scope: &Scope) -> Option<Text> {
    let value = value.trim();
    let base = if kind == TextKind::Html { scope.html_base() } else { None };
    (!value.is_empty()).then(|| Text {
        kind,
        value: value.to_owned(),
        language: scope.language.clone(),
        base,
    })
}
