//! Bytes to text, by byte order mark, HTTP charset, declaration or detection. Never fails.
//!
//! The result is UTF-8, with the place where the document begins.

use std::borrow::Cow;

use encoding_rs::{UTF_8, WINDOWS_1252};

use super::charset::{encoding, labels};
use super::mixed;
use super::start::start_of_document;
use crate::model::ParseWarning;

/// A document as text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// All of the text, without byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// Byte offset of the document in the text, behind its XML declaration.
    start: usize,
    /// Byte offset of the document or of its XML declaration, if anything but blanks is before it.
    junk: Option<usize>,
    /// Name of the encoding.
    pub(crate) charset: &'static str,
    /// What the encoding was found by.
    pub(crate) found_by: FoundBy,
    /// What had to be repaired.
    pub(crate) parse_warnings: Vec<ParseWarning>,
}

impl Decoded<'_> {
    /// What is before the document, unless it is blank.
    pub(crate) fn junk(&self) -> Option<&str> {
        self.junk.map(|end| &self.text[..end])
    }

    /// The document from its first markup.
    pub(crate) fn document(&self) -> &str {
        &self.text[self.start..]
    }
}

/// Decodes a document into text, and finds where it begins. `host` is the name of the host that sent it.
pub(crate) fn decode<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    host: Option<&str>,
) -> Decoded<'a> {
    let mut parse_warnings = Vec::new();
    let (text, charset, found_by) = text(bytes, content_type, host, &mut parse_warnings);
    let text = undo_double_encoding(text, &mut parse_warnings);
    let begin = start_of_document(&text);
    let blanks = ['\u{feff}', ' ', '\t', '\r', '\n', '\0'];
    let has_junk = !text[..begin].trim_matches(blanks).is_empty();
    if has_junk {
        let message = format!("{begin} bytes before the document");
        parse_warnings.push(ParseWarning::new("junk_before", Some(0), message));
    }
    let after = &text[begin..];
    let start = begin + declaration_length(after);
    let junk = has_junk.then_some(begin);
    Decoded { text, start, junk, charset, found_by, parse_warnings }
}

/// Length of the XML declaration at the beginning of a text. It ends with its `>`, also without `?`, or where the next
/// tag begins.
fn declaration_length(text: &str) -> usize {
    let Some(inside) = text.strip_prefix("<?xml") else { return 0 };
    let start = text.len() - inside.len();
    let end = inside.find(['<', '>']).map(|end| start + end);
    end.map_or(0, |end| end + usize::from(text[end..].starts_with('>')))
}

fn text<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    host: Option<&str>,
    parse_warnings: &mut Vec<ParseWarning>,
) -> (Cow<'a, str>, &'static str, FoundBy) {
    if let Some(text) = utf_32(bytes) {
        return (Cow::Owned(text), "UTF-32", FoundBy::Bytes);
    }
    let utf_8 = std::str::from_utf8(bytes).ok();
    if utf_8.is_none()
        && let Some(mixed) = mixed::decode(bytes, labels(bytes, content_type))
    {
        parse_warnings.extend(mixed.parse_warnings());
        return (Cow::Owned(mixed.text), UTF_8.name(), FoundBy::Bytes);
    }
    let (encoding, found_by) = encoding(bytes, utf_8, content_type, host, parse_warnings);
    if encoding == UTF_8
        && let Some(text) = utf_8
    {
        let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
        return (Cow::Borrowed(unmarked), encoding.name(), found_by);
    }
    let (text, malformed) = encoding.decode_with_bom_removal(bytes);
    if malformed {
        let message =
            format!("some bytes are not valid {}; they were replaced by \u{fffd}", encoding.name());
        parse_warnings.push(ParseWarning::new("bad_bytes", None, message));
    }
    (text, encoding.name(), found_by)
}

/// Undoes double encoding: UTF-8 that was read as Windows-1252 or ISO-8859-1 and encoded again, such as `KÃ¤lte`.
///
/// Only if the whole document can be decoded twice, which does not happen by chance.
fn undo_double_encoding<'a>(
    text: Cow<'a, str>,
    parse_warnings: &mut Vec<ParseWarning>,
) -> Cow<'a, str> {
    // U+00C2 to U+00F4 are what the first byte of a sequence was read as. Its next byte was read as a control or a
    // sign, which in UTF-8 begins with one of these bytes.
    let bytes = text.as_bytes();
    let is_mark = |at: &usize| {
        matches!(bytes.get(at + 1..at + 3), Some([0x82..=0xb4, 0xc2 | 0xc5 | 0xc6 | 0xcb | 0xe2]))
    };
    if memchr::memchr_iter(0xc3, bytes).filter(is_mark).take(4).count() < 4 {
        return text;
    }
    match single_bytes(&text).and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(plain) => {
            let message = "encoded twice in UTF-8".to_owned();
            parse_warnings.push(ParseWarning::new("double_encoded", None, message));
            Cow::Owned(plain)
        }
        None => text,
    }
}

/// The bytes that ISO-8859-1 or Windows-1252 have for the characters; `None` if they lack one. The two differ only in
/// bytes that ISO-8859-1 has for controls.
fn single_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Ok(byte) = u8::try_from(c) {
            bytes.push(byte);
            continue;
        }
        match WINDOWS_1252.encode(c.encode_utf8(&mut [0; 4])) {
            (byte, _, false) => bytes.extend_from_slice(&byte),
            _ => return None,
        }
    }
    Some(bytes)
}

/// Decodes UTF-32, with or without a byte order mark, detected by the first four bytes.
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

/// What an encoding was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// A byte order mark.
    Mark,
    /// `charset` of the HTTP header `Content-Type`.
    Http,
    /// `encoding` of the XML declaration.
    Declaration,
    /// The bytes themselves, even if they contradict the label.
    Bytes,
    /// The default, because nothing else names one: UTF-8.
    Default,
}

impl FoundBy {
    /// The source as words for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mark => "byte order mark",
            Self::Http => "HTTP header",
            Self::Declaration => "declaration",
            Self::Bytes => "the bytes themselves",
            Self::Default => "default",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], content_type: Option<&str>) -> String {
        decode(bytes, content_type, None).document().to_owned()
    }

    #[test]
    fn the_declaration_determines_the_encoding_and_is_dropped() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?>\n<rss>caf\xe9</rss>";
        assert_eq!(text(latin, None), "\n<rss>café</rss>");
    }

    #[test]
    fn a_declaration_may_lack_its_end() {
        for declaration in [
            "<?xml version='1.0' encoding='ISO-8859-1'>",
            "<?xml version='1.0' encoding='ISO-8859-1'/>",
        ] {
            let bytes =
                [declaration.as_bytes(), b"<?xml-stylesheet href='x'?><a>caf\xe9</a>"].concat();
            assert_eq!(
                text(&bytes, None),
                "<?xml-stylesheet href='x'?><a>café</a>",
                "{declaration}"
            );
        }
        assert_eq!(text(b"<?xml version='1.0' <a>b</a>", None), "<a>b</a>");
    }

    #[test]
    fn the_http_charset_takes_precedence_over_the_declaration() {
        let bytes = b"<?xml version='1.0' encoding='iso-8859-1'?><rss>\xcf\xf0\xe8</rss>";
        assert_eq!(text(bytes, Some("text/xml; charset=\"windows-1251\"")), "<rss>При</rss>");
    }

    #[test]
    fn a_byte_order_mark_takes_precedence_over_any_label() {
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
    fn a_document_encoded_twice_is_decoded_twice() {
        let twice = |text: &str| WINDOWS_1252.decode(text.as_bytes()).0.into_owned();
        let german = "<a>Kälte über Öl – “größer”</a>";
        assert_eq!(text(twice(german).as_bytes(), None), german);
        // ISO-8859-1 has controls for the other half of the signs of Windows-1252.
        let latin = |text: &str| text.bytes().map(char::from).collect::<String>();
        for plain in
            [german, "<a>Größe Über Ärger</a>", "<a>Новости сегодня</a>", "<a>日本語の</a>"]
        {
            assert_eq!(text(latin(plain).as_bytes(), None), plain);
        }
        // A text about such characters is not encoded twice.
        let about = "<a>Kälte, nicht KÃ¤lte, Ã¼ber, Ã¶</a>";
        assert_eq!(text(about.as_bytes(), None), about);
    }

    #[test]
    fn a_mix_of_utf_8_and_windows_1252_is_decoded() {
        let bytes = [&b"<a>"[..], "Käse über".as_bytes(), b" caf\xe9</a>"].concat();
        assert_eq!(text(&bytes, None), "<a>Käse über café</a>");
        assert_eq!(text(&bytes, Some("text/xml; charset=utf-8")), "<a>Käse über café</a>");
    }

    #[test]
    fn one_byte_in_another_encoding_changes_no_other_text() {
        let title = |title: &str| format!("<title>{title}</title>").into_bytes();
        for label in [None, Some("text/xml; charset=utf-8")] {
            for other in ["It’s", "Grüße", "日本語", "Привет", "😀 – é"] {
                let bytes = [title(other), b"<p>\x93caf\xe9\x94</p>".to_vec()].concat();
                assert_eq!(text(&bytes, label), format!("<title>{other}</title><p>“café”</p>"));
            }
        }
    }

    #[test]
    fn utf_32_is_decoded() {
        for mark in ["", "\u{feff}"] {
            let letters = || mark.chars().chain("<a>é</a>".chars()).map(u32::from);
            let little: Vec<u8> = letters().flat_map(u32::to_le_bytes).collect();
            let big: Vec<u8> = letters().flat_map(u32::to_be_bytes).collect();
            assert_eq!(text(&little, None), "<a>é</a>");
            assert_eq!(text(&big, None), "<a>é</a>");
        }
    }

    #[test]
    fn a_wrong_label_on_utf_8_is_ignored_with_a_warning() {
        let decoded = decode("<rss>é</rss>".as_bytes(), Some("text/xml; charset=iso-8859-1"), None);
        assert_eq!(decoded.document(), "<rss>é</rss>");
        assert_eq!(decoded.parse_warnings[0].code, "mislabelled_charset");
    }

    #[test]
    fn an_undeclared_encoding_is_detected_and_junk_is_skipped() {
        let decoded =
            decode(b"Warning: x in y.php\n<rss>caf\xe9 au lait, d\xe9j\xe0 vu</rss>", None, None);
        assert_eq!(decoded.document(), "<rss>café au lait, déjà vu</rss>");
        let codes: Vec<&str> = decoded.parse_warnings.iter().map(|c| c.code.as_ref()).collect();
        assert_eq!(codes, ["undeclared_charset", "junk_before"]);
    }

    #[test]
    fn notices_of_a_program_before_the_document_are_skipped() {
        let notice = "<br />\n<b>Warning</b>:  Undefined index {x} in <b>/srv/a.php</b> on line <b>3</b><br />\n";
        for document in [
            "<?xml version='1.0'?><rss><channel/></rss>",
            "<rss><channel/></rss>",
            "<feed xmlns='http://www.w3.org/2005/Atom'/>",
            "{\"version\": \"https://jsonfeed.org/version/1.1\"}",
        ] {
            for before in [notice.repeat(3), "Notice: {x} <unset>\n".replace("<unset>", "")] {
                let all = format!("{before}{document}");
                let decoded = decode(all.as_bytes(), None, None);
                let expected = document.replace("<?xml version='1.0'?>", "");
                assert_eq!(decoded.document(), expected, "{all}");
                assert_eq!(decoded.parse_warnings[0].code, "junk_before", "{all}");
            }
        }
        let page = "<p>a <b>page</b></p>";
        assert_eq!(text(page.as_bytes(), None), page);
    }

    #[test]
    fn text_with_a_brace_is_not_a_json_document() {
        let feed = "{\"items\": []}";
        for before in [
            "",
            "\u{feff} \n",
            ")]}'\n",
            ")]}',\n",
            "while(1);",
            "for (;;); ",
            "// generated {x}\n",
            "/* generated */ ",
            "callback(",
            "/**/ typeof cb === 'function' && cb(",
            "window.feeds.load(",
        ] {
            for behind in ["", ");", ")", "0", "\n<!-- <html> -->", "}", "<br><b>Warning</b>: x\n"]
            {
                let all = format!("{before}{feed}{behind}");
                let found = text(all.as_bytes(), None);
                assert!(found.starts_with('{'), "{all}: {found}");
            }
        }
        for all in [
            "PHP Fatal error: x\n#0 {main}\n  thrown",
            "Service {unavailable}",
            "body { color: red }",
            "/* style */ body { color: red }",
            "function x() { return {} }",
            "\u{feff} title: {x}",
            "PK\u{3}\u{4}{\"",
        ] {
            let start = all.trim_start_matches(['\u{feff}', ' ']);
            assert_eq!(text(all.as_bytes(), None), start, "{all}");
        }
    }

    #[test]
    fn empty_and_cut_documents_are_decoded_without_panic() {
        for bytes in [b"".as_slice(), b"<", b"\xff\xfe", b"<?xml"] {
            decode(bytes, Some("text/xml; charset=klingon"), None);
        }
    }
}
