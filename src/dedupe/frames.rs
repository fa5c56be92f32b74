//! Frames: what a feed repeats around other words, such as an advisory, a forecast or a listing. A frame is learned
//! from the other items of the feed. Within a frame, only the words that fill it decide whether two items are one
//! story. Pure.

use std::collections::HashSet;

use super::fingerprint::Comparable;
use super::likeness::{shared_names, slots};
use super::settings::Settings;
use super::tuning::{FILLING, FILLING_NAMES, FRAME_ITEMS, KEPT_PER_LOST, WORDS_PER_SLOT};
use super::verdict::Verdict;
use crate::model::Rule;

/// What the feed of an item repeats of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Hashes of the shingles that other items of the feed have around other words; ascending.
    shingles: Vec<u64>,
    /// Number of the other items of the feed.
    items: usize,
    /// Hashes of the names and numbers of these items.
    names: HashSet<u32>,
    /// Whether another item of the feed has the same title.
    title: bool,
    /// Number of the other items of the feed that have the whole text.
    copies: usize,
}

impl Frame {
    /// The frame of an item that shares much with these other items of its feed.
    #[must_use]
    pub fn new<'i>(item: &Comparable, others: impl Iterator<Item = &'i Comparable>) -> Self {
        let mut frame = Self::default();
        for other in others {
            let title = &item.fingerprint.title;
            frame.title |= !title.is_empty() && title.digest() == other.fingerprint.title.digest();
            if item.has_words_of(other) {
                frame.copies += 1;
                continue;
            }
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
            frame.names.extend(other.names().map(|word| word.hash));
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
        // Only their title joins them: they have no text, or a feed has it in several items.
        Rule::SameTitle if frame_a.title || frame_b.title => return refusal(1.0, 0.0),
        Rule::SameText if frame_a.copies + frame_b.copies >= FRAME_ITEMS => {
            let titles = [a, b].map(|item| &item.fingerprint.title);
            let one = !titles[0].is_empty() && titles[0].digest() == titles[1].digest();
            return if one && !frame_a.title && !frame_b.title { None } else { refusal(1.0, 0.0) };
        }
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
    if differ <= allowed || is_same_filling((a, frame_a), (b, frame_b)) {
        return None;
    }
    refusal(differ, allowed)
}

/// Whether enough names and numbers of the shorter text are not those of the frame, and most of them are in the other
/// text: an edited copy, which has other words around them.
fn is_same_filling(
    (a, frame_a): (&Comparable, &Frame),
    (b, frame_b): (&Comparable, &Frame),
) -> bool {
    let framed = |hash: u32| frame_a.names.contains(&hash) || frame_b.names.contains(&hash);
    let names = shared_names(a, b, |hash| !framed(hash));
    names.all >= FILLING_NAMES && names.most_are_shared()
}

#[cfg(test)]
mod tests {
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
    fn an_edited_copy_fills_the_frame_with_the_same_names_and_numbers() {
        let results = |firm: &str,
                       place: &str,
                       sales: &str,
                       rise: &str,
                       chief: &str,
                       words: &str| {
            let text = format!(
                "{words} The shares of {firm} of {place} rose by {rise} percent after the results for the third quarter,                  and sales reached {sales} million dollars in the three months. The chief executive {chief} said that                  demand had been strong in all regions and that the forecast for the year was raised."
            );
            let fingerprint = Fingerprint { text: Text::of_html(&text), ..Fingerprint::default() };
            fingerprint.comparable(&HashSet::new(), &Weights::default())
        };
        let own = results(
            "Brantwell",
            "Cedarton",
            "1,412",
            "6.3",
            "Ada Quill",
            "Late on Tuesday came news.",
        );
        let copy = results(
            "Brantwell",
            "Cedarton",
            "1,412",
            "6.3",
            "Ada Quill",
            "It was a good summer for saws.",
        );
        let others = [
            results(
                "Oakley",
                "Dunmore",
                "822",
                "1.9",
                "Theo Marsh",
                "A profit beat all that was expected.",
            ),
            results(
                "Pellam",
                "Harwick",
                "317",
                "4.4",
                "Ines Rook",
                "Nothing like it was seen for years.",
            ),
        ];
        let taught = Frame::new(&own, others.iter());
        assert_eq!(taught.items, 2);
        assert!(!refused(&own, &copy, &taught));
        for other in &others {
            assert!(refused(&own, other, &taught));
        }
        let next =
            results("Vantor", "Lisk", "95", "2.2", "Omar Veld", "Late on Tuesday came news.");
        assert!(refused(&own, &next, &taught));
    }

    #[test]
    fn a_text_that_a_feed_has_in_several_items_is_no_evidence() {
        let under = |title: &str| {
            let text = "Please accept cookies to continue reading this article on our site today.";
            let (title, text) = (Title::new(Some(title)), Text::of_html(text));
            let fingerprint = Fingerprint { title, text, ..Fingerprint::default() };
            fingerprint.comparable(&HashSet::new(), &Weights::default())
        };
        let (own, others) = (under("Dog saves boy"), [under("Bread is dear"), under("Frog found")]);
        let (twice, once) = (Frame::new(&own, others.iter()), Frame::new(&own, others[..1].iter()));
        let found = Verdict { rule: Rule::SameText, score: 1.0, threshold: 1.0, same: true };
        let (none, settings) = (Frame::default(), Settings::default());
        let refused = |title: &str, frame: &Frame| {
            let other = under(title);
            other_filling((&own, frame), (&other, &none), &found, &settings).is_some()
        };
        assert!(refused("Volcano erupts", &twice) && refused("", &twice));
        assert!(!refused("Dog saves boy", &twice), "their titles are evidence");
        assert!(!refused("Volcano erupts", &once), "a feed may show an item twice");
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
