//! The tables of items: item, identity and body.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use super::error::Error;
use super::item_digest::{SealedItem, text_column};
use super::item_order::{ItemHead, Start, head};
use super::poll_update::{ChangedItem, EditAction, GuidChange, NewItem, PollUpdate, TextIndex};
use super::row_digest::check_intact;
use super::transaction::Transaction;
use super::values::{digest, json_digests, json_list, maybe, millis, page_owner_number, timestamp};
use crate::model::{
    AlsoAt, Details, Digest, EditCounts, FeedInfo, FeedKey, HoldReason, Item, ItemKey, ItemTraits,
    KnownItem, OutputItem, RecentItem, StoryKey,
};
use crate::text::uuid::urn_of;

/// The ids of a new item.
struct NewIds<'n> {
    outward_id: Cow<'n, str>,
    /// The publisher's id, which another item had first; `None`: no conflict.
    claimed_id: Option<&'n str>,
}

impl Transaction<'_> {
    /// Which of these identities the feed has shown before.
    pub fn known_items(
        &self,
        feed: FeedKey,
        identities: &[Digest],
    ) -> Result<HashMap<Digest, KnownItem>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT identity.digest, item.id, item.content_digest, item.url_key,
                    item.changes, item.bumps, item.bumped_at,
                    identity.row_digest IS row_digest(identity.feed_id, identity.digest, identity.item_id),
                    iif(item.hidden = 'history', item.first_seen_at, NULL),
                    ifnull(item.dated_at, item.published_at)
             FROM json_each(?2) wanted
             CROSS JOIN identity ON identity.feed_id = ?1 AND identity.digest = unhex(wanted.value)
             JOIN item ON item.id = identity.item_id",
        )?;
        let mut rows = statement.query(params![feed.0, json_digests(identities)])?;
        let mut known = HashMap::with_capacity(identities.len());
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(1)?;
            check_intact(row, 7, || format!("what identifies item {key}"))?;
            let content_digest = digest(row.get_ref(2)?.as_blob().unwrap_or_default())?;
            let identity = digest(row.get_ref(0)?.as_blob().unwrap_or_default())?;
            let url_key =
                row.get_ref(3)?.as_blob_or_null().ok().flatten().map(digest).transpose()?;
            let (edits, history_since) = (edits(row, 4)?, maybe(row.get(8)?)?);
            let (key, dated) = (ItemKey(key), maybe(row.get(9)?)?);
            let item = KnownItem { key, content_digest, url_key, edits, history_since, dated };
            known.insert(identity, item);
        }
        Ok(known)
    }
}

/// The columns `changes, bumps, bumped_at`, from column `at` on.
fn edits(row: &Row<'_>, at: usize) -> Result<EditCounts, Error> {
    let (changes, bumps) = (row.get(at)?, row.get(at + 1)?);
    Ok(EditCounts { changes, bumps, bumped_at: maybe(row.get(at + 2)?)? })
}

impl Transaction<'_> {
    /// The newest items of a feed, held ones included, with what each can be recognised by under another guid.
    pub fn recent_items(&self, feed: FeedKey, limit: usize) -> Result<Vec<RecentItem>, Error> {
        // Not by the index alone, in which SQLite does not notice a bit that flips: see `item_order`.
        let shown = self.newest_items(feed, Start::Newest, limit)?;
        let mut keys: Vec<i64> = shown.iter().map(|head| head.key.0).collect();
        let mut held = self.connection.prepare_cached(
            "SELECT id FROM item WHERE feed_id = ?1 AND hidden IS NOT NULL ORDER BY id DESC LIMIT ?2",
        )?;
        for key in held.query_map(params![feed.0, limit as i64], |row| row.get(0))? {
            keys.push(key?);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, url, url_key, title, published_at, text_digest, changes, bumps, bumped_at, feed_id,
                    content_digest, ifnull(dated_at, published_at)
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(keys)])?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(9)? != feed.0 {
                return Err(Error::Corrupt(format!("the index of the items of feed {}", feed.0)));
            }
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
                    text_digest: row.get(5)?,
                    content_digest: Some(digest(row.get_ref(10)?.as_blob().unwrap_or_default())?),
                },
                dated: maybe(row.get(11)?)?,
                edits: edits(row, 6)?,
            });
        }
        Ok(kept)
    }
}

const ENTRY: &str =
    "item.id, item.story_id, item.feed_id, item.outward_id, item.first_seen_at, item.sort_at,
    item.published_at, item.updated_at, item.guid, item.url, item.title, item.language,
    body.summary, body.content, body.details, body.digest";

impl Transaction<'_> {
    /// The items with these keys, with their words; those whose body is past retention are left out.
    ///
    /// # Errors
    /// When there is no item with one of the keys: no item is ever deleted.
    pub fn output_items(
        &self,
        keys: &[ItemKey],
        feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<HashMap<ItemKey, OutputItem>, Error> {
        let sql = format!(
            "SELECT {ENTRY}, wanted.value FROM json_each(?1) wanted
             LEFT JOIN item ON item.id = wanted.value LEFT JOIN body ON body.item_id = item.id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut entries = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            let Some(feed) = row.get::<_, Option<i64>>(2)? else {
                return Err(Error::Corrupt(format!("item {} is missing", row.get::<_, i64>(16)?)));
            };
            if row.get_ref(15)? == ValueRef::Null {
                continue;
            }
            let Some(feed) = feeds.get(&FeedKey(feed)) else { continue };
            let entry = entry(row, Arc::clone(feed))?;
            entries.insert(entry.key, entry);
        }
        Ok(entries)
    }
}

impl Transaction<'_> {
    /// Those of these items that are of `feeds` and whose body is kept.
    pub fn items_with_text(
        &self,
        keys: &[ItemKey],
        feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<HashSet<ItemKey>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.feed_id FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value
             WHERE EXISTS (SELECT 1 FROM body WHERE body.item_id = item.id)",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut found = HashSet::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            if feeds.contains_key(&FeedKey(row.get(1)?)) {
                found.insert(ItemKey(row.get(0)?));
            }
        }
        Ok(found)
    }
}

/// The columns of [`ENTRY`].
fn entry(row: &Row<'_>, feed: Arc<FeedInfo>) -> Result<OutputItem, Error> {
    let sealed = SealedItem::of_row(row)?;
    if sealed.digest() != row.get_ref(15)?.as_blob().unwrap_or_default() {
        return Err(Error::Corrupt(format!("the text of the item {}", row.get::<_, i64>(0)?)));
    }
    let details: Details = serde_json::from_str(sealed.details)?;
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

/// An item whose publisher gave it an id that an item of another feed had first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdConflict {
    /// Key of the item.
    pub key: ItemKey,
    /// The id that the publisher gave.
    pub id: String,
    /// Outward id of the item.
    pub own: String,
    /// The item that has the publisher's id.
    pub holder: ItemKey,
    /// Feed of `holder`.
    pub holder_feed: FeedKey,
}

impl Transaction<'_> {
    /// Those of these items that have an id conflict, the earliest first.
    pub fn id_conflicts(&self, keys: &[ItemKey]) -> Result<Vec<IdConflict>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.claimed_id, item.outward_id, holder.id, holder.feed_id FROM json_each(?1) wanted
             CROSS JOIN item ON item.id = wanted.value JOIN item AS holder ON holder.outward_id = item.claimed_id
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
    pub fn members(&self, stories: &[StoryKey]) -> Result<HashMap<StoryKey, Vec<ItemHead>>, Error> {
        let mut statement = self.connection.prepare_cached(
            // The row, because SQLite does not notice a bit that flips in the index.
            "SELECT item.id, item.story_id, item.sort_at, item.feed_id, item.story_id IS wanted.value
             FROM json_each(?1) wanted CROSS JOIN item AS entry ON entry.story_id = wanted.value AND entry.story_id <> entry.id
             LEFT JOIN item ON item.id = entry.id",
        )?;
        let list = json_list(stories.iter().map(|story| story.0));
        let mut rows = statement.query([&list])?;
        let mut members: HashMap<StoryKey, Vec<ItemHead>> = HashMap::new();
        while let Some(row) = rows.next()? {
            if !row.get::<_, bool>(4)? {
                return Err(Error::Corrupt("the index of the stories".to_owned()));
            }
            let head = head(row, FeedKey(row.get(3)?))?;
            members.entry(head.story).or_default().push(head);
        }
        // The first item has the story's own number and so is not in that index.
        let shared = json_list(members.keys().map(|story| story.0));
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.story_id, item.sort_at, item.feed_id FROM json_each(?1) wanted
             CROSS JOIN item ON item.id = wanted.value",
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

    /// URL, title and feed of each of these items.
    pub fn also_at(
        &self,
        keys: &[ItemKey],
        feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<HashMap<ItemKey, AlsoAt>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.feed_id, item.url, item.title FROM json_each(?1) wanted
             CROSS JOIN item ON item.id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut also = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            let Some(feed) = feeds.get(&FeedKey(row.get(1)?)) else { continue };
            let feed = Arc::clone(feed);
            also.insert(
                ItemKey(row.get(0)?),
                AlsoAt { url: row.get(2)?, title: row.get(3)?, feed },
            );
        }
        Ok(also)
    }
}

impl Transaction<'_> {
    /// Key of the item that was added last; 0 where there is none.
    pub fn newest_item(&self) -> Result<ItemKey, Error> {
        Ok(ItemKey(self.next_item_key()?.0 - 1))
    }

    /// Key of the next new item. There is only one writer, so that it is not taken meanwhile.
    pub(super) fn next_item_key(&self) -> Result<ItemKey, Error> {
        let mut last = self.connection.prepare_cached("SELECT ifnull(max(id), 0) FROM item")?;
        Ok(ItemKey(last.query_row([], |row| row.get::<_, i64>(0))? + 1))
    }

    /// Inserts a new item with its identity and body, alone in its story. Returns whether it was new.
    pub(super) fn insert_item(
        &self,
        update: &PollUpdate,
        new: &NewItem,
        key: ItemKey,
    ) -> Result<bool, Error> {
        let Some(NewIds { outward_id, claimed_id }) = self.new_ids(update.feed, new)? else {
            return Ok(false);
        };
        let item = &new.item;
        let published = item.published.map(millis);
        let seen = millis(new.first_seen);
        self.connection
            .prepare_cached(
                "INSERT INTO item (id, feed_id, story_id, outward_id, content_digest, url_key, first_seen_at, sort_at,
                                   published_at, updated_at, guid, url, title, language, claimed_id, page_owner,
                                   text_digest, hidden, filtered_by)
                 VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            )?
            .execute(params![
                key.0,
                update.feed.0,
                &*outward_id,
                new.content_digest,
                new.url_key,
                seen,
                published.map_or(seen, |at| at.min(seen)),
                published,
                item.updated.map(millis),
                item.guid,
                item.url,
                item.title,
                item.language,
                claimed_id,
                page_owner_number(new.page_owner),
                new.text.digest,
                new.held.map_or("pending", HoldReason::slug),
                new.filtered_by,
            ])?;
        self.insert_identities(update.feed, new, key)?;
        let details = serde_json::to_string(&item.details)?;
        let sealed = SealedItem {
            feed: update.feed.0,
            outward_id: &outward_id,
            first_seen: seen,
            sort_at: published.map_or(seen, |at| at.min(seen)),
            published,
            updated: item.updated.map(millis),
            guid: item.guid.as_deref(),
            ..SealedItem::of_text(item, &details)
        };
        self.write_body(key, &sealed)?;
        self.write_fingerprint((update.feed, update.at), key, &new.text)?;
        Ok(true)
    }

    /// The ids of a new item. The outward id is the publisher's, unless an item has it already. Where an item has its own id
    /// too, which was read back from documents that showed the story of this item under its id, it gets another one. `None`:
    /// the feed knows the item. If its row of `identity` was lost, it gets it again: the item has one of the ids, and the
    /// content.
    fn new_ids<'n>(&self, feed: FeedKey, new: &'n NewItem) -> Result<Option<NewIds<'n>>, Error> {
        let mut known = self
            .connection
            .prepare_cached("SELECT 1 FROM identity WHERE feed_id = ?1 AND digest = ?2")?;
        if known.exists(params![feed.0, new.identity])? {
            return Ok(None);
        }
        let mut users = self.connection.prepare_cached(
            "SELECT id, outward_id, feed_id = ?3 AND content_digest = ?4
             FROM item WHERE outward_id IN (?1, ?2)",
        )?;
        let ids = params![new.outward_id, new.own_id, feed.0, new.content_digest];
        let mut rows = users.query(ids)?;
        let mut taken = HashSet::new();
        while let Some(row) = rows.next()? {
            if row.get(2)? {
                self.insert_identities(feed, new, ItemKey(row.get(0)?))?;
                return Ok(None);
            }
            taken.insert(row.get::<_, String>(1)?);
        }
        if !taken.contains(&new.outward_id) {
            let outward_id = Cow::Borrowed(new.outward_id.as_str());
            return Ok(Some(NewIds { outward_id, claimed_id: None }));
        }
        let claimed_id = (new.outward_id != new.own_id).then_some(new.outward_id.as_str());
        let outward_id = match taken.contains(&new.own_id) {
            true => Cow::Owned(self.other_id(&new.own_id)?),
            false => Cow::Borrowed(new.own_id.as_str()),
        };
        Ok(Some(NewIds { outward_id, claimed_id }))
    }

    /// The first of the ids made from this one that no item has.
    fn other_id(&self, own: &str) -> Result<String, Error> {
        let mut user =
            self.connection.prepare_cached("SELECT 1 FROM item WHERE outward_id = ?1")?;
        let mut id = urn_of(own);
        while user.exists([&id])? {
            id = urn_of(&id);
        }
        Ok(id)
    }

    /// Inserts what identifies a new item within its feed.
    pub(super) fn insert_identities(
        &self,
        feed: FeedKey,
        new: &NewItem,
        key: ItemKey,
    ) -> Result<(), Error> {
        self.connection
            .prepare_cached("INSERT INTO identity (feed_id, digest, item_id, row_digest) VALUES (?1, ?2, ?3, row_digest(?1, ?2, ?3))")?
            .execute(params![feed.0, new.identity, key.0])?;
        for other in &new.other_identities {
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO identity (feed_id, digest, item_id, row_digest) VALUES (?1, ?2, ?3, row_digest(?1, ?2, ?3))",
                )?
                .execute(params![feed.0, other, key.0])?;
        }
        Ok(())
    }

    /// Writes the fingerprint of an item, if the feed's items are compared; otherwise that of its text before is gone.
    pub(super) fn write_fingerprint(
        &self,
        (feed, at): (FeedKey, Timestamp),
        key: ItemKey,
        text: &TextIndex,
    ) -> Result<(), Error> {
        self.put_fingerprint((key, feed), at, text.fingerprint.as_deref())
    }

    /// Adds a guid to a known item.
    pub(super) fn add_guid(&self, update: &PollUpdate, renamed: &GuidChange) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO identity (feed_id, digest, item_id, recognised_by, recognised_at, row_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, row_digest(?1, ?2, ?3))",
            )?
            .execute(params![
                update.feed.0,
                renamed.identity,
                renamed.key.0,
                renamed.recognised_by.slug(),
                millis(update.at)
            ])?;
        Ok(())
    }

    /// Replaces the text of an item; its id, story, position and first dates stay. Returns whether it did.
    pub(super) fn update_item(
        &self,
        update: &PollUpdate,
        changed: &ChangedItem,
    ) -> Result<bool, Error> {
        let (item, now) = (&changed.item, millis(update.at));
        if changed.action == EditAction::Ignore {
            self.connection
                .prepare_cached("UPDATE item SET content_digest = ?2 WHERE id = ?1")?
                .execute(params![changed.key.0, changed.content_digest])?;
            return Ok(false);
        }
        let bump = changed.action == EditAction::Bump;
        self.connection
            .prepare_cached(
                // The updated date never goes back: feed readers would take an old edit for a new one.
                "UPDATE item SET content_digest = ?2, url_key = ?3, url = ?4, title = ?5, language = ?6,
                        updated_at = nullif(max(ifnull(?7, 0), ifnull(updated_at, 0), iif(?8, ?9, 0)), 0),
                        bumped_at = iif(?8, ?9, bumped_at), bumps = bumps + ?8,
                        text_digest = ?10, changes = changes + 1
                 WHERE id = ?1",
            )?
            .execute(params![
                changed.key.0,
                changed.content_digest,
                changed.url_key,
                item.url,
                item.title,
                item.language,
                item.updated.map(millis),
                bump,
                now,
                changed.text.digest,
            ])?;
        if changed.action == EditAction::Release {
            self.release_changed(update, changed)?;
        }
        let details = serde_json::to_string(&item.details)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT outward_id, first_seen_at, sort_at, published_at, guid, updated_at, feed_id FROM item
             WHERE id = ?1",
        )?;
        let mut rows = statement.query([changed.key.0])?;
        if let Some(row) = rows.next()? {
            let sealed = SealedItem {
                outward_id: text_column(row, 0)?.unwrap_or_default(),
                first_seen: row.get(1)?,
                sort_at: row.get(2)?,
                published: row.get(3)?,
                guid: text_column(row, 4)?,
                updated: row.get(5)?,
                feed: row.get(6)?,
                ..SealedItem::of_text(item, &details)
            };
            self.write_body(changed.key, &sealed)?;
        }
        self.write_fingerprint((update.feed, update.at), changed.key, &changed.text)?;
        Ok(true)
    }

    /// Writes the text of an item.
    pub(super) fn write_body(&self, key: ItemKey, sealed: &SealedItem<'_>) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO body (item_id, summary, content, details, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                key.0,
                sealed.summary,
                sealed.content,
                sealed.details,
                sealed.digest()
            ])?;
        Ok(())
    }
}

impl Transaction<'_> {
    /// Deletes at most `limit` bodies of items first seen before `cutoff`. Returns how many.
    pub(super) fn forget_bodies(&self, cutoff: Timestamp, limit: usize) -> Result<usize, Error> {
        // Rows ascend with age, so the oldest bodies come first and the first young one ends the walk.
        let deleted: Vec<i64> = self
            .connection
            .prepare_cached(
                "DELETE FROM body WHERE item_id IN (
                   SELECT b.item_id FROM (SELECT item_id FROM body ORDER BY item_id LIMIT ?2) b
                   JOIN item ON item.id = b.item_id WHERE item.first_seen_at < ?1)
                 RETURNING item_id",
            )?
            .query_map(params![millis(cutoff), limit as i64], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        self.forget_words(&deleted)?;
        Ok(deleted.len() + self.forget_digests(cutoff)?)
    }
}
