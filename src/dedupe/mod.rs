//! Knows what is the same thing. Pure: values in, values out.
//!
//! ```text
//! within a feed    identity   by what an item is recognised; churn: the same under a new guid
//!                  updates    an edit, or another thing under one guid
//!                  flood      what of a burst is let through
//! across feeds     words, paragraphs > sketch > index     which items may be the same story
//!                  likeness, titles > verdict   whether two are, and the receipt
//!                  stars                        which stories many verdicts make
//! ```
//!
//! Every constant stands in `tuning`. Leaves looking things up to the store and the order of things to
//! `poll`.

pub mod canonical;
pub mod churn;
pub mod digest;
pub mod flood;
pub mod furniture;
pub mod identity;
pub mod index;
pub mod likeness;
pub mod paragraphs;
pub mod settings;
pub mod sketch;
pub mod stars;
pub mod titles;
mod tuning;
pub mod updates;
pub mod verdict;
pub mod weights;
pub mod words;

pub use churn::{Alias, Stranger, Way, aliases};
pub use flood::{Acquaintance, Hold, Rhythm, admit, per_day};
pub use furniture::furniture;
pub use identity::{Identified, authority, global_id, identify, own_id, reused, share_guids};
pub use index::{Entry, Index};
pub use settings::{AcrossFeeds, Bursts, Likeness, Settings, Updates};
pub use sketch::Sketch;
pub use stars::{Exceptions, Star, stories};
pub use titles::Title;
pub use tuning::{CANDIDATES, COMPARISONS, EXACT_WORDS};
pub use updates::{Says, is_another, is_worth_showing};
pub use verdict::{Features, Verdict, verdict};
pub use weights::Weights;
pub use words::Words;
