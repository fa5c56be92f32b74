//! `newswire restore --from-outputs`: the items that the outputs published, read back into the database, so that
//! subscribers see nothing twice.
//!
//! An id alone would not be enough: the lead of a story is the item that was seen first, and after the loss of the
//! database the feeds come in another order. So the published items are written before any poll, each to its feed.
//! They keep their numbers, which are their order of arrival and the names of their pages. Of items without a known number,
//! those that more outputs show come first, because they are the leads of their stories.

mod read_back;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use self::read_back::{Copies, Merged, Pages};
use crate::clock::Clock;
use crate::config::Config;
use crate::dedupe::{self, AcrossFeeds, Facts, Fingerprint, Text};
use crate::model::{Digest, Feed, FeedKey, Item, ItemKey, PageOwner, ParsedItem, site};
use crate::normalise;
use crate::outputs::{self, PublishedDocuments, PublishedItem, PublishedItems, RecoveryError};
use crate::poll::Subscription;
use crate::render::{Format, Output, ShownDate};
use crate::store::{
    self, ClosedPeriods, DigestState, OpenError, RecoveredItem, RegisteredOutput, Store,
    StoredDigest, TextIndex, Write, search_words,
};
use crate::text::amounts::count;

/// Why no items were read back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No output has documents in a directory.
    #[error("no output has documents in its directory")]
    NoDocuments,
    /// There are items, and none has a feed.
    #[error("no configured feed has any of the {} in the documents", count(*.0 as u64, "item"))]
    WithoutFeed(usize),
    /// The documents cannot be read.
    #[error(transparent)]
    Documents(#[from] RecoveryError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Writing the new database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

crate::model::codes! {
    Error:
    Self::NoDocuments => "no_documents": "set directory in [[output]] to the folder with the published files",
    Self::WithoutFeed(_) => "items_without_feed":
        "set url of each [[feed]] as it was when the documents were written, then repeat the command",
    ;
    Self::Documents(error) => error,
    Self::Open(error) => error,
    Self::Store(error) => error,
}

/// What was read back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Number of outputs with documents.
    pub outputs: usize,
    /// Number of items that were written.
    pub items: usize,
    /// Number of digests that were written.
    pub digests: usize,
    /// Number of items that the database had already.
    pub known: usize,
    /// Number of items whose feed is not configured, or not named by the documents.
    pub without_feed: usize,
    /// Number of archive pages.
    pub pages: usize,
    /// Archive pages that no file has: the id of the output, and the number.
    pub missing: Vec<(String, u32)>,
    /// Damaged files of documents that were read in another format.
    pub damaged: Vec<PathBuf>,
    /// Ids of the outputs with Atom documents whose permanent id is lost.
    pub without_id: Vec<String>,
}

impl Recovery {
    fn add_missing(&mut self, output: &Output, pages: &[u32]) {
        self.missing.extend(pages.iter().map(|number| (output.id.clone(), *number)));
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outputs, items, digests, known, without_feed, pages, .. } = *self;
        let of = |number: usize, name| count(number as u64, name);
        write!(f, "read back {}", of(items, "item"))?;
        if digests > 0 {
            write!(f, " and {}", of(digests, "digest"))?;
        }
        write!(f, " of {}", of(outputs, "output"))?;
        write!(f, ", and {}", of(pages, "archive page"))?;
        if known > 0 {
            write!(f, "; the database had {known} of the items already")?;
        }
        if without_feed > 0 {
            write!(f, "; {without_feed} belong to no configured feed, or to one that is a file")?;
        }
        for (output, number) in &self.missing {
            write!(f, "\nthe output {output} lost archive page {number}: it has no whole file")?;
        }
        for path in &self.damaged {
            let path = path.display();
            write!(
                f,
                "\n{path} is damaged; move it away, and 'newswire poll' or 'run' writes it again"
            )?;
        }
        for output in &self.without_id {
            write!(
                f,
                "\nthe id of the output {output} is lost, and no Atom document has it: feed readers take the output for \
                 another feed"
            )?;
        }
        Ok(())
    }
}

/// The outputs with documents in their directories.
///
/// # Errors
/// When there are none, or they cannot be read.
pub(super) fn documents(config: &Config) -> Result<Vec<(&Output, PublishedDocuments)>, Error> {
    let mut documents = Vec::new();
    for output in &config.outputs {
        if let Some(published) = outputs::published_documents(output)? {
            documents.push((output, published));
        }
    }
    if documents.is_empty() { Err(Error::NoDocuments) } else { Ok(documents) }
}

/// Reads the documents in the directories of all outputs back into the database, which is created if it does not
/// exist. Items that it has stay as they are.
///
/// # Errors
/// See [`Error`]. A running daemon has the database in use.
pub async fn run(config: &Config, clock: &Clock) -> Result<Recovery, Error> {
    let documents = documents(config)?;
    let now = clock.now();
    let store = Store::open(&config.store.path, clock.clone())?;
    let feeds = config.subscriptions.iter().map(|subscription| subscription.feed.clone()).collect();
    let registered = store.register(feeds, config.lists(), now).await?;
    let keys: Vec<FeedKey> = registered.into_iter().map(|feed| feed.key).collect();
    let damaged = documents.iter().flat_map(|(_, published)| published.damaged.clone());
    let mut recovery =
        Recovery { outputs: documents.len(), damaged: damaged.collect(), ..Recovery::default() };
    let seen = store.reader().read(|reader| reader.newest_item())?;
    let mut copies = Copies::default();
    for (output, published) in &documents {
        let known = known(&store, output, &published.stories)?;
        recovery.known += known.len();
        copies.add(output, &published.stories, &known);
    }
    let mut candidates = Candidates::new(config, &keys, &documents, now);
    copies.merged().for_each(|item| candidates.add(item));
    recovery.without_feed = candidates.without_feed.len();
    // Archive pages without items would expire at once, and the outputs would begin anew.
    let is_nothing =
        candidates.by_id.is_empty() && recovery.known == 0 && !documents.iter().any(has_digests);
    // Documents do not name the feeds that are files of this machine.
    let has_files = config.subscriptions.iter().any(|it| it.feed.url.scheme() == "file");
    if is_nothing && recovery.without_feed > 0 && !has_files {
        return Err(Error::WithoutFeed(recovery.without_feed));
    }
    let folders = store.reader().read(|reader| outputs::output_folders(reader, &config.outputs))?;
    store.write(Write::OutputFolders(folders.folders)).await?;
    recovery.without_id = register_ids(&store, documents.iter(), now).await?;
    let positions = std::mem::take(&mut candidates.positions);
    let (items, other_ids) = candidates.finish(newest_page(&documents));
    recovery.items = store.write(Write::Recover { items, at: now }).await?;
    let mut placed = Vec::new();
    for (output, published) in &documents {
        let keys = known(&store, output, &published.stories)?;
        placed.extend(keys.iter().filter_map(|(id, key)| Some((*key, *positions.get(id)?))));
        let item_ids = assigned(&store, output, &other_ids)?;
        // The other ids are those of the documents, so that their items are on the pages too.
        let ids = item_ids.iter().map(|(key, id)| (id.clone(), *key));
        let keys: HashMap<String, ItemKey> = keys.into_iter().chain(ids).collect();
        let Pages { rows, read, missing } =
            read_back::pages(&store, output, &published.stories, &keys)?;
        recovery.pages += read;
        recovery.add_missing(output, &missing);
        store.write_archive_pages(output.id.clone(), rows, item_ids).await?;
    }
    for (output, published) in documents.iter().filter(|it| has_digests(it)) {
        let digests = read_back::digests(output, &published.digests, now);
        let closed = closed(&store, (output, digests), (seen, &placed))?;
        recovery.digests += closed.digests.len();
        if !closed.digests.is_empty() {
            recovery.add_missing(output, &published.digests.missing);
        }
        store.write(Write::Digests(closed)).await?;
    }
    Ok(recovery)
}

/// The newest page of a story. Items without a number come after it: a page whose story is unknown is removed rather than
/// becoming that of another story.
fn newest_page(documents: &[(&Output, PublishedDocuments)]) -> ItemKey {
    let pages = documents.iter().map(|(output, _)| outputs::newest_story_page(output));
    ItemKey(pages.max().unwrap_or_default())
}

/// Whether the output has digests, or had them when its documents were written.
fn has_digests((output, published): &(&Output, PublishedDocuments)) -> bool {
    output.digest.is_some() || !published.digests.is_empty()
}

/// Gives outputs that are new in the database the ids that their Atom documents have. Returns the outputs with Atom
/// documents whose id is lost.
async fn register_ids<'d>(
    store: &Store,
    documents: impl Iterator<Item = &'d (&'d Output, PublishedDocuments)> + Clone,
    since: Timestamp,
) -> Result<Vec<String>, store::Error> {
    let identity = |(output, published): &(&Output, PublishedDocuments)| {
        let id = published.id.clone()?;
        Some(RegisteredOutput { name: output.id.clone(), id, since })
    };
    store.register_outputs(documents.clone().filter_map(identity).collect()).await?;
    let with_atom = documents.map(|(output, _)| *output);
    let with_atom = with_atom.filter(|output| output.formats.contains(&Format::Atom));
    store.reader().read(|reader| {
        let mut without = Vec::new();
        for output in with_atom {
            if reader.registered_output(&output.id)?.is_none() {
                without.push(output.id.clone());
            }
        }
        Ok(without)
    })
}

/// The digests of an output that the database does not have, and how far the output is closed after them. `placed` are
/// the items that were read back, with their positions; those before the end of the last digest come in no other one.
fn closed(
    store: &Store,
    (output, mut digests): (&Output, Vec<StoredDigest>),
    (seen, placed): (ItemKey, &[(ItemKey, Timestamp)]),
) -> Result<ClosedPeriods, store::Error> {
    let (state, known) = store.reader().read(|reader| {
        Ok::<_, store::Error>((reader.digest_state(&output.id)?, reader.digest_ids(&output.id)?))
    })?;
    let last = digests.iter().map(|digest| digest.ends_at).max();
    let numbers: HashMap<u32, String> = known.into_iter().collect();
    let ids: HashSet<&String> = numbers.values().collect();
    digests.retain(|it| !numbers.contains_key(&it.number) && !ids.contains(&it.id));
    let mut state = state.unwrap_or(DigestState { seen, ..DigestState::default() });
    if let Some(last) = last.filter(|last| *last > state.closed_until) {
        let before = placed.iter().filter(|(key, at)| *key > state.seen && *at < last);
        state.ahead.extend(before.map(|(key, _)| *key));
        state.ahead.sort_unstable();
        state.ahead.dedup();
        state.closed_until = last;
    }
    Ok(ClosedPeriods { output: output.id.clone(), state, digests })
}

/// The items of a database that an output published, by their ids there.
fn known(
    store: &Store,
    output: &Output,
    published: &PublishedItems,
) -> Result<HashMap<String, ItemKey>, store::Error> {
    keys_of(store, output, &published.ids())
}

/// The items with these ids in an output.
fn keys_of(
    store: &Store,
    output: &Output,
    ids: &[String],
) -> Result<HashMap<String, ItemKey>, store::Error> {
    let found = store.reader().read(|reader| reader.items_with_ids(&output.id, ids))?;
    Ok(found.into_iter().collect())
}

/// The items that the output shows under other ids than their own, with these ids.
fn assigned(
    store: &Store,
    output: &Output,
    other_ids: &[OtherId],
) -> Result<Vec<(ItemKey, String)>, store::Error> {
    let others = || other_ids.iter().filter(|other| other.output == output.id);
    let own: Vec<String> = others().map(|other| other.own.clone()).collect();
    let keys = keys_of(store, output, &own)?;
    let assigned = others().filter_map(|it| Some((*keys.get(&it.own)?, it.shown.clone())));
    Ok(assigned.collect())
}

/// An id under which an output shows an item that has another id elsewhere.
struct OtherId {
    output: String,
    own: String,
    shown: String,
}

/// An item with the number of outputs that show it.
struct Candidate {
    item: RecoveredItem,
    outputs: usize,
}

/// The items of all outputs, each once.
struct Candidates<'c> {
    config: &'c Config,
    keys: &'c [FeedKey],
    now: Timestamp,
    /// Positions of the items by their ids.
    positions: HashMap<String, Timestamp>,
    by_id: HashMap<String, Candidate>,
    /// Ids of the items by feed and page.
    by_page: HashMap<(FeedKey, String), String>,
    other_ids: Vec<OtherId>,
    without_feed: HashSet<String>,
}

impl<'c> Candidates<'c> {
    fn new(
        config: &'c Config,
        keys: &'c [FeedKey],
        documents: &[(&Output, PublishedDocuments)],
        now: Timestamp,
    ) -> Self {
        let (by_id, by_page, other_ids, without_feed) = Default::default();
        let positions = positions(documents, now);
        Self { config, keys, now, positions, by_id, by_page, other_ids, without_feed }
    }

    fn add(&mut self, merged: Merged<'_>) {
        let Merged { item, output, first_seen, outputs } = merged;
        let at = self.positions.get(&item.id).copied().unwrap_or(self.now);
        // What is past retention is in no document: an older date is not that of first sight.
        let retention = SignedDuration::try_from(self.config.store.retention);
        let is_past = retention.is_ok_and(|kept| self.now.duration_since(at) >= kept);
        let first_seen = match first_seen {
            Some(seen) => seen.min(self.now),
            None if is_past => self.now,
            None => at,
        };
        let Some((key, subscription)) = self.feed_of(&item) else {
            self.without_feed.insert(item.id.clone());
            return;
        };
        let recovered = recovered(&item, (key, subscription), output, (at, first_seen));
        let page = recovered.item.url.clone().map(|url| (key, url));
        if let Some(own) = page.as_ref().and_then(|page| self.by_page.get(page)) {
            let other = |output: &&Output| OtherId {
                output: output.id.clone(),
                own: own.clone(),
                shown: item.id.clone(),
            };
            self.other_ids.extend(outputs.iter().map(other));
            return;
        }
        if let Some(page) = page {
            self.by_page.insert(page, item.id.clone());
        }
        self.by_id.insert(item.id, Candidate { item: recovered, outputs: outputs.len() });
    }

    /// The configured feed that an item is attributed to: by its URL, or the only feed if it is a file and has no other
    /// title, or by a title that only one has.
    fn feed_of(&self, item: &PublishedItem) -> Option<(FeedKey, &'c Subscription)> {
        let feeds = || self.keys.iter().copied().zip(&self.config.subscriptions);
        let url = item.feed_url.as_deref();
        let by_url = feeds().find(|(_, subscription)| {
            url.is_some_and(|url| outputs::is_same_feed(&subscription.feed.url, url))
        });
        // Documents do not name the URL of a file.
        let is_named_alike = |feed: &Feed| {
            let titles = feed.title.as_deref().zip(item.feed_title.as_deref());
            feed.url.scheme() == "file" && titles.is_none_or(|(own, shown)| own == shown)
        };
        let sole = || {
            let sole = feeds().next().filter(|_| url.is_none() && self.keys.len() == 1);
            sole.filter(|(_, subscription)| is_named_alike(&subscription.feed))
        };
        by_url.or_else(sole).or_else(|| {
            let title = item.feed_title.as_deref()?;
            let mut named = feeds()
                .filter(|(_, subscription)| subscription.feed.title.as_deref() == Some(title));
            named.next().filter(|_| named.next().is_none())
        })
    }

    /// The items in the order in which they are written, and the ids that differ between outputs. Items without a number
    /// get one after `page`.
    fn finish(self, page: ItemKey) -> (Vec<RecoveredItem>, Vec<OtherId>) {
        let mut candidates: Vec<Candidate> = self.by_id.into_values().collect();
        candidates.sort_by(|a, b| {
            let number = |it: &Candidate| (it.item.key.is_none(), it.item.key);
            let key = |it: &Candidate| (number(it), Reverse(it.outputs), it.item.at);
            key(a).cmp(&key(b)).then_with(|| a.item.outward_id.cmp(&b.item.outward_id))
        });
        let mut pages: HashMap<(FeedKey, Digest), usize> = HashMap::new();
        for Candidate { item, .. } in &candidates {
            if let Some(page) = item.url_key {
                *pages.entry((item.feed, page)).or_default() += 1;
            }
        }
        let mut last = candidates.iter().filter_map(|it| it.item.key).fold(page, ItemKey::max);
        let item = |Candidate { mut item, .. }: Candidate| {
            if item.key.is_none() {
                last.0 += 1;
                item.key = Some(last);
            }
            // A page that several items of one feed link to is not the page of any of them.
            item.url_key = item.url_key.filter(|page| pages[&(item.feed, *page)] == 1);
            item
        };
        (candidates.into_iter().map(item).collect(), self.other_ids)
    }
}

/// The date that a document shows for an item, which is its position in an output.
fn position(item: &ParsedItem, now: Timestamp) -> Timestamp {
    item.published.or(item.updated).unwrap_or(now).min(now)
}

/// The positions of all items. Documents have no fractions of seconds: items of the same second keep the order that
/// they have in the longest document. One with dates of first sight counts only for items that no other one has.
fn positions(
    documents: &[(&Output, PublishedDocuments)],
    now: Timestamp,
) -> HashMap<String, Timestamp> {
    let lists = documents.iter().flat_map(|(output, published)| {
        let with_first_sight = output.presentation.date == ShownDate::FirstSeen;
        published.stories.lists().map(move |items| (with_first_sight, items))
    });
    let mut lists: Vec<(bool, &Vec<PublishedItem>)> = lists.collect();
    lists.sort_by_key(|(with_first_sight, items)| (*with_first_sight, Reverse(items.len())));
    let mut positions = HashMap::new();
    for (_, items) in lists {
        let mut earlier = Timestamp::MIN;
        for item in items.iter().rev() {
            let at = later_in_the_second(position(&item.item, now), earlier);
            earlier = *positions.entry(item.id.clone()).or_insert(at);
        }
    }
    positions
}

/// The time, or one just after `earlier` in the same second: documents have no fractions of seconds.
fn later_in_the_second(at: Timestamp, earlier: Timestamp) -> Timestamp {
    let next = earlier.checked_add(SignedDuration::from_millis(1)).unwrap_or(at);
    if at.as_second() == next.as_second() { at.max(next) } else { at }
}

/// The item as the store keeps it, at this position.
fn recovered(
    published: &PublishedItem,
    (feed, subscription): (FeedKey, &Subscription),
    output: &Output,
    (at, first_seen): (Timestamp, Timestamp),
) -> RecoveredItem {
    let context =
        normalise::Context { now: at, document_url: &output.base_url, feed_language: None };
    let item = Item { guid: None, ..normalise::item(&published.item, &context) };
    let url_key = item.url.as_deref().and_then(dedupe::canonical::url_key);
    let page = item.url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let is_own = page.is_some_and(|page| site(&page) == site(&subscription.feed.url));
    let page_owner = if is_own { PageOwner::FeedSite } else { PageOwner::OtherSite };
    let (text, plain) = Text::with_plain(item.content.as_deref(), item.summary.as_deref());
    let search_words = search_words(item.title.as_deref(), &plain);
    let own = text.own_words(&HashSet::new());
    let digest = own.exact_digest().map(u64::cast_signed);
    let facts = Facts { published: item.published, seen: first_seen, url_key, page_owner };
    let fingerprint = match subscription.dedupe.across_feeds {
        AcrossFeeds::Off => None,
        AcrossFeeds::Link => Some(Fingerprint::without_sketch(&item, text, facts, &own)),
        AcrossFeeds::Text => Some(Fingerprint::with_sketch(&item, text, facts, &own)),
    };
    let fingerprint = fingerprint.map(|made| made.to_bytes());
    let text = TextIndex { digest, fingerprint, search_words };
    let outward_id = published.id.clone();
    let key = published.number;
    RecoveredItem { feed, outward_id, key, at, first_seen, url_key, page_owner, item, text }
}
