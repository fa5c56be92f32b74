//! Text and link constructs: one element to a `Text` or a `Link`.

use std::borrow::Cow;

use super::cdata;
use super::context::{Context, is_no_link};
use super::markup::{
    has_links, has_reference, has_tags, is_source, is_source_of_blocks, looks_like_html,
    without_backslashes,
};
use super::namespace::Namespace;
use super::serialise::{html_source, markup, own_text, without_div};
use super::tree::Element;
use crate::model::{Link, Text, TextKind};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Kind of the text of an element without `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UntypedAs {
    /// HTML, as in RSS `description`.
    Html,
    /// Text, or HTML if it looks like HTML: RSS titles.
    Title,
    /// Text, or HTML if it looks like HTML and is not written in lines: descriptions of films.
    Lines,
    /// Text, as in Atom.
    Plain,
}

/// The text of an element; `None` if it is empty.
pub(crate) fn text(element: &Element<'_>, context: &Context, untyped: UntypedAs) -> Option<Text> {
    let context = context.enter(element);
    let (kind, value) = read(element, untyped, &context)?;
    let value = match kind {
        TextKind::Plain => Cow::Borrowed(trimmed_plain(&value)),
        TextKind::Html => as_meant(value.trim()),
    };
    let value = if kind == TextKind::Html { value.trim() } else { &value };
    if value.is_empty() {
        return None;
    }
    let base = if kind == TextKind::Html { context.html_base() } else { None };
    Some(Text { kind, value: value.to_owned(), language: context.language.clone(), base })
}

fn read<'e>(
    element: &'e Element<'_>,
    untyped: UntypedAs,
    context: &Context,
) -> Option<(TextKind, Cow<'e, str>)> {
    let media_type = media_type_of(element);
    let mode = element.attribute("mode").map(str::to_ascii_lowercase);
    let value = match mode.as_deref() {
        // Atom 0.3, 3.1.2: `mode` is the encoding of the content, `type` its media type.
        Some("base64") => Cow::Owned(decode_base64(&element.text())?),
        Some("xml") if element.has_elements() => {
            return Some((TextKind::Html, markup(element, element, context)));
        }
        _ => element.text(),
    };
    let atom = matches!(element.namespace, Namespace::Atom | Namespace::Media)
        || media_type.is_some() && mode.is_some();
    // A label that contradicts the text: the text is what the publisher sees in other programs.
    let html = |value: Cow<'e, str>| {
        let label = element.attribute("type").unwrap_or("text");
        let message = || format!("type {label:?} of <{}>, but it contains HTML", element.name);
        context.report("wrong_text_type", message);
        (TextKind::Html, value)
    };
    let has_elements = element.has_elements();
    let source = |value| if has_elements { html_source(element, context) } else { value };
    let is_plain = || atom || untyped == UntypedAs::Plain;
    Some(match media_type.as_deref().filter(|_| atom) {
        // Plain text needs no CDATA section.
        None | Some("text" | "plain" | "text/plain")
            if is_plain() && element.is_in_cdata() && has_tags(&value) =>
        {
            html(value)
        }
        // RFC 4287 3.1.1
        Some("text" | "plain" | "text/plain") => (TextKind::Plain, value),
        Some("html" | "text/html") => (TextKind::Html, source(value)),
        Some(label @ ("xhtml" | "application/xhtml+xml")) => match xhtml(element, label, context) {
            Some(markup) => (TextKind::Html, markup),
            None => html(source(value)),
        },
        Some(label)
            if !element.has_elements()
                && !NOT_HTML.contains(&label)
                && (has_tags(&value) || !label.contains('/') && has_reference(&value)) =>
        {
            html(value)
        }
        // RFC 4287 4.1.3.3: content of any other media type is encoded in base64.
        Some(other) if other.ends_with("+xml") || other.ends_with("/xml") => {
            (TextKind::Html, markup(element, element, context))
        }
        Some(other) if other.starts_with("text/") && !element.has_elements() => {
            (TextKind::Plain, value)
        }
        Some(other) if other.contains('/') => return of_media_type(other, value),
        _ if element.has_elements() => (TextKind::Html, html_source(element, context)),
        _ => (untyped_kind(&value, untyped), value),
    })
}

/// The content of an XHTML construct (RFC 4287 3.1.1.3); `None` if it is HTML source.
fn xhtml(element: &Element<'_>, label: &str, context: &Context) -> Option<Cow<'static, str>> {
    // The div is not part of the content. Atom 0.3 has no such div.
    let keeps_div = context.keeps_div && label != "xhtml";
    let inner = if keeps_div { element } else { without_div(element) };
    // Text about code is not a block in a text.
    let is_source = match inner.has_elements() {
        true => is_source_of_blocks(&own_text(inner)),
        false => has_tags(&inner.text()),
    };
    (!is_source).then(|| markup(inner, element, context))
}

/// The media type of a text in lower case, without parameters.
fn media_type_of(element: &Element<'_>) -> Option<String> {
    let written = element.attribute("type")?.split(';').next().unwrap_or_default();
    Some(written.trim().to_ascii_lowercase())
}

/// HTML without what a program of the publisher added to it: the delimiters of CDATA sections, and backslashes.
pub(super) fn as_meant(html: &str) -> Cow<'_, str> {
    match cdata::without(html) {
        Cow::Borrowed(html) => without_backslashes(html),
        Cow::Owned(html) => Cow::Owned(without_backslashes(&html).into_owned()),
    }
}

/// Text of another media type.
fn of_media_type<'e>(label: &str, value: Cow<'e, str>) -> Option<(TextKind, Cow<'e, str>)> {
    match decode_base64(&value) {
        Some(decoded) => Some((TextKind::Plain, Cow::Owned(decoded))),
        None if ["image/", "audio/", "video/"].iter().any(|kind| label.starts_with(kind)) => None,
        // The label is wrong: the content is text.
        None => Some((TextKind::Plain, value)),
    }
}

/// Plain text without empty lines around it. The indentation of its first line stays if there are others.
pub(crate) fn trimmed_plain(text: &str) -> &str {
    let end = text.trim_end();
    let bare = end.trim_start();
    if !bare.contains('\n') {
        return bare;
    }
    let before = &end[..end.len() - bare.len()];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    &end[line..]
}

/// Types of texts that may contain tags as text.
const NOT_HTML: &[&str] = &["text", "plain", "text/plain", "text/markdown", "text/x-markdown"];

pub(crate) fn untyped_kind(value: &str, untyped: UntypedAs) -> TextKind {
    match untyped {
        UntypedAs::Html => TextKind::Html,
        UntypedAs::Plain => TextKind::Plain,
        // The lines of HTML end with `<br>`, or there are blocks or links.
        UntypedAs::Lines
            if value.trim().contains('\n')
                && !(is_source_of_blocks(value)
                    || has_links(value) && is_source(value)
                    || value.contains("<br>\n")
                    || value.contains("/>\n")) =>
        {
            TextKind::Plain
        }
        UntypedAs::Title | UntypedAs::Lines if looks_like_html(value) => TextKind::Html,
        UntypedAs::Title | UntypedAs::Lines => TextKind::Plain,
    }
}

/// Decodes base64; `None` if it is invalid or not UTF-8.
fn decode_base64(text: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    String::from_utf8(GeneralPurpose::new(&STANDARD, config).decode(letters).ok()?).ok()
}

/// The link of an `atom:link` (RFC 4287 4.2.7).
pub(crate) fn atom_link(element: &Element<'_>, context: &Context) -> Option<Link> {
    let context = context.enter(element);
    let href = match element.attribute("href") {
        // RFC 3986 4.4: the base itself.
        Some("") if context.own_base => context.html_base().unwrap_or_default(),
        Some(href) => href.to_owned(),
        None => element.trimmed()?,
    };
    let value = |name| element.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned);
    Some(Link {
        href: resolved(&href, &context),
        // RFC 4287 4.2.7.2: `rel` is `alternate` by default. Registered names may have a prefix.
        rel: value("rel").map_or_else(
            || "alternate".to_owned(),
            |rel| {
                let bare = rel.strip_prefix("http://www.iana.org/assignments/relation/");
                bare.unwrap_or(&rel).to_ascii_lowercase()
            },
        ),
        media_type: value("type"),
        title: value("title"),
        hreflang: value("hreflang"),
        length: value("length").and_then(|length| length.parse().ok()),
    })
}

/// A URL as an alternate link.
pub(crate) fn page_link(address: &str, context: &Context) -> Link {
    Link { href: resolved(address, context), rel: "alternate".to_owned(), ..Link::default() }
}

/// The absolute form of a link; empty for a placeholder such as `N/A`.
fn resolved(link: &str, context: &Context) -> String {
    if is_no_link(link) { String::new() } else { context.resolve(link) }
}

/// Every `atom:link` of an element, in any dialect.
pub(crate) fn atom_links(element: &Element<'_>, context: &Context) -> Vec<Link> {
    element
        .all(Namespace::Atom, "link")
        .filter_map(|link| atom_link(link, context))
        .filter(|link| !link.href.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::scan::scan;
    use super::*;

    fn read(xml: &str, untyped: UntypedAs) -> Option<(TextKind, String)> {
        let tree = scan(xml).unwrap();
        text(&tree.root, &Context::default(), untyped).map(|text| (text.kind, text.value))
    }

    const ATOM: &str = "xmlns='http://www.w3.org/2005/Atom'";

    #[test]
    fn the_type_attribute_determines_how_a_text_is_read() {
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
            ("type='nonsense'", "1 &lt; 2 > 1", plain("1 < 2 > 1")),
            ("type='CDATA'", "<![CDATA[<p>a &amp; b</p>]]>", html("<p>a &amp; b</p>")),
            ("type='escaped'", "&lt;ul>&lt;li>a&lt;/ul>", html("<ul><li>a</ul>")),
            ("type='text/xml'", "&lt;p>a&lt;/p>", html("<p>a</p>")),
            ("type='xhtml'", "&lt;p>a&lt;/p>", html("<p>a</p>")),
            ("type='text/html; charset=utf-8'", "&lt;b>", html("<b>")),
            ("type='application/xhtml+xml'", "<div><p>a</p></div>", html("<p>a</p>")),
            ("type='html'", "&lt;p>a&lt;/p><hr/>", html("<p>a</p><hr>")),
            ("type='html'", "<![CDATA[<p>a</p>]]> <i>b</i>", html("<p>a</p> <i>b</i>")),
            ("type='html'", "1 &lt; 2 <i>b</i>", html("1 &lt; 2 <i>b</i>")),
            ("", "&lt;p>a&lt;/p><hr/>", html("<p>a</p><hr>")),
            ("type='unknown'", "Tom &amp;amp; Jerry", html("Tom &amp; Jerry")),
            ("type='unknown'", "R&amp;D", plain("R&D")),
            ("type=''", "<![CDATA[<p>a</p>]]>", html("<p>a</p>")),
            ("type=''", "1 &lt; 2", plain("1 < 2")),
            ("type='text/markdown'", "a &amp;amp; &lt;b>b&lt;/b>", plain("a &amp; <b>b</b>")),
        ] {
            let xml = format!("<title {ATOM} {attributes}>{inner}</title>");
            assert_eq!(super::tests::read(&xml, UntypedAs::Plain), expected, "{xml}");
        }
    }

    #[test]
    fn plain_text_keeps_the_indentation_of_its_first_line() {
        for (text, trimmed) in
            [(" one ", "one"), ("\n  \n  a\n b \n", "  a\n b"), ("  a\nb", "  a\nb"), ("\n", "")]
        {
            assert_eq!(trimmed_plain(text), trimmed);
        }
    }

    #[test]
    fn a_wrong_type_is_reported() {
        for (label, count) in [("CDATA", 1), ("xhtml", 1), ("html", 0), ("text", 0)] {
            let xml = format!("<content {ATOM} type='{label}'>&lt;p&gt;a&lt;/p&gt;</content>");
            let (tree, context) = (scan(&xml).unwrap(), Context::default());
            text(&tree.root, &context, UntypedAs::Plain);
            assert_eq!(context.parse_warnings().len(), count, "{label}");
        }
    }

    #[test]
    fn a_placeholder_in_the_place_of_a_link_is_left_out() {
        let context = Context::document(&Url::parse("https://example.org/").unwrap());
        for (written, href) in [("N/A", ""), ("#", ""), ("/a", "https://example.org/a")] {
            assert_eq!(page_link(written, &context).href, href, "{written}");
            let document = format!("<link {ATOM} href='{written}'/>");
            let tree = scan(&document).unwrap();
            assert_eq!(atom_link(&tree.root, &context).unwrap().href, href, "{written}");
        }
    }
}
