//! The encoding of a document, by byte order mark, HTTP header, XML declaration or detection.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GBK, IBM866, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4,
    ISO_8859_10, ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC, X_USER_DEFINED,
};

use super::decode::FoundBy;
use super::detection::{detect, has_errors, is_iso_2022_jp};
use super::mixed::Labels;
use crate::model::ParseWarning;
use crate::text::quoted::in_quotes;

/// Labels that are not in the Encoding standard, in lower case, letters and digits only. `iconv`, databases and
/// operating systems know them.
const ALIASES: &[(&str, &Encoding)] = &[
    ("utf8mb3", UTF_8),
    ("utf8mb4", UTF_8),
    ("utf8bom", UTF_8),
    ("utf8n", UTF_8),
    ("utf8unicode", UTF_8),
    ("utf8generalci", UTF_8),
    ("alutf8", UTF_8),
    ("al32utf8", UTF_8),
    ("cp65001", UTF_8),
    ("65001", UTF_8),
    ("utf16le", UTF_16LE),
    ("utf16be", UTF_16BE),
    ("ansi", WINDOWS_1252),
    ("latin", WINDOWS_1252),
    ("isolatin1", WINDOWS_1252),
    ("isolatin", WINDOWS_1252),
    ("88591", WINDOWS_1252),
    ("iso1", WINDOWS_1252),
    ("isolatin2", ISO_8859_2),
    ("isolatin3", ISO_8859_3),
    ("isolatin4", ISO_8859_4),
    ("isolatin6", ISO_8859_10),
    ("latin9", ISO_8859_15),
    ("isolatin9", ISO_8859_15),
    ("iso885915fdis", ISO_8859_15),
    ("cp878", KOI8_R),
    ("koi", KOI8_R),
    ("koi8r", KOI8_R),
    ("koi8u", KOI8_U),
    ("koi8ru", KOI8_U),
    ("usascii", WINDOWS_1252),
    ("iso646us", WINDOWS_1252),
    ("ibm1252", WINDOWS_1252),
    ("macroman", MACINTOSH),
    ("xmacroman", MACINTOSH),
    ("mac", MACINTOSH),
    ("apple", MACINTOSH),
    ("cp10000", MACINTOSH),
    ("maccyrillic", X_MAC_CYRILLIC),
    ("xmacukrainian", X_MAC_CYRILLIC),
    ("macukrainian", X_MAC_CYRILLIC),
    ("cp10007", X_MAC_CYRILLIC),
    ("cp1004", WINDOWS_1252),
    ("dos866", IBM866),
    ("tis620", WINDOWS_874),
    ("tis6200", WINDOWS_874),
    ("tis6202533", WINDOWS_874),
    ("cp874", WINDOWS_874),
    ("cp932", SHIFT_JIS),
    ("windows932", SHIFT_JIS),
    ("windows31j", SHIFT_JIS),
    ("mskanji", SHIFT_JIS),
    ("shiftjis", SHIFT_JIS),
    ("xsjis", SHIFT_JIS),
    ("cp943", SHIFT_JIS),
    ("iso2022jp", ISO_2022_JP),
    ("eucjp", EUC_JP),
    ("xeucjp", EUC_JP),
    ("eucjpms", EUC_JP),
    ("eucjpwin", EUC_JP),
    ("cp51932", EUC_JP),
    ("ujis", EUC_JP),
    ("euckr", EUC_KR),
    ("cp949", EUC_KR),
    ("ms949", EUC_KR),
    ("uhc", EUC_KR),
    ("euccn", GBK),
    ("cp936", GBK),
    ("ms936", GBK),
    ("windows936", GBK),
    ("gb2312gbk", GBK),
    ("gb231280", GBK),
    ("xgbk", GBK),
    ("gb2312", GBK),
    ("xbig5", BIG5),
    ("big5hkscs", BIG5),
    ("cp950", BIG5),
    ("ms950", BIG5),
    ("windows950", BIG5),
    ("euctw", BIG5),
];

/// Code pages of Windows.
const WINDOWS: [&Encoding; 9] = [
    WINDOWS_1250,
    WINDOWS_1251,
    WINDOWS_1252,
    WINDOWS_1253,
    WINDOWS_1254,
    WINDOWS_1255,
    WINDOWS_1256,
    WINDOWS_1257,
    WINDOWS_1258,
];

/// A label of an encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Label {
    Known(&'static Encoding),
    /// An unknown label, as written.
    Unknown(String),
}

impl Label {
    /// Reads a label, with quotes and spaces around it; `None` if it is empty.
    fn new(written: &str) -> Option<Self> {
        let bare = written.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if bare.is_empty() {
            return None;
        }
        let known = Encoding::for_label_no_replacement(bare.as_bytes()).or_else(|| alias(bare));
        // Not a charset of documents: it maps bytes to private characters.
        let known = known.filter(|encoding| *encoding != X_USER_DEFINED);
        Some(known.map_or_else(|| Self::Unknown(bare.chars().take(40).collect()), Self::Known))
    }

    fn known(&self) -> Option<&'static Encoding> {
        match self {
            Self::Known(encoding) => Some(encoding),
            Self::Unknown(_) => None,
        }
    }
}

/// The encoding of a label that is spelt differently than in the standard: `ISO 8859_15`, `win-1251`, `utf8mb4`.
fn alias(label: &str) -> Option<&'static Encoding> {
    let bytes = label.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    let key = String::from_utf8(bytes.collect()).ok()?;
    if let Some((_, encoding)) = ALIASES.iter().find(|(name, _)| *name == key) {
        return Some(encoding);
    }
    let page = ["windows", "xwindows", "xcp", "win", "cp", "ms", "microsoftcp", "ibm", "mswin"];
    let page = page.iter().find_map(|start| key.strip_prefix(start)).unwrap_or(&key);
    if let Some(number) = page.strip_prefix("125").and_then(|last| last.parse::<usize>().ok()) {
        return WINDOWS.get(number).copied().filter(|_| page.len() == 4);
    }
    // The standard has each of these labels with and without a hyphen.
    let part = key.strip_prefix("iso8859").or_else(|| key.strip_prefix("8859"));
    let spelt = match part {
        Some(part) => format!("iso-8859-{part}"),
        None => key,
    };
    Encoding::for_label_no_replacement(spelt.as_bytes())
}

/// What the labels of a document say about UTF-8.
pub(super) fn labels(bytes: &[u8], content_type: Option<&str>) -> Labels {
    let labels = [content_type.and_then(of_http), of_declaration(bytes)];
    let mut known = labels.iter().flatten().filter_map(Label::known).peekable();
    let allow = known.peek().is_none() || known.any(|encoding| encoding == UTF_8);
    if allow { Labels::AllowUtf8 } else { Labels::ExcludeUtf8 }
}

/// The encoding by the most reliable source. `utf_8` is the text if the bytes are valid UTF-8; `host` is the name of
/// the host of the document.
pub(crate) fn encoding(
    bytes: &[u8],
    utf_8: Option<&str>,
    content_type: Option<&str>,
    host: Option<&str>,
    parse_warnings: &mut Vec<ParseWarning>,
) -> (&'static Encoding, FoundBy) {
    // RFC 7303 3.3: a byte order mark takes precedence.
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (encoding, FoundBy::Mark);
    }
    if let Some(encoding) = without_mark(bytes) {
        return (encoding, FoundBy::Bytes);
    }
    let labels = [
        (content_type.and_then(of_http), FoundBy::Http),
        (of_declaration(bytes), FoundBy::Declaration),
    ];
    let named: Vec<(&'static Encoding, FoundBy)> =
        labels.iter().filter_map(|(label, by)| Some((label.as_ref()?.known()?, *by))).collect();
    let detected = || detect(bytes, host);
    let is_unnamed = named.first().is_none_or(|(first, _)| *first != ISO_2022_JP);
    let (encoding, by) = if is_unnamed && is_iso_2022_jp(bytes) {
        unnamed(ISO_2022_JP, &named, parse_warnings)
    } else if utf_8.is_some() {
        as_utf_8(bytes, &named, parse_warnings)
    } else if content_type.is_some_and(|it| is_refuted(it, &named, bytes, detected)) {
        by_declaration(&named, parse_warnings)
    } else {
        let has_label = labels.iter().any(|(label, _)| label.is_some());
        by_label(&named, detected, has_label, parse_warnings)
    };
    for (label, place) in labels {
        if let Some(Label::Unknown(label)) = label {
            let place = place.name();
            let message = format!(
                "unknown charset {label} in the {place}; decoded as {}",
                encoding.name(),
                label = in_quotes(label)
            );
            parse_warnings.push(ParseWarning::new("unknown_charset", None, message));
        }
    }
    (encoding, by)
}

/// An encoding that the bytes show and no label names.
fn unnamed(
    encoding: &'static Encoding,
    named: &[(&'static Encoding, FoundBy)],
    parse_warnings: &mut Vec<ParseWarning>,
) -> (&'static Encoding, FoundBy) {
    let name = encoding.name();
    let (code, message) = match named.first() {
        Some((first, _)) => {
            ("mislabelled_charset", format!("labelled as {} but encoded in {name}", first.name()))
        }
        None => ("undeclared_charset", format!("no charset declared; decoded as {name}")),
    };
    parse_warnings.push(ParseWarning::new(code, None, message));
    (encoding, FoundBy::Bytes)
}

/// Whether the encoding of the HTTP header cannot be right, but that of the XML declaration can.
fn is_refuted(
    content_type: &str,
    named: &[(&'static Encoding, FoundBy)],
    bytes: &[u8],
    detected: impl FnOnce() -> &'static Encoding,
) -> bool {
    let [(first, FoundBy::Http), (other, _)] = named else { return false };
    let is_other = |it: &&'static Encoding| *it != UTF_8 && !is_utf_16(it);
    first != other
        && is_other(first)
        && is_other(other)
        && !has_errors(other, bytes)
        && (is_ascii_label(content_type)
            || has_errors(first, bytes)
            // What servers name that know nothing of the document.
            || *first == WINDOWS_1252 && detected() != WINDOWS_1252)
}

/// The encoding of the XML declaration, where that of the HTTP header cannot be right.
fn by_declaration(
    named: &[(&'static Encoding, FoundBy)],
    parse_warnings: &mut Vec<ParseWarning>,
) -> (&'static Encoding, FoundBy) {
    let [(first, _), (other, by), ..] = named else { return (UTF_8, FoundBy::Default) };
    let name = other.name();
    let message = format!(
        "labelled as {} in the HTTP header, but as {name} in the {}; decoded as {name}",
        first.name(),
        by.name()
    );
    parse_warnings.push(ParseWarning::new("mislabelled_charset", None, message));
    (other, *by)
}

/// Whether the charset of a media type is ASCII, which bytes that are not valid UTF-8 contradict.
fn is_ascii_label(content_type: &str) -> bool {
    let lower = content_type.to_ascii_lowercase();
    let label = lower.split_once("charset").map_or("", |(_, label)| label);
    let label = label.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    ["us-ascii", "ascii", "ansi_x3.4"].iter().any(|known| label.starts_with(known))
}

/// The encoding of bytes that are valid UTF-8.
fn as_utf_8(
    bytes: &[u8],
    named: &[(&'static Encoding, FoundBy)],
    parse_warnings: &mut Vec<ParseWarning>,
) -> (&'static Encoding, FoundBy) {
    let Some((first, by)) = named.first() else {
        return (UTF_8, if bytes.is_ascii() { FoundBy::Default } else { FoundBy::Bytes });
    };
    if *first == UTF_8 {
        return (UTF_8, *by);
    }
    if bytes.is_ascii() {
        // UTF-16 has null bytes in every tag.
        return if is_utf_16(first) { (UTF_8, FoundBy::Bytes) } else { (first, *by) };
    }
    // Non-ASCII text that is valid UTF-8 is UTF-8, whatever its label.
    let message = format!("labelled as {} but encoded in UTF-8", first.name());
    parse_warnings.push(ParseWarning::new("mislabelled_charset", None, message));
    (UTF_8, FoundBy::Bytes)
}

/// The encoding of bytes that are not valid UTF-8: the first label that they do not contradict, or else the detected
/// one.
fn by_label(
    named: &[(&'static Encoding, FoundBy)],
    detected: impl FnOnce() -> &'static Encoding,
    has_label: bool,
    parse_warnings: &mut Vec<ParseWarning>,
) -> (&'static Encoding, FoundBy) {
    let mut possible = named.iter().filter(|(named, _)| *named != UTF_8 && !is_utf_16(named));
    let found = possible.next().copied();
    let (encoding, by) = found.unwrap_or_else(|| (detected(), FoundBy::Bytes));
    let name = encoding.name();
    let (code, message) = match (named.first(), possible.next()) {
        // An unknown label has a warning.
        (None, _) if has_label => return (encoding, by),
        (None, _) => (
            "undeclared_charset",
            format!("no charset declared and not valid UTF-8; decoded as {name}"),
        ),
        (Some((first, _)), _) if *first != encoding => (
            "mislabelled_charset",
            format!("labelled as {0} but not valid {0}; decoded as {name}", first.name()),
        ),
        (_, Some((other, place))) if *other != encoding => (
            "mislabelled_charset",
            format!(
                "labelled as {name}, but as {} in the {}; decoded as {name}",
                other.name(),
                place.name()
            ),
        ),
        _ => return (encoding, by),
    };
    parse_warnings.push(ParseWarning::new(code, None, message));
    (encoding, by)
}

fn is_utf_16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// UTF-16 without a byte order mark, found by the null byte next to the first `<` (XML 1.0 F.1).
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes.get(..4)? {
        [b'<', 0, second, 0] if *second != 0 => Some(UTF_16LE),
        [0, b'<', 0, second] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// The `charset` parameter of a media type.
fn of_http(content_type: &str) -> Option<Label> {
    let at = content_type.to_ascii_lowercase().find("charset")?;
    let value = content_type.get(at + "charset".len()..)?.trim_start();
    let value = value.strip_prefix(['=', ':'])?;
    Label::new(value.split([';', ',']).next()?)
}

/// The `encoding` of the XML declaration, read as ASCII.
fn of_declaration(bytes: &[u8]) -> Option<Label> {
    let head = &bytes[..bytes.len().min(4096)];
    let head = String::from_utf8_lossy(head);
    let declaration = head.get(head.find("<?xml")?..)?;
    // The `?` of its end may be missing.
    let declaration = declaration.get(..declaration.find('>')?)?;
    let at = declaration.to_ascii_lowercase().find("encoding")?;
    let value = declaration.get(at + "encoding".len()..)?.trim_start().strip_prefix('=')?.trim();
    let quoted = value.strip_prefix(['"', '\'']);
    let end = |c: char| if quoted.is_some() { matches!(c, '"' | '\'') } else { c.is_whitespace() };
    Label::new(quoted.unwrap_or(value).split(end).find(|part| !part.is_empty())?)
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::*;

    fn found(bytes: &[u8], http: Option<&str>) -> (&'static str, Vec<ParseWarning>) {
        let mut warnings = Vec::new();
        let utf_8 = std::str::from_utf8(bytes).ok();
        (encoding(bytes, utf_8, http, None, &mut warnings).0.name(), warnings)
    }

    fn declared(label: &str) -> Vec<u8> {
        let mut document =
            format!("<?xml version=\"1.0\" encoding=\"{label}\"?><rss>").into_bytes();
        document.extend(b"caf\xe9 \xe0 la\x8e</rss>");
        document
    }

    #[test]
    fn labels_of_other_programs_are_known() {
        for (label, name) in [
            ("macintosh", "macintosh"),
            ("MacRoman", "macintosh"),
            ("x-mac-roman", "macintosh"),
            ("x-mac-cyrillic", "x-mac-cyrillic"),
            ("MacCyrillic", "x-mac-cyrillic"),
            ("cp1252", "windows-1252"),
            ("CP-1252", "windows-1252"),
            ("win-1251", "windows-1251"),
            ("windows1251", "windows-1251"),
            ("Windows_1250", "windows-1250"),
            ("latin-1", "windows-1252"),
            ("Latin 1", "windows-1252"),
            ("ISO 8859-1", "windows-1252"),
            ("iso8859_15", "ISO-8859-15"),
            ("iso8859-15", "ISO-8859-15"),
            ("ISO-8859-15;", "ISO-8859-15"),
            ("'iso-8859-2'", "ISO-8859-2"),
            ("ANSI", "windows-1252"),
            ("cp936", "GBK"),
            ("MS949", "EUC-KR"),
            ("cp932", "Shift_JIS"),
            ("cp950", "Big5"),
            ("tis-620", "windows-874"),
            ("koi8r", "KOI8-R"),
            ("Shift-JIS", "Shift_JIS"),
            ("Big-5", "Big5"),
            ("cp866", "IBM866"),
        ] {
            let (encoding, warnings) = found(&declared(label), None);
            assert_eq!((encoding, warnings.len()), (name, 0), "{label}: {warnings:?}");
            let http = format!("text/xml; charset={label}");
            let (encoding, warnings) = found(b"<rss>caf\xe9</rss>", Some(&http));
            assert_eq!((encoding, warnings.len()), (name, 0), "{http}: {warnings:?}");
        }
        for label in ["utf8", "utf-8;", "\"UTF-8\"", "utf8mb4", "UTF_8", "u t f 8", "UTF–8"] {
            let http = format!("text/xml; charset={label}");
            let (encoding, warnings) = found("<rss>é</rss>".as_bytes(), Some(&http));
            assert_eq!((encoding, warnings.len()), ("UTF-8", 0), "{label}: {warnings:?}");
        }
        for http in [
            "text/xml; Charset = 'cp1251'",
            "text/xml;charset:cp1251",
            "text/xml; a=b;charset=cp1251, x",
        ] {
            assert_eq!(found(b"<rss>\xcf\xf0\xe8</rss>", Some(http)).0, "windows-1251", "{http}");
        }
    }

    fn guessed(bytes: &[u8], host: Option<&str>) -> &'static str {
        encoding(bytes, None, None, host, &mut Vec::new()).0.name()
    }

    #[test]
    fn short_texts_with_signs_of_western_languages_are_windows_1252() {
        for text in [
            "only £5",
            "naïve",
            "œuvre",
            "« oui »",
            "5 € or £4, it’s “cheap” – ½ price",
            "Grüße",
            "déjà vu",
            "© 2026 Éditions du cœur",
        ] {
            let bytes = WINDOWS_1252.encode(text).0;
            let document = [&b"<rss><title>"[..], &bytes, b"</title></rss>"].concat();
            for host in [None, Some("e.org"), Some("e.de"), Some("e.fr."), Some("E.ORG")] {
                assert_eq!(guessed(&document, host), "windows-1252", "{text} {host:?}");
            }
        }
    }

    #[test]
    fn short_texts_in_other_languages_are_not_windows_1252() {
        for (text, encoding, host) in [
            ("się", WINDOWS_1250, None),
            ("żona został", WINDOWS_1250, None),
            ("řeka a moře", WINDOWS_1250, None),
            ("Łódź", WINDOWS_1250, None),
            ("Łódka", WINDOWS_1250, None),
            ("ığdır", WINDOWS_1254, None),
            ("ąžuolas", WINDOWS_1257, None),
            ("Привет", WINDOWS_1251, None),
            ("čas", WINDOWS_1250, Some("e.cz")),
            ("şey", WINDOWS_1254, Some("e.com.tr")),
        ] {
            let bytes = encoding.encode(text).0;
            let document = [&b"<rss><title>"[..], &bytes, b"</title></rss>"].concat();
            assert_eq!(guessed(&document, host), encoding.name(), "{text}");
        }
    }

    #[test]
    fn an_unknown_label_is_named_with_what_was_assumed() {
        for label in [
            "cp850",
            "x-mac-greek",
            "x-user-defined",
            "utf-7",
            "iso-2022-kr",
            "klingon",
            "hz-gb-2312",
        ] {
            let (encoding, warnings) = found(&declared(label), None);
            let [unknown] = warnings.as_slice() else { panic!("{label}: {warnings:?}") };
            assert_eq!(unknown.code, "unknown_charset");
            let end = format!("{label:?} in the declaration; decoded as {encoding}");
            assert!(unknown.message.ends_with(&end), "{}", unknown.message);
            // An ASCII document too, because its author meant another encoding.
            let http = format!("text/xml; charset={label}");
            assert_eq!(found(b"<rss/>", Some(&http)).1[0].code, "unknown_charset");
        }
    }

    #[test]
    fn contradicting_labels_are_reported() {
        let bytes = declared("windows-1251");
        for (http, name, message) in [
            (
                "text/xml; charset=utf-8",
                "windows-1251",
                "labelled as UTF-8 but not valid UTF-8; decoded as windows-1251",
            ),
            (
                "text/xml; charset=koi8-r",
                "KOI8-R",
                "labelled as KOI8-R, but as windows-1251 in the declaration; decoded as KOI8-R",
            ),
            (
                "text/xml; charset=utf-16",
                "windows-1251",
                "labelled as UTF-16LE but not valid UTF-16LE; decoded as windows-1251",
            ),
        ] {
            let (encoding, warnings) = found(&bytes, Some(http));
            assert_eq!((encoding, warnings[0].message.as_str()), (name, message));
            assert_eq!((warnings.len(), warnings[0].code.as_ref()), (1, "mislabelled_charset"));
        }
        assert_eq!(found(&bytes, Some("text/xml; charset=cp1251")).1, []);
    }

    /// The text of a document in an encoding, which the declaration and the HTTP header name.
    fn read(text: &str, encoding: &'static Encoding, declared: &str, http: &str) -> String {
        let declaration = if declared.is_empty() {
            "<?xml version='1.0'?>".to_owned()
        } else {
            format!("<?xml version='1.0' encoding='{declared}'?>")
        };
        let bytes =
            [declaration.as_bytes(), b"<rss>", &encoding.encode(text).0, b"</rss>"].concat();
        let content_type =
            format!("text/xml{}{http}", if http.is_empty() { "" } else { "; charset=" });
        let decoded = decode(&bytes, Some(&content_type), None);
        decoded.document().replace("<rss>", "").replace("</rss>", "")
    }

    #[test]
    fn a_charset_of_the_header_that_cannot_be_right_gives_way() {
        const RU: &str = "Сегодня в Москве прошла встреча по вопросам энергетики";
        const JA: &str = "日本政府は今日、新しい教育政策を発表した。来年4月から実施される予定だ。";
        const FR: &str = "Le café était fermé à Noël, déjà vu, où êtes-vous";
        for (text, encoding, declared, http) in [
            (RU, WINDOWS_1251, "windows-1251", "us-ascii"),
            (RU, WINDOWS_1251, "windows-1251", "ISO-8859-1"),
            (JA, SHIFT_JIS, "Shift_JIS", "euc-jp"),
            (JA, SHIFT_JIS, "Shift_JIS", "iso-8859-1"),
            // Where the header can be right, it is (RFC 7303 3.2).
            (RU, WINDOWS_1251, "koi8-r", "windows-1251"),
            (RU, WINDOWS_1251, "iso-8859-1", "windows-1251"),
            (JA, EUC_JP, "Shift_JIS", "euc-jp"),
            (FR, WINDOWS_1252, "windows-1251", "iso-8859-1"),
            (FR, WINDOWS_1252, "Shift_JIS", "us-ascii"),
        ] {
            assert_eq!(read(text, encoding, declared, http), text, "{declared} {http}");
        }
    }

    #[test]
    fn iso_2022_jp_is_recognised_without_a_label() {
        let text = "日本のニュース";
        for (declared, http) in [("", ""), ("utf-8", ""), ("", "utf-8"), ("iso-2022-jp", "")] {
            assert_eq!(read(text, ISO_2022_JP, declared, http), text, "{declared} {http}");
        }
        assert_eq!(found(b"<rss>a \x1b[31m b</rss>", None).0, "UTF-8");
    }
}
