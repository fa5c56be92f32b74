//! A new document to what it brought: parse > identify > known > normalise, then `sorting`.

use std::collections::HashMap;

use jiff::Timestamp;
use url::Url;

use super::homes::Homes;
use super::sorting::{self, Extent, Found, Sorted};
use super::target::Target;
use crate::model::{Digest, Failure, FailureKind, GuidUse, KnownItem, ParsedFeed, ParsedItem};
use crate::schedule::FeedMatch;
use crate::store::{self, DocumentFacts, FeedState, Reader};
use crate::{dedupe, fetch, normalise, parse};

/// A document and all that is known of how it came.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) target: &'a Target,
    pub(super) state: &'a FeedState,
    /// The address that was asked, and the one that answered in the end.
    pub(super) asked: &'a Url,
    pub(super) url: &'a Url,
    pub(super) body: &'a fetch::Body,
    /// Whether what is absent from it is gone.
    pub(super) extent: Extent,
    pub(super) now: Timestamp,
}

/// What a document brought.
pub(super) struct Reading {
    pub(super) facts: DocumentFacts,
    /// Whether it is the feed that it is meant to be.
    pub(super) feed_match: FeedMatch,
    pub(super) brought: Sorted,
    /// How many items were read, and how many were left out.
    pub(super) items: usize,
    pub(super) dropped: usize,
}

/// Document to what it brought. The outer error is the feed's, the inner one the store's.
pub(super) fn read(
    document: &Document<'_>,
    reader: &Reader,
) -> Result<Result<Reading, store::Error>, Failure> {
    let Document { target, state, asked, body, url, now, extent } = *document;
    let parsed = parse::parse(parse::Input {
        bytes: &body.bytes,
        content_type: body.content_type.as_deref(),
        url,
        max_items: target.subscription.max_items,
    })?;
    let feed = parsed.feed;
    let guids = match state.guids {
        GuidUse::Reused => GuidUse::Reused,
        GuidUse::Unique => dedupe::share_guids(&feed.items),
    };
    let profile = normalise::profile(&feed, url);
    let pages: Vec<Option<&str>> = feed.items.iter().map(ParsedItem::page).collect();
    let homes = Homes::new([asked, url], profile.site_url.as_deref(), &pages);
    let found = match recognise(document, (&feed, guids), &homes, reader) {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let feed_match = feed_match(state, &feed, found.iter().any(|found| found.known.is_some()));
    if feed_match == FeedMatch::Different && asked.host_str() != url.host_str() {
        return Err(stranger(url));
    }
    let context =
        normalise::Context { now, document_url: url, feed_language: feed.language.as_deref() };
    let extent = if feed.partial { Extent::Part } else { extent };
    let document = sorting::Document { target, state, homes: &homes, now, extent };
    let brought = match sorting::sort(&document, &feed, &found, &context, reader) {
        Ok(brought) => brought,
        Err(error) => return Ok(Err(error)),
    };
    let facts = DocumentFacts {
        profile,
        items: (extent == Extent::Whole).then_some(feed.items.len()),
        dialect: feed.dialect,
        parse_warnings: parsed.parse_warnings,
        hints: feed.hints,
        guids: if brought.reused { GuidUse::Reused } else { guids },
        boilerplate: brought.boilerplate.clone(),
    };
    let (items, dropped) = (feed.items.len(), parsed.dropped);
    Ok(Ok(Reading { facts, feed_match, brought, items, dropped }))
}

/// What the feed showed before, by guid, page or words.
fn recognise(
    document: &Document<'_>,
    (feed, guids): (&ParsedFeed, GuidUse),
    homes: &Homes<'_>,
    reader: &Reader,
) -> Result<Vec<Found>, store::Error> {
    let mut identified = dedupe::identify(&feed.items, guids);
    for item in &mut identified {
        item.url_key = item.url_key.filter(|page| !homes.is_door(page));
    }
    let identities: Vec<Digest> =
        identified.iter().flat_map(|item| [Some(item.identity), item.former]).flatten().collect();
    // Of a feed that was never read nothing is known.
    let known: HashMap<Digest, KnownItem> = match document.state.last_success {
        Some(_) => reader.read(|reader| reader.known_items(document.target.key, &identities))?,
        None => HashMap::new(),
    };
    let find = |item: &dedupe::Identified| {
        // A guid that several have is believed of an item that had the same page.
        let former = || known.get(&item.former?).filter(|known| known.url_key == item.url_key);
        known.get(&item.identity).or_else(former).cloned()
    };
    let found = |item: dedupe::Identified| Found { known: find(&item), item };
    Ok(identified.into_iter().map(found).collect())
}

/// Whether the document is that of the feed, as far as can be told.
fn feed_match(state: &FeedState, feed: &ParsedFeed, shares_items: bool) -> FeedMatch {
    let same_id = feed.id.is_some() && feed.id == state.atom_id;
    // Nothing is known yet, or it holds nothing to go by.
    let nothing_to_compare = state.items == 0 || feed.items.is_empty();
    if shares_items || same_id || nothing_to_compare {
        FeedMatch::Same
    } else {
        FeedMatch::Different
    }
}

/// Whatever a domain that changed hands serves, it is not what people subscribed to.
fn stranger(url: &Url) -> Failure {
    let message = format!("redirected to {url}, which has nothing in common with this feed");
    Failure::new(FailureKind::DifferentFeed, message)
        .help(format!("if it is the right feed, set url = \"{url}\" in its [[feed]]"))
}
