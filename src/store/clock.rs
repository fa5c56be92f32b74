//! Which clock the times of polls, plans and promises refer to.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::error::Error;
use super::feed_state::{STATE, Which};
use super::transaction::Transaction;
use super::values::{maybe, millis, timestamp};
use crate::model::ClockMark;

/// Statements that move times by `?1` milliseconds. The time of a new feed, 0, stays.
const MOVES: [&str; 4] = [
    "UPDATE feed SET last_poll_at = last_poll_at + ?1, reread_at = reread_at + ?1, last_full_at = last_full_at + ?1,
            checked_at = checked_at + ?1, moved_since = moved_since + ?1,
            next_poll_at = CASE WHEN next_poll_at > 0 THEN max(next_poll_at + ?1, 1) ELSE 0 END",
    "UPDATE promise SET until = until + ?1, at = at + ?1, asked_at = asked_at + ?1",
    "UPDATE asked SET at = at + ?1, full_at = full_at + ?1",
    "UPDATE shared_document SET at = at + ?1",
];

impl Transaction<'_> {
    /// The clock that stored times are by, and the latest time of a poll.
    pub fn clock_mark(&self) -> Result<(Option<ClockMark>, Option<Timestamp>), Error> {
        let mark = |row: &rusqlite::Row<'_>| {
            let mark = ClockMark { boot: row.get(0)?, offset: row.get(1)?, set_at: None };
            Ok((mark, row.get::<_, Option<i64>>(2)?))
        };
        let sql = "SELECT boot, offset, set_at FROM clock";
        let mark = match self.connection.query_row(sql, [], mark).optional()? {
            Some((mark, set_at)) => Some(ClockMark { set_at: maybe(set_at)?, ..mark }),
            None => None,
        };
        // A time that was altered would make the clock look wrong, so that nothing is polled.
        let sql = format!(
            "SELECT last_poll_at FROM feed WHERE id = ?1 AND state_digest = row_digest({STATE})"
        );
        let mut intact = self.connection.prepare(&sql)?;
        let sql = "SELECT id FROM feed WHERE last_poll_at IS NOT NULL ORDER BY last_poll_at DESC";
        let mut latest = self.connection.prepare(sql)?;
        let mut feeds = latest.query([])?;
        while let Some(feed) = feeds.next()? {
            let time = |row: &rusqlite::Row<'_>| row.get(0);
            if let Some(last) = intact.query_row([feed.get::<_, i64>(0)?], time).optional()? {
                return Ok((mark, Some(timestamp(last)?)));
            }
        }
        Ok((mark, None))
    }

    /// Moves the stored times by `by`, and notes the clock that they are by.
    pub(super) fn move_clock(&self, mark: &ClockMark, by: SignedDuration) -> Result<(), Error> {
        let by = i64::try_from(by.as_millis()).unwrap_or(0);
        if by != 0 {
            self.change_states(Which::All, || {
                for statement in MOVES {
                    self.connection.execute(statement, [by])?;
                }
                Ok(())
            })?;
        }
        let sql = "INSERT OR REPLACE INTO clock (id, boot, offset, set_at) VALUES (1, ?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![
            mark.boot,
            mark.offset,
            mark.set_at.map(millis)
        ])?;
        Ok(())
    }
}
