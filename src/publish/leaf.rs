//! Where a document stands in the history of its output, RFC 5005 4: pure.
//!
//! The subscription document is what readers poll; behind it lie the pages of the archive, each
//! full, each for ever. Page 1 is the oldest.

use super::output::{Format, Output};

/// One document of an output in one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// The subscription document.
    Current {
        /// The newest page of the archive; `None`: there is none yet.
        archive: Option<u32>,
    },
    /// A page of the archive.
    Archived {
        /// Its number.
        number: u32,
        /// The number of the newest one.
        newest: u32,
        /// The number of the oldest one that still has a story.
        oldest: u32,
    },
}

impl Leaf {
    /// A subscription document without an archive.
    pub const ALONE: Self = Self::Current { archive: None };

    /// Whether it belongs to the archive.
    #[must_use]
    pub fn is_archived(self) -> bool {
        matches!(self, Self::Archived { .. })
    }

    /// Its own address.
    #[must_use]
    pub fn self_url(self, output: &Output, format: Format) -> String {
        match self {
            Self::Current { .. } => output.self_url(format),
            Self::Archived { number, .. } => output.archive_url(number, format),
        }
    }

    /// The page before it in time.
    #[must_use]
    pub fn older(self) -> Option<u32> {
        match self {
            Self::Current { archive } => archive,
            Self::Archived { number, oldest, .. } => {
                number.checked_sub(1).filter(|older| *older >= oldest.max(1))
            }
        }
    }

    /// The links that lead through the history: relation and address.
    #[must_use]
    pub fn links(self, output: &Output, format: Format) -> Vec<(&'static str, String)> {
        let mut links = Vec::new();
        if self.is_archived() {
            links.push(("current", output.with_token(output.self_url(format))));
        }
        if let Some(older) = self.older() {
            links.push(("prev-archive", output.with_token(output.archive_url(older, format))));
        }
        if let Self::Archived { number, newest, .. } = self
            && number < newest
        {
            let newer = output.archive_url(number + 1, format);
            links.push(("next-archive", output.with_token(newer)));
        }
        links
    }
}
