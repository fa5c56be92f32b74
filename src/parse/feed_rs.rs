//! Texts of the items of clean documents, read by feed-rs.
//!
//! feed-rs reads only elements that it is known to read correctly (see `is_reliable`). `item` reads
//! ids, dates, people and links of every document.

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model as feed_rs_model;
use feed_rs::parser::Builder;

use super::constructs::{UntypedAs, trimmed_plain, untyped_kind};
use super::context::Context;
use super::item::{SingleText, Texts, arrange};
use super::layout::Layout;
use super::namespace::Namespace;
use super::tree::Element;
use crate::model::{Dialect, Text, TextKind};
use crate::text::chars;

/// The texts of the items in document order. `None` if feed-rs may misread the document, rejects it
/// or finds another number of items than `layout`.
pub(crate) fn texts(
    document: &str,
    layout: &Layout<'_, '_>,
    context: &Context,
) -> Option<Vec<Texts>> {
    let items = || layout.items.iter().all(|item| is_reliable(item, layout.dialect));
    if !layout.known_to_feed_rs || layout.channel.elements().any(may_panic) || !items() {
        return None;
    }
    let parser =
        Builder::new().sanitize_content(false).id_generator(|_, _, _| String::new()).build();
    // feed-rs panics on rare input. The document is then read by `item`.
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(document.as_bytes()))).ok()?.ok()?;
    if parsed.entries.len() != layout.items.len() {
        return None;
    }
    let both = parsed.entries.into_iter().zip(&layout.items);
    Some(
        both.map(|(entry, item)| entry_texts(entry, layout.dialect, &context.enter(item)))
            .collect(),
    )
}

/// Whether feed-rs reads this item correctly.
fn is_reliable(item: &Element<'_>, dialect: Dialect) -> bool {
    item.elements().all(|element| match (dialect, element.namespace) {
        _ if may_panic(element) => false,
        // feed-rs keeps the last of several and writes XHTML attributes unescaped.
        (Dialect::Atom, Namespace::Atom) => match element.name {
            "title" | "summary" | "content" | "rights" => {
                !element.has_elements()
                    && element.attributes.iter().all(|found| found.namespace != Namespace::Xml)
                    && element.attribute("src").is_none()
                    && element.attribute("mode").is_none()
                    && matches!(element.attribute("type"), None | Some("text" | "html"))
                    && !begins_indented(element)
                    && item.all(Namespace::Atom, element.name).count() == 1
            }
            _ => true,
        },
        (_, Namespace::Rss) => match element.name {
            "title" | "description" => {
                !element.has_elements()
                    && element.attributes.is_empty()
                    && item.all(Namespace::Rss, element.name).count() == 1
            }
            "content" | "body" | "fullitem" | "abstract" => false,
            _ => true,
        },
        (_, Namespace::Content) => {
            !element.has_elements()
                && element.attributes.is_empty()
                && item.all(Namespace::Content, element.name).count() == 1
        }
        (_, Namespace::Dc) => !matches!(element.name, "title" | "description" | "rights"),
        // feed-rs rejects documents with an empty title and panics on malformed durations.
        (_, Namespace::Media) => !contains_title(element),
        (_, Namespace::Itunes) => {
            !matches!(element.name, "title" | "summary" | "duration")
                || element.text().bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
                    && element.text().len() <= 9
                    && element.name == "duration"
        }
        (_, Namespace::Podcast | Namespace::Xhtml) => false,
        (_, Namespace::Atom) => !matches!(element.name, "title" | "summary" | "content" | "rights"),
        _ => true,
    })
}

/// Whether feed-rs may panic: it does on non-ASCII text next to an e-mail address in a person element.
fn may_panic(element: &Element<'_>) -> bool {
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

/// Whether a plain text of several lines begins with spaces, which feed-rs removes.
fn begins_indented(element: &Element<'_>) -> bool {
    element.attribute("type") != Some("html")
        && trimmed_plain(&element.text()).starts_with(char::is_whitespace)
}

fn contains_title(element: &Element<'_>) -> bool {
    matches!(element.name, "title" | "description" | "copyright" | "text")
        || element.elements().any(contains_title)
}

fn entry_texts(entry: feed_rs_model::Entry, dialect: Dialect, context: &Context) -> Texts {
    let untyped = if dialect == Dialect::Atom { UntypedAs::Plain } else { UntypedAs::Title };
    let body = |html: bool, value: String| {
        let kind = if html { TextKind::Html } else { TextKind::Plain };
        new_text(kind, &value, context)
    };
    let content = entry.content.and_then(|content| {
        let html = dialect != Dialect::Atom || content.content_type.subty() == "html";
        body(html, content.body?)
    });
    let summary = entry.summary.and_then(|text| {
        let html = dialect != Dialect::Atom || text.content_type.subty() == "html";
        body(html, text.content)
    });
    let single = if dialect == Dialect::Atom { SingleText::Summary } else { SingleText::Content };
    let (summary, content) = arrange(summary, content, single);
    let short = |text: feed_rs_model::Text| {
        let html = text.content_type.subty() == "html";
        let kind = if html { TextKind::Html } else { untyped_kind(&text.content, untyped) };
        new_text(kind, &text.content, context)
    };
    Texts {
        title: entry.title.and_then(short),
        summary,
        content,
        rights: entry.rights.and_then(short),
    }
}

fn new_text(kind: TextKind, value: &str, context: &Context) -> Option<Text> {
    let value = chars::without_c1(value);
    let value = value.trim();
    let base = if kind == TextKind::Html { context.html_base() } else { None };
    (!value.is_empty()).then(|| Text {
        kind,
        value: value.to_owned(),
        language: context.language.clone(),
        base,
    })
}
