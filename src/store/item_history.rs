//! How an item came to be in its story and its outputs, for `newswire why`.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::error::Error;
use super::poll_update::GuidChange;
use super::transaction::Transaction;
use super::values::{item_match, json_list, maybe, outcome, timestamp};
use crate::model::{Digest, FeedKey, ItemKey, Match, Outcome, StoryKey};

/// Number of guids that are kept of an item beside its first one.
const MAX_GUIDS: usize = 8;

/// What identifies an item to people, and its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemSummary {
    /// Key of the item.
    pub key: ItemKey,
    /// Story of the item.
    pub story: StoryKey,
    /// Feed of the item.
    pub feed: FeedKey,
    /// Stable id of the feed.
    pub feed_name: String,
    /// Outward id of the item.
    pub id: String,
    /// Title of the item, plain text.
    pub title: Option<String>,
    /// URL of its page.
    pub url: Option<String>,
    /// Slug of the reason why it is held; `None`: it is not held.
    pub held: Option<String>,
    /// The rule of a filter of its feed that keeps it out; `None`: none does.
    pub filtered_by: Option<String>,
    /// Time of first sight.
    pub first_seen: Timestamp,
    /// Time of publication, if the publisher gives one.
    pub published: Option<Timestamp>,
    /// Position in the order; see `OutputItem::sort_at`.
    pub sort_at: Timestamp,
}

/// Items of a feed by their visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemFilter {
    /// Items that may be shown.
    Shown,
    /// Items that are held until the operator releases them.
    Held,
    /// Items that filters of the feed keep out.
    Filtered,
}

/// All that is recorded about one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemHistory {
    /// The item as the database has it now.
    pub item: ItemSummary,
    /// The other items of its story, the earliest first.
    pub others: Vec<ItemSummary>,
    /// Its matches: each with the other item and the time, the strongest first.
    pub matches: Vec<(Match, ItemSummary, Timestamp)>,
    /// Changes of its guid: slug of how it was recognised, and the time.
    pub guid_changes: Vec<(String, Timestamp)>,
    /// Number of times that its text was replaced.
    pub changes: u64,
    /// Outcome and HTTP status of the poll that brought it.
    pub poll: Option<(Outcome, Option<u16>)>,
    /// Decisions of the operator: `None`: it is a story by itself; else the item that it is one story with.
    pub decisions: Vec<Option<ItemKey>>,
}

const NAMED: &str =
    "item.id, item.story_id, item.feed_id, feed.name, item.outward_id, item.title, item.url,
    nullif(item.hidden, 'pending'), iif(item.hidden = 'filtered', item.filtered_by, NULL), item.first_seen_at,
    item.published_at, item.sort_at";

/// The columns of [`NAMED`], from column `at` on.
fn named(row: &Row<'_>, at: usize) -> Result<ItemSummary, Error> {
    Ok(ItemSummary {
        key: ItemKey(row.get(at)?),
        story: StoryKey(row.get(at + 1)?),
        feed: FeedKey(row.get(at + 2)?),
        feed_name: row.get(at + 3)?,
        id: row.get(at + 4)?,
        title: row.get(at + 5)?,
        url: row.get(at + 6)?,
        held: row.get(at + 7)?,
        filtered_by: row.get(at + 8)?,
        first_seen: timestamp(row.get(at + 9)?)?,
        published: maybe(row.get(at + 10)?)?,
        sort_at: timestamp(row.get(at + 11)?)?,
    })
}

impl Transaction<'_> {
    /// Items with this id, number or URL (also as the canonical URL's digest, `url_key`), the latest first; at most 20.
    pub fn find_items(
        &self,
        text: &str,
        url_key: Option<&Digest>,
    ) -> Result<Vec<ItemSummary>, Error> {
        let sql = format!(
            "SELECT {NAMED} FROM item JOIN feed ON feed.id = item.feed_id
             WHERE item.id IN (SELECT id FROM item WHERE outward_id = ?1
                               UNION SELECT id FROM item WHERE claimed_id = ?1
                               UNION SELECT id FROM item WHERE url_key = ?2
                               UNION SELECT id FROM item WHERE id = ?3)
             ORDER BY item.id DESC LIMIT 20"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((text, url_key, text.parse::<i64>().ok()))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(named(row, 0)?);
        }
        Ok(found)
    }

    /// All that is recorded about an item.
    pub fn item_history(&self, item: ItemSummary) -> Result<ItemHistory, Error> {
        let others = self
            .item_summaries("item.story_id = ?1 AND item.id <> ?2", (item.story.0, item.key.0))?;
        let poll = self
            .connection
            .prepare_cached("SELECT outcome, status FROM poll WHERE feed_id = ?1 AND at = ?2")?
            .query_row((item.feed.0, item.first_seen.as_millisecond()), |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?))
            })
            .optional()?;
        let poll =
            poll.map(|(slug, status)| Ok::<_, Error>((outcome(&slug)?, status))).transpose()?;
        let changes: i64 = self
            .connection
            .prepare_cached("SELECT changes FROM item WHERE id = ?1")?
            .query_row([item.key.0], |row| row.get(0))?;
        Ok(ItemHistory {
            others,
            matches: self.matches_with_others(item.key)?,
            guid_changes: self.guid_changes(item.key)?,
            decisions: self.decisions_about(item.key)?,
            changes: changes.unsigned_abs(),
            poll,
            item,
        })
    }

    fn item_summaries(
        &self,
        which: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<ItemSummary>, Error> {
        let sql = format!(
            "SELECT {NAMED} FROM item JOIN feed ON feed.id = item.feed_id WHERE {which} ORDER BY item.id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(parameters)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(named(row, 0)?);
        }
        Ok(found)
    }

    /// At most `limit` items of a feed, the newest first.
    pub fn newest_summaries(
        &self,
        feed: FeedKey,
        which: ItemFilter,
        limit: usize,
    ) -> Result<Vec<ItemSummary>, Error> {
        let held = match which {
            ItemFilter::Shown => "hidden IS NULL",
            ItemFilter::Held => "hidden IS NOT NULL AND hidden IN ('history', 'burst')",
            ItemFilter::Filtered => "hidden IS NOT NULL AND hidden = 'filtered'",
        };
        let which = format!(
            "item.id IN (SELECT id FROM item WHERE feed_id = ?1 AND {held}
                         ORDER BY sort_at DESC, id DESC LIMIT ?2)"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut newest = self.item_summaries(&which, [feed.0, limit])?;
        newest.sort_by_key(|item| std::cmp::Reverse((item.sort_at, item.key)));
        Ok(newest)
    }

    /// Number of items of a feed that each rule of its filters keeps out, the largest first.
    pub fn filtered_by_rule(&self, feed: FeedKey) -> Result<Vec<(String, u64)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT ifnull(filtered_by, ''), count(*) FROM item
             WHERE feed_id = ?1 AND hidden IS NOT NULL AND hidden = 'filtered'
             GROUP BY 1 ORDER BY 2 DESC, 1",
        )?;
        let rows = statement.query_map([feed.0], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn matches_with_others(
        &self,
        key: ItemKey,
    ) -> Result<Vec<(Match, ItemSummary, Timestamp)>, Error> {
        let sql = format!(
            "SELECT item_match.item_id, item_match.other_id, item_match.same_story, item_match.rule, item_match.score, item_match.threshold, item_match.at, {NAMED}
             FROM item_match JOIN item ON item.id = iif(item_match.item_id = ?1, item_match.other_id, item_match.item_id)
                  JOIN feed ON feed.id = item.feed_id
             WHERE item_match.item_id = ?1 OR item_match.other_id = ?1
             ORDER BY item_match.same_story DESC, item_match.score DESC, item.id LIMIT 50"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([key.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((item_match(row)?, named(row, 7)?, timestamp(row.get(6)?)?));
        }
        Ok(found)
    }

    /// Deletes the guids of renamed items of a feed except the first of each and its newest. A feed may send other guids
    /// at each poll.
    pub(super) fn forget_guids(&self, feed: FeedKey, renamed: &[GuidChange]) -> Result<(), Error> {
        if renamed.is_empty() {
            return Ok(());
        }
        let keys = json_list(renamed.iter().map(|renamed| renamed.key.0));
        self.connection
            .prepare_cached(
                "DELETE FROM identity WHERE feed_id = ?1 AND digest IN (
                   SELECT older.digest FROM json_each(?2) wanted
                   CROSS JOIN identity older ON older.item_id = wanted.value AND older.recognised_by IS NOT NULL
                   WHERE ?3 <= (SELECT count(*) FROM identity newer
                                WHERE newer.item_id = older.item_id AND newer.recognised_by IS NOT NULL
                                AND (newer.recognised_at, newer.digest) > (older.recognised_at, older.digest)))",
            )?
            .execute(params![feed.0, keys, MAX_GUIDS as i64])?;
        Ok(())
    }

    fn guid_changes(&self, key: ItemKey) -> Result<Vec<(String, Timestamp)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT recognised_by, recognised_at FROM identity WHERE item_id = ?1 AND recognised_by IS NOT NULL ORDER BY recognised_at",
        )?;
        let mut rows = statement.query([key.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, timestamp(row.get(1)?)?));
        }
        Ok(found)
    }

    fn decisions_about(&self, key: ItemKey) -> Result<Vec<Option<ItemKey>>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT iif(item_id = ?1, other_id, item_id) FROM decision WHERE item_id = ?1 OR other_id = ?1",
        )?;
        let rows = statement.query_map([key.0], |row| row.get::<_, i64>(0))?;
        let decided = rows.map(|other| other.map(|other| (other != 0).then_some(ItemKey(other))));
        Ok(decided.collect::<Result<_, _>>()?)
    }
}
