//! What the ledger and the log of polls show about the behaviour towards servers.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::error::Error;
use super::transaction::Transaction;
use super::values::millis;
use crate::model::{FeedKey, PromiseReason};

/// The promises of one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseTally {
    /// Why they were made.
    pub reason: PromiseReason,
    /// Number of promises that the ledger has.
    pub promises: u64,
    /// Least time from the end of a promise to the next request; negative: too early; `None`: no request followed.
    pub earliest: Option<SignedDuration>,
}

/// The requests of a URL, of a site, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestTally {
    /// Number of requests that were sent.
    pub requests: u64,
    /// Number of requests with validators.
    pub conditional: u64,
    /// Number of requests that the operator insisted on (`--force`).
    pub forced: u64,
    /// Shortest time from one request to the next that was not forced; `None`: there was none.
    pub shortest: Option<Duration>,
    /// The same of requests without validators.
    pub full_shortest: Option<Duration>,
}

/// Traffic of one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedBytes {
    /// URL in the config.
    pub url: String,
    /// Number of polls in the log.
    pub polls: u64,
    /// Bytes of bodies as received.
    pub wire_bytes: u64,
}

/// What the ledger and the log of polls show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manners {
    /// Numbers of promises by reason.
    pub promises: Vec<PromiseTally>,
    /// Requests of all URLs; the shortest times are those of one URL.
    pub urls: RequestTally,
    /// Requests of the URLs whose last document had validators.
    pub with_validators: RequestTally,
    /// Number of URLs that were requested without validators twice within 24 hours although the server sends some.
    pub often_unconditional: u64,
    /// Requests to each site.
    pub hosts: Vec<(String, RequestTally)>,
    /// Traffic of each feed since a time.
    pub bytes: Vec<FeedBytes>,
}

/// Whether the last document of a URL had validators.
const HAS_VALIDATORS: &str = "EXISTS (SELECT 1 FROM feed
    WHERE response_url = asked.key AND (etag IS NOT NULL OR last_modified IS NOT NULL))";

const TALLY: &str = "ifnull(sum(requests), 0), ifnull(sum(conditional), 0), min(shortest), min(full_shortest), ifnull(sum(forced), 0)";

impl Transaction<'_> {
    /// What the ledger shows, and the traffic since a time.
    pub fn manners(&self, since: Timestamp) -> Result<Manners, Error> {
        let often = format!(
            "SELECT count(*) FROM asked WHERE scope = 'url' AND full_shortest < 86400000 AND {HAS_VALIDATORS}"
        );
        let often: i64 = self.connection.query_row(&often, [], |row| row.get(0))?;
        Ok(Manners {
            promises: self.promise_tallies()?,
            urls: self.url_tally("1")?,
            with_validators: self.url_tally(HAS_VALIDATORS)?,
            often_unconditional: often.unsigned_abs(),
            hosts: self.host_tallies()?,
            bytes: self.feed_bytes(since)?,
        })
    }

    fn promise_tallies(&self) -> Result<Vec<PromiseTally>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT reason, count(*), min(earliest) FROM promise WHERE until > at GROUP BY reason",
        )?;
        let mut rows = statement.query([])?;
        let mut tallies = Vec::new();
        while let Some(row) = rows.next()? {
            let reason = row.get_ref(0)?.as_str().unwrap_or_default();
            let Some(reason) = PromiseReason::from_slug(reason) else { continue };
            tallies.push(PromiseTally {
                reason,
                promises: row.get::<_, i64>(1)?.unsigned_abs(),
                earliest: row.get::<_, Option<i64>>(2)?.map(SignedDuration::from_millis),
            });
        }
        Ok(tallies)
    }

    fn url_tally(&self, condition: &str) -> Result<RequestTally, Error> {
        let sql = format!("SELECT {TALLY} FROM asked WHERE scope = 'url' AND {condition}");
        Ok(self.connection.query_row(&sql, [], |row| tally(row, 0))?)
    }

    fn host_tallies(&self) -> Result<Vec<(String, RequestTally)>, Error> {
        let sql = format!(
            "SELECT key, {TALLY} FROM asked WHERE scope = 'host' GROUP BY key ORDER BY key"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, tally(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Mean size of the responses of each feed, in bytes as received; those without a body count as 0.
    pub fn mean_bytes(&self) -> Result<HashMap<FeedKey, f64>, Error> {
        let mut statement = self
            .connection
            .prepare("SELECT feed_id, avg(wire_bytes) FROM poll GROUP BY feed_id")?;
        let rows = statement.query_map([], |row| Ok((FeedKey(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn feed_bytes(&self, since: Timestamp) -> Result<Vec<FeedBytes>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT feed.url, count(*), sum(poll.wire_bytes) FROM poll JOIN feed ON feed.id = poll.feed_id
             WHERE poll.at >= ?1 GROUP BY feed.id",
        )?;
        let rows = statement.query_map(params![millis(since)], |row| {
            let (polls, wire): (i64, i64) = (row.get(1)?, row.get(2)?);
            let url = row.get(0)?;
            Ok(FeedBytes { url, polls: polls.unsigned_abs(), wire_bytes: wire.unsigned_abs() })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The columns of [`TALLY`], from column `at` on.
fn tally(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<RequestTally> {
    let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
    let time = |column| {
        let millis = row.get::<_, Option<i64>>(column)?;
        Ok::<_, rusqlite::Error>(
            millis.map(|millis| Duration::from_millis(millis.max(0).unsigned_abs())),
        )
    };
    Ok(RequestTally {
        requests: number(at)?,
        conditional: number(at + 1)?,
        forced: number(at + 4)?,
        shortest: time(at + 2)?,
        full_shortest: time(at + 3)?,
    })
}
