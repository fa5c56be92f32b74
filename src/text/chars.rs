//! Characters that XML, feed readers and names of hosts accept.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::GraphemeCursor;

use super::bidi;

/// Whether XML 1.0 (2.2, `Char`) allows the character.
#[must_use]
pub fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Windows-1252 from 0x80 to 0x9F.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// The character that a C1 control was meant as (HTML 13.2.5.80); `None` if it is undefined.
fn of_c1(c: char) -> Option<char> {
    let meant = WINDOWS_1252.chars().nth(usize::try_from(u32::from(c)).ok()?.checked_sub(0x80)?)?;
    (meant != c).then_some(meant)
}

/// The text with C1 controls as Windows-1252: what parsers that know only XML make of `&#146;`.
#[must_use]
pub fn without_c1(text: &str) -> Cow<'_, str> {
    let is_c1 = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    // In UTF-8, C1 begins with C2.
    if memchr::memchr(0xc2, text.as_bytes()).is_none() || !text.contains(is_c1) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_c1(c) { of_c1(c).unwrap_or(c) } else { c }).collect()
}

/// The character as outbound documents carry it; `None` if they do not.
fn replacement(c: char) -> Option<char> {
    match c {
        '\t' | '\n' => Some(c),
        // XML 1.0 2.11, and NEL, which XML 1.1 treats alike.
        '\r' | '\u{85}' => Some('\n'),
        '\u{b}' | '\u{c}' => Some(' '),
        // U+FFFD and the noncharacters are legal XML, but they are remains of a wrong decoding and validators
        // warn of them. C1 was meant as Windows-1252.
        '\u{80}'..='\u{9f}' => of_c1(c),
        '\0'..='\u{1f}' | '\u{7f}' | '\u{fdd0}'..='\u{fdef}' => None,
        '\u{feff}' | '\u{fffd}' => None,
        _ if u32::from(c) & 0xfffe == 0xfffe => None,
        _ => Some(c),
    }
}

/// Whether [`clean`] keeps the character as it is.
#[must_use]
pub fn is_clean(c: char) -> bool {
    replacement(c) == Some(c)
}

/// The text without characters that outbound documents cannot carry; line ends are LF.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if has_no_suspect_byte(text) || text.chars().all(is_clean) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        cleaned.extend(replacement(c));
    }
    Cow::Owned(cleaned)
}

/// Whether no byte of the text can belong to a character that [`clean`] changes.
///
/// True for most texts, and cheap. In UTF-8, C1 begins with C2, U+FDD0 to U+FFFF with EF, and the
/// noncharacters of the other planes with F0 or more.
fn has_no_suspect_byte(text: &str) -> bool {
    let is_suspect = |byte: u8| {
        (byte < 0x20 && byte != b'\t' && byte != b'\n')
            | (byte == 0x7f)
            | (byte == 0xc2)
            | (byte >= 0xef)
    };
    // Without an early end, so that it compiles to wide instructions.
    let any = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | is_suspect(*byte));
    !text.as_bytes().chunks(256).any(any)
}

/// Whether the character leaves no mark: white space, zero width, text direction, or not carried.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || replacement(c).is_none()
}

/// The digits zero of the scripts with their own, each followed by the other nine.
const ZEROS: &[char] = &[
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}',
    '\u{1040}', '\u{1090}', '\u{17e0}', '\u{1810}',
];

/// The ASCII form of a digit of another script; `None` for every other character.
#[must_use]
pub fn ascii_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let zero = *ZEROS.iter().rev().find(|zero| **zero <= c)?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

/// The text as it is seen, for comparison with what an operator typed: composed characters (NFC), one space for each run
/// of white space, none at the ends, and no character that leaves no mark, such as a soft hyphen. Joiners stay, because
/// they change the letters beside them.
#[must_use]
pub fn as_seen(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_plain && text.trim() == text && !text.contains("  ") {
        return Cow::Borrowed(text);
    }
    let is_joiner = |c: char| matches!(c, '\u{200c}' | '\u{200d}');
    let is_kept = |c: &char| c.is_whitespace() || is_joiner(*c) || !is_invisible(*c);
    let mut seen = String::with_capacity(text.len());
    let mut is_apart = false;
    for c in text.chars().filter(is_kept).nfc() {
        if c.is_whitespace() {
            is_apart = true;
            continue;
        }
        if is_apart && !seen.is_empty() {
            seen.push(' ');
        }
        is_apart = false;
        seen.push(c);
    }
    Cow::Owned(seen)
}

/// A regular expression for texts [`as_seen`]: composed characters, and spaces of other widths as ordinary ones.
#[must_use]
pub fn pattern_as_seen(pattern: &str) -> String {
    let mut seen = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        let (escape, behind) = escaped.split_at(escape_length(escaped));
        // A mark behind an escape does not compose with its letter.
        seen.extend(before.nfc().map(plain_space));
        seen.extend(escape.chars().map(plain_space));
        rest = behind;
    }
    seen.extend(rest.nfc().map(plain_space));
    seen
}

/// Length in bytes of the escape of a regular expression at the beginning of a text, without what is in braces.
fn escape_length(text: &str) -> usize {
    let letters = match text[1..].chars().next() {
        Some('x' | 'u' | 'U' | 'p' | 'P') if text[2..].starts_with('{') => 1,
        Some('p' | 'P') => 2,
        Some('x') => 3,
        Some('u') => 5,
        Some('U') => 9,
        _ => 1,
    };
    text.char_indices().nth(1 + letters).map_or(text.len(), |(end, _)| end)
}

fn plain_space(c: char) -> char {
    if c.is_whitespace() && !c.is_ascii() { ' ' } else { c }
}

/// The last place at or before `at`, an offset in bytes between two characters, where the text can be cut without parting
/// what readers see as one character (UAX 29). Where only the beginning would do, the place itself, or that before a joiner.
#[must_use]
pub fn boundary_before(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    let whole = match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
    };
    if whole > 0 { whole } else { text[..at].trim_end_matches('\u{200d}').len() }
}

/// Longest text of a server in a message, in characters.
pub const MAX_SHOWN: usize = 300;

/// The text as a message contains it: cut after 300 characters.
#[must_use]
pub fn shortened(text: &str) -> Cow<'_, str> {
    cut(text, MAX_SHOWN)
}

/// The text of a server as one line for a terminal: without control characters and changes of the text direction, cut
/// after `max` characters.
#[must_use]
pub fn line(text: &str, max: usize) -> String {
    let is_control = |c: char| bidi::is_control(c) || bidi::is_mark(c);
    let text: String = text.chars().filter(|c| !is_control(*c)).take(4 * max).collect();
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    cut(&line, max).into_owned()
}

/// The text, or its first `max` characters and a mark.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..boundary_before(text, end)])),
        None => Cow::Borrowed(text),
    }
}

/// Longest label of a host name, and longest host name, in bytes (RFC 1035 2.3.4).
const MAX_LABEL: usize = 63;
const MAX_NAME: usize = 253;

/// Whether each label of a host name has a letter or a digit, and no character that no name has, and none is too long.
/// `url` accepts more.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        label.len() <= MAX_LABEL
            && label.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_carry_are_dropped() {
        assert_eq!(clean("a\0b\u{7}c\u{81}d\u{fffe}e\u{ffff}f\u{fffd}g\u{1fffe}h"), "abcdefgh");
        assert_eq!(clean("a\r\nb\rc\u{85}d\te"), "a\nb\nc\nd\te");
        assert_eq!(clean("\r\r\n\n"), "\n\n\n");
    }

    #[test]
    fn a_host_name_has_labels_that_are_neither_empty_nor_too_long() {
        let long = format!("{}.example", "a".repeat(64));
        for name in ["my_blog.example", "-foo.example", "foo-.example.", "_x.example", &long[1..]] {
            assert!(is_host_name(name), "{name}");
        }
        let endless = "abc.".repeat(70);
        for name in ["a..b", ".a", "", "-.example", "a b.example", &long, &endless] {
            assert!(!is_host_name(name), "{name}");
        }
    }

    #[test]
    fn a_line_of_a_server_is_short_and_cannot_change_the_terminal() {
        assert_eq!(line(" a\u{1b}[31m\n\u{202e}b\u{200f} \u{2068}c ", 100), "a [31m b c");
        let long = line(&"é".repeat(100_000), MAX_SHOWN);
        assert_eq!((long.chars().count(), long.chars().last()), (MAX_SHOWN + 1, Some('…')));
        assert_eq!(line(&" ".repeat(100_000), 10), "");
    }

    #[test]
    fn c1_controls_are_windows_1252() {
        assert_eq!(clean("don\u{92}t \u{80}5\u{96}6"), "don’t €5–6");
        assert_eq!(without_c1("a\u{85}\u{81}é"), "a…\u{81}é");
        assert!(matches!(without_c1("aé"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let family = "👨\u{200d}👩\u{200d}👧";
        let text = format!("a{family}{family}");
        let places: Vec<usize> =
            text.char_indices().map(|(at, _)| boundary_before(&text, at)).collect();
        assert_eq!(places, [0, 1, 1, 1, 1, 1, 19, 19, 19, 19, 19]);
        assert_eq!(boundary_before(family, 7), 4, "it is one character");
        assert_eq!((boundary_before("ab", 2), boundary_before("", 0)), (2, 0));
    }

    #[test]
    fn a_text_is_seen_on_one_line_with_composed_characters() {
        for (text, seen) in [
            ("plain text", "plain text"),
            ("  two\n\tlines ", "two lines"),
            ("10\u{a0}%\u{2003}off", "10 % off"),
            ("gar\u{ad}bage\u{200b}\u{feff}", "garbage"),
            ("e\u{ad}\u{301}", "é"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("\u{a0}\u{200b}", ""),
        ] {
            assert_eq!(as_seen(text), seen, "{text:?}");
        }
        assert!(matches!(as_seen("plain text"), Cow::Borrowed(_)));
        assert_eq!(pattern_as_seen("^Cafe\u{301}\u{a0}|\n "), "^Café |\n ");
        assert_eq!(pattern_as_seen("\\bcafe\u{301}\\x{e9}e\u{301}"), "\\bcafé\\x{e9}é");
        for escape in
            ["\\w\u{301}", "\\d\u{301}", "\\pL\u{301}", "\\x4E\u{301}", "\\u004E\u{301}", "\\"]
        {
            assert_eq!(pattern_as_seen(escape), escape);
        }
    }

    #[test]
    fn clean_text_is_borrowed() {
        for text in ["plain\n", "größer 😀", "שלום", "\u{a0}x"] {
            assert!(matches!(clean(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn every_clean_character_is_legal_in_xml() {
        for c in '\0'..=char::MAX {
            assert!(is_xml(c) || !is_clean(c), "{c:?}");
            assert!(clean(c.encode_utf8(&mut [0; 4])).chars().all(is_clean), "{c:?}");
        }
    }
}
