//! What one poll writes: values only. Leaves the SQL to `record`.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    Address, Dialect, Digest, FeedKey, FeedProfile, FetchOutcome, GuidUse, Hints, HoldReason, Item,
    ItemKey, PageOwner, ParseWarning, Plan, RecognisedBy, Validators,
};

/// Everything that one poll of one feed changes: written whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub memory: Option<CachedResponse>,
    /// Where the feed lives from now on; `None`: no change.
    pub address: Option<Address>,
    /// What the server's word on changes is worth from now on; `None`: no change.
    pub trust: Option<NotModifiedTrust>,
    /// What the document said of the feed; `None`: no document was read.
    pub document: Option<DocumentFacts>,
    /// Never seen before, oldest first: rows ascend with age.
    pub new: Vec<NewItem>,
    /// Seen before, but different.
    pub changed: Vec<ChangedItem>,
    /// Kept items that came with another guid.
    pub renamed: Vec<GuidChange>,
}

/// Sizes of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// As it came over the wire.
    pub wire: u64,
    /// After its content coding was undone.
    pub body: u64,
}

/// What a server's "not modified" is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotModifiedTrust {
    /// When it last sent a whole document; `None`: never.
    pub full_at: Option<Timestamp>,
    /// It said 304 to a document that had changed.
    pub distrusted: bool,
}

/// What makes the next request conditional; belongs to one URL and request shape.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CachedResponse {
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// For attribution.
    pub profile: FeedProfile,
    /// For the schedule.
    pub hints: Hints,
    /// How many items it has; `None`: only a part of it came.
    pub items: Option<usize>,
    /// Dialect of the document.
    pub dialect: Option<Dialect>,
    /// What had to be mended, a few of each kind at most.
    pub parse_warnings: Vec<ParseWarning>,
    /// What its guids are worth; once shared, always shared.
    pub guids: GuidUse,
    /// Digests of paragraphs that are boilerplate; `None`: as before.
    pub boilerplate: Option<Vec<u64>>,
}

/// An item that the feed never showed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    /// By what it is recognised from now on.
    pub identity: Digest,
    /// Of the canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// Digest of what a subscriber would notice.
    pub content_digest: Digest,
    /// The id to publish it under, if no other item has it.
    pub outward_id: String,
    /// The id to publish it under otherwise; nobody else can have it.
    pub own_id: String,
    /// When it was first seen: now.
    pub first_seen: Timestamp,
    /// The item.
    pub item: Item,
    /// Whose page it links to.
    pub page_owner: PageOwner,
    /// What its text is found and compared by.
    pub text: TextIndex,
    /// Why it is held; `None`: it is not.
    pub held: Option<HoldReason>,
}

/// What a text is found and compared by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextIndex {
    /// Digest of the item's words, to recognise it in the same feed; `None`: fewer than nine English words.
    pub exact: Option<i64>,
    /// See `dedupe::Fingerprint`; `None`: the feed's items are not compared.
    pub fingerprint: Option<Vec<u8>>,
    /// Its words and those of the title, each once, for the search index.
    pub search: String,
}

/// A kept item that came with another guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuidChange {
    /// Its row.
    pub key: ItemKey,
    /// By what it is recognised from now on, too.
    pub identity: Digest,
    /// By what it was recognised.
    pub way: RecognisedBy,
}

/// An item that the feed showed before with other words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedItem {
    /// Its row.
    pub key: ItemKey,
    /// Of the canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// Digest of what a subscriber would notice.
    pub content_digest: Digest,
    /// The item as it is now.
    pub item: Item,
    /// What becomes of it.
    pub change: EditAction,
    /// What its text is found and compared by.
    pub text: TextIndex,
}

/// What becomes of an item that its publisher changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EditAction {
    /// What it says is replaced.
    #[default]
    Replace,
    /// The same, and it is dated now.
    Bump,
    /// It stays as it is; the change is noted, so that it is not looked at again.
    Ignore,
}

/// What a poll brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PollCounts {
    /// Items never seen before.
    pub new: usize,
    /// Items that were changed in place.
    pub changed: usize,
    /// Items that were known under another guid.
    pub renamed: usize,
    /// Items that wait for a word of the operator.
    pub held: usize,
}
