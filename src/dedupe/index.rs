//! Which kept items may be the same story as a new one: the keys of all items in the window, in memory.
//!
//! Items are kept in generations: the young one takes items in, the old ones are sorted lists and nothing
//! else (8 bytes a key). Small generations are merged, so that a search looks into few of them; one goes
//! as a whole when all of it has left the window. Holds no words; leaves comparing to `verdict`.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::sketch::Sketch;
use super::tuning::{CONFIDENT_KEYS, FRAME_ITEMS, FRAME_KEYS, PER_KEY};
use crate::model::{FeedKey, ItemKey};

/// Items of a young generation when it is closed.
const GENERATION: usize = 8_192;
/// This many generations of about one size become one,
const MERGED: usize = 4;
/// unless they are as large as this: a larger one would leave the window too late.
const LARGEST: usize = GENERATION * MERGED;
/// A generation is searched from the place of the key's first bits on.
const BUCKET_BITS: u32 = 14;

/// An item in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Row of the item.
    pub key: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
    /// When it was taken in, in seconds since 1970.
    pub at: i64,
}

/// The keys of all items in the window.
#[derive(Debug, Default)]
pub struct Index {
    old: Vec<Generation>,
    young: Young,
}

/// An item with the number of its keys.
#[derive(Debug, Clone, Copy)]
struct Posted {
    entry: Entry,
    keys: u8,
}

/// A full generation.
#[derive(Debug)]
struct Generation {
    entries: Box<[Posted]>,
    /// Key in the high half, place of the item in the low one; ascending.
    postings: Box<[u64]>,
    /// Where the postings of each bucket begin, and where the last one ends.
    buckets: Box<[u32]>,
    newest: i64,
}

/// The generation that takes items in: for each key a chain through `links`.
#[derive(Debug, Default)]
struct Young {
    entries: Vec<Posted>,
    heads: HashMap<u32, u32, FxBuildHasher>,
    /// Place of the item, and the link before.
    links: Vec<(u32, u32)>,
}

const END: u32 = u32::MAX;

impl Index {
    /// Number of items that it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.old.iter().map(|g| g.entries.len()).sum::<usize>() + self.young.entries.len()
    }

    /// Whether it holds no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it takes, what the allocator adds not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let entry = size_of::<Posted>();
        let old: usize = self
            .old
            .iter()
            .map(|g| g.entries.len() * entry + g.postings.len() * 8 + g.buckets.len() * 4)
            .sum();
        // A table of pairs with a byte of control each.
        let young = self.young.entries.capacity() * entry
            + self.young.links.capacity() * 8
            + self.young.heads.capacity() * 8 / 7 * 9;
        old + young
    }

    /// Takes an item in; one that is there already may come again with other keys.
    pub fn insert(&mut self, entry: Entry, sketch: &Sketch) {
        if self.young.entries.len() >= GENERATION {
            self.old.push(std::mem::take(&mut self.young).close());
            self.merge();
        }
        self.young.insert(entry, sketch);
    }

    /// Makes one of the last generations where they are many and of one size.
    fn merge(&mut self) {
        let small = self.old.iter().rev().take_while(|g| g.entries.len() < LARGEST).count();
        if small >= MERGED {
            let merged = Generation::merge(&self.old[self.old.len() - small..]);
            self.old.truncate(self.old.len() - small);
            self.old.push(merged);
        }
    }

    /// Lets go of generations that were full before `cutoff`, in seconds since 1970.
    pub fn forget(&mut self, cutoff: i64) {
        self.old.retain(|generation| generation.newest >= cutoff);
    }

    /// Returns at most `limit` items of other feeds that share keys with the sketch and are `wanted`, the most
    /// promising first.
    #[must_use]
    pub fn candidates(
        &self,
        feed: FeedKey,
        sketch: &Sketch,
        limit: usize,
        wanted: impl Fn(ItemKey) -> bool,
    ) -> Vec<ItemKey> {
        let mut found = self.sharing(feed, sketch, Phrases::Rare);
        found.retain(|(key, _)| wanted(*key));
        if found.is_empty() {
            // Where many carry one story, every key of it is common.
            found = self.sharing(feed, sketch, Phrases::All);
            found.retain(|(key, _)| wanted(*key));
        }
        found.into_iter().take(limit).map(|(key, _)| key).collect()
    }

    /// Whether at least two other items of the feed share the frame of this item's text.
    #[must_use]
    pub fn recurs(&self, item: ItemKey, feed: FeedKey, sketch: &Sketch) -> bool {
        let (mut shared, mut list) = (Vec::new(), Vec::new());
        for key in &sketch.0 {
            self.find(*key, &mut list);
            let own = list.iter().map(|posted: &Posted| posted.entry);
            shared.extend(own.filter(|e| e.feed == feed && e.key != item).map(|e| e.key));
        }
        shared.sort_unstable();
        shared.chunk_by(|a, b| a == b).filter(|same| same.len() >= FRAME_KEYS).count()
            >= FRAME_ITEMS
    }
}

/// Which keys count.
#[derive(Clone, Copy, PartialEq)]
enum Phrases {
    /// Those that few items have.
    Rare,
    /// All of them.
    All,
}

impl Index {
    /// Fills `list` with everything that is posted under a key.
    fn find(&self, key: u32, list: &mut Vec<Posted>) {
        list.clear();
        for generation in &self.old {
            generation.find(key, list);
        }
        self.young.find(key, list);
    }

    /// Items of other feeds that share keys with the sketch, and how much that says, the most first.
    fn sharing(&self, feed: FeedKey, sketch: &Sketch, phrases: Phrases) -> Vec<(ItemKey, f32)> {
        let (mut shared, mut list) = (Vec::new(), Vec::new());
        for key in &sketch.0 {
            self.find(*key, &mut list);
            if phrases == Phrases::Rare && list.len() >= PER_KEY {
                continue;
            }
            // What few share says more than what many do.
            let weight = 1.0 / (list.len() as f32).sqrt();
            let others = list.iter().filter(|posted: &&Posted| posted.entry.feed != feed);
            shared.extend(others.map(|posted| (posted.entry.key, posted.keys, weight)));
        }
        shared.sort_unstable_by_key(|(key, ..)| *key);
        let own = sketch.0.len();
        let mut found: Vec<(ItemKey, f32)> = Vec::new();
        for same in shared.chunk_by(|a, b| a.0 == b.0) {
            let (key, keys, _) = same[0];
            // One phrase of many: as good as nothing that both say is the same.
            if same.len() > 1 || own.min(usize::from(keys)) < CONFIDENT_KEYS {
                found.push((key, same.iter().map(|(.., weight)| weight).sum()));
            }
        }
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }
}

impl Generation {
    fn new(entries: Vec<Posted>, mut postings: Vec<u64>) -> Self {
        postings.sort_unstable();
        let bucket = |posting: &u64| (posting >> (64 - BUCKET_BITS)) as usize;
        let mut buckets = vec![0_u32; (1 << BUCKET_BITS) + 1];
        for posting in &postings {
            buckets[bucket(posting) + 1] += 1;
        }
        for at in 1..buckets.len() {
            buckets[at] += buckets[at - 1];
        }
        let newest = entries.iter().map(|posted| posted.entry.at).max().unwrap_or(i64::MIN);
        Self { entries: entries.into(), postings: postings.into(), buckets: buckets.into(), newest }
    }

    fn merge(these: &[Self]) -> Self {
        let (mut entries, mut postings) = (Vec::new(), Vec::new());
        for generation in these {
            let from = entries.len() as u64;
            postings.extend(generation.postings.iter().map(|posting| posting + from));
            entries.extend_from_slice(&generation.entries);
        }
        Self::new(entries, postings)
    }

    fn find(&self, key: u32, list: &mut Vec<Posted>) {
        let bucket = (key >> (32 - BUCKET_BITS)) as usize;
        let (from, to) = (self.buckets[bucket] as usize, self.buckets[bucket + 1] as usize);
        let bucket = &self.postings[from..to];
        let from = bucket.partition_point(|posting| *posting < u64::from(key) << 32);
        let these = bucket[from..].iter().take_while(|posting| (**posting >> 32) as u32 == key);
        let room = PER_KEY.saturating_sub(list.len());
        list.extend(these.take(room).map(|posting| self.entries[*posting as u32 as usize]));
    }
}

impl Young {
    fn insert(&mut self, entry: Entry, sketch: &Sketch) {
        let place = self.entries.len() as u32;
        self.entries.push(Posted { entry, keys: sketch.0.len().min(255) as u8 });
        for key in &sketch.0 {
            let link = self.links.len() as u32;
            let before = self.heads.insert(*key, link).unwrap_or(END);
            self.links.push((place, before));
        }
    }

    fn find(&self, key: u32, list: &mut Vec<Posted>) {
        let mut link = self.heads.get(&key).copied().unwrap_or(END);
        while link != END && list.len() < PER_KEY {
            let (place, before) = self.links[link as usize];
            list.push(self.entries[place as usize]);
            link = before;
        }
    }

    fn close(self) -> Generation {
        let mut postings: Vec<u64> = Vec::with_capacity(self.links.len());
        for (key, head) in &self.heads {
            let mut link = *head;
            while link != END {
                let (place, before) = self.links[link as usize];
                postings.push(u64::from(*key) << 32 | u64::from(place));
                link = before;
            }
        }
        Generation::new(self.entries, postings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i64, feed: i64) -> Entry {
        Entry { key: ItemKey(key), feed: FeedKey(feed), at: key }
    }

    fn keys(n: i64) -> Sketch {
        Sketch((0..8).map(|k| (n as u32).wrapping_mul(2_654_435_761).wrapping_add(k)).collect())
    }

    #[test]
    fn what_shares_the_most_comes_first_and_a_feeds_own_items_never() {
        let mut index = Index::default();
        index.insert(entry(1, 1), &Sketch(vec![1, 2, 3]));
        index.insert(entry(2, 2), &Sketch(vec![1, 9]));
        index.insert(entry(3, 3), &Sketch(vec![7]));
        let ask = |feed| index.candidates(FeedKey(feed), &Sketch(vec![1, 2, 3]), 9, |_| true);
        assert_eq!(ask(9), [ItemKey(1), ItemKey(2)]);
        assert_eq!(ask(1), [ItemKey(2)]);
    }

    #[test]
    fn an_item_is_found_whatever_generation_it_is_in_until_it_leaves_the_window() {
        let mut index = Index::default();
        let many = GENERATION as i64 * 6 + 5;
        for n in 0..many {
            index.insert(entry(n, n % 7), &keys(n));
        }
        for n in [0, 4_711, GENERATION as i64, many - 1] {
            assert_eq!(index.candidates(FeedKey(99), &keys(n), 9, |_| true), [ItemKey(n)]);
        }
        assert_eq!(index.len() as i64, many);
        index.forget(GENERATION as i64 * 5);
        assert_eq!(index.candidates(FeedKey(99), &keys(0), 9, |_| true), []);
        assert_eq!(
            index.candidates(FeedKey(99), &keys(many - 1), 9, |_| true),
            [ItemKey(many - 1)]
        );
    }
}
