//! Writes files into a directory so that no reader ever sees half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tempfile::TempPath;

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
    let mut batch = Batch::new(directory)?;
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

/// Whether the directory has a file with these bytes, and all its siblings.
pub(super) fn is_written(directory: &Path, file_name: &str, body: &[u8]) -> bool {
    is_plain(file_name)
        && Coding::ALL.iter().all(|coding| holds(directory, file_name, *coding, body))
}

/// Whether the directory has these bytes in this coding.
fn holds(directory: &Path, file_name: &str, coding: Coding, body: &[u8]) -> bool {
    let path = directory.join(sibling(file_name, coding));
    is_file(&path) && fs::read(&path).is_ok_and(|there| coding.decodes_to(&there, body))
}

/// `planet.atom.gz`.
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
    if is_plain(file_name)
        && is_file(&target)
        && fs::read(&target).is_ok_and(|there| there == bytes)
    {
        return Ok(Written::Unchanged);
    }
    if !is_plain(file_name) {
        return Err(cannot_write(&target, &io::Error::new(io::ErrorKind::InvalidInput, NO_NAME)));
    }
    let mut batch = Batch::new(directory).map_err(|error| cannot_write(&target, &error))?;
    batch.add(file_name, bytes, modified)?;
    batch.commit()?;
    Ok(Written::Replaced)
}

const NO_NAME: &str = "not a plain file name";

fn cannot_write(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// Whether it is the name of a file in this directory, and not hidden.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Whether it is a regular file, not a symlink.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

/// Files of one directory that are made durable together: one sync for all of them instead of one
/// each. Until [`Batch::commit`] nothing is visible.
pub(super) struct Batch {
    directory: PathBuf,
    /// Temporary files with the names that they get, in this order.
    files: Vec<(TempPath, String)>,
    /// Files that are removed before that.
    stale: Vec<PathBuf>,
}

impl Batch {
    /// An empty batch. Creates the directory where it is missing.
    ///
    /// # Errors
    /// When the directory cannot be created.
    pub(super) fn new(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory).map_err(|error| cannot_write(directory, &error))?;
        Ok(Self { directory: directory.to_owned(), files: Vec::new(), stale: Vec::new() })
    }

    /// Adds a file: written, not yet durable.
    ///
    /// # Errors
    /// When `name` would leave the directory, or the file system fails; the message names the path.
    pub(super) fn add(
        &mut self,
        name: &str,
        bytes: &[u8],
        modified: Option<Timestamp>,
    ) -> io::Result<()> {
        let failed = |error: io::Error| cannot_write(&self.directory.join(name), &error);
        if !is_plain(name) {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, NO_NAME)));
        }
        let file = temporary(&self.directory, name, bytes, modified).map_err(failed)?;
        self.files.push((file, name.to_owned()));
        Ok(())
    }

    /// Removes a file when the batch is committed, if it is there.
    pub(super) fn remove(&mut self, name: &str) {
        self.stale.push(self.directory.join(name));
    }

    /// Makes all files durable, then visible, in the order in which they were added.
    ///
    /// A kill at any point leaves whole files only: some of the batch may be new, the others are as
    /// they were.
    ///
    /// # Errors
    /// When the file system fails; the message names the path.
    pub(super) fn commit(self) -> io::Result<()> {
        let failed = |error: &io::Error| cannot_write(&self.directory, error);
        let folder = File::open(&self.directory).map_err(|error| failed(&error))?;
        // syncfs waits for whatever else is written to this file system: for a few files it is the
        // worse choice.
        let synced = self.files.len() >= MANY && sync_file_system(&folder).is_ok();
        if !synced {
            for (file, name) in &self.files {
                let sync = || File::open(file)?.sync_all();
                sync().map_err(|error| cannot_write(&self.directory.join(name), &error))?;
            }
        }
        for path in &self.stale {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(cannot_write(path, &error));
                }
                _ => {}
            }
        }
        for (file, name) in self.files {
            let target = self.directory.join(name);
            file.persist(&target).map_err(|error| cannot_write(&target, &error.error))?;
        }
        // The renames are entries of the directory.
        folder.sync_all().map_err(|error| cannot_write(&self.directory, &error))
    }
}

/// From this number of files on they are synced with the whole file system.
const MANY: usize = 16;

/// Makes everything written to the file system of `file` durable, and reports an error of any write
/// to it (since Linux 5.8).
#[cfg(target_os = "linux")]
fn sync_file_system(file: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(file)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A hidden file with these bytes beside the target.
fn temporary(
    directory: &Path,
    file_name: &str,
    bytes: &[u8],
    modified: Option<Timestamp>,
) -> io::Result<TempPath> {
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
    Ok(file.into_temp_path())
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
