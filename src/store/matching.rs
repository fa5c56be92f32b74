//! What the stories stage reads and writes: pending items, fingerprints, ties, the operator's decisions.
//! Leaves deciding what is one story to `stories`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::rows::{digest, digests_from_bytes, json_list, maybe, millis, standing, tie, timestamp};
use crate::model::{FeedKey, Item, ItemKey, KeptItem, StoryKey, Tie};

/// An item that the stories stage has not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Number of the mark, ascending; another mark of the same item has another one.
    pub mark: i64,
    /// Row of the item.
    pub item: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
}

/// What the stories stage found about some pending items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matches {
    /// When it was found.
    pub at: Timestamp,
    /// The marks that are done with; the items behind them may be shown from now on.
    pub marks: Vec<i64>,
    /// Decisions about two items each.
    pub ties: Vec<Tie>,
    /// Items with the story that they belong to from now on.
    pub stories: Vec<(ItemKey, StoryKey)>,
}

/// A word of the operator about items, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorDecision {
    /// The item is a story by itself.
    Split(ItemKey),
    /// The two items are one story.
    Join(ItemKey, ItemKey),
    /// The held items of a feed may be shown.
    Release(FeedKey),
}

/// A fingerprint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFingerprint {
    /// Row of the item.
    pub key: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
    /// When it was made.
    pub at: Timestamp,
    /// See `dedupe::Fingerprint`.
    pub data: Vec<u8>,
}

/// An item in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Row of the item.
    pub key: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
    /// When the publisher says it was published.
    pub published: Option<Timestamp>,
    /// Its outward id.
    pub id: String,
    /// Its story.
    pub story: StoryKey,
}

/// What the operator decided of some items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptional {
    /// These are stories by themselves.
    pub split: HashSet<ItemKey>,
    /// These belong together.
    pub joined: Vec<(ItemKey, ItemKey)>,
}

/// At most `limit` items that are pending, in the order in which they were marked.
pub(crate) fn pending(connection: &Connection, limit: usize) -> Result<Vec<Pending>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT wanted.id, item.id, item.feed_id
         FROM (SELECT id, item_id FROM pending ORDER BY id LIMIT ?1) wanted JOIN item ON item.id = wanted.item_id",
    )?;
    let rows = statement.query_map([limit as i64], |row| {
        Ok(Pending { mark: row.get(0)?, item: ItemKey(row.get(1)?), feed: FeedKey(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Marks an item as pending; one that is marked already comes last then.
pub(crate) fn mark(connection: &Connection, key: ItemKey) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO pending (item_id) VALUES (?1)")?
        .execute([key.0])?;
    Ok(())
}

/// For each of these items, those of other feeds with the same canonical URL or the same publisher's id,
/// the earliest first; a link that many share cannot make it many.
pub(crate) fn doubles(
    connection: &Connection,
    keys: &[ItemKey],
) -> Result<HashMap<ItemKey, Vec<ItemKey>>, Error> {
    const MOST: usize = 64;
    let mut statement = connection.prepare_cached(
        "SELECT item.id, other.id FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
         JOIN item AS other ON other.url_key = item.url_key
         WHERE other.feed_id <> item.feed_id AND ifnull(other.hidden, 'pending') = 'pending'
         UNION ALL
         SELECT item.id, other.id FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
         JOIN item AS other ON other.outward_id = item.wanted_id
         WHERE other.feed_id <> item.feed_id AND ifnull(other.hidden, 'pending') = 'pending'
         UNION ALL
         SELECT item.id, other.id FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
         JOIN item AS other ON other.wanted_id = item.wanted_id
         WHERE other.feed_id <> item.feed_id AND ifnull(other.hidden, 'pending') = 'pending'
         UNION ALL
         SELECT item.id, other.id FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
         JOIN item AS other ON other.wanted_id = item.outward_id
         WHERE other.feed_id <> item.feed_id AND ifnull(other.hidden, 'pending') = 'pending'",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut found: HashMap<ItemKey, Vec<ItemKey>> = HashMap::new();
    while let Some(row) = rows.next()? {
        found.entry(ItemKey(row.get(0)?)).or_default().push(ItemKey(row.get(1)?));
    }
    for others in found.values_mut() {
        others.sort_unstable();
        others.dedup();
        others.truncate(MOST);
    }
    Ok(found)
}

/// The fingerprints of those of these items that are in the window and not held.
pub(crate) fn fingerprints(
    connection: &Connection,
    keys: &[ItemKey],
) -> Result<Vec<StoredFingerprint>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT fingerprint.item_id, fingerprint.feed_id, fingerprint.at, fingerprint.data
         FROM json_each(?1) wanted JOIN fingerprint ON fingerprint.item_id = wanted.value
         JOIN item ON item.id = wanted.value WHERE ifnull(item.hidden, 'pending') = 'pending'",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut found = Vec::with_capacity(keys.len());
    while let Some(row) = rows.next()? {
        found.push(stored(row)?);
    }
    Ok(found)
}

/// All fingerprints made since, the oldest item first, one by one.
pub(crate) fn fingerprints_since(
    connection: &Connection,
    since: Timestamp,
    mut each: impl FnMut(StoredFingerprint),
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "SELECT fingerprint.item_id, fingerprint.feed_id, fingerprint.at, fingerprint.data
         FROM fingerprint JOIN item ON item.id = fingerprint.item_id
         WHERE fingerprint.at >= ?1 AND ifnull(item.hidden, 'pending') = 'pending' ORDER BY fingerprint.item_id",
    )?;
    let mut rows = statement.query([millis(since)])?;
    while let Some(row) = rows.next()? {
        each(stored(row)?);
    }
    Ok(())
}

fn stored(row: &rusqlite::Row<'_>) -> Result<StoredFingerprint, Error> {
    Ok(StoredFingerprint {
        key: ItemKey(row.get(0)?),
        feed: FeedKey(row.get(1)?),
        at: timestamp(row.get(2)?)?,
        data: row.get(3)?,
    })
}

/// Deletes the fingerprints made before `cutoff`.
pub(crate) fn forget(connection: &Connection, cutoff: Timestamp) -> Result<usize, Error> {
    // The table holds the window and little more: a walk through it once an hour is cheap.
    Ok(connection.execute("DELETE FROM fingerprint WHERE at < ?1", [millis(cutoff)])?)
}

/// What a fingerprint is made of, of those of these items that are not held.
pub(crate) fn kept_items(
    connection: &Connection,
    keys: &[ItemKey],
) -> Result<Vec<KeptItem>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.feed_id, item.first_seen_at, item.published_at, item.url_key, item.standing,
                item.title, item.url, item.guid, body.content, body.summary
         FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
              LEFT JOIN body ON body.item_id = item.id
         WHERE ifnull(item.hidden, 'pending') = 'pending'",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut kept = Vec::with_capacity(keys.len());
    while let Some(row) = rows.next()? {
        let url_key = row.get_ref(4)?.as_blob_or_null().ok().flatten().map(digest).transpose()?;
        kept.push(KeptItem {
            key: ItemKey(row.get(0)?),
            feed: FeedKey(row.get(1)?),
            seen: timestamp(row.get(2)?)?,
            url_key,
            standing: standing(row.get(5)?),
            item: Item {
                published: maybe(row.get(3)?)?,
                title: row.get(6)?,
                url: row.get(7)?,
                guid: row.get(8)?,
                content: row.get(9)?,
                summary: row.get(10)?,
                ..Item::default()
            },
        });
    }
    Ok(kept)
}

/// Digests of the paragraphs that are boilerplate of these feeds.
pub(crate) fn boilerplate(
    connection: &Connection,
    feeds: &[FeedKey],
) -> Result<HashMap<FeedKey, HashSet<u64>>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT feed.id, feed.boilerplate FROM json_each(?1) wanted JOIN feed ON feed.id = wanted.value",
    )?;
    let mut rows = statement.query([json_list(feeds.iter().map(|feed| feed.0))])?;
    let mut found = HashMap::with_capacity(feeds.len());
    while let Some(row) = rows.next()? {
        let digests = digests_from_bytes(row.get_ref(1)?.as_blob().unwrap_or_default());
        found.insert(FeedKey(row.get(0)?), digests);
    }
    Ok(found)
}

/// Every decision about one of these items and another, in either direction; twice, if both are wanted.
pub(crate) fn ties(connection: &Connection, keys: &[ItemKey]) -> Result<Vec<Tie>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT tie.item_id, tie.other_id, tie.same, tie.rule, tie.score, tie.threshold
         FROM json_each(?1) wanted JOIN tie ON tie.item_id = wanted.value
         UNION ALL
         SELECT tie.item_id, tie.other_id, tie.same, tie.rule, tie.score, tie.threshold
         FROM json_each(?1) wanted JOIN tie ON tie.other_id = wanted.value",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut ties = Vec::new();
    while let Some(row) = rows.next()? {
        ties.push(tie(row)?);
    }
    Ok(ties)
}

/// What the operator decided of these items.
pub(crate) fn exceptions(connection: &Connection, keys: &[ItemKey]) -> Result<Exceptional, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item_id, other_id FROM json_each(?1) wanted JOIN exception ON exception.item_id = wanted.value
         UNION ALL
         SELECT item_id, other_id FROM json_each(?1) wanted
         JOIN exception ON exception.other_id = wanted.value",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut decided = Exceptional::default();
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

/// These items in their places; those that are held are left out.
pub(crate) fn placed(connection: &Connection, keys: &[ItemKey]) -> Result<Vec<Placed>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.feed_id, item.published_at, ifnull(item.wanted_id, item.outward_id), item.story_id
         FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
         WHERE ifnull(item.hidden, 'pending') = 'pending'",
    )?;
    let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
    let mut placed = Vec::with_capacity(keys.len());
    while let Some(row) = rows.next()? {
        placed.push(Placed {
            key: ItemKey(row.get(0)?),
            feed: FeedKey(row.get(1)?),
            published: maybe(row.get(2)?)?,
            id: row.get(3)?,
            story: StoryKey(row.get(4)?),
        });
    }
    Ok(placed)
}

/// Writes what the stories stage found, and shows the items that it is done with.
///
/// A later decision about the same two replaces the earlier.
pub(crate) fn write(connection: &Connection, matches: &Matches) -> Result<(), Error> {
    let Matches { at, marks, ties, stories } = matches;
    let mut insert = connection.prepare_cached(
        "INSERT INTO tie (item_id, other_id, same, rule, score, threshold, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET same = ?3, rule = ?4, score = ?5, threshold = ?6, at = ?7",
    )?;
    for Tie { item, other, rule, score, threshold, same } in ties {
        let (score, threshold) = (f64::from(*score), f64::from(*threshold));
        let at = millis(*at);
        insert.execute(params![item.0, other.0, same, rule.slug(), score, threshold, at])?;
    }
    let mut assign = connection.prepare_cached("UPDATE item SET story_id = ?2 WHERE id = ?1")?;
    for (key, story) in stories {
        assign.execute(params![key.0, story.0])?;
    }
    let mut done =
        connection.prepare_cached("DELETE FROM pending WHERE id = ?1 RETURNING item_id")?;
    let mut show = connection
        .prepare_cached("UPDATE item SET hidden = NULL WHERE id = ?1 AND hidden = 'pending'")?;
    for mark in marks {
        // A mark that is gone was replaced by a later one, which has its own turn.
        let item: Option<i64> = done.query_row([mark], |row| row.get(0)).optional()?;
        if let Some(item) = item {
            show.execute([item])?;
        }
    }
    Ok(())
}

/// Writes a decision of the operator; the opposite one about the same items is forgotten. Answers how many
/// items it is about.
pub(crate) fn decide(
    connection: &Connection,
    decision: OperatorDecision,
    now: Timestamp,
) -> Result<usize, Error> {
    let insert = "INSERT OR IGNORE INTO exception (item_id, other_id, at) VALUES (?1, ?2, ?3)";
    match decision {
        OperatorDecision::Split(item) => {
            connection.execute(
                "DELETE FROM exception WHERE other_id <> 0 AND (item_id = ?1 OR other_id = ?1)",
                [item.0],
            )?;
            connection.execute(insert, [item.0, 0, millis(now)])?;
            mark(connection, item)?;
            Ok(1)
        }
        OperatorDecision::Join(a, b) => {
            connection.execute(
                "DELETE FROM exception WHERE other_id = 0 AND item_id IN (?1, ?2)",
                [a.0, b.0],
            )?;
            connection.execute(insert, [a.max(b).0, a.min(b).0, millis(now)])?;
            mark(connection, a)?;
            mark(connection, b)?;
            Ok(2)
        }
        OperatorDecision::Release(feed) => {
            let mut held = connection.prepare_cached(
                "SELECT id FROM item WHERE feed_id = ?1 AND hidden IS NOT NULL AND hidden <> 'pending'
                 ORDER BY id",
            )?;
            let held: Vec<i64> =
                held.query_map([feed.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut release =
                connection.prepare_cached("UPDATE item SET hidden = 'pending' WHERE id = ?1")?;
            for key in &held {
                release.execute([key])?;
                mark(connection, ItemKey(*key))?;
            }
            Ok(held.len())
        }
    }
}

/// Takes all items first seen since out of their stories, with the ties about them but not the operator's
/// decisions, and marks them as pending; answers how many.
pub(crate) fn regroup(connection: &Connection, since: Timestamp) -> Result<usize, Error> {
    let since = millis(since);
    connection.execute(
        "DELETE FROM tie WHERE item_id IN (SELECT id FROM item WHERE first_seen_at >= ?1)",
        [since],
    )?;
    connection.execute("UPDATE item SET story_id = id WHERE first_seen_at >= ?1", [since])?;
    Ok(connection.execute(
        "INSERT OR REPLACE INTO pending (item_id) SELECT id FROM item
         WHERE first_seen_at >= ?1 AND ifnull(hidden, 'pending') = 'pending' ORDER BY id",
        [since],
    )?)
}

/// What words prove, as last learnt, and when.
pub(crate) fn weights(connection: &Connection) -> Result<Option<(Timestamp, Vec<u8>)>, Error> {
    let row: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT at, learnt FROM weight WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(at, learnt)| Ok((timestamp(at)?, learnt))).transpose()
}

/// Remembers what words prove from now on.
pub(crate) fn write_weights(
    connection: &Connection,
    now: Timestamp,
    learnt: &[u8],
) -> Result<(), Error> {
    connection.execute(
        "INSERT OR REPLACE INTO weight (id, at, learnt) VALUES (1, ?1, ?2)",
        params![millis(now), learnt],
    )?;
    Ok(())
}

/// Every statement once, for the test that none scans a table that grows.
#[cfg(test)]
pub(crate) fn every_verb(connection: &Connection, key: ItemKey, feed: FeedKey) {
    let other = doubles(connection, &[key]).unwrap()[&key][0];
    assert!(!pending(connection, 5).unwrap().is_empty());
    let tie = Tie {
        item: key.max(other),
        other: key.min(other),
        rule: crate::model::Rule::SamePage,
        score: 1.0,
        threshold: 1.0,
        same: true,
    };
    let marks = pending(connection, 5).unwrap().iter().map(|pending| pending.mark).collect();
    let stories = vec![(key, StoryKey(key.0))];
    let at = Timestamp::UNIX_EPOCH;
    write(connection, &Matches { at, marks, ties: vec![tie], stories }).unwrap();
    assert_eq!(pending(connection, 5).unwrap(), []);
    assert_eq!(ties(connection, &[other]).unwrap(), [tie]);
    assert_eq!(kept_items(connection, &[key]).unwrap().len(), 1);
    assert_eq!(fingerprints(connection, &[key]).unwrap().len(), 1);
    assert_eq!(placed(connection, &[key]).unwrap().len(), 1);
    assert_eq!(exceptions(connection, &[key]).unwrap(), Exceptional::default());
    assert_eq!(boilerplate(connection, &[feed]).unwrap().len(), 1);
    assert_eq!(decide(connection, OperatorDecision::Release(feed), at).unwrap(), 0);
}
