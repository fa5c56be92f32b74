//! Finds out at the start whether the database was lost: its outputs have items that it does not know.

use super::error::Error;
use crate::config::Config;
use crate::outputs;
use crate::store::{self, Store};

/// Checks that the database knows what the outputs published. Otherwise their items would be published again, under other
/// ids, and their documents could no longer be read back. Items of feeds that are files cannot be read back anyway.
///
/// # Errors
/// When an output has items and the database has none, or it fails.
pub(super) async fn check_known(store: &Store, config: &Config) -> Result<(), Error> {
    let feeds = &config.subscriptions;
    if !feeds.is_empty() && feeds.iter().all(|it| it.feed.url.scheme() == "file") {
        return Ok(());
    }
    let (reader, outputs) = (store.reader().clone(), config.outputs.clone());
    let find = move || reader.read(|reader| outputs::unknown_document(reader, &outputs));
    let found = tokio::task::spawn_blocking(find).await.map_err(|_| store::Error::Closed)??;
    found.map_or(Ok(()), |path| Err(Error::DatabaseLost(path)))
}
