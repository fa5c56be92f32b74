//! By what an item is recognised within its feed, and whether it changed.
//!
//! The guid where there is one, else the page, else the words. Ids of one feed never meet another
//! feed's: the store keeps them by feed. Leaves sameness across feeds to `across`.

use std::collections::HashMap;

use uuid::Uuid;

use super::canonical;
use super::digest::{Hasher, digest};
use crate::model::{Digest, FeedId, ParsedItem};

/// An item of a document, by its place there, with what it is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified {
    /// Its place in the document.
    pub index: usize,
    /// By what it is recognised within its feed.
    pub identity: Digest,
    /// Over everything that a reader would notice; dates and counters are left out.
    pub fingerprint: Digest,
    /// Of its canonical URL, unless that says nothing.
    pub url_key: Option<Digest>,
}

/// Identifies the items of one document, in its order; an item that stands there twice, once.
#[must_use]
pub fn identify(items: &[ParsedItem]) -> Vec<Identified> {
    let shared_guids = pages_by_guid(items);
    let mut urls: HashMap<Digest, usize> = HashMap::new();
    let keys: Vec<Option<Digest>> =
        items.iter().map(|item| item.page().and_then(canonical::url_key)).collect();
    for key in keys.iter().flatten() {
        *urls.entry(*key).or_default() += 1;
    }
    let mut seen = HashMap::with_capacity(items.len());
    let mut identified = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let identity = identity(item, &shared_guids);
        if seen.insert(identity, index).is_some() {
            continue;
        }
        // A page that several items of one document link to is not the page of any of them.
        let url_key = keys[index].filter(|key| urls.get(key) == Some(&1));
        identified.push(Identified { index, identity, fingerprint: fingerprint(item), url_key });
    }
    identified
}

/// For guids that stand on several items: true when these have different pages, so that the guid
/// does not identify anything.
fn pages_by_guid(items: &[ParsedItem]) -> HashMap<&str, bool> {
    let mut pages: HashMap<&str, (Option<&str>, bool)> = HashMap::new();
    for item in items {
        let Some(guid) = item.id.as_deref() else { continue };
        let page = item.page();
        let entry = pages.entry(guid).or_insert((page, false));
        entry.1 |= entry.0 != page;
    }
    pages.into_iter().map(|(guid, (_, differ))| (guid, differ)).collect()
}

fn identity(item: &ParsedItem, shared_guids: &HashMap<&str, bool>) -> Digest {
    let page = item.page();
    match item.id.as_deref().filter(|guid| !guid.is_empty()) {
        Some(guid) if shared_guids.get(guid) == Some(&true) => {
            digest(&[b"guid+page", guid.as_bytes(), page.unwrap_or_default().as_bytes()])
        }
        // RFC 4287 4.2.6.1: compared character by character.
        Some(guid) => digest(&[b"guid", guid.as_bytes()]),
        None => match page {
            Some(page) => digest(&[b"page", canonical::within_feed(page).as_bytes()]),
            None => words(item),
        },
    }
}

/// What an item without guid and page is recognised by.
fn words(item: &ParsedItem) -> Digest {
    let mut hasher = Hasher::default();
    hasher.part(b"words");
    for text in [&item.title, &item.content, &item.summary] {
        hasher.maybe(text.as_ref().map(|text| text.value.as_str()));
    }
    for enclosure in &item.enclosures {
        hasher.part(enclosure.url.as_bytes());
    }
    hasher.finish()
}

fn fingerprint(item: &ParsedItem) -> Digest {
    let mut hasher = Hasher::default();
    for text in [&item.title, &item.summary, &item.content] {
        hasher.maybe(text.as_ref().map(|text| text.value.as_str()));
    }
    hasher.maybe(item.page());
    for enclosure in &item.enclosures {
        hasher.part(enclosure.url.as_bytes());
    }
    // A count between the lists, so that an author never reads like a category.
    hasher.part(&item.enclosures.len().to_be_bytes());
    for author in &item.authors {
        hasher.part(author.name.as_bytes());
    }
    hasher.part(&item.authors.len().to_be_bytes());
    for category in &item.categories {
        hasher.part(category.term.as_bytes());
    }
    hasher.finish()
}

/// Under this namespace ids are minted; chosen once, at random.
const NAMESPACE: Uuid = Uuid::from_u128(0x7b1d_9b52_7a0e_4a55_9c39_5d0a_6f2c_e1d7);

/// An id that nobody else can have: from the feed's own id and what the item is recognised by.
#[must_use]
pub fn own_id(feed: &FeedId, identity: &Digest) -> String {
    // RFC 9562 5.5
    let name = [feed.as_str().as_bytes(), b"\n", identity].concat();
    Uuid::new_v5(&NAMESPACE, &name).urn().to_string()
}

/// The publisher's id where it names one thing in the whole world, RFC 4287 4.2.6.
#[must_use]
pub fn global_id(guid: &str) -> Option<&str> {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    if guid.len() > 1024 || !guid.chars().all(fits) {
        return None;
    }
    // As it is written: a reader that resolves ids would write "HTTP:" anew.
    let global = match guid.split(':').next().unwrap_or_default() {
        // A page, but not a whole site: "https://example.org/" on an item names the site.
        "http" | "https" => canonical::canonical(guid).is_some(),
        // RFC 4151 2.1: tag:authority,date:specific
        "tag" => guid.contains(','),
        "urn" => guid.len() > 12 && guid.matches(':').count() >= 2,
        _ => false,
    };
    global.then_some(guid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Link, Text};

    fn item(guid: &str, page: &str, title: &str) -> ParsedItem {
        let link = Link { href: page.to_owned(), rel: "alternate".to_owned(), ..Link::default() };
        ParsedItem {
            id: (!guid.is_empty()).then(|| guid.to_owned()),
            links: if page.is_empty() { vec![] } else { vec![link] },
            title: Some(Text::plain(title)),
            ..ParsedItem::default()
        }
    }

    #[test]
    fn an_item_is_recognised_by_guid_else_page_else_words() {
        let first = identify(&[
            item("1", "http://e.org/a", "A"),
            item("", "http://e.org/b", "B"),
            item("", "", "C"),
        ]);
        let edited = identify(&[
            item("1", "http://e.org/x", "A2"),
            item("", "http://e.org/b", "B2"),
            item("", "", "C"),
        ]);
        for (before, after) in first.iter().zip(&edited) {
            assert_eq!(before.identity, after.identity);
        }
        let changed: Vec<bool> =
            first.iter().zip(&edited).map(|(a, b)| a.fingerprint != b.fingerprint).collect();
        assert_eq!(changed, [true, true, false]);
    }

    #[test]
    fn the_order_in_the_document_changes_no_identity() {
        let items = [item("1", "http://e.org/a", "A"), item("2", "http://e.org/b", "B")];
        let mut reversed = items.clone();
        reversed.reverse();
        let mut there: Vec<Digest> = identify(&items).iter().map(|i| i.identity).collect();
        there.reverse();
        assert_eq!(there, identify(&reversed).iter().map(|i| i.identity).collect::<Vec<_>>());
    }

    #[test]
    fn an_item_that_stands_in_a_document_twice_is_one() {
        assert_eq!(
            identify(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/a", "A")]).len(),
            1
        );
    }

    #[test]
    fn a_guid_that_every_item_has_does_not_swallow_items() {
        assert_eq!(
            identify(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")]).len(),
            2
        );
    }

    #[test]
    fn a_page_that_items_share_is_no_proof_of_sameness() {
        let items = [item("1", "http://e.org/all", "A"), item("2", "http://e.org/all", "B")];
        assert!(identify(&items).iter().all(|item| item.url_key.is_none()));
    }

    #[test]
    fn only_an_id_that_is_unique_in_the_world_is_published_as_it_is() {
        for global in [
            "tag:example.org,2025:1",
            "https://example.org/?p=1",
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
        ] {
            assert_eq!(global_id(global), Some(global));
        }
        for local in [
            "1",
            "post 17",
            "https://example.org/",
            "http://e.org/a b",
            "tag:x",
            "yt:video:abc",
            "urn:x",
            "HTTP://example.org/thing",
        ] {
            assert_eq!(global_id(local), None, "{local}");
        }
    }

    #[test]
    fn a_minted_id_depends_on_the_feed_and_the_item_alone() {
        let (a, b) = (FeedId::new("a").unwrap(), FeedId::new("b").unwrap());
        assert_eq!(own_id(&a, &[1; 16]), own_id(&a, &[1; 16]));
        assert_ne!(own_id(&a, &[1; 16]), own_id(&b, &[1; 16]));
        assert!(own_id(&a, &[1; 16]).starts_with("urn:uuid:"));
    }
}
