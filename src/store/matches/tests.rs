//! Tests of `matches`.

use super::super::tests::{digest_of, feed, new_item, update};
use super::super::{Lists, open};
use super::*;

#[test]
fn many_items_of_a_link_leave_one_of_the_same_date_and_title() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open::writer(&folder.path().join("newswire.db")).unwrap();
    let transaction = Transaction::new(&connection);
    let feeds = ["a", "b"].map(|host| feed(None, &format!("http://{host}.example/feed")));
    let keys = transaction.register(&feeds, Lists::Known, Timestamp::UNIX_EPOCH).unwrap();
    let items = (0..70).map(|n| new_item(&format!("{n:04}"), "http://e.org/1", 5)).collect();
    transaction.write_poll(&update(keys[0].key, items, vec![])).unwrap();
    let one = vec![new_item("copy", "http://e.org/1", 5)];
    transaction.write_poll(&update(keys[1].key, one, vec![])).unwrap();
    let same = "UPDATE item SET published_at = 1001, title = 'Fog' WHERE id IN (70, 71)";
    connection.execute(same, []).unwrap();
    let found = transaction.same_page_or_id(&[ItemKey(71)], &[]).unwrap();
    assert_eq!(found[&ItemKey(71)].len(), 65);
    assert_eq!(found[&ItemKey(71)].last(), Some(&ItemKey(70)));
    let by_link = transaction.same_page_or_id(&[ItemKey(71)], &[keys[0].key]).unwrap();
    assert_eq!(by_link[&ItemKey(71)].len(), 64);
}

#[test]
fn a_join_undoes_a_split_only_for_the_story_that_the_item_matches() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open::writer(&folder.path().join("newswire.db")).unwrap();
    let transaction = Transaction::new(&connection);
    let feeds = [feed(None, "http://a.example/feed")];
    let at = Timestamp::UNIX_EPOCH;
    let feed = transaction.register(&feeds, Lists::Known, at).unwrap()[0].key;
    let items = (0..4).map(|n| new_item(&format!("{n:04}"), "http://e.org/1", 5)).collect();
    transaction.write_poll(&update(feed, items, vec![])).unwrap();
    connection
        .execute_batch(
            "UPDATE item SET story_id = 2 WHERE id = 3;
             INSERT INTO item_match VALUES (2, 1, 1, 'same_text', 1, 1, 0), (3, 1, 0, 'series', 1, 1, 0);",
        )
        .unwrap();
    for (other, is_kept) in [(4, true), (3, false), (2, false)] {
        transaction.decide(OperatorDecision::Split(ItemKey(1)), at).unwrap();
        transaction.decide(OperatorDecision::Join(ItemKey(1), ItemKey(other)), at).unwrap();
        let decided = transaction.decisions(&[ItemKey(1)]).unwrap();
        assert_eq!(decided.split.contains(&ItemKey(1)), is_kept, "{other}");
    }
}

#[test]
fn the_newest_earlier_items_of_a_page_are_found_unless_held() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open::writer(&folder.path().join("newswire.db")).unwrap();
    let transaction = Transaction::new(&connection);
    let feeds = [feed(None, "http://a.example/feed")];
    let at = Timestamp::UNIX_EPOCH;
    let a = transaction.register(&feeds, Lists::Known, at).unwrap()[0].key;
    let items = (0..70).map(|n| new_item(&format!("{n:04}"), "http://e.org/1", 5)).collect();
    transaction.write_poll(&update(a, items, vec![])).unwrap();
    let last: i64 = connection.query_row("SELECT max(id) FROM item", [], |row| row.get(0)).unwrap();
    let held = "UPDATE item SET hidden = 'burst' WHERE id = ?1";
    connection.execute(held, [last - 2]).unwrap();
    let page = digest_of("http://e.org/1");
    let found = transaction.items_of_page(&page, ItemKey(last)).unwrap();
    assert_eq!(found.len(), 63);
    assert_eq!(found[..2], [(ItemKey(last - 1), a), (ItemKey(last - 3), a)]);
    assert_eq!(found[62], (ItemKey(last - 64), a));
}
