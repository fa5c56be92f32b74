//! What the `style` attribute of an element declares (CSS Style Attributes 3).

/// The declarations of a style in lower case, in their order: name and value, without `!important`.
pub(super) fn declarations(style: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let pairs = style.split(';').filter_map(|part| part.split_once(':'));
    pairs.map(|(name, value)| (name.trim(), value.trim().trim_end_matches("!important").trim_end()))
}
