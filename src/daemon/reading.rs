//! Queries of the database beside the main loop.

use crate::store::{self, Reader, Transaction};

/// Runs queries in one read transaction on a blocking thread.
///
/// # Errors
/// When the database fails, or the queries do.
pub(super) async fn read<T: Send + 'static>(
    reader: &Reader,
    queries: impl FnOnce(&Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
) -> Result<T, store::Error> {
    let reader = reader.clone();
    let work = move || reader.read(queries);
    tokio::task::spawn_blocking(work).await.map_err(|_| store::Error::Closed)?
}
