//! Which stored items may be the same story as a new one: the keys of all items in the window, in memory.
//!
//! Items are kept in generations: the young one takes items in, the old ones are sorted lists (4 bytes per key). Small
//! generations are merged, so that a search reads few of them. A generation is dropped as a whole when all of its items
//! have left the window. The index has no words; `verdict` compares.

use std::cmp::Reverse;
use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::sketch::Sketch;
use super::tuning::{
    CANDIDATES, CANDIDATES_OF_STORY, CONFIDENT_KEYS, FRAME_EXAMPLES, FRAME_KEYS, PER_KEY, SEARCHED,
};
use crate::model::{FeedKey, ItemKey, StoryKey};

/// Items of a young generation when it is closed.
const GENERATION: usize = 8_192;
/// This many generations of about one size become one,
const MERGED: usize = 4;
/// unless they are as large as this: a larger one would leave the window too late, and has places of more than 16 bits.
const LARGEST: usize = GENERATION * MERGED;
/// A posting has the last 16 bits of its key; the first 16 are its bucket.
const KEY_BITS: u32 = 16;
const BUCKETS: usize = 1 << KEY_BITS;

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

/// A generation that takes no more items.
#[derive(Debug)]
struct Generation {
    entries: Box<[Posted]>,
    /// The last bits of the key in the high half, place of the item in the low one; ascending in each bucket.
    postings: Box<[u32]>,
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
            .map(|g| g.entries.len() * entry + (g.postings.len() + g.buckets.len()) * 4)
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

    /// Searches for items that share keys with the sketch of `item`, in one walk. Of other feeds only those that are
    /// `wanted`.
    #[must_use]
    pub fn search(
        &self,
        (item, feed): (ItemKey, FeedKey),
        sketch: &Sketch,
        wanted: impl Fn(ItemKey) -> bool,
    ) -> Found {
        let (mut others, mut own, mut list) = (Vec::new(), Vec::new(), Vec::new());
        for key in &sketch.0 {
            self.find(*key, &mut list);
            // What few items share is better evidence than what many share.
            let weight = 1.0 / (list.len() as f32).sqrt();
            let rare = list.len() < PER_KEY;
            for Posted { entry, keys } in &list {
                if entry.feed == feed {
                    own.push(entry.key);
                } else {
                    others.push(Shared { item: entry.key, keys: *keys, weight, rare });
                }
            }
        }
        others.retain(|shared| wanted(shared.item));
        others.sort_unstable_by_key(|shared| shared.item);
        let least = sketch.0.len();
        let mut found = promising(&others, least, |shared| shared.rare);
        if found.is_empty() {
            // Where many carry one story, every key of it is common.
            found = promising(&others, least, |_| true);
        }
        own.retain(|key| *key != item);
        Found { others: found, same_feed: sharing_most(own, FRAME_KEYS.min(least)) }
    }

    /// Other items of the feed of `item` that share much with it; see [`Found::same_feed`].
    #[must_use]
    pub fn same_feed(&self, item: (ItemKey, FeedKey), sketch: &Sketch) -> Vec<ItemKey> {
        sharing_most(self.of_feed(item, sketch), FRAME_KEYS.min(sketch.0.len()))
    }

    /// At most four other items of the feed of `item` whose texts may be in its text: the keys of a part are few. Of those
    /// with equally many the newest, for a feed may have one paragraph in all its items.
    #[must_use]
    pub fn beside(&self, item: (ItemKey, FeedKey), sketch: &Sketch) -> Vec<ItemKey> {
        let own = self.of_feed(item, sketch).into_iter().map(Reverse).collect();
        sharing_most(own, 1).into_iter().map(|Reverse(key)| key).collect()
    }

    /// The other items of a feed, each as often as it shares a key with a sketch.
    fn of_feed(&self, (item, feed): (ItemKey, FeedKey), sketch: &Sketch) -> Vec<ItemKey> {
        let (mut own, mut list) = (Vec::new(), Vec::new());
        for key in &sketch.0 {
            self.find(*key, &mut list);
            let same = list.iter().map(|posted: &Posted| posted.entry);
            own.extend(same.filter(|e| e.feed == feed && e.key != item).map(|e| e.key));
        }
        own
    }
}

/// What the index has for an item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Items of other feeds, the most promising first.
    pub others: Vec<ItemKey>,
    /// At most four items of the same feed that share the most keys, if these are enough for a frame.
    pub same_feed: Vec<ItemKey>,
}

impl Found {
    /// Returns at most [`CANDIDATES`] of the other items, and of each story only a few, so that a story with many
    /// carriers leaves room for others.
    #[must_use]
    pub fn candidates(&self, story: impl Fn(ItemKey) -> StoryKey) -> Vec<ItemKey> {
        let mut taken: HashMap<StoryKey, usize, FxBuildHasher> = HashMap::default();
        let few = self.others.iter().copied().filter(|item| {
            let taken = taken.entry(story(*item)).or_default();
            *taken += 1;
            *taken <= CANDIDATES_OF_STORY
        });
        few.take(CANDIDATES).collect()
    }
}

/// A key that an item of another feed has too.
struct Shared {
    item: ItemKey,
    /// Number of keys of the item.
    keys: u8,
    weight: f32,
    /// Whether few items have the key.
    rare: bool,
}

/// Items that share enough keys that are `counted`, those with the highest weight first. `shared` is sorted by item,
/// `own` is the number of keys searched for.
fn promising(shared: &[Shared], own: usize, counted: impl Fn(&Shared) -> bool) -> Vec<ItemKey> {
    let mut found: Vec<(ItemKey, f32)> = Vec::new();
    for same in shared.chunk_by(|a, b| a.item == b.item) {
        let (mut count, mut weight) = (0, 0.0);
        for shared in same.iter().filter(|shared| counted(shared)) {
            (count, weight) = (count + 1, weight + shared.weight);
        }
        // A single key of many is one phrase.
        let few = own.min(usize::from(same[0].keys)) < CONFIDENT_KEYS;
        if count > 1 || count == 1 && few {
            found.push((same[0].item, weight));
        }
    }
    found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    // By reference: otherwise the result keeps the allocation for all that share a key.
    found.iter().take(SEARCHED).map(|(item, _)| *item).collect()
}

/// The items that are most often in a list, at least `least` times; of those with equal numbers the first.
fn sharing_most<K: Ord + Copy>(mut list: Vec<K>, least: usize) -> Vec<K> {
    list.sort_unstable();
    let often = list.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0]));
    let mut often: Vec<_> = often.filter(|(count, _)| *count >= least).collect();
    often.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    often.iter().take(FRAME_EXAMPLES).map(|(_, item)| *item).collect()
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
}

impl Generation {
    /// `postings` are pairs of key and place.
    fn new(entries: Vec<Posted>, mut postings: Vec<(u32, u16)>) -> Self {
        postings.sort_unstable();
        let mut buckets = vec![0_u32; BUCKETS + 1];
        for (key, _) in &postings {
            buckets[(key >> KEY_BITS) as usize + 1] += 1;
        }
        for at in 1..buckets.len() {
            buckets[at] += buckets[at - 1];
        }
        let short = |(key, place): (u32, u16)| key << KEY_BITS | u32::from(place);
        Self::of(entries, postings.into_iter().map(short).collect(), buckets)
    }

    fn of(entries: Vec<Posted>, postings: Vec<u32>, buckets: Vec<u32>) -> Self {
        debug_assert!(entries.len() <= 1 << KEY_BITS, "places have 16 bits");
        let newest = entries.iter().map(|posted| posted.entry.at).max().unwrap_or(i64::MIN);
        Self { entries: entries.into(), postings: postings.into(), buckets: buckets.into(), newest }
    }

    fn merge(these: &[Self]) -> Self {
        let all = these.iter().map(|generation| generation.postings.len()).sum();
        let (mut postings, mut buckets) =
            (Vec::with_capacity(all), Vec::with_capacity(BUCKETS + 1));
        for bucket in 0..BUCKETS {
            let (start, mut place) = (postings.len(), 0);
            buckets.push(start as u32);
            for generation in these {
                postings.extend(generation.bucket(bucket).iter().map(|posting| posting + place));
                place += generation.entries.len() as u32;
            }
            postings[start..].sort_unstable();
        }
        buckets.push(postings.len() as u32);
        let entries = these.iter().flat_map(|generation| &generation.entries).copied().collect();
        Self::of(entries, postings, buckets)
    }

    fn bucket(&self, bucket: usize) -> &[u32] {
        &self.postings[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize]
    }

    fn find(&self, key: u32, list: &mut Vec<Posted>) {
        let bucket = self.bucket((key >> KEY_BITS) as usize);
        let first = key << KEY_BITS;
        let from = bucket.partition_point(|posting| *posting < first);
        let these = bucket[from..].iter().map(|posting| posting ^ first);
        let these = these.take_while(|place| *place < 1 << KEY_BITS);
        let room = PER_KEY.saturating_sub(list.len());
        list.extend(these.take(room).map(|place| self.entries[place as usize]));
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
        let mut postings: Vec<(u32, u16)> = Vec::with_capacity(self.links.len());
        for (key, head) in &self.heads {
            let mut link = *head;
            while link != END {
                let (place, before) = self.links[link as usize];
                postings.push((*key, place as u16));
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

    fn search(index: &Index, feed: i64, sketch: &Sketch) -> Vec<ItemKey> {
        index.search((ItemKey(-1), FeedKey(feed)), sketch, |_| true).others
    }

    #[test]
    fn a_story_with_many_carriers_leaves_room_for_others() {
        let mut index = Index::default();
        (0..40).for_each(|n| index.insert(entry(n, n), &Sketch(vec![1, 2, 3])));
        index.insert(entry(40, 40), &Sketch(vec![1, 2, 9]));
        let found = index.search((ItemKey(99), FeedKey(99)), &Sketch(vec![1, 2, 3]), |_| true);
        let candidates = found.candidates(|item| StoryKey(if item.0 < 40 { 0 } else { item.0 }));
        assert_eq!(candidates.len(), CANDIDATES_OF_STORY + 1);
        assert!(candidates.contains(&ItemKey(40)));
    }

    #[test]
    fn items_of_the_same_feed_show_its_frame() {
        let mut index = Index::default();
        for n in 0..9 {
            index.insert(entry(n, 1), &Sketch(vec![1, 2, 3, 100 + n as u32]));
        }
        index.insert(entry(9, 2), &Sketch(vec![1, 2, 3]));
        let sketch = Sketch(vec![1, 2, 3, 100]);
        let found = index.search((ItemKey(0), FeedKey(1)), &sketch, |_| true);
        assert_eq!(found.same_feed, [1, 2, 3, 4].map(ItemKey));
        assert_eq!(index.same_feed((ItemKey(0), FeedKey(1)), &sketch), found.same_feed);
        assert_eq!(index.same_feed((ItemKey(9), FeedKey(2)), &sketch), []);
    }

    #[test]
    fn beside_an_item_are_the_newest_of_its_feed_that_share_as_much() {
        let mut index = Index::default();
        for n in 0..9 {
            index.insert(entry(n, 1), &Sketch(vec![1]));
        }
        index.insert(entry(9, 2), &Sketch(vec![1, 2]));
        index.insert(entry(10, 1), &Sketch(vec![1, 2]));
        let beside = index.beside((ItemKey(8), FeedKey(1)), &Sketch(vec![1, 2]));
        assert_eq!(beside, [10, 7, 6, 5].map(ItemKey));
    }

    #[test]
    fn what_shares_the_most_comes_first_and_a_feeds_own_items_never() {
        let mut index = Index::default();
        index.insert(entry(1, 1), &Sketch(vec![1, 2, 3]));
        index.insert(entry(2, 2), &Sketch(vec![1, 9]));
        index.insert(entry(3, 3), &Sketch(vec![7]));
        let ask = |feed| search(&index, feed, &Sketch(vec![1, 2, 3]));
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
            assert_eq!(search(&index, 99, &keys(n)), [ItemKey(n)]);
        }
        assert_eq!(index.len() as i64, many);
        index.forget(GENERATION as i64 * 5);
        assert_eq!(search(&index, 99, &keys(0)), []);
        assert_eq!(search(&index, 99, &keys(many - 1)), [ItemKey(many - 1)]);
    }
}
