//! Marks the words of a search in texts.

use crate::model::OutputItem;
use crate::render::{Presentation, Story, story};

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
    let words = search_terms(search);
    let has = |text: &str| marked(text, search).iter().any(|part| part.found);
    if words.is_empty() || has(&story.excerpt) {
        return;
    }
    let is_wanted = |word: &str| {
        let lower = word.to_lowercase();
        words.iter().any(|wanted| lower.starts_with(wanted.as_str()))
    };
    if let Some(excerpt) = story::excerpt_around(entry, presentation, is_wanted) {
        story.excerpt = excerpt;
    }
}

/// The words of a search that are marked, in lower case.
fn search_terms(search: &str) -> Vec<String> {
    let words = search.split(|c: char| c.is_whitespace() || c == '"');
    words
        .filter(|word| !word.starts_with('-') && word.chars().any(char::is_alphanumeric))
        .map(str::to_lowercase)
        .collect()
}

/// The text in parts, of which those are marked that begin with a word of the search, whatever their case.
pub(super) fn marked(text: &str, search: &str) -> Vec<Part> {
    let words = search_terms(search);
    let mut parts: Vec<Part> = Vec::new();
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let lower = word.to_lowercase();
        let found = words.iter().any(|wanted| lower.starts_with(wanted.as_str()));
        let letters = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let (letters, rest) = if found { word.split_at(letters.len()) } else { ("", word) };
        for (text, found) in [(letters, true), (rest, false)] {
            match parts.last_mut().filter(|last| last.found == found) {
                _ if text.is_empty() => {}
                Some(last) => last.text.push_str(text),
                None => parts.push(Part { text: text.to_owned(), found }),
            }
        }
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
        assert_eq!(shown("Garbage collector", "\"garbage coll\""), "[Garbage] [collector]");
        assert_eq!(shown("A game of Go", "go -game"), "A game of [Go]");
        assert_eq!(shown("Straße ÄÖÜ", "ä"), "Straße [ÄÖÜ]");
        for search in ["", "\"\"", "-", "%"] {
            assert_eq!(shown("100 % of <b>", search), "100 % of <b>", "{search}");
        }
        assert!(marked("", "x").is_empty());
    }
}
