//! Makes the table of feeds agree with the config: finds the row of each configured feed, and keeps it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::Error;
use super::feed_state::Which;
use super::feeds::feed_id;
use super::row_digest::{FEED, check_intact};
use super::transaction::Transaction;
use super::values::{json_list, maybe, millis, timestamp};
use crate::model::{Considered, Feed, FeedId, FeedKey, Plan, ReasonKind, Removal};

/// What the schedule needs of a configured feed when the daemon starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredFeed {
    /// Key of the feed.
    pub key: FeedKey,
    /// Stable id of the feed.
    pub id: FeedId,
    /// URL that is requested instead of the configured one, after permanent redirects.
    pub effective: Option<Url>,
    /// Time of the next poll.
    pub next_poll_at: Timestamp,
    /// Reason for that time.
    pub reason: ReasonKind,
    /// Time of the last poll; `None`: never.
    pub last_poll_at: Option<Timestamp>,
    /// Number of consecutive failures.
    pub failures: u32,
    /// Whether the process was killed during its poll, and no poll has ended since.
    pub is_suspect: bool,
    /// Whether its state was damaged and therefore reset: it is due, and requested completely.
    pub is_reset: bool,
    /// Every input of its plan.
    pub considered: Vec<Considered>,
}

/// A feed of the config, with the id that it has or gets when the config is applied to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredFeed {
    /// Id in the config, in the database, or derived from the URL.
    pub id: FeedId,
    /// Key in the database; `None`: the feed is not in it yet.
    pub key: Option<FeedKey>,
}

/// The feeds of the database.
#[derive(Debug, Default)]
struct KnownFeeds {
    by_name: HashMap<String, i64>,
    names: HashMap<i64, String>,
    /// In the order of their keys.
    by_url: HashMap<String, Vec<i64>>,
    /// By the address that was adopted, that redirects lead to, or that the last response came from.
    by_address: HashMap<String, Vec<i64>>,
}

impl KnownFeeds {
    /// Key of a configured feed: by its id, else by its URL if no other feed has claimed it.
    fn find(&self, feed: &Feed, claimed: &HashSet<i64>) -> Option<i64> {
        let named = feed.id.as_ref().and_then(|id| self.by_name.get(id.as_str()));
        named.copied().or_else(|| Self::unclaimed(&self.by_url, feed, claimed))
    }

    /// Key of a feed that has moved to this URL, and is not configured any more.
    fn find_moved(&self, feed: &Feed, claimed: &HashSet<i64>) -> Option<i64> {
        Self::unclaimed(&self.by_address, feed, claimed).filter(|_| feed.id.is_none())
    }

    fn unclaimed(
        keys: &HashMap<String, Vec<i64>>,
        feed: &Feed,
        claimed: &HashSet<i64>,
    ) -> Option<i64> {
        let keys = keys.get(feed.url.as_str())?;
        keys.iter().copied().find(|key| !claimed.contains(key))
    }

    /// Notes the name that a feed has in the database now.
    fn set_name(&mut self, key: i64, name: &str) {
        match self.by_name.insert(name.to_owned(), key) {
            Some(before) if before == key => {}
            // It is new, or has another name: no feed has the previous one.
            _ => {
                if let Some(previous) = self.names.insert(key, name.to_owned()) {
                    self.by_name.remove(&previous);
                }
            }
        }
    }
}

/// Whether the config has the feeds of all lists that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lists {
    /// Every list was read.
    Known,
    /// A list has no copy: feeds that leave the outputs with it stay until it was read.
    Unknown,
}

/// Version of the parser. To be raised when known documents have to be read again.
pub(crate) const PARSER_VERSION: i64 = 1;

impl Transaction<'_> {
    /// Makes the table agree with the config. Returns the feeds in the config's order.
    ///
    /// A feed is found by its configured id, else by its URL. It keeps its row and so its items' ids. Feeds that
    /// are no longer configured become inactive.
    pub(super) fn register(
        &self,
        feeds: &[Feed],
        lists: Lists,
        now: Timestamp,
    ) -> Result<Vec<RegisteredFeed>, Error> {
        let reset = self.reset_altered_states(Which::All)?;
        // Read by an older parser: the complete document is requested within a day, at a time that depends on the feed,
        // so that not all servers send it at once.
        let outdated = self.connection.execute(
            "UPDATE feed SET parser_version = ?1, reread_at = ?2 + abs(id * 2654435761 % 86400000)
             WHERE parser_version < ?1",
            params![PARSER_VERSION, millis(now)],
        )?;
        if outdated > 0 {
            self.write_state_digests(Which::All)?;
        }
        let mut claimed: HashSet<i64> = HashSet::new();
        let mut registered = Vec::with_capacity(feeds.len());
        let mut known = self.known_feeds()?;
        let mut unknown = Vec::new();
        for i in named_first(feeds) {
            match known.find(&feeds[i], &claimed) {
                Some(key) => {
                    claimed.insert(self.update_configured_feed(key, &feeds[i])?);
                    registered.push((i, self.registered_as(key, &mut known, &reset)?));
                }
                None => unknown.push(i),
            }
        }
        // All others are claimed now: what is left has moved, or was removed from the config.
        for i in unknown {
            let key = match known.find_moved(&feeds[i], &claimed) {
                Some(key) => self.update_configured_feed(key, &feeds[i])?,
                None => self.insert_feed(&feeds[i], now)?,
            };
            claimed.insert(key);
            registered.push((i, self.registered_as(key, &mut known, &reset)?));
        }
        let mut leave = self.connection.prepare_cached(
            "UPDATE feed SET active = 0
             WHERE active = 1 AND (kept = 1 OR ?2) AND id NOT IN (SELECT wanted.value FROM json_each(?1) wanted)
             RETURNING id",
        )?;
        let wanted = json_list(claimed.iter().copied());
        let all = lists == Lists::Known;
        let gone = leave.query_map(params![wanted, all], |row| row.get(0).map(FeedKey))?;
        for feed in gone.collect::<Result<Vec<_>, _>>()? {
            self.write_feed_digest(feed)?;
        }
        registered.sort_by_key(|(i, _)| *i);
        Ok(registered.into_iter().map(|(_, feed)| feed).collect())
    }

    /// The row of a feed, whose name is noted.
    fn registered_as(
        &self,
        key: i64,
        known: &mut KnownFeeds,
        reset: &[FeedKey],
    ) -> Result<RegisteredFeed, Error> {
        let is_reset = reset.contains(&FeedKey(key));
        let row = RegisteredFeed { is_reset, ..self.registered_feed(FeedKey(key))? };
        known.set_name(key, row.id.as_str());
        Ok(row)
    }

    /// Names and URLs of all feeds.
    ///
    /// # Errors
    /// When a row differs from what was written: a change by the config would write its digest again and hide that.
    fn known_feeds(&self) -> Result<KnownFeeds, Error> {
        // Not by an index, in which SQLite does not notice a bit that flips: a feed that is not found would be added again.
        let sql = format!(
            "SELECT id, name, url, row_digest IS row_digest({FEED}), effective_url, moved_to, last_url
             FROM feed NOT INDEXED ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut known = KnownFeeds::default();
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            check_intact(row, 3, || format!("feed {key}"))?;
            let name: String = row.get(1)?;
            known.by_name.insert(name.clone(), key);
            known.names.insert(key, name);
            known.by_url.entry(row.get(2)?).or_default().push(key);
            for column in 4..=6 {
                if let Some(address) = row.get(column)? {
                    known.by_address.entry(address).or_default().push(key);
                }
            }
        }
        Ok(known)
    }

    /// Updates a feed from the config, if it differs. A feed with a changed URL, or that was gone, is due at once.
    fn update_configured_feed(&self, key: i64, feed: &Feed) -> Result<i64, Error> {
        self.forget_yields_of_other_address(key, feed)?;
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE feed SET active = 1, name = ifnull(?2, name), title = ?4, tags = ?5, kept = ?6,
                        next_poll_at = CASE WHEN url <> ?3 OR plan_reason = 'gone' THEN 0 ELSE next_poll_at END,
                        plan_reason = CASE WHEN url <> ?3 THEN 'new' ELSE plan_reason END,
                        plan_text = CASE WHEN url <> ?3 THEN 'the address was changed' ELSE plan_text END,
                        failures = CASE WHEN url <> ?3 OR plan_reason = 'gone' THEN 0 ELSE failures END,
                        effective_url = CASE WHEN url <> ?3 THEN NULL ELSE effective_url END,
                        moved_to = CASE WHEN url <> ?3 THEN NULL ELSE moved_to END,
                        url = ?3
                 WHERE id = ?1 AND (active, name, url, title, tags, kept) IS NOT (1, ifnull(?2, name), ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                key,
                feed.id.as_ref().map(FeedId::as_str),
                feed.url.as_str(),
                feed.title,
                serde_json::to_string(&feed.tags)?,
                feed.removal == Removal::Keep,
            ])?;
        if changed > 0 {
            self.write_feed_digest(FeedKey(key))?;
            self.write_state_digests(Which::One(FeedKey(key)))?;
        }
        Ok(key)
    }

    /// Makes the document of an address that the feed leaves count as empty: what another address has is no sign of
    /// missed items. Not if redirects led to the new address.
    fn forget_yields_of_other_address(&self, key: i64, feed: &Feed) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "UPDATE poll SET unseen_items = 0, items = 0
                 WHERE feed_id = ?1
                   AND (SELECT ?2 NOT IN (url, ifnull(effective_url, url)) FROM feed WHERE id = ?1)",
            )?
            .execute(params![key, feed.url.as_str()])?;
        Ok(())
    }

    /// Adds a feed, which is due at once.
    fn insert_feed(&self, feed: &Feed, now: Timestamp) -> Result<i64, Error> {
        let name = match &feed.id {
            Some(id) => id.clone(),
            None => self.free_feed_name(&FeedId::derive(&feed.url))?,
        };
        self.connection
            .prepare_cached(
                "INSERT INTO feed (name, url, active, kept, title, tags, added_at, profile, publisher_hints, parse_warnings, removed,
                                   parser_version, request_key, next_poll_at, plan_reason, plan_text, plan_inputs, failures, items, row_digest, state_digest)
                 VALUES (?1, ?2, 1, ?7, ?3, ?4, ?5, '{}', '{}', '[]', '[]', ?6, '', 0, 'new', 'never polled', '[]', 0, 0,
                         x'', x'')",
            )?
            .execute(params![
                name.as_str(),
                feed.url.as_str(),
                feed.title,
                serde_json::to_string(&feed.tags)?,
                millis(now),
                PARSER_VERSION,
                feed.removal == Removal::Keep,
            ])?;
        let key = self.connection.last_insert_rowid();
        self.write_feed_digest(FeedKey(key))?;
        self.write_state_digests(Which::One(FeedKey(key)))?;
        Ok(key)
    }

    /// Writes the digest of what is published of a feed, after a change of it.
    pub(super) fn write_feed_digest(&self, key: FeedKey) -> Result<(), Error> {
        let sql = format!("UPDATE feed SET row_digest = row_digest({FEED}) WHERE id = ?1");
        self.connection.prepare_cached(&sql)?.execute([key.0])?;
        Ok(())
    }

    /// `wanted`, with a number appended if a feed has it already.
    fn free_feed_name(&self, wanted: &FeedId) -> Result<FeedId, Error> {
        let mut taken = self.connection.prepare_cached("SELECT 1 FROM feed WHERE name = ?1")?;
        let (mut name, mut number) = (wanted.clone(), 2);
        while taken.exists([name.as_str()])? {
            name = wanted.numbered(number);
            number += 1;
        }
        Ok(name)
    }

    /// The feeds of a config with the ids that [`Transaction::register`] gives them, in the order of the config. Writes
    /// nothing.
    pub fn configured_feeds(&self, feeds: &[Feed]) -> Result<Vec<ConfiguredFeed>, Error> {
        let mut claimed: HashSet<i64> = HashSet::new();
        let mut rows = vec![None; feeds.len()];
        let known = self.known_feeds()?;
        for find in [KnownFeeds::find, KnownFeeds::find_moved] {
            for at in named_first(feeds) {
                let key = Some(at).filter(|at| rows[*at].is_none());
                let Some(key) = key.and_then(|at| find(&known, &feeds[at], &claimed)) else {
                    continue;
                };
                claimed.insert(key);
                rows[at] = Some((FeedKey(key), self.registered_feed(FeedKey(key))?.id));
            }
        }
        let taken = known.by_name.keys().map(|name| feed_id(name)).collect::<Result<_, _>>()?;
        Ok(configured(feeds, &rows, taken))
    }

    /// A feed of the database.
    pub fn registered_feed(&self, key: FeedKey) -> Result<RegisteredFeed, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT name, next_poll_at, plan_reason, last_poll_at, plan_inputs, failures,
                    effective_url, is_suspect FROM feed WHERE id = ?1",
        )?;
        let mut rows = statement.query([key.0])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let reason = ReasonKind::from_slug(row.get_ref(2)?.as_str().unwrap_or_default());
        Ok(RegisteredFeed {
            key,
            id: feed_id(row.get_ref(0)?.as_str().unwrap_or_default())?,
            next_poll_at: timestamp(row.get(1)?)?,
            reason: reason.unwrap_or(ReasonKind::New),
            last_poll_at: maybe(row.get(3)?)?,
            failures: row.get(5)?,
            is_suspect: row.get(7)?,
            is_reset: false,
            effective: row.get_ref(6)?.as_str().ok().and_then(|url| Url::parse(url).ok()),
            considered: serde_json::from_str(row.get_ref(4)?.as_str().unwrap_or("[]"))?,
        })
    }

    /// Writes new plans for these feeds.
    pub(super) fn replan(&self, plans: &[(FeedKey, Plan)]) -> Result<(), Error> {
        for (feed, plan) in plans {
            self.change_states(Which::One(*feed), || self.write_plan(*feed, plan))?;
        }
        Ok(())
    }

    /// The same within a change of the state of this feed.
    pub(super) fn write_plan(&self, feed: FeedKey, plan: &Plan) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE feed SET next_poll_at = ?2, plan_reason = ?3, plan_text = ?4, plan_inputs = ?5 WHERE id = ?1",
        )?;
        let considered = serde_json::to_string(&plan.considered)?;
        let reason = &plan.reason;
        let at = millis(plan.at);
        statement.execute(params![feed.0, at, reason.kind.slug(), reason.text, considered])?;
        Ok(())
    }
}

/// The places of the feeds, those with an id first, so that no derived id takes theirs.
fn named_first(feeds: &[Feed]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..feeds.len()).collect();
    order.sort_by_key(|&i| feeds[i].id.is_none());
    order
}

/// The feeds with their ids. `rows` has the row of each feed, `taken` the ids of all rows.
fn configured(
    feeds: &[Feed],
    rows: &[Option<(FeedKey, FeedId)>],
    mut taken: HashSet<FeedId>,
) -> Vec<ConfiguredFeed> {
    taken.extend(feeds.iter().filter_map(|feed| feed.id.clone()));
    let mut all = Vec::with_capacity(feeds.len());
    for (feed, row) in feeds.iter().zip(rows) {
        let stored = row.as_ref().map(|(_, id)| id);
        let id = feed.id.as_ref().or(stored).cloned().unwrap_or_else(|| {
            let derived = FeedId::derive(&feed.url);
            let numbered = (2..).map(|number| derived.numbered(number));
            let mut free = std::iter::once(derived.clone()).chain(numbered);
            free.find(|id| !taken.contains(id)).unwrap_or_else(|| derived.clone())
        });
        taken.insert(id.clone());
        all.push(ConfiguredFeed { id, key: row.as_ref().map(|(key, _)| *key) });
    }
    all
}

/// The feeds of a config with the ids that they get in a new database.
#[must_use]
pub fn new_feeds(feeds: &[Feed]) -> Vec<ConfiguredFeed> {
    configured(feeds, &vec![None; feeds.len()], HashSet::new())
}
