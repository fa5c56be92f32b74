//! The tables of outputs: what an output showed, under which ids, in which documents, and to how many subscribers.
//!
//! Also the folders that outputs were written to, so that files that are no longer written are known after the config has
//! changed.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::row_digest::check_intact;
use super::transaction::Transaction;
use super::values::{json_list, millis, timestamp};
use crate::model::{ItemKey, StoryKey, SubscriberCount};

/// The permanent id of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredOutput {
    /// Id of the output in the config.
    pub name: String,
    /// The id of its feed, an IRI.
    pub id: String,
    /// Time when the id was made.
    pub since: Timestamp,
}

/// An item that an output shows under another id than its outward id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdHolder {
    /// The id, as published.
    pub id: String,
    /// Key of the item.
    pub key: ItemKey,
    /// Story of the item.
    pub story: StoryKey,
}

/// The columns of the date of a document.
pub(super) const DOCUMENT: &str = "output, format, hash, modified_at";

impl Transaction<'_> {
    /// Writes the ids of the outputs that have none yet. Returns the permanent ones of all, in this order.
    ///
    /// # Errors
    /// When the database fails, or an id was altered or lost.
    pub fn register_outputs(
        &self,
        outputs: &[RegisteredOutput],
    ) -> Result<Vec<RegisteredOutput>, Error> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO output (name, id, since, row_digest) VALUES (?1, ?2, ?3, row_digest(?1, ?2, ?3))")?;
        let mut published =
            self.connection.prepare_cached("SELECT 1 FROM publication WHERE output = ?1")?;
        let mut registered = Vec::with_capacity(outputs.len());
        for output in outputs {
            if let Some(known) = self.registered_output(&output.name)? {
                registered.push(known);
                continue;
            }
            // Another id would make it another feed to its subscribers.
            if published.exists([&output.name])? {
                return Err(Error::Corrupt(format!(
                    "the id of the output {} is lost",
                    output.name
                )));
            }
            insert.execute(params![output.name, output.id, millis(output.since)])?;
            // As it is read from now on: times have whole milliseconds.
            registered.extend(self.registered_output(&output.name)?);
        }
        Ok(registered)
    }

    /// Outputs that were published and have no id, at most `limit`.
    pub(super) fn outputs_without_id(&self, limit: usize) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT 'the id of the output ' || output || ' is lost' FROM publication
             WHERE output NOT IN (SELECT name FROM output) LIMIT ?1",
        )?;
        let rows = statement.query_map([limit as i64], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is permanent of the output; `None`: it was never registered.
    pub fn registered_output(&self, name: &str) -> Result<Option<RegisteredOutput>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, since, row_digest IS row_digest(name, id, since) FROM output WHERE name = ?1",
        )?;
        let mut rows = statement.query([name])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        check_intact(row, 2, || format!("the id of the output {name}"))?;
        let (id, since) = (row.get(0)?, timestamp(row.get(1)?)?);
        Ok(Some(RegisteredOutput { name: name.to_owned(), id, since }))
    }

    /// Those of these items that the output shows under an id other than their outward id, with that id.
    pub fn output_item_ids(
        &self,
        output: &str,
        keys: &[ItemKey],
    ) -> Result<HashMap<ItemKey, String>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT shown.item_id, shown.id, shown.row_digest IS row_digest(shown.output, shown.item_id, shown.id)
             FROM json_each(?2) wanted CROSS JOIN output_item_id AS shown ON shown.output = ?1 AND shown.item_id = wanted.value",
        )?;
        let keys = json_list(keys.iter().map(|key| key.0));
        let mut rows = statement.query(params![output, keys])?;
        let mut ids = HashMap::new();
        while let Some(row) = rows.next()? {
            let key = ItemKey(row.get(0)?);
            check_intact(row, 2, || format!("the id of item {} in {output}", key.0))?;
            ids.insert(key, row.get(1)?);
        }
        Ok(ids)
    }

    /// Items that the output shows under one of these ids, which is not their outward id. Several items of one story may
    /// have led it in turn.
    pub fn output_id_holders(&self, output: &str, ids: &[&str]) -> Result<Vec<IdHolder>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT shown.id, shown.item_id, item.story_id FROM json_each(?2) wanted
             CROSS JOIN output_item_id AS shown ON shown.output = ?1 AND shown.id = wanted.value
             CROSS JOIN item ON item.id = shown.item_id",
        )?;
        let ids = serde_json::to_string(ids)?;
        let rows = statement.query_map(params![output, ids], |row| {
            let (key, story) = (ItemKey(row.get(1)?), StoryKey(row.get(2)?));
            Ok(IdHolder { id: row.get(0)?, key, story })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The outward ids of these items.
    pub fn outward_ids(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, String>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.outward_id FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value",
        )?;
        let keys = json_list(keys.iter().map(|key| key.0));
        let rows = statement.query_map([keys], |row| Ok((ItemKey(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes the ids under which the output shows these items from now on.
    pub(super) fn write_output_item_ids(
        &self,
        output: &str,
        item_ids: &[(ItemKey, String)],
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO output_item_id (output, item_id, id, row_digest)
             VALUES (?1, ?2, ?3, row_digest(?1, ?2, ?3))",
        )?;
        for (key, id) in item_ids {
            statement.execute(params![output, key.0, id])?;
        }
        Ok(())
    }

    /// What the output showed last, in the form in which it was written.
    pub fn publication(&self, output: &str) -> Result<Option<String>, Error> {
        let mut statement =
            self.connection.prepare_cached(
            "SELECT shown, row_digest IS row_digest(output, shown) FROM publication WHERE output = ?1",
        )?;
        let mut rows = statement.query([output])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        check_intact(row, 1, || format!("the last publication of {output}"))?;
        Ok(row.get(0)?)
    }

    /// Writes what the output shows.
    pub(super) fn write_publication(&self, output: &str, shown: &str) -> Result<(), Error> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO publication (output, shown, row_digest) VALUES (?1, ?2, row_digest(?1, ?2))")?
            .execute(params![output, shown])?;
        Ok(())
    }

    /// Writes what the output's files depend on, after they were written.
    pub(super) fn write_basis(
        &self,
        output: &str,
        basis: &[u8; 32],
        until: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "INSERT INTO publication (output, shown, basis, until, row_digest)
                 VALUES (?1, '[]', ?2, ?3, row_digest(?1, '[]'))
                 ON CONFLICT (output) DO UPDATE SET basis = ?2, until = ?3",
            )?
            .execute(params![output, basis.as_slice(), until.map(millis)])?;
        Ok(())
    }

    /// Whether the output's files were written on this basis, and no item has become too old since.
    pub fn has_basis(&self, output: &str, basis: &[u8; 32], now: Timestamp) -> Result<bool, Error> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT 1 FROM publication WHERE output = ?1 AND basis = ?2 AND ifnull(until > ?3, 1)",
            )?
            .exists(params![output, basis.as_slice(), millis(now)])?)
    }

    /// SHA-256 of the last document in this format.
    pub fn document_hash(&self, output: &str, format: &str) -> Result<Option<[u8; 32]>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT hash FROM document WHERE output = ?1 AND format = ?2")?;
        Ok(statement.query_row([output, format], |row| row.get(0)).optional()?)
    }

    /// Writes the hash of a document. Returns the time of its last difference.
    pub(super) fn write_document(
        &self,
        output: &str,
        format: &str,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Timestamp, Error> {
        // A date that was altered is as good as none: in the future, it would hide later documents from clients.
        let kept: Option<(Vec<u8>, i64)> = self
            .connection
            .prepare_cached(&format!(
                "SELECT hash, modified_at FROM document
                 WHERE output = ?1 AND format = ?2 AND row_digest = row_digest({DOCUMENT})"
            ))?
            .query_row(params![output, format], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((_, at)) = kept.filter(|(kept, _)| kept == hash) {
            return timestamp(at);
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO document (output, format, hash, modified_at, row_digest)
                 VALUES (?1, ?2, ?3, ?4, row_digest(?1, ?2, ?3, ?4))",
            )?
            .execute(params![output, format, hash.as_slice(), millis(now)])?;
        Ok(now)
    }

    /// A number that ascends with every write that may change what an output shows.
    pub fn revision(&self) -> Result<i64, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT number FROM revision WHERE id = 1")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Counts a write that may change what an output shows.
    pub(super) fn count_revision(&self) -> Result<(), Error> {
        self.connection
            .prepare_cached("UPDATE revision SET number = number + 1 WHERE id = 1")?
            .execute([])?;
        Ok(())
    }
}

/// Runs every statement once, for the test that none of them scans a table that grows.
#[cfg(test)]
pub(crate) fn every_method(transaction: &Transaction<'_>) {
    let (key, id) = (ItemKey(1), "urn:x:1".to_owned());
    let output = |id: &str| RegisteredOutput {
        name: "planet".to_owned(),
        id: id.to_owned(),
        since: Timestamp::UNIX_EPOCH,
    };
    for made in ["urn:x:1", "urn:x:2"] {
        let kept = transaction.register_outputs(&[output(made)]).unwrap();
        assert_eq!(kept, [output("urn:x:1")]);
    }
    assert_eq!(transaction.registered_output("board").unwrap(), None);
    transaction.write_output_item_ids("planet", &[(key, id.clone())]).unwrap();
    assert_eq!(transaction.output_item_ids("planet", &[key]).unwrap()[&key], id);
    let holders = transaction.output_id_holders("planet", &[&id]).unwrap();
    assert_eq!(holders.iter().map(|holder| holder.key).collect::<Vec<_>>(), [key]);
    assert_eq!(transaction.outward_ids(&[key]).unwrap().len(), 1);
    transaction.write_publication("planet", "[]").unwrap();
    assert_eq!(transaction.publication("planet").unwrap().as_deref(), Some("[]"));
    transaction.write_basis("planet", &[1; 32], None).unwrap();
    assert!(transaction.has_basis("planet", &[1; 32], Timestamp::MAX).unwrap());
    assert_eq!(transaction.document_hash("planet", "atom").unwrap(), None);
    folders(transaction);
    transaction.count_revision().unwrap();
    assert_eq!(transaction.revision().unwrap(), 1);
}

#[cfg(test)]
fn folders(transaction: &Transaction<'_>) {
    let folder = |output: &str| OutputFolder { output: output.to_owned(), path: "/www".to_owned() };
    transaction.write_output_folders(&[folder("board"), folder("planet")]).unwrap();
    assert_eq!(transaction.archive_basis(&folder("planet")).unwrap(), None);
    transaction.write_archive_basis(&folder("planet"), "{}").unwrap();
    transaction.write_output_folders(&[folder("planet")]).unwrap();
    assert_eq!(transaction.output_folders().unwrap(), [folder("planet")]);
    assert_eq!(transaction.archive_basis(&folder("planet")).unwrap().as_deref(), Some("{}"));
}

/// A folder with documents of an output.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutputFolder {
    /// Id of the output in the config, as it was when the documents were written.
    pub output: String,
    /// Absolute path.
    pub path: String,
}

impl Transaction<'_> {
    /// All folders that outputs were written to.
    pub fn output_folders(&self) -> Result<Vec<OutputFolder>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT output, path FROM output_folder ORDER BY output, path")?;
        let folder =
            |row: &rusqlite::Row<'_>| Ok(OutputFolder { output: row.get(0)?, path: row.get(1)? });
        let rows = statement.query_map([], folder)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Replaces the folders that outputs were written to. Those that stay keep what is known of them.
    pub(super) fn write_output_folders(&self, folders: &[OutputFolder]) -> Result<(), Error> {
        let mut delete = self
            .connection
            .prepare_cached("DELETE FROM output_folder WHERE output = ?1 AND path = ?2")?;
        for former in self.output_folders()?.iter().filter(|former| !folders.contains(former)) {
            delete.execute([&former.output, &former.path])?;
        }
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO output_folder (output, path) VALUES (?1, ?2)")?;
        for OutputFolder { output, path } in folders {
            insert.execute([output, path])?;
        }
        Ok(())
    }

    /// What the archive pages in the folder were written from, in the form in which it was written; `None`: unknown.
    pub fn archive_basis(&self, folder: &OutputFolder) -> Result<Option<String>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT archive_basis FROM output_folder WHERE output = ?1 AND path = ?2",
        )?;
        let basis = statement.query_row([&folder.output, &folder.path], |row| row.get(0));
        Ok(basis.optional()?.flatten())
    }

    /// Writes what the archive pages in the folder were written from.
    pub(super) fn write_archive_basis(
        &self,
        folder: &OutputFolder,
        basis: &str,
    ) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "UPDATE output_folder SET archive_basis = ?3 WHERE output = ?1 AND path = ?2",
            )?
            .execute([&folder.output, &folder.path, basis])?;
        Ok(())
    }
}

/// Number of days that are kept.
const KEPT: i64 = 400;

impl Transaction<'_> {
    /// Raises the numbers of these days, and deletes old days. A process that starts again counts from zero; the larger
    /// number is kept.
    pub(super) fn write_subscribers(&self, counts: &[SubscriberCount]) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO subscriber_count (output, day, clients, reported) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET clients = max(clients, excluded.clients), reported = max(reported, excluded.reported)",
        )?;
        for count in counts {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let (clients, reported) = (number(count.clients), number(count.reported));
            statement.execute(params![count.output, count.day, clients, reported])?;
        }
        if let Some(last) = counts.iter().map(|count| count.day).max() {
            self.connection
                .prepare_cached("DELETE FROM subscriber_count WHERE day <= ?1")?
                .execute([last - KEPT])?;
        }
        Ok(())
    }

    /// The numbers of subscribers from this day on, by output and day.
    pub fn subscriber_counts(&self, from: i64) -> Result<Vec<SubscriberCount>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT output, day, clients, reported FROM subscriber_count WHERE day >= ?1 ORDER BY output, day",
        )?;
        let mut rows = statement.query([from])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            counts.push(SubscriberCount {
                output: row.get(0)?,
                day: row.get(1)?,
                clients: row.get::<_, i64>(2)?.unsigned_abs(),
                reported: row.get::<_, i64>(3)?.unsigned_abs(),
            });
        }
        Ok(counts)
    }
}
