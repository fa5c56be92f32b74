//! Lists of feeds: reads and writes OPML; reads the urls file of newsboat and the ini file of Planet.
//!
//! ```text
//! outline    OPML: reads versions 1 and 2, writes 2.0
//! text_lists the urls file of newsboat, and the ini file of Planet, Venus and Pluto
//! feed_list  what all three share: decoding, the result with skipped entries and ignored settings, the error
//! ```
//!
//! Pure: bytes in, values out. Size, number and depth are bounded.

mod feed_list;
mod outline;
#[cfg(test)]
mod tests;
mod text_lists;

pub use self::feed_list::{
    Error, FeedList, ListedFeed, MAX_BYTES, MAX_DEPTH, MAX_OUTLINES, SkippedEntry,
    begins_with_scheme, without_feed_scheme,
};
pub use self::outline::{OpmlHead, write};

use crate::text::file_kind;

/// Reads a list of feeds in any of the three formats.
///
/// # Errors
/// When the format is not recognised, the document is incomplete, or a limit is exceeded. A list is read
/// completely or not at all.
pub fn read(bytes: &[u8]) -> Result<FeedList, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    if let Some(kind) = file_kind::binary(bytes) {
        return Err(Error::UnknownFormat(format!("the file is {kind}")));
    }
    let text = feed_list::decode(bytes)?;
    let significant = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    match text.lines().map(str::trim).find(significant) {
        None => Err(Error::Empty),
        Some(line) if line.starts_with('<') => outline::read(&text),
        Some(line) if line.starts_with('[') => text_lists::read_planet(&text),
        Some(_) => text_lists::read_newsboat(&text),
    }
}

/// Reads a list that is followed. One without feeds is an error: it is more often damaged than meant.
///
/// # Errors
/// As [`read`], and when the list has no feeds.
pub fn read_followed(bytes: &[u8]) -> Result<FeedList, Error> {
    let list = read(bytes)?;
    if list.feeds.is_empty() { Err(Error::WithoutFeeds) } else { Ok(list) }
}
