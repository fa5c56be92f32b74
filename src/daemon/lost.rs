//! Finds out before a start whether the database was lost: the outputs have items that it does not know.

use super::engine::Error;
use crate::config::Config;
use crate::outputs;
use crate::store::{OpenError, Reader};

/// Checks that the database knows what the outputs published. Otherwise their items would be published again, under other
/// ids, and their documents could no longer be read back. Items of feeds that are files cannot be read back anyway.
/// Creates no database.
///
/// # Errors
/// When an output has items and the database has none, or the database cannot be read.
pub(super) fn check_known(config: &Config) -> Result<(), Error> {
    let Config { subscriptions: feeds, outputs, .. } = config;
    if !feeds.is_empty() && feeds.iter().all(|it| it.feed.url.scheme() == "file") {
        return Ok(());
    }
    let found = match Reader::open(&config.store.path) {
        Err(OpenError::Missing { .. } | OpenError::Empty { .. }) => {
            outputs.iter().find_map(outputs::document_with_items)
        }
        reader => reader?.read(|reader| outputs::unknown_document(reader, outputs))?,
    };
    found.map_or(Ok(()), |path| Err(Error::DatabaseLost(path)))
}
