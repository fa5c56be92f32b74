//! Recognises common HTML that the sanitiser would leave as it is, so that it need not be parsed and written once more.
//!
//! Reads the bytes alone, without knowledge of how they came about. It accepts text, a few elements where no HTML parser moves
//! or closes any by itself, and attributes whose values are obviously harmless. Of everything else the sanitiser decides.

use super::allowlist::harmless_css;

/// Maximum depth of elements.
const MAX_DEPTH: usize = 32;
/// References in text that are written as they were read.
const REFERENCES: &[&str] = &["&amp;", "&lt;", "&gt;", "&nbsp;"];

/// How a parser treats an element (HTML 13.2.6.4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Is left where it is.
    Phrase,
    /// As a phrase, but never inside another link.
    Link,
    /// Ends an open paragraph.
    Block,
    /// As a block, and ends an open heading.
    Heading,
    /// As a block; its items are directly inside it.
    List,
    /// Ends an open paragraph, and an item of the same list.
    ListItem,
    /// As a block; a line break at its start is dropped.
    Preformatted,
    /// Has no content.
    Void,
    /// Has no content, and ends an open paragraph.
    Rule,
}

/// The elements, sorted by name. Each is on the allowlist.
const ELEMENTS: &[(&str, Kind)] = &[
    ("a", Kind::Link),
    ("abbr", Kind::Phrase),
    ("b", Kind::Phrase),
    ("blockquote", Kind::Block),
    ("br", Kind::Void),
    ("cite", Kind::Phrase),
    ("code", Kind::Phrase),
    ("del", Kind::Phrase),
    ("div", Kind::Block),
    ("em", Kind::Phrase),
    ("figcaption", Kind::Block),
    ("figure", Kind::Block),
    ("h1", Kind::Heading),
    ("h2", Kind::Heading),
    ("h3", Kind::Heading),
    ("h4", Kind::Heading),
    ("h5", Kind::Heading),
    ("h6", Kind::Heading),
    ("hr", Kind::Rule),
    ("i", Kind::Phrase),
    ("img", Kind::Void),
    ("ins", Kind::Phrase),
    ("kbd", Kind::Phrase),
    ("li", Kind::ListItem),
    ("mark", Kind::Phrase),
    ("ol", Kind::List),
    ("p", Kind::Block),
    ("pre", Kind::Preformatted),
    ("q", Kind::Phrase),
    ("s", Kind::Phrase),
    ("section", Kind::Block),
    ("small", Kind::Phrase),
    ("span", Kind::Phrase),
    ("strong", Kind::Phrase),
    ("sub", Kind::Phrase),
    ("sup", Kind::Phrase),
    ("u", Kind::Phrase),
    ("ul", Kind::List),
];

/// Whether HTML is common and safe, and the sanitiser would return the same bytes. `false` says nothing about it.
pub(super) fn is_clean(html: &str) -> bool {
    // Parsers change CR and null, and write U+00A0 as a reference.
    let odd = memchr::memchr2(b'\r', b'\0', html.as_bytes()).is_some() || html.contains('\u{a0}');
    !odd && read(html).is_some()
}

fn read(html: &str) -> Option<()> {
    let mut open: Vec<(&str, Kind)> = Vec::with_capacity(MAX_DEPTH);
    let mut rest = html;
    while let Some(at) = memchr::memchr3(b'<', b'&', b'>', rest.as_bytes()) {
        rest = &rest[at..];
        rest = if let Some(tag) = rest.strip_prefix("</") {
            let (name, _) = open.pop()?;
            tag.strip_prefix(name)?.strip_prefix('>')?
        } else if let Some(tag) = rest.strip_prefix('<') {
            start_tag(tag, &mut open)?
        } else {
            REFERENCES.iter().find_map(|reference| rest.strip_prefix(reference))?
        };
    }
    open.is_empty().then_some(())
}

/// Reads a start tag behind its `<`. Returns the rest.
fn start_tag<'h>(tag: &'h str, open: &mut Vec<(&'static str, Kind)>) -> Option<&'h str> {
    let end = tag.bytes().position(|byte| matches!(byte, b' ' | b'>'))?;
    let at = ELEMENTS.binary_search_by_key(&&tag[..end], |(name, _)| name).ok()?;
    let (name, kind) = ELEMENTS[at];
    if open.len() == MAX_DEPTH || !stays_here(kind, open) {
        return None;
    }
    let rest = attributes(name, &tag[end..])?;
    match kind {
        Kind::Void | Kind::Rule => {}
        Kind::Preformatted if rest.starts_with('\n') => return None,
        _ => open.push((name, kind)),
    }
    Some(rest)
}

/// Whether a parser leaves an element inside these open ones, and closes none of them.
fn stays_here(kind: Kind, open: &[(&str, Kind)]) -> bool {
    let top = open.last().map(|(_, kind)| *kind);
    let in_paragraph = || open.iter().any(|(name, _)| *name == "p");
    match kind {
        Kind::Phrase | Kind::Void => true,
        Kind::Link => open.iter().all(|(_, kind)| *kind != Kind::Link),
        Kind::Heading => top != Some(Kind::Heading) && !in_paragraph(),
        Kind::ListItem => top == Some(Kind::List) && !in_paragraph(),
        Kind::Block | Kind::List | Kind::Preformatted | Kind::Rule => !in_paragraph(),
    }
}

/// Reads attributes and the `>` behind them. Returns the rest.
fn attributes<'h>(element: &str, mut rest: &'h str) -> Option<&'h str> {
    let mut names: Vec<&str> = Vec::new();
    loop {
        let Some(attribute) = rest.strip_prefix(' ') else { return rest.strip_prefix('>') };
        let (name, value) = attribute.split_once("=\"")?;
        let (value, behind) = value.split_once('"')?;
        if names.contains(&name) || !is_plain(value) || !is_harmless(element, name, value) {
            return None;
        }
        names.push(name);
        rest = behind;
    }
}

/// Whether a parser reads a value as it is written and writes it so again.
fn is_plain(value: &str) -> bool {
    memchr::memchr2(b'<', b'>', value.as_bytes()).is_none()
        && memchr::memchr_iter(b'&', value.as_bytes()).all(|at| value[at..].starts_with("&amp;"))
}

/// Whether an attribute is allowed on the element, with this value.
fn is_harmless(element: &str, name: &str, value: &str) -> bool {
    match (element, name) {
        ("a", "href") | ("img", "src") | ("blockquote" | "q", "cite") => is_web(value),
        ("img", "srcset") => value.split(", ").all(is_web),
        ("img", "sizes") => harmless_css(value),
        ("img", "width" | "height") => value.bytes().all(|byte| byte.is_ascii_digit()),
        ("img", "alt" | "title") | ("a" | "abbr", "title") => true,
        (_, "lang" | "dir") => value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
        _ => false,
    }
}

/// Whether this is an absolute address on the web whose host is a common name.
fn is_web(url: &str) -> bool {
    let Some(address) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let host = address.split(['/', '?', '#']).next().unwrap_or_default();
    // Not an address of IPv4, nor encoded: these may be invalid.
    let common = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    host.split('.').all(common)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::allowlist::{element, sanitise};
    use super::*;

    #[test]
    fn its_elements_are_sorted_and_on_the_allowlist() {
        assert!(ELEMENTS.is_sorted_by_key(|(name, _)| name));
        for (name, _) in ELEMENTS {
            assert_eq!(element(name).map(|(allowed, _)| allowed), Some(*name));
        }
    }

    #[test]
    fn common_html_is_recognised() {
        for html in [
            "",
            "Text &amp; more &lt;tags&gt;&nbsp;ß",
            "<p>One</p>\n<p><em>Two <a href=\"https://e.org/a?b&amp;c#d\" title=\"T\">x<br></a></em></p>",
            "<h2 lang=\"de-CH\">A</h2><ul><li>a<ul><li>b</li></ul></li><li><p>c</p></li></ul><hr>",
            "<figure><img src=\"http://e.org/a.png\" srcset=\"https://e.org/b.png 2x, https://e.org/c.png 3x\" \
             sizes=\"(max-width: 600px) 100vw, 600px\" alt=\"\" width=\"6\" height=\"4\"></figure>",
            "<blockquote cite=\"https://e.org\"><p>q</p></blockquote><pre><code>a\n</code></pre>",
        ] {
            assert!(is_clean(html), "{html}");
            assert_eq!(sanitise(html), html);
        }
    }

    #[test]
    fn what_a_parser_changes_or_a_browser_runs_is_not() {
        for html in [
            "a < b",
            "a > b",
            "a & b",
            "&copy;",
            "a\r\nb",
            "a\0b",
            "a\u{a0}b",
            "<p>a",
            "a</p>",
            "<p>a<p>b</p></p>",
            "<p><span><div>a</div></span></p>",
            "<h1><h2>a</h2></h1>",
            "<b><i>a</b></i>",
            "<a><b><a>x</a></b></a>",
            "<li>a</li>",
            "<ul><li><b><li>a</li></b></li></ul>",
            "<pre>\na</pre>",
            "<br></br>",
            "<br/>",
            "<P>a</P>",
            "<p >a</p>",
            "<table><tbody><tr><td>a</td></tr></tbody></table>",
            "<!--a-->",
            "<script>alert(1)</script>",
            "<p onclick=\"alert(1)\">a</p>",
            "<p lang=\"a\" lang=\"b\">a</p>",
            "<p id=\"a\">a</p>",
            "<p style=\"color:red\">a</p>",
            "<a href=\"javascript:alert(1)\">a</a>",
            "<a href=\"https://1.2.3.999/\">a</a>",
            "<a href=\"https://u:p@e.org/\">a</a>",
            "<a href=\"https://\">a</a>",
            "<a href=\"/a\">a</a>",
            "<a href='https://e.org/'>a</a>",
            "<a href=https://e.org/>a</a>",
            "<img src=\"https://e.org/a\" onerror=\"alert(1)\">",
            "<img srcset=\"https://e.org/a 1x, data:image/png,x 2x\">",
            "<img sizes=\"url(https://e.org/)\">",
            "<img alt=\"a<b\">",
            "<img alt=\"a&quot;b\">",
        ] {
            assert!(!is_clean(html), "{html}");
        }
    }

    #[test]
    fn it_ends_with_the_greatest_depth() {
        let nested = |depth| format!("{}x{}", "<div>".repeat(depth), "</div>".repeat(depth));
        assert!(is_clean(&nested(MAX_DEPTH)));
        assert!(!is_clean(&nested(MAX_DEPTH + 1)));
    }

    /// Elements inside elements in any order, with attributes of all kinds.
    fn html() -> impl Strategy<Value = String> {
        let text = prop_oneof![
            "[a-z \\n]{0,6}",
            Just("&amp;".to_owned()),
            Just("&lt;".to_owned()),
            Just("<br>".to_owned()),
            Just("<hr>".to_owned()),
        ];
        let names =
            || prop::sample::select(ELEMENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let attribute = prop::sample::select(vec![
            "",
            "",
            " href=\"https://e.org/&amp;x\"",
            " src=\"http://e-1.org?x\"",
            " srcset=\"https://e.org/a 1x\"",
            " cite=\"https://e.org#a\"",
            " title=\"a 'b' &amp;lt;\"",
            " lang=\"en\"",
            " width=\"10\"",
            " sizes=\"50vw\"",
            " open=\"\"",
        ]);
        text.prop_recursive(6, 40, 6, move |inner| {
            (names(), attribute.clone(), prop::collection::vec(inner, 0..6)).prop_map(
                |(name, attribute, inside)| {
                    let inside = inside.concat();
                    match ELEMENTS.iter().find(|(known, _)| *known == name) {
                        Some((_, Kind::Void | Kind::Rule)) => {
                            format!("<{name}{attribute}>{inside}")
                        }
                        _ => format!("<{name}{attribute}>{inside}</{name}>"),
                    }
                },
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_sanitiser_changes_nothing_of_what_is_clean(html in html()) {
            if is_clean(&html) {
                prop_assert_eq!(sanitise(&html), html);
            }
        }

        #[test]
        fn nor_where_a_byte_is_changed(html in html(), at in any::<prop::sample::Index>(), c in "[<>&\"' =/a-z\u{a0}\r]") {
            let places: Vec<usize> = html.char_indices().map(|(place, _)| place).collect();
            if !places.is_empty() {
                let place = places[at.index(places.len())];
                let next = place + html[place..].chars().next().map_or(0, char::len_utf8);
                let changed = format!("{}{c}{}", &html[..place], &html[next..]);
                if is_clean(&changed) {
                    prop_assert_eq!(sanitise(&changed), changed);
                }
            }
        }
    }
}
