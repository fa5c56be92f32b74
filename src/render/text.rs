//! Plain text for documents: single lines, titles and summaries cut to a length.

use std::borrow::Cow;

use crate::text::bidi::balanced;
use crate::text::chars::{clean, is_invisible};

/// The longest title made from an item's text, in characters, the ellipsis included.
const TITLE_LENGTH: usize = 80;

/// One clean line: white space collapsed, text direction balanced. `None` if nothing would be visible.
pub(super) fn line(text: &str) -> Option<String> {
    let text = clean(text);
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.contains(|c| !is_invisible(c)).then(|| without_markup(balanced(line).into()).into_owned())
}

/// The text, clean; `None` if it is blank.
pub(super) fn non_blank(text: &str) -> Option<Cow<'_, str>> {
    let text = clean(text);
    (!text.trim().is_empty()).then_some(text)
}

/// Plain text that stays the same when a feed reader parses it as HTML.
///
/// Many readers do so, some even twice: they drop `Vec<T>`, show `&lt;` as `<`, or run a script. A word
/// joiner, which has no width, follows the first character of everything that looks like a tag or a
/// reference.
pub(super) fn without_markup(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_html = |(at, first): &(usize, &str)| {
        let rest = &text[at + 1..];
        if *first == "<" {
            // HTML, 13.2.5.6: in front of anything else a `<` is text.
            return rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        }
        let name = rest.split(';').next().unwrap_or_default();
        // The shortest names are `gt` and `lt`, the shortest number is one digit.
        let complete = name.len() < rest.len() && (2..=32).contains(&name.len());
        let number = name.strip_prefix('#').unwrap_or(name);
        complete && number.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let mut found = text.match_indices(['<', '&']).filter(is_html).peekable();
    if found.peek().is_none() {
        drop(found);
        return text;
    }
    let (mut plain, mut done) = (String::with_capacity(text.len() + 12), 0);
    for (at, _) in found {
        plain.push_str(&text[done..=at]);
        plain.push('\u{2060}');
        done = at + 1;
    }
    plain.push_str(&text[done..]);
    Cow::Owned(plain)
}

/// A title made from the beginning of a text, cut between two words.
pub(super) fn title_of(text: &str) -> Option<String> {
    beginning(text, TITLE_LENGTH)
}

/// The beginning of a text as one line of at most `length` characters, cut between two words.
pub(super) fn beginning(text: &str, length: usize) -> Option<String> {
    // White space runs are rare: enough for one line.
    let beginning: String = text.trim_start().chars().take(length * 8).collect();
    let line = line(&beginning)?;
    let Some((limit, _)) = line.char_indices().nth(length) else { return Some(line) };
    // One character less, to make room for the ellipsis.
    let limit = line[..limit].char_indices().next_back().map_or(limit, |(at, _)| at);
    let head = &line[..limit];
    // A very long word, or a script without spaces, is cut anywhere.
    let cut = head.rfind(' ').filter(|at| *at * 2 > head.len()).map_or(head, |at| &head[..at]);
    let cut = cut.trim_end_matches(|c: char| c.is_whitespace() || ",;:-–—".contains(c));
    Some(balanced(format!("{cut}…")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_survives_readers_that_parse_it_as_html() {
        let plain =
            |text: &'static str| without_markup(Cow::Borrowed(text)).replace('\u{2060}', "·");
        assert_eq!(plain("Vec<T>, a < b, <3 & </p>"), "Vec<·T>, a < b, <3 & <·/p>");
        assert_eq!(
            plain("<img src=x onerror=alert(1)><!-- <"),
            "<·img src=x onerror=alert(1)><·!-- <"
        );
        assert_eq!(
            plain("&lt;b&gt; &#60; &#x3c; &amp;lt;"),
            "&·lt;b&·gt; &·#60; &·#x3c; &·amp;lt;"
        );
        for text in ["1 < 2", "AT&T; Q&A", "R&D & so on;", "&;", "&#;", "&&"] {
            assert!(matches!(without_markup(Cow::Borrowed(text)), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(line("<b>").as_deref(), Some("<\u{2060}b>"));
        assert_eq!(line(&line("<b>").unwrap()).as_deref(), Some("<\u{2060}b>"), "and only once");
    }

    #[test]
    fn a_line_has_visible_text_and_no_line_breaks() {
        assert_eq!(line(" a\n\tb\u{a0} c ").as_deref(), Some("a b c"));
        assert_eq!(line(" \u{0}\n"), None);
        assert_eq!(line("\u{202c}\u{200b} \u{feff}"), None, "nothing would be visible");
    }

    #[test]
    fn a_title_made_from_text_ends_between_words() {
        let text = "Just shipped the new build. It is twice as fast and half the size, which is nice, is it not?";
        let title = title_of(text).unwrap();
        assert_eq!(
            title,
            "Just shipped the new build. It is twice as fast and half the size, which is…"
        );
        let word = title_of(&"ä".repeat(200)).unwrap();
        assert_eq!(word.chars().count(), TITLE_LENGTH);
        assert_eq!(title_of(&"a".repeat(80)).unwrap(), "a".repeat(80), "short enough");
        assert_eq!(title_of("  "), None);
    }
}
