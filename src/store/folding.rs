//! Words as they are indexed and searched: without case, accents and signs of pronunciation, in every script, and in one
//! form of Unicode (NFKC), so that `㎏` is `kg` and half-width letters are letters.
//!
//! Texts and queries are folded in the same way, so that both have the same words. SQLite only separates them at
//! spaces.

use std::ops::Range;
use std::sync::OnceLock;

use unicode_normalization::char::{
    canonical_combining_class, decompose_compatible, is_combining_mark,
};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::search_query::{is_dense, is_symbol};
use crate::text::chars::ascii_digit;

/// The stroke through `=` in a decomposed `≠`.
const STROKE: &str = "\u{338}";

/// Splits text into words and runs of letters that need no spaces, folded, and calls `each` for them in order.
pub(super) fn words(text: &str, mut each: impl FnMut(&str)) {
    let (mut rest, mut word) = (text, String::new());
    while let Some(first) = rest.bytes().next() {
        if first.is_ascii() && !first.is_ascii_alphanumeric() && !rest[1..].starts_with(STROKE) {
            rest = &rest[1..];
            continue;
        }
        let letters = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        let mut end = letters.unwrap_or(rest.len());
        // Nearly all words end here; only other letters need the tables of Unicode.
        if end > 0 && parts_words_at(&rest[end..]) {
            word.clear();
            word.push_str(&rest[..end]);
            word.make_ascii_lowercase();
            each(&word);
        } else {
            end = end_of_piece(rest);
            fold(&rest[..end], &mut word);
            // A folded letter may contain a space, or letters of several kinds.
            parts(&word).filter(|part| !part.starts_with(parts_words)).for_each(&mut each);
        }
        // A separator.
        rest = &rest[end.max(rest.chars().next().map_or(0, char::len_utf8))..];
    }
}

/// The text in order as separators, words, and runs of letters that need no spaces.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let kind = |c: char| match Class::of(c) {
            _ if c.is_ascii() => (!c.is_ascii_alphanumeric(), false),
            _ if is_settled(c) => (false, true),
            Some(class) => (class.parts_words, class.is_dense),
            None => (parts_words(c), is_dense(c)),
        };
        let first = kind(rest.chars().next()?);
        let is_other = |c: char| kind(c) != first && (first.0 || !is_attached(c));
        let (part, behind) = rest.split_at(rest.find(is_other).unwrap_or(rest.len()));
        rest = behind;
        Some(part)
    })
}

/// A text in its folded form, with where each of its letters begins.
pub(super) struct Letters {
    folded: String,
    /// Positions in bytes in the text and in its folded form, in ascending order.
    starts: Vec<(usize, usize)>,
    /// Length of the text in bytes.
    length: usize,
}

impl Letters {
    /// Folds each letter with what is composed with it; nothing else changes its folded form.
    pub(super) fn new(text: &str) -> Self {
        let begins = text.char_indices().filter(|(at, c)| *at == 0 || !is_joined(*c));
        let mut begins = begins.map(|(at, _)| at).peekable();
        let (mut all, mut folded, mut starts) = (String::new(), String::new(), Vec::new());
        while let Some(at) = begins.next() {
            let end = begins.peek().copied().unwrap_or(text.len());
            fold(&text[at..end], &mut folded);
            starts.push((at, all.len()));
            all.push_str(&folded);
        }
        Self { folded: all, starts, length: text.len() }
    }

    /// Where the letters of a folded run are in the text, in bytes. `from`: where a letter begins, before which no place
    /// counts.
    pub(super) fn place(&self, run: &str, from: usize) -> Option<Range<usize>> {
        let (_, begin) = *self.starts.get(self.starts.partition_point(|(at, _)| *at < from))?;
        let found = begin + self.folded[begin..].find(run)?;
        let first = self.starts.partition_point(|(_, folded)| *folded <= found).checked_sub(1)?;
        let behind = self.starts.partition_point(|(_, folded)| *folded < found + run.len());
        let end = self.starts.get(behind).map_or(self.length, |(at, _)| *at);
        Some(self.starts[first].0..end)
    }
}

/// Length in bytes of the text up to the next separator.
fn end_of_piece(text: &str) -> usize {
    let ends =
        |(at, c): (usize, char)| (parts_words(c) && parts_words_at(&text[at..])).then_some(at);
    text.char_indices().find_map(ends).unwrap_or(text.len())
}

/// Whether a separator is next, or the text ends.
fn parts_words_at(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_none_or(parts_words) && !chars.as_str().starts_with(STROKE)
}

/// Writes a text without separators in its folded form.
fn fold(word: &str, folded: &mut String) {
    folded.clear();
    let mut before = 0;
    for c in word.chars() {
        if c.is_ascii() || is_settled(c) {
            folded.push(c.to_ascii_lowercase());
            before = 0;
            continue;
        }
        let Some(Class { folded: Some(alone), order, .. }) = Class::of(c) else {
            return fold_any(word, folded);
        };
        if *order > 0 && *order < before {
            return fold_any(word, folded);
        }
        folded.push_str(alone);
        if !alone.is_empty() {
            before = *order;
        }
    }
}

/// As [`fold`], for all characters.
fn fold_any(word: &str, folded: &mut String) {
    folded.clear();
    let mut plain_letters = String::with_capacity(word.len());
    for c in word.nfkc() {
        // Part of a symbol may be a separator: `≠` is `=` with a stroke.
        match is_symbol(c) {
            true => plain_letters.push(c),
            false => decompose_compatible(c, |part| fold_letter(part, &mut plain_letters)),
        }
    }
    // Hangul and kana are composed again.
    folded.extend(plain_letters.nfc());
}

/// Appends a letter that has no decomposition.
fn fold_letter(c: char, folded: &mut String) {
    if is_ignored(c) {
        return;
    }
    if c.is_ascii() {
        return folded.push(c.to_ascii_lowercase());
    }
    // Upper case first: `ß` is `SS`, and both forms of sigma are one letter.
    for letter in c.to_uppercase().flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(plain) => folded.push_str(plain),
            None if is_ignored(letter) => {}
            None => folded.push(ascii_digit(letter).unwrap_or(letter)),
        }
    }
}

/// Whether a letter is its own folded form, whatever is beside it: most of Han, kana and Hangul.
fn is_settled(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30fe}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// What is known of a character, computed once.
struct Class {
    /// Its folded form; `None`: it depends on the characters beside it.
    folded: Option<Box<str>>,
    /// Place in the canonical order of marks; 0: it is no mark, or ignored.
    order: u8,
    parts_words: bool,
    is_dense: bool,
}

/// Number of characters that are computed together.
const BLOCK: usize = 256;
/// Number of blocks: those of the planes with alphabets and symbols.
const BLOCKS: usize = 2 * 65_536 / BLOCK;

static CLASSES: [OnceLock<Box<[Class]>>; BLOCKS] = [const { OnceLock::new() }; BLOCKS];

impl Class {
    fn of(c: char) -> Option<&'static Self> {
        let (block, at) = (c as usize / BLOCK, c as usize % BLOCK);
        let classes = CLASSES.get(block)?.get_or_init(|| {
            let codes = (block * BLOCK..(block + 1) * BLOCK).map(|code| code as u32);
            codes.map(|code| Self::new(char::from_u32(code).unwrap_or_default())).collect()
        });
        classes.get(at)
    }

    fn new(c: char) -> Self {
        let mut folded = String::new();
        fold_any(c.encode_utf8(&mut [0; 4]), &mut folded);
        // Nothing before it can be composed with it.
        let is_inert = |c: char| is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes;
        let is_alone =
            |part: char| is_inert(part) && (part == c || canonical_combining_class(part) == 0);
        let is_simple = is_inert(c) && folded.chars().all(is_alone);
        let is_skipped = folded.is_empty() && !STROKE.contains(c);
        Self {
            order: if is_skipped { 0 } else { canonical_combining_class(c) },
            folded: (is_simple || is_skipped).then(|| folded.into()),
            parts_words: parts_words_by_tables(c),
            is_dense: is_dense(c),
        }
    }
}

/// Letters that are a base letter with a stroke, or two letters, but have no decomposition in Unicode.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ł' => "l",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        // Persian and Urdu write two letters of Arabic in another form, and some texts mix them.
        'ی' | 'ى' => "ي",
        'ک' => "ك",
        _ => return None,
    })
}

/// Whether a character changes the sound or look of the letter before it, or is invisible.
fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        // Accents.
        | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{2de0}'..='\u{2dff}'
        | '\u{a66f}'..='\u{a672}' | '\u{a674}'..='\u{a67d}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{e0100}'..='\u{e01ef}'
        // Parts of flags.
        | '\u{e0020}'..='\u{e007f}'
        // Vowels and cantillation of Hebrew.
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'
        // Vowels and other signs of Arabic, and the stretched line.
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{898}'..='\u{89f}' | '\u{8ca}'..='\u{8e1}' | '\u{8e3}'..='\u{8ff}'
        // The dot below letters of Hindi, which many leave out.
        | '\u{93c}'
        // Vowels of Syriac.
        | '\u{711}' | '\u{730}'..='\u{74a}')
}

/// Whether a character belongs to the letter before it.
pub(super) fn is_attached(c: char) -> bool {
    !c.is_ascii() && (is_ignored(c) || is_combining_mark(c))
}

/// Whether a character may change the folded form of the letter before it, or is invisible.
fn is_joined(c: char) -> bool {
    if c.is_ascii() || is_settled(c) {
        return false;
    }
    let mut first = None;
    decompose_compatible(c, |part| first = first.or(Some(part)));
    let first = first.unwrap_or(c);
    let is_composed = || is_nfc_quick(std::iter::once(first)) != IsNormalized::Yes;
    is_ignored(c) || canonical_combining_class(first) > 0 || is_composed()
}

/// Whether a character separates words.
pub(super) fn parts_words(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => !c.is_ascii_alphanumeric(),
        // The most common others, without a look into the tables of Unicode.
        '\u{2010}'..='\u{2027}' => true,
        c if is_settled(c) => false,
        c => Class::of(c).map_or_else(|| parts_words_by_tables(c), |class| class.parts_words),
    }
}

fn parts_words_by_tables(c: char) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric() || is_dense(c) || is_attached(c);
    // Characters for private use may be letters.
    if is_of_word(c) || ('\u{e000}'..='\u{f8ff}').contains(&c) {
        return false;
    }
    let mut parts_words = true;
    decompose_compatible(c, |part| parts_words &= !is_of_word(part));
    parts_words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        words(text, |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn case_and_accents_are_no_difference_in_any_script() {
        for (one, other) in [
            ("Ελλάδα ΑΘΗΝΑ στην", "ελλαδα Αθήνα ΣΤΗΝ"),
            ("πόλης", "ΠΟΛΗΣ"),
            ("Ёлка ёжик Й", "елка Ежик и"),
            ("Київ їжак", "КИІВ іжак"),
            ("Straße GIESSEN", "STRASSE Gießen"),
            ("İstanbul ılık", "istanbul ILIK"),
            ("Łódź Smørrebrød œuvre Ångström", "lodz smorrebrod OEUVRE angstrom"),
            ("e\u{301}clair", "ÉCLAIR"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد كــتاب", "محمد كتاب"),
            ("ﬁne １２ Ａ", "fine 12 a"),
            ("Don’t", "don't"),
            ("Donau\u{ad}dampf", "donaudampf"),
            ("Հայաստան", "ՀԱՅԱՍՏԱՆ"),
            ("ქართული", "ᲥᲐᲠᲗᲣᲚᲘ"),
            ("5㎏ ㍿ ㍻ ㌔ ㋿ 25℃", "5kg 株式会社 平成 キロ 令和 25°c"),
            ("ﾊﾟｿｺﾝ ｶﾞｲﾄﾞ", "パソコン ガイド"),
            ("\u{fa19}社", "神社"),
            ("น้ํา", "น้ำ"),
            ("٢٠٢٦ ۱۳۹۹ २०२६", "2026 1399 2026"),
            ("فارسي كتاب على", "فارسی کتاب علی"),
            ("x =\u{338} y", "x ≠ y"),
        ] {
            assert_eq!(of(one), of(other), "{one} {other}");
        }
    }

    #[test]
    fn a_text_folded_letter_by_letter_is_the_same() {
        for text in [
            "ﾊﾟｿｺﾝｶﾞｲﾄﾞ",
            "か\u{3099}いと\u{1112}\u{1161}\u{11ab}한",
            "น้ํา",
            "㍿㍻㌔㋿",
            "🇩🇪❤\u{fe0f}1\u{fe0f}\u{20e3}",
            "\u{2f800}\u{20000}\u{fa19}",
        ] {
            let mut whole = String::new();
            fold(text, &mut whole);
            assert_eq!(Letters::new(text).folded, whole, "{text}");
        }
    }

    #[test]
    fn words_are_separated_by_punctuation_and_runs_stay_as_they_are() {
        for (text, expected) in [
            ("C++ and .NET, 3.5G!", &["c", "and", "net", "3", "5g"][..]),
            ("state‑of‑the‑art", &["state", "of", "the", "art"]),
            ("हिन्दी में।", &["हिन्दी", "में"]),
            ("日本語のニュース、今日", &["日本語のニュース", "今日"]),
            ("iPhone手机。", &["iphone", "手机"]),
            ("🦊 5€", &["🦊", "5", "€"]),
            ("Rust🦀lang ★★★ a→b", &["rust", "🦀", "lang", "★★★", "a", "→", "b"]),
            ("1\u{fe0f}\u{20e3} ❤\u{fe0f}", &["1", "❤"]),
            ("x ≠ y, x=y", &["x", "≠", "y", "x", "y"]),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn every_form_of_unicode_has_the_same_words() {
        // Three symbols of mathematics are signs of ASCII in their plain form.
        let is_sign = |c: &char| ('\u{2a74}'..='\u{2a76}').contains(c);
        for c in
            ('\0'..=char::MAX).filter(|c| (c.is_alphanumeric() || is_symbol(*c)) && !is_sign(c))
        {
            let text = format!("q{c}q");
            let folded = of(&text).concat();
            assert!(folded.len() > 2 || !is_symbol(c), "{c:?} U+{:X}", u32::from(c));
            let forms: [String; 4] = [
                text.nfc().collect(),
                text.nfd().collect(),
                text.nfkc().collect(),
                text.nfkd().collect(),
            ];
            for form in forms {
                assert_eq!(of(&form).concat(), folded, "{c:?} U+{:X} {form:?}", u32::from(c));
            }
        }
    }

    #[test]
    fn every_letter_in_every_case_is_a_word_that_folds_to_itself() {
        // The upper case of the combining iota is a letter.
        let letter = |c: &char| c.is_alphanumeric() && !is_dense(*c) && *c != '\u{345}';
        for c in ('\0'..=char::MAX).filter(letter) {
            let folded = of(&format!("q{c}q")).concat();
            assert!(!folded.is_empty(), "{c:?}");
            assert_eq!(of(&folded).concat(), folded, "{c:?} U+{:X}", u32::from(c));
            // An iota below a Greek letter is an accent, but beside it in capitals.
            if ('\u{1f80}'..='\u{1fff}').contains(&c) {
                continue;
            }
            for other in [c.to_lowercase().collect::<String>(), c.to_uppercase().collect()] {
                assert_eq!(of(&format!("q{other}q")).concat(), folded, "{c:?} {other:?}");
            }
        }
    }
}
