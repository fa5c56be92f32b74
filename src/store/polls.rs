//! The tables of polls: one row for each poll, and the counts of each hour.
//!
//! Polls are counted when they are written, so that no reader has to add up two weeks of them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;

use super::error::Error;
use super::poll_update::{PollCounts, PollUpdate, Redated};
use super::row_digest::{FEED, Which, altered};
use super::search::Unindexed;
use super::transaction::Transaction;
use super::values::{digests_to_bytes, maybe, millis, outcome, timestamp};
use crate::model::{
    Considered, Dialect, FeedKey, FetchOutcome, GuidUse, Hints, HoldReason, Outcome, ReasonKind,
};

const HOUR: i64 = 3_600_000;
/// Polls older than this are forgotten, in milliseconds: two weeks.
const POLL_HISTORY: i64 = 14 * 86_400_000;

/// Upper ends of the ranges in which delays are counted, in seconds; one more range has no end.
pub const DELAY_BUCKETS: [i64; 11] =
    [300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 172_800, 604_800];

/// Totals of all polls of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourCounts {
    /// Start of the hour.
    pub at: Timestamp,
    /// Number of polls of all feeds.
    pub polls: u64,
    /// Number of polls without success.
    pub failed: u64,
    /// Number of successful polls without new or changed items.
    pub unchanged: u64,
    /// Size of all bodies as sent, in bytes.
    pub wire_bytes: u64,
    /// Number of new items.
    pub new_items: u64,
    /// How many new items took how long from publication to first sight: see [`DELAY_BUCKETS`]. Those of a
    /// feed's first poll are left out.
    pub delays: [u64; DELAY_BUCKETS.len() + 1],
}

/// One poll that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollRecord {
    /// Start of the poll.
    pub at: Timestamp,
    /// Outcome of the poll.
    pub outcome: Outcome,
    /// HTTP status; `None`: no response.
    pub status: Option<u16>,
    /// Duration of the poll.
    pub duration: Duration,
    /// Size of the body as sent, in bytes.
    pub wire_bytes: u64,
    /// Number of new items.
    pub new_items: u64,
    /// Number of changed items.
    pub changed_items: u64,
    /// Message of a failure.
    pub message: Option<String>,
}

impl PollRecord {
    /// Why the poll had no success, plain text without a full stop; `None`: it had.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let text = match self.outcome {
            Outcome::Throttled => Some("the server asks for fewer requests"),
            Outcome::Gone => Some("the server answers that the feed is gone"),
            Outcome::Modified | Outcome::NotModified | Outcome::Failed(_) => None,
        };
        self.message.as_deref().or(text)
    }
}

/// Statistics of one feed over the last two weeks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeedHistory {
    /// Number of all polls in this time.
    pub polls: u64,
    /// Number of polls that the server answered with 304 and without a body.
    pub not_modified: u64,
    /// Number of polls that brought the same body again.
    pub same_body: u64,
    /// Mean size of a complete response as sent, in bytes; 0: there was none.
    pub mean_bytes: f64,
    /// Number of different times at which items came, without the first poll.
    pub arrivals: u64,
    /// From the first poll to the last, in seconds.
    pub span: f64,
    /// Time from publication to first sight of each item that came after the first poll, in seconds.
    pub delays: Vec<f64>,
    /// Every input of the current plan.
    pub considered: Vec<Considered>,
    /// Publisher hints of the last document that was read.
    pub hints: Hints,
}

impl Transaction<'_> {
    /// Writes everything of one poll. Returns the counts, and the items to be indexed.
    pub(super) fn write_poll(
        &self,
        update: &PollUpdate,
    ) -> Result<(PollCounts, Vec<Unindexed>), Error> {
        let mut recorded = PollCounts { changed: update.changed.len(), ..PollCounts::default() };
        let mut next = self.next_item_key()?;
        let mut unindexed = Vec::with_capacity(update.new.len());
        for (at, new) in update.new.iter().enumerate() {
            if let Some(key) = self.recovered(update.feed, new)? {
                self.complete_recovered(update, new, key)?;
                recorded.changed += 1;
                self.mark_pending(key)?;
                unindexed.push(Unindexed::Recovered(key, at));
                continue;
            }
            if !self.insert_item(update, new, next)? {
                continue;
            }
            if let Some(date) = new.dated {
                self.redate(Redated { key: next, date })?;
            }
            match new.held {
                Some(HoldReason::Filtered) => recorded.filtered += 1,
                Some(HoldReason::History | HoldReason::Burst) => recorded.held += 1,
                None => {
                    recorded.new += 1;
                    self.mark_pending(next)?;
                }
            }
            unindexed.push(Unindexed::New(next, at));
            next.0 += 1;
        }
        for renamed in &update.guid_changes {
            self.add_guid(update, renamed)?;
            recorded.guid_changes += 1;
        }
        self.forget_guids(update.feed, &update.guid_changes)?;
        for redated in &update.redated {
            self.redate(*redated)?;
        }
        for (at, changed) in update.changed.iter().enumerate() {
            if self.update_item(update, changed)? {
                self.mark_pending(changed.key)?;
                unindexed.push(Unindexed::Changed(changed.key, at));
            }
        }
        self.change_states(Which::One(update.feed), || {
            self.count_poll(update, &recorded)?;
            self.update_polled_feed(update, &recorded)
        })?;
        self.insert_poll(update, &recorded)?;
        self.write_promises(&update.promises)?;
        self.exonerate(&update.exonerated)?;
        self.release_waiting(&update.released)?;
        self.write_shared(update)?;
        Ok((recorded, unindexed))
    }

    /// Keeps the document for other feeds, or deletes one that is older.
    fn write_shared(&self, update: &PollUpdate) -> Result<(), Error> {
        let sender = update.response.as_ref().and_then(|response| response.url.as_deref());
        if let (Some(sender), FetchOutcome::Modified) = (&update.redirected_to, &update.outcome) {
            let at = update.shared.as_ref().map_or(update.at, |document| document.at);
            self.unshare_redirects(update.feed, sender, at)?;
        }
        match (&update.shared, sender) {
            (Some(document), _) => self.share(document),
            (None, Some(url)) if update.outcome == FetchOutcome::Modified => self.unshare(url),
            _ => Ok(()),
        }
    }

    /// Writes the feed's row.
    fn update_polled_feed(&self, update: &PollUpdate, recorded: &PollCounts) -> Result<(), Error> {
        let (at, activity) = (millis(update.at), activity(update, recorded));
        // Another poll may have taken failures back since this one began.
        let is_offline = update.plan.reason.kind == ReasonKind::Offline;
        let failures = if is_offline { "min(failures, ?5)" } else { "?5" };
        let items = update.document.as_ref().and_then(|facts| facts.items);
        self.connection
            .prepare_cached(&format!(
                "UPDATE feed SET next_poll_at = ?2, plan_reason = ?3, plan_text = ?4, failures = {failures},
                        failing_since = CASE WHEN {failures} = 0 THEN NULL ELSE ifnull(failing_since, ?6) END,
                        last_poll_at = ?6, last_outcome = ?7, last_status = ?8, last_message = ?9, last_url = ?10,
                        plan_inputs = ?14,
                        last_success_at = CASE WHEN ?11 THEN ?6 ELSE last_success_at END,
                        last_new_at = CASE WHEN ?12 > 0 THEN ?6 ELSE last_new_at END,
                        items = items + ?12, is_suspect = 0, {activity}
                        reread_at = CASE WHEN ?8 = 200 AND reread_at <= ?6 THEN NULL ELSE reread_at END
                 WHERE id = ?1",
            ))?
            .execute(params![
                update.feed.0,
                millis(update.plan.at),
                update.plan.reason.kind.slug(),
                update.plan.reason.text,
                update.failures,
                at,
                update.outcome.slug(),
                update.status,
                message(&update.outcome),
                update.redirected_to,
                update.outcome.is_success(),
                recorded.new as i64,
                items.map(|items| items as i64),
                serde_json::to_string(&update.plan.considered)?,
            ])?;
        self.update_cached_response(update)?;
        self.update_address(update)?;
        if let Some(facts) = &update.document {
            let sql = format!(
                "UPDATE feed SET profile = ?2, publisher_hints = ?3, dialect = ?4, parse_warnings = ?5, removed = ?8,
                        guids_reused = max(guids_reused, ?6), boilerplate = ifnull(?7, boilerplate)
                 WHERE id = ?1 AND row_digest = row_digest({FEED})"
            );
            let changed = self.connection.prepare_cached(&sql)?.execute(params![
                update.feed.0,
                serde_json::to_string(&facts.profile)?,
                serde_json::to_string(&facts.hints)?,
                facts.dialect.map(Dialect::slug),
                serde_json::to_string(&facts.parse_warnings)?,
                facts.guids == GuidUse::Reused,
                facts.boilerplate.as_deref().map(digests_to_bytes),
                serde_json::to_string(&facts.removed)?,
            ])?;
            if changed == 0 {
                return Err(altered(&format!("feed {}", update.feed.0)));
            }
            self.write_feed_digest(update.feed)?;
        }
        Ok(())
    }

    /// Writes what makes the next request conditional, if that changed.
    fn update_cached_response(&self, update: &PollUpdate) -> Result<(), Error> {
        if let Some(response) = &update.response {
            self.connection
                .prepare_cached(
                    "UPDATE feed SET request_key = ?2, etag = ?3, last_modified = ?4, body_hash = ?5,
                            response_url = ?6, lifetime = ?7 WHERE id = ?1",
                )?
                .execute(params![
                    update.feed.0,
                    response.request_key,
                    response.validators.etag,
                    response.validators.last_modified,
                    response.body_hash,
                    response.url,
                    response.lifetime.map(|lifetime| lifetime.as_secs() as i64),
                ])?;
        }
        Ok(())
    }

    /// Writes the feed's address and how its server handles validators, if that changed.
    fn update_address(&self, update: &PollUpdate) -> Result<(), Error> {
        if let Some(address) = &update.address {
            let candidate = address.candidate.as_ref();
            self.connection
                .prepare_cached(
                    "UPDATE feed SET effective_url = ?2, moved_to = ?3, moved_since = ?4 WHERE id = ?1",
                )?
                .execute(params![
                    update.feed.0,
                    address.effective.as_ref().map(url::Url::as_str),
                    candidate.map(|candidate| candidate.url.as_str()),
                    candidate.map(|candidate| millis(candidate.since)),
                ])?;
        }
        if let Some(trust) = update.trust {
            self.connection
                .prepare_cached(
                    "UPDATE feed SET last_full_at = ?2, checked_at = ?3, validator_use = ?4, validator_count = ?5
                     WHERE id = ?1",
                )?
                .execute(params![
                    update.feed.0,
                    trust.last_full_at.map(millis),
                    trust.checked_at.map(millis),
                    trust.validator_use.slug(),
                    trust.count,
                ])?;
        }
        Ok(())
    }

    /// Adds the poll, and deletes the feed's polls that are too old.
    fn insert_poll(&self, update: &PollUpdate, recorded: &PollCounts) -> Result<(), Error> {
        let at = millis(update.at);
        let items = update.document.as_ref().and_then(|facts| facts.items);
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO poll (feed_id, at, outcome, status, duration, wire_bytes, body_bytes,
                                              new_items, unseen_items, items, changed_items, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                update.feed.0,
                at,
                update.outcome.slug(),
                update.status,
                update.duration.as_millis() as i64,
                update.bytes.wire as i64,
                update.bytes.body as i64,
                recorded.new as i64,
                (recorded.new + recorded.held + recorded.filtered) as i64,
                items.map(|items| items as i64),
                recorded.changed as i64,
                message(&update.outcome),
            ])?;
        self.connection
            .prepare_cached("DELETE FROM poll WHERE feed_id = ?1 AND at < ?2")?
            .execute(params![update.feed.0, at - POLL_HISTORY])?;
        Ok(())
    }
}

/// Message of a failure.
fn message(outcome: &FetchOutcome) -> Option<&str> {
    match outcome {
        FetchOutcome::Failed(failure) => Some(&failure.message),
        _ => None,
    }
}

/// What a successful poll changes of the columns that show whether the feed still publishes, as SQL. `?6`: time of the
/// poll; `?13`: number of items of the document, NULL without one.
fn activity(update: &PollUpdate, recorded: &PollCounts) -> String {
    if !update.outcome.is_success() {
        return String::new();
    }
    if recorded.new + recorded.held + recorded.filtered > 0 {
        return "quiet_not_modified = 0, quiet_same_body = 0, quiet_nothing_new = 0, empty_since = NULL,
                longest_gap = CASE WHEN last_new_at < ?6 THEN max(ifnull(longest_gap, 0), ?6 - last_new_at)
                              ELSE longest_gap END,"
            .to_owned();
    }
    let unmodified = update.outcome == FetchOutcome::NotModified;
    let kind = match update.status {
        Some(304) => "quiet_not_modified",
        _ if unmodified => "quiet_same_body",
        _ => "quiet_nothing_new",
    };
    format!(
        "{kind} = {kind} + 1,
         empty_since = CASE WHEN ?13 IS NULL THEN empty_since
                            WHEN ?13 = 0 AND items > 0 THEN ifnull(empty_since, ?6) END,"
    )
}

impl Transaction<'_> {
    /// Counts a poll. To be called before the feed's row is updated.
    pub(super) fn count_poll(
        &self,
        update: &PollUpdate,
        recorded: &PollCounts,
    ) -> Result<(), Error> {
        let (at, success) = (millis(update.at), update.outcome.is_success());
        let hour = at.div_euclid(HOUR);
        let idle = success && recorded.new + recorded.changed == 0;
        let polls: i64 = self
            .connection
            .prepare_cached(
                "INSERT INTO poll_hour (hour, polls, failed, unchanged, wire_bytes, new_items) VALUES (?1, 1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET polls = polls + 1, failed = failed + ?2, unchanged = unchanged + ?3,
                                           wire_bytes = wire_bytes + ?4, new_items = new_items + ?5
                 RETURNING polls",
            )?
            .query_row(
                params![hour, !success, idle, update.bytes.wire as i64, recorded.new as i64],
                |row| row.get(0),
            )?;
        if polls == 1 {
            let oldest = (at - POLL_HISTORY).div_euclid(HOUR);
            for table in ["poll_hour", "delivery_delay"] {
                let sql = format!("DELETE FROM {table} WHERE hour < ?1");
                self.connection.prepare_cached(&sql)?.execute([oldest])?;
            }
        }
        self.count_delays(update, hour)
    }

    /// Counts the delays of new items, unless this is the feed's first poll.
    fn count_delays(&self, update: &PollUpdate, hour: i64) -> Result<(), Error> {
        if update.new.is_empty() {
            return Ok(());
        }
        let known = self
            .connection
            .prepare_cached("SELECT items > 0 FROM feed WHERE id = ?1")?
            .query_row([update.feed.0], |row| row.get::<_, bool>(0))?;
        if !known {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO delivery_delay (hour, bucket, items) VALUES (?1, ?2, 1)
             ON CONFLICT DO UPDATE SET items = items + 1",
        )?;
        for published in update.new.iter().filter_map(|new| new.item.published) {
            let late = update.at.duration_since(published).as_secs().max(0);
            let bucket = DELAY_BUCKETS.iter().take_while(|end| late >= **end).count();
            statement.execute(params![hour, bucket as i64])?;
        }
        Ok(())
    }

    /// Totals of each hour since; hours without a poll are left out.
    pub fn poll_hours(&self, since: Timestamp) -> Result<Vec<HourCounts>, Error> {
        let since = millis(since).div_euclid(HOUR);
        let mut statement = self.connection.prepare_cached(
            "SELECT hour, polls, failed, unchanged, wire_bytes, new_items FROM poll_hour WHERE hour >= ?1 ORDER BY hour",
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
        let mut statement = self
            .connection
            .prepare_cached("SELECT hour, bucket, items FROM delivery_delay WHERE hour >= ?1")?;
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
}

impl Transaction<'_> {
    /// The last polls of a feed, the newest first.
    pub fn polls(&self, feed: FeedKey, limit: usize) -> Result<Vec<PollRecord>, Error> {
        let mut statement = self.connection.prepare_cached(
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

    /// Every input of the feed's current plan.
    pub fn plan_inputs(&self, feed: FeedKey) -> Result<Vec<Considered>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT plan_inputs FROM feed WHERE id = ?1")?;
        let text: String = statement.query_row([feed.0], |row| row.get(0))?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// Number of items that a feed published in recent polls.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BurstHistory {
    /// Number of new items of each poll that brought some, without the first poll.
    pub bursts: Vec<u32>,
    /// Items a day since the first recorded poll.
    pub per_day: f32,
    /// Time of the last poll with new items; `None`: never.
    pub last_new: Option<Timestamp>,
}

impl Transaction<'_> {
    /// Number of items that the feed published in recent polls.
    pub fn bursts(&self, feed: FeedKey, now: Timestamp) -> Result<BurstHistory, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, new_items FROM poll WHERE feed_id = ?1 ORDER BY at LIMIT -1",
        )?;
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
        let mut statement =
            self.connection.prepare_cached("SELECT last_new_at FROM feed WHERE id = ?1")?;
        let last_new = maybe(statement.query_row([feed.0], |row| row.get(0))?)?;
        Ok(BurstHistory { bursts, per_day, last_new })
    }

    /// Statistics of each feed. Reads whole tables.
    pub fn feed_histories(&self) -> Result<HashMap<FeedKey, FeedHistory>, Error> {
        let mut all: HashMap<FeedKey, FeedHistory> = HashMap::new();
        let mut statement = self.connection.prepare(
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
        self.add_arrivals(&mut all)?;
        let mut statement = self
            .connection
            .prepare("SELECT id, plan_inputs, publisher_hints FROM feed WHERE active = 1")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let past = all.entry(FeedKey(row.get(0)?)).or_default();
            past.considered = serde_json::from_str(&row.get::<_, String>(1)?)?;
            past.hints = serde_json::from_str(row.get_ref(2)?.as_str().unwrap_or("{}"))?;
        }
        Ok(all)
    }

    /// Adds the times at which items came, as far back as polls are kept.
    fn add_arrivals(&self, all: &mut HashMap<FeedKey, FeedHistory>) -> Result<(), Error> {
        let mut statement = self.connection.prepare(
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
            past.delays
                .extend(published.map(|published| (seen - published).max(0) as f64 / 1000.0));
        }
        Ok(())
    }
}
