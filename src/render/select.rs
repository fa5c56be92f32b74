//! Selects the stories of an output, one candidate at a time. Pure.
//!
//! The caller reads candidates newest first (`sort_at` descending, then key descending), asks
//! [`Selector::takes_feed`] and [`Selector::takes_item`], and adds what both take until the result is
//! [`AddResult::Full`].

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::model::{FeedId, FeedKey, Item, OutputItem};

use super::files;
use super::output::ShownDate;
use super::output::{Output, Rules};
use crate::text::html;

/// What [`Selector::try_add`] did with a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddResult {
    /// It is selected.
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
        let id_in = |rules: &Rules| rules.feeds.iter().any(|feed| feed == id.as_str());
        let tag_in = |rules: &Rules| rules.tags.iter().any(|tag| tags.contains(tag));
        let (include, exclude) = (&self.output.include, &self.output.exclude);
        (include.feeds.is_empty() || id_in(include))
            && (include.tags.is_empty() || tag_in(include))
            && !id_in(exclude)
            && !tag_in(exclude)
    }

    /// Whether the output takes this item: the conditions on title, content, authors and the like.
    #[must_use]
    pub fn takes_item(&self, item: &Item) -> bool {
        let conditions = |rules: &Rules| -> [Option<bool>; 6] {
            [
                rules.title.as_ref().map(|regex| title_matches(regex, item)),
                rules.content.as_ref().map(|regex| content_matches(regex, item)),
                (!rules.authors.is_empty()).then(|| has_author(&rules.authors, item)),
                (!rules.categories.is_empty()).then(|| has_category(&rules.categories, item)),
                (!rules.languages.is_empty()).then(|| has_language(&rules.languages, item)),
                rules.enclosures.map(|has| files::has_enclosure(&item.details.enclosures) == has),
            ]
        };
        conditions(&self.output.include).into_iter().flatten().all(|met| met)
            && !conditions(&self.output.exclude).into_iter().flatten().any(|met| met)
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

    /// When the first of the items that were taken for their age becomes older than `max_age`.
    /// `None`: the selection does not change by time alone.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        let max_age = SignedDuration::try_from(self.output.max_age?).ok()?;
        self.oldest_young?.checked_add(max_age).ok()
    }
}

fn title_matches(regex: &Regex, item: &Item) -> bool {
    item.title.as_deref().is_some_and(|title| regex.is_match(title))
}

fn content_matches(regex: &Regex, item: &Item) -> bool {
    let content = item.content.as_deref().map(html::to_text);
    content.as_deref().or(item.summary.as_deref()).is_some_and(|text| regex.is_match(text))
}

fn has_author(names: &[String], item: &Item) -> bool {
    item.details.authors.iter().any(|author| is_any_of(names, &author.name))
}

fn has_category(categories: &[String], item: &Item) -> bool {
    item.details.categories.iter().any(|category| {
        is_any_of(categories, &category.term)
            || category.label.as_deref().is_some_and(|label| is_any_of(categories, label))
    })
}

/// RFC 4647 3.3.1, basic filtering.
fn has_language(ranges: &[String], item: &Item) -> bool {
    let Some(tag) = item.language.as_deref() else { return false };
    ranges.iter().any(|range| {
        let mut subtags = tag.split('-');
        range
            .split('-')
            .all(|wanted| subtags.next().is_some_and(|s| s.eq_ignore_ascii_case(wanted)))
    })
}

fn is_any_of(wanted: &[String], found: &str) -> bool {
    let found = found.trim().to_lowercase();
    wanted.iter().any(|wanted| wanted.trim().to_lowercase() == found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use super::super::output::OutputIdentity;
    use super::*;
    use crate::model::{Category, Enclosure, Person};

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
            include: Rules::default(),
            exclude: Rules::default(),
            presentation: Default::default(),
            deltas: false,
            base_url: Url::parse("https://wire.example.org/").unwrap(),
            identity: OutputIdentity::new("all", Timestamp::UNIX_EPOCH),
            query: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    /// Adds candidates given as feed and age in seconds.
    fn add(selector: &mut Selector<'_>, candidates: &[(i64, i64)]) -> Vec<AddResult> {
        candidates.iter().map(|(feed, age)| selector.try_add(FeedKey(*feed), at(-age))).collect()
    }

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|word| (*word).to_owned()).collect()
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

    #[test]
    fn every_condition_of_include_must_be_met() {
        let output = Output {
            include: Rules {
                tags: words(&["rust", "c"]),
                feeds: words(&["a"]),
                ..Rules::default()
            },
            ..output()
        };
        let selector = Selector::new(&output, at(0));
        let (a, b) = (FeedId::new("a").unwrap(), FeedId::new("b").unwrap());
        assert!(selector.takes_feed(&a, &words(&["x", "c"])));
        assert!(!selector.takes_feed(&a, &words(&["x"])));
        assert!(!selector.takes_feed(&b, &words(&["c"])));
    }

    #[test]
    fn one_condition_of_exclude_is_enough() {
        let output = Output {
            exclude: Rules { tags: words(&["ads"]), feeds: words(&["b"]), ..Rules::default() },
            ..output()
        };
        let selector = Selector::new(&output, at(0));
        let (a, b) = (FeedId::new("a").unwrap(), FeedId::new("b").unwrap());
        assert!(selector.takes_feed(&a, &[]));
        assert!(!selector.takes_feed(&a, &words(&["ads"])));
        assert!(!selector.takes_feed(&b, &[]));
    }

    #[test]
    fn rules_test_title_text_author_and_category() {
        let mut item = Item {
            title: Some("Sponsored: soap".to_owned()),
            content: Some("<p class=\"hidden\">fish &amp; <b>ch</b>ips</p>".to_owned()),
            ..Item::default()
        };
        item.details.authors = vec![Person { name: "Ada".to_owned(), ..Person::default() }];
        item.details.categories =
            vec![Category { term: "f".to_owned(), label: Some("Food".to_owned()), scheme: None }];
        let takes = |include: Rules, exclude: Rules| {
            Selector::new(&Output { include, exclude, ..output() }, at(0)).takes_item(&item)
        };
        let regex = |text| Some(Regex::new(text).unwrap());
        let none = Rules::default;
        assert!(takes(none(), none()));
        assert!(!takes(none(), Rules { title: regex("(?i)^sponsored"), ..none() }));
        assert!(takes(Rules { content: regex("fish & chips"), ..none() }, none()));
        assert!(!takes(Rules { content: regex("hidden"), ..none() }, none()), "no markup");
        assert!(takes(Rules { authors: words(&["ADA"]), ..none() }, none()));
        assert!(!takes(none(), Rules { categories: words(&["food"]), ..none() }));
        let both = Rules { authors: words(&["Ada"]), categories: words(&["x"]), ..none() };
        assert!(!takes(both.clone(), none()), "an include needs both kinds");
        assert!(!takes(none(), both), "an exclude needs one");
    }

    #[test]
    fn rules_test_language_and_enclosures() {
        let file = |media_type: &str| Enclosure {
            url: "https://e.org/a".to_owned(),
            media_type: media_type.to_owned(),
            ..Enclosure::default()
        };
        let item = |language: Option<&str>, files: &[Enclosure]| {
            let mut item = Item { language: language.map(str::to_owned), ..Item::default() };
            item.details.enclosures = files.to_vec();
            item
        };
        let takes = |include: Rules, exclude: Rules, item: &Item| {
            Selector::new(&Output { include, exclude, ..output() }, at(0)).takes_item(item)
        };
        let speaks = |tags: &[&str]| Rules { languages: words(tags), ..Rules::default() };
        let none = Rules::default;
        for (ranges, tag, met) in [
            (&["en"][..], Some("en-GB"), true),
            (&["EN-gb"], Some("en-GB-oxendict"), true),
            (&["en-US"], Some("en"), false),
            (&["e"], Some("en"), false),
            (&["de", "en"], Some("en"), true),
            (&["en"], None, false),
        ] {
            assert_eq!(takes(speaks(ranges), none(), &item(tag, &[])), met, "{ranges:?} {tag:?}");
            assert_eq!(takes(none(), speaks(ranges), &item(tag, &[])), !met, "{ranges:?} {tag:?}");
        }
        let brings = |enclosures| Rules { enclosures: Some(enclosures), ..Rules::default() };
        for (files, has) in [
            (&[][..], false),
            (&[file("image/png"), file("")], false),
            (&[file("image/png"), file("audio/mpeg")], true),
            (&[file("application/pdf")], true),
        ] {
            let item = item(None, files);
            assert_eq!(takes(brings(true), none(), &item), has, "{files:?}");
            assert_eq!(takes(brings(false), none(), &item), !has, "{files:?}");
            assert_eq!(takes(none(), brings(true), &item), !has, "{files:?}");
        }
    }

    #[test]
    fn items_without_a_title_do_not_match_title_rules() {
        let some = || Rules { title: Some(Regex::new("").unwrap()), ..Rules::default() };
        let include = Output { include: some(), ..output() };
        let exclude = Output { exclude: some(), ..output() };
        assert!(!Selector::new(&include, at(0)).takes_item(&Item::default()));
        assert!(Selector::new(&exclude, at(0)).takes_item(&Item::default()));
    }
}
