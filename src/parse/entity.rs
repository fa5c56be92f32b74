//! Character and entity references of XML and HTML.
//!
//! Of the entities that a DOCTYPE declares, only short plain texts are read. Entities that refer to
//! other entities can expand exponentially.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::text::html::resolve_references;

/// Replaces references. Unknown ones stay unchanged.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    // The longest name has 32 characters.
    resolve_references(text, 33, entity)
}

/// Maximum length of a declared entity in bytes.
const MAX_VALUE: usize = 512;
/// Maximum number of declared entities.
const MAX_DECLARED: usize = 100;

/// Names and values of the entities that a DOCTYPE declares.
pub(crate) fn declared(doctype: &str) -> Vec<(&str, &str)> {
    doctype.split("<!ENTITY").skip(1).filter_map(declared_one).take(MAX_DECLARED).collect()
}

fn declared_one(declaration: &str) -> Option<(&str, &str)> {
    let declaration = declaration.strip_prefix(|c: char| c.is_ascii_whitespace())?.trim_start();
    let (name, rest) = declaration.split_once(|c: char| c.is_ascii_whitespace())?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = rest[1..].split(quote).next()?;
    (value.len() <= MAX_VALUE && !value.contains(['&', '%', '<'])).then_some((name, value))
}

/// The text that a reference is replaced by; `name` is without `&` and `;`.
pub(crate) fn entity(name: &str) -> Option<Cow<'static, str>> {
    // XML 1.0 4.6: the most frequent ones.
    match name {
        "amp" => return Some(Cow::Borrowed("&")),
        "lt" => return Some(Cow::Borrowed("<")),
        "gt" => return Some(Cow::Borrowed(">")),
        "quot" => return Some(Cow::Borrowed("\"")),
        "apos" => return Some(Cow::Borrowed("'")),
        _ => {}
    }
    let Some(number) = name.strip_prefix('#') else {
        let known = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let reference = format!("&{name};");
        let value = htmlize::unescape(&reference);
        // An unknown name is returned unchanged, or as a shorter known name with a rest.
        return (known && !value.ends_with(';') || name == "semi")
            .then(|| Cow::Owned(value.into_owned()));
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    // HTML 13.2.5.80: numbers from 128 to 159 are Windows-1252.
    if let Some(byte) = u8::try_from(code).ok().filter(|byte| (0x80..=0x9f).contains(byte)) {
        let bytes = [byte];
        let (text, _, _) = WINDOWS_1252.decode(&bytes);
        return Some(Cow::Owned(text.into_owned()));
    }
    char::from_u32(code).map(|c| Cow::Owned(c.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_and_numeric_references_are_resolved_and_others_are_not() {
        for (name, value) in [
            ("amp", "&"),
            ("alpha", "α"),
            ("OElig", "Œ"),
            ("semi", ";"),
            ("nbsp", "\u{a0}"),
            ("#8217", "’"),
            ("#x2019", "’"),
            ("#146", "’"),
        ] {
            assert_eq!(entity(name).as_deref(), Some(value), "{name}");
        }
        for name in ["", "nosuch", "ampx", "am p", "#", "#x", "#xd800", "#99999999"] {
            assert_eq!(entity(name), None, "{name}");
        }
    }
}
