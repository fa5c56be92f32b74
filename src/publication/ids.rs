//! Under which id an output shows an item: its own, but for those whose publisher's id an item of
//! another feed has, which had it first and is not in this output. What was shown once under an id
//! is shown under that for ever, whatever feeds the output gets or loses: the store remembers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::error::Error;
use crate::model::{Entry, FeedInfo, FeedKey, ItemKey};
use crate::store::Reader;

/// An id that is not the item's own.
pub(super) type Lent = (ItemKey, String);

/// Those of these items that the output is to show under their publisher's id, and does not yet.
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
    claims.retain(|claim| !shown.contains_key(&claim.holder));
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let known = reader.lent(output, keys)?;
    let ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
    let taken: HashSet<String> = reader.borrowers(output, &ids)?.into_keys().collect();
    let mut given = HashSet::new();
    // The earliest of several first.
    claims.retain(|claim| {
        !known.contains_key(&claim.key)
            && !taken.contains(&claim.id)
            && given.insert(claim.id.clone())
    });
    Ok(claims.into_iter().map(|claim| (claim.key, claim.id)).collect())
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
