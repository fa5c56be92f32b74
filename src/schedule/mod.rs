//! Decides when a feed is polled next, and whose turn it is. Pure: values in, values out.
//!
//! [`plan()`] knows one feed and no host; [`Queue`] knows hosts and no reasons. Leaves polling,
//! timers and the clock to the daemon.

pub mod forecast;
pub mod moved;
pub mod network;
pub mod plan;
pub mod queue;
#[cfg(test)]
mod queue_tests;
pub mod revise;
pub mod rhythm;
pub mod settings;
#[cfg(test)]
mod tests;

pub use forecast::{FeedTraffic, Forecast};
pub use moved::{FeedMatch, MoveObservation, address};
pub use network::{NetworkMonitor, NetworkState};
pub use plan::{Inputs, plan, spread, while_offline};
pub use queue::{HostLimit, Queue, QueueStep};
pub use revise::{LastPoll, revise};
pub use rhythm::learned;
pub use settings::{IntervalMode, PublisherHints, Settings};
