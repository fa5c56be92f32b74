//! Takes pending items, a batch at a time, and finds their stories.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::debug;

use super::cache::Cache;
use super::groups::{self, Ties};
use crate::clock::Clock;
use crate::dedupe::{
    self, AcrossFeeds, CANDIDATES, Entry, Fingerprint, Frame, Index, Settings, Weights,
};
use crate::model::{FeedKey, ItemKey};
use crate::store::{self, Matches, PendingItem, Store, StoredFingerprint, Transaction, Write};

/// Items of a batch: written together, and shown together.
const BATCH: usize = 256;
/// How long learnt weights are good.
const LEARN_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Weights are learnt from this many of the newest texts.
const LESSONS: usize = 5_000;

/// What counts as one story, feed by feed.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// For the items of these feeds.
    pub feeds: HashMap<FeedKey, Arc<Settings>>,
    /// For all others.
    pub others: Arc<Settings>,
}

/// Finds stories; one serves the whole process. Clones share it.
#[derive(Debug, Clone)]
pub struct Matcher {
    store: Arc<Store>,
    clock: Clock,
    policies: Arc<RwLock<Policies>>,
    memory: Arc<Mutex<Memory>>,
    /// One at a time: a batch that is taken twice would be matched twice.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A pending item with what may be the same story.
struct Candidates {
    item: ItemKey,
    others: Vec<ItemKey>,
    /// Whether its feed repeats the frame of its text.
    frame: Frame,
    settings: Arc<Settings>,
}

/// What is held in memory of the window.
#[derive(Debug, Default)]
struct Memory {
    /// Age of the oldest items that are compared.
    window: Duration,
    /// Items of the window; `None` until the first pending item, so that a pass that brings nothing
    /// does not read them.
    index: Option<Index>,
    weights: Arc<Weights>,
    cache: Cache,
}

impl Matcher {
    /// A matcher that compares items of the last `window`.
    #[must_use]
    pub fn new(store: Arc<Store>, clock: Clock, policies: Policies, window: Duration) -> Self {
        let policies = Arc::new(RwLock::new(policies));
        let memory = Arc::new(Mutex::new(Memory { window, ..Memory::default() }));
        Self { store, clock, policies, memory, turn: Arc::default() }
    }

    /// Takes over other settings: the config has changed.
    pub fn configure(&self, policies: Policies) {
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = policies;
    }

    /// Compares items of the last `window` from now on.
    pub fn set_window(&self, window: Duration) {
        *self.memory() = Memory { window, ..Memory::default() };
    }

    /// Matches everything that is pending; answers how many items that was.
    ///
    /// # Errors
    /// When the database fails; what was not written is still pending.
    pub async fn catch_up(&self) -> Result<usize, store::Error> {
        let _turn = self.turn.lock().await;
        let mut all = 0;
        loop {
            let matcher = self.clone();
            let work = move || matcher.batch();
            let found = tokio::task::spawn_blocking(work).await;
            let Some(matches) = found.map_err(|_| store::Error::Closed)?? else { return Ok(all) };
            all += matches.marks.len();
            self.store.write(Write::Matches(matches)).await?;
        }
    }

    /// What the next pending items are to each other and to what is kept; `None`: nothing is pending.
    fn batch(&self) -> Result<Option<Matches>, store::Error> {
        self.store.reader().read(|reader| self.batch_in(reader))
    }

    fn batch_in(&self, reader: &Transaction<'_>) -> Result<Option<Matches>, store::Error> {
        let pending = reader.pending(BATCH)?;
        if pending.is_empty() {
            return Ok(None);
        }
        let (at, mut memory) = (self.clock.now(), self.memory());
        memory.fill(reader, at)?;
        let keys: Vec<ItemKey> = pending.iter().map(|pending| pending.item).collect();
        let stored = reader.fingerprints(&keys)?;
        let known = reader.item_matches(&keys)?;
        let matched: HashSet<(ItemKey, ItemKey)> =
            known.iter().filter(|tie| tie.same).map(|tie| (tie.item, tie.other)).collect();
        let mut pairs = self.pairs(reader, &mut memory, (&pending, &stored), at)?;
        add_matched(&mut pairs, &matched);
        let weights = Arc::clone(&memory.weights);
        let compared = pairs.iter().filter(|pair| !pair.others.is_empty());
        let wanted = compared.flat_map(|pair| pair.others.iter().chain([&pair.item]));
        let mut wanted: Vec<ItemKey> = wanted.copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        memory.cache.load(reader, &wanted, stored, &weights)?;
        let mut ties = Vec::new();
        for Candidates { item, others, frame, settings } in &pairs {
            let Some(own) = memory.cache.get(*item) else { continue };
            for other in others {
                let Some(theirs) = memory.cache.get(*other) else { continue };
                let verdict = dedupe::verdict(&own, &theirs, *frame, settings, &weights);
                let pair = (*item.max(other), *item.min(other));
                // Two that were one story may have nothing in common after an edit.
                let verdict = verdict.or_else(|| matched.contains(&pair).then(dedupe::unlike));
                ties.extend(verdict.map(|verdict| verdict.between(pair.0, pair.1)));
            }
        }
        memory.cache.shrink();
        drop(memory);
        let stories = groups::stories(&Ties::new(reader, &ties), &keys, &known)?;
        let marks = pending.iter().map(|pending| pending.mark).collect();
        Ok(Some(Matches { at, marks, pairs: ties, stories }))
    }

    /// For each pending item what may be the same story; from now on it is itself among what others are
    /// compared with.
    fn pairs(
        &self,
        reader: &Transaction<'_>,
        memory: &mut Memory,
        (pending, stored): (&[PendingItem], &[StoredFingerprint]),
        at: Timestamp,
    ) -> Result<Vec<Candidates>, store::Error> {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner).clone();
        let policy = |feed: &FeedKey| policies.feeds.get(feed).unwrap_or(&policies.others);
        let mut feeds: Vec<FeedKey> = pending.iter().map(|pending| pending.feed).collect();
        feeds.sort_unstable();
        feeds.dedup();
        memory.cache.renew(reader, &feeds)?;
        let compared =
            |pending: &&PendingItem| policy(&pending.feed).across_feeds != AcrossFeeds::Off;
        let keys: Vec<ItemKey> = pending.iter().filter(compared).map(|p| p.item).collect();
        let mut doubles = reader.same_page_or_id(&keys)?;
        let sketches: HashMap<ItemKey, dedupe::Sketch> = stored
            .iter()
            .filter_map(|stored| Some((stored.key, Fingerprint::sketch_from_bytes(&stored.data)?)))
            .collect();
        let mut pairs = Vec::with_capacity(pending.len());
        // All of a batch is in the index before the first is compared, so that the frames of a feed show.
        let turns: HashMap<ItemKey, usize> =
            pending.iter().enumerate().map(|(turn, pending)| (pending.item, turn)).collect();
        let index = memory.index.get_or_insert_default();
        for PendingItem { item: key, feed, .. } in pending.iter().filter(compared) {
            memory.cache.remove(*key);
            if let Some(sketch) = sketches.get(key).filter(|sketch| !sketch.0.is_empty()) {
                index.insert(Entry { key: *key, feed: *feed, at: at.as_second() }, sketch);
            }
        }
        for (turn, PendingItem { item: key, feed, .. }) in
            pending.iter().enumerate().filter(|(_, pending)| compared(pending))
        {
            let earlier = |other: ItemKey| turns.get(&other).is_none_or(|other| *other < turn);
            let mut candidates = doubles.remove(key).unwrap_or_default();
            let mut frame = Frame::Unique;
            if let Some(sketch) = sketches.get(key).filter(|sketch| !sketch.0.is_empty()) {
                for other in index.candidates(*feed, sketch, CANDIDATES, earlier) {
                    if other != *key && !candidates.contains(&other) {
                        candidates.push(other);
                    }
                }
                if !candidates.is_empty() && index.recurs(*key, *feed, sketch) {
                    frame = Frame::Recurring;
                }
            }
            pairs.push(Candidates {
                item: *key,
                others: candidates,
                frame,
                settings: Arc::clone(policy(feed)),
            });
        }
        Ok(pairs)
    }

    /// Lets go of what left the window, and learns anew what words prove, once a day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy(&self, window: Duration) -> Result<(), store::Error> {
        let now = self.clock.now();
        let cutoff = before(now, window);
        if let Some(index) = &mut self.memory().index {
            index.forget(cutoff.as_second());
        }
        self.store.write(Write::ForgetFingerprints { cutoff }).await?;
        let reader = self.store.reader().clone();
        let lesson = move || reader.read(|reader| learn(reader, cutoff, now));
        let learnt =
            tokio::task::spawn_blocking(lesson).await.map_err(|_| store::Error::Closed)??;
        if let Some(weights) = learnt {
            let write = Write::Weights { at: now, learnt: weights.to_bytes() };
            self.store.write(write).await?;
            let mut memory = self.memory();
            memory.weights = Arc::new(weights);
            memory.cache.clear();
        }
        Ok(())
    }

    // A panic cannot leave it half changed in a way that matters, so a poisoned lock is as good as any.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds to each item those that it matched before, so that an edit is judged in both directions.
fn add_matched(pairs: &mut [Candidates], matched: &HashSet<(ItemKey, ItemKey)>) {
    for Candidates { item, others, .. } in pairs {
        for (a, b) in matched.iter().filter(|(a, b)| a == item || b == item) {
            let other = if a == item { *b } else { *a };
            if !others.contains(&other) {
                others.push(other);
            }
        }
    }
}

impl Memory {
    /// Reads the window and the weights from the store, once.
    fn fill(&mut self, reader: &Transaction<'_>, now: Timestamp) -> Result<(), store::Error> {
        if self.index.is_some() {
            return Ok(());
        }
        let mut index = Index::default();
        reader.fingerprints_since(before(now, self.window), |stored| {
            let StoredFingerprint { key, feed, at, data } = stored;
            if let Some(sketch) = Fingerprint::sketch_from_bytes(&data) {
                index.insert(Entry { key, feed, at: at.as_second() }, &sketch);
            }
        })?;
        debug!(items = index.len(), bytes = index.bytes(), "index of stories filled");
        let weights = reader.word_weights()?.and_then(|(_, learnt)| Weights::from_bytes(&learnt));
        self.weights = Arc::new(weights.unwrap_or_default());
        self.index = Some(index);
        Ok(())
    }
}

fn before(now: Timestamp, window: Duration) -> Timestamp {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
    now.checked_sub(window).unwrap_or(Timestamp::MIN)
}

/// What words prove, from the newest texts; `None`: what was learnt is still good, or there is too
/// little to learn from.
fn learn(
    reader: &Transaction<'_>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Option<Weights>, store::Error> {
    let fresh = |at| now.duration_since(at) < LEARN_EVERY;
    if reader.word_weights()?.is_some_and(|(at, _)| fresh(at)) {
        return Ok(None);
    }
    let keys = reader.fingerprinted_since(since)?;
    let newest: Vec<(ItemKey, FeedKey)> = keys.into_iter().rev().take(LESSONS).collect();
    let mut feeds: Vec<FeedKey> = newest.iter().map(|(_, feed)| *feed).collect();
    feeds.sort_unstable();
    feeds.dedup();
    let boilerplate = reader.boilerplate(&feeds)?;
    let mut weights = Weights::default();
    for some in newest.chunks(BATCH) {
        let keys: Vec<ItemKey> = some.iter().map(|(key, _)| *key).collect();
        for stored in reader.fingerprints(&keys)? {
            let Some(fingerprint) = Fingerprint::from_bytes(&stored.data) else { continue };
            let Some(boilerplate) = boilerplate.get(&stored.feed) else { continue };
            weights.read(&fingerprint.text.own_words(boilerplate));
        }
    }
    Ok(weights.learnt())
}
