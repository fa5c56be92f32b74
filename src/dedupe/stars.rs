//! From verdicts on pairs to stories: stars around the first item, never chains. Pure.
//!
//! Items are taken in the order of their dates; each joins the story of an earlier item that it is
//! the same as, or begins one. Only the first item of a story draws others, so that A like B and B
//! like C does not make A and C one. The order is that of the items and not of their arrival, so the
//! same items make the same stories whichever came first.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::tuning::STORY;
use crate::model::{FeedKey, ItemKey, Match};

/// An item among those that may be one story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// Its row.
    pub key: ItemKey,
    /// Whose it is; a story holds one item of a feed, for a feed tells its own items apart.
    pub feed: FeedKey,
    /// When it was published; `None`: nobody said, and it comes behind those of which it is known.
    pub published: Option<Timestamp>,
    /// Its outward id: tells items of one date apart, whatever came first.
    pub id: String,
}

/// What the operator decided, for good.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions {
    /// These stand alone.
    pub split: HashSet<ItemKey>,
    /// These belong together, whatever the texts say.
    pub joined: Vec<(ItemKey, ItemKey)>,
}

/// The stories that these items make, each in the order of its items' rows.
#[must_use]
pub fn stories(stars: &[Star], ties: &[Match], exceptions: &Exceptions) -> Vec<Vec<ItemKey>> {
    let units = units(stars, exceptions);
    let strength = strengths(stars, ties, &units, exceptions);
    let mut order: Vec<usize> = (0..stars.len()).collect();
    let rank = |i: usize| {
        let star = &stars[i];
        (star.published.is_none(), star.published, star.feed, &star.id)
    };
    order.sort_by(|a, b| rank(*a).cmp(&rank(*b)));
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut placed: HashSet<usize> = HashSet::new();
    for i in order {
        let unit = units[i];
        if !placed.insert(unit) {
            continue;
        }
        let members: Vec<usize> = (0..stars.len()).filter(|j| units[*j] == unit).collect();
        let feeds: HashSet<FeedKey> = members.iter().map(|j| stars[*j].feed).collect();
        let fits = |cluster: &Cluster| {
            cluster.members.len() + members.len() <= STORY && cluster.feeds.is_disjoint(&feeds)
        };
        let mut best: Option<(f32, usize)> = None;
        for (at, cluster) in clusters.iter().enumerate().filter(|(_, cluster)| fits(cluster)) {
            let Some(score) = strength.get(&pair(unit, cluster.centre)) else { continue };
            // The strongest, and of equals the earliest.
            if best.is_none_or(|(top, _)| *score > top) {
                best = Some((*score, at));
            }
        }
        match best {
            Some((_, at)) => {
                clusters[at].members.extend(members);
                clusters[at].feeds.extend(feeds);
            }
            None => clusters.push(Cluster { centre: unit, members, feeds }),
        }
    }
    let story = |cluster: Cluster| {
        let mut keys: Vec<ItemKey> = cluster.members.iter().map(|i| stars[*i].key).collect();
        keys.sort_unstable();
        keys
    };
    clusters.into_iter().map(story).collect()
}

struct Cluster {
    centre: usize,
    members: Vec<usize>,
    feeds: HashSet<FeedKey>,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

/// For each item the unit it moves with: itself, or those that the operator joined it to.
fn units(stars: &[Star], exceptions: &Exceptions) -> Vec<usize> {
    let place: HashMap<ItemKey, usize> =
        stars.iter().enumerate().map(|(i, star)| (star.key, i)).collect();
    let mut units: Vec<usize> = (0..stars.len()).collect();
    for (a, b) in &exceptions.joined {
        let (Some(a), Some(b)) = (place.get(a), place.get(b)) else { continue };
        let (from, to) = (units[*a].max(units[*b]), units[*a].min(units[*b]));
        units.iter_mut().filter(|unit| **unit == from).for_each(|unit| *unit = to);
    }
    units
}

/// How strongly two units are bound: by the strongest tie between their items.
fn strengths(
    stars: &[Star],
    ties: &[Match],
    units: &[usize],
    exceptions: &Exceptions,
) -> BTreeMap<(usize, usize), f32> {
    let place: HashMap<ItemKey, usize> =
        stars.iter().enumerate().map(|(i, star)| (star.key, i)).collect();
    let free = |key: &ItemKey| !exceptions.split.contains(key);
    let mut strength: BTreeMap<(usize, usize), f32> = BTreeMap::new();
    for tie in ties.iter().filter(|tie| tie.same && free(&tie.item) && free(&tie.other)) {
        let (Some(a), Some(b)) = (place.get(&tie.item), place.get(&tie.other)) else { continue };
        let bound = strength.entry(pair(units[*a], units[*b])).or_default();
        *bound = bound.max(tie.score);
    }
    strength
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Rule;

    fn star(key: i64, feed: i64, at: i64) -> Star {
        let published = Some(Timestamp::from_second(at).unwrap());
        Star { key: ItemKey(key), feed: FeedKey(feed), published, id: format!("urn:{feed}:{at}") }
    }

    fn tie(a: i64, b: i64, score: f32) -> Match {
        let (item, other) = (ItemKey(a.max(b)), ItemKey(a.min(b)));
        Match { item, other, rule: Rule::Near, score, threshold: 0.5, same: true }
    }

    fn keys(stories: Vec<Vec<ItemKey>>) -> Vec<Vec<i64>> {
        let mut keys: Vec<Vec<i64>> =
            stories.into_iter().map(|story| story.into_iter().map(|key| key.0).collect()).collect();
        keys.sort();
        keys
    }

    #[test]
    fn what_is_like_the_first_is_one_story_and_chains_are_not() {
        let stars = [star(1, 1, 10), star(2, 2, 20), star(3, 3, 30)];
        let none = Exceptions::default();
        let all = [tie(1, 2, 0.9), tie(1, 3, 0.8)];
        assert_eq!(keys(stories(&stars, &all, &none)), [vec![1, 2, 3]]);
        let chain = [tie(1, 2, 0.9), tie(2, 3, 0.9)];
        assert_eq!(keys(stories(&stars, &chain, &none)), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn a_story_holds_one_item_of_a_feed() {
        let stars = [star(1, 1, 10), star(2, 2, 20), star(3, 2, 30)];
        let ties = [tie(1, 2, 0.7), tie(1, 3, 0.9)];
        assert_eq!(keys(stories(&stars, &ties, &Exceptions::default())), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn the_operators_word_is_the_last() {
        let stars = [star(1, 1, 10), star(2, 2, 20), star(3, 2, 30)];
        let ties = [tie(1, 2, 1.0)];
        let split = Exceptions { split: HashSet::from([ItemKey(2)]), ..Exceptions::default() };
        assert_eq!(keys(stories(&stars, &ties, &split)), [vec![1], vec![2], vec![3]]);
        let joined = Exceptions { joined: vec![(ItemKey(2), ItemKey(3))], ..Exceptions::default() };
        assert_eq!(keys(stories(&stars, &ties, &joined)), [vec![1, 2, 3]]);
    }

    proptest! {
        #[test]
        fn the_same_items_make_the_same_stories_in_whatever_order_they_came(
            edges in proptest::collection::vec((0_i64..9, 0_i64..9, 50_u8..100), 0..20),
            order in Just((0_i64..9).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let stars: Vec<Star> = (0..9).map(|n| star(n, n % 5, n / 2)).collect();
            let ties: Vec<Match> = edges
                .iter()
                .filter(|(a, b, _)| a != b)
                .map(|(a, b, score)| tie(*a, *b, f32::from(*score) / 100.0))
                .collect();
            let there = keys(stories(&stars, &ties, &Exceptions::default()));
            // Another order of arrival: other rows for the same items.
            let row = |n: i64| order.iter().position(|m| *m == n).unwrap() as i64;
            let moved: Vec<Star> =
                order.iter().map(|n| Star { key: ItemKey(row(*n)), ..stars[*n as usize].clone() }).collect();
            let retied: Vec<Match> =
                edges.iter().rev().filter(|(a, b, _)| a != b)
                    .map(|(a, b, score)| tie(row(*a), row(*b), f32::from(*score) / 100.0)).collect();
            let mut back: Vec<Vec<i64>> = keys(stories(&moved, &retied, &Exceptions::default()))
                .into_iter()
                .map(|story| {
                    let mut story: Vec<i64> = story.into_iter().map(|row| order[row as usize]).collect();
                    story.sort_unstable();
                    story
                })
                .collect();
            back.sort();
            prop_assert_eq!(there, back);
        }
    }
}
