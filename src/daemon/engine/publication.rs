//! Publishes all outputs, for the commands that do it once; the daemon publishes in `publishing`.

use std::sync::Arc;

use super::error::Error;
use crate::daemon::Engine;
use crate::outputs;
use crate::render::Output;

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
