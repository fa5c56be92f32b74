//! Whether the files of an output are what would be written now, found without rendering them.
//!
//! A pass of `newswire poll` that brought nothing compares one digest, the basis, with the one that
//! the last pass stored. The daemon does not use it: it needs the documents in memory.

use std::ops::RangeInclusive;
use std::path::Path;

use jiff::Timestamp;

use super::archive;
use super::error::Error;
use super::files::is_written;
use super::static_site;
use crate::render::{self, Output};
use crate::store::{self, Transaction};
use crate::text::sha256::sha256;

/// The files of an output before a pass publishes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// Revision of the store.
    pub(super) revision: i64,
    /// Whether the files are what would be written now.
    pub(super) current: bool,
}

/// Looks at the files of an output.
///
/// # Errors
/// When the store fails.
pub(super) fn before(
    reader: &Transaction<'_>,
    output: &Output,
    now: Timestamp,
) -> Result<Before, Error> {
    let revision = reader.revision()?;
    let complete = archive::complete_pages(reader, output)?;
    let current = reader.has_basis(&output.id, &digest(output, revision, &complete), now)?
        && static_site::is_current(output)
        && match output.directory.as_deref() {
            Some(directory) => {
                has_documents(reader, output, directory)?
                    && archive::has_all_pages(output, directory, &complete)
            }
            None => true,
        };
    Ok(Before { revision, current })
}

/// SHA-256 of all that the files of the output depend on. `revision` is that of the store before
/// anything was selected.
///
/// # Errors
/// When the store fails.
pub(super) fn basis(
    reader: &Transaction<'_>,
    output: &Output,
    revision: i64,
) -> Result<[u8; 32], Error> {
    Ok(digest(output, revision, &archive::complete_pages(reader, output)?))
}

fn digest(output: &Output, revision: i64, complete: &RangeInclusive<u32>) -> [u8; 32] {
    let announced = archive::announced(output, complete);
    let token = output.token.as_ref().map(render::Token::query);
    let parts = (env!("CARGO_PKG_VERSION"), output, token, revision, announced);
    // `Debug` shows every setting of the output but the token.
    sha256(format!("{parts:?}"))
}

/// Whether the directory has the documents that were published last, with their siblings.
fn has_documents(
    reader: &Transaction<'_>,
    output: &Output,
    directory: &Path,
) -> Result<bool, store::Error> {
    for format in &output.formats {
        let name = output.file_name(*format);
        let published = reader.document_hash(&output.id, format.extension())?;
        let there = std::fs::read(directory.join(&name)).ok();
        let same = there.is_some_and(|body| {
            published == Some(sha256(&body)) && is_written(directory, &name, &body)
        });
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}
