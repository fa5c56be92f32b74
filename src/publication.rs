//! ONE publication of ONE output: select > render > check > remember > write > shelf.
//!
//! Candidates come from the store newest first, feed by feed, so that a publication costs what it
//! shows and not what is kept. Leaves what an output takes and how it looks to `publish`, and when
//! to publish to the daemon. Nothing reaches a subscriber that could not be read back; what was
//! published last stays until then.

mod merge;
mod stand;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, info};

use self::merge::Merge;
pub use self::stand::{Stand, stand};
use crate::clock::Clock;
use crate::model::{Entry, FeedInfo, FeedKey, ItemKey, StoryKey};
use crate::publish::{
    self, CheckError, Document, Format, Last, Listing, Output, Selector, Shelf, Verdict, Written,
};
use crate::store::{self, Head, Reader, Store};

/// For how long a reader may keep a document: short against any interval that a reader polls at.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// So many candidates are looked up at once.
const BATCH: usize = 64;

/// Why an output was not published; the last good one stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The gate found a fault in what was rendered.
    #[error(
        "the new {name} was not published, the last good one stays: {source}; please report this"
    )]
    Check {
        /// The document.
        name: String,
        /// What is wrong with it.
        source: CheckError,
    },
    /// A file could not be written.
    #[error(
        "failed to write {path}: {source}: check that the folder exists, belongs to this user and has room"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Rendering panicked.
    #[error("newswire panicked while rendering {0}, the last good one stays; please report this")]
    Panicked(String),
}

/// What a publication did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Stories in the output.
    pub entries: usize,
    /// Documents that became different.
    pub changed: usize,
}

/// Publishes outputs; one serves them all.
#[derive(Debug, Clone)]
pub struct Publisher {
    store: Arc<Store>,
    shelf: Arc<Shelf>,
    clock: Clock,
    /// What each output showed last, by its id.
    last: Arc<Mutex<HashMap<String, Arc<Last>>>>,
}

/// A document, rendered and checked.
struct Rendered {
    format: Format,
    hash: [u8; 32],
    bytes: Vec<u8>,
}

impl Publisher {
    /// Puts the rooms together.
    #[must_use]
    pub fn new(store: Arc<Store>, shelf: Arc<Shelf>, clock: Clock) -> Self {
        Self { store, shelf, clock, last: Arc::default() }
    }

    /// Publishes one output in all its formats.
    ///
    /// # Errors
    /// See [`Error`]. A document that cannot be written is served all the same.
    pub async fn publish(&self, output: &Arc<Output>) -> Result<Published, Error> {
        let now = self.clock.now();
        let (reader, asked) = (self.store.reader().clone(), Arc::clone(output));
        let panicked = |_| Error::Panicked(output.id.clone());
        let last = self.last().get(&output.id).cloned().unwrap_or_default();
        let work = move || {
            let entries = select(&reader, &asked, now)?;
            still_the_same(&asked, &last, &entries)?;
            let documents = render(&asked, &entries)?;
            Ok::<_, Error>((entries.len(), Last::new(&entries), documents))
        };
        let (entries, last, documents) =
            tokio::task::spawn_blocking(work).await.map_err(panicked)??;
        let (mut placed, mut changed, mut unwritten) = (Vec::new(), 0, None);
        for document in documents {
            let format = document.format;
            let (document, written) = self.place(output, document, now).await?;
            placed.push((format, document));
            match written {
                Ok(written) => changed += usize::from(written == Written::Replaced),
                Err(error) => unwritten = Some(error),
            }
        }
        self.last().insert(output.id.clone(), Arc::new(last));
        self.shelf.put(Listing::new(output, entries, placed));
        if changed > 0 {
            info!(output = output.id, entries, "{}: published {entries} stories", output.id);
        } else {
            debug!(output = output.id, entries, "{}: unchanged", output.id);
        }
        unwritten.map_or(Ok(Published { entries, changed }), Err)
    }

    // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
    fn last(&self) -> MutexGuard<'_, HashMap<String, Arc<Last>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one document ready and puts it into its file, unless both were done before.
    ///
    /// The inner error is the file's: what cannot be written is served all the same.
    async fn place(
        &self,
        output: &Arc<Output>,
        document: Rendered,
        now: Timestamp,
    ) -> Result<(Arc<Document>, Result<Written, Error>), Error> {
        let Rendered { format, hash, bytes } = document;
        let name = output.file_name(format);
        let held = self.shelf.document(&name).filter(|held| held.body == bytes);
        // Before the file: after a crash in between, the same document keeps its date.
        let modified = match &held {
            Some(held) => held.modified,
            None => {
                let id = output.id.clone();
                self.store.remember_document(id, format.extension(), hash, now).await?
            }
        };
        let directory = output.directory.clone();
        let panicked = |_| Error::Panicked(name.clone());
        let work = {
            let name = name.clone();
            move || {
                // Looked at even when nothing changed: somebody may have removed the file.
                let written = directory.as_deref().map(|directory| {
                    publish::write_atomically(directory, &name, &bytes)
                        .map_err(|source| Error::Write { path: directory.join(&name), source })
                });
                let fresh = held.is_none();
                let prepare = || Arc::new(Document::prepare(format, bytes, modified, MAX_AGE));
                let written = written.unwrap_or(Ok(if fresh {
                    Written::Replaced
                } else {
                    Written::Unchanged
                }));
                (held.unwrap_or_else(prepare), written)
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(panicked)
    }
}

/// Compares with what was published last: no id may have changed, and nothing goes unnoticed.
fn still_the_same(output: &Output, last: &Last, entries: &[Entry]) -> Result<(), Error> {
    let gone = last.compare(entries);
    let gone = gone.map_err(|source| Error::Check { name: output.id.clone(), source })?;
    if let Some(first) = gone.first() {
        let (output, gone) = (&output.id, gone.len());
        info!(output, gone, "{output}: no longer taken before their time: {gone}, first {first}");
    }
    Ok(())
}

/// Renders every format and lets the gate look at it.
fn render(output: &Output, entries: &[Entry]) -> Result<Vec<Rendered>, Error> {
    let render = |&format: &Format| {
        let bytes = publish::render(output, format, entries);
        match publish::check(output, format, &bytes, entries) {
            Ok(()) => Ok(Rendered { format, hash: publish::digest(&bytes), bytes }),
            Err(source) => Err(Error::Check { name: output.file_name(format), source }),
        }
    };
    output.formats.iter().map(render).collect()
}

/// The stories that the output shows, newest first.
///
/// # Errors
/// When the store fails.
pub fn select(reader: &Reader, output: &Output, now: Timestamp) -> Result<Vec<Entry>, Error> {
    let mut selector = Selector::new(output, now);
    let feeds: HashMap<FeedKey, Arc<FeedInfo>> =
        reader.feeds()?.into_iter().map(|feed| (feed.key, Arc::new(feed))).collect();
    let shown: HashMap<FeedKey, Arc<FeedInfo>> = feeds
        .iter()
        .filter(|(_, feed)| selector.takes_feed(&feed.id, &feed.tags))
        .map(|(key, feed)| (*key, Arc::clone(feed)))
        .collect();
    selector = selector.among(shown.len());
    let mut merge = Merge::new(reader, shown.keys().copied())?;
    let mut chosen = Vec::new();
    'output: loop {
        let heads = merge.next_batch(BATCH)?;
        if heads.is_empty() {
            break;
        }
        let mut batch = Batch::load(reader, &heads, &shown)?;
        for head in heads {
            let Some(entry) = batch.lead(head, &selector) else { continue };
            match selector.offer(head.feed, head.sort_at) {
                Verdict::Take => chosen.push(entry),
                // The rest of this feed is older still, and would be refused as well.
                Verdict::Skip => merge.drop_feed(head.feed),
                Verdict::Full => break 'output,
            }
        }
    }
    attach_also(reader, &mut chosen, &shown)?;
    own_ids(reader, &mut chosen, &shown)?;
    selector.arrange(&mut chosen);
    Ok(chosen)
}

/// Some candidates with their words, and those of the items they share a story with.
struct Batch {
    entries: HashMap<ItemKey, Entry>,
    members: HashMap<StoryKey, Vec<Head>>,
}

impl Batch {
    fn load(
        reader: &Reader,
        heads: &[Head],
        shown: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<Self, Error> {
        let stories: Vec<StoryKey> = heads.iter().map(|head| head.story).collect();
        let members = reader.members(&stories)?;
        let others = members.values().flatten().map(|head| head.key);
        let mut keys: Vec<ItemKey> = heads.iter().map(|head| head.key).chain(others).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(Self { entries: reader.entries(&keys, shown)?, members })
    }

    /// The item as an entry, if this output takes it and it leads its story here: of the members
    /// that the output takes, the one that was seen first, so that the lead never changes.
    fn lead(&mut self, head: Head, selector: &Selector<'_>) -> Option<Entry> {
        let takes = |key: &ItemKey| {
            self.entries.get(key).is_some_and(|entry| selector.takes_item(&entry.item))
        };
        let alone = [head];
        let members = self.members.get(&head.story).map_or(&alone[..], Vec::as_slice);
        let taken: Vec<&Head> = members.iter().filter(|member| takes(&member.key)).collect();
        let feeds: HashSet<FeedKey> = taken.iter().map(|member| member.feed).collect();
        if feeds.len() < selector.min_feeds() {
            return None;
        }
        let lead = taken.first().map(|member| member.key);
        if lead == Some(head.key) { self.entries.remove(&head.key) } else { None }
    }
}

/// Gives each entry the publisher's id, where an item of another feed had it first and that feed is
/// not in this output: whoever copies an id elsewhere changes nothing here.
fn own_ids(
    reader: &Reader,
    entries: &mut [Entry],
    shown: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<(), Error> {
    let keys: Vec<ItemKey> = entries.iter().map(|entry| entry.key).collect();
    let mut given: HashSet<String> = HashSet::new();
    // The earliest of several first, so that it keeps what it got.
    for claim in reader.claims(&keys)? {
        if !shown.contains_key(&claim.holder)
            && given.insert(claim.id.clone())
            && let Some(entry) = entries.iter_mut().find(|entry| entry.key == claim.key)
        {
            entry.outward_id = claim.id;
        }
    }
    Ok(())
}

/// Tells each entry which other feeds of the output carry its story.
fn attach_also(
    reader: &Reader,
    entries: &mut [Entry],
    feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<(), Error> {
    let stories: Vec<StoryKey> = entries.iter().map(|entry| entry.story).collect();
    let members = reader.members(&stories)?;
    let keys: Vec<ItemKey> = members.values().flatten().map(|head| head.key).collect();
    let mut also = reader.also(&keys, feeds)?;
    for entry in entries {
        let Some(members) = members.get(&entry.story) else { continue };
        let others = members.iter().filter(|head| head.key != entry.key);
        entry.also = others.filter_map(|head| also.remove(&head.key)).collect();
    }
    Ok(())
}
