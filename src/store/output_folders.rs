//! The folders that outputs were written to, so that files that are no longer written are known after the config has changed.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::transaction::Transaction;

/// A folder with documents of an output.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutputFolder {
    /// Id of the output in the config, as it was when the documents were written.
    pub output: String,
    /// Absolute path.
    pub path: String,
}

impl Transaction<'_> {
    /// All folders that outputs were written to.
    pub fn output_folders(&self) -> Result<Vec<OutputFolder>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT output, path FROM output_folder ORDER BY output, path")?;
        let folder =
            |row: &rusqlite::Row<'_>| Ok(OutputFolder { output: row.get(0)?, path: row.get(1)? });
        let rows = statement.query_map([], folder)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Replaces the folders that outputs were written to.
    pub(super) fn write_output_folders(&self, folders: &[OutputFolder]) -> Result<(), Error> {
        self.connection.execute("DELETE FROM output_folder", [])?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO output_folder (output, path) VALUES (?1, ?2)")?;
        for OutputFolder { output, path } in folders {
            insert.execute(params![output, path])?;
        }
        Ok(())
    }
}
