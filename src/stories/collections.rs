//! Keeps a round-up, a newsletter or a live blog separate from the items whose texts it contains.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::cache::Cache;
use crate::dedupe::{self, Beside, CANDIDATES, Comparable, Index, Weights};
use crate::model::{ItemKey, Match, Rule};
use crate::store::{Error, Transaction};

/// Two rows, the later first.
type Pair = (ItemKey, ItemKey);

/// Turns new matches with a part of a collection into refusals. `matched` are pairs that were one story before: a
/// published story does not fall apart.
pub(super) fn separate(
    reader: &Transaction<'_>,
    (index, cache): (&Index, &mut Cache),
    weights: &Weights,
    ties: &mut [Match],
    matched: &HashMap<Pair, Rule>,
) -> Result<(), Error> {
    let fresh = |tie: &Match| {
        let new = !matched.contains_key(&(tie.item, tie.other));
        new && tie.same && tie.rule == Rule::SimilarText
    };
    let ends: BTreeSet<ItemKey> =
        ties.iter().filter(|tie| fresh(tie)).flat_map(|tie| [tie.item, tie.other]).collect();
    if ends.is_empty() {
        return Ok(());
    }
    let ends: Vec<ItemKey> = ends.into_iter().collect();
    let mut texts = Texts { weights, texts: HashMap::new(), beside: HashMap::new() };
    texts.load(reader, cache, &ends)?;
    // Only an item that has much more than what it shares may be a collection: copies are not looked at.
    let pairs = |tie: &Match| [(tie.item, tie.other), (tie.other, tie.item)];
    let fresh_pairs = ties.iter().filter(|tie| fresh(tie)).flat_map(pairs);
    let wholes = fresh_pairs.filter(|(whole, part)| texts.has_more_than(*whole, *part));
    let wholes: BTreeSet<ItemKey> = wholes.map(|(whole, _)| whole).collect();
    if wholes.is_empty() {
        return Ok(());
    }
    let wholes: Vec<ItemKey> = wholes.into_iter().collect();
    texts.beside = sharing(&reader.item_matches(&wholes)?, ties);
    let wanted = texts.add_own_feed(index, cache, &wholes);
    texts.load(reader, cache, &wanted)?;
    for tie in ties.iter_mut().filter(|tie| fresh(tie)) {
        if pairs(tie).iter().any(|(whole, part)| texts.is_part((*whole, *part))) {
            (tie.rule, tie.same) = (Rule::Collection, false);
        }
    }
    Ok(())
}

/// The texts of a batch that may be collections or parts.
struct Texts<'w> {
    weights: &'w Weights,
    texts: HashMap<ItemKey, Arc<Comparable>>,
    /// For each item those that it shares text with.
    beside: HashMap<ItemKey, BTreeMap<ItemKey, Beside>>,
}

impl Texts<'_> {
    fn load(
        &mut self,
        reader: &Transaction<'_>,
        cache: &mut Cache,
        keys: &[ItemKey],
    ) -> Result<(), Error> {
        cache.load(reader, keys, Vec::new(), self.weights)?;
        self.texts.extend(keys.iter().filter_map(|key| Some((*key, cache.get(*key)?))));
        Ok(())
    }

    /// Adds items of the feed of each of these, whose texts it may have too. Returns all that may be in one of them.
    fn add_own_feed(&mut self, index: &Index, cache: &Cache, wholes: &[ItemKey]) -> Vec<ItemKey> {
        let mut wanted = BTreeSet::new();
        for whole in wholes {
            let (Some(text), Some(feed)) = (self.texts.get(whole), cache.feed(*whole)) else {
                continue;
            };
            let own = index.beside((*whole, feed), &text.fingerprint.sketch).into_iter();
            let beside = self.beside.entry(*whole).or_default();
            beside.extend(own.map(|item| (item, Beside::OwnFeed)));
            wanted.extend(beside.keys().copied());
        }
        wanted.into_iter().collect()
    }

    fn has_more_than(&self, whole: ItemKey, part: ItemKey) -> bool {
        match (self.texts.get(&whole), self.texts.get(&part)) {
            (Some(whole), Some(part)) => dedupe::has_more_than(whole, part),
            _ => false,
        }
    }

    /// Whether an item that matches `whole` is only one of several texts in it.
    fn is_part(&self, (whole, part): Pair) -> bool {
        let (Some(text), Some(of), Some(beside)) =
            (self.texts.get(&whole), self.texts.get(&part), self.beside.get(&whole))
        else {
            return false;
        };
        let others = beside.iter().filter(|(other, _)| **other != part);
        let beside = others.filter_map(|(key, how)| Some((self.texts.get(key)?.as_ref(), *how)));
        dedupe::is_one_of_several(text, of, beside, self.weights)
    }
}

/// Part of the shorter text that is in the other, from which a refused pair may still be a part and its collection.
const WHOLE: f32 = 0.8;

/// Whether a rule refuses pairs of which one text may be in the other.
fn is_refusal(rule: Rule) -> bool {
    matches!(rule, Rule::OtherTitle | Rule::SameSite)
}

/// For each item those that it shares text with, with how they are known, at most as many as are compared: first those
/// that may be other parts of it, for a story has many matches of one text. New ties replace known ones.
fn sharing(known: &[Match], new: &[Match]) -> HashMap<ItemKey, BTreeMap<ItemKey, Beside>> {
    let ties: BTreeMap<Pair, &Match> =
        known.iter().chain(new).map(|tie| ((tie.item, tie.other), tie)).collect();
    let mut ties: Vec<(Pair, &Match)> = ties.into_iter().collect();
    ties.sort_by_key(|(_, tie)| tie.same);
    let mut shared: HashMap<ItemKey, BTreeMap<ItemKey, Beside>> = HashMap::new();
    for ((item, other), tie) in ties {
        let may_contain = match tie.rule {
            Rule::SimilarText => tie.same,
            rule => rule == Rule::Collection || is_refusal(rule) && tie.score >= WHOLE,
        };
        for (of, with) in [(item, other), (other, item)] {
            let others = shared.entry(of).or_default();
            if may_contain && others.len() < CANDIDATES {
                let how = if is_refusal(tie.rule) { Beside::Refused } else { Beside::Matched };
                others.insert(with, how);
            }
        }
    }
    shared
}
