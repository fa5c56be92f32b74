//! Why a list of feeds cannot be read as a whole. Single skipped entries are in `feed_list`.

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The document is larger than [`super::MAX_BYTES`].
    #[error("the list is larger than 10 MiB")]
    TooLarge,
    /// More entries than [`super::MAX_OUTLINES`]; the line of the first one beyond.
    #[error("line {0}: the list has more than 20,000 feeds and folders")]
    TooMany(usize),
    /// No UTF-8, and no other encoding is declared; the offset of the first wrong byte.
    #[error("the list is not UTF-8 (byte {0}) and declares no other encoding")]
    Encoding(usize),
    /// Only white space and comments.
    #[error("the list is empty")]
    Empty,
    /// None of the three formats; what was found instead.
    #[error("{0}")]
    UnknownFormat(String),
    /// The markup is incomplete or not well-formed.
    #[error("line {line}: {message}")]
    Malformed {
        /// Line number from 1.
        line: usize,
        /// What is wrong with the markup.
        message: String,
    },
}

crate::model::codes! {
    Error:
    Self::TooLarge => "list_too_large": "export only the subscriptions, as OPML",
    Self::TooMany(_) => "list_too_many_entries": "divide it into several lists",
    Self::Encoding(_) => "list_not_utf8": "save it as UTF-8",
    Self::Empty => "list_empty": "export or download it again",
    Self::UnknownFormat(_) => "not_a_feed_list": "a list is OPML, the urls file of newsboat, or the ini file of Planet or Venus",
    Self::Malformed { .. } => "list_malformed": "export or download it again; nothing was imported",
}
