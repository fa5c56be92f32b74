//! The tables of archives: which items are on which page.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::item_order::{ItemHead, head};
use super::row_digest::check_intact;
use super::transaction::Transaction;
use super::values::json_list;
use crate::model::{FeedKey, ItemKey};

/// A page of an output's archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivePage {
    /// Number of the page; from 1, ascends with time.
    pub number: u32,
    /// Its items, in order of arrival.
    pub items: Vec<ItemKey>,
    /// The last item that was considered for it.
    pub seen: ItemKey,
    /// The last release that was considered for it; a row id of this database.
    pub late: i64,
    /// Whether the output had a token when a story was put on it.
    pub is_private: bool,
}

/// Items that arrived since a page was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrivals {
    /// Items in order of arrival. Held items are left out until they are released.
    pub heads: Vec<ItemHead>,
    /// Number of items that were considered, held ones included.
    pub count: usize,
    /// The last item that was considered.
    pub seen: ItemKey,
    /// The last release that was considered; a row id of this database.
    pub late: i64,
}

impl Transaction<'_> {
    /// The page that still grows; `None`: nothing is archived yet. All pages before it are complete.
    pub fn growing_page(&self, output: &str) -> Result<Option<ArchivePage>, Error> {
        self.read_archive_page("output = ?1 ORDER BY number DESC LIMIT 1", &[&output])
    }

    /// The page of this number, complete or not.
    pub fn archive_page(&self, output: &str, number: u32) -> Result<Option<ArchivePage>, Error> {
        self.read_archive_page("output = ?1 AND number = ?2", &[&output, &number])
    }

    /// Number of the oldest page that may still have items to show: its last item, or an earlier one, has a body.
    pub fn oldest_page(&self, output: &str) -> Result<Option<u32>, Error> {
        let oldest = self
            .connection
            .prepare_cached(
                // With + no index of last_item_id is used: the first pages are read in their order.
                "SELECT number FROM archive_page
                 WHERE output = ?1 AND +last_item_id >= (SELECT ifnull(min(item_id), 0) FROM body)
                 ORDER BY number LIMIT 1",
            )?
            .query_row([output], |row| row.get(0))
            .optional()?;
        Ok(oldest)
    }

    fn read_archive_page(
        &self,
        condition: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Option<ArchivePage>, Error> {
        let sql = format!(
            "SELECT number, items, last_item_id, last_released_id, is_private,
                    row_digest IS row_digest(output, number, items, last_item_id, last_released_id, is_private)
             FROM archive_page WHERE {condition}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(parameters)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let number = row.get(0)?;
        check_intact(row, 5, || format!("archive page {number}"))?;
        let items: Vec<i64> = serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default())?;
        let items = items.into_iter().map(ItemKey).collect();
        let (seen, late, is_private) = (ItemKey(row.get(2)?), row.get(3)?, row.get(4)?);
        Ok(Some(ArchivePage { number, items, seen, late, is_private }))
    }

    /// At most `limit` items of all feeds that arrived, or were released, since `page` was written.
    pub fn arrivals(&self, page: &ArchivePage, limit: usize) -> Result<Arrivals, Error> {
        let mut arrivals = Arrivals { seen: page.seen, late: page.late, ..Arrivals::default() };
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.story_id, item.sort_at, item.feed_id, released.id, item.hidden IS NULL FROM released
             JOIN item ON item.id = released.item_id
             WHERE released.id > ?1 ORDER BY released.id LIMIT ?2",
        )?;
        let mut rows = statement.query(params![page.late, limit as i64])?;
        while let Some(row) = rows.next()? {
            // It is pending: the items after it wait as well, so that the order is kept.
            if !row.get::<_, bool>(5)? {
                break;
            }
            arrivals.count += 1;
            arrivals.late = row.get(4)?;
            let head = head(row, FeedKey(row.get(3)?))?;
            // An item that was released before it was considered comes below.
            if head.key <= page.seen {
                arrivals.heads.push(head);
            }
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT id, story_id, sort_at, feed_id, hidden FROM item
             WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let mut rows = statement.query(params![page.seen.0, (limit - arrivals.count) as i64])?;
        while let Some(row) = rows.next()? {
            let hidden = row.get::<_, Option<String>>(4)?;
            if hidden.as_deref() == Some("pending") {
                break;
            }
            arrivals.count += 1;
            let head = head(row, FeedKey(row.get(3)?))?;
            arrivals.seen = head.key;
            if hidden.is_none() {
                arrivals.heads.push(head);
            }
        }
        Ok(arrivals)
    }

    /// Those of these items that are shown and not older than their feed is configured, in the same order.
    pub fn after_addition(&self, keys: &[ItemKey]) -> Result<Vec<ItemHead>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.story_id, item.sort_at, item.feed_id FROM json_each(?1) wanted
             CROSS JOIN item ON item.id = wanted.value CROSS JOIN feed ON feed.id = item.feed_id
             WHERE item.hidden IS NULL AND item.sort_at >= feed.added_at",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut heads = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            let head = head(row, FeedKey(row.get(3)?))?;
            heads.insert(head.key, head);
        }
        Ok(keys.iter().filter_map(|key| heads.remove(key)).collect())
    }

    /// Those of these items that are on an archive page of the output. Reads all pages since the first of these items
    /// arrived.
    pub fn archived(&self, output: &str, keys: &[ItemKey]) -> Result<HashSet<ItemKey>, Error> {
        let Some(first) = keys.iter().min() else { return Ok(HashSet::new()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT listed.value FROM archive_page CROSS JOIN json_each(archive_page.items) listed
             WHERE archive_page.output = ?1 AND archive_page.last_item_id >= ?3
               AND listed.value IN (SELECT wanted.value FROM json_each(?2) wanted)",
        )?;
        let keys = json_list(keys.iter().map(|key| key.0));
        let rows =
            statement.query_map(params![output, keys, first.0], |row| Ok(ItemKey(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Numbers of the archive pages with a story that any of these feeds carries, ascending. Reads all pages since the first
    /// of these stories arrived.
    pub fn pages_with_feeds(&self, output: &str, feeds: &[FeedKey]) -> Result<Vec<u32>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT archive_page.number
             FROM archive_page CROSS JOIN json_each(archive_page.items) listed CROSS JOIN item ON item.id = listed.value
             WHERE archive_page.output = ?1 AND +archive_page.last_item_id >= (
               SELECT min(own.story_id) FROM json_each(?2) wanted CROSS JOIN item own ON own.feed_id = wanted.value
               WHERE own.hidden IS NULL)
             AND item.story_id IN (
               SELECT own.story_id FROM json_each(?2) wanted CROSS JOIN item own ON own.feed_id = wanted.value
               WHERE own.hidden IS NULL)
             ORDER BY archive_page.number",
        )?;
        let feeds = json_list(feeds.iter().map(|feed| feed.0));
        let numbers = statement.query_map(params![output, feeds], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Writes pages that are new or have grown.
    pub(super) fn write_archive_pages(
        &self,
        output: &str,
        pages: &[ArchivePage],
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO archive_page (output, number, items, last_item_id, last_released_id, is_private, row_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_digest(?1, ?2, ?3, ?4, ?5, ?6))",
        )?;
        for page in pages {
            let items = json_list(page.items.iter().map(|key| key.0));
            let (seen, late) = (page.seen.0, page.late);
            statement.execute(params![output, page.number, items, seen, late, page.is_private])?;
        }
        Ok(())
    }
}

/// Runs every statement once, for the test that none of them scans a table that grows.
#[cfg(test)]
pub(crate) fn every_method(transaction: &Transaction<'_>) {
    let items = vec![ItemKey(1)];
    let page = ArchivePage { number: 1, items, seen: ItemKey(0), late: 0, is_private: true };
    transaction.write_archive_pages("planet", std::slice::from_ref(&page)).unwrap();
    assert_eq!(transaction.growing_page("planet").unwrap().unwrap(), page);
    assert_eq!(transaction.archive_page("planet", 1).unwrap().unwrap(), page);
    assert_eq!(transaction.oldest_page("planet").unwrap(), None);
    assert_eq!(transaction.archived("planet", &page.items).unwrap().len(), 0, "of later items");
    let later = transaction.pages_with_feeds("planet", &[FeedKey(1)]).unwrap();
    assert_eq!(later.len(), 0, "of later items");
    assert_eq!(transaction.arrivals(&page, 5).unwrap().count, 2);
    assert_eq!(transaction.after_addition(&page.items).unwrap().len(), 1);
}
