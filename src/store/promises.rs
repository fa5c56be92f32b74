//! The ledger: promises to servers, and the last request for each URL and to each site. Also which clock the times of
//! polls, plans and promises refer to.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Row, params};

use super::error::Error;
use super::row_digest::{STATE, Which};
use super::transaction::Transaction;
use super::values::{maybe, maybe_outcome, millis, timestamp};
use crate::model::{
    Asked, Asker, ClockMark, FeedId, FeedKey, LedgerEntry, Outcome, Plan, Promise, PromiseReason,
    PromiseScope, ReasonKind,
};

/// The last poll of a feed, without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsuccessfulPoll {
    /// Row of the feed.
    pub feed: FeedKey,
    /// Stable id of the feed.
    pub id: FeedId,
    /// URL in the config.
    pub url: String,
    /// Outcome of the poll.
    pub outcome: Outcome,
    /// HTTP status; `None`: no response.
    pub status: Option<u16>,
    /// URL of the response, if it was redirected.
    pub redirected_to: Option<String>,
    /// Number of consecutive failures, this one included.
    pub failures: u32,
}

/// Longest time from the last request of a poll to its result, in milliseconds.
const LONGEST_POLL: i64 = 10 * 60 * 1000;

/// Longest time from a promise to its end that is kept, longer than any that is written: SQLite does not notice a bit that
/// flips in a time, and a feed must not wait for centuries.
const LONGEST_PROMISE: SignedDuration = SignedDuration::from_hours(8 * 24);

const PROMISE: &str = "scope, key, reason, host, until, response_url, at";

/// The columns of [`PROMISE`].
fn promise(row: &Row<'_>) -> Result<Promise, Error> {
    let scope = row.get_ref(0)?.as_str().unwrap_or_default();
    let reason = row.get_ref(2)?.as_str().unwrap_or_default();
    let corrupt = || Error::Corrupt(format!("a promise of scope {scope:?} and reason {reason:?}"));
    let (until, at) = (timestamp(row.get(4)?)?, timestamp(row.get(6)?)?);
    Ok(Promise {
        scope: PromiseScope::from_slug(scope).ok_or_else(corrupt)?,
        key: row.get(1)?,
        reason: PromiseReason::from_slug(reason).ok_or_else(corrupt)?,
        host: row.get(3)?,
        until: until.min(at.saturating_add(LONGEST_PROMISE).unwrap_or(until)),
        response_url: row.get(5)?,
        at,
    })
}

impl Transaction<'_> {
    /// Writes requests that are about to be sent.
    pub(super) fn write_asked(&self, asked: &[Asked]) -> Result<(), Error> {
        let mut count = self.connection.prepare_cached(
            "INSERT INTO asked (scope, key, at, by, requests, conditional, full_at, forced)
             VALUES (?1, ?2, ?3, ?4, 1, ?5, CASE WHEN ?5 THEN NULL ELSE ?3 END, ?6)
             ON CONFLICT (scope, key) DO UPDATE SET
               shortest = CASE WHEN ?6 THEN shortest ELSE min(ifnull(shortest, ?3 - at), ?3 - at) END,
               at = ?3, by = ?4, requests = requests + 1, conditional = conditional + ?5, forced = forced + ?6,
               full_shortest = CASE WHEN ?5 OR ?6 OR full_at IS NULL THEN full_shortest
                                    ELSE min(ifnull(full_shortest, ?3 - full_at), ?3 - full_at) END,
               full_at = CASE WHEN ?5 THEN full_at ELSE ?3 END",
        )?;
        let mut keep = self.connection.prepare_cached(
            "UPDATE promise SET asked_at = ?3, earliest = min(ifnull(earliest, ?3 - until), ?3 - until)
             WHERE scope = ?1 AND key = ?2 AND asked_at IS NULL",
        )?;
        for one in asked {
            let (at, by) = (millis(one.at), one.by.to_string());
            for (scope, key) in [(PromiseScope::Url, &one.url), (PromiseScope::Host, &one.host)] {
                // The turns of a site are kept also by a request that the operator insists on.
                let forced = one.forced && scope == PromiseScope::Url;
                count.execute(params![scope.slug(), key, at, by, one.conditional, forced])?;
                if !one.forced && one.promised {
                    keep.execute(params![scope.slug(), key, at])?;
                }
            }
            if let Some(address) = one.address.as_ref().filter(|_| !one.forced && one.promised) {
                keep.execute(params![PromiseScope::Address.slug(), address, at])?;
            }
        }
        Ok(())
    }

    /// Writes promises. A demand of a server that ends later than the new one stays.
    pub(super) fn write_promises(&self, promises: &[Promise]) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO promise (scope, key, reason, host, until, response_url, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (scope, key, reason) DO UPDATE SET
               host = ?4, until = ?5, response_url = ?6, at = ?7, asked_at = NULL WHERE ?8 OR ?5 > until OR until <= ?7",
        )?;
        for it in promises {
            let (until, at) = (millis(it.until), millis(it.at));
            let (scope, reason) = (it.scope.slug(), it.reason.slug());
            let replaces = !it.reason.is_demand();
            statement.execute(params![
                scope,
                it.key,
                reason,
                it.host,
                until,
                it.response_url,
                at,
                replaces
            ])?;
        }
        Ok(())
    }

    /// What is known about a URL and its site before a request.
    pub fn ledger_entry(&self, url: &str, host: &str) -> Result<LedgerEntry, Error> {
        let mut promises = self.promises_about(PromiseScope::Url, url)?;
        promises.extend(self.promises_about(PromiseScope::Host, host)?);
        let mut asked = self
            .connection
            .prepare_cached("SELECT at, by FROM asked WHERE scope = ?1 AND key = ?2")?;
        let mut last = |scope: PromiseScope, key: &str| {
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
            asked.query_row([scope.slug(), key], row).optional()
        };
        let url_asked = match last(PromiseScope::Url, url)? {
            Some((at, by)) => Some((timestamp(at)?, asker(&by)?)),
            None => None,
        };
        let host_asked =
            last(PromiseScope::Host, host)?.map(|(at, _)| timestamp(at)).transpose()?;
        Ok(LedgerEntry { promises, url_asked, host_asked })
    }

    /// Feeds that were being polled when the process ended: their last request has no result. Requests that are older
    /// than the last one by more than the longest poll were given up before.
    pub fn polls_without_result(&self) -> Result<Vec<FeedKey>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT feed.id FROM asked JOIN feed ON feed.name = substr(asked.by, 6)
             WHERE asked.scope = 'url' AND asked.by LIKE 'feed:%' AND feed.active = 1
               AND asked.at > ifnull(feed.last_poll_at, 0)
               AND asked.at >= (SELECT max(at) FROM asked) - ?1
             ORDER BY feed.id",
        )?;
        let feeds = statement.query_map([LONGEST_POLL], |row| row.get(0).map(FeedKey))?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// Marks the feeds that were being polled when the process before was killed.
    pub(super) fn mark_suspects(&self, feeds: &[FeedKey]) -> Result<(), Error> {
        let mut statement =
            self.connection.prepare_cached("UPDATE feed SET is_suspect = 1 WHERE id = ?1")?;
        for feed in feeds {
            statement.execute([feed.0])?;
        }
        Ok(())
    }

    /// Sites that were requested within the last month.
    pub fn asked_sites(&self) -> Result<HashSet<String>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT key FROM asked WHERE scope = 'host'")?;
        let sites = statement.query_map([], |row| row.get(0))?;
        Ok(sites.collect::<Result<_, _>>()?)
    }

    /// Promises about one key, also those that have ended.
    pub fn promises_about(&self, scope: PromiseScope, key: &str) -> Result<Vec<Promise>, Error> {
        let sql = format!("SELECT {PROMISE} FROM promise WHERE scope = ?1 AND key = ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([scope.slug(), key])?;
        let mut promises = Vec::new();
        while let Some(row) = rows.next()? {
            promises.push(promise(row)?);
        }
        Ok(promises)
    }

    /// Promises of all keys of these scopes that have not ended.
    pub fn open_promises(
        &self,
        scopes: &[PromiseScope],
        now: Timestamp,
    ) -> Result<Vec<Promise>, Error> {
        let sql = format!("SELECT {PROMISE} FROM promise WHERE scope = ?1 AND until > ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut promises = Vec::new();
        for scope in scopes {
            let mut rows = statement.query(params![scope.slug(), millis(now)])?;
            while let Some(row) = rows.next()? {
                promises.push(promise(row)?);
            }
        }
        Ok(promises)
    }

    /// Last polls of all feeds since the last success of any feed, at most 500.
    pub fn polls_since_success(&self) -> Result<Vec<UnsuccessfulPoll>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name, url, last_outcome, last_status, last_url, failures FROM feed
             WHERE active = 1 AND last_poll_at > (SELECT ifnull(max(last_success_at), 0) FROM feed WHERE active = 1)
             LIMIT 500",
        )?;
        let mut rows = statement.query([])?;
        let mut polls = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            let Some(outcome) = maybe_outcome(row.get(3)?)? else { continue };
            polls.push(UnsuccessfulPoll {
                feed: FeedKey(row.get(0)?),
                id: FeedId::new(&name).map_err(|error| Error::Corrupt(error.to_string()))?,
                url: row.get(2)?,
                outcome,
                status: row.get(4)?,
                redirected_to: row.get(5)?,
                failures: row.get(6)?,
            });
        }
        Ok(polls)
    }

    /// Whether the last poll of this feed failed since the last success of any feed, and that was not taken back.
    pub fn failed_since_success(&self, feed: FeedKey) -> Result<bool, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM feed WHERE id = ?1 AND failures > 0 AND plan_reason <> ?2
             AND last_poll_at > (SELECT ifnull(max(last_success_at), 0) FROM feed WHERE active = 1)",
        )?;
        Ok(statement.exists(params![feed.0, ReasonKind::Offline.slug()])?)
    }

    /// Takes back the last failure of these feeds, and writes their plans. A feed whose failure was taken back before
    /// stays as it is.
    pub(super) fn exonerate(&self, feeds: &[(FeedKey, Plan)]) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE feed SET failures = max(failures - 1, 0),
                    failing_since = CASE WHEN failures <= 1 THEN NULL ELSE failing_since END
             WHERE id = ?1 AND plan_reason <> ?2 AND failures > 0",
        )?;
        for (feed, plan) in feeds {
            self.change_states(Which::One(*feed), || {
                match statement.execute(params![feed.0, ReasonKind::Offline.slug()])? {
                    0 => Ok(()),
                    _ => self.write_plan(*feed, plan),
                }
            })?;
        }
        Ok(())
    }

    /// The feeds that wait because this machine seemed to be offline.
    pub fn feeds_waiting_for_network(&self) -> Result<Vec<(FeedKey, FeedId)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name FROM feed WHERE active = 1 AND plan_reason = ?1 ORDER BY id",
        )?;
        let mut rows = statement.query([ReasonKind::Offline.slug()])?;
        let mut feeds = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            let id = FeedId::new(&name).map_err(|error| Error::Corrupt(error.to_string()))?;
            feeds.push((FeedKey(row.get(0)?), id));
        }
        Ok(feeds)
    }

    /// Writes the plans of those of these feeds that still wait because this machine seemed to be offline.
    pub(super) fn release_waiting(&self, feeds: &[(FeedKey, Plan)]) -> Result<(), Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM feed WHERE id = ?1 AND plan_reason = ?2")?;
        for feed in feeds {
            if statement.exists(params![feed.0.0, ReasonKind::Offline.slug()])? {
                self.replan(std::slice::from_ref(feed))?;
            }
        }
        Ok(())
    }

    /// Deletes promises that ended before `cutoff`, keys without a request since then, and old shared documents.
    pub(super) fn forget_promises(
        &self,
        cutoff: Timestamp,
        unread: Timestamp,
    ) -> Result<usize, Error> {
        let shared = self.forget_shared(cutoff, unread)?;
        let cutoff = millis(cutoff);
        let promises = self.connection.execute("DELETE FROM promise WHERE until < ?1", [cutoff])?;
        let asked = self.connection.execute("DELETE FROM asked WHERE at < ?1", [cutoff])?;
        Ok(shared + promises + asked)
    }
}

fn asker(text: &str) -> Result<Asker, Error> {
    text.parse().map_err(|error| Error::Corrupt(format!("{error}")))
}

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
