//! The id under which an output shows an item.
//!
//! Normally the item's own. Where an item of another feed had the publisher's id first and was never
//! in this output, the output assigns that id to the item. An item that was shown once under an id
//! keeps it for ever, whatever feeds the output gains or loses: the store records it.

use std::collections::HashSet;

use super::error::Error;
use super::select::Feeds;
use crate::model::{ItemKey, OutputItem};
use crate::render::PreviousPublication;
use crate::store::{IdConflict, Transaction};

/// An item and the id that the output assigned to it.
pub(super) type AssignedId = (ItemKey, String);

/// Decides the ids of those items whose publisher's id another feed's item had first, and that have
/// no assignment yet: the publisher's id, or their own. This is decided when the output first meets
/// an item, and never again.
///
/// `feeds` are the feeds of the output: a copy of the id in another feed changes nothing here.
///
/// # Errors
/// When the store fails.
pub(super) fn to_assign(
    reader: &Transaction<'_>,
    output: &str,
    keys: &[ItemKey],
    feeds: &Feeds,
) -> Result<Vec<AssignedId>, Error> {
    let mut claims = reader.id_conflicts(keys)?;
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let known = reader.output_item_ids(output, keys)?;
    claims.retain(|claim| !known.contains_key(&claim.key));
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
    let mut taken: HashSet<String> = reader.output_id_holders(output, &ids)?.into_keys().collect();
    // The owner's feed may have been in this output before, and its items were shown under it.
    let last = reader
        .publication(output)?
        .as_deref()
        .map(PreviousPublication::from_text)
        .unwrap_or_default();
    let holders: Vec<ItemKey> = claims.iter().map(|claim| claim.holder).collect();
    let archived = reader.archived(output, &holders)?;
    let decide = |claim: IdConflict| {
        let free = !feeds.contains_key(&claim.holder_feed)
            && !archived.contains(&claim.holder)
            && !last.has(&claim.id);
        // The earliest of several gets it.
        let id = if free && taken.insert(claim.id.clone()) { claim.id } else { claim.own };
        (claim.key, id)
    };
    Ok(claims.into_iter().map(decide).collect())
}

/// Sets the id of each entry; returns the new assignments.
///
/// # Errors
/// When the store fails.
pub(super) fn assign(
    reader: &Transaction<'_>,
    output: &str,
    entries: &mut [OutputItem],
    feeds: &Feeds,
) -> Result<Vec<AssignedId>, Error> {
    let keys: Vec<ItemKey> = entries.iter().map(|entry| entry.key).collect();
    let new = to_assign(reader, output, &keys, feeds)?;
    let mut assigned = reader.output_item_ids(output, &keys)?;
    assigned.extend(new.iter().cloned());
    let own: Vec<&str> = entries.iter().map(|entry| entry.outward_id.as_str()).collect();
    let mut owners = reader.output_id_holders(output, &own)?;
    owners.extend(new.iter().map(|(key, id)| (id.clone(), *key)));
    for entry in entries {
        if let Some(id) = assigned.remove(&entry.key) {
            entry.outward_id = id;
        } else if owners.get(&entry.outward_id).is_some_and(|other| *other != entry.key) {
            // The owner came into the output later. What is not an IRI is published as a UUID of it.
            entry.outward_id = format!("{} {}", entry.feed.key.0, entry.outward_id);
        }
    }
    Ok(new)
}
