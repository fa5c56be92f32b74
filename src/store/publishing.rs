//! When the items of a feed came, from the tables `item` and `poll`.

use jiff::Timestamp;
use rusqlite::params;

use super::error::Error;
use super::transaction::Transaction;
use super::values::timestamp;
use crate::model::{FeedKey, PollYield, Publishing};

/// Number of items, and of polls, from which the interval of a feed is learned.
const ARRIVALS: i64 = 60;

impl Transaction<'_> {
    /// How the feed has published lately.
    ///
    /// # Errors
    /// When the database fails.
    pub fn publishing(&self, feed: FeedKey) -> Result<Publishing, Error> {
        Ok(Publishing { times: self.item_times(feed)?, polls: self.poll_yields(feed)? })
    }

    /// Times of the feed's newest items, the newest first; without items, the time when it was added.
    fn item_times(&self, feed: FeedKey) -> Result<Vec<Timestamp>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sort_at FROM item WHERE feed_id = ?1 AND hidden IS NULL
             ORDER BY sort_at DESC, id DESC LIMIT ?2",
        )?;
        let mut rows = statement.query(params![feed.0, ARRIVALS])?;
        let mut seen = Vec::new();
        while let Some(row) = rows.next()? {
            seen.push(timestamp(row.get(0)?)?);
        }
        if seen.is_empty() {
            let mut added =
                self.connection.prepare_cached("SELECT added_at FROM feed WHERE id = ?1")?;
            let mut rows = added.query([feed.0])?;
            if let Some(row) = rows.next()? {
                seen.push(timestamp(row.get(0)?)?);
            }
        }
        Ok(seen)
    }

    /// The feed's last successful polls, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn poll_yields(&self, feed: FeedKey) -> Result<Vec<PollYield>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, new_items, unseen_items, items FROM poll
             WHERE feed_id = ?1 AND outcome IN ('modified', 'not_modified')
             ORDER BY at DESC LIMIT ?2",
        )?;
        let mut rows = statement.query(params![feed.0, ARRIVALS])?;
        let mut polls = Vec::new();
        while let Some(row) = rows.next()? {
            let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            polls.push(PollYield {
                at: timestamp(row.get(0)?)?,
                new: number(row.get(1)?),
                unseen: number(row.get(2)?),
                items: row.get::<_, Option<u32>>(3)?.map(number),
            });
        }
        polls.reverse();
        Ok(polls)
    }
}
