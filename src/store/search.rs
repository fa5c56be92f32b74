//! The index of words: kept with the items, in the same transaction; asked in a reader's words.

use rusqlite::{Connection, params};

use super::error::Error;
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
        .execute(params![key.0, item.title, cut(&item.text())])?;
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
    let mut insert =
        connection.prepare_cached("INSERT INTO search (rowid, title, text) VALUES (?1, ?2, ?3)")?;
    while let Some(row) = rows.next()? {
        let (content, summary): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        let text = content.map(|html| plain::of_html(&html)).or(summary).unwrap_or_default();
        let title = row.get::<_, Option<String>>(1)?;
        insert.execute(params![row.get::<_, i64>(0)?, title, cut(&text)])?;
    }
    Ok(())
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

/// The items that have all `words`, the latest first, seen before `before`; none where there are
/// no words to look for.
pub(crate) fn find(
    connection: &Connection,
    words: &str,
    before: Option<ItemKey>,
    limit: usize,
) -> Result<Vec<Head>, Error> {
    let Some(expression) = expression(words) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.story_id, item.sort_at, item.feed_id
         FROM search CROSS JOIN item ON item.id = search.rowid
         WHERE search MATCH ?1 AND search.rowid < ?2 AND item.held IS NULL
         ORDER BY search.rowid DESC LIMIT ?3",
    )?;
    let before = before.map_or(i64::MAX, |key| key.0);
    let mut rows = statement.query(params![expression, before, limit as i64])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        heads.push(head(row, FeedKey(row.get(3)?))?);
    }
    Ok(heads)
}

/// More words than this are not looked at.
const WORDS: usize = 16;
/// Nor are more characters of one item put into the index, in bytes.
const TEXT: usize = 64 * 1024;

/// The beginning of a long text.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What a reader types, as FTS5 has it: each word must be there, as the beginning of a word;
/// `-word` must not. Nothing that a reader types is a mistake.
fn expression(typed: &str) -> Option<String> {
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for term in typed.split_whitespace() {
        let list = if term.starts_with('-') { &mut unwanted } else { &mut wanted };
        let words = term.split(parts_words).filter(|word| word.contains(char::is_alphanumeric));
        list.extend(words.map(|word| format!("\"{word}\" *")));
    }
    if wanted.is_empty() {
        return None;
    }
    wanted.truncate(WORDS);
    let without = unwanted.iter().take(WORDS).map(|word| format!(" NOT {word}"));
    Some(format!("({}){}", wanted.join(" AND "), without.collect::<String>()))
}

/// Whether the index takes `c` for no part of a word; what it kept no order of it cannot look for
/// in order, so that `rust-lang` is two words here too.
fn parts_words(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => !c.is_ascii_alphanumeric(),
        'ª' | 'µ' | 'º' | '²' | '³' | '¹' | '¼'..='¾' => false,
        '\u{80}'..='\u{bf}' | '×' | '÷' => true,
        '\u{2000}'..='\u{206f}' | '\u{20a0}'..='\u{20cf}' | '\u{2190}'..='\u{245f}' => true,
        '\u{2500}'..='\u{2bff}' | '\u{3001}'..='\u{3004}' | '\u{3008}'..='\u{3020}' => true,
        '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff0f}' => true,
        '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}' => true,
        '\u{1f000}'..='\u{1faff}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index alone, with these texts in it.
    fn index(texts: &[&str]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE item (id INTEGER PRIMARY KEY)").unwrap();
        connection.execute_batch(include_str!("migrations/0003.sql")).unwrap();
        connection.execute_batch("UPDATE indexed SET upto = 9").unwrap();
        for (n, text) in texts.iter().enumerate() {
            let item = Item { summary: Some((*text).to_owned()), ..Item::default() };
            replace(&connection, ItemKey(n as i64), &item).unwrap();
        }
        connection
    }

    fn found(connection: &Connection, typed: &str) -> Vec<i64> {
        let Some(expression) = expression(typed) else { return Vec::new() };
        let mut statement =
            connection.prepare("SELECT rowid FROM search WHERE search MATCH ?1").unwrap();
        let rows = statement.query_map([expression], |row| row.get(0)).unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    #[test]
    fn what_a_reader_types_is_found_whatever_its_spelling() {
        let index = index(&[
            "Crème brûlée for rust-lang, don’t wait",
            "fish and chips (5 € each) 🦊",
            "हिन्दी में ख़बर",
            "日本語のニュース、今日",
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
            ("fish soap", &[]),
            ("fish -soap", &[1]),
            ("fish -chips", &[]),
            ("5€", &[1]),
            ("fish🦊", &[1]),
            ("हिन्दी", &[2]),
            ("日本語", &[3]),
            ("今日", &[3]),
        ] {
            assert_eq!(found(&index, typed), expected, "{typed}");
        }
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
        for nothing in ["", "  ", "\"\"", "-", "-soap", "*", "\" \"", "--", "( )", "\0"] {
            assert_eq!(expression(nothing), None, "{nothing:?}");
        }
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
