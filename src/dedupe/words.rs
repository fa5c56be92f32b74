//! The words of a text: equal words in equal order are the same text, however it is cased or composed.
//!
//! Leaves what is whose to `paragraphs`, and what the words prove to `likeness` and `verdict`.

use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::tuning::MAX_WORDS;

/// What a word does for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It says something.
    Plain,
    /// It says which: a number, a version, a time, a day, a month.
    Number,
    /// It names: written with a capital inside a sentence.
    Name,
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Of its letters, in lower case; the same in every build, for it is stored.
    pub hash: u64,
    /// What it does.
    pub kind: Kind,
    /// Its length in characters; a character of a script without spaces is a word.
    pub length: u8,
    /// What it carries, in tenths of an English word.
    pub load: u8,
}

/// The words of one text, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(pub Vec<Word>);

impl Words {
    /// The words of plain text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut words = Vec::new();
        read(text, &mut words);
        words.truncate(MAX_WORDS);
        Self(words)
    }

    /// How much they say, in English words: where articles, prepositions and vowels are not written or
    /// stand inside a word, it takes fewer words, and where each character counts as one, more.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.iter().map(|word| usize::from(word.load)).sum::<usize>() / 10
    }

    /// Of all of them together.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest_of(&self.0)
    }
}

/// Number words and the number that each stands for, by hash, ascending.
static NUMERALS: LazyLock<Vec<(u64, u64)>> = LazyLock::new(|| {
    let number = |line: &'static str| {
        let (number, words) = line.split_once(' ').unwrap_or((line, ""));
        words.split_whitespace().map(move |word| (hash_of(word), hash_of(number)))
    };
    let mut numerals: Vec<(u64, u64)> =
        lines(include_str!("data/numerals.txt")).into_iter().flat_map(number).collect();
    numerals.sort_unstable();
    numerals
});

/// Days and months, by hash, ascending.
static DATES: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let words = lines(include_str!("data/dates.txt")).into_iter().flat_map(str::split_whitespace);
    let mut dates: Vec<u64> = words.map(hash_of).collect();
    dates.sort_unstable();
    dates
});

/// The lines of a data file that say something.
pub(super) fn lines(data: &'static str) -> Vec<&'static str> {
    data.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Splits a text into words. Addresses are none: each service shortens them in its own way.
pub(super) fn read(text: &str, words: &mut Vec<Word>) {
    let mut rest = text;
    while let Some((at, length)) = address(rest) {
        plain(&rest[..at], words);
        rest = &rest[at + length..];
    }
    plain(rest, words);
}

fn plain(text: &str, words: &mut Vec<Word>) {
    if text.is_ascii() {
        return split(text, words);
    }
    // UAX 15: one character, one spelling.
    split(&ComposingNormalizerBorrowed::new_nfkc().normalize(text), words);
}

/// Place and length of the first address in a text: a piece with a scheme, or a host and a path.
fn address(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let slash = from + text[from..].find('/')?;
        let start = text[..slash]
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let end = text[slash..].find(char::is_whitespace).map_or(text.len(), |at| slash + at);
        let piece = &text[start..end];
        let host = piece.split('/').next().unwrap_or_default();
        let hosted = host.contains('.')
            && !host.ends_with('.')
            && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            && host.ends_with(|c: char| c.is_ascii_alphabetic());
        if piece.contains("://") || hosted {
            return Some((start, end - start));
        }
        from = end;
    }
}

/// A word being read.
#[derive(Default)]
struct Open {
    letters: String,
    capital: bool,
    digit: bool,
    /// Stands between two digits only: `1.2`, `12:30`.
    joint: Option<char>,
    /// It is a hashtag, which is no word of the text: each service has its own.
    tag: bool,
}

impl Open {
    /// Makes room for the next word; the letters keep their memory.
    fn clear(&mut self) {
        self.letters.clear();
        (self.capital, self.digit, self.joint) = (false, false, None);
    }
}

fn split(text: &str, words: &mut Vec<Word>) {
    let mut open = Open::default();
    let mut opens_sentence = true;
    for c in text.chars() {
        if is_word(c) {
            if let Some(joint) = open.joint.take() {
                if c.is_ascii_digit() {
                    open.letters.push(joint);
                } else {
                    close(&mut open, &mut opens_sentence, words);
                }
            }
            if without_spaces(c) {
                close(&mut open, &mut opens_sentence, words);
                open.letters.push(c);
                close(&mut open, &mut opens_sentence, words);
                continue;
            }
            open.capital |= open.letters.is_empty() && c.is_uppercase();
            open.digit |= c.is_numeric();
            match c.is_ascii() {
                true => open.letters.push(c.to_ascii_lowercase()),
                false => open.letters.extend(c.to_lowercase()),
            }
        } else if matches!(c, '\'' | '’' | 'ʼ' | '\u{ad}' | '\u{200d}' | '\u{200c}') {
            // Inside a word; at its end it vanishes as well.
        } else if matches!(c, '.' | ',' | ':')
            && open.letters.ends_with(|c: char| c.is_ascii_digit())
        {
            open.joint = Some(if c == ',' { '.' } else { c });
        } else if c == '#' && open.letters.is_empty() {
            open.tag = true;
        } else {
            let ends =
                matches!(c, '.' | '!' | '?' | ':' | '…' | '"' | '“' | '”' | '„' | '«' | '»' | '\n');
            close(&mut open, &mut opens_sentence, words);
            opens_sentence |= ends;
        }
    }
    close(&mut open, &mut opens_sentence, words);
}

/// Ends a word, if one is open.
fn close(open: &mut Open, opens_sentence: &mut bool, words: &mut Vec<Word>) {
    let tag = std::mem::take(&mut open.tag) && !open.digit;
    if open.letters.is_empty() || tag {
        return open.clear();
    }
    let written = hash_of(&open.letters);
    let numeral = NUMERALS.binary_search_by_key(&written, |(word, _)| *word).ok();
    let hash = numeral.map_or(written, |at| NUMERALS[at].1);
    let kind = match () {
        () if open.digit || numeral.is_some() => Kind::Number,
        () if DATES.binary_search(&written).is_ok() => Kind::Number,
        () if open.capital && !*opens_sentence => Kind::Name,
        () => Kind::Plain,
    };
    let length = open.letters.chars().count().min(255) as u8;
    let load = open.letters.chars().next().map_or(10, load);
    words.push(Word { hash, kind, length, load });
    // "1." at the end of a sentence, not inside of a number.
    *opens_sentence = open.joint.is_some();
    open.clear();
}

fn is_word(c: char) -> bool {
    // Marks belong to the letters before them: Hindi, Arabic, what does not compose.
    c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{93c}'..='\u{94d}' | '\u{5b0}'..='\u{5c7}' | '\u{64b}'..='\u{65f}')
}

/// Scripts that put no space between words: each character counts as one.
fn without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// What a word that begins so carries, in tenths of an English one: by comparing translations.
fn load(first: char) -> u8 {
    match first {
        c if without_spaces(c) => 6,
        // Hebrew, Arabic, Hangul.
        '\u{590}'..='\u{77f}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' => 16,
        // Greek, Cyrillic.
        '\u{370}'..='\u{52f}' | '\u{1f00}'..='\u{1fff}' => 12,
        _ => 10,
    }
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// Of words in their order.
pub(super) fn digest_of(words: &[Word]) -> u64 {
    words.iter().fold(FNV, |hash, word| mix(hash ^ word.hash))
}

/// FNV-1a: the same in every build and on every machine, which the standard hasher does not promise.
pub(super) fn hash_of(letters: &str) -> u64 {
    let hash = letters
        .bytes()
        .fold(FNV, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(hash)
}

/// Spreads the bits (the finaliser of `SplitMix64`).
pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        Words::of_text(a).digest() == Words::of_text(b).digest()
    }

    fn kinds(text: &str) -> Vec<Kind> {
        Words::of_text(text).0.iter().map(|word| word.kind).collect()
    }

    #[test]
    fn versions_times_and_days_are_numbers_and_names_are_names() {
        use Kind::{Name, Number, Plain};
        assert_eq!(
            kinds("Released 1.2.3 in Bern on Monday, 12:30."),
            [Plain, Number, Plain, Name, Plain, Number, Number]
        );
        assert_eq!(
            kinds("It ends. Then"),
            [Plain, Plain, Plain],
            "a sentence begins with a capital"
        );
    }

    #[test]
    fn addresses_are_no_words() {
        assert!(same("Read it at https://e.org/a?b=c now", "Read it at sho.example/w7Qz now"));
        assert!(!same("and/or", ""), "a slash makes no address");
        assert!(!same("12.5/20", "12.6/20"));
    }

    #[test]
    fn hashtags_are_no_words_and_numbers_of_issues_are() {
        assert!(same("Fog again today #weather #sea", "Fog again today"));
        assert!(!same("See #123", "See"));
    }

    #[test]
    fn a_script_without_spaces_has_a_word_a_character() {
        assert_eq!(Words::of_text("東京で地震").0.len(), 5);
        assert_eq!(Words::of_text("हिन्दी में").0.len(), 2);
    }
}
