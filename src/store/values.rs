//! Conversions between values and columns.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Row;

use super::error::Error;
use crate::model::{Digest, ItemKey, Match, Outcome, PageOwner, ReasonKind, Rule};

/// The time as it is stored: milliseconds since 1970.
pub(crate) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The time of a column in milliseconds since 1970.
pub(crate) fn timestamp(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(millis).map_err(|error| Error::Corrupt(error.to_string()))
}

/// The time of a column that may be NULL.
pub(crate) fn maybe(millis: Option<i64>) -> Result<Option<Timestamp>, Error> {
    millis.map(timestamp).transpose()
}

/// The digest of a column.
pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, Error> {
    Digest::try_from(bytes)
        .map_err(|_| Error::Corrupt(format!("a digest of {} bytes", bytes.len())))
}

/// A list of keys for `json_each`: one prepared statement for lists of any length.
pub(crate) fn json_list(keys: impl IntoIterator<Item = i64>) -> String {
    let mut list = String::from("[");
    for key in keys {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&key.to_string());
    }
    list.push(']');
    list
}

/// A list of digests for `json_each`, in hexadecimal.
pub(crate) fn json_digests<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> String {
    use std::fmt::Write as _;
    let mut list = String::from("[");
    for digest in digests {
        list.push_str(if list.len() > 1 { ",\"" } else { "\"" });
        for byte in digest {
            // Writing to a string cannot fail.
            let _ = write!(list, "{byte:02x}");
        }
        list.push('"');
    }
    list.push(']');
    list
}

/// The column of a page owner.
pub(crate) fn page_owner_number(page_owner: PageOwner) -> i64 {
    match page_owner {
        PageOwner::OtherSite => 0,
        PageOwner::FeedSite => 1,
        PageOwner::ClaimedSite => 2,
    }
}

/// The page owner of a column.
pub(crate) fn page_owner(number: i64) -> PageOwner {
    match number {
        1 => PageOwner::FeedSite,
        2 => PageOwner::ClaimedSite,
        _ => PageOwner::OtherSite,
    }
}

/// The outcome of a slug.
pub(crate) fn outcome(slug: &str) -> Result<Outcome, Error> {
    Outcome::from_slug(slug).ok_or_else(|| Error::Corrupt(format!("the outcome {slug:?}")))
}

/// The outcome of a slug that may be NULL.
pub(crate) fn maybe_outcome(slug: Option<String>) -> Result<Option<Outcome>, Error> {
    slug.as_deref().map(outcome).transpose()
}

/// The reason of a slug.
pub(crate) fn reason(slug: &str) -> Result<ReasonKind, Error> {
    ReasonKind::from_slug(slug).ok_or_else(|| Error::Corrupt(format!("the reason {slug:?}")))
}

/// Digests of paragraphs, 8 bytes each.
pub(crate) fn digests_to_bytes(digests: &[u64]) -> Vec<u8> {
    digests.iter().flat_map(|digest| digest.to_le_bytes()).collect()
}

/// Digests of paragraphs from a column.
pub(crate) fn digests_from_bytes(bytes: &[u8]) -> HashSet<u64> {
    let digest = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).map(u64::from_le_bytes).ok();
    bytes.chunks_exact(8).filter_map(digest).collect()
}

/// A match from its columns: item, other, same, rule, score, threshold.
pub(crate) fn item_match(row: &Row<'_>) -> Result<Match, Error> {
    let rule: String = row.get(3)?;
    let rule =
        Rule::from_slug(&rule).ok_or_else(|| Error::Corrupt(format!("the rule {rule:?}")))?;
    Ok(Match {
        item: ItemKey(row.get(0)?),
        other: ItemKey(row.get(1)?),
        rule,
        same: row.get(2)?,
        score: row.get::<_, f64>(4)? as f32,
        threshold: row.get::<_, f64>(5)? as f32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_json() {
        assert_eq!(json_list([]), "[]");
        assert_eq!(json_list([1, -2]), "[1,-2]");
        assert_eq!(json_digests([&[0xab; 16]]), format!("[\"{}\"]", "ab".repeat(16)));
    }
}
