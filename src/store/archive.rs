//! The archive tables: which items are on which page. Leaves choosing to `outputs`.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::read::{ItemHead, head};
use super::rows::json_list;
use crate::model::{FeedKey, ItemKey};

/// A page of an output's archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivePage {
    /// From 1, ascends with time.
    pub number: u32,
    /// What stands on it, in order of arrival.
    pub items: Vec<ItemKey>,
    /// The last item that was looked at for it.
    pub seen: ItemKey,
    /// The last release that was looked at for it: a row, meaningless elsewhere.
    pub late: i64,
}

/// What has arrived since a page was last looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrivals {
    /// In order of arrival; those that wait are left out, and come when they are released.
    pub heads: Vec<ItemHead>,
    /// How many were looked at, those that wait among them.
    pub count: usize,
    /// The last item of them.
    pub seen: ItemKey,
    /// The last release.
    pub late: i64,
}

/// The page that still grows; `None` where nothing was archived yet. Those before it are complete.
pub(crate) fn growing(connection: &Connection, output: &str) -> Result<Option<ArchivePage>, Error> {
    let sql = "SELECT number, items, seen, late FROM archive WHERE output = ?1
               ORDER BY number DESC LIMIT 1";
    page(connection, sql, &[&output])
}

/// One page, complete or not.
pub(crate) fn numbered(
    connection: &Connection,
    output: &str,
    number: u32,
) -> Result<Option<ArchivePage>, Error> {
    let sql = "SELECT number, items, seen, late FROM archive WHERE output = ?1 AND number = ?2";
    page(connection, sql, &[&output, &number])
}

/// The number of the oldest page that may still have something to show: whose last item has a body,
/// or comes after one that has.
pub(crate) fn oldest(connection: &Connection, output: &str) -> Result<Option<u32>, Error> {
    let oldest = connection
        .prepare_cached(
            "SELECT number FROM archive
             WHERE output = ?1 AND seen >= (SELECT ifnull(min(item_id), 0) FROM body)
             ORDER BY number LIMIT 1",
        )?
        .query_row([output], |row| row.get(0))
        .optional()?;
    Ok(oldest)
}

fn page(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Option<ArchivePage>, Error> {
    let row = connection
        .prepare_cached(sql)?
        .query_row(parameters, |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((number, items, seen, late)) = row else { return Ok(None) };
    let items: Vec<i64> = serde_json::from_str(&items)?;
    let items = items.into_iter().map(ItemKey).collect();
    Ok(Some(ArchivePage { number, items, seen: ItemKey(seen), late }))
}

/// At most `limit` items of all feeds that arrived, or were released, since `page` was written.
pub(crate) fn arrivals(
    connection: &Connection,
    page: &ArchivePage,
    limit: usize,
) -> Result<Arrivals, Error> {
    let mut arrivals = Arrivals { seen: page.seen, late: page.late, ..Arrivals::default() };
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.story_id, item.sort_at, item.feed_id, released.id, item.hidden IS NULL FROM released
         JOIN item ON item.id = released.item_id
         WHERE released.id > ?1 ORDER BY released.id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![page.late, limit as i64])?;
    while let Some(row) = rows.next()? {
        // It is pending: what comes behind it waits with it.
        if !row.get::<_, bool>(5)? {
            break;
        }
        arrivals.count += 1;
        arrivals.late = row.get(4)?;
        let head = head(row, FeedKey(row.get(3)?))?;
        // What was released before it was looked at comes in its turn.
        if head.key <= page.seen {
            arrivals.heads.push(head);
        }
    }
    let mut statement = connection.prepare_cached(
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

/// Those of these items that stand on a page of the output. Reads the whole archive of the output:
/// for what hardly ever comes about.
pub(crate) fn archived(
    connection: &Connection,
    output: &str,
    keys: &[ItemKey],
) -> Result<HashSet<ItemKey>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT entry.value FROM archive, json_each(archive.items) entry
         WHERE archive.output = ?1 AND entry.value IN (SELECT value FROM json_each(?2))",
    )?;
    let keys = json_list(keys.iter().map(|key| key.0));
    let rows = statement.query_map(params![output, keys], |row| Ok(ItemKey(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes pages that are new or have grown.
pub(crate) fn write(
    connection: &Connection,
    output: &str,
    pages: &[ArchivePage],
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO archive (output, number, items, seen, late)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for page in pages {
        let items = json_list(page.items.iter().map(|key| key.0));
        statement.execute(params![output, page.number, items, page.seen.0, page.late])?;
    }
    Ok(())
}

/// Every statement once, for the test that none scans a table that grows.
#[cfg(test)]
pub(crate) fn every_verb(connection: &Connection) {
    let page = ArchivePage { number: 1, items: vec![ItemKey(1)], seen: ItemKey(0), late: 0 };
    write(connection, "planet", std::slice::from_ref(&page)).unwrap();
    assert_eq!(growing(connection, "planet").unwrap().unwrap(), page);
    assert_eq!(numbered(connection, "planet", 1).unwrap().unwrap(), page);
    assert_eq!(oldest(connection, "planet").unwrap(), None);
    assert_eq!(arrivals(connection, &page, 5).unwrap().count, 2);
}
