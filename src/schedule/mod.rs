//! Decides when a feed is polled next, and whose turn it is. Pure: values in, values out.
//!
//! [`plan()`] knows one feed and no host; [`Queue`] knows hosts and no reasons. Leaves polling,
//! timers and the clock to the daemon.

pub mod plan;
pub mod queue;
pub mod settings;

pub use plan::{Inputs, plan};
pub use queue::{Gate, Queue, Turn};
pub use settings::{Heed, Settings};
