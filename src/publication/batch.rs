//! Some candidates for an output: their words, and who leads their stories there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::error::Error;
use crate::model::{Entry, FeedInfo, FeedKey, ItemKey, StoryKey};
use crate::publish::Selector;
use crate::store::{Head, Reader};

/// Some candidates with their words, and those of the items they share a story with.
pub(super) struct Batch {
    entries: HashMap<ItemKey, Entry>,
    members: HashMap<StoryKey, Vec<Head>>,
    /// Leads that were handed out.
    led: HashSet<ItemKey>,
}

impl Batch {
    /// Reads them.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn load(
        reader: &Reader,
        heads: &[Head],
        shown: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<Self, Error> {
        let stories: Vec<StoryKey> = heads.iter().map(|head| head.story).collect();
        let members = reader.members(&stories)?;
        let others = members.values().flatten().map(|head| head.key);
        let mut keys: Vec<ItemKey> = heads.iter().map(|head| head.key).chain(others).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(Self { entries: reader.entries(&keys, shown)?, members, led: HashSet::new() })
    }

    /// The item as an entry, if this output takes it and it leads its story here: of the members
    /// that the output takes, the one that was seen first, so that the lead never changes.
    pub(super) fn lead(&mut self, head: Head, selector: &Selector<'_>) -> Option<Entry> {
        let takes = |key: &ItemKey| {
            self.led.contains(key)
                || self.entries.get(key).is_some_and(|entry| selector.takes_item(&entry.item))
        };
        let alone = [head];
        let members = self.members.get(&head.story).map_or(&alone[..], Vec::as_slice);
        let taken: Vec<&Head> = members.iter().filter(|member| takes(&member.key)).collect();
        let feeds: HashSet<FeedKey> = taken.iter().map(|member| member.feed).collect();
        if feeds.len() < selector.min_feeds() {
            return None;
        }
        let lead = taken.first().map(|member| member.key);
        if lead != Some(head.key) || !self.led.insert(head.key) {
            return None;
        }
        self.entries.remove(&head.key)
    }

    /// The lead of the story that was shown from this item on: the item itself, or where more feeds
    /// have to carry a story, an earlier one.
    pub(super) fn completed(&self, head: Head, selector: &Selector<'_>) -> Option<ItemKey> {
        let takes = |member: &&Head| {
            self.entries.get(&member.key).is_some_and(|entry| selector.takes_item(&entry.item))
        };
        let alone = [head];
        let members = self.members.get(&head.story).map_or(&alone[..], Vec::as_slice);
        let taken: Vec<&Head> =
            members.iter().filter(|m| m.key <= head.key).filter(takes).collect();
        let (last, before) = taken.split_last().filter(|(last, _)| last.key == head.key)?;
        let mut feeds: HashSet<FeedKey> = before.iter().map(|member| member.feed).collect();
        let short = feeds.len() < selector.min_feeds();
        feeds.insert(last.feed);
        (short && feeds.len() >= selector.min_feeds()).then(|| taken[0].key)
    }
}
