//! The encoding of a document by its bytes.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Encoding, ISO_2022_JP, ISO_8859_2, ISO_8859_4, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254,
    WINDOWS_1257, WINDOWS_1258,
};

/// Whether bytes are not valid in an encoding.
pub(super) fn has_errors(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).is_none()
}

/// Whether a document is in ISO-2022-JP, whatever its label: ESC is no character of XML or JSON, and what it begins is valid.
pub(super) fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    let is_shift = |at: usize| {
        matches!(bytes.get(at + 1..at + 3), Some([b'$', b'B' | b'@'] | [b'(', b'J' | b'I']))
    };
    memchr::memchr(0x1b, bytes).is_some_and(is_shift)
        && bytes.is_ascii()
        && !has_errors(ISO_2022_JP, bytes)
}

/// The encoding that the bytes are most likely in; `host` is the name of the host of the document.
pub(super) fn detect(bytes: &[u8], host: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let country = host.and_then(country);
    let guess = detector.guess(country.map(str::as_bytes), Utf8Detection::Deny);
    if country.is_none() && is_western(bytes, guess) { WINDOWS_1252 } else { guess }
}

/// The top-level domain of a country, from which chardetng knows the languages of a document.
fn country(host: &str) -> Option<&str> {
    let last = host.trim_end_matches('.').rsplit('.').next()?;
    // chardetng panics on capital letters.
    let is_label = last.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    Some(last).filter(|last| is_label && (last.len() == 2 || last.starts_with("xn--")))
}

/// Number of bytes outside of ASCII up to which a guess between Latin encodings is chance.
const FEW: usize = 16;

/// Whether a document of few bytes outside of ASCII is Windows-1252 rather than the guessed Latin encoding: each of
/// them is the same character in both, or one that is in its place only in Windows-1252.
fn is_western(bytes: &[u8], guess: &'static Encoding) -> bool {
    const LATIN: [&Encoding; 6] =
        [WINDOWS_1250, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258, ISO_8859_2, ISO_8859_4];
    let others = || bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii());
    if !LATIN.contains(&guess) || others().count() > FEW {
        return false;
    }
    let count = |sign: u8| others().filter(|(_, byte)| **byte == sign).count();
    let is_quoted = count(0xab) == count(0xbb);
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0xc0;
    let letter = |at: usize| bytes.get(at).copied().filter(is_letter);
    others().all(|(at, byte)| {
        let (before, after) = (at.checked_sub(1).and_then(letter), letter(at + 1));
        let one = [*byte];
        let is_same = || {
            let guessed = guess.decode_without_bom_handling(&one).0;
            guessed == WINDOWS_1252.decode_without_bom_handling(&one).0
        };
        match byte {
            // Quotation marks, dashes and others, which are controls in ISO 8859.
            0x80 | 0x82 | 0x84 | 0x85 | 0x91..=0x97 | 0x99 | 0xa0 | 0xb7 => true,
            // `£`, `©`, `®` and fractions.
            0xa3 | 0xa9 | 0xae | 0xbc..=0xbe => before.is_none() && after.is_none(),
            // `«` and `»`.
            0xab => is_quoted && before.is_none(),
            0xbb => is_quoted && after.is_none(),
            // `œu`.
            0x8c | 0x9c => matches!(after, Some(b'u' | b'U')),
            // `ï` after another vowel.
            0xef => matches!(before, Some(b'a' | b'o' | b'u')) && after.is_some(),
            _ => is_same(),
        }
    })
}
