//! What a publication adds to what is counted.

use jiff::Timestamp;

use super::error::Error;
use crate::telemetry::{Metrics, Publication};

/// Counts a publication of which so many documents became different.
pub(super) fn count(
    metrics: &Metrics,
    output: &str,
    changed: Result<usize, &Error>,
    now: Timestamp,
) {
    let how = match changed {
        Ok(0) => Publication::Unchanged,
        Ok(_) => Publication::Changed,
        Err(_) => Publication::Failed,
    };
    metrics.published(output, how, now);
    if let Err(Error::Panicked(_)) = changed {
        metrics.panicked();
    }
}
