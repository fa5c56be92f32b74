//! What the search for like texts remembers over a restart: keys of items in the window, and weights
//! of words. Leaves what they mean to `dedupe`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Error;
use super::rows::{millis, timestamp};
use crate::model::{FeedKey, ItemKey};

/// The keys of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketched {
    /// Its row.
    pub key: ItemKey,
    /// Its feed.
    pub feed: FeedKey,
    /// When it was taken in.
    pub at: Timestamp,
    /// 4 bytes each.
    pub sketch: Vec<u8>,
}

/// The keys of all items taken in since, the oldest first; what waits is left out.
pub(crate) fn since(connection: &Connection, since: Timestamp) -> Result<Vec<Sketched>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT sketch.item_id, sketch.feed_id, sketch.at, sketch.keys
         FROM sketch JOIN item ON item.id = sketch.item_id
         WHERE sketch.at >= ?1 AND item.held IS NULL ORDER BY sketch.item_id",
    )?;
    let mut rows = statement.query([millis(since)])?;
    let mut sketches = Vec::new();
    while let Some(row) = rows.next()? {
        sketches.push(Sketched {
            key: ItemKey(row.get(0)?),
            feed: FeedKey(row.get(1)?),
            at: timestamp(row.get(2)?)?,
            sketch: row.get(3)?,
        });
    }
    Ok(sketches)
}

/// Deletes the keys of items taken in before `cutoff`.
pub(crate) fn forget(connection: &Connection, cutoff: Timestamp) -> Result<usize, Error> {
    // The table holds the window and little more: a walk through it once an hour is cheap.
    Ok(connection.execute("DELETE FROM sketch WHERE at < ?1", [millis(cutoff)])?)
}

/// What words prove, as last learnt, and when.
pub(crate) fn weights(connection: &Connection) -> Result<Option<(Timestamp, Vec<u8>)>, Error> {
    let row: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT at, learnt FROM weight WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(at, learnt)| Ok((timestamp(at)?, learnt))).transpose()
}

/// Remembers what words prove from now on.
pub(crate) fn write_weights(
    connection: &Connection,
    now: Timestamp,
    learnt: &[u8],
) -> Result<(), Error> {
    connection.execute(
        "INSERT OR REPLACE INTO weight (id, at, learnt) VALUES (1, ?1, ?2)",
        params![millis(now), learnt],
    )?;
    Ok(())
}
