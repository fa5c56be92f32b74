//! The bytes of one document: pure, and the same for the same entries.

use crate::model::Entry;

use super::leaf::Leaf;
use super::output::{Format, Output};
use super::shown::{self, Shown};
use super::{atom, json, rhythm, rss};

/// Writes `entries`, in their order, as the document of `output` that has no archive.
///
/// Nothing in it depends on the time or the machine: the same entries give the same bytes.
#[must_use]
pub fn render(output: &Output, format: Format, entries: &[Entry]) -> Vec<u8> {
    render_leaf(output, format, Leaf::ALONE, entries)
}

/// Writes `entries`, in their order, as that document in the history of `output`.
#[must_use]
pub fn render_leaf(output: &Output, format: Format, leaf: Leaf, entries: &[Entry]) -> Vec<u8> {
    let fresh_for = rhythm::max_age(entries);
    let entries: Vec<Shown<'_>> =
        entries.iter().map(|entry| Shown::new(entry, &output.look)).collect();
    match format {
        Format::Atom => atom::render(output, leaf, &entries, shown::updated(&entries)),
        Format::Rss => rss::render(output, leaf, &entries, (shown::updated(&entries), fresh_for)),
        Format::Json => json::render(output, leaf, &entries),
    }
}
