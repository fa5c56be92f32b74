//! Where a tag ends, also one without its `>` or a quote.
//!
//! A quote begins a value only after `=`, and a slash belongs to a value without quotes (HTML 13.2.5). A `<` outside of
//! quotes is never part of a tag (XML 1.0 3.1). Each byte is read a limited number of times.

use std::borrow::Cow;

use quick_xml::events::attributes::Attributes;

use super::scan::MAX_ATTRIBUTES;

/// Where a tag ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Where quick-xml finds its end too, or nowhere.
    Regular,
    /// Before the `<` at this byte offset: its `>` is missing.
    Cut(usize),
    /// At the `>` at this byte offset, although quotes are missing or where no value begins.
    Misquoted(usize),
}

/// Where the tag at the beginning of a text ends. The tag is a start tag or an end tag.
pub(super) fn end(text: &str) -> End {
    let bytes = text.as_bytes();
    let (mut at, mut is_misquoted, mut is_value) = (1, false, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'>' if is_misquoted => return End::Misquoted(at),
            b'>' => return End::Regular,
            b'<' => return End::Cut(at),
            b'"' | b'\'' => match closing_quote(text, at).filter(|_| is_value) {
                Some(closing) => at = closing,
                None => is_misquoted = true,
            },
            _ => {}
        }
        is_value = *byte == b'=' || is_value && byte.is_ascii_whitespace();
        at += 1;
    }
    End::Regular
}

/// Byte offset of the quote that closes the value whose quote is at `open`; `None` if it is not closed: the next quote is
/// that of another attribute or is in a text.
fn closing_quote(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let length = memchr::memchr(bytes[open], &bytes[open + 1..])?;
    let (value, behind) = (&text[open + 1..open + 1 + length], bytes.get(open + length + 2));
    let is_apart = behind.is_none_or(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte));
    let leaves_tag = || value.split_once('>').is_some_and(|(_, rest)| rest.contains('<'));
    (is_apart || !names_attribute(value) && !leaves_tag()).then_some(open + 1 + length)
}

/// Whether a text ends with the beginning of an attribute: `a.mp3 type=`.
fn names_attribute(text: &str) -> bool {
    let Some(text) = text.trim_end().strip_suffix('=') else { return false };
    let is_name = |c: char| c.is_alphanumeric() || "-_:.".contains(c);
    let before = text.trim_end_matches(is_name);
    before.len() < text.len() && before.ends_with(|c: char| c.is_ascii_whitespace())
}

/// Whether the quotes of a tag are as XML or HTML have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Regular,
    Wrong,
}

/// Names and values of attributes, with their references.
#[derive(Debug, Default)]
pub(super) struct Written<'a> {
    pub(super) found: Vec<(&'a str, Cow<'a, str>)>,
    /// Number of attributes beyond the limit.
    pub(super) surplus: usize,
    /// Whether some of the tag is no attribute.
    pub(super) is_broken: bool,
}

/// The attributes of a start tag; `inside` is what is between `<` and `>` or `/>`.
pub(super) fn attributes(inside: &str, quotes: Quotes) -> Written<'_> {
    if quotes == Quotes::Wrong {
        let found = misquoted(inside).into_iter().map(|(name, it)| (name, Cow::Borrowed(it)));
        return Written { found: found.collect(), ..Written::default() };
    }
    let name = inside.find(|c: char| c.is_ascii_whitespace() || c == '/');
    let Some(name) = name else { return Written::default() };
    let mut written = Written::default();
    // The check for duplicate names has quadratic cost.
    for attribute in Attributes::html(inside, name).with_checks(false) {
        match attribute {
            Ok(_) if written.found.len() == MAX_ATTRIBUTES => written.surplus += 1,
            Ok(attribute) => written.found.push((attribute.key.0, attribute.value)),
            Err(_) => written.is_broken = true,
        }
    }
    written
}

/// The attributes of a tag whose quotes are wrong. A value that is not closed ends at white space.
fn misquoted(inside: &str) -> Vec<(&str, &str)> {
    let blank = |c: char| c.is_ascii_whitespace();
    let until = |at: usize, end: &dyn Fn(char) -> bool| {
        inside[at..].find(end).map_or(inside.len(), |length| at + length)
    };
    let mut at = until(0, &|c| blank(c) || c == '/');
    let mut found = Vec::new();
    loop {
        let start = until(at, &|c| !blank(c) && c != '/');
        let name_end = until(start, &|c| blank(c) || c == '=' || c == '/');
        if name_end == start || found.len() == MAX_ATTRIBUTES {
            return found;
        }
        let name = inside[start..name_end].trim_matches(['"', '\'']);
        let equals = until(name_end, &|c| !blank(c));
        if !inside[equals..].starts_with('=') {
            at = equals;
            continue;
        }
        let open = until(equals + 1, &|c| !blank(c));
        let is_quoted = inside[open..].starts_with(['"', '\'']);
        let from = open + usize::from(is_quoted);
        // Not beyond the closing quote: many values would be searched to the end of the tag.
        let closing = if is_quoted { closing_quote(inside, open) } else { None };
        let to = closing.unwrap_or_else(|| until(from, &blank));
        at = to + usize::from(closing.is_some());
        if !name.is_empty() {
            found.push((name, &inside[from..to]));
        }
    }
}

/// Whether the last attribute of a tag has a value without quotes, to which a slash before `>` belongs. `inside` is what
/// is between `<` and `/>`.
pub(super) fn ends_unquoted(inside: &str) -> bool {
    let last = inside.rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
    let value = last.split_once('=').map_or("", |(_, value)| value);
    last.len() < inside.len() && !value.is_empty() && !last.contains(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_ends_where_it_is_meant_to_end() {
        for regular in [
            "<a>",
            "<a b=\"1\" c='2'/>",
            "<a b=\"x > y < z\">",
            "<a b=\"<p>it's</p>\" c=\"d\">",
            "<a b=\"1\"c=\"2\">",
            "<a b=c/>",
            "<a b",
            "</a>",
            "<a b=\"x=\"/>",
        ] {
            assert_eq!(end(regular), End::Regular, "{regular}");
        }
        for cut in ["<y", "<br ", "</title ", "<y \" holds", "<a b=1 ", "<y=\"1\" "] {
            assert_eq!(end(&format!("{cut}</title>\"\">")), End::Cut(cut.len()), "{cut}");
        }
        for misquoted in [
            "<a b=\"x.mp3 c=\"d\" e=\"f\"/>",
            "<a b=\"x.jpg/>",
            "<a b='it's.jpg' c=\"d\"/>",
            "<a b=\"He said \"hi\" to\"/>",
        ] {
            let document = format!("{misquoted}<b>t</b><a b=\"x\"/><c d='e'/>");
            assert_eq!(end(&document), End::Misquoted(misquoted.len() - 1), "{misquoted}");
        }
        assert_eq!(end("<a b=\"x.jpg><b>t</b>"), End::Misquoted(11));
    }

    #[test]
    fn attributes_are_read_where_a_quote_is_missing() {
        for (inside, expected) in [
            (
                "e url=\"a.mp3 type=\"audio/mpeg\" length=\"1\"",
                [("url", "a.mp3"), ("type", "audio/mpeg"), ("length", "1")].as_slice(),
            ),
            ("e url=\"a.jpg", &[("url", "a.jpg")]),
            ("e url='it's.jpg' m = 'i'", &[("url", "it"), ("m", "i")]),
            ("e", &[]),
            ("e url=\"", &[("url", "")]),
            ("e é=\"ü b=\"c\"", &[("é", "ü"), ("b", "c")]),
        ] {
            assert_eq!(misquoted(inside), expected, "{inside}");
        }
    }

    #[test]
    fn many_values_without_white_space_cost_linear_time() {
        for part in ["\"=\"x\"", "=\"x\"", "'='x'", "a='x b=\"y"] {
            let inside = format!("e {}", part.repeat(300_000));
            let found = misquoted(&inside);
            assert!(found.len() <= MAX_ATTRIBUTES, "{part}");
        }
    }

    #[test]
    fn a_slash_belongs_to_a_value_without_quotes() {
        assert!(ends_unquoted("rss version=\"2.0\" xmlns:dc=http://purl.org/dc/elements/1.1"));
        for inside in ["a", "a b", "a b=\"c=d\"", "a b=\"c d=e\"", "a b=", "a=b"] {
            assert!(!ends_unquoted(inside), "{inside}");
        }
    }
}
