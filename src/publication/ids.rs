//! Under which id an output shows an item: its own, but for those whose publisher's id an item of
//! another feed has, which had it first and was never in this output. What was shown once under an
//! id is shown under that for ever, whatever feeds the output gets or loses: the store remembers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::error::Error;
use crate::model::{Entry, FeedInfo, FeedKey, ItemKey};
use crate::publish::Last;
use crate::store::{Claim, Reader};

/// An id that is not the item's own.
pub(super) type Lent = (ItemKey, String);

/// What is to be remembered of those of these items whose publisher's id another feed's item had first,
/// and of which nothing is yet: that the output shows them under it, or under their own. It is decided
/// when the output first meets an item, and never again.
///
/// `shown` are the feeds of the output: whoever copies an id elsewhere changes nothing here.
///
/// # Errors
/// When the database fails.
pub(super) fn to_lend(
    reader: &Reader,
    output: &str,
    keys: &[ItemKey],
    shown: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<Vec<Lent>, Error> {
    let mut claims = reader.claims(keys)?;
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let known = reader.lent(output, keys)?;
    claims.retain(|claim| !known.contains_key(&claim.key));
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
    let mut taken: HashSet<String> = reader.borrowers(output, &ids)?.into_keys().collect();
    // Its owner's feed may have been here, and what it brought went out under it.
    let last = reader.edition(output)?.as_deref().map(Last::from_text).unwrap_or_default();
    let holders: Vec<ItemKey> = claims.iter().map(|claim| claim.holder).collect();
    let archived = reader.archived(output, &holders)?;
    let decide = |claim: Claim| {
        let free = !shown.contains_key(&claim.holder_feed)
            && !archived.contains(&claim.holder)
            && !last.has(&claim.id);
        // The earliest of several gets it.
        let id = if free && taken.insert(claim.id.clone()) { claim.id } else { claim.own };
        (claim.key, id)
    };
    Ok(claims.into_iter().map(decide).collect())
}

/// Gives each entry the id that it goes out under; answers with what is to be remembered of that.
///
/// # Errors
/// When the database fails.
pub(super) fn give(
    reader: &Reader,
    output: &str,
    entries: &mut [Entry],
    shown: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<Vec<Lent>, Error> {
    let keys: Vec<ItemKey> = entries.iter().map(|entry| entry.key).collect();
    let new = to_lend(reader, output, &keys, shown)?;
    let mut lent = reader.lent(output, &keys)?;
    lent.extend(new.iter().cloned());
    let own: Vec<&str> = entries.iter().map(|entry| entry.outward_id.as_str()).collect();
    let mut borrowers = reader.borrowers(output, &own)?;
    borrowers.extend(new.iter().map(|(key, id)| (id.clone(), *key)));
    for entry in entries {
        if let Some(id) = lent.remove(&entry.key) {
            entry.outward_id = id;
        } else if borrowers.get(&entry.outward_id).is_some_and(|other| *other != entry.key) {
            // Its owner came into the output later. What is no IRI goes out as a UUID made of it.
            entry.outward_id = format!("{} {}", entry.feed.key.0, entry.outward_id);
        }
    }
    Ok(new)
}
