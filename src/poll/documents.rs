//! Documents that other feeds may be read from, from their response until they are stored.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use jiff::Timestamp;
use url::Url;

use super::gate::{Urgency, Visit};
use crate::fetch::{Body, KnownDocument, Response};
use crate::model::{Asker, LedgerEntry};
use crate::store::SharedDocument;

/// Largest document that is kept for other feeds, in bytes.
pub const MAX_SHARED: usize = 2 * 1024 * 1024;
/// Number of documents from which those that are stored are removed.
const MANY: usize = 64;

/// Largest document that is kept after a forced request, in bytes, and the number of these documents.
const MAX_RECENT: usize = 256 * 1024;
const RECENT: usize = 16;

/// Documents that are not stored yet, by URL. A document is here while its poll exists.
#[derive(Debug, Default)]
pub(super) struct Documents {
    unstored: Mutex<HashMap<String, Weak<SharedDocument>>>,
    /// The last documents of forced requests, to which other feeds of the same command may lead.
    recent: Mutex<VecDeque<Arc<SharedDocument>>>,
}

impl Documents {
    /// Keeps the document of a response for other feeds; `None`: it has none, or one that is too large.
    pub(super) fn keep(&self, response: &Response, at: Timestamp) -> Option<Arc<SharedDocument>> {
        let document = document_of(response, at, MAX_SHARED)?;
        let mut kept = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MANY {
            kept.retain(|_, document| document.strong_count() > 0);
        }
        kept.insert(document.url.clone(), Arc::downgrade(&document));
        Some(document)
    }

    /// Keeps the document of a forced request until some others are kept.
    pub(super) fn keep_recent(&self, response: &Response, at: Timestamp) {
        let Some(document) = document_of(response, at, MAX_RECENT) else { return };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back(document);
        if recent.len() > RECENT {
            let _ = recent.pop_front();
        }
    }

    /// The document of a URL that a command which began at `since` has requested.
    pub(super) fn of_command(&self, url: &Url, since: Timestamp) -> Option<Arc<SharedDocument>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |it: &&Arc<SharedDocument>| it.url == url.as_str() && it.at >= since;
        recent.iter().rev().find(fits).map(Arc::clone)
    }

    /// The document of a URL that is not stored yet.
    pub(super) fn of(&self, url: &Url) -> Option<Arc<SharedDocument>> {
        let kept = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(url.as_str())?.upgrade()
    }
}

/// The document of a response, unless it is larger than `largest`.
fn document_of(response: &Response, at: Timestamp, largest: usize) -> Option<Arc<SharedDocument>> {
    let body = response.body.as_ref().filter(|body| body.bytes.len() <= largest)?;
    let url = response.url.to_string();
    Some(Arc::new(SharedDocument {
        final_url: url.clone(),
        hops: Vec::new(),
        url,
        content_type: body.content_type.clone(),
        links: body.links.clone(),
        validators: response.validators.clone()?,
        hash: response.body_hash?,
        body: body.bytes.clone(),
        at,
    }))
}

/// Whether a document is older than another one that the feed was read from, or a command would take it for the answer
/// to a later request of another command.
pub(super) fn is_outdated(
    document: &SharedDocument,
    visit: &Visit<'_>,
    entry: &LedgerEntry,
) -> bool {
    match (visit.urgency, &visit.by, &entry.url_asked) {
        (Urgency::Scheduled { last, .. }, ..) => {
            last >= Some(document.at) && visit.request.known_body != Some(document.hash)
        }
        (_, Asker::Command, Some((at, Asker::Command))) => document.at < *at,
        _ => false,
    }
}

/// The document as the end of an exchange.
pub(super) fn known(document: &SharedDocument) -> Option<KnownDocument> {
    let SharedDocument { final_url, hops, content_type, links, validators, hash, body, .. } =
        document;
    let (bytes, content_type, links) = (body.clone(), content_type.clone(), links.clone());
    let (body, hops) =
        (Body { bytes, content_type, links, memory: None, surplus: false }, hops.clone());
    let (url, validators) = (Url::parse(final_url).ok()?, validators.clone());
    Some(KnownDocument { url, hops, validators, hash: *hash, body })
}
