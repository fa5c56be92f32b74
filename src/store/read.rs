//! The verbs that read items: batches by key, a feed's newest by index. Leaves choosing to `publish`.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::error::Error;
use super::rows::{digest, json_digests, json_list, maybe, millis, timestamp};
use crate::model::{
    AlsoAt, Details, Digest, EditCounts, FeedInfo, FeedKey, Item, ItemKey, ItemTraits, KnownItem,
    OutputItem, RecentItem, StoryKey,
};

/// An item's place in the order, without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemHead {
    /// Its feed.
    pub feed: FeedKey,
    /// Its row.
    pub key: ItemKey,
    /// Its story.
    pub story: StoryKey,
    /// Where it stands.
    pub sort_at: Timestamp,
}

/// Which of these identities the feed has shown before.
pub(crate) fn known(
    connection: &Connection,
    feed: FeedKey,
    identities: &[Digest],
) -> Result<HashMap<Digest, KnownItem>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT identity.digest, item.id, item.content_digest, item.url_key,
                item.changes, item.bumps, item.bumped_at
         FROM json_each(?2) wanted
         JOIN identity ON identity.feed_id = ?1 AND identity.digest = unhex(wanted.value)
         JOIN item ON item.id = identity.item_id",
    )?;
    let mut rows = statement.query(params![feed.0, json_digests(identities)])?;
    let mut known = HashMap::with_capacity(identities.len());
    while let Some(row) = rows.next()? {
        let content_digest = digest(row.get_ref(2)?.as_blob().unwrap_or_default())?;
        let identity = digest(row.get_ref(0)?.as_blob().unwrap_or_default())?;
        let url_key = row.get_ref(3)?.as_blob_or_null().ok().flatten().map(digest).transpose()?;
        known.insert(
            identity,
            KnownItem { key: ItemKey(row.get(1)?), content_digest, url_key, edits: edits(row, 4)? },
        );
    }
    Ok(known)
}

/// The columns `changes, bumps, bumped_at`, from column `at` on.
fn edits(row: &Row<'_>, at: usize) -> Result<EditCounts, Error> {
    let (changes, bumps) = (row.get(at)?, row.get(at + 1)?);
    Ok(EditCounts { changes, bumps, bumped_at: maybe(row.get(at + 2)?)? })
}

/// The columns `id, story_id, sort_at`.
pub(crate) fn head(row: &Row<'_>, feed: FeedKey) -> Result<ItemHead, Error> {
    Ok(ItemHead {
        feed,
        key: ItemKey(row.get(0)?),
        story: StoryKey(row.get(1)?),
        sort_at: timestamp(row.get(2)?)?,
    })
}

/// The next `limit` items of one feed in the order, behind `after`, or from the newest on.
pub(crate) fn newest(
    connection: &Connection,
    feed: FeedKey,
    after: Option<ItemHead>,
    limit: usize,
) -> Result<Vec<ItemHead>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, story_id, sort_at FROM item
         WHERE feed_id = ?1 AND hidden IS NULL AND (sort_at, id) < (?2, ?3)
         ORDER BY sort_at DESC, id DESC LIMIT ?4",
    )?;
    let (at, key) = after.map_or((i64::MAX, i64::MAX), |head| (millis(head.sort_at), head.key.0));
    let mut rows = statement.query(params![feed.0, at, key, limit as i64])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        heads.push(head(row, feed)?);
    }
    Ok(heads)
}

/// How many of the newest items tell a feed's rhythm.
const RHYTHM: i64 = 60;

/// When the feed's newest items came.
pub(crate) fn rhythm(connection: &Connection, feed: FeedKey) -> Result<Vec<Timestamp>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT first_seen_at FROM item WHERE feed_id = ?1 AND hidden IS NULL
         ORDER BY sort_at DESC, id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![feed.0, RHYTHM])?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        seen.push(timestamp(row.get(0)?)?);
    }
    Ok(seen)
}

/// The newest kept items of a feed with what each may be recognised by under another guid; also
/// those that wait.
pub(crate) fn kept(
    connection: &Connection,
    feed: FeedKey,
    limit: usize,
) -> Result<Vec<RecentItem>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, url, url_key, title, published_at, text_key, changes, bumps, bumped_at FROM (
           SELECT * FROM item WHERE feed_id = ?1 AND hidden IS NULL ORDER BY sort_at DESC, id DESC LIMIT ?2)
         UNION ALL
         SELECT id, url, url_key, title, published_at, text_key, changes, bumps, bumped_at FROM (
           SELECT * FROM item WHERE feed_id = ?1 AND hidden IS NOT NULL ORDER BY id DESC LIMIT ?2)",
    )?;
    let mut rows = statement.query(params![feed.0, limit as i64])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        kept.push(RecentItem {
            key: ItemKey(row.get(0)?),
            seen: ItemTraits {
                url: row.get(1)?,
                url_key: row
                    .get_ref(2)?
                    .as_blob_or_null()
                    .ok()
                    .flatten()
                    .map(digest)
                    .transpose()?,
                title: row.get(3)?,
                published: maybe(row.get(4)?)?,
                text_key: row.get(5)?,
            },
            edits: edits(row, 6)?,
        });
    }
    Ok(kept)
}

const ENTRY: &str =
    "item.id, item.story_id, item.feed_id, item.outward_id, item.first_seen_at, item.sort_at,
    item.published_at, item.updated_at, item.guid, item.url, item.title, item.language,
    body.summary, body.content, body.details";

/// The items with these keys, with their words; those whose body is past retention are left out.
pub(crate) fn entries(
    connection: &Connection,
    keys: &[ItemKey],
    feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<HashMap<ItemKey, OutputItem>, Error> {
    let sql = format!(
        "SELECT {ENTRY} FROM json_each(?1) wanted
         JOIN item ON item.id = wanted.value JOIN body ON body.item_id = item.id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut entries = HashMap::with_capacity(keys.len());
    while let Some(row) = rows.next()? {
        let Some(feed) = feeds.get(&FeedKey(row.get(2)?)) else { continue };
        let entry = entry(row, Arc::clone(feed))?;
        entries.insert(entry.key, entry);
    }
    Ok(entries)
}

/// The columns of [`ENTRY`].
fn entry(row: &Row<'_>, feed: Arc<FeedInfo>) -> Result<OutputItem, Error> {
    let details: Details = serde_json::from_str(row.get_ref(14)?.as_str().unwrap_or("{}"))?;
    Ok(OutputItem {
        key: ItemKey(row.get(0)?),
        story: StoryKey(row.get(1)?),
        outward_id: row.get(3)?,
        first_seen: timestamp(row.get(4)?)?,
        sort_at: timestamp(row.get(5)?)?,
        item: Item {
            published: maybe(row.get(6)?)?,
            updated: maybe(row.get(7)?)?,
            guid: row.get(8)?,
            url: row.get(9)?,
            title: row.get(10)?,
            language: row.get(11)?,
            summary: row.get(12)?,
            content: row.get(13)?,
            details,
        },
        feed,
        also: Vec::new(),
    })
}

/// An item whose publisher's id another feed's item had first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdConflict {
    /// Its row.
    pub key: ItemKey,
    /// The publisher's id.
    pub id: String,
    /// Its own id.
    pub own: String,
    /// The item that has the publisher's.
    pub holder: ItemKey,
    /// That item's feed.
    pub holder_feed: FeedKey,
}

/// Those of these items whose publisher's id another feed's item had first, the earliest first.
pub(crate) fn claims(connection: &Connection, keys: &[ItemKey]) -> Result<Vec<IdConflict>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.wanted_id, item.outward_id, holder.id, holder.feed_id FROM json_each(?1) wanted
         JOIN item ON item.id = wanted.value JOIN item AS holder ON holder.outward_id = item.wanted_id
         WHERE holder.feed_id <> item.feed_id",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut claims = Vec::new();
    while let Some(row) = rows.next()? {
        claims.push(IdConflict {
            key: ItemKey(row.get(0)?),
            id: row.get(1)?,
            own: row.get(2)?,
            holder: ItemKey(row.get(3)?),
            holder_feed: FeedKey(row.get(4)?),
        });
    }
    claims.sort_by_key(|claim| claim.key);
    Ok(claims)
}

/// The members of those of these stories that have more than one, in the order they were first seen.
pub(crate) fn members(
    connection: &Connection,
    stories: &[StoryKey],
) -> Result<HashMap<StoryKey, Vec<ItemHead>>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.story_id, item.sort_at, item.feed_id FROM json_each(?1) wanted
         JOIN item ON item.story_id = wanted.value AND item.story_id <> item.id",
    )?;
    let list = json_list(stories.iter().map(|story| story.0));
    let mut rows = statement.query([&list])?;
    let mut members: HashMap<StoryKey, Vec<ItemHead>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let head = head(row, FeedKey(row.get(3)?))?;
        members.entry(head.story).or_default().push(head);
    }
    // The first item has the story's own number and so is not in that index.
    let shared = json_list(members.keys().map(|story| story.0));
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.story_id, item.sort_at, item.feed_id FROM json_each(?1) wanted
         JOIN item ON item.id = wanted.value",
    )?;
    let mut rows = statement.query([&shared])?;
    while let Some(row) = rows.next()? {
        let head = head(row, FeedKey(row.get(3)?))?;
        members.entry(head.story).or_default().push(head);
    }
    for heads in members.values_mut() {
        heads.sort_by_key(|head| head.key);
    }
    Ok(members)
}

/// Where else a story is carried: page and title of each of these items.
pub(crate) fn also(
    connection: &Connection,
    keys: &[ItemKey],
    feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
) -> Result<HashMap<ItemKey, AlsoAt>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.feed_id, item.url, item.title FROM json_each(?1) wanted
         JOIN item ON item.id = wanted.value",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut also = HashMap::with_capacity(keys.len());
    while let Some(row) = rows.next()? {
        let Some(feed) = feeds.get(&FeedKey(row.get(1)?)) else { continue };
        let feed = Arc::clone(feed);
        also.insert(ItemKey(row.get(0)?), AlsoAt { url: row.get(2)?, title: row.get(3)?, feed });
    }
    Ok(also)
}
