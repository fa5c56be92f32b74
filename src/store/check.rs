//! Checks of the database: by SQLite, of the digests of texts, and of references between tables.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::database_file::FileError;
use super::error::{Error, OpenError};
use super::open;
use super::transaction::Transaction;
use super::values::{maybe, millis};

/// Maximum number of problems that are listed.
const LISTED: usize = 20;

/// Result of a complete check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// What is wrong; at most 20 problems of each kind. Empty: nothing.
    pub problems: Vec<String>,
    /// Number of items in the database.
    pub items: usize,
    /// Number of items with a text.
    pub texts: usize,
}

/// Checks a database completely: structure, indexes, references, ids and texts. Reads all of it; a daemon may be
/// running.
///
/// # Errors
/// When the database cannot be opened.
pub fn check(path: &Path) -> Result<CheckReport, OpenError> {
    open::reader(path).map(|connection| report(&connection))
}

/// Checks a copy of a database in the same way. Creates no files beside it.
///
/// # Errors
/// When it cannot be opened.
pub fn check_copy(path: &Path) -> Result<CheckReport, FileError> {
    Ok(open::copy_reader(path).map(|connection| report(&connection))?)
}

fn report(connection: &Connection) -> CheckReport {
    let transaction = Transaction::new(connection);
    let mut report = CheckReport::default();
    // One state of the database for all checks.
    let begun = connection.execute_batch("BEGIN").map_err(Error::from);
    let integrity = begun.and_then(|()| transaction.integrity(LISTED));
    report.add(integrity);
    report.add(transaction.dangling());
    report.add(transaction.ids_of_several_items(LISTED));
    report.add(transaction.missing_published_items(LISTED));
    report.add(transaction.altered_rows(LISTED));
    report.add(transaction.outputs_without_id(LISTED));
    match transaction.altered_items(LISTED) {
        Ok((altered, texts)) => {
            report.texts = texts;
            let text = |key| format!("the text of item {key} differs from what was written");
            report.problems.extend(altered.into_iter().map(text));
        }
        Err(error) => report.add(Err(error)),
    }
    match transaction.count("item") {
        Ok(items) => report.items = usize::try_from(items).unwrap_or_default(),
        Err(error) => report.add(Err(error)),
    }
    report
}

impl CheckReport {
    /// Adds the problems that a check found; a check that fails is a problem itself.
    fn add(&mut self, found: Result<Vec<String>, Error>) {
        match found {
            Ok(found) => self.problems.extend(found),
            Err(error) => {
                // Several checks may meet the same damage.
                let text = error.to_string();
                if !self.problems.contains(&text) {
                    self.problems.push(text);
                }
            }
        }
    }
}

impl Transaction<'_> {
    /// What SQLite finds wrong with structure and indexes, at most `limit` problems; empty: nothing. Reads all of
    /// the database.
    pub(super) fn integrity(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.pragma(&format!("integrity_check({limit})"))
    }

    /// The same without the comparison of indexes and tables, which takes most of the time.
    pub fn quick_check(&self) -> Result<Vec<String>, Error> {
        self.pragma(&format!("quick_check({LISTED})"))
    }

    /// What is wrong with one table and its indexes.
    pub fn check_table(&self, table: &str) -> Result<Vec<String>, Error> {
        self.pragma(&format!("integrity_check(\"{}\")", table.replace('"', "\"\"")))
    }

    fn pragma(&self, pragma: &str) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare(&format!("PRAGMA {pragma}"))?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut found = lines.collect::<Result<Vec<_>, _>>()?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// The tables of the database, in the order of their names.
    pub fn tables(&self) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Rows that refer to rows that do not exist.
    pub(super) fn dangling(&self) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let rows = statement.query_map([], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} refers to a row of {parent} that does not exist"))
        })?;
        let mut found: Vec<String> = rows.take(LISTED).collect::<Result<_, _>>()?;
        found.dedup();
        Ok(found)
    }

    /// Number of rows of a table.
    pub(super) fn count(&self, table: &str) -> Result<u64, Error> {
        let query = format!("SELECT count(*) FROM {table}");
        let count: i64 = self.connection.query_row(&query, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Time of the last complete check; `None`: there was none.
    pub fn checked_at(&self) -> Result<Option<Timestamp>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT max(checked_at) FROM store_check")?;
        maybe(statement.query_row([], |row| row.get(0))?)
    }

    pub(super) fn write_checked(&self, at: Timestamp) -> Result<(), Error> {
        let mut statement = self
            .connection
            .prepare_cached("INSERT OR REPLACE INTO store_check (id, checked_at) VALUES (1, ?1)")?;
        statement.execute([millis(at)])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use crate::clock::Clock;

    #[test]
    fn a_check_ends_when_the_process_is_about_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), Clock::system()).unwrap();
        let reader = store.reader().clone();
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                       SELECT count(*) FROM n";
        let mut result = None;
        let checked = reader.check(|transaction| {
            store.reader().end_checks();
            let count = transaction.connection.query_row(endless, [], |row| row.get::<_, i64>(0));
            result = count.err().and_then(|error| error.sqlite_error_code());
            Ok(())
        });
        assert_eq!(checked.unwrap(), None);
        assert_eq!(result, Some(rusqlite::ErrorCode::OperationInterrupted));
        assert_eq!(reader.check(|reader| reader.quick_check()).unwrap(), None, "a later one");
    }
}
