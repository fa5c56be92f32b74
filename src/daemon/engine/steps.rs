//! What an engine does in one step. Publishes all outputs, for the commands that do it once; the daemon publishes in
//! `stage_tasks`. Removes what is too old, in parts that are short enough for polls under way, which wait for the writer.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::daemon::Engine;
use crate::daemon::error::Error;
use crate::outputs;
use crate::render::Output;
use crate::store::Write;

impl Engine {
    /// Matches all pending items, publishes every output and writes its archive pages and its static site.
    ///
    /// # Errors
    /// The first error after all outputs were tried: the database failed, or an output could not be published.
    pub async fn publish(&self) -> Result<(), Error> {
        self.matcher.catch_up().await?;
        let (mut result, output_set) = (Ok(()), &self.setup.output_set);
        for output in &output_set.outputs {
            if let Err(error) = self.publisher.publish(output).await {
                result = result.and(Err(error.into()));
            }
        }
        let listed = self.publisher.list(&output_set.outputs).await;
        result = result.and(listed.map_err(Into::into));
        for output in &output_set.outputs {
            if let Err(error) = self.complete(output).await {
                result = result.and(Err(error.into()));
            }
        }
        result
    }

    /// Writes the archive pages and the static site of a published output.
    async fn complete(&self, output: &Arc<Output>) -> Result<(), outputs::Error> {
        self.publisher.complete_archive(output).await?;
        self.static_sites.complete(output).await.map(drop)
    }

    /// As [`Engine::publish`], but only the outputs whose files differ from what would be written now.
    ///
    /// # Errors
    /// When the database fails, or an output cannot be published.
    pub(crate) async fn publish_changed(&self) -> Result<(), Error> {
        self.matcher.catch_up().await?;
        let output_set = &self.setup.output_set;
        let (mut result, mut incomplete) = (Ok(()), Vec::new());
        for output in &output_set.outputs {
            match self.publisher.publish_unless_current(output).await {
                Ok(published) => incomplete.extend(published),
                Err(error) => result = result.and(Err(error)),
            }
        }
        for published in incomplete {
            result = result.and(match self.complete(published.output).await {
                Ok(()) => self.publisher.record_basis(published).await,
                Err(error) => Err(error),
            });
        }
        let listed = self.publisher.list(&output_set.outputs).await;
        Ok(result.and(listed)?)
    }

    /// Serves every output as the database has it, without files: for the start.
    pub(crate) async fn serve_documents(&self) {
        let output_set = &self.setup.output_set;
        self.publisher.serve(&output_set.outputs).await;
    }
}

/// How long the ledger keeps promises after their end, and URLs after their last request.
const LEDGER: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long documents are kept that no feed is read from. Commands use them for minutes.
const UNREAD: SignedDuration = SignedDuration::from_hours(1);

/// Number of texts that are removed in one step.
const TEXTS: usize = 500;
/// Number of pages of the database that are returned in one step: a MiB.
const PAGES: usize = 256;

impl Engine {
    /// Removes promises and requests that the ledger no longer needs.
    pub(crate) async fn drop_old_promises(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let before = |age| now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        let (cutoff, unread) = (before(LEDGER), before(UNREAD));
        self.store.write(Write::ForgetPromises { cutoff, unread }).await?;
        Ok(())
    }

    /// Removes what is too old: promises, and, by a clock that can be believed, texts past their retention and fingerprints
    /// outside the window. Returns their space to the file system. Ends after the step in which the monotonic time `until`
    /// is reached. Returns whether all is done.
    pub(crate) async fn drop_expired(&self, until: Duration) -> Result<bool, Error> {
        self.drop_old_promises().await?;
        if !self.is_clock_believed().await? {
            return Ok(true);
        }
        let retention =
            SignedDuration::try_from(self.setup.retention).unwrap_or(SignedDuration::MAX);
        let cutoff = self.clock.now().saturating_sub(retention).unwrap_or(Timestamp::MIN);
        let forget = Write::ForgetBodies { cutoff, limit: TEXTS };
        if !self.repeat(&forget, TEXTS, until).await? {
            return Ok(false);
        }
        self.matcher.tidy(self.setup.window).await?;
        self.repeat(&Write::ReturnPages { limit: PAGES }, PAGES, until).await
    }

    /// Repeats a write that affects at most `limit` rows, until a monotonic time. Returns whether no row is left.
    async fn repeat(&self, write: &Write, limit: usize, until: Duration) -> Result<bool, Error> {
        while self.store.write(write.clone()).await? >= limit {
            if self.clock.elapsed() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
