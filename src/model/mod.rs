//! The types that all rooms share: feed, item, story, poll, incident. Values without I/O.
//!
//! [`parsed`] is a document as it was read, [`item`] what is stored and published of it.

pub mod code;
pub mod feed;
pub mod filter;
pub mod incident;
pub mod item;
pub mod parsed;
pub mod poll;
pub mod promise;
pub mod story;
mod subscribers;

pub use code::Coded;
pub(crate) use code::codes;
pub use feed::{
    BadFeedId, Feed, FeedActivity, FeedId, FeedInfo, FeedKey, FeedProfile, FeedStatus, PollYield,
    Publishing, Removal, Removed, has_login, joined, site,
};
pub use filter::{Conditions, Filter, LinkPattern, Refusal, Subject};
pub use incident::{Incident, IncidentKind};
pub use item::{
    AlsoAt, Category, Chapter, Details, Enclosure, EpisodeType, Image, Item, ItemKey, OutputItem,
    Person, Podcast, PodcastFile, SourceInfo, StoryKey, is_played,
};
pub use parsed::{
    Dialect, FeedImage, Generator, Hints, Link, ParseWarning, ParsedFeed, ParsedItem, Surplus,
    Text, TextKind,
};
pub use poll::{
    Address, ClockMark, Considered, Failure, FailureKind, FetchOutcome, Freshness, Hop,
    MoveCandidate, Outcome, Plan, Reason, ReasonKind, StoredPlan, Validators,
};
pub use promise::{Asked, Asker, BadAsker, LedgerEntry, Promise, PromiseReason, PromiseScope};
pub use story::{
    Decisions, Digest, EditCounts, GuidUse, HoldReason, ItemTraits, KnownItem, Match, PageOwner,
    RecentItem, RecognisedBy, Rule, StoredItem, StoryItem,
};
pub use subscribers::SubscriberCount;
