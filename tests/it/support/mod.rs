//! Support of the tests: an origin that can misbehave, and a world with clock, store and config.

pub(crate) mod client;
pub(crate) mod origin;
pub(crate) mod papers;
pub(crate) mod process;
pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rustix::fs::statvfs;
use tempfile::TempDir;

/// Free space in bytes that all tests that run at one time need at most.
const SPACE: u64 = 512 << 20;

/// Parent of all folders of tests: in memory if there is space, because every file that is made durable on a disk takes
/// milliseconds. `TMPDIR` replaces it.
static PARENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let has_space = || statvfs(memory).is_ok_and(|free| free.f_bavail * free.f_frsize >= SPACE);
    match std::env::var_os("TMPDIR") {
        None if has_space() => memory.to_owned(),
        _ => std::env::temp_dir(),
    }
});

/// An empty folder, which is removed when the value is dropped.
pub(crate) fn empty_folder() -> TempDir {
    tempfile::tempdir_in(&*PARENT).unwrap()
}
