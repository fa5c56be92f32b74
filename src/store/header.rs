//! What a file is, by its type and the first 100 bytes: SQLite is only given files that are databases of Newswire. A
//! pipe would block it, and it creates files beside each file that it opens.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::error::OpenError;
use super::open::{self, APPLICATION_ID, SCHEMA};
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

#[cfg(test)]
mod tests {
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
}
