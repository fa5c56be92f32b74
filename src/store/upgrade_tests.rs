//! A database that an older newswire wrote.

use jiff::Timestamp;

use super::*;
use crate::model::{ItemKey, StoryKey};

#[test]
fn a_database_of_the_first_schema_keeps_its_stories_with_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("migrations/0001.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 1314343250; PRAGMA user_version = 1;
         INSERT INTO feed (id, name, url, active, tags, added_at, profile, hints, complaints, request_key, distrusted,
                           reader, next_poll_at, reason, reason_text, considered, failures, items)
         VALUES (1, 'a', 'http://a.example/feed', 1, '[]', 0, '{}', '{}', '[]', '', 0, 1, 0, 'new', '', '[]', 0, 1),
                (2, 'b', 'http://b.example/feed', 1, '[]', 0, '{}', '{}', '[]', '', 0, 1, 0, 'new', '', '[]', 0, 1);
         INSERT INTO item (id, feed_id, story_id, outward_id, fingerprint, first_seen_at, sort_at)
         VALUES (1, 1, 1, 'tag:a.example,2025:1', zeroblob(16), 5, 5),
                (2, 2, 1, 'tag:b.example,2025:1', zeroblob(16), 6, 6);",
    )
    .unwrap();
    drop(old);
    let store = Store::open(&path, Clock::manual(Timestamp::from_second(9).unwrap())).unwrap();
    let members = store.reader().members(&[StoryKey(1)]).unwrap();
    assert_eq!(members[&StoryKey(1)].len(), 2);
    let second = store.reader().find("tag:b.example,2025:1", None).unwrap().remove(0);
    let receipt = store.reader().receipt(second).unwrap();
    assert!(receipt.ties.iter().any(|(tie, other, _)| tie.same && other.key == ItemKey(1)));
}
