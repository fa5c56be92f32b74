//! What is served: the last good documents of every output, replaced all at once, and the list of the feeds behind the
//! outputs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use url::Url;

use super::contents::Contents;
use crate::render::{Document, Format, Output, Presentation, Theme, Token};

/// Number of past documents that are remembered for delta responses.
const PAST: usize = 256;
/// Number of entries of past documents that are remembered, eight bytes each.
const PAST_ENTRIES: usize = 65_536;

/// One output as it was last published.
#[derive(Debug, Clone)]
pub struct ServedOutput {
    /// The output's id: the path on the server, before the extension.
    pub id: String,
    /// Title of the output.
    pub title: String,
    /// Subtitle of the output; `None`: not configured.
    pub description: Option<String>,
    /// Page that the output belongs to; `None`: its page on this server.
    pub link: Option<Url>,
    /// Presentation of its items.
    pub presentation: Presentation,
    /// What the operator adds to its pages.
    pub theme: Theme,
    /// The token that opens it; `None`: it is open to all.
    pub token: Option<Token>,
    /// Whether clients that accept deltas get them.
    pub deltas: bool,
    /// The URL of the server in its documents; ends with a slash.
    pub base_url: Url,
    /// Whether its items are digests.
    pub is_digest: bool,
    /// Number of items that it shows.
    pub items: usize,
    /// The documents by format, in the order of the config.
    pub documents: Vec<(Format, Arc<Document>)>,
    /// Answers queries about its items; `None`: it has documents only.
    pub contents: Option<Arc<Contents>>,
    /// Its past documents, the last one first.
    past: VecDeque<Arc<Past>>,
}

/// A document that was published before.
#[derive(Debug)]
struct Past {
    format: Format,
    etag: String,
    marks: Box<[u64]>,
}

impl ServedOutput {
    /// Serves `documents` under the name and the title of `output`.
    #[must_use]
    pub fn new(output: &Output, items: usize, documents: Vec<(Format, Arc<Document>)>) -> Self {
        Self {
            id: output.id.clone(),
            title: output.title.clone(),
            description: output.description.clone(),
            link: output.link.clone(),
            presentation: output.presentation.clone(),
            theme: output.theme.clone(),
            token: output.token.clone(),
            deltas: output.deltas,
            base_url: output.base_url.clone(),
            is_digest: output.digest.is_some(),
            items,
            documents,
            contents: None,
            past: VecDeque::new(),
        }
    }

    /// Adds what answers queries about its items.
    #[must_use]
    pub fn with_contents(self, contents: Arc<Contents>) -> Self {
        Self { contents: Some(contents), ..self }
    }

    /// Time of the last change of one of its documents.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.documents.iter().filter_map(|(_, document)| document.modified).max()
    }

    /// The document in this format; `None`: the output has no such format.
    #[must_use]
    pub fn document(&self, format: Format) -> Option<&Arc<Document>> {
        self.documents.iter().find(|(kept, _)| *kept == format).map(|(_, document)| document)
    }

    /// The entries of the document with this validator, see [`Document::since`]. `None` where that
    /// document is too old or was never published.
    #[must_use]
    pub fn marks(&self, format: Format, etag: &str) -> Option<Box<[u64]>> {
        let now = self.document(format).filter(|document| document.etag == etag);
        let before = || self.past.iter().find(|past| past.format == format && past.etag == etag);
        now.map(|document| document.marks()).or_else(|| Some(before()?.marks.clone()))
    }

    /// Takes over the past of `before`, and `before` itself, within the bounds.
    fn follow(&mut self, before: &Self) {
        if !self.deltas {
            return;
        }
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

/// Everything that is served. A request never waits for a publication: only pointers are replaced.
#[derive(Debug, Default)]
pub struct Served {
    outputs: RwLock<BTreeMap<String, Arc<ServedOutput>>>,
    subscriptions: RwLock<Option<Arc<str>>>,
    refusals: RwLock<BTreeMap<String, Refusal>>,
}

/// Why the last attempt to publish an output failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Time of the first failed attempt in a row.
    pub since: Timestamp,
    /// What failed, and the remedy.
    pub why: String,
}

impl Served {
    /// A server that has no outputs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves an output in place of what was served of it before, all formats at once.
    pub fn put(&self, mut output: ServedOutput) {
        if let Some(before) = self.output(&output.id) {
            output.follow(&before);
        }
        self.write().insert(output.id.clone(), Arc::new(output));
    }

    /// Removes every output that is not in `ids`.
    pub fn keep_only(&self, ids: &[&str]) {
        self.write().retain(|id, _| ids.contains(&&**id));
        let mut refusals = self.refusals.write().unwrap_or_else(PoisonError::into_inner);
        refusals.retain(|id, _| ids.contains(&&**id));
    }

    /// Serves the list of the feeds behind the outputs, OPML; `None`: there is none.
    pub fn put_subscriptions(&self, list: Option<String>) {
        *self.subscriptions.write().unwrap_or_else(PoisonError::into_inner) = list.map(Arc::from);
    }

    /// The list of the feeds behind the outputs.
    #[must_use]
    pub fn subscriptions(&self) -> Option<Arc<str>> {
        self.subscriptions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records how the last attempt to publish an output ended; `None`: it succeeded.
    pub fn record(&self, id: &str, refused: Option<Refusal>) {
        let mut refusals = self.refusals.write().unwrap_or_else(PoisonError::into_inner);
        match refused {
            Some(refusal) => {
                let since = refusals.get(id).map_or(refusal.since, |before| before.since);
                refusals.insert(id.to_owned(), Refusal { since, ..refusal });
            }
            None => drop(refusals.remove(id)),
        }
    }

    /// The outputs whose last publication failed, by id.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<String, Refusal> {
        self.refusals.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The document of that file name, `planet.atom`.
    #[must_use]
    pub fn document(&self, file_name: &str) -> Option<Arc<Document>> {
        let (id, extension) = file_name.rsplit_once('.')?;
        let format = Format::from_extension(extension)?;
        self.output(id)?.document(format).map(Arc::clone)
    }

    /// The output of that id.
    #[must_use]
    pub fn output(&self, id: &str) -> Option<Arc<ServedOutput>> {
        self.read().get(id).cloned()
    }

    /// Every output, by id.
    #[must_use]
    pub fn outputs(&self) -> Vec<Arc<ServedOutput>> {
        self.read().values().cloned().collect()
    }

    // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<ServedOutput>>> {
        self.outputs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<ServedOutput>>> {
        self.outputs.write().unwrap_or_else(PoisonError::into_inner)
    }
}
