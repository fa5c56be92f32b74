//! Bytes to text: byte order mark, HTTP charset, declaration, detection. Never fails.
//!
//! What comes out is UTF-8 without a declaration and without anything before the first element,
//! whatever came in. Leaves well-formedness to `scan`.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::model::Complaint;

/// A document as text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The document from its first markup on.
    pub(crate) text: Cow<'a, str>,
    /// What had to be mended.
    pub(crate) complaints: Vec<Complaint>,
}

/// Decodes a document.
pub(crate) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let mut complaints = Vec::new();
    if let Some(text) = utf_32(bytes) {
        let text = from_first_markup(Cow::Owned(text), &mut complaints);
        return Decoded { text, complaints };
    }
    let encoding = encoding(bytes, content_type, &mut complaints);
    let (text, malformed) = encoding.decode_with_bom_removal(bytes);
    if malformed {
        let message = format!("some bytes are no {}: they read as \u{fffd}", encoding.name());
        complaints.push(Complaint::new("bad_bytes", None, message));
    }
    let text = undoubled(text, &mut complaints);
    Decoded { text: from_first_markup(text, &mut complaints), complaints }
}

/// Undoes UTF-8 that was taken for Windows-1252 and encoded again: `KÃ¤lte`.
///
/// Only where the whole document makes sense the other way round, which does not happen by chance.
fn undoubled<'a>(text: Cow<'a, str>, complaints: &mut Vec<Complaint>) -> Cow<'a, str> {
    let marks = ['\u{c2}', '\u{c3}', '\u{e2}'];
    if text.chars().filter(|c| marks.contains(c)).take(4).count() < 4 {
        return text;
    }
    let (bytes, _, unmapped) = WINDOWS_1252.encode(&text);
    match std::str::from_utf8(&bytes) {
        Ok(plain) if !unmapped => {
            let message = "encoded as UTF-8 twice".to_owned();
            complaints.push(Complaint::new("double_encoded", None, message));
            Cow::Owned(plain.to_owned())
        }
        _ => text,
    }
}

/// The encoding, by whoever is to be believed most.
fn encoding(
    bytes: &[u8],
    content_type: Option<&str>,
    complaints: &mut Vec<Complaint>,
) -> &'static Encoding {
    // RFC 7303 3.3: a byte order mark settles it.
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(encoding) = without_mark(bytes) {
        return encoding;
    }
    let http = content_type.and_then(charset);
    let declared = declaration(bytes);
    let named = http.or(declared);
    // Text that is not ASCII and yet valid UTF-8 is UTF-8, whatever its label says.
    if !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() {
        if let Some(other) = named.filter(|named| *named != UTF_8) {
            let message = format!("labelled {}, but it is UTF-8", other.name());
            complaints.push(Complaint::new("mislabelled_charset", None, message));
        }
        return UTF_8;
    }
    match named.filter(|named| *named != UTF_8) {
        None if !bytes.is_ascii() => {
            let detected = detect(bytes);
            let message = format!(
                "not valid UTF-8 and not labelled otherwise: taken for {}",
                detected.name()
            );
            complaints.push(Complaint::new("undeclared_charset", None, message));
            detected
        }
        // UTF-16 has null bytes in every tag: a document that says so but has none is not.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => UTF_8,
        Some(encoding) => encoding,
        None => UTF_8,
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

/// UTF-16 without a mark shows by the null bytes around its first `<`. XML 1.0 appendix F.1.
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes.get(..4)? {
        [b'<', 0, second, 0] if *second != 0 => Some(UTF_16LE),
        [0, b'<', 0, second] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// `charset` of a media type.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| Encoding::for_label(value.as_bytes()))?
    })
}

/// `encoding` of the XML declaration, read as if it were ASCII.
fn declaration(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = String::from_utf8_lossy(head);
    let declaration = head.get(head.find("<?xml")?..)?;
    let declaration = declaration.get(..declaration.find("?>")?)?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Encoding::for_label(value.get(1..)?.split(quote).next()?.trim().as_bytes())
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Drops the declaration, which no longer holds, and whatever stands before the document.
fn from_first_markup<'a>(text: Cow<'a, str>, complaints: &mut Vec<Complaint>) -> Cow<'a, str> {
    let start = text.find(['<', '{']).unwrap_or(0);
    if !text[..start].trim_matches(['\u{feff}', ' ', '\t', '\r', '\n', '\0']).is_empty() {
        let message = format!("{start} bytes stand before the document");
        complaints.push(Complaint::new("junk_before", Some(0), message));
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
        assert_eq!(decoded.complaints[0].code, "mislabelled_charset");
    }

    #[test]
    fn undeclared_bytes_are_guessed_and_junk_is_skipped() {
        let decoded =
            decode(b"Warning: x in y.php\n<rss>caf\xe9 au lait, d\xe9j\xe0 vu</rss>", None);
        assert_eq!(decoded.text, "<rss>café au lait, déjà vu</rss>");
        let codes: Vec<&str> = decoded.complaints.iter().map(|c| c.code.as_ref()).collect();
        assert_eq!(codes, ["undeclared_charset", "junk_before"]);
    }

    #[test]
    fn nothing_is_read_as_nothing() {
        for bytes in [b"".as_slice(), b"<", b"\xff\xfe", b"<?xml"] {
            decode(bytes, Some("text/xml; charset=klingon"));
        }
    }
}
