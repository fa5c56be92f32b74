//! How much two texts share, exactly: weighted Jaccard and containment over their shingles, and the places where they
//! differ.
//!
//! A function of the two texts and the current weights, never of what else is stored: so the answer does not depend on
//! the order of arrival. `verdict` decides what follows from it.
//!
//! The weight of a word is how much it proves: rare words prove much, common ones little (inverse document frequency).
//! Weights are learned from stored texts at intervals and fixed in between, so that two texts get the same answer
//! whatever arrived between them. Until enough texts are stored, weights depend on the length: short words are common
//! in every language.

use std::collections::HashSet;

use jiff::Timestamp;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::fingerprint::Comparable;
use super::house_style::{self, Found, Piece};
use super::tuning::{
    LEAD, LONGEST_LEAD, OPENING, OPENING_OF_OTHER, SHARED_NAMES, SHINGLE, SLOT_WORDS, UNIT_WORDS,
};
use super::words::{Kind, Word, Words, mix};

/// What two texts share.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Likeness {
    /// Shared weight divided by all weight, 0 to 1.
    pub jaccard: f32,
    /// Shared weight divided by the weight of the lighter text, 0 to 1.
    pub containment: f32,
    /// Mean weight of the shingles that both have, 0.15 to 1; 0 where they share none.
    pub rarity: f32,
    /// Length of the shorter text in English words.
    pub shorter: usize,
    /// Length of the longer text in English words.
    pub longer: usize,
}

/// A shingle and its weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shingle {
    /// Hash of its words.
    pub hash: u64,
    /// The mean of its words' weights.
    pub weight: f32,
}

/// The shingles of a text, by hash, each once.
#[must_use]
pub fn shingles(words: &[Word], weights: &Weights) -> Vec<Shingle> {
    let weights: Vec<f32> = words.iter().map(|word| weights.of(word)).collect();
    let windows = words.windows(SHINGLE).zip(weights.windows(SHINGLE));
    let mut shingles: Vec<Shingle> = windows
        .map(|(words, weights)| Shingle {
            hash: shingle(words),
            weight: weights.iter().sum::<f32>() / SHINGLE as f32,
        })
        .collect();
    shingles.sort_unstable_by_key(|shingle| shingle.hash);
    shingles.dedup_by_key(|shingle| shingle.hash);
    shingles
}

/// Hash of consecutive words.
pub(super) fn shingle(window: &[Word]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    mix(window.iter().fold(0, |hash: u64, word| (hash ^ u64::from(word.hash)).wrapping_mul(FACTOR)))
}

/// How much of two texts is the same, by their shingles.
#[must_use]
pub fn likeness(a: &Comparable, b: &Comparable) -> Likeness {
    let (left, right) = (a.shingles.as_slice(), b.shingles.as_slice());
    let (mut i, mut j, mut shared, mut count) = (0, 0, 0.0, 0_u32);
    while i < left.len() && j < right.len() {
        let (x, y) = (left[i], right[j]);
        if x.hash == y.hash {
            shared += x.weight;
            count += 1;
        }
        // Without a branch that cannot be predicted.
        i += usize::from(x.hash <= y.hash);
        j += usize::from(y.hash <= x.hash);
    }
    let part = |whole: f32| if whole > 0.0 { shared / whole } else { 0.0 };
    Likeness {
        jaccard: part(a.weight + b.weight - shared),
        containment: part(a.weight.min(b.weight)),
        rarity: shared / count.max(1) as f32,
        shorter: a.size.min(b.size),
        longer: a.size.max(b.size),
    }
}

/// The larger part of the beginning of either text that is in the other, 0 to 1.
#[must_use]
pub fn shared_beginning(a: &Comparable, b: &Comparable, weights: &Weights) -> f32 {
    let part = |of: &Comparable, other: &Comparable| {
        let length = (of.words.0.len() as f32 * LEAD) as usize;
        let beginning = shingles(&of.words.0[..length.min(LONGEST_LEAD)], weights);
        let shared = |shingle: &&Shingle| {
            other.shingles.binary_search_by_key(&shingle.hash, |s| s.hash).is_ok()
        };
        let all: f32 = beginning.iter().map(|shingle| shingle.weight).sum();
        let found: f32 = beginning.iter().filter(shared).map(|shingle| shingle.weight).sum();
        if all > 0.0 { found / all } else { 0.0 }
    };
    part(a, b).max(part(b, a))
}

/// The larger part of the first words of either text that are among the first of the other, 0 to 1.
#[must_use]
pub fn shared_opening(a: &Words, b: &Words, weights: &Weights) -> f32 {
    let opening = |text: &Words, other: &Words| {
        let (text, other) = (text.0.iter().take(OPENING), other.0.iter().take(OPENING_OF_OTHER));
        shared_words(text, other, weights)
    };
    opening(a, b).max(opening(b, a))
}

/// The part of the words of a text, each counted once, that are in the other, 0 to 1; without little words.
pub(super) fn shared_words<'w>(
    text: impl Iterator<Item = &'w Word>,
    other: impl Iterator<Item = &'w Word>,
    weights: &Weights,
) -> f32 {
    let there: HashSet<u32> = other.map(|word| word.hash).collect();
    let counts = |word: &&Word| word.length > 3 || word.kind != Kind::Plain || word.load < 10;
    let (mut seen, mut all, mut shared) = (HashSet::new(), 0.0, 0.0);
    for word in text.filter(counts).filter(|word| seen.insert(word.hash)) {
        all += weights.of(word);
        shared += if there.contains(&word.hash) { weights.of(word) } else { 0.0 };
    }
    if all > 0.0 { shared / all } else { 0.0 }
}

/// The names and numbers of the shorter of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SharedNames {
    /// Number of different names and numbers.
    pub(super) all: usize,
    /// Number of these that are in the longer text at any place.
    shared: usize,
    /// Number of these that are names.
    pub(super) shared_names: usize,
}

impl SharedNames {
    /// Whether the texts have enough of them in common that they report one thing.
    pub(super) fn most_are_shared(self) -> bool {
        self.shared as f32 >= SHARED_NAMES * self.all as f32
    }
}

/// Compares the names and numbers that are `counted` by their hash.
pub(super) fn shared_names(
    a: &Comparable,
    b: &Comparable,
    counted: impl Fn(u32) -> bool,
) -> SharedNames {
    let (shorter, longer) = if a.size <= b.size { (a, b) } else { (b, a) };
    let there: HashSet<u32> = longer.words.0.iter().map(|word| word.hash).collect();
    let own = shorter.names().filter(|word| counted(word.hash));
    let own: HashSet<(u32, bool)> = own.map(|word| (word.hash, word.kind == Kind::Name)).collect();
    let shared: Vec<_> = own.iter().filter(|(hash, _)| there.contains(hash)).collect();
    let names = shared.iter().filter(|(_, is_name)| *is_name).count();
    SharedNames { all: own.len(), shared: shared.len(), shared_names: names }
}

/// The words at the same places of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    /// Numbers, days and names that both have there.
    pub agree: usize,
    /// Places where one has other numbers, days or names than the other.
    pub differ: usize,
    /// Number of the places of `differ` that have numbers or days.
    pub numbers: usize,
    /// Number of words that both texts have.
    pub kept: usize,
    /// Number of words of the shorter text that the other does not have.
    pub lost: usize,
    /// Places where each has content words, of any kind, that the other has not.
    pub places: usize,
}

impl Slots {
    /// The part of the places that differ, where `more` other places agree; 0 where nothing was compared.
    #[must_use]
    pub fn share(&self, more: f32) -> f32 {
        let all = (self.agree + self.differ) as f32 + more;
        if self.differ == 0 { 0.0 } else { self.differ as f32 / all }
    }
}

/// Lays two texts side by side. `published` is about when they were published: a weekday and a date may
/// mean the same day.
#[must_use]
pub fn slots(a: &[Word], b: &[Word], published: Option<Timestamp>) -> Slots {
    let hashes = |words: &[Word]| words.iter().map(|word| word.hash).collect::<Vec<_>>();
    let (left, right) = (hashes(a), hashes(b));
    let said: [HashSet<u32>; 2] = [left.iter().copied().collect(), right.iter().copied().collect()];
    let mut slots = Slots::default();
    for op in capture_diff_slices(Algorithm::Patience, &left, &right) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                let same = &a[old_index..old_index + len];
                slots.agree += same.iter().filter(|word| word.kind != Kind::Plain).count();
                slots.kept += len;
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                slots.lost += old_len.min(new_len);
                if old_len <= SLOT_WORDS && new_len <= SLOT_WORDS {
                    let (a, b) = (piece(a, old_index, old_len), piece(b, new_index, new_len));
                    fill((a, b), &said, published, &mut slots);
                }
            }
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {}
        }
    }
    slots
}

fn piece(words: &[Word], from: usize, length: usize) -> Piece<'_> {
    let (end, last) = (from + length, words.len().min(from + length + UNIT_WORDS));
    Piece { words: &words[from..end], next: &words[end..last] }
}

/// One place where two texts differ. `said` are the words of both texts: what the other says elsewhere is no
/// difference, because papers change the order.
fn fill(
    (left, right): (Piece<'_>, Piece<'_>),
    said: &[HashSet<u32>; 2],
    published: Option<Timestamp>,
    slots: &mut Slots,
) {
    let (a, b) = (left.words, right.words);
    let own = |words: &[Word], other: &HashSet<u32>, kind: Kind| {
        words.iter().any(|word| word.kind == kind && !other.contains(&word.hash))
    };
    let differ = |kind| own(a, &said[1], kind) && own(b, &said[0], kind);
    let numbers = differ(Kind::Number);
    if numbers {
        match house_style::compare(left, right, published) {
            Found::Same => return slots.agree += 1,
            Found::Unknown => return,
            Found::Other => {}
        }
    }
    slots.numbers += usize::from(numbers);
    slots.differ += usize::from(numbers || differ(Kind::Name));
    let content = |words: &[Word], other: &HashSet<u32>| {
        let says = |word: &&Word| {
            (word.length > 3 || word.kind != Kind::Plain || word.load < 10)
                && !house_style::is_measure(word)
        };
        words.iter().filter(says).any(|word| !other.contains(&word.hash))
    };
    slots.places += usize::from(numbers || content(a, &said[1]) && content(b, &said[0]));
}

/// Words share counters by hash; a collision makes a word look a little more common than it is.
const COUNTERS: usize = 1 << 16;
/// Minimum number of texts that weights are learned from.
pub const ENOUGH: u32 = 2_000;

/// Weights of words, from 0.15 to 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Number of texts that were read.
    texts: u32,
    /// Number of texts that have a word, by the low bits of its hash; empty while nothing was learnt.
    counts: Vec<u16>,
    /// The weights that follow from the counts; empty until they are complete.
    weights: Vec<f32>,
}

impl Weights {
    /// Learns from one text.
    pub fn read(&mut self, text: &Words) {
        self.counts.resize(COUNTERS, 0);
        let mut slots: Vec<usize> = text.0.iter().map(slot).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            self.counts[slot] = self.counts[slot].saturating_add(1);
        }
        self.texts += 1;
    }

    /// What was learnt; `None` when it was from fewer than [`ENOUGH`] texts.
    #[must_use]
    pub fn learnt(self) -> Option<Self> {
        (self.texts >= ENOUGH).then(|| self.complete())
    }

    /// Works out every weight once: a comparison asks for hundreds.
    fn complete(mut self) -> Self {
        let texts = self.texts as f32;
        let weight =
            |count: &u16| ((texts / (f32::from(*count) + 1.0)).ln() / texts.ln()).clamp(0.15, 1.0);
        self.weights = self.counts.iter().map(weight).collect();
        self
    }

    /// The weight of a word.
    #[must_use]
    pub fn of(&self, word: &Word) -> f32 {
        if let Some(weight) = self.weights.get(slot(word)) {
            return *weight;
        }
        match word.length {
            0..=2 => 0.3,
            3 => 0.45,
            4 => 0.7,
            _ => 1.0,
        }
    }

    /// The weights in the form that the store keeps.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let counts = self.counts.iter().flat_map(|count| count.to_le_bytes());
        self.texts.to_le_bytes().into_iter().chain(counts).collect()
    }

    /// Reads weights in the form of [`Weights::to_bytes`]; `None`: another version of newswire wrote them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (texts, counts) = bytes.split_first_chunk::<4>()?;
        let counts: Vec<u16> =
            counts.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let learnt = Self { texts: u32::from_le_bytes(*texts), counts, weights: Vec::new() };
        (learnt.counts.len() == COUNTERS).then(|| learnt.complete())
    }
}

fn slot(word: &Word) -> usize {
    (word.hash as usize) & (COUNTERS - 1)
}

#[cfg(test)]
mod tests {
    use super::super::{Fingerprint, Text};
    use super::*;

    fn words(text: &str) -> Words {
        Words::of_text(text)
    }

    fn text(text: &str) -> Comparable {
        let text = Text::of_html(text);
        let fingerprint = Fingerprint { text, ..Fingerprint::default() };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    #[test]
    fn a_text_is_wholly_like_itself_and_not_at_all_like_another() {
        let ferry = text("the ferry to the island ran aground in fog near the northern pier");
        let other = text("bakers in the old town have raised prices for bread by a tenth");
        let same = likeness(&ferry, &ferry);
        assert!(same.jaccard > 0.999 && same.containment > 0.999, "{same:?}");
        assert_eq!(likeness(&ferry, &other).jaccard, 0.0);
        assert_eq!(likeness(&ferry, &text("")).containment, 0.0);
    }

    #[test]
    fn a_beginning_is_contained_in_its_text() {
        let full =
            "the ferry to the island ran aground in fog near the northern pier on the way home";
        let got = likeness(&text(full), &text(&full[..40]));
        assert!(got.containment > 0.8 && got.jaccard < 0.6, "{got:?}");
    }

    #[test]
    fn a_form_filled_in_twice_differs_in_its_slots() {
        let a = words("The weather in Velden is cloudy with 12 degrees and wind from Norden at 20");
        let b = words("The weather in Arlen is cloudy with 17 degrees and wind from Westen at 35");
        let got = slots(&a.0, &b.0, None);
        assert_eq!((got.differ, got.numbers, got.agree), (4, 2, 0));
    }

    #[test]
    fn what_the_other_text_says_elsewhere_fills_no_slot() {
        let a = words(
            "The mayor met 12 farmers of Velden in the hall and then 30 bakers of Arlen outside",
        );
        let b = words(
            "The mayor met 30 bakers of Arlen in the hall and then 12 farmers of Velden outside",
        );
        let got = slots(&a.0, &b.0, None);
        assert_eq!((got.differ, got.numbers, got.places), (0, 0, 0));
    }

    #[test]
    fn a_word_of_every_text_weighs_little_and_a_rare_one_much() {
        let mut weights = Weights::default();
        (0..ENOUGH).for_each(|n| weights.read(&Words::of_text(&format!("the number {n}"))));
        let weights = weights.learnt().unwrap();
        let weight = |text: &str| weights.of(&Words::of_text(text).0[0]);
        assert!(weight("the") < 0.2 && weight("17") > 0.6, "{} {}", weight("the"), weight("17"));
        assert_eq!(Weights::from_bytes(&weights.to_bytes()), Some(weights));
    }

    #[test]
    fn a_few_texts_teach_nothing() {
        let mut few = Weights::default();
        few.read(&Words::of_text("one two"));
        assert_eq!(few.learnt(), None);
        assert_eq!(Weights::from_bytes(b"short"), None);
        let words = Words::of_text("of elephants");
        assert!(Weights::default().of(&words.0[0]) < Weights::default().of(&words.0[1]));
    }
}
