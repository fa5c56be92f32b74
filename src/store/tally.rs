//! What polls add up to: all of an hour together, and for one feed all since its last news.
//!
//! Counted as polls are written, so that nobody who looks has to read two weeks of them.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::error::Error;
use super::rows::{millis, timestamp};
use super::update::{PollCounts, PollUpdate};
use crate::model::FetchOutcome;

const HOUR: i64 = 3_600_000;
/// Polls older than this are forgotten, in milliseconds: two weeks.
pub(super) const POLL_HISTORY: i64 = 14 * 86_400_000;

/// The upper ends of the buckets that delays are counted in, in seconds; one more has no end.
pub const DELAY_BUCKETS: [i64; 11] =
    [300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 172_800, 604_800];

/// All polls of an hour together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourCounts {
    /// When it began.
    pub at: Timestamp,
    /// Polls of all feeds.
    pub polls: u64,
    /// Of these, those that were no success.
    pub failed: u64,
    /// Of these, those that were a success and brought nothing.
    pub unchanged: u64,
    /// Of all bodies, as they came over the wire.
    pub wire_bytes: u64,
    /// Never seen before.
    pub new_items: u64,
    /// How many new items took how long from publication to first sight: see [`DELAY_BUCKETS`]. Those of a
    /// feed's first poll are left out.
    pub delays: [u64; DELAY_BUCKETS.len() + 1],
}

/// Counts a poll, before it is written into its feed's row.
pub(crate) fn count(
    connection: &Connection,
    update: &PollUpdate,
    recorded: &PollCounts,
) -> Result<(), Error> {
    let (at, success) = (millis(update.at), update.outcome.is_success());
    let hour = at.div_euclid(HOUR);
    let idle = success && recorded.new + recorded.changed == 0;
    connection
        .prepare_cached(
            "INSERT INTO hour (hour, polls, failed, unchanged, wire_bytes, new_items) VALUES (?1, 1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET polls = polls + 1, failed = failed + ?2, unchanged = unchanged + ?3,
                                       wire_bytes = wire_bytes + ?4, new_items = new_items + ?5",
        )?
        .execute(params![hour, !success, idle, update.bytes.wire as i64, recorded.new as i64])?;
    for table in ["hour", "delay"] {
        let sql = format!("DELETE FROM {table} WHERE hour < ?1");
        connection.prepare_cached(&sql)?.execute([(at - POLL_HISTORY).div_euclid(HOUR)])?;
    }
    delays(connection, update, hour)?;
    if success {
        pulse(connection, update, recorded)?;
    }
    Ok(())
}

/// How late the new items were, unless the feed is new itself.
fn delays(connection: &Connection, update: &PollUpdate, hour: i64) -> Result<(), Error> {
    if update.new.is_empty() {
        return Ok(());
    }
    let known = connection
        .prepare_cached("SELECT items > 0 FROM feed WHERE id = ?1")?
        .query_row([update.feed.0], |row| row.get::<_, bool>(0))?;
    if !known {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO delay (hour, bucket, items) VALUES (?1, ?2, 1)
         ON CONFLICT DO UPDATE SET items = items + 1",
    )?;
    for published in update.new.iter().filter_map(|new| new.item.published) {
        let late = update.at.duration_since(published).as_secs().max(0);
        let bucket = DELAY_BUCKETS.iter().take_while(|end| late >= **end).count();
        statement.execute(params![hour, bucket as i64])?;
    }
    Ok(())
}

/// What a success says of whether the feed still lives.
fn pulse(connection: &Connection, update: &PollUpdate, recorded: &PollCounts) -> Result<(), Error> {
    let at = millis(update.at);
    if recorded.new + recorded.held > 0 {
        connection
            .prepare_cached(
                "UPDATE feed SET still_304 = 0, still_same = 0, still_other = 0, empty_since = NULL,
                        longest_gap = CASE WHEN last_new_at < ?2
                                           THEN max(ifnull(longest_gap, 0), ?2 - last_new_at)
                                           ELSE longest_gap END
                 WHERE id = ?1",
            )?
            .execute(params![update.feed.0, at])?;
        return Ok(());
    }
    let unmodified = update.outcome == FetchOutcome::NotModified;
    let kind = match update.status {
        Some(304) => "still_304",
        _ if unmodified => "still_same",
        _ => "still_other",
    };
    let sql = format!("UPDATE feed SET {kind} = {kind} + 1 WHERE id = ?1");
    connection.prepare_cached(&sql)?.execute([update.feed.0])?;
    if let Some(items) = update.document.as_ref().and_then(|facts| facts.items) {
        connection
            .prepare_cached(
                "UPDATE feed SET empty_since = CASE WHEN ?2 = 0 AND items > 0
                                                    THEN ifnull(empty_since, ?3) END WHERE id = ?1",
            )?
            .execute(params![update.feed.0, items as i64, at])?;
    }
    Ok(())
}

/// What all polls did, hour by hour, since; hours without a poll are left out.
pub(crate) fn hours(connection: &Connection, since: Timestamp) -> Result<Vec<HourCounts>, Error> {
    let since = millis(since).div_euclid(HOUR);
    let mut statement = connection.prepare_cached(
        "SELECT hour, polls, failed, unchanged, wire_bytes, new_items FROM hour WHERE hour >= ?1 ORDER BY hour",
    )?;
    let mut rows = statement.query([since])?;
    let mut hours = Vec::new();
    while let Some(row) = rows.next()? {
        let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        hours.push(HourCounts {
            at: timestamp(row.get::<_, i64>(0)?.saturating_mul(HOUR))?,
            polls: number(1)?,
            failed: number(2)?,
            unchanged: number(3)?,
            wire_bytes: number(4)?,
            new_items: number(5)?,
            delays: Default::default(),
        });
    }
    let mut statement =
        connection.prepare_cached("SELECT hour, bucket, items FROM delay WHERE hour >= ?1")?;
    let mut rows = statement.query([since])?;
    while let Some(row) = rows.next()? {
        let at = timestamp(row.get::<_, i64>(0)?.saturating_mul(HOUR))?;
        let (bucket, items): (i64, i64) = (row.get(1)?, row.get(2)?);
        let found = hours.binary_search_by_key(&at, |hour| hour.at).ok();
        let bucket = usize::try_from(bucket).unwrap_or_default();
        if let Some(held) = found.and_then(|found| hours[found].delays.get_mut(bucket)) {
            *held = items.unsigned_abs();
        }
    }
    Ok(hours)
}
