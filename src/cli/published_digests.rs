//! Digests of published documents, for `newswire restore --from-outputs`. Each keeps its number, id, date and text.
//!
//! The stories in the text of a digest cannot be separated again. So all periods up to the last digest stay closed, and no
//! item of them comes in a later one.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::normalise;
use crate::outputs::{PublishedItem, PublishedItems};
use crate::render::{Digest, Output, ShownDate, digest_end};
use crate::store::StoredDigest;

/// The digests that an output published, in the order of their ends.
pub(super) fn digests(
    output: &Output,
    published: &PublishedItems,
    now: Timestamp,
) -> Vec<StoredDigest> {
    // Also a digest without a URL is on the page of its number.
    let first = |page: u32| page.saturating_sub(1).saturating_mul(Digest::ARCHIVE_PAGE) + 1;
    let current = published.current.iter().map(|item| (1, item));
    let pages = published.archive.iter();
    let pages = pages.flat_map(|(page, items)| items.iter().map(move |item| (first(*page), item)));
    let by_id: HashMap<&str, (u32, &PublishedItem)> =
        current.chain(pages).map(|(least, item)| (&*item.id, (least, item))).collect();
    let mut found: Vec<(u32, (Option<u32>, StoredDigest))> =
        by_id.into_values().map(|(least, item)| (least, digest(output, item, now))).collect();
    found.sort_by(|(_, (_, a)), (_, (_, b))| (a.ends_at, &a.id).cmp(&(b.ends_at, &b.id)));
    let mut last = 0;
    let numbered = found.into_iter().map(|(least, (number, digest))| {
        last = number.filter(|number| *number > last).unwrap_or(least.max(last + 1));
        StoredDigest { number: last, ..digest }
    });
    numbered.collect()
}

/// A digest, with the number in the URL of its page.
fn digest(
    output: &Output,
    published: &PublishedItem,
    now: Timestamp,
) -> (Option<u32>, StoredDigest) {
    let context = normalise::Context { now, document_url: &output.base_url, feed_language: None };
    let item = normalise::item(&published.item, &context);
    let name = item.url.as_deref().and_then(|url| url.split('?').next()?.rsplit('/').next());
    let number = name.and_then(|name| name.strip_suffix(".html").unwrap_or(name).parse().ok());
    let shown_at = item.published.unwrap_or(now);
    let ends_at = digest_end(&published.id).unwrap_or(shown_at);
    let closed_at = match output.presentation.date {
        ShownDate::Published => ends_at,
        ShownDate::FirstSeen => shown_at,
    };
    let digest = StoredDigest {
        number: 0,
        id: published.id.clone(),
        ends_at,
        closed_at,
        title: item.title.unwrap_or_default(),
        summary: item.summary.unwrap_or_default(),
        html: item.content.unwrap_or_default(),
        items: Vec::new(),
    };
    (number, digest)
}
