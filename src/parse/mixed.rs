//! Documents in UTF-8 with parts in another encoding: single bytes of Windows-1252, characters written as two
//! surrogates (CESU-8), and sequences that were cut.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::model::ParseWarning;

/// What the labels of a document say about UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// One of them is UTF-8, or the document has no label.
    AllowUtf8,
    /// They name another encoding.
    ExcludeUtf8,
}

/// A decoded document and what was repaired.
#[derive(Debug)]
pub(super) struct Mixed {
    pub(super) text: String,
    /// Number of characters that were written as two surrogates.
    pairs: usize,
    /// Number of sequences that were read as Windows-1252.
    strays: usize,
    /// Number of incomplete sequences.
    cuts: usize,
}

/// Decodes bytes that are not valid UTF-8; `None` if most of the text is in another encoding.
pub(super) fn decode(bytes: &[u8], labels: Labels) -> Option<Mixed> {
    if bytes.contains(&0) {
        return None;
    }
    let (bytes, pairs) = join_surrogates(bytes);
    if !Evidence::of(&bytes).is_utf_8(labels) {
        return None;
    }
    let text = String::with_capacity(bytes.len() + bytes.len() / 64);
    let mut mixed = Mixed { text, pairs, strays: 0, cuts: 0 };
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        mixed.text.push_str(chunk.valid());
        at += chunk.valid().len() + chunk.invalid().len();
        mixed.add(chunk.invalid(), bytes.get(at).copied());
    }
    Some(mixed)
}

impl Mixed {
    /// Adds bytes that are not valid UTF-8. `after` is the byte after them.
    fn add(&mut self, invalid: &[u8], after: Option<u8>) {
        if invalid.is_empty() {
            return;
        }
        if is_cut(invalid, self.text.chars().next_back(), after) {
            self.cuts += 1;
            self.text.push('\u{fffd}');
        } else {
            self.strays += 1;
            self.text.push_str(&WINDOWS_1252.decode_without_bom_handling(invalid).0);
        }
    }

    pub(super) fn parse_warnings(&self) -> impl Iterator<Item = ParseWarning> {
        let found = [
            (self.strays, "mixed_charset", "a mix of UTF-8 and Windows-1252"),
            (self.pairs, "mixed_charset", "a mix of UTF-8 and CESU-8"),
            (
                self.cuts,
                "bad_bytes",
                "some sequences of UTF-8 are incomplete; they were replaced by \u{fffd}",
            ),
        ];
        let found = found.into_iter().filter(|(count, ..)| *count > 0);
        found.map(|(_, code, message)| ParseWarning::new(code, None, message.to_owned()))
    }
}

/// Whether invalid bytes are a part of a sequence, not characters of Windows-1252.
fn is_cut(invalid: &[u8], before: Option<char>, after: Option<u8>) -> bool {
    let in_word = before.is_some_and(|c| c.is_ascii_alphabetic());
    let length = match invalid {
        // The beginning of a quotation mark or an emoji. Other beginnings are also a letter and a punctuation mark of
        // Windows-1252, such as `é»`.
        [0xe2 | 0xf0, _, ..] => return true,
        [_, _, ..] => return !in_word,
        [0xc2..=0xdf] => 2,
        [0xe0..=0xef] => 3,
        [0xf0..=0xf4] => 4,
        _ => return false,
    };
    // The first byte of a letter like the one before it.
    if before.is_some_and(|c| c.len_utf8() == length && c.is_alphabetic()) {
        return true;
    }
    // First bytes of frequent sequences that as letters are rare at the end of a word.
    let is_rare = matches!(invalid, [0xc2..=0xc5 | 0xce | 0xcf | 0xd0 | 0xd1 | 0xe2 | 0xf0]);
    let ends_word = !after.is_some_and(|byte| byte.is_ascii_alphabetic());
    is_rare && ends_word && !before.is_some_and(|c| c.is_ascii_uppercase())
}

/// How far bytes look like UTF-8.
#[derive(Debug, Default)]
struct Evidence {
    /// Number of valid sequences, and of those whose bytes do not follow each other in Western text.
    valid: usize,
    sure: usize,
    /// Number of valid sequences that are Latin letters or symbols.
    latin: usize,
    /// Number of invalid sequences, and of those that are one byte between ASCII characters.
    invalid: usize,
    alone: usize,
}

impl Evidence {
    fn of(bytes: &[u8]) -> Self {
        let (mut evidence, mut at) = (Self::default(), 0);
        for chunk in bytes.utf8_chunks() {
            evidence.add_valid(chunk.valid());
            at += chunk.valid().len();
            let is_ascii = |at: usize| bytes.get(at).is_none_or(u8::is_ascii);
            match chunk.invalid() {
                // The beginning of a quotation mark or an emoji is no evidence against UTF-8.
                [] | [0xe2, 0x80] | [0xf0, 0x9f, ..] => {}
                invalid => {
                    evidence.invalid += 1;
                    let is_alone = at.checked_sub(1).is_none_or(is_ascii) && is_ascii(at + 1);
                    evidence.alone += usize::from(is_alone && invalid.len() == 1);
                }
            }
            at += chunk.invalid().len();
        }
        evidence
    }

    fn add_valid(&mut self, text: &str) {
        let mut follows = false;
        for c in text.chars() {
            if c.is_ascii() {
                follows = false;
                continue;
            }
            self.valid += 1;
            self.latin += usize::from(matches!(c, '\u{a0}'..='\u{17f}'));
            // Punctuation and emoji.
            let is_sure = matches!(c, '\u{2010}'..='\u{20bf}' | '\u{1f000}'..='\u{1ffff}');
            self.sure += usize::from(follows || is_sure);
            follows = true;
        }
    }

    /// Text in another encoding has more invalid sequences than valid ones. If that is a Western one, its letters are
    /// between ASCII letters and rarely are a sequence; in any other, they follow each other.
    fn is_utf_8(&self, labels: Labels) -> bool {
        let is_mostly = self.valid >= 2 * self.invalid;
        let is_among_western = labels == Labels::AllowUtf8
            && 2 * self.alone >= self.invalid
            && (self.sure > 0 || 8 * self.latin >= self.invalid);
        self.valid > 0 && (is_mostly || is_among_western)
    }
}

/// The bytes with surrogates joined to characters, and the number of pairs. A half is replaced by U+FFFD, unless it may
/// be text in Windows-1252 after a letter, such as `í »`.
fn join_surrogates(bytes: &[u8]) -> (Cow<'_, [u8]>, usize) {
    let (mut joined, mut taken, mut pairs) = (Vec::new(), 0, 0);
    for at in memchr::memchr_iter(0xed, bytes) {
        let Some(first) = surrogate(&bytes[at..]) else { continue };
        if at < taken {
            continue;
        }
        let pair = surrogate(&bytes[at + 3..])
            .and_then(|second| char::decode_utf16([first, second]).next().and_then(Result::ok));
        let in_word = bytes[..at].last().is_some_and(u8::is_ascii_alphabetic);
        if pair.is_none() && in_word {
            continue;
        }
        joined.extend_from_slice(&bytes[taken..at]);
        let character = pair.unwrap_or('\u{fffd}');
        joined.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        taken = at + if pair.is_some() { 6 } else { 3 };
        pairs += usize::from(pair.is_some());
    }
    if taken == 0 {
        return (Cow::Borrowed(bytes), 0);
    }
    joined.extend_from_slice(&bytes[taken..]);
    (Cow::Owned(joined), pairs)
}

/// The surrogate that the bytes begin with, encoded as if it were a character.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    match bytes {
        [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] => {
            Some(0xd000 | (u16::from(second & 0x3f) << 6) | u16::from(third & 0x3f))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_JP, EUC_KR, GBK, SHIFT_JIS, WINDOWS_1251, WINDOWS_1253};

    use super::*;

    fn text(bytes: &[u8]) -> Option<String> {
        decode(bytes, Labels::AllowUtf8).map(|mixed| mixed.text)
    }

    fn codes(bytes: &[u8]) -> Vec<String> {
        let mixed = decode(bytes, Labels::AllowUtf8).unwrap();
        mixed.parse_warnings().map(|warning| warning.code.into_owned()).collect()
    }

    #[test]
    fn valid_sequences_stay_whatever_other_bytes_there_are() {
        let strays = b"<p>caf\xe9 \x93q\x94 na\xefve 5 \x80</p>";
        let read = "<p>café “q” naïve 5 €</p>";
        for valid in ["It’s", "Grüße", "日本", "Привет", "😀", "–", "é"] {
            for number in 1..=4 {
                let bytes = [valid.as_bytes(), &strays.repeat(number)].concat();
                let expected = format!("{valid}{}", read.repeat(number));
                // One letter is no evidence against ten.
                let is_enough = valid != "é" || number == 1;
                assert_eq!(text(&bytes), Some(expected).filter(|_| is_enough), "{valid} {number}");
            }
        }
        let bytes = ["It’s".as_bytes(), strays].concat();
        assert_eq!(codes(&bytes), ["mixed_charset"]);
    }

    #[test]
    fn characters_written_as_two_surrogates_are_joined() {
        let smile = b"Smile \xed\xa0\xbd\xed\xb8\x80 end";
        assert_eq!(text(smile).as_deref(), Some("Smile 😀 end"));
        assert_eq!(codes(smile), ["mixed_charset"]);
        let halves = b" \xed\xa0\xbd x caf\xe9 aqu\xed\xa0\xbb ";
        let all = [&smile[..], halves, "日本日本日本".as_bytes()].concat();
        let expected = "Smile 😀 end \u{fffd} x café aquí\u{a0}» 日本日本日本";
        assert_eq!(text(&all).as_deref(), Some(expected));
    }

    #[test]
    fn cut_sequences_are_replaced() {
        for (bytes, expected) in [
            (&b"\xc3\x9cn\xc3\xaf \xd0</p>"[..], "Ünï \u{fffd}</p>"),
            (b"\xc3\x9cn\xc3\xaf \xe2\x80</p>", "Ünï \u{fffd}</p>"),
            (b"\xc3\x9cn\xc3\xafx\xe2\x80...", "Ünïx\u{fffd}..."),
            (b"\xe6\x97\xa5\xe6\x9c\xac\xe8</p>", "日本\u{fffd}</p>"),
            (b"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa</p>", "日本\u{fffd}</p>"),
            (b"\xf0\x9f\x98\x80 \xf0\x9f\x98</p>", "😀 \u{fffd}</p>"),
        ] {
            assert_eq!(text(bytes).as_deref(), Some(expected));
            assert_eq!(codes(bytes), ["bad_bytes"]);
        }
        // Letters of Windows-1252 that are also first bytes.
        let words =
            b"\xe2\x80\x9cS\xc3O\xe2\x80\x9d caf\xe9\xbb \xe0 caf\xe9</p> ESPA\xd1A 3 \xd7 4";
        assert_eq!(text(words).as_deref(), Some("“SÃO” café» à café</p> ESPAÑA 3 × 4"));
    }

    #[test]
    fn text_in_another_encoding_is_not_utf_8() {
        for (text, encoding) in [
            ("Він сказав: «ДОБРЕ» і пішов додому, НАТО»", WINDOWS_1251),
            ("Новости сегодня важные «МИД» СССР»", WINDOWS_1251),
            ("Ειδήσεις σήμερα «ναί»", WINDOWS_1253),
            ("今日新闻 头条 中国", GBK),
            ("오늘의 뉴스 속보", EUC_KR),
            ("日本語のニュース 速報", SHIFT_JIS),
            ("日本語のニュース 速報", EUC_JP),
            ("Größe über »Spaß« und Grüße", WINDOWS_1252),
            ("Le café\u{a0}» était fermé, déjà", WINDOWS_1252),
        ] {
            let bytes = encoding.encode(text).0;
            assert!(decode(&bytes, Labels::AllowUtf8).is_none(), "{text}");
            assert!(decode(&bytes, Labels::ExcludeUtf8).is_none(), "{text}");
        }
        // A label of another encoding is only wrong if most of the text is UTF-8.
        let few = ["It’s ".as_bytes(), b"\x93q\x94"].concat();
        assert!(decode(&few, Labels::ExcludeUtf8).is_none());
        let most = ["“It’s” – “OK”".as_bytes(), b" \x85"].concat();
        assert!(decode(&most, Labels::ExcludeUtf8).is_some());
    }
}
