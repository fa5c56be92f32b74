//! Language tags.

/// The tag where it can be one, `None` for anything else; case is the publisher's.
///
/// RFC 5646 2.1, by syntax: two or three letters, then subtags of up to eight letters and digits.
pub(super) fn tag(written: &str) -> Option<String> {
    // As locales are written; 35 characters hold every tag of RFC 5646 4.4.1.
    let tag = written.trim().replace('_', "-");
    let mut subtags = tag.split('-');
    let primary = subtags.next().unwrap_or_default();
    let fits = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags
            .all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    (fits && tag.len() <= 35).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn only_what_can_be_a_language_tag_is_one() {
        for language in ["de", "en-us", "zh-Hant-TW", "sr-Latn-RS-x-private", "yue"] {
            assert_eq!(tag(&format!(" {language}\n")).as_deref(), Some(language));
        }
        assert_eq!(tag("en_US").as_deref(), Some("en-US"));
        for other in ["", "-", "english", "e", "en-", "en us", "de,en", "<b>", "dé", "en-123456789"]
        {
            assert_eq!(tag(other), None, "{other}");
        }
    }
}
