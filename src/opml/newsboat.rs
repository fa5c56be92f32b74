//! The urls file of newsboat: one feed per line, followed by its tags. `"~title"` sets the title, `"!"` hides
//! the feed, `#` starts a comment.

use super::feed_list::{Error, FeedList, ListBuilder, MAX_OUTLINES, RawFeed, line};

/// Kinds of entries that Newswire does not support, with reasons.
const UNSUPPORTED: [(&str, &str); 4] = [
    ("query:", "it is a query over other feeds; write an [[output]] with include"),
    ("exec:", "Newswire runs no programs; serve the output of this one over http"),
    (
        "filter:",
        "Newswire runs no programs; add the URL at its end, and set exclude in an [[output]]",
    ),
    ("file:", "a file is not imported; add a [[feed]] with file = \"PATH\" to the config"),
];

/// Parses a urls file.
pub(super) fn read(text: &str) -> Result<FeedList, Error> {
    let (mut builder, mut feeds, mut known) = (ListBuilder::default(), 0, false);
    for (number, row) in text.lines().enumerate() {
        let number = number + 1;
        let words = words(row);
        let Some((first, rest)) = words.split_first() else { continue };
        feeds += 1;
        if feeds > MAX_OUTLINES {
            return Err(Error::TooMany(number));
        }
        if let Some((_, reason)) = UNSUPPORTED.iter().find(|(kind, _)| first.starts_with(kind)) {
            known = true;
            builder.skip(number, first, *reason);
            continue;
        }
        known |= first.contains("://");
        let title = rest.iter().find_map(|word| word.strip_prefix('~'));
        let tags = rest.iter().filter(|word| !word.starts_with('~'));
        // A tag that begins with `!` hides the feed in newsboat.
        let tags = tags.map(|tag| tag.trim_start_matches('!')).collect();
        builder.add(RawFeed { line: number, url: first, title, page: None, tags });
    }
    if !known {
        let first = text.lines().find_map(|row| line(row, 40)).unwrap_or_default();
        return Err(Error::UnknownFormat(format!(
            "no line contains a URL; it begins with {first:?}"
        )));
    }
    Ok(builder.build())
}

/// The words of a line. Quotes keep white space; a backslash in quotes escapes the next character.
fn words(row: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), row.trim_start());
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_word(quoted),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn quoted_word(text: &str) -> (String, &str) {
    let (mut word, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (word, &text[at + 1..]),
            '\\' => word.extend(chars.next().map(|(_, c)| c)),
            c => word.push(c),
        }
    }
    (word, "")
}
