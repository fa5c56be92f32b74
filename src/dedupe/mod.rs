//! Decides which items are the same item or the same story. Pure: values in, values out.
//!
//! ```text
//! within a feed    identity   what identifies an item; ids: under which id it is published
//!                  revisions  copies of an article, and its older versions, in one document
//!                  evidence > churn   the same item under a new guid
//!                  updates    an edit, or another item under the same guid
//!                  guids      versions in guids, and guids that are given to other items
//!                  flood      which items of a burst are shown
//! across feeds     words, paragraphs > fingerprint > sketch    what is compared of an item
//!                  index                        which items may be the same story
//!                  likeness, titles > verdict   whether two are, with rule and score
//!                  pointers                     posts that are no more than the headline of another item
//!                  headlines                    whether what they share is about their headlines
//!                  collections                  whether one holds several texts
//!                  frames                       whether a feed repeats what they share
//!                  grouping                     the stories that follow from all verdicts
//!                  differences                  where two texts differ, for people
//! ```
//!
//! Every constant is in `tuning`. `poll` and `stories` read the stored items and call these files in order.

pub mod appearance;
pub mod canonical;
pub mod churn;
mod clocks;
pub mod collections;
mod differences;
pub mod evidence;
pub mod fingerprint;
pub mod flood;
pub mod frames;
pub mod grouping;
pub mod guids;
mod headlines;
mod house_style;
pub mod identity;
pub mod ids;
pub mod index;
mod lexicon;
pub mod likeness;
pub mod paragraphs;
pub mod pointers;
mod revisions;
pub mod settings;
pub mod sketch;
pub mod titles;
mod tuning;
pub mod updates;
pub mod verdict;
pub mod words;

pub use appearance::{Touched, is_another_episode, touched};
pub use churn::{Coverage, RecognisedItem, Shown, UnrecognisedItem, compared, recognised};
pub use collections::{Beside, has_more_than, is_one_of_several};
pub use differences::{Difference, differences};
pub use evidence::{OwnKey, Substance, at_once};
pub use fingerprint::{Comparable, Facts, Fingerprint, PageKind};
pub use flood::{DocumentOrder, Rhythm, admit, per_day};
pub use frames::{Frame, other_filling};
pub use grouping::{centre, stories};
pub use guids::{GuidForm, GuidParts, GuidReuse, Suspect, given_away, guid_forms};
pub use identity::{Identified, Identities, Needs, OtherKey, content_digest, identify, reused};
pub use ids::{authority, global_id, own_id};
pub use index::{Entry, Found, Index};
pub use likeness::Weights;
pub use paragraphs::{Text, boilerplate};
pub use pointers::{LONGEST_POINTER, Pointer, points_to};
pub use settings::{AcrossFeeds, BurstGuard, IdentityRule, Settings, Similarity, Updates};
pub use sketch::Sketch;
pub use titles::Title;
pub use tuning::{CANDIDATES, ENOUGH_MATCHES, EXACT_WORDS};
pub use updates::{
    PageTrust, is_another, is_limited, is_outdated, is_worth_showing, may_bump, may_change,
};
pub use verdict::{Verdict, is_still_one, unlike, verdict};
pub use words::Words;
