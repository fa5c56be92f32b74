//! From ties to stories: makes the stories anew of everything that is tied to an item.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::dedupe::{self, Star};
use crate::model::{ItemKey, Match, StoryKey};
use crate::store::{Error, Transaction};

/// At most this many items are grouped at once; what is further away is not moved.
const COMPONENT: usize = 256;

/// Ties between items: those of the store, and those that are not written yet.
pub(super) struct Ties<'a> {
    reader: &'a Transaction<'a>,
    new: HashMap<ItemKey, Vec<Match>>,
}

/// Two rows, the later first.
type Pair = (ItemKey, ItemKey);

impl<'a> Ties<'a> {
    pub(super) fn new(reader: &'a Transaction<'a>, ties: &[Match]) -> Self {
        let mut new: HashMap<ItemKey, Vec<Match>> = HashMap::new();
        for tie in ties.iter().filter(|tie| tie.same) {
            new.entry(tie.item).or_default().push(*tie);
            new.entry(tie.other).or_default().push(*tie);
        }
        Self { reader, new }
    }

    /// Every tie that makes one story of one of these items and another.
    fn of(&self, keys: &[ItemKey]) -> Result<HashMap<Pair, Match>, Error> {
        let new = keys.iter().filter_map(|key| self.new.get(key)).flatten().copied();
        let mut ties: HashMap<Pair, Match> = new.map(|tie| ((tie.item, tie.other), tie)).collect();
        // What was one stays one, with the score that it had.
        let known = self.reader.story_matches(keys)?;
        ties.extend(known.into_iter().map(|tie| ((tie.item, tie.other), tie)));
        Ok(ties)
    }

    /// Everything that ties and the operator's decisions bind to an item, however far, up to a bound.
    fn component(&self, start: ItemKey) -> Result<(BTreeSet<ItemKey>, Vec<Match>), Error> {
        let mut keys = BTreeSet::from([start]);
        let mut ties: HashMap<Pair, Match> = HashMap::new();
        let mut edge = vec![start];
        while !edge.is_empty() && keys.len() < COMPONENT {
            let found = self.of(&edge)?;
            let joined = self.reader.decisions(&edge)?.joined;
            let ends = found.keys().copied().chain(joined);
            edge = ends.flat_map(|(a, b)| [a, b]).filter(|key| keys.insert(*key)).collect();
            ties.extend(found);
        }
        Ok((keys, ties.into_values().collect()))
    }

    /// Which of these items are tied to another at all, or were decided upon.
    fn bound(&self, items: &[ItemKey]) -> Result<BTreeSet<ItemKey>, Error> {
        let known = self.reader.story_matches(items)?;
        let decided = self.reader.decisions(items)?;
        let ends = known.iter().map(|tie| (tie.item, tie.other)).chain(decided.joined);
        let bound: HashSet<ItemKey> = ends.flat_map(|(a, b)| [a, b]).chain(decided.split).collect();
        let items = items.iter().copied();
        Ok(items.filter(|key| bound.contains(key) || self.new.contains_key(key)).collect())
    }
}

/// The stories of everything that is tied to these items, as far as they differ from what is stored.
pub(super) fn stories(
    ties: &Ties<'_>,
    items: &[ItemKey],
) -> Result<Vec<(ItemKey, StoryKey)>, Error> {
    let mut waiting = ties.bound(items)?;
    let mut moves = Vec::new();
    while let Some(start) = waiting.pop_first() {
        let (keys, tied) = ties.component(start)?;
        waiting.retain(|key| !keys.contains(key));
        let list: Vec<ItemKey> = keys.into_iter().collect();
        let placed = ties.reader.story_items(&list)?;
        let decided = ties.reader.decisions(&list)?;
        let exceptions = dedupe::Exceptions { split: decided.split, joined: decided.joined };
        let before: HashMap<ItemKey, StoryKey> =
            placed.iter().map(|item| (item.key, item.story)).collect();
        let stars: Vec<Star> = placed
            .into_iter()
            .map(|item| Star {
                key: item.key,
                feed: item.feed,
                published: item.published,
                id: item.id,
            })
            .collect();
        for story in dedupe::stories(&stars, &tied, &exceptions) {
            // The number of a story is that of its first item.
            let number = StoryKey(story[0].0);
            let places = story.into_iter().map(|key| (key, number));
            moves.extend(places.filter(|(key, story)| before.get(key) != Some(story)));
        }
    }
    Ok(moves)
}
