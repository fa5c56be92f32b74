//! Sorts the items of a document into unchanged, edited, known under another guid, and new, and decides
//! which new ones are held. Writes nothing.
//!
//! For this it finds the owner of the page that an item links to: the feed, a site that it claims, or others.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::edits::{NotEdits, date_of, redated, remember, sort_edited};
use super::start::Target;
use crate::dedupe::{
    self, AcrossFeeds, Coverage, DocumentOrder, Facts, Fingerprint, GuidForm, GuidReuse,
    Identified, IdentityRule, OwnKey, RecognisedItem, Rhythm, Shown, Substance, Text, Touched,
    UnrecognisedItem, Updates, Words,
};
use crate::model::{
    Digest, EditCounts, Enclosure, HoldReason, Item, ItemKey, ItemTraits, KnownItem, PageOwner,
    ParsedFeed, ParsedItem, RecentItem, RecognisedBy, Subject, site,
};
use crate::normalise;
use crate::store::{
    self, ChangedItem, EditAction, FeedState, GuidChange, NewItem, Reader, Redated, TextIndex,
    ValidatorUse, search_words,
};

/// An item of the document, with the stored item that it is.
pub(super) struct Found {
    /// Its copies, and its discussion, are those that are not stored.
    pub(super) item: Identified,
    pub(super) known: Option<KnownItem>,
    /// Whether it was found by another key, and its present identity is not stored.
    pub(super) by_other_key: bool,
}

/// The sorted items of a document.
#[derive(Default)]
pub(super) struct Sorted {
    /// New items, the oldest first.
    pub(super) new: Vec<NewItem>,
    pub(super) changed: Vec<ChangedItem>,
    pub(super) renamed: Vec<GuidChange>,
    /// Known items whose dates the publisher changed.
    pub(super) redated: Vec<Redated>,
    /// Digests of paragraphs that are boilerplate; `None` if unchanged.
    pub(super) boilerplate: Option<Vec<u64>>,
    /// Whether the guids name places and not items.
    pub(super) reused: bool,
    /// Whether changes were left to a later poll.
    pub(super) postponed: bool,
}

/// Which items of the feed a document contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All current items of the feed.
    Whole,
    /// Only new items (RFC 3229), or the readable part of a broken document.
    Part,
}

/// A document with its feed.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) target: &'a Target,
    pub(super) state: &'a FeedState,
    pub(super) feed_sites: &'a FeedSites<'a>,
    pub(super) now: Timestamp,
    pub(super) extent: Extent,
    /// Whether the document has one item only, whose guid and link may be constant.
    pub(super) single: bool,
    /// Dates of all its items.
    pub(super) dates: &'a [Option<Timestamp>],
    /// Items without the parts that the operator removes, by their place in the document.
    pub(super) reduced: &'a HashMap<usize, ParsedItem>,
}

/// Maximum number of stored items that are searched for the same item under another guid, in a document with no more
/// new items.
const MAX_SEARCHED: usize = 500;
/// Number of stored items that are examined for boilerplate.
const BOILERPLATE_SAMPLE: usize = 12;
/// Minimum number of texts; with fewer, earlier boilerplate is kept too.
const MIN_SAMPLE: usize = 6;

/// A new or changed item, normalised, with its text.
pub(super) struct Read {
    pub(super) found: Identified,
    pub(super) item: Item,
    /// The date that the publisher gave, also one in the future.
    dated: Option<Timestamp>,
    /// What its guid shows about its page.
    guid_form: GuidForm,
    pub(super) text: Text,
    /// Words of the item without boilerplate, if they were computed already.
    own: Option<Words>,
    /// Words of the item for the search index.
    search: String,
}

impl Read {
    fn new(found: Identified, item: Item, parsed: &ParsedItem, guid_form: GuidForm) -> Self {
        let (text, plain) = Text::with_plain(item.content.as_deref(), item.summary.as_deref());
        let search = search_words(item.title.as_deref(), &plain);
        let dated = date_of(parsed);
        Self { found, item, dated, guid_form, text, own: None, search }
    }
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
    let reduced = |index: usize| document.reduced.get(&index).unwrap_or(&feed.items[index]);
    let guid_forms = dedupe::guid_forms(&feed.items);
    let read = |item: &Identified| {
        let (parsed, guid_form) = (&feed.items[item.index], guid_forms[item.index]);
        let normal = normalise::item(reduced(item.index), context);
        Read::new(item.clone(), normal, parsed, guid_form)
    };
    let edited: Vec<(&Found, &KnownItem)> =
        found.iter().filter_map(|found| Some((found, found.known.as_ref()?))).collect();
    for (found, known) in &edited {
        let date = date_of(&feed.items[found.item.index]);
        sorted.redated.extend(redated(known.key, known.dated, date));
        let identity = found.by_other_key.then_some(found.item.identity);
        let identities = identity.into_iter().chain(found.item.copies.iter().copied());
        sorted.renamed.extend(renamed(known.key, identities, RecognisedBy::Page));
    }
    let mut newcomers: Vec<Read> = Vec::new();
    let differs =
        |(found, known): &(&Found, &KnownItem)| found.item.content_digest != known.content_digest;
    let mut here: HashSet<ItemKey> = edited.iter().map(|(_, known)| known.key).collect();
    let edited = edited.into_iter().filter(differs);
    let edited: Vec<(Read, &KnownItem)> =
        edited.map(|(it, known)| (read(&it.item), known)).collect();
    let edited = (edited, here.len());
    let NotEdits { others, outdated } = sort_edited(document, edited, feed, reader, &mut sorted)?;
    let mut undated: HashSet<ItemKey> = outdated.into_iter().collect();
    for (mut read, reused, why) in others {
        match why {
            GuidReuse::Place => sorted.reused = true,
            // The guid is that of the new item from now on.
            GuidReuse::Anew => read.found.copies.push(read.found.identity),
        }
        let identity = dedupe::reused(&feed.items[read.found.index]);
        newcomers.push(Read { found: read.found.with_identity(identity), ..read });
        // The item that had the guid before may have another guid now.
        here.remove(&reused);
        undated.insert(reused);
    }
    sorted.redated.retain(|redated| !undated.contains(&redated.key));
    let new = found.iter().filter(|found| found.known.is_none());
    newcomers.extend(new.map(|found| read(&found.item)));
    if !newcomers.is_empty() {
        sort_newcomers(document, (newcomers, &here), reader, &mut sorted)?;
    }
    let known = found.len() - sorted.new.len();
    remember(&mut sorted.redated, known);
    Ok(sorted)
}

/// Sorts items that seem new: known under another guid, held, or new.
fn sort_newcomers(
    document: &Document<'_>,
    (mut newcomers, here): (Vec<Read>, &HashSet<ItemKey>),
    reader: &Reader,
    sorted: &mut Sorted,
) -> Result<(), store::Error> {
    let state = document.state;
    let kept = if state.items > 0 {
        // All items of a large document may have new guids.
        let most = MAX_SEARCHED.max(newcomers.len());
        reader.read(|reader| reader.recent_items(document.target.key, most))?
    } else {
        Vec::new()
    };
    let published = kept.iter().take(2 * BOILERPLATE_SAMPLE).filter_map(|kept| kept.seen.published);
    let past = Past { items: kept.len(), per_day: dedupe::per_day(published) };
    let site = boilerplate(document, &kept, &newcomers, reader)?;
    if site != state.boilerplate {
        let mut list: Vec<u64> = site.iter().copied().collect();
        list.sort_unstable();
        sorted.boilerplate = Some(list);
    }
    // The operator chose what identifies an item; nothing else does.
    let checked = document.target.subscription.dedupe.identity == IdentityRule::Auto;
    if checked && !kept.is_empty() {
        for (known, stored) in recognised(document, &mut newcomers, (&kept, here), &site, reader)? {
            let place = newcomers.iter().position(|new| new.found.index == known.index);
            let Some(place) = place else { continue };
            let read = newcomers.remove(place);
            let key = known.key;
            let copies = read.found.copies.iter().copied();
            let identities = [read.found.identity].into_iter().chain(copies);
            sorted.renamed.extend(renamed(key, identities, known.way));
            sorted.redated.extend(redated(key, stored.dated, read.dated));
            if stored.seen.content_digest == Some(read.found.content_digest) {
                continue;
            }
            let may = || may_change(document, &stored.edits, Touched::Content);
            let change = match document.target.subscription.dedupe.updates {
                Updates::Ignore => EditAction::Ignore,
                _ if !may() => {
                    sorted.postponed = true;
                    continue;
                }
                Updates::Silent | Updates::Bump => EditAction::Replace,
            };
            sorted.changed.push(changed(document, key, read, (None, change), &site));
        }
    }
    sorted.new = new_items(document, newcomers, (past, &site), reader)?;
    Ok(())
}

/// Guids that a stored item has from now on.
fn renamed(
    key: ItemKey,
    identities: impl Iterator<Item = Digest>,
    recognised_by: RecognisedBy,
) -> impl Iterator<Item = GuidChange> {
    identities.map(move |identity| GuidChange { key, identity, recognised_by })
}

/// The newcomers that are stored under another guid, with the stored items. `here` are the stored items that are in the
/// document.
fn recognised<'s>(
    document: &Document<'_>,
    newcomers: &mut [Read],
    (stored, here): (&'s [RecentItem], &HashSet<ItemKey>),
    boilerplate: &HashSet<u64>,
    reader: &Reader,
) -> Result<Vec<(RecognisedItem, &'s RecentItem)>, store::Error> {
    let unrecognised: Vec<UnrecognisedItem> =
        newcomers.iter_mut().map(|new| unrecognised(new, boilerplate)).collect();
    let coverage = match document.extent {
        Extent::Whole => Coverage::All,
        Extent::Part => Coverage::Part,
    };
    let shown = Shown {
        unrecognised: &unrecognised,
        dates: document.dates,
        stored,
        here,
        coverage,
        last_poll: document.state.last_success,
    };
    let texts = fingerprints(document, &dedupe::compared(&shown), reader)?;
    let words: HashMap<ItemKey, Words> =
        texts.into_iter().map(|(key, it)| (key, it.text.own_words(boilerplate))).collect();
    let stored: HashMap<ItemKey, &RecentItem> =
        stored.iter().map(|stored| (stored.key, stored)).collect();
    let known = dedupe::recognised(&shown, &words).into_iter();
    Ok(known.filter_map(|known| Some((known, *stored.get(&known.key)?))).collect())
}

/// What is stored of a feed.
#[derive(Debug, Clone, Copy)]
struct Past {
    /// Number of stored items, also those that are held.
    items: usize,
    /// Stored items per day by their dates.
    per_day: f32,
}

/// The new items, the oldest first, each with the reason why it is not published.
fn new_items(
    document: &Document<'_>,
    newcomers: Vec<Read>,
    (past, boilerplate): (Past, &HashSet<u64>),
    reader: &Reader,
) -> Result<Vec<NewItem>, store::Error> {
    let filtered: Vec<Option<String>> =
        newcomers.iter().map(|new| refusal(document, &new.item)).collect();
    let entering = newcomers.iter().zip(&filtered).filter(|(_, rule)| rule.is_none());
    let dates: Vec<Option<Timestamp>> = entering.map(|(new, _)| new.item.published).collect();
    let mut holds = holds(document, past, &dates, reader)?.into_iter();
    let mut news = Vec::with_capacity(newcomers.len());
    for (new, filtered_by) in newcomers.into_iter().zip(filtered) {
        let held = match &filtered_by {
            Some(_) => Some(HoldReason::Filtered),
            None => holds.next().flatten(),
        };
        news.push(NewItem { held, filtered_by, ..new_item(document, new, boilerplate) });
    }
    // In reverse order, so that the oldest item gets the lowest row number.
    news.reverse();
    Ok(news)
}

/// The rule by which a filter keeps a new item out.
pub(super) fn refusal(document: &Document<'_>, item: &Item) -> Option<String> {
    let Target { id, subscription, .. } = document.target;
    let subject = Subject::new(id, &subscription.feed.tags, item, document.now);
    let refusal = subscription.filters.iter().find_map(|filter| filter.refusal(&subject))?;
    Some(refusal.rule().to_owned())
}

/// Decides which of the new items are held.
fn holds(
    document: &Document<'_>,
    past: Past,
    dates: &[Option<Timestamp>],
    reader: &Reader,
) -> Result<Vec<Option<HoldReason>>, store::Error> {
    let Document { target, state, now, extent, .. } = *document;
    // One item may be a notice, and a document that was cut shows no more of a feed than its beginning.
    let never_complete =
        state.trust.validator_use == ValidatorUse::Cut && state.trust.last_full_at.is_none();
    let first = past.items <= 1 || never_complete && extent == Extent::Whole;
    let rhythm = match state.items {
        0 => Rhythm::default(),
        _ if first => Rhythm::default(),
        _ => {
            let lately = reader.read(|reader| reader.bursts(target.key, now))?;
            Rhythm {
                document: DocumentOrder::Later,
                bursts: lately.bursts,
                per_day: lately.per_day.max(past.per_day),
                last_success: state.last_success,
                last_new: lately.last_new,
            }
        }
    };
    Ok(dedupe::admit(&target.subscription.dedupe, &rhythm, dates, now))
}

/// Digests of paragraphs that the newest items of the feed have in common.
fn boilerplate(
    document: &Document<'_>,
    kept: &[RecentItem],
    newcomers: &[Read],
    reader: &Reader,
) -> Result<HashSet<u64>, store::Error> {
    let examples: Vec<ItemKey> =
        kept.iter().take(BOILERPLATE_SAMPLE).map(|kept| kept.key).collect();
    let stored = if examples.is_empty() {
        Vec::new()
    } else {
        reader.read(|reader| reader.fingerprints(&examples))?
    };
    let old: Vec<Fingerprint> =
        stored.iter().filter_map(|stored| Fingerprint::from_bytes(&stored.data)).collect();
    let old = old.iter().map(|old| &old.text);
    let new = newcomers.iter().take(2 * BOILERPLATE_SAMPLE).map(|new| &new.text);
    let count = old.len() + new.len();
    let mut found = dedupe::boilerplate(old.chain(new));
    // With few items, common paragraphs may be missing.
    if found.is_empty() || count < MIN_SAMPLE {
        found.extend(&document.state.boilerplate);
    }
    Ok(found)
}

/// The fingerprints of stored items, computed if they are no longer stored.
pub(super) fn fingerprints(
    document: &Document<'_>,
    keys: &[ItemKey],
    reader: &Reader,
) -> Result<HashMap<ItemKey, Fingerprint>, store::Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let stored = reader.read(|reader| reader.fingerprints(keys))?.into_iter();
    let mut found: HashMap<ItemKey, Fingerprint> = stored
        .filter_map(|stored| Some((stored.key, Fingerprint::from_bytes(&stored.data)?)))
        .collect();
    let missing: Vec<ItemKey> =
        keys.iter().copied().filter(|key| !found.contains_key(key)).collect();
    if !missing.is_empty() {
        let made = reader
            .read(|reader| reader.stored_items(&missing))?
            .into_iter()
            .map(|kept| (kept.key, Fingerprint::of_kept(&kept, &document.state.boilerplate)));
        found.extend(made);
    }
    Ok(found)
}

/// The facts about an item; `before` is its stored fingerprint, if there is one.
pub(super) fn facts(document: &Document<'_>, read: &Read, before: Option<&Fingerprint>) -> Facts {
    let item = &read.item;
    Facts {
        published: before.map_or(item.published, |before| before.published),
        seen: before.map_or(document.now, |before| before.seen),
        url_key: read.found.url_key,
        page_owner: document.feed_sites.page_owner(item.url.as_deref(), item.guid.as_deref()),
    }
}

/// Whether a change of an item may be taken now.
fn may_change(document: &Document<'_>, edits: &EditCounts, touched: Touched) -> bool {
    dedupe::may_change(edits, touched, document.state.last_success, document.now)
}

/// What is done with a change; `None`: it is left to a later poll.
pub(super) fn change(
    document: &Document<'_>,
    before: Option<&Fingerprint>,
    read: &Read,
    (edits, touched): (&EditCounts, Touched),
) -> Option<EditAction> {
    let own = |text: &Text| -> Words { text.own_words(&document.state.boilerplate) };
    let worth =
        || before.is_some_and(|b| dedupe::is_worth_showing(&own(&b.text), &own(&read.text)));
    Some(match document.target.subscription.dedupe.updates {
        Updates::Ignore => EditAction::Ignore,
        _ if !may_change(document, edits, touched) => return None,
        Updates::Bump if dedupe::may_bump(edits, document.now) && worth() => EditAction::Bump,
        Updates::Bump | Updates::Silent => EditAction::Replace,
    })
}

pub(super) fn changed(
    document: &Document<'_>,
    key: ItemKey,
    read: Read,
    (before, change): (Option<&Fingerprint>, EditAction),
    boilerplate: &HashSet<u64>,
) -> ChangedItem {
    let Identified { url_key, content_digest, .. } = read.found;
    let facts = facts(document, &read, before);
    let (item, text) = text_keys(document, read, facts, boilerplate);
    ChangedItem { key, url_key, content_digest, item, action: change, text }
}

/// The item, and its stored text digest, fingerprint and search words.
fn text_keys(
    document: &Document<'_>,
    read: Read,
    facts: Facts,
    boilerplate: &HashSet<u64>,
) -> (Item, TextIndex) {
    let Read { item, text, own, search, .. } = read;
    let own = own.unwrap_or_else(|| text.own_words(boilerplate));
    let (digest, fingerprint) = match document.target.subscription.dedupe.across_feeds {
        AcrossFeeds::Off => (own.exact_digest(), None),
        AcrossFeeds::Link => {
            let made = Fingerprint::without_sketch(&item, text, facts, &own);
            (made.text_digest, Some(made.to_bytes()))
        }
        AcrossFeeds::Text => {
            let made = Fingerprint::with_sketch(&item, text, facts, &own);
            (made.text_digest, Some(made.to_bytes()))
        }
    };
    let exact = digest.map(u64::cast_signed);
    (item, TextIndex { digest: exact, fingerprint, search_words: search })
}

fn unrecognised(new: &mut Read, boilerplate: &HashSet<u64>) -> UnrecognisedItem {
    let words = new.own.insert(new.text.own_words(boilerplate)).clone();
    let Read { found, item, .. } = new;
    let has_file = item.details.enclosures.iter().any(Enclosure::is_played);
    let keyless = found.shares_its_key() || item.guid.is_none() && item.url.is_none();
    UnrecognisedItem {
        index: found.index,
        own_key: if keyless { OwnKey::Absent } else { OwnKey::Present },
        substance: if has_file { Substance::File } else { Substance::Words },
        guid_form: new.guid_form,
        dated: new.dated,
        seen: ItemTraits {
            url: item.url.clone(),
            url_key: found.url_key,
            title: item.title.clone(),
            published: item.published,
            text_digest: words.exact_digest().map(u64::cast_signed),
            content_digest: Some(found.content_digest),
        },
        words,
    }
}

fn new_item(document: &Document<'_>, new: Read, boilerplate: &HashSet<u64>) -> NewItem {
    let facts = facts(document, &new, None);
    let found = new.found.clone();
    let dated = new.dated.filter(|dated| Some(*dated) != new.item.published);
    let (item, text) = text_keys(document, new, facts, boilerplate);
    let own_id = dedupe::own_id(&document.target.id, &found.identity);
    let global = item.guid.as_deref().and_then(dedupe::global_id);
    // The next document has the guid or link of this item again, and an old one may come back from a cache.
    let mut others = found.copies.clone();
    others.extend(found.discussion);
    if document.single {
        others.extend(found.other_keys());
    }
    NewItem {
        identity: found.identity,
        other_identities: others,
        url_key: found.url_key,
        content_digest: found.content_digest,
        outward_id: global.map_or_else(|| own_id.clone(), str::to_owned),
        own_id,
        first_seen: document.now,
        page_owner: facts.page_owner,
        text,
        held: None,
        filtered_by: None,
        item,
        dated,
    }
}

/// The sites of a feed, to determine the owners of the pages that its items link to.
pub(super) struct FeedSites<'a> {
    /// URLs of the feed: requested and final.
    own: [&'a url::Url; 2],
    /// Site of the home page that the feed names.
    claimed: Option<String>,
    /// Site that most of the items link to.
    majority: Option<String>,
    /// Digests of the URLs of the feed and its home page, which are not pages of items.
    own_pages: Vec<Digest>,
}

impl<'a> FeedSites<'a> {
    pub(super) fn new(
        own: [&'a url::Url; 2],
        claimed: Option<&str>,
        pages: &[Option<&str>],
    ) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for page in pages.iter().flatten().filter_map(|page| site_of(page)) {
            *counts.entry(page).or_default() += 1;
        }
        let majority =
            counts.into_iter().max_by_key(|(_, n)| *n).filter(|(_, n)| 2 * n > pages.len());
        let itself = own.into_iter().map(url::Url::as_str);
        let own_pages =
            claimed.into_iter().chain(itself).filter_map(dedupe::canonical::url_key).collect();
        Self {
            own,
            claimed: claimed.and_then(site_of),
            majority: majority.map(|(site, _)| site),
            own_pages,
        }
    }

    /// Whether a page is the feed or its home page.
    pub(super) fn is_own_page(&self, page: &Digest) -> bool {
        self.own_pages.contains(page)
    }

    pub(super) fn page_owner(&self, page: Option<&str>, guid: Option<&str>) -> PageOwner {
        let Some(page) = page.and_then(site_of) else { return PageOwner::OtherSite };
        if self.own.iter().any(|home| site(home) == page) {
            return PageOwner::FeedSite;
        }
        let whose = guid.map(dedupe::authority);
        // An item of a link-blog has its own guid and links to another site.
        let foreign = matches!(&whose, Some(Some(whose)) if *whose != page);
        let claimed = self.claimed.as_deref() == Some(&page);
        // If the feed names no home page, the guid may show the owner.
        let unclaimed = self.claimed.is_none() && self.majority.as_deref() == Some(&page);
        let own_guid = match whose {
            None => true,
            Some(whose) => whose.as_deref() == Some(&page),
        };
        if !foreign && (claimed || unclaimed && own_guid) {
            PageOwner::ClaimedSite
        } else {
            PageOwner::OtherSite
        }
    }
}

fn site_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok().map(|url| site(&url).to_owned())
}
