//! By what an item is recognised within its feed, and whether it changed.
//!
//! The guid where there is one, else the page, else the words. Ids of one feed never meet another
//! feed's: the store keeps them by feed. Leaves sameness across feeds to `across`.

use std::collections::HashMap;

use uuid::Uuid;

use super::canonical;
use super::digest::{Hasher, digest};
use crate::model::{Digest, FeedId, GuidUse, ParsedItem, site};

/// An item of a document, by its place there, with what it is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified {
    /// Its place in the document.
    pub index: usize,
    /// By what it is recognised within its feed.
    pub identity: Digest,
    /// By what it was recognised before the feed's guids lost their worth: good for an item that
    /// had the same page.
    pub former: Option<Digest>,
    /// Digest of everything that a subscriber would notice; dates and counters are left out.
    pub content_digest: Digest,
    /// Digest of its canonical URL; `None`: the URL does not identify it.
    pub url_key: Option<Digest>,
}

/// Identifies the items of one document, in its order; an item that is in it twice, once.
#[must_use]
pub fn identify(items: &[ParsedItem], guids: GuidUse) -> Vec<Identified> {
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
        let (identity, former) = identity(item, &shared_guids, guids);
        if seen.insert(identity, index).is_some() {
            continue;
        }
        // A page that several items of one document link to is not the page of any of them.
        let url_key = keys[index].filter(|key| urls.get(key) == Some(&1));
        let content_digest = content_digest(item);
        identified.push(Identified { index, identity, former, content_digest, url_key });
    }
    identified
}

/// More of a document's items than this with a guid of another: its guids are worth nothing.
const SHARED: f32 = 0.05;

/// For guids that several items have: true when these have different pages, so that the guid
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

/// By what an item is recognised, and was where that differs.
fn identity(
    item: &ParsedItem,
    shared_guids: &HashMap<&str, bool>,
    guids: GuidUse,
) -> (Digest, Option<Digest>) {
    let page = item.page();
    let Some(guid) = item.id.as_deref().filter(|guid| !guid.is_empty()) else {
        let identity = match page {
            Some(page) => digest(&[b"page", canonical::within_feed(page).as_bytes()]),
            None => words(item),
        };
        return (identity, None);
    };
    // RFC 4287 4.2.6.1: compared character by character.
    let alone = digest(&[b"guid", guid.as_bytes()]);
    if guids == GuidUse::Unique && shared_guids.get(guid) != Some(&true) {
        return (alone, None);
    }
    let with_page = match page {
        Some(page) => digest(&[b"guid+page", guid.as_bytes(), page.as_bytes()]),
        // Nothing else separates it from the others with its guid.
        None => digest(&[b"guid+words", guid.as_bytes(), &words(item)]),
    };
    (with_page, Some(alone))
}

/// By what an item is recognised whose guid was given to another thing before.
#[must_use]
pub fn reused(item: &ParsedItem) -> Digest {
    identity(item, &HashMap::new(), GuidUse::Reused).0
}

/// Whether too many items of a document share guids, so that no guid of the feed identifies an item.
#[must_use]
pub fn share_guids(items: &[ParsedItem]) -> GuidUse {
    let shared = pages_by_guid(items);
    let wrong =
        |item: &&ParsedItem| item.id.as_deref().is_some_and(|id| shared.get(id) == Some(&true));
    let wrong = items.iter().filter(wrong).count();
    if wrong > 0 && wrong as f32 > items.len() as f32 * SHARED {
        GuidUse::Reused
    } else {
        GuidUse::Unique
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

fn content_digest(item: &ParsedItem) -> Digest {
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

/// An id that is unique in the world: from the feed's own id and what the item is recognised by.
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

/// The site that a publisher's id names as its own: of an address, or of a tag (RFC 4151 2.1).
#[must_use]
pub fn authority(guid: &str) -> Option<String> {
    let host = match guid.strip_prefix("tag:") {
        Some(tag) => format!("https://{}/", tag.split([',', ':']).next()?.rsplit('@').next()?),
        None => guid.to_owned(),
    };
    let url = url::Url::parse(&host).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(site(&url).to_owned())
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

    fn sound(items: &[ParsedItem]) -> Vec<Identified> {
        identify(items, GuidUse::Unique)
    }

    #[test]
    fn a_guid_that_lost_its_worth_counts_with_its_page() {
        let items = [item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")];
        assert_eq!(share_guids(&items), GuidUse::Reused);
        let alone = identify(&items[..1], GuidUse::Reused);
        assert_eq!(alone[0].identity, sound(&items)[0].identity, "also when it is alone");
        assert_eq!(alone[0].former, Some(sound(&items[..1])[0].identity));
        assert_eq!(share_guids(&items[..1]), GuidUse::Unique);
    }

    #[test]
    fn an_item_is_recognised_by_guid_else_page_else_words() {
        let first = sound(&[
            item("1", "http://e.org/a", "A"),
            item("", "http://e.org/b", "B"),
            item("", "", "C"),
        ]);
        let edited = sound(&[
            item("1", "http://e.org/x", "A2"),
            item("", "http://e.org/b", "B2"),
            item("", "", "C"),
        ]);
        for (before, after) in first.iter().zip(&edited) {
            assert_eq!(before.identity, after.identity);
        }
        let changed: Vec<bool> =
            first.iter().zip(&edited).map(|(a, b)| a.content_digest != b.content_digest).collect();
        assert_eq!(changed, [true, true, false]);
    }

    #[test]
    fn the_order_in_the_document_changes_no_identity() {
        let items = [item("1", "http://e.org/a", "A"), item("2", "http://e.org/b", "B")];
        let mut reversed = items.clone();
        reversed.reverse();
        let mut there: Vec<Digest> = sound(&items).iter().map(|i| i.identity).collect();
        there.reverse();
        assert_eq!(there, sound(&reversed).iter().map(|i| i.identity).collect::<Vec<_>>());
    }

    #[test]
    fn an_item_that_stands_in_a_document_twice_is_one() {
        assert_eq!(
            sound(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/a", "A")]).len(),
            1
        );
    }

    #[test]
    fn a_guid_that_every_item_has_does_not_swallow_items() {
        assert_eq!(
            sound(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")]).len(),
            2
        );
    }

    #[test]
    fn a_page_that_items_share_is_no_proof_of_sameness() {
        let items = [item("1", "http://e.org/all", "A"), item("2", "http://e.org/all", "B")];
        assert!(sound(&items).iter().all(|item| item.url_key.is_none()));
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
    fn an_id_names_the_site_of_its_publisher() {
        assert_eq!(authority("tag:ann@blog.example.org,2026:7").as_deref(), Some("example.org"));
        assert_eq!(authority("https://a.example.org/?p=7").as_deref(), Some("example.org"));
        assert_eq!(authority("17"), None);
        assert_eq!(authority("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a"), None);
    }

    #[test]
    fn a_minted_id_depends_on_the_feed_and_the_item_alone() {
        let (a, b) = (FeedId::new("a").unwrap(), FeedId::new("b").unwrap());
        assert_eq!(own_id(&a, &[1; 16]), own_id(&a, &[1; 16]));
        assert_ne!(own_id(&a, &[1; 16]), own_id(&b, &[1; 16]));
        assert!(own_id(&a, &[1; 16]).starts_with("urn:uuid:"));
    }
}
