//! The table of feeds: what is configured and what is known about each feed, and when its items came, from the tables
//! `item` and `poll`.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, params};

use super::error::Error;
use super::poll_update::{CachedResponse, ValidatorTrust, ValidatorUse};
use super::row_digest::{FEED, STATE, check_intact};
use super::transaction::Transaction;
use super::values::{digests_from_bytes, json_list, maybe, maybe_outcome, reason, timestamp};
use crate::model::{
    Address, FeedActivity, FeedId, FeedInfo, FeedKey, FeedProfile, FeedStatus, GuidUse, Hints,
    MoveCandidate, Outcome, PollYield, Publishing, Validators,
};

/// What a poll needs before it sends a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedState {
    /// Validators and body hash of the last good response.
    pub response: CachedResponse,
    /// Number of consecutive failures.
    pub failures: u32,
    /// Polling hints of the last document.
    pub hints: Hints,
    /// Address of the feed, if it is not the configured one.
    pub address: Address,
    /// How the server handles validators.
    pub trust: ValidatorTrust,
    /// Number of items ever kept.
    pub items: u64,
    /// Description of the feed in its last document.
    pub profile: FeedProfile,
    /// Whether its guids are unique.
    pub guids: GuidUse,
    /// Digests of paragraphs that are boilerplate.
    pub boilerplate: HashSet<u64>,
    /// Time of the last successful poll; `None`: never.
    pub last_success: Option<Timestamp>,
    /// Outcome of the last poll; `None`: never polled.
    pub last_outcome: Option<Outcome>,
    /// Time from which the complete document is requested, because an older parser read the last one; `None`: it
    /// need not be read again.
    pub reread_at: Option<Timestamp>,
    /// Time of the last request of the last poll; `None`: never polled.
    pub last_poll_at: Option<Timestamp>,
    /// Time of the last poll that brought a new item, also one that is not shown; `None`: there was none.
    pub last_new_at: Option<Timestamp>,
    /// Whether the stored state differs from what was written. Then nothing of it is here.
    pub is_altered: bool,
}

pub(super) fn feed_id(name: &str) -> Result<FeedId, Error> {
    FeedId::new(name).map_err(|error| Error::Corrupt(error.to_string()))
}

impl Transaction<'_> {
    /// What a poll needs before it sends a request.
    pub fn feed_state(&self, key: FeedKey) -> Result<FeedState, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT request_key, etag, last_modified, body_hash, failures, publisher_hints, effective_url, moved_to,
                    moved_since, last_full_at, validator_use, items, profile, response_url, guids_reused, boilerplate,
                    last_success_at, last_outcome, last_poll_at, reread_at, checked_at, validator_count, lifetime,
                    state_digest IS row_digest({STATE}), last_new_at FROM feed WHERE id = ?1",
        ))?;
        let mut rows = statement.query([key.0])?;
        let row =
            rows.next()?.ok_or_else(|| Error::Corrupt(format!("feed {} is not there", key.0)))?;
        if !row.get::<_, bool>(23)? {
            return Ok(FeedState { is_altered: true, ..FeedState::default() });
        }
        Ok(FeedState {
            is_altered: false,
            response: CachedResponse {
                request_key: row.get(0)?,
                validators: Validators { etag: row.get(1)?, last_modified: row.get(2)? },
                body_hash: row.get(3)?,
                url: row.get(13)?,
                lifetime: row.get::<_, Option<u32>>(22)?.map(|s| Duration::from_secs(s.into())),
            },
            failures: row.get(4)?,
            hints: serde_json::from_str(row.get_ref(5)?.as_str().unwrap_or("{}"))?,
            address: address(row.get(6)?, row.get(7)?, row.get(8)?)?,
            trust: ValidatorTrust {
                last_full_at: maybe(row.get(9)?)?,
                checked_at: maybe(row.get(20)?)?,
                validator_use: ValidatorUse::from_slug(
                    row.get_ref(10)?.as_str().unwrap_or_default(),
                )
                .unwrap_or_default(),
                count: row.get(21)?,
            },
            items: row.get::<_, i64>(11)?.unsigned_abs(),
            profile: serde_json::from_str(row.get_ref(12)?.as_str().unwrap_or("{}"))?,
            guids: if row.get(14)? { GuidUse::Reused } else { GuidUse::Unique },
            boilerplate: digests_from_bytes(row.get_ref(15)?.as_blob().unwrap_or_default()),
            last_success: maybe(row.get(16)?)?,
            last_outcome: maybe_outcome(row.get(17)?)?,
            last_poll_at: maybe(row.get(18)?)?,
            reread_at: maybe(row.get(19)?)?,
            last_new_at: maybe(row.get(24)?)?,
        })
    }
}

fn address(
    effective: Option<String>,
    moved_to: Option<String>,
    since: Option<i64>,
) -> Result<Address, Error> {
    let url = |text: String| {
        url::Url::parse(&text).map_err(|error| Error::Corrupt(format!("{text}: {error}")))
    };
    let candidate = match moved_to.zip(since) {
        Some((to, since)) => Some(MoveCandidate { url: url(to)?, since: timestamp(since)? }),
        None => None,
    };
    Ok(Address { effective: effective.map(url).transpose()?, candidate })
}

const INFO: &str = "id, name, url, title, tags, profile";

/// The columns of [`INFO`], from column 0 on.
fn info(row: &Row<'_>) -> Result<FeedInfo, Error> {
    let name: String = row.get(1)?;
    let url: String = row.get(2)?;
    let profile: FeedProfile = serde_json::from_str(row.get_ref(5)?.as_str().unwrap_or("{}"))?;
    let title = match (row.get::<_, Option<String>>(3)?, &profile.title) {
        (Some(title), _) => title,
        (None, Some(title)) => title.clone(),
        (None, None) => host_of(&url),
    };
    Ok(FeedInfo {
        key: FeedKey(row.get(0)?),
        id: feed_id(&name)?,
        title,
        tags: serde_json::from_str(row.get_ref(4)?.as_str().unwrap_or("[]"))?,
        profile,
        url,
    })
}

/// Host name of a feed without a title, or the name of its file.
pub fn host_of(url: &str) -> String {
    let file = |url: &url::Url| Some(url.path_segments()?.next_back()?.to_owned());
    url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned).or_else(|| file(&url)))
        .unwrap_or_else(|| url.to_owned())
}

impl Transaction<'_> {
    /// All configured feeds, without those that were removed from the config.
    pub fn feeds(&self) -> Result<Vec<FeedInfo>, Error> {
        self.feeds_where("active = 1")
    }

    /// Every feed whose items may be in outputs: the configured feeds, and those that are no longer configured
    /// but keep their items there.
    pub fn shown_feeds(&self) -> Result<Vec<FeedInfo>, Error> {
        self.feeds_where("active = 1 OR kept = 1")
    }

    /// Whether any of these feeds is configured and was not polled yet.
    pub fn awaits_feeds(&self, feeds: impl Iterator<Item = FeedKey>) -> Result<bool, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM json_each(?1) wanted CROSS JOIN feed ON feed.id = wanted.value
                            WHERE feed.active = 1 AND feed.last_poll_at IS NULL)",
        )?;
        Ok(statement.query_row([json_list(feeds.map(|feed| feed.0))], |row| row.get(0))?)
    }

    fn feeds_where(&self, condition: &str) -> Result<Vec<FeedInfo>, Error> {
        let sql = format!(
            "SELECT {INFO}, row_digest IS row_digest({FEED}) FROM feed WHERE {condition} ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut feeds = Vec::new();
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            check_intact(row, 6, || format!("feed {key}"))?;
            feeds.push(info(row)?);
        }
        Ok(feeds)
    }
}

/// What shows whether a feed still publishes. The times are read from the index alone.
const ACTIVITY: &str = "(SELECT sort_at FROM item WHERE feed_id = feed.id AND hidden IS NULL ORDER BY sort_at, id LIMIT 1),
    longest_gap, quiet_not_modified, quiet_same_body, quiet_nothing_new, empty_since,
    (SELECT group_concat(sort_at) FROM (SELECT sort_at FROM item WHERE feed_id = feed.id AND hidden IS NULL
                                        ORDER BY sort_at DESC, id DESC LIMIT 60)),
    (SELECT count(*) FROM item WHERE feed_id = feed.id AND hidden IS NOT NULL AND hidden = 'burst'),
    (SELECT count(*) FROM item WHERE feed_id = feed.id AND hidden IS NOT NULL AND hidden = 'history'),
    (SELECT count(*) FROM item WHERE feed_id = feed.id AND hidden IS NOT NULL AND hidden = 'filtered')";

/// The columns of [`ACTIVITY`], from column `at` on.
fn activity(row: &Row<'_>, at: usize) -> Result<FeedActivity, Error> {
    let moments: Option<String> = row.get(at + 6)?;
    let moments = moments.as_deref().unwrap_or_default().split(',');
    Ok(FeedActivity {
        oldest: maybe(row.get(at)?)?,
        longest_gap: row.get::<_, Option<i64>>(at + 1)?.map(SignedDuration::from_millis),
        not_modified: row.get(at + 2)?,
        same_body: row.get(at + 3)?,
        nothing_new: row.get(at + 4)?,
        empty_since: maybe(row.get(at + 5)?)?,
        moments: moments.filter_map(|at| timestamp(at.parse().ok()?).ok()).collect(),
        held: row.get::<_, i64>(at + 7)?.unsigned_abs(),
        older: row.get::<_, i64>(at + 8)?.unsigned_abs(),
        filtered: row.get::<_, i64>(at + 9)?.unsigned_abs(),
    })
}

impl Transaction<'_> {
    /// What shows whether a feed still publishes.
    pub fn feed_activity(&self, key: FeedKey) -> Result<FeedActivity, Error> {
        let sql = format!("SELECT {ACTIVITY} FROM feed WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([key.0])?;
        match rows.next()? {
            Some(row) => activity(row, 0),
            None => Err(Error::Corrupt(format!("feed {} is not there", key.0))),
        }
    }

    /// State of every configured feed, by name.
    pub fn feed_statuses(&self) -> Result<Vec<FeedStatus>, Error> {
        let sql = format!(
            "SELECT {INFO}, next_poll_at, plan_reason, plan_text, failures, failing_since, last_poll_at, last_outcome,
                    last_status, last_message, last_url, last_success_at, last_new_at, items, dialect, parse_warnings,
                    effective_url, moved_to, moved_since, removed, {ACTIVITY}
             FROM feed WHERE active = 1 ORDER BY name"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut feeds = Vec::new();
        while let Some(row) = rows.next()? {
            feeds.push(FeedStatus {
                info: info(row)?,
                next_poll_at: timestamp(row.get(6)?)?,
                reason: reason(&row.get::<_, String>(7)?)?,
                reason_text: row.get(8)?,
                failures: row.get(9)?,
                failing_since: maybe(row.get(10)?)?,
                last_poll_at: maybe(row.get(11)?)?,
                last_outcome: maybe_outcome(row.get(12)?)?,
                last_status: row.get(13)?,
                last_message: row.get(14)?,
                last_url: row.get(15)?,
                last_success_at: maybe(row.get(16)?)?,
                last_new_at: maybe(row.get(17)?)?,
                items: row.get::<_, i64>(18)?.unsigned_abs(),
                dialect: row.get(19)?,
                parse_warnings: serde_json::from_str(&row.get::<_, String>(20)?)?,
                address: address(row.get(21)?, row.get(22)?, row.get(23)?)?,
                removed: serde_json::from_str(&row.get::<_, String>(24)?)?,
                activity: activity(row, 25)?,
            });
        }
        Ok(feeds)
    }
}

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
