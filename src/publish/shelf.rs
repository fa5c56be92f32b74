//! What is served: the last good documents of every output, swapped as a whole.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::document::Document;
use super::output::{Format, Output};

/// One output as it was last published.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The output's id: the path on the server, before the extension.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its subtitle.
    pub description: Option<String>,
    /// How many stories it shows.
    pub items: usize,
    /// Its documents, in the order of the config.
    pub documents: Vec<(Format, Arc<Document>)>,
}

impl Listing {
    /// Lists `documents` under the name and the title of `output`.
    #[must_use]
    pub fn new(output: &Output, items: usize, documents: Vec<(Format, Arc<Document>)>) -> Self {
        Self {
            id: output.id.clone(),
            title: output.title.clone(),
            description: output.description.clone(),
            items,
            documents,
        }
    }

    /// When a document of it last changed.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.documents.iter().map(|(_, document)| document.modified).max()
    }
}

/// The outputs on show. Readers never wait for a publication: only pointers are swapped.
#[derive(Debug, Default)]
pub struct Shelf(RwLock<BTreeMap<String, Arc<Listing>>>);

impl Shelf {
    /// An empty shelf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an output on show in the place of what it showed before, all formats at once.
    pub fn put(&self, listing: Listing) {
        self.write().insert(listing.id.clone(), Arc::new(listing));
    }

    /// Takes away every output that is not among `ids`: the config has changed.
    pub fn keep_only(&self, ids: &[&str]) {
        self.write().retain(|id, _| ids.contains(&&**id));
    }

    /// The document of that file name, `planet.atom`.
    #[must_use]
    pub fn document(&self, file_name: &str) -> Option<Arc<Document>> {
        let (id, extension) = file_name.rsplit_once('.')?;
        let format = Format::from_extension(extension)?;
        let listing = self.listing(id)?;
        let document = listing.documents.iter().find(|(kept, _)| *kept == format);
        document.map(|(_, document)| Arc::clone(document))
    }

    /// The output of that id.
    #[must_use]
    pub fn listing(&self, id: &str) -> Option<Arc<Listing>> {
        self.read().get(id).cloned()
    }

    /// Every output, by id.
    #[must_use]
    pub fn listings(&self) -> Vec<Arc<Listing>> {
        self.read().values().cloned().collect()
    }

    // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Listing>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Listing>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
