//! The pages of a static site: their names, and which stories each shows.
//!
//! A name never changes, so that links to a page stay. A month with many stories has parts of [`PART`] stories, numbered
//! from the oldest: a new story changes only the page of the month that has no number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::contents::{Month, Query};
use crate::model::{FeedInfo, FeedKey, ItemKey, StoryKey};
use crate::render::Format;
use crate::text::sha256::{hex, sha256};

/// Number of stories on the first page.
const NEWEST: usize = 40;
/// Number of stories on a part of a month, and on the page of a feed or a tag.
const PART: usize = 100;

/// The name of a page of a static site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SitePage {
    /// The first page, with the newest stories.
    Index,
    /// Stories of one month.
    Month {
        /// The month of the stories.
        month: Month,
        /// Number of the part, from 1, the oldest first; `None`: the newest stories of the month.
        part: Option<usize>,
    },
    /// The newest stories of the feed with this id.
    Feed(String),
    /// The newest stories of feeds with this tag.
    Tag(String),
    /// The page of the story with this lead item.
    Story(ItemKey),
}

impl SitePage {
    /// The newest page of a month.
    #[must_use]
    pub fn month(month: Month) -> Self {
        Self::Month { month, part: None }
    }

    /// The path below the folder of the output: `2026-11.html`, `tag/rust.html`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.html", self.stem())
    }

    /// The path of a document with the stories of the page, `tag/rust.atom`; `None`: the page has none.
    #[must_use]
    pub fn document(&self, format: Format) -> Option<String> {
        self.filter().map(|_| format!("{}.{}", self.stem(), format.extension()))
    }

    /// What the page selects of the stories, whatever their date; `None`: all.
    pub(super) fn filter(&self) -> Option<Query> {
        match self {
            Self::Feed(id) => Some(Query { feed: Some(id.clone()), ..Query::default() }),
            Self::Tag(tag) => Some(Query { tag: Some(tag.clone()), ..Query::default() }),
            Self::Index | Self::Month { .. } | Self::Story(_) => None,
        }
    }

    /// The path without extension.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Index => "index".to_owned(),
            Self::Month { month, part: None } => month.to_string(),
            Self::Month { month, part: Some(part) } => format!("{month}-p{part}"),
            Self::Feed(id) => format!("feed/{}", file_stem(id)),
            Self::Tag(tag) => format!("tag/{}", file_stem(tag)),
            Self::Story(key) => format!("story/{}", key.0),
        }
    }
}

/// What the page with this path, without extension, selects, if it is of these feeds or of a month; `None`: there is no
/// such page.
pub(super) fn query_of(stem: &str, feeds: &[Arc<FeedInfo>]) -> Option<Query> {
    if stem == SitePage::Index.stem() {
        return Some(Query::default());
    }
    let month = stem.split_once("-p").map_or(stem, |(month, _)| month);
    if let Ok(month) = month.parse::<Month>() {
        return Some(Query { month: Some(month), ..Query::default() });
    }
    let of_feeds = feeds.iter().map(|feed| SitePage::Feed(feed.id.to_string()));
    let of_tags = feeds.iter().flat_map(|feed| feed.tags.iter().cloned().map(SitePage::Tag));
    of_feeds.chain(of_tags).find(|page| page.stem() == stem)?.filter()
}

/// A file name for a name: the name itself if every file system and web server has the same idea of it, otherwise its
/// letters with a part of a digest.
fn file_stem(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with(['.', '-'])
    {
        return name.to_owned();
    }
    let kept = name.to_lowercase();
    let kept = kept.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut stem = kept.collect::<Vec<_>>().join("-");
    stem.truncate(40);
    let mark = hex(&sha256(name)[..4]);
    if stem.is_empty() { mark } else { format!("{stem}-{mark}") }
}

/// A story that the site shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SiteStory {
    /// The item that shows it.
    pub(super) key: ItemKey,
    /// The item that leads it, whose key its page has.
    pub(super) lead: ItemKey,
    pub(super) feed: FeedKey,
    pub(super) story: StoryKey,
    pub(super) sort_at: Timestamp,
    /// What changes whenever the story as it is shown changes.
    pub(super) basis: u128,
}

/// A page with several stories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteList {
    /// Name of the page.
    pub page: SitePage,
    /// The page with the stories before it in time.
    pub older: Option<SitePage>,
    /// The page of the month with the stories after it in time; `None`: the month has no newer stories.
    pub newer: Option<SitePage>,
    /// Whether there are more stories of its kind than it shows.
    pub has_more: bool,
    /// Its stories, newest first.
    pub(super) stories: Vec<SiteStory>,
    /// The stories of its documents, newest first; empty: it has none.
    pub(super) in_documents: Vec<SiteStory>,
}

impl SiteList {
    /// The item that leads the story that an item of the list shows.
    #[must_use]
    pub fn lead_of(&self, shown: ItemKey) -> ItemKey {
        let story = self.stories.iter().find(|story| story.key == shown);
        story.map_or(shown, |story| story.lead)
    }
}

/// Which stories documents have room for.
#[derive(Debug)]
pub(super) struct DocumentRoom {
    /// Largest number of stories.
    pub(super) items: usize,
    /// Those that arrived last, which have room first.
    pub(super) latest: HashSet<StoryKey>,
}

impl DocumentRoom {
    /// Those of the stories that a document has, in the same order: the newest first.
    fn select(&self, stories: &[SiteStory]) -> Vec<SiteStory> {
        let (items, stories) = (self.items.min(PART), stories.iter());
        let is_latest = |story: &&SiteStory| self.latest.contains(&story.story);
        let mut room = items.saturating_sub(stories.clone().filter(is_latest).count());
        let mut has_room = || {
            let had = room > 0;
            room = room.saturating_sub(1);
            had
        };
        stories.filter(|story| is_latest(story) || has_room()).take(items).copied().collect()
    }
}

/// The items of the stories that a site shows, by their feed.
pub(super) struct SiteItems(HashMap<FeedKey, Vec<SiteStory>>);

impl SiteItems {
    /// Each of these items as what shows its story.
    pub(super) fn new(items: &[SiteStory]) -> Self {
        let mut of_feed: HashMap<FeedKey, Vec<SiteStory>> = HashMap::new();
        for item in items {
            of_feed.entry(item.feed).or_default().push(*item);
        }
        Self(of_feed)
    }

    /// The stories of these feeds, newest first. The first of its items there shows a story, as it does for a query.
    fn of_feeds(&self, feeds: impl Iterator<Item = FeedKey>) -> Vec<SiteStory> {
        let items = feeds.filter_map(|feed| self.0.get(&feed)).flatten();
        let mut stories: Vec<SiteStory> = items.copied().collect();
        stories.sort_unstable_by_key(|item| item.key);
        let mut seen = HashSet::new();
        stories.retain(|item| seen.insert(item.story));
        stories.sort_unstable_by_key(|item| Reverse((item.sort_at, item.key)));
        stories
    }
}

/// The pages with several stories, in the order in which they are written: a page is there before the first page links
/// to it. `stories` are shown by their leads and sorted, the newest first; `items` are all of their items.
pub(super) fn lists(
    (stories, items): (&[SiteStory], &SiteItems),
    feeds: &[Arc<FeedInfo>],
    zone: &TimeZone,
    room: &DocumentRoom,
) -> (Vec<SiteList>, Vec<Month>) {
    let mut lists = Vec::new();
    let newest = |page: SitePage, mut stories: Vec<SiteStory>| {
        let in_documents = room.select(&stories);
        let has_more = stories.len() > PART;
        stories.truncate(PART);
        SiteList { page, older: None, newer: None, has_more, stories, in_documents }
    };
    for feed in feeds {
        let page = SitePage::Feed(feed.id.to_string());
        lists.push(newest(page, items.of_feeds([feed.key].into_iter())));
    }
    let tags: BTreeSet<&String> = feeds.iter().flat_map(|feed| &feed.tags).collect();
    for tag in tags {
        let tagged = feeds.iter().filter(|feed| feed.tags.contains(tag)).map(|feed| feed.key);
        lists.push(newest(SitePage::Tag(tag.clone()), items.of_feeds(tagged)));
    }
    let mut months: BTreeMap<Month, Vec<SiteStory>> = BTreeMap::new();
    for story in stories {
        months.entry(Month::of(story.sort_at, zone)).or_default().push(*story);
    }
    for (month, stories) in &months {
        lists.extend(parts(*month, stories));
    }
    let shown = &stories[..stories.len().min(NEWEST)];
    let next = stories.get(NEWEST).map(|story| Month::of(story.sort_at, zone));
    lists.push(SiteList {
        page: SitePage::Index,
        older: next.map(SitePage::month),
        newer: None,
        has_more: next.is_some(),
        stories: shown.to_vec(),
        in_documents: Vec::new(),
    });
    (lists, months.into_keys().rev().collect())
}

/// The pages of one month, the oldest first.
fn parts(month: Month, stories: &[SiteStory]) -> Vec<SiteList> {
    let full = (stories.len() / PART).saturating_sub(1);
    let part = |number: usize| SitePage::Month { month, part: Some(number) };
    let older = |number: usize| Some(number).filter(|number| *number > 0).map(part);
    let (newest, rest) = stories.split_at(stories.len() - full * PART);
    let mut lists: Vec<SiteList> = (1..=full)
        .map(|number| {
            let end = rest.len() - (number - 1) * PART;
            SiteList {
                page: part(number),
                older: older(number - 1),
                newer: Some(if number < full { part(number + 1) } else { SitePage::month(month) }),
                has_more: true,
                stories: rest[end - PART..end].to_vec(),
                in_documents: Vec::new(),
            }
        })
        .collect();
    lists.push(SiteList {
        page: SitePage::month(month),
        older: older(full),
        newer: None,
        has_more: full > 0,
        stories: newest.to_vec(),
        in_documents: Vec::new(),
    });
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(key: i64) -> SiteStory {
        let sort_at = Timestamp::new(1_700_000_000 + key, 0).unwrap();
        let (key, feed, story) = (ItemKey(key), FeedKey(1), StoryKey(key));
        SiteStory { key, lead: key, feed, story, sort_at, basis: key.0 as u128 }
    }

    fn keys(list: &SiteList) -> Vec<i64> {
        list.stories.iter().map(|story| story.key.0).collect()
    }

    #[test]
    fn a_new_story_changes_only_the_newest_page_of_a_month_until_it_is_full() {
        let month = |stories: i64| {
            let newest_first: Vec<SiteStory> = (1..=stories).rev().map(story).collect();
            parts(Month::of(story(1).sort_at, &TimeZone::UTC), &newest_first)
        };
        assert_eq!(month(199).len(), 1);
        let (before, after) = (month(350), month(351));
        assert_eq!(before.len(), 3);
        assert_eq!(before[..2], after[..2]);
        assert_eq!(keys(&before[0]), (1..=100).rev().collect::<Vec<_>>());
        assert_eq!(keys(&after[2]), (201..=351).rev().collect::<Vec<_>>());
        let names: Vec<String> = after.iter().map(|list| list.page.path()).collect();
        assert_eq!(names, ["2023-11-p1.html", "2023-11-p2.html", "2023-11.html"]);
        let older = |list: &SiteList| list.older.as_ref().map(SitePage::path);
        assert_eq!(older(&after[2]).as_deref(), Some("2023-11-p2.html"));
        assert_eq!(older(&after[0]), None);
        let newer = |list: &SiteList| list.newer.as_ref().map(SitePage::path);
        assert_eq!(newer(&after[0]).as_deref(), Some("2023-11-p2.html"));
        assert_eq!(newer(&after[1]).as_deref(), Some("2023-11.html"));
        assert_eq!(newer(&after[2]), None);
        // The last full part leads to the next one.
        let full = month(400);
        assert_eq!(newer(&full[1]).as_deref(), Some("2023-11-p3.html"));
        assert_eq!(full[0], after[0]);
    }

    #[test]
    fn documents_have_room_for_stories_that_arrived_late() {
        let newest_first: Vec<SiteStory> = (1..=9).rev().map(story).collect();
        let keys = |items, latest: &[i64]| {
            let latest = latest.iter().copied().map(StoryKey).collect();
            let selected = DocumentRoom { items, latest }.select(&newest_first);
            selected.iter().map(|story| story.key.0).collect::<Vec<_>>()
        };
        assert_eq!(keys(3, &[]), [9, 8, 7]);
        assert_eq!(keys(3, &[9, 2]), [9, 8, 2]);
        assert_eq!(keys(3, &[5, 4, 2]), [5, 4, 2]);
        assert_eq!(keys(20, &[2]).len(), 9);
    }

    #[test]
    fn a_story_is_of_each_feed_that_has_it_once() {
        let item = |key: i64, feed: i64, of: i64| SiteStory {
            feed: FeedKey(feed),
            story: StoryKey(of),
            lead: ItemKey(of),
            ..story(key)
        };
        // The story 1 has two items of the feed 2.
        let items = SiteItems::new(&[item(1, 1, 1), item(2, 2, 1), item(3, 2, 3), item(4, 2, 1)]);
        let of = |feeds: &[i64]| {
            let stories = items.of_feeds(feeds.iter().copied().map(FeedKey));
            stories.iter().map(|story| story.key.0).collect::<Vec<_>>()
        };
        assert_eq!(of(&[1]), [1]);
        assert_eq!(of(&[2]), [3, 2]);
        assert_eq!((of(&[1, 2]), of(&[2, 1])), (vec![3, 1], vec![3, 1]));
        assert_eq!(of(&[9]), [0_i64; 0]);
    }

    #[test]
    fn names_are_files_on_every_system_and_never_the_same() {
        let path = |tag: &str| SitePage::Tag(tag.to_owned()).path();
        assert_eq!(path("rust-1.0"), "tag/rust-1.0.html");
        let names = ["..", "../x", "a/b", "A B", "a b", "日本", "", "Rust", "-x", ".x", "a\0b"];
        let paths: BTreeSet<String> = names.iter().map(|name| path(name)).collect();
        assert_eq!(paths.len(), names.len(), "{paths:?}");
        for path in paths {
            let name = path.strip_prefix("tag/").unwrap();
            assert!(crate::files::is_plain_name(name) && name.is_ascii(), "{path}");
        }
    }
}
