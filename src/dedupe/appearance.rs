//! What a change of an item touches, as a subscriber sees it, and whether another file makes it another item. Pure.

use jiff::SignedDuration;

use super::canonical::{is_listed, is_tracking, within_feed};
use super::evidence::at_once;
use crate::model::{Category, Enclosure, Item};
use crate::text::html::{tag_length, to_text};

/// What a change of an item touches. A subscriber sees only changes of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    /// Title, link, files, names or words.
    Content,
    /// Attributes alone, such as the query of the address of a picture or a file, tracking parameters, or the order of
    /// categories.
    Attributes,
}

/// What differs between a stored item and the same item of a document.
#[must_use]
pub fn touched(old: &Item, new: &Item) -> Touched {
    let (was, is) = (&old.details, &new.details);
    // Another token is no other file; one of another length may be.
    fn file(file: &Enclosure) -> (FileName<'_>, Option<u64>) {
        (FileName::new(&file.url), file.length)
    }
    let page = |item: &Item| item.url.as_deref().map(within_feed);
    let named = (&old.title, &old.summary) == (&new.title, &new.summary)
        && (old.url == new.url || page(old) == page(new))
        && (&was.authors, &was.podcast) == (&is.authors, &is.podcast)
        && sorted(&was.categories) == sorted(&is.categories);
    let (before, after) = (old.content.as_deref(), new.content.as_deref());
    let same = named
        && was.enclosures.iter().map(file).eq(is.enclosures.iter().map(file))
        && before.is_some() == after.is_some()
        && looks_the_same(before.unwrap_or_default(), after.unwrap_or_default());
    if same { Touched::Attributes } else { Touched::Content }
}

/// Categories in an order that the publisher does not choose.
fn sorted(categories: &[Category]) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let parts = categories.iter().map(|it| (&*it.term, it.scheme.as_deref(), it.label.as_deref()));
    let mut sorted: Vec<_> = parts.collect();
    sorted.sort_unstable();
    sorted
}

/// Whether two texts have the same words, and the same addresses apart from their queries.
fn looks_the_same(old: &str, new: &str) -> bool {
    if old == new {
        return true;
    }
    let (was, is) = (to_text(old), to_text(new));
    was.split_whitespace().eq(is.split_whitespace()) && addresses(old) == addresses(new)
}

/// Attributes with an address that a subscriber follows or sees, as `normalise` writes them.
const ADDRESSES: &[&str] = &[" href=\"", " src=\"", " poster=\""];

/// The addresses of a text without their queries, in their order.
fn addresses(html: &str) -> Vec<&str> {
    attributes(html, ADDRESSES)
}

/// The addresses in attributes with these names.
fn attributes<'h>(html: &'h str, names: &[&str]) -> Vec<&'h str> {
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        let (tag, behind) = rest[at..].split_at(tag_length(&rest[at..]));
        for name in names {
            let value = tag.split_once(name).and_then(|(_, value)| value.split('"').next());
            found.extend(value.map(without_query));
        }
        rest = behind;
    }
    found
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// What the address of a file names: not its tokens, but a query that has the name (`/dl.php?file=1.mp3`).
#[derive(Debug, PartialEq)]
struct FileName<'u> {
    path: &'u str,
    query: Vec<&'u str>,
}

impl<'u> FileName<'u> {
    fn new(url: &'u str) -> Self {
        let page = url.split('#').next().unwrap_or(url);
        let (path, query) = page.split_once('?').unwrap_or((page, ""));
        let names = |pair: &&str| !pair.is_empty() && !is_token(pair) && !is_tracking(pair);
        let pairs = query.split('&').filter(|_| !ends_as_file(path));
        Self { path, query: pairs.filter(names).collect() }
    }
}

/// Extensions of programs, which may serve any file.
const PROGRAMS: &[&str] =
    &["ashx", "asp", "aspx", "cfm", "cgi", "dll", "do", "htm", "html", "jsp", "php", "pl", "py"];
/// Bytes of the longest extension of a file, such as `torrent`.
const LONGEST_EXTENSION: usize = 7;

/// Whether a path or a name has the extension of a file.
fn ends_as_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, extension)) = name.rsplit_once('.') else { return false };
    let is_extension = extension.len() <= LONGEST_EXTENSION
        && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        && extension.bytes().any(|b| b.is_ascii_alphabetic());
    is_extension && !PROGRAMS.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// Parameters that permit a request or keep caches from answering it. `*` ends a prefix.
const TOKENS: &[&str] = &[
    "_",
    "access_token",
    "auth",
    "awsaccesskeyid",
    "cb",
    "exp",
    "expires",
    "expiry",
    "googleaccessid",
    "hash",
    "hdnea",
    "hdnts",
    "key",
    "key-pair-id",
    "md5",
    "nonce",
    "policy",
    "se",
    "sig",
    "sign",
    "signature",
    "ske",
    "skt",
    "sp",
    "st",
    "sv",
    "timestamp",
    "token",
    "ts",
    "x-amz-*",
    "x-goog-*",
];

/// Whether a parameter is a token, and its value no name of a file (`key=1.mp3`).
fn is_token(pair: &str) -> bool {
    let value = pair.split_once('=').map_or("", |(_, value)| value);
    is_listed(TOKENS, pair) && !ends_as_file(value)
}

/// Time from which another picture is that of the next day.
const NEXT_DAY: SignedDuration = SignedDuration::from_hours(20);
/// Number of words from which a picture only illustrates a text.
const TEXT: usize = 9;

/// Whether an item has both another date and another audio or video file than the stored item with its guid: it is the
/// next episode, also under the same title and text. So is the picture of the next day, if there is no text. A token
/// in the query makes no other file.
#[must_use]
pub fn is_another_episode(old: &Item, new: &Item) -> bool {
    is_another_picture(old, new) || is_another_file(old, new)
}

/// Whether both items are one picture, of different days.
fn is_another_picture(old: &Item, new: &Item) -> bool {
    let dates = old.published.zip(new.published);
    if dates.is_none_or(|(old, new)| new.duration_since(old) < NEXT_DAY) {
        return false;
    }
    let picture = |item: &Item| -> Option<String> {
        let html = item.content.as_deref()?;
        let wordless = to_text(html).split_whitespace().count() < TEXT;
        let [picture] = attributes(html, &[" src=\""])[..] else { return None };
        wordless.then(|| picture.to_owned())
    };
    picture(old).zip(picture(new)).is_some_and(|(old, new)| old != new)
}

fn is_another_file(old: &Item, new: &Item) -> bool {
    fn file(item: &Item) -> Option<FileName<'_>> {
        let played = item.details.enclosures.iter().find(|file| Enclosure::is_played(file));
        played.map(|file| FileName::new(&file.url))
    }
    let redated = old.published.zip(new.published).is_some_and(|(old, new)| !at_once(old, new));
    redated && file(old).zip(file(new)).is_some_and(|(old, new)| old != new)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::Details;

    fn item(content: &str) -> Item {
        Item {
            title: Some("Ferry aground".to_owned()),
            url: Some("https://e.test/1".to_owned()),
            content: Some(content.to_owned()),
            ..Item::default()
        }
    }

    fn episode(at: i64, file: &str) -> Item {
        let file = Enclosure {
            url: format!("https://e.test/{file}"),
            media_type: "audio/mpeg".to_owned(),
            ..Enclosure::default()
        };
        let published = Some(Timestamp::from_second(at).unwrap());
        let details = Details { enclosures: vec![file], ..Details::default() };
        Item { published, details, ..item("<p>The latest news.</p>") }
    }

    #[test]
    fn a_number_in_an_address_touches_attributes_and_a_word_the_content() {
        let old =
            item("<p>It is <a href=\"/a?n=1\">stuck</a>.</p><img src=\"/p.png?cb=1\" alt=\"A\">");
        let touches = |content: &str| touched(&old, &item(content));
        for same in [
            "<p>It is <a href=\"/a?n=2\">stuck</a>.</p><img src=\"/p.png?cb=2\" alt=\"A\">",
            "<div>It is <a href=\"/a\" rel=\"x\">stuck</a>.</div> <img alt=\"B\" src=\"/p.png\">",
        ] {
            assert_eq!(touches(same), Touched::Attributes, "{same}");
        }
        for other in [
            "<p>It is <a href=\"/b?n=1\">stuck</a>.</p><img src=\"/p.png?cb=1\" alt=\"A\">",
            "<p>It is <a href=\"/a?n=1\">stuck</a>.</p><img src=\"/q.png?cb=1\" alt=\"A\">",
            "<p>It was <a href=\"/a?n=1\">stuck</a>.</p><img src=\"/p.png?cb=1\" alt=\"A\">",
            "",
        ] {
            assert_eq!(touches(other), Touched::Content, "{other}");
        }
        let content = old.content.clone().unwrap();
        let moved = Item { url: Some("https://e.test/2".to_owned()), ..item(&content) };
        assert_eq!(touched(&old, &moved), Touched::Content);
        let tracked =
            Item { url: Some("https://e.test/1?utm_source=a".to_owned()), ..item(&content) };
        assert_eq!(touched(&old, &tracked), Touched::Attributes);
    }

    #[test]
    fn a_token_of_a_file_and_the_order_of_categories_touch_attributes() {
        let old = episode(0, "a.mp3?token=1");
        assert_eq!(touched(&old, &episode(0, "a.mp3?token=2")), Touched::Attributes);
        assert_eq!(touched(&old, &episode(0, "b.mp3?token=1")), Touched::Content);
        let mut longer = episode(0, "a.mp3?token=2");
        longer.details.enclosures[0].length = Some(9);
        assert_eq!(touched(&old, &longer), Touched::Content);
        for (file, same, other) in [
            ("dl?file=1.mp3", "dl?file=1.mp3&token=2", "dl?file=2.mp3"),
            ("dl.php?id=1&Expires=1", "dl.php?id=1&Expires=2", "dl.php?id=2&Expires=1"),
            ("dl?X-Amz-Date=1&key=a/1.mp3", "dl?X-Amz-Date=2&key=a/1.mp3", "dl?key=a/2.mp3"),
            ("dl/1?utm_source=a", "dl/1", "dl/2"),
            ("1.torrent?id=1", "1.torrent?id=2", "2.torrent?id=1"),
        ] {
            let touches = |new| touched(&episode(0, file), &episode(0, new));
            assert_eq!(touches(same), Touched::Attributes, "{same}");
            assert_eq!(touches(other), Touched::Content, "{other}");
        }
        let of = |terms: &[&str]| {
            let category =
                |term: &&str| Category { term: (*term).to_owned(), ..Category::default() };
            let categories = terms.iter().map(category).collect();
            Item { details: Details { categories, ..Details::default() }, ..item("<p>A</p>") }
        };
        assert_eq!(touched(&of(&["a", "b"]), &of(&["b", "a"])), Touched::Attributes);
        assert_eq!(touched(&of(&["a", "b"]), &of(&["a", "b", "c"])), Touched::Content);
    }

    #[test]
    fn another_file_with_another_date_is_another_episode() {
        let old = episode(1_000, "a.mp3?t=1");
        assert!(is_another_episode(&old, &episode(90_000, "b.mp3?t=1")));
        let named = episode(1_000, "dl?file=1.mp3");
        assert!(is_another_episode(&named, &episode(90_000, "dl?file=2.mp3")));
        assert!(!is_another_episode(&old, &episode(1_000, "b.mp3")), "a file that was replaced");
        assert!(!is_another_episode(&old, &episode(90_000, "a.mp3?t=2")), "the same file");
        assert!(!is_another_episode(&old, &item("<p>The latest news.</p>")), "no file");
    }

    #[test]
    fn another_picture_of_the_next_day_is_another_episode() {
        let comic = |at: i64, html: &str| {
            let published = Some(Timestamp::from_second(at).unwrap());
            Item { published, ..item(html) }
        };
        let old = comic(1_000, "<img src=\"/1.png?a=1\">");
        assert!(is_another_episode(&old, &comic(90_000, "<img src=\"/2.png\">")));
        let words = "<p>The ferry ran aground in fog off Onver this morning.</p>";
        for same in [
            comic(9_000, "<img src=\"/2.png\">"),
            comic(90_000, "<img src=\"/1.png?a=2\">"),
            comic(90_000, &format!("<img src=\"/2.png\">{words}")),
            comic(90_000, ""),
        ] {
            assert!(!is_another_episode(&old, &same), "{same:?}");
        }
    }
}
