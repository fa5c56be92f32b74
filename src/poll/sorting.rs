//! What a document's items are to the feed: unchanged, edited, known under another guid, or news; and
//! which of the news waits. Asks `dedupe` and the store; writes nothing.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::stories::{Homes, features};
use super::target::Target;
use crate::dedupe::{
    self, Acquaintance, EXACT_WORDS, Identified, Rhythm, Says, Sketch, Stranger, Title, Updates,
    Words,
};
use crate::model::{Digest, Item, ItemKey, Known, ParsedFeed, Seen};
use crate::normalise;
use crate::store::{
    self, Change, ChangedItem, FeedState, NewItem, Reader, Renamed, TextKeys, Witness,
};

/// An item of the document, and the kept one that it is.
pub(super) struct Found {
    pub(super) item: Identified,
    pub(super) known: Option<Known>,
}

/// What a document brought.
#[derive(Default)]
pub(super) struct Sorted {
    /// The oldest first.
    pub(super) new: Vec<NewItem>,
    pub(super) changed: Vec<ChangedItem>,
    pub(super) renamed: Vec<Renamed>,
    /// Paragraphs that are the site's; `None`: as before.
    pub(super) furniture: Option<Vec<u64>>,
    /// Whether a guid was given to another thing.
    pub(super) reused: bool,
}

/// How much of the feed a document shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that the feed has to show.
    Whole,
    /// What is new since the last time (RFC 3229), or what could be read.
    Part,
}

/// The document as far as it matters here.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) target: &'a Target,
    pub(super) state: &'a FeedState,
    pub(super) homes: &'a Homes<'a>,
    pub(super) now: Timestamp,
    pub(super) extent: Extent,
}

/// So many of the newest kept items are looked through for one that has another guid now.
const KEPT: usize = 500;
/// So many of them show what paragraphs are the site's.
const EXAMPLES: usize = 12;

/// An item that is not known, made ready.
struct Newcomer {
    found: Identified,
    item: Item,
    words: Words,
}

/// Sorts the items of a document.
pub(super) fn sort(
    document: &Document<'_>,
    feed: &ParsedFeed,
    found: &[Found],
    context: &normalise::Context<'_>,
    reader: &Reader,
) -> Result<Sorted, store::Error> {
    let mut sorted = Sorted::default();
    let normal = |item: &Identified| normalise::item(&feed.items[item.index], context);
    let edited: Vec<(&Found, &Known)> =
        found.iter().filter_map(|found| Some((found, found.known.as_ref()?))).collect();
    for (found, known) in &edited {
        if found.item.former.is_some() {
            let (key, identity) = (known.key, found.item.identity);
            sorted.renamed.push(Renamed { key, identity, way: "page" });
        }
    }
    let mut newcomers: Vec<Newcomer> = Vec::new();
    let differs = |(found, known): &(&Found, &Known)| found.item.fingerprint != known.fingerprint;
    let mut here: HashSet<ItemKey> = edited.iter().map(|(_, known)| known.key).collect();
    let edited: Vec<(&Found, &Known)> = edited.into_iter().filter(differs).collect();
    let before = witnesses(reader, edited.iter().map(|(_, known)| known.key))?;
    for (found, known) in edited {
        let item = normal(&found.item);
        let words = words(&item, &document.state.furniture);
        let after = says(&item, found.item.url_key, &words);
        if let Some(before) = before.get(&known.key)
            && dedupe::is_another(&says_of(before), &after)
        {
            let identity = dedupe::reused(&feed.items[found.item.index]);
            newcomers.push(Newcomer { found: Identified { identity, ..found.item }, item, words });
            // What had the guid before may be here under another.
            here.remove(&known.key);
            sorted.reused = true;
            continue;
        }
        let change = change(document, before.get(&known.key), &words);
        sorted.changed.push(changed(known.key, &found.item, item, &words, change));
    }
    for found in found.iter().filter(|found| found.known.is_none()) {
        let item = normal(&found.item);
        newcomers.push(Newcomer { found: found.item, item, words: Words::default() });
    }
    if !newcomers.is_empty() {
        take_in(document, (newcomers, &here), reader, &mut sorted)?;
    }
    Ok(sorted)
}

/// Items that seem new: some have another guid, some wait, the rest is news.
fn take_in(
    document: &Document<'_>,
    (mut newcomers, here): (Vec<Newcomer>, &HashSet<ItemKey>),
    reader: &Reader,
    sorted: &mut Sorted,
) -> Result<(), store::Error> {
    let state = document.state;
    let kept = if state.items > 0 { reader.kept(document.target.key, KEPT)? } else { Vec::new() };
    let published = kept.iter().take(2 * EXAMPLES).filter_map(|kept| kept.seen.published);
    let dated = dedupe::per_day(published);
    let site = furniture(document, &kept, &newcomers, reader)?;
    if site != state.furniture {
        let mut list: Vec<u64> = site.iter().copied().collect();
        list.sort_unstable();
        sorted.furniture = Some(list);
    }
    for newcomer in &mut newcomers {
        newcomer.words = words(&newcomer.item, &site);
    }
    if document.extent == Extent::Whole {
        let gone: Vec<_> = kept.into_iter().filter(|kept| !here.contains(&kept.key)).collect();
        let strangers: Vec<Stranger> = newcomers.iter().map(stranger).collect();
        for alias in dedupe::aliases(&strangers, &gone, here.len()) {
            let place = newcomers.iter().position(|new| new.found.index == alias.index);
            let Some(place) = place else { continue };
            let Newcomer { found, item, words } = newcomers.remove(place);
            let (key, identity, way) = (alias.key, found.identity, alias.way.slug());
            sorted.renamed.push(Renamed { key, identity, way });
            let change = match document.target.subscription.dedupe.updates {
                Updates::Ignore => Change::Note,
                Updates::Silent | Updates::Bump => Change::Replace,
            };
            sorted.changed.push(changed(key, &found, item, &words, change));
        }
    }
    let dates: Vec<Option<Timestamp>> = newcomers.iter().map(|new| new.item.published).collect();
    let holds = holds(document, dated, &dates, reader)?;
    // From the end: the oldest item gets the first row, so that rows ascend with age.
    let news = newcomers.into_iter().zip(holds).rev();
    sorted.new = news.map(|(new, hold)| new_item(document, new, hold)).collect();
    Ok(())
}

/// Which of the news, by their dates, waits; the kept ones are dated so many a day.
fn holds(
    document: &Document<'_>,
    dated: f32,
    dates: &[Option<Timestamp>],
    reader: &Reader,
) -> Result<Vec<Option<dedupe::Hold>>, store::Error> {
    let Document { target, state, now, .. } = *document;
    let rhythm = match state.items {
        0 => Rhythm::default(),
        _ => {
            let lately = reader.bursts(target.key, now)?;
            Rhythm {
                seen: Acquaintance::Old,
                bursts: lately.bursts,
                per_day: lately.per_day.max(dated),
                last_success: state.last_success,
            }
        }
    };
    Ok(dedupe::admit(&target.subscription.dedupe, &rhythm, dates, now))
}

/// Paragraphs that are the site's: those that its newest items have in common.
fn furniture(
    document: &Document<'_>,
    kept: &[crate::model::Kept],
    newcomers: &[Newcomer],
    reader: &Reader,
) -> Result<HashSet<u64>, store::Error> {
    let examples: Vec<ItemKey> = kept.iter().take(EXAMPLES).map(|kept| kept.key).collect();
    let examples = reader.witnesses(&examples)?;
    let old = examples.iter().filter_map(|witness| witness.content.as_deref());
    let new = newcomers.iter().take(2 * EXAMPLES).filter_map(|new| new.item.content.as_deref());
    let found = dedupe::furniture(old.chain(new));
    // A feed of single items has none in common at times.
    Ok(if found.is_empty() { document.state.furniture.clone() } else { found })
}

fn words(item: &Item, site: &HashSet<u64>) -> Words {
    Words::of_item(item.content.as_deref(), item.summary.as_deref(), site)
}

fn witnesses(
    reader: &Reader,
    keys: impl Iterator<Item = ItemKey>,
) -> Result<HashMap<ItemKey, Witness>, store::Error> {
    let keys: Vec<ItemKey> = keys.collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(reader.witnesses(&keys)?.into_iter().map(|witness| (witness.key, witness)).collect())
}

fn says(item: &Item, url_key: Option<Digest>, words: &Words) -> Says {
    let title = Title::new(item.title.as_deref());
    Says { url_key, title, words: words.clone(), published: item.published }
}

fn says_of(witness: &Witness) -> Says {
    let kept = features(witness);
    Says {
        url_key: kept.url_key,
        title: kept.title,
        words: kept.words,
        published: witness.published,
    }
}

fn change(document: &Document<'_>, before: Option<&Witness>, words: &Words) -> Change {
    let worth = || before.is_some_and(|b| dedupe::is_worth_showing(&features(b).words, words));
    match document.target.subscription.dedupe.updates {
        Updates::Ignore => Change::Note,
        Updates::Bump if worth() => Change::Bump,
        Updates::Bump | Updates::Silent => Change::Replace,
    }
}

fn changed(
    key: ItemKey,
    found: &Identified,
    item: Item,
    words: &Words,
    change: Change,
) -> ChangedItem {
    let text = text_keys(&item, words);
    let Identified { url_key, fingerprint, .. } = *found;
    ChangedItem { key, url_key, fingerprint, item, change, text }
}

fn text_keys(item: &Item, words: &Words) -> TextKeys {
    let sketch = Sketch::new(&Title::new(item.title.as_deref()), words).to_bytes();
    TextKeys { exact: exact(words), sketch }
}

/// Of the words of a text that says something.
fn exact(words: &Words) -> Option<i64> {
    (words.size() >= EXACT_WORDS).then(|| words.digest().cast_signed())
}

fn stranger(new: &Newcomer) -> Stranger {
    let Newcomer { found, item, words } = new;
    let seen = Seen {
        url: item.url.clone(),
        url_key: found.url_key,
        title: item.title.clone(),
        published: item.published,
        text_key: exact(words),
    };
    Stranger { index: found.index, seen }
}

fn new_item(document: &Document<'_>, new: Newcomer, hold: Option<dedupe::Hold>) -> NewItem {
    let Newcomer { found, item, words } = new;
    let own_id = dedupe::own_id(&document.target.id, &found.identity);
    let global = item.guid.as_deref().and_then(dedupe::global_id);
    NewItem {
        identity: found.identity,
        url_key: found.url_key,
        fingerprint: found.fingerprint,
        outward_id: global.map_or_else(|| own_id.clone(), str::to_owned),
        own_id,
        first_seen: document.now,
        standing: document.homes.standing(item.url.as_deref(), item.guid.as_deref()),
        text: text_keys(&item, &words),
        held: hold.map(dedupe::Hold::slug),
        item,
    }
}
