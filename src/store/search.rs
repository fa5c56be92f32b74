//! The search index: the words of every item that has a body, written in the same transaction as the item.

use std::collections::HashSet;
use std::hash::BuildHasher as _;

use rusqlite::params;
use rustc_hash::FxBuildHasher;

use super::error::Error;
use super::folding::words;
use super::item_order::{ItemHead, head};
use super::poll_update::PollUpdate;
use super::search_query::{Query, indexed, is_run};
use super::transaction::Transaction;
use super::values::json_list;
use crate::model::{FeedKey, ItemKey};
use crate::text::html;

/// An item whose words have to be indexed, by its position in the poll's update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unindexed {
    /// A new item: it has no words in the index yet.
    New(ItemKey, usize),
    /// An item that was indexed before.
    Changed(ItemKey, usize),
    /// A recovered item, which was indexed before, with the new item that it is.
    Recovered(ItemKey, usize),
}

impl Transaction<'_> {
    /// Indexes the words of a poll's items. To be called once for each commit and outside of all savepoints:
    /// each savepoint ends a segment of the index, and segments have to be merged.
    pub(super) fn index_words(
        &self,
        update: &PollUpdate,
        items: &[Unindexed],
    ) -> Result<(), Error> {
        for item in items {
            match *item {
                Unindexed::New(key, at) => {
                    self.index_new(key, &update.new[at].text.search_words)?;
                }
                Unindexed::Recovered(key, at) => {
                    self.index_again(key, &update.new[at].text.search_words)?;
                }
                Unindexed::Changed(key, at) => {
                    self.index_again(key, &update.changed[at].text.search_words)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn index_new(&self, key: ItemKey, words: &str) -> Result<(), Error> {
        let sql = "INSERT INTO search (rowid, words) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute(params![key.0, words])?;
        Ok(())
    }

    fn index_again(&self, key: ItemKey, words: &str) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO search (rowid, words) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute(params![key.0, words])?;
        Ok(())
    }
}

/// The distinct words of title and text, folded, for the index, which keeps neither order nor number.
#[must_use]
pub fn search_words(title: Option<&str>, text: &str) -> String {
    let length = text.len();
    let mut seen: HashSet<u64, FxBuildHasher> =
        HashSet::with_capacity_and_hasher(length / 12, FxBuildHasher);
    let mut index = String::with_capacity(length / 2);
    let mut add = |token: &str| {
        if seen.insert(FxBuildHasher.hash_one(token)) {
            index.push_str(token);
            index.push(' ');
        }
    };
    for part in [title.unwrap_or_default(), text] {
        words(part, |word| if is_run(word) { indexed(word, &mut add) } else { add(word) });
    }
    index
}

/// The text of an item as plain text.
fn text(content: Option<String>, summary: Option<String>) -> String {
    content.map(|html| html::to_text(&html)).or(summary).unwrap_or_default()
}

impl Transaction<'_> {
    /// Removes items from the index.
    pub(super) fn forget_words(&self, keys: &[i64]) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "DELETE FROM search WHERE rowid IN (SELECT value FROM json_each(?1) wanted)",
            )?
            .execute([json_list(keys.iter().copied())])?;
        Ok(())
    }
}

/// Which items a search looks at, and in which order.
#[derive(Debug, Clone, Copy)]
enum Range {
    /// Those before a key, the latest first.
    Before(i64),
    /// Those from a key on, the earliest first.
    From(i64),
}

impl Range {
    /// The condition with the order, and the value of its parameter `?2`.
    fn condition(self) -> (&'static str, i64) {
        match self {
            Self::Before(key) => ("search.rowid < ?2 ORDER BY search.rowid DESC", key),
            Self::From(key) => ("search.rowid >= ?2 ORDER BY search.rowid", key),
        }
    }
}

/// Result of a search.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    /// Items that were found, in the order of the search.
    pub heads: Vec<ItemHead>,
    /// The last item that was considered, found or not. The next search continues after it. `None`: there are no
    /// more items.
    pub last: Option<ItemHead>,
}

impl Transaction<'_> {
    /// At most `limit` items before `before` that have all `words`, the latest first. None if there are no words.
    pub fn search(
        &self,
        words: &str,
        before: Option<ItemKey>,
        limit: usize,
    ) -> Result<Hits, Error> {
        self.hits(words, Range::Before(before.map_or(i64::MAX, |key| key.0)), limit)
    }

    /// At most `limit` items from `from` on that have all `words`, the earliest first. None if there are no words.
    pub fn search_from(&self, words: &str, from: ItemKey, limit: usize) -> Result<Hits, Error> {
        self.hits(words, Range::From(from.0), limit)
    }

    fn hits(&self, words: &str, range: Range, limit: usize) -> Result<Hits, Error> {
        let Some(query) = Query::read(words) else { return Ok(Hits::default()) };
        if query.needs_texts() {
            return self.search_in_order(&query, range, limit);
        }
        let (condition, bound) = range.condition();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT item.id, item.story_id, item.sort_at, item.feed_id
             FROM search CROSS JOIN item ON item.id = search.rowid
             WHERE search MATCH ?1 AND item.hidden IS NULL AND {condition} LIMIT ?3"
        ))?;
        let mut rows = statement.query(params![query.expression(), bound, limit as i64])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            heads.push(head(row, FeedKey(row.get(3)?))?);
        }
        let last = heads.last().copied().filter(|_| heads.len() == limit);
        Ok(Hits { heads, last })
    }
}

/// Number of texts that one search reads at most.
const TEXTS: i64 = 1000;
/// Number of bytes of texts after which a search reads no further text.
const BYTES: usize = 64 * 1024 * 1024;

impl Transaction<'_> {
    /// Searches for words in an order, which has to be looked up in the texts.
    fn search_in_order(&self, query: &Query, range: Range, limit: usize) -> Result<Hits, Error> {
        let (condition, bound) = range.condition();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT item.id, item.story_id, item.sort_at, item.feed_id, item.title, body.content, body.summary
             FROM search CROSS JOIN item ON item.id = search.rowid JOIN body ON body.item_id = item.id
             WHERE search MATCH ?1 AND item.hidden IS NULL AND {condition} LIMIT ?3"
        ))?;
        let mut rows = statement.query(params![query.expression(), bound, TEXTS])?;
        let (mut hits, mut looked_at, mut bytes) = (Hits::default(), 0, 0);
        while let Some(row) = rows.next()? {
            let title = row.get::<_, Option<String>>(4)?.unwrap_or_default();
            let head = head(row, FeedKey(row.get(3)?))?;
            let text = text(row.get(5)?, row.get(6)?);
            looked_at += 1;
            bytes += text.len();
            if query.has_order(&[&title, &text]) {
                hits.heads.push(head);
            }
            if hits.heads.len() == limit || looked_at == TEXTS || bytes > BYTES {
                hits.last = Some(head);
                break;
            }
        }
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A database with these texts.
    fn index(texts: &[&str]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        for (n, text) in (0_i64..).zip(texts) {
            let row = "INSERT INTO item (id, feed_id, story_id, outward_id, content_digest, first_seen_at, sort_at, page_owner)
                       VALUES (?1, 1, ?1, ?1, x'', 0, 0, 0)";
            connection.execute(row, [n]).unwrap();
            let row =
                "INSERT INTO body (item_id, summary, details, digest) VALUES (?1, ?2, '{}', x'')";
            connection.execute(row, params![n, text]).unwrap();
            put(&connection, n, None, text);
        }
        connection
    }

    fn put(connection: &Connection, key: i64, title: Option<&str>, text: &str) {
        let words = search_words(title, text);
        Transaction::new(connection).index_again(ItemKey(key), &words).unwrap();
    }

    fn found(connection: &Connection, typed: &str) -> Vec<i64> {
        let hits = Transaction::new(connection).search(typed, None, 10).unwrap();
        hits.heads.into_iter().map(|head| head.key.0).rev().collect()
    }

    #[test]
    fn the_words_of_deleted_texts_are_in_the_index_no_more() {
        let connection = index(&["harbour ferry", "harbour crane", "orchard"]);
        assert_eq!(found(&connection, "harbour"), [0, 1]);
        connection.execute("UPDATE item SET first_seen_at = 9 WHERE id > 0", []).unwrap();
        let cutoff = jiff::Timestamp::from_millisecond(5).unwrap();
        assert_eq!(Transaction::new(&connection).forget_bodies(cutoff, 10).unwrap(), 1);
        assert_eq!(found(&connection, "harbour"), [1]);
        let in_index = |word: &str| -> i64 {
            let sql = "SELECT count(*) FROM search WHERE search MATCH ?1";
            connection.query_row(sql, [word], |row| row.get(0)).unwrap()
        };
        assert_eq!((in_index("ferry"), in_index("crane")), (0, 1));
    }

    #[test]
    fn queries_match_any_spelling() {
        let index = index(&[
            "Crème brûlée for rust-lang, don’t wait",
            "fish and chips (5 € each) 🦊",
            "हिन्दी में ख़बर",
            "日本語のニュース、今日",
            "ข่าวด่วนวันนี้ที่กรุงเทพฯ",
            "新型iPhone手机今天发布",
            "인공지능기술 발표",
            "Σήμερα βρέχει στην πόλη της Αθήνας, Αθήνα, πόλης",
            "Straße nach Gießen",
            "Лучший Ёлка, Київ",
            "שָׁלוֹם مُحَمَّد",
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
            ("αθηνα", &[7]),
            ("ΠΌΛΗΣ στην", &[7]),
            ("strasse GIESSEN", &[8]),
            ("лучший елка", &[9]),
            ("Київ", &[9]),
            ("שלום", &[10]),
            ("محمد", &[10]),
        ] {
            assert_eq!(found(&index, typed), expected, "{typed}");
        }
    }

    #[test]
    fn query_and_index_fold_every_letter_alike() {
        let connection = index(&[]);
        // The upper case of the combining iota is a letter.
        let is_letter = |c: &char| c.is_alphabetic() && !is_run(&c.to_string()) && *c != '\u{345}';
        let letters: Vec<char> = ('\0'..=char::MAX).filter(is_letter).collect();
        for (n, letters) in (0_i64..).zip(letters.chunks(40)) {
            let text: Vec<String> = letters.iter().map(|c| format!("q{c}q")).collect();
            let words = search_words(None, &text.join(" "));
            Transaction::new(&connection).index_new(ItemKey(n), &words).unwrap();
            let sql = "SELECT count(*) FROM search WHERE search MATCH ?1 AND rowid = ?2";
            let mut statement = connection.prepare_cached(sql).unwrap();
            for c in letters {
                let cases = [c.to_lowercase().collect::<String>(), c.to_uppercase().collect()];
                // An iota below a Greek letter is an accent, but beside it in capitals.
                let iota = ('\u{1f80}'..='\u{1fff}').contains(c);
                let others = cases.into_iter().filter(|case| !iota && !case.chars().eq([*c]));
                for word in [c.to_string()].into_iter().chain(others) {
                    let query = Query::read(&format!("q{word}q")).unwrap().expression();
                    let found: i64 =
                        statement.query_row(params![query, n], |row| row.get(0)).unwrap();
                    assert_eq!(found, 1, "{c:?} U+{:X} as {word:?}: {query}", u32::from(*c));
                }
            }
        }
    }

    #[test]
    fn symbols_and_other_forms_of_unicode_are_found() {
        let index =
            index(&["fish (5 € each) 🦊", "日本語のニュース 5㎏", "인공지능기술 발표 ﾊﾟｿｺﾝ"]);
        for (typed, expected) in [
            ("🦊", &[0][..]),
            ("€", &[0]),
            ("🦁", &[]),
            ("ﾆｭｰｽ", &[1]),
            ("5KG", &[1]),
            ("\u{110c}\u{1175}\u{1102}\u{1173}\u{11bc}", &[2]),
            ("パソコン", &[2]),
        ] {
            assert_eq!(found(&index, typed), expected, "{typed}");
        }
    }

    #[test]
    fn the_last_word_of_a_long_text_is_found() {
        let long = format!("{}needle and thread", "word ".repeat(50_000));
        let index = index(&[&long]);
        assert_eq!(found(&index, "needle"), [0]);
        assert_eq!(found(&index, "\"and thread\""), [0]);
    }

    #[test]
    fn a_phrase_search_continues_in_older_items() {
        let mut texts = vec!["chips and fish"; TEXTS as usize + 5];
        texts[0] = "fish and chips";
        let index = index(&texts);
        let first = Transaction::new(&index).search("\"fish and chips\"", None, 10).unwrap();
        assert!(first.heads.is_empty());
        let behind = first.last.map(|head| head.key);
        assert_eq!(behind, Some(ItemKey(5)));
        let second = Transaction::new(&index).search("\"fish and chips\"", behind, 10).unwrap();
        assert_eq!(second.heads.iter().map(|head| head.key).collect::<Vec<_>>(), [ItemKey(0)]);
        assert!(second.last.is_none());
    }

    #[test]
    fn no_query_is_an_error() {
        let index = index(&["and or not near title text"]);
        for typed in
            ["AND", "OR NOT", "NEAR(and or)", "title:text", "^and", "and*", "{title}", "a\"b"]
        {
            found(&index, typed);
        }
        assert_eq!(found(&index, "NOT and"), [0]);
    }

    #[test]
    fn changed_and_deleted_items_are_indexed_again() {
        let index = index(&["old words"]);
        put(&index, 0, Some("New"), "");
        assert_eq!((found(&index, "old"), found(&index, "new")), (vec![], vec![0]));
        Transaction::new(&index).forget_words(&[0]).unwrap();
        assert!(found(&index, "new").is_empty());
    }
}
