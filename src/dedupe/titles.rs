//! Titles: how similar two are, and whether they are two parts of a series. Pure.

use std::collections::HashSet;

use super::house_style::{is_measure, is_rounded};
use super::lexicon::is_little;
use super::likeness::slots;
use super::tuning::{FRAME, TITLE_ALIKE};
use super::words::{Kind, Word, Words, digest_of, hash_of, width};

/// A title as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Title {
    words: Vec<Word>,
    width: usize,
    /// The hashes of its words, ascending, each once.
    set: Vec<u32>,
}

/// The words of two titles in one place of a common frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exchanged<'t> {
    /// The words of the first title.
    pub(super) own: &'t [Word],
    /// The words of the second title.
    pub(super) theirs: &'t [Word],
}

/// Number of words from which a title is a sentence.
const HEADLINE: usize = 5;

impl Title {
    /// Reads a title; an absent one has no words.
    #[must_use]
    pub fn new(title: Option<&str>) -> Self {
        let title = without_rubric(title.unwrap_or_default());
        let mut words = Words::of_text(title).0;
        for (word, text) in words.iter_mut().zip(title.split_whitespace()) {
            // Only where words and pieces go together; a numeral of a series is a separate word.
            let text = text.trim_matches(|c: char| !c.is_alphanumeric());
            if is_roman(text) && word.hash == hash_of(&text.to_lowercase()) {
                word.kind = Kind::Number;
            }
        }
        // "Part A" and "Part β" are numbered too.
        if let Some(last) = words.last_mut().filter(|_| ends_in_letter(title)) {
            last.kind = Kind::Number;
        }
        Self::of_words(words, width(title))
    }

    /// A title made of words that were read from the store.
    pub(super) fn of_words(words: Vec<Word>, width: usize) -> Self {
        let mut set: Vec<u32> = words.iter().map(|word| word.hash).collect();
        set.sort_unstable();
        set.dedup();
        Self { words, width, set }
    }

    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }

    /// Number of its words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether it has no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Width in columns: a character of a script without spaces, or of Hangul, takes two.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Digest of its words.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest_of(&self.words)
    }

    /// From 0 to 1: the part of the shorter title's words that the other has too.
    #[must_use]
    pub fn alike(&self, other: &Self) -> f32 {
        let (a, b) = (&self.set, &other.set);
        let shorter = a.len().min(b.len());
        // One word is in many titles.
        if shorter < 2 && a != b || shorter == 0 {
            return 0.0;
        }
        let shared = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
        shared as f32 / shorter as f32
    }

    /// Whether both say the same: most of either is in the other.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let (shorter, longer) = (self.len().min(other.len()), self.len().max(other.len()));
        shorter >= 3 && self.alike(other) >= TITLE_ALIKE && 2 * longer <= 3 * shorter
    }

    /// Whether both are of one series and not the same of it: the same words, but for a number, a
    /// version, a day. Part 1 is not part 2.
    #[must_use]
    pub fn is_sibling(&self, other: &Self) -> bool {
        let (mine, others) = (self.numbers(), other.numbers());
        if mine == others || self.is_empty() || other.is_empty() {
            return false;
        }
        let laid = slots(&self.words, &other.words, None);
        let plain = |title: &Self| title.words.iter().filter(|w| w.kind != Kind::Number).count();
        let (shorter, longer) = (plain(self).min(plain(other)), plain(self).max(plain(other)));
        let same_plain = laid.kept.saturating_sub(mine.intersection(&others).count());
        // The frame is the same, and the numbers in it are not.
        let framed = same_plain as f32 >= FRAME * shorter as f32;
        let apart = !mine.is_empty() && !others.is_empty();
        let apart = apart && (laid.numbers > 0 || mine.is_disjoint(&others));
        let one_more = same_plain == shorter && shorter == longer;
        framed && (apart || one_more)
    }

    /// Whether another number is in the place of a number: part 1 and part 2. A paper that leaves a number out of a
    /// headline, or rounds it, names the same thing.
    pub(super) fn renumbers(&self, other: &Self) -> bool {
        let same = |(a, b): (&Word, &Word)| {
            a.hash == b.hash || a.kind == Kind::Number && b.kind == Kind::Number
        };
        let masked = self.len() == other.len() && self.words.iter().zip(&other.words).all(same);
        if !masked && slots(&self.words, &other.words, None).numbers == 0 {
            return false;
        }
        let (mine, others) = (self.numbers(), other.numbers());
        let own: Vec<u32> = mine.difference(&others).copied().collect();
        let theirs: Vec<u32> = others.difference(&mine).copied().collect();
        let rounded = match (own.as_slice(), theirs.as_slice()) {
            ([one], [another]) => is_rounded(*one, *another),
            _ => false,
        };
        !(rounded && self.is_headline() && other.is_headline())
    }

    /// Whether single letters are in the places of others: "Group A: dates", "Group B: dates". Of two that may be words one
    /// is no name: "у" and "в" are both "in".
    pub(super) fn is_lettered(&self, other: &Self) -> bool {
        let letter =
            |word: &Word| word.length == 1 && word.kind != Kind::Number && !word.is_character();
        let named = |word: &Word| word.kind == Kind::Name;
        let lettered = |(a, b): (&Word, &Word)| {
            letter(a) && letter(b) && (named(a) && named(b) || !is_little(a) || !is_little(b))
        };
        let mut apart = self.words.iter().zip(&other.words).filter(|(a, b)| a.hash != b.hash);
        self.len() == other.len() && self.set != other.set && apart.all(lettered)
    }

    /// What each has between the words with which both begin and end, where each has something there. `None` if they have
    /// no such frame of two words or characters.
    pub(super) fn exchanged<'t>(&'t self, other: &'t Self) -> Option<Exchanged<'t>> {
        let (a, b) = (self.words.as_slice(), other.words.as_slice());
        let same = |(a, b): &(&Word, &Word)| a.hash == b.hash;
        let before = a.iter().zip(b).take_while(same).count();
        let (a, b) = (&a[before..], &b[before..]);
        let behind = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
        let (own, theirs) = (&a[..a.len() - behind], &b[..b.len() - behind]);
        let framed = before + behind >= 2 && !own.is_empty() && !theirs.is_empty();
        framed.then_some(Exchanged { own, theirs })
    }

    /// Whether one is all of the other and a number more: "v3" and "v3 rc 4", in few words.
    #[must_use]
    pub fn is_successor(&self, other: &Self) -> bool {
        let numbers = |title: &Self| title.words.iter().filter(|w| w.kind == Kind::Number).count();
        let kept = slots(&self.words, &other.words, None).kept;
        let (shorter, longer) =
            if self.len() < other.len() { (self, other) } else { (other, self) };
        kept == shorter.len() && (1..=4).contains(&kept) && numbers(shorter) < numbers(longer)
    }

    /// Whether one frame holds other words in each: "The hedgehog and the hat", "… and the wheel".
    #[must_use]
    pub fn is_variant(&self, other: &Self) -> bool {
        let laid = slots(&self.words, &other.words, None);
        let shorter = self.len().min(other.len());
        laid.kept >= 2 && laid.kept as f32 >= FRAME * shorter as f32 && laid.lost > 0
    }

    /// Whether each has words that the other has not, and not only the name of a site before or behind the same words; or,
    /// in a script without spaces, the same characters in another order.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        if !self.has_own(other) || !other.has_own(self) {
            return self.is_reordered(other);
        }
        self.alike(other) < TITLE_ALIKE || slots(&self.words, &other.words, None).lost > 0
    }

    /// Whether it has a word that the other lacks and that tells two things apart.
    fn has_own(&self, other: &Self) -> bool {
        self.words.iter().any(|word| tells_apart(word) && !other.has(word))
    }

    fn has(&self, word: &Word) -> bool {
        self.set.binary_search(&word.hash).is_ok()
    }

    /// Whether characters of a script without spaces are in another order: the names 田中 and 中田.
    fn is_reordered(&self, other: &Self) -> bool {
        let (a, b) = (self.words.as_slice(), other.words.as_slice());
        let characters = a.iter().chain(b).filter(|word| word.is_character()).count();
        // In a language with spaces another order of words says the same.
        characters > 0
            && 2 * characters >= a.len() + b.len()
            && !is_shortened(a, b)
            && !is_shortened(b, a)
            && !is_moved(a, b)
            && !is_moved(b, a)
    }

    /// Whether it is a sentence with numbers in it, and not the name of a series with its number at the end.
    pub(super) fn is_headline(&self) -> bool {
        let ends_in_number = self.words.last().is_some_and(|word| word.kind == Kind::Number);
        self.len() >= HEADLINE && !ends_in_number
    }

    /// Words that only this title has, without little words.
    pub(super) fn difference(&self, other: &Self) -> Vec<&Word> {
        let counts =
            |word: &&Word| word.length >= 3 || word.kind != Kind::Plain || word.is_character();
        self.words.iter().filter(counts).filter(|word| !other.has(word)).collect()
    }

    /// Number of its words that the other has too, without little words.
    pub(super) fn shares(&self, other: &Self) -> usize {
        self.difference(&Self::default()).len() - self.difference(other).len()
    }

    /// Hashes of its numbers.
    pub(super) fn numbers(&self) -> HashSet<u32> {
        self.words.iter().filter(|word| word.kind == Kind::Number).map(|word| word.hash).collect()
    }

    /// Words that only this title has, without common words.
    pub(super) fn own(&self, other: &Self) -> HashSet<u32> {
        let own = self.words.iter().filter(|word| word.length >= 3 && !other.has(word));
        own.map(|word| word.hash).collect()
    }
}

/// Whether a word that only one of two titles has tells two things apart, whatever its length.
pub(super) fn tells_apart(word: &Word) -> bool {
    word.length > 2 || word.kind != Kind::Plain || !is_little(word) && !is_measure(word)
}

/// Whether all words of one title are in the other in the same order.
fn is_shortened(title: &[Word], full: &[Word]) -> bool {
    let mut rest = full.iter();
    title.iter().all(|word| rest.any(|other| other.hash == word.hash))
}

/// Whether half of two titles is the same and what is before it in one is behind it in the other, as the name of a site.
fn is_moved(title: &[Word], other: &[Word]) -> bool {
    let least = title.len().min(other.len()).div_ceil(2).max(2);
    let same = |(a, b): (&Word, &Word)| a.hash == b.hash;
    let from = title.len().saturating_sub(other.len())..=title.len().saturating_sub(least);
    from.into_iter().any(|from| title[from..].iter().zip(other).all(same))
}

/// What a paper puts before a headline without saying anything of the story: "BREAKING:", "[Security]",
/// "UPDATE 1-".
const RUBRICS: &[&str] = &[
    "breaking",
    "breaking news",
    "update",
    "updated",
    "live",
    "watch",
    "video",
    "exclusive",
    "just in",
    "alert",
    "news alert",
    "developing",
    "urgent",
    "security",
    "eil",
    "eilmeldung",
    "exklusiv",
    "dernière minute",
    "urgente",
    "última hora",
    "ultim'ora",
];

/// A headline without its rubrics, at most two of them.
fn without_rubric(title: &str) -> &str {
    let strip = |title: &'_ str| -> Option<usize> {
        let start = title.len() - title.trim_start().len();
        let text = &title[start..];
        if let Some(rest) = text.strip_prefix('[') {
            let end = rest.find(']').filter(|end| *end <= 24)?;
            let plain = !rest[..end].chars().any(|c| c.is_numeric());
            return plain.then_some(start + end + 2);
        }
        let mark = text.find([':', '-', '|', '–', '—']).filter(|at| *at <= 24)?;
        let head =
            text[..mark].trim_end().trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
        let known = RUBRICS.contains(&head.to_lowercase().as_str());
        // "Live-blog" is a word, "UPDATE 1-Ferry" and "LIVE: ferry" are rubrics.
        let capitals =
            !head.chars().any(char::is_lowercase) || text[mark..].starts_with([':', '|']);
        let width = text[mark..].chars().next().map_or(1, char::len_utf8);
        (known && capitals).then_some(start + mark + width)
    };
    let mut rest = title;
    for _ in 0..2 {
        match strip(rest) {
            Some(end) if rest[end..].chars().any(char::is_alphanumeric) => rest = &rest[end..],
            _ => break,
        }
    }
    rest.trim_start()
}

/// Whether a title ends in a single letter that is no word: a capital, or a Greek, Cyrillic, Hebrew or Arabic letter.
fn ends_in_letter(title: &str) -> bool {
    let mut end = title.trim_end_matches(|c: char| !c.is_alphanumeric()).chars().rev();
    let letter =
        |c: char| c.is_alphabetic() && (c.is_uppercase() || matches!(c, '\u{370}'..='\u{6ff}'));
    end.next().is_some_and(letter) && end.next().is_some_and(|c| c.is_whitespace() || c == '(')
}

/// `II`, `IV`: also `I`, `V`, `X`, which a series may end with.
fn is_roman(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'I' | b'V' | b'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> Title {
        Title::new(Some(text))
    }

    #[test]
    fn a_sites_name_behind_a_title_changes_little() {
        let (a, b) = (
            title("Ferry runs aground off Onver"),
            title("Ferry runs aground off Onver | The Gull"),
        );
        assert!(a.alike(&b) >= 1.0);
        assert!(a.alike(&title("Bakers raise bread prices again")) < 0.1);
        assert_eq!(title("").alike(&title("")), 0.0);
    }

    #[test]
    fn rubrics_are_no_part_of_a_title() {
        let plain = title("Ferry runs aground off Onver");
        for rubric in [
            "BREAKING: ",
            "[Security] ",
            "UPDATE 1-",
            "Live: ",
            "EXCLUSIVE | ",
            "[Video] BREAKING - ",
        ] {
            assert_eq!(
                title(&format!("{rubric}Ferry runs aground off Onver")).digest(),
                plain.digest(),
                "{rubric}"
            );
        }
        for (a, b) in [
            ("[PATCH 1/2] fix", "fix"),
            ("Live-blog of the day", "blog of the day"),
            ("Update:", ""),
        ] {
            assert_ne!(title(a).digest(), title(b).digest(), "{a}");
        }
    }

    #[test]
    fn another_number_in_the_place_of_a_number_names_another_thing() {
        for (a, b) in [
            ("The mill murders, part 1", "The mill murders, part 2"),
            ("Harbour talk 2/3", "Harbour talk 3/3"),
            ("Part 19: the mill and its owner", "Part 21: the mill and its owner"),
            ("Annual report 2029", "Annual report 2030"),
        ] {
            assert!(title(a).renumbers(&title(b)) && title(b).renumbers(&title(a)), "{a} / {b}");
        }
        for (a, b) in [
            ("Ferry with 41 people aground off Onver", "Ferry with 40 people aground off Onver"),
            ("Ferry with 47 people aground off Onver", "Ferry with forty people aground off Onver"),
            ("Jobless rate rises to 6.3 percent", "Jobless rate rises to 6 percent"),
            ("41 saved from stranded ferry", "All saved from stranded ferry"),
            ("Rooms (7): the ninth chair", "The ninth chair"),
        ] {
            assert!(!title(a).renumbers(&title(b)) && !title(b).renumbers(&title(a)), "{a} / {b}");
        }
    }

    #[test]
    fn a_number_more_is_a_successor_in_few_words_only() {
        assert!(title("Weaver v3.0.0-rc.4").is_successor(&title("Weaver v3.0.0")));
        assert!(!title("Weaver v3.0.0").is_successor(&title("Weaver v3.0.0")));
        assert!(!title("Ferry with 41 on board").is_successor(&title("Fog")));
    }

    #[test]
    fn single_letters_in_one_place_name_two_things() {
        for (a, b) in [
            ("Group A: new dates", "Group B: new dates"),
            ("Course Α: new dates", "Course Β: new dates"),
            ("Группа А: даты", "Группа Б: даты"),
            ("Gruppe Ä: Termine", "Gruppe Ö: Termine"),
            ("A team", "B team"),
            ("R language course", "C language course"),
            ("Α Δημοτικού", "Β Δημοτικού"),
        ] {
            assert!(title(a).is_lettered(&title(b)) && title(b).is_lettered(&title(a)), "{a}");
        }
        for (a, b) in [
            ("Group A: new dates", "Group A: new dates"),
            ("Dog saves a boy", "Dog saves boy"),
            ("Dog saves a boy", "Dog saves the boy"),
            ("Ferry with 4 aground", "Ferry with 5 aground"),
            ("Вибух у Києві", "Вибух в Києві"),
            ("Вечори і ранки", "Вечори й ранки"),
            ("Аварыя ў Мінску", "Аварыя у Мінску"),
            ("Slys í Keflavík", "Slys á Keflavík"),
            ("Wypadek w Krakowie", "Wypadek z Krakowie"),
            ("O que muda", "A que muda"),
            ("W Krakowie", "Z Krakowem"),
            ("A dog saves boy", "The dog saves boy"),
        ] {
            assert!(!title(a).is_lettered(&title(b)) && !title(b).is_lettered(&title(a)), "{a}");
        }
    }

    #[test]
    fn a_frame_with_other_words_in_it_is_a_variant() {
        assert!(title("Otto and the wheel").is_variant(&title("Otto and the hat")));
        assert!(!title("Otto and the wheel").is_variant(&title("Otto and the wheel: a story")));
        assert!(!title("Otto and the wheel").is_variant(&title("Bread is dear now")));
    }

    #[test]
    fn the_name_of_a_site_contradicts_no_title() {
        let plain = title("Ferry runs aground off Onver");
        for same in [
            "Reuters - Ferry runs aground off Onver",
            "Ferry runs aground off Onver | The Gull",
            "FERRY RUNS AGROUND OFF ONVER",
            "Ferry runs aground",
            "",
        ] {
            assert!(!plain.contradicts(&title(same)), "{same}");
        }
        for (a, b) in [
            ("Weather for Berlin", "Weather for Hamburg"),
            ("Berlin weather", "Weather in Hamburg"),
            ("Weaver 3", "Weaver 4"),
            ("東京の天気", "大阪の天気"),
            ("Dog saves boy", "Volcano erupts"),
        ] {
            assert!(
                title(a).contradicts(&title(b)) && title(b).contradicts(&title(a)),
                "{a} / {b}"
            );
        }
    }

    #[test]
    fn titles_contradict_each_other_or_neither_does() {
        for (a, b) in [
            ("AI IT", "IT AI講座"),
            ("Toyota 新 model in Japan", "In Japan a model Toyota 新"),
            ("東京新聞：人事異動", "人事異動｜東京新聞"),
        ] {
            let (a, b) = (title(a), title(b));
            assert!(!a.contradicts(&b) && !b.contradicts(&a));
        }
        let (a, b) = (title("田中"), title("中田"));
        assert!(a.contradicts(&b) && b.contradicts(&a));
    }

    #[test]
    fn another_number_in_the_same_frame_is_another_of_the_series() {
        for (a, b) in [
            ("kelpd v1.2.3", "kelpd v1.2.4"),
            ("Mending nets, part 1", "Mending nets, part 2"),
            ("Mending nets, part one", "Mending nets, part two"),
            ("The long walk, chapter III", "The long walk, chapter IV"),
            ("Murder at the Weir (II)", "Murder at the Weir (III)"),
            ("Weaver 3", "Weaver"),
            ("Forecast for Monday", "Forecast for Tuesday"),
            ("Open thread, 3 March", "Open thread, 10 March"),
            ("Building a boat, part A", "Building a boat, part B"),
            ("Building a boat, part α", "Building a boat (β)"),
        ] {
            assert!(title(a).is_sibling(&title(b)), "{a} / {b}");
            assert!(title(b).is_sibling(&title(a)), "{b} / {a}");
        }
        for (a, b) in [
            ("kelpd v1.2.3", "kelpd v1.2.3"),
            ("Ferry with 40 aground", "Forty people saved from a stranded ferry near 2 islands"),
            ("Ferry runs aground", "Ferry runs aground off Onver"),
            ("V. I. Lenin museum opens", "Lenin museum opens"),
        ] {
            assert!(!title(a).is_sibling(&title(b)), "{a} / {b}");
        }
    }
}
