//! Tests of `identity`.

use super::*;
use crate::model::{Enclosure, Link, Text};

fn item(guid: &str, page: &str, title: &str) -> ParsedItem {
    let link = Link { href: page.to_owned(), rel: "alternate".to_owned(), ..Link::default() };
    ParsedItem {
        id: (!guid.is_empty()).then(|| guid.to_owned()),
        links: if page.is_empty() { vec![] } else { vec![link] },
        title: Some(Text::plain(title)),
        ..ParsedItem::default()
    }
}

/// What identifies the items, with what is known of the guids of the feed.
fn identify(items: &[ParsedItem], guids: GuidUse, rule: IdentityRule) -> Identities {
    identities(items, &Keyed::new(items, rule), guids)
}

fn share_guids(items: &[ParsedItem]) -> GuidUse {
    guid_use(items, &Keyed::new(items, IdentityRule::Auto))
}

fn sound(items: &[ParsedItem]) -> Vec<Identified> {
    identify(items, GuidUse::Unique, IdentityRule::Auto).items
}

fn dated(item: ParsedItem, published: i64, updated: Option<i64>) -> ParsedItem {
    let at = |seconds| jiff::Timestamp::from_second(seconds).unwrap();
    ParsedItem { published: Some(at(published)), updated: updated.map(at), ..item }
}

fn holds(key: &Digest, item: &Identified) -> bool {
    item.others.iter().flatten().any(|other| other.key == *key)
}

#[test]
fn a_guid_that_lost_its_worth_counts_with_its_page() {
    let items = [item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")];
    assert_eq!(share_guids(&items), GuidUse::Reused);
    let alone = identify(&items[..1], GuidUse::Reused, IdentityRule::Auto).items;
    assert_eq!(alone[0].identity, sound(&items)[0].identity, "also when it is alone");
    assert!(holds(&sound(&items[..1])[0].identity, &alone[0]));
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
fn an_item_that_occurs_twice_in_a_document_is_one_item() {
    assert_eq!(
        sound(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/a", "A")]).len(),
        1
    );
}

#[test]
fn items_that_differ_only_in_the_guid_are_one_item() {
    let at = |guid, page, title, date| dated(item(guid, page, title), date, None);
    let one = || at("1", "http://e.org/a", "A", 1_000);
    for (other, count) in [
        (at("2", "http://e.org/a", "A", 1_000), 1),
        (at("2", "http://e.org/b", "A", 1_000), 2),
        (at("2", "http://e.org/a", "B", 1_000), 2),
        (at("2", "http://e.org/a", "A", 1_001), 2),
        (at("2", "", "A", 1_000), 2),
    ] {
        assert_eq!(sound(&[one(), other.clone()]).len(), count, "{other:?}");
    }
    let others = [one(), at("2", "http://e.org/a", "A", 1_000), at("3", "http://e.org/a", "B", 9)];
    assert_eq!(sound(&others).len(), 3, "the page is constant");
    let undated = [item("1", "http://e.org/a", "A"), item("2", "http://e.org/a", "A")];
    assert_eq!(sound(&undated).len(), 2, "events of a log");
}

#[test]
fn a_file_identifies_an_item_without_guid_and_link() {
    let episode = |file: &str, title| ParsedItem {
        enclosures: vec![Enclosure {
            url: file.to_owned(),
            media_type: "audio/mpeg".to_owned(),
            ..Enclosure::default()
        }],
        ..item("", "", title)
    };
    let first = sound(&[episode("http://e.org/1.mp3", "A"), episode("http://e.org/2.mp3", "B")]);
    let second = sound(&[
        episode("https://e.org/1.mp3", "A, corrected"),
        episode("http://e.org/3.mp3", "B"),
    ]);
    assert_eq!(first[0].identity, second[0].identity);
    assert_ne!(first[1].identity, second[1].identity);
    let shared = sound(&[episode("http://e.org/1.mp3", "C"), episode("http://e.org/1.mp3", "D")]);
    assert_ne!(shared[0].identity, shared[1].identity);
    let alone = shared[0].others.iter().flatten().find(|other| other.key == first[0].identity);
    assert_eq!(alone.map(|other| other.needs), Some(Needs::Content));
}

#[test]
fn a_guid_that_every_item_has_does_not_swallow_items() {
    assert_eq!(
        sound(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")]).len(),
        2
    );
}

#[test]
fn items_that_share_a_key_differ_by_title_date_or_text() {
    let text = |value: &str| ParsedItem {
        title: None,
        content: Some(Text::plain(value)),
        ..item("", "http://e.org/status", "")
    };
    let day = |n: i64| dated(item("", "http://e.org/status", "Report"), n * 86_400, None);
    for items in [
        vec![item("", "http://e.org/status", "A"), item("", "http://e.org/status", "B")],
        vec![item("N/A", "N/A", "A"), item("N/A", "N/A", "B"), item("N/A", "N/A", "C")],
        vec![item("N/A", "", "A"), item("N/A", "", "B")],
        vec![day(1), day(2), day(3)],
        vec![text("one"), text("two")],
    ] {
        let found = identify(&items, GuidUse::Unique, IdentityRule::Auto);
        let keys: std::collections::HashSet<Digest> =
            found.items.iter().map(|item| item.identity).collect();
        assert_eq!(keys.len(), items.len(), "{items:?}");
        assert_eq!((found.copies, found.sharing), (0, items.len()), "{items:?}");
        assert_eq!(found.parse_warnings()[0].code, "shared_keys");
    }
}

#[test]
fn an_item_keeps_its_key_when_the_items_that_shared_it_have_left() {
    let items = [item("", "http://e.org/status", "A"), item("", "http://e.org/status", "B")];
    let (both, alone) = (sound(&items), sound(&items[..1]));
    assert_ne!(both[0].identity, alone[0].identity);
    assert!(holds(&both[0].identity, &alone[0]) && !holds(&both[1].identity, &alone[0]));
    let back = both[1].others.iter().flatten().find(|other| other.key == alone[0].identity);
    assert_eq!(back.map(|other| other.needs), Some(Needs::Content));
}

#[test]
fn versions_of_an_entry_are_one_item_the_newest() {
    let version = |hour: i64, text: &str| ParsedItem {
        content: Some(Text::plain(text)),
        ..dated(item("tag:e.org,2026:1", "http://e.org/1", "A"), 1_000, Some(hour * 3_600))
    };
    let found = identify(
        &[version(2, "old"), version(3, "new"), version(1, "older")],
        GuidUse::Unique,
        IdentityRule::Auto,
    );
    assert_eq!(found.items.iter().map(|item| item.index).collect::<Vec<_>>(), [1]);
    assert_eq!((found.copies, found.sharing), (2, 0));
    assert_eq!(found.parse_warnings()[0].code, "copied_items");
}

#[test]
fn the_operator_may_choose_what_identifies_the_items_of_a_feed() {
    let (a, b) = (
        dated(item("1", "http://e.org/a", "A"), 1_000, None),
        dated(item("1", "http://e.org/a", "B"), 1_000, None),
    );
    let key = |item: &ParsedItem, rule| {
        identify(std::slice::from_ref(item), GuidUse::Unique, rule).items[0].identity
    };
    assert_eq!(key(&a, IdentityRule::Key), key(&b, IdentityRule::Key));
    assert_ne!(key(&a, IdentityRule::Title), key(&b, IdentityRule::Title));
    assert_eq!(key(&a, IdentityRule::Date), key(&b, IdentityRule::Date));
    let later = dated(a.clone(), 90_000, None);
    assert_ne!(key(&a, IdentityRule::Date), key(&later, IdentityRule::Date));
}

#[test]
fn the_page_of_its_comments_and_its_date_are_a_name_of_an_item_without_a_guid() {
    let on = |guid, page, comments: &str, date| ParsedItem {
        comments: Some(comments.to_owned()),
        ..dated(item(guid, page, page), date, None)
    };
    let names = |items: [ParsedItem; 2]| {
        let found = sound(&items);
        found.into_iter().next().unwrap().discussion
    };
    let (one, two) = ("http://news.e.org/item?id=1", "http://news.e.org/item?id=2");
    let other = || on("", "http://e.org/x", two, 9);
    let old = names([on("", "http://e.org/a", one, 1_000), other()]);
    assert!(old.is_some());
    assert_eq!(old, names([on("", "http://e.org/b", one, 1_000), other()]));
    for another in [
        on("", "http://e.org/b", one, 1_001),
        on("", "http://e.org/b", "http://news.e.org/item?id=3", 1_000),
        on("1", "http://e.org/b", one, 1_000),
        on("", one, one, 1_000),
    ] {
        assert_ne!(old, names([another.clone(), other()]), "{another:?}");
    }
    let shared =
        names([on("", "http://e.org/a", one, 1_000), on("", "http://e.org/b", one, 2_000)]);
    assert_eq!(shared, None, "it identifies none of them");
    let alone = sound(&[on("", "http://e.org/a", one, 1_000)]);
    assert_eq!(alone[0].discussion, None);
    let midnight = 400 * 86_400;
    assert_eq!(names([on("", "http://e.org/a", one, midnight), other()]), None);
}

#[test]
fn a_page_that_items_share_is_no_proof_of_sameness() {
    let items = [item("1", "http://e.org/all", "A"), item("2", "http://e.org/all", "B")];
    assert!(sound(&items).iter().all(|item| item.url_key.is_none()));
}
