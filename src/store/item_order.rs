//! The order of items in outputs, from the index `item_order` alone.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::error::Error;
use super::transaction::Transaction;
use super::values::{json_list, millis, timestamp};
use crate::model::{FeedKey, ItemKey, OutputItem, StoryKey};

/// An item's position in the order of an output, without its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemHead {
    /// Feed of the item.
    pub feed: FeedKey,
    /// Key of the item.
    pub key: ItemKey,
    /// Story of the item.
    pub story: StoryKey,
    /// Position in the order; see `OutputItem::sort_at`.
    pub sort_at: Timestamp,
}

impl ItemHead {
    /// Checks that the item is where an index says, and in the same story.
    ///
    /// # Errors
    /// When it is not: the database is damaged.
    pub fn check(&self, item: &OutputItem) -> Result<(), Error> {
        let is_intact =
            (item.feed.key, item.story, item.sort_at) == (self.feed, self.story, self.sort_at);
        is_intact
            .then_some(())
            .ok_or_else(|| Error::Corrupt(format!("the index of the item {}", self.key.0)))
    }
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

impl Transaction<'_> {
    /// The next `limit` items of one feed in the order, behind `after`, or from the newest on.
    pub fn newest_items(
        &self,
        feed: FeedKey,
        after: Option<ItemHead>,
        limit: usize,
    ) -> Result<Vec<ItemHead>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, story_id, sort_at FROM item
             WHERE feed_id = ?1 AND hidden IS NULL AND (sort_at, id) < (?2, ?3)
             ORDER BY sort_at DESC, id DESC LIMIT ?4",
        )?;
        let (at, key) =
            after.map_or((i64::MAX, i64::MAX), |head| (millis(head.sort_at), head.key.0));
        let mut rows = statement.query(params![feed.0, at, key, limit as i64])?;
        let mut heads: Vec<ItemHead> = Vec::new();
        while let Some(row) = rows.next()? {
            let head = head(row, feed)?;
            // The rows come from the index alone, in which SQLite does not notice a bit that flips.
            let before = heads.last().or(after.as_ref());
            if before.is_some_and(|before| (before.sort_at, before.key) <= (head.sort_at, head.key))
            {
                return Err(Error::Corrupt(format!("the order of the items of feed {}", feed.0)));
            }
            heads.push(head);
        }
        Ok(heads)
    }

    /// The next `limit` items of each of these feeds from a sort time with a key on, that one included, the oldest first.
    pub fn items_from(
        &self,
        feeds: &[FeedKey],
        (at, key): (Timestamp, ItemKey),
        limit: usize,
    ) -> Result<Vec<ItemHead>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, story_id, sort_at, feed_id FROM json_each(?1) wanted CROSS JOIN item WHERE item.id IN (
                 SELECT own.id FROM item own WHERE own.feed_id = wanted.value AND own.hidden IS NULL
                 AND (own.sort_at, own.id) >= (?2, ?3) ORDER BY own.sort_at, own.id LIMIT ?4)",
        )?;
        let feeds = json_list(feeds.iter().map(|feed| feed.0));
        let mut rows = statement.query(params![feeds, millis(at), key.0, limit as i64])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            heads.push(head(row, FeedKey(row.get(3)?))?);
        }
        heads.sort_unstable_by_key(|head| (head.sort_at, head.key));
        Ok(heads)
    }

    /// Sort time and feed of the newest item of these feeds that is older than `before`.
    pub fn newest_before(
        &self,
        feeds: &[FeedKey],
        before: Timestamp,
    ) -> Result<Option<(Timestamp, FeedKey)>, Error> {
        let feeds = json_list(feeds.iter().map(|feed| feed.0));
        // SQLite takes other columns from the row that has the maximum.
        let mut statement = self.connection.prepare_cached(
            "SELECT max((SELECT sort_at FROM item WHERE feed_id = wanted.value AND hidden IS NULL
                         AND sort_at < ?2 ORDER BY sort_at DESC LIMIT 1)), wanted.value FROM json_each(?1) wanted",
        )?;
        let (newest, feed): (Option<i64>, Option<i64>) = statement
            .query_row(params![feeds, millis(before)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some((newest, feed)) = newest.zip(feed) else { return Ok(None) };
        Ok(Some((timestamp(newest)?, FeedKey(feed))))
    }
}
