//! The words of a text: equal words in equal order are the same text, however it is cased or composed.
//!
//! Reads a text once and keeps no letter of it: a word is a hash and a few bits. Leaves what is whose
//! to `paragraphs`, and what the words prove to `likeness` and `verdict`.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::lexicon::{AND, Digits, GLUED, LEXICON, Listed, NumberBefore, continued};
use super::tuning::{EXACT_WORDS, MAX_WORDS};

/// What a word is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any other word.
    Plain,
    /// A number, a version, a time, a day or a month: it selects one of several.
    Number,
    /// A name: written with a capital inside a sentence.
    Name,
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Hash of its letters in lower case; the same in every build, because it is stored.
    pub hash: u32,
    /// What it is in a text.
    pub kind: Kind,
    /// Length in characters, at most [`Word::LONGEST`]; a character of a script without spaces is a word.
    pub length: u8,
    /// Amount of information, in tenths of an English word.
    pub load: u8,
}

impl Word {
    /// Longer words count as this long.
    pub const LONGEST: u8 = 7;
    /// Bytes of a stored word.
    pub(super) const BYTES: usize = 5;
    /// The values that `load` has.
    const LOADS: [u8; 4] = [10, 6, 16, 12];

    /// As it is stored: four bytes of hash, then kind, length and load in one.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let load: u8 = match self.load {
            6 => 1,
            16 => 2,
            12 => 3,
            _ => 0,
        };
        let [a, b, c, d] = self.hash.to_le_bytes();
        [a, b, c, d, self.kind as u8 | load << 2 | self.length << 4]
    }

    /// As it was stored.
    pub(super) fn from_bytes([a, b, c, d, bits]: [u8; Self::BYTES]) -> Self {
        Self {
            hash: u32::from_le_bytes([a, b, c, d]),
            kind: match bits & 3 {
                1 => Kind::Number,
                2 => Kind::Name,
                _ => Kind::Plain,
            },
            length: bits >> 4,
            load: Self::LOADS[usize::from(bits >> 2 & 3)],
        }
    }
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

    /// The length of the text in English words. A language that writes no articles, prepositions or vowels
    /// needs fewer words for the same, and a script whose characters each count as one needs more.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.iter().map(|word| usize::from(word.load)).sum::<usize>() / 10
    }

    /// Hash of all words in their order.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest_of(&self.0)
    }

    /// As [`Words::digest`]; `None` where there are too few words to recognise a text by.
    #[must_use]
    pub fn exact_digest(&self) -> Option<u64> {
        (self.size() >= EXACT_WORDS).then(|| self.digest())
    }
}

/// Splits a text into words. Addresses are left out: each service shortens them in its own way.
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

/// What a character does in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter, a mark or a digit.
    Letter,
    Digit,
    /// A character of a script without spaces: a word by itself.
    Whole,
    /// An apostrophe or a joiner: it is left out inside a word and at its end.
    Silent,
    /// Between two digits it belongs to the number: `1.2`, `12:30`.
    Joint,
    Hash,
    /// It ends a sentence.
    Stop,
    Other,
}

/// The classes of ASCII.
const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut c = 0;
    while c < 128 {
        classes[c] = match c as u8 {
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'\'' => Class::Silent,
            b'.' | b',' | b':' => Class::Joint,
            b'#' => Class::Hash,
            b'!' | b'?' | b'"' | b'\n' => Class::Stop,
            _ => Class::Other,
        };
        c += 1;
    }
    classes
};

fn class(c: char) -> Class {
    if c.is_ascii() {
        return ASCII[c as usize];
    }
    match c {
        '’' | 'ʼ' | '\u{ad}' | '\u{200d}' | '\u{200c}' => Class::Silent,
        '…' | '“' | '”' | '„' | '«' | '»' => Class::Stop,
        // The most common others, without a look into the tables of Unicode.
        '×' | '÷' | '\u{2010}'..='\u{2027}' => Class::Other,
        '\u{c0}'..='\u{24f}' => Class::Letter,
        c if without_spaces(c) && is_word(c) => Class::Whole,
        c if c.is_numeric() => Class::Digit,
        c if is_word(c) => Class::Letter,
        _ => Class::Other,
    }
}

/// A word being read.
struct Open {
    /// FNV-1a of its letters so far.
    hash: u64,
    letters: u32,
    first: char,
    capital: bool,
    digit: bool,
    /// Whether the last letter is an ASCII digit.
    after_digit: bool,
    joint: Option<u8>,
    /// A hashtag is not a word of the text: each service has its own.
    tag: bool,
    number: Digits,
    /// Whether it has a character that is not a digit.
    lettered: bool,
    /// The number before the first letter of a piece such as `10km`.
    before_unit: Option<(u64, u32, Digits)>,
    /// FNV-1a of the letters behind that number.
    unit: u64,
}

impl Open {
    const NONE: Self = Self {
        hash: FNV,
        letters: 0,
        first: ' ',
        capital: false,
        digit: false,
        after_digit: false,
        joint: None,
        tag: false,
        number: Digits::NONE,
        lettered: false,
        before_unit: None,
        unit: FNV,
    };

    fn byte(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        if self.before_unit.is_some() {
            self.unit = (self.unit ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }

    /// Adds a letter, as it is written.
    fn push(&mut self, c: char) {
        if self.letters == 0 {
            self.capital = c.is_uppercase();
        }
        if let Some(digit) = c.to_digit(10) {
            self.number.digit(digit);
        } else {
            if self.after_digit && !self.lettered {
                self.before_unit = Some((self.hash, self.letters, self.number));
                self.unit = FNV;
            }
            self.number.whole = false;
            self.lettered = true;
        }
        self.after_digit = c.is_ascii_digit();
        if c.is_ascii() {
            return self.lower(c.to_ascii_lowercase());
        }
        c.to_lowercase().for_each(|c| self.lower(c));
    }

    fn lower(&mut self, c: char) {
        if self.letters == 0 {
            self.first = c;
        }
        self.letters += 1;
        if c.is_ascii() {
            self.byte(c as u8);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.byte(byte));
        }
    }
}

/// What the words before the open one say about it.
struct Before {
    opens_sentence: bool,
    number: Option<NumberBefore>,
}

fn split(text: &str, words: &mut Vec<Word>) {
    let mut open = Open::NONE;
    let mut before = Before { opens_sentence: true, number: None };
    for c in text.chars() {
        match class(c) {
            class @ (Class::Letter | Class::Digit | Class::Whole) => {
                if let Some(joint) = open.joint.take() {
                    if c.is_ascii_digit() {
                        open.byte(joint);
                        open.number.joint(joint);
                        open.letters += 1;
                    } else {
                        close(&mut open, &mut before, words);
                    }
                }
                if class == Class::Whole {
                    close(&mut open, &mut before, words);
                    open.push(c);
                    close(&mut open, &mut before, words);
                    continue;
                }
                open.digit |= class == Class::Digit;
                open.push(c);
            }
            Class::Silent => {}
            Class::Joint if open.after_digit && open.letters > 0 => {
                open.joint = Some(if c == ',' { b'.' } else { c as u8 });
            }
            Class::Hash if open.letters == 0 => open.tag = true,
            class => {
                close(&mut open, &mut before, words);
                before.opens_sentence |= class == Class::Stop || matches!(c, '.' | ':');
                if !c.is_whitespace() && c != '-' {
                    before.number = None;
                }
            }
        }
    }
    close(&mut open, &mut before, words);
}

/// Ends a word, if one is open.
fn close(open: &mut Open, before: &mut Before, words: &mut Vec<Word>) {
    let open = std::mem::replace(open, Open::NONE);
    if open.letters == 0 || open.tag && !open.digit {
        return;
    }
    if let Some((hash, letters, number)) = open.before_unit
        && let unit = fold(mix(open.unit))
        && let Some(glued) = GLUED.iter().find(|glued| glued.hash == unit)
    {
        let first = Open { hash, letters, number, before_unit: None, ..open };
        push(&first, before, words);
        before.number = None;
        if !glued.ordinal {
            let hash = LEXICON.find(unit).map_or(unit, |listed| listed.hash(unit));
            words.push(Word { hash, kind: Kind::Plain, length: 2, load: 10 });
        }
    } else {
        push(&open, before, words);
    }
    // "1." at the end of a sentence, not inside a number.
    before.opens_sentence = open.joint.is_some();
    if open.joint.is_some() {
        before.number = None;
    }
}

/// Adds a word, or puts it into the number before it.
fn push(open: &Open, before: &mut Before, words: &mut Vec<Word>) {
    let written = fold(mix(open.hash));
    let listed = LEXICON.find(written);
    let kind = match listed {
        Some(Listed::Numeral(_) | Listed::Date) => Kind::Number,
        Some(Listed::Honorific) => Kind::Plain,
        _ if open.digit => Kind::Number,
        _ if open.capital && !before.opens_sentence => Kind::Name,
        _ => Kind::Plain,
    };
    let length = open.letters.min(u32::from(Word::LONGEST)) as u8;
    let mut word = Word { hash: written, kind, length, load: load(open.first) };
    if let Some(Listed::Spelling(hash)) = listed {
        word.hash = hash;
    }
    let value = match listed {
        Some(Listed::Numeral(value)) => Some(value),
        _ if open.digit => open.number.integer(),
        _ => None,
    };
    let Some(value) = value else {
        let joins = |first: &NumberBefore| first.spelled && !first.and && AND.contains(&written);
        let first = before.number.filter(joins);
        before.number = first.map(|first| NumberBefore { and: true, ..first });
        return words.push(word);
    };
    let number =
        NumberBefore { value, at: words.len(), spelled: !open.digit, and: false, grouped: false };
    let number =
        before.number.and_then(|first| continued(first, &number, open.letters)).unwrap_or(number);
    if number.spelled || number.at < words.len() || open.number.joints > 0 {
        word.hash = hash_of(&number.value.to_string());
    }
    words.truncate(number.at);
    words.push(word);
    before.number = Some(number);
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

/// Information of a word that begins with this character, in tenths of an English word, from translations.
fn load(first: char) -> u8 {
    match first {
        '\0'..='\u{36f}' => 10,
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
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Hash of words in their order.
pub(super) fn digest_of(words: &[Word]) -> u64 {
    words.iter().fold(FNV, |hash, word| mix(hash ^ u64::from(word.hash)))
}

/// Hash of a text: FNV-1a, the same in every build and on every machine, which the standard hasher does
/// not promise.
pub(super) fn hash64(text: &str) -> u64 {
    mix(text.bytes().fold(FNV, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)))
}

/// Hash of a word.
pub(super) fn hash_of(letters: &str) -> u32 {
    fold(hash64(letters))
}

/// The better half of a hash.
pub(super) fn fold(hash: u64) -> u32 {
    (hash >> 32) as u32
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
    fn one_number_is_one_word_however_it_is_written() {
        for (a, b) in [
            ("ninety-one", "91"),
            ("forty one", "41"),
            ("nine hundred and fifty", "950"),
            ("two thousand three hundred", "2,300"),
            ("two hundred million", "200 million"),
            ("1,180 metres", "1180 metres"),
            ("120 000 euros", "120.000 euros"),
            ("$4.2bn", "4.2 billion"),
            ("8.7km", "8,7 kilometers"),
            ("the 24th", "the 24"),
            ("einundfünfzig", "51"),
            ("quarante-deux", "42"),
            ("noventa y siete", "97"),
            ("sessantuno", "61"),
        ] {
            assert!(same(a, b), "{a} / {b}");
        }
        for (a, b) in [
            ("1.2.3", "123"),
            ("12:30", "1230"),
            ("1.18", "118"),
            ("nine, fifty", "59"),
            ("in 2025 300 people", "in 2025300 people"),
            ("4k", "4"),
        ] {
            assert!(!same(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn a_title_before_a_name_is_no_name() {
        use Kind::{Name, Plain};
        assert_eq!(
            kinds("said Mayor Brandt and President Lund"),
            [Plain, Plain, Name, Plain, Plain, Name]
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
    fn a_word_is_read_back_as_it_was_stored() {
        for word in
            Words::of_text("The 1.2 Bern of Ελλάδα, Москва, שלום, 東京 incomprehensibilities").0
        {
            assert_eq!(Word::from_bytes(word.to_bytes()), word);
        }
    }

    #[test]
    fn a_script_without_spaces_has_a_word_a_character() {
        assert_eq!(Words::of_text("東京で地震").0.len(), 5);
        assert_eq!(Words::of_text("हिन्दी में").0.len(), 2);
    }
}
