//! What one poll writes: values only. Leaves the SQL to `record`.

use std::time::Duration;

use jiff::Timestamp;

use super::desk::{Arrived, Desk};
use super::error::Error;
use crate::model::{
    Address, Complaint, Digest, FeedKey, FeedProfile, FetchOutcome, Guids, Hints, Item, ItemKey,
    Plan, Standing, Validators,
};

/// Everything that one poll of one feed changes: written whole or not at all.
pub struct PollUpdate {
    /// The feed.
    pub feed: FeedKey,
    /// When the poll began.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How the fetch, and then the reading, ended.
    pub outcome: FetchOutcome,
    /// The HTTP status, where there was a response.
    pub status: Option<u16>,
    /// Where the response came from, when redirects led elsewhere.
    pub redirected_to: Option<String>,
    /// Of the body, as sent and decoded.
    pub bytes: Bytes,
    /// When next, and why then.
    pub plan: Plan,
    /// In a row, this one included.
    pub failures: u32,
    /// What to remember of the representation; `None`: what is remembered stays.
    pub memory: Option<Memory>,
    /// Where the feed lives from now on; `None`: no change.
    pub address: Option<Address>,
    /// What the server's word on changes is worth from now on; `None`: no change.
    pub trust: Option<Trust>,
    /// What the document said of the feed; `None`: no document was read.
    pub document: Option<DocumentFacts>,
    /// Never seen before, oldest first: rows ascend with age.
    pub new: Vec<NewItem>,
    /// Seen before, but different.
    pub changed: Vec<ChangedItem>,
    /// Kept items that came with another guid.
    pub renamed: Vec<Renamed>,
    /// Finds the stories that the new and changed items belong to.
    pub judge: Judge,
}

/// Sizes of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bytes {
    /// As it came over the wire.
    pub wire: u64,
    /// After its content coding was undone.
    pub body: u64,
}

/// What a server's "not modified" is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// When it last sent a whole document; `None`: never.
    pub full_at: Option<Timestamp>,
    /// It said 304 to a document that had changed.
    pub distrusted: bool,
}

/// What makes the next request conditional; belongs to one URL and request shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// URL and request shape.
    pub request_key: String,
    /// As sent by the server.
    pub validators: Validators,
    /// SHA-256 of the last body that was read whole.
    pub body_hash: Option<[u8; 32]>,
    /// The address that sent it, at the end of all redirects.
    pub answered: Option<String>,
}

/// What the document said of the feed itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentFacts {
    /// For attribution.
    pub profile: FeedProfile,
    /// For the schedule.
    pub hints: Hints,
    /// How many items it has; `None`: only a part of it came.
    pub items: Option<usize>,
    /// Its dialect's slug.
    pub dialect: Option<&'static str>,
    /// What had to be mended, a few of each kind at most.
    pub complaints: Vec<Complaint>,
    /// What its guids are worth; once shared, always shared.
    pub guids: Guids,
    /// Digests of paragraphs that are the site's; `None`: as before.
    pub furniture: Option<Vec<u64>>,
}

/// An item that the feed never showed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// By what it is recognised from now on.
    pub identity: Digest,
    /// Of the canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// Of what a reader would notice.
    pub fingerprint: Digest,
    /// The id to publish it under, if no other item has it.
    pub outward_id: String,
    /// The id to publish it under otherwise; nobody else can have it.
    pub own_id: String,
    /// When it was first seen: now.
    pub first_seen: Timestamp,
    /// The item.
    pub item: Item,
    /// Whose page it links to.
    pub standing: Standing,
    /// Of its text.
    pub text: TextKeys,
    /// Slug of why it waits for a word of the operator; `None`: it does not.
    pub held: Option<&'static str>,
}

/// What a text is found by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextKeys {
    /// Of its words, for the same feed; `None`: too few.
    pub exact: Option<i64>,
    /// Keys that texts like it share, for other feeds; 4 bytes each.
    pub sketch: Vec<u8>,
}

/// A kept item that came with another guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renamed {
    /// Its row.
    pub key: ItemKey,
    /// By what it is recognised from now on, too.
    pub identity: Digest,
    /// How it was recognised: a slug.
    pub way: &'static str,
}

/// An item that the feed showed before with other words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedItem {
    /// Its row.
    pub key: ItemKey,
    /// Of the canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// Of what a reader would notice.
    pub fingerprint: Digest,
    /// The item as it is now.
    pub item: Item,
    /// What becomes of it.
    pub change: Change,
    /// Of its text.
    pub text: TextKeys,
}

/// What becomes of an item that its publisher changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Change {
    /// What it says is replaced.
    #[default]
    Replace,
    /// The same, and it is dated now if it was not too often.
    Bump,
    /// It stays as it is; the change is noted, so that it is not looked at again.
    Note,
}

/// Asked once, inside the transaction, with all that is new or changed: finds their stories, so that
/// of two feeds only one can be first.
pub type Judge = Box<dyn Fn(&Desk<'_>, &[Arrived]) -> Result<(), Error> + Send>;

/// What a poll brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Items never seen before.
    pub new: usize,
    /// Of these, how many are the same story as an item of another feed.
    pub joined: usize,
    /// Items that were changed in place.
    pub changed: usize,
    /// Items that were known under another guid.
    pub renamed: usize,
    /// Items that wait for a word of the operator.
    pub held: usize,
}
