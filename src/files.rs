//! Replaces files atomically: a client of a web server and a process that is killed see whole files
//! only. Reads regular files within a bound: a device never ends, and the open of a pipe may never return.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt, OpenOptionsExt as _, PermissionsExt, chown,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tempfile::TempPath;

/// Why a command does not write a file.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Something that the command did not write has the name.
    #[error("{path} exists and is not {wanted}{but}; it was not changed")]
    Occupied {
        /// Path of the target.
        path: PathBuf,
        /// What the command may replace, with an article.
        wanted: &'static str,
        /// What it is, if it is not a regular file: " but a folder".
        but: String,
    },
    /// It cannot be examined.
    #[error("failed to read {path}: {source}")]
    Io {
        /// Path of the target.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Rejects the path of a file that a command is about to create or replace, unless no file has that name, or a regular
/// file that is empty or that `is_ours` recognises by its first bytes. `wanted` is the kind of such a file, with an
/// article. A symbolic link is not followed.
///
/// # Errors
/// See [`TargetError`].
pub fn check_target(
    path: &Path,
    wanted: &'static str,
    is_ours: impl FnOnce(&[u8]) -> bool,
) -> Result<(), TargetError> {
    let io = |source| TargetError::Io { path: path.to_owned(), source };
    let occupied = |but| Err(TargetError::Occupied { path: path.to_owned(), wanted, but });
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta.map_err(io)?,
    };
    if !meta.is_file() {
        return occupied(format!(" but {}", kind(meta.file_type())));
    }
    let mut head = Vec::new();
    open_regular(path).map_err(io)?.take(HEAD).read_to_end(&mut head).map_err(io)?;
    if head.is_empty() || is_ours(&head) { Ok(()) } else { occupied(String::new()) }
}

/// Number of bytes by which a file is recognised.
const HEAD: u64 = 4096;

/// What a file is if it is not a regular file, with an article.
#[must_use]
pub fn kind(kind: fs::FileType) -> &'static str {
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "a file",
    }
}

/// The first of `NAME.END-1`, `NAME.END-2` and so on that no file has.
#[must_use]
pub fn numbered(path: &Path, end: &str) -> PathBuf {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{end}-{number}"));
        PathBuf::from(name)
    };
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    (1..u32::MAX).map(name).find(is_free).unwrap_or_else(|| name(u32::MAX))
}

/// What changes when a file is written or replaced, also by a program that sets its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    /// The stamp of the file at this path; `None`: it cannot be examined.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}

/// A regular file that is open for reading.
///
/// # Errors
/// When it cannot be opened, or is a folder, a device, a pipe or a socket.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let regular = |meta: fs::Metadata| match meta.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("not a regular file")),
    };
    // Before the open, which can have an effect on a device.
    regular(fs::metadata(path)?)?;
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    // The name may have got another file meanwhile.
    regular(file.metadata()?)?;
    Ok(file)
}

/// Reads at most `max` bytes of a file; `None`: it has more.
///
/// # Errors
/// When it cannot be read.
pub fn read_bounded(file: File, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= max))
}

/// Replaces a file that exists, durably; its mode and owner stay. Several processes may call this
/// for the same path: the last one wins.
///
/// # Errors
/// When there is no such file, or the file system fails. The old file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = fs::metadata(path)?;
    // A rename needs no permission for the file: a write protection would be without effect.
    if old.permissions().readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
    let mut file = tempfile::Builder::new()
        .prefix(REPLACEMENT)
        .rand_bytes(RANDOM)
        .tempfile_in(folder(path))?;
    // Not through the wrapper, whose errors have the name of the temporary file.
    file.as_file_mut().write_all(bytes)?;
    // Only root can change the owner. Other users own the file already or share its group.
    let _ = chown(file.path(), Some(old.uid()), Some(old.gid()));
    file.as_file().set_permissions(old.permissions())?;
    file.as_file().sync_all()?;
    persist(file.into_temp_path(), path)
}

/// Begin of the names of the temporary files of [`replace`].
const REPLACEMENT: &str = ".newswire-replacement-";
/// Number of letters and digits that follow.
const RANDOM: usize = 6;

/// Removes the temporary files of processes that were killed during [`replace`] of a file in this folder. The caller holds
/// the lock of the folder, so that no process needs them.
pub fn remove_replacements(folder: &Path) {
    let is_replacement = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let end = name.to_str().and_then(|name| name.strip_prefix(REPLACEMENT));
        end.is_some_and(|end| {
            end.len() == RANDOM && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }) && entry.file_type().is_ok_and(|kind| kind.is_file())
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_replacement) {
        let _ = fs::remove_file(entry.path());
    }
}

/// Checks that this user may [`replace`] the file.
///
/// # Errors
/// When the file or its folder cannot be written to.
pub fn check_replaceable(path: &Path) -> io::Result<()> {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
    check_writable(folder(path))
}

/// Checks that this user may create files in the folder.
///
/// # Errors
/// When the folder cannot be written to.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)?)
}

/// Creates a file, durably, with the permissions of a new file. A full disk or a process that is killed leaves no part
/// of it under this name.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when something has this name, which stays; or when the file system fails.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = new_beside(path, bytes)?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// The same; a file of this name is replaced.
///
/// # Errors
/// When the file system fails. A file of this name is then as it was.
pub fn create_or_replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(new_beside(path, bytes)?, path)
}

/// A temporary file beside `path` with these bytes, durable.
fn new_beside(path: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    // The umask restricts it as it does other new files: the daemon may run as another user.
    let mut file = tempfile::Builder::new()
        .prefix(".newswire.")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder(path))?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// The remedy for an error of a full or read-only file system; `None`: another error.
#[must_use]
pub fn remedy(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("the disk is full: free space on it, then repeat the command")
        }
        io::ErrorKind::ReadOnlyFilesystem => Some(
            "the file system is mounted read-only: mount it for writing, then repeat the command",
        ),
        _ => None,
    }
}

/// Time between two attempts to take a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Takes the lock of a folder, which excludes other processes and threads that take it. It needs no permission to write
/// to the folder and leaves no file in it. Waits for another holder for at most about `wait`. The lock is released when
/// the file is dropped. `None`: the folder cannot be opened, or its file system has no locks.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when another holder still has the lock after `wait`.
pub fn lock_folder(folder: &Path, wait: Duration) -> io::Result<Option<File>> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    let mut left = wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if left.is_zero() => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
        left = left.saturating_sub(LOCK_PAUSE);
    }
}

/// Gives a temporary file of the same folder its name, durably; it replaces a file of that name. The
/// caller has made its content durable.
///
/// # Errors
/// When the file system fails.
pub fn persist(file: TempPath, path: &Path) -> io::Result<()> {
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Makes the names of the folder that contains `path` durable: a rename is an entry of the folder.
///
/// # Errors
/// When the folder cannot be opened, or the file system fails.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// The folder that contains `path`; the current folder for a bare name.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Creates a folder and those above it that are missing, durably: a folder is an entry of the folder above it.
///
/// # Errors
/// When a folder cannot be created, or the file system fails.
pub fn create_folder(path: &Path) -> io::Result<()> {
    create_with(path, &mut sync_folder)
}

fn create_with(path: &Path, sync: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = folder(path);
    if above != path && above != Path::new(".") {
        create_with(above, sync)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => sync(path),
    }
}

/// Whether this is the name of a file in a directory: no path, not hidden.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

fn cannot_write(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// Files of one directory that are made durable together: one sync for all of them instead of one
/// each. Until [`Batch::commit`] nothing is visible.
#[derive(Debug)]
pub struct Batch {
    directory: PathBuf,
    /// Temporary files with the names that they get, in this order.
    files: Vec<(TempPath, String)>,
    /// Files that are removed before that.
    stale: Vec<PathBuf>,
}

impl Batch {
    /// A batch without files for this directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), files: Vec::new(), stale: Vec::new() }
    }

    /// Adds a file: written, not yet durable. Creates the directory where it is missing.
    ///
    /// # Errors
    /// When `name` would leave the directory, or the file system fails; the message names the path.
    pub fn add(&mut self, name: &str, bytes: &[u8], modified: Option<Timestamp>) -> io::Result<()> {
        let failed = |error: io::Error| cannot_write(&self.directory.join(name), &error);
        if !is_plain_name(name) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "not a plain file name");
            return Err(failed(error));
        }
        if self.files.is_empty() {
            create_folder(&self.directory).map_err(failed)?;
        }
        let file = temporary(&self.directory, name, bytes, modified).map_err(failed)?;
        self.files.push((file, name.to_owned()));
        Ok(())
    }

    /// Removes a file when the batch is committed, if it is there.
    pub fn remove(&mut self, name: &str) {
        self.stale.push(self.directory.join(name));
    }

    /// Makes all files durable, then visible, in the order in which they were added.
    ///
    /// A kill at any point leaves whole files only: some of the batch may be new, the others are as
    /// they were.
    ///
    /// # Errors
    /// When the file system fails; the message names the path.
    pub fn commit(self) -> io::Result<()> {
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

/// Number of files from which the whole file system is synced instead of each file.
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
#[must_use]
pub fn system_time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_new_folder_is_made_durable_before_the_one_in_it() {
        let root = tempfile::tempdir().unwrap();
        let levels = ["a", "a/b", "a/b/c"].map(|level| root.path().join(level));
        let mut synced = Vec::new();
        let mut sync = |path: &Path| {
            let there = levels.iter().filter(|level| level.is_dir()).count();
            synced.push((path.to_owned(), there));
            Ok(())
        };
        create_with(&levels[2], &mut sync).unwrap();
        create_with(&levels[2], &mut sync).unwrap();
        let [a, b, c] = levels.clone();
        assert_eq!(synced, [(a, 1), (b, 2), (c, 3)]);
        let failing = create_with(&levels[2].join("d"), &mut |_| Err(io::ErrorKind::Other.into()));
        assert_eq!(failing.unwrap_err().kind(), io::ErrorKind::Other);
    }

    #[test]
    fn a_new_file_never_replaces_another_one() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.toml");
        create(&path, b"first").unwrap();
        let second = create(&path, b"second").unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        // Other users can read it, unless the umask denies that.
        fs::write(root.path().join("usual"), "").unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("a.toml"), mode("usual"));
        create_or_replace(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        let missing = create(&root.path().join("none/a.toml"), b"").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2, "a temporary file is left");
    }

    #[test]
    fn only_files_that_a_killed_process_left_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let kept = ["a.toml", ".newswire.backup", ".newswire-replacement-old.db"];
        for name in kept.into_iter().chain([".newswire-replacement-a1B2c3"]) {
            fs::write(at(name), "").unwrap();
        }
        fs::create_dir(at(".newswire-replacement-folder")).unwrap();
        std::os::unix::fs::symlink("a.toml", at(".newswire-replacement-linked")).unwrap();
        remove_replacements(root.path());
        assert!(!at(".newswire-replacement-a1B2c3").exists());
        assert!(kept.iter().all(|name| at(name).exists()));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), kept.len() + 2);
        remove_replacements(&at("none"));
    }

    #[test]
    fn the_lock_of_a_folder_has_one_holder_and_leaves_no_file() {
        let root = tempfile::tempdir().unwrap();
        let held = lock_folder(root.path(), Duration::ZERO).unwrap();
        assert!(held.is_some());
        let refused = lock_folder(root.path(), Duration::ZERO).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(held);
        // A child process that another test starts has the handle for a moment.
        assert!(lock_folder(root.path(), Duration::from_secs(60)).unwrap().is_some());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        let missing = lock_folder(&root.path().join("none"), Duration::ZERO);
        assert!(missing.unwrap().is_none());
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "").unwrap();
        assert!(create_folder(&root.path().join("a")).is_err());
        assert!(create_folder(&root.path().join("a/b")).is_err());
    }
}
