//! `[store]`: path of the database and retention of texts.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Path of the database file; absolute once the config is loaded.
    pub path: PathBuf,
    /// How long the texts of items are kept. Ids are kept forever, so that no item repeats.
    pub retention: Duration,
    /// Log of every write to the database, a line of JSON each. For tests; not a config key.
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
