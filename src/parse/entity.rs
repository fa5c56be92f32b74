//! References: XML's, HTML's and numbers, to the characters they stand for.
//!
//! What a document's own DOCTYPE declares is never expanded: that is how bombs are built.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use quick_xml::escape::resolve_html5_entity;

/// Replaces references; what is none stays as it is.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        // No name is longer.
        let end = rest.bytes().take(33).position(|byte| byte == b';');
        match end.and_then(|end| Some((end, entity(&rest[..end])?))) {
            Some((end, value)) => {
                plain.push_str(&value);
                rest = &rest[end + 1..];
            }
            None => plain.push('&'),
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// What a reference stands for.
pub(crate) fn entity(name: &str) -> Option<Cow<'static, str>> {
    let Some(number) = name.strip_prefix('#') else {
        return resolve_html5_entity(name).map(Cow::Borrowed);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    // HTML 13.2.5.80: numbers from 128 to 159 mean Windows-1252.
    if let Some(byte) = u8::try_from(code).ok().filter(|byte| (0x80..=0x9f).contains(byte)) {
        let bytes = [byte];
        let (text, _, _) = WINDOWS_1252.decode(&bytes);
        return Some(Cow::Owned(text.into_owned()));
    }
    char::from_u32(code).map(|c| Cow::Owned(c.to_string()))
}
