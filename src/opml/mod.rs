//! Lists of feeds: OPML read and written; newsboat's urls file and planets' ini read.
//!
//! ```text
//! outline   OPML 1 and 2
//! lines     newsboat's urls file
//! sections  the ini of Venus, Planet and Pluto
//! entry     what comes of all three: feeds, and what was left out and why
//! text      bytes to text, and what may stand in one line
//! write     OPML 2.0
//! ```
//!
//! Pure and bounded: values in, values out. Leaves where lists come from and what becomes of them to
//! those who ask.

mod entry;
mod error;
mod lines;
mod outline;
mod sections;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use self::entry::{Entry, LeftOut, List, MAX_BYTES, MAX_DEPTH, MAX_OUTLINES};
pub use self::error::Error;
pub use self::write::{Head, write};

/// Reads a list of feeds in whichever of the three forms it is.
///
/// # Errors
/// When it is in none of them, is cut short, or is larger than a list of feeds can be. Then nothing
/// of it is taken.
pub fn read(bytes: &[u8]) -> Result<List, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    let text = text::decode(bytes)?;
    let significant = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    match text.lines().map(str::trim).find(significant) {
        None => Err(Error::Empty),
        Some(line) if line.starts_with('<') => outline::read(&text),
        Some(line) if line.starts_with('[') => sections::read(&text),
        Some(_) => lines::read(&text),
    }
}
