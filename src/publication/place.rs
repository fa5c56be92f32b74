//! Puts one checked document where readers find it: into its file and ready for the shelf.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use crate::publish::{self, Document, Format, Output, Shelf, Written};
use crate::store::Store;

/// A document, rendered and checked.
pub(crate) struct Rendered {
    pub(crate) format: Format,
    pub(crate) max_age: Duration,
    pub(crate) hash: [u8; 32],
    pub(crate) bytes: Vec<u8>,
}

/// Makes one document ready and puts it into its file, unless both were done before.
///
/// The inner error is the file's: what cannot be written is served all the same.
pub(crate) async fn place(
    store: &Store,
    shelf: &Shelf,
    output: &Arc<Output>,
    document: Rendered,
    now: Timestamp,
) -> Result<(Arc<Document>, Result<Written, Error>), Error> {
    let Rendered { format, max_age, hash, bytes } = document;
    let name = output.file_name(format);
    let held = shelf.document(&name).filter(|held| held.body == bytes);
    let modified = match &held {
        Some(held) => held.modified,
        None => {
            // Before the file: after a crash in between, the same document keeps its date.
            let id = output.id.clone();
            Some(store.remember_document(id, format.extension(), hash, now).await?)
        }
    };
    let (asked, panicked) = (Arc::clone(output), |_| Error::Panicked(name.clone()));
    let work = {
        let name = name.clone();
        move || {
            let fresh = held.is_none();
            let prepare = || {
                let document = Document::prepare(format, bytes, modified, max_age);
                Arc::new(document.at(&asked.self_url(format)))
            };
            let document = held.unwrap_or_else(prepare);
            let written = match asked.directory.as_deref() {
                // Looked at even when nothing changed: somebody may have removed the file.
                Some(directory) => publish::write_document(directory, &name, &document)
                    .map_err(|source| Error::Write { path: directory.join(&name), source }),
                None if fresh => Ok(Written::Replaced),
                None => Ok(Written::Unchanged),
            };
            (document, written)
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(panicked)
}
