//! References: XML's, HTML's and numbers, to the characters they stand for.
//!
//! Of what a document's own DOCTYPE declares, only plain short texts count: entities that name
//! other entities are how bombs are built.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::text::html::resolve_references;

/// Replaces references; what is none stays as it is.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    // No name is longer.
    resolve_references(text, 33, entity)
}

/// No declared entity is longer,
const MAX_VALUE: usize = 512;
/// and no document declares more of them.
const MAX_DECLARED: usize = 100;

/// The plain texts that the inside of a DOCTYPE declares, by name.
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

/// What a reference stands for.
pub(crate) fn entity(name: &str) -> Option<Cow<'static, str>> {
    // XML 1.0 4.6: nearly all there are.
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
        // What is unknown comes back as it was, or as a shorter name with a rest.
        return (known && !value.ends_with(';') || name == "semi")
            .then(|| Cow::Owned(value.into_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_html_and_numbers_are_read_and_others_are_not() {
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
