//! Where stories are put together: lookups and writes inside one open transaction. Leaves what is the
//! same thing to whoever sits at it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::error::Error;
use super::receipts::{self, Named};
use super::rows::{digest, digests_from_bytes, json_list, maybe, millis, standing, tie, timestamp};
use crate::model::{Digest, FeedKey, ItemKey, Standing, StoryKey, Tie};

/// A transaction of the writer, open for finding and moving stories.
#[derive(Debug)]
pub struct Desk<'a> {
    connection: &'a Connection,
    now: Timestamp,
}

/// An item whose story is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Its row.
    pub key: ItemKey,
    /// Its feed.
    pub feed: FeedKey,
    /// Keys that texts like it share; 4 bytes each.
    pub sketch: Vec<u8>,
}

/// A kept item as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Witness {
    /// Its row.
    pub key: ItemKey,
    /// Its feed.
    pub feed: FeedKey,
    /// When it was first seen.
    pub seen: Timestamp,
    /// When the publisher says it was published.
    pub published: Option<Timestamp>,
    /// Plain.
    pub title: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// Of its canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// The publisher's id, or one of ours.
    pub id: String,
    /// The publisher's id, whatever it is worth.
    pub guid: Option<String>,
    /// Whose page it links to.
    pub standing: Standing,
    /// Sanitised HTML.
    pub content: Option<String>,
    /// Plain.
    pub summary: Option<String>,
    /// Digests of paragraphs that are its site's.
    pub furniture: Arc<HashSet<u64>>,
}

/// An item in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its row.
    pub key: ItemKey,
    /// Its feed.
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
    /// These stand alone.
    pub split: HashSet<ItemKey>,
    /// These belong together.
    pub joined: Vec<(ItemKey, ItemKey)>,
}

impl<'a> Desk<'a> {
    /// A desk at an open transaction; `now` is what its writes are dated.
    pub(crate) fn new(connection: &'a Connection, now: Timestamp) -> Self {
        Self { connection, now }
    }

    /// What its writes are dated.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Items of other feeds with the same canonical URL or the same publisher's id, the earliest
    /// first; a shared link cannot make it many.
    ///
    /// # Errors
    /// When the database fails.
    pub fn doubles(&self, key: ItemKey) -> Result<Vec<ItemKey>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT other.id FROM item JOIN item AS other ON other.url_key = item.url_key
             WHERE item.id = ?1 AND other.feed_id <> item.feed_id AND other.held IS NULL
             UNION
             SELECT other.id FROM item JOIN item AS other ON other.outward_id = item.wanted_id
             WHERE item.id = ?1 AND other.feed_id <> item.feed_id AND other.held IS NULL
             UNION
             SELECT other.id FROM item JOIN item AS other ON other.wanted_id = item.wanted_id
             WHERE item.id = ?1 AND other.feed_id <> item.feed_id AND other.held IS NULL
             UNION
             SELECT other.id FROM item JOIN item AS other ON other.wanted_id = item.outward_id
             WHERE item.id = ?1 AND other.feed_id <> item.feed_id AND other.held IS NULL
             ORDER BY 1 LIMIT 64",
        )?;
        let rows = statement.query_map([key.0], |row| row.get(0).map(ItemKey))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// These items as they are compared; what waits for a word of the operator is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn witnesses(&self, keys: &[ItemKey]) -> Result<Vec<Witness>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.feed_id, item.first_seen_at, item.title,
                    item.url, item.url_key, ifnull(item.wanted_id, item.outward_id), item.standing,
                    body.content, body.summary, feed.furniture, item.published_at, item.guid
             FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
                  JOIN feed ON feed.id = item.feed_id LEFT JOIN body ON body.item_id = item.id
             WHERE item.held IS NULL",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut furniture: HashMap<FeedKey, Arc<HashSet<u64>>> = HashMap::new();
        let mut witnesses = Vec::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            witnesses.push(witness(row, &mut furniture)?);
        }
        Ok(witnesses)
    }

    /// Every tie that makes one story of one of these items and another; twice, if both are asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ties(&self, keys: &[ItemKey]) -> Result<Vec<Tie>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT tie.item_id, tie.other_id, tie.same, tie.rule, tie.score, tie.threshold
             FROM json_each(?1) wanted JOIN tie ON tie.item_id = wanted.value WHERE tie.same
             UNION ALL
             SELECT tie.item_id, tie.other_id, tie.same, tie.rule, tie.score, tie.threshold
             FROM json_each(?1) wanted JOIN tie ON tie.other_id = wanted.value WHERE tie.same",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut ties = Vec::new();
        while let Some(row) = rows.next()? {
            ties.push(tie(row)?);
        }
        Ok(ties)
    }

    /// Remembers decisions; a later one about the same two replaces the earlier, unless that made one
    /// story of them: what was one stays one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn write_ties(&self, ties: &[Tie]) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO tie (item_id, other_id, same, rule, score, threshold, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET same = ?3, rule = ?4, score = ?5, threshold = ?6, at = ?7
             WHERE same = 0",
        )?;
        for tie in ties {
            let (score, threshold) = (f64::from(tie.score), f64::from(tie.threshold));
            let rule = tie.rule.slug();
            let at = millis(self.now);
            statement.execute(params![
                tie.item.0,
                tie.other.0,
                tie.same,
                rule,
                score,
                threshold,
                at
            ])?;
        }
        Ok(())
    }

    /// What the operator decided of these items.
    ///
    /// # Errors
    /// When the database fails.
    pub fn exceptions(&self, keys: &[ItemKey]) -> Result<Exceptional, Error> {
        let mut statement = self.connection.prepare_cached(
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

    /// These items in their places; what waits is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn placed(&self, keys: &[ItemKey]) -> Result<Vec<Placed>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.feed_id, item.published_at, ifnull(item.wanted_id, item.outward_id), item.story_id
             FROM json_each(?1) wanted JOIN item ON item.id = wanted.value WHERE item.held IS NULL",
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

    /// Puts items into their stories: a story's number is that of its first item.
    ///
    /// # Errors
    /// When the database fails.
    pub fn assign(&self, places: &[(ItemKey, StoryKey)]) -> Result<(), Error> {
        let mut statement =
            self.connection.prepare_cached("UPDATE item SET story_id = ?2 WHERE id = ?1")?;
        for (key, story) in places {
            statement.execute(params![key.0, story.0])?;
        }
        Ok(())
    }

    /// The items that somebody may mean by `text`, the latest first: see [`super::Reader::find`].
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, text: &str, url_key: Option<&Digest>) -> Result<Vec<Named>, Error> {
        receipts::find(self.connection, text, url_key)
    }

    /// These items by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn names(&self, keys: &[ItemKey]) -> Result<Vec<Named>, Error> {
        receipts::by_key(self.connection, keys)
    }

    /// Remembers the operator's word for good: `None`, the item stands alone; else both belong
    /// together. The opposite word about them is forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub fn decide(&self, item: ItemKey, with: Option<ItemKey>) -> Result<(), Error> {
        let (a, b) = match with {
            Some(other) => (item.max(other).0, item.min(other).0),
            None => (item.0, 0),
        };
        match with {
            Some(other) => self.connection.execute(
                "DELETE FROM exception WHERE other_id = 0 AND item_id IN (?1, ?2)",
                [item.0, other.0],
            )?,
            None => self.connection.execute(
                "DELETE FROM exception WHERE other_id <> 0 AND (item_id = ?1 OR other_id = ?1)",
                [item.0],
            )?,
        };
        self.connection.execute(
            "INSERT OR IGNORE INTO exception (item_id, other_id, at) VALUES (?1, ?2, ?3)",
            [a, b, millis(self.now)],
        )?;
        Ok(())
    }

    /// Lets through what waits of a feed; answers what it was, ready to be placed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn release(&self, feed: FeedKey) -> Result<Vec<Arrived>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, ifnull(sketch.keys, x'') FROM item LEFT JOIN sketch ON sketch.item_id = item.id
             WHERE item.feed_id = ?1 AND item.held IS NOT NULL ORDER BY item.id",
        )?;
        let rows = statement.query_map([feed.0], |row| {
            Ok(Arrived { key: ItemKey(row.get(0)?), feed, sketch: row.get(1)? })
        })?;
        let released: Vec<Arrived> = rows.collect::<Result<_, _>>()?;
        self.connection.execute(
            "UPDATE item SET held = NULL WHERE feed_id = ?1 AND held IS NOT NULL",
            [feed.0],
        )?;
        Ok(released)
    }

    /// Takes all items first seen since out of their stories, with the decisions about them but not the
    /// operator's; answers them in the order in which they came, ready to be placed anew.
    ///
    /// # Errors
    /// When the database fails.
    pub fn scatter(&self, since: Timestamp) -> Result<Vec<Arrived>, Error> {
        let since = millis(since);
        self.connection.execute(
            "DELETE FROM tie WHERE item_id IN (SELECT id FROM item WHERE first_seen_at >= ?1)",
            [since],
        )?;
        self.connection
            .execute("UPDATE item SET story_id = id WHERE first_seen_at >= ?1", [since])?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id, feed_id FROM item WHERE first_seen_at >= ?1 AND held IS NULL ORDER BY id",
        )?;
        let rows = statement.query_map([since], |row| {
            let (key, feed) = (ItemKey(row.get(0)?), FeedKey(row.get(1)?));
            Ok(Arrived { key, feed, sketch: Vec::new() })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many of these items follow another.
    pub(crate) fn followers(&self, keys: impl Iterator<Item = ItemKey>) -> Result<usize, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FROM json_each(?1) wanted JOIN item ON item.id = wanted.value
             WHERE item.story_id <> item.id",
        )?;
        let list = json_list(keys.map(|key| key.0));
        Ok(statement.query_row([list], |row| row.get::<_, i64>(0))?.unsigned_abs() as usize)
    }
}

/// The columns of [`Desk::witnesses`].
fn witness(
    row: &Row<'_>,
    furniture: &mut HashMap<FeedKey, Arc<HashSet<u64>>>,
) -> Result<Witness, Error> {
    let feed = FeedKey(row.get(1)?);
    let site = match furniture.get(&feed) {
        Some(site) => Arc::clone(site),
        None => {
            let site = digests_from_bytes(row.get_ref(10)?.as_blob().unwrap_or_default());
            Arc::clone(furniture.entry(feed).or_insert(Arc::new(site)))
        }
    };
    let url_key = row.get_ref(5)?.as_blob_or_null().ok().flatten().map(digest).transpose()?;
    Ok(Witness {
        key: ItemKey(row.get(0)?),
        feed,
        seen: timestamp(row.get(2)?)?,
        published: maybe(row.get(11)?)?,
        title: row.get(3)?,
        url: row.get(4)?,
        url_key,
        id: row.get(6)?,
        guid: row.get(12)?,
        standing: standing(row.get(7)?),
        content: row.get(8)?,
        summary: row.get(9)?,
        furniture: site,
    })
}
