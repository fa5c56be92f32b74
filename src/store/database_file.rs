//! The file of a database: what it is, whether it can be read, its size, and the free space of its file system.
//!
//! SQLite is only given files that are databases of Newswire, by their type and their first 100 bytes. A pipe would block it,
//! and it creates files beside each file that it opens.
//!
//! SQLite reports a read that the system fails (EIO) as damage of the file, with the same code. The operator has to check the
//! disk then, and must not repair or replace a database that is intact, so that failing reads are distinguished from damage.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, Row};

use super::error::{Error, ErrorCause, OpenError};
use super::open::{self, APPLICATION_ID, SCHEMA, check_definitions, ending};
use super::transaction::{Reader, Transaction};
use crate::files;
use crate::model::Coded;
use crate::text::file_kind;

/// Length of the header of a SQLite database, in bytes.
const LENGTH: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Rejects what is not a regular file. Does not open it: the system drops all locks of this process on a file, those of
/// SQLite too, when the process closes any handle of it (sqlite.org/howtocorrupt.html, 2.2).
///
/// # Errors
/// When the file is missing, or no regular file.
pub(super) fn examine_type(path: &Path) -> Result<(), OpenError> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        meta => meta.map_err(|source| OpenError::Io { path: path.to_owned(), source })?,
    };
    if !meta.is_file() {
        let kind = files::kind(meta.file_type());
        return Err(OpenError::NotRegular { path: path.to_owned(), kind });
    }
    Ok(())
}

/// Rejects what is not a database of this version of Newswire. This process must not have it open. A database with a write-ahead log passes if its own header
/// is unfinished: SQLite knows the rest.
///
/// # Errors
/// When the file is missing, empty, no regular file, unreadable, no database, of another program or another schema.
pub(super) fn examine(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    examine_type(path)?;
    let mut head = Vec::new();
    let file = files::open_regular(path).map_err(io)?;
    file.take(LENGTH as u64)
        .read_to_end(&mut head)
        .map_err(|source| OpenError::Unreadable { path: path.to_owned(), source })?;
    if open::ended_uncleanly(path) && (head.is_empty() || is_blank(&head)) {
        return Ok(());
    }
    of_header(path, &head)
}

/// Whether these first bytes of a file are those of a database of Newswire, of any schema.
pub(super) fn is_ours(head: &[u8]) -> bool {
    head.starts_with(MAGIC) && number(head, 68) == APPLICATION_ID
}

fn of_header(path: &Path, head: &[u8]) -> Result<(), OpenError> {
    let path = path.to_owned();
    if head.is_empty() {
        return Err(OpenError::Empty { path });
    }
    if head.len() < LENGTH || !head.starts_with(MAGIC) {
        let kind = if head.starts_with(MAGIC) { None } else { file_kind::known(head) };
        return Err(OpenError::NotDatabase { path, kind });
    }
    if is_blank(head) {
        return Err(OpenError::Empty { path });
    }
    let (found, known) = (number(head, 60), SCHEMA as i64);
    if number(head, 68) != APPLICATION_ID {
        return Err(OpenError::NotOurs { path, found: number(head, 68) });
    }
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(OpenError::Newer { path, found, known }),
        std::cmp::Ordering::Less => Err(OpenError::Older { path, found, known }),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

/// Whether this is a database without tables: one page, and no application id yet.
fn is_blank(head: &[u8]) -> bool {
    head.starts_with(MAGIC) && number(head, 68) == 0 && number(head, 28) <= 1
}

/// The big-endian number at this offset; 0 if the header is shorter.
fn number(head: &[u8], at: usize) -> i64 {
    let bytes = head.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    bytes.map_or(0, |bytes| i64::from(i32::from_be_bytes(bytes)))
}

/// Why a file that the command line names cannot be used as a database, with remedies that fit: the config does not
/// name it.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub struct FileError(OpenError);

impl From<OpenError> for FileError {
    fn from(error: OpenError) -> Self {
        Self(error)
    }
}

impl FileError {
    /// The codes that [`OpenError`] does not have.
    pub const CODES: &'static [&'static str] = &["no_file", "not_a_database"];

    /// Whether the file is a damaged database, of which a part may be readable.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        self.0.is_damage()
    }

    fn text(&self) -> String {
        match &self.0 {
            OpenError::Missing { path } => format!("there is no file {}", path.display()),
            error => error.to_string(),
        }
    }
}

impl Coded for FileError {
    fn code(&self) -> &'static str {
        match &self.0 {
            OpenError::Missing { .. } => "no_file",
            OpenError::NotDatabase { .. } => "not_a_database",
            error => error.code(),
        }
    }

    fn help(&self) -> Option<Cow<'static, str>> {
        let help = match &self.0 {
            OpenError::Missing { path } if path == Path::new("-") => {
                "standard input cannot be read here; save the copy to a file and name the file"
            }
            OpenError::Missing { .. } => "check the path",
            OpenError::NotRegular { .. } => "name a file",
            OpenError::NotDatabase { .. } | OpenError::NotOurs { .. } | OpenError::Empty { .. } => {
                "name a database of Newswire, such as a copy that 'newswire backup' made"
            }
            OpenError::Newer { .. } => "use the newer version of newswire for this file",
            OpenError::Older { .. } => "use the older version of newswire for this file",
            OpenError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run the command as a user who may read the file"
            }
            OpenError::Sqlite { .. } if self.0.is_damage() => {
                "use an older copy, or 'newswire repair FILE', which keeps what can be read of it"
            }
            error => return error.help(),
        };
        Some(help.into())
    }
}

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

/// Nothing is fetched while less than this is free, in bytes: polls under way and other programs need space too.
const NEEDED: u64 = 16 * 1024 * 1024;

/// Whether the file system has enough free space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskSpace {
    /// At least the needed bytes are free.
    Enough,
    /// There is so little that fetching has to stop.
    Low {
        /// Free space of the file system, in bytes.
        free: u64,
        /// Bytes that have to be free.
        needed: u64,
    },
}

/// Asks the file system of the database. One that cannot be asked counts as having enough.
pub(super) fn space(database: &Path) -> DiskSpace {
    match rustix::fs::statvfs(files::folder(database)) {
        // Blocks that are reserved for root do not count.
        Ok(disk) => compare(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize),
        Err(_) => DiskSpace::Enough,
    }
}

/// Compares with what is needed: on a small file system a quarter of it.
fn compare(free: u64, size: u64) -> DiskSpace {
    let needed = NEEDED.min(size / 4);
    if free < needed { DiskSpace::Low { free, needed } } else { DiskSpace::Enough }
}

/// Size of the database and free space beside it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseSize {
    /// Size of the database file.
    pub database: u64,
    /// Size of its write-ahead log.
    pub log: u64,
    /// Free space of the file system, for this user.
    pub free: u64,
}

/// Free pages that stay in the database at least, for what is written next: 1 MiB.
const SPARE: usize = 128;

impl Transaction<'_> {
    /// Returns free pages at the end of the database to the file system, moving others there; a sixteenth of the pages may
    /// stay free. At most `limit` in one step. Returns how many.
    pub(super) fn return_pages(&self, limit: usize) -> Result<usize, Error> {
        let count = |what: &str| {
            let read = |row: &Row<'_>| row.get::<_, i64>(0);
            let count = self.connection.pragma_query_value(None, what, read)?;
            Ok::<_, Error>(usize::try_from(count).unwrap_or_default())
        };
        let spare = SPARE.max(count("page_count")? / 16);
        let excess = count("freelist_count")?.saturating_sub(spare).min(limit);
        if excess > 0 {
            // Each row is a page.
            let mut pages =
                self.connection.prepare(&format!("PRAGMA incremental_vacuum({excess})"))?;
            let mut rows = pages.raw_query();
            while rows.next()?.is_some() {}
        }
        Ok(excess)
    }
}

impl Reader {
    /// Size of the database, and free space of its file system.
    ///
    /// # Errors
    /// When the system does not report them.
    pub fn sizes(&self) -> io::Result<DatabaseSize> {
        let path = self.path();
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let system = rustix::fs::statvfs(path)?;
        Ok(DatabaseSize {
            database: fs::metadata(path)?.len(),
            // The log does not exist before the first write and after a clean end.
            log: fs::metadata(log).map_or(0, |log| log.len()),
            free: system.f_bavail.saturating_mul(system.f_frsize),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn a_file_is_recognised_before_sqlite_opens_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let ours = at("ours.db");
        drop(open::writer(&ours).unwrap());
        assert!(examine(&ours).is_ok());
        let bytes = fs::read(&ours).unwrap();
        let with = |offset: usize, value: i32| {
            let mut bytes = bytes.clone();
            bytes[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
            bytes
        };
        fs::write(at("empty"), b"").unwrap();
        fs::write(at("text"), "no database\n".repeat(20)).unwrap();
        fs::write(at("short"), &bytes[..50]).unwrap();
        fs::write(at("other"), with(68, 0)).unwrap();
        fs::write(at("newer"), with(60, 99)).unwrap();
        fs::write(at("older"), with(60, 1)).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let code = |name: &str| FileError(examine(&at(name)).unwrap_err()).code();
        assert_eq!(code("missing"), "no_file");
        assert_eq!(code("empty"), "database_empty");
        assert_eq!(code("text"), "not_a_database");
        assert_eq!(code("short"), "not_a_database");
        assert_eq!(code("other"), "database_of_other_program");
        assert_eq!(code("newer"), "database_newer");
        assert_eq!(code("older"), "database_older");
        assert_eq!(code("folder"), "not_a_file");
        assert_eq!(code("socket"), "not_a_file");
        let beside = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 9, "nothing is created beside a file");
    }

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

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn below_16_mib_or_a_quarter_of_a_small_disk_is_low() {
        assert_eq!(compare(16 * MIB, 100_000 * MIB), DiskSpace::Enough);
        let short = DiskSpace::Low { free: 16 * MIB - 1, needed: 16 * MIB };
        assert_eq!(compare(16 * MIB - 1, 100_000 * MIB), short);
        assert_eq!(compare(MIB, 4 * MIB), DiskSpace::Enough);
        assert_eq!(compare(0, 4 * MIB), DiskSpace::Low { free: 0, needed: MIB });
    }

    #[test]
    fn a_missing_folder_is_not_a_full_disk() {
        assert_eq!(space(Path::new("/no/such/folder/newswire.db")), DiskSpace::Enough);
        let folder = tempfile::tempdir().unwrap();
        // A machine that builds this has enough space.
        assert_eq!(space(&folder.path().join("newswire.db")), DiskSpace::Enough);
    }
}
