//! Groups matched items into stories: computes the stories of all items again that match an item directly or
//! indirectly.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::dedupe;
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
        for tie in ties {
            new.entry(tie.item).or_default().push(*tie);
            new.entry(tie.other).or_default().push(*tie);
        }
        Self { reader, new }
    }

    /// Every match of one of these items with another one, also those that keep them separate.
    fn of(&self, keys: &[ItemKey]) -> Result<HashMap<Pair, Match>, Error> {
        let known = self.reader.item_matches(keys)?;
        // A later comparison replaces an earlier one.
        let new = keys.iter().filter_map(|key| self.new.get(key)).flatten().copied();
        Ok(known.into_iter().chain(new).map(|tie| ((tie.item, tie.other), tie)).collect())
    }

    /// These items and all others of their stories.
    fn with_stories(&self, keys: &[ItemKey]) -> Result<Vec<ItemKey>, Error> {
        let placed = self.reader.story_items(keys)?;
        let stories: Vec<StoryKey> = placed.iter().map(|item| item.story).collect();
        let members = self.reader.members(&stories)?;
        Ok(members.into_values().flatten().map(|head| head.key).collect())
    }

    /// Everything that ties and the operator's decisions bind to an item, however far, up to a bound.
    fn component(&self, start: ItemKey) -> Result<(BTreeSet<ItemKey>, Vec<Match>), Error> {
        let mut keys = BTreeSet::from([start]);
        let mut ties: HashMap<Pair, Match> = HashMap::new();
        let mut edge = vec![start];
        while !edge.is_empty() && keys.len() < COMPONENT {
            let found = self.of(&edge)?;
            let joined = self.reader.decisions(&edge)?.joined;
            let matched = found.iter().filter(|(_, tie)| tie.same).map(|(pair, _)| *pair);
            let ends = matched.chain(joined).flat_map(|(a, b)| [a, b]);
            let ends: Vec<ItemKey> = ends.chain(self.with_stories(&edge)?).collect();
            edge = ends.into_iter().filter(|key| keys.insert(*key)).collect();
            ties.extend(found);
        }
        Ok((keys, ties.into_values().collect()))
    }

    /// Which of these items are tied to another at all, or were decided upon. `known` are the matches
    /// of these items that are stored.
    fn bound(&self, items: &[ItemKey], known: &[Match]) -> Result<BTreeSet<ItemKey>, Error> {
        let decided = self.reader.decisions(items)?;
        let new = items.iter().filter_map(|key| self.new.get(key)).flatten();
        let matched = known.iter().chain(new).filter(|tie| tie.same);
        let ends = matched.map(|tie| (tie.item, tie.other)).chain(decided.joined);
        let bound: HashSet<ItemKey> = ends.flat_map(|(a, b)| [a, b]).chain(decided.split).collect();
        let items = items.iter().copied();
        Ok(items.filter(|key| bound.contains(key)).collect())
    }
}

/// The stories of everything that is tied to these items, as far as they differ from what is stored.
/// `known` are the matches of these items that are stored.
pub(super) fn stories(
    ties: &Ties<'_>,
    items: &[ItemKey],
    known: &[Match],
) -> Result<Vec<(ItemKey, StoryKey)>, Error> {
    let mut waiting = ties.bound(items, known)?;
    let judged: HashSet<ItemKey> = items.iter().copied().collect();
    let mut moves = Vec::new();
    while let Some(start) = waiting.pop_first() {
        let (keys, tied) = ties.component(start)?;
        waiting.retain(|key| !keys.contains(key));
        let list: Vec<ItemKey> = keys.into_iter().collect();
        let members = ties.reader.story_items(&list)?;
        let decisions = ties.reader.decisions(&list)?;
        let before: HashMap<ItemKey, StoryKey> =
            members.iter().map(|item| (item.key, item.story)).collect();
        for story in dedupe::stories(&members, &tied, &decisions, &judged) {
            // The number of a story is that of its first item.
            let number = StoryKey(story[0].0);
            let places = story.into_iter().map(|key| (key, number));
            moves.extend(places.filter(|(key, story)| before.get(key) != Some(story)));
        }
    }
    Ok(moves)
}
