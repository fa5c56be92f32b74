//! Makes the table of feeds agree with the config: finds the row of each configured feed, and keeps it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::Error;
use super::feeds::feed_id;
use super::row_digest::{FEED, Which, check_intact};
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
    /// The feed of the same host that left the config when this one came without an id: perhaps it is the same feed, whose
    /// URL was changed.
    pub successor_of: Option<FeedId>,
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

/// A feed that has left the config.
struct LeftFeed {
    id: FeedId,
    url: String,
    /// Whether it has stories that leave the outputs with it.
    takes_stories: bool,
}

/// Feeds of one host.
#[derive(Default)]
struct OfHost<'a> {
    /// Those that have left the config.
    left: Vec<(&'a LeftFeed, Url)>,
    /// Positions in the config of those that are in it.
    here: Vec<usize>,
}

/// The new feeds without an id that are the only ones of their host, where only one feed of that host has left: their
/// position in the config, and the id of that feed. Two feeds of one page that differ in the query are different feeds.
fn successors(feeds: &[Feed], new: &[usize], left: &[LeftFeed]) -> Vec<(usize, FeedId)> {
    let mut hosts: HashMap<String, OfHost<'_>> = HashMap::new();
    for feed in left {
        if let Ok(url) = Url::parse(&feed.url)
            && let Some(host) = url.host_str()
        {
            hosts.entry(host.to_owned()).or_default().left.push((feed, url));
        }
    }
    for (i, feed) in feeds.iter().enumerate() {
        if let Some(of_host) = feed.url.host_str().and_then(|host| hosts.get_mut(host)) {
            of_host.here.push(i);
        }
    }
    let only = |OfHost { left, here }: &OfHost<'_>| {
        let ([(before, url)], [i]) = (left.as_slice(), here.as_slice()) else { return None };
        let feed = &feeds[*i];
        let is_sibling = feed.url.path() == url.path() && feed.url.query() != url.query();
        let is_new = feed.id.is_none() && new.contains(i);
        (is_new && !is_sibling && before.takes_stories).then(|| (*i, before.id.clone()))
    };
    hosts.values().filter_map(only).collect()
}

/// Version of the parser. To be raised when known documents have to be read again.
const PARSER_VERSION: i64 = 2;

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
        let mut new = Vec::new();
        for i in unknown {
            let key = match known.find_moved(&feeds[i], &claimed) {
                Some(key) => self.update_configured_feed(key, &feeds[i])?,
                None => {
                    new.push(i);
                    self.insert_feed(&feeds[i], now)?
                }
            };
            claimed.insert(key);
            registered.push((i, self.registered_as(key, &mut known, &reset)?));
        }
        let left = self.leave_all_but(&claimed, lists)?;
        registered.sort_by_key(|(i, _)| *i);
        let mut registered: Vec<_> = registered.into_iter().map(|(_, feed)| feed).collect();
        for (i, before) in successors(feeds, &new, &left) {
            registered[i].successor_of = Some(before);
        }
        Ok(registered)
    }

    /// Makes all other feeds inactive, and returns those that were active.
    fn leave_all_but(&self, claimed: &HashSet<i64>, lists: Lists) -> Result<Vec<LeftFeed>, Error> {
        let mut leave = self.connection.prepare_cached(
            "UPDATE feed SET active = 0
             WHERE active = 1 AND (kept = 1 OR ?2) AND id NOT IN (SELECT wanted.value FROM json_each(?1) wanted)
             RETURNING id, name, url, items > 0 AND kept = 0",
        )?;
        let wanted = json_list(claimed.iter().copied());
        let all = lists == Lists::Known;
        let left = leave.query_map(params![wanted, all], |row| {
            Ok((FeedKey(row.get(0)?), row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        })?;
        let left = left.collect::<Result<Vec<_>, _>>()?;
        left.into_iter()
            .map(|(key, name, url, takes_stories)| {
                self.write_feed_digest(key)?;
                Ok(LeftFeed { id: feed_id(&name)?, url, takes_stories })
            })
            .collect()
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
            None => self.free_feed_name(&feed.url)?,
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

    /// The id derived from a URL that no feed has.
    fn free_feed_name(&self, url: &Url) -> Result<FeedId, Error> {
        let mut taken = self.connection.prepare_cached("SELECT 1 FROM feed WHERE name = ?1")?;
        for name in FeedId::candidates(url) {
            if !taken.exists([name.as_str()])? {
                return Ok(name);
            }
        }
        Ok(FeedId::derive(url))
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
            successor_of: None,
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
            let free = FeedId::candidates(&feed.url).find(|id| !taken.contains(id));
            free.unwrap_or_else(|| FeedId::derive(&feed.url))
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

#[cfg(test)]
mod tests {
    use super::super::poll_update::PollUpdate;
    use super::super::tests::{at, feed, new_item, read, store, update};
    use super::*;
    use crate::model::Address;

    #[tokio::test]
    async fn a_renamed_or_moved_feed_keeps_its_row() {
        let (_folder, _path, store, [a, b]) = store().await;
        let renamed = vec![feed(Some("alpha"), "http://a.example/feed")];
        let registered = store.register(renamed, Lists::Known, at(1)).await.unwrap();
        assert_eq!((registered[0].key, registered[0].id.as_str()), (a, "alpha"));
        assert_eq!(read(&store, |tx| tx.feeds()).len(), 1, "b is no longer configured");
        let moved = vec![
            feed(Some("alpha"), "http://new.example/feed"),
            feed(None, "http://b.example/feed"),
        ];
        let registered = store.register(moved, Lists::Known, at(2)).await.unwrap();
        assert_eq!([registered[0].key, registered[1].key], [a, b]);
    }

    #[tokio::test]
    async fn documents_of_an_earlier_address_count_as_empty() {
        let (_folder, _path, store, [a, _]) = store().await;
        store.write_poll(update(a, vec![], vec![])).await.unwrap();
        for (second, url, items) in
            [(1, "http://a.example/feed", None), (2, "http://new.example/feed", Some(0))]
        {
            let feeds = vec![feed(Some("alpha"), url)];
            store.register(feeds, Lists::Known, at(second)).await.unwrap();
            let polls = read(&store, |tx| tx.poll_yields(a));
            let known: Vec<Option<usize>> = polls.iter().map(|poll| poll.items).collect();
            assert_eq!(known, [items], "{url}");
        }
    }

    #[tokio::test]
    async fn a_feed_without_id_keeps_its_row_when_the_config_gets_the_address_that_it_moved_to() {
        let (_folder, _path, store, [a, b]) = store().await;
        let effective = Some("http://new.example/feed".parse().unwrap());
        let address = Some(Address { effective, candidate: None });
        store.write_poll(PollUpdate { address, ..update(a, vec![], vec![]) }).await.unwrap();
        let feeds =
            || vec![feed(None, "http://new.example/feed"), feed(None, "http://b.example/feed")];
        let named = read(&store, |tx| tx.configured_feeds(&feeds()));
        assert_eq!([named[0].key, named[1].key], [Some(a), Some(b)]);
        let registered = store.register(feeds(), Lists::Known, at(1)).await.unwrap();
        assert_eq!([registered[0].key, registered[1].key], [a, b]);
        let both = vec![feed(None, "http://c.example/feed"), feed(None, "http://new.example/feed")];
        let registered = store.register(both, Lists::Known, at(2)).await.unwrap();
        assert_eq!(registered[1].key, a);
        assert!(![a, b].contains(&registered[0].key), "another feed is new");
    }

    #[tokio::test]
    async fn a_new_feed_may_be_one_of_its_host_that_left_the_config() {
        for (change, expected) in [
            ([Some("http://a.example/new"), None], Some("a.example-feed")),
            ([Some("http://a.example/feed?2"), None], None),
            ([Some("http://a.example/new"), Some("http://a.example/other")], None),
            ([Some("http://c.example/feed"), None], None),
            ([None, Some("http://b.example/new")], None),
        ] {
            let (_folder, _path, store, [a, b]) = store().await;
            let item = new_item("1", "http://a.example/1", 1);
            store.write_poll(update(a, vec![item], vec![])).await.unwrap();
            let stays =
                if change[0].is_none() { "http://a.example/feed" } else { "http://b.example/feed" };
            let urls = change.into_iter().flatten().chain([stays]);
            let feeds = urls.map(|url| feed(None, url)).collect();
            let registered = store.register(feeds, Lists::Known, at(1)).await.unwrap();
            let before = registered[0].successor_of.as_ref().map(FeedId::as_str);
            assert_eq!(before, expected, "{change:?}, {b:?} has no items");
        }
    }

    #[tokio::test]
    async fn feeds_that_leave_the_outputs_with_their_list_stay_until_it_was_read() {
        let (_folder, _path, store, _) = store().await;
        let listed = Feed { removal: Removal::Hide, ..feed(None, "http://listed.example/feed") };
        let own = feed(None, "http://a.example/feed");
        store.register(vec![own.clone(), listed], Lists::Known, at(1)).await.unwrap();
        let shown = || read(&store, |tx| tx.feeds()).len();
        store.register(vec![own.clone()], Lists::Unknown, at(2)).await.unwrap();
        assert_eq!(shown(), 2, "its list has no copy");
        store.register(vec![own], Lists::Known, at(3)).await.unwrap();
        assert_eq!(shown(), 1, "the list was read without it");
    }

    #[tokio::test]
    async fn ids_of_urls_with_queries_do_not_depend_on_other_feeds() {
        let names = async |urls: &[&str]| {
            let (_folder, _path, store, _) = store().await;
            let feeds: Vec<Feed> = urls.iter().map(|url| feed(None, url)).collect();
            let ids: Vec<FeedId> = new_feeds(&feeds).into_iter().map(|feed| feed.id).collect();
            let registered = store.register(feeds, Lists::Known, at(0)).await.unwrap();
            let stored: Vec<FeedId> = registered.into_iter().map(|feed| feed.id).collect();
            assert_eq!(stored, ids, "the ids are known before the feeds are stored");
            ids
        };
        let [a, b, c] = ["?a", "?b", "?c"].map(|query| format!("http://c.example/{query}"));
        let all = names(&[&a, &b, &c]).await;
        assert_eq!(names(&[&c, &b]).await, [all[2].clone(), all[1].clone()]);
        assert_eq!(names(&[&b]).await, [all[1].clone()]);
    }

    #[tokio::test]
    async fn a_feed_keeps_its_derived_id_when_one_with_the_same_is_added() {
        let (_folder, _path, store, _) = store().await;
        let [plain, secure] = ["http://c.example/feed", "https://c.example/feed"];
        let mut ids = Vec::new();
        for urls in [vec![plain], vec![secure, plain], vec![secure]] {
            let feeds = urls.iter().map(|url| feed(None, url)).collect();
            let registered = store.register(feeds, Lists::Known, at(0)).await.unwrap();
            ids.push(registered.iter().map(|feed| feed.id.to_string()).collect::<Vec<_>>());
        }
        let [first, both, last] = &ids[..] else { panic!("{ids:?}") };
        assert_eq!((&first[..], &both[1]), (&["c.example-feed".to_owned()][..], &first[0]));
        assert_ne!(both[0], first[0]);
        assert_eq!(last[0], both[0]);
    }
}
