//! What is recorded of the past: for `newswire why` and `newswire plan`. Reads whole tables, which a
//! person who asks may, and the daemon never does.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::error::Error;
use super::rows::{outcome, timestamp};
use crate::model::{Considered, FeedKey, ItemKey, Outcome, StoryKey};

/// One poll of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollRecord {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP; `None`: no response.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// Of the body, as it came over the wire.
    pub wire_bytes: u64,
    /// Never seen before.
    pub new_items: u64,
    /// Changed in place.
    pub changed_items: u64,
    /// What there was to say.
    pub message: Option<String>,
}

/// What the past tells of one feed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeedHistory {
    /// Polls in the last two weeks.
    pub polls: u64,
    /// Of these, how many the server answered with "not modified" and without a body.
    pub not_modified: u64,
    /// Of these, how many brought the same body again.
    pub same_body: u64,
    /// The mean size of a whole answer, in bytes on the wire; 0: there was none.
    pub mean_bytes: f64,
    /// At how many different moments items came, but for the first poll.
    pub arrivals: u64,
    /// From the first poll to the last, in seconds.
    pub span: f64,
    /// From publication to first sight, in seconds, of items that came after the first poll.
    pub delays: Vec<f64>,
    /// Every input of the plan in force.
    pub considered: Vec<Considered>,
}

/// The last polls of a feed, the newest first.
pub(crate) fn polls(
    connection: &Connection,
    feed: FeedKey,
    limit: usize,
) -> Result<Vec<PollRecord>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT at, outcome, status, duration, wire_bytes, new_items, changed_items, message FROM poll
         WHERE feed_id = ?1 ORDER BY at DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![feed.0, limit as i64])?;
    let mut polls = Vec::new();
    while let Some(row) = rows.next()? {
        polls.push(PollRecord {
            at: timestamp(row.get(0)?)?,
            outcome: outcome(&row.get::<_, String>(1)?)?,
            status: row.get(2)?,
            duration: Duration::from_millis(row.get::<_, i64>(3)?.unsigned_abs()),
            wire_bytes: row.get::<_, i64>(4)?.unsigned_abs(),
            new_items: row.get::<_, i64>(5)?.unsigned_abs(),
            changed_items: row.get::<_, i64>(6)?.unsigned_abs(),
            message: row.get(7)?,
        });
    }
    Ok(polls)
}

/// Every input of a feed's plan in force.
pub(crate) fn considered(connection: &Connection, feed: FeedKey) -> Result<Vec<Considered>, Error> {
    let mut statement = connection.prepare_cached("SELECT considered FROM feed WHERE id = ?1")?;
    let text: String = statement.query_row([feed.0], |row| row.get(0))?;
    Ok(serde_json::from_str(&text)?)
}

/// How a feed published lately.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BurstHistory {
    /// New items of each poll that brought any, the first poll left out.
    pub bursts: Vec<u32>,
    /// Items a day since the first poll that is remembered.
    pub per_day: f32,
}

/// How a feed published lately.
pub(crate) fn bursts(
    connection: &Connection,
    feed: FeedKey,
    now: Timestamp,
) -> Result<BurstHistory, Error> {
    let mut statement = connection
        .prepare_cached("SELECT at, new_items FROM poll WHERE feed_id = ?1 ORDER BY at LIMIT -1")?;
    let mut rows = statement.query([feed.0])?;
    let (mut first, mut bursts): (Option<i64>, Vec<u32>) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        let (at, new): (i64, u32) = (row.get(0)?, row.get(1)?);
        if first.is_none() {
            first = Some(at);
        } else if new > 0 {
            bursts.push(new);
        }
    }
    let days = first.map_or(0.0, |first| (now.as_millisecond() - first) as f32 / 86_400_000.0);
    let all: u32 = bursts.iter().sum();
    let per_day = if days > 0.0 { all as f32 / days.max(1.0) } else { 0.0 };
    Ok(BurstHistory { bursts, per_day })
}

/// The story of each item first seen since.
pub(crate) fn stories(
    connection: &Connection,
    since: Timestamp,
) -> Result<HashMap<ItemKey, StoryKey>, Error> {
    let mut statement =
        connection.prepare("SELECT id, story_id FROM item WHERE first_seen_at >= ?1")?;
    let rows = statement.query_map([since.as_millisecond()], |row| {
        Ok((ItemKey(row.get(0)?), StoryKey(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the past tells of each feed.
pub(crate) fn past(connection: &Connection) -> Result<HashMap<FeedKey, FeedHistory>, Error> {
    let mut all: HashMap<FeedKey, FeedHistory> = HashMap::new();
    let mut statement = connection.prepare(
        "SELECT feed_id, count(*), sum(outcome = 'not_modified' AND wire_bytes = 0),
                sum(outcome = 'not_modified' AND wire_bytes > 0),
                ifnull(avg(CASE WHEN wire_bytes > 0 THEN wire_bytes END), 0), min(at), max(at)
         FROM poll GROUP BY feed_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let past = all.entry(FeedKey(row.get(0)?)).or_default();
        past.polls = row.get::<_, i64>(1)?.unsigned_abs();
        past.not_modified = row.get::<_, i64>(2)?.unsigned_abs();
        past.same_body = row.get::<_, i64>(3)?.unsigned_abs();
        past.mean_bytes = row.get(4)?;
        past.span = (row.get::<_, i64>(6)? - row.get::<_, i64>(5)?) as f64 / 1000.0;
    }
    arrivals(connection, &mut all)?;
    let mut statement = connection.prepare("SELECT id, considered FROM feed WHERE active = 1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let past = all.entry(FeedKey(row.get(0)?)).or_default();
        past.considered = serde_json::from_str(&row.get::<_, String>(1)?)?;
    }
    Ok(all)
}

/// When items came, within the time that polls are kept.
fn arrivals(connection: &Connection, all: &mut HashMap<FeedKey, FeedHistory>) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT item.feed_id, item.first_seen_at, item.published_at
         FROM item JOIN (SELECT feed_id, min(at) AS since FROM poll GROUP BY feed_id) AS polled
              ON polled.feed_id = item.feed_id AND item.first_seen_at > polled.since
         ORDER BY item.feed_id, item.first_seen_at",
    )?;
    let mut rows = statement.query([])?;
    let mut last: Option<(i64, i64)> = None;
    while let Some(row) = rows.next()? {
        let (feed, seen, published): (i64, i64, Option<i64>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let past = all.entry(FeedKey(feed)).or_default();
        if last != Some((feed, seen)) {
            past.arrivals += 1;
            last = Some((feed, seen));
        }
        past.delays.extend(published.map(|published| (seen - published).max(0) as f64 / 1000.0));
    }
    Ok(())
}
