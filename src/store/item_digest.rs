//! The digest of what is published of an item. It is verified when the item is published: SQLite does not notice
//! a bit that flips in a text.

use rusqlite::{CachedStatement, Row};

use super::error::Error;
use super::transaction::Transaction;
use crate::model::Item;
use crate::text::sha256::Sha256;

/// What the digest of an item is made of. All of it is published.
#[derive(Debug, Default)]
pub(super) struct SealedItem<'a> {
    pub(super) feed: i64,
    pub(super) outward_id: &'a str,
    pub(super) first_seen: i64,
    pub(super) sort_at: i64,
    pub(super) published: Option<i64>,
    pub(super) updated: Option<i64>,
    pub(super) guid: Option<&'a str>,
    pub(super) url: Option<&'a str>,
    pub(super) title: Option<&'a str>,
    pub(super) language: Option<&'a str>,
    pub(super) summary: Option<&'a str>,
    pub(super) content: Option<&'a str>,
    /// The remaining fields of the item, as the JSON that is stored.
    pub(super) details: &'a str,
}

/// Columns for [`SealedItem::of_row`], and after them the digest.
const COLUMNS: &str =
    "item.id, item.story_id, item.feed_id, item.outward_id, item.first_seen_at, item.sort_at,
    item.published_at, item.updated_at, item.guid, item.url, item.title, item.language,
    body.summary, body.content, body.details, body.digest";

/// A column that holds text or NULL, without a copy.
pub(super) fn text_column<'r>(row: &'r Row<'_>, at: usize) -> Result<Option<&'r str>, Error> {
    let text = row.get_ref(at)?.as_str_or_null();
    text.map_err(|error| Error::Corrupt(format!("column {at} of an item: {error}")))
}

impl<'a> SealedItem<'a> {
    /// The part that an edit replaces.
    pub(super) fn of_text(item: &'a Item, details: &'a str) -> Self {
        Self {
            url: item.url.as_deref(),
            title: item.title.as_deref(),
            language: item.language.as_deref(),
            summary: item.summary.as_deref(),
            content: item.content.as_deref(),
            details,
            ..Self::default()
        }
    }

    /// The columns `feed_id, outward_id, first_seen_at, sort_at, published_at, updated_at, guid, url, title, language,
    /// summary, content, details` from column 2 on.
    pub(super) fn of_row(row: &'a Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            feed: row.get(2)?,
            outward_id: text_column(row, 3)?.unwrap_or_default(),
            first_seen: row.get(4)?,
            sort_at: row.get(5)?,
            published: row.get(6)?,
            updated: row.get(7)?,
            guid: text_column(row, 8)?,
            url: text_column(row, 9)?,
            title: text_column(row, 10)?,
            language: text_column(row, 11)?,
            summary: text_column(row, 12)?,
            content: text_column(row, 13)?,
            details: text_column(row, 14)?.unwrap_or_default(),
        })
    }

    /// The digest: the first 16 bytes of a SHA-256.
    pub(super) fn digest(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        let dates = [Some(self.first_seen), Some(self.sort_at), self.published, self.updated];
        for number in dates.into_iter().chain([Some(self.feed)]) {
            hash.update([u8::from(number.is_some())]);
            hash.update(number.unwrap_or_default().to_le_bytes());
        }
        let texts = [self.guid, self.url, self.title, self.language, self.summary, self.content];
        for text in [Some(self.outward_id), Some(self.details)].into_iter().chain(texts) {
            // The length separates a text from the next one, and a missing text from an empty one.
            hash.update(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            hash.update(text.unwrap_or_default());
        }
        hash.finish_short()
    }
}

impl Transaction<'_> {
    /// Keys of the items with a text that differs from what was written; the first `limit`. The second number is
    /// that of all items with a text.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(super) fn altered_items(&self, limit: usize) -> Result<(Vec<i64>, usize), Error> {
        let sql = format!("SELECT {COLUMNS} FROM body JOIN item ON item.id = body.item_id");
        let mut statement: CachedStatement<'_> = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let (mut altered, mut all) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            all += 1;
            let intact = SealedItem::of_row(row).is_ok_and(|sealed| {
                row.get_ref(15).is_ok_and(|digest| digest.as_blob() == Ok(&sealed.digest()))
            });
            if !intact && altered.len() < limit {
                altered.push(row.get(0)?);
            }
        }
        Ok((altered, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_an_item_changes_its_digest() {
        let item = || SealedItem { outward_id: "a", details: "{}", ..SealedItem::default() };
        let variants = [
            item(),
            SealedItem { outward_id: "b", ..item() },
            SealedItem { first_seen: 1, ..item() },
            SealedItem { sort_at: 1, ..item() },
            SealedItem { published: Some(0), ..item() },
            SealedItem { guid: Some("x"), ..item() },
            SealedItem { url: Some("x"), ..item() },
            SealedItem { title: Some("x"), ..item() },
            SealedItem { language: Some("x"), ..item() },
            SealedItem { summary: Some("x"), ..item() },
            SealedItem { content: Some("x"), ..item() },
            SealedItem { content: Some(""), ..item() },
            SealedItem { details: "{\"a\":1}", ..item() },
        ];
        let digests: std::collections::HashSet<[u8; 16]> =
            variants.iter().map(SealedItem::digest).collect();
        assert_eq!(digests.len(), variants.len());
    }
}
