//! Delimiters of CDATA sections that are a part of a text, because a publisher escaped them, put one section into
//! another or wrote them in JSON.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr2_iter, memmem};

/// Beginnings of sections, in lower case: as text, in HTML, and with a space that a template added.
const STARTS: &[&str] = &["<![cdata[", "&lt;![cdata[", "< ![cdata[", "&lt; ![cdata["];
/// Ends of sections.
const ENDS: &[&str] = &["]]>", "]]&gt;"];

/// The text inside the sections around it; `None` if there are none.
pub(super) fn inside(text: &str) -> Option<&str> {
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
pub(super) fn without(html: &str) -> Cow<'_, str> {
    let inner = inside(html);
    let (html, mut is_open) = (inner.unwrap_or(html), inner.is_some());
    if !may_contain(html) {
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
pub(super) fn may_contain(text: &str) -> bool {
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
            assert_eq!(inside(text), expected, "{text}");
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
            assert_eq!(without(html), expected, "{html}");
        }
    }
}
