//! The ledger of promises: reads it before a request, and writes each request before it is sent.
//!
//! Requests that begin at about the same time are written in one transaction.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::batch::Batch;
use crate::model::{Asked, LedgerEntry, Promise, PromiseScope};
use crate::store::{self, OpenError, Reader, SharedDocument, Store, Transaction, Write};

/// The ledger of one database. Clones share it.
#[derive(Debug, Clone)]
pub struct Ledger {
    place: Place,
    /// Requests that wait to be written.
    requests: Batch<Asked, Result<(), store::Error>>,
}

/// Where the ledger is.
#[derive(Debug, Clone)]
enum Place {
    /// The database of this process.
    Store(Arc<Store>),
    /// A database that another process may have open. Without a file, nothing is known and nothing is written.
    Beside(Arc<Path>),
}

impl Ledger {
    fn new(place: Place) -> Self {
        Self { place, requests: Batch::default() }
    }

    /// The ledger in the database of this process.
    #[must_use]
    pub fn of_store(store: Arc<Store>) -> Self {
        Self::new(Place::Store(store))
    }

    /// The ledger in a database that another process may have open.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        Self::new(Place::Beside(database.into()))
    }

    /// Whether promises reach it with the polls of this process.
    pub(super) fn is_of_polls(&self) -> bool {
        matches!(self.place, Place::Store(_))
    }

    /// What is known about a URL and its site.
    pub(super) async fn entry(&self, url: &str, host: &str) -> Result<LedgerEntry, store::Error> {
        let (url, host) = (url.to_owned(), host.to_owned());
        self.read(move |reader| reader.ledger_entry(&url, &host)).await
    }

    /// The promises of these scopes that have not ended.
    pub(super) async fn open_promises(
        &self,
        scopes: &'static [PromiseScope],
        now: Timestamp,
    ) -> Result<Vec<Promise>, store::Error> {
        self.read(move |reader| reader.open_promises(scopes, now)).await
    }

    /// The promises about one key, also those that have ended.
    pub(super) async fn promises_about(
        &self,
        scope: PromiseScope,
        key: String,
    ) -> Result<Vec<Promise>, store::Error> {
        self.read(move |reader| reader.promises_about(scope, &key)).await
    }

    /// The document of a URL that several feeds are read from.
    pub(super) async fn shared_document(
        &self,
        url: &Url,
    ) -> Result<Option<SharedDocument>, store::Error> {
        let url = url.to_string();
        self.read(move |reader| reader.shared_document(&url)).await
    }

    /// Keeps a document for the feed that is about to be added.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn share(&self, document: SharedDocument) -> Result<(), store::Error> {
        self.write(Write::Share(Box::new(document))).await
    }

    async fn read<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, store::Error> {
        let place = self.place.clone();
        let read = move || match place {
            Place::Store(store) => store.reader().read(work),
            Place::Beside(path) => match Reader::open(&path) {
                Ok(reader) => reader.read(work),
                Err(OpenError::Missing { .. }) => Ok(T::default()),
                Err(error) => Err(error.into()),
            },
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| store::Error::Closed)?
    }

    /// Stores promises; returns when they are on disk.
    pub(super) async fn promise(&self, promises: Vec<Promise>) -> Result<(), store::Error> {
        match promises.is_empty() {
            true => Ok(()),
            false => self.write(Write::Promises(promises)).await,
        }
    }

    /// Writes a request; returns when it is written.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn asked(&self, asked: Asked) -> Result<(), store::Error> {
        let ledger = self.clone();
        let write = move |asked: Vec<Asked>| {
            let ledger = ledger.clone();
            async move {
                let requests = asked.len();
                vec![ledger.write(Write::Asked(asked)).await; requests]
            }
        };
        self.requests.ask(asked, write).await.ok_or(store::Error::Closed)?
    }

    async fn write(&self, write: Write) -> Result<(), store::Error> {
        let path = match &self.place {
            Place::Store(store) => return store.write(write).await.map(drop),
            Place::Beside(path) => Arc::clone(path),
        };
        let work = move || match store::transact(&path, |transaction| transaction.apply(&write)) {
            Ok(result) => result.map(drop),
            Err(OpenError::Missing { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| store::Error::Closed)?
    }
}
