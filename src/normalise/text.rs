//! Titles, names and summaries as one line of bounded length that any outbound format can carry.

use crate::text::bidi::{self, balanced};
use crate::text::chars::{clean, is_invisible};

/// How many characters of a title are kept.
pub(super) const TITLE: usize = 500;
/// How many characters of a summary are kept.
pub(super) const SUMMARY: usize = 1_000;
/// How many characters of a name, a category or a file's title are kept.
pub(super) const NAME: usize = 200;

/// Nothing in it that a reader would see.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// One clean line of at most `max` characters, directions closed; `None` where nothing can be seen.
pub(super) fn line(text: &str, max: usize) -> Option<String> {
    if is_blank(text) {
        return None;
    }
    let whole = balanced(one_line(text));
    match cut(&whole, max) {
        Some(cut) => Some(cut.replace(bidi::is_control, "")),
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
