//! What is served: the last good documents of every output, swapped as a whole.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::document::Document;
use super::look::Look;
use super::output::{Format, Output};
use super::stacks::Stacks;
use super::token::Token;

/// So many past publications of a document are remembered for those who ask what is new,
const PAST: usize = 256;
/// and no more entries of them than this: eight bytes each.
const PAST_ENTRIES: usize = 65_536;

/// One output as it was last published.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The output's id: the path on the server, before the extension.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its subtitle.
    pub description: Option<String>,
    /// How its stories look.
    pub look: Look,
    /// What a subscriber must know.
    pub token: Option<Token>,
    /// How many stories it shows.
    pub items: usize,
    /// Its documents, in the order of the config.
    pub documents: Vec<(Format, Arc<Document>)>,
    /// What is kept behind it.
    pub stacks: Option<Arc<dyn Stacks>>,
    /// What its documents were before, the last one first.
    past: VecDeque<Arc<Past>>,
}

/// A document that was published before.
#[derive(Debug)]
struct Past {
    format: Format,
    etag: String,
    marks: Box<[u64]>,
}

impl Listing {
    /// Lists `documents` under the name and the title of `output`.
    #[must_use]
    pub fn new(output: &Output, items: usize, documents: Vec<(Format, Arc<Document>)>) -> Self {
        Self {
            id: output.id.clone(),
            title: output.title.clone(),
            description: output.description.clone(),
            look: output.look.clone(),
            token: output.token.clone(),
            items,
            documents,
            stacks: None,
            past: VecDeque::new(),
        }
    }

    /// Says what is kept behind it.
    #[must_use]
    pub fn before(self, stacks: Arc<dyn Stacks>) -> Self {
        Self { stacks: Some(stacks), ..self }
    }

    /// When a document of it last changed.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.documents.iter().filter_map(|(_, document)| document.modified).max()
    }

    /// Its document in one format.
    #[must_use]
    pub fn document(&self, format: Format) -> Option<&Arc<Document>> {
        self.documents.iter().find(|(kept, _)| *kept == format).map(|(_, document)| document)
    }

    /// What a reader has who has the document of this validator: see [`Document::since`]. `None`
    /// where that was too long ago, or never.
    #[must_use]
    pub fn marks(&self, format: Format, etag: &str) -> Option<Box<[u64]>> {
        let now = self.document(format).filter(|document| document.etag == etag);
        let before = || self.past.iter().find(|past| past.format == format && past.etag == etag);
        now.map(|document| document.marks()).or_else(|| Some(before()?.marks.clone()))
    }

    /// Takes over what `before` knows of the past, and `before` itself, within the bounds.
    fn follow(&mut self, before: &Self) {
        self.past.clone_from(&before.past);
        for (format, document) in &before.documents {
            if self.document(*format).is_some_and(|new| new.etag == document.etag) {
                continue;
            }
            let (format, marks) = (*format, document.marks());
            self.past.retain(|past| past.format != format || past.etag != document.etag);
            self.past.push_front(Arc::new(Past { format, etag: document.etag.clone(), marks }));
        }
        let mut entries = 0;
        let fits = |past: &&Arc<Past>| {
            entries += past.marks.len();
            entries <= PAST_ENTRIES
        };
        let kept = self.past.iter().take(PAST).take_while(fits).count();
        self.past.truncate(kept);
    }
}

/// The outputs on show. Readers never wait for a publication: only pointers are swapped.
#[derive(Debug, Default)]
pub struct Shelf(
    RwLock<BTreeMap<String, Arc<Listing>>>,
    RwLock<Option<Arc<str>>>,
    RwLock<BTreeMap<String, Refusal>>,
);

/// Why an output was not published when it was last tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Since when it could not.
    pub since: Timestamp,
    /// What is wrong, and what to do.
    pub why: String,
}

impl Shelf {
    /// An empty shelf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an output on show in the place of what it showed before, all formats at once.
    pub fn put(&self, mut listing: Listing) {
        if let Some(before) = self.listing(&listing.id) {
            listing.follow(&before);
        }
        self.write().insert(listing.id.clone(), Arc::new(listing));
    }

    /// Takes away every output that is not among `ids`: the config has changed.
    pub fn keep_only(&self, ids: &[&str]) {
        self.write().retain(|id, _| ids.contains(&&**id));
        let mut refusals = self.2.write().unwrap_or_else(PoisonError::into_inner);
        refusals.retain(|id, _| ids.contains(&&**id));
    }

    /// Puts the list of the feeds behind the outputs on show, OPML; `None`: there is none to show.
    pub fn put_subscriptions(&self, list: Option<String>) {
        *self.1.write().unwrap_or_else(PoisonError::into_inner) = list.map(Arc::from);
    }

    /// The list of the feeds behind the outputs.
    #[must_use]
    pub fn subscriptions(&self) -> Option<Arc<str>> {
        self.1.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers how the last try to publish an output ended; `None`: well.
    pub fn tell(&self, id: &str, refused: Option<Refusal>) {
        let mut refusals = self.2.write().unwrap_or_else(PoisonError::into_inner);
        match refused {
            Some(refusal) => {
                let since = refusals.get(id).map_or(refusal.since, |before| before.since);
                refusals.insert(id.to_owned(), Refusal { since, ..refusal });
            }
            None => drop(refusals.remove(id)),
        }
    }

    /// The outputs that could not be published when that was last tried, by id.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<String, Refusal> {
        self.2.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The document of that file name, `planet.atom`.
    #[must_use]
    pub fn document(&self, file_name: &str) -> Option<Arc<Document>> {
        let (id, extension) = file_name.rsplit_once('.')?;
        let format = Format::from_extension(extension)?;
        self.listing(id)?.document(format).map(Arc::clone)
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
