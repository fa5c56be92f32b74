//! Items that are read back from published documents, because the database that had them is lost.
//!
//! Such an item has its outward id, position and text, but nothing by which its publisher's document is
//! recognised: no identity, and a content digest of zeros. The first poll that brings it completes it. It is
//! written before any poll, so that it was seen before all copies and leads its story as it did before.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::item_digest::SealedItem;
use super::poll_update::{ChangedItem, EditAction, NewItem, PollUpdate, TextIndex};
use super::transaction::Transaction;
use super::values::{millis, page_owner_number};
use crate::model::{Digest, FeedKey, Item, ItemKey, PageOwner};

/// An item of published documents, to be written into a new database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredItem {
    /// Key of the feed that published it.
    pub feed: FeedKey,
    /// The id in outputs.
    pub outward_id: String,
    /// The key that it had; `None`: unknown.
    pub key: Option<ItemKey>,
    /// Its position in outputs.
    pub at: Timestamp,
    /// Time of first sight.
    pub first_seen: Timestamp,
    /// Digest of the canonical URL; `None`: its URL does not identify it.
    pub url_key: Option<Digest>,
    /// Whose site its URL is on.
    pub page_owner: PageOwner,
    /// The item as it was published.
    pub item: Item,
    /// What its text is searched and compared by.
    pub text: TextIndex,
}

/// The content digest of an item that no poll has completed yet.
const UNKNOWN: Digest = [0; 16];

impl Transaction<'_> {
    /// Writes those of the items whose ids are not published yet, in this order. Returns their keys, each with its
    /// place in `items`. An item gets the key that it had if that is above those of the database: outputs have read past
    /// them. The others come after all that have one.
    pub(super) fn recover(
        &self,
        items: &[RecoveredItem],
        now: Timestamp,
    ) -> Result<Vec<(ItemKey, usize)>, Error> {
        let mut known =
            self.connection.prepare_cached("SELECT 1 FROM item WHERE outward_id = ?1")?;
        let first = self.next_item_key()?;
        let mut next = items
            .iter()
            .filter_map(|item| item.key)
            .max()
            .map_or(first, |last| first.max(ItemKey(last.0 + 1)));
        let (mut written, mut taken) = (Vec::new(), HashSet::new());
        for (place, item) in items.iter().enumerate() {
            if known.exists([&item.outward_id])? {
                continue;
            }
            let own = item.key.filter(|key| *key >= first && taken.insert(*key));
            let key = own.unwrap_or(next);
            self.insert_recovered(item, key, now)?;
            self.mark_pending(key)?;
            written.push((key, place));
            next.0 += i64::from(own.is_none());
        }
        Ok(written)
    }

    fn insert_recovered(
        &self,
        recovered: &RecoveredItem,
        key: ItemKey,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (item, at) = (&recovered.item, millis(recovered.at));
        let first_seen = millis(recovered.first_seen);
        self.connection
            .prepare_cached(
                "INSERT INTO item (id, feed_id, story_id, outward_id, content_digest, url_key, first_seen_at, sort_at,
                                   published_at, updated_at, url, title, language, page_owner, text_digest, hidden)
                 VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'pending')",
            )?
            .execute(params![
                key.0,
                recovered.feed.0,
                recovered.outward_id,
                UNKNOWN,
                recovered.url_key,
                first_seen,
                at,
                item.published.map(millis),
                item.updated.map(millis),
                item.url,
                item.title,
                item.language,
                page_owner_number(recovered.page_owner),
                recovered.text.digest,
            ])?;
        let details = serde_json::to_string(&item.details)?;
        let sealed = SealedItem {
            feed: recovered.feed.0,
            outward_id: &recovered.outward_id,
            first_seen,
            sort_at: at,
            published: item.published.map(millis),
            updated: item.updated.map(millis),
            ..SealedItem::of_text(item, &details)
        };
        self.write_body(key, &sealed)?;
        self.write_fingerprint((recovered.feed, now), key, &recovered.text)
    }

    /// The recovered item that a new item is: the one with one of its ids, else with its page; `None`: it was not recovered.
    pub(super) fn recovered(&self, feed: FeedKey, new: &NewItem) -> Result<Option<ItemKey>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, outward_id FROM item WHERE (outward_id IN (?1, ?2) OR url_key = ?3)
                AND feed_id = ?4 AND content_digest = ?5",
        )?;
        let mut rows =
            statement.query(params![new.outward_id, new.own_id, new.url_key, feed.0, UNKNOWN])?;
        let mut best: Option<(usize, ItemKey)> = None;
        while let Some(row) = rows.next()? {
            let (key, id): (i64, String) = (row.get(0)?, row.get(1)?);
            let ids = [&new.outward_id, &new.own_id];
            let rank = ids.iter().position(|known| **known == id).unwrap_or(ids.len());
            best = best.into_iter().chain([(rank, ItemKey(key))]).min();
        }
        Ok(best.map(|(_, key)| key))
    }

    /// Completes a recovered item with what its publisher's document has of it. Its id, position, dates and
    /// story stay.
    pub(super) fn complete_recovered(
        &self,
        update: &PollUpdate,
        new: &NewItem,
        key: ItemKey,
    ) -> Result<(), Error> {
        self.connection
            .prepare_cached("UPDATE item SET guid = ?2, page_owner = ?3 WHERE id = ?1")?
            .execute(params![key.0, new.item.guid, page_owner_number(new.page_owner)])?;
        self.insert_identities(update.feed, new, key)?;
        let changed = ChangedItem {
            key,
            url_key: new.url_key,
            content_digest: new.content_digest,
            item: new.item.clone(),
            action: EditAction::Replace,
            text: new.text.clone(),
        };
        self.update_item(update, &changed)?;
        self.connection
            .prepare_cached("UPDATE feed SET items = items + 1 WHERE id = ?1")?
            .execute([update.feed.0])?;
        Ok(())
    }

    /// The items with these ids in the output, each with its id.
    pub fn items_with_ids(
        &self,
        output: &str,
        ids: &[String],
    ) -> Result<Vec<(String, ItemKey)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT wanted.value, ifnull(item.id, shown.item_id) FROM json_each(?2) wanted
             LEFT JOIN item ON item.outward_id = wanted.value
             LEFT JOIN output_item_id AS shown ON shown.output = ?1 AND shown.id = wanted.value
             WHERE item.id IS NOT NULL OR shown.item_id IS NOT NULL",
        )?;
        let ids = serde_json::to_string(ids)?;
        let rows = statement
            .query_map(params![output, ids], |row| Ok((row.get(0)?, ItemKey(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ids that two items have. Does not use the indexes.
    pub(super) fn ids_of_several_items(&self, limit: usize) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT outward_id, count(*) FROM item NOT INDEXED GROUP BY outward_id HAVING count(*) > 1
             LIMIT ?1",
        )?;
        let rows = statement.query_map([limit as i64], |row| {
            let (id, items): (String, i64) = (row.get(0)?, row.get(1)?);
            Ok(format!("{items} items have the id {id}"))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Items that an output published or archived, and that do not exist.
    pub(super) fn missing_published_items(&self, limit: usize) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT output, shown.value ->> 0 AS item FROM publication, json_each(publication.shown) AS shown
             WHERE item NOT IN (SELECT id FROM item) AND shown.value ->> 1 <> 0 -- 0: it is a digest
             UNION
             SELECT output, archived.value AS item FROM archive_page, json_each(archive_page.items) AS archived
             WHERE item NOT IN (SELECT id FROM item)
             LIMIT ?1",
        )?;
        let rows = statement.query_map([limit as i64], |row| {
            let (output, item): (String, i64) = (row.get(0)?, row.get(1)?);
            Ok(format!("output {output} published item {item}, which does not exist"))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Runs every statement once, for the test that none of them scans a table that grows.
#[cfg(test)]
pub(crate) fn every_method(transaction: &Transaction<'_>, feed: FeedKey) {
    let item = RecoveredItem {
        feed,
        outward_id: "urn:x:recovered".to_owned(),
        key: None,
        at: Timestamp::UNIX_EPOCH,
        first_seen: Timestamp::UNIX_EPOCH,
        url_key: None,
        page_owner: PageOwner::OtherSite,
        item: Item::default(),
        text: TextIndex::default(),
    };
    let id = item.outward_id.clone();
    let written =
        transaction.recover(&[item.clone(), item.clone()], Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(written.len(), 1);
    let found = transaction.items_with_ids("planet", std::slice::from_ref(&id)).unwrap();
    assert_eq!(found, [(id, written[0].0)]);
    // Keys that are free are kept, and no key is used twice or below those of the database.
    let keyed = |id: &str, key: Option<i64>| RecoveredItem {
        outward_id: format!("urn:x:{id}"),
        key: key.map(ItemKey),
        ..item.clone()
    };
    let known = written[0].0;
    let items = [
        keyed("a", Some(known.0)),
        keyed("b", Some(known.0 + 50)),
        keyed("c", Some(known.0 + 50)),
        keyed("d", None),
        keyed("e", Some(known.0 + 40)),
    ];
    let written = transaction.recover(&items, Timestamp::UNIX_EPOCH).unwrap();
    let keys: Vec<i64> = written.iter().map(|(key, _)| key.0 - known.0).collect();
    assert_eq!(keys, [51, 50, 52, 53, 40]);
}
