//! Knows what is the same thing. Pure: values in, values out.
//!
//! ```text
//! within a feed    identity   by what an item is recognised; churn: the same under a new guid
//!                  updates    an edit, or another thing under one guid
//!                  flood      what of a burst is let through
//! across feeds     words, paragraphs > fingerprint > sketch    what is compared of an item
//!                  index                        which items may be the same story
//!                  likeness, titles > verdict   whether two are, and the receipt
//!                  grouping                     which stories many verdicts make
//! ```
//!
//! Every constant is in `tuning`. Leaves looking things up to the store, and the order of things to `poll`
//! and `stories`.

mod boilerplate;
pub mod canonical;
pub mod churn;
pub mod digest;
pub mod fingerprint;
pub mod flood;
pub mod grouping;
mod house_style;
pub mod identity;
pub mod index;
pub mod likeness;
pub mod paragraphs;
pub mod settings;
pub mod sketch;
pub mod titles;
mod tuning;
pub mod updates;
pub mod verdict;
pub mod weights;
pub mod words;

pub use boilerplate::boilerplate;
pub use churn::{Alias, Stranger, aliases};
pub use fingerprint::{Comparable, Facts, Fingerprint};
pub use flood::{Acquaintance, Rhythm, admit, per_day};
pub use grouping::stories;
pub use identity::{
    Identified, Identities, Needs, OtherKey, authority, global_id, identify, own_id, reused,
    share_guids,
};
pub use index::{Entry, Index};
pub use paragraphs::Text;
pub use settings::{AcrossFeeds, BurstGuard, IdentityRule, Settings, Similarity, Updates};
pub use sketch::Sketch;
pub use titles::Title;
pub use tuning::{CANDIDATES, EXACT_WORDS};
pub use updates::{PageTrust, is_another, is_worth_showing, may_bump, may_change};
pub use verdict::{Frame, Verdict, unlike, verdict};
pub use weights::Weights;
pub use words::Words;
