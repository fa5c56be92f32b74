//! Text, link and person constructs: one element to a `Text` or a `Link`, and the names and e-mail addresses of people in
//! a line of text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::context::{Context, is_no_link};
use super::markup;
use super::markup::{
    begins_with_block, has_links, has_markup, has_reference, has_tags, is_source,
    is_source_of_blocks, looks_like_html, without_backslashes,
};
use super::namespace::Namespace;
use super::serialise::{html_source, markup, own_text, without_div};
use super::tree::Element;
use crate::model::{Link, Person, Text, TextKind};
use crate::text::quoted::in_quotes;

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
    let language = language_of_div(element).map(str::to_owned);
    let language = language.or_else(|| context.language.clone());
    Some(Text { kind, value: value.to_owned(), language, base })
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
        let label = in_quotes(element.attribute("type").unwrap_or("text"));
        let message = || format!("type {label} of <{}>, but it contains HTML", element.name);
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
        false if std::ptr::eq(inner, element) => has_tags(&inner.text()),
        // With the div that RFC 4287 requires, the text is most likely text, as it should be.
        false => is_marked(&inner.text()),
    };
    // The direction is of the whole content.
    let shown = if inner.attribute("dir").is_some() { element } else { inner };
    (!is_source).then(|| markup(shown, element, context))
}

/// Whether the text of an element without inner elements is plainly HTML.
fn is_marked(text: &str) -> bool {
    is_source(text) || begins_with_block(text) || has_tags(text) && has_markup(text)
}

/// The language of the only `div` of a text, which is that of the text.
fn language_of_div<'e>(element: &'e Element<'_>) -> Option<&'e str> {
    let div = without_div(element);
    let language = div.attribute_in(Namespace::Xml, "lang").or_else(|| div.attribute("lang"))?;
    Some(language).filter(|language| !language.is_empty())
}

/// The media type of a text in lower case, without parameters.
fn media_type_of(element: &Element<'_>) -> Option<String> {
    let written = element.attribute("type")?.split(';').next().unwrap_or_default();
    Some(written.trim().to_ascii_lowercase())
}

/// HTML without what a program of the publisher added to it: the delimiters of CDATA sections, and backslashes.
pub(super) fn as_meant(html: &str) -> Cow<'_, str> {
    match markup::without_cdata(html) {
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

/// Characters around an e-mail address or a name.
const BRACKETS: &str = "<>()[]（）「」,;\"";

/// Parses a person: `name@example.org (Name)`, `Name <name@example.org>` or a name. `None` if the text
/// is empty.
pub(super) fn person(text: &str) -> Option<Person> {
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
    let tagged = bare.starts_with('<') && is_source(bare);
    let name = if tagged {
        bare
    } else if balanced && !bare.starts_with(edge) {
        bare.trim_end_matches([',', '"', '<'])
    } else {
        bare.trim_matches(edge)
    };
    name.trim().to_owned()
}

/// The people of a line that has several addresses, such as `a@e.org (Ann), b@e.org (Bo)`; otherwise the person of the
/// line.
pub(super) fn people(line: &str) -> Vec<Person> {
    let mut parts = Vec::new();
    if line.matches('@').nth(1).is_some() {
        let (mut depth, mut is_quoted, mut from) = (0_usize, false, 0);
        for (at, c) in line.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                '(' | '<' | '[' => depth += 1,
                ')' | '>' | ']' => depth = depth.saturating_sub(1),
                ',' | ';' if depth == 0 && !is_quoted => {
                    parts.push(&line[from..at]);
                    from = at + 1;
                }
                // Two of these words may share a space.
                ' ' if depth == 0
                    && !is_quoted
                    && at >= from
                    && line[at..].starts_with(" and ") =>
                {
                    parts.push(&line[from..at]);
                    from = at + " and ".len();
                }
                _ => {}
            }
        }
        parts.push(&line[from..]);
    }
    let people = || parts.iter().filter(|part| !part.trim().is_empty()).map(|part| person(part));
    let have_addresses = people().all(|it| it.is_some_and(|person| person.email.is_some()));
    if parts.len() > 1 && have_addresses {
        people().flatten().collect()
    } else {
        person(line).into_iter().collect()
    }
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.contains('@') && host.is_ascii()
    })
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
    fn the_text_of_an_xhtml_div_is_text_unless_it_is_plainly_html() {
        let html = |value: &str| Some((TextKind::Html, value.to_owned()));
        for (inner, expected) in [
            ("How &lt;script> works, and why.", "How &lt;script&gt; works, and why."),
            (
                "The &lt;title> element; the &lt;style> element",
                "The &lt;title&gt; element; the &lt;style&gt; element",
            ),
            ("Fix &lt;b> &amp;amp; &lt;p>", "Fix &lt;b&gt; &amp;amp; &lt;p&gt;"),
            ("&lt;p>a&lt;/p>", "<p>a</p>"),
            ("one &lt;b>two&lt;/b>", "one <b>two</b>"),
            ("one&lt;br/>two", "one<br/>two"),
            ("see &lt;img src='a'>", "see <img src='a'>"),
            ("&lt;p>One &lt;p>Two", "<p>One <p>Two"),
            (
                "&lt;div class='a'>&lt;p>&lt;b>&lt;i>a&lt;/b>&lt;/i>",
                "<div class='a'><p><b><i>a</b></i>",
            ),
            ("&lt;p> or &lt;div>?", "&lt;p&gt; or &lt;div&gt;?"),
            ("&lt;p>", "&lt;p&gt;"),
        ] {
            let xml = format!("<title {ATOM} type='xhtml'><div>{inner}</div></title>");
            assert_eq!(super::tests::read(&xml, UntypedAs::Plain), html(expected), "{xml}");
        }
    }

    #[test]
    fn direction_and_language_of_an_xhtml_div_are_those_of_the_text() {
        let div = "<div dir='rtl' lang='he'><p>Atom \u{5d0}</p></div>";
        let xml = format!("<content {ATOM} type='xhtml' xml:lang='en'>{div}</content>");
        let tree = scan(&xml).unwrap();
        let text = text(&tree.root, &Context::default(), UntypedAs::Plain).unwrap();
        assert_eq!(text.value, "<div dir=\"rtl\" lang=\"he\"><p>Atom \u{5d0}</p></div>");
        assert_eq!(text.language.as_deref(), Some("he"));
        let xml = xml.replace(" dir='rtl' lang='he'", " xml:lang='fr'");
        let tree = scan(&xml).unwrap();
        let text = super::text(&tree.root, &Context::default(), UntypedAs::Plain).unwrap();
        assert_eq!((&*text.value, text.language.as_deref()), ("<p>Atom \u{5d0}</p>", Some("fr")));
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

    #[test]
    fn people_with_addresses_are_separated() {
        let names = |line: &str| people(line).into_iter().map(|it| it.name).collect::<Vec<_>>();
        for line in [
            "a@e.org (Ann A), b@e.org (Bo B)",
            "Ann A <a@e.org>; Bo B <b@e.org>;",
            "a@e.org (Ann A) and b@e.org (Bo B)",
        ] {
            assert_eq!(names(line), ["Ann A", "Bo B"], "{line}");
        }
        assert_eq!(names("Lee, Ann <a@e.org> or <b@e.org>").len(), 1);
        assert_eq!(names("a@e.org (Ann, the b@e.org)").len(), 1);
        assert_eq!(names("Ann A, Bo B"), ["Ann A, Bo B"]);
        assert_eq!(names(" "), [""; 0]);
        assert_eq!(names("a@e.org and and b@e.org").len(), 2);
        let linked = "<a href=\"x\">Ann A</a> &amp; Co";
        assert_eq!(names(linked), [linked]);
    }
}
