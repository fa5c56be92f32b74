//! The vocabulary of newswire: feed, item, story, poll and their parts, as plain values.
//!
//! No I/O, no clock, no outside format: what a document looked like is [`parsed`], what newswire
//! keeps of it is [`item`]. Every other room speaks in these words.

pub mod code;
pub mod entry;
pub mod feed;
pub mod incident;
pub mod item;
pub mod parsed;
pub mod poll;
pub mod site;
pub mod status;
pub mod story;

pub use code::Coded;
pub(crate) use code::codes;
pub use entry::{AlsoAt, Entry, FeedInfo, FeedProfile};
pub use feed::{BadFeedId, Feed, FeedId, FeedKey};
pub use incident::{Incident, Trouble};
pub use item::{Category, Details, Enclosure, Image, Item, ItemKey, Person, SourceInfo, StoryKey};
pub use parsed::{
    Complaint, Dialect, FeedImage, Generator, Hints, Link, ParsedFeed, ParsedItem, Text, TextKind,
};
pub use poll::{
    Address, Candidate301, Considered, Failure, FailureKind, FetchOutcome, Freshness, Hop, Outcome,
    Plan, Reason, ReasonKind, Validators,
};
pub use site::site;
pub use status::{FeedStatus, Pulse};
pub use story::{
    Digest, Edits, Guids, Hold, Kept, KeptItem, Known, Rule, Seen, Standing, Tie, Way,
};
