//! One document of an output and its place in the output's history, RFC 5005 4.
//!
//! The subscription document is what subscribers poll. The archive pages hold what it no longer
//! shows: each is complete and keeps its items for ever. Page 1 is the oldest.

use std::time::Duration;

use crate::model::OutputItem;

use super::check::{self, CheckError};
use super::output::{Format, Output};
use super::shown::{self, ShownItem};
use super::{atom, json, rss};

/// The shortest freshness lifetime: less than any interval that a polite client polls at.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// The longest freshness lifetime. Some clients never poll sooner than this, so a quiet output must
/// not be fresh for a day.
const LONGEST: Duration = Duration::from_secs(3 * 60 * 60);
/// Seconds within which items count as one change.
const AT_ONCE: i64 = 60;
/// Number of changes that the freshness lifetime is computed from.
const CHANGES: usize = 32;

/// Which document of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The document that feed readers subscribe to.
    Subscription {
        /// Number of the newest archive page; `None`: there is none yet.
        archive: Option<u32>,
    },
    /// A document with older items, RFC 5005 4.
    Archive {
        /// Number of the page, from 1.
        number: u32,
        /// Number of the newest archive page.
        newest: u32,
        /// Number of the oldest archive page that still has an item.
        oldest: u32,
    },
}

impl Page {
    /// The subscription document of an output without archive pages.
    pub const ALONE: Self = Self::Subscription { archive: None };

    /// Whether it is an archive page.
    #[must_use]
    pub fn is_archive(self) -> bool {
        matches!(self, Self::Archive { .. })
    }

    /// The absolute URL of this document in a format.
    #[must_use]
    pub fn self_url(self, output: &Output, format: Format) -> String {
        match self {
            Self::Subscription { .. } => output.self_url(format),
            Self::Archive { number, .. } => output.archive_url(number, format),
        }
    }

    /// Number of the archive page before it in time.
    #[must_use]
    pub fn older(self) -> Option<u32> {
        match self {
            Self::Subscription { archive } => archive,
            Self::Archive { number, oldest, .. } => {
                number.checked_sub(1).filter(|older| *older >= oldest.max(1))
            }
        }
    }

    /// The links through the history: relation and address.
    #[must_use]
    pub fn links(self, output: &Output, format: Format) -> Vec<(&'static str, String)> {
        let mut links = Vec::new();
        if self.is_archive() {
            links.push(("current", output.with_token(output.self_url(format))));
        }
        if let Some(older) = self.older() {
            links.push(("prev-archive", output.with_token(output.archive_url(older, format))));
        }
        if let Self::Archive { number, newest, .. } = self
            && number < newest
        {
            let newer = output.archive_url(number + 1, format);
            links.push(("next-archive", output.with_token(newer)));
        }
        links
    }
}

/// Renders `entries`, in their order, as the subscription document of an output without archive.
///
/// Nothing in it depends on the time or the machine: the same entries give the same bytes.
#[must_use]
pub fn render(output: &Output, format: Format, entries: &[OutputItem]) -> Vec<u8> {
    render_page(output, format, Page::ALONE, entries)
}

/// Renders `entries`, in their order, as this document of `output`.
#[must_use]
pub fn render_page(output: &Output, format: Format, page: Page, entries: &[OutputItem]) -> Vec<u8> {
    write(output, format, page, &show(output, entries), max_age(entries))
}

/// A document in one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Format of the document.
    pub format: Format,
    /// The document, not compressed.
    pub bytes: Vec<u8>,
}

/// A document that did not pass the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Format of the rejected document.
    pub format: Format,
    /// What is wrong with it.
    pub error: CheckError,
}

/// Renders `entries` as this document of `output` in each of `formats`, and reads it back.
///
/// # Errors
/// When a document does not pass the check, see [`check::check`].
pub fn render_checked(
    output: &Output,
    formats: &[Format],
    page: Page,
    entries: &[OutputItem],
) -> Result<Vec<Rendered>, Rejected> {
    let (shown, fresh_for) = (show(output, entries), max_age(entries));
    let document = |&format: &Format| {
        let bytes = write(output, format, page, &shown, fresh_for);
        check::compare(format, &bytes, &shown).map_err(|error| Rejected { format, error })?;
        Ok(Rendered { format, bytes })
    };
    formats.iter().map(document).collect()
}

fn show<'a>(output: &'a Output, entries: &'a [OutputItem]) -> Vec<ShownItem<'a>> {
    entries.iter().map(|entry| ShownItem::new(entry, &output.presentation)).collect()
}

fn write(
    output: &Output,
    format: Format,
    page: Page,
    shown: &[ShownItem<'_>],
    fresh_for: Duration,
) -> Vec<u8> {
    let updated = shown::updated(shown, output.identity.since);
    match format {
        Format::Atom => atom::render(output, page, shown, updated),
        Format::Rss => rss::render(output, page, shown, (updated, fresh_for)),
        Format::Json => json::render(output, page, shown),
    }
}

/// The freshness lifetime of a document with these entries: the median time between two arrivals, from
/// five minutes to three hours. The first items of a new output arrive together, whatever their dates
/// are, so that its first documents have the shortest lifetime.
#[must_use]
pub fn max_age(entries: &[OutputItem]) -> Duration {
    let mut times: Vec<i64> = entries.iter().map(|entry| entry.first_seen.as_second()).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let mut last = times.first().copied().unwrap_or_default();
    let mut gaps = Vec::new();
    for at in times {
        if last - at > AT_ONCE && gaps.len() < CHANGES {
            gaps.push(last - at);
            last = at;
        }
    }
    gaps.sort_unstable();
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
    Duration::from_secs(median.max(0).unsigned_abs()).clamp(SHORTEST, LONGEST)
}
