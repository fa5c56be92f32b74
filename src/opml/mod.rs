//! Lists of feeds: reads and writes OPML; reads the urls file of newsboat and the ini file of Planet.
//!
//! ```text
//! outline    OPML 1 and 2
//! newsboat   the urls file of newsboat
//! planet     the ini file of Planet, Venus and Pluto
//! feed_list  the result of all three: feeds, skipped entries, ignored settings
//! text       decoding, references, single lines
//! write      OPML 2.0
//! ```
//!
//! Pure: bytes in, values out. Size, number and depth are bounded.

mod error;
mod feed_list;
mod newsboat;
mod outline;
mod planet;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use self::error::Error;
pub use self::feed_list::{
    FeedList, ListedFeed, MAX_BYTES, MAX_DEPTH, MAX_OUTLINES, SkippedEntry, without_feed_scheme,
};
pub use self::write::{OpmlHead, write};

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
    let text = text::decode(bytes)?;
    let significant = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    match text.lines().map(str::trim).find(significant) {
        None => Err(Error::Empty),
        Some(line) if line.starts_with('<') => outline::read(&text),
        Some(line) if line.starts_with('[') => planet::read(&text),
        Some(_) => newsboat::read(&text),
    }
}
