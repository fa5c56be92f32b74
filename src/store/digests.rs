//! The tables of digests: the entries of closed periods, which never change, and how far each output is closed.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Rows, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::row_digest::check_intact;
use super::transaction::Transaction;
use super::values::{json_list, millis, timestamp};
use crate::model::{FeedKey, ItemKey};

/// The entry of a closed period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDigest {
    /// Number in the output; from 1, ascends with the time of closing.
    pub number: u32,
    /// The permanent id, an IRI.
    pub id: String,
    /// End of the period.
    pub ends_at: Timestamp,
    /// Time when it was closed.
    pub closed_at: Timestamp,
    /// Title of the digest, plain text.
    pub title: String,
    /// The first titles of its stories, plain text.
    pub summary: String,
    /// The stories of the digest, rendered as HTML.
    pub html: String,
    /// The leads of its stories, in their order.
    pub items: Vec<ItemKey>,
}

/// How far the periods of an output are closed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DigestState {
    /// End of the last period that is closed.
    pub closed_until: Timestamp,
    /// The last item up to which all are listed or left out.
    pub seen: ItemKey,
    /// The last release that was considered; a row id of this database.
    pub late: i64,
    /// Items after `seen` that are listed or left out.
    pub ahead: Vec<ItemKey>,
}

/// Periods of an output that are closed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedPeriods {
    /// Id of the output.
    pub output: String,
    /// How far it is closed from now on.
    pub state: DigestState,
    /// The digests of the periods that have stories.
    pub digests: Vec<StoredDigest>,
}

const DIGEST: &str = "number, id, ends_at, closed_at, title, summary, html, items,
    row_digest IS row_digest(output, number, id, ends_at, closed_at, title, summary, html, items)";

impl Transaction<'_> {
    /// How far the output is closed; `None`: no period was ever closed.
    pub fn digest_state(&self, output: &str) -> Result<Option<DigestState>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT closed_until, last_item_id, last_released_id, ahead,
                    row_digest IS row_digest(output, closed_until, last_item_id, last_released_id, ahead)
             FROM digest_state WHERE output = ?1",
        )?;
        let mut rows = statement.query([output])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        check_intact(row, 4, || format!("the last period of {output}"))?;
        Ok(Some(DigestState {
            closed_until: timestamp(row.get(0)?)?,
            seen: ItemKey(row.get(1)?),
            late: row.get(2)?,
            ahead: keys(&row.get::<_, String>(3)?)?,
        }))
    }

    /// At most `limit` digests with a text whose numbers are in the range, the highest first.
    pub fn digests(
        &self,
        output: &str,
        (first, last): (u32, u32),
        limit: usize,
    ) -> Result<Vec<StoredDigest>, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {DIGEST} FROM digest
             WHERE output = ?1 AND number BETWEEN ?2 AND ?3 AND html IS NOT NULL
             ORDER BY number DESC LIMIT ?4"
        ))?;
        read_all(statement.query(params![output, first, last, limit as i64])?)
    }

    /// At most `limit` digests with a text that ended at or after `start` and are before a position, which is an end with
    /// a number; the newest first.
    pub fn digests_before(
        &self,
        output: &str,
        (start, before): (Timestamp, (Timestamp, u32)),
        limit: usize,
    ) -> Result<Vec<StoredDigest>, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {DIGEST} FROM digest
             WHERE output = ?1 AND ends_at >= ?2 AND (ends_at, number) < (?3, ?4) AND html IS NOT NULL
             ORDER BY ends_at DESC LIMIT ?5"
        ))?;
        let (end, number) = before;
        let values = params![output, millis(start), millis(end), number, limit as i64];
        read_all(statement.query(values)?)
    }

    /// The digests with a text of these numbers, in any order.
    pub fn digests_of_numbers(
        &self,
        output: &str,
        numbers: impl IntoIterator<Item = i64>,
    ) -> Result<Vec<StoredDigest>, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {DIGEST} FROM digest WHERE output = ?1 AND html IS NOT NULL
             AND number IN (SELECT value FROM json_each(?2) wanted)"
        ))?;
        read_all(statement.query(params![output, json_list(numbers)])?)
    }

    /// Number and id of each digest, also past retention, the highest number first.
    pub fn digest_ids(&self, output: &str) -> Result<Vec<(u32, String)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, id FROM digest WHERE output = ?1 ORDER BY number DESC",
        )?;
        let rows = statement.query_map([output], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The numbers of the oldest digest with a text and of the newest one; `None`: no digest.
    pub fn digest_numbers(&self, output: &str) -> Result<Option<(u32, u32)>, Error> {
        let newest: Option<u32> = self
            .connection
            .prepare_cached(
                "SELECT number FROM digest WHERE output = ?1 ORDER BY number DESC LIMIT 1",
            )?
            .query_row([output], |row| row.get(0))
            .optional()?;
        let oldest: Option<u32> = self
            .connection
            .prepare_cached(
                "SELECT number FROM digest WHERE output = ?1 AND html IS NOT NULL ORDER BY number LIMIT 1",
            )?
            .query_row([output], |row| row.get(0))
            .optional()?;
        Ok(newest.map(|newest| (oldest.unwrap_or(newest + 1), newest)))
    }

    /// Number and end of each digest with a text, the highest number first.
    pub fn digest_ends(&self, output: &str) -> Result<Vec<(u32, Timestamp)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, ends_at FROM digest WHERE output = ?1 AND html IS NOT NULL ORDER BY number DESC",
        )?;
        let rows = statement
            .query_map([output], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?)))?;
        rows.map(|row| {
            let (number, at) = row?;
            Ok((number, timestamp(at)?))
        })
        .collect()
    }

    /// Whether the output has a digest of the period that ends at this time.
    pub fn has_digest(&self, output: &str, ends_at: Timestamp) -> Result<bool, Error> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM digest WHERE output = ?1 AND ends_at = ?2")?
            .exists(params![output, millis(ends_at)])?)
    }

    /// Those of these items that are listed in a digest of the output. Reads the lists of all its digests.
    pub fn listed(&self, output: &str, keys: &[ItemKey]) -> Result<HashSet<ItemKey>, Error> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT listed.value FROM digest CROSS JOIN json_each(digest.items) listed
             WHERE digest.output = ?1 AND listed.value IN (SELECT wanted.value FROM json_each(?2) wanted)",
        )?;
        let keys = json_list(keys.iter().map(|key| key.0));
        let rows = statement.query_map(params![output, keys], |row| Ok(ItemKey(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number and title of the digest that lists the item.
    pub fn digest_with(&self, output: &str, item: ItemKey) -> Result<Option<(u32, String)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, title FROM digest WHERE output = ?1
             AND EXISTS (SELECT 1 FROM json_each(digest.items) listed WHERE listed.value = ?2)
             ORDER BY number DESC LIMIT 1",
        )?;
        let found =
            statement.query_row(params![output, item.0], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// The last item that was first seen before this time; items ascend with the time of first sight.
    pub fn last_item_before(&self, at: Timestamp) -> Result<ItemKey, Error> {
        let last: i64 = self
            .connection
            .prepare_cached("SELECT ifnull(max(id), 0) FROM item")?
            .query_row([], |row| row.get(0))?;
        let mut next = self.connection.prepare_cached(
            "SELECT id, first_seen_at FROM item WHERE id >= ?1 ORDER BY id LIMIT 1",
        )?;
        // All items up to `before` were seen before the time, those from `from` on were not.
        let (mut before, mut from) = (0, last + 1);
        while before + 1 < from {
            let middle = before + (from - before) / 2;
            let (id, seen): (i64, i64) =
                next.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
            match seen < millis(at) {
                true => before = id.min(from - 1),
                false => from = middle,
            }
        }
        Ok(ItemKey(before))
    }

    /// Time when a feed was added.
    pub fn feed_added_at(&self, feed: FeedKey) -> Result<Option<Timestamp>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT added_at FROM feed WHERE id = ?1")?;
        let added: Option<i64> = statement.query_row([feed.0], |row| row.get(0)).optional()?;
        added.map(timestamp).transpose()
    }

    /// Writes how far an output is closed, and the digests of the periods. A digest that is stored stays as it is.
    pub(super) fn close_periods(&self, closed: &ClosedPeriods) -> Result<(), Error> {
        let ClosedPeriods { output, state, digests } = closed;
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO digest (output, number, id, ends_at, closed_at, title, summary, html, items, row_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, row_digest(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
        )?;
        for digest in digests {
            insert.execute(params![
                output,
                digest.number,
                digest.id,
                millis(digest.ends_at),
                millis(digest.closed_at),
                digest.title,
                digest.summary,
                digest.html,
                json_list(digest.items.iter().map(|key| key.0)),
            ])?;
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO digest_state (output, closed_until, last_item_id, last_released_id, ahead, row_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, row_digest(?1, ?2, ?3, ?4, ?5))",
            )?
            .execute(params![
                output,
                millis(state.closed_until),
                state.seen.0,
                state.late,
                json_list(state.ahead.iter().map(|key| key.0)),
            ])?;
        Ok(())
    }

    /// Deletes the texts of digests that were closed before this time. Returns how many.
    pub(super) fn forget_digests(&self, cutoff: Timestamp) -> Result<usize, Error> {
        Ok(self
            .connection
            .prepare_cached(
                "UPDATE digest SET html = NULL, summary = '' WHERE html IS NOT NULL AND closed_at < ?1",
            )?
            .execute([millis(cutoff)])?)
    }
}

fn keys(json: &str) -> Result<Vec<ItemKey>, Error> {
    let keys: Vec<i64> = serde_json::from_str(json)?;
    Ok(keys.into_iter().map(ItemKey).collect())
}

/// All rows of a query for [`DIGEST`].
fn read_all(mut rows: Rows<'_>) -> Result<Vec<StoredDigest>, Error> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<StoredDigest, Error> {
    let number = row.get(0)?;
    check_intact(row, 8, || format!("digest {number}"))?;
    Ok(StoredDigest {
        number,
        id: row.get(1)?,
        ends_at: timestamp(row.get(2)?)?,
        closed_at: timestamp(row.get(3)?)?,
        title: row.get(4)?,
        summary: row.get(5)?,
        html: row.get(6)?,
        items: keys(&row.get::<_, String>(7)?)?,
    })
}

/// Runs every statement once, for the test that none of them scans a table that grows.
#[cfg(test)]
pub(crate) fn every_method(transaction: &Transaction<'_>) {
    let at = |second| Timestamp::from_second(second).unwrap();
    let digest = |number: u32, ends_at| StoredDigest {
        number,
        id: format!("tag:e.org,2026:{number}"),
        ends_at: at(ends_at),
        closed_at: at(ends_at + 1),
        title: "Friday".to_owned(),
        summary: "One".to_owned(),
        html: "<p>One</p>".to_owned(),
        items: vec![ItemKey(1)],
    };
    let state =
        DigestState { closed_until: at(200), seen: ItemKey(1), late: 0, ahead: vec![ItemKey(7)] };
    assert_eq!(transaction.digest_state("daily").unwrap(), None);
    assert_eq!(transaction.digest_numbers("daily").unwrap(), None);
    let written = [digest(1, 100), digest(2, 200)];
    let closed = |digests: &[StoredDigest]| ClosedPeriods {
        output: "daily".to_owned(),
        state: state.clone(),
        digests: digests.to_vec(),
    };
    transaction.close_periods(&closed(&written)).unwrap();
    // A stored digest never changes.
    let other = StoredDigest { title: "Other".to_owned(), ..digest(2, 200) };
    transaction.close_periods(&closed(&[other])).unwrap();
    assert_eq!(transaction.digest_state("daily").unwrap(), Some(state));
    assert_eq!(transaction.digests("daily", (1, 9), 1).unwrap(), written[1..]);
    assert_eq!(transaction.digest_ends("daily").unwrap(), [(2, at(200)), (1, at(100))]);
    let before =
        |end| transaction.digests_before("daily", (at(100), (at(end), 0)), 9).unwrap().len();
    assert_eq!([before(201), before(200), before(100)], [2, 1, 0]);
    assert_eq!(transaction.digests_of_numbers("daily", [2, 7]).unwrap(), written[1..]);
    let ids = transaction.digest_ids("daily").unwrap();
    assert_eq!(ids[1], (1, "tag:e.org,2026:1".to_owned()));
    assert!(transaction.has_digest("daily", at(200)).unwrap());
    let (one, other) = (ItemKey(1), ItemKey(9));
    assert_eq!(transaction.listed("daily", &[one, other]).unwrap(), [one].into());
    let with = transaction.digest_with("daily", ItemKey(1)).unwrap();
    assert_eq!(with, Some((2, "Friday".to_owned())));
    assert_eq!(transaction.forget_digests(at(150)).unwrap(), 1);
    assert_eq!(transaction.digest_numbers("daily").unwrap(), Some((2, 2)));
    assert_eq!(transaction.last_item_before(Timestamp::UNIX_EPOCH).unwrap(), ItemKey(0));
    assert!(transaction.last_item_before(Timestamp::MAX).unwrap() > ItemKey(0));
    assert_eq!(transaction.feed_added_at(FeedKey(999)).unwrap(), None);
}
