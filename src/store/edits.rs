//! What is kept of items that a document has in another form, and the publication of an item of the history that its
//! publisher brought up again.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::params;

use super::error::Error;
use super::poll_update::{ChangedItem, PollUpdate, Redated};
use super::transaction::Transaction;
use super::values::{json_list, maybe, millis};
use crate::model::{Details, Item, ItemKey};

/// Title and date of a stored item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Title, plain text; `None` where the publisher gave none.
    pub title: Option<String>,
    /// Time of publication; `None`: the publisher gave no credible one.
    pub published: Option<Timestamp>,
}

impl Transaction<'_> {
    /// Titles and dates of the items with these keys, also of those whose text was deleted.
    pub fn headings(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Heading>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.title, item.published_at
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut headings = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            let heading = Heading { title: row.get(1)?, published: maybe(row.get(2)?)? };
            headings.insert(ItemKey(row.get(0)?), heading);
        }
        Ok(headings)
    }

    /// The items with these keys as they are kept. Those whose text was deleted are left out.
    pub fn kept_items(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Item>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.published_at, item.guid, item.url, item.title, body.summary, body.content, body.details,
                    item.updated_at
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value
             JOIN body ON body.item_id = item.id",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut kept = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            // What cannot be read differs from everything, and is replaced.
            let details: Details =
                serde_json::from_str(&row.get::<_, String>(7)?).unwrap_or_default();
            let item = Item {
                published: maybe(row.get(1)?)?,
                updated: maybe(row.get(8)?)?,
                guid: row.get(2)?,
                url: row.get(3)?,
                title: row.get(4)?,
                summary: row.get(5)?,
                content: row.get(6)?,
                details,
                ..Item::default()
            };
            kept.insert(ItemKey(row.get(0)?), item);
        }
        Ok(kept)
    }

    /// Writes the last date that the publisher gave an item. The date that is published stays.
    pub(super) fn redate(&self, redated: Redated) -> Result<(), Error> {
        self.connection
            .prepare_cached("UPDATE item SET dated_at = ?2 WHERE id = ?1")?
            .execute(params![redated.key.0, millis(redated.date)])?;
        Ok(())
    }

    /// Releases an item that is held as history. It was in no output yet, so it gets the date of its change.
    pub(super) fn release_changed(
        &self,
        update: &PollUpdate,
        changed: &ChangedItem,
    ) -> Result<(), Error> {
        let now = millis(update.at);
        let published = changed.item.published.map_or(now, millis);
        self.connection
            .prepare_cached(
                "UPDATE item SET hidden = 'pending', published_at = ?2, sort_at = min(?2, ?3)
                 WHERE id = ?1 AND hidden = 'history'",
            )?
            .execute(params![changed.key.0, published, now])?;
        Ok(())
    }
}
