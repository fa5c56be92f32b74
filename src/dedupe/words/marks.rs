//! Marks inside words that are written in several ways. Pure.

/// Length of initials at the beginning of a text: "U.S.", "U. S." and "US" are one word.
pub(super) fn initials(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut end, mut count) = (0, 0, 0);
    while let [b'A'..=b'Z', b'.', ..] = &bytes[at..] {
        (end, count) = (at + 2, count + 1);
        at = end + usize::from(bytes.get(end) == Some(&b' '));
    }
    (count > 1).then_some(end)
}

/// Whether a quotation mark inside a Hebrew word stands for the gershayim of a number or an abbreviation. `rest` is the
/// text behind it.
pub(super) fn is_gershayim(mark: char, first: char, rest: &str) -> bool {
    let is_hebrew = |c: char| matches!(c, 'א'..='ת');
    matches!(mark, '"' | '”') && is_hebrew(first) && rest.starts_with(is_hebrew)
}
