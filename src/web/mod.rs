//! Serves what lies on the shelf over HTTP.

pub mod settings;

pub use settings::Settings;
