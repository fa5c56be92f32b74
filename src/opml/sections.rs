//! The ini of Venus and Planet, a section a feed with the address as its name, and of Pluto, where
//! the address stands under `feed`.

use super::entry::{Gather, List, MAX_OUTLINES, Said};
use super::error::Error;

/// A section with what counts of its keys.
#[derive(Default)]
struct Section<'a> {
    line: usize,
    name: &'a str,
    title: Option<&'a str>,
    page: Option<&'a str>,
    feed: Option<&'a str>,
    tags: Vec<&'a str>,
    /// Venus: the section is a list of feeds, not a feed.
    is_list: bool,
}

/// Reads an ini file.
pub(super) fn read(text: &str) -> Result<List, Error> {
    let (mut gather, mut section, mut count) = (Gather::default(), Section::default(), 0);
    for (number, row) in text.lines().enumerate() {
        // A line that is set in goes on with the value above it.
        if row.starts_with([' ', '\t', '#', ';']) || row.trim().is_empty() {
            continue;
        }
        let row = row.trim_end();
        if let Some(name) = row.strip_prefix('[').and_then(|row| row.strip_suffix(']')) {
            let next = Section { line: number + 1, name: name.trim(), ..Section::default() };
            take(std::mem::replace(&mut section, next), &mut gather);
            count += 1;
            if count > MAX_OUTLINES {
                return Err(Error::TooMany(number + 1));
            }
        } else if let Some(end) = row.find(['=', ':']) {
            set(&mut section, row[..end].trim(), row[end + 1..].trim());
        }
    }
    take(section, &mut gather);
    let list = gather.finish();
    if list.entries.is_empty() && list.left_out.is_empty() {
        return Err(Error::Unknown("no section of it is a feed".to_owned()));
    }
    Ok(list)
}

fn set<'a>(section: &mut Section<'a>, key: &str, value: &'a str) {
    match key.to_ascii_lowercase().as_str() {
        "name" => section.title = Some(value),
        "title" => section.title = section.title.or(Some(value)),
        "link" => section.page = Some(value),
        "feed" => section.feed = Some(value),
        "tags" | "tag" => {
            let by_commas = value.contains(',');
            let parts = value.split(|c: char| if by_commas { c == ',' } else { c.is_whitespace() });
            section.tags.extend(parts);
        }
        "content_type" => section.is_list |= ["opml", "foaf", "rdf", "csv"].contains(&value),
        _ => {}
    }
}

fn take(section: Section<'_>, gather: &mut Gather) {
    let Section { line, name, title, page, feed, tags, is_list } = section;
    // Settings of the planet, of its templates and of its filters are no feeds.
    let is_address = name.contains("://") || name.get(..5).is_some_and(|s| s == "feed:");
    match feed.or(is_address.then_some(name)) {
        Some(_) if is_list => {
            gather.leave(line, name, "it is a list of feeds: follow it with [[subscriptions]]");
        }
        Some(url) => gather.take(Said { line, url, title, page, tags }),
        None => {}
    }
}
