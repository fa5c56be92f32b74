//! The verbs of the archive: which items stand on which page. Leaves choosing to `publication`.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Error;
use super::read::{Head, head};
use super::rows::json_list;
use crate::model::{FeedKey, ItemKey};

/// A page of an output's archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivePage {
    /// From 1, ascends with time.
    pub number: u32,
    /// What stands on it, in order of arrival.
    pub items: Vec<ItemKey>,
    /// The last item that was looked at for it.
    pub seen: ItemKey,
}

/// The page that still grows; `None` where nothing was archived yet. Those before it are complete.
pub(crate) fn growing(connection: &Connection, output: &str) -> Result<Option<ArchivePage>, Error> {
    let sql = "SELECT number, items, seen FROM archive WHERE output = ?1
               ORDER BY number DESC LIMIT 1";
    page(connection, sql, &[&output])
}

/// One page, complete or not.
pub(crate) fn numbered(
    connection: &Connection,
    output: &str,
    number: u32,
) -> Result<Option<ArchivePage>, Error> {
    let sql = "SELECT number, items, seen FROM archive WHERE output = ?1 AND number = ?2";
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
        .query_row(parameters, |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))
        .optional()?;
    let Some((number, items, seen)) = row else { return Ok(None) };
    let items: Vec<i64> = serde_json::from_str(&items)?;
    let items = items.into_iter().map(ItemKey).collect();
    Ok(Some(ArchivePage { number, items, seen: ItemKey(seen) }))
}

/// The next `limit` items of all feeds in order of arrival, behind `after`.
pub(crate) fn arrivals(
    connection: &Connection,
    after: ItemKey,
    limit: usize,
) -> Result<Vec<Head>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, story_id, sort_at, feed_id FROM item WHERE id > ?1 AND held IS NULL
         ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after.0, limit as i64])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        heads.push(head(row, FeedKey(row.get(3)?))?);
    }
    Ok(heads)
}

/// Writes pages that are new or have grown.
pub(crate) fn write(
    connection: &Connection,
    output: &str,
    pages: &[ArchivePage],
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO archive (output, number, items, seen) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for page in pages {
        let items = json_list(page.items.iter().map(|key| key.0));
        statement.execute(params![output, page.number, items, page.seen.0])?;
    }
    Ok(())
}
