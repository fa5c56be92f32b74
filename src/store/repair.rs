//! Copies what can be read of a damaged database to a new one.
//!
//! Each table is read in the order of its key, forwards and backwards; a part that cannot be read is skipped. The
//! new file replaces the damaged one, which is kept beside it.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::error::{ErrorCause, OpenError};
use super::outputs::DOCUMENT;
use super::row_digest::Which;
use super::shared_documents::SHARED;
use super::transaction::Transaction;
use super::{backup, database_file, open, row_digest};
use crate::files;

/// Result of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Path of the damaged database from now on.
    pub damaged: PathBuf,
    /// What was read of each table.
    pub tables: Vec<RepairedTable>,
    /// Number of texts that differed from what was written. They are removed, and read again from the feed.
    pub altered: usize,
}

/// What was read of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairedTable {
    /// Name of the table in the schema.
    pub name: String,
    /// Number of rows in the new database.
    pub rows: usize,
    /// Number of rows that were read and left out, because they refer to rows that could not be read.
    pub orphans: usize,
    /// Whether all of it could be read.
    pub is_complete: bool,
}

/// Why a database was not repaired. It is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// It is in use, missing or no database, or the new one cannot be written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing of it can be read.
    #[error("nothing can be read of the database {path}: {reason}")]
    Nothing {
        /// Path of the database.
        path: PathBuf,
        /// The error of SQLite.
        reason: String,
    },
}

crate::model::codes! {
    RepairError:
    Self::Nothing { .. } => "nothing_readable":
        "restore a copy with 'newswire restore FILE'; without a copy, move the file away, then 'newswire restore \
         --from-outputs' reads back what the outputs published",
    ;
    Self::Open(error) => error,
}

/// An item with its text, for the search index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextToIndex {
    /// Plain text; `None`: untitled.
    pub title: Option<String>,
    /// Plain text; `None`: none.
    pub summary: Option<String>,
    /// Sanitised HTML; `None`: none.
    pub content: Option<String>,
}

/// Replaces a damaged database by a copy of what can be read of it. `words` returns the words of an item for the
/// search index.
///
/// # Errors
/// When another process uses the database, it is not a database of this version of Newswire, nothing can be read, or the
/// copy cannot be written. The damaged database is unchanged then.
pub fn repair(
    path: &Path,
    words: impl Fn(&TextToIndex) -> String,
) -> Result<Repaired, RepairError> {
    database_file::examine(path)?;
    let _lock = open::lock(path)?;
    let path = &backup::resolved(path);
    let io = |source| OpenError::Io { path: path.clone(), source };
    // A folder, so that no file of the operator has one of the names.
    let folder = backup::repair_folder(path).map_err(io)?;
    let new = folder.path().join("newswire.db");
    let to = open::writer(&new)?;
    let salvaged = damaged(path).and_then(|from| salvage(&from, &to, &words));
    drop(to);
    let (tables, altered) = salvaged.map_err(|error| nothing(path, error))?;
    if tables.iter().all(|table| table.rows + table.orphans == 0 || table.name == "revision") {
        let reason = "no table has rows that can be read".to_owned();
        return Err(RepairError::Nothing { path: path.clone(), reason });
    }
    let damaged = files::numbered(path, "damaged");
    for end in ["", "-wal", "-shm"] {
        let (old, kept) = (open::ending(path, end), open::ending(&damaged, end));
        if old.exists() {
            std::fs::rename(old, kept).map_err(io)?;
        }
    }
    std::fs::rename(&new, path).map_err(io)?;
    files::sync_folder(path).map_err(io)?;
    Ok(Repaired { damaged, tables, altered })
}

/// Opens a damaged database.
fn damaged(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // With the check of cells, a page with one bad cell is lost as a whole. Without a writable schema, SQLite does not
    // open a file that is too short, or in which the definition of one table is damaged. Nothing is written.
    connection.execute_batch(
        "PRAGMA cell_size_check = OFF; PRAGMA trusted_schema = OFF; PRAGMA writable_schema = ON",
    )?;
    Ok(connection)
}

/// The error after which nothing was copied: of the damaged file, or of the disk.
fn nothing(path: &Path, source: rusqlite::Error) -> RepairError {
    let error = OpenError::Sqlite { path: path.to_owned(), source };
    match error {
        OpenError::Sqlite { path, source } if ErrorCause::of(&source) == ErrorCause::Corrupt => {
            RepairError::Nothing { path, reason: source.to_string() }
        }
        error => error.into(),
    }
}

type Salvaged = (Vec<RepairedTable>, usize);

fn salvage(
    from: &Connection,
    to: &Connection,
    words: &dyn Fn(&TextToIndex) -> String,
) -> rusqlite::Result<Salvaged> {
    // Read first: a damaged list of tables means that nothing can be read.
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    // Where that fails, the tables are read by the definitions that they have.
    let _ = restore_definitions(from, to);
    to.execute_batch("PRAGMA foreign_keys = OFF; BEGIN")?;
    let mut copied = Vec::new();
    for name in tables(to)? {
        let is_complete = Copy::new(from, to, &name)?.run()?;
        let rows = count(to, &name)?;
        copied.push(RepairedTable { name, rows, orphans: 0, is_complete });
    }
    row_digest::restore(to)?;
    for (name, columns) in NEVER_ALTERED {
        let removed = to.execute(
            &format!("DELETE FROM {name} WHERE row_digest IS NOT row_digest({columns})"),
            [],
        )?;
        for table in copied.iter_mut().filter(|table| removed > 0 && table.name == *name) {
            table.rows -= removed;
            table.is_complete = false;
        }
    }
    // An output whose id is lost gets another one, or that of its document.
    let lost = "DELETE FROM publication WHERE output NOT IN (SELECT name FROM output)";
    if to.execute(lost, [])? > 0 {
        copied.iter_mut().filter(|it| it.name == "output").for_each(|it| it.is_complete = false);
    }
    remove_orphans(to)?;
    for table in &mut copied {
        let rows = count(to, &table.name)?;
        table.orphans = table.rows.saturating_sub(rows);
        table.rows = rows;
    }
    Transaction::new(to).reset_altered_states(Which::All)?;
    let altered = remove_altered(to)?;
    row_digest::renew(to)?;
    index(to, words)?;
    to.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok((copied, altered))
}

/// Tables with their columns whose altered rows are removed, because a wrong value does more harm than none.
const NEVER_ALTERED: &[(&str, &str)] = &[
    ("publication", "output, shown"),
    ("output", "name, id, since"),
    ("output_item_id", "output, item_id, id"),
    ("identity", "feed_id, digest, item_id"),
    ("document", DOCUMENT),
    ("shared_document", SHARED),
];

/// Replaces altered definitions in a transaction that is never committed, so that all tables can be read by their
/// names. `new` is a database of this schema.
fn restore_definitions(damaged: &Connection, new: &Connection) -> rusqlite::Result<()> {
    let mut definitions =
        new.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let mut rows = definitions.query([])?;
    damaged.execute_batch("BEGIN")?;
    while let Some(row) = rows.next()? {
        let values: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        damaged.execute(
            "UPDATE sqlite_schema SET type = ?1, name = ?2, tbl_name = ?3, sql = ?4
             WHERE (name = ?2 OR sql = ?4) AND (type, name, tbl_name, sql) IS NOT (?1, ?2, ?3, ?4)",
            values,
        )?;
    }
    // Reads the definitions again.
    damaged.execute_batch("PRAGMA writable_schema = RESET; PRAGMA writable_schema = ON")
}

fn count(connection: &Connection, table: &str) -> rusqlite::Result<usize> {
    let count = format!("SELECT count(*) FROM {table}");
    let count: i64 = connection.query_row(&count, [], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The tables with their own data; the search index is made again.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search%'
           AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
    )?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}

/// The copy of one table.
struct Copy<'c> {
    from: &'c Connection,
    to: &'c Connection,
    /// Column names, joined by commas.
    columns: String,
    width: usize,
    /// Key of the table: `rowid`, or the columns of the primary key.
    key: String,
    by_rowid: bool,
    table: &'c str,
}

impl<'c> Copy<'c> {
    fn new(from: &'c Connection, to: &'c Connection, table: &'c str) -> rusqlite::Result<Self> {
        let mut statement = to.prepare(&format!("PRAGMA table_info({table})"))?;
        let columns = statement.query_map([], |row| Ok((row.get(1)?, row.get(5)?)))?;
        let columns: Vec<(String, i64)> = columns.collect::<Result<_, _>>()?;
        let by_rowid = to.prepare(&format!("SELECT rowid FROM {table}")).is_ok();
        let mut key: Vec<&(String, i64)> = columns.iter().filter(|(_, key)| *key > 0).collect();
        key.sort_by_key(|(_, at)| *at);
        let key: Vec<&str> = key.iter().map(|(name, _)| name.as_str()).collect();
        let key = if by_rowid { "rowid".to_owned() } else { key.join(", ") };
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        Ok(Self { from, to, width: names.len(), columns: names.join(", "), key, by_rowid, table })
    }

    /// Copies all rows that can be read. Returns whether all of the table could be read.
    fn run(&self) -> rusqlite::Result<bool> {
        if self.by_rowid {
            return self.by_number();
        }
        let Self { columns, table, key, .. } = self;
        let ascending = format!("SELECT {columns} FROM {table} ORDER BY {key}");
        if self.copy(&ascending, &[])?.is_none() {
            return Ok(true);
        }
        let descending = key.replace(',', " DESC,");
        self.copy(&format!("SELECT {columns} FROM {table} ORDER BY {descending} DESC"), &[])?;
        // Between the first and the last damaged part: the rows of each feed.
        if columns.starts_with("feed_id") {
            let mut feeds = self.to.prepare("SELECT id FROM feed")?;
            let feeds = feeds.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
            for feed in feeds {
                for order in [key.clone(), format!("{descending} DESC")] {
                    let one = format!(
                        "SELECT {columns} FROM {table} WHERE feed_id = ?1 ORDER BY {order}"
                    );
                    self.copy(&one, &[Value::Integer(feed)])?;
                }
            }
        }
        Ok(false)
    }

    /// Copies a table by its row numbers, with larger and larger steps over a part that cannot be read.
    fn by_number(&self) -> rusqlite::Result<bool> {
        const LARGEST_STEP: i64 = 1 << 40;
        let Self { columns, table, .. } = self;
        let rest = format!("SELECT {columns}, rowid FROM {table} WHERE rowid > ?1 ORDER BY rowid");
        let (mut after, mut step, mut complete) = (i64::MIN, 1, true);
        while let Some(last) = self.copy(&rest, &[Value::Integer(after)])? {
            complete = false;
            step = if last > Some(after) { 1 } else { step * 2 };
            after = last.unwrap_or(after).max(after).max(0).saturating_add(step);
            if step > LARGEST_STEP {
                let back = format!("SELECT {columns}, rowid FROM {table} ORDER BY rowid DESC");
                self.copy(&back, &[])?;
                break;
            }
        }
        Ok(complete)
    }

    /// Copies the rows of a query until the first that cannot be read. `None`: all were read; else the number of
    /// the last row, if the query returns it.
    fn copy(&self, query: &str, values: &[Value]) -> rusqlite::Result<Option<Option<i64>>> {
        let marks = vec!["?"; self.width].join(", ");
        let Self { to, from, table, columns, .. } = self;
        let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})");
        let mut insert = to.prepare_cached(&insert)?;
        let mut last = None;
        let Ok(mut select) = from.prepare(query) else { return Ok(Some(None)) };
        let Ok(mut rows) = select.query(params_from_iter(values)) else { return Ok(Some(None)) };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(None),
                Err(_) => return Ok(Some(last)),
            };
            let values: Result<Vec<Value>, _> = (0..self.width).map(|at| row.get(at)).collect();
            // A value of another type than that of its column is damage too.
            if let Ok(values) = values {
                let _ = insert.execute(params_from_iter(values));
            }
            last = row.get(self.width).ok();
        }
    }
}

/// Removes rows that refer to rows that could not be read.
fn remove_orphans(to: &Connection) -> rusqlite::Result<()> {
    for table in tables(to)? {
        let mut statement = to.prepare(&format!("PRAGMA foreign_key_list({table})"))?;
        let references =
            statement.query_map([], |row| Ok((row.get(2)?, row.get(3)?, row.get(4)?)))?;
        let references: Vec<(String, String, Option<String>)> =
            references.collect::<Result<_, _>>()?;
        for (parent, column, key) in references {
            let key = key.unwrap_or_else(|| "id".to_owned());
            to.execute_batch(&format!(
                "DELETE FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {parent})"
            ))?;
        }
    }
    // A story whose first item is lost: each of its items is alone.
    to.execute_batch("UPDATE item SET story_id = id WHERE story_id NOT IN (SELECT id FROM item)")?;
    remove_lost_items(to)?;
    to.execute_batch("INSERT OR IGNORE INTO revision VALUES (1, 0)")
}

/// Removes items that could not be read from what outputs published and archived.
fn remove_lost_items(to: &Connection) -> rusqlite::Result<()> {
    to.execute_batch(
        "DELETE FROM publication WHERE NOT json_valid(shown);
         DELETE FROM archive_page WHERE NOT json_valid(items);
         UPDATE publication SET basis = NULL, shown =
           (SELECT json_group_array(json(value) ORDER BY key) FROM json_each(shown)
            WHERE value ->> 1 = 0 OR value ->> 0 IN (SELECT id FROM item))
         WHERE EXISTS (SELECT 1 FROM json_each(shown) WHERE value ->> 1 <> 0 AND value ->> 0 NOT IN (SELECT id FROM item));
         UPDATE archive_page SET items =
           (SELECT json_group_array(value ORDER BY key) FROM json_each(items)
            WHERE value IN (SELECT id FROM item))
         WHERE EXISTS (SELECT 1 FROM json_each(items) WHERE value NOT IN (SELECT id FROM item));",
    )
}

/// Removes texts that differ from what was written, so that they are read again from the feed.
fn remove_altered(to: &Connection) -> rusqlite::Result<usize> {
    let Ok((altered, _)) = Transaction::new(to).altered_items(usize::MAX) else { return Ok(0) };
    for key in &altered {
        to.execute("DELETE FROM body WHERE item_id = ?1", [key])?;
        to.execute("UPDATE item SET content_digest = zeroblob(16) WHERE id = ?1", [key])?;
    }
    // A text that was lost is read again too.
    to.execute_batch(
        "UPDATE item SET content_digest = zeroblob(16) WHERE id NOT IN (SELECT item_id FROM body)
           AND id >= (SELECT ifnull(min(item_id), 0) FROM body);
         UPDATE feed SET etag = NULL, last_modified = NULL, body_hash = NULL",
    )?;
    Ok(altered.len())
}

/// Makes the search index.
fn index(to: &Connection, words: &dyn Fn(&TextToIndex) -> String) -> rusqlite::Result<()> {
    let mut texts = to.prepare(
        "SELECT item.id, title, summary, content FROM item JOIN body ON body.item_id = item.id ORDER BY item.id",
    )?;
    let mut insert = to.prepare("INSERT INTO search (rowid, words) VALUES (?1, ?2)")?;
    let mut rows = texts.query([])?;
    while let Some(row) = rows.next()? {
        let text = TextToIndex { title: row.get(1)?, summary: row.get(2)?, content: row.get(3)? };
        insert.execute((row.get::<_, i64>(0)?, words(&text)))?;
    }
    Ok(())
}
