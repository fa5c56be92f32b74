//! How much a word proves: rare words prove much, common ones little (inverse document frequency).
//!
//! Weights are learned from stored texts at intervals and fixed in between, so that two texts get the same answer
//! whatever arrived between them. Until enough texts are stored, weights depend on the length: short words are common
//! in every language.

use super::words::{Word, Words};

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
    use super::*;

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
