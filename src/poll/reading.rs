//! A new document to its new and changed items: parse, identify, look up, normalise; then `sorting`.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::sorting::{self, Extent, FeedSites, Found, Sorted};
use super::start::Target;
use crate::dedupe::{Identified, IdentityRule, Needs, OtherKey};
use crate::model::{
    Digest, Failure, FailureKind, FeedKey, FeedProfile, FetchOutcome, GuidUse, Item, ItemKey,
    KnownItem, ParseWarning, ParsedFeed, ParsedItem, PollYield, site,
};
use crate::schedule::{self, FeedMatch};
use crate::store::{self, DocumentFacts, FeedState, Heading, Reader};
use crate::text::amounts::span;
use crate::{dedupe, fetch, normalise, parse};

/// A document with its request and feed.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) target: &'a Target,
    pub(super) state: &'a FeedState,
    /// URL of the request, and the final URL after redirects.
    pub(super) asked: &'a Url,
    pub(super) url: &'a Url,
    pub(super) body: &'a fetch::Body,
    /// Whether items that are not in the document are gone.
    pub(super) extent: Extent,
    pub(super) now: Timestamp,
}

/// The result of reading a document.
pub(super) struct Reading {
    pub(super) facts: DocumentFacts,
    /// Whether it is the expected feed.
    pub(super) feed_match: FeedMatch,
    pub(super) brought: Sorted,
    /// Number of items read, and of items dropped because of `max_items`.
    pub(super) items: usize,
    pub(super) dropped: usize,
    pub(super) ending: Ending,
}

/// Whether a document is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    /// The end of the document is missing.
    Cut,
    /// It is complete, but a change in it is left to a later poll.
    Postponed,
}

/// Whether a response is a document of the same feed.
pub(super) fn feed_match_of(reading: Option<&Reading>, outcome: &FetchOutcome) -> FeedMatch {
    match (reading, outcome) {
        (Some(reading), _) => reading.feed_match,
        (None, FetchOutcome::NotModified) => FeedMatch::Same,
        (None, _) => FeedMatch::NotRead,
    }
}

impl Reading {
    /// Whether the document has new or changed items.
    pub(super) fn has_news(&self) -> bool {
        !self.brought.new.is_empty() || !self.brought.changed.is_empty()
    }

    /// Times of the new items. `seen` is that of the items without a date; `None`: it is unknown, because the feed was
    /// never read before.
    pub(super) fn new_times(
        &self,
        seen: Option<Timestamp>,
        now: Timestamp,
    ) -> impl Iterator<Item = Timestamp> {
        let dates = self.brought.new.iter().filter_map(move |new| new.item.published.or(seen));
        dates.map(move |at| at.min(now))
    }

    /// What the document brought to a poll at this time.
    pub(super) fn brought(&self, at: Timestamp) -> PollYield {
        poll_yield(at, &self.brought, self.facts.items)
    }
}

/// Reads a document. The outer error is a failure of the feed, the inner one of the store.
pub(super) fn read(
    document: &Document<'_>,
    reader: &Reader,
) -> Result<Result<Reading, store::Error>, Failure> {
    let Document { target, state, asked, body, url, now, extent } = *document;
    let parsed = parse::parse(input(document))?;
    let (mut feed, mut parse_warnings) = (parsed.feed, parsed.parse_warnings);
    parse_warnings.extend(normalise::leave_out_blank(&mut feed, url));
    let (guids, mut identities) = identify(document, &feed.items);
    let reduction = reduce(&feed.items, &mut identities, target);
    let profile = normalise::profile(&feed, url);
    let pages: Vec<Option<&str>> = feed.items.iter().map(ParsedItem::page).collect();
    let feed_sites = FeedSites::new([asked, url], profile.site_url.as_deref(), &pages);
    parse_warnings.extend(body.parse_warning().into_iter().chain(identities.parse_warnings()));
    parse_warnings.extend(normalise::warnings(&feed, url, now));
    let context =
        normalise::Context { now, document_url: url, feed_language: feed.language.as_deref() };
    let normal = |item: &Identified| normalise::item(&feed.items[item.index], &context);
    let found = match recognise(document, identities, (&feed_sites, &normal), reader) {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let extent = if feed.partial { Extent::Part } else { extent };
    let document = sorting::Document {
        target,
        state,
        feed_sites: &feed_sites,
        now,
        extent,
        single: feed.items.len() == 1,
        dates: &dates(&feed.items, &found, now),
        reduced: &reduction.items,
    };
    let (brought, feed_match) = match sort(&document, (&feed, &profile), (&found, &context), reader)
    {
        Ok(sorted) => sorted,
        Err(error) => return Ok(Err(error)),
    };
    if feed_match == FeedMatch::Different && asked.host_str() != url.host_str() {
        return Err(different_feed(url, &profile, &state.profile));
    }
    let items = (extent == Extent::Whole).then_some(found.len());
    match missed_items(target.key, poll_yield(now, &brought, items), reader) {
        Ok(missed) => parse_warnings.extend(missed),
        Err(error) => return Ok(Err(error)),
    }
    let facts = DocumentFacts {
        profile: shown_profile(feed_match, profile, state),
        items,
        dialect: feed.dialect,
        parse_warnings,
        hints: feed.hints,
        removed: reduction.effects,
        guids: if brought.reused { GuidUse::Reused } else { guids },
        boilerplate: brought.boilerplate.clone(),
    };
    let ending = ending(feed.partial, &facts.parse_warnings, &brought);
    let (items, dropped) = (feed.items.len(), parsed.dropped);
    Ok(Ok(Reading { facts, feed_match, brought, items, dropped, ending }))
}

/// What is shown of the feed from now on. An error page that has the form of a feed, such as "Feed not found", names no
/// stored item anew.
fn shown_profile(feed_match: FeedMatch, new: FeedProfile, state: &FeedState) -> FeedProfile {
    if feed_match == FeedMatch::Same { new } else { state.profile.clone() }
}

fn input<'a>(document: &Document<'a>) -> parse::Input<'a> {
    let Document { target, body, url, .. } = *document;
    parse::Input {
        bytes: &body.bytes,
        content_type: body.content_type.as_deref(),
        url,
        max_items: target.subscription.max_items,
    }
}

/// Whether the guids of the feed are useful, and what identifies the items by the rule of the operator.
fn identify(document: &Document<'_>, items: &[ParsedItem]) -> (GuidUse, dedupe::Identities) {
    let rule = document.target.subscription.dedupe.identity;
    dedupe::identify(items, document.state.guids, rule)
}

/// What a document of this number of different items brought.
fn poll_yield(at: Timestamp, brought: &Sorted, items: Option<usize>) -> PollYield {
    let new = brought.new.iter().filter(|it| it.held.is_none()).count();
    PollYield { at, new, unseen: brought.new.len(), items }
}

/// The parse warning about items that were in no document.
fn missed_items(
    feed: FeedKey,
    last: PollYield,
    reader: &Reader,
) -> Result<Option<ParseWarning>, store::Error> {
    // Usually some items are known: nothing has to be read.
    if last.items.is_none_or(|items| last.unseen < items) {
        return Ok(None);
    }
    let mut polls = reader.read(|reader| reader.poll_yields(feed))?;
    polls.push(last);
    let Some(time) = schedule::missed_since(&polls) else { return Ok(None) };
    let time = span(time.unsigned_abs().as_secs());
    let message = format!(
        "none of the items was in the document {time} before, so items were probably missed"
    );
    Ok(Some(ParseWarning::new("missed_items", None, message)))
}

/// Dates of the items of the document.
fn dates(items: &[ParsedItem], found: &[Found], now: Timestamp) -> Vec<Option<Timestamp>> {
    let date = |item: &ParsedItem| Some(item.published.or(item.updated)?.min(now));
    found.iter().map(|found| date(&items[found.item.index])).collect()
}

/// Removes what the operator does not want. Identities stay the same, and later changes inside it are not edits.
fn reduce(
    items: &[ParsedItem],
    identities: &mut dedupe::Identities,
    target: &Target,
) -> normalise::Reduction {
    let reduction = normalise::remove(items, &target.subscription.remove);
    for item in &mut identities.items {
        if let Some(reduced) = reduction.items.get(&item.index) {
            item.content_digest = dedupe::content_digest(reduced);
        }
    }
    reduction
}

/// Whether the document was cut. One that is too large is always read in part.
fn ending(partial: bool, parse_warnings: &[ParseWarning], brought: &Sorted) -> Ending {
    let too_large = parse_warnings.iter().any(|it| it.code == "too_many_elements");
    match brought.postponed {
        _ if partial && !too_large => Ending::Cut,
        true => Ending::Postponed,
        false => Ending::Complete,
    }
}

/// The items of the document with the stored items that they are, by guid, page or text. `normal` makes the item that is
/// stored.
fn recognise(
    document: &Document<'_>,
    identities: dedupe::Identities,
    (feed_sites, normal): (&FeedSites<'_>, impl Fn(&Identified) -> Item),
    reader: &Reader,
) -> Result<Vec<Found>, store::Error> {
    let mut identified = identities.items;
    for item in &mut identified {
        item.url_key = item.url_key.filter(|page| !feed_sites.is_own_page(page));
    }
    let keys = |item: &Identified| {
        item.other_keys()
            .chain([item.identity])
            .chain(item.copies.iter().copied())
            .chain(item.discussion)
            .collect::<Vec<Digest>>()
    };
    let former = |item: &Identified| item.former.iter().map(|it| it.key).collect::<Vec<Digest>>();
    let mut wanted: Vec<Digest> = identified.iter().flat_map(keys).collect();
    let by_default = document.target.subscription.dedupe.identity == IdentityRule::Auto;
    if !by_default {
        wanted.extend(identified.iter().flat_map(former));
    }
    // A feed that was never read has no stored items.
    let stored = |keys: &[Digest]| match document.state.last_success {
        Some(_) => reader.read(|reader| reader.known_items(document.target.key, keys)),
        None => Ok(HashMap::new()),
    };
    let known: HashMap<Digest, KnownItem> = stored(&wanted)?;
    let mut taken: HashSet<ItemKey> = HashSet::new();
    let mut found: Vec<Found> = identified
        .into_iter()
        .map(|item| Found { known: None, by_other_key: false, item })
        .collect();
    find(&mut found, &known, &mut taken);
    // Few feeds had another rule, and few items are new.
    let unknown = found.iter().filter(|found| found.known.is_none());
    let wanted: Vec<Digest> = unknown.flat_map(|found| former(&found.item)).collect();
    if by_default && !wanted.is_empty() {
        find(&mut found, &stored(&wanted)?, &mut taken);
    }
    adopt(&mut found, (&known, taken), normal, reader)?;
    for Found { item, .. } in &mut found {
        item.copies.retain(|key| !known.contains_key(key));
        item.discussion = item.discussion.filter(|key| !known.contains_key(key));
    }
    Ok(found)
}

/// Finds the stored items by their keys. `taken` are those that were found. The most specific keys of all items come first,
/// so that no item takes what is another's.
fn find(found: &mut [Found], known: &HashMap<Digest, KnownItem>, taken: &mut HashSet<ItemKey>) {
    for step in [Step::Specific, Step::Identity, Step::General, Step::Copies] {
        for found in found.iter_mut().filter(|found| found.known.is_none()) {
            let Some(stored) = step.find(&found.item, known) else { continue };
            if taken.insert(stored.key) {
                found.known = Some(stored.clone());
                found.by_other_key = !known.contains_key(&found.item.identity);
            }
        }
    }
}

/// Finds the stored items whose identity is by another rule, because the operator changed the rule. A guid or link may have
/// been used for several items, so that title or date must be the same, as the present rule demands. `taken` are the stored
/// items that were found.
fn adopt(
    found: &mut [Found],
    (known, mut taken): (&HashMap<Digest, KnownItem>, HashSet<ItemKey>),
    normal: impl Fn(&Identified) -> Item,
    reader: &Reader,
) -> Result<(), store::Error> {
    let unknown = found.iter_mut().filter(|found| found.known.is_none());
    let unknown = unknown.map(|found| (candidates(&found.item, known), found));
    let unknown: Vec<_> = unknown.filter(|(candidates, _)| !candidates.is_empty()).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let candidates = unknown.iter().flat_map(|(candidates, _)| candidates);
    let keys: Vec<ItemKey> = candidates.map(|(_, stored)| stored.key).collect();
    let headings = reader.read(|reader| reader.headings(&keys))?;
    for (candidates, found) in unknown {
        let item = normal(&found.item);
        let is_it = |(needs, stored): &(Needs, &KnownItem)| {
            let same = |heading: &Heading| agrees(*needs, heading, &item);
            !taken.contains(&stored.key) && headings.get(&stored.key).is_some_and(same)
        };
        if let Some((_, stored)) = candidates.into_iter().find(is_it) {
            taken.insert(stored.key);
            found.known = Some(stored.clone());
            found.by_other_key = true;
        }
    }
    Ok(())
}

/// The stored items that have a key of an item by another rule, with what else must be the same.
fn candidates<'k>(
    item: &Identified,
    known: &'k HashMap<Digest, KnownItem>,
) -> Vec<(Needs, &'k KnownItem)> {
    let stored = |former: &OtherKey| Some((former.needs, known.get(&former.key)?));
    item.former.iter().filter_map(stored).collect()
}

/// Whether a stored item has the title or date of an item, if the rule needs it.
fn agrees(needs: Needs, stored: &Heading, item: &Item) -> bool {
    match needs {
        Needs::Title => stored.title == item.title,
        Needs::Date => match stored.published.zip(item.published) {
            Some((stored, here)) => dedupe::at_once(stored, here),
            None => stored.published == item.published,
        },
        Needs::Nothing | Needs::Page | Needs::Content => false,
    }
}

/// The keys by which stored items are looked up, one kind after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Keys that are more specific than the identity.
    Specific,
    /// The key that identifies the item in its feed.
    Identity,
    /// Keys that an item had before its feed gave them to other items too.
    General,
    /// Keys of its copies in the document, which were left out: another one was left out before. Or that of its
    /// discussion.
    Copies,
}

impl Step {
    fn find<'k>(
        self,
        item: &Identified,
        known: &'k HashMap<Digest, KnownItem>,
    ) -> Option<&'k KnownItem> {
        match self {
            Self::Identity => return known.get(&item.identity),
            Self::Copies => {
                return item.copies.iter().chain(&item.discussion).find_map(|key| known.get(key));
            }
            Self::Specific | Self::General => {}
        }
        item.others.iter().flatten().chain(&item.former).find_map(|other| {
            let stored = known.get(&other.key)?;
            let fits = match other.needs {
                Needs::Nothing => self == Self::Specific,
                Needs::Page => self == Self::General && stored.url_key == item.url_key,
                Needs::Content => {
                    self == Self::General && stored.content_digest == item.content_digest
                }
                // See `adopt`.
                Needs::Title | Needs::Date => false,
            };
            fits.then_some(stored)
        })
    }
}

/// The items of a document that are stored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SharedItems {
    /// At least one has a guid, link or other key of a stored item.
    Known,
    /// This number was recognised by title, date, text and path.
    Recognised(usize),
}

impl SharedItems {
    fn new(found: &[Found], brought: &Sorted) -> Self {
        match found.iter().any(|found| found.known.is_some()) {
            true => Self::Known,
            false => {
                // An item with copies has several guids.
                let keys: HashSet<ItemKey> = brought.renamed.iter().map(|it| it.key).collect();
                Self::Recognised(keys.len())
            }
        }
    }

    /// Whether they show that two documents are of one feed, of which `comparable` items may be in both. A site that
    /// took over a domain may have the title of an item by chance.
    fn are_enough(self, comparable: usize) -> bool {
        match self {
            Self::Known => true,
            Self::Recognised(number) => {
                number > 0 && number >= comparable.min(2) && 3 * number >= comparable
            }
        }
    }
}

/// The changes of the items, and whether the document belongs to the feed.
fn sort(
    document: &sorting::Document<'_>,
    (feed, profile): (&ParsedFeed, &FeedProfile),
    (found, context): (&[Found], &normalise::Context<'_>),
    reader: &Reader,
) -> Result<(Sorted, FeedMatch), store::Error> {
    let brought = sorting::sort(document, feed, found, context, reader)?;
    let shared = SharedItems::new(found, &brought);
    let feed_match = feed_match(document, (feed, profile), shared, reader)?;
    Ok((brought, feed_match))
}

/// Whether the document belongs to the feed: common items, the same feed id, or items that continue it.
fn feed_match(
    document: &sorting::Document<'_>,
    (feed, profile): (&ParsedFeed, &FeedProfile),
    shared: SharedItems,
    reader: &Reader,
) -> Result<FeedMatch, store::Error> {
    let sorting::Document { target, state, .. } = *document;
    let same_id = feed.id.is_some() && feed.id == state.profile.atom_id;
    let stored = usize::try_from(state.items).unwrap_or(usize::MAX);
    let shares_items = shared.are_enough(feed.items.len().min(stored));
    if shares_items || same_id || state.items == 0 {
        return Ok(FeedMatch::Same);
    }
    if feed.items.is_empty() {
        return Ok(FeedMatch::Unknown);
    }
    let is_next = continues(state, feed, profile) && !is_ambiguous(target.key, profile, reader)?;
    Ok(if is_next { FeedMatch::Same } else { FeedMatch::Different })
}

/// Whether another configured feed has this title and link too, as sections of a site may.
fn is_ambiguous(
    feed: FeedKey,
    profile: &FeedProfile,
    reader: &Reader,
) -> Result<bool, store::Error> {
    let feeds = reader.read(|reader| reader.feeds())?;
    Ok(feeds.iter().any(|other| other.key != feed && resembles(&other.profile, profile)))
}

/// Slack of the times of items that came since the last successful poll.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Whether a feed with the title and site of the known one has only items of that site since its last successful poll, as
/// after a move without the old items. A parked domain has another site, and another feed of the site another title.
/// Older items that are not known would be published again.
fn continues(state: &FeedState, feed: &ParsedFeed, profile: &FeedProfile) -> bool {
    let Some((url, last)) = profile.site_url.as_deref().zip(state.last_success) else {
        return false;
    };
    let site_of = |url: &str| Url::parse(url).ok().map(|url| site(&url).to_owned());
    let (own, since) = (site_of(url), last.saturating_sub(OVERLAP).unwrap_or(last));
    let is_next = |item: &ParsedItem| {
        item.page().and_then(site_of) == own
            && item.published.or(item.updated).is_some_and(|at| at >= since)
    };
    resembles(&state.profile, profile) && feed.items.iter().all(is_next)
}

/// Whether two feeds have the same title and the same link, over http or https.
fn resembles(one: &FeedProfile, other: &FeedProfile) -> bool {
    fn place(profile: &FeedProfile) -> Option<&str> {
        Some(profile.site_url.as_deref()?.split_once("://")?.1.trim_end_matches('/'))
    }
    let title = one.title.is_some() && one.title == other.title;
    title && place(one).is_some() && place(one) == place(other)
}

/// Failure for a redirect to another feed, as when a domain changed hands.
fn different_feed(url: &Url, profile: &FeedProfile, known: &FeedProfile) -> Failure {
    let same = match resembles(known, profile) {
        true => "title and link are the same, but no feed id and too few items in common",
        false => "no feed id and too few items in common",
    };
    let message = format!("redirected to {url}, which is a different feed: {same}");
    Failure::new(FailureKind::DifferentFeed, message)
        .help(format!("if it is the right feed, set url = \"{url}\" in its [[feed]]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecognisedBy;
    use crate::store::GuidChange;

    #[test]
    fn an_item_with_several_new_guids_is_one_common_item() {
        let renamed = |item: i64, guid: u8| GuidChange {
            key: ItemKey(item),
            identity: [guid; 16],
            recognised_by: RecognisedBy::Title,
        };
        let shared = |renamed: Vec<GuidChange>| {
            SharedItems::new(&[], &Sorted { renamed, ..Sorted::default() }).are_enough(6)
        };
        assert!(!shared(vec![renamed(1, 1), renamed(1, 2)]));
        assert!(shared(vec![renamed(1, 1), renamed(2, 2)]));
    }
}
