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

/// Whether no byte of it can belong to a character that [`clean`] changes: true for most texts, and
/// cheap. C1 begins with C2, U+FFFD to U+FFFF with EF.
fn is_surely_clean(text: &str) -> bool {
    // Without an early end, so that it compiles to wide instructions.
    let suspect = |byte: u8| {
        (byte < 0x20 && byte != b'\t' && byte != b'\n')
            | (byte == 0x7f)
            | (byte == 0xc2)
            | (byte == 0xef)
    };
    let any = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | suspect(*byte));
    !text.as_bytes().chunks(256).any(any)
}

/// `text` without what [`is_clean`] refuses, line ends as XML 1.0 2.11 has them.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if is_surely_clean(text) || text.chars().all(|c| is_clean(c) && c != '\r') {
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
    line.contains(|c| !is_invisible(c))
        .then(|| without_tags(balance_bidi(line).into()).into_owned())
}

/// The text, where it says anything.
pub(super) fn some(text: &str) -> Option<Cow<'_, str>> {
    let text = clean(text);
    (!text.trim().is_empty()).then_some(text)
}

/// Plain text in which nobody can see a tag or a reference: what looks like one gets a word joiner,
/// which has no width, behind its first character. Many readers take plain text for HTML, some even
/// twice: they would drop `Vec<T>`, show `&lt;` as `<`, or run it.
pub(super) fn without_tags(text: Cow<'_, str>) -> Cow<'_, str> {
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

/// Whether there is anything in it that is written from right to left.
pub(super) fn runs_left(text: &str) -> bool {
    // The first of these characters, U+0590, begins with D6. See [`is_surely_clean`].
    let any = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | (*byte >= 0xd6));
    if !text.as_bytes().chunks(256).any(any) {
        return false;
    }
    text.contains(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{200f}' | '\u{202b}' | '\u{202e}' | '\u{2067}'
            | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}')
    })
}

/// A name and a title that are to stand in one line: each for itself (FSI … PDI, UAX 9 2.4), unless
/// both run from left to right anyway.
pub(super) fn isolated<'t>(name: &'t str, title: &'t str) -> (Cow<'t, str>, Cow<'t, str>) {
    if !runs_left(name) && !runs_left(title) {
        return (Cow::Borrowed(name), Cow::Borrowed(title));
    }
    let isolate = |text: &str| Cow::Owned(format!("\u{2068}{text}\u{2069}"));
    (isolate(name), isolate(title))
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

/// The beginning of a text in one line of so many characters, cut between two words.
pub(super) fn beginning(text: &str, length: usize) -> Option<String> {
    // White space runs are rare: enough for one line.
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
    fn nobody_can_take_a_plain_text_for_html() {
        let plain = |text: &'static str| without_tags(Cow::Borrowed(text)).replace('\u{2060}', "·");
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
            assert!(matches!(without_tags(Cow::Borrowed(text)), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(line("<b>").as_deref(), Some("<\u{2060}b>"));
        assert_eq!(line(&line("<b>").unwrap()).as_deref(), Some("<\u{2060}b>"), "and only once");
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
