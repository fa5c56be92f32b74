//! Selects, orders, renders, checks and writes the outbound feeds.

pub mod output;

pub use output::{Format, Output, Rules};
