//! `[store]`: where the database lies and how long bodies are kept.

use std::path::PathBuf;
use std::time::Duration;

/// Where the database lies and what it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database file; absolute once the config is loaded.
    pub path: PathBuf,
    /// How long item bodies are kept; ids are kept for ever, so nothing repeats.
    pub retention: Duration,
    /// A file that gets every write to the database, a line of JSON each; for tests, no key of the config.
    pub write_log: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("newswire.db"),
            retention: Duration::from_secs(400 * 86_400),
            write_log: None,
        }
    }
}
