//! What one new item costs, and what the index takes, with 50,000, 100,000 and 200,000 items in the window.
//!
//! `cargo bench --bench stories`. One item in ten is a copy of an earlier one, edited and furnished as
//! papers do; the rest is news. Of each a fingerprint is made and stored; it is looked up, compared with its
//! candidates (read from their stored fingerprints) and taken in: all on one thread.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench is read by a person")]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use newswire::clock::Clock;
use newswire::dedupe::{
    Comparable, Entry, Facts, Fingerprint, Frame, Index, Settings, Text, Weights, other_filling,
    verdict,
};
use newswire::model::{FeedKey, Item, ItemKey, PageOwner, StoryKey};

use support::Numbers;

/// Words of a text, at the least; some have twice as many.
const LENGTH: usize = 220;
/// Number of the last items that are timed.
const TIMED: usize = 2_000;

/// The same, as another paper prints it.
fn copy(html: &str, numbers: &mut Numbers) -> String {
    let mut words: Vec<&str> = html.split(' ').collect();
    words.truncate(words.len() * (70 + numbers.below(30)) / 100);
    for _ in 0..6 {
        let at = numbers.below(words.len());
        words.remove(at);
    }
    format!("{}</p><p>Read also: more of this</p>", words.join(" "))
}

fn fingerprint(html: &str) -> Fingerprint {
    let title = Some("Some title of a few words".to_owned());
    let item = Item { title, content: Some(html.to_owned()), ..Item::default() };
    let (published, seen) = (None, Timestamp::UNIX_EPOCH);
    let facts = Facts { published, seen, url_key: None, page_owner: PageOwner::FeedSite };
    let text = Text::of_item(item.content.as_deref(), None);
    Fingerprint::new(&item, text, facts, &HashSet::new())
}

/// As the stories stage has it: read from its stored form.
fn comparable(stored: &[u8], weights: &Weights) -> Comparable {
    let fingerprint = Fingerprint::from_bytes(stored).expect("it was stored by this program");
    fingerprint.comparable(&HashSet::new(), weights)
}

fn main() {
    let clock = Clock::system();
    let (mut numbers, mut index) = (Numbers(7), Index::default());
    let (settings, weights) = (Settings::default(), Weights::default());
    let (mut texts, mut prints): (Vec<String>, Vec<Vec<u8>>) = Default::default();
    println!(
        "{:>8} {:>12} {:>12} {:>10} {:>10} {:>9}",
        "items", "CPU an item", "slowest", "index", "an item", "found"
    );
    for size in [50_000, 100_000, 200_000] {
        let (mut all, mut slowest, mut found, mut copies) = (Duration::ZERO, Duration::ZERO, 0, 0);
        while texts.len() < size {
            let n = texts.len();
            let copied = n > 100 && n.is_multiple_of(10);
            let html = match copied {
                true => {
                    copy(&texts[n - 1 - numbers.below(99) / 10 * 10 % 90].clone(), &mut numbers)
                }
                false => numbers.html(LENGTH, LENGTH),
            };
            let timed = n + TIMED >= size;
            let begun = clock.elapsed();
            let made = fingerprint(&html);
            let (stored, sketch) = (made.to_bytes(), made.sketch.clone());
            let own = comparable(&stored, &weights);
            let feed = FeedKey(n as i64 % 997);
            let searched = index.search((ItemKey(n as i64), feed), &sketch, |_| true);
            let candidates = searched.candidates(|item| StoryKey(item.0));
            let same = candidates.iter().any(|key| {
                let other = comparable(&prints[key.0 as usize], &weights);
                let found = verdict(&own, &other, &settings, &weights);
                found.filter(|found| found.same).is_some_and(|found| {
                    let feed = FeedKey(key.0 % 997);
                    let theirs = index.same_feed((*key, feed), &other.fingerprint.sketch);
                    let [one, two] = [searched.same_feed.clone(), theirs].map(|keys| {
                        let examples: Vec<Comparable> = keys
                            .iter()
                            .map(|key| comparable(&prints[key.0 as usize], &weights))
                            .collect();
                        Frame::new(&own, examples.iter())
                    });
                    other_filling((&own, &one), (&other, &two), &found, &settings).is_none()
                })
            });
            index.insert(Entry { key: ItemKey(n as i64), feed, at: n as i64 }, &sketch);
            if timed {
                let took = clock.elapsed().saturating_sub(begun);
                (all, slowest) = (all + took, slowest.max(took));
                copies += usize::from(copied);
                found += usize::from(copied && same);
            }
            texts.push(html);
            prints.push(stored);
        }
        let megabytes = index.bytes() as f64 / 1e6;
        println!(
            "{size:>8} {:>9.0} µs {:>9.0} µs {megabytes:>7.1} MB {:>8.0} B {:>4}/{copies}",
            all.as_secs_f64() * 1e6 / TIMED as f64,
            slowest.as_secs_f64() * 1e6,
            index.bytes() as f64 / size as f64,
            found,
        );
    }
}
