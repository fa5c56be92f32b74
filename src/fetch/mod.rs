//! One polite, guarded, bounded HTTP exchange for one feed.

pub mod settings;

pub use settings::Settings;
