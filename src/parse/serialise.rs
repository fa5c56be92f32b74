//! The content of elements as HTML, with the HTML source that a publisher wrote as text beside them.

use std::borrow::Cow;

use url::Url;

use super::context::Context;
use super::markup::{has_reference, has_tags, is_source};
use super::namespace::Namespace;
use super::tree::{Attribute, Element, Node};
use crate::text::html::escape;

/// Void elements, HTML 13.1.2.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// The content of a construct as HTML. If the text beside its elements contains tags or references, that text is HTML
/// source: the publisher escaped one part and not the other. So is the text of an inner element that is HTML source.
pub(super) fn html_source(element: &Element<'_>, context: &Context) -> Cow<'static, str> {
    let inner = without_div(element);
    let is_source =
        |node: &Node<'_>| matches!(node, Node::Text(text) if has_tags(text) || has_reference(text));
    let inner = if inner.nodes.iter().any(is_source) { inner } else { element };
    let mut writer = MarkupWriter {
        html: String::new(),
        base: context.base.as_ref(),
        escaping: Escaping::UnlessSource,
    };
    let context = within(inner, element, context);
    if inner.nodes.iter().any(is_source) {
        writer.parts(&inner.nodes, &context, Escaping::None);
    } else {
        writer.write(inner, &context);
    }
    Cow::Owned(writer.html)
}

/// The text of an element without that of inner elements.
pub(super) fn own_text(element: &Element<'_>) -> String {
    let text = |node: &Node<'_>| match node {
        Node::Text(text) => Some(text.to_string()),
        Node::Element(_) => None,
    };
    element.nodes.iter().filter_map(text).collect()
}

/// The only child `div` of an XHTML construct, or the construct itself.
pub(super) fn without_div<'e, 'a>(element: &'e Element<'a>) -> &'e Element<'a> {
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
pub(super) fn markup(
    inner: &Element<'_>,
    construct: &Element<'_>,
    context: &Context,
) -> Cow<'static, str> {
    let base = context.base.as_ref();
    let mut writer = MarkupWriter { html: String::new(), base, escaping: Escaping::Always };
    writer.write(inner, &within(inner, construct, context));
    Cow::Owned(writer.html)
}

/// Whether the text beside elements is escaped when they are written as HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escaping {
    Always,
    /// Not in an element whose own text is HTML source.
    UnlessSource,
    None,
}

/// Elements that show source.
const OF_CODE: &[&str] = &["code", "kbd", "pre", "samp", "textarea"];

/// Writes elements as HTML.
struct MarkupWriter<'c> {
    html: String,
    /// The base of the construct.
    base: Option<&'c Url>,
    escaping: Escaping,
}

impl MarkupWriter<'_> {
    /// Writes the content of an element; `context` is that inside it.
    fn write(&mut self, element: &Element<'_>, context: &Context) {
        let outer = self.escaping;
        if OF_CODE.iter().any(|name| element.name.eq_ignore_ascii_case(name)) {
            self.escaping = Escaping::Always;
        }
        let is_source = self.escaping == Escaping::UnlessSource && is_source(&own_text(element));
        let escaping = if is_source { Escaping::None } else { Escaping::Always };
        self.parts(&element.nodes, context, escaping);
        self.escaping = outer;
    }

    /// Writes nodes, and the texts among them with this escaping.
    fn parts(&mut self, nodes: &[Node<'_>], context: &Context, of_texts: Escaping) {
        for node in nodes {
            match node {
                Node::Text(text) if of_texts == Escaping::None => self.html.push_str(text),
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
        self.write(element, context);
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
            "href" | "src" | "cite" | "poster" | "data" | "longdesc" | "background" => {
                Cow::Owned(context.resolve_as_written(written))
            }
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

#[cfg(test)]
mod tests {
    use super::super::constructs::{UntypedAs, text};
    use super::super::scan::scan;
    use super::*;
    use crate::model::TextKind;

    const ATOM: &str = "xmlns='http://www.w3.org/2005/Atom'";

    #[test]
    fn a_text_that_is_escaped_beside_markup_is_html() {
        for (label, inner, expected) in [
            (
                "html",
                "<p>Part of the &lt;a href='/a'>project&lt;/a> &amp;amp; more</p><a>Read</a>",
                "<p>Part of the <a href='/a'>project</a> &amp; more</p><a>Read</a>",
            ),
            ("html", "<div>&lt;p>a <i>b</i> c&lt;/p></div>b", "<div><p>a <i>b</i> c</p></div>b"),
            (
                "html",
                "<ul><li>&lt;b>a&lt;/b></li><li>b</li></ul>",
                "<ul><li><b>a</b></li><li>b</li></ul>",
            ),
            ("html", "&amp;lt;p>a&amp;lt;/p><hr/>", "&lt;p>a&lt;/p><hr>"),
            ("xhtml", "&lt;p>a&lt;/p><hr/>", "<p>a</p><hr>"),
            ("xhtml", "<div><![CDATA[<p>a</p>]]><hr/></div>", "<p>a</p><hr>"),
            // Texts about code.
            ("html", "<p>The &lt;p> element</p>", "<p>The &lt;p&gt; element</p>"),
            (
                "html",
                "<pre>&lt;b>a&lt;/b><i>&lt;b>a&lt;/b></i></pre>",
                "<pre>&lt;b&gt;a&lt;/b&gt;<i>&lt;b&gt;a&lt;/b&gt;</i></pre>",
            ),
            (
                "html",
                "<p>Use <code>&lt;b>a&lt;/b></code></p>",
                "<p>Use <code>&lt;b&gt;a&lt;/b&gt;</code></p>",
            ),
            ("html", "<p>&amp;lt;b></p>", "<p>&amp;lt;b&gt;</p>"),
            ("xhtml", "<p>&lt;b>a&lt;/b></p>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
            ("xhtml", "<div>&lt;p>a&lt;/p><hr/>is it</div>", "&lt;p&gt;a&lt;/p&gt;<hr>is it"),
        ] {
            let xml = format!("<content {ATOM} type='{label}'>{inner}</content>");
            let tree = scan(&xml).unwrap();
            let text = text(&tree.root, &Context::default(), UntypedAs::Plain).unwrap();
            assert_eq!((text.kind, text.value.as_str()), (TextKind::Html, expected), "{xml}");
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
}
