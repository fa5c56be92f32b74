//! Edits of a config as text: everything outside the lines that change stays byte for byte.

use std::ops::Range;

use toml_edit::Document;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text without the section of a feed and the comment right above it; `None`: sections are nested in it.
pub(super) fn without_section(text: &str, at: usize) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let table = document.get("feed")?.as_array_of_tables()?.get(at)?;
    if table.iter().any(|(_, item)| item.is_table() || item.is_array_of_tables()) {
        return None;
    }
    let ends = table.iter().filter_map(|(_, item)| item.span()).map(|span| span.end);
    let header = table.span()?;
    let end = ends.chain([header.end]).max()?;
    let lines = with_comment(text, header.start..end);
    // One of the empty lines around it goes with it.
    let (before, after) = (&text[..lines.start], &text[lines.end..]);
    let before = match before.strip_suffix("\r\n").or_else(|| before.strip_suffix('\n')) {
        Some(shorter) if shorter.is_empty() || shorter.ends_with('\n') => shorter,
        _ => before,
    };
    Some(format!("{before}{after}"))
}

/// The text without a key of a feed and the comment right above it; `None`: the key is not there, or in several parts.
pub(super) fn without_key(text: &str, at: usize, key: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let table = document.get("feed")?.as_array_of_tables()?.get(at)?;
    let (name, item) = table.get_key_value(key)?;
    let value = item.as_value()?;
    let lines = with_comment(text, name.span()?.start..value.span()?.end);
    Some(format!("{}{}", &text[..lines.start], &text[lines.end..]))
}

/// The lines of a range, and those with comments right above them.
fn with_comment(text: &str, range: Range<usize>) -> Range<usize> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |line| line + 1);
    let mut start = line_start(range.start);
    while start > 0 {
        let above = line_start(start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    let end = text[range.end..].find('\n').map_or(text.len(), |line| range.end + line + 1);
    start..end
}

/// The text `after`, where each line that `before` has too keeps its bytes, with the line ending. A line in place of
/// another one ends as that one, and a new line as the one above.
pub(super) fn with_endings_of(before: &str, after: &str) -> String {
    let mark = before.strip_prefix(BYTE_ORDER_MARK).map(|_| BYTE_ORDER_MARK);
    let known: Vec<&str> =
        before.trim_start_matches(BYTE_ORDER_MARK).split_inclusive('\n').collect();
    let lines: Vec<&str> =
        after.trim_start_matches(BYTE_ORDER_MARK).split_inclusive('\n').collect();
    let same =
        |a: &str, b: &str| a.trim_end_matches(['\r', '\n']) == b.trim_end_matches(['\r', '\n']);
    let head = known.iter().zip(&lines).take_while(|(a, b)| same(a, b)).count();
    let rest = known.len().min(lines.len()) - head;
    let tails = known.iter().rev().zip(lines.iter().rev()).take(rest);
    let tail = tails.take_while(|(a, b)| same(a, b)).count();
    let above = known.get(head.saturating_sub(1)).copied().unwrap_or_default();
    let (changed, replaced) = (&lines[head..lines.len() - tail], &known[head..known.len() - tail]);
    let mut text: String = mark.into_iter().collect();
    text.extend(known[..head].iter().copied());
    // A new line behind the last one that had no end.
    if !text.is_empty() && !text.ends_with('\n') && !changed.is_empty() {
        text.push('\n');
    }
    for (at, line) in changed.iter().enumerate() {
        let model = replaced.get(at).copied().unwrap_or(above);
        match line.strip_suffix('\n').filter(|_| model.ends_with("\r\n")) {
            Some(line) => text.extend([line.trim_end_matches('\r'), "\r\n"]),
            None => text.push_str(line),
        }
    }
    text.extend(known[known.len() - tail..].iter().copied());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_not_change_keep_their_ends() {
        let before = "\u{feff}a = 1\r\nb = 2\nc = 3\r\nd = 4";
        let after = "a = 1\nb = 2\nc = 5\nx = 6\nd = 4";
        let expected = "\u{feff}a = 1\r\nb = 2\nc = 5\r\nx = 6\nd = 4";
        assert_eq!(with_endings_of(before, after), expected);
        assert_eq!(with_endings_of("a\r\nb\r\n", "a\nx\nb\n"), "a\r\nx\r\nb\r\n");
        assert_eq!(with_endings_of("a\nb", "a\nb\nc\n"), "a\nb\nc\n");
    }
}
