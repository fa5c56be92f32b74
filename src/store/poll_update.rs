//! The result of one poll, as values. The statements are in `polls`, `items` and `feeds`; here are those about items that
//! the document has in another form, and about an item of the history that its publisher brought up again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::shared_documents::SharedDocument;
use super::transaction::Transaction;
use super::values::{json_list, maybe, millis};
use crate::model::{
    Address, Details, Dialect, Digest, FeedKey, FeedProfile, FetchOutcome, GuidUse, Hints,
    HoldReason, Item, ItemKey, PageOwner, ParseWarning, Plan, Promise, RecognisedBy, Removed,
    Validators,
};

/// The result of one poll of one feed, written completely or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PollUpdate {
    /// Key of the polled feed.
    pub feed: FeedKey,
    /// Time of the last request of the poll, or of its start without a request.
    pub at: Timestamp,
    /// Duration of the poll.
    pub duration: Duration,
    /// Outcome of fetching and reading.
    pub outcome: FetchOutcome,
    /// HTTP status; `None`: no response.
    pub status: Option<u16>,
    /// URL of the response, if it was redirected.
    pub redirected_to: Option<String>,
    /// Sizes of the body.
    pub bytes: Bytes,
    /// Plan of the next poll.
    pub plan: Plan,
    /// Number of consecutive failures, this one included.
    pub failures: u32,
    /// The last good response; `None`: no change.
    pub response: Option<CachedResponse>,
    /// Address of the feed from now on; `None`: no change.
    pub address: Option<Address>,
    /// Whether 304 of this server are reliable; `None`: no change.
    pub trust: Option<ValidatorTrust>,
    /// What the document contains about the feed; `None`: no document was read.
    pub document: Option<DocumentFacts>,
    /// The document, if other feeds may be read from it.
    pub shared: Option<Arc<SharedDocument>>,
    /// Feeds whose last failure was this machine's, with their next plans.
    pub exonerated: Vec<(FeedKey, Plan)>,
    /// Feeds that waited because this machine was offline, with their next plans.
    pub released: Vec<(FeedKey, Plan)>,
    /// Promises of the responses of this poll.
    pub promises: Vec<Promise>,
    /// New items, the oldest first.
    pub new: Vec<NewItem>,
    /// Known items that changed.
    pub changed: Vec<ChangedItem>,
    /// Known items that came with a new guid.
    pub guid_changes: Vec<GuidChange>,
    /// Known items that came with a new date.
    pub redated: Vec<Redated>,
}

/// Sizes of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// As sent, in bytes.
    pub wire: u64,
    /// Size in bytes after decoding.
    pub body: u64,
}

/// What is known about a server's handling of validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ValidatorTrust {
    /// Time of the last complete document; `None`: never.
    pub last_full_at: Option<Timestamp>,
    /// Time of the last request without the known validators; `None`: never.
    pub checked_at: Option<Timestamp>,
    /// Which validators are sent.
    pub validator_use: ValidatorUse,
    /// Number of consecutive responses that count towards another use.
    pub count: u32,
}

/// Which validators are sent to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ValidatorUse {
    /// `ETag` and `Last-Modified`.
    #[default]
    Both,
    /// `Last-Modified` alone: the entity tag never matches.
    DateAlone,
    /// Both, because `Last-Modified` alone does not match either.
    BothUnmatched,
    /// Both, and none once a day: the server answered 304 although the document had changed.
    Unreliable,
    /// None in one request within a day: requests with them fail.
    Suspected,
    /// None in one request a day: the server failed on such a request too, and never answered one with validators of this
    /// document.
    Unproven,
    /// None in one request within a day: the server rejected them.
    Rejected,
    /// Both again: after its failure the server answered once without them.
    Doubted,
    /// None: the server always rejects them.
    Refused,
    /// None are known, because the last document was cut.
    Cut,
}

impl ValidatorUse {
    /// All values, in the order of their definition.
    pub const ALL: &'static [Self] = &[
        Self::Both,
        Self::DateAlone,
        Self::BothUnmatched,
        Self::Unreliable,
        Self::Suspected,
        Self::Unproven,
        Self::Rejected,
        Self::Doubted,
        Self::Refused,
        Self::Cut,
    ];

    /// Stable slug, for the database and JSON.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::DateAlone => "date_alone",
            Self::BothUnmatched => "both_unmatched",
            Self::Unreliable => "unreliable",
            Self::Suspected => "suspected",
            Self::Unproven => "unproven",
            Self::Rejected => "rejected",
            Self::Doubted => "doubted",
            Self::Refused => "refused",
            Self::Cut => "cut",
        }
    }

    /// The use with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.slug() == slug)
    }

    /// Why not all requests are sent with both validators, for the operator; `None`: they are.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Both | Self::BothUnmatched | Self::Doubted => None,
            Self::DateAlone => Some("the ETag never matches, so Last-Modified is sent alone"),
            Self::Unreliable => {
                Some("requested once a day, because \"not modified\" was wrong before")
            }
            Self::Suspected | Self::Unproven | Self::Rejected => Some(
                "a request without validators follows within a day, because requests with them fail",
            ),
            Self::Refused => {
                Some("requested once a day, because the server rejects requests with validators")
            }
            Self::Cut => Some("no validators are kept, because the document was cut"),
        }
    }
}

/// The last good response, with which the next request is made conditional.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CachedResponse {
    /// URL and request headers that it belongs to.
    pub request_key: String,
    /// As sent by the server.
    pub validators: Validators,
    /// SHA-256 of the last complete body.
    pub body_hash: Option<[u8; 32]>,
    /// Where the response came from, after all redirects.
    pub url: Option<String>,
    /// Freshness lifetime by `max-age`, which a 304 renews.
    pub lifetime: Option<Duration>,
}

/// What a document contains about its feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// Title, site and so on, for attribution.
    pub profile: FeedProfile,
    /// Polling hints of the publisher.
    pub hints: Hints,
    /// Number of items; `None`: the document is incomplete.
    pub items: Option<usize>,
    /// Dialect of the document.
    pub dialect: Option<Dialect>,
    /// What had to be repaired, at most a few of each kind.
    pub parse_warnings: Vec<ParseWarning>,
    /// What each selector of `remove` took away.
    pub removed: Vec<Removed>,
    /// Whether its guids are unique; once reused, always reused.
    pub guids: GuidUse,
    /// Digests of paragraphs that are boilerplate; `None`: no change.
    pub boilerplate: Option<Vec<u64>>,
}

/// An item that was not stored before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    /// What identifies it within the feed.
    pub identity: Digest,
    /// Other keys that identify it from now on, even if they identified another item before.
    pub other_identities: Vec<Digest>,
    /// Digest of the canonical URL; `None`: its URL does not identify it.
    pub url_key: Option<Digest>,
    /// Digest of what a subscriber would notice.
    pub content_digest: Digest,
    /// The publisher's id, which becomes the outward id if no other item has it.
    pub outward_id: String,
    /// A unique id, which becomes the outward id otherwise.
    pub own_id: String,
    /// Time of first sight.
    pub first_seen: Timestamp,
    /// The content that outputs show.
    pub item: Item,
    /// The date that the publisher gave, if it is not that of the content: it is in the future.
    pub dated: Option<Timestamp>,
    /// Whose site its URL is on.
    pub page_owner: PageOwner,
    /// What its text is searched and compared by.
    pub text: TextIndex,
    /// Why it is held; `None`: it is not held.
    pub held: Option<HoldReason>,
    /// The rule of a filter that keeps it out; `None`: none does.
    pub filtered_by: Option<String>,
}

/// What the text of an item is searched and compared by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextIndex {
    /// Digest of the item's words, to recognise it in the same feed; `None`: too few words.
    pub digest: Option<i64>,
    /// See `dedupe::Fingerprint`; `None`: the feed's items are not compared.
    pub fingerprint: Option<Vec<u8>>,
    /// The distinct words of title and text, for the search index.
    pub search_words: String,
}

/// A known item that came with a new date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redated {
    /// Key of the item.
    pub key: ItemKey,
    /// The date as the publisher gave it.
    pub date: Timestamp,
}

/// A known item that came with a new guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuidChange {
    /// Key of the item.
    pub key: ItemKey,
    /// What identifies it from now on as well.
    pub identity: Digest,
    /// How it was recognised.
    pub recognised_by: RecognisedBy,
}

/// A known item that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedItem {
    /// Key of the item.
    pub key: ItemKey,
    /// Digest of the canonical URL; `None`: its URL does not identify it.
    pub url_key: Option<Digest>,
    /// Digest of what a subscriber would notice.
    pub content_digest: Digest,
    /// The item as it is now.
    pub item: Item,
    /// What is done with the change.
    pub action: EditAction,
    /// What its text is searched and compared by.
    pub text: TextIndex,
}

/// What is done with a change that a publisher made to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EditAction {
    /// Its text is replaced.
    #[default]
    Replace,
    /// Its text is replaced, and its updated date is now.
    Bump,
    /// Its text is replaced, and it is no longer held as history.
    Release,
    /// It stays as it is. The digest is written, so that the change is not considered again.
    Ignore,
}

/// Counts of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PollCounts {
    /// New items that are not held.
    pub new: usize,
    /// Known items that changed.
    pub changed: usize,
    /// Known items that came with a new guid.
    pub guid_changes: usize,
    /// New items that are held.
    pub held: usize,
    /// New items that a filter keeps out.
    pub filtered: usize,
}

/// Title and date of a stored item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Title, plain text; `None` where the publisher gave none.
    pub title: Option<String>,
    /// Time of publication; `None`: the publisher gave no credible one.
    pub published: Option<Timestamp>,
}

impl Transaction<'_> {
    /// Titles and dates of the items with these keys, also of those whose text was deleted.
    pub fn headings(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Heading>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.title, item.published_at
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut headings = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            let heading = Heading { title: row.get(1)?, published: maybe(row.get(2)?)? };
            headings.insert(ItemKey(row.get(0)?), heading);
        }
        Ok(headings)
    }

    /// The items with these keys as they are kept. Those whose text was deleted are left out.
    pub fn kept_items(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Item>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT item.id, item.published_at, item.guid, item.url, item.title, body.summary, body.content, body.details,
                    item.updated_at
             FROM json_each(?1) wanted CROSS JOIN item ON item.id = wanted.value
             JOIN body ON body.item_id = item.id",
        )?;
        let mut rows = statement.query([json_list(keys.iter().map(|key| key.0))])?;
        let mut kept = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.next()? {
            // What cannot be read differs from everything, and is replaced.
            let details: Details =
                serde_json::from_str(&row.get::<_, String>(7)?).unwrap_or_default();
            let item = Item {
                published: maybe(row.get(1)?)?,
                updated: maybe(row.get(8)?)?,
                guid: row.get(2)?,
                url: row.get(3)?,
                title: row.get(4)?,
                summary: row.get(5)?,
                content: row.get(6)?,
                details,
                ..Item::default()
            };
            kept.insert(ItemKey(row.get(0)?), item);
        }
        Ok(kept)
    }

    /// Writes the last date that the publisher gave an item. The date that is published stays.
    pub(super) fn redate(&self, redated: Redated) -> Result<(), Error> {
        self.connection
            .prepare_cached("UPDATE item SET dated_at = ?2 WHERE id = ?1")?
            .execute(params![redated.key.0, millis(redated.date)])?;
        Ok(())
    }

    /// Releases an item that is held as history. It was in no output yet, so it gets the date of its change.
    pub(super) fn release_changed(
        &self,
        update: &PollUpdate,
        changed: &ChangedItem,
    ) -> Result<(), Error> {
        let now = millis(update.at);
        let published = changed.item.published.map_or(now, millis);
        self.connection
            .prepare_cached(
                "UPDATE item SET hidden = 'pending', published_at = ?2, sort_at = min(?2, ?3)
                 WHERE id = ?1 AND hidden = 'history'",
            )?
            .execute(params![changed.key.0, published, now])?;
        Ok(())
    }
}
