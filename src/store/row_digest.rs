//! The digests of rows that are published: feeds, publications, archive pages and digests. SQLite does not notice a bit
//! that flips in a value. The texts of items have digests of their own, see `item_digest.rs`.
//!
//! `row_digest(…)` is a function of SQL on every connection that writes or reads these tables. What is written and what
//! is compared are the same columns in the same order.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use super::error::Error;
use super::transaction::Transaction;
use crate::text::sha256::Sha256;

/// A table whose rows have a digest in the column `row_digest`.
struct DigestedTable {
    name: &'static str,
    /// Its published columns, as SQL.
    columns: &'static str,
    /// Rows with a digest, as SQL.
    condition: &'static str,
    /// What a row is, and the column that names it, as SQL.
    label: &'static str,
}

/// The published columns of a feed.
pub(super) const FEED: &str = "name, url, title, tags, profile";

const TABLES: &[DigestedTable] = &[
    DigestedTable { name: "feed", columns: FEED, condition: "1", label: "'feed ' || name" },
    DigestedTable {
        name: "publication",
        columns: "output, shown",
        condition: "1",
        label: "'the last publication of ' || output",
    },
    DigestedTable {
        name: "archive_page",
        columns: "output, number, items",
        condition: "1",
        label: "'archive page ' || number || ' of ' || output",
    },
    DigestedTable {
        name: "digest",
        columns: "output, number, id, ends_at, closed_at, title, summary, html, items",
        // The retention removes texts.
        condition: "html IS NOT NULL",
        label: "'digest ' || number || ' of ' || output",
    },
];

/// Adds `row_digest(…)` to a connection: the first 16 bytes of a SHA-256 of the values.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("row_digest", -1, flags, |context| Ok(digest(context)))
}

fn digest(values: &Context<'_>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for at in 0..values.len() {
        // The type and the length separate a value from the next one.
        let number;
        let (kind, bytes): (u8, &[u8]) = match values.get_raw(at) {
            ValueRef::Null => (0, &[]),
            ValueRef::Integer(value) => {
                number = value.to_le_bytes();
                (1, &number)
            }
            ValueRef::Real(value) => {
                number = value.to_le_bytes();
                (2, &number)
            }
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(blob) => (4, blob),
        };
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hash.finish_short()
}

/// Reports a published row whose digest differs, by what it is.
pub(super) fn altered(what: &str) -> Error {
    Error::Corrupt(format!("{what} differs from what was written"))
}

impl Transaction<'_> {
    /// Rows that differ from what was written; at most `limit` of each table.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub(super) fn altered_rows(&self, limit: usize) -> Result<Vec<String>, Error> {
        let mut altered = Vec::new();
        for DigestedTable { name, columns, condition, label } in TABLES {
            let mut statement = self.connection.prepare(&format!(
                "SELECT {label} || ' differs from what was written' FROM {name}
                 WHERE {condition} AND row_digest IS NOT row_digest({columns}) LIMIT ?1"
            ))?;
            let rows = statement.query_map([limit as i64], |row| row.get(0))?;
            altered.extend(rows.collect::<Result<Vec<String>, _>>()?);
        }
        Ok(altered)
    }
}

/// Writes the digests of all rows as they are now, after a repair.
pub(super) fn renew(connection: &Connection) -> rusqlite::Result<()> {
    for DigestedTable { name, columns, condition, .. } in TABLES {
        connection.execute_batch(&format!(
            "UPDATE {name} SET row_digest = row_digest({columns}) WHERE {condition}"
        ))?;
    }
    Ok(())
}
