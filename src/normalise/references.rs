//! Character references of HTML.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

use crate::text::html::join_surrogates;

/// Length of the longest name: `&CounterClockwiseContourIntegral;`.
const MAX_REFERENCE: usize = 33;

/// Where a reference is. Attributes keep references without semicolon.
#[derive(Clone, Copy)]
pub(super) enum Position {
    Text,
    Attribute,
}

/// What follows an `&`.
pub(super) enum Reference {
    /// The `&` is a plain character.
    None,
    /// A reference with its length in bytes.
    Characters { first: char, second: Option<char>, length: usize },
    /// A reference without semicolon, an invalid one, or an ambiguous one.
    Unusual,
}

/// The reference at the start of `text`, HTML 13.2.5.72 to 84.
pub(super) fn reference(text: &str, position: Position) -> Reference {
    if text.as_bytes().get(1) == Some(&b'#') {
        return complete(text).map_or(Reference::Unusual, |(length, [first, second])| {
            first.map_or(Reference::Unusual, |first| Reference::Characters {
                first,
                second,
                length,
            })
        });
    }
    let name = text.as_bytes()[1..].iter().take(MAX_REFERENCE);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let behind = text.as_bytes().get(1 + length);
    if length == 0 {
        return Reference::None;
    }
    if behind == Some(&b';')
        && let Some((length, [Some(first), second])) = complete(text)
    {
        return Reference::Characters { first, second, length };
    }
    let known = |end: usize| NAMED_ENTITIES.get(&text[1..=end]).is_some_and(|found| found.0 != 0);
    // URLs in attributes contain `?a=1&b=2`.
    let ambiguous = match position {
        Position::Attribute => behind != Some(&b'=') && known(length),
        Position::Text => (1..=length).any(known),
    };
    if length == MAX_REFERENCE || ambiguous { Reference::Unusual } else { Reference::None }
}

/// Resolves character references that double escaping left in plain text.
///
/// Many publishers write `AT&amp;amp;T` or `&#8217;` in titles of type `text`. Only complete and known
/// references are resolved, once. A text with a raw `<` is really plain text and stays unchanged.
pub(super) fn references(text: &str) -> Cow<'_, str> {
    if !text.contains('&') || text.contains('<') {
        return Cow::Borrowed(text);
    }
    let mut read = String::with_capacity(text.len());
    let joined = join_surrogates(text);
    let mut rest = &*joined;
    while let Some(at) = rest.find('&') {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        match complete(rest) {
            Some((length, [first, second])) => {
                read.extend(first);
                read.extend(second);
                rest = &rest[length..];
            }
            None => {
                read.push('&');
                rest = &rest[1..];
            }
        }
    }
    read.push_str(rest);
    Cow::Owned(read)
}

/// The complete reference at the start of `text`: its length in bytes, and one or two characters.
fn complete(text: &str) -> Option<(usize, [Option<char>; 2])> {
    let end = text.bytes().take(MAX_REFERENCE).position(|byte| byte == b';')?;
    let name = text.get(1..=end)?;
    let characters = if let Some(number) =
        name.strip_prefix('#').and_then(|number| number.strip_suffix(';'))
    {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
            None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse(),
            _ => return None,
        };
        [Some(numbered(code.ok()?)?), None]
    } else {
        let &(first, second) = NAMED_ENTITIES.get(name)?;
        let character = |code| char::from_u32(code).filter(|c| *c != '\0');
        [Some(character(first)?), character(second)]
    };
    Some((end + 1, characters))
}

/// The character of a numeric reference. Numbers of C1 controls are Windows-1252, HTML 13.2.5.80.
fn numbered(code: u32) -> Option<char> {
    let c1 = usize::try_from(code).ok()?.checked_sub(0x80).and_then(|at| C1_REPLACEMENTS.get(at));
    c1.copied().flatten().or_else(|| char::from_u32(code)).filter(|c| *c != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_left_by_double_escaping_are_resolved_once() {
        for (written, read) in [
            ("AT&amp;T", "AT&T"),
            ("It&#8217;s &#x201c;ok&#x201D;", "It’s “ok”"),
            ("R&D & more; &unknown; &amp", "R&D & more; &unknown; &amp"),
            ("&amp;amp;", "&amp;"),
            ("a < b &amp; c", "a < b &amp; c"),
            ("&#146;&#0;&#xD800;&#99999999;", "’&#0;&#xD800;&#99999999;"),
            ("&;&#;&#x;&é;", "&;&#;&#x;&é;"),
            ("&NotEqualTilde;", "≂̸"),
            ("&#55357;&#56832; &#x2764;", "😀 ❤"),
        ] {
            assert_eq!(references(written), read);
        }
    }
}
