//! From matches of pairs to stories, by the evidence of the whole group. Pure.
//!
//! A story that is published is one unit: it grows, but it does not fall apart. The unit with the most matches begins a
//! group. Another unit joins when it matches the centre, or at least two items of the group, and when few enough of
//! the group are known to be different. The centre is the item with the most matches in the group, because the most
//! complete text matches the most others. The order is that of dates and ids and not of arrival, so the same items
//! make the same stories in any order of arrival.

use std::cmp::Reverse;
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
    let mut items: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (item, unit) in units.iter().enumerate() {
        items.entry(*unit).or_default().push(item);
    }
    let order = order(members, &items, &evidence);
    let mut free: HashSet<usize> = order.iter().copied().collect();
    let mut stories = Vec::new();
    for first in &order {
        if !free.remove(first) {
            continue;
        }
        let mut group = Group::new(members, &evidence);
        group.take(&items[first]);
        while let Some(unit) = group.best(order.iter().filter(|unit| free.contains(unit)), &items) {
            free.remove(&unit);
            group.take(&items[&unit]);
        }
        let mut keys: Vec<ItemKey> = group.items.iter().map(|item| members[*item].key).collect();
        keys.sort_unstable();
        stories.push(keys);
    }
    stories
}

/// The centre of a story with these items: the item that matches the most others. `None` if there are no items.
#[must_use]
pub fn centre(members: &[StoryItem], matches: &[Match]) -> Option<ItemKey> {
    let units: Vec<usize> = vec![0; members.len()];
    let evidence = Evidence::new(members, matches, &units, &Decisions::default());
    let mut group = Group::new(members, &evidence);
    let all: Vec<usize> = (0..members.len()).collect();
    group.take(&all);
    group.centre().map(|item| members[item].key)
}

/// The units, those with the most items and then the most matches first, of equals the earliest.
fn order(
    members: &[StoryItem],
    items: &BTreeMap<usize, Vec<usize>>,
    evidence: &Evidence,
) -> Vec<usize> {
    let date = |item: &usize| {
        let member = &members[*item];
        (member.published.is_none(), member.published, member.feed, &member.id)
    };
    let mut order: Vec<usize> = items.keys().copied().collect();
    order.sort_by_cached_key(|unit| {
        let all = &items[unit];
        let matches: usize = all.iter().map(|item| evidence.matches[*item].len()).sum();
        (Reverse((all.len(), matches)), all.iter().map(date).min())
    });
    order
}

/// A story that is being made.
struct Group<'a> {
    members: &'a [StoryItem],
    evidence: &'a Evidence,
    items: Vec<usize>,
    feeds: HashSet<FeedKey>,
}

impl<'a> Group<'a> {
    fn new(members: &'a [StoryItem], evidence: &'a Evidence) -> Self {
        Self { members, evidence, items: Vec::new(), feeds: HashSet::new() }
    }

    fn take(&mut self, items: &[usize]) {
        self.items.extend(items);
        self.feeds.extend(items.iter().map(|item| self.members[*item].feed));
    }

    /// The item with the most matches in the group; of equals the item with the most matches at all, then the first
    /// by id.
    fn centre(&self) -> Option<usize> {
        let inside: HashSet<usize> = self.items.iter().copied().collect();
        self.items.iter().copied().max_by_key(|item| {
            let matches = &self.evidence.matches[*item];
            let within = matches.iter().filter(|(other, _)| inside.contains(other)).count();
            (within, matches.len(), Reverse(&self.members[*item].id))
        })
    }

    fn fits(&self, items: &[usize]) -> bool {
        self.items.len() + items.len() <= STORY
            && items.iter().all(|item| !self.feeds.contains(&self.members[*item].feed))
    }

    /// The unit of these with the most evidence for this group; of equals the first.
    fn best<'u>(
        &self,
        units: impl Iterator<Item = &'u usize>,
        items: &BTreeMap<usize, Vec<usize>>,
    ) -> Option<usize> {
        let inside: HashSet<usize> = self.items.iter().copied().collect();
        let centre = self.centre();
        let mut best: Option<((f32, usize), usize)> = None;
        for unit in units {
            let (mut matches, mut refusals, mut score, mut central) = (0, 0, 0.0_f32, false);
            for item in &items[unit] {
                for (other, found) in &self.evidence.matches[*item] {
                    if inside.contains(other) {
                        (matches, score) = (matches + 1, score.max(*found));
                        central |= Some(*other) == centre;
                    }
                }
                let refused = &self.evidence.refusals[*item];
                refusals += refused.iter().filter(|other| inside.contains(other)).count();
            }
            let enough = central || matches >= MEMBERS;
            let refused = refusals * MATCHES_PER_REFUSAL > matches;
            let better = best.is_none_or(|(strength, _)| (score, matches) > strength);
            if enough && !refused && better && self.fits(&items[unit]) {
                best = Some(((score, matches), *unit));
            }
        }
        best.map(|(_, unit)| unit)
    }
}

/// What is known of pairs of items, from both sides.
struct Evidence {
    /// For each item the items that it matches, with the score.
    matches: Vec<Vec<(usize, f32)>>,
    /// For each item those that a rule keeps separate. Texts that only share too little are not a refusal.
    refusals: Vec<Vec<usize>>,
}

impl Evidence {
    fn new(
        members: &[StoryItem],
        matches: &[Match],
        units: &[usize],
        decisions: &Decisions,
    ) -> Self {
        let place = places(members);
        let mut evidence = Self {
            matches: vec![Vec::new(); members.len()],
            refusals: vec![Vec::new(); members.len()],
        };
        for tie in matches {
            let (Some(a), Some(b)) = (place.get(&tie.item), place.get(&tie.other)) else {
                continue;
            };
            let split = decisions.split.contains(&tie.item) || decisions.split.contains(&tie.other);
            if split {
                continue;
            }
            for (item, other) in [(*a, *b), (*b, *a)] {
                if tie.same {
                    evidence.matches[item].push((other, tie.score));
                } else if refuses(tie) && units[item] != units[other] {
                    evidence.refusals[item].push(other);
                }
            }
        }
        evidence
    }
}

/// Whether a rule found the two different, not only too little shared text.
fn refuses(tie: &Match) -> bool {
    !tie.same
        && matches!(
            tie.rule,
            Rule::Series | Rule::OtherTitle | Rule::Template | Rule::SameSite | Rule::Collection
        )
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

    #[test]
    fn two_that_were_split_off_and_joined_are_a_story_by_themselves() {
        let mut members: Vec<StoryItem> = (1..5).map(|n| member(n, n, n)).collect();
        members.iter_mut().for_each(|member| member.story = StoryKey(1));
        let ties = [tie(1, 2, 1.0), tie(1, 3, 1.0), tie(2, 3, 1.0), tie(3, 4, 1.0), tie(1, 4, 1.0)];
        let [one, two] = [1, 2].map(ItemKey);
        let decisions = Decisions { split: [one, two].into(), joined: vec![(two, one)] };
        let found = stories(&members, &ties, &decisions, &[one, two].into());
        assert_eq!(keys(found), [[1, 2], [3, 4]]);
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

    /// The stories after eight items have arrived in this order, each grouped with the published ones.
    fn arrive(order: &[i64], of: impl Fn(i64, i64) -> Option<Match>) -> Vec<Vec<i64>> {
        let (mut members, mut ties): (Vec<StoryItem>, Vec<Match>) = (Vec::new(), Vec::new());
        for n in order {
            ties.extend(members.iter().filter_map(|other| of(other.key.0, *n)));
            members.push(member(*n, *n, 9 - n));
            let judged = HashSet::from([ItemKey(*n)]);
            for story in stories(&members, &ties, &Decisions::default(), &judged) {
                for member in members.iter_mut().filter(|member| story.contains(&member.key)) {
                    member.story = StoryKey(story[0].0);
                }
            }
        }
        let mut published: std::collections::BTreeMap<StoryKey, Vec<i64>> = Default::default();
        members.iter().for_each(|m| published.entry(m.story).or_default().push(m.key.0));
        let mut published: Vec<Vec<i64>> = published.into_values().collect();
        published.iter_mut().for_each(|story| story.sort_unstable());
        published.sort();
        published
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
        fn carriers_that_arrive_one_by_one_make_the_same_stories_in_any_order(
            stories in proptest::collection::vec(0_i64..3, 8),
            missing in proptest::collection::btree_set((0_i64..8, 0_i64..8), 0..4),
            order in Just((0_i64..8).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            // The first item of each story is the fullest text, which matches all others.
            let fullest = |n: i64| stories.iter().position(|s| *s == stories[n as usize]).unwrap() as i64;
            let of = |a: i64, b: i64| -> Option<Match> {
                let one = stories[a as usize] == stories[b as usize];
                let weak = missing.contains(&(a.min(b), a.max(b)));
                match (one, weak) {
                    (true, true) if fullest(a) != a.min(b) => None,
                    (true, _) => Some(tie(a, b, 0.8)),
                    (false, true) => Some(refusal(a, b)),
                    (false, false) => None,
                }
            };
            let published = arrive(&order, of);
            let mut expected: std::collections::BTreeMap<i64, Vec<i64>> = Default::default();
            (0..8).for_each(|n| expected.entry(stories[n as usize]).or_default().push(n));
            let mut expected: Vec<Vec<i64>> = expected.into_values().collect();
            expected.sort();
            prop_assert_eq!(published, expected);
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
