//! Selects the stories of an output, one candidate at a time. Pure.
//!
//! The caller reads candidates newest first (`sort_at` descending, then key descending), asks
//! [`Selector::takes_feed`] and [`Selector::takes_item`], and adds what both take until the result is
//! [`AddResult::Full`].

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::media;
use super::output::{Output, ShownDate};
use crate::model::{Conditions, FeedId, FeedKey, OutputItem, Refusal, StoryKey, Subject};

/// What [`Selector::try_add`] did with a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddResult {
    /// It is selected. Continue.
    Taken,
    /// It is not selected, because its feed has its maximum number of items. Continue.
    Skipped,
    /// It is not selected, and neither will any older candidate be. Stop.
    Full,
}

/// The selection of one output at one moment.
#[derive(Debug)]
pub struct Selector<'a> {
    output: &'a Output,
    /// Items that are younger than this are selected beyond `items`.
    young: Option<Timestamp>,
    /// Number of selected items.
    taken: usize,
    /// Number of selected items by feed; used only if feeds are limited.
    of_feed: HashMap<FeedKey, usize>,
    /// Number of feeds that candidates come from, if known.
    feeds: Option<usize>,
    /// Number of feeds that have reached their limit.
    exhausted: usize,
    /// Sort time of the oldest item that was taken for its age, beyond the number of items.
    oldest_young: Option<Timestamp>,
}

impl<'a> Selector<'a> {
    /// An empty selection; `max_age` counts back from `now`.
    #[must_use]
    pub fn new(output: &'a Output, now: Timestamp) -> Self {
        let young = output.max_age.map(|age| {
            SignedDuration::try_from(age)
                .ok()
                .and_then(|age| now.checked_sub(age).ok())
                .unwrap_or(Timestamp::MIN)
        });
        Self {
            output,
            young,
            taken: 0,
            of_feed: HashMap::new(),
            feeds: None,
            exhausted: 0,
            oldest_young: None,
        }
    }

    /// Sets the number of feeds. The selection is then full when each feed has reached its limit, without
    /// reading all older candidates.
    #[must_use]
    pub fn among(mut self, feeds: usize) -> Self {
        self.feeds = Some(feeds);
        self
    }

    /// Whether the output takes items of this feed: the conditions on id and tags.
    #[must_use]
    pub fn takes_feed(&self, id: &FeedId, tags: &[String]) -> bool {
        self.output.filter.takes_feed(id, tags)
    }

    /// Whether the output takes all items of the feeds that it takes.
    #[must_use]
    pub fn takes_whole_feeds(&self) -> bool {
        !self.is_podcast() && self.output.filter.tables().all(Conditions::is_of_feeds)
    }

    /// Whether the output takes this item.
    #[must_use]
    pub fn takes_item(&self, entry: &OutputItem) -> bool {
        self.refusal(entry).is_none()
    }

    /// Why the output does not take this item; `None`: it takes it.
    #[must_use]
    pub fn refusal(&self, entry: &OutputItem) -> Option<Refusal<'a>> {
        let OutputItem { feed, item, first_seen, .. } = entry;
        let subject = Subject::new(&feed.id, &feed.tags, item, *first_seen);
        self.output.filter.refusal(&subject).or_else(|| {
            (self.is_podcast() && !media::is_episode(item)).then_some(Refusal::NoEpisode)
        })
    }

    fn is_podcast(&self) -> bool {
        self.output.presentation.podcast.is_some()
    }

    /// Minimum number of feeds of the output that a story must be in.
    #[must_use]
    pub fn min_feeds(&self) -> usize {
        self.output.min_feeds.unwrap_or(1)
    }

    /// Maximum number of stories per feed; `None`: unlimited.
    fn limit(&self) -> Option<usize> {
        let share =
            self.output.per_feed_percent.map(|percent| (self.output.items * percent).div_ceil(100));
        [self.output.per_feed, share].into_iter().flatten().min()
    }

    /// Sorts the selected items for the document: newest first, by the date that is shown.
    pub fn arrange(&self, selected: &mut [OutputItem]) {
        if self.output.presentation.date == ShownDate::FirstSeen {
            selected.sort_by_key(|entry| Reverse((entry.first_seen, entry.key)));
        }
    }

    /// Adds the next candidate, which must not be newer than the one before.
    ///
    /// Selects the newest `items`, or all that are younger than `max_age`, whichever is more. So a feed
    /// reader that polls once an hour sees every item of a burst.
    pub fn try_add(&mut self, feed: FeedKey, sort_at: Timestamp) -> AddResult {
        let young = self.young.is_some_and(|since| sort_at > since);
        let room = self.taken < self.output.items || young;
        let exhausted = self.feeds.is_some_and(|feeds| self.exhausted >= feeds);
        if !room || exhausted || self.taken >= Output::MAX_ITEMS {
            return AddResult::Full;
        }
        if let Some(limit) = self.limit() {
            let of_feed = self.of_feed.entry(feed).or_default();
            if *of_feed >= limit {
                return AddResult::Skipped;
            }
            *of_feed += 1;
            self.exhausted += usize::from(*of_feed == limit);
        }
        if self.taken >= self.output.items {
            self.oldest_young = Some(sort_at);
        }
        self.taken += 1;
        AddResult::Taken
    }

    /// Adds stories that arrived lately and are older than what was selected by date, those first that have room first. Each
    /// takes the place of the oldest story that is not among the `latest`; where its feed has its maximum, of that feed.
    pub fn add_late(
        &self,
        selected: &mut Vec<OutputItem>,
        late: Vec<OutputItem>,
        latest: &HashSet<StoryKey>,
    ) {
        let young = |entry: &OutputItem| self.young.is_some_and(|since| entry.sort_at > since);
        let position = |entry: &OutputItem| Reverse((entry.sort_at, entry.key));
        for entry in late {
            let is_own = |other: &OutputItem| other.feed.key == entry.feed.key;
            let of_feed = selected.iter().filter(|other| is_own(other)).count();
            let is_limited = self.limit().is_some_and(|limit| of_feed >= limit);
            let leaves = |other: &OutputItem| {
                let may = if is_limited { is_own(other) } else { !young(other) };
                may && !latest.contains(&other.story)
            };
            if is_limited || selected.len() >= self.output.items {
                match selected.iter().rposition(leaves) {
                    Some(place) => drop(selected.remove(place)),
                    None if is_limited || selected.len() >= Output::MAX_ITEMS => continue,
                    None => {}
                }
            }
            let place = selected.partition_point(|other| position(other) < position(&entry));
            selected.insert(place, entry);
        }
    }

    /// When the first of the items that were taken for their age becomes older than `max_age`.
    /// `None`: the selection does not change by time alone.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        let max_age = SignedDuration::try_from(self.output.max_age?).ok()?;
        self.oldest_young?.checked_add(max_age).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use super::super::output::OutputIdentity;
    use super::*;

    fn output() -> Output {
        Output {
            id: "all".to_owned(),
            title: "All".to_owned(),
            description: None,
            link: None,
            author: None,
            formats: Vec::new(),
            directory: None,
            token: None,
            items: 3,
            max_age: None,
            per_feed: None,
            per_feed_percent: None,
            min_feeds: None,
            filter: Default::default(),
            rewrite: Default::default(),
            theme: Default::default(),
            presentation: Default::default(),
            deltas: false,
            digest: None,
            site: false,
            has_pages: true,
            base_url: Url::parse("https://wire.example.org/").unwrap(),
            identity: OutputIdentity::new("all", Timestamp::UNIX_EPOCH),
            filtered: None,
            private_feeds: Default::default(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    /// Adds candidates given as feed and age in seconds.
    fn add(selector: &mut Selector<'_>, candidates: &[(i64, i64)]) -> Vec<AddResult> {
        candidates.iter().map(|(feed, age)| selector.try_add(FeedKey(*feed), at(-age))).collect()
    }

    use AddResult::{Full, Skipped, Taken};

    #[test]
    fn the_newest_items_are_selected_until_it_is_full() {
        let output = output();
        let mut selector = Selector::new(&output, at(0));
        let got = add(&mut selector, &[(1, 1), (1, 2), (2, 3), (2, 4)]);
        assert_eq!(got, [Taken, Taken, Taken, Full]);
    }

    #[test]
    fn a_burst_younger_than_max_age_is_selected_as_a_whole() {
        let output = Output { items: 1, max_age: Some(Duration::from_secs(10)), ..output() };
        let mut selector = Selector::new(&output, at(0));
        let got = add(&mut selector, &[(1, 1), (1, 2), (1, 9), (1, 10)]);
        assert_eq!(got, [Taken, Taken, Taken, Full], "an item of exactly max_age is not younger");
        let mut selector = Selector::new(&output, at(0));
        assert_eq!(add(&mut selector, &[(1, 99), (1, 100)]), [Taken, Full], "the newest N");
    }

    #[test]
    fn a_very_large_max_age_selects_at_most_max_items() {
        let output = Output { items: 1, max_age: Some(Duration::MAX), ..output() };
        let mut selector = Selector::new(&output, at(0));
        for age in 0..Output::MAX_ITEMS {
            assert_eq!(selector.try_add(FeedKey(1), at(-i64::try_from(age).unwrap())), Taken);
        }
        assert_eq!(selector.try_add(FeedKey(1), at(-9_999)), Full);
    }

    #[test]
    fn per_feed_limits_each_feed() {
        let output = Output { per_feed: Some(1), ..output() };
        let mut selector = Selector::new(&output, at(0));
        let got = add(&mut selector, &[(1, 1), (1, 2), (2, 3), (3, 4), (4, 5)]);
        assert_eq!(got, [Taken, Skipped, Taken, Taken, Full]);
    }

    #[test]
    fn percentages_limit_each_feed() {
        let output = Output { per_feed_percent: Some(50), items: 4, per_feed: Some(3), ..output() };
        let mut selector = Selector::new(&output, at(0));
        assert_eq!(add(&mut selector, &[(1, 1), (1, 2), (1, 3)]), [Taken, Taken, Skipped]);
    }

    #[test]
    fn the_selection_is_full_when_every_feed_reached_its_limit() {
        let output = Output { per_feed: Some(1), items: 100, ..output() };
        let mut selector = Selector::new(&output, at(0)).among(2);
        assert_eq!(
            add(&mut selector, &[(1, 1), (1, 2), (2, 3), (1, 4)]),
            [Taken, Skipped, Taken, Full]
        );
    }
}
