//! Words as they are indexed and searched: without case, accents and signs of pronunciation, in every script.
//!
//! Texts and queries are folded in the same way, so that both have the same words. SQLite only separates them at
//! spaces.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use super::search_query::is_dense;

/// Splits text into words and runs of scripts without spaces, folded, and calls `each` for them in order.
pub(super) fn words(text: &str, mut each: impl FnMut(&str)) {
    let (mut rest, mut word) = (text, String::new());
    while let Some(first) = rest.bytes().next() {
        if first.is_ascii() && !first.is_ascii_alphanumeric() {
            rest = &rest[1..];
            continue;
        }
        let letters = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        let mut end = letters.unwrap_or(rest.len());
        // Nearly all words end here; only other letters need the tables of Unicode.
        if end > 0 && rest[end..].chars().next().is_none_or(parts_words) {
            word.clear();
            word.push_str(&rest[..end]);
            word.make_ascii_lowercase();
            each(&word);
        } else {
            end += rest[end..].find(parts_words).unwrap_or(rest.len() - end);
            words_of_piece(&rest[..end], &mut word, &mut each);
            // The separator.
            end += rest[end..].chars().next().map_or(0, char::len_utf8);
        }
        rest = &rest[end..];
    }
}

/// The words of a text without separators.
fn words_of_piece(piece: &str, word: &mut String, each: &mut impl FnMut(&str)) {
    let mut rest = piece;
    while let Some(first) = rest.chars().next() {
        let dense = is_dense(first);
        let end = rest.find(|c| is_dense(c) != dense).unwrap_or(rest.len());
        if dense {
            each(&rest[..end]);
        } else {
            fold(&rest[..end], word);
            // A decomposed letter may contain a space or a stroke.
            for part in word.split(parts_words) {
                if !part.is_empty() {
                    each(part);
                }
            }
        }
        rest = &rest[end..];
    }
}

/// Writes a word in its folded form.
fn fold(word: &str, folded: &mut String) {
    folded.clear();
    for c in word.chars() {
        match Common::of(c) {
            _ if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            Some(common) => folded.push_str(&common.folded),
            None => return fold_any(word, folded),
        }
    }
}

/// As [`fold`], for all characters.
fn fold_any(word: &str, folded: &mut String) {
    folded.clear();
    for c in word.nfkd().filter(|c| !is_ignored(*c)) {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
            continue;
        }
        // Upper case first: `ß` is `SS`, and both forms of sigma are one letter.
        for letter in c.to_uppercase().flat_map(char::to_lowercase) {
            match plain(letter) {
                Some(plain) => folded.push_str(plain),
                None if is_ignored(letter) => {}
                None => folded.push(letter),
            }
        }
    }
}

/// A character of the alphabets of Europe, computed once.
struct Common {
    folded: String,
    parts_words: bool,
}

/// The end of the alphabets of Europe.
const COMMON: usize = 0x530;

static COMMONS: LazyLock<Vec<Common>> = LazyLock::new(|| {
    let common = |c: char| {
        let mut folded = String::new();
        fold_any(c.encode_utf8(&mut [0; 4]), &mut folded);
        Common { folded, parts_words: parts_words_by_tables(c) }
    };
    ('\0'..'\u{530}').map(common).collect()
});

impl Common {
    fn of(c: char) -> Option<&'static Self> {
        ((c as usize) < COMMON).then(|| &COMMONS[c as usize])
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
        // Vowels and cantillation of Hebrew.
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'
        // Vowels and other signs of Arabic, and the stretched line.
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{898}'..='\u{89f}' | '\u{8ca}'..='\u{8e1}' | '\u{8e3}'..='\u{8ff}'
        // Vowels of Syriac.
        | '\u{711}' | '\u{730}'..='\u{74a}')
}

/// Whether a character separates words.
fn parts_words(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => !c.is_ascii_alphanumeric(),
        // The most common others, without a look into the tables of Unicode.
        '\u{2010}'..='\u{2027}' => true,
        c => Common::of(c).map_or_else(|| parts_words_by_tables(c), |common| common.parts_words),
    }
}

fn parts_words_by_tables(c: char) -> bool {
    match c {
        // Signs that are part of words in the scripts of South and Southeast Asia, but for their punctuation.
        '\u{964}' | '\u{965}' | '\u{970}' => true,
        '\u{900}'..='\u{dff}' | '\u{1780}'..='\u{17d3}' => false,
        // Characters for private use may be letters.
        '\u{e000}'..='\u{f8ff}' => false,
        _ => !c.is_alphanumeric() && !is_ignored(c) && !is_dense(c),
    }
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
        ] {
            assert_eq!(of(one), of(other), "{one} {other}");
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
            ("🦊 5€", &["5"]),
        ] {
            assert_eq!(of(text), expected, "{text}");
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
