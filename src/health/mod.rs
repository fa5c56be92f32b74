//! What to make of what is recorded of a feed: how it is doing, why, and what the operator may do.
//!
//! Pure: values in, values out. [`judge`] is the one place that decides a feed's state, for the
//! page, the commands, the metrics and the feed of incidents alike. [`silence`] tells a quiet feed
//! from one that still answers and has gone dead. [`incidents`] turns states into incidents, each
//! told of once. Leaves recording to `store` and telling to whoever asks.

pub mod incidents;
pub mod json;
pub mod judge;
pub mod remedy;
pub mod silence;
#[cfg(test)]
mod simulated;
pub mod state;

pub use incidents::{Condition, advance, conditions};
pub use judge::{Health, Judged, judge, judge_all, tally};
pub use remedy::Remedy;
pub use silence::{Silence, Silent, silence};
pub use state::State;
