//! The order of items in outputs, by the index `item_order`, and all items that outputs may show.
//!
//! SQLite does not notice a bit that flips in an index. One that hides a row from a scan would hide an item from an
//! output. So each entry is compared with its row, the entries of a feed have to be in order, a scan that continues has to
//! find the entry at which it stopped, and what is before the first and behind the last entry of a feed has to belong
//! to other feeds. Where the number of a page is altered, entries of another page appear in the place of some, all of them
//! intact. They have other neighbours on the way that leads to them: so the entries are read back in reverse order, and the
//! entry before the first has to be followed by it, the one behind the last to be preceded by it.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::error::Error;
use super::transaction::Transaction;
use super::values::{json_list, millis, timestamp};
use crate::model::{FeedKey, ItemKey, OutputItem, StoryKey};

/// An item's position in the order of an output, without its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemHead {
    /// Feed of the item.
    pub feed: FeedKey,
    /// Key of the item.
    pub key: ItemKey,
    /// Story of the item.
    pub story: StoryKey,
    /// Position in the order; see `OutputItem::sort_at`.
    pub sort_at: Timestamp,
}

impl ItemHead {
    /// Checks that the item is where an index says, and in the same story.
    ///
    /// # Errors
    /// When it is not: the database is damaged.
    pub fn check(&self, item: &OutputItem) -> Result<(), Error> {
        let is_intact =
            (item.feed.key, item.story, item.sort_at) == (self.feed, self.story, self.sort_at);
        is_intact.then_some(()).ok_or_else(|| self.altered())
    }

    /// The error for an item that an index does not have as it is.
    #[must_use]
    pub fn altered(&self) -> Error {
        altered(self.key.0)
    }

    fn is_before(&self, next: &Self) -> bool {
        (self.sort_at, self.key) > (next.sort_at, next.key)
    }
}

/// Where the items of a feed are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The newest item.
    Newest,
    /// Behind the last item that was read, which is still there.
    Behind(ItemHead),
    /// Behind a position, at which there need not be an item.
    Position(Timestamp, ItemKey),
}

impl Start {
    fn is_before(self, head: &ItemHead) -> bool {
        match self {
            Self::Newest => true,
            Self::Behind(ItemHead { sort_at, key, .. }) | Self::Position(sort_at, key) => {
                (sort_at, key) > (head.sort_at, head.key)
            }
        }
    }
}

/// Columns of an entry of the index, and of its row, which is `own`.
const ENTRY: &str = "item.id, item.feed_id, item.story_id, item.sort_at,
    (own.feed_id, own.story_id, own.sort_at, own.hidden) IS (item.feed_id, item.story_id, item.sort_at, NULL)
    FROM item INDEXED BY item_order LEFT JOIN item AS own ON own.id = item.id";

/// An entry of the index, with the columns of [`ENTRY`]. Its feed is as the index has it.
///
/// # Errors
/// When it differs from its row.
fn entry(row: &Row<'_>) -> Result<ItemHead, Error> {
    if !row.get::<_, bool>(4)? {
        return Err(altered(row.get(0).unwrap_or_default()));
    }
    Ok(ItemHead {
        key: ItemKey(row.get(0)?),
        feed: FeedKey(row.get(1)?),
        story: StoryKey(row.get(2)?),
        sort_at: timestamp(row.get(3)?)?,
    })
}

fn altered(key: i64) -> Error {
    Error::Corrupt(format!("the index of the item {key}"))
}

/// The columns `id, story_id, sort_at`.
pub(crate) fn head(row: &Row<'_>, feed: FeedKey) -> Result<ItemHead, Error> {
    Ok(ItemHead {
        feed,
        key: ItemKey(row.get(0)?),
        story: StoryKey(row.get(1)?),
        sort_at: timestamp(row.get(2)?)?,
    })
}

/// An entry beside those of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neighbour {
    /// It was not looked for.
    Unknown,
    /// This one; `None`: the index ends there.
    Entry(Option<ItemHead>),
}

fn disordered(feed: FeedKey) -> Error {
    Error::Corrupt(format!("the order of the items of feed {}", feed.0))
}

impl Transaction<'_> {
    /// The next `limit` items of one feed in the order.
    ///
    /// # Errors
    /// When the index differs from the items: the database is damaged.
    pub fn newest_items(
        &self,
        feed: FeedKey,
        start: Start,
        limit: usize,
    ) -> Result<Vec<ItemHead>, Error> {
        // Without a bound, SQLite looks for the first entry of the feed on the same way as `check_start`. With a bound of
        // two columns, it would leave out altered entries that are behind it.
        let bound = if start == Start::Newest { "" } else { "AND item.sort_at <= ?2" };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ENTRY} WHERE item.feed_id = ?1 AND item.hidden IS NULL {bound}
             ORDER BY item.sort_at DESC, item.id DESC"
        ))?;
        let mut rows = match start {
            Start::Newest => statement.query([feed.0])?,
            Start::Behind(ItemHead { sort_at, .. }) | Start::Position(sort_at, _) => {
                statement.query(params![feed.0, millis(sort_at)])?
            }
        };
        let (mut heads, mut last): (Vec<ItemHead>, Option<ItemHead>) = (Vec::new(), None);
        let mut is_found = !matches!(start, Start::Behind(_));
        while heads.len() < limit {
            let Some(row) = rows.next()? else { break };
            let head = entry(row)?;
            if last.is_some_and(|last| !last.is_before(&head)) || head.feed != feed {
                return Err(disordered(feed));
            }
            last = Some(head);
            is_found |= start == Start::Behind(head);
            if start.is_before(&head) {
                heads.push(head);
            }
        }
        let is_end = heads.len() < limit;
        drop(rows);
        if !is_found {
            return Err(disordered(feed));
        }
        let before = if start == Start::Newest {
            Neighbour::Entry(self.before(feed)?)
        } else {
            Neighbour::Unknown
        };
        if let (Start::Newest, Some(first)) = (start, heads.first()) {
            self.check_followed(before, *first)?;
        }
        if let Some(last) = last.filter(|_| !matches!(start, Start::Position(..))) {
            self.check_reverse((feed, start), &heads, last)?;
        }
        if is_end && (last.is_some() || start == Start::Newest) {
            self.check_end(feed, last.map_or(before, |last| Neighbour::Entry(Some(last))))?;
        }
        Ok(heads)
    }

    /// The entry before those of a feed; `None`: the index begins with the feed.
    fn before(&self, feed: FeedKey) -> Result<Option<ItemHead>, Error> {
        let mut before = self.connection.prepare_cached(&format!(
            "SELECT {ENTRY} WHERE item.feed_id < ?1 AND item.hidden IS NULL
             ORDER BY item.feed_id DESC, item.sort_at, item.id LIMIT 1"
        ))?;
        let mut rows = before.query([feed.0])?;
        rows.next()?.map(entry).transpose()
    }

    /// Checks that the entry before a feed is followed by the first one of the feed.
    fn check_followed(&self, before: Neighbour, first: ItemHead) -> Result<(), Error> {
        let Neighbour::Entry(Some(before)) = before else { return Ok(()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT ifnull(
               (SELECT id FROM item INDEXED BY item_order WHERE feed_id = ?1 AND hidden IS NULL AND (sort_at, id) < (?2, ?3)
                ORDER BY sort_at DESC, id DESC LIMIT 1),
               (SELECT id FROM item INDEXED BY item_order WHERE feed_id > ?1 AND hidden IS NULL
                ORDER BY feed_id, sort_at DESC, id DESC LIMIT 1))",
        )?;
        let at = params![before.feed.0, millis(before.sort_at), before.key.0];
        let next: Option<i64> = statement.query_row(at, |row| row.get(0))?;
        if next == Some(first.key.0) { Ok(()) } else { Err(disordered(first.feed)) }
    }

    /// Checks that the entries back from `last` are these, in reverse order, and those before them as `start` has it.
    fn check_reverse(
        &self,
        (feed, start): (FeedKey, Start),
        heads: &[ItemHead],
        last: ItemHead,
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, sort_at FROM item INDEXED BY item_order WHERE feed_id = ?1 AND hidden IS NULL AND sort_at >= ?2
             ORDER BY sort_at, id",
        )?;
        let mut rows = statement.query(params![feed.0, millis(last.sort_at)])?;
        let before = match start {
            Start::Behind(head) => Some(head),
            Start::Newest | Start::Position(..) => None,
        };
        let mut expected = heads.iter().rev().chain(&before);
        loop {
            let Some(row) = rows.next()? else {
                return expected.next().map_or(Ok(()), |_| Err(disordered(feed)));
            };
            let (key, sort_at): (i64, i64) = (row.get(0)?, row.get(1)?);
            // Behind the last one, at the same time.
            if sort_at == millis(last.sort_at) && key < last.key.0 {
                continue;
            }
            match expected.next() {
                Some(head) if (sort_at, key) == (millis(head.sort_at), head.key.0) => {}
                None if before.is_some() => return Ok(()),
                _ => return Err(disordered(feed)),
            }
        }
    }

    /// Checks what is behind the entries of a feed: that it belongs to another feed, and follows the last entry, or the one
    /// before the feed if it has none.
    fn check_end(&self, feed: FeedKey, last: Neighbour) -> Result<(), Error> {
        let mut end = self.connection.prepare_cached(&format!(
            "SELECT {ENTRY} WHERE item.feed_id <= ?1 AND item.hidden IS NULL
             ORDER BY item.feed_id DESC, item.sort_at, item.id LIMIT 1"
        ))?;
        let mut rows = end.query([feed.0])?;
        let found = rows.next()?.map(entry).transpose()?;
        if last != Neighbour::Entry(found) {
            return Err(disordered(feed));
        }
        let mut behind = self.connection.prepare_cached(&format!(
            "SELECT {ENTRY} WHERE item.feed_id > ?1 AND item.hidden IS NULL
             ORDER BY item.feed_id, item.sort_at DESC, item.id DESC LIMIT 1"
        ))?;
        let mut rows = behind.query([feed.0])?;
        let Some(next) = rows.next()?.map(entry).transpose()? else { return Ok(()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT ifnull(
               (SELECT id FROM item INDEXED BY item_order WHERE feed_id = ?1 AND hidden IS NULL AND (sort_at, id) > (?2, ?3)
                ORDER BY sort_at, id LIMIT 1),
               (SELECT id FROM item INDEXED BY item_order WHERE feed_id < ?1 AND hidden IS NULL
                ORDER BY feed_id DESC, sort_at, id LIMIT 1))",
        )?;
        let at = params![next.feed.0, millis(next.sort_at), next.key.0];
        let previous: Option<i64> = statement.query_row(at, |row| row.get(0))?;
        if previous == found.map(|found| found.key.0) { Ok(()) } else { Err(disordered(feed)) }
    }

    /// The next `limit` items of each of these feeds from a sort time with a key on, that one included, the oldest first.
    pub fn items_from(
        &self,
        feeds: &[FeedKey],
        (at, key): (Timestamp, ItemKey),
        limit: usize,
    ) -> Result<Vec<ItemHead>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, story_id, sort_at, feed_id, feed_id = wanted.value AND hidden IS NULL FROM json_each(?1) wanted CROSS JOIN item WHERE item.id IN (
                 SELECT own.id FROM item own WHERE own.feed_id = wanted.value AND own.hidden IS NULL
                 AND (own.sort_at, own.id) >= (?2, ?3) ORDER BY own.sort_at, own.id LIMIT ?4)",
        )?;
        let feeds = json_list(feeds.iter().map(|feed| feed.0));
        let mut rows = statement.query(params![feeds, millis(at), key.0, limit as i64])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            // Of the row, not of the index.
            let head = head(row, FeedKey(row.get(3)?))?;
            if !row.get::<_, bool>(4)? || (head.sort_at, head.key) < (at, key) {
                return Err(head.altered());
            }
            heads.push(head);
        }
        heads.sort_unstable_by_key(|head| (head.sort_at, head.key));
        Ok(heads)
    }

    /// Sort time and feed of the newest item of these feeds that is older than `before`.
    pub fn newest_before(
        &self,
        feeds: &[FeedKey],
        before: Timestamp,
    ) -> Result<Option<(Timestamp, FeedKey)>, Error> {
        let start = Start::Position(before, ItemKey(i64::MIN));
        let mut newest: Option<(Timestamp, FeedKey)> = None;
        for feed in feeds {
            let found = self.newest_items(*feed, start, 1)?;
            let found = found.first().map(|head| (head.sort_at, *feed));
            // The first of the feeds that have items at the same time.
            if found.is_some_and(|(at, _)| newest.is_none_or(|(newest, _)| at > newest)) {
                newest = found;
            }
        }
        Ok(newest)
    }
}

/// An item, and what changes whenever the item as it is shown changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMark {
    /// Key, story, feed and position of the item.
    pub head: ItemHead,
    /// Content digest, number of changes and time of the last one: to be compared only.
    pub mark: Vec<u8>,
}

impl Transaction<'_> {
    /// Every item that outputs may show, in the order of the keys, with the facts that change with what is shown of it.
    pub fn shown_items(&self) -> Result<Vec<ShownMark>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, story_id, sort_at, feed_id, content_digest, changes, updated_at FROM item
             WHERE hidden IS NULL AND EXISTS (SELECT 1 FROM body WHERE item_id = item.id) ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let digest = row.get_ref(4)?.as_blob().unwrap_or_default();
            let (changes, updated): (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
            let mut mark = digest.to_vec();
            mark.extend(changes.to_le_bytes());
            mark.extend(updated.unwrap_or_default().to_le_bytes());
            items.push(ShownMark { head: head(row, FeedKey(row.get(3)?))?, mark });
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;

    const PAGE: usize = 512;
    const FEEDS: i64 = 6;

    /// The statements of the schema that make the table of items and the index.
    fn schema() -> String {
        let sql = include_str!("schema.sql");
        let statement = |start: &str| {
            let rest = &sql[sql.find(start).unwrap()..];
            rest[..rest.find(";\n").unwrap() + 1].replace(" REFERENCES feed(id)", "")
        };
        statement("CREATE TABLE item (") + &statement("CREATE INDEX item_order ")
    }

    /// Creates a database of small pages with some items of several feeds. Returns the first page of the index.
    fn create(path: &Path) -> usize {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch(&format!("PRAGMA page_size = {PAGE}; {}", schema())).unwrap();
        for id in 2..92 {
            let (feed, story) = (2 + id * 5 % FEEDS, if id % 7 == 0 { 3 } else { id });
            let sql = "INSERT INTO item (id, feed_id, story_id, outward_id, content_digest, first_seen_at, sort_at, page_owner)
                       VALUES (?1, ?2, ?3, ?1, x'00', 0, ?4, 0)";
            let sort_at = 1_790_000_000_000 + id * 37 % 91 * 3_600_000;
            connection.execute(sql, params![id, feed, story, sort_at]).unwrap();
        }
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'item_order'";
        connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize
    }

    /// All items of all feeds, read as the outputs read them.
    fn all(path: &Path) -> Result<Vec<ItemHead>, Error> {
        let connection = Connection::open(path)?;
        let transaction = Transaction::new(&connection);
        let mut all = Vec::new();
        for feed in (1..=FEEDS + 2).map(FeedKey) {
            let (mut start, mut limit) = (Start::Newest, 1);
            loop {
                let heads = transaction.newest_items(feed, start, limit)?;
                let Some(last) = heads.last() else { break };
                (start, limit) = (Start::Behind(*last), 5);
                all.extend(heads);
            }
        }
        Ok(all)
    }

    #[test]
    fn no_bit_that_flips_in_the_index_hides_or_moves_an_item() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.db");
        let root = create(&path);
        let intact = fs::read(&path).unwrap();
        let expected = all(&path).unwrap();
        assert_eq!(expected.len(), 90);
        let page = |number: usize| &intact[(number - 1) * PAGE..number * PAGE];
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        // Interior pages have type 2, leaves type 10.
        assert_eq!(page(root)[0], 2);
        let cells = |of: usize| {
            let start = if page(of)[0] == 2 { 12 } else { 8 };
            (0..number(&page(of)[3..5])).map(move |at| number(&page(of)[start + 2 * at..][..2]))
        };
        let children: Vec<usize> = cells(root).map(|at| number(&page(root)[at..][..4])).collect();
        assert!(children.len() >= 3, "{children:?}");
        // The numbers of the pages of all children, that of the last one in the header of the page.
        let pointers = cells(root).chain([8]).map(|at| (root - 1) * PAGE + at);
        let mut places: Vec<usize> = pointers.flat_map(|at| at..at + 4).collect();
        for (of, skip, step) in [(root, 4, 1), (children[1], 0, 3)] {
            for at in cells(of).step_by(step) {
                let length = usize::from(page(of)[at + skip]) + 1;
                places.extend((of - 1) * PAGE + at + skip..(of - 1) * PAGE + at + skip + length);
            }
        }
        let (mut found, mut harmless) = (0, 0);
        for (place, bit) in places.into_iter().flat_map(|place| (0..8).map(move |bit| (place, bit)))
        {
            let mut flipped = intact.clone();
            flipped[place] ^= 1 << bit;
            fs::write(&path, flipped).unwrap();
            match all(&path) {
                Err(_) => found += 1,
                Ok(items) => {
                    let place =
                        format!("bit {bit} of byte {} of page {}", place % PAGE, place / PAGE + 1);
                    assert!(
                        items == expected,
                        "{place}: {} of {} items",
                        items.len(),
                        expected.len()
                    );
                    harmless += 1;
                }
            }
        }
        assert!(found > 10 * harmless, "{found} found, {harmless} harmless");
    }
}
