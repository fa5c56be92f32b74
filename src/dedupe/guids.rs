//! What the guids of a document show beside whether they are known. Pure.
//!
//! A guid that stays proves that the item is the same: an article may be rewritten under it, with another headline, link and date.
//! Positions in a list are no guids: they move together, and they are short. What several guids of a document have in
//! common names the feed. A guid that is the link of its item with a number behind it is another one for each version.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::titles::Title;
use crate::model::ParsedItem;

/// What a guid shows about the page of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuidForm {
    /// A version of the page.
    Version,
    /// The number of the page, and no other number. The guid of a reply also has the number of the reply.
    Article,
    /// Nothing.
    Opaque,
}

/// Number of digits in a row from which they are an id.
const DIGITS: usize = 5;

/// The forms of the guids of a document. The number behind a link may be that of an entry on a page, so that most items of
/// the document must have one. A "v" behind the number of a paper or an article leaves no doubt.
#[must_use]
pub fn guid_forms(items: &[ParsedItem]) -> Vec<GuidForm> {
    let suffixes: Vec<Option<&str>> = items.iter().map(suffix).collect();
    let versions = suffixes.iter().flatten().count();
    let most = items.len() > 1 && 2 * versions > items.len();
    let form = |(item, suffix): (&ParsedItem, &Option<&str>)| match suffix {
        Some(suffix) if suffix.starts_with('v') || most => GuidForm::Version,
        _ if names_page(item) => GuidForm::Article,
        _ => GuidForm::Opaque,
    };
    items.iter().zip(&suffixes).map(form).collect()
}

/// Whether the guid of an item has a long number of its page, and no number that the page does not have.
fn names_page(item: &ParsedItem) -> bool {
    let (Some(guid), Some(page)) = (item.id.as_deref(), item.page()) else { return false };
    let numbers: HashSet<&str> = digits(page).collect();
    digits(guid).any(|number| number.len() > DIGITS)
        && digits(guid).all(|number| numbers.contains(number))
}

/// The numbers in a text.
fn digits(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty())
}

/// Keys of a query that hold the number or the time of a version. Others may be those of an entry on the page.
const VERSION_KEYS: [&str; 7] = ["t", "v", "ver", "version", "rev", "modified", "updated"];

/// What a guid has behind the last part of the path of its item, if that has a digit: "#3", "v2", "?t=1796000000".
fn suffix(item: &ParsedItem) -> Option<&str> {
    let (guid, page) = (item.id.as_deref()?, item.page()?);
    let path = page.split(['?', '#']).next()?.trim_end_matches('/');
    let name = path.rsplit('/').next().filter(|it| it.bytes().any(|b| b.is_ascii_digit()))?;
    let (_, suffix) = guid.rsplit_once(name)?;
    let number = suffix.trim_start_matches('/');
    let number = match number.strip_prefix('v') {
        // "kelpd2v16" is a release, and "2411.00017v2" a version of a paper.
        Some(number) => digits(name).any(|id| id.len() >= DIGITS).then_some(number),
        None => number.strip_prefix('#').or_else(|| version_in(number.strip_prefix('?')?)),
    }?;
    let counts = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    counts.then_some(suffix)
}

/// The number of a version in a query.
fn version_in(query: &str) -> Option<&str> {
    match query.split_once('=') {
        None => Some(query),
        Some((key, value)) => VERSION_KEYS.contains(&key).then_some(value),
    }
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

/// Why a guid is that of another item than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuidReuse {
    /// The guids name places, such as positions in a list: those of the feed identify no item.
    Place,
    /// This guid began anew, as when a site counts from one again. The others stay ids.
    Anew,
}

/// For each suspect, why it is another item than the one that had its guid before; `None`: it is the same. `known` is the
/// number of known items of the document, `titles` are the digests of all of its titles.
#[must_use]
pub fn given_away(
    suspects: &[Suspect<'_>],
    (guids, known): (&GuidParts<'_>, usize),
    titles: &HashSet<u64>,
) -> Vec<Option<GuidReuse>> {
    // The item that had the guid has another one now.
    let moves = |it: &Suspect<'_>| !it.was.is_empty() && titles.contains(&it.was.digest());
    let most = suspects.len() >= MOVED && 2 * suspects.len() >= known;
    let moved = most || suspects.iter().any(moves);
    let reuse = |it: &Suspect<'_>| {
        let is_id = it.guid.is_some_and(|guid| guids.is_id(guid));
        let is_late = it.after.duration_since(it.before).abs() > REWRITTEN;
        match moved || !is_id {
            true => Some(GuidReuse::Place),
            false => (is_late || it.was.is_sibling(it.is)).then_some(GuidReuse::Anew),
        }
    };
    suspects.iter().map(reuse).collect()
}

/// Number of characters of an id of letters and digits.
const MIXED: usize = 6;
/// Least number of a post in a query: smaller ones may be positions, or pages of a list.
const POST: u64 = 100;
/// Keys of a query that hold the number of a post.
const POST_KEYS: [&str; 6] = ["p", "page_id", "post_id", "id", "nid", "article_id"];

/// The guids of a document in parts.
#[derive(Debug, Clone)]
pub struct GuidParts<'a> {
    /// Parts that several guids have: they name the feed, the site or the day.
    shared: HashSet<&'a str>,
    /// Number of items of the document: a position is no larger.
    items: u64,
}

impl<'a> GuidParts<'a> {
    /// The parts of the guids of these items.
    #[must_use]
    pub fn new(items: &'a [ParsedItem]) -> Self {
        let guids: HashSet<&str> = items.iter().filter_map(|it| it.id.as_deref()).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for guid in guids {
            let own: HashSet<&str> = parts(guid).collect();
            own.into_iter().for_each(|part| *counts.entry(part).or_default() += 1);
        }
        let shared = counts.into_iter().filter(|(_, guids)| *guids > 1).map(|(part, _)| part);
        Self { shared: shared.collect(), items: items.len() as u64 }
    }

    /// Whether a guid has a part that looks like the id of one item, and that no other guid of the document has.
    fn is_id(&self, guid: &str) -> bool {
        let is_own = |part: &&str| !self.shared.contains(part);
        let is_post = |part: &str| part.parse().is_ok_and(|n: u64| n >= POST && n > self.items);
        parts(guid).filter(is_own).any(is_long) || post(guid).filter(is_own).is_some_and(is_post)
    }
}

/// A guid without scheme and host, "at" and the address of the site (Drupal), or the authority of a tag.
fn local(guid: &str) -> &str {
    let guid = guid.split_once(" at http").map_or(guid, |(id, _)| id);
    if let Some(tag) = guid.strip_prefix("tag:") {
        return tag.split_once(':').map_or(tag, |(_, rest)| rest);
    }
    let is_scheme = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    match guid.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => {
            rest.find(['/', '?', '#']).map_or("", |at| &rest[at..])
        }
        _ => guid,
    }
}

/// The letters and digits of a guid, where other characters separate them.
fn parts(guid: &str) -> impl Iterator<Item = &str> {
    local(guid).split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty())
}

/// Whether a part is an id: five digits in a row, or six characters in which a letter follows a digit. "item3" is a
/// position.
fn is_long(part: &str) -> bool {
    let bytes = part.as_bytes().windows(2);
    let mut pairs = bytes.map(|pair| (pair[0].is_ascii_digit(), pair[1].is_ascii_alphabetic()));
    let is_mixed = part.chars().count() >= MIXED && pairs.any(|pair| pair == (true, true));
    digits(part).any(|number| number.len() >= DIGITS) || is_mixed
}

/// The number of a post: in a query, also behind other keys, or before "at" and the address of the site.
fn post(guid: &str) -> Option<&str> {
    if let Some((number, _)) = guid.split_once(" at http") {
        return Some(number);
    }
    let (_, query) = guid.split_once('?')?;
    let mut pairs = query.split(['&', ';', '#']).filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| POST_KEYS.contains(&key).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    const HOUR: i64 = 3_600;

    fn forms(items: &[(&str, &str)]) -> Vec<bool> {
        guid_forms(&parsed(items)).into_iter().map(|form| form == GuidForm::Version).collect()
    }

    /// Items with guids and links.
    fn parsed(items: &[(&str, &str)]) -> Vec<ParsedItem> {
        let link = |page: &str| Link {
            href: page.to_owned(),
            rel: "alternate".to_owned(),
            ..Link::default()
        };
        let item = |(guid, page): &(&str, &str)| ParsedItem {
            id: Some((*guid).to_owned()),
            links: vec![link(page)],
            ..ParsedItem::default()
        };
        items.iter().map(item).collect()
    }

    #[test]
    fn a_guid_with_no_number_but_that_of_its_page_names_an_article() {
        let page = "https://x.example/2026/storm-7123456?at=RSS";
        for (guid, expected) in [
            ("https://x.example/2026/gales-7123456", GuidForm::Article),
            ("urn:article:7123456", GuidForm::Article),
            ("urn:article:7123456:55", GuidForm::Opaque),
            ("7123457", GuidForm::Opaque),
            ("storm-2026", GuidForm::Opaque),
            ("storm", GuidForm::Opaque),
        ] {
            let items = parsed(&[(guid, page), ("x", "https://x.example/other")]);
            assert_eq!(guid_forms(&items)[0], expected, "{guid}");
        }
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
        // The journal of an issue, the releases of a page, and the replies of a topic under an opaque number.
        let (issue, releases) = ("https://x.example/issues/123", "https://x.example/kelpd2");
        for (guids, page) in [
            (
                [
                    "https://x.example/issues/123?journal_id=456",
                    "https://x.example/issues/123?journal_id=457",
                ],
                issue,
            ),
            (["kelpd2v16", "kelpd2v17"], releases),
        ] {
            assert_eq!(forms(&guids.map(|guid| (guid, page))), [false, false], "{page}");
        }
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

    /// Why suspects are other items, each with guid, title before and now, and hours between both. The document has ten
    /// items, with the guids of all suspects.
    fn judge(
        suspects: &[(&str, &str, &str, i64)],
        known: usize,
        titles: &[&str],
    ) -> Vec<Option<GuidReuse>> {
        let guids = suspects.iter().map(|(guid, ..)| (*guid, ""));
        let others = (0..10 - suspects.len()).map(|_| ("-", ""));
        let items = parsed(&guids.chain(others).collect::<Vec<_>>());
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
        given_away(&suspects, (&GuidParts::new(&items), known), &titles)
    }

    const STORM: (&str, &str) = ("Storm approaches coast", "Thousands without power");

    #[test]
    fn an_id_keeps_its_item_whatever_is_written_under_it() {
        for guid in [
            "https://x.example/?p=123456",
            "https://x.example?p=123456",
            "https://x.example/?p=812",
            "https://x.example/?post_type=a&#038;p=812",
            "812 at https://x.example",
            "123456 at https://x.example",
            "6f1c3b1e-0c3a-4f77-9a52-0d6f3c1a9e11",
            "tag:x.example,2026-11-30:post-88213",
            "123456",
            "t3_1h3k2x",
            "yt:video:dQw4w9WgXcQ",
            "65a1b2c3d4e5f60001aabbcc",
            "urn:uuid:6f1c3b1e-0c3a-4f77-9a52-0d6f3c1a9e11",
        ] {
            let found = judge(&[(guid, STORM.0, STORM.1, 4)], 8, &[STORM.1, "Gulls"]);
            assert_eq!(found, [None], "{guid}");
        }
    }

    #[test]
    fn a_position_or_the_name_of_a_place_is_no_id() {
        for guid in [
            "",
            "1",
            "item-3",
            "item3",
            "entry1",
            "#2",
            "第3回",
            "https://x1234.example/",
            "https://x1234.example/feed#slot2",
            "https://x.example/2026/picture-of-the-day",
            "https://x.example/?p=17",
            "3 at https://x.example",
            "tag:x1234.example,2026:lead",
            "today",
        ] {
            let found = judge(&[(guid, STORM.0, STORM.1, 4)], 8, &[STORM.1, "Gulls"]);
            assert_eq!(found, [Some(GuidReuse::Place)], "{guid}");
        }
    }

    #[test]
    fn what_several_guids_have_in_common_is_no_id() {
        for [guid, other] in [
            ["https://x.example/feeds/12345#3", "https://x.example/feeds/12345#4"],
            ["https://x.example/feed?id=812#3", "https://x.example/feed?id=812#4"],
            ["urn:f:a1b2c3:1", "urn:f:a1b2c3:2"],
        ] {
            let items = parsed(&[(guid, ""), (other, "")]);
            assert!(!GuidParts::new(&items).is_id(guid), "{guid}");
            // A copy with the same guid shares nothing.
            let items = parsed(&[(guid, ""), (guid, "")]);
            assert!(GuidParts::new(&items).is_id(guid), "{guid}");
        }
        let post = "https://x.example/?p=812";
        let many = parsed(&vec![(post, ""); 900]);
        assert!(!GuidParts::new(&many).is_id(post), "it may be the 812th item");
    }

    #[test]
    fn guids_that_move_together_are_positions() {
        let (a, b) = ("slot-10001", "slot-10002");
        let place = Some(GuidReuse::Place);
        // The item that had the guid is in the document under the next one.
        let next = [(a, STORM.0, STORM.1, 4), (b, "Gulls", "Bread is dear", 4)];
        assert_eq!(judge(&next, 9, &[STORM.1, STORM.0, "Bread is dear"]), [place; 2]);
        // All items are new.
        assert_eq!(judge(&next, 4, &[STORM.1, "Bread is dear"]), [place; 2]);
        assert_eq!(judge(&next, 5, &[STORM.1, "Bread is dear"]), [None; 2]);
    }

    #[test]
    fn an_id_that_comes_back_after_weeks_or_with_the_next_number_is_another_item() {
        let guid = "https://x.example/?p=123456";
        let anew = Some(GuidReuse::Anew);
        assert_eq!(judge(&[(guid, STORM.0, STORM.1, 29 * 24)], 8, &[]), [None]);
        assert_eq!(judge(&[(guid, STORM.0, STORM.1, 31 * 24)], 8, &[]), [anew]);
        assert_eq!(judge(&[(guid, "kelpd 1.2 is out", "kelpd 1.3 is out", 4)], 8, &[]), [anew]);
    }
}
