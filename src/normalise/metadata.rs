//! Authors, categories, dates and language tags of an item.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::escaping::references;
use super::links::{self, PERSON};
use super::plain_text::{self, NAME};
use crate::model::{Category, Person, has_login};
use crate::text::chars;
use crate::text::html::to_text;

/// Maximum number of authors of an item.
pub(super) const MAX_PEOPLE: usize = 20;
/// Maximum number of categories of an item.
pub(super) const MAX_CATEGORIES: usize = 50;

/// The first authors without duplicates, and the number of authors left out. Duplicates complete missing values.
pub(super) fn authors(parsed: &[Person], base: &Url) -> (Vec<Person>, usize) {
    let (mut kept, mut surplus) = (Vec::<Person>::new(), 0);
    for person in parsed.iter().filter_map(|parsed| person(parsed, base)) {
        let same = |known: &&mut Person| match person.name.is_empty() {
            true => person.email.is_some() && known.email == person.email,
            false => known.name.to_lowercase() == person.name.to_lowercase(),
        };
        if let Some(known) = kept.iter_mut().find(same) {
            known.uri = known.uri.take().or(person.uri);
            known.email = known.email.take().or(person.email);
        } else if kept.len() < MAX_PEOPLE {
            kept.push(person);
        } else {
            surplus += 1;
        }
    }
    (kept, surplus)
}

/// An author; `None` if all values are empty or invalid.
fn person(parsed: &Person, base: &Url) -> Option<Person> {
    // Some publishers write a link to the page of the author.
    let name = match parsed.name.contains("</") {
        true => Cow::Owned(to_text(&parsed.name)),
        false => Cow::Borrowed(&*parsed.name),
    };
    let written = plain_text::line(&name, NAME).unwrap_or_default();
    let (name, inside) = name_and_address(&written);
    let name = plain_text::line(&references(&name), NAME).unwrap_or_default();
    let email = parsed.email.as_deref().and_then(address).or(inside);
    let uri = parsed.uri.as_deref().and_then(|uri| links::absolute(uri, base, PERSON));
    let known = !name.is_empty() || uri.is_some() || email.is_some();
    known.then_some(Person { name, uri, email })
}

/// Separates name and e-mail address. In RSS 2.0 the name is in brackets, but many publishers put the
/// address in brackets.
fn name_and_address(written: &str) -> (String, Option<String>) {
    if let Some(email) = address(written) {
        return (String::new(), Some(email));
    }
    let brackets = [('(', ')'), ('<', '>'), ('[', ']')];
    let parts = brackets.into_iter().find_map(|(open, close)| {
        let (before, inside) = written.strip_suffix(close)?.split_once(open)?;
        Some((before.trim(), inside.trim()))
    });
    let Some((before, inside)) = parts else { return (written.to_owned(), None) };
    let (email, name) = match (address(before), address(inside)) {
        (Some(email), _) => (email, inside),
        (_, Some(email)) => (email, before),
        _ => return (written.to_owned(), None),
    };
    (name.trim_matches('"').trim().to_owned(), Some(email))
}

/// An e-mail address, if the text has the form of one.
fn address(written: &str) -> Option<String> {
    let address = written.trim().trim_start_matches("mailto:");
    let (local, host) = address.rsplit_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\"".contains(c);
    let fits =
        !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    (fits && address.len() <= 254 && !address.contains(odd)).then(|| address.to_owned())
}

/// The first categories without duplicates of term and scheme, and the number of categories left out.
pub(super) fn categories(parsed: &[Category]) -> (Vec<Category>, usize) {
    let (mut kept, mut surplus) = (Vec::<Category>::new(), 0);
    for parsed in parsed {
        let plain = |written: &str| plain_text::line(&references(written), NAME);
        let label = parsed.label.as_deref().and_then(plain);
        let Some(term) = plain(&parsed.term).or_else(|| label.clone()) else { continue };
        let label = label.filter(|label| *label != term);
        // Blogger marks each post as a post.
        if term.starts_with("http://schemas.google.com/") {
            continue;
        }
        let category = Category { scheme: parsed.scheme.as_deref().and_then(scheme), label, term };
        let same = |known: &Category| {
            known.scheme == category.scheme
                && known.term.to_lowercase() == category.term.to_lowercase()
        };
        if kept.iter().any(same) {
            continue;
        }
        if kept.len() < MAX_CATEGORIES {
            kept.push(category);
        } else {
            surplus += 1;
        }
    }
    (kept, surplus)
}

/// The scheme of a category: an IRI (RFC 4287 4.2.2.2), unchanged. It is an identifier, not a link.
fn scheme(written: &str) -> Option<String> {
    let written = written.trim();
    let url = Url::parse(written).ok()?;
    let names = matches!(url.scheme(), "http" | "https" | "urn" | "tag");
    let bare = !has_login(&url);
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c);
    (names && bare && written.len() <= 2048 && !written.contains(odd))
        .then(|| chars::clean(written).into_owned())
}

/// Accepted difference of a publisher's clock.
const SKEW: SignedDuration = SignedDuration::from_mins(10);
/// Earliest accepted date, 1990-01-01T00:00:00Z in Unix seconds. Earlier ones are from unset clocks.
const EARLIEST: i64 = 631_152_000;

/// The date, but at most `now`. `None` if it is before 1990 or more than 10 minutes in the future, so
/// that no feed can put its items on top of an output.
fn plausible(date: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let ahead = date.duration_since(now);
    (ahead <= SKEW && date.as_second() >= EARLIEST).then(|| date.min(now))
}

/// Plausible dates of publication and of the last update.
///
/// An update date alone is the date of publication, because `published` is optional in Atom (RFC 4287
/// 4.1.2). An update before publication is dropped.
pub(super) fn dates(
    published: Option<Timestamp>,
    updated: Option<Timestamp>,
    now: Timestamp,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let updated = updated.and_then(|date| plausible(date, now));
    let Some(published) = published.map_or(updated, |date| plausible(date, now)) else {
        return (None, None);
    };
    (Some(published), updated.filter(|date| *date > published))
}

/// A language tag, if its syntax is valid; the case is kept.
///
/// RFC 5646 2.1: two or three letters, then subtags of up to eight letters and digits.
pub(super) fn language_tag(written: &str) -> Option<String> {
    // Locales have `_`. RFC 5646 4.4.1: 35 characters are enough for every tag.
    let tag = written.trim().replace('_', "-");
    let mut subtags = tag.split('-');
    let primary = subtags.next().unwrap_or_default();
    let fits = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags
            .all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    (fits && tag.len() <= 35).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, email: Option<&str>, uri: Option<&str>) -> Person {
        Person { name: name.into(), email: email.map(Into::into), uri: uri.map(Into::into) }
    }

    fn read(parsed: &[Person]) -> Vec<Person> {
        authors(parsed, &Url::parse("https://example.org/").unwrap()).0
    }

    #[test]
    fn name_and_address_are_separated() {
        let me = person("Jane O’Neil", Some("jane@example.org"), None);
        for written in [
            "jane@example.org (Jane O’Neil)",
            "Jane O&#8217;Neil <jane@example.org>",
            "\"Jane O’Neil\" <mailto:jane@example.org>",
            " Jane  O’Neil (jane@example.org) ",
        ] {
            assert_eq!(
                read(&[person(written, None, None)]),
                std::slice::from_ref(&me),
                "{written}"
            );
        }
        assert_eq!(
            read(&[person("jane@example.org", None, None)]),
            [person("", Some("jane@example.org"), None)]
        );
        assert_eq!(read(&[person("Jane (she) @ work", None, None)])[0].name, "Jane (she) @ work");
        let linked = "<a href=\"https://example.org/ann\">Ann <b>Lee</b></a>";
        assert_eq!(read(&[person(linked, None, None)])[0].name, "Ann Lee");
        assert_eq!(read(&[person("The Band (UK)", None, None)])[0].name, "The Band (UK)");
    }

    #[test]
    fn an_author_without_values_is_dropped() {
        assert_eq!(read(&[person(" \n", Some("no address"), Some("javascript:x"))]), []);
    }

    #[test]
    fn authors_are_unique() {
        let parsed = [
            person("Jane", None, None),
            person("JANE", Some("j@e.org"), Some("/jane")),
            person("Joe", None, Some("mailto:joe@e.org")),
        ];
        assert_eq!(
            read(&parsed),
            [
                person("Jane", Some("j@e.org"), Some("https://example.org/jane")),
                person("Joe", None, Some("mailto:joe@e.org"))
            ]
        );
        let many: Vec<_> = (0..99).map(|n| person(&format!("n{n}"), None, None)).collect();
        assert_eq!(read(&many).len(), MAX_PEOPLE);
    }

    #[test]
    fn categories_are_plain_text_and_unique() {
        let category = |term: &str, scheme: Option<&str>, label: Option<&str>| Category {
            term: term.into(),
            scheme: scheme.map(Into::into),
            label: label.map(Into::into),
        };
        let parsed = [
            category("R&amp;D", Some("Syndic8"), None),
            category("r&d ", None, None),
            category("rust", Some("https://e.org/tags/"), Some("Rust")),
            category("", None, Some("Only a label")),
            category(" ", None, None),
            category("a", Some("javascript:x"), Some("a")),
            category("http://schemas.google.com/blogger/2008/kind#post", None, None),
        ];
        assert_eq!(
            categories(&parsed).0,
            [
                category("R&D", None, None),
                category("rust", Some("https://e.org/tags/"), Some("Rust")),
                category("Only a label", None, None),
                category("a", None, None),
            ]
        );
        let many: Vec<_> = (0..99).map(|n| category(&n.to_string(), None, None)).collect();
        let (kept, surplus) = categories(&many);
        assert_eq!((kept.len(), surplus), (MAX_CATEGORIES, many.len() - MAX_CATEGORIES));
    }

    const NOW: i64 = 1_800_000_000;

    fn at(offset: i64) -> Option<Timestamp> {
        Timestamp::from_second(NOW + offset).ok()
    }

    fn dates(published: Option<Timestamp>, updated: Option<Timestamp>) -> [Option<Timestamp>; 2] {
        let (published, updated) = super::dates(published, updated, at(0).unwrap());
        [published, updated]
    }

    #[test]
    fn a_date_in_the_future_is_none_and_a_small_skew_is_now() {
        assert_eq!(dates(at(601), None), [None, None]);
        assert_eq!(dates(at(600), None), [at(0), None]);
        assert_eq!(dates(at(0), at(3600)), [at(0), None]);
        assert_eq!(dates(at(-60), at(60)), [at(-60), at(0)]);
        assert_eq!(dates(at(3600), at(-60)), [None, None]);
    }

    #[test]
    fn a_date_before_1990_is_none() {
        for old in [i64::from(i32::MIN), 0, EARLIEST - 1] {
            assert_eq!(dates(Timestamp::from_second(old).ok(), None), [None, None]);
        }
        assert_eq!(dates(Some(Timestamp::MIN), Some(Timestamp::MAX)), [None, None]);
        assert_eq!(
            dates(Timestamp::from_second(EARLIEST).ok(), None)[0],
            Timestamp::from_second(EARLIEST).ok()
        );
    }

    #[test]
    fn an_update_is_later_than_publication_or_none() {
        assert_eq!(dates(at(-60), at(-90)), [at(-60), None]);
        assert_eq!(dates(at(-60), at(-60)), [at(-60), None]);
        assert_eq!(dates(at(-60), at(-30)), [at(-60), at(-30)]);
    }

    #[test]
    fn an_update_alone_is_the_publication() {
        assert_eq!(dates(None, at(-60)), [at(-60), None]);
        assert_eq!(dates(None, None), [None, None]);
    }

    #[test]
    fn language_tags_must_have_a_valid_syntax() {
        for language in ["de", "en-us", "zh-Hant-TW", "sr-Latn-RS-x-private", "yue"] {
            assert_eq!(language_tag(&format!(" {language}\n")).as_deref(), Some(language));
        }
        assert_eq!(language_tag("en_US").as_deref(), Some("en-US"));
        for other in ["", "-", "english", "e", "en-", "en us", "de,en", "<b>", "dé", "en-123456789"]
        {
            assert_eq!(language_tag(other), None, "{other}");
        }
    }
}
