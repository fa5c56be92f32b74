//! Who wrote an item, and how it is filed: names as plain text, each once, addresses apart.

use url::Url;

use super::links::{self, PERSON};
use super::reference::references;
use super::text::{self, NAME};
use crate::model::{Category, Person};
use crate::text::chars;

const MAX_PEOPLE: usize = 20;
const MAX_CATEGORIES: usize = 50;

/// The authors, each once; who is named again adds what was not known of them.
pub(super) fn authors(parsed: &[Person], base: &Url) -> Vec<Person> {
    let mut kept: Vec<Person> = Vec::new();
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
            break;
        }
    }
    kept
}

/// One author, or `None` where nothing is said.
fn person(parsed: &Person, base: &Url) -> Option<Person> {
    let written = text::line(&parsed.name, NAME).unwrap_or_default();
    let (name, inside) = name_and_address(&written);
    let name = text::line(&references(&name), NAME).unwrap_or_default();
    let email = parsed.email.as_deref().and_then(address).or(inside);
    let uri = parsed.uri.as_deref().and_then(|uri| links::absolute(uri, base, PERSON));
    let known = !name.is_empty() || uri.is_some() || email.is_some();
    known.then_some(Person { name, uri, email })
}

/// RSS 2.0 `author` is an address with the name in brackets; many write it the other way round.
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

/// An e-mail address, by its looks.
fn address(written: &str) -> Option<String> {
    let address = written.trim().trim_start_matches("mailto:");
    let (local, host) = address.rsplit_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\"".contains(c);
    let fits =
        !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    (fits && address.len() <= 254 && !address.contains(odd)).then(|| address.to_owned())
}

/// The categories, each once per scheme.
pub(super) fn categories(parsed: &[Category]) -> Vec<Category> {
    let mut kept: Vec<Category> = Vec::new();
    for parsed in parsed {
        let plain = |written: &str| text::line(&references(written), NAME);
        let label = parsed.label.as_deref().and_then(plain);
        let Some(term) = plain(&parsed.term).or_else(|| label.clone()) else { continue };
        let label = label.filter(|label| *label != term);
        let category = Category { scheme: parsed.scheme.as_deref().and_then(scheme), label, term };
        let same = |known: &Category| {
            known.scheme == category.scheme
                && known.term.to_lowercase() == category.term.to_lowercase()
        };
        if !kept.iter().any(same) {
            kept.push(category);
        }
        if kept.len() == MAX_CATEGORIES {
            break;
        }
    }
    kept
}

/// RFC 4287 4.2.2.2: an IRI. It names and is not followed, so it stays as written or goes.
fn scheme(written: &str) -> Option<String> {
    let written = written.trim();
    let url = Url::parse(written).ok()?;
    let names = matches!(url.scheme(), "http" | "https" | "urn" | "tag");
    let bare = url.username().is_empty() && url.password().is_none();
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c);
    (names && bare && written.len() <= 2048 && !written.contains(odd))
        .then(|| chars::clean(written).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, email: Option<&str>, uri: Option<&str>) -> Person {
        Person { name: name.into(), email: email.map(Into::into), uri: uri.map(Into::into) }
    }

    fn read(parsed: &[Person]) -> Vec<Person> {
        authors(parsed, &Url::parse("https://example.org/").unwrap())
    }

    #[test]
    fn an_address_is_kept_apart_from_the_name() {
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
        assert_eq!(read(&[person("The Band (UK)", None, None)])[0].name, "The Band (UK)");
    }

    #[test]
    fn an_author_of_whom_nothing_is_known_is_dropped() {
        assert_eq!(read(&[person(" \n", Some("no address"), Some("javascript:x"))]), []);
    }

    #[test]
    fn an_author_is_named_once() {
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
    fn categories_are_plain_and_stand_once() {
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
        ];
        assert_eq!(
            categories(&parsed),
            [
                category("R&D", None, None),
                category("rust", Some("https://e.org/tags/"), Some("Rust")),
                category("Only a label", None, None),
                category("a", None, None),
            ]
        );
        let many: Vec<_> = (0..99).map(|n| category(&n.to_string(), None, None)).collect();
        assert_eq!(categories(&many).len(), MAX_CATEGORIES);
    }
}
