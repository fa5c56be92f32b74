//! Writes files into a directory so that no reader ever sees half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::render::{Coding, Document};

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The file had the same bytes already and was not touched.
    Unchanged,
    /// The file was created or replaced.
    Replaced,
}

/// Writes `bytes` to `directory/file_name`: a temporary file beside it, fsync, rename, fsync of
/// the directory. Creates the directory where it is missing. A symlink at the target is replaced,
/// never followed. The file is readable for all (mode 0644), so that a web server can serve it.
///
/// # Errors
/// When `file_name` would leave the directory, or the file system fails; the message names the
/// path. The old file is then still there, whole.
pub fn write_atomically(directory: &Path, file_name: &str, bytes: &[u8]) -> io::Result<Written> {
    put(directory, file_name, bytes, None)
}

/// Writes a document and its compressed siblings `.gz`, `.br` and `.zst`, for a web server that
/// sends those as they are. All have the modification time of the document.
///
/// The siblings come first: none is ever older than the document, and where one cannot be written
/// the document stays as it was too.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_document(
    directory: &Path,
    file_name: &str,
    document: &Document,
) -> io::Result<Written> {
    for coding in Coding::COMPRESSED {
        let name = format!("{file_name}.{}", coding.suffix());
        put(directory, &name, &document.bytes(coding), document.modified)?;
    }
    put(directory, file_name, &document.body, document.modified)
}

fn put(
    directory: &Path,
    file_name: &str,
    bytes: &[u8],
    modified: Option<Timestamp>,
) -> io::Result<Written> {
    let target = directory.join(file_name);
    let explain = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", target.display()))
    };
    if file_name.is_empty() || file_name.starts_with('.') || file_name.contains(['/', '\\', '\0']) {
        return Err(explain(io::Error::new(io::ErrorKind::InvalidInput, "no plain file name")));
    }
    fs::create_dir_all(directory).map_err(explain)?;
    if has_bytes(&target, bytes) {
        return Ok(Written::Unchanged);
    }
    replace(directory, file_name, bytes, modified).map_err(explain)?;
    Ok(Written::Replaced)
}

/// Whether `target` is a regular file with exactly these bytes.
fn has_bytes(target: &Path, bytes: &[u8]) -> bool {
    fs::symlink_metadata(target)
        .is_ok_and(|meta| meta.is_file() && meta.len() == bytes.len() as u64)
        && fs::read(target).is_ok_and(|there| there == bytes)
}

fn replace(
    directory: &Path,
    file_name: &str,
    bytes: &[u8],
    modified: Option<Timestamp>,
) -> io::Result<()> {
    // Always the same hidden name: the next write reuses what a killed process left behind.
    let prefix = format!(".{file_name}");
    match fs::remove_file(directory.join(format!("{prefix}.new"))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".new")
        .rand_bytes(0)
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    // Set after opening, so that no umask takes it away.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    if let Some(modified) = modified {
        file.as_file().set_modified(system_time(modified))?;
    }
    file.as_file().sync_all()?;
    file.persist(directory.join(file_name)).map_err(|error| error.error)?;
    // The rename is an entry of the directory.
    File::open(directory)?.sync_all()
}

/// The time in whole seconds, like Last-Modified.
fn system_time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::render::Format;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_with_its_folder_and_is_readable_for_all() {
        let folder = folder();
        let www = folder.path().join("a/www");
        assert_eq!(write_atomically(&www, "p.atom", b"one").unwrap(), Written::Replaced);
        assert_eq!(fs::read(www.join("p.atom")).unwrap(), b"one");
        let mode = fs::metadata(www.join("p.atom")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(names(&www), ["p.atom"], "no temporary file stays");
    }

    #[test]
    fn a_document_has_bytes_in_every_coding_and_bears_its_date() {
        let (folder, modified) = (folder(), Timestamp::constant(1_700_000_000, 0));
        let age = Duration::from_secs(300);
        let document = Document::prepare(Format::Atom, b"<feed/>".to_vec(), modified, age);
        write_document(folder.path(), "p.atom", &document).unwrap();
        assert_eq!(names(folder.path()), ["p.atom", "p.atom.br", "p.atom.gz", "p.atom.zst"]);
        for name in names(folder.path()) {
            let meta = fs::metadata(folder.path().join(&name)).unwrap();
            assert_eq!(meta.modified().unwrap(), system_time(modified), "{name}");
        }
        assert_eq!(fs::read(folder.path().join("p.atom.br")).unwrap(), &document.br[..]);
        fs::remove_file(folder.path().join("p.atom.br")).unwrap();
        assert_eq!(write_document(folder.path(), "p.atom", &document).unwrap(), Written::Unchanged);
        assert_eq!(names(folder.path()).len(), 4, "what was taken away is put back");
    }

    #[test]
    fn a_document_is_not_newer_than_its_compressed_ones() {
        let (folder, modified) = (folder(), Timestamp::constant(1_700_000_000, 0));
        let age = Duration::from_secs(300);
        let write = |body: &[u8]| {
            let document = Document::prepare(Format::Atom, body.to_vec(), modified, age);
            write_document(folder.path(), "p.atom", &document)
        };
        write(b"<feed/>").unwrap();
        // A folder where the last compressed file should stand: it cannot be written.
        fs::remove_file(folder.path().join("p.atom.zst")).unwrap();
        fs::create_dir(folder.path().join("p.atom.zst")).unwrap();
        write(b"<feed>new</feed>").unwrap_err();
        assert_eq!(fs::read(folder.path().join("p.atom")).unwrap(), b"<feed/>");
    }

    #[test]
    fn the_same_bytes_are_not_written_again() {
        let folder = folder();
        write_atomically(folder.path(), "p.atom", b"one").unwrap();
        let before = fs::metadata(folder.path().join("p.atom")).unwrap();
        assert_eq!(write_atomically(folder.path(), "p.atom", b"one").unwrap(), Written::Unchanged);
        let after = fs::metadata(folder.path().join("p.atom")).unwrap();
        use std::os::unix::fs::MetadataExt;
        assert_eq!(before.ino(), after.ino());
        assert_eq!(write_atomically(folder.path(), "p.atom", b"two").unwrap(), Written::Replaced);
        assert_eq!(fs::read(folder.path().join("p.atom")).unwrap(), b"two");
    }

    #[test]
    fn a_symlink_at_the_target_is_replaced_and_never_followed() {
        let folder = folder();
        let outside = folder.path().join("outside");
        fs::write(&outside, b"precious").unwrap();
        let www = folder.path().join("www");
        fs::create_dir(&www).unwrap();
        symlink(&outside, www.join("p.atom")).unwrap();
        symlink(&outside, www.join(".p.atom.new")).unwrap();
        write_atomically(&www, "p.atom", b"precious").unwrap();
        assert!(fs::symlink_metadata(www.join("p.atom")).unwrap().is_file());
        write_atomically(&www, "p.atom", b"new").unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"precious");
        assert_eq!(names(&www), ["p.atom"]);
    }

    #[test]
    fn what_a_killed_process_left_behind_does_not_pile_up() {
        let folder = folder();
        fs::write(folder.path().join(".p.atom.new"), b"half").unwrap();
        write_atomically(folder.path(), "p.atom", b"whole").unwrap();
        assert_eq!(names(folder.path()), ["p.atom"]);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = folder();
        let www = folder.path().join("www");
        for name in ["", ".", "..", "../x", "a/b", "/etc/x", "a\0b", ".hidden", "a\\b"] {
            let error = write_atomically(&www, name, b"x").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        assert!(names(folder.path()).is_empty(), "not even the folder was made");
    }

    #[test]
    fn an_error_names_the_path() {
        let folder = folder();
        fs::write(folder.path().join("file"), b"").unwrap();
        let error = write_atomically(&folder.path().join("file"), "p.atom", b"x").unwrap_err();
        assert!(error.to_string().contains("file/p.atom"), "{error}");
    }
}
