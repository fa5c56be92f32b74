//! Knows what is the same thing. Pure: values in, values out.
//!
//! Within a feed an item is recognised by its identity; across feeds by its canonical URL. Leaves
//! looking things up to the store and the order of things to `poll`.

pub mod across;
pub mod canonical;
pub mod digest;
pub mod identity;
pub mod settings;

pub use across::same_story;
pub use identity::{Identified, global_id, identify, own_id};
pub use settings::{AcrossFeeds, Settings};
