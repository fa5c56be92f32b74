//! The id under which an output shows an item.
//!
//! Normally the item's own. There are two exceptions. Where an item of another feed had the publisher's id first and was
//! never in this output, the output assigns that id to the item. And a story that was shown keeps its id when another item
//! leads it: because the feed of its lead left the output, because the text of its lead was deleted, or because a feed with
//! an earlier item of the story joined. An item that was shown once under an id keeps it for ever, whatever feeds the
//! output gains or loses: the store records it.

use std::collections::{HashMap, HashSet};

use super::error::Error;
use super::select::{Feeds, Members};
use crate::model::{FeedKey, ItemKey, OutputItem, StoryKey};
use crate::render::{self, PreviousPublication};
use crate::store::{IdConflict, IdHolder, ItemHead, Transaction};

/// An item and the id that the output assigned to it.
pub(super) type AssignedId = (ItemKey, String);

/// An item that leads its story in an output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lead {
    /// Key of the item.
    pub(super) key: ItemKey,
    /// Its story.
    pub(super) story: StoryKey,
}

impl From<&ItemHead> for Lead {
    fn from(head: &ItemHead) -> Self {
        Self { key: head.key, story: head.story }
    }
}

impl From<&OutputItem> for Lead {
    fn from(entry: &OutputItem) -> Self {
        Self { key: entry.key, story: entry.story }
    }
}

/// An item that leads its story, with the id that the story has by it.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// The item and its story.
    pub(super) lead: Lead,
    feed: FeedKey,
    id: String,
}

impl From<&OutputItem> for Named {
    fn from(entry: &OutputItem) -> Self {
        Self { lead: entry.into(), feed: entry.feed.key, id: entry.outward_id.clone() }
    }
}

/// The leads of those stories that another item shows.
pub(super) type OtherLeads = HashMap<StoryKey, Named>;

/// The leads of the stories of these entries, in the same order.
pub(super) fn leads_of(entries: &[OutputItem], others: &OtherLeads) -> Vec<Named> {
    let named = |entry: &OutputItem| others.get(&entry.story).cloned().unwrap_or(entry.into());
    entries.iter().map(named).collect()
}

/// The ids that an output assigns.
#[derive(Debug, Default)]
pub(super) struct Assignments {
    /// New ones; the caller stores them before anything is published.
    pub(super) new: Vec<AssignedId>,
    /// Items whose id is assigned, now or before.
    pub(super) assigned: HashSet<ItemKey>,
}

/// Decides the ids of those leads that have no assignment yet and need one. This is decided when the output first meets
/// an item.
///
/// `feeds` are the feeds of the output.
///
/// # Errors
/// When the store fails.
pub(super) fn to_assign(
    reader: &Transaction<'_>,
    output: &str,
    leads: &[Lead],
    feeds: &Feeds,
) -> Result<Vec<AssignedId>, Error> {
    let stories: Vec<StoryKey> = leads.iter().map(|lead| lead.story).collect();
    let mut new = continued(reader, output, leads, &reader.members(&stories)?)?;
    let keys: Vec<ItemKey> = leads.iter().map(|lead| lead.key).collect();
    new.extend(claimed(reader, output, &without(&keys, &new), feeds)?);
    Ok(new)
}

/// The keys that have no id among these.
fn without(keys: &[ItemKey], assigned: &[AssignedId]) -> Vec<ItemKey> {
    keys.iter().copied().filter(|key| assigned.iter().all(|(other, _)| other != key)).collect()
}

/// The ids of leads whose story the output showed with another lead; `members` are those of their stories. Reads the
/// archive since the first of their items.
///
/// # Errors
/// When the store fails.
pub(super) fn continued(
    reader: &Transaction<'_>,
    output: &str,
    leads: &[Lead],
    members: &Members,
) -> Result<Vec<AssignedId>, Error> {
    let mut open: Vec<Lead> =
        leads.iter().copied().filter(|lead| members.contains_key(&lead.story)).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let last = last_published(reader, output)?;
    let keys: Vec<ItemKey> = open.iter().map(|lead| lead.key).collect();
    let known = reader.output_item_ids(output, &keys)?;
    open.retain(|lead| !last.shows(lead.key) && !known.contains_key(&lead.key));
    let keys: Vec<ItemKey> =
        open.iter().flat_map(|lead| &members[&lead.story]).map(|head| head.key).collect();
    let archived = reader.archived(output, &keys)?;
    let before = |lead: &Lead| {
        let mut others =
            members[&lead.story].iter().map(|head| head.key).filter(|key| *key != lead.key);
        // What subscribers see now comes first.
        others.clone().find(|key| last.shows(*key)).or_else(|| {
            let is_new = !archived.contains(&lead.key);
            others.find(|key| is_new && archived.contains(key))
        })
    };
    let pairs: Vec<(ItemKey, ItemKey)> =
        open.iter().filter_map(|lead| Some((lead.key, before(lead)?))).collect();
    let keys: Vec<ItemKey> = pairs.iter().map(|(_, before)| *before).collect();
    let mut ids = reader.outward_ids(&keys)?;
    ids.extend(reader.output_item_ids(output, &keys)?);
    let continued = pairs.into_iter().filter_map(|(key, before)| {
        let id = ids.remove(&before)?;
        let shown = last.id(before).filter(|shown| *shown != render::iri(&id));
        Some((key, shown.map_or(id, str::to_owned)))
    });
    Ok(continued.collect())
}

/// The ids of those items whose publisher's id another feed's item had first: the publisher's id, or their own. A copy of
/// the id in a feed outside the output changes nothing here.
fn claimed(
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
    let holders = reader.output_id_holders(output, &ids)?;
    let mut taken: HashSet<String> = holders.into_iter().map(|holder| holder.id).collect();
    // The owner's feed may have been in this output before, and its items were shown under it.
    let last = last_published(reader, output)?;
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

/// What the output published last, also before a restart; empty before its first publication.
///
/// # Errors
/// When the store fails.
pub(super) fn last_published(
    reader: &Transaction<'_>,
    output: &str,
) -> Result<PreviousPublication, Error> {
    let text = reader.publication(output)?;
    Ok(text.as_deref().map(PreviousPublication::from_text).unwrap_or_default())
}

/// Sets the id of each entry: that of its story, which depends on the lead alone, also where `others` has another lead.
/// `new` are the ids of stories that continue, see [`continued`].
///
/// # Errors
/// When the store fails.
pub(super) fn assign(
    reader: &Transaction<'_>,
    output: &str,
    (entries, others): (&mut [OutputItem], &OtherLeads),
    feeds: &Feeds,
    new: Vec<AssignedId>,
) -> Result<Assignments, Error> {
    let mut named = leads_of(entries, others);
    let assignments = name(reader, output, &mut named, feeds, new)?;
    for (entry, named) in entries.iter_mut().zip(named) {
        entry.outward_id = named.id;
    }
    Ok(assignments)
}

/// Sets the id of each lead.
fn name(
    reader: &Transaction<'_>,
    output: &str,
    leads: &mut [Named],
    feeds: &Feeds,
    mut new: Vec<AssignedId>,
) -> Result<Assignments, Error> {
    let keys: Vec<ItemKey> = leads.iter().map(|named| named.lead.key).collect();
    new.extend(claimed(reader, output, &without(&keys, &new), feeds)?);
    let mut ids = reader.output_item_ids(output, &keys)?;
    ids.extend(new.iter().cloned());
    let mut assigned: HashSet<ItemKey> = ids.keys().copied().collect();
    let stories: HashMap<ItemKey, StoryKey> =
        leads.iter().map(|named| (named.lead.key, named.lead.story)).collect();
    let own: Vec<&str> = leads.iter().map(|named| named.id.as_str()).collect();
    let mut holders = reader.output_id_holders(output, &own)?;
    let with_story =
        |(key, id): &AssignedId| IdHolder { id: id.clone(), key: *key, story: stories[key] };
    holders.extend(new.iter().map(with_story));
    for named in &mut *leads {
        let is_another = |it: &IdHolder| it.id == named.id && it.story != named.lead.story;
        if let Some(id) = ids.remove(&named.lead.key) {
            named.id = id;
        } else if holders.iter().any(is_another) {
            // The owner came into the output later.
            named.id = other_id(named, &named.id);
        }
    }
    let separated = separate(reader, output, leads)?;
    assigned.extend(separated.iter().map(|(key, _)| *key));
    new.extend(separated);
    Ok(Assignments { new, assigned })
}

/// An id for an item whose own id another item of the output has. What is not an IRI is published as a UUID of it.
fn other_id(named: &Named, own: &str) -> String {
    format!("{} {own}", named.feed.0)
}

/// Gives other ids to stories that have the id of another one. They were one story, which the operator split. The
/// one that subscribers see keeps the id.
fn separate(
    reader: &Transaction<'_>,
    output: &str,
    leads: &mut [Named],
) -> Result<Vec<AssignedId>, Error> {
    let mut of_id: HashMap<&str, Vec<Lead>> = HashMap::new();
    for named in &*leads {
        of_id.entry(&named.id).or_default().push(named.lead);
    }
    of_id.retain(|_, same| same.iter().any(|lead| lead.story != same[0].story));
    if of_id.is_empty() {
        return Ok(Vec::new());
    }
    let last = last_published(reader, output)?;
    let mut others = HashSet::new();
    for (id, same) in of_id {
        let shown = |lead: &&Lead| last.id(lead.key) == Some(&*render::iri(id));
        let keeps = same.iter().find(shown).or_else(|| same.iter().min_by_key(|lead| lead.key));
        let leaves = same.iter().filter(|lead| keeps.is_none_or(|it| it.story != lead.story));
        others.extend(leaves.map(|lead| lead.key));
    }
    let keys: Vec<ItemKey> = others.iter().copied().collect();
    let mut own = reader.outward_ids(&keys)?;
    let mut separated = Vec::with_capacity(keys.len());
    for named in leads.iter_mut().filter(|named| others.contains(&named.lead.key)) {
        let Some(own) = own.remove(&named.lead.key) else { continue };
        named.id = if own == named.id { other_id(named, &own) } else { own };
        separated.push((named.lead.key, named.id.clone()));
    }
    Ok(separated)
}
