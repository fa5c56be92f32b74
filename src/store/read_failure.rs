//! Distinguishes a failing read from damage. SQLite reports a read that the system fails (EIO) as damage of the file, with the
//! same code. The operator has to check the disk then, and must not repair or replace a database that is intact.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

use super::error::{Error, ErrorCause, OpenError};
use super::open::{check_definitions, ending};

/// The error of the system, if reading the file is what failed.
pub(super) fn after_opening(path: &Path, error: &OpenError) -> Option<io::Error> {
    match error {
        OpenError::Sqlite { source, .. } if ErrorCause::of(source) == ErrorCause::Corrupt => {
            of(path)
        }
        _ => None,
    }
}

/// The error with its true cause: damage that is a failing read becomes [`ErrorCause::Io`]. Reads the whole file.
#[must_use]
pub fn examined(path: &Path, error: Error) -> Error {
    match (error.cause(), of_damage(path, &error)) {
        (ErrorCause::Corrupt, Some(failure)) => {
            Error::Sqlite(ErrorCause::Io, format!("failed to read {}: {failure}", path.display()))
        }
        _ => error,
    }
}

fn of_damage(path: &Path, error: &Error) -> Option<io::Error> {
    if error.cause() == ErrorCause::Corrupt { of(path) } else { None }
}

/// Why the file cannot be read; `None`: it can be read, and it is damaged.
fn of(path: &Path) -> Option<io::Error> {
    for file in [path.to_owned(), ending(path, "-wal")] {
        match read_all(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Some(error),
            _ => {}
        }
    }
    let passed = "a read failed, but succeeded when it was repeated";
    is_intact(path).then(|| io::Error::other(passed))
}

/// Reads a file to its end.
fn read_all(path: &Path) -> io::Result<u64> {
    // Closing it would drop the locks that SQLite has on it in this process (sqlite.org/howtocorrupt.html, 2.2).
    static KEPT: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = std::fs::metadata(path)?;
    let is_known = |file: &File| {
        file.metadata().is_ok_and(|meta| (meta.dev(), meta.ino()) == (known.dev(), known.ino()))
    };
    let at = match kept.iter().position(is_known) {
        Some(at) => at,
        None => {
            kept.push(File::open(path)?);
            kept.len() - 1
        }
    };
    kept[at].rewind()?;
    io::copy(&mut kept[at], &mut io::sink())
}

/// Whether SQLite finds no damage when it reads the file again.
fn is_intact(path: &Path) -> bool {
    let check = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        check_definitions(&connection)?;
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    };
    check().is_ok_and(|found| found == "ok")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn corrupt() -> Error {
        Error::Sqlite(ErrorCause::Corrupt, "database disk image is malformed".to_owned())
    }

    #[test]
    fn damage_that_is_not_there_was_a_failing_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        drop(super::super::open::writer(&path).unwrap());
        assert_eq!(examined(&path, corrupt()).cause(), ErrorCause::Io);
        let full = Error::Sqlite(ErrorCause::Full, String::new());
        assert_eq!(examined(&path, full).cause(), ErrorCause::Full);
        // The root page of a table.
        let file = File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[0xff; 4096], 8192 * 3).unwrap();
        assert_eq!(examined(&path, corrupt()).cause(), ErrorCause::Corrupt);
    }

    #[test]
    fn a_read_that_fails_while_a_connection_opens_is_not_damage() {
        use super::super::open;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        drop(open::writer(&path).unwrap());
        // A connection that finds other definitions than the file has.
        let connection = Connection::open_in_memory().unwrap();
        let error = open::compared(&path, connection).unwrap_err();
        assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_damaged() {
        let folder = tempfile::tempdir().unwrap();
        // The system opens a folder, and fails to read it.
        let error = examined(folder.path(), corrupt());
        assert_eq!(error.cause(), ErrorCause::Io);
        assert!(error.to_string().contains("failed to read"), "{error}");
    }
}
