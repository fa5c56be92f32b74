//! The verbs about what an output showed, and under which ids. Leaves deciding to `outputs`.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Error;
use super::rows::json_list;
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

/// Every statement once, for the test that none scans a table that grows.
#[cfg(test)]
pub(crate) fn every_verb(connection: &Connection) {
    let (key, id) = (ItemKey(1), "urn:x:1".to_owned());
    lend(connection, "planet", &[(key, id.clone())]).unwrap();
    assert_eq!(lent(connection, "planet", &[key]).unwrap()[&key], id);
    assert_eq!(borrowers(connection, "planet", &[&id]).unwrap()[&id], key);
    write_edition(connection, "planet", "[]").unwrap();
    assert_eq!(edition(connection, "planet").unwrap().as_deref(), Some("[]"));
}
