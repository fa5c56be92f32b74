//! The check before a publication: a document must contain the selected items under their published ids.
//!
//! Compares the items (by `shown`) with the document (by `read`, which shares no code with the writers)
//! and with the [`PreviousPublication`]. The caller decides what happens to a document that fails.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::model::{FeedKey, ItemKey, OutputItem};

use super::output::{Format, Output};
use super::read::{ReadError, ReadItem, read};
use super::shown::ShownItem;
use super::text::{self, without_markup};
use crate::text::dates::{rfc822, rfc3339};
use crate::text::quoted::in_quotes;

/// Why a document is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The document is not UTF-8, not XML, not JSON, or not a feed of its format.
    #[error("at byte {at}: {what}")]
    Malformed {
        /// Offset in bytes; 0 if it is unknown.
        at: u64,
        /// What is wrong, a fragment.
        what: String,
    },
    /// The document has another number of items than were selected.
    #[error("the document has {found} items instead of {expected}")]
    Count {
        /// Number of selected items.
        expected: usize,
        /// Number of items in the document.
        found: usize,
    },
    /// An item differs from the selected one at its position.
    #[error("item {position} has the {fact} {found} instead of {expected}", found = in_quotes(.found), expected = in_quotes(.expected))]
    Differs {
        /// Position of the item, from 0.
        position: usize,
        /// What differs: `id`, `title`, `page`, `date` or `source`.
        fact: &'static str,
        /// Value of the selected item; empty if it has none.
        expected: String,
        /// Value in the document; empty if it has none.
        found: String,
    },
    /// Two items have the same id. Feed readers would show one of them, or all items again.
    #[error("two items have the id {}", in_quotes(.0))]
    DuplicateId(String),
    /// A published item has another id now. Feed readers would show it again.
    #[error("the item with the published id {was} has the id {is} now", was = in_quotes(.was), is = in_quotes(.is))]
    IdChanged {
        /// The id under which the item was published.
        was: String,
        /// The id that the new document gives it.
        is: String,
    },
    /// A published id belongs to another item now. Feed readers would hide that item.
    #[error("the id {} was published for another item", in_quotes(.0))]
    IdReused(String),
}

/// Reads `bytes` back and compares them with the `entries` that they were rendered from.
///
/// # Errors
/// When the document is malformed, or does not have exactly these items in this order, each with a unique
/// id and the same title, page, date and source.
pub fn check(
    output: &Output,
    format: Format,
    bytes: &[u8],
    entries: &[OutputItem],
) -> Result<(), CheckError> {
    let shown: Vec<ShownItem<'_>> =
        entries.iter().map(|entry| ShownItem::new(entry, &output.presentation)).collect();
    compare(format, bytes, &shown)
}

/// As [`check`], for prepared items.
pub(super) fn compare(
    format: Format,
    bytes: &[u8],
    shown: &[ShownItem<'_>],
) -> Result<(), CheckError> {
    let found =
        read(format, bytes).map_err(|ReadError { at, what }| CheckError::Malformed { at, what })?;
    if found.len() != shown.len() {
        return Err(CheckError::Count { expected: shown.len(), found: found.len() });
    }
    let mut seen = HashSet::with_capacity(found.len());
    let ids = found.iter().filter_map(|facts| facts.id.as_deref());
    if let Some(again) = ids.into_iter().find(|id| !seen.insert(*id)) {
        return Err(CheckError::DuplicateId(again.to_owned()));
    }
    for (position, (found, shown)) in found.iter().zip(shown).enumerate() {
        compare_item(position, found, shown, format)?;
    }
    Ok(())
}

fn compare_item(
    position: usize,
    found: &ReadItem,
    shown: &ShownItem<'_>,
    format: Format,
) -> Result<(), CheckError> {
    let origin = &shown.origin;
    let (title, published) = match format {
        Format::Atom => (Some(shown.made_title()), rfc3339(shown.published)),
        Format::Rss => (Some(shown.made_title()), rfc822(shown.published)),
        Format::Json => (shown.own_title(), rfc3339(shown.published)),
    };
    let title = title.map(|title| without_markup(&title).into_owned());
    // RSS requires a URL for a source.
    let has_source = format != Format::Rss || origin.feed_url.or(origin.page).is_some();
    let facts = [
        ("id", &found.id, Some(Cow::Borrowed(&*shown.id))),
        ("title", &found.title, title.map(Cow::Owned)),
        ("page", &found.url, shown.url.map(Cow::Borrowed)),
        ("date", &found.published, Some(Cow::Owned(published))),
        ("source", &found.source, has_source.then(|| without_markup(&origin.title))),
    ];
    for (fact, found, expected) in facts {
        if found.as_deref() != expected.as_deref() {
            let expected = expected.unwrap_or_default().into_owned();
            let found = found.clone().unwrap_or_default();
            return Err(CheckError::Differs { position, fact, expected, found });
        }
    }
    Ok(())
}

/// The items of the previous publication of an output with their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreviousPublication {
    shown: HashMap<ItemKey, Published>,
}

/// What was published of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Published {
    id: String,
    feed: FeedKey,
    sort_at: Timestamp,
}

impl PreviousPublication {
    /// The publication of these items.
    #[must_use]
    pub fn new(entries: &[OutputItem]) -> Self {
        let published = |entry: &OutputItem| {
            let id = text::id_of(entry).into_owned();
            (entry.key, Published { id, feed: entry.feed.key, sort_at: entry.sort_at })
        };
        Self { shown: entries.iter().map(published).collect() }
    }

    /// The text to store: JSON rows of item, feed, sort time in milliseconds, id.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut rows: Vec<(i64, i64, i64, &str)> = self
            .shown
            .iter()
            .map(|(key, one)| (key.0, one.feed.0, one.sort_at.as_millisecond(), one.id.as_str()))
            .collect();
        rows.sort_unstable();
        serde_json::to_string(&rows).unwrap_or_default()
    }

    /// Parses the text of [`PreviousPublication::to_text`]; empty for any other text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let rows: Vec<(i64, i64, i64, String)> = serde_json::from_str(text).unwrap_or_default();
        let published = |(key, feed, at, id)| {
            let sort_at = Timestamp::from_millisecond(at).ok()?;
            Some((ItemKey(key), Published { id, feed: FeedKey(feed), sort_at }))
        };
        Self { shown: rows.into_iter().filter_map(published).collect() }
    }

    /// Whether this item was published.
    #[must_use]
    pub fn shows(&self, key: ItemKey) -> bool {
        self.shown.contains_key(&key)
    }

    /// The id under which this item was published; `None`: it was not.
    #[must_use]
    pub fn id(&self, key: ItemKey) -> Option<&str> {
        self.shown.get(&key).map(|published| published.id.as_str())
    }

    /// Whether an item was published with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.shown.values().any(|published| published.id == id)
    }

    /// Compares it with the next publication. Returns the ids of items that are missing although no newer
    /// items displaced them: because of a changed filter, a removed feed, or a bug. Items that are not newer than
    /// `displaced` have no room; `None`: there is room. An id that the output `assigned` to an item may have been that
    /// of another one, which led the same story.
    ///
    /// # Errors
    /// When an item has another id than before, or the id of another item.
    pub fn compare(
        &self,
        entries: &[OutputItem],
        assigned: &HashSet<ItemKey>,
        displaced: Option<Timestamp>,
    ) -> Result<Vec<&str>, CheckError> {
        let mut oldest: HashMap<FeedKey, Timestamp> = HashMap::new();
        let mut still = HashSet::with_capacity(entries.len());
        let mut ids = HashSet::with_capacity(entries.len());
        let owners: HashMap<&str, ItemKey> =
            self.shown.iter().map(|(key, published)| (published.id.as_str(), *key)).collect();
        for entry in entries {
            let (key, is) = (entry.key, text::id_of(entry));
            // Of another feed where the output has changed from stories to digests, or back.
            let before = self.shown.get(&key).filter(|was| was.feed == entry.feed.key);
            if let Some(was) = before.filter(|was| was.id != is) {
                let was = was.id.clone();
                return Err(CheckError::IdChanged { was, is: is.into_owned() });
            }
            let is_of_another = owners.get(&*is).is_some_and(|owner| *owner != key);
            if is_of_another && !assigned.contains(&key) {
                return Err(CheckError::IdReused(is.into_owned()));
            }
            still.insert(key);
            ids.insert(is);
            let first = oldest.entry(entry.feed.key).or_insert(entry.sort_at);
            *first = entry.sort_at.min(*first);
        }
        let gone = self.shown.iter().filter(|(key, published)| {
            let first = oldest.get(&published.feed).copied();
            let pushed_out = || first.max(displaced).is_some_and(|at| published.sort_at <= at);
            !still.contains(*key) && !ids.contains(&*published.id) && !pushed_out()
        });
        let mut gone: Vec<&str> = gone.map(|(_, published)| published.id.as_str()).collect();
        gone.sort_unstable();
        Ok(gone)
    }
}
