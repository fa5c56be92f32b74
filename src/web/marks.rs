//! Marks the words of a search in texts.

use crate::model::OutputItem;
use crate::render::{Presentation, Story, story};
use crate::store::SearchQuery;

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
    if let Some(excerpt) = story::excerpt_around(entry, presentation, |word| query.has_word(word)) {
        story.excerpt = excerpt;
    }
}

/// The text in parts, of which those are marked that the search finds: words that begin with one of its words, and parts of
/// texts without spaces.
pub(super) fn marked(text: &str, search: &str) -> Vec<Part> {
    let query = SearchQuery::read(search);
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |text: &str, found| match parts.last_mut().filter(|last| last.found == found) {
        _ if text.is_empty() => {}
        Some(last) => last.text.push_str(text),
        None => parts.push(Part { text: text.to_owned(), found }),
    };
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let Some(query) = query.as_ref().filter(|query| query.has_word(word)) else {
            add(word, false);
            continue;
        };
        let letters = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let (mut rest, behind) = word.split_at(letters.len());
        let is_run = query.first_run(rest).is_some();
        while let Some((at, length)) = query.first_run(rest) {
            add(&rest[..at], false);
            add(&rest[at..at + length], true);
            rest = &rest[at + length..];
        }
        add(rest, !is_run);
        add(behind, false);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, search: &str) -> String {
        let part = |part: &Part| match part.found {
            true => format!("[{}]", part.text),
            false => part.text.clone(),
        };
        marked(text, search).iter().map(part).collect()
    }

    #[test]
    fn words_of_the_search_are_marked() {
        assert_eq!(shown("Rust, rusty and trust", "RUST"), "[Rust], [rusty] and trust");
        assert_eq!(shown("Garbage collector", "\"garbage coll\""), "[Garbage] collector");
        assert_eq!(shown("A game of Go", "go -game"), "A game of [Go]");
        assert_eq!(shown("Straße ÄÖÜ", "ä"), "Straße [ÄÖÜ]");
        assert_eq!(shown("Crème brûlée", "creme"), "[Crème] brûlée");
        assert_eq!(shown("日本語のニュース、日本", "日本"), "[日本]語のニュース、[日本]");
        for search in ["", "\"\"", "-", "%"] {
            assert_eq!(shown("100 % of <b>", search), "100 % of <b>", "{search}");
        }
        assert!(marked("", "x").is_empty());
    }
}
