//! Character references of HTML.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// `&CounterClockwiseContourIntegral;` is the longest name.
const LONGEST: usize = 33;

/// Where a reference is: attributes keep what has no semicolon.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Text,
    Attribute,
}

/// What stands where an `&` is.
pub(super) enum Reference {
    /// No reference.
    None,
    /// A reference of so many bytes.
    Characters { first: char, second: Option<char>, length: usize },
    /// A reference without its semicolon, to no character, or one that only looks like one.
    Unusual,
}

/// The reference that `text` starts with, HTML 13.2.5.72 to 84.
pub(super) fn reference(text: &str, place: Place) -> Reference {
    if text.as_bytes().get(1) == Some(&b'#') {
        return complete(text).map_or(Reference::Unusual, |(length, [first, second])| {
            first.map_or(Reference::Unusual, |first| Reference::Characters {
                first,
                second,
                length,
            })
        });
    }
    let name = text.as_bytes()[1..].iter().take(LONGEST);
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
    // An address in an attribute is full of them: `?a=1&b=2`.
    let ambiguous = match place {
        Place::Attribute => behind != Some(&b'=') && known(length),
        Place::Text => (1..=length).any(known),
    };
    if length == LONGEST || ambiguous { Reference::Unusual } else { Reference::None }
}

/// Reads the character references that publishers left in plain text by escaping twice.
///
/// Half of the field writes `AT&amp;amp;T` or `&#8217;` in titles that are declared plain, and hardly
/// anybody means the reference itself. Only what is complete and known is read, once, and nothing
/// at all where a raw `<` shows that the publisher does write plain text.
pub(super) fn references(text: &str) -> Cow<'_, str> {
    if !text.contains('&') || text.contains('<') {
        return Cow::Borrowed(text);
    }
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
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

/// The complete reference that `text` starts with: its length in bytes and the one or two characters it is for.
fn complete(text: &str) -> Option<(usize, [Option<char>; 2])> {
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
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

/// HTML 13.2.5.80: a reference to a C1 control means the Windows-1252 character of that number.
fn numbered(code: u32) -> Option<char> {
    let c1 = usize::try_from(code).ok()?.checked_sub(0x80).and_then(|at| C1_REPLACEMENTS.get(at));
    c1.copied().flatten().or_else(|| char::from_u32(code)).filter(|c| *c != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_left_by_double_escaping_are_read_once() {
        for (written, read) in [
            ("AT&amp;T", "AT&T"),
            ("It&#8217;s &#x201c;ok&#x201D;", "It’s “ok”"),
            ("R&D & more; &unknown; &amp", "R&D & more; &unknown; &amp"),
            ("&amp;amp;", "&amp;"),
            ("a < b &amp; c", "a < b &amp; c"),
            ("&#146;&#0;&#xD800;&#99999999;", "’&#0;&#xD800;&#99999999;"),
            ("&;&#;&#x;&é;", "&;&#;&#x;&é;"),
            ("&NotEqualTilde;", "≂̸"),
        ] {
            assert_eq!(references(written), read);
        }
    }
}
