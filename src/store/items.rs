//! The rows of single items: new ones, changed ones, other guids of kept ones. Leaves the order of
//! things to `record`, and the stories to `matching`.

use rusqlite::{Connection, params};

use super::error::Error;
use super::rows::{millis, standing_number};
use super::update::{ChangedItem, EditAction, GuidChange, NewItem, PollUpdate, TextIndex};
use crate::model::{HoldReason, Item, ItemKey};

/// The row that the next new item gets: there is one writer, so counting on is safe.
pub(crate) fn next_key(connection: &Connection) -> Result<ItemKey, Error> {
    let mut last = connection.prepare_cached("SELECT ifnull(max(id), 0) FROM item")?;
    Ok(ItemKey(last.query_row([], |row| row.get::<_, i64>(0))? + 1))
}

/// Inserts one new item with its identity and body, alone in its story; tells whether it was new.
pub(crate) fn insert_item(
    connection: &Connection,
    update: &PollUpdate,
    new: &NewItem,
    key: ItemKey,
) -> Result<bool, Error> {
    let known = connection
        .prepare_cached("SELECT 1 FROM identity WHERE feed_id = ?1 AND digest = ?2")?
        .exists(params![update.feed.0, new.identity])?;
    if known {
        return Ok(false);
    }
    let (outward_id, wanted_id) = free_id(connection, new)?;
    let item = &new.item;
    let published = item.published.map(millis);
    let seen = millis(new.first_seen);
    connection
        .prepare_cached(
            "INSERT INTO item (id, feed_id, story_id, outward_id, content_digest, url_key, first_seen_at, sort_at,
                               published_at, updated_at, guid, url, title, language, wanted_id, standing,
                               text_key, hidden)
             VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            key.0,
            update.feed.0,
            outward_id,
            new.content_digest,
            new.url_key,
            seen,
            published.map_or(seen, |at| at.min(seen)),
            published,
            item.updated.map(millis),
            item.guid,
            item.url,
            item.title,
            item.language,
            wanted_id,
            standing_number(new.standing),
            new.text.exact,
            new.held.map_or("pending", HoldReason::slug),
        ])?;
    connection
        .prepare_cached("INSERT INTO identity (feed_id, digest, item_id) VALUES (?1, ?2, ?3)")?
        .execute(params![update.feed.0, new.identity, key.0])?;
    write_body(connection, key, item)?;
    write_fingerprint(connection, update, key, &new.text)?;
    Ok(true)
}

/// The publisher's id unless an item has it already: one id, one item, whoever claims it later.
/// Then also what it would have been.
fn free_id<'a>(
    connection: &Connection,
    new: &'a NewItem,
) -> Result<(&'a str, Option<&'a str>), Error> {
    let taken = connection
        .prepare_cached("SELECT 1 FROM item WHERE outward_id = ?1")?
        .exists([&new.outward_id])?;
    let wanted = (new.outward_id != new.own_id).then_some(new.outward_id.as_str());
    Ok(if taken { (&new.own_id, wanted) } else { (&new.outward_id, None) })
}

/// Keeps what is compared of it, as long as it is in the window.
fn write_fingerprint(
    connection: &Connection,
    update: &PollUpdate,
    key: ItemKey,
    text: &TextIndex,
) -> Result<(), Error> {
    if let Some(fingerprint) = &text.fingerprint {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO fingerprint (item_id, feed_id, at, data) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![key.0, update.feed.0, millis(update.at), fingerprint])?;
    }
    Ok(())
}

/// Remembers another guid of an item.
pub(crate) fn rename_item(
    connection: &Connection,
    update: &PollUpdate,
    renamed: &GuidChange,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO identity (feed_id, digest, item_id, way, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            update.feed.0,
            renamed.identity,
            renamed.key.0,
            renamed.way.slug(),
            millis(update.at)
        ])?;
    Ok(())
}

/// Replaces what an item says; its id, story, place and first dates stay. Tells whether it did.
pub(crate) fn update_item(
    connection: &Connection,
    update: &PollUpdate,
    changed: &ChangedItem,
) -> Result<bool, Error> {
    let (item, now) = (&changed.item, millis(update.at));
    if changed.change == EditAction::Ignore {
        connection
            .prepare_cached("UPDATE item SET content_digest = ?2 WHERE id = ?1")?
            .execute(params![changed.key.0, changed.content_digest])?;
        return Ok(false);
    }
    let bump = changed.change == EditAction::Bump;
    connection
        .prepare_cached(
            // An updated date never goes back, or feed readers would take an old edit for a new one.
            "UPDATE item SET content_digest = ?2, url_key = ?3, url = ?4, title = ?5, language = ?6,
                    updated_at = nullif(max(ifnull(?7, 0), ifnull(updated_at, 0), iif(?8, ?9, 0)), 0),
                    bumped_at = iif(?8, ?9, bumped_at), bumps = bumps + ?8,
                    text_key = ?10, changes = changes + 1
             WHERE id = ?1",
        )?
        .execute(params![
            changed.key.0,
            changed.content_digest,
            changed.url_key,
            item.url,
            item.title,
            item.language,
            item.updated.map(millis),
            bump,
            now,
            changed.text.exact,
        ])?;
    write_body(connection, changed.key, item)?;
    write_fingerprint(connection, update, changed.key, &changed.text)?;
    Ok(true)
}

/// Writes the bulk of an item.
fn write_body(connection: &Connection, key: ItemKey, item: &Item) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO body (item_id, summary, content, details) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            key.0,
            item.summary,
            item.content,
            serde_json::to_string(&item.details)?
        ])?;
    Ok(())
}
