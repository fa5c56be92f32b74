//! Files that the config names: certificates, pictures and parts of pages. Only regular files of bounded size are read.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::value::Invalid;
use crate::fetch;
use crate::files;
use crate::render::Logo;
use crate::text::file_kind;
use crate::text::quoted::in_quotes;

/// Maximum size in bytes of a file with certificates: more than all authorities that browsers trust.
const MAX_CERTIFICATES: u64 = 4 << 20;
/// Maximum size of a style sheet or a part of a page, in bytes.
const MAX_PAGE_TEXT: u64 = 256 << 10;
/// Maximum size of a picture, in bytes.
const MAX_PICTURE: u64 = 1 << 20;

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// When it cannot be read, is larger, or is not a regular file.
pub(super) fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    files::read_bounded(files::open_regular(path)?, max)?
        .ok_or_else(|| io::Error::other(format!("larger than {max} bytes")))
}

/// The same as text, without a byte order mark.
///
/// # Errors
/// As [`read`], or when it is not UTF-8.
pub(super) fn read_text(path: &Path, max: u64) -> io::Result<String> {
    let mut text = String::from_utf8(read(path, max)?).map_err(|error| {
        let kind = file_kind::binary(error.as_bytes()).or(file_kind::utf16(error.as_bytes()));
        io::Error::other(kind.map_or("not UTF-8".to_owned(), |kind| format!("it is {kind}")))
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// The certificates in a file (PEM).
pub(super) fn certificates(path: &Path) -> Result<Arc<[u8]>, Invalid> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const HELP: &str = "name a file with certificates in PEM, -----BEGIN CERTIFICATE-----";
    let invalid = |message| Invalid::new("bad_certificates", message, HELP);
    let pem = read(path, MAX_CERTIFICATES)
        .map_err(|error| invalid(format!("cannot read {}: {error}", quoted(path))))?;
    if !pem.windows(BEGIN.len()).any(|part| part == BEGIN) {
        return Err(invalid(format!("{} has no certificate", quoted(path))));
    }
    match fetch::check_authorities(&pem) {
        Ok(()) => Ok(pem.into()),
        Err(_) => Err(invalid(format!("{} has a certificate that cannot be read", quoted(path)))),
    }
}

/// The path as messages name it.
fn quoted(path: &Path) -> String {
    in_quotes(path.to_string_lossy())
}

fn bad_file(path: &Path, error: &io::Error, help: &str) -> Invalid {
    Invalid::new("bad_file", format!("cannot read {}: {error}", quoted(path)), help)
}

/// The text of a style sheet or of a part of a page.
pub(super) fn page_text(path: &Path) -> Result<Arc<str>, Invalid> {
    let text = read_text(path, MAX_PAGE_TEXT);
    text.map(Into::into)
        .map_err(|error| bad_file(path, &error, "name a text file (UTF-8) of at most 256 KiB"))
}

/// A picture, whose type is that of its name.
pub(super) fn picture(path: &Path) -> Result<Logo, Invalid> {
    const HELP: &str = "name an SVG, PNG, JPEG or WebP file of at most 1 MiB";
    let extension = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let media_type = match extension.to_ascii_lowercase().as_str() {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => {
            return Err(Invalid::new(
                "bad_file",
                format!("{} is not a picture", quoted(path)),
                HELP,
            ));
        }
    };
    let bytes = read(path, MAX_PICTURE);
    let bytes = bytes.map_err(|error| bad_file(path, &error, HELP))?;
    Ok(Logo { bytes: bytes.into(), media_type })
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
        std::fs::write(&path, "\u{feff}jane:pw").unwrap();
        assert_eq!(read_text(&path, 10).unwrap(), "jane:pw");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "larger than 4 bytes");
        for device in ["/dev/zero", "/dev/null", folder.path().to_str().unwrap()] {
            let error = read(Path::new(device), 5).unwrap_err().to_string();
            assert_eq!(error, "not a regular file", "{device}");
        }
        for (bytes, why) in [(&b"\xff"[..], "not UTF-8"), (b"\xff\xd8\xff", "it is a JPEG image")] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read_text(&path, 5).unwrap_err().to_string(), why);
        }
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
