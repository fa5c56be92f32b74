//! Puts new and changed items into their stories: look up > compare > remember > rearrange.
//!
//! Works inside the store's transaction, on the writer's thread, so that of two feeds only one can be
//! first. Does not decide: `dedupe` does, and what it decided is remembered with its reason. The index
//! of the window lives here, in memory; it is filled from the store after a start, and may name items
//! whose transaction failed, which are then not found.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::debug;

use crate::dedupe::{self, Entry, Features, Index, Settings, Sketch, Star, Title, Weights, Words};
use crate::model::{Digest, FeedKey, ItemKey, Standing, StoryKey, Tie, site};
use crate::store::{self, Arrived, Desk, Reader, Store, Witness};

/// No more items than this are rearranged at once; what is further away is not moved.
const COMPONENT: usize = 256;
/// How long learnt weights are good.
const LEARN_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Weights are learnt from so many of the newest texts.
const LESSONS: usize = 5_000;

/// Finds stories; one serves all polls.
#[derive(Debug, Default)]
pub struct Librarian {
    index: Mutex<Index>,
    weights: Mutex<Arc<Weights>>,
}

impl Librarian {
    /// With all items of the last `window` in its index.
    ///
    /// # Errors
    /// When the database fails.
    pub fn open(reader: &Reader, window: Duration, now: Timestamp) -> Result<Self, store::Error> {
        let librarian = Self::default();
        librarian.refill(reader, window, now)?;
        Ok(librarian)
    }

    /// Fills the index anew from what is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub fn refill(
        &self,
        reader: &Reader,
        window: Duration,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let mut index = Index::default();
        for item in reader.sketches(before(now, window))? {
            let entry = Entry { key: item.key, feed: item.feed, at: item.at.as_second() };
            index.insert(entry, &Sketch::from_bytes(&item.sketch));
        }
        debug!(items = index.len(), bytes = index.bytes(), "the index of stories is filled");
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = index;
        let weights = reader.weights()?.and_then(|(_, learnt)| Weights::from_bytes(&learnt));
        let weights = Arc::new(weights.unwrap_or_default());
        *self.weights.lock().unwrap_or_else(PoisonError::into_inner) = weights;
        Ok(())
    }

    /// Puts these items into their stories.
    ///
    /// # Errors
    /// When the database fails.
    pub fn place(
        &self,
        desk: &Desk<'_>,
        settings: &Settings,
        arrived: &[Arrived],
    ) -> Result<(), store::Error> {
        if settings.across_feeds == dedupe::AcrossFeeds::Off {
            return Ok(());
        }
        let weights = Arc::clone(&self.weights.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut moved, mut left) = (BTreeSet::new(), dedupe::COMPARISONS);
        for item in arrived {
            let mut candidates = self.candidates(desk, item)?;
            candidates.truncate(left);
            left -= candidates.len();
            if candidates.is_empty() {
                continue;
            }
            let ties = compare(desk, item.key, &candidates, settings, &weights)?;
            desk.write_ties(&ties)?;
            if ties.iter().any(|tie| tie.same) {
                moved.insert(item.key);
            }
        }
        rearrange(desk, moved)
    }

    /// Puts everything since into its story anew, in the order in which it came, each item by the settings
    /// of its feed; tells how many they were.
    ///
    /// # Errors
    /// When the database fails.
    pub fn replay<'s>(
        &self,
        desk: &Desk<'_>,
        since: Timestamp,
        settings: impl Fn(FeedKey) -> &'s Arc<Settings>,
    ) -> Result<usize, store::Error> {
        let all = desk.scatter(since)?;
        for some in all.chunks(200) {
            let keys: Vec<ItemKey> = some.iter().map(|item| item.key).collect();
            for witness in desk.witnesses(&keys)? {
                let sketch = Sketch::new(&Title::new(witness.title.as_deref()), &words(&witness));
                let (key, feed, sketch) = (witness.key, witness.feed, sketch.to_bytes());
                self.place(desk, settings(feed), &[Arrived { key, feed, sketch }])?;
            }
        }
        Ok(all.len())
    }

    /// What may be the same story; from now on the item itself is among what others are compared with.
    fn candidates(&self, desk: &Desk<'_>, item: &Arrived) -> Result<Vec<ItemKey>, store::Error> {
        let sketch = Sketch::from_bytes(&item.sketch);
        let mut candidates = desk.doubles(item.key)?;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        for key in index.candidates(item.feed, &sketch, dedupe::CANDIDATES) {
            if key != item.key && !candidates.contains(&key) {
                candidates.push(key);
            }
        }
        if !sketch.0.is_empty() {
            let at = desk.now().as_second();
            index.insert(Entry { key: item.key, feed: item.feed, at }, &sketch);
        }
        Ok(candidates)
    }

    /// Lets go of what left the window, and learns anew what words prove, once a day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy(
        &self,
        store: &Store,
        window: Duration,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let cutoff = before(now, window);
        self.index.lock().unwrap_or_else(PoisonError::into_inner).forget(cutoff.as_second());
        store.forget_sketches(cutoff).await?;
        let reader = store.reader().clone();
        let lesson = move || learn(&reader, cutoff, now);
        let learnt =
            tokio::task::spawn_blocking(lesson).await.map_err(|_| store::Error::Closed)??;
        if let Some(learnt) = learnt {
            store.write_weights(now, learnt.to_bytes()).await?;
            *self.weights.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(learnt);
        }
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
    reader: &Reader,
    since: Timestamp,
    now: Timestamp,
) -> Result<Option<Weights>, store::Error> {
    let fresh = |at| now.duration_since(at) < LEARN_EVERY;
    if reader.weights()?.is_some_and(|(at, _)| fresh(at)) {
        return Ok(None);
    }
    let keys: Vec<ItemKey> =
        reader.sketches(since)?.iter().rev().take(LESSONS).map(|item| item.key).collect();
    let mut weights = Weights::default();
    for keys in keys.chunks(200) {
        reader.witnesses(keys)?.iter().for_each(|witness| weights.read(&words(witness)));
    }
    Ok(weights.learnt())
}

/// Compares an item with its candidates; a tie for each pair that is worth a word.
fn compare(
    desk: &Desk<'_>,
    item: ItemKey,
    candidates: &[ItemKey],
    settings: &Settings,
    weights: &Weights,
) -> Result<Vec<Tie>, store::Error> {
    let keys: Vec<ItemKey> = candidates.iter().copied().chain([item]).collect();
    let mut witnesses = desk.witnesses(&keys)?;
    let Some(own) = witnesses.iter().position(|witness| witness.key == item) else {
        return Ok(Vec::new());
    };
    let own = features(&witnesses.swap_remove(own));
    let verdicts = witnesses.iter().filter_map(|other| {
        let verdict = dedupe::verdict(&own, &features(other), settings, weights)?;
        Some(verdict.between(item.max(other.key), item.min(other.key)))
    });
    Ok(verdicts.collect())
}

/// The text of a kept item, without what is its site's.
fn words(witness: &Witness) -> Words {
    let (content, summary) = (witness.content.as_deref(), witness.summary.as_deref());
    Words::of_item(content, summary, &witness.furniture)
}

/// What is compared of a kept item.
#[must_use]
pub(super) fn features(witness: &Witness) -> Features {
    let url = witness.url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let words = words(witness);
    let few = words.size() < dedupe::EXACT_WORDS;
    let content = witness.content.as_deref().filter(|_| few).unwrap_or_default();
    let links = dedupe::paragraphs::links(content).take(8);
    let mentions = links.filter_map(|link| dedupe::canonical::url_key(&link)).collect();
    Features {
        mentions,
        published: witness.published,
        seen: witness.seen,
        title: Title::new(witness.title.as_deref()),
        words,
        url_key: witness.url_key,
        url: witness.url.clone(),
        guid: witness.guid.clone().filter(|guid| {
            witness.url.as_ref() != Some(guid)
                && dedupe::canonical::url_key(guid).is_none_or(|key| Some(key) != witness.url_key)
        }),
        global_id: dedupe::global_id(&witness.id).map(str::to_owned),
        site: url.as_ref().map(|url| site(url).to_owned()),
        standing: witness.standing,
    }
}

/// Makes the stories anew of everything that hangs together with these items.
///
/// # Errors
/// When the database fails.
pub fn rearrange(desk: &Desk<'_>, from: BTreeSet<ItemKey>) -> Result<(), store::Error> {
    let mut waiting = from;
    while let Some(start) = waiting.pop_first() {
        let (keys, ties) = component(desk, start)?;
        waiting.retain(|key| !keys.contains(key));
        let list: Vec<ItemKey> = keys.into_iter().collect();
        let placed = desk.placed(&list)?;
        let decided = desk.exceptions(&list)?;
        let exceptions = dedupe::Exceptions { split: decided.split, joined: decided.joined };
        let stars: Vec<Star> = placed
            .iter()
            .map(|item| Star {
                key: item.key,
                feed: item.feed,
                published: item.published,
                id: item.id.clone(),
            })
            .collect();
        let before: HashMap<ItemKey, StoryKey> =
            placed.iter().map(|item| (item.key, item.story)).collect();
        let stories = dedupe::stories(&stars, &ties, &exceptions);
        let places = stories.iter().flat_map(|story| {
            let number = StoryKey(story[0].0);
            story.iter().map(move |key| (*key, number))
        });
        let moves: Vec<_> = places.filter(|(key, story)| before.get(key) != Some(story)).collect();
        desk.assign(&moves)?;
    }
    Ok(())
}

/// Everything that ties and the operator's word bind to an item, however far, up to a bound.
fn component(
    desk: &Desk<'_>,
    start: ItemKey,
) -> Result<(BTreeSet<ItemKey>, Vec<Tie>), store::Error> {
    let mut keys = BTreeSet::from([start]);
    let mut ties: HashMap<(ItemKey, ItemKey), Tie> = HashMap::new();
    let mut edge = vec![start];
    while !edge.is_empty() && keys.len() < COMPONENT {
        let found = desk.ties(&edge)?;
        let joined = desk.exceptions(&edge)?.joined;
        let ends = found.iter().map(|tie| (tie.item, tie.other)).chain(joined);
        edge = ends.flat_map(|(a, b)| [a, b]).filter(|key| keys.insert(*key)).collect();
        ties.extend(found.into_iter().map(|tie| ((tie.item, tie.other), tie)));
    }
    Ok((keys, ties.into_values().collect()))
}

/// Whose pages the items of a document link to.
pub(super) struct Homes<'a> {
    /// Addresses that the feed came from.
    own: [&'a url::Url; 2],
    /// The site that the feed says it belongs to.
    said: Option<String>,
    /// The site that most of its items link to.
    most: Option<String>,
    /// Pages that are the feed's own and so no item's: its home page, and itself.
    doors: Vec<Digest>,
}

impl<'a> Homes<'a> {
    pub(super) fn new(own: [&'a url::Url; 2], said: Option<&str>, pages: &[Option<&str>]) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for page in pages.iter().flatten().filter_map(|page| site_of(page)) {
            *counts.entry(page).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, n)| *n).filter(|(_, n)| 2 * n > pages.len());
        let itself = own.into_iter().map(url::Url::as_str);
        let doors = said.into_iter().chain(itself).filter_map(dedupe::canonical::url_key).collect();
        Self { own, said: said.and_then(site_of), most: most.map(|(site, _)| site), doors }
    }

    /// Whether a page is the feed's own and so no item's.
    pub(super) fn is_door(&self, page: &Digest) -> bool {
        self.doors.contains(page)
    }

    pub(super) fn standing(&self, page: Option<&str>, guid: Option<&str>) -> Standing {
        let Some(page) = page.and_then(site_of) else { return Standing::Abroad };
        if self.own.iter().any(|home| site(home) == page) {
            return Standing::Home;
        }
        let whose = guid.map(dedupe::authority);
        // A link-blog's guid is its own, and only its link is another's.
        let foreign = matches!(&whose, Some(Some(whose)) if *whose != page);
        let said = self.said.as_deref() == Some(&page);
        // Where the feed does not say whose it is, a guid may.
        let unsaid = self.said.is_none() && self.most.as_deref() == Some(&page);
        let own_guid = match whose {
            None => true,
            Some(whose) => whose.as_deref() == Some(&page),
        };
        if !foreign && (said || unsaid && own_guid) { Standing::Claimed } else { Standing::Abroad }
    }
}

fn site_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok().map(|url| site(&url).to_owned())
}
