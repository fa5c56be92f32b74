//! Documents that other feeds may be read from, from their response until they are stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use jiff::Timestamp;
use url::Url;

use crate::fetch::{Body, KnownDocument, Response};
use crate::store::SharedDocument;

/// Largest document that is kept for other feeds, in bytes.
const MAX_SHARED: usize = 2 * 1024 * 1024;
/// Number of documents from which those that are stored are removed.
const MANY: usize = 64;

/// Documents that are not stored yet, by URL. A document is here as long as its poll exists.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<HashMap<String, Weak<SharedDocument>>>);

impl Documents {
    /// Keeps the document of a response for other feeds; `None`: it has none, or one that is too large.
    pub(super) fn keep(&self, response: &Response, at: Timestamp) -> Option<Arc<SharedDocument>> {
        let body = response.body.as_ref().filter(|body| body.bytes.len() <= MAX_SHARED)?;
        let url = response.url.to_string();
        let document = Arc::new(SharedDocument {
            final_url: url.clone(),
            url: url.clone(),
            content_type: body.content_type.clone(),
            validators: response.validators.clone()?,
            hash: response.body_hash?,
            body: body.bytes.clone(),
            at,
        });
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MANY {
            kept.retain(|_, document| document.strong_count() > 0);
        }
        kept.insert(url, Arc::downgrade(&document));
        Some(document)
    }

    /// The document of a URL that is not stored yet.
    pub(super) fn of(&self, url: &Url) -> Option<Arc<SharedDocument>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(url.as_str())?.upgrade()
    }
}

/// The document as the end of an exchange.
pub(super) fn known(document: &SharedDocument) -> Option<KnownDocument> {
    let SharedDocument { final_url, content_type, validators, hash, body, .. } = document;
    let (bytes, content_type) = (body.clone(), content_type.clone());
    let body = Body { bytes, content_type, memory: None, surplus: false };
    let (url, validators) = (Url::parse(final_url).ok()?, validators.clone());
    Some(KnownDocument { url, validators, hash: *hash, body })
}
