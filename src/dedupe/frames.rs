//! Frames: what a feed repeats around other words, such as an advisory, a forecast or a listing. The other items of the
//! feed teach them. In a frame only the words that fill it say whether two items are one story. Pure.

use super::fingerprint::Comparable;
use super::likeness::slots;
use super::settings::Settings;
use super::tuning::{FILLING, FRAME_ITEMS, KEPT_PER_LOST, WORDS_PER_SLOT};
use super::verdict::Verdict;
use crate::model::Rule;

/// What the feed of an item repeats of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Hashes of the shingles that other items of the feed have around other words; ascending.
    shingles: Vec<u64>,
    /// Number of these items.
    items: usize,
    /// Whether another item of the feed has the same title.
    title: bool,
}

impl Frame {
    /// The frame of an item that shares much with these other items of its feed.
    #[must_use]
    pub fn new<'i>(item: &Comparable, others: impl Iterator<Item = &'i Comparable>) -> Self {
        let mut frame = Self::default();
        for other in others {
            let title = &item.fingerprint.title;
            frame.title |= !title.is_empty() && title.digest() == other.fingerprint.title.digest();
            let laid = slots(&item.words.0, &other.words.0, item.fingerprint.published);
            // A later version of a story changes little of it, another filling something in every sentence, or much of
            // it at once.
            let filled = laid.places > 0 && laid.places * WORDS_PER_SLOT >= laid.kept;
            let replaced = laid.lost * KEPT_PER_LOST >= laid.kept;
            if !filled && !replaced {
                continue;
            }
            frame.items += 1;
            let shared = item.shingles.iter().map(|shingle| shingle.hash).filter(|hash| {
                other.shingles.binary_search_by_key(hash, |shingle| shingle.hash).is_ok()
            });
            frame.shingles.extend(shared);
        }
        frame.shingles.sort_unstable();
        frame.shingles.dedup();
        frame
    }

    fn has(&self, shingle: u64) -> bool {
        self.shingles.binary_search(&shingle).is_ok()
    }
}

/// Returns why two items are not one story after all, although `found` says so: a feed repeats the frame of their
/// texts, and other words fill it.
#[must_use]
pub fn other_filling(
    (a, frame_a): (&Comparable, &Frame),
    (b, frame_b): (&Comparable, &Frame),
    found: &Verdict,
    settings: &Settings,
) -> Option<Verdict> {
    let refusal =
        |score, threshold| Some(Verdict { rule: Rule::Template, score, threshold, same: false });
    match found.rule {
        // Only their title joins them.
        Rule::SameTitle if frame_a.title || frame_b.title => return refusal(1.0, 0.0),
        Rule::SimilarText | Rule::SameTitle => {}
        _ => return None,
    }
    if frame_a.items + frame_b.items < FRAME_ITEMS {
        return None;
    }
    let framed = |shingle: u64| frame_a.has(shingle) || frame_b.has(shingle);
    let filling = |item: &Comparable| -> f32 {
        let own = item.shingles.iter().filter(|shingle| !framed(shingle.hash));
        own.map(|shingle| shingle.weight).sum()
    };
    let shared = a.shingles.iter().filter(|shingle| {
        !framed(shingle.hash)
            && b.shingles.binary_search_by_key(&shingle.hash, |other| other.hash).is_ok()
    });
    let shared: f32 = shared.map(|shingle| shingle.weight).sum();
    let least = filling(a).min(filling(b));
    let differ = match least > 0.0 {
        true => 1.0 - shared / least,
        // One of them is nothing but the frame.
        false if a.fingerprint.title.digest() == b.fingerprint.title.digest() => 0.0,
        false => 1.0,
    };
    let allowed = FILLING * settings.tolerance();
    if differ > allowed { refusal(differ, allowed) } else { None }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{Fingerprint, Text, Title, Weights};
    use super::*;

    fn item(component: &str, effect: &str) -> Comparable {
        let text = format!(
            "A flaw was found in the {component} of the product. An attacker on the same network could send a crafted \
             request that leads to {effect} without any login. Install the update as soon as possible and restart \
             the service that uses it, because there is no known way to work around it."
        );
        let title = Title::new(Some(&format!("Flaw in the {component}")));
        let fingerprint =
            Fingerprint { title, text: Text::of_html(&text), ..Fingerprint::default() };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    fn refused(a: &Comparable, b: &Comparable, taught: &Frame) -> bool {
        let found = Verdict { rule: Rule::SimilarText, score: 0.9, threshold: 0.8, same: true };
        let none = Frame::default();
        let refused = other_filling((a, taught), (b, &none), &found, &Settings::default());
        let turned = other_filling((b, &none), (a, taught), &found, &Settings::default());
        assert_eq!(refused, turned);
        refused.is_some()
    }

    #[test]
    fn words_that_fill_a_frame_of_the_feed_are_another_thing() {
        let scheduler = item("backup scheduler", "path traversal");
        let others =
            [item("font loader", "a buffer overflow"), item("login form", "SQL injection")];
        let taught = Frame::new(&scheduler, others.iter());
        assert!(refused(&scheduler, &item("DHCP client", "path traversal"), &taught));
        assert!(refused(&scheduler, &item("DHCP client", "command injection"), &taught));
        assert!(!refused(&scheduler, &scheduler, &taught));
        assert!(!refused(&scheduler, &item("DHCP client", "path traversal"), &Frame::default()));
        let one = Frame::new(&scheduler, others[..1].iter());
        assert!(!refused(&scheduler, &item("DHCP client", "path traversal"), &one));
    }

    #[test]
    fn later_versions_of_a_story_are_no_frame() {
        let story = item("backup scheduler", "path traversal");
        let later = item("backup scheduler", "path traversal by anybody");
        assert_eq!(Frame::new(&story, [&later, &later].into_iter()).items, 0);
    }

    #[test]
    fn the_same_text_below_other_words_is_a_frame() {
        let episode = |text: &str| item(text, "nothing that anybody could use");
        let lost = "long ago a ferryman counted every lamp between two villages whose mayors never spoke again";
        let coins = "children dig for coins at night while museum guards send birthday cards to each family there";
        let maps = "a school teacher draws one street every Sunday until her town fits into eleven drawers";
        let others = [episode(coins), episode(maps)];
        assert_eq!(Frame::new(&episode(lost), others.iter()).items, 2);
    }
}
