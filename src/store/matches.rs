//! The tables of the stories stage: pending items, fingerprints, matches, decisions of the operator, word weights.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::transaction::Transaction;
use super::values::{
    digest, digests_from_bytes, item_match, json_list, maybe, millis, page_owner, timestamp,
};
use crate::model::{
    Decisions, Digest, FeedKey, Item, ItemKey, Match, StoredItem, StoryItem, StoryKey,
};

/// An item that the stories stage has not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingItem {
    /// Number of the mark, ascending. An item that is marked again gets a new number.
    pub mark: i64,
    /// Row of the item.
    pub item: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
}

/// Result of the stories stage for some pending items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matches {
    /// Time of the result.
    pub at: Timestamp,
    /// Marks that are done. Their items may be shown from now on.
    pub marks: Vec<i64>,
    /// Fingerprints of pending items that had none.
    pub fingerprints: Vec<StoredFingerprint>,
    /// Matches of two items each.
    pub pairs: Vec<Match>,
    /// Items and the story that each belongs to from now on.
    pub stories: Vec<(ItemKey, StoryKey)>,
}

/// A permanent decision of the operator about items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorDecision {
    /// The item is a story by itself.
    Split(ItemKey),
    /// The two items are one story.
    Join(ItemKey, ItemKey),
    /// The held items of a feed are released.
    Release(FeedKey),
    /// The items of a feed that its filters kept out are released.
    ReleaseFiltered(FeedKey),
}

/// A fingerprint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFingerprint {
    /// Row of the item.
    pub key: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
    /// Time when it was made.
    pub at: Timestamp,
    /// A serialised `dedupe::Fingerprint`; opaque to the store.
    pub data: Vec<u8>,
}

/// What an item of another feed may have in common with an item; each has an index in which rows that do not match are
/// not read.
const SAME: [&str; 7] = [
    "same.url_key = item.url_key",
    "same.outward_id = item.claimed_id",
    "same.claimed_id = item.claimed_id",
    "same.claimed_id = item.outward_id",
    "same.guid = item.guid AND same.guid GLOB '????????-????-????-????-????????????'",
    "same.published_at = item.published_at AND same.published_at % 86400000 <> 0 AND same.title = item.title
     AND same.feed_id NOT IN (SELECT value FROM json_each(?2) wanted)",
    "same.published_at = item.published_at AND same.published_at % 86400000 <> 0
     AND same.text_digest = item.text_digest AND same.feed_id NOT IN (SELECT value FROM json_each(?2) wanted)",
];

impl Transaction<'_> {
    /// At most `limit` pending items, in the order of their marks.
    pub fn pending(&self, limit: usize) -> Result<Vec<PendingItem>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT wanted.id, item.id, item.feed_id
             FROM (SELECT id, item_id FROM pending ORDER BY id LIMIT ?1) wanted JOIN item ON item.id = wanted.item_id",
        )?;
        let rows = statement.query_map([limit as i64], |row| {
            Ok(PendingItem {
                mark: row.get(0)?,
                item: ItemKey(row.get(1)?),
                feed: FeedKey(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Marks an item as pending. If it is marked already, it moves to the end.
    pub(super) fn mark_pending(&self, key: ItemKey) -> Result<(), Error> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO pending (item_id) VALUES (?1)")?
            .execute([key.0])?;
        Ok(())
    }

    /// For each of these items, those of other feeds with the same canonical URL, the same publisher's id or UUID, or the
    /// same date of publication and title or text, the earliest first, however long ago they were seen. At most 64 by each
    /// of these, because any number of items may share a link. Those of the feeds `by_link` are not found by title or text.
    pub fn same_page_or_id(
        &self,
        keys: &[ItemKey],
        by_link: &[FeedKey],
    ) -> Result<HashMap<ItemKey, Vec<ItemKey>>, Error> {
        let found_by = SAME.map(|same| {
            format!(
                "SELECT item.id, other.id FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value
                 CROSS JOIN item AS other ON other.id IN (
                   SELECT same.id FROM item AS same WHERE {same} AND same.feed_id <> item.feed_id
                     AND ifnull(same.hidden, 'pending') = 'pending' LIMIT 64)"
            )
        });
        let mut statement = self.connection.prepare_cached(&found_by.join(" UNION ALL "))?;
        let keys = json_list(keys.iter().map(|key| key.0));
        let mut rows = statement.query([keys, json_list(by_link.iter().map(|feed| feed.0))])?;
        let mut found: HashMap<ItemKey, Vec<ItemKey>> = HashMap::new();
        while let Some(row) = rows.next()? {
            found.entry(ItemKey(row.get(0)?)).or_default().push(ItemKey(row.get(1)?));
        }
        for others in found.values_mut() {
            others.sort_unstable();
            others.dedup();
        }
        Ok(found)
    }

    /// Items before this one that have this page and are shown or pending, with their feeds, the newest first. Of the
    /// newest 64 rows, because any number of items may share a link.
    pub fn items_of_page(
        &self,
        page: &Digest,
        before: ItemKey,
    ) -> Result<Vec<(ItemKey, FeedKey)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, feed_id FROM item
             WHERE id IN (SELECT id FROM item WHERE url_key = ?1 AND id < ?2 ORDER BY id DESC LIMIT 64)
               AND ifnull(hidden, 'pending') = 'pending' ORDER BY id DESC",
        )?;
        let rows = statement
            .query_map((page, before.0), |row| Ok((ItemKey(row.get(0)?), FeedKey(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Fingerprints of those of these items that are in the window and not held.
    pub fn fingerprints(&self, keys: &[ItemKey]) -> Result<Vec<StoredFingerprint>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT fingerprint.item_id, fingerprint.feed_id, fingerprint.at, fingerprint.data
             FROM json_each(?1) wanted CROSS JOIN fingerprint ON fingerprint.item_id = wanted.value
             JOIN item ON item.id = wanted.value WHERE ifnull(item.hidden, 'pending') = 'pending'",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut found = Vec::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            found.push(stored(row)?);
        }
        Ok(found)
    }

    /// Item and feed of each fingerprint made since, of items that are matched, the oldest item first.
    pub fn fingerprinted_since(&self, since: Timestamp) -> Result<Vec<(ItemKey, FeedKey)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT fingerprint.item_id, fingerprint.feed_id
             FROM fingerprint JOIN item ON item.id = fingerprint.item_id
             WHERE fingerprint.at >= ?1 AND item.hidden IS NULL
               AND fingerprint.item_id NOT IN (SELECT item_id FROM pending)
             ORDER BY fingerprint.item_id",
        )?;
        let rows = statement
            .query_map([millis(since)], |row| Ok((ItemKey(row.get(0)?), FeedKey(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Calls `each` with the first `bytes` of every fingerprint made since, of items that are matched, the oldest item
    /// first.
    pub fn fingerprints_since(
        &self,
        since: Timestamp,
        bytes: usize,
        mut each: impl FnMut(StoredFingerprint),
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT fingerprint.item_id, fingerprint.feed_id, fingerprint.at, substr(fingerprint.data, 1, ?2)
             FROM fingerprint JOIN item ON item.id = fingerprint.item_id
             WHERE fingerprint.at >= ?1 AND item.hidden IS NULL
               AND fingerprint.item_id NOT IN (SELECT item_id FROM pending)
             ORDER BY fingerprint.item_id",
        )?;
        let mut rows = statement.query((millis(since), bytes as i64))?;
        while let Some(row) = rows.next()? {
            each(stored(row)?);
        }
        Ok(())
    }
}

fn stored(row: &rusqlite::Row<'_>) -> Result<StoredFingerprint, Error> {
    Ok(StoredFingerprint {
        key: ItemKey(row.get(0)?),
        feed: FeedKey(row.get(1)?),
        at: timestamp(row.get(2)?)?,
        data: row.get(3)?,
    })
}

impl Transaction<'_> {
    /// Deletes the fingerprints made before `cutoff`.
    pub(super) fn forget_fingerprints(&self, cutoff: Timestamp) -> Result<usize, Error> {
        Ok(self.connection.execute("DELETE FROM fingerprint WHERE at < ?1", [millis(cutoff)])?)
    }

    /// Text and facts of those of these items that are not held, to make fingerprints of them.
    pub fn stored_items(&self, keys: &[ItemKey]) -> Result<Vec<StoredItem>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.feed_id, item.first_seen_at, item.published_at, item.url_key, item.page_owner,
                    item.title, item.url, item.guid, body.content, body.summary, body.details
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value
                  LEFT JOIN body ON body.item_id = item.id
             WHERE ifnull(item.hidden, 'pending') = 'pending'",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut kept = Vec::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            let url_key =
                row.get_ref(4)?.as_blob_or_null().ok().flatten().map(digest).transpose()?;
            let details: Option<String> = row.get(11)?;
            let details = details.map(|json| serde_json::from_str(&json)).transpose()?;
            kept.push(StoredItem {
                key: ItemKey(row.get(0)?),
                feed: FeedKey(row.get(1)?),
                seen: timestamp(row.get(2)?)?,
                url_key,
                page_owner: page_owner(row.get(5)?),
                item: Item {
                    published: maybe(row.get(3)?)?,
                    title: row.get(6)?,
                    url: row.get(7)?,
                    guid: row.get(8)?,
                    content: row.get(9)?,
                    summary: row.get(10)?,
                    details: details.unwrap_or_default(),
                    ..Item::default()
                },
            });
        }
        Ok(kept)
    }

    /// Digests of the paragraphs that are boilerplate of these feeds.
    pub fn boilerplate(&self, feeds: &[FeedKey]) -> Result<HashMap<FeedKey, HashSet<u64>>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT feed.id, feed.boilerplate FROM json_each(?1) wanted CROSS JOIN feed ON feed.id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(feeds.iter().map(|feed| feed.0))])?;
        let mut found = HashMap::with_capacity(feeds.len());
        while let Some(row) = rows.next()? {
            let digests = digests_from_bytes(row.get_ref(1)?.as_blob().unwrap_or_default());
            found.insert(FeedKey(row.get(0)?), digests);
        }
        Ok(found)
    }

    /// Every match of one of these items, also those by which two items are not one story. A match of two
    /// of these items comes twice.
    pub fn item_matches(&self, keys: &[ItemKey]) -> Result<Vec<Match>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item_match.item_id, item_match.other_id, item_match.same_story, item_match.rule, item_match.score, item_match.threshold
             FROM json_each(?1) wanted CROSS JOIN item_match ON item_match.item_id = wanted.value
             UNION ALL
             SELECT item_match.item_id, item_match.other_id, item_match.same_story, item_match.rule, item_match.score, item_match.threshold
             FROM json_each(?1) wanted CROSS JOIN item_match ON item_match.other_id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(item_match(row)?);
        }
        Ok(found)
    }

    /// Decisions of the operator about these items.
    pub fn decisions(&self, keys: &[ItemKey]) -> Result<Decisions, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item_id, other_id FROM json_each(?1) wanted CROSS JOIN decision ON decision.item_id = wanted.value
             UNION ALL
             SELECT item_id, other_id FROM json_each(?1) wanted
             CROSS JOIN decision ON decision.other_id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut decided = Decisions::default();
        while let Some(row) = rows.next()? {
            let (item, other): (i64, i64) = (row.get(0)?, row.get(1)?);
            if other == 0 {
                decided.split.insert(ItemKey(item));
            } else {
                decided.joined.push((ItemKey(item), ItemKey(other)));
            }
        }
        Ok(decided)
    }

    /// What grouping needs of those of these items that are not held.
    pub fn story_items(&self, keys: &[ItemKey]) -> Result<Vec<StoryItem>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.feed_id, item.published_at, ifnull(item.claimed_id, item.outward_id), item.story_id
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value
             WHERE ifnull(item.hidden, 'pending') = 'pending'",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut placed = Vec::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            placed.push(StoryItem {
                key: ItemKey(row.get(0)?),
                feed: FeedKey(row.get(1)?),
                published: maybe(row.get(2)?)?,
                id: row.get(3)?,
                story: StoryKey(row.get(4)?),
            });
        }
        Ok(placed)
    }

    /// Number of shown items of these feeds that are in a story which another item leads.
    pub fn followers(&self, feeds: &[FeedKey]) -> Result<usize, Error> {
        if feeds.is_empty() {
            return Ok(0);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FROM json_each(?1) wanted CROSS JOIN item ON item.feed_id = wanted.value
             WHERE item.hidden IS NULL AND item.story_id <> item.id",
        )?;
        let feeds = json_list(feeds.iter().map(|feed| feed.0));
        Ok(statement.query_row([feeds], |row| row.get::<_, i64>(0))? as usize)
    }

    /// Story of each of these items.
    pub fn story_keys(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, StoryKey>, Error> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.story_id FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value",
        )?;
        let rows = statement.query_map([json_list(keys.iter().map(|key| key.0))], |row| {
            Ok((ItemKey(row.get(0)?), StoryKey(row.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes the fingerprint of an item of a feed; `None` deletes that of its text before.
    pub(super) fn put_fingerprint(
        &self,
        (key, feed): (ItemKey, FeedKey),
        at: Timestamp,
        data: Option<&[u8]>,
    ) -> Result<(), Error> {
        let Some(data) = data else {
            let mut delete =
                self.connection.prepare_cached("DELETE FROM fingerprint WHERE item_id = ?1")?;
            delete.execute([key.0])?;
            return Ok(());
        };
        let mut insert = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO fingerprint (item_id, feed_id, at, data) VALUES (?1, ?2, ?3, ?4)",
        )?;
        insert.execute(params![key.0, feed.0, millis(at), data])?;
        Ok(())
    }

    /// Writes the result of the stories stage, and shows the items that are done.
    ///
    /// A later match of the same two items replaces the earlier one.
    pub(super) fn write_matches(&self, matches: &Matches) -> Result<(), Error> {
        let Matches { at, marks, fingerprints, pairs, stories } = matches;
        for StoredFingerprint { key, feed, at, data } in fingerprints {
            self.put_fingerprint((*key, *feed), *at, Some(data))?;
        }
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO item_match (item_id, other_id, same_story, rule, score, threshold, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET same_story = ?3, rule = ?4, score = ?5, threshold = ?6, at = ?7",
        )?;
        for Match { item, other, rule, score, threshold, same } in pairs {
            let (score, threshold) = (f64::from(*score), f64::from(*threshold));
            let at = millis(*at);
            insert.execute(params![item.0, other.0, same, rule.slug(), score, threshold, at])?;
        }
        let mut assign =
            self.connection.prepare_cached("UPDATE item SET story_id = ?2 WHERE id = ?1")?;
        for (key, story) in stories {
            assign.execute(params![key.0, story.0])?;
        }
        let mut done = self
            .connection
            .prepare_cached("DELETE FROM pending WHERE id = ?1 RETURNING item_id")?;
        let mut show = self
            .connection
            .prepare_cached("UPDATE item SET hidden = NULL WHERE id = ?1 AND hidden = 'pending'")?;
        for mark in marks {
            // A mark that is gone was replaced by a later one.
            let item: Option<i64> = done.query_row([mark], |row| row.get(0)).optional()?;
            if let Some(item) = item {
                show.execute([item])?;
            }
        }
        Ok(())
    }

    /// Writes a decision of the operator and deletes the opposite one about the same items. Returns the number of
    /// items that it is about.
    pub(super) fn decide(
        &self,
        decision: OperatorDecision,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let insert = "INSERT OR IGNORE INTO decision (item_id, other_id, at) VALUES (?1, ?2, ?3)";
        match decision {
            OperatorDecision::Split(item) => {
                let mut joined = self.connection.prepare_cached(
                    "DELETE FROM decision WHERE other_id <> 0 AND (item_id = ?1 OR other_id = ?1)
                     RETURNING item_id, other_id",
                )?;
                let rows = joined.query_map([item.0], |row| Ok([row.get(0)?, row.get(1)?]))?;
                let ends: Vec<[i64; 2]> = rows.collect::<Result<_, _>>()?;
                self.connection.execute(insert, [item.0, 0, millis(now)])?;
                // Nothing else may keep an item that was joined to it in the story.
                for other in ends.into_iter().flatten().filter(|end| *end != item.0) {
                    self.mark_pending(ItemKey(other))?;
                }
                self.mark_pending(item)?;
                Ok(1)
            }
            OperatorDecision::Join(a, b) => {
                // One that was split off comes back if it matches the story of the other. Any other pair is by itself.
                let mut undo = self.connection.prepare_cached(
                    "DELETE FROM decision WHERE item_id = ?1 AND other_id = 0
                       AND NOT EXISTS (SELECT 1 FROM decision WHERE item_id = ?2 AND other_id = 0)
                       AND EXISTS (
                         SELECT 1 FROM item WHERE story_id = (SELECT story_id FROM item WHERE id = ?2) AND id IN (
                           SELECT other_id FROM item_match WHERE item_id = ?1 AND same_story = 1
                           UNION ALL SELECT item_id FROM item_match WHERE other_id = ?1 AND same_story = 1))",
                )?;
                for (item, other) in [(a, b), (b, a)] {
                    undo.execute([item.0, other.0])?;
                }
                self.connection.execute(insert, [a.max(b).0, a.min(b).0, millis(now)])?;
                self.mark_pending(a)?;
                self.mark_pending(b)?;
                Ok(2)
            }
            OperatorDecision::Release(feed) => self.release(feed, ["history", "burst"]),
            OperatorDecision::ReleaseFiltered(feed) => self.release(feed, ["filtered", "filtered"]),
        }
    }

    /// Marks the items of a feed that are hidden for one of these reasons as pending. Returns how many.
    fn release(&self, feed: FeedKey, [reason, other]: [&str; 2]) -> Result<usize, Error> {
        let mut held = self.connection.prepare_cached(
            "SELECT id FROM item WHERE feed_id = ?1 AND hidden IS NOT NULL
               AND hidden IN (?2, ?3) ORDER BY id",
        )?;
        let rows = held.query_map((feed.0, reason, other), |row| row.get(0))?;
        let held: Vec<i64> = rows.collect::<Result<_, _>>()?;
        let mut release =
            self.connection.prepare_cached("UPDATE item SET hidden = 'pending' WHERE id = ?1")?;
        for key in &held {
            release.execute([key])?;
            self.mark_pending(ItemKey(*key))?;
        }
        Ok(held.len())
    }

    /// Takes all items first seen since out of their stories, deletes their matches but not the decisions of the
    /// operator, and marks them as pending. Returns how many.
    pub(super) fn regroup(&self, since: Timestamp) -> Result<usize, Error> {
        let since = millis(since);
        self.connection.execute(
            "DELETE FROM item_match WHERE item_id IN (SELECT id FROM item WHERE first_seen_at >= ?1)",
            [since],
        )?;
        self.connection
            .execute("UPDATE item SET story_id = id WHERE first_seen_at >= ?1", [since])?;
        Ok(self.connection.execute(
            "INSERT OR REPLACE INTO pending (item_id) SELECT id FROM item
             WHERE first_seen_at >= ?1 AND ifnull(hidden, 'pending') = 'pending' ORDER BY id",
            [since],
        )?)
    }

    /// Story of each item first seen since.
    pub fn stories(&self, since: Timestamp) -> Result<HashMap<ItemKey, StoryKey>, Error> {
        let mut statement =
            self.connection.prepare("SELECT id, story_id FROM item WHERE first_seen_at >= ?1")?;
        let rows = statement.query_map([since.as_millisecond()], |row| {
            Ok((ItemKey(row.get(0)?), StoryKey(row.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The weights of words, and the time when they were learned.
    pub fn word_weights(&self) -> Result<Option<(Timestamp, Vec<u8>)>, Error> {
        let row: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached("SELECT at, data FROM word_weight WHERE id = 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(at, learnt)| Ok((timestamp(at)?, learnt))).transpose()
    }

    /// Writes the weights of words.
    pub(super) fn write_weights(&self, now: Timestamp, learnt: &[u8]) -> Result<(), Error> {
        self.connection.execute(
            "INSERT OR REPLACE INTO word_weight (id, at, data) VALUES (1, ?1, ?2)",
            params![millis(now), learnt],
        )?;
        Ok(())
    }
}

/// Runs every statement once, for the test that none of them scans a table that grows.
#[cfg(test)]
pub(crate) fn every_method(transaction: &Transaction<'_>, key: ItemKey, feed: FeedKey) {
    let other = transaction.same_page_or_id(&[key], &[]).unwrap()[&key][0];
    assert!(!transaction.pending(5).unwrap().is_empty());
    let pair = Match {
        item: key.max(other),
        other: key.min(other),
        rule: crate::model::Rule::SamePage,
        score: 1.0,
        threshold: 1.0,
        same: true,
    };
    let marks = transaction.pending(5).unwrap().iter().map(|pending| pending.mark).collect();
    let stories = vec![(key, StoryKey(key.0))];
    let at = Timestamp::UNIX_EPOCH;
    transaction
        .write_matches(&Matches { at, marks, fingerprints: Vec::new(), pairs: vec![pair], stories })
        .unwrap();
    assert_eq!(transaction.pending(5).unwrap(), []);
    assert_eq!(transaction.item_matches(&[other]).unwrap(), [pair]);
    assert_eq!(transaction.stored_items(&[key]).unwrap().len(), 1);
    assert_eq!(transaction.items_of_page(&[9; 16], key).unwrap(), []);
    assert_eq!(transaction.fingerprints(&[key]).unwrap().len(), 1);
    assert_eq!(transaction.story_items(&[key]).unwrap().len(), 1);
    assert_eq!(transaction.story_keys(&[key]).unwrap().len(), 1);
    assert_eq!(transaction.followers(&[feed]).unwrap(), 0);
    assert_eq!(transaction.decisions(&[key]).unwrap(), Decisions::default());
    assert_eq!(transaction.boilerplate(&[feed]).unwrap().len(), 1);
    assert_eq!(transaction.decide(OperatorDecision::Release(feed), at).unwrap(), 0);
    for item in [key, other] {
        transaction.decide(OperatorDecision::Split(item), at).unwrap();
    }
    transaction.decide(OperatorDecision::Join(key, other), at).unwrap();
    assert_eq!(transaction.decisions(&[key, other]).unwrap().split.len(), 2);
}

#[cfg(test)]
mod tests;
