//! Which encoding a document is in, and how that was found. Leaves the decoding to `decode`.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::model::ParseWarning;

/// What an encoding was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// A byte order mark.
    Mark,
    /// The HTTP header.
    Http,
    /// The XML declaration.
    Declaration,
    /// The bytes themselves, be it against their label.
    Bytes,
    /// Nothing says otherwise.
    Default,
}

impl FoundBy {
    /// In words.
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

/// The encoding, by whoever is to be believed most; `utf_8` is the text where the bytes are valid UTF-8.
pub(crate) fn encoding(
    bytes: &[u8],
    utf_8: Option<&str>,
    content_type: Option<&str>,
    parse_warnings: &mut Vec<ParseWarning>,
) -> (&'static Encoding, FoundBy) {
    // RFC 7303 3.3: a byte order mark settles it.
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (encoding, FoundBy::Mark);
    }
    if let Some(encoding) = without_mark(bytes) {
        return (encoding, FoundBy::Bytes);
    }
    let http = content_type.and_then(charset);
    let declared = declaration(bytes);
    let (named, by) = match (http, declared) {
        (Some(http), _) => (Some(http), FoundBy::Http),
        (None, Some(declared)) => (Some(declared), FoundBy::Declaration),
        (None, None) => (None, FoundBy::Default),
    };
    // Text that is not ASCII and yet valid UTF-8 is UTF-8, whatever its label says.
    if utf_8.is_some() && !bytes.is_ascii() {
        if let Some(other) = named.filter(|named| *named != UTF_8) {
            let message = format!("labelled {}, but it is UTF-8", other.name());
            parse_warnings.push(ParseWarning::new("mislabelled_charset", None, message));
        }
        return (UTF_8, if named == Some(UTF_8) { by } else { FoundBy::Bytes });
    }
    match named.filter(|named| *named != UTF_8) {
        None if !bytes.is_ascii() => {
            let detected = detect(bytes);
            let message = format!(
                "not valid UTF-8 and not labelled otherwise: taken for {}",
                detected.name()
            );
            parse_warnings.push(ParseWarning::new("undeclared_charset", None, message));
            (detected, FoundBy::Bytes)
        }
        // UTF-16 has null bytes in every tag: a document that says so but has none is not.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => (UTF_8, FoundBy::Bytes),
        Some(encoding) => (encoding, by),
        None => (UTF_8, by),
    }
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
