//! Keeps everything in one SQLite file; the only room that speaks SQL.

pub mod settings;

pub use settings::Settings;
