//! ONE publication of ONE output: select > render > check > remember > write > shelf.
//!
//! Candidates come from the store newest first, feed by feed, so that a publication costs what it
//! shows and not what is kept. Leaves what an output takes and how it looks to `publish`, and when
//! to publish to the daemon. Nothing reaches a subscriber that could not be read back; what was
//! published last stays until then.

mod archive;
mod batch;
mod error;
mod holdings;
mod ids;
mod list;
mod merge;
mod pages;
mod place;
mod stand;
mod tally;
mod walk;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tracing::{debug, info};

use self::batch::Batch;
pub use self::error::Error;
use self::holdings::{Holdings, feeds};
use self::ids::Lent;
use self::merge::Merge;
use self::place::{Rendered, place};
pub use self::stand::{Stand, stand};
use crate::clock::Clock;
use crate::model::{Entry, FeedInfo, FeedKey, ItemKey, StoryKey};
use crate::publish::{
    self, Format, Last, Leaf, Listing, Output, Refusal, Selector, Shelf, Verdict, Written,
};
use crate::store::{ArchivePage, Head, Reader, Store};
use crate::telemetry::{Event, Metrics};

/// So many candidates are looked up at once.
const BATCH: usize = 64;
/// So many arrivals are looked at before what came of it is kept.
const ARRIVALS: usize = 1024;

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
    /// The newest page of each output's archive that was written to its folder.
    written: Arc<Mutex<HashMap<String, u32>>>,
    /// What each output showed last, by its id.
    last: Arc<Mutex<HashMap<String, Arc<Last>>>>,
    metrics: Option<Metrics>,
}

impl Publisher {
    /// Puts the rooms together.
    #[must_use]
    pub fn new(store: Arc<Store>, shelf: Arc<Shelf>, clock: Clock) -> Self {
        let (written, last, metrics) = Default::default();
        Self { store, shelf, clock, written, last, metrics }
    }

    /// Counts publications.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Puts the list of the feeds behind these outputs on the shelf, and into their folders; but
    /// those that are `hidden`.
    ///
    /// # Errors
    /// When the store fails, or a file cannot be written.
    pub async fn list(
        &self,
        outputs: &[Arc<Output>],
        hidden: &HashSet<FeedKey>,
    ) -> Result<(), Error> {
        let (reader, outputs) = (self.store.reader().clone(), outputs.to_vec());
        let (hidden, shelf) = (hidden.clone(), Arc::clone(&self.shelf));
        let work = move || {
            let open = outputs.iter().map(|output| &**output);
            let list = list::subscriptions(&reader, open.clone(), &hidden)?;
            let open = open.filter(|output| output.token.is_none());
            for directory in open.filter_map(|output| output.directory.as_ref()) {
                let bytes = list.as_deref().unwrap_or_default().as_bytes();
                let path = directory.join(list::NAME);
                publish::write_atomically(directory, list::NAME, bytes)
                    .map_err(|source| Error::Write { path, source })?;
            }
            shelf.put_subscriptions(list);
            Ok(())
        };
        let panicked = |_| Error::Panicked(list::NAME.to_owned());
        tokio::task::spawn_blocking(work).await.map_err(panicked)?
    }

    /// Takes whatever else there was from the shelf.
    pub fn keep_only(&self, outputs: &[Arc<Output>]) {
        let ids: Vec<&str> = outputs.iter().map(|output| output.id.as_str()).collect();
        self.shelf.keep_only(&ids);
    }

    /// Publishes one output in all its formats.
    ///
    /// # Errors
    /// See [`Error`]. A document that cannot be written is served all the same.
    pub async fn publish(&self, output: &Arc<Output>) -> Result<Published, Error> {
        let published = self.attempt(output).await;
        let refusal = |why: &Error| Refusal { since: self.clock.now(), why: why.to_string() };
        // Where the database fails, nobody looked at the output: what was told of it stands.
        if !matches!(published, Err(Error::Store(_))) {
            self.shelf.tell(&output.id, published.as_ref().err().map(refusal));
        }
        if let Some(metrics) = &self.metrics {
            let changed = published.as_ref().map(|published| published.changed);
            tally::count(metrics, &output.id, changed, self.clock.now());
        }
        published
    }

    async fn attempt(&self, output: &Arc<Output>) -> Result<Published, Error> {
        let now = self.clock.now();
        self.archive(output, now).await?;
        let stacks = Arc::new(Holdings::new(self.store.reader(), output, leads, complete));
        let (asked, held) = (Arc::clone(output), Arc::clone(&stacks));
        let (reader, newest) = (self.store.reader().clone(), Arc::clone(&self.written));
        let panicked = |_| Error::Panicked(output.id.clone());
        let known = self.last().get(&output.id).cloned();
        let work = move || {
            let last = known.map_or_else(|| recalled(&reader, &asked.id), Ok)?;
            let (entries, lent) = chosen(&reader, &asked, now)?;
            still_the_same(&asked, &last, &entries)?;
            let pages = held.pages()?;
            let archive = Some(*pages.end()).filter(|_| !pages.is_empty());
            let documents = render(&asked, Leaf::Current { archive }, &entries)?;
            // The pages first: what links to them comes after.
            let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
            let written = held.write(&pages, newest.get(&asked.id).copied());
            if written.is_ok() {
                newest.insert(asked.id.clone(), *pages.end());
            }
            let new = Last::new(&entries);
            // Before anybody sees it: a crash must not forget under which ids it was shown.
            let edition = (new != *last || !lent.is_empty()).then(|| (new.to_text(), lent));
            Ok::<_, Error>((entries.len(), (new, edition), documents, written))
        };
        let (entries, (last, edition), documents, written) =
            tokio::task::spawn_blocking(work).await.map_err(panicked)??;
        if let Some((shown, lent)) = edition {
            self.store.write_edition(output.id.clone(), shown, lent).await?;
        }
        let (mut placed, mut changed, mut unwritten) = (Vec::new(), 0, written.err());
        for document in documents {
            let format = document.format;
            let (document, written) =
                place(&self.store, &self.shelf, output, document, now).await?;
            placed.push((format, document));
            match written {
                Ok(written) => changed += usize::from(written == Written::Replaced),
                Err(error) => unwritten = Some(error),
            }
        }
        self.last().insert(output.id.clone(), Arc::new(last));
        self.shelf.put(Listing::new(output, entries, placed).before(stacks));
        if changed > 0 {
            let event = Event::OutputPublished.slug();
            info!(event, output = output.id, entries, "{}: published {entries} stories", output.id);
        } else {
            debug!(output = output.id, entries, "{}: unchanged", output.id);
        }
        unwritten.map_or(Ok(Published { entries, changed }), Err)
    }

    // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
    fn last(&self) -> MutexGuard<'_, HashMap<String, Arc<Last>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts what has arrived on the pages of the archive.
    async fn archive(&self, output: &Arc<Output>, now: Timestamp) -> Result<(), Error> {
        loop {
            let (reader, asked) = (self.store.reader().clone(), Arc::clone(output));
            let work = move || arrived(&reader, &asked, now);
            let panicked = |_| Error::Panicked(output.id.clone());
            let (pages, lent, looked_at) =
                tokio::task::spawn_blocking(work).await.map_err(panicked)??;
            if looked_at > 0 {
                self.store.archive(output.id.clone(), pages, lent).await?;
            }
            if looked_at < ARRIVALS {
                return Ok(());
            }
        }
    }
}

/// The pages that grow by the next arrivals, the last one still growing; what is to be remembered of
/// the ids on them; and how many arrivals there were.
fn arrived(
    reader: &Reader,
    output: &Output,
    now: Timestamp,
) -> Result<(Vec<ArchivePage>, Vec<Lent>, usize), Error> {
    let growing = reader.growing_page(&output.id)?.unwrap_or_else(archive::first);
    let arrivals = reader.arrivals(&growing, ARRIVALS)?;
    let selector = Selector::new(output, now);
    let shown = feeds(reader, |feed| selector.takes_feed(&feed.id, &feed.tags))?;
    let mut taken = Vec::new();
    for heads in arrivals.heads.chunks(BATCH) {
        let batch = Batch::load(reader, heads, &shown)?;
        taken.extend(heads.iter().filter_map(|head| batch.completed(*head, &selector)));
    }
    let lent = ids::to_lend(reader, &output.id, &taken, &shown)?;
    let pages = archive::grow(growing, output.archive_page(), &taken, &arrivals);
    Ok((pages, lent, arrivals.count))
}

/// Those of `heads` that the selection takes and that lead their story there.
fn leads(
    reader: &Reader,
    heads: &[Head],
    shown: &HashMap<FeedKey, Arc<FeedInfo>>,
    selector: &Selector<'_>,
) -> Result<Vec<Entry>, Error> {
    let mut batch = Batch::load(reader, heads, shown)?;
    Ok(heads.iter().filter_map(|head| batch.lead(*head, selector)).collect())
}

/// What the output published last, before newswire was started.
fn recalled(reader: &Reader, output: &str) -> Result<Arc<Last>, Error> {
    let shown = reader.edition(output)?;
    Ok(Arc::new(shown.as_deref().map(Last::from_text).unwrap_or_default()))
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
fn render(output: &Output, leaf: Leaf, entries: &[Entry]) -> Result<Vec<Rendered>, Error> {
    let max_age = publish::max_age(entries);
    let render = |&format: &Format| {
        let bytes = publish::render_leaf(output, format, leaf, entries);
        match publish::check(output, format, &bytes, entries) {
            Ok(()) => Ok(Rendered { format, max_age, hash: publish::digest(&bytes), bytes }),
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
    Ok(chosen(reader, output, now)?.0)
}

/// The same, and what is to be remembered of their ids.
fn chosen(
    reader: &Reader,
    output: &Output,
    now: Timestamp,
) -> Result<(Vec<Entry>, Vec<Lent>), Error> {
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
    let lent = complete(reader, output, &mut chosen, &shown)?;
    selector.arrange(&mut chosen);
    Ok((chosen, lent))
}

/// What an entry needs beside its item: who else carries its story, and under which id it goes out.
/// `shown` are the feeds of the output: what the others say changes nothing here. Answers with what is
/// to be remembered of the ids.
fn complete(
    reader: &Reader,
    output: &Output,
    entries: &mut [Entry],
    shown: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<Vec<Lent>, Error> {
    attach_also(reader, entries, shown)?;
    ids::give(reader, &output.id, entries, shown)
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
