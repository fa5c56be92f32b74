//! Lists of feeds that are text files of other programs.
//!
//! The urls file of newsboat has one feed per line, followed by its tags. `"~title"` sets the title, `"!"` hides
//! the feed, `#` starts a comment.
//!
//! The ini file of Planet and Venus has the URL of a feed as the name of a section, and that of Pluto has it in the
//! key `feed`.

use std::fmt::Write as _;

use super::feed_list::{Error, FeedList, ListBuilder, MAX_OUTLINES, RawFeed, SkippedEntry, line};
use crate::text::quoted::in_quotes;

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
pub(super) fn read_newsboat(text: &str) -> Result<FeedList, Error> {
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
            "no line contains a URL; it begins with {first}",
            first = in_quotes(first)
        )));
    }
    Ok(builder.build())
}

/// Quotes, also those that word processors make of straight ones: the first, and those that can end the word.
const QUOTES: [(char, &[char]); 4] =
    [('"', &['"']), ('“', &['”']), ('„', &['“', '”']), ('”', &['”'])];

/// The words of a line. Quotes keep white space; a backslash in quotes escapes the next character.
fn words(row: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), row.trim_start());
    while !rest.is_empty() && !rest.starts_with('#') {
        let quoted =
            QUOTES.iter().find_map(|(open, close)| Some((rest.strip_prefix(*open)?, *close)));
        let (word, after) = match quoted {
            Some((quoted, close)) => quoted_word(quoted, close),
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

fn quoted_word<'t>(text: &'t str, close: &[char]) -> (String, &'t str) {
    let (mut word, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            c if close.contains(&c) => return (word, &text[at + c.len_utf8()..]),
            '\\' => word.extend(chars.next().map(|(_, c)| c)),
            c => word.push(c),
        }
    }
    (word, "")
}

/// A section of an ini file.
#[derive(Default)]
struct Section<'a> {
    line: usize,
    name: &'a str,
    keys: Vec<Setting<'a>>,
}

/// A key of a section with its value, which may have several lines.
struct Setting<'a> {
    line: usize,
    key: &'a str,
    value: String,
}

impl Section<'_> {
    /// The last value of a key that is not blank.
    fn get(&self, key: &str) -> Option<&str> {
        let named = self.keys.iter().rev().filter(|it| it.key.eq_ignore_ascii_case(key));
        named.map(|it| it.value.trim()).find(|value| !value.is_empty())
    }

    fn tags(&self) -> Vec<&str> {
        let names = ["tags", "tag"];
        let is_tags = |it: &&Setting<'_>| names.iter().any(|key| it.key.eq_ignore_ascii_case(key));
        let values = self.keys.iter().filter(is_tags).map(|it| it.value.as_str());
        let parts = values.flat_map(|value| {
            let by_commas = value.contains(',');
            value.split(move |c: char| if by_commas { c == ',' } else { c.is_whitespace() })
        });
        parts.collect()
    }
}

/// Keys of Planet and Venus that change or drop items.
const FILTER_KEYS: [&str; 9] = [
    "exclude",
    "excludes",
    "filter",
    "filter_directories",
    "filters",
    "ignore_in_feed",
    "include",
    "includes",
    "xpath_filter",
];

/// Endings of the templates and filters of Planet and Venus, whose settings are sections too.
const TEMPLATES: [&str; 8] = ["dj", "genshi", "plugin", "py", "sed", "tmpl", "xsl", "xslt"];

/// Parses an ini file as the `ConfigParser` of Python does, which all planets in Python use.
pub(super) fn read_planet(text: &str) -> Result<FeedList, Error> {
    let (mut builder, mut section, mut count) = (ListBuilder::default(), Section::default(), 0);
    // Indent of the key above, whose value the lines continue that are indented more.
    let (mut above, mut has_feeds) = (None::<usize>, false);
    for (number, row) in text.lines().enumerate() {
        let (number, row) = (number + 1, row.trim_end());
        let words = row.trim_start();
        if words.is_empty() || words.starts_with(['#', ';']) {
            continue;
        }
        let indent = row.len() - words.len();
        let is_continuation = above.is_some_and(|above| indent > above);
        let name = words.strip_prefix('[').map(section_name);
        if let Some(name) = name.filter(|name| !is_continuation || is_address(name.trim())) {
            let next = Section { line: number, name: name.trim(), keys: Vec::new() };
            has_feeds |= add(&std::mem::replace(&mut section, next), &mut builder);
            above = None;
            count += 1;
            if count > MAX_OUTLINES {
                return Err(Error::TooMany(number));
            }
        } else if let (true, Some(setting)) = (is_continuation, section.keys.last_mut()) {
            setting.value.extend(["\n", words]);
        } else if let Some(end) = words.find(['=', ':']) {
            let (key, value) = (words[..end].trim(), without_comment(words[end + 1..].trim()));
            section.keys.push(Setting { line: number, key, value: value.to_owned() });
            above = Some(indent);
        }
    }
    has_feeds |= add(&section, &mut builder);
    match has_feeds {
        true => Ok(builder.build()),
        false => {
            let mut message = "no section of the ini file is a feed".to_owned();
            if let Some(SkippedEntry { line, name, reason }) = builder.build().skipped.first() {
                let _ = write!(message, "; line {line}, {}: {reason}", in_quotes(name));
            }
            Err(Error::UnknownFormat(message))
        }
    }
}

/// The name of a section, from what follows its `[`. What follows its `]` is a comment. The URL of a host without a name,
/// or its query, may have a `]` too.
fn section_name(text: &str) -> &str {
    let is_end = |at: &usize| {
        let after = text[at + 1..].chars().next();
        after.is_none_or(|c| c.is_whitespace() || matches!(c, '#' | ';'))
    };
    let brackets = || text.match_indices(']').map(|(at, _)| at);
    let end = brackets().find(is_end).or_else(|| brackets().next());
    &text[..end.unwrap_or(text.len())]
}

/// A value without the comment behind it, which begins with a semicolon behind white space.
fn without_comment(value: &str) -> &str {
    let mut marks = value.match_indices(';').map(|(at, _)| at);
    match marks.find(|at| value[..*at].ends_with(char::is_whitespace)) {
        Some(at) => value[..at].trim_end(),
        None => value,
    }
}

fn is_filter(key: &str) -> bool {
    FILTER_KEYS.iter().any(|filter| key.eq_ignore_ascii_case(filter))
}

fn is_address(name: &str) -> bool {
    name.contains("://") || name.get(..5).is_some_and(|scheme| scheme == "feed:")
}

/// Whether a section has the settings of the planet, of a template or of a filter.
fn is_settings(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ["", "planet", "default"].iter().any(|known| name.eq_ignore_ascii_case(known))
        || ending.is_some_and(|ending| TEMPLATES.contains(&ending))
}

/// Adds the feed of a section, or reports why it is not one. Returns whether the section names a feed.
fn add(section: &Section<'_>, builder: &mut ListBuilder) -> bool {
    let &Section { line, name, .. } = section;
    let filters = section.keys.iter().filter(|it| is_filter(it.key) && !it.value.trim().is_empty());
    for Setting { line, key, .. } in filters {
        let setting = format!("{key} in [{name}]");
        builder.ignore(
            *line,
            &setting,
            "filters are not imported; set include or exclude in an [[output]]",
        );
    }
    let Some(url) = section.get("feed").or(is_address(name).then_some(name)) else {
        if !is_settings(name) {
            let reason = "its name is not a URL with http:// or https://, and it has no key feed";
            builder.skip(line, name, reason);
        }
        return false;
    };
    // Venus: the section names a list of feeds, not a feed.
    if section.get("content_type").is_some_and(|it| ["opml", "foaf", "rdf", "csv"].contains(&it)) {
        builder.skip(line, name, "it is a list of feeds; follow it with [[subscriptions]]");
        return true;
    }
    let title = section.get("name").or_else(|| section.get("title"));
    builder.add(RawFeed { line, url, title, page: section.get("link"), tags: section.tags() });
    true
}
