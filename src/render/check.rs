//! The read-back check: a document must contain what was selected, under the ids published before.
//!
//! Compares the selection (through `shown`) with the document (through `read`, which shares no code
//! with the writers) and with the last publication ([`Last`]). The caller decides what happens when
//! a document fails.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::model::{FeedKey, ItemKey, OutputItem};

use super::id;
use super::output::{Format, Output};
use super::read::{Facts, read};
use super::shown::{Shown, rfc822, rfc3339};

/// Why a document must not be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Not UTF-8, not XML, not JSON, or not a feed of its format.
    #[error("at byte {at}: {what}")]
    IllFormed {
        /// Where, in bytes from the beginning; 0 where only the whole is known to be wrong.
        at: u64,
        /// What, a fragment.
        what: String,
    },
    /// Another number of items than was selected.
    #[error("{found} items in the document, {expected} were selected")]
    Count {
        /// Selected.
        expected: usize,
        /// In the document.
        found: usize,
    },
    /// An item says something else than the one selected for its place.
    #[error("item {position} has the {fact} {found:?}, not {expected:?}")]
    Differs {
        /// From 0.
        position: usize,
        /// `id`, `title`, `page`, `date` or `source`.
        fact: &'static str,
        /// Selected; empty: none.
        expected: String,
        /// In the document; empty: none.
        found: String,
    },
    /// Two items have one id; readers would show one of them, or all of them again.
    #[error("two items have the id {0:?}")]
    Repeated(String),
    /// An item that was published before has another id now; readers would show it again.
    #[error("the item that was published as {was:?} has the id {is:?} now")]
    Changed {
        /// In the last publication.
        was: String,
        /// Now.
        is: String,
    },
    /// An id that was published before stands for another item now; readers would hide that one.
    #[error("the id {0:?} was published for another item")]
    Taken(String),
}

/// Reads `bytes` back and compares them with the `entries` they were made of.
///
/// # Errors
/// When the document is not well-formed, uses a prefix that it does not declare, or does not have
/// exactly these entries in this order, each under an id of its own and with the same title, page,
/// date and source.
pub fn check(
    output: &Output,
    format: Format,
    bytes: &[u8],
    entries: &[OutputItem],
) -> Result<(), CheckError> {
    let shown: Vec<Shown<'_>> =
        entries.iter().map(|entry| Shown::new(entry, &output.look)).collect();
    compare(format, bytes, &shown)
}

/// As [`check`], of entries that are shown already.
pub(super) fn compare(format: Format, bytes: &[u8], shown: &[Shown<'_>]) -> Result<(), CheckError> {
    let found = read(format, bytes).map_err(|(at, what)| CheckError::IllFormed { at, what })?;
    if found.len() != shown.len() {
        return Err(CheckError::Count { expected: shown.len(), found: found.len() });
    }
    let mut seen = HashSet::with_capacity(found.len());
    let ids = found.iter().filter_map(|facts| facts.id.as_deref());
    if let Some(again) = ids.into_iter().find(|id| !seen.insert(*id)) {
        return Err(CheckError::Repeated(again.to_owned()));
    }
    for (position, (found, shown)) in found.iter().zip(shown).enumerate() {
        compare_item(position, found, shown, format)?;
    }
    Ok(())
}

fn compare_item(
    position: usize,
    found: &Facts,
    shown: &Shown<'_>,
    format: Format,
) -> Result<(), CheckError> {
    let origin = &shown.origin;
    let (title, published) = match format {
        Format::Atom => (Some(shown.made_title()), rfc3339(shown.published)),
        Format::Rss => (Some(shown.made_title()), rfc822(shown.published)),
        Format::Json => (shown.own_title(), rfc3339(shown.published)),
    };
    // RSS names a source by its address alone.
    let named = format != Format::Rss || origin.feed_url.or(origin.page).is_some();
    let facts = [
        ("id", &found.id, Some(Cow::Borrowed(&*shown.id))),
        ("title", &found.title, title.map(Cow::Owned)),
        ("page", &found.url, shown.url.map(Cow::Borrowed)),
        ("date", &found.published, Some(Cow::Owned(published))),
        ("source", &found.source, named.then_some(Cow::Borrowed(&origin.title))),
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

/// The last publication of an output: its entries and their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Last {
    shown: HashMap<ItemKey, Published>,
}

/// An entry that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Published {
    id: String,
    feed: FeedKey,
    sort_at: Timestamp,
}

impl Last {
    /// A publication of these entries.
    #[must_use]
    pub fn new(entries: &[OutputItem]) -> Self {
        let published = |entry: &OutputItem| {
            let id = id::of(entry).into_owned();
            (entry.key, Published { id, feed: entry.feed.key, sort_at: entry.sort_at })
        };
        Self { shown: entries.iter().map(published).collect() }
    }

    /// The form to store: JSON rows of item, feed, sort time in milliseconds, id.
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

    /// Reads the form of [`Last::to_text`]; empty where the text is something else.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let rows: Vec<(i64, i64, i64, String)> = serde_json::from_str(text).unwrap_or_default();
        let published = |(key, feed, at, id)| {
            let sort_at = Timestamp::from_millisecond(at).ok()?;
            Some((ItemKey(key), Published { id, feed: FeedKey(feed), sort_at }))
        };
        Self { shown: rows.into_iter().filter_map(published).collect() }
    }

    /// Whether an item was published under this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.shown.values().any(|published| published.id == id)
    }

    /// Compares it with the next publication. Returns the ids of entries that are missing although no
    /// newer entries of their feed pushed them out: a changed filter, a removed feed, or a bug.
    ///
    /// # Errors
    /// When an entry has another id than before, or its id is another entry's.
    pub fn compare(&self, entries: &[OutputItem]) -> Result<Vec<&str>, CheckError> {
        let mut oldest: HashMap<FeedKey, Timestamp> = HashMap::new();
        let mut still = HashSet::with_capacity(entries.len());
        let owners: HashMap<&str, ItemKey> =
            self.shown.iter().map(|(key, published)| (published.id.as_str(), *key)).collect();
        for entry in entries {
            let (key, is) = (entry.key, id::of(entry));
            if let Some(was) = self.shown.get(&key).filter(|was| was.id != is) {
                let was = was.id.clone();
                return Err(CheckError::Changed { was, is: is.into_owned() });
            }
            if owners.get(&*is).is_some_and(|owner| *owner != key) {
                return Err(CheckError::Taken(is.into_owned()));
            }
            still.insert(key);
            let first = oldest.entry(entry.feed.key).or_insert(entry.sort_at);
            *first = entry.sort_at.min(*first);
        }
        let gone = self.shown.iter().filter(|(key, published)| {
            let pushed_out =
                || oldest.get(&published.feed).is_some_and(|at| published.sort_at <= *at);
            !still.contains(*key) && !pushed_out()
        });
        let mut gone: Vec<&str> = gone.map(|(_, published)| published.id.as_str()).collect();
        gone.sort_unstable();
        Ok(gone)
    }
}
