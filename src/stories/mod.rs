//! Stage 2: which items of different feeds are the same story.
//!
//! ```text
//! pending items, in the order of their marks, a batch at a time
//!   | load       fingerprints from the cache, else from the store
//!   | candidates same page or id (store), shared keys (index in memory)
//!   | compare    dedupe::verdict for each pair
//!   | collections round-ups stay separate from the items they contain
//!   | group      the stories of all that is tied together
//! one value, store::Matches, which also ends the marks
//! ```
//!
//! After a crash it continues with what is still pending. `split`, `join` and `release` are decisions in the
//! store that mark items again; a replay marks all. Leaves what two items are to each other to `dedupe`.

mod cache;
mod collections;
mod groups;
mod matcher;

pub use matcher::{Matcher, Policies};
