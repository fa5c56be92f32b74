//! The log, the metrics ([`Metrics`]) and the state of the process ([`Readiness`]).
//!
//! What is logged is decided by the rooms: at info level, each line is an [`Event`].

mod event;
mod log;
mod metrics;
pub mod readiness;
mod sample;

pub use self::event::Event;
pub use self::log::{Format, Handle, Settings, UnknownLevel, init, level_of};
pub use self::metrics::{ItemCounts, Metrics, Poll, Publication, RequestKind};
pub use self::readiness::{Part, Problem, Readiness};
pub use self::sample::{
    Exposition, FeedSample, OutputSample, Reload, Sample, StoreSample, max_fds,
};
