//! Fingerprints that were compared lately, ready for the next comparison; bounded in bytes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::dedupe::{Comparable, Fingerprint, Weights};
use crate::model::{FeedKey, ItemKey};
use crate::store::{Error, StoredFingerprint, Transaction};

/// The cache takes no more than this, in bytes.
const MOST: usize = 8 * 1024 * 1024;

#[derive(Debug)]
struct Cached {
    feed: FeedKey,
    comparable: Arc<Comparable>,
}

/// The items of the window with their fingerprints.
#[derive(Debug, Default)]
pub(super) struct Cache {
    items: HashMap<ItemKey, Cached>,
    /// Keys of the items, the oldest first.
    order: VecDeque<ItemKey>,
    bytes: usize,
    /// What was boilerplate of a feed when its items were cached.
    boilerplate: HashMap<FeedKey, HashSet<u64>>,
}

impl Cache {
    /// An item of the cache.
    pub(super) fn get(&self, key: ItemKey) -> Option<Arc<Comparable>> {
        self.items.get(&key).map(|cached| Arc::clone(&cached.comparable))
    }

    /// The feed of an item of the cache.
    pub(super) fn feed(&self, key: ItemKey) -> Option<FeedKey> {
        self.items.get(&key).map(|cached| cached.feed)
    }

    /// Forgets an item: it has changed.
    pub(super) fn remove(&mut self, key: ItemKey) {
        if let Some(cached) = self.items.remove(&key) {
            self.bytes -= cached.comparable.bytes();
        }
    }

    /// Takes in those of these items that are not cached, from `at_hand` where they were read already.
    pub(super) fn load(
        &mut self,
        reader: &Transaction<'_>,
        keys: &[ItemKey],
        at_hand: Vec<StoredFingerprint>,
        weights: &Weights,
    ) -> Result<(), Error> {
        let missing: HashSet<ItemKey> =
            keys.iter().copied().filter(|key| !self.items.contains_key(key)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut stored = at_hand;
        stored.retain(|stored| missing.contains(&stored.key));
        let have: HashSet<ItemKey> = stored.iter().map(|stored| stored.key).collect();
        let unread: Vec<ItemKey> = missing.difference(&have).copied().collect();
        stored.extend(reader.fingerprints(&unread)?);
        let mut found: Vec<(ItemKey, FeedKey, Fingerprint)> = Vec::with_capacity(stored.len());
        found.extend(stored.into_iter().filter_map(|stored| {
            Some((stored.key, stored.feed, Fingerprint::from_bytes(&stored.data)?))
        }));
        self.learn(reader, found.iter().map(|(_, feed, _)| *feed))?;
        if found.len() < missing.len() {
            // Out of the window, where the same page may still be one story: from what is kept of its text.
            let have: HashSet<ItemKey> = found.iter().map(|(key, ..)| *key).collect();
            let old: Vec<ItemKey> = missing.into_iter().filter(|key| !have.contains(key)).collect();
            let kept = reader.stored_items(&old)?;
            self.learn(reader, kept.iter().map(|kept| kept.feed))?;
            found.extend(kept.into_iter().map(|kept| {
                let made = Fingerprint::of_kept(&kept, self.of(kept.feed));
                (kept.key, kept.feed, made)
            }));
        }
        for (key, feed, fingerprint) in found {
            let comparable = Arc::new(fingerprint.comparable(self.of(feed), weights));
            self.bytes += comparable.bytes();
            self.items.insert(key, Cached { feed, comparable });
            self.order.push_back(key);
        }
        Ok(())
    }

    fn of(&self, feed: FeedKey) -> &HashSet<u64> {
        static NONE: std::sync::LazyLock<HashSet<u64>> = std::sync::LazyLock::new(HashSet::new);
        self.boilerplate.get(&feed).unwrap_or(&NONE)
    }

    /// Reads what is boilerplate of feeds that are new to the cache.
    fn learn(
        &mut self,
        reader: &Transaction<'_>,
        feeds: impl Iterator<Item = FeedKey>,
    ) -> Result<(), Error> {
        let mut new: Vec<FeedKey> =
            feeds.filter(|feed| !self.boilerplate.contains_key(feed)).collect();
        new.sort_unstable();
        new.dedup();
        if !new.is_empty() {
            self.boilerplate.extend(reader.boilerplate(&new)?);
        }
        Ok(())
    }

    /// Takes over what is boilerplate of these feeds now; what was cached under another is forgotten.
    pub(super) fn renew(
        &mut self,
        reader: &Transaction<'_>,
        feeds: &[FeedKey],
    ) -> Result<(), Error> {
        for (feed, now) in reader.boilerplate(feeds)? {
            if self.boilerplate.get(&feed).is_some_and(|before| *before != now) {
                let bytes = &mut self.bytes;
                self.items.retain(|_, cached| {
                    let keep = cached.feed != feed;
                    *bytes -= if keep { 0 } else { cached.comparable.bytes() };
                    keep
                });
            }
            self.boilerplate.insert(feed, now);
        }
        Ok(())
    }

    /// Lets go of the oldest items until the bound is kept.
    pub(super) fn shrink(&mut self) {
        while self.bytes > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.remove(oldest);
        }
        // Keys that were removed otherwise, and came again, are in the order twice.
        if self.order.len() > 2 * self.items.len() + 1024 {
            let mut seen = HashSet::new();
            let items = &self.items;
            self.order.retain(|key| items.contains_key(key) && seen.insert(*key));
        }
    }

    /// Forgets everything: the weights have changed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
