//! Bytes to text: byte order mark, HTTP charset, declaration, detection. Never fails.
//!
//! What comes out is UTF-8 without a declaration and without anything before the first element,
//! whatever came in. Leaves well-formedness to `scan`.

use std::borrow::Cow;

use encoding_rs::{UTF_8, WINDOWS_1252};

use super::charset::{FoundBy, encoding};
use crate::model::ParseWarning;

/// A document as text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The document from its first markup on.
    pub(crate) text: Cow<'a, str>,
    /// The name of its encoding.
    pub(crate) charset: &'static str,
    /// How that was found.
    pub(crate) found_by: FoundBy,
    /// What had to be mended.
    pub(crate) parse_warnings: Vec<ParseWarning>,
}

/// Decodes a document.
pub(crate) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let mut parse_warnings = Vec::new();
    let (text, charset, found_by) = text(bytes, content_type, &mut parse_warnings);
    let text = undoubled(text, &mut parse_warnings);
    Decoded {
        text: from_first_markup(text, &mut parse_warnings),
        charset,
        found_by,
        parse_warnings,
    }
}

fn text<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    parse_warnings: &mut Vec<ParseWarning>,
) -> (Cow<'a, str>, &'static str, FoundBy) {
    if let Some(text) = utf_32(bytes) {
        return (Cow::Owned(text), "UTF-32", FoundBy::Bytes);
    }
    let utf_8 = std::str::from_utf8(bytes).ok();
    if utf_8.is_none()
        && let Some(text) = mixed(bytes)
    {
        let message = "UTF-8 with Windows-1252 in between".to_owned();
        parse_warnings.push(ParseWarning::new("mixed_charset", None, message));
        return (Cow::Owned(text), UTF_8.name(), FoundBy::Bytes);
    }
    let (encoding, found_by) = encoding(bytes, utf_8, content_type, parse_warnings);
    if encoding == UTF_8
        && let Some(text) = utf_8
    {
        let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
        return (Cow::Borrowed(unmarked), encoding.name(), found_by);
    }
    let (text, malformed) = encoding.decode_with_bom_removal(bytes);
    if malformed {
        let message = format!("some bytes are no {}: they read as \u{fffd}", encoding.name());
        parse_warnings.push(ParseWarning::new("bad_bytes", None, message));
    }
    (text, encoding.name(), found_by)
}

/// UTF-8 that was pasted together with Windows-1252; `None` where it is not mostly UTF-8.
///
/// Text in another encoding hardly ever has more valid sequences of UTF-8 than invalid ones.
fn mixed(bytes: &[u8]) -> Option<String> {
    let (mut valid, mut invalid) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    if invalid == 0 || valid < 2 * invalid || bytes.contains(&0) {
        return None;
    }
    let mut text = String::with_capacity(bytes.len() + 2 * invalid);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    Some(text)
}

/// Undoes UTF-8 that was taken for Windows-1252 and encoded again: `KÃ¤lte`.
///
/// Only where the whole document makes sense the other way round, which does not happen by chance.
fn undoubled<'a>(text: Cow<'a, str>, parse_warnings: &mut Vec<ParseWarning>) -> Cow<'a, str> {
    // U+00C2, U+00C3 and U+00E2, which the first byte of a sequence was taken for.
    let bytes = text.as_bytes();
    let is_mark = |at: &usize| matches!(bytes.get(at + 1), Some(0x82 | 0x83 | 0xa2));
    if memchr::memchr_iter(0xc3, bytes).filter(is_mark).take(4).count() < 4 {
        return text;
    }
    let (bytes, _, unmapped) = WINDOWS_1252.encode(&text);
    match std::str::from_utf8(&bytes) {
        Ok(plain) if !unmapped => {
            let message = "encoded as UTF-8 twice".to_owned();
            parse_warnings.push(ParseWarning::new("double_encoded", None, message));
            Cow::Owned(plain.to_owned())
        }
        _ => text,
    }
}

/// UTF-32, which no browser reads, with or without a mark; its first four bytes give it away.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let read: fn([u8; 4]) -> u32 = match bytes.get(..4)? {
        [0xff, 0xfe, 0, 0] | [b'<', 0, 0, 0] => u32::from_le_bytes,
        [0, 0, 0xfe, 0xff] | [0, 0, 0, b'<'] => u32::from_be_bytes,
        _ => return None,
    };
    let (units, _) = bytes.as_chunks::<4>();
    let letters = units.iter().map(|unit| char::from_u32(read(*unit)).unwrap_or('\u{fffd}'));
    Some(letters.skip_while(|letter| *letter == '\u{feff}').collect())
}

/// Drops the declaration, which no longer holds, and whatever stands before the document.
fn from_first_markup<'a>(
    text: Cow<'a, str>,
    parse_warnings: &mut Vec<ParseWarning>,
) -> Cow<'a, str> {
    let start = text.find(['<', '{']).unwrap_or(0);
    if !text[..start].trim_matches(['\u{feff}', ' ', '\t', '\r', '\n', '\0']).is_empty() {
        let message = format!("{start} bytes stand before the document");
        parse_warnings.push(ParseWarning::new("junk_before", Some(0), message));
    }
    let after = &text[start..];
    let body = match after.strip_prefix("<?xml") {
        Some(rest) => rest.find("?>").map_or(after, |end| &rest[end + 2..]),
        None => after,
    };
    let from = text.len() - body.len();
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[from..]),
        Cow::Owned(mut text) => {
            text.drain(..from);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], content_type: Option<&str>) -> String {
        decode(bytes, content_type).text.into_owned()
    }

    #[test]
    fn the_declaration_says_how_to_read_the_bytes_and_is_then_dropped() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?>\n<rss>caf\xe9</rss>";
        assert_eq!(text(latin, None), "\n<rss>café</rss>");
    }

    #[test]
    fn the_http_charset_beats_the_declaration() {
        let bytes = b"<?xml version='1.0' encoding='iso-8859-1'?><rss>\xcf\xf0\xe8</rss>";
        assert_eq!(text(bytes, Some("text/xml; charset=\"windows-1251\"")), "<rss>При</rss>");
    }

    #[test]
    fn a_byte_order_mark_beats_everything() {
        let mut utf16 = vec![0xff, 0xfe];
        utf16.extend("<rss>é</rss>".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(text(&utf16, Some("text/xml; charset=utf-8")), "<rss>é</rss>");
        assert_eq!(text("\u{feff}<rss/>".as_bytes(), None), "<rss/>");
    }

    #[test]
    fn utf_16_without_a_mark_is_recognised() {
        let utf16: Vec<u8> = "<rss>é</rss>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(&utf16, None), "<rss>é</rss>");
    }

    #[test]
    fn what_was_encoded_twice_is_decoded_twice() {
        let twice = |text: &str| WINDOWS_1252.decode(text.as_bytes()).0.into_owned();
        let german = "<a>Kälte über Öl – “größer”</a>";
        assert_eq!(text(twice(german).as_bytes(), None), german);
        // A word about such letters is no such document.
        let about = "<a>Kälte, nicht KÃ¤lte, Ã¼ber, Ã¶</a>";
        assert_eq!(text(about.as_bytes(), None), about);
    }

    #[test]
    fn utf_8_with_windows_1252_in_between_is_read_as_both() {
        let bytes = [&b"<a>"[..], "Käse über".as_bytes(), b" caf\xe9</a>"].concat();
        assert_eq!(text(&bytes, None), "<a>Käse über café</a>");
        assert_eq!(text(&bytes, Some("text/xml; charset=utf-8")), "<a>Käse über café</a>");
    }

    #[test]
    fn utf_32_is_read_too() {
        for mark in ["", "\u{feff}"] {
            let letters = || mark.chars().chain("<a>é</a>".chars()).map(u32::from);
            let little: Vec<u8> = letters().flat_map(u32::to_le_bytes).collect();
            let big: Vec<u8> = letters().flat_map(u32::to_be_bytes).collect();
            assert_eq!(text(&little, None), "<a>é</a>");
            assert_eq!(text(&big, None), "<a>é</a>");
        }
    }

    #[test]
    fn utf_8_under_a_wrong_label_is_still_utf_8_and_the_label_is_told_of() {
        let decoded = decode("<rss>é</rss>".as_bytes(), Some("text/xml; charset=iso-8859-1"));
        assert_eq!(decoded.text, "<rss>é</rss>");
        assert_eq!(decoded.parse_warnings[0].code, "mislabelled_charset");
    }

    #[test]
    fn undeclared_bytes_are_guessed_and_junk_is_skipped() {
        let decoded =
            decode(b"Warning: x in y.php\n<rss>caf\xe9 au lait, d\xe9j\xe0 vu</rss>", None);
        assert_eq!(decoded.text, "<rss>café au lait, déjà vu</rss>");
        let codes: Vec<&str> = decoded.parse_warnings.iter().map(|c| c.code.as_ref()).collect();
        assert_eq!(codes, ["undeclared_charset", "junk_before"]);
    }

    #[test]
    fn nothing_is_read_as_nothing() {
        for bytes in [b"".as_slice(), b"<", b"\xff\xfe", b"<?xml"] {
            decode(bytes, Some("text/xml; charset=klingon"));
        }
    }
}
