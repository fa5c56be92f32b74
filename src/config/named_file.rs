//! Reads files that the config names: regular files with a bounded size.

use std::io;
use std::path::Path;

use crate::files;

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// When it cannot be read, is larger, or is not a regular file.
pub(super) fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    files::read_bounded(files::open_regular(path)?, max)?
        .ok_or_else(|| io::Error::other(format!("larger than {max} bytes")))
}

/// The same as text.
///
/// # Errors
/// As [`read`], or when it is not UTF-8.
pub(super) fn read_text(path: &Path, max: u64) -> io::Result<String> {
    String::from_utf8(read(path, max)?).map_err(|_| io::Error::other("not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "larger than 4 bytes");
        for device in ["/dev/zero", "/dev/null", folder.path().to_str().unwrap()] {
            let error = read(Path::new(device), 5).unwrap_err().to_string();
            assert_eq!(error, "not a regular file", "{device}");
        }
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().to_string(), "not UTF-8");
    }

    #[test]
    fn a_pipe_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        if made.is_ok_and(|status| status.success()) {
            // Without a writer, an open would wait forever.
            assert_eq!(read(&path, 5).unwrap_err().to_string(), "not a regular file");
        }
    }
}
