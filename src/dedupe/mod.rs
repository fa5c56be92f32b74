//! Knows what is the same thing. Pure: values in, values out.

pub mod settings;

pub use settings::{AcrossFeeds, Settings};
