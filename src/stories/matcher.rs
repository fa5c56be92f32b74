//! Takes pending items, a batch at a time, and finds their stories.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, info};

use super::cache::Cache;
use super::collections;
use super::groups::{self, Ties};
use crate::clock::Clock;
use crate::dedupe::{
    self, AcrossFeeds, CANDIDATES, Comparable, ENOUGH_MATCHES, Entry, Fingerprint, Found, Frame,
    Index, LONGEST_POINTER, Pointer, Settings, Verdict, Weights,
};
use crate::model::{FeedKey, ItemKey, Match, Rule, StoryKey};
use crate::store::{self, Matches, PendingItem, Store, StoredFingerprint, Transaction, Write};

/// Maximum number of items of a batch: written together, and shown together. Twice as many end a first poll of 1,000 feeds
/// sooner by a twentieth, and take 15 MB more.
const BATCH: usize = 256;
/// Time after which the weights of words are learned again.
const LEARN_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Weights are learnt from this many of the newest texts.
const LESSONS: usize = 5_000;

/// The matching settings of each feed.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// Settings by feed.
    pub feeds: HashMap<FeedKey, Arc<Settings>>,
    /// Settings of all other feeds.
    pub others: Arc<Settings>,
}

impl Policies {
    /// The feeds of which only pages and ids are compared.
    fn by_link(&self) -> Vec<FeedKey> {
        let by_link = |policy: &Settings| policy.across_feeds == AcrossFeeds::Link;
        self.feeds.iter().filter(|(_, policy)| by_link(policy)).map(|(feed, _)| *feed).collect()
    }
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
    feed: FeedKey,
    others: Vec<ItemKey>,
    /// Items of the same feed that may show the frame of its text.
    same_feed: Vec<ItemKey>,
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
        let matcher = Self { store, clock, policies, memory, turn: Arc::default() };
        matcher.report_kept();
        matcher
    }

    /// Logs how many items stay in stories of other feeds although their feeds are no longer compared: a published
    /// story does not fall apart by a change of the config.
    fn report_kept(&self) {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        let off =
            policies.feeds.iter().filter(|(_, policy)| policy.across_feeds == AcrossFeeds::Off);
        let off: Vec<FeedKey> = off.map(|(feed, _)| *feed).collect();
        drop(policies);
        match self.store.reader().read(|reader| reader.followers(&off)) {
            Ok(0) => {}
            Ok(items) => info!(
                items,
                "existing stories of feeds with across_feeds off are kept; 'newswire replay' shows them, \
                 'newswire replay --apply' separates their items"
            ),
            Err(error) => debug!(%error, "stories of feeds with across_feeds off not counted"),
        }
    }

    /// Takes over other settings: the config has changed.
    pub fn configure(&self, policies: Policies) {
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = policies;
        self.report_kept();
    }

    /// Compares items of the last `window` from now on.
    pub fn set_window(&self, window: Duration) {
        *self.memory() = Memory { window, ..Memory::default() };
    }

    /// Matches everything that is pending. Returns the number of items.
    ///
    /// # Errors
    /// When the database fails; what was not written is still pending.
    pub async fn catch_up(&self) -> Result<usize, store::Error> {
        let mut all = 0;
        loop {
            match self.step().await? {
                0 => return Ok(all),
                items => all += items,
            }
        }
    }

    /// Matches the next pending items, at most 256. Returns their number; 0: nothing is pending.
    ///
    /// # Errors
    /// When the database fails; what was not written is still pending.
    pub async fn step(&self) -> Result<usize, store::Error> {
        let _turn = self.turn.lock().await;
        let matcher = self.clone();
        let work = move || matcher.batch();
        let found = tokio::task::spawn_blocking(work).await;
        let Some(matches) = found.map_err(|_| store::Error::Closed)?? else { return Ok(0) };
        let items = matches.marks.len();
        self.store.write(Write::Matches(matches)).await?;
        Ok(items)
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
        let mut stored = reader.fingerprints(&keys)?;
        let made = self.missing(reader, &pending, &stored)?;
        stored.retain(|stored| made.iter().all(|made| made.key != stored.key));
        stored.extend(made.iter().cloned());
        let known = reader.item_matches(&keys)?;
        let same = known.iter().filter(|tie| tie.same);
        let matched: Matched = same.map(|tie| ((tie.item, tie.other), tie.rule)).collect();
        let (mut pairs, placed) = self.pairs(reader, &mut memory, (&pending, &stored), at)?;
        add_matched(&mut pairs, &matched);
        let weights = Arc::clone(&memory.weights);
        memory.cache.load(reader, &wanted(&pairs), stored, &weights)?;
        let mut ties = memory.compare(reader, &pairs, placed, &matched)?;
        memory.separate(reader, &mut ties, &matched)?;
        memory.cache.shrink();
        drop(memory);
        let stories = groups::stories(&Ties::new(reader, &ties), &keys, &known)?;
        let marks = pending.iter().map(|pending| pending.mark).collect();
        Ok(Some(Matches { at, marks, fingerprints: made, pairs: ties, stories }))
    }

    /// The fingerprints of pending items that have none or none for their text, because the settings of their feeds
    /// were others when they arrived. Made from what is kept of their text.
    fn missing(
        &self,
        reader: &Transaction<'_>,
        pending: &[PendingItem],
        stored: &[StoredFingerprint],
    ) -> Result<Vec<StoredFingerprint>, store::Error> {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner).clone();
        let stored: HashMap<ItemKey, &[u8]> =
            stored.iter().map(|stored| (stored.key, stored.data.as_slice())).collect();
        let lacks = |pending: &&PendingItem| {
            let policy = policies.feeds.get(&pending.feed).unwrap_or(&policies.others);
            let sketch =
                stored.get(&pending.item).and_then(|data| Fingerprint::sketch_from_bytes(data));
            match policy.across_feeds {
                AcrossFeeds::Off => false,
                AcrossFeeds::Link => sketch.is_none(),
                AcrossFeeds::Text => sketch.is_none_or(|sketch| sketch.0.is_empty()),
            }
        };
        let lacking: Vec<ItemKey> = pending.iter().filter(lacks).map(|p| p.item).collect();
        if lacking.is_empty() {
            return Ok(Vec::new());
        }
        let kept = reader.stored_items(&lacking)?;
        let mut feeds: Vec<FeedKey> = kept.iter().map(|kept| kept.feed).collect();
        feeds.sort_unstable();
        feeds.dedup();
        let boilerplate = reader.boilerplate(&feeds)?;
        let none = HashSet::new();
        let made = kept.iter().map(|kept| StoredFingerprint {
            key: kept.key,
            feed: kept.feed,
            at: kept.seen,
            data: Fingerprint::of_kept(kept, boilerplate.get(&kept.feed).unwrap_or(&none))
                .to_bytes(),
        });
        Ok(made.collect())
    }

    /// For each pending item what may be the same story; from now on it is itself among what others are
    /// compared with.
    fn pairs(
        &self,
        reader: &Transaction<'_>,
        memory: &mut Memory,
        (pending, stored): (&[PendingItem], &[StoredFingerprint]),
        at: Timestamp,
    ) -> Result<(Vec<Candidates>, Placed), store::Error> {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner).clone();
        let policy = |feed: &FeedKey| policies.feeds.get(feed).unwrap_or(&policies.others);
        let mut feeds: Vec<FeedKey> = pending.iter().map(|pending| pending.feed).collect();
        feeds.sort_unstable();
        feeds.dedup();
        memory.cache.renew(reader, &feeds)?;
        let compared =
            |pending: &&PendingItem| policy(&pending.feed).across_feeds != AcrossFeeds::Off;
        let keys: Vec<ItemKey> = pending.iter().filter(compared).map(|p| p.item).collect();
        let mut doubles = reader.same_page_or_id(&keys, &policies.by_link())?;
        let mut sketches: Sketches = stored
            .iter()
            .filter_map(|stored| Some((stored.key, Fingerprint::sketch_from_bytes(&stored.data)?)))
            .collect();
        let by_text = |it: &&StoredFingerprint| policy(&it.feed).across_feeds == AcrossFeeds::Text;
        add_pointed(reader, stored.iter().filter(by_text), &mut sketches, &mut doubles)?;
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
        let mut found: Vec<(PendingItem, Found)> = Vec::with_capacity(pending.len());
        for (turn, pending) in pending.iter().enumerate().filter(|(_, pending)| compared(pending)) {
            let PendingItem { item: key, feed, .. } = *pending;
            let earlier = |other: ItemKey| {
                other != key && turns.get(&other).is_none_or(|other| *other < turn)
            };
            let sketch = sketches.get(&key).filter(|sketch| !sketch.0.is_empty());
            let search = |sketch| index.search((key, feed), sketch, earlier);
            found.push((*pending, sketch.map(search).unwrap_or_default()));
        }
        // Where there are many, the stories decide which of them are compared.
        let many = found.iter().filter(|(_, found)| found.others.len() > ENOUGH_MATCHES);
        let many: Vec<ItemKey> = many.flat_map(|(_, found)| found.others.iter().copied()).collect();
        let placed = reader.story_keys(&many)?;
        for (PendingItem { item, feed, .. }, found) in found {
            let mut others = doubles.remove(&item).unwrap_or_default();
            let candidates = found.candidates(|item| story_of(&placed, item)).into_iter();
            let new: Vec<ItemKey> = candidates.filter(|other| !others.contains(other)).collect();
            others.extend(new);
            let settings = Arc::clone(policy(&feed));
            pairs.push(Candidates { item, feed, others, same_feed: found.same_feed, settings });
        }
        Ok((pairs, placed))
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

type Sketches = HashMap<ItemKey, dedupe::Sketch>;

/// Pairs that are one story so far, with the rule that found it.
type Matched = HashMap<(ItemKey, ItemKey), Rule>;

/// Adds to posts that may be no more than a headline with a link what finds its article: the key of the headline, and the
/// newest earlier items on the pages that they link to. `stored` are those that are compared by text.
fn add_pointed<'s>(
    reader: &Transaction<'_>,
    stored: impl Iterator<Item = &'s StoredFingerprint>,
    sketches: &mut Sketches,
    doubles: &mut HashMap<ItemKey, Vec<ItemKey>>,
) -> Result<(), store::Error> {
    for stored in stored.filter(|stored| stored.data.len() <= LONGEST_POINTER) {
        let read = Fingerprint::from_bytes(&stored.data);
        let Some(pointer) = read.as_ref().and_then(Pointer::new) else { continue };
        let sketch = sketches.entry(stored.key).or_default();
        sketch.0.extend(pointer.title.0);
        sketch.0.sort_unstable();
        let others = doubles.entry(stored.key).or_default();
        for page in &pointer.pages {
            let earlier = reader.items_of_page(page, stored.key)?.into_iter();
            let of_others = earlier.filter(|(_, feed)| *feed != stored.feed).take(CANDIDATES);
            for (item, _) in of_others {
                if !others.contains(&item) {
                    others.push(item);
                }
            }
        }
    }
    Ok(())
}

/// Adds to each item those that it matched before, so that an edit is judged in both directions.
fn add_matched(pairs: &mut [Candidates], matched: &Matched) {
    for Candidates { item, others, .. } in pairs {
        for (a, b) in matched.keys().filter(|(a, b)| a == item || b == item) {
            let other = if a == item { *b } else { *a };
            if !others.contains(&other) {
                others.push(other);
            }
        }
    }
}

/// These items with all that they are compared with, ascending.
fn wanted(pairs: &[Candidates]) -> Vec<ItemKey> {
    let compared = pairs.iter().filter(|pair| !pair.others.is_empty());
    let wanted = compared.flat_map(|pair| pair.others.iter().chain([&pair.item]));
    let mut wanted: Vec<ItemKey> = wanted.copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// The frames of the items of a batch.
type Frames = HashMap<ItemKey, Arc<Frame>>;

/// The story of each item, as far as the comparisons of a batch have it.
type Placed = HashMap<ItemKey, StoryKey>;

fn story_of(placed: &Placed, item: ItemKey) -> StoryKey {
    placed.get(&item).copied().unwrap_or(StoryKey(item.0))
}

/// The verdict on two items. The later one may be a post that points to the other.
fn judge(
    (item, own): (ItemKey, &Comparable),
    (other, theirs): (ItemKey, &Comparable),
    settings: &Settings,
    weights: &Weights,
) -> Option<Verdict> {
    let verdict = dedupe::verdict(own, theirs, settings, weights);
    if verdict.is_some_and(|verdict| verdict.same) {
        return verdict;
    }
    let (post, earlier) = if item > other { (own, theirs) } else { (theirs, own) };
    dedupe::points_to(post, earlier, settings, weights).or(verdict)
}

/// Matches and refusals of an item with the items of a story.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    matches: usize,
    refusals: usize,
}

impl Tally {
    /// Whether the other items of the story need not be compared.
    fn is_enough(self) -> bool {
        self.matches >= ENOUGH_MATCHES + 2 * self.refusals
    }
}

impl Memory {
    /// Compares pending items with their candidates, which are in the cache. `matched` are pairs that are one story so far,
    /// which are always compared again.
    fn compare(
        &mut self,
        reader: &Transaction<'_>,
        pairs: &[Candidates],
        mut placed: Placed,
        matched: &Matched,
    ) -> Result<Vec<Match>, store::Error> {
        let weights = Arc::clone(&self.weights);
        let (mut ties, mut frames) = (Vec::new(), Frames::new());
        for candidates in pairs {
            let Candidates { item, feed, others, same_feed, settings } = candidates;
            let Some(own) = self.cache.get(*item) else { continue };
            let mut tallies: HashMap<StoryKey, Tally> = HashMap::new();
            let mut first = None;
            for other in others {
                let pair = (*item.max(other), *item.min(other));
                let before = matched.get(&pair).copied();
                let story = story_of(&placed, *other);
                let tally = tallies.entry(story).or_default();
                if before.is_none() && tally.is_enough() {
                    continue;
                }
                let Some(theirs) = self.cache.get(*other) else { continue };
                let mut verdict = judge((*item, &own), (*other, &theirs), settings, &weights);
                if let Some(found) = verdict.filter(|found| found.same && !found.is_certain()) {
                    let known = Some(same_feed.as_slice());
                    let one = self.frame(reader, &mut frames, (*item, *feed), known)?;
                    let theirs_feed = self.cache.feed(*other).unwrap_or(*feed);
                    let two = self.frame(reader, &mut frames, (*other, theirs_feed), None)?;
                    let refused =
                        dedupe::other_filling((&own, &one), (&theirs, &two), &found, settings);
                    verdict = refused.or(verdict);
                }
                let refused = !verdict.is_some_and(|verdict| verdict.same);
                // A published story does not fall apart: the stored match stays.
                let stays = |rule| dedupe::is_still_one(&own, &theirs, rule, verdict.as_ref());
                if refused && before.is_some_and(stays) {
                    tally.matches += 1;
                    first = first.or(Some(story));
                    continue;
                }
                // Two that were one story may have nothing in common after an edit.
                let verdict = verdict.or_else(|| before.map(|_| dedupe::unlike()));
                if let Some(verdict) = verdict {
                    tally.matches += usize::from(verdict.same);
                    tally.refusals += usize::from(!verdict.same);
                    first = first.or(verdict.same.then_some(story));
                    ties.push(verdict.between(pair.0, pair.1));
                }
            }
            placed.extend(first.map(|story| (*item, story)));
        }
        Ok(ties)
    }

    /// Keeps collections separate from their parts.
    fn separate(
        &mut self,
        reader: &Transaction<'_>,
        ties: &mut [Match],
        matched: &Matched,
    ) -> Result<(), store::Error> {
        let Some(index) = &self.index else { return Ok(()) };
        collections::separate(reader, (index, &mut self.cache), &self.weights, ties, matched)
    }

    /// The frame of an item; `same_feed` are the items that may show it, if they are known.
    fn frame(
        &mut self,
        reader: &Transaction<'_>,
        frames: &mut Frames,
        (item, feed): (ItemKey, FeedKey),
        same_feed: Option<&[ItemKey]>,
    ) -> Result<Arc<Frame>, store::Error> {
        if let Some(frame) = frames.get(&item) {
            return Ok(Arc::clone(frame));
        }
        let own = self.cache.get(item);
        let examples = match (same_feed, &own, &self.index) {
            (Some(examples), ..) => examples.to_vec(),
            (None, Some(own), Some(index)) => {
                index.same_feed((item, feed), &own.fingerprint.sketch)
            }
            _ => Vec::new(),
        };
        let mut frame = Frame::default();
        if let (Some(own), false) = (own, examples.is_empty()) {
            let weights = Arc::clone(&self.weights);
            self.cache.load(reader, &examples, Vec::new(), &weights)?;
            let loaded: Vec<_> = examples.iter().filter_map(|key| self.cache.get(*key)).collect();
            frame = Frame::new(&own, loaded.iter().map(|example| &**example));
        }
        let frame = Arc::new(frame);
        frames.insert(item, Arc::clone(&frame));
        Ok(frame)
    }

    /// Reads the window and the weights from the store, once.
    fn fill(&mut self, reader: &Transaction<'_>, now: Timestamp) -> Result<(), store::Error> {
        if self.index.is_some() {
            return Ok(());
        }
        let mut index = Index::default();
        reader.fingerprints_since(
            before(now, self.window),
            Fingerprint::WITH_SKETCH,
            |stored| {
                let StoredFingerprint { key, feed, at, data } = stored;
                if let Some(sketch) = Fingerprint::sketch_from_bytes(&data) {
                    index.insert(Entry { key, feed, at: at.as_second() }, &sketch);
                }
            },
        )?;
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
