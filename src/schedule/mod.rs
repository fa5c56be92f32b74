//! Decides when a feed is polled next, and whose turn it is. Pure: values in, values out.

pub mod settings;

pub use settings::Settings;
