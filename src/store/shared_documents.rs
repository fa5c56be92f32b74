//! Documents that several feeds are read from, so that each is fetched once in an interval.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::transaction::Transaction;
use super::values::{millis, timestamp};
use crate::model::{FeedKey, Hop, Validators};

/// A complete document as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedDocument {
    /// URL of the request that it answers.
    pub url: String,
    /// URL that sent it, after redirects.
    pub final_url: String,
    /// The redirects from the one to the other.
    pub hops: Vec<Hop>,
    /// Value of its `Content-Type` header.
    pub content_type: Option<String>,
    /// Values of its `Link` headers.
    pub links: Option<String>,
    /// Validators of the document.
    pub validators: Validators,
    /// SHA-256 of the body.
    pub hash: [u8; 32],
    /// The body without content coding.
    pub body: Vec<u8>,
    /// Time when it was fetched (UTC).
    pub at: Timestamp,
}

/// The columns of a document but for its time, which moves with the clock.
pub(super) const SHARED: &str =
    "url, final_url, hops, content_type, links, etag, last_modified, hash, body";

impl Transaction<'_> {
    /// The document of a URL, if it is kept. One that was altered is not read.
    pub fn shared_document(&self, url: &str) -> Result<Option<SharedDocument>, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {SHARED}, at FROM shared_document WHERE url = ?1 AND row_digest = row_digest({SHARED})"
        ))?;
        let document = |row: &Row<'_>| {
            let validators = Validators { etag: row.get(5)?, last_modified: row.get(6)? };
            let document = SharedDocument {
                url: row.get(0)?,
                final_url: row.get(1)?,
                hops: Vec::new(),
                content_type: row.get(3)?,
                links: row.get(4)?,
                validators,
                hash: row.get(7)?,
                body: row.get(8)?,
                at: Timestamp::UNIX_EPOCH,
            };
            Ok((document, row.get::<_, String>(2)?, row.get::<_, i64>(9)?))
        };
        let found = statement.query_row([url], document).optional()?;
        let Some((document, hops, at)) = found else { return Ok(None) };
        let (hops, at) = (serde_json::from_str(&hops)?, timestamp(at)?);
        Ok(Some(SharedDocument { hops, at, ..document }))
    }

    /// Whether another feed was last read from this URL, or is configured with it and a fragment.
    pub fn is_shared(&self, url: &str, but: FeedKey) -> Result<bool, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM feed WHERE response_url = ?1 AND id <> ?2 AND active = 1
             UNION ALL SELECT 1 FROM feed WHERE url >= ?1 AND url < ?1 || '$' AND id <> ?2 AND active = 1
                                            AND (url = ?1 OR url > ?1 || '#')
             LIMIT 1",
        )?;
        Ok(statement.exists(params![url, but.0])?)
    }

    /// Stores the document for other feeds with the same URL; it replaces an older one.
    pub(super) fn share(&self, document: &SharedDocument) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO shared_document (url, final_url, hops, content_type, links, etag, last_modified, hash, body, at, row_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, row_digest(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
            )?
            .execute(params![
                document.url,
                document.final_url,
                serde_json::to_string(&document.hops)?,
                document.content_type,
                document.links,
                document.validators.etag,
                document.validators.last_modified,
                document.hash,
                document.body,
                millis(document.at),
            ])?;
        Ok(())
    }

    /// Deletes the document of a URL, because there is a newer one that is not kept.
    pub(super) fn unshare(&self, url: &str) -> Result<(), Error> {
        self.connection
            .prepare_cached("DELETE FROM shared_document WHERE url = ?1")?
            .execute([url])?;
        Ok(())
    }

    /// Deletes the documents that redirects to `sender`, or from the addresses of this feed, led to before `at`: the
    /// feed has a newer one.
    pub(super) fn unshare_redirects(
        &self,
        feed: FeedKey,
        sender: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "DELETE FROM shared_document
                 WHERE at < ?3 AND (final_url = ?2 OR url IN (SELECT url FROM feed WHERE id = ?1
                                                              UNION ALL SELECT effective_url FROM feed WHERE id = ?1))",
            )?
            .execute(params![feed.0, sender, millis(at)])?;
        Ok(())
    }

    /// Deletes documents that were fetched before `cutoff`, and before `unread` those that no feed is read from: a
    /// command has left them.
    pub(super) fn forget_shared(
        &self,
        cutoff: Timestamp,
        unread: Timestamp,
    ) -> Result<usize, Error> {
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM shared_document AS shared WHERE at < ?1 OR at < ?2
             AND NOT EXISTS (SELECT 1 FROM feed WHERE response_url = shared.url AND active = 1)
             AND NOT EXISTS (SELECT 1 FROM feed WHERE url >= shared.url AND url < shared.url || '$' AND active = 1
                                                AND (url = shared.url OR url > shared.url || '#'))",
        )?;
        Ok(statement.execute([millis(cutoff), millis(unread)])?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::poll_update::PollUpdate;
    use super::super::tests::{at, read, store, update};
    use super::super::write::Write;
    use super::*;

    #[tokio::test]
    async fn a_newer_document_replaces_those_that_redirects_led_to() {
        let (_folder, _, store, [a, _]) = store().await;
        let [configured, target, other] =
            ["http://a.example/feed", "http://new.example/feed", "http://c.example/feed"];
        let document = |url: &str, final_url: &str, seconds| SharedDocument {
            url: url.to_owned(),
            final_url: final_url.to_owned(),
            hops: Vec::new(),
            content_type: None,
            links: None,
            validators: Validators::default(),
            hash: [1; 32],
            body: b"<rss/>".to_vec(),
            at: at(seconds),
        };
        let kept = || {
            [configured, target, other].map(|url| {
                read(&store, |tx| tx.shared_document(url)).map(|document| document.at.as_second())
            })
        };
        // As `probe` stores them, and a redirect that leads elsewhere now.
        for (url, sender) in
            [(configured, "http://old.example/"), (target, target), (other, target)]
        {
            store.write(Write::Share(Box::new(document(url, sender, 10)))).await.unwrap();
        }
        let redirected_to = Some(target.to_owned());
        let polled = |shared| PollUpdate {
            redirected_to: redirected_to.clone(),
            shared,
            ..update(a, Vec::new(), Vec::new())
        };
        // It was read from one of them.
        let shared = Some(Arc::new(document(target, target, 10)));
        store.write_poll(Arc::new(polled(shared))).await.unwrap();
        assert_eq!(kept(), [Some(10); 3]);
        let shared = Some(Arc::new(document(target, target, 20)));
        store.write_poll(Arc::new(polled(shared))).await.unwrap();
        assert_eq!(kept(), [None, Some(20), None]);
        store.write_poll(Arc::new(polled(None))).await.unwrap();
        assert_eq!(kept(), [None; 3], "it is too large to be kept");
    }
}
