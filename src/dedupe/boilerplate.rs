//! Paragraphs that belong to a site and not to an item: those that many items of one feed have. Pure.

use std::collections::{HashMap, HashSet};

use super::paragraphs::Text;
use super::tuning::{BOILERPLATE_ITEMS, BOILERPLATE_SHARE};

/// At most this many paragraphs are remembered of a feed.
const MAX: usize = 256;

/// Digests of the paragraphs that at least half of these texts have.
#[must_use]
pub fn boilerplate<'t>(texts: impl Iterator<Item = &'t Text>) -> HashSet<u64> {
    let (mut counts, mut all): (HashMap<u64, usize>, usize) = (HashMap::new(), 0);
    for text in texts {
        all += 1;
        let mut digests: Vec<u64> = text.digests().collect();
        digests.sort_unstable();
        digests.dedup();
        for digest in digests {
            *counts.entry(digest).or_default() += 1;
        }
    }
    let enough = BOILERPLATE_ITEMS.max((all as f32 * BOILERPLATE_SHARE).ceil() as usize);
    let common = counts.into_iter().filter(|(_, count)| *count >= enough);
    let mut found: Vec<u64> = common.map(|(digest, _)| digest).collect();
    found.sort_unstable();
    found.truncate(MAX);
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_half_of_the_items_have_is_boilerplate() {
        let texts: Vec<Text> = (0..6)
            .map(|n| format!("<p>Story number {n} of the day.</p><p>We need your help.</p>"))
            .map(|html| Text::of_html(&html))
            .collect();
        let notice = Text::of_html("<p>We need your help.</p>");
        assert_eq!(boilerplate(texts.iter()), notice.digests().collect());
    }

    #[test]
    fn two_items_prove_nothing() {
        let text = Text::of_html("<p>a b c</p>");
        assert!(boilerplate([&text; 2].into_iter()).is_empty());
    }
}
