//! The documents of an output's archive: made when asked for, and written to its folder once.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::error::Error;
use crate::model::Entry;
use crate::publish::{self, Document, Format, Leaf, Output};

/// For how long a reader may keep a page of the archive: what stands on it stays, and only what
/// was corrected since would differ.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A page with these entries, which it was checked to have.
pub(crate) fn document(
    output: &Output,
    format: Format,
    leaf: Leaf,
    entries: &[Entry],
) -> Result<Document, Error> {
    let bytes = publish::render_leaf(output, format, leaf, entries);
    if let Err(source) = publish::check(output, format, &bytes, entries) {
        let url = leaf.self_url(output, format);
        return Err(Error::Check { name: url, source });
    }
    Ok(Document::prepare(format, bytes, None, MAX_AGE).at(&leaf.self_url(output, format)))
}

/// Writes the pages of the archive that are not in the folder; all of them, where the newest one
/// looks different today: then the addresses have changed. It is looked at unless it is the one
/// that was `written` last.
///
/// `load` answers the entries of a page, and nothing past the last one.
pub(crate) fn write(
    output: &Output,
    directory: &Path,
    pages: &RangeInclusive<u32>,
    written: Option<u32>,
    load: impl Fn(u32) -> Result<Option<Vec<Entry>>, Error>,
) -> Result<(), Error> {
    let (oldest, newest) = (*pages.start(), *pages.end());
    for &format in &output.formats {
        let path = |number| directory.join(output.archive_name(number, format));
        let mut anew = false;
        for number in pages.clone().rev() {
            let last = number + 1 >= newest && written != Some(newest);
            if !last && !anew && path(number).exists() {
                continue;
            }
            let Some(entries) = load(number)? else { continue };
            let document =
                document(output, format, Leaf::Archived { number, newest, oldest }, &entries)?;
            // The page that was the newest gets a link to the one behind it: no more than that.
            let there = std::fs::read(path(number)).ok();
            anew |= number == newest && there.is_some_and(|there| there != document.body);
            let (folder, name) = (directory.join(&output.id).join("archive"), path(number));
            let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
            publish::write_document(&folder, &name, &document)
                .map_err(|source| Error::Write { path: folder.join(&name), source })?;
        }
    }
    Ok(())
}
