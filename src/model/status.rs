//! How a feed is doing, as it is recorded: facts, not yet what to make of them, which is `health`'s.

use jiff::{SignedDuration, Timestamp};

use super::output_item::FeedInfo;
use super::parsed::ParseWarning;
use super::poll::{Address, Outcome, ReasonKind};

/// One line of `newswire status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// Name, title, address, tags.
    pub info: FeedInfo,
    /// When it is due.
    pub next_poll_at: Timestamp,
    /// The input that won.
    pub reason: ReasonKind,
    /// The same for people.
    pub reason_text: String,
    /// In a row.
    pub failures: u32,
    /// Since when, if it is failing.
    pub failing_since: Option<Timestamp>,
    /// `None`: never polled.
    pub last_poll_at: Option<Timestamp>,
    /// How the last poll ended; `None`: never polled.
    pub last_outcome: Option<Outcome>,
    /// HTTP.
    pub last_status: Option<u16>,
    /// What there is to say of it.
    pub last_message: Option<String>,
    /// Where redirects led.
    pub last_url: Option<String>,
    /// `None`: never.
    pub last_success_at: Option<Timestamp>,
    /// When an item was last new.
    pub last_new_at: Option<Timestamp>,
    /// Items ever kept.
    pub items: u64,
    /// The dialect's slug.
    pub dialect: Option<String>,
    /// Things mended in the last document.
    pub parse_warnings: Vec<ParseWarning>,
    /// Where it lives now, beside the config.
    pub address: Address,
    /// For telling a quiet feed from a dead one.
    pub pulse: FeedActivity,
}

/// What is recorded of how a feed publishes, and of what its server says since the last news.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedActivity {
    /// Where its oldest item stands in time.
    pub oldest: Option<Timestamp>,
    /// Where its newest items stand in time, the newest first: at most [`FeedActivity::MOMENTS`].
    pub moments: Vec<Timestamp>,
    /// The longest time without a new item that ended with one.
    pub longest_gap: Option<SignedDuration>,
    /// Since the last news: polls answered "not modified",
    pub not_modified: u32,
    /// with the same body again,
    pub same_body: u32,
    /// and with another document that had nothing new in it.
    pub nothing_new: u32,
    /// Since when its document has no items at all, though it had some.
    pub empty_since: Option<Timestamp>,
    /// Items of a burst, which wait for a word of the operator.
    pub held: u64,
    /// Items that were old when the feed was added, and are not shown for that.
    pub older: u64,
}

impl FeedActivity {
    /// So many of the newest items tell a feed's cadence.
    pub const MOMENTS: usize = 60;
}
