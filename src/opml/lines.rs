//! newsboat's urls file: a feed a line, with its tags; `"~title"`, `"!"` hides, `#` is a comment.

use super::entry::{Gather, List, MAX_OUTLINES, Said};
use super::error::Error;
use super::text::line;

/// What newsboat makes feeds of, and newswire does not.
const NOT_TAKEN: [(&str, &str); 4] = [
    ("query:", "it is a query over other feeds: make an [[output]] with include"),
    ("exec:", "newswire runs no programs: serve what it prints over http"),
    (
        "filter:",
        "newswire runs no programs: add the address behind it, with exclude in an [[output]]",
    ),
    ("file:", "newswire reads no feeds from files: serve it over http, and allow that network"),
];

/// Reads a urls file.
pub(super) fn read(text: &str) -> Result<List, Error> {
    let (mut gather, mut feeds, mut known) = (Gather::default(), 0, false);
    for (number, row) in text.lines().enumerate() {
        let number = number + 1;
        let words = words(row);
        let Some((first, rest)) = words.split_first() else { continue };
        feeds += 1;
        if feeds > MAX_OUTLINES {
            return Err(Error::TooMany(number));
        }
        if let Some((_, why)) = NOT_TAKEN.iter().find(|(kind, _)| first.starts_with(kind)) {
            known = true;
            gather.leave(number, first, *why);
            continue;
        }
        known |= first.contains("://");
        let title = rest.iter().find_map(|word| word.strip_prefix('~'));
        let tags = rest.iter().filter(|word| !word.starts_with('~'));
        // One that begins with `!` hides the feed in newsboat.
        let tags = tags.map(|tag| tag.trim_start_matches('!')).collect();
        gather.take(Said { line: number, url: first, title, page: None, tags });
    }
    if !known {
        let first = text.lines().find_map(|row| line(row, 40)).unwrap_or_default();
        return Err(Error::Unknown(format!("no line of it has an address, {first:?}")));
    }
    Ok(gather.finish())
}

/// The words of a line; quotes keep white space together, a backslash in quotes the next character.
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
