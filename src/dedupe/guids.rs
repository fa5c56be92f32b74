//! What the guids of a document show beside whether they are known. Pure.
//!
//! A guid that stays is a proof of its own: an article may be written anew under it, with another headline, link and date.
//! Positions in a list are no guids: they move together, and they are short. A guid that is the link of its item with a
//! number behind it is another one for each version.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::titles::Title;
use crate::model::ParsedItem;

/// What a guid shows about the page of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuidForm {
    /// A version of the page.
    Version,
    /// Nothing.
    Opaque,
}

/// The forms of the guids of a document. The number behind a link may be that of an entry on a page, so that most items of
/// the document must have one. A "v" before it leaves no doubt.
#[must_use]
pub fn guid_forms(items: &[ParsedItem]) -> Vec<GuidForm> {
    let suffixes: Vec<Option<&str>> = items.iter().map(suffix).collect();
    let versions = suffixes.iter().flatten().count();
    let form = |suffix: &Option<&str>| match suffix {
        Some(suffix)
            if suffix.starts_with('v') || items.len() > 1 && 2 * versions > items.len() =>
        {
            GuidForm::Version
        }
        _ => GuidForm::Opaque,
    };
    suffixes.iter().map(form).collect()
}

/// What a guid has behind the last part of the path of its item, if that has a digit: "#3", "v2", "?t=1796000000".
fn suffix(item: &ParsedItem) -> Option<&str> {
    let (guid, page) = (item.id.as_deref()?, item.page()?);
    let path = page.split(['?', '#']).next()?.trim_end_matches('/');
    let name = path.rsplit('/').next().filter(|it| it.bytes().any(|b| b.is_ascii_digit()))?;
    let (_, suffix) = guid.rsplit_once(name)?;
    let number = suffix.trim_start_matches('/');
    let number = number.strip_prefix(['#', 'v']).or_else(|| {
        let query = number.strip_prefix('?')?;
        Some(query.split_once('=').map_or(query, |(_, value)| value))
    })?;
    let counts = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    counts.then_some(suffix)
}

/// A known item of a document whose title, text, date and page are all new.
#[derive(Debug, Clone, Copy)]
pub struct Suspect<'a> {
    /// Its guid; `None`: it has none.
    pub guid: Option<&'a str>,
    /// Title of the stored item.
    pub was: &'a Title,
    /// Title in the document.
    pub is: &'a Title,
    /// Date of the stored item, or else the time when it was first seen.
    pub before: Timestamp,
    /// Date in the document, or else the time of the poll.
    pub after: Timestamp,
}

/// Longest time between the first and another version of an article. After it, an id may be that of a new article, as
/// when a site counts from one again.
const REWRITTEN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Minimum number of suspects, and half of the known items, that show positions.
const MOVED: usize = 2;

/// For each suspect, whether it is another item than the one that had its guid before. `known` is the number of known
/// items of the document, `titles` are the digests of all of its titles.
#[must_use]
pub fn given_away(suspects: &[Suspect<'_>], known: usize, titles: &HashSet<u64>) -> Vec<bool> {
    // The item that had the guid has another one now.
    let moves = |it: &Suspect<'_>| !it.was.is_empty() && titles.contains(&it.was.digest());
    let most = suspects.len() >= MOVED && 2 * suspects.len() >= known;
    let moved = most || suspects.iter().any(moves);
    let is_other = |it: &Suspect<'_>| {
        let is_id = it.guid.is_some_and(is_id);
        let is_late = it.after.duration_since(it.before).abs() > REWRITTEN;
        moved || !is_id || is_late || it.was.is_sibling(it.is)
    };
    suspects.iter().map(is_other).collect()
}

/// Number of letters and digits in a row from which a guid is no position.
const ID: usize = 5;

/// Whether a guid has a part that looks like the id of one item: at least five letters and digits in a row, with a digit.
/// The host of a URL is no part of it.
fn is_id(guid: &str) -> bool {
    let rest = guid
        .split_once("://")
        .map_or(guid, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let mut parts = rest.split(|c: char| !c.is_alphanumeric());
    parts.any(|part| part.len() >= ID && part.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    const HOUR: i64 = 3_600;

    fn forms(items: &[(&str, &str)]) -> Vec<bool> {
        let item = |(guid, page): &(&str, &str)| ParsedItem {
            id: Some((*guid).to_owned()),
            links: vec![Link {
                href: (*page).to_owned(),
                rel: "alternate".to_owned(),
                ..Link::default()
            }],
            ..ParsedItem::default()
        };
        let items: Vec<ParsedItem> = items.iter().map(item).collect();
        guid_forms(&items).into_iter().map(|form| form == GuidForm::Version).collect()
    }

    #[test]
    fn a_guid_that_is_the_link_and_a_number_names_a_version() {
        let (a, b) = ("https://x.example/articles/c1", "https://x.example/articles/c2?at=RSS");
        assert_eq!(
            forms(&[
                ("https://x.example/articles/c1#0", a),
                ("https://x.example/articles/c2#17", b)
            ]),
            [true, true]
        );
        assert_eq!(
            forms(&[
                ("https://x.example/articles/c1?t=17", a),
                ("c2?17", b),
                ("3", "https://x.example/3")
            ]),
            [true, true, false]
        );
        // The entries of one page in a feed of articles.
        assert_eq!(
            forms(&[("https://x.example/articles/c1#17", a), (b, b), ("4", "https://x.example/4")]),
            [false, false, false]
        );
        assert_eq!(forms(&[("https://x.example/articles/c1#17", a)]), [false]);
        let arxiv = "https://arxiv.org/abs/2411.00017";
        assert_eq!(forms(&[("oai:arXiv.org:2411.00017v2", arxiv)]), [true]);
        for other in ["oai:arXiv.org:2411.00017", "2411.00017v", "2411.00017-v2", "2411.00018v2"] {
            assert_eq!(forms(&[(other, arxiv), (other, arxiv)]), [false, false], "{other}");
        }
        let notes = "https://x.example/notes";
        assert_eq!(
            forms(&[("https://x.example/notes#1", notes), ("notes#2", notes)]),
            [false, false]
        );
    }

    /// Whether suspects are other items, each with guid, title before and now, and hours between both.
    fn judge(suspects: &[(&str, &str, &str, i64)], known: usize, titles: &[&str]) -> Vec<bool> {
        let title = |text: &&str| Title::new(Some(text));
        let pairs: Vec<(Title, Title)> =
            suspects.iter().map(|(_, was, is, _)| (title(was), title(is))).collect();
        let at = |hours: i64| Timestamp::from_second(1_700_000_000 + hours * HOUR).unwrap();
        let suspects: Vec<Suspect<'_>> = suspects
            .iter()
            .zip(&pairs)
            .map(|((guid, _, _, hours), (was, is))| Suspect {
                guid: Some(*guid).filter(|guid| !guid.is_empty()),
                was,
                is,
                before: at(0),
                after: at(*hours),
            })
            .collect();
        let titles = titles.iter().map(|text| title(text).digest()).collect();
        given_away(&suspects, known, &titles)
    }

    const STORM: (&str, &str) = ("Storm approaches coast", "Thousands without power");

    #[test]
    fn an_id_keeps_its_item_whatever_is_written_under_it() {
        for guid in [
            "https://x.example/?p=123456",
            "6f1c3b1e-0c3a-4f77-9a52-0d6f3c1a9e11",
            "tag:x.example,2026-11-30:post-88213",
            "123456",
            "65a1b2c3d4e5f60001aabbcc",
            "urn:uuid:6f1c3b1e-0c3a-4f77-9a52-0d6f3c1a9e11",
        ] {
            let found = judge(&[(guid, STORM.0, STORM.1, 4)], 8, &[STORM.1, "Gulls"]);
            assert_eq!(found, [false], "{guid}");
        }
    }

    #[test]
    fn a_position_or_the_name_of_a_place_is_no_id() {
        for guid in [
            "",
            "3",
            "item-3",
            "https://x1234.example/",
            "https://x1234.example/feed#3",
            "https://x.example/picture-of-the-day",
            "https://x.example/?p=17",
            "today",
        ] {
            let found = judge(&[(guid, STORM.0, STORM.1, 4)], 8, &[STORM.1, "Gulls"]);
            assert_eq!(found, [true], "{guid}");
        }
    }

    #[test]
    fn guids_that_move_together_are_positions() {
        let (a, b) = ("slot-10001", "slot-10002");
        // The item that had the guid is in the document under the next one.
        let next = [(a, STORM.0, STORM.1, 4), (b, "Gulls", "Bread is dear", 4)];
        assert_eq!(judge(&next, 9, &[STORM.1, STORM.0, "Bread is dear"]), [true, true]);
        // All items are new.
        assert_eq!(judge(&next, 4, &[STORM.1, "Bread is dear"]), [true, true]);
        assert_eq!(judge(&next, 5, &[STORM.1, "Bread is dear"]), [false, false]);
    }

    #[test]
    fn an_id_that_comes_back_after_weeks_or_with_the_next_number_is_another_item() {
        let guid = "https://x.example/?p=123456";
        assert_eq!(judge(&[(guid, STORM.0, STORM.1, 29 * 24)], 8, &[]), [false]);
        assert_eq!(judge(&[(guid, STORM.0, STORM.1, 31 * 24)], 8, &[]), [true]);
        assert_eq!(judge(&[(guid, "kelpd 1.2 is out", "kelpd 1.3 is out", 4)], 8, &[]), [true]);
    }
}
