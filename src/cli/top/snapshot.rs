//! What `newswire top` shows, as it was at one moment.

use jiff::Timestamp;

use crate::health::JudgedFeed;
use crate::store::HourCounts;

/// What was seen at one moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) now: Timestamp,
    pub(super) feeds: Vec<JudgedFeed>,
    pub(super) hours: Vec<HourCounts>,
}
