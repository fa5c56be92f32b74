//! Plain text: for one line, cut to a length, and free of what XML cannot carry.
//!
//! The HTML here is what `normalise` made: well-formed, without scripts or comments. Making HTML
//! safe is its business, not ours.

use std::borrow::Cow;

pub(super) use crate::model::plain::of_html;

/// The longest title made from an item's text, in characters, the ellipsis included.
const TITLE_LENGTH: usize = 80;

/// Whether a character may stand in an outbound document.
///
/// XML 1.0 2.2 forbids most of C0, the surrogates and U+FFFE, U+FFFF. C1 and U+FFFD are legal,
/// but they are only ever the remains of a wrong decoding, and validators warn of them.
pub(super) fn is_clean(c: char) -> bool {
    !matches!(c,
        '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffd}'..='\u{ffff}')
}

/// `text` without what [`is_clean`] refuses, line ends as XML 1.0 2.11 has them.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| is_clean(c) && c != '\r') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => kept.push('\n'),
            c if is_clean(c) => kept.push(c),
            _ => {}
        }
    }
    Cow::Owned(kept)
}

/// One clean line: white space collapsed, bidi embeddings and isolates balanced. `None` where it
/// would show nothing.
pub(super) fn line(text: &str) -> Option<String> {
    let text = clean(text);
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.contains(|c| !is_invisible(c)).then(|| balance_bidi(line))
}

/// White space, zero-width characters and marks of direction.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Closes what a title opened, so that it cannot turn round the text that a reader shows beside it.
fn balance_bidi(line: String) -> String {
    if !line.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        return line;
    }
    let mut balanced = String::with_capacity(line.len() + 8);
    let mut open = Vec::new();
    for c in line.chars() {
        match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push('\u{202c}'),
            '\u{2066}'..='\u{2068}' => open.push('\u{2069}'),
            '\u{202c}' | '\u{2069}' if open.last() != Some(&c) => continue,
            '\u{202c}' | '\u{2069}' => drop(open.pop()),
            _ => {}
        }
        balanced.push(c);
    }
    balanced.extend(open.into_iter().rev());
    balanced
}

/// A title made of a text: its beginning, cut between two words.
pub(super) fn title_of(text: &str) -> Option<String> {
    beginning(text, TITLE_LENGTH)
}

/// At most so many characters of a text as one line, the ellipsis included, cut between two words.
pub(super) fn beginning(text: &str, length: usize) -> Option<String> {
    // A character is at most four bytes and white space runs are rare: enough for one title.
    let beginning: String = text.trim_start().chars().take(length * 8).collect();
    let line = line(&beginning)?;
    let Some((limit, _)) = line.char_indices().nth(length) else { return Some(line) };
    // One character less, to make room for the ellipsis.
    let limit = line[..limit].char_indices().next_back().map_or(limit, |(at, _)| at);
    let head = &line[..limit];
    // A very long word, or a script without spaces, is cut where it stands.
    let cut = head.rfind(' ').filter(|at| *at * 2 > head.len()).map_or(head, |at| &head[..at]);
    let cut = cut.trim_end_matches(|c: char| c.is_whitespace() || ",;:-–—".contains(c));
    Some(balance_bidi(format!("{cut}…")))
}

/// A plain text as an HTML fragment.
pub(super) fn to_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_is_dropped_and_nothing_else() {
        assert_eq!(clean("a\0\x07\x1b\u{85}\u{fffd}\u{ffff}b"), "ab");
        assert_eq!(clean("a\r\nb\rc\td"), "a\nb\nc\td");
        assert!(matches!(clean("plain 🦊 שלום\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_title_cannot_turn_round_what_stands_beside_it() {
        assert_eq!(line("a \u{202e}b").as_deref(), Some("a \u{202e}b\u{202c}"));
        assert_eq!(
            line("\u{2067}x\u{202b}y").as_deref(),
            Some("\u{2067}x\u{202b}y\u{202c}\u{2069}")
        );
        assert_eq!(line("x\u{202c}\u{2069}y").as_deref(), Some("xy"), "nothing was open");
        assert_eq!(line("\u{2067}x\u{2069} y").as_deref(), Some("\u{2067}x\u{2069} y"));
    }

    #[test]
    fn a_line_is_one_line_or_nothing() {
        assert_eq!(line(" a\n\tb\u{a0} c ").as_deref(), Some("a b c"));
        assert_eq!(line(" \u{0}\n"), None);
        assert_eq!(line("\u{202c}\u{200b} \u{feff}"), None, "it would show nothing");
    }

    #[test]
    fn a_made_title_ends_between_words_and_fits() {
        let text = "Just shipped the new build. It is twice as fast and half the size, which is nice, is it not?";
        let title = title_of(text).unwrap();
        assert_eq!(
            title,
            "Just shipped the new build. It is twice as fast and half the size, which is…"
        );
        let word = title_of(&"ä".repeat(200)).unwrap();
        assert_eq!(word.chars().count(), TITLE_LENGTH);
        assert_eq!(title_of(&"a".repeat(80)).unwrap(), "a".repeat(80), "what fits is not cut");
        assert_eq!(title_of("  "), None);
    }
}
