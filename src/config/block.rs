//! One `[[feed]]` as it stands in a config. Leaves where it is put to `cli`.

use std::fmt::Write as _;

use crate::model::Feed;

/// The block of a feed: its address, and its id, title and tags where it has any.
#[must_use]
pub fn feed_block(feed: &Feed) -> String {
    let mut block = format!("[[feed]]\nurl = {}\n", quoted(feed.url.as_str()));
    if let Some(id) = &feed.id {
        let _ = writeln!(block, "id = {}", quoted(id.as_str()));
    }
    if let Some(title) = &feed.title {
        let _ = writeln!(block, "title = {}", quoted(title));
    }
    if !feed.tags.is_empty() {
        let tags: Vec<String> = feed.tags.iter().map(|tag| quoted(tag)).collect();
        let _ = writeln!(block, "tags = [{}]", tags.join(", "));
    }
    block
}

/// A basic string, TOML 1.0 "String".
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;
    use url::Url;

    use super::*;
    use crate::model::Removal;

    #[test]
    fn a_block_reads_back_as_what_it_was_made_of() {
        let title = "A \"quoted\" \\ back\u{7f}\u{1}\u{9f}\nslash ''' \"\"\" 漢 ] # =";
        let feed = Feed {
            id: None,
            url: Url::parse("https://a.example/'\"?x=#y").unwrap(),
            title: Some(title.to_owned()),
            tags: vec!["a\"b".to_owned(), String::new()],
            removal: Removal::Hide,
        };
        let block = feed_block(&feed);
        let (root, errors) = DeTable::parse_recoverable(&block);
        assert!(errors.is_empty(), "{errors:?}\n{block}");
        let table = root.get_ref()["feed"].get_ref().as_array().unwrap()[0].get_ref();
        let text = |key: &str| table.as_table().unwrap()[key].get_ref().as_str().unwrap();
        assert_eq!((text("url"), text("title")), (feed.url.as_str(), title));
        let tags = table.as_table().unwrap()["tags"].get_ref().as_array().unwrap();
        assert_eq!(tags[0].get_ref().as_str(), Some("a\"b"));
    }
}
