//! The places where two texts differ, in words, for people. Made on request from the texts, because fingerprints have
//! only hashes. Pure.

use jiff::Timestamp;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::house_style::{Found, Piece, compare};
use super::paragraphs::Text;
use super::titles::Title;
use super::tuning::{MAX_WORDS, SLOT_WORDS, UNIT_WORDS};
use super::words::{Kind, Word, Words, digest_of};
use crate::model::Item;

/// One place where two texts differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The words in the first text.
    pub here: String,
    /// The words in the second text.
    pub there: String,
    /// Whether both mean the same: a weekday and its date, kilometres and miles.
    pub same_meaning: bool,
}

/// A piece of a text between spaces, with its words.
struct Token<'t> {
    text: &'t str,
    words: Vec<Word>,
    digest: u64,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let pieces = text.split_whitespace().take(MAX_WORDS);
    let tokens = pieces.map(|text| {
        let Words(words) = Words::of_text(text);
        Token { text, digest: digest_of(&words), words }
    });
    tokens.filter(|token| !token.words.is_empty()).collect()
}

fn joined(tokens: &[Token<'_>]) -> String {
    let text: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let text = text.join(" ");
    text.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// The first `limit` places where other words of at most five replace the words of an item, in its title and then in
/// its text.
#[must_use]
pub fn differences(here: &Item, there: &Item, limit: usize) -> Vec<Difference> {
    let text = |item: &Item| Text::with_plain(item.content.as_deref(), item.summary.as_deref()).1;
    let title = |item: &Item| item.title.clone().unwrap_or_default();
    let published = here.published.or(there.published);
    let mut found = between(&title(here), &title(there), published);
    // Two different headlines have no places that differ.
    if Title::new(Some(&title(here))).alike(&Title::new(Some(&title(there)))) < 0.5 {
        found.clear();
    }
    found.extend(between(&text(here), &text(there), published));
    found.truncate(limit);
    found
}

fn between(here: &str, there: &str, published: Option<Timestamp>) -> Vec<Difference> {
    let (a, b) = (tokens(here), tokens(there));
    let digests = |tokens: &[Token<'_>]| tokens.iter().map(|t| t.digest).collect::<Vec<_>>();
    let mut found = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, &digests(&a), &digests(&b)) {
        let DiffOp::Replace { old_index, old_len, new_index, new_len } = op else { continue };
        if old_len > SLOT_WORDS || new_len > SLOT_WORDS {
            continue;
        }
        let (left, right) =
            (&a[old_index..old_index + old_len], &b[new_index..new_index + new_len]);
        let (one, other) = (Words::of_text(&joined(left)).0, Words::of_text(&joined(right)).0);
        let next = |tokens: &[Token<'_>], from: usize| -> Vec<Word> {
            tokens.iter().skip(from).take(UNIT_WORDS).flat_map(|t| t.words.clone()).collect()
        };
        let (next_one, next_other) = (next(&a, old_index + old_len), next(&b, new_index + new_len));
        let number = |words: &[Word]| words.iter().any(|word| word.kind == Kind::Number);
        let measured = number(&one) && number(&other) && {
            let one = Piece { words: &one, next: &next_one };
            let other = Piece { words: &other, next: &next_other };
            compare(one, other, published) == Found::Same
        };
        // With the word before them, which they share: "12 per cent" is one expression.
        let read = |tokens: &[Token<'_>], from: usize, len: usize| {
            let first = from.saturating_sub(1);
            digest_of(&Words::of_text(&joined(&tokens[first..from + len])).0)
        };
        let same = read(&a, old_index, old_len) == read(&b, new_index, new_len);
        found.push(Difference {
            here: joined(left),
            there: joined(right),
            same_meaning: measured || same || digest_of(&one) == digest_of(&other),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_named_apart_from_what_does_not() {
        let item = |title: &str, text: &str| Item {
            title: Some(title.to_owned()),
            summary: Some(text.to_owned()),
            published: "2026-11-24T08:00:00Z".parse().ok(),
            ..Item::default()
        };
        let here = item(
            "Flaw in Kelpd 1.2",
            "On Monday, ninety-one boats, 7 per cent more, sailed 12 kilometres to the backup scheduler of the port.",
        );
        let there = item(
            "Flaw in Kelpd 1.3",
            "On Nov. 23, 91 boats, 7 percent more, sailed 7.5 miles to the DHCP client of the port.",
        );
        let found = differences(&here, &there, 9);
        let text: Vec<String> = found
            .iter()
            .map(|d| format!("{} {} {}", d.here, if d.same_meaning { "=" } else { "/" }, d.there))
            .collect();
        assert_eq!(
            text,
            [
                "1.2 / 1.3",
                "Monday = Nov. 23",
                "per cent = percent",
                "12 kilometres = 7.5 miles",
                "backup scheduler / DHCP client"
            ]
        );
        assert_eq!(differences(&here, &there, 1).len(), 1);
        assert_eq!(differences(&here, &here, 9), []);
    }
}
