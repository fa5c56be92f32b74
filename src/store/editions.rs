//! The verbs about what an output showed, and under which ids. Leaves deciding to `outputs`.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Error;
use super::rows::{json_list, millis};
use crate::model::ItemKey;

/// Those of these items that the output shows under an id that is not their own.
pub(crate) fn lent(
    connection: &Connection,
    output: &str,
    keys: &[ItemKey],
) -> Result<HashMap<ItemKey, String>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT lent.item_id, lent.id FROM json_each(?2) wanted
         JOIN lent ON lent.output = ?1 AND lent.item_id = wanted.value",
    )?;
    let keys = json_list(keys.iter().map(|key| key.0));
    let rows = statement
        .query_map(params![output, keys], |row| Ok((ItemKey(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those of these ids that the output shows an item under whose own they are not, with that item.
pub(crate) fn borrowers(
    connection: &Connection,
    output: &str,
    ids: &[&str],
) -> Result<HashMap<String, ItemKey>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT lent.id, lent.item_id FROM json_each(?2) wanted
         JOIN lent ON lent.output = ?1 AND lent.id = wanted.value",
    )?;
    let ids = serde_json::to_string(ids)?;
    let rows =
        statement.query_map(params![output, ids], |row| Ok((row.get(0)?, ItemKey(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Remembers for good under which ids the output shows these items.
pub(crate) fn lend(
    connection: &Connection,
    output: &str,
    lent: &[(ItemKey, String)],
) -> Result<(), Error> {
    let mut statement = connection
        .prepare_cached("INSERT OR IGNORE INTO lent (output, item_id, id) VALUES (?1, ?2, ?3)")?;
    for (key, id) in lent {
        statement.execute(params![output, key.0, id])?;
    }
    Ok(())
}

/// What the output showed last, as it was written.
pub(crate) fn edition(connection: &Connection, output: &str) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare_cached("SELECT shown FROM edition WHERE output = ?1")?;
    Ok(statement.query_row([output], |row| row.get(0)).optional()?)
}

/// Remembers what the output shows.
pub(crate) fn write_edition(
    connection: &Connection,
    output: &str,
    shown: &str,
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO edition (output, shown) VALUES (?1, ?2)")?
        .execute(params![output, shown])?;
    Ok(())
}

/// Remembers what the output's files depend on, after they were written.
pub(crate) fn write_basis(
    connection: &Connection,
    output: &str,
    basis: &[u8; 32],
    until: Option<Timestamp>,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO edition (output, shown, basis, until) VALUES (?1, '[]', ?2, ?3)
             ON CONFLICT (output) DO UPDATE SET basis = ?2, until = ?3",
        )?
        .execute(params![output, basis.as_slice(), until.map(millis)])?;
    Ok(())
}

/// Whether the output's files were written on this basis, and no item has left it by age since.
pub(crate) fn has_basis(
    connection: &Connection,
    output: &str,
    basis: &[u8; 32],
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM edition WHERE output = ?1 AND basis = ?2 AND ifnull(until > ?3, 1)",
        )?
        .exists(params![output, basis.as_slice(), millis(now)])?)
}

/// The SHA-256 of the document that was published last in this format.
pub(crate) fn document_hash(
    connection: &Connection,
    output: &str,
    format: &str,
) -> Result<Option<[u8; 32]>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT hash FROM document WHERE output = ?1 AND format = ?2")?;
    Ok(statement.query_row([output, format], |row| row.get(0)).optional()?)
}

/// A number that ascends with every write that may change what an output shows.
pub(crate) fn revision(connection: &Connection) -> Result<i64, Error> {
    let mut statement = connection.prepare_cached("SELECT number FROM revision WHERE id = 1")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Counts a write that may change what an output shows.
pub(crate) fn revise(connection: &Connection) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE revision SET number = number + 1 WHERE id = 1")?
        .execute([])?;
    Ok(())
}

/// Every statement once, for the test that none scans a table that grows.
#[cfg(test)]
pub(crate) fn every_verb(connection: &Connection) {
    let (key, id) = (ItemKey(1), "urn:x:1".to_owned());
    lend(connection, "planet", &[(key, id.clone())]).unwrap();
    assert_eq!(lent(connection, "planet", &[key]).unwrap()[&key], id);
    assert_eq!(borrowers(connection, "planet", &[&id]).unwrap()[&id], key);
    write_edition(connection, "planet", "[]").unwrap();
    assert_eq!(edition(connection, "planet").unwrap().as_deref(), Some("[]"));
    write_basis(connection, "planet", &[1; 32], None).unwrap();
    assert!(has_basis(connection, "planet", &[1; 32], Timestamp::MAX).unwrap());
    assert_eq!(document_hash(connection, "planet", "atom").unwrap(), None);
    revise(connection).unwrap();
    assert_eq!(revision(connection).unwrap(), 1);
}
