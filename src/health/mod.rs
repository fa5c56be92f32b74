//! The health of feeds: their state, why, and what the operator can do. Pure.
//!
//! [`judge`] decides the state of a feed for the pages, the commands, the metrics and the incidents.
//! [`silence`] finds feeds that answer but have stopped publishing. [`incidents`] turns states into
//! incidents, which begin and end once. [`lists`] has the state of followed lists. `store` records, and the callers
//! report.

pub mod incidents;
pub mod json;
pub mod judge;
pub mod lists;
pub mod remedy;
pub mod silence;

pub use incidents::{Condition, advance, conditions};
pub use judge::{Health, JudgedFeed, State, judge, judge_all, tally};
pub use lists::{ATTENTION_FAILURES, ListFailure, ListPlace, ListStatus};
pub use remedy::Remedy;
pub use silence::{Silence, SilenceKind, silence};
