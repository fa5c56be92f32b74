//! How much two texts share, exactly: weighted Jaccard and containment over their shingles, and what
//! stands at the same place of both and differs.
//!
//! A function of the two texts and the weights in force, never of what else is kept: so the answer
//! does not depend on what came first. Leaves what follows from it to `verdict`.

use std::collections::HashSet;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::tuning::{LEAD, LONGEST_LEAD, OPENING, OPENING_OF_OTHER, SHINGLE, SLOT_WORDS};
use super::weights::Weights;
use super::words::{Kind, Word, Words, mix};

/// What two texts share.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Likeness {
    /// Shared weight of all weight.
    pub jaccard: f32,
    /// Shared weight of the lighter text's weight.
    pub containment: f32,
    /// How much the shorter text says, in English words.
    pub shorter: usize,
    /// The same of the longer one.
    pub longer: usize,
    /// The larger part of the beginning of either that stands in the other.
    pub lead: f32,
    /// The larger part of the first words of either that stand among the first of the other.
    pub opening: f32,
}

/// A shingle and its weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shingle {
    /// Of its words.
    pub hash: u64,
    /// The mean of its words' weights.
    pub weight: f32,
}

/// The shingles of a text, by hash, each once.
#[must_use]
pub fn shingles(words: &Words, weights: &Weights) -> Vec<Shingle> {
    let mut shingles: Vec<Shingle> = words
        .0
        .windows(SHINGLE)
        .map(|window| Shingle {
            hash: shingle(window),
            weight: window.iter().map(|word| weights.of(word)).sum::<f32>() / SHINGLE as f32,
        })
        .collect();
    shingles.sort_unstable_by_key(|shingle| shingle.hash);
    shingles.dedup_by_key(|shingle| shingle.hash);
    shingles
}

/// Of consecutive words.
pub(super) fn shingle(window: &[Word]) -> u64 {
    window.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, word| mix(hash ^ word.hash))
}

/// Compares two texts.
#[must_use]
pub fn likeness(a: &Words, b: &Words, weights: &Weights) -> Likeness {
    let (left, right) = (shingles(a, weights), shingles(b, weights));
    let lead = |words: &Words, other: &[Shingle]| {
        let length = (words.0.len() as f32 * LEAD) as usize;
        let lead = Words(words.0[..length.min(LONGEST_LEAD)].to_vec());
        part_of(&shingles(&lead, weights), other)
    };
    let total = |all: &[Shingle]| all.iter().map(|shingle| shingle.weight).sum::<f32>();
    let (of_left, of_right) = (total(&left), total(&right));
    let (mut i, mut j, mut shared) = (0, 0, 0.0);
    while i < left.len() && j < right.len() {
        match left[i].hash.cmp(&right[j].hash) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += left[i].weight;
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    let part = |whole: f32| if whole > 0.0 { shared / whole } else { 0.0 };
    Likeness {
        jaccard: part(of_left + of_right - shared),
        containment: part(of_left.min(of_right)),
        shorter: a.size().min(b.size()),
        longer: a.size().max(b.size()),
        lead: lead(a, &right).max(lead(b, &left)),
        opening: opening(a, b, weights).max(opening(b, a, weights)),
    }
}

/// The part of the first words of `text` that say something, which stand among the first of `other`.
fn opening(text: &Words, other: &Words, weights: &Weights) -> f32 {
    let there: HashSet<u64> = other.0.iter().take(OPENING_OF_OTHER).map(|word| word.hash).collect();
    let says = |word: &&Word| word.length > 3 || word.kind != Kind::Plain || word.load < 10;
    let (mut seen, mut all, mut shared) = (HashSet::new(), 0.0, 0.0);
    for word in text.0.iter().take(OPENING).filter(says).filter(|word| seen.insert(word.hash)) {
        all += weights.of(word);
        shared += if there.contains(&word.hash) { weights.of(word) } else { 0.0 };
    }
    if all > 0.0 { shared / all } else { 0.0 }
}

/// The part of these shingles that is among the others, which ascend.
fn part_of(these: &[Shingle], others: &[Shingle]) -> f32 {
    let among = |shingle: &&Shingle| others.binary_search_by_key(&shingle.hash, |s| s.hash).is_ok();
    let weight =
        |shingles: &mut dyn Iterator<Item = &Shingle>| shingles.map(|s| s.weight).sum::<f32>();
    let all = weight(&mut these.iter());
    if all > 0.0 { weight(&mut these.iter().filter(among)) / all } else { 0.0 }
}

/// What stands at the same places of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    /// Numbers, days and names that both have there.
    pub agree: usize,
    /// Places where one has other numbers, days or names than the other.
    pub differ: usize,
    /// Of these, those with numbers or days.
    pub numbers: usize,
    /// Words that both have.
    pub kept: usize,
    /// Words of the shorter text that the other has not.
    pub lost: usize,
}

impl Slots {
    /// The part of the places that differ.
    #[must_use]
    pub fn share(&self) -> f32 {
        let all = self.agree + self.differ;
        if all == 0 { 0.0 } else { self.differ as f32 / all as f32 }
    }
}

/// Lays two texts side by side.
#[must_use]
pub fn slots(a: &[Word], b: &[Word]) -> Slots {
    let hashes = |words: &[Word]| words.iter().map(|word| word.hash).collect::<Vec<_>>();
    let (left, right) = (hashes(a), hashes(b));
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
                    fill(
                        &a[old_index..old_index + old_len],
                        &b[new_index..new_index + new_len],
                        &mut slots,
                    );
                }
            }
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {}
        }
    }
    slots
}

/// One place where two texts differ.
fn fill(a: &[Word], b: &[Word], slots: &mut Slots) {
    let of = |words: &[Word], kind: Kind| -> HashSet<u64> {
        words.iter().filter(|word| word.kind == kind).map(|word| word.hash).collect()
    };
    let differ = |kind| {
        let (left, right) = (of(a, kind), of(b, kind));
        !left.is_empty() && !right.is_empty() && left.is_disjoint(&right)
    };
    let numbers = differ(Kind::Number);
    slots.numbers += usize::from(numbers);
    slots.differ += usize::from(numbers || differ(Kind::Name));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words::of_text(text)
    }

    #[test]
    fn a_text_is_wholly_like_itself_and_not_at_all_like_another() {
        let text = words("the ferry to the island ran aground in fog near the northern pier");
        let other = words("bakers in the old town have raised prices for bread by a tenth");
        let weights = Weights::default();
        let same = likeness(&text, &text, &weights);
        assert!(same.jaccard > 0.999 && same.containment > 0.999, "{same:?}");
        assert_eq!(likeness(&text, &other, &weights).jaccard, 0.0);
        assert_eq!(likeness(&text, &words(""), &weights).containment, 0.0);
    }

    #[test]
    fn a_beginning_is_contained_in_its_text() {
        let full =
            "the ferry to the island ran aground in fog near the northern pier on the way home";
        let got = likeness(&words(full), &words(&full[..40]), &Weights::default());
        assert!(got.containment > 0.8 && got.jaccard < 0.6, "{got:?}");
    }

    #[test]
    fn a_form_filled_in_twice_differs_in_its_slots() {
        let a = words("The weather in Velden is cloudy with 12 degrees and wind from Norden at 20");
        let b = words("The weather in Arlen is cloudy with 17 degrees and wind from Westen at 35");
        let got = slots(&a.0, &b.0);
        assert_eq!((got.differ, got.numbers, got.agree), (4, 2, 0));
    }
}
