//! The ini file of Planet and Venus, where the name of a section is the URL of a feed, and of Pluto, where
//! the key `feed` holds it.

use super::feed_list::{Error, FeedList, ListBuilder, MAX_OUTLINES, RawFeed};

/// A section with the keys that are read.
#[derive(Default)]
struct Section<'a> {
    line: usize,
    name: &'a str,
    title: Option<&'a str>,
    page: Option<&'a str>,
    feed: Option<&'a str>,
    tags: Vec<&'a str>,
    /// Venus: the section names a list of feeds, not a feed.
    is_list: bool,
    /// Filters, which are not imported: line and key.
    filters: Vec<(usize, &'a str)>,
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

/// Parses an ini file.
pub(super) fn read(text: &str) -> Result<FeedList, Error> {
    let (mut builder, mut section, mut count) = (ListBuilder::default(), Section::default(), 0);
    // A filter whose value is in the lines below it.
    let mut open = None;
    for (number, row) in text.lines().enumerate() {
        if row.starts_with(['#', ';']) || row.trim().is_empty() {
            continue;
        }
        // An indented line continues the value above it.
        if row.starts_with([' ', '\t']) {
            section.filters.extend(open.take());
            continue;
        }
        open = None;
        let row = row.trim_end();
        if let Some(name) = row.strip_prefix('[').and_then(|row| row.strip_suffix(']')) {
            let next = Section { line: number + 1, name: name.trim(), ..Section::default() };
            add(std::mem::replace(&mut section, next), &mut builder);
            count += 1;
            if count > MAX_OUTLINES {
                return Err(Error::TooMany(number + 1));
            }
        } else if let Some(end) = row.find(['=', ':']) {
            let (key, value) = (row[..end].trim(), row[end + 1..].trim());
            set(&mut section, key, value);
            let filter = is_filter(key).then_some((number + 1, key));
            match value.is_empty() {
                true => open = filter,
                false => section.filters.extend(filter),
            }
        }
    }
    add(section, &mut builder);
    let list = builder.build();
    if list.feeds.is_empty() && list.skipped.is_empty() {
        return Err(Error::UnknownFormat("no section of the ini file is a feed".to_owned()));
    }
    Ok(list)
}

fn is_filter(key: &str) -> bool {
    FILTER_KEYS.iter().any(|filter| key.eq_ignore_ascii_case(filter))
}

fn set<'a>(section: &mut Section<'a>, key: &'a str, value: &'a str) {
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

fn add(section: Section<'_>, builder: &mut ListBuilder) {
    let Section { line, name, title, page, feed, tags, is_list, filters } = section;
    for (line, key) in filters {
        let setting = format!("{key} in [{name}]");
        builder.ignore(
            line,
            &setting,
            "filters are not imported; set include or exclude in an [[output]]",
        );
    }
    // Other sections are settings of the planet and of its templates.
    let is_address = name.contains("://") || name.get(..5).is_some_and(|s| s == "feed:");
    match feed.or(is_address.then_some(name)) {
        Some(_) if is_list => {
            builder.skip(line, name, "it is a list of feeds; follow it with [[subscriptions]]");
        }
        Some(url) => builder.add(RawFeed { line, url, title, page, tags }),
        None => {}
    }
}
