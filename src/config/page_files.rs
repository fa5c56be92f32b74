//! The files that the operator adds to the pages of an output.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::named_file;
use super::value::Invalid;
use crate::render::Logo;

/// Maximum size of a style sheet or a part of a page, in bytes.
const MAX_PAGE_TEXT: u64 = 256 << 10;
/// Maximum size of a picture, in bytes.
const MAX_PICTURE: u64 = 1 << 20;

fn bad_file(path: &Path, error: &io::Error, help: &str) -> Invalid {
    Invalid::new("bad_file", format!("cannot read {path:?}: {error}"), help)
}

/// The text of a style sheet or of a part of a page.
pub(super) fn text(path: &Path) -> Result<Arc<str>, Invalid> {
    let text = named_file::read_text(path, MAX_PAGE_TEXT);
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
        _ => return Err(Invalid::new("bad_file", format!("{path:?} is not a picture"), HELP)),
    };
    let bytes = named_file::read(path, MAX_PICTURE);
    let bytes = bytes.map_err(|error| bad_file(path, &error, HELP))?;
    Ok(Logo { bytes: bytes.into(), media_type })
}
