//! Writes the documents of an output and their compressed siblings into a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::files::{Batch, is_plain_name};
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
    if is_written(directory, file_name, &document.body) {
        return Ok(Written::Unchanged);
    }
    let same = holds(directory, file_name, Coding::Identity, &document.body);
    let mut batch = Batch::new(directory);
    for coding in Coding::COMPRESSED {
        let name = sibling(file_name, coding);
        batch.add(&name, &document.bytes(coding), document.modified)?;
    }
    if !same {
        batch.add(file_name, &document.body, document.modified)?;
    }
    batch.commit()?;
    Ok(if same { Written::Unchanged } else { Written::Replaced })
}

/// The files that exist of a document and its compressed siblings, with their codings; `path` is that of the document.
pub(super) fn existing(path: &Path) -> impl Iterator<Item = (PathBuf, Coding)> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let files = Coding::ALL.map(|coding| (path.with_file_name(sibling(name, coding)), coding));
    files.into_iter().filter(|(path, _)| path.symlink_metadata().is_ok())
}

/// Whether the directory has a file with these bytes, and all its siblings.
pub(super) fn is_written(directory: &Path, file_name: &str, body: &[u8]) -> bool {
    is_plain_name(file_name)
        && Coding::ALL.iter().all(|coding| holds(directory, file_name, *coding, body))
}

/// Whether the directory has these bytes in this coding.
pub(super) fn holds(directory: &Path, file_name: &str, coding: Coding, body: &[u8]) -> bool {
    let path = directory.join(sibling(file_name, coding));
    is_file(&path) && fs::read(&path).is_ok_and(|there| coding.decodes_to(&there, body))
}

/// File name of the document in a coding: `planet.atom.gz`.
pub(super) fn sibling(file_name: &str, coding: Coding) -> String {
    match coding {
        Coding::Identity => file_name.to_owned(),
        coding => format!("{file_name}.{}", coding.suffix()),
    }
}

fn put(
    directory: &Path,
    file_name: &str,
    bytes: &[u8],
    modified: Option<Timestamp>,
) -> io::Result<Written> {
    let target = directory.join(file_name);
    if is_plain_name(file_name)
        && is_file(&target)
        && fs::read(&target).is_ok_and(|there| there == bytes)
    {
        return Ok(Written::Unchanged);
    }
    let mut batch = Batch::new(directory);
    batch.add(file_name, bytes, modified)?;
    batch.commit()?;
    Ok(Written::Replaced)
}

/// Whether it is a regular file, not a symlink.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use std::time::{Duration, SystemTime};

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
            assert_eq!(
                meta.modified().unwrap(),
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
                "{name}"
            );
        }
        assert_eq!(
            fs::read(folder.path().join("p.atom.br")).unwrap(),
            &document.bytes(Coding::Brotli)[..]
        );
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
        // A folder at the path of the last compressed file: the file cannot be written.
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
