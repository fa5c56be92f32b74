//! The digests of rows that are published, or that decide what is: feeds, ids of outputs, publications, archive pages,
//! digests, dates of documents and documents that are still to be read. SQLite does not notice a bit that flips in a value.
//! The texts of items have digests of their own, see `item_digest.rs`.
//!
//! `row_digest(…)` is a function of SQL on every connection that writes or reads these tables. What is written and what
//! is compared are the same columns in the same order.
//!
//! The state of a feed, what the next request is made of and when it is sent, has a digest too: one flipped bit in an adopted
//! address, in a validator or in the time of a poll would send requests to another server, be answered "not modified" for
//! ever, or end the polls of the feed. An altered state is not published, so that nothing has to stop because of it: it is
//! reset, and the next poll requests the complete document at the configured address.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::error::Error;
use super::outputs::DOCUMENT;
use super::shared_documents::SHARED;
use super::transaction::Transaction;
use crate::model::FeedKey;
use crate::text::sha256::Sha256;

/// A table whose rows have a digest.
struct DigestedTable {
    name: &'static str,
    /// The column of the digest.
    digest: &'static str,
    /// Its published columns, as SQL.
    columns: &'static str,
    /// Rows with a digest, as SQL.
    condition: &'static str,
    /// What a row is, and the column that names it, as SQL.
    label: &'static str,
}

/// The column of the digest of most tables.
const DIGEST: &str = "row_digest";

/// The columns of a feed that are published, or that select its items.
pub(super) const FEED: &str = "name, url, title, tags, profile, active, kept, guids_reused";

const TABLES: &[DigestedTable] = &[
    DigestedTable {
        name: "feed",
        digest: DIGEST,
        columns: FEED,
        condition: "1",
        label: "'feed ' || name",
    },
    DigestedTable {
        name: "feed",
        digest: "state_digest",
        columns: STATE,
        condition: "1",
        label: "'the state of feed ' || name",
    },
    DigestedTable {
        name: "document",
        digest: DIGEST,
        columns: DOCUMENT,
        condition: "1",
        label: "'the date of ' || output || '.' || format",
    },
    DigestedTable {
        name: "shared_document",
        digest: DIGEST,
        columns: SHARED,
        condition: "1",
        label: "'the document of ' || url",
    },
    DigestedTable {
        name: "publication",
        digest: DIGEST,
        columns: "output, shown",
        condition: "1",
        label: "'the last publication of ' || output",
    },
    DigestedTable {
        name: "archive_page",
        digest: DIGEST,
        columns: "output, number, items, last_item_id, last_released_id, is_private",
        condition: "1",
        label: "'archive page ' || number || ' of ' || output",
    },
    DigestedTable {
        name: "digest",
        digest: DIGEST,
        columns: "output, number, id, ends_at, closed_at, title, summary, html, items",
        // The retention removes texts.
        condition: "html IS NOT NULL",
        label: "'digest ' || number || ' of ' || output",
    },
    DigestedTable {
        name: "digest_state",
        digest: DIGEST,
        columns: "output, closed_until, last_item_id, last_released_id, ahead",
        condition: "1",
        label: "'the last period of ' || output",
    },
    DigestedTable {
        name: "identity",
        digest: DIGEST,
        columns: "feed_id, digest, item_id",
        condition: "1",
        label: "'what identifies item ' || item_id",
    },
    DigestedTable {
        name: "output",
        digest: DIGEST,
        columns: "name, id, since",
        condition: "1",
        label: "'the id of the output ' || name",
    },
    DigestedTable {
        name: "output_item_id",
        digest: DIGEST,
        columns: "output, item_id, id",
        condition: "1",
        label: "'the id of item ' || item_id || ' in ' || output",
    },
];

/// Adds `row_digest(…)` to a connection: the first 16 bytes of a SHA-256 of the values.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("row_digest", -1, flags, |context| Ok(of_arguments(context)))
}

fn of_arguments(context: &Context<'_>) -> [u8; 16] {
    digest((0..context.len()).map(|at| context.get_raw(at)))
}

fn digest<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for value in values {
        // The type and the length separate a value from the next one.
        let number;
        let (kind, bytes): (u8, &[u8]) = match value {
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

/// Reports a row whose digest differs, by what the row is. Column `at` is whether it is the same.
pub(super) fn check_intact(
    row: &Row<'_>,
    at: usize,
    what: impl FnOnce() -> String,
) -> Result<(), Error> {
    if row.get(at)? { Ok(()) } else { Err(altered(&what())) }
}

/// The error for a row that differs from what was written, by what the row is.
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
        for DigestedTable { name, digest, columns, condition, label } in TABLES {
            let mut statement = self.connection.prepare(&format!(
                "SELECT {label} || ' differs from what was written' FROM {name}
                 WHERE {condition} AND {digest} IS NOT row_digest({columns}) LIMIT ?1"
            ))?;
            let rows = statement.query_map([limit as i64], |row| row.get(0))?;
            altered.extend(rows.collect::<Result<Vec<String>, _>>()?);
        }
        Ok(altered)
    }
}

/// Largest number of bytes of a row in which the bit that flipped is looked for.
const LARGEST: usize = 4096;

/// Restores rows in which one bit flipped: the row with this bit has the digest that was written.
pub(super) fn restore(connection: &Connection) -> rusqlite::Result<()> {
    for DigestedTable { name, digest, columns, condition, .. } in TABLES {
        let sql = format!(
            "SELECT {digest}, {columns} FROM {name} WHERE {condition} AND {digest} IS NOT row_digest({columns})"
        );
        let mut statement = connection.prepare(&sql)?;
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..count).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()
        })?;
        for row in rows.collect::<rusqlite::Result<Vec<_>>>()? {
            let Some(row) = row.split_first().and_then(|(digest, row)| intact(digest, row)) else {
                continue;
            };
            let marks: Vec<String> = (1..count).map(|at| format!("?{at}")).collect();
            let marks = marks.join(", ");
            let sql = format!(
                "UPDATE OR IGNORE {name} SET ({columns}) = ({marks}) WHERE {digest} = row_digest({marks})"
            );
            connection.execute(&sql, params_from_iter(row))?;
        }
    }
    Ok(())
}

/// The values that have this digest, and differ from `values` in one bit.
fn intact(written: &Value, values: &[Value]) -> Option<Vec<Value>> {
    let Value::Blob(written) = written else { return None };
    let bytes = |value: &Value| match value {
        Value::Integer(number) => number.to_le_bytes().to_vec(),
        Value::Text(text) => text.clone().into_bytes(),
        Value::Blob(bytes) => bytes.clone(),
        Value::Null | Value::Real(_) => Vec::new(),
    };
    let bytes: Vec<Vec<u8>> = values.iter().map(bytes).collect();
    if bytes.iter().map(Vec::len).sum::<usize>() > LARGEST {
        return None;
    }
    let place = |(at, bytes): (usize, &Vec<u8>)| (0..8 * bytes.len()).map(move |bit| (at, bit));
    bytes.iter().enumerate().flat_map(place).find_map(|(at, bit)| {
        let mut flipped = bytes[at].clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let value = match &values[at] {
            Value::Integer(_) => Value::Integer(i64::from_le_bytes(flipped.try_into().ok()?)),
            Value::Text(_) => Value::Text(String::from_utf8(flipped).ok()?),
            _ => Value::Blob(flipped),
        };
        let mut row = values.to_vec();
        row[at] = value;
        (digest(row.iter().map(ValueRef::from)) == written.as_slice()).then_some(row)
    })
}

/// Writes the digests of all rows as they are now. For tests that change rows by hand.
///
/// # Errors
/// When the database fails.
pub fn renew_digests(connection: &Connection) -> rusqlite::Result<()> {
    register(connection)?;
    renew(connection)
}

/// Writes the digests of all rows as they are now, after a repair.
pub(super) fn renew(connection: &Connection) -> rusqlite::Result<()> {
    for DigestedTable { name, digest, columns, condition, .. } in TABLES {
        connection.execute_batch(&format!(
            "UPDATE {name} SET {digest} = row_digest({columns}) WHERE {condition}"
        ))?;
    }
    Ok(())
}

/// The columns of the state, as SQL.
pub(super) const STATE: &str =
    "publisher_hints, request_key, etag, last_modified, body_hash, response_url,
    lifetime, last_full_at, checked_at, validator_use, validator_count, reread_at, effective_url,
    moved_to, moved_since, next_poll_at, plan_reason, plan_inputs, failures, last_poll_at, last_outcome,
    last_success_at, items, boilerplate";

/// The state of a feed that was not polled, but for what its items show.
const RESET: &str = "publisher_hints = '{}', request_key = '', etag = NULL, last_modified = NULL, body_hash = NULL,
    response_url = NULL, lifetime = NULL, last_full_at = NULL, checked_at = NULL, validator_use = 'both',
    validator_count = 0, reread_at = NULL, effective_url = NULL, moved_to = NULL, moved_since = NULL, next_poll_at = 0,
    plan_reason = 'new', plan_text = 'its state was damaged', plan_inputs = '[]', failures = 0, failing_since = NULL,
    last_poll_at = NULL, last_outcome = NULL, boilerplate = x'',
    last_success_at = (SELECT max(first_seen_at) FROM item WHERE feed_id = feed.id AND hidden IS NULL),
    items = (SELECT count(*) FROM item WHERE feed_id = feed.id AND hidden IS NULL)";

/// Which feeds a statement is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// All feeds.
    All,
    /// One feed.
    One(FeedKey),
}

impl Which {
    /// The condition with the parameter `?1`, as SQL.
    fn condition(self) -> &'static str {
        match self {
            Self::All => "?1 IS NULL",
            Self::One(_) => "id = ?1",
        }
    }

    fn key(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::One(feed) => Some(feed.0),
        }
    }
}

impl Transaction<'_> {
    /// Resets the states that differ from what was written. To be called before a state is changed: its new digest
    /// would hide that.
    pub(super) fn reset_altered_states(&self, which: Which) -> rusqlite::Result<Vec<FeedKey>> {
        let condition = which.condition();
        let sql = format!(
            "SELECT id FROM feed WHERE {condition} AND state_digest IS NOT row_digest({STATE})"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![which.key()], |row| row.get(0).map(FeedKey))?;
        let reset: Vec<FeedKey> = rows.collect::<Result<_, _>>()?;
        for feed in &reset {
            let sql = format!("UPDATE feed SET {RESET} WHERE id = ?1");
            self.connection.prepare_cached(&sql)?.execute([feed.0])?;
            self.write_state_digests(Which::One(*feed))?;
        }
        Ok(reset)
    }

    /// The same for one feed. Returns the number of states that were reset.
    pub(super) fn reset_altered_state(&self, feed: FeedKey) -> rusqlite::Result<usize> {
        self.reset_altered_states(Which::One(feed)).map(|reset| reset.len())
    }

    /// Changes states: resets those that are altered first, and writes the digests of what the change made of them.
    pub(super) fn change_states<T>(
        &self,
        which: Which,
        change: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.reset_altered_states(which)?;
        let changed = change()?;
        self.write_state_digests(which)?;
        Ok(changed)
    }

    /// Writes the digests of states, after a change of them.
    pub(super) fn write_state_digests(&self, which: Which) -> rusqlite::Result<()> {
        let condition = which.condition();
        let sql = format!("UPDATE feed SET state_digest = row_digest({STATE}) WHERE {condition}");
        self.connection.prepare_cached(&sql)?.execute(params![which.key()])?;
        Ok(())
    }
}
