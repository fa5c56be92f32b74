//! The index of words: kept with the items, in the same transaction; asked in a reader's words.

use rusqlite::{Connection, params};

use super::error::Error;
use super::pairs::{has_dense, indexed};
use super::question::Question;
use super::read::{Head, head};
use super::rows::json_list;
use crate::model::{FeedKey, Item, ItemKey, plain};

/// Puts the words of a changed item into the index, in the place of what it said before.
pub(crate) fn replace(connection: &Connection, key: ItemKey, item: &Item) -> Result<(), Error> {
    // One that is not in it yet comes with the others.
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO search (rowid, title, text)
             SELECT ?1, ?2, ?3 FROM indexed WHERE id = 1 AND upto >= ?1",
        )?
        .execute(params![key.0, item.title.as_deref().map(indexed), indexed(cut(&item.text()))])?;
    Ok(())
}

/// Puts what is new into the index: once a commit and outside of all savepoints, for each of them
/// ends a segment of the index, and segments have to be merged.
pub(crate) fn catch_up(connection: &Connection) -> Result<(), Error> {
    let (upto, last): (i64, i64) = connection
        .prepare_cached(
            "SELECT upto, (SELECT ifnull(max(id), 0) FROM item) FROM indexed WHERE id = 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if last <= upto {
        return Ok(());
    }
    let mut items = connection.prepare_cached(
        "SELECT item.id, item.title, body.content, body.summary FROM item
         JOIN body ON body.item_id = item.id WHERE item.id > ?1 ORDER BY item.id",
    )?;
    insert(connection, items.query([upto])?)?;
    connection.prepare_cached("UPDATE indexed SET upto = ?1 WHERE id = 1")?.execute([last])?;
    Ok(())
}

/// Puts rows of id, title, content and summary into the index.
fn insert(connection: &Connection, mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<()> {
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO search (rowid, title, text) VALUES (?1, ?2, ?3)")?;
    while let Some(row) = rows.next()? {
        let (content, summary): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        let text = text(content, summary);
        let title = row.get::<_, Option<String>>(1)?;
        let title = title.as_deref().map(indexed);
        insert.execute(params![row.get::<_, i64>(0)?, title, indexed(cut(&text))])?;
    }
    Ok(())
}

/// What an item says, as plain text.
fn text(content: Option<String>, summary: Option<String>) -> String {
    content.map(|html| plain::of_html(&html)).or(summary).unwrap_or_default()
}

/// Takes items out of the index.
pub(crate) fn forget(connection: &Connection, keys: &[i64]) -> Result<(), Error> {
    connection
        .prepare_cached(
            "DELETE FROM search WHERE rowid IN (SELECT value FROM json_each(?1) wanted)",
        )?
        .execute([json_list(keys.iter().copied())])?;
    Ok(())
}

/// Indexes everything that is kept: once, for a database from before there was an index.
pub(crate) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut items = connection.prepare(
        "SELECT item.id, item.title, body.content, body.summary FROM body
         JOIN item ON item.id = body.item_id ORDER BY item.id",
    )?;
    insert(connection, items.query([])?)
}

/// Indexes anew what is written without spaces: once, for a database from before its words were found.
pub(crate) fn refill(connection: &Connection) -> rusqlite::Result<()> {
    let mut items = connection.prepare(
        "SELECT item.id, item.title, body.content, body.summary FROM body
         JOIN item ON item.id = body.item_id ORDER BY item.id",
    )?;
    let mut one = connection.prepare(
        "SELECT item.id, item.title, body.content, body.summary FROM body
         JOIN item ON item.id = body.item_id WHERE item.id = ?1",
    )?;
    let mut rows = items.query([])?;
    while let Some(row) = rows.next()? {
        let mut dense = false;
        for column in 1..=3 {
            let text = row.get_ref(column)?.as_str_or_null()?;
            dense |= text.is_some_and(has_dense);
        }
        if dense {
            insert(connection, one.query([row.get::<_, i64>(0)?])?)?;
        }
    }
    Ok(())
}

/// What a search brought.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    /// The items, the latest first.
    pub heads: Vec<Head>,
    /// The last item that was looked at, whether or not it is among them: the next search starts
    /// behind it. `None`: that was all.
    pub last: Option<Head>,
}

/// The items that have all `words`, the latest first, seen before `before`; none where there are
/// no words to look for.
pub(crate) fn find(
    connection: &Connection,
    words: &str,
    before: Option<ItemKey>,
    limit: usize,
) -> Result<Hits, Error> {
    let Some(question) = Question::read(words) else { return Ok(Hits::default()) };
    let before = before.map_or(i64::MAX, |key| key.0);
    if question.is_of_order() {
        return find_in_order(connection, &question, before, limit);
    }
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.story_id, item.sort_at, item.feed_id
         FROM search CROSS JOIN item ON item.id = search.rowid
         WHERE search MATCH ?1 AND search.rowid < ?2 AND item.held IS NULL
         ORDER BY search.rowid DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![question.expression, before, limit as i64])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        heads.push(head(row, FeedKey(row.get(3)?))?);
    }
    let last = heads.last().copied().filter(|_| heads.len() == limit);
    Ok(Hits { heads, last })
}

/// So many texts are looked at for one batch.
const LOOKED_AT: i64 = 1000;

/// The same, for what the index alone cannot tell.
fn find_in_order(
    connection: &Connection,
    question: &Question,
    before: i64,
    limit: usize,
) -> Result<Hits, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.story_id, item.sort_at, item.feed_id, item.title, body.content, body.summary
         FROM search CROSS JOIN item ON item.id = search.rowid JOIN body ON body.item_id = item.id
         WHERE search MATCH ?1 AND search.rowid < ?2 AND item.held IS NULL
         ORDER BY search.rowid DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![question.expression, before, LOOKED_AT])?;
    let (mut hits, mut looked_at) = (Hits::default(), 0);
    while let Some(row) = rows.next()? {
        let title = row.get::<_, Option<String>>(4)?.unwrap_or_default();
        let head = head(row, FeedKey(row.get(3)?))?;
        looked_at += 1;
        if question.is_met(&[&title, cut(&text(row.get(5)?, row.get(6)?))]) {
            hits.heads.push(head);
        }
        if hits.heads.len() == limit || looked_at == LOOKED_AT {
            hits.last = Some(head);
            break;
        }
    }
    Ok(hits)
}

/// More of one item is not put into the index, in bytes.
const TEXT: usize = 64 * 1024;

/// The beginning of a long text.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index alone, with these texts in it.
    fn index(texts: &[&str]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE item (id INTEGER PRIMARY KEY, story_id INTEGER, sort_at INTEGER, feed_id INTEGER,
                                    title TEXT, held TEXT);
                 CREATE TABLE body (item_id INTEGER PRIMARY KEY, content TEXT, summary TEXT);",
            )
            .unwrap();
        connection.execute_batch(include_str!("migrations/0003.sql")).unwrap();
        connection.execute_batch("UPDATE indexed SET upto = 9999").unwrap();
        for (n, text) in (0_i64..).zip(texts) {
            let item = Item { summary: Some((*text).to_owned()), ..Item::default() };
            let row = "INSERT INTO item (id, story_id, sort_at, feed_id) VALUES (?1, ?1, 0, 1)";
            connection.execute(row, [n]).unwrap();
            let row = "INSERT INTO body (item_id, summary) VALUES (?1, ?2)";
            connection.execute(row, params![n, text]).unwrap();
            replace(&connection, ItemKey(n), &item).unwrap();
        }
        connection
    }

    fn found(connection: &Connection, typed: &str) -> Vec<i64> {
        let hits = find(connection, typed, None, 10).unwrap();
        hits.heads.into_iter().map(|head| head.key.0).rev().collect()
    }

    #[test]
    fn what_a_reader_types_is_found_whatever_its_spelling() {
        let index = index(&[
            "Crème brûlée for rust-lang, don’t wait",
            "fish and chips (5 € each) 🦊",
            "हिन्दी में ख़बर",
            "日本語のニュース、今日",
            "ข่าวด่วนวันนี้ที่กรุงเทพฯ",
            "新型iPhone手机今天发布",
            "인공지능기술 발표",
            "",
        ]);
        for (typed, expected) in [
            ("creme", &[0][..]),
            ("CRÈME brul", &[0]),
            ("rust-lang", &[0]),
            ("don't", &[0]),
            ("don’t", &[0]),
            ("fish chips", &[1]),
            ("\"fish and chips\"", &[1]),
            ("\"chips and fish\"", &[]),
            ("\"and chips\" 5", &[1]),
            ("fish -\"and chips\"", &[]),
            ("fish soap", &[]),
            ("fish -soap", &[1]),
            ("fish -chips", &[]),
            ("5€", &[1]),
            ("fish🦊", &[1]),
            ("हिन्दी", &[2]),
            ("日本語", &[3]),
            ("今日", &[3]),
            ("ニュース", &[3]),
            ("本語", &[3]),
            ("語", &[3]),
            ("日", &[3]),
            ("日本人", &[]),
            ("語日", &[]),
            ("วันนี้", &[4]),
            ("กรุงเทพ", &[4]),
            ("手机", &[5]),
            ("iphone 发布", &[5]),
            ("iPhone手机", &[5]),
            ("机今天发", &[5]),
            ("天今", &[]),
            ("지능", &[6]),
            ("발표", &[6]),
        ] {
            assert_eq!(found(&index, typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_phrase_that_no_new_item_has_is_looked_for_further_on() {
        let mut texts = vec!["chips and fish"; LOOKED_AT as usize + 5];
        texts[0] = "fish and chips";
        let index = index(&texts);
        let first = find(&index, "\"fish and chips\"", None, 10).unwrap();
        assert!(first.heads.is_empty());
        let behind = first.last.map(|head| head.key);
        assert_eq!(behind, Some(ItemKey(5)));
        let second = find(&index, "\"fish and chips\"", behind, 10).unwrap();
        assert_eq!(second.heads.iter().map(|head| head.key).collect::<Vec<_>>(), [ItemKey(0)]);
        assert!(second.last.is_none());
    }

    #[test]
    fn nothing_that_a_reader_types_is_a_mistake() {
        let index = index(&["and or not near title text"]);
        for typed in
            ["AND", "OR NOT", "NEAR(and or)", "title:text", "^and", "and*", "{title}", "a\"b"]
        {
            found(&index, typed);
        }
        assert_eq!(found(&index, "NOT and"), [0]);
    }

    #[test]
    fn an_item_is_found_by_what_it_says_now_and_not_once_it_is_forgotten() {
        let index = index(&["old words"]);
        let item = Item { title: Some("New".to_owned()), ..Item::default() };
        replace(&index, ItemKey(0), &item).unwrap();
        assert_eq!((found(&index, "old"), found(&index, "new")), (vec![], vec![0]));
        forget(&index, &[0]).unwrap();
        assert!(found(&index, "new").is_empty());
    }
}
