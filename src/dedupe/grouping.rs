//! From matches of pairs to stories, by the evidence of the whole group. Pure.
//!
//! A story that is published is one unit: it grows, but it does not fall apart. The unit with the most
//! matches is the centre of a new group, because the most complete text matches the most others. Another
//! unit joins when it matches the centre, or at least two items of the group, and when few enough of the
//! group are known to be different. The order is that of dates and ids and not of arrival, so the same items
//! make the same stories whichever came first.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::tuning::{MATCHES_PER_REFUSAL, MEMBERS, STORY};
use crate::model::{Decisions, FeedKey, ItemKey, Match, Rule, StoryItem, StoryKey};

/// Returns the stories that these items make, each in the order of its items' rows. `judged` are items that
/// were compared again: one that no longer matches any item of its story leaves it.
#[must_use]
pub fn stories(
    members: &[StoryItem],
    matches: &[Match],
    decisions: &Decisions,
    judged: &HashSet<ItemKey>,
) -> Vec<Vec<ItemKey>> {
    let units = units(members, matches, decisions, judged);
    let evidence = Evidence::new(members, matches, &units, decisions);
    let rank = |i: usize| {
        let member = &members[i];
        (member.published.is_none(), member.published, member.feed, &member.id)
    };
    let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, unit) in units.iter().enumerate() {
        all.entry(*unit).or_default().push(i);
    }
    let mut order: Vec<usize> = all.keys().copied().collect();
    let first = |unit: &usize| all[unit].iter().map(|i| rank(*i)).min();
    order.sort_by_cached_key(|unit| {
        (std::cmp::Reverse((all[unit].len(), evidence.degree(*unit))), first(unit))
    });
    let place: HashMap<usize, usize> =
        order.iter().enumerate().map(|(at, unit)| (*unit, at)).collect();
    let mut free: HashSet<usize> = order.iter().copied().collect();
    let mut stories = Vec::new();
    for centre in &order {
        if !free.remove(centre) {
            continue;
        }
        let mut group = Group::default();
        group.take(*centre, &all[centre], members);
        group.count(&evidence, *centre, &place);
        let mut taken = vec![*centre];
        while let Some(best) =
            group.best(&order, |unit| free.contains(&unit), |unit| &all[&unit], members)
        {
            free.remove(&best);
            group.take(best, &all[&best], members);
            group.count(&evidence, best, &place);
            taken.push(best);
        }
        let items = taken.iter().flat_map(|unit| &all[unit]);
        let mut keys: Vec<ItemKey> = items.map(|i| members[*i].key).collect();
        keys.sort_unstable();
        stories.push(keys);
    }
    stories
}

/// A story that is being made.
#[derive(Default)]
struct Group {
    /// The unit that the group began with.
    centre: Option<usize>,
    items: usize,
    feeds: HashSet<FeedKey>,
    /// What is known between the group and other units, by their place in the order, and whether they match
    /// the centre.
    known: BTreeMap<usize, (Between, bool)>,
}

impl Group {
    fn take(&mut self, unit: usize, items: &[usize], members: &[StoryItem]) {
        self.centre.get_or_insert(unit);
        self.items += items.len();
        self.feeds.extend(items.iter().map(|i| members[*i].feed));
    }

    /// Adds what is known of a new unit of the group to the evidence for all others.
    fn count(&mut self, evidence: &Evidence, unit: usize, place: &HashMap<usize, usize>) {
        let central = self.centre == Some(unit);
        for (other, between) in evidence.of.get(&unit).into_iter().flatten() {
            let (known, matches_centre) = self.known.entry(place[other]).or_default();
            known.matches += between.matches;
            known.refusals += between.refusals;
            known.score = known.score.max(between.score);
            *matches_centre |= central && between.central;
        }
    }

    fn fits(&self, items: &[usize], members: &[StoryItem]) -> bool {
        self.items + items.len() <= STORY
            && items.iter().all(|i| !self.feeds.contains(&members[*i].feed))
    }

    /// The free unit with the most evidence for this group; of equals the first in the order.
    fn best<'u>(
        &self,
        order: &[usize],
        free: impl Fn(usize) -> bool,
        items: impl Fn(usize) -> &'u Vec<usize>,
        members: &[StoryItem],
    ) -> Option<usize> {
        let mut best: Option<((f32, usize), usize)> = None;
        for (place, (known, central)) in &self.known {
            let unit = order[*place];
            let enough = *central || known.matches >= MEMBERS;
            let refused = known.refusals * MATCHES_PER_REFUSAL > known.matches;
            if !enough || refused || !free(unit) || !self.fits(items(unit), members) {
                continue;
            }
            let strength = (known.score, known.matches);
            if best.is_none_or(|(top, _)| strength > top) {
                best = Some((strength, unit));
            }
        }
        best.map(|(_, unit)| unit)
    }
}

/// What is known of the items of two units.
#[derive(Debug, Clone, Copy, Default)]
struct Between {
    matches: usize,
    /// Pairs that a rule keeps separate. Texts that only share too little are no refusals.
    refusals: usize,
    /// The highest score of a match.
    score: f32,
    /// Whether the centre of the first unit is in a match.
    central: bool,
}

/// All that is known of pairs of units, from both sides.
struct Evidence {
    of: HashMap<usize, BTreeMap<usize, Between>>,
}

impl Evidence {
    fn new(
        members: &[StoryItem],
        matches: &[Match],
        units: &[usize],
        decisions: &Decisions,
    ) -> Self {
        let place = places(members);
        let free = |key: &ItemKey| !decisions.split.contains(key);
        let centres = centres(members, matches, units);
        let mut of: HashMap<usize, BTreeMap<usize, Between>> = HashMap::new();
        for tie in matches.iter().filter(|tie| free(&tie.item) && free(&tie.other)) {
            let (Some(a), Some(b)) = (place.get(&tie.item), place.get(&tie.other)) else {
                continue;
            };
            let (one, other) = (units[*a], units[*b]);
            if one == other || !tie.same && !refuses(tie) {
                continue;
            }
            for (item, one, other) in [(a, one, other), (b, other, one)] {
                let found = of.entry(one).or_default().entry(other).or_default();
                found.matches += usize::from(tie.same);
                found.refusals += usize::from(!tie.same);
                found.score = if tie.same { found.score.max(tie.score) } else { found.score };
                found.central |= tie.same && centres[&one] == *item;
            }
        }
        Self { of }
    }

    /// Number of units that a unit matches.
    fn degree(&self, unit: usize) -> usize {
        let known = self.of.get(&unit).into_iter().flatten();
        known.filter(|(_, between)| between.matches > 0).count()
    }
}

/// The centre of each unit: of its items the one with the most matches inside, of equals the first by id.
fn centres(members: &[StoryItem], matches: &[Match], units: &[usize]) -> HashMap<usize, usize> {
    let place = places(members);
    let mut inside = vec![0_usize; members.len()];
    for tie in matches.iter().filter(|tie| tie.same) {
        if let (Some(a), Some(b)) = (place.get(&tie.item), place.get(&tie.other))
            && units[*a] == units[*b]
        {
            inside[*a] += 1;
            inside[*b] += 1;
        }
    }
    let mut centres: HashMap<usize, usize> = HashMap::new();
    for (i, unit) in units.iter().enumerate() {
        let centre = centres.entry(*unit).or_insert(i);
        let better = inside[i].cmp(&inside[*centre]).then(members[*centre].id.cmp(&members[i].id));
        if better.is_gt() {
            *centre = i;
        }
    }
    centres
}

/// Whether a rule says that the two are different, not only that they share too little.
fn refuses(tie: &Match) -> bool {
    !tie.same && matches!(tie.rule, Rule::Series | Rule::Template | Rule::SameSite)
}

/// Whether a pair that was one story may remain one after an edit.
fn holds(tie: &Match) -> bool {
    tie.same || !refuses(tie) && tie.score >= tie.threshold / 2.0
}

fn places(members: &[StoryItem]) -> HashMap<ItemKey, usize> {
    members.iter().enumerate().map(|(i, member)| (member.key, i)).collect()
}

/// The unit of each member: its story as published, or what the operator joined.
fn units(
    members: &[StoryItem],
    matches: &[Match],
    decisions: &Decisions,
    judged: &HashSet<ItemKey>,
) -> Vec<usize> {
    let place = places(members);
    let story = |key: &ItemKey| place.get(key).map(|i| members[*i].story);
    let mut held: HashSet<ItemKey> = HashSet::new();
    for tie in matches.iter().filter(|tie| holds(tie)) {
        if story(&tie.item).is_some() && story(&tie.item) == story(&tie.other) {
            held.extend([tie.item, tie.other]);
        }
    }
    let stays = |key: &ItemKey| {
        !decisions.split.contains(key) && (held.contains(key) || !judged.contains(key))
    };
    let mut first: HashMap<StoryKey, usize> = HashMap::new();
    let mut units: Vec<usize> = (0..members.len()).collect();
    for (i, member) in members.iter().enumerate().filter(|(_, member)| stays(&member.key)) {
        units[i] = *first.entry(member.story).or_insert(i);
    }
    for (a, b) in &decisions.joined {
        let (Some(a), Some(b)) = (place.get(a), place.get(b)) else { continue };
        let (from, to) = (units[*a].max(units[*b]), units[*a].min(units[*b]));
        units.iter_mut().filter(|unit| **unit == from).for_each(|unit| *unit = to);
    }
    units
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn member(key: i64, feed: i64, at: i64) -> StoryItem {
        let published = Some(Timestamp::from_second(at).unwrap());
        let (key, story) = (ItemKey(key), StoryKey(key));
        StoryItem { key, feed: FeedKey(feed), published, id: format!("urn:{feed}:{at}"), story }
    }

    fn tie(a: i64, b: i64, score: f32) -> Match {
        let (item, other) = (ItemKey(a.max(b)), ItemKey(a.min(b)));
        Match { item, other, rule: Rule::SimilarText, score, threshold: 0.5, same: true }
    }

    fn refusal(a: i64, b: i64) -> Match {
        Match { same: false, rule: Rule::Template, ..tie(a, b, 0.9) }
    }

    fn keys(stories: Vec<Vec<ItemKey>>) -> Vec<Vec<i64>> {
        let mut keys: Vec<Vec<i64>> =
            stories.into_iter().map(|story| story.into_iter().map(|key| key.0).collect()).collect();
        keys.sort();
        keys
    }

    fn grouped(members: &[StoryItem], ties: &[Match], decisions: &Decisions) -> Vec<Vec<i64>> {
        keys(stories(members, ties, decisions, &HashSet::new()))
    }

    #[test]
    fn the_item_with_the_most_matches_is_the_centre_of_its_story() {
        let members = [member(1, 1, 10), member(2, 2, 20), member(3, 3, 30)];
        let none = Decisions::default();
        let through = [tie(1, 2, 0.9), tie(2, 3, 0.9)];
        assert_eq!(grouped(&members, &through, &none), [vec![1, 2, 3]]);
        let refused = [tie(1, 2, 0.9), tie(2, 3, 0.8), refusal(1, 3)];
        assert_eq!(grouped(&members, &refused, &none), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn one_refusal_does_not_split_a_story_that_the_others_agree_on() {
        let members: Vec<StoryItem> = (1..=4).map(|n| member(n, n, n)).collect();
        let ties = [
            tie(1, 2, 0.9),
            tie(1, 3, 0.9),
            tie(2, 4, 0.9),
            tie(3, 4, 0.9),
            tie(2, 3, 0.9),
            refusal(1, 4),
        ];
        assert_eq!(grouped(&members, &ties, &Decisions::default()), [vec![1, 2, 3, 4]]);
    }

    #[test]
    fn a_chain_of_single_matches_is_not_one_story() {
        let members: Vec<StoryItem> = (1..=4).map(|n| member(n, n, n)).collect();
        let chain = [tie(1, 2, 0.9), tie(2, 3, 0.9), tie(3, 4, 0.9)];
        assert_eq!(grouped(&members, &chain, &Decisions::default()), [vec![1, 2, 3], vec![4]]);
    }

    #[test]
    fn a_published_story_stays_whole_until_an_edit_takes_a_member_elsewhere() {
        let mut members: Vec<StoryItem> = (1..=3).map(|n| member(n, n, n)).collect();
        members.iter_mut().for_each(|member| member.story = StoryKey(1));
        let none = Decisions::default();
        let ties = [refusal(1, 2), refusal(1, 3), tie(2, 3, 0.9)];
        assert_eq!(grouped(&members, &ties, &none), [vec![1, 2, 3]]);
        let edited = HashSet::from([ItemKey(1)]);
        assert_eq!(keys(stories(&members, &ties, &none, &edited)), [vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_story_has_one_item_of_a_feed() {
        let members = [member(1, 1, 10), member(2, 2, 20), member(3, 2, 30)];
        let ties = [tie(1, 2, 0.7), tie(1, 3, 0.9)];
        assert_eq!(grouped(&members, &ties, &Decisions::default()), [vec![1, 3], vec![2]]);
    }

    #[test]
    fn a_story_of_a_hundred_carriers_is_one_story() {
        let members: Vec<StoryItem> = (1..=100).map(|n| member(n, n, n)).collect();
        let ties: Vec<Match> =
            (2..=100).flat_map(|n| (1..n.min(17)).map(move |m| tie(n, m, 0.9))).collect();
        assert_eq!(grouped(&members, &ties, &Decisions::default()).len(), 1);
    }

    #[test]
    fn the_operator_decides_last() {
        let members = [member(1, 1, 10), member(2, 2, 20), member(3, 2, 30)];
        let ties = [tie(1, 2, 1.0)];
        let split = Decisions { split: HashSet::from([ItemKey(2)]), ..Decisions::default() };
        assert_eq!(grouped(&members, &ties, &split), [vec![1], vec![2], vec![3]]);
        let joined = Decisions { joined: vec![(ItemKey(2), ItemKey(3))], ..Decisions::default() };
        assert_eq!(grouped(&members, &ties, &joined), [vec![1, 2, 3]]);
    }

    proptest! {
        #[test]
        fn the_same_items_make_the_same_stories_in_any_order_of_arrival(
            edges in proptest::collection::btree_map((0_i64..9, 0_i64..9), (50_u8..100, any::<bool>()), 0..20),
            order in Just((0_i64..9).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let members: Vec<StoryItem> = (0..9).map(|n| member(n, n % 8, n / 2)).collect();
            let made = |row: &dyn Fn(i64) -> i64| -> Vec<Match> {
                edges.iter().filter(|((a, b), _)| a < b).map(|((a, b), (score, same))| {
                    let tie = tie(row(*a), row(*b), f32::from(*score) / 100.0);
                    if *same { tie } else { Match { same: false, rule: Rule::Template, ..tie } }
                }).collect()
            };
            let there = grouped(&members, &made(&|n| n), &Decisions::default());
            // Another order of arrival gives the same items other rows.
            let row = |n: i64| order.iter().position(|m| *m == n).unwrap() as i64;
            let moved: Vec<StoryItem> = order.iter().map(|n| StoryItem {
                key: ItemKey(row(*n)), story: StoryKey(row(*n)), ..members[*n as usize].clone()
            }).collect();
            let mut back: Vec<Vec<i64>> = grouped(&moved, &made(&row), &Decisions::default())
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

        #[test]
        fn eight_carriers_that_match_each_other_are_one_story_whatever_is_published_already(
            published in proptest::collection::vec(any::<bool>(), 8),
        ) {
            let members: Vec<StoryItem> = (0..8).map(|n| StoryItem {
                story: StoryKey(if published[n as usize] { 0 } else { n }), ..member(n, n, 9 - n)
            }).collect();
            let ties: Vec<Match> = (0..8).flat_map(|a| (0..a).map(move |b| tie(a, b, 0.8))).collect();
            prop_assert_eq!(grouped(&members, &ties, &Decisions::default()).len(), 1);
        }
    }
}
