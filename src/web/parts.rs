//! Parts that several pages show: times, remedies, names of feeds, and texts with the words of a search marked. The
//! counterpart of `templates/parts.html`.

use jiff::Timestamp;
use url::Url;

use crate::health::Remedy;
use crate::model::{FeedInfo, OutputItem};
use crate::render::{Presentation, Story, story};
use crate::store::SearchQuery;
use crate::text::{amounts, dates};

/// A time as a page shows it.
#[derive(Debug, Clone)]
pub(super) struct Time {
    /// RFC 3339, for the attribute `datetime`.
    pub(super) machine: String,
    /// Full date: `14 November 2023, 22:13 UTC`.
    pub(super) date: String,
    /// Distance from now: `3h ago`, `in 3h`.
    pub(super) relative: String,
}

impl Time {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            machine: dates::rfc3339(at),
            date: dates::long(at),
            relative: if at > now { amounts::ahead(at, now) } else { amounts::ago(at, now) },
        }
    }
}

/// A remedy as a page shows it; parts that it does not have are empty.
#[derive(Debug, Clone)]
pub(super) struct RemedyParts {
    pub(super) text: String,
    pub(super) toml: String,
    pub(super) command: String,
}

impl RemedyParts {
    pub(super) fn new(remedy: &Remedy) -> Self {
        Self {
            text: remedy.text.clone(),
            toml: remedy.toml.clone().unwrap_or_default(),
            command: remedy.command.clone().unwrap_or_default(),
        }
    }
}

/// The name of a feed in a list: its title, or its id if the title is only the host, which many feeds
/// may share.
pub(super) fn feed_name(info: &FeedInfo) -> String {
    let url = Url::parse(&info.url).ok();
    match url.as_ref().and_then(Url::host_str) {
        Some(host) if host == info.title => info.id.to_string(),
        _ => info.title.clone(),
    }
}

/// The first letter or digit of a name, in upper case.
pub(super) fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric());
    first.map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
}

/// The number of a colour that depends on the id of the feed alone, 0 to 7.
pub(super) fn colour(id: &str) -> u8 {
    id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 8
}

/// Number of characters of an excerpt that a phone shows in three lines.
const VISIBLE: usize = 90;

/// A part of a text, either found by the search or not.
pub(super) struct Part {
    pub(super) text: String,
    /// Whether it is a word that the search found.
    pub(super) found: bool,
}

/// Replaces the excerpt by the part of the text that the search has found, unless the excerpt shows it.
pub(super) fn show_match(
    story: &mut Story,
    entry: &OutputItem,
    (presentation, search): (&Presentation, &str),
) {
    let Some(query) = SearchQuery::read(search) else { return };
    let parts = marked(&story.excerpt, search);
    let before = parts.iter().take_while(|part| !part.found).map(|part| part.text.chars().count());
    if parts.iter().any(|part| part.found) && before.sum::<usize>() < VISIBLE {
        return;
    }
    if let Some(excerpt) = story::excerpt_around(entry, presentation, |text| query.first_in(text)) {
        story.excerpt = excerpt;
    }
}

/// The text in parts, of which those are marked that the search finds: words that begin with one of its words, and parts of
/// texts without spaces.
pub(super) fn marked(text: &str, search: &str) -> Vec<Part> {
    let query = SearchQuery::read(search);
    let found = query.map_or_else(|| vec![(text, false)], |query| query.parts(text));
    let mut parts: Vec<Part> = Vec::new();
    for (text, found) in found.into_iter().filter(|(text, _)| !text.is_empty()) {
        match parts.last_mut().filter(|last| last.found == found) {
            Some(last) => last.text.push_str(text),
            None => parts.push(Part { text: text.to_owned(), found }),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_always_has_the_same_colour_and_initial() {
        assert_eq!(
            (initial("«éclair»"), initial("7 days"), initial("…")),
            ("É".to_owned(), "7".to_owned(), "•".to_owned())
        );
        assert_eq!(colour("example.org-feed"), colour("example.org-feed"));
        assert!((0..200).all(|n| colour(&format!("feed-{n}")) < 8));
    }

    fn shown(text: &str, search: &str) -> String {
        let part = |part: &Part| match part.found {
            true => format!("[{}]", part.text),
            false => part.text.clone(),
        };
        marked(text, search).iter().map(part).collect()
    }

    #[test]
    fn a_long_run_in_another_form_is_searched_in_a_moment() {
        // Quadratic time would be minutes.
        let (before, found) = ("ｱ".repeat(50_000), "ﾊﾟｿｺﾝｶﾞ".repeat(5_000));
        let query = SearchQuery::read("パソコン").unwrap();
        let text = format!("{before}{found}");
        assert_eq!(query.first_in(&text), Some(before.len()));
        assert_eq!(query.parts(&text).iter().filter(|(_, found)| *found).count(), 5_000);
    }

    #[test]
    fn words_of_the_search_are_marked() {
        assert_eq!(shown("Rust, rusty and trust", "RUST"), "[Rust], [rusty] and trust");
        assert_eq!(shown("Garbage collector", "\"garbage coll\""), "[Garbage] collector");
        assert_eq!(shown("A game of Go", "go -game"), "A game of [Go]");
        assert_eq!(shown("Straße ÄÖÜ", "ä"), "Straße [ÄÖÜ]");
        assert_eq!(shown("Crème brûlée", "creme"), "[Crème] brûlée");
        assert_eq!(shown("日本語のニュース、日本", "日本"), "[日本]語のニュース、[日本]");
        assert_eq!(shown("iPhone手机 🇩🇪🇫🇷", "iphone 🇩🇪"), "[iPhone]手机 [🇩🇪]🇫🇷");
        assert_eq!(shown("ｶﾞｲﾄﾞﾌﾞｯｸ", "ガイド"), "[ｶﾞｲﾄﾞ]ﾌﾞｯｸ");
        assert_eq!(
            shown("cafe\u{301} か\u{3099}いと", "café が"),
            "[cafe\u{301}] [か\u{3099}]いと"
        );
        assert_eq!(shown("㍿ｱｶﾞ", "アガ 会社"), "[㍿ｱｶﾞ]");
        for search in ["", "\"\"", "-", "%"] {
            assert_eq!(shown("100 % of <b>", search), "100 % of <b>", "{search}");
        }
        assert!(marked("", "x").is_empty());
    }
}
