//! Text of an operator or a publisher in messages.

use std::borrow::Cow;

/// The text in quotes, on one line. What could end the line, control a terminal or change the order of the text, quotes
/// and what cannot be seen are escaped as `{:?}` does it: `\n`, `\"`, `\u{202e}`. Marks on letters are not, nor are joiners
/// behind letters outside ASCII and emoji.
#[must_use]
pub fn in_quotes(text: impl AsRef<str>) -> String {
    with_marks(&format!("{:?}", text.as_ref())).into_owned()
}

/// What `{:?}` wrote, with the vowels and accents of letters, which it escapes.
#[must_use]
pub fn with_marks(debug: &str) -> Cow<'_, str> {
    if !debug.contains("\\u{") {
        return Cow::Borrowed(debug);
    }
    let (mut text, mut rest) = (String::with_capacity(debug.len()), debug);
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match mark(&text, rest) {
            Some((mark, length)) => {
                text.push(mark);
                length
            }
            None => {
                // With the escaped character, which may be another backslash.
                let length: usize = rest.chars().take(2).map(char::len_utf8).sum();
                text.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The mark whose escape is at the start of the text, and the length of the escape in bytes. `before` is before it.
fn mark(before: &str, text: &str) -> Option<(char, usize)> {
    let (number, after) = text.strip_prefix("\\u{")?.split_once('}')?;
    let c = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
    // After a letter, `str::escape_debug` leaves marks (Grapheme_Extend) as they are.
    let is_mark = || String::from_iter(['a', c]).escape_debug().nth(1) == Some(c);
    let last = before.chars().next_back().filter(|last| !last.is_ascii());
    let is_shown = match c {
        // They change the form of letters and emoji on both sides.
        '\u{200c}' | '\u{200d}' => last.is_some() && after.starts_with(|c: char| !c.is_ascii()),
        '\u{fe0f}' => last.is_some_and(|last| !last.is_alphanumeric()),
        // They change nothing that can be seen.
        '\u{34f}' | '\u{fe00}'..='\u{fe0e}' | '\u{e0100}'..='\u{e01ef}' => false,
        _ => is_mark(),
    };
    is_shown.then_some((c, "\\u{}".len() + number.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_on_letters_are_shown_and_the_rest_is_escaped() {
        for text in [
            "ที่นี่ไม่มี",
            "مساءً",
            "दिल्ली",
            "שָׁלוֹם",
            "e\u{301}",
            "می\u{200c}خواهم",
            "👩\u{200d}🔬",
            "👩\u{200d}❤\u{fe0f}\u{200d}👨",
            "क\u{94d}\u{200d}ष",
            "क्\u{200d}ष",
            "❤\u{fe0f}",
            "it's",
        ] {
            assert_eq!(in_quotes(text), format!("\"{text}\""));
        }
        for (text, escaped) in [
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\n\u{1b}[0m\u{85}", r#""a\n\u{1b}[0m\u{85}""#),
            ("\u{202e}a\u{200f}\u{2028}\u{2066}", r#""\u{202e}a\u{200f}\u{2028}\u{2066}""#),
            (r"\u{301} \\u{301}", r#""\\u{301} \\\\u{301}""#),
            ("a\u{200d}b\u{34f}c\u{fe0f}", r#""a\u{200d}b\u{34f}c\u{fe0f}""#),
            ("\u{200b}\u{feff}", r#""\u{200b}\u{feff}""#),
            ("news\u{200d}", r#""news\u{200d}""#),
            ("\u{200c}می\u{200d}", r#""\u{200c}می\u{200d}""#),
        ] {
            assert_eq!(in_quotes(text), escaped);
        }
    }
}
