//! Tests of the rows that configured feeds have.

use super::tests::{at, feed, read, store, update};
use super::*;
use crate::model::{Address, Removal};

#[tokio::test]
async fn a_renamed_or_moved_feed_keeps_its_row() {
    let (_folder, _path, store, [a, b]) = store().await;
    let renamed = vec![feed(Some("alpha"), "http://a.example/feed")];
    let registered = store.register(renamed, Lists::Known, at(1)).await.unwrap();
    assert_eq!((registered[0].key, registered[0].id.as_str()), (a, "alpha"));
    assert_eq!(read(&store, |tx| tx.feeds()).len(), 1, "b is no longer configured");
    let moved =
        vec![feed(Some("alpha"), "http://new.example/feed"), feed(None, "http://b.example/feed")];
    let registered = store.register(moved, Lists::Known, at(2)).await.unwrap();
    assert_eq!([registered[0].key, registered[1].key], [a, b]);
}

#[tokio::test]
async fn documents_of_an_earlier_address_count_as_empty() {
    let (_folder, _path, store, [a, _]) = store().await;
    store.write_poll(update(a, vec![], vec![])).await.unwrap();
    for (second, url, items) in
        [(1, "http://a.example/feed", None), (2, "http://new.example/feed", Some(0))]
    {
        let feeds = vec![feed(Some("alpha"), url)];
        store.register(feeds, Lists::Known, at(second)).await.unwrap();
        let polls = read(&store, |tx| tx.poll_yields(a));
        let known: Vec<Option<usize>> = polls.iter().map(|poll| poll.items).collect();
        assert_eq!(known, [items], "{url}");
    }
}

#[tokio::test]
async fn a_feed_without_id_keeps_its_row_when_the_config_gets_the_address_that_it_moved_to() {
    let (_folder, _path, store, [a, b]) = store().await;
    let effective = Some("http://new.example/feed".parse().unwrap());
    let address = Some(Address { effective, candidate: None });
    store.write_poll(PollUpdate { address, ..update(a, vec![], vec![]) }).await.unwrap();
    let feeds = || vec![feed(None, "http://new.example/feed"), feed(None, "http://b.example/feed")];
    let named = read(&store, |tx| tx.configured_feeds(&feeds()));
    assert_eq!([named[0].key, named[1].key], [Some(a), Some(b)]);
    let registered = store.register(feeds(), Lists::Known, at(1)).await.unwrap();
    assert_eq!([registered[0].key, registered[1].key], [a, b]);
    let both = vec![feed(None, "http://c.example/feed"), feed(None, "http://new.example/feed")];
    let registered = store.register(both, Lists::Known, at(2)).await.unwrap();
    assert_eq!(registered[1].key, a);
    assert!(![a, b].contains(&registered[0].key), "another feed is new");
}

#[tokio::test]
async fn feeds_that_leave_the_outputs_with_their_list_stay_until_it_was_read() {
    let (_folder, _path, store, _) = store().await;
    let listed = Feed { removal: Removal::Hide, ..feed(None, "http://listed.example/feed") };
    let own = feed(None, "http://a.example/feed");
    store.register(vec![own.clone(), listed], Lists::Known, at(1)).await.unwrap();
    let shown = || read(&store, |tx| tx.feeds()).len();
    store.register(vec![own.clone()], Lists::Unknown, at(2)).await.unwrap();
    assert_eq!(shown(), 2, "its list has no copy");
    store.register(vec![own], Lists::Known, at(3)).await.unwrap();
    assert_eq!(shown(), 1, "the list was read without it");
}

#[tokio::test]
async fn feeds_with_the_same_derived_id_are_numbered() {
    let (_folder, _path, store, _) = store().await;
    let feeds = vec![feed(None, "http://c.example/?a"), feed(None, "http://c.example/?b")];
    let names: Vec<String> = store
        .register(feeds, Lists::Known, at(0))
        .await
        .unwrap()
        .iter()
        .map(|feed| feed.id.to_string())
        .collect();
    assert_eq!(names, ["c.example", "c.example-2"]);
}
