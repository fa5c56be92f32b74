//! Which items outputs may show, with what changes when such an item changes: found without reading a text.

use super::error::Error;
use super::item_order::{ItemHead, head};
use super::transaction::Transaction;
use crate::model::FeedKey;

/// An item, and what changes whenever the item as it is shown changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMark {
    /// Key, story, feed and position of the item.
    pub head: ItemHead,
    /// Content digest, number of changes and time of the last one: to be compared only.
    pub mark: Vec<u8>,
}

impl Transaction<'_> {
    /// Every item that outputs may show, in the order of the keys, with the facts that change with what is shown of it.
    pub fn shown_items(&self) -> Result<Vec<ShownMark>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, story_id, sort_at, feed_id, content_digest, changes, updated_at FROM item
             WHERE hidden IS NULL AND EXISTS (SELECT 1 FROM body WHERE item_id = item.id) ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let digest = row.get_ref(4)?.as_blob().unwrap_or_default();
            let (changes, updated): (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
            let mut mark = digest.to_vec();
            mark.extend(changes.to_le_bytes());
            mark.extend(updated.unwrap_or_default().to_le_bytes());
            items.push(ShownMark { head: head(row, FeedKey(row.get(3)?))?, mark });
        }
        Ok(items)
    }
}
