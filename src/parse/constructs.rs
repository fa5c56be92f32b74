//! Text, link and person constructs: one element to a `Text`, a `Link` or a `Person`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::Url;

use super::context::{Context, is_no_link};
pub(super) use super::markup::has_tags;
use super::markup::looks_like_html;
use super::namespace::Namespace;
use super::tree::{Attribute, Element, Node};
use crate::model::{Link, Person, Text, TextKind};

/// Kind of the text of an element without `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UntypedAs {
    /// HTML, as in RSS `description`.
    Html,
    /// Text, or HTML if it looks like HTML: RSS titles.
    Title,
    /// Text, as in Atom.
    Plain,
}

/// Void elements, HTML 13.1.2.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// The text of an element; `None` if it is empty.
pub(crate) fn text(element: &Element<'_>, context: &Context, untyped: UntypedAs) -> Option<Text> {
    let context = context.enter(element);
    let (kind, value) = read(element, untyped, &context)?;
    let value = if kind == TextKind::Plain { trimmed_plain(&value) } else { value.trim() };
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
    let media_type = element.attribute("type").map(|written| {
        let bare = written.split(';').next().unwrap_or_default();
        bare.trim().to_ascii_lowercase()
    });
    let mode = element.attribute("mode").map(str::to_ascii_lowercase);
    let value = match mode.as_deref() {
        // Atom 0.3, 3.1.2: `mode` is the encoding of the content, `type` its media type.
        Some("base64") => Cow::Owned(decode_base64(&element.text())?),
        Some("xml") if element.has_elements() => {
            return Some((TextKind::Html, markup(element, element, context)));
        }
        _ => Cow::Borrowed(""),
    };
    let value = if value.is_empty() { element.text() } else { value };
    let atom = element.namespace == Namespace::Atom || media_type.is_some() && mode.is_some();
    // A label that contradicts the text: the text is what the publisher sees in other programs.
    let html = |label: &str, value: Cow<'e, str>| {
        let message = || format!("type {label:?} of <{}>, but it contains HTML", element.name);
        context.report("wrong_text_type", message);
        (TextKind::Html, value)
    };
    Some(match media_type.as_deref().filter(|_| atom) {
        // RFC 4287 3.1.1
        Some("text" | "text/plain") => (TextKind::Plain, value),
        Some("html" | "text/html") if element.has_elements() => {
            (TextKind::Html, html_source(element, context))
        }
        Some("html" | "text/html") => (TextKind::Html, value),
        // RFC 4287 3.1.1.3: the div is not part of the content. Atom 0.3 has no such div.
        Some(label @ ("xhtml" | "application/xhtml+xml")) => {
            let keeps_div = context.keeps_div && label != "xhtml";
            let inner = if keeps_div { element } else { without_div(element) };
            if !inner.has_elements() && has_tags(&value) {
                return Some(html(label, value));
            }
            (TextKind::Html, markup(inner, element, context))
        }
        Some(label)
            if !element.has_elements() && !NOT_HTML.contains(&label) && has_tags(&value) =>
        {
            html(label, value)
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
const NOT_HTML: &[&str] = &["text", "text/plain", "text/markdown", "text/x-markdown", ""];

pub(crate) fn untyped_kind(value: &str, untyped: UntypedAs) -> TextKind {
    match untyped {
        UntypedAs::Html => TextKind::Html,
        UntypedAs::Plain => TextKind::Plain,
        UntypedAs::Title if looks_like_html(value) => TextKind::Html,
        UntypedAs::Title => TextKind::Plain,
    }
}

/// The content of a construct as HTML. If the text beside its elements contains tags, that text is HTML source: the
/// publisher escaped one part and not the other.
fn html_source<'e>(element: &'e Element<'_>, context: &Context) -> Cow<'e, str> {
    let inner = without_div(element);
    let is_source = |node: &Node<'_>| matches!(node, Node::Text(text) if has_tags(text));
    if !inner.nodes.iter().any(is_source) {
        return markup(element, element, context);
    }
    let mut writer = MarkupWriter { html: String::new(), base: context.base.as_ref() };
    let context = within(inner, element, context);
    for node in &inner.nodes {
        match node {
            Node::Text(text) => writer.html.push_str(text),
            Node::Element(_) => writer.write(std::slice::from_ref(node), &context),
        }
    }
    Cow::Owned(writer.html)
}

/// The only child `div` of an XHTML construct, or the construct itself.
fn without_div<'e, 'a>(element: &'e Element<'a>) -> &'e Element<'a> {
    let mut parts = element.nodes.iter().filter(|node| match node {
        Node::Text(text) => !text.trim().is_empty(),
        Node::Element(_) => true,
    });
    match (parts.next(), parts.next()) {
        (Some(Node::Element(div)), None) if div.name.eq_ignore_ascii_case("div") => div.as_ref(),
        _ => element,
    }
}

/// The context inside `inner`, which is `construct` or its only child; `context` is that inside `construct`.
fn within<'c>(
    inner: &Element<'_>,
    construct: &Element<'_>,
    context: &'c Context,
) -> Cow<'c, Context> {
    if std::ptr::eq(inner, construct) { Cow::Borrowed(context) } else { context.enter(inner) }
}

/// The content of `inner` as HTML; see [`within`].
fn markup(inner: &Element<'_>, construct: &Element<'_>, context: &Context) -> Cow<'static, str> {
    let mut writer = MarkupWriter { html: String::new(), base: context.base.as_ref() };
    writer.write(&inner.nodes, &within(inner, construct, context));
    Cow::Owned(writer.html)
}

/// Writes elements as HTML.
struct MarkupWriter<'c> {
    html: String,
    /// The base of the construct.
    base: Option<&'c Url>,
}

impl MarkupWriter<'_> {
    fn write(&mut self, nodes: &[Node<'_>], context: &Context) {
        for node in nodes {
            match node {
                Node::Text(text) => self.html.push_str(&escape(text)),
                Node::Element(element) => self.element(element, &context.enter(element)),
            }
        }
    }

    /// Writes an element; `context` is that inside it.
    fn element(&mut self, element: &Element<'_>, context: &Context) {
        self.html.push('<');
        self.html.push_str(element.name);
        for attribute in &element.attributes {
            if attribute.namespace == Namespace::Xml && attribute.name == "base" {
                continue;
            }
            let value = self.value(attribute, context);
            self.html.push(' ');
            self.html.push_str(attribute.name);
            self.html.push_str("=\"");
            self.html.push_str(&escape(&value).replace('"', "&quot;"));
            self.html.push('"');
        }
        self.html.push('>');
        if VOID.contains(&element.name) && element.nodes.is_empty() {
            return;
        }
        self.write(&element.nodes, context);
        self.html.push_str("</");
        self.html.push_str(element.name);
        self.html.push('>');
    }

    /// The value of an attribute. RFC 4287 2: any element may have an `xml:base`. HTML has only one base, so that
    /// references inside an element with another base are made absolute.
    fn value<'v>(&self, attribute: &'v Attribute<'_>, context: &Context) -> Cow<'v, str> {
        let written = &*attribute.value;
        // A fragment is of the page, whatever the base is (RFC 3986 4.4).
        if context.base.as_ref() == self.base || written.trim_start().starts_with('#') {
            return Cow::Borrowed(written);
        }
        match attribute.name.to_ascii_lowercase().as_str() {
            "href" | "src" | "cite" | "poster" | "data" | "data-src" | "longdesc"
            | "background" => Cow::Owned(context.resolve_as_written(written)),
            name if name.ends_with("srcset") => Cow::Owned(candidates(written, context)),
            name if is_lazy_source(name) => Cow::Owned(context.resolve_as_written(written)),
            _ => Cow::Borrowed(written),
        }
    }
}

/// Whether scripts load a picture or a player from the attribute of this name.
fn is_lazy_source(name: &str) -> bool {
    let parts = ["src", "lazy", "orig", "-file", "poster", "-url"];
    (name.starts_with("data-") || name.starts_with("nitro-"))
        && parts.iter().any(|part| name.contains(part))
}

/// The images of a `srcset` (HTML 4.8.4.2.1) with absolute URLs.
fn candidates(written: &str, context: &Context) -> String {
    let (mut found, mut rest) = (Vec::<String>::new(), written);
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return found.join(", ");
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, behind) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        // A comma after the URL ends the candidate.
        let end = if bare.len() < url.len() { 0 } else { behind.find(',').unwrap_or(behind.len()) };
        let (descriptor, behind) = behind.split_at(end);
        let candidate = format!("{} {}", context.resolve_as_written(bare), descriptor.trim());
        found.push(candidate.trim_end().to_owned());
        rest = behind;
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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

/// Characters around an e-mail address or a name.
const BRACKETS: &str = "<>()[]（）「」,;\"";

/// Parses a person: `name@example.org (Name)`, `Name <name@example.org>` or a name. `None` if the text
/// is empty.
pub(crate) fn person(text: &str) -> Option<Person> {
    let text = text.trim().trim_start_matches("mailto:");
    let email =
        text.split(|c: char| c.is_whitespace() || BRACKETS.contains(c)).find(|word| is_email(word));
    let Some(email) = email else {
        let name = tidy(text);
        return (!name.is_empty()).then(|| Person { name, ..Person::default() });
    };
    let name = tidy(&text.replacen(email, " ", 1));
    Some(Person { name, uri: None, email: Some(email.to_owned()) })
}

/// A name without the brackets of its address. `Bob (the builder)` is unchanged.
fn tidy(text: &str) -> String {
    let edge = |c: char| c.is_whitespace() || BRACKETS.contains(c);
    let bare: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = ["( )", "()", "< >", "<>", "（ ）", "「 」", "[ ]"]
        .iter()
        .fold(bare, |name, empty| name.replace(empty, ""));
    let bare = bare.trim();
    // Removes brackets around the name, and single ones left by the address.
    let balanced = bare.matches('(').count() == bare.matches(')').count();
    let tagged = bare.starts_with('<') && bare.ends_with('>') && bare.contains("</");
    let name = if tagged {
        bare
    } else if balanced && !bare.starts_with(edge) {
        bare.trim_end_matches([',', '"', '<'])
    } else {
        bare.trim_matches(edge)
    };
    name.trim().to_owned()
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.contains('@') && host.is_ascii()
    })
}

#[cfg(test)]
mod tests {
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
        ] {
            let xml = format!("<title {ATOM} {attributes}>{inner}</title>");
            assert_eq!(super::tests::read(&xml, UntypedAs::Plain), expected, "{xml}");
        }
    }

    #[test]
    fn references_in_xhtml_are_relative_to_the_base_of_their_element() {
        let base = "xml:base='http://base.example/root/'";
        let div = |attributes: &str, inner: &str| {
            format!("<content {ATOM} {base} type='xhtml'><div {attributes}>{inner}</div></content>")
        };
        let picture = "<img src='a' srcset='a,b 1x, c 2x,d,,e'/>";
        for (xml, expected) in [
            (div("", "<a href='c'>c</a>"), "<a href=\"c\">c</a>"),
            (
                div("xml:base='http://div.example/d/'", "<a href='c'>c</a><a href='#n'>n</a>"),
                "<a href=\"http://div.example/d/c\">c</a><a href=\"#n\">n</a>",
            ),
            (
                div("xml:base='d/'", "<p xml:base='e/'><a href='c'>c</a></p><q cite='/x'>q</q>"),
                "<p><a href=\"http://base.example/root/d/e/c\">c</a></p><q cite=\"http://base.example/x\">q</q>",
            ),
            (
                div(
                    "",
                    "<a xml:base='http://a.example/' href='c' title='c'>c</a><a href='c'>c</a>",
                ),
                "<a href=\"http://a.example/c\" title=\"c\">c</a><a href=\"c\">c</a>",
            ),
            (
                div("xml:base='http://p.example/'", picture),
                "<img src=\"http://p.example/a\" srcset=\"http://p.example/a,b 1x, http://p.example/c 2x, \
                 http://p.example/d,,e\">",
            ),
            (
                div(
                    "xml:base='http://p.example/'",
                    "<a href='mailto:a@b.c'>m</a>&lt;b>x&lt;/b><i>y</i>",
                ),
                "<a href=\"mailto:a@b.c\">m</a>&lt;b&gt;x&lt;/b&gt;<i>y</i>",
            ),
            (
                format!(
                    "<content {ATOM} {base} type='html'>&lt;b>x&lt;/b><a xml:base='http://p.example/' href='c'>c</a></content>"
                ),
                "<b>x</b><a href=\"http://p.example/c\">c</a>",
            ),
        ] {
            let tree = scan(&xml).unwrap();
            let text = text(&tree.root, &Context::default(), UntypedAs::Plain).unwrap();
            assert_eq!((text.kind, text.value.as_str()), (TextKind::Html, expected), "{xml}");
            assert_eq!(text.base.as_deref(), Some("http://base.example/root/"), "{xml}");
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

    fn person_parts(text: &str) -> (String, Option<String>) {
        let person = person(text).unwrap_or_default();
        (person.name, person.email)
    }

    #[test]
    fn name_and_address_are_separated_in_every_common_form() {
        let both = ("Ann Lee".to_owned(), Some("ann@example.org".to_owned()));
        for text in [
            "ann@example.org (Ann Lee)",
            "Ann Lee <ann@example.org>",
            "Ann Lee (ann@example.org)",
            "mailto:ann@example.org (Ann Lee)",
            "\"Ann Lee\" <ann@example.org>",
        ] {
            assert_eq!(person_parts(text), both, "{text}");
        }
        assert_eq!(
            person_parts("作者（foo@example.com）"),
            ("作者".to_owned(), Some("foo@example.com".to_owned()))
        );
        assert_eq!(person_parts("編集部「a@b.com」").1.as_deref(), Some("a@b.com"));
        assert_eq!(
            person_parts("ann@example.org"),
            (String::new(), Some("ann@example.org".to_owned()))
        );
        assert_eq!(person_parts(" Bob (the builder) "), ("Bob (the builder)".to_owned(), None));
        assert_eq!(person("  "), None);
    }
}
