//! The sketch of a text: a few keys, so that texts that share much have a key in common. Pure.
//!
//! `MinHash` with LSH banding finds texts that are similar; a sample of the shingles finds texts of which one contains
//! the other (Broder, "On the resemblance and containment of documents", 1997: MIN and MOD sketches). `verdict` decides
//! whether they are one story.

use super::likeness::shingle;
use super::titles::Title;
use super::tuning::{
    BANDS, BEGINNING, DENSE, MAX_SAMPLES, NEAR_WORDS, ROWS, SHINGLE, SPARSE, TITLE_CHARS,
    TITLE_WORDS,
};
use super::words::{Words, fold, mix};

/// The keys by which an item finds candidates: hashes in ascending order, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sketch(pub Vec<u32>);

impl Sketch {
    /// The keys of an item's title and text; `digest` is that of its words, unless they are too few.
    #[must_use]
    pub fn new(title: &Title, words: &Words, digest: Option<u64>) -> Self {
        let mut keys = Vec::with_capacity(BANDS + MAX_SAMPLES + 2);
        if title.len() >= TITLE_WORDS && title.width() >= TITLE_CHARS {
            keys.push(fold(mix(title.digest() ^ 0x0711)));
        }
        keys.extend(digest.map(|digest| fold(mix(digest ^ 0x7e87))));
        if words.size() >= NEAR_WORDS && words.0.len() >= SHINGLE {
            let shingles: Vec<u64> = words.0.windows(SHINGLE).map(shingle).collect();
            keys.extend(bands(&shingles));
            keys.extend(samples(&shingles));
        }
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }
}

/// Rows of the signature, hashed band by band.
///
/// A row has 16 bits, so that the loop over them becomes a few vector instructions. Two texts of 300
/// words that share nothing agree on a row by chance once in 400 times, and on a band once in 60
/// million times.
fn bands(shingles: &[u64]) -> impl Iterator<Item = u32> {
    static FACTORS: [u16; BANDS * ROWS] = {
        let mut factors = [0; BANDS * ROWS];
        let mut row = 0;
        while row < factors.len() {
            factors[row] = row as u16 + 1;
            row += 1;
        }
        factors
    };
    let mut signature = [i16::MAX; BANDS * ROWS];
    for shingle in shingles {
        // Two hashes make a family (Kirsch and Mitzenmacher 2006).
        let (first, second) = ((*shingle >> 16) as u16, (*shingle >> 32) as u16 | 1);
        // By index: the compiler makes no vectors of an iterator over a constant.
        for row in 0..FACTORS.len() {
            let hash = first.wrapping_add(second.wrapping_mul(FACTORS[row]));
            signature[row] = signature[row].min(hash.cast_signed());
        }
    }
    (0..BANDS).map(move |band| {
        let rows = &signature[band * ROWS..(band + 1) * ROWS];
        let mixed = |hash, row: &i16| mix(hash ^ u64::from(row.cast_unsigned()));
        fold(rows.iter().fold(band as u64, mixed))
    })
}

/// A sample of the shingles, the same ones in every text.
fn samples(shingles: &[u64]) -> Vec<u32> {
    let (beginning, rest) = shingles.split_at(shingles.len().min(BEGINNING));
    let dense = beginning.iter().filter(|shingle| **shingle % DENSE == 0);
    let sparse = rest.iter().filter(|shingle| **shingle % SPARSE == 0);
    // Not the low bits, which chose it.
    let mut keys: Vec<u32> = dense.chain(sparse).map(|shingle| fold(mix(*shingle))).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(MAX_SAMPLES);
    keys
}

#[cfg(test)]
mod tests {
    use super::super::tuning::EXACT_WORDS;
    use super::*;

    fn sketch(title: &str, text: &str) -> Sketch {
        let words = Words::of_text(text);
        let digest = (words.size() >= EXACT_WORDS).then(|| words.digest());
        Sketch::new(&Title::new(Some(title)), &words, digest)
    }

    fn text(words: std::ops::Range<usize>) -> String {
        words.map(|n| format!("word{} ", n * 7919 % 4001)).collect()
    }

    fn shared(a: &Sketch, b: &Sketch) -> usize {
        a.0.iter().filter(|key| b.0.contains(key)).count()
    }

    #[test]
    fn texts_that_share_much_share_keys_and_others_do_not() {
        let whole = sketch("", &text(0..300));
        let cut = sketch("", &text(0..200));
        assert!(shared(&whole, &cut) >= 3, "{}", shared(&whole, &cut));
        assert_eq!(shared(&whole, &sketch("", &text(1000..1300))), 0);
    }

    #[test]
    fn an_excerpt_shares_keys_with_its_full_text() {
        let whole = sketch("", &text(0..600));
        assert!(shared(&whole, &sketch("", &text(0..30))) >= 2);
    }

    #[test]
    fn a_short_text_is_only_like_itself() {
        let short = "good morning to all of you out there today";
        assert_eq!(sketch("", short).0.len(), 1);
        assert_eq!(sketch("", "good morning").0.len(), 0);
        assert_eq!(sketch("Ferry runs aground off the pier", "").0.len(), 1);
    }
}
