//! What a change of an item touches, as a subscriber sees it, and whether another file makes it another item. Pure.

use super::evidence::at_once;
use crate::model::{Enclosure, Item};
use crate::text::html::{tag_length, to_text};

/// What a change of an item touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    /// Title, link, files, names or words.
    Content,
    /// Attributes alone, such as the query of the address of a picture.
    Attributes,
}

/// What differs between a stored item and the same item of a document.
#[must_use]
pub fn touched(old: &Item, new: &Item) -> Touched {
    let (was, is) = (&old.details, &new.details);
    let files = was.enclosures.iter().map(|file| &file.url);
    let named = (&old.title, &old.url, &old.summary) == (&new.title, &new.url, &new.summary)
        && (&was.authors, &was.categories, &was.podcast)
            == (&is.authors, &is.categories, &is.podcast);
    let (before, after) = (old.content.as_deref(), new.content.as_deref());
    let same = named
        && files.eq(is.enclosures.iter().map(|file| &file.url))
        && before.is_some() == after.is_some()
        && looks_the_same(before.unwrap_or_default(), after.unwrap_or_default());
    if same { Touched::Attributes } else { Touched::Content }
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
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        let (tag, behind) = rest[at..].split_at(tag_length(&rest[at..]));
        for name in ADDRESSES {
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

/// Whether an item has both another date and another audio or video file than the stored item with its guid: it is the
/// next episode, also under the same title and text. A token in the query makes no other file.
#[must_use]
pub fn is_another_episode(old: &Item, new: &Item) -> bool {
    let file = |item: &Item| -> Option<String> {
        let played = item.details.enclosures.iter().find(|file| Enclosure::is_played(file));
        played.map(|file| without_query(&file.url).to_owned())
    };
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
        assert_eq!(touched(&episode(0, "a.mp3"), &episode(0, "b.mp3")), Touched::Content);
    }

    #[test]
    fn another_file_with_another_date_is_another_episode() {
        let old = episode(1_000, "a.mp3?t=1");
        assert!(is_another_episode(&old, &episode(90_000, "b.mp3?t=1")));
        assert!(!is_another_episode(&old, &episode(1_000, "b.mp3")), "a file that was replaced");
        assert!(!is_another_episode(&old, &episode(90_000, "a.mp3?t=2")), "the same file");
        assert!(!is_another_episode(&old, &item("<p>The latest news.</p>")), "no file");
    }
}
