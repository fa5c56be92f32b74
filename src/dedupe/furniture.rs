//! Paragraphs that belong to a site: those that many items of one document have. Pure.

use std::collections::{HashMap, HashSet};

use super::paragraphs::paragraph_digests;
use super::tuning::{FURNITURE_ITEMS, FURNITURE_SHARE};

/// At most so many are remembered of a feed.
const MAX: usize = 256;

/// Digests of paragraphs that stand in at least half of these texts.
#[must_use]
pub fn furniture<'a>(texts: impl Iterator<Item = &'a str>) -> HashSet<u64> {
    let (mut counts, mut all): (HashMap<u64, usize>, usize) = (HashMap::new(), 0);
    for text in texts {
        all += 1;
        for digest in paragraph_digests(text) {
            *counts.entry(digest).or_default() += 1;
        }
    }
    let enough = FURNITURE_ITEMS.max((all as f32 * FURNITURE_SHARE).ceil() as usize);
    let mut found: Vec<u64> = counts
        .into_iter()
        .filter(|(_, count)| *count >= enough)
        .map(|(digest, _)| digest)
        .collect();
    found.sort_unstable();
    found.truncate(MAX);
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_half_of_the_items_have_is_the_sites() {
        let texts: Vec<String> = (0..6)
            .map(|n| format!("<p>Story number {n} of the day.</p><p>We need your help.</p>"))
            .collect();
        let found = furniture(texts.iter().map(String::as_str));
        assert_eq!(found, paragraph_digests("<p>We need your help.</p>"));
    }

    #[test]
    fn two_items_prove_nothing() {
        assert!(furniture(["<p>a b c</p>"; 2].into_iter()).is_empty());
    }
}
