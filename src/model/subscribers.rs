//! The number of subscribers of an output.

use serde::{Deserialize, Serialize};

/// How many subscribers an output had on one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberCount {
    /// Id of the output.
    pub output: String,
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// Number of different clients that requested its feed, an estimate; without the services of `reported`.
    pub clients: u64,
    /// Number of subscribers that services, which request the feed for many people, report in their User-Agent.
    pub reported: u64,
}

impl SubscriberCount {
    /// The date in ISO 8601 form: `2026-11-28`.
    #[must_use]
    pub fn date(&self) -> String {
        let at = jiff::Timestamp::from_second(self.day.saturating_mul(86_400)).unwrap_or_default();
        at.strftime("%Y-%m-%d").to_string()
    }

    /// Number of all subscribers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.clients.saturating_add(self.reported)
    }
}
