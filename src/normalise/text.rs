//! Text that any outbound format can carry: no forbidden characters, one line, bounded, bidi closed.
//!
//! Leaves HTML to `plain` (to read it) and `html` (to keep it).

use std::borrow::Cow;

/// How many characters of a title are kept.
pub(super) const TITLE: usize = 500;
/// How many characters of a summary are kept.
pub(super) const SUMMARY: usize = 1_000;
/// How many characters of a name, a category or a file's title are kept.
pub(super) const NAME: usize = 200;

/// Deeper nests of direction marks are noise; Unicode allows 125.
const MAX_BIDI_DEPTH: usize = 16;

/// What becomes of a character on its way into a document.
fn mapped(c: char) -> Option<char> {
    match c {
        '\t' | '\n' => Some(c),
        // XML 1.0 2.11, and NEL which XML 1.1 treats alike.
        '\r' | '\u{85}' => Some('\n'),
        '\u{b}' | '\u{c}' => Some(' '),
        // XML 1.0 2.2; C1 and U+FFFD are legal, but validators warn of them and nobody can read them.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => None,
        '\u{feff}' | '\u{fffd}' => None,
        _ if u32::from(c) & 0xfffe == 0xfffe => None,
        _ => Some(c),
    }
}

/// ASCII without controls, of which nothing changes on its way. Looks at 16 bytes at once.
fn is_plain(text: &str) -> bool {
    let plain = |all: bool, byte: &u8| all & matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    let (blocks, rest) = text.as_bytes().as_chunks::<16>();
    blocks.iter().all(|block| block.iter().fold(true, plain)) && rest.iter().fold(true, plain)
}

/// The text without what XML cannot carry; line ends are LF.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) || text.chars().all(|c| mapped(c) == Some(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").chars().filter_map(mapped).collect())
}

/// Nothing in it that a reader would see.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

/// White, without width, or not carried at all.
pub(super) fn is_unseen(c: char) -> bool {
    let no_width = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}');
    no_width || c.is_whitespace() || mapped(c).is_none()
}

/// One clean line of at most `max` characters, directions closed; `None` where nothing can be seen.
pub(super) fn line(text: &str, max: usize) -> Option<String> {
    if is_blank(text) {
        return None;
    }
    let whole = close_directions(one_line(text));
    match cut(&whole, max) {
        Some(cut) => Some(cut.replace(is_direction, "")),
        None => Some(whole),
    }
}

/// Whitespace collapsed and trimmed; a no-break space that stands alone is typography and stays.
pub(super) fn one_line(text: &str) -> String {
    let glue = |c| matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}');
    let text = clean(text);
    let mut line = String::with_capacity(text.len());
    if text.is_ascii() {
        for word in text.split_ascii_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        return line;
    }
    for word in text.split(|c: char| c.is_whitespace() && !glue(c)) {
        let word = word.trim();
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

/// The first `max` characters of a longer text: an ellipsis last, behind a whole word where one is near.
fn cut(text: &str, max: usize) -> Option<String> {
    if text.len() <= max {
        return None;
    }
    let (mut end, _) = text.char_indices().nth(max)?;
    while let Some(last) = text[..end].chars().next_back() {
        // One character goes for the ellipsis, and no sign is parted from its accents.
        end -= last.len_utf8();
        if !joins(text[end..].chars().next())
            && !matches!(text[..end].chars().next_back(), Some('\u{200d}'))
        {
            break;
        }
    }
    let kept = &text[..end];
    let word = kept.rfind(char::is_whitespace).filter(|at| *at > end - end / 5).unwrap_or(end);
    Some(format!("{}…", kept[..word].trim_end()))
}

/// Belongs to the character before it.
fn joins(c: Option<char>) -> bool {
    matches!(
        c,
        Some(
            '\u{300}'..='\u{36f}'
            | '\u{591}'..='\u{5bd}'
            | '\u{64b}'..='\u{65f}'
            | '\u{93c}'..='\u{94d}'
            | '\u{200d}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{1f3fb}'..='\u{1f3ff}'
            | '\u{e0100}'..='\u{e01ef}',
        )
    )
}

/// Opens or closes a direction.
pub(super) fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Every direction that the text opens is closed in it, so that it cannot turn what stands behind it.
///
/// UAX 9, 2.1 to 2.5: embeddings and overrides end with PDF, isolates with PDI.
fn close_directions(text: String) -> String {
    const PDF: char = '\u{202c}';
    const PDI: char = '\u{2069}';
    if text.is_ascii() || !text.contains(is_direction) {
        return text;
    }
    let mut open: Vec<char> = Vec::new();
    let mut closed = String::with_capacity(text.len());
    for c in text.chars() {
        let keep = match c {
            PDF => open.pop_if(|closer| *closer == PDF).is_some(),
            PDI => open.iter().rposition(|closer| *closer == PDI).is_some_and(|at| {
                open.truncate(at);
                true
            }),
            _ if !is_direction(c) => true,
            _ if open.len() >= MAX_BIDI_DEPTH => false,
            _ => {
                open.push(if c < PDI && c >= '\u{2066}' { PDI } else { PDF });
                true
            }
        };
        if keep {
            closed.push(c);
        }
    }
    closed.extend(open.into_iter().rev());
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_carry_are_gone() {
        assert_eq!(clean("a\0b\u{7}c\u{9f}d\u{fffe}e\u{ffff}f\u{fffd}g\u{1fffe}h"), "abcdefgh");
        assert_eq!(clean("a\r\nb\rc\u{85}d\te"), "a\nb\nc\nd\te");
        assert!(matches!(clean("größer 😀"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_line_has_no_breaks_and_no_double_spaces() {
        assert_eq!(line(" a\n\n b\t c\u{2028}d ", 99).as_deref(), Some("a b c d"));
        assert_eq!(line("Oui\u{a0}! ", 99).as_deref(), Some("Oui\u{a0}!"));
        for blank in ["", " \n", "\u{a0}", "\u{200b}\u{200d}", "\u{7}"] {
            assert_eq!(line(blank, 99), None, "{blank:?}");
        }
    }

    #[test]
    fn a_long_line_ends_in_an_ellipsis_at_a_word() {
        assert_eq!(
            line("one two three four five six", 25).as_deref(),
            Some("one two three four five…")
        );
        assert_eq!(line(&"x".repeat(30), 10).as_deref(), Some("xxxxxxxxx…"));
        assert_eq!(line(&"x".repeat(10), 10).as_deref(), Some(&*"x".repeat(10)));
    }

    #[test]
    fn a_cut_never_parts_a_sign_from_its_accent_or_joiner() {
        let family = "👨\u{200d}👩\u{200d}👧".repeat(9);
        for max in 2..40 {
            let cut = line(&family, max).unwrap();
            assert!(cut.chars().count() <= max, "{max}");
            assert!(!cut.trim_end_matches('…').ends_with('\u{200d}'), "{max}");
        }
        assert_eq!(line("abcde\u{301}fg", 6).as_deref(), Some("abcd…"));
    }

    #[test]
    fn directions_are_closed_and_stray_ends_removed() {
        assert_eq!(line("a\u{202e}b", 9).as_deref(), Some("a\u{202e}b\u{202c}"));
        assert_eq!(
            line("\u{2067}a\u{202b}b", 9).as_deref(),
            Some("\u{2067}a\u{202b}b\u{202c}\u{2069}")
        );
        assert_eq!(line("a\u{2069}b\u{202c}", 9).as_deref(), Some("ab"));
        assert_eq!(
            line("\u{2066}a\u{202a}b\u{2069}c", 9).as_deref(),
            Some("\u{2066}a\u{202a}b\u{2069}c")
        );
    }
}
