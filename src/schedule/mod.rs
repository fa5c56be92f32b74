//! Decides when each feed is polled, and in which order. Pure: values in, values out.
//!
//! [`plan()`] computes the time of a feed's next poll and the reason. [`Queue`] orders the feeds that are due and
//! limits requests per host. The daemon has the timers and polls.

pub mod learned;
pub mod moved;
pub mod network;
pub mod plan;
#[cfg(test)]
mod plan_tests;
pub mod queue;
#[cfg(test)]
mod queue_tests;
pub mod resume;
pub mod settings;
pub mod traffic;
pub mod waiting;

pub use learned::{Learned, LearnedFrom, PollCost, arrivals_per_day, learned, missed_since};
pub use moved::{FeedMatch, MoveObservation, address};
pub use network::{Judgement, LastOutcome, NetworkMonitor, NetworkState};
pub use plan::{
    Inputs, LastPoll, NEVER, UnconditionalWait, after_outage, plan, revise, spread, while_offline,
};
pub use queue::{HostLimit, Queue, QueueStep};
pub use resume::{
    ClockChange, Resumed, after_promise, after_unfinished, clock_change, jump_between, may_delete,
    resume,
};
pub use settings::{IntervalMode, PublisherHints, Settings};
pub use traffic::{BudgetShare, FeedTraffic, Forecast, Outlook, stretch, stretched};
pub use waiting::{FREE_HOSTS, new_host_spacing};
