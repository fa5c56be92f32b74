//! Whether a text that is either plain text or HTML is HTML.
//!
//! Also the delimiters of CDATA sections that are a part of a text, because a publisher escaped them, put one section into
//! another or wrote them in JSON.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr_iter, memchr2_iter, memmem};

/// Whether a text contains an HTML reference or tag.
pub(super) fn looks_like_html(text: &str) -> bool {
    has_reference(beginning(text)) || has_markup(text)
}

/// Whether a text contains HTML tags that it does not only mention.
pub(super) fn has_markup(text: &str) -> bool {
    let text = beginning(text);
    begins_emphasis(text) || text.match_indices('<').any(|(at, _)| is_markup(&text[at + 1..]))
}

/// What is examined of a text. Bounds the cost: the end tag of each `<` is searched.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(2_000).map_or(text, |(end, _)| &text[..end])
}

/// Whether a text contains an HTML reference, such as `&amp;`.
pub(super) fn has_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let name = &text.as_bytes()[at + 1..];
        let end = name.iter().take(12).position(|byte| *byte == b';');
        end.is_some_and(|end| {
            end > 1 && name[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        })
    })
}

/// Whether a comment or an HTML tag begins here and is closed if it must be. `Vec<T>` and `the <script> tag` are
/// text, and so is a void element that shows nothing, as in `the <input> element`.
fn is_markup(rest: &str) -> bool {
    if let Some(comment) = rest.strip_prefix("!--") {
        return comment.contains("-->");
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let name = name.to_ascii_lowercase();
    let Some((tag, content)) = rest.split_once('>') else { return false };
    let closed = || {
        let end = content.to_ascii_lowercase().find(&format!("</{name}"))?;
        Some(&content[..end])
    };
    match name.as_str() {
        "br" | "wbr" => true,
        "img" => tag.to_ascii_lowercase().contains("src"),
        name if INLINE.contains(&name) => closed().is_some(),
        name if OF_TITLES.contains(&name) => closed().is_some_and(|text| !text.trim().is_empty()),
        _ => false,
    }
}

/// Elements that are markup if they are closed.
#[rustfmt::skip]
const INLINE: &[&str] = &[
    "a", "abbr", "b", "big", "cite", "code", "del", "div", "em", "font", "i", "iframe", "ins", "kbd",
    "mark", "math", "p", "q", "s", "script", "small", "span", "strike", "strong", "style", "sub",
    "sup", "tt", "u",
];

/// Elements that are markup if they are closed and have content.
#[rustfmt::skip]
const OF_TITLES: &[&str] = &[
    "acronym", "bdi", "bdo", "blockquote", "center", "dfn", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "ol", "ruby", "samp", "time", "ul", "var",
];

/// Whether a text begins with the tag of an emphasis that is not closed: `<i>Hamlet reviewed`, but not `<b> or
/// <strong>`.
fn begins_emphasis(text: &str) -> bool {
    let text = text.trim_start();
    ["<b>", "<i>", "<u>", "<em>", "<strong>"].iter().any(|tag| {
        let (start, rest) = (text.get(..tag.len()), text.get(tag.len()..));
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
            && rest.is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
    })
}

/// Names of HTML elements that are common in texts.
#[rustfmt::skip]
const HTML: &[&str] = &[
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "big", "blockquote", "br",
    "caption", "center", "cite", "code", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "embed", "figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "i", "iframe", "img", "ins", "kbd", "li", "main", "mark", "nav", "object", "ol",
    "p", "picture", "pre", "q", "s", "samp", "script", "section", "small", "span", "strike",
    "strong", "style", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr",
    "tt", "u", "ul", "var", "video", "wbr",
];

/// Elements of [`HTML`] without end tag (HTML 13.1.2), and those whose end tag may be left out (HTML 13.1.2.4).
const VOID: &[&str] = &["br", "embed", "hr", "img", "wbr"];
const OPTIONAL: &[&str] = &["dd", "dt", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr"];

/// Elements of [`HTML`] with the paragraphs of a text, or one of them.
#[rustfmt::skip]
const BLOCKS: &[&str] = &[
    "article", "aside", "blockquote", "center", "details", "div", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "main", "ol", "p", "pre", "section", "table", "ul",
];

/// A tag of an HTML element in a text.
struct Tag<'t> {
    name: &'static str,
    is_end: bool,
    /// What follows the name, without `>`.
    attributes: &'t str,
    /// Where in the text it begins and ends.
    range: Range<usize>,
}

/// The complete tags of HTML elements in a text.
fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text[from..].find('<')?;
            let rest = text[at + 1..].trim_start_matches('/');
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            from = text.len() - behind.len();
            let is_tag = behind
                .starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
                && name.len() <= 10;
            let name = HTML.binary_search(&&*name.to_ascii_lowercase()).ok().filter(|_| is_tag);
            let Some(name) = name else { continue };
            let length = behind.find('>')?;
            from += length + 1;
            return Some(Tag {
                name: HTML[name],
                is_end: text[at + 1..].starts_with('/'),
                attributes: &behind[..length],
                range: at..from,
            });
        }
    })
}

/// Whether a text contains a complete tag of an HTML element.
pub(crate) fn has_tags(text: &str) -> bool {
    tags(text).next().is_some()
}

/// Whether a text is HTML source, not a text about HTML such as `The <p> element`: its elements are closed, and one of
/// them shows something.
pub(super) fn is_source(text: &str) -> bool {
    let (mut open, mut shows) = (Vec::<Tag<'_>>::new(), false);
    for tag in tags(text) {
        if VOID.contains(&tag.name) {
            shows |= tag.name == "img" && tag.attributes.to_ascii_lowercase().contains("src");
        } else if !tag.is_end {
            open.push(tag);
        } else {
            let is_left_out = |it: &&Tag<'_>| it.name != tag.name && OPTIONAL.contains(&it.name);
            while open.last().is_some_and(|last| is_left_out(&last)) {
                open.pop();
            }
            let Some(start) = open.pop().filter(|start| start.name == tag.name) else {
                return false;
            };
            shows = shows || !text[start.range.end..tag.range.start].trim().is_empty();
        }
    }
    shows && open.iter().all(|tag| OPTIONAL.contains(&tag.name))
}

/// HTML without the backslashes of a program that escaped its quotes as those of a string.
pub(super) fn without_backslashes(html: &str) -> Cow<'_, str> {
    if memmem::find(html.as_bytes(), b"=\\\"").is_none() {
        return Cow::Borrowed(html);
    }
    let has = |quote: &str| tags(html).any(|tag| tag.attributes.contains(quote));
    if !has("=\\\"") || has("=\"") {
        return Cow::Borrowed(html);
    }
    Cow::Owned(html.replace("\\\"", "\"").replace("\\'", "'").replace("\\/", "/"))
}

/// Whether a text contains links or pictures in HTML.
pub(super) fn has_links(text: &str) -> bool {
    tags(text).any(|tag| matches!(tag.name, "a" | "img") && tag.attributes.contains('='))
}

/// Whether a text is HTML source of whole blocks and nothing else.
pub(super) fn is_source_of_blocks(text: &str) -> bool {
    let text = text.trim();
    let begins = |tag: Tag<'_>| tag.range.start == 0 && BLOCKS.contains(&tag.name);
    text.ends_with('>') && tags(text).next().is_some_and(begins) && is_source(text)
}

/// Whether a text begins with the tag of a block and then, perhaps after other tags, with a word: `<p>One`, but not
/// `<p> or <div>`.
pub(super) fn begins_with_block(text: &str) -> bool {
    let text = text.trim_start();
    let (mut end, mut is_block) = (0, false);
    for tag in tags(text).take_while(|tag| !tag.is_end) {
        if tag.range.start != end {
            break;
        }
        is_block |= end == 0 && BLOCKS.contains(&tag.name);
        end = tag.range.end;
    }
    is_block && text[end..].starts_with(char::is_alphanumeric)
}

/// Beginnings of sections, in lower case: as text, in HTML, and with a space that a template added.
const STARTS: &[&str] = &["<![cdata[", "&lt;![cdata[", "< ![cdata[", "&lt; ![cdata["];
/// Ends of sections.
const ENDS: &[&str] = &["]]>", "]]&gt;"];

/// The text inside the sections around it; `None` if there are none.
pub(super) fn inside_cdata(text: &str) -> Option<&str> {
    let mut inner = text;
    while let Some(next) = after_start(inner) {
        inner = next;
    }
    let is_open = inner.len() < text.len();
    // An end without a start, not that of `a[b[0]]>`.
    let is_closed = || inner.matches(']').count() > inner.matches('[').count();
    if before_end(inner).is_some() && (is_open || is_closed()) {
        while let Some(next) = before_end(inner) {
            inner = next;
        }
    }
    (inner.len() < text.len()).then_some(inner)
}

/// HTML without the delimiters around and inside it.
pub(super) fn without_cdata(html: &str) -> Cow<'_, str> {
    let inner = inside_cdata(html);
    let (html, mut is_open) = (inner.unwrap_or(html), inner.is_some());
    if !may_contain_cdata(html) {
        return Cow::Borrowed(html);
    }
    let (mut all, mut from) = (String::new(), 0);
    for at in memchr2_iter(b'<', b']', html.as_bytes()) {
        let rest = &html[at..];
        let length = match is_open {
            true if rest.starts_with(ENDS[0]) => ENDS[0].len(),
            _ if begins(rest, STARTS[0]) => STARTS[0].len(),
            _ => continue,
        };
        is_open = length == STARTS[0].len();
        all.push_str(&html[from..at]);
        from = at + length;
    }
    all.push_str(&html[from..]);
    Cow::Owned(all)
}

/// Whether a text may contain delimiters.
pub(super) fn may_contain_cdata(text: &str) -> bool {
    let begins = |at: usize| begins(&text[at..], "![cdata[");
    memmem::find(text.as_bytes(), b"]]").is_some() || memchr_iter(b'!', text.as_bytes()).any(begins)
}

fn begins(text: &str, known: &str) -> bool {
    text.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
}

fn after_start(text: &str) -> Option<&str> {
    let text = text.trim_start();
    STARTS.iter().find(|start| begins(text, start)).map(|start| &text[start.len()..])
}

fn before_end(text: &str) -> Option<&str> {
    let text = text.trim_end();
    ENDS.iter().find_map(|end| text.strip_suffix(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_html_elements_are_sorted() {
        assert!(HTML.is_sorted());
    }

    #[test]
    fn html_markup_in_a_title_is_recognised() {
        for title in [
            "a &#8217; b",
            "a &amp; b",
            "<em>new</em>",
            "<math><mi>x</mi></math>",
            "<script>alert(1)</script>",
            "a<br/>b",
            "<h1>head</h1>",
            "<li class='x'>item</li>",
            "<ruby>漢<rt>kan</rt></ruby>",
            "a <!-- b --> c",
            "<i>Hamlet reviewed",
            " <STRONG>1984",
            "<img alt=x src='a.png'/> b",
        ] {
            assert!(looks_like_html(title), "{title}");
        }
    }

    #[test]
    fn a_title_about_markup_is_text() {
        for title in [
            "1 < 2 & 3",
            "AT&T; more",
            "Vec<T>",
            "List<i>s",
            "what the <script> tag does",
            "a <!-- b",
            "<!DOCTYPE html> history",
            "<h1> and <h2>",
            "the <li></li> tags",
            "<b> or <strong>",
            "<b>: the element",
            "the <input type='date'> element",
            "<link rel=preload> tips",
            "new <meta name='theme-color'> tag",
            "<hr> considered",
            "use the <img> tag",
            "</b> stray",
            "<",
        ] {
            assert!(!looks_like_html(title), "{title}");
        }
    }

    #[test]
    fn html_source_is_not_a_text_about_html() {
        for text in [
            "part of <a href='/a'>the project</a> and <b>more</b>",
            "<p>one<p>two</p>",
            "<ul><li>a<li>b</ul>",
            "<IMG SRC=a>",
            "a<br>b <i>c</i>",
            "<table><tr><td>a<td>b</table>",
        ] {
            assert!(is_source(text), "{text}");
        }
        for text in [
            "The <p> element",
            "<b> or <strong>",
            "<p></p>",
            "<b>a</i>",
            "</b>",
            "List<T>",
            "one<br>two",
            "the <div> and </span> tags",
            "1 < 2",
            "<b",
        ] {
            assert!(!is_source(text), "{text}");
        }
        for (text, expected) in [
            (" <p>a</p> b <div>c</div>\n", true),
            ("<p>a</p> is a paragraph", false),
            ("see <p>a</p>", false),
            ("<b>a</b>", false),
        ] {
            assert_eq!(is_source_of_blocks(text), expected, "{text}");
        }
    }

    #[test]
    fn backslashes_before_the_quotes_of_attributes_are_removed() {
        for (html, expected) in [
            (
                r#"<a href=\"https:\/\/e.org\" title=\"it\'s\">x</a>"#,
                r#"<a href="https://e.org" title="it's">x</a>"#,
            ),
            (r#"<p class="a">x=\"y\"</p>"#, r#"<p class="a">x=\"y\"</p>"#),
            (r#"<p>x=\"y\"</p>"#, r#"<p>x=\"y\"</p>"#),
            (r#"<a href="a\b" title=\"x\">"#, r#"<a href="a\b" title=\"x\">"#),
        ] {
            assert_eq!(without_backslashes(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_markup_costs_linear_time() {
        for part in ["<b>", "<", "</b>", "<p> ", "<b ", "<i></i>"] {
            let text = part.repeat(300_000);
            let _ = (is_source(&text), has_tags(&text));
        }
    }

    #[test]
    fn the_delimiters_around_a_text_are_taken_off() {
        for (text, expected) in [
            ("<![CDATA[a]]>", Some("a")),
            (" <![cdata[ a ]]> ", Some(" a ")),
            ("<![CDATA[<![CDATA[a]]>]]>", Some("a")),
            ("&lt;![CDATA[a]]&gt;", Some("a")),
            ("<![CDATA[a", Some("a")),
            ("< ![CDATA[a]]>", Some("a")),
            ("a]]>", Some("a")),
            ("a [b]]]>", Some("a [b]")),
            ("a[b[0]]>", None),
            ("What <![CDATA[ ]]> is", None),
            ("a", None),
            ("", None),
            ("]]>", Some("")),
        ] {
            assert_eq!(inside_cdata(text), expected, "{text}");
        }
    }

    #[test]
    fn html_has_no_delimiters() {
        for (html, expected) in [
            ("<p>a <![CDATA[b & c]]> d</p>", "<p>a b & c d</p>"),
            ("<p>a</p><![CDATA[b c", "<p>a</p>b c"),
            ("<p>a</p>]]>", "<p>a</p>"),
            ("<![CDATA[<p>a</p>]]> <![CDATA[<p>b</p>]]>", "<p>a</p> <p>b</p>"),
            ("<p>a[b[0]]></p>", "<p>a[b[0]]></p>"),
            ("<pre>&lt;![CDATA[a]]&gt;</pre>", "<pre>&lt;![CDATA[a]]&gt;</pre>"),
        ] {
            assert_eq!(without_cdata(html), expected, "{html}");
        }
    }
}
