//! Texts of the items of clean documents, read by feed-rs.
//!
//! feed-rs reads only elements that it is known to read correctly (see `is_reliable`). `item` reads
//! ids, dates, people and links of every document.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model as feed_rs_model;
use feed_rs::parser::Builder;

use super::constructs::{UntypedAs, as_meant, trimmed_plain, untyped_kind};
use super::context::Context;
use super::item::{SingleText, Texts, arrange};
use super::layout::Layout;
use super::namespace::Namespace;
use super::tree::{Attribute, Element};
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

/// Names of elements with texts that Newswire reads. feed-rs reads some of them, in lower case only.
const TEXTS: &[&str] = &[
    "title",
    "description",
    "summary",
    "content",
    "encoded",
    "rights",
    "copyright",
    "abstract",
    "body",
    "fullitem",
];

/// Whether feed-rs reads this item correctly. The names of its namespaces were compared by the scanner.
fn is_reliable(item: &Element<'_>, dialect: Dialect) -> bool {
    item.elements().all(|element| {
        let is_text = is_one_of(element, TEXTS);
        let is_only = || item.all(element.namespace, element.name).nth(1).is_none();
        match (dialect, element.namespace) {
            _ if may_panic(element) || is_text && element.may_contain_cdata() => false,
            // feed-rs keeps the last of several and writes XHTML attributes unescaped.
            (Dialect::Atom, Namespace::Atom) if is_text => {
                matches!(element.name, "title" | "summary" | "content" | "rights")
                    && !element.has_elements()
                    && element.attributes.iter().all(is_attribute_reliable)
                    && element.attribute("src").is_none()
                    && element.attribute("mode").is_none()
                    && matches!(element.attribute("type"), None | Some("text" | "html"))
                    && !begins_indented(element)
                    && is_only()
            }
            // In Atom, feed-rs ignores the texts of RSS.
            (Dialect::Atom, Namespace::Rss | Namespace::Content) => !is_text,
            (Dialect::Atom, Namespace::Atom) => true,
            (_, Namespace::Rss) if is_text => {
                matches!(element.name, "title" | "description")
                    && !element.has_elements()
                    && element.attributes.is_empty()
                    && is_only()
            }
            (_, Namespace::Content) => {
                (element.name == "encoded" || !is_text)
                    && !element.has_elements()
                    && element.attributes.is_empty()
                    && is_only()
            }
            // feed-rs rejects documents with an empty title and panics on malformed durations.
            (_, Namespace::Media) => !contains_title(element),
            (_, Namespace::Itunes) => {
                !is_one_of(element, &["title", "summary", "subtitle", "duration"])
                    || element.text().bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
                        && element.text().len() <= 9
                        && element.name == "duration"
            }
            (_, Namespace::Podcast | Namespace::Xhtml | Namespace::FullText) => false,
            // In RSS, feed-rs ignores the texts of Atom.
            (_, Namespace::Atom | Namespace::Dc) => !is_text,
            _ => true,
        }
    })
}

fn is_one_of(element: &Element<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| element.name.eq_ignore_ascii_case(name))
}

/// Whether feed-rs reads this attribute of a text in Atom, or both parsers ignore it.
fn is_attribute_reliable(found: &Attribute<'_>) -> bool {
    found.namespace != Namespace::Xml
        && (found.name == "type" || !found.name.eq_ignore_ascii_case("type"))
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
    is_one_of(element, PEOPLE) && {
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
    is_one_of(element, &["title", "description", "copyright", "text"])
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
    let value = if kind == TextKind::Html { as_meant(&value) } else { Cow::Borrowed(&*value) };
    let value = value.trim();
    let base = if kind == TextKind::Html { context.html_base() } else { None };
    (!value.is_empty()).then(|| Text {
        kind,
        value: value.to_owned(),
        language: context.language.clone(),
        base,
    })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::{Input, Parsed, ReadBy, parse};

    fn read(document: &str) -> Parsed {
        let url = Url::parse("https://example.org/feed").unwrap();
        let input =
            Input { bytes: document.as_bytes(), content_type: None, url: &url, max_items: 9 };
        parse(input).unwrap_or_else(|failure| panic!("{failure}: {document}"))
    }

    /// The reader, and the title, summary and content of the only item.
    fn texts(document: &str) -> (ReadBy, [Option<String>; 3]) {
        let parsed = read(document);
        let [item] = parsed.feed.items.as_slice() else { panic!("{document}") };
        let texts = [&item.title, &item.summary, &item.content];
        (parsed.read_by, texts.map(|text| text.as_ref().map(|text| text.value.clone())))
    }

    fn all() -> [Option<String>; 3] {
        ["one", "short", "full"].map(|text| Some(text.to_owned()))
    }

    fn rss(content: &str, item: &str) -> String {
        format!(
            "<rss version='2.0' xmlns:content='{content}'><channel><title>t</title><item>{item}\
             </item></channel></rss>"
        )
    }

    const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";
    const ITEM: &str = "<title>one</title><description>short</description>\
        <content:encoded>full</content:encoded>";

    #[test]
    fn texts_are_read_in_every_spelling_of_their_namespace() {
        assert_eq!(texts(&rss(CONTENT, ITEM)), (ReadBy::FeedRs, all()));
        for name in [
            "https://purl.org/rss/1.0/modules/content/",
            "http://purl.org/rss/1.0/modules/content",
            "http://purl.org/rss/1.0/modules/content#",
            "http://purl.org/rss/1.0/modules/content/ ",
            "http://purl.org/RSS/1.0/modules/content/",
            "http://purl.org/rss/1.0/modules/content&#47;",
            "http://web.resource.org/rss/1.0/modules/content/",
            "http://example.org/wrong",
            "",
        ] {
            assert_eq!(texts(&rss(name, ITEM)), (ReadBy::Newswire, all()), "{name}");
        }
    }

    #[test]
    fn texts_are_read_in_every_case_of_their_names() {
        for (name, other) in [
            ("title>", "Title>"),
            ("title>", "TITLE>"),
            ("description>", "Description>"),
            ("content:encoded>", "content:Encoded>"),
            ("<description>", "<description xmlns='http://backend.userland.com/rss2'>"),
            ("<title>", "<title xmlns='http://purl.org/rss/1.0'>"),
        ] {
            let item = ITEM.replace(name, other);
            assert_eq!(texts(&rss(CONTENT, &item)), (ReadBy::Newswire, all()), "{item}");
        }
        let exact = ITEM.replace("<title>", "<title xmlns='http://purl.org/rss/1.0/'>");
        assert_eq!(texts(&rss(CONTENT, &exact)), (ReadBy::FeedRs, all()));
    }

    #[test]
    fn an_entry_of_atom_is_read_with_names_that_feed_rs_ignores() {
        for (title, summary, content) in [
            ("title", "summary", "content"),
            ("Title", "summary", "content"),
            ("title", "Summary", "content"),
            ("title", "summary", "Content"),
            ("title", "summary", "content:encoded"),
        ] {
            let document = format!(
                "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:content='{CONTENT}'><entry><{title}>one</{title}>\
                 <{summary}>short</{summary}><{content}>full</{content}></entry></feed>"
            );
            let exact = (title, summary, content) == ("title", "summary", "content");
            let by = if exact { ReadBy::FeedRs } else { ReadBy::Newswire };
            assert_eq!(texts(&document), (by, all()), "{document}");
        }
        let parsed = read(
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title TYPE='html'>a &lt;b&gt;b&lt;/b&gt;</title>\
             <rights>r</rights></entry></feed>",
        );
        let item = &parsed.feed.items[0];
        assert_eq!(item.title.as_ref().unwrap().kind, crate::model::TextKind::Html);
        assert_eq!(item.rights.as_ref().unwrap().value, "r");
    }
}
