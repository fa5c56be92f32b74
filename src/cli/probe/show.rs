//! A document for people: what it is, what it asks of readers, what had to be mended, what is in it.

use std::fmt::Write as _;

use url::Url;

use super::document::Document;
use crate::model::{Dialect, Hints, ParsedItem, Person};
use crate::parse::{Parsed, ReadBy};

/// More of a text does not help to recognise it.
const EXCERPT: usize = 160;

/// Everything, line by line.
pub(super) fn show(url: &Url, document: &Document, parsed: &Parsed) -> String {
    let mut lines = Lines::default();
    let feed = &parsed.feed;
    lines.say("address", Some(url.as_str()));
    for hop in &document.hops {
        lines.say("redirect", Some(&format!("{} to {}", hop.status, hop.location)));
    }
    lines.say("media type", document.content_type.as_deref());
    lines.say("format", feed.dialect.map(Dialect::slug));
    let charset = format!("{}, by {}", parsed.charset, parsed.charset_by.name());
    lines.say("charset", Some(&charset));
    lines.say(
        "read by",
        Some(match parsed.reader {
            ReadBy::FeedRs => "feed-rs, ids and dates by newswire",
            ReadBy::Own => "newswire",
        }),
    );
    let bytes =
        |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| String::from_utf8_lossy(b).into_owned());
    lines.say("ETag", bytes(&document.validators.etag).as_deref());
    lines.say("Last-Modified", bytes(&document.validators.last_modified).as_deref());
    lines.say("title", feed.title.as_ref().map(|title| title.value.as_str()));
    lines.say("subtitle", feed.subtitle.as_ref().map(|text| excerpt(&text.value)).as_deref());
    lines.say("id", feed.id.as_deref());
    lines.say("language", feed.language.as_deref());
    lines.say("authors", people(&feed.authors).as_deref());
    for link in &feed.links {
        lines.say(&format!("link {}", link.rel), Some(&link.href));
    }
    hints(&mut lines, &feed.hints);
    if feed.partial {
        lines.say("cut", Some("the end is missing or could not be read"));
    }
    for warning in &parsed.parse_warnings {
        let place = warning.offset.map_or_else(String::new, |at| format!(" at byte {at}"));
        lines.say("mended", Some(&format!("{}{place}: {}", warning.code, warning.message)));
    }
    lines.say("items", Some(&feed.items.len().to_string()));
    for item in &feed.items {
        lines.text.push('\n');
        self::item(&mut lines, item);
    }
    lines.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// One line, if there is something to say. Control characters are not for terminals.
    fn say(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let value: String =
                value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(self.text, "{name:<14} {value}");
        }
    }
}

fn hints(lines: &mut Lines, hints: &Hints) {
    let seconds = |value: Option<u64>| value.map(|seconds| format!("{seconds} s"));
    let numbers = |numbers: &[u8]| numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
    lines.say("ttl", seconds(hints.ttl).as_deref());
    lines.say("update period", seconds(hints.period).as_deref());
    lines.say("skip hours", Some(&numbers(&hints.skip_hours)));
    lines.say("skip days", Some(&numbers(&hints.skip_days)));
    lines.say("hubs", Some(&hints.hubs.join(" ")));
    lines.say("older items", hints.older.as_deref());
}

fn item(lines: &mut Lines, item: &ParsedItem) {
    lines.say("title", item.title.as_ref().map(|title| title.value.as_str()));
    let permalink = if item.id_is_permalink { " (its page)" } else { "" };
    lines.say("  id", item.id.as_ref().map(|id| format!("{id}{permalink}")).as_deref());
    lines.say("  page", item.page());
    lines.say("  published", item.published.map(|at| at.to_string()).as_deref());
    lines.say("  updated", item.updated.map(|at| at.to_string()).as_deref());
    lines.say("  authors", people(&item.authors).as_deref());
    let terms: Vec<&str> = item.categories.iter().map(|category| category.term.as_str()).collect();
    lines.say("  categories", Some(&terms.join(", ")));
    for file in &item.enclosures {
        let length = file.length.map_or_else(String::new, |length| format!(", {length} bytes"));
        lines.say("  enclosure", Some(&format!("{} ({}{length})", file.url, file.media_type)));
    }
    for image in &item.thumbnails {
        lines.say("  picture", Some(&image.url));
    }
    lines.say("  comments", item.comments.as_deref());
    let source =
        item.source.as_ref().and_then(|source| source.title.as_ref().or(source.feed_url.as_ref()));
    lines.say("  source", source.map(String::as_str));
    lines.say("  summary", item.summary.as_ref().map(|text| excerpt(&text.value)).as_deref());
    lines.say("  content", item.content.as_ref().map(|text| excerpt(&text.value)).as_deref());
}

fn people(people: &[Person]) -> Option<String> {
    let of = |person: &Person| match &person.email {
        Some(email) => format!("{} <{email}>", person.name).trim().to_owned(),
        None => person.name.clone(),
    };
    (!people.is_empty()).then(|| people.iter().map(of).collect::<Vec<_>>().join(", "))
}

fn excerpt(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}… ({} characters)", &words[..end], text.chars().count()),
        None => words,
    }
}
