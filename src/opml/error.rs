//! Why a list of feeds cannot be read. Leaves single entries that are not taken to `entry`.

/// Why nothing of a list can be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than [`super::MAX_BYTES`].
    #[error("it is larger than 10 MiB, which no list of feeds is: export the subscriptions alone")]
    TooLarge,
    /// More than [`super::MAX_OUTLINES`].
    #[error("line {0}: it has more than 20,000 feeds and folders: make several lists of it")]
    TooMany(usize),
    /// Bytes that are no text.
    #[error("it is not UTF-8 (byte {0}) and does not say what else it is: save it as UTF-8")]
    Encoding(usize),
    /// There is nothing in it.
    #[error("it is empty: export or fetch it once more")]
    Empty,
    /// Some other document.
    #[error(
        "{0}: a list is OPML, a urls file as newsboat has it, or the ini file of Venus or Planet"
    )]
    Unknown(String),
    /// Markup that ends in the middle, or has no end.
    #[error("line {line}: {message}: fetch or export it once more, nothing of it was taken")]
    Broken {
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

crate::model::codes! {
    Error:
    Self::TooLarge => "list_too_large",
    Self::TooMany(_) => "list_too_long",
    Self::Encoding(_) => "list_encoding",
    Self::Empty => "list_empty",
    Self::Unknown(_) => "not_a_list",
    Self::Broken { .. } => "list_broken",
}
