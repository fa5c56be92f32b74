//! Decides when a feed is polled next, and whose turn it is. Pure: values in, values out.
//!
//! [`plan()`] knows one feed and no host; [`Queue`] knows hosts and no reasons. Leaves polling,
//! timers and the clock to the daemon.

pub mod forecast;
pub mod learned;
pub mod moved;
pub mod network;
pub mod plan;
#[cfg(test)]
mod plan_tests;
pub mod queue;
#[cfg(test)]
mod queue_tests;
pub mod settings;

pub use forecast::{FeedTraffic, Forecast};
pub use learned::learned;
pub use moved::{FeedMatch, MoveObservation, address};
pub use network::{NetworkMonitor, NetworkState};
pub use plan::{Inputs, LastPoll, plan, revise, spread, while_offline};
pub use queue::{HostLimit, Queue, QueueStep};
pub use settings::{IntervalMode, PublisherHints, Settings};
