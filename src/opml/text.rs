//! Decodes bytes to text, resolves references, and reduces texts to single lines.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::error::Error;
use crate::text::bidi;
use crate::text::file_kind;
use crate::text::html::resolve_references;

/// The text, in the encoding that a byte order mark or an XML declaration names, else UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    if file_kind::utf16(bytes).is_some() {
        // Without a byte order mark; the zeros are valid UTF-8.
        let at = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
        return Err(Error::Encoding(at));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let named = declared(bytes).filter(|encoding| *encoding != UTF_8);
            let encoding = named.ok_or(Error::Encoding(error.valid_up_to()))?;
            Ok(encoding.decode_without_bom_handling(bytes).0)
        }
    }
}

/// The encoding that `<?xml … encoding="…"?>` names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

/// Resolves the five references of XML and numeric references. Entities that the document declares are not
/// resolved, and text that is not a reference stays: a bare `&` in a URL is common.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    resolve_references(text, 10, |name| Some(Cow::Owned(character(name)?.to_string())))
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// One line of at most `most` characters, with white space collapsed, without control characters and
/// characters that XML 1.0 2.2 forbids. `None` when nothing is left.
pub(super) fn line(text: &str, most: usize) -> Option<String> {
    // Bidirectional controls would change the order of the text around them.
    let fits = |c: &char| !matches!(c, '\u{fffd}'..='\u{ffff}') && !bidi::is_control(*c);
    let mut line = String::with_capacity(text.len());
    let mut apart = false;
    for c in text.chars().filter(fits) {
        if c.is_whitespace() || c.is_control() {
            apart = !line.is_empty();
            continue;
        }
        if std::mem::take(&mut apart) {
            line.push(' ');
        }
        line.push(c);
    }
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
    }
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// A URL without user name and password; any other text unchanged.
pub(super) fn hidden(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Cow::Borrowed(text) };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((secret, _)) => Cow::Owned(format!("{scheme}://…{}", &rest[secret.len()..])),
        None => Cow::Borrowed(text),
    }
}
