//! The temporary file of a copy, and the folder of a repair. A process that is killed leaves them behind, as large as the
//! database. The next copy in the folder removes the file, and the next process with the database the folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, TempPath};

use crate::files;

/// Begin of the names. SQLite adds a journal while it writes.
const PREFIX: &str = ".newswire-copy-";
const JOURNAL: &str = "-journal";

/// A temporary file, removed on drop. Its lock shows that the process lives.
#[derive(Debug)]
pub struct Scratch {
    path: TempPath,
    _lock: File,
}

impl Scratch {
    /// An empty file with mode 0600 in the folder of `to`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn beside(to: &Path) -> io::Result<Self> {
        let folder = files::folder(to);
        // Between the creation of a file and its lock no other process may take it for abandoned. A file system without
        // locks of folders has no protection from that.
        let guard = File::open(folder)?;
        let _ = guard.lock();
        remove_abandoned(folder)?;
        let (lock, path) =
            tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?.into_parts();
        let _ = lock.try_lock();
        Ok(Self { path, _lock: lock })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it a name in the same folder, durably; it replaces a file of that name.
    ///
    /// # Errors
    /// When the file system fails.
    pub(super) fn persist(self, to: &Path) -> io::Result<()> {
        files::persist(self.path, to)
    }
}

/// Removes the files of processes that were killed: those that no process has locked.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let file = folder.join(name.strip_suffix(JOURNAL).unwrap_or(name));
        let is_abandoned = match File::open(&file) {
            Ok(opened) => opened.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_abandoned {
            let journal = PathBuf::from(format!("{}{JOURNAL}", file.display()));
            for path in [&journal, &file] {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Begin of the names of folders of repairs.
const REPAIR: &str = ".newswire-repair-";
/// Length of the random part of their names.
const RANDOM: usize = 6;

/// End of the name of the folder for a database.
fn repair_suffix(database: &Path) -> String {
    format!("-{}", database.file_name().unwrap_or_default().to_string_lossy())
}

/// A folder beside a database for its repaired copy, removed on drop.
///
/// # Errors
/// When it cannot be created.
pub(super) fn repair_folder(database: &Path) -> io::Result<TempDir> {
    let suffix = repair_suffix(database);
    let mut name = tempfile::Builder::new();
    name.prefix(REPAIR).suffix(&suffix).rand_bytes(RANDOM).tempdir_in(files::folder(database))
}

/// Removes the folder of a repair of this database that was killed. The caller has the lock of the database, so that no
/// repair of it is running.
pub(super) fn remove_abandoned_repair(database: &Path) {
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let suffix = repair_suffix(&database);
    let is_abandoned = |name: &str| {
        let name = name.strip_prefix(REPAIR).and_then(|name| name.strip_suffix(&suffix));
        // With more it is of a database with a longer name.
        name.is_some_and(|random| random.len() == RANDOM)
    };
    let Ok(entries) = fs::read_dir(files::folder(&database)) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_abandoned) {
            // What cannot be removed is tried again by the next process.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_killed_processes_are_removed_and_those_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in
            [".newswire-copy-dead", ".newswire-copy-dead-journal", ".newswire-copy-x-journal"]
        {
            fs::write(at(name), "x").unwrap();
        }
        fs::write(at("newswire.db"), "x").unwrap();
        let first = Scratch::beside(&at("copy.db")).unwrap();
        let second = Scratch::beside(&at("copy.db")).unwrap();
        assert!(first.path().exists() && second.path().exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        second.persist(&at("copy.db")).unwrap();
        drop(first);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["copy.db", "newswire.db"]);
    }

    #[test]
    fn the_folder_of_a_killed_repair_is_removed_with_the_lock_of_its_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let left = |name: &str| {
            let left = repair_folder(&path(name)).unwrap().keep();
            fs::write(left.join("newswire.db"), "half").unwrap();
            left
        };
        let (own, other) = (left("newswire.db"), left("other-newswire.db"));
        fs::create_dir(path(".newswire-repair-newswire.db")).unwrap();
        drop(
            crate::store::Store::open(&path("newswire.db"), crate::clock::Clock::system()).unwrap(),
        );
        assert!(!own.exists() && other.exists());
        assert!(path(".newswire-repair-newswire.db").exists());
    }
}
