//! Text constructs and links: one element to a `Text` or a `Link`, by the rules of its dialect.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::scope::Scope;
use super::space::Space;
use super::tree::{Element, Node};
use crate::model::{Link, Text, TextKind};

/// How an element without a `type` is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Custom {
    /// HTML, as in RSS `description`.
    Html,
    /// Text, but many publishers put HTML there: RSS titles.
    Title,
    /// Text, as in Atom.
    Plain,
}

/// Elements of HTML that have no content. HTML 13.1.2.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// The text of an element, `None` when there is none.
pub(crate) fn text(element: &Element<'_>, scope: &Scope, custom: Custom) -> Option<Text> {
    let scope = scope.enter(element);
    let (kind, value) = read(element, custom)?;
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let base = if kind == TextKind::Html { scope.html_base() } else { None };
    Some(Text { kind, value: value.to_owned(), language: scope.language.clone(), base })
}

fn read<'e>(element: &'e Element<'_>, custom: Custom) -> Option<(TextKind, Cow<'e, str>)> {
    let media_type = element.attribute("type").map(str::to_ascii_lowercase);
    let mode = element.attribute("mode").map(str::to_ascii_lowercase);
    let value = match mode.as_deref() {
        // Atom 0.3, 3.1.2: the value of `mode` says how it is encoded, `type` what it is.
        Some("base64") => Cow::Owned(unbase(&element.text())?),
        Some("xml") if element.has_elements() => return Some((TextKind::Html, markup(element))),
        _ => Cow::Borrowed(""),
    };
    let value = if value.is_empty() { element.text() } else { value };
    let atom = element.space == Space::Atom || media_type.is_some() && mode.is_some();
    Some(match media_type.as_deref().filter(|_| atom) {
        // RFC 4287 3.1.1
        Some("text" | "text/plain") => (TextKind::Plain, value),
        Some("html" | "text/html") if element.has_elements() => (TextKind::Html, markup(element)),
        Some("html" | "text/html") => (TextKind::Html, value),
        // RFC 4287 3.1.1.3: the div is not part of the content; Atom 0.3 knows no such div.
        Some("xhtml") => (TextKind::Html, markup(without_div(element))),
        Some("application/xhtml+xml") => (TextKind::Html, markup(element)),
        // RFC 4287 4.1.3.3: any other media type is no text of ours, or text in base64.
        Some(other) if other.ends_with("+xml") || other.ends_with("/xml") => {
            (TextKind::Html, markup(element))
        }
        Some(other) if other.starts_with("text/") => (TextKind::Plain, value),
        Some(other) if other.contains('/') => match unbase(&value) {
            Some(decoded) => (TextKind::Plain, Cow::Owned(decoded)),
            None if ["image/", "audio/", "video/"].iter().any(|kind| other.starts_with(kind)) => {
                return None;
            }
            // Labelled as something else, and yet written as text.
            None => (TextKind::Plain, value),
        },
        _ if element.has_elements() => (TextKind::Html, markup(element)),
        _ => (customary(&value, custom), value),
    })
}

pub(crate) fn customary(value: &str, custom: Custom) -> TextKind {
    match custom {
        Custom::Html => TextKind::Html,
        Custom::Plain => TextKind::Plain,
        Custom::Title if looks_like_html(value) => TextKind::Html,
        Custom::Title => TextKind::Plain,
    }
}

/// Whether a text has a reference or a tag in it that only HTML makes sense of.
fn looks_like_html(text: &str) -> bool {
    // No title is longer; each `<` of it looks for its end tag.
    let text = text.char_indices().nth(2_000).map_or(text, |(end, _)| &text[..end]);
    let reference = text.match_indices('&').any(|(at, _)| {
        let name = &text.as_bytes()[at + 1..];
        let end = name.iter().take(12).position(|byte| *byte == b';');
        end.is_some_and(|end| {
            end > 1 && name[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        })
    });
    reference || text.match_indices('<').any(|(at, _)| is_markup(&text[at + 1..]))
}

/// Whether a tag of HTML begins here and, where it must, is closed: `Vec<T>` and `the <script> tag`
/// are text.
fn is_markup(rest: &str) -> bool {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "big", "cite", "code", "del", "div", "em", "font", "i", "iframe", "ins",
        "kbd", "mark", "p", "q", "s", "script", "small", "span", "strike", "strong", "style",
        "sub", "sup", "tt", "u",
    ];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let name = name.to_ascii_lowercase();
    if VOID.contains(&name.as_str()) {
        return rest.contains('>');
    }
    INLINE.contains(&name.as_str()) && rest.to_ascii_lowercase().contains(&format!("</{name}"))
}

/// The one element that an XHTML construct consists of, else the construct itself.
fn without_div<'e, 'a>(element: &'e Element<'a>) -> &'e Element<'a> {
    let mut parts = element.nodes.iter().filter(|node| match node {
        Node::Text(text) => !text.trim().is_empty(),
        Node::Element(_) => true,
    });
    match (parts.next(), parts.next()) {
        (Some(Node::Element(div)), None) if div.name.eq_ignore_ascii_case("div") => div,
        _ => element,
    }
}

/// What is in an element, written as HTML.
pub(crate) fn markup<'e>(element: &'e Element<'_>) -> Cow<'e, str> {
    let mut html = String::new();
    write(&element.nodes, &mut html);
    Cow::Owned(html)
}

fn write(nodes: &[Node<'_>], html: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => html.push_str(&escape(text)),
            Node::Element(element) => {
                html.push('<');
                html.push_str(element.name);
                for attribute in &element.attributes {
                    html.push(' ');
                    html.push_str(attribute.name);
                    html.push_str("=\"");
                    html.push_str(&escape(&attribute.value).replace('"', "&quot;"));
                    html.push('"');
                }
                html.push('>');
                if VOID.contains(&element.name) && element.nodes.is_empty() {
                    continue;
                }
                write(&element.nodes, html);
                html.push_str("</");
                html.push_str(element.name);
                html.push('>');
            }
        }
    }
}

/// The text that stands in base64; `None` when it is none, or no UTF-8.
fn unbase(text: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    String::from_utf8(GeneralPurpose::new(&STANDARD, config).decode(letters).ok()?).ok()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An `atom:link`. RFC 4287 4.2.7.
pub(crate) fn atom_link(element: &Element<'_>, scope: &Scope) -> Option<Link> {
    let scope = scope.enter(element);
    let href = match element.attribute("href") {
        // RFC 3986 4.4: the base itself.
        Some("") if scope.own_base => scope.html_base().unwrap_or_default(),
        Some(href) => href.to_owned(),
        None => element.trimmed()?,
    };
    let own = |name| element.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned);
    Some(Link {
        href: scope.resolve(&href),
        // RFC 4287 4.2.7.2: without `rel` it is an alternate; registered names carry a prefix too.
        rel: own("rel").map_or_else(
            || "alternate".to_owned(),
            |rel| {
                let bare = rel.strip_prefix("http://www.iana.org/assignments/relation/");
                bare.unwrap_or(&rel).to_ascii_lowercase()
            },
        ),
        media_type: own("type"),
        title: own("title"),
        hreflang: own("hreflang"),
        length: own("length").and_then(|length| length.parse().ok()),
    })
}

/// A plain address as an alternate link.
pub(crate) fn page_link(address: &str, scope: &Scope) -> Link {
    Link { href: scope.resolve(address), rel: "alternate".to_owned(), ..Link::default() }
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn read(xml: &str, custom: Custom) -> Option<(TextKind, String)> {
        let tree = scan(xml).unwrap();
        text(&tree.root, &Scope::default(), custom).map(|text| (text.kind, text.value))
    }

    const ATOM: &str = "xmlns='http://www.w3.org/2005/Atom'";

    #[test]
    fn the_type_says_how_to_read_a_text() {
        let html = |value: &str| Some((TextKind::Html, value.to_owned()));
        let plain = |value: &str| Some((TextKind::Plain, value.to_owned()));
        for (attributes, inner, expected) in [
            ("", " a &lt; b ", plain("a < b")),
            ("type='text'", "&lt;b>", plain("<b>")),
            ("type='html'", "&lt;b>x&lt;/b>", html("<b>x</b>")),
            (
                "type='xhtml'",
                "<div xmlns='http://www.w3.org/1999/xhtml'>a<br/><i title='\"&lt;'>&amp;</i></div>",
                html("a<br><i title=\"&quot;&lt;\">&amp;</i>"),
            ),
            ("type='xhtml'", "<p>1</p><p>2</p>", html("<p>1</p><p>2</p>")),
            ("type='text/html' mode='escaped'", "&lt;b>", html("<b>")),
            ("type='text/plain' mode='base64'", "SGk8", plain("Hi<")),
            ("type='application/octet-stream'", "SGk8", plain("Hi<")),
            ("type='image/png'", "not base64!", None),
            ("type='nonsense'", "x", plain("x")),
        ] {
            let xml = format!("<title {ATOM} {attributes}>{inner}</title>");
            assert_eq!(super::tests::read(&xml, Custom::Plain), expected, "{xml}");
        }
    }

    #[test]
    fn a_title_is_text_unless_it_only_makes_sense_as_html() {
        for (inner, kind) in [
            ("1 &lt; 2 &amp; 3", TextKind::Plain),
            ("AT&amp;T; more", TextKind::Plain),
            ("a &amp;#8217; b", TextKind::Html),
            ("a &amp;amp; b", TextKind::Html),
            ("&lt;em&gt;new&lt;/em&gt;", TextKind::Html),
            ("Vec&lt;T&gt;", TextKind::Plain),
            ("&lt;script&gt;alert(1)&lt;/script&gt;", TextKind::Html),
            ("what the &lt;script&gt; tag does", TextKind::Plain),
            ("a&lt;br/&gt;b", TextKind::Html),
        ] {
            let read = read(&format!("<title>{inner}</title>"), Custom::Title);
            assert_eq!(read.map(|(kind, _)| kind), Some(kind), "{inner}");
        }
    }
}
