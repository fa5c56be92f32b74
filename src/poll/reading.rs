//! A new document to new and changed items: parse > identify > known > normalise.

use jiff::Timestamp;
use url::Url;

use super::target::Target;
use crate::model::{Failure, FailureKind, ParsedFeed};
use crate::schedule::Kin;
use crate::store::{self, ChangedItem, DocumentFacts, FeedState, NewItem, Reader};
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
    pub(super) now: Timestamp,
}

/// What a document brought.
pub(super) struct Reading {
    pub(super) facts: DocumentFacts,
    /// Whether it is the feed that it is meant to be.
    pub(super) kin: Kin,
    pub(super) new: Vec<NewItem>,
    pub(super) changed: Vec<ChangedItem>,
}

/// Document to new and changed items: parse > identify > known > normalise.
pub(super) fn read(
    document: &Document<'_>,
    reader: &Reader,
) -> Result<Result<Reading, store::Error>, Failure> {
    let Document { target, state, asked, body, url, now } = *document;
    let parsed = parse::parse(parse::Input {
        bytes: &body.bytes,
        content_type: body.content_type.as_deref(),
        url,
        max_items: target.subscription.max_items,
    })?;
    let feed = parsed.feed;
    let identified = dedupe::identify(&feed.items);
    let identities: Vec<_> = identified.iter().map(|item| item.identity).collect();
    let known = match reader.known(target.key, &identities) {
        Ok(known) => known,
        Err(error) => return Ok(Err(error)),
    };
    let kin = kin(state, &feed, !known.is_empty());
    if kin == Kin::Stranger && asked.host_str() != url.host_str() {
        return Err(stranger(url));
    }
    let context =
        normalise::Context { now, document_url: url, feed_language: feed.language.as_deref() };
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    // From the end: the oldest item gets the first row, so that rows ascend with age.
    for found in identified.iter().rev() {
        let parsed = &feed.items[found.index];
        match known.get(&found.identity) {
            Some(known) if known.fingerprint == found.fingerprint => {}
            Some(known) => changed.push(ChangedItem {
                key: known.key,
                url_key: found.url_key,
                fingerprint: found.fingerprint,
                item: normalise::item(parsed, &context),
            }),
            None => {
                let item = normalise::item(parsed, &context);
                let own_id = dedupe::own_id(&target.id, &found.identity);
                let global = item.guid.as_deref().and_then(dedupe::global_id);
                new.push(NewItem {
                    identity: found.identity,
                    url_key: found.url_key,
                    fingerprint: found.fingerprint,
                    outward_id: global.map_or_else(|| own_id.clone(), str::to_owned),
                    own_id,
                    first_seen: now,
                    item,
                });
            }
        }
    }
    let facts = DocumentFacts {
        profile: normalise::profile(&feed, url),
        dialect: feed.dialect.map(crate::model::Dialect::slug),
        complaints: parsed.complaints,
        hints: feed.hints,
    };
    Ok(Ok(Reading { facts, kin, new, changed }))
}

/// Whether the document is that of the feed, as far as can be told.
fn kin(state: &FeedState, feed: &ParsedFeed, shares_items: bool) -> Kin {
    let same_id = feed.id.is_some() && feed.id == state.atom_id;
    // Nothing is known yet, or it holds nothing to go by.
    let nothing_to_compare = state.items == 0 || feed.items.is_empty();
    if shares_items || same_id || nothing_to_compare { Kin::Same } else { Kin::Stranger }
}

/// Whatever a domain that changed hands serves, it is not what people subscribed to.
fn stranger(url: &Url) -> Failure {
    let message = format!(
        "redirected to {url}, which shares nothing with this feed: if it is the right one, write \
         url = \"{url}\" into the config"
    );
    Failure::new(FailureKind::Stranger, message)
}
