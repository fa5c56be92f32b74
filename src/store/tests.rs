//! Tests of the store with real SQLite: no statement scans, a failing write undoes no other, no item repeats.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;
use crate::model::{
    Digest, FeedId, FeedKey, FetchOutcome, Hints, Item, ItemKey, PageOwner, Plan, Promise,
    PromiseReason, PromiseScope, Reason, ReasonKind, RecognisedBy, StoryKey, Validators,
};

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub(super) fn feed(id: Option<&str>, url: &str) -> Feed {
    Feed {
        id: id.map(|id| FeedId::new(id).unwrap()),
        url: url::Url::parse(url).unwrap(),
        title: None,
        tags: Vec::new(),
        removal: Default::default(),
    }
}

pub(super) fn digest_of(text: &str) -> Digest {
    let mut digest = [0; 16];
    for (i, byte) in text.bytes().enumerate() {
        digest[i % 16] ^= byte.rotate_left((i / 16) as u32 % 8);
    }
    digest
}

pub(super) fn new_item(guid: &str, url: &str, published: i64) -> NewItem {
    NewItem {
        identity: digest_of(guid),
        other_identities: Vec::new(),
        url_key: (!url.is_empty()).then(|| digest_of(url)),
        content_digest: digest_of("1"),
        outward_id: format!("tag:example.org,2025:{guid}"),
        own_id: format!("urn:uuid:{guid}-{url}-{published}"),
        first_seen: at(1_000),
        item: Item {
            guid: Some(guid.to_owned()),
            url: Some(url.to_owned()),
            title: Some(format!("Title {guid}")),
            published: Some(at(published)),
            content: Some("<p>words</p>".to_owned()),
            ..Item::default()
        },
        dated: None,
        page_owner: PageOwner::FeedSite,
        text: TextIndex { fingerprint: Some(vec![1]), ..TextIndex::default() },
        held: None,
        filtered_by: None,
    }
}

pub(super) fn update(feed: FeedKey, new: Vec<NewItem>, changed: Vec<ChangedItem>) -> PollUpdate {
    PollUpdate {
        feed,
        at: at(1_000),
        duration: Duration::from_millis(5),
        outcome: FetchOutcome::Modified,
        status: Some(200),
        redirected_to: None,
        bytes: Bytes { wire: 10, body: 20 },
        plan: Plan {
            at: at(5_000),
            reason: Reason { kind: ReasonKind::Interval, text: "interval 1h".to_owned() },
            considered: Vec::new(),
        },
        failures: 0,
        response: Some(CachedResponse {
            lifetime: None,
            request_key: "k".to_owned(),
            validators: Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None },
            body_hash: Some([7; 32]),
            url: Some("https://a.example/feed".to_owned()),
        }),
        address: None,
        trust: None,
        document: Some(DocumentFacts {
            hints: Hints { ttl: Some(60), ..Hints::default() },
            ..Default::default()
        }),
        new,
        changed,
        guid_changes: Vec::new(),
        redated: Vec::new(),
        promises: Vec::new(),
        exonerated: Vec::new(),
        released: Vec::new(),
        shared: None,
    }
}

/// What one read transaction returns.
pub(super) fn read<T>(store: &Store, work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> T {
    store.reader().read(work).unwrap()
}

/// A store in its own folder, with two feeds.
pub(super) async fn store() -> (tempfile::TempDir, PathBuf, Store, [FeedKey; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newswire.db");
    let store = Store::open(&path, Clock::manual(at(0))).unwrap();
    let feeds = vec![feed(None, "http://a.example/feed"), feed(None, "http://b.example/feed")];
    let registered = store.register(feeds, Lists::Known, at(0)).await.unwrap();
    (folder, path, store, [registered[0].key, registered[1].key])
}

/// Matches all pending items: those with one URL are one story.
async fn matched(store: &Store) {
    let pending = read(store, |tx| tx.pending(100));
    let keys: Vec<ItemKey> = pending.iter().map(|pending| pending.item).collect();
    let doubles = read(store, |tx| tx.same_page_or_id(&keys, &[]));
    let first = |(key, others): (&ItemKey, &Vec<ItemKey>)| (*key, StoryKey(others[0].0.min(key.0)));
    let stories = doubles.iter().map(first).collect();
    let marks = pending.iter().map(|pending| pending.mark).collect();
    let matches =
        Matches { at: at(1_000), marks, fingerprints: Vec::new(), pairs: Vec::new(), stories };
    store.write(Write::Matches(matches)).await.unwrap();
}

/// Statements that the traced connection ran.
static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn collect(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(_, sql) = event {
        STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).push(sql.to_owned());
    }
}

#[test]
fn no_statement_scans_a_table_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = open::writer(&folder.path().join("newswire.db")).unwrap();
    let feeds = [feed(None, "http://a.example/feed"), feed(None, "http://b.example/feed")];
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(collect)).unwrap();
    let transaction = Transaction::new(&connection);
    let registered = transaction.register(&feeds, Lists::Known, at(0)).unwrap();
    let (a, b) = (registered[0].key, registered[1].key);
    transaction.feed_state(a).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    transaction.write_poll(&update(a, vec![new_item("1", "http://e.org/1", 5)], vec![])).unwrap();
    transaction.write_poll(&update(b, vec![new_item("2", "http://e.org/1", 5)], vec![])).unwrap();
    let key = transaction.known_items(a, &[digest_of("1")]).unwrap()[&digest_of("1")].key;
    matches::every_method(&transaction, key, a);
    let NewItem { item, text, content_digest, .. } = new_item("2", "http://e.org/1", 5);
    let action = EditAction::Replace;
    let changed = ChangedItem { key, url_key: None, content_digest, item, action, text };
    let renamed = GuidChange { key, identity: digest_of("3"), recognised_by: RecognisedBy::Page };
    let again = update(a, vec![], vec![changed]);
    transaction.write_poll(&PollUpdate { guid_changes: vec![renamed], ..again }).unwrap();
    let infos = transaction.feeds().unwrap();
    let infos = infos.into_iter().map(|info| (info.key, Arc::new(info))).collect();
    let head = transaction.newest_items(a, Start::Newest, 5).unwrap()[0];
    transaction.newest_items(a, Start::Behind(head), 5).unwrap();
    assert_eq!(transaction.items_from(&[a, b], (head.sort_at, head.key), 5).unwrap()[0], head);
    transaction.newest_before(&[a, b], at(9)).unwrap();
    transaction.output_items(&[key], &infos).unwrap();
    transaction.members(&[head.story]).unwrap();
    transaction.also_at(&[key], &infos).unwrap();
    transaction.recent_items(a, 5).unwrap();
    assert!(transaction.headings(&[key]).unwrap()[&key].title.is_some());
    transaction.id_conflicts(&[key]).unwrap();
    transaction.bursts(a, at(9)).unwrap();
    transaction.search("words", None, 5).unwrap();
    archive::every_method(&transaction);
    outputs::every_method(&transaction);
    digests::every_method(&transaction);
    recovery::every_method(&transaction, a);
    transaction.write_document("planet", "atom", &[1; 32], at(9)).unwrap();
    transaction.forget_bodies(at(9), 10).unwrap();
    connection.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>).unwrap();
    every_statement_uses_an_index(&connection);
}

fn every_statement_uses_an_index(connection: &Connection) {
    let statements = std::mem::take(&mut *STATEMENTS.lock().unwrap());
    let mut looked_at = 0;
    for sql in statements {
        if sql.starts_with("--")
            || !sql.to_uppercase().contains(" FROM ") && !sql.starts_with("UPDATE item")
        {
            continue;
        }
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = explain.raw_query();
        let mut begun = HashSet::new();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            looked_at += 1;
            // As an inner loop, the list would be read again for each row of the outer one.
            let is_loop = step.starts_with("SCAN") || step.starts_with("SEARCH");
            let is_outer = is_loop && begun.insert(row.get::<_, i64>(1).unwrap());
            assert!(is_outer || !step.starts_with("SCAN wanted"), "{step}\n  in: {sql}");
            // `wanted` is as long as the question, `listed` as a page; `b` and `pending` are cut by LIMIT, body's own scan
            // is that LIMIT. What a subquery answers, its own steps and its LIMIT have bounded.
            // The tables feed and output_folder are as long as the config. A virtual table says so of a look-up too: by rowid, or by word.
            let short =
                ["wanted", "listed", "(subquery", "b", "pending", "output_folder", "CONSTANT"];
            let table = step.strip_prefix("SCAN ").and_then(|of| of.split(' ').next());
            let is_long = table.is_some_and(|table| !short.contains(&table));
            let bounded = ["feed", "TABLE INDEX 0:=", ":M"].iter().any(|it| step.contains(it))
                || step.ends_with("search_config")
                || sql.contains("FROM body ORDER BY item_id LIMIT");
            assert!(!is_long || bounded || sql.contains("max(id)"), "{step}\n  in: {sql}");
            assert!(!step.contains("TEMP B-TREE"), "{step}\n  in: {sql}");
        }
    }
    assert!(looked_at >= 20, "only {looked_at} steps were looked at");
}

#[tokio::test]
async fn a_poll_survives_a_restart() {
    let (_folder, path, store, [a, _]) = store().await;
    let recorded = store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
    assert_eq!(recorded, PollCounts { new: 1, ..PollCounts::default() });
    matched(&store).await;
    drop(store);
    let store = Store::open(&path, Clock::manual(at(0))).unwrap();
    let state = read(&store, |tx| tx.feed_state(a));
    assert_eq!(state.response.validators.etag.as_deref(), Some(b"\"1\"".as_slice()));
    assert_eq!(state.response.body_hash, Some([7; 32]));
    assert_eq!(state.hints.ttl, Some(60));
    assert_eq!(read(&store, |tx| tx.newest_items(a, Start::Newest, 9)).len(), 1);
}

#[tokio::test]
async fn a_known_item_is_not_inserted_again() {
    let (_folder, _path, store, [a, _]) = store().await;
    for new in [1, 0] {
        let recorded =
            store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
        assert_eq!(recorded.new, new);
    }
}

#[tokio::test]
async fn items_with_one_url_are_one_story_led_by_the_first() {
    let (_folder, _path, store, [a, b]) = store().await;
    store.write_poll(update(a, vec![new_item("1", "http://e.org/x", 5)], vec![])).await.unwrap();
    store.write_poll(update(b, vec![new_item("2", "http://e.org/x", 3)], vec![])).await.unwrap();
    assert!(read(&store, |tx| tx.newest_items(a, Start::Newest, 1)).is_empty(), "they are pending");
    matched(&store).await;
    let lead = read(&store, |tx| tx.newest_items(a, Start::Newest, 1))[0];
    let other = read(&store, |tx| tx.newest_items(b, Start::Newest, 1))[0];
    assert_eq!(other.story, lead.story);
    let members = read(&store, |tx| tx.members(&[lead.story]));
    assert_eq!(
        members[&lead.story].iter().map(|head| head.key).collect::<Vec<_>>(),
        [lead.key, other.key]
    );
}

#[tokio::test]
async fn a_feed_cannot_take_the_outward_id_of_another_feeds_item() {
    let (_folder, _path, store, [a, b]) = store().await;
    store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
    store.write_poll(update(b, vec![new_item("1", "", 6)], vec![])).await.unwrap();
    matched(&store).await;
    let feeds = read(&store, |tx| tx.feeds());
    let feeds = feeds.into_iter().map(|info| (info.key, Arc::new(info))).collect();
    let id = |feed| {
        let key = read(&store, |tx| tx.newest_items(feed, Start::Newest, 1))[0].key;
        read(&store, |tx| tx.output_items(&[key], &feeds))[&key].outward_id.clone()
    };
    assert_eq!(id(a), "tag:example.org,2025:1");
    assert_eq!(id(b), "urn:uuid:1--6");
}

#[tokio::test]
async fn a_changed_item_keeps_id_position_and_first_date() {
    let (_folder, _path, store, [a, _]) = store().await;
    store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
    matched(&store).await;
    let before = read(&store, |tx| tx.newest_items(a, Start::Newest, 1))[0];
    let mut item = new_item("1", "", 900).item;
    item.title = Some("New title".to_owned());
    item.updated = Some(at(950));
    let changed = ChangedItem {
        key: before.key,
        url_key: None,
        content_digest: digest_of("2"),
        item,
        action: EditAction::Replace,
        text: TextIndex::default(),
    };
    store.write_poll(update(a, vec![], vec![changed])).await.unwrap();
    assert_eq!(read(&store, |tx| tx.newest_items(a, Start::Newest, 1)), [before]);
    let feeds = read(&store, |tx| tx.feeds());
    let feeds = feeds.into_iter().map(|info| (info.key, Arc::new(info))).collect();
    let entry =
        read(&store, |tx| tx.output_items(&[before.key], &feeds)).remove(&before.key).unwrap();
    assert_eq!(entry.item.title.as_deref(), Some("New title"));
    assert_eq!((entry.item.published, entry.item.updated), (Some(at(5)), Some(at(950))));
}

#[tokio::test]
async fn a_future_date_does_not_move_an_item_to_the_top() {
    let (_folder, _path, store, [a, _]) = store().await;
    store.write_poll(update(a, vec![new_item("1", "", 9_999_999)], vec![])).await.unwrap();
    matched(&store).await;
    assert_eq!(read(&store, |tx| tx.newest_items(a, Start::Newest, 1))[0].sort_at, at(1_000));
}

#[tokio::test]
async fn a_failing_write_does_not_undo_its_group() {
    let (_folder, _path, store, [a, b]) = store().await;
    let missing = FeedKey(4_711);
    let (bad, good, other) = tokio::join!(
        store.write_poll(update(missing, vec![new_item("1", "", 5)], vec![])),
        store.write_poll(update(a, vec![new_item("2", "", 5)], vec![])),
        store.write_poll(update(b, vec![new_item("3", "", 5)], vec![])),
    );
    assert!(bad.is_err(), "the feed does not exist");
    assert_eq!((good.unwrap().new, other.unwrap().new), (1, 1));
    assert_eq!(read(&store, |tx| tx.newest_items(missing, Start::Newest, 9)), []);
}

#[tokio::test]
async fn a_second_writer_learns_the_process_id_of_the_first() {
    let (_folder, path, _store, _) = store().await;
    let refused = Store::open(&path, Clock::manual(at(0))).unwrap_err();
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    assert!(Reader::open(&path).is_ok(), "reading needs no lock");
}

#[tokio::test]
async fn newer_and_foreign_databases_are_rejected_unchanged() {
    let (_folder, path, store, _) = store().await;
    drop(store);
    let change = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("PRAGMA user_version = 99");
    let refused = Store::open(&path, Clock::manual(at(0))).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
    change("PRAGMA user_version = 1; PRAGMA application_id = 7");
    let refused = Store::open(&path, Clock::manual(at(0))).unwrap_err();
    assert!(matches!(refused, OpenError::NotOurs { found: 7, .. }), "{refused}");
}

#[tokio::test]
async fn an_item_without_body_is_never_new_again() {
    let (_folder, _path, store, [a, _]) = store().await;
    store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
    let forget = |seconds| Write::ForgetBodies { cutoff: at(seconds), limit: 10 };
    assert_eq!(store.write(forget(999)).await.unwrap(), 0);
    assert_eq!(store.write(forget(1_001)).await.unwrap(), 1);
    let again = store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
    assert_eq!(again.new, 0);
}

#[tokio::test]
async fn the_space_of_texts_past_retention_is_returned() {
    let (_folder, path, store, [a, _]) = store().await;
    let long = |n: i64| {
        let mut item = new_item(&n.to_string(), "", 5);
        item.item.content = Some("0123456789abcdef".repeat(2_000));
        item
    };
    store.write_poll(update(a, (0..300).map(long).collect(), vec![])).await.unwrap();
    let count = |what: &str| {
        let connection = Connection::open(&path).unwrap();
        connection.pragma_query_value(None, what, |row| row.get::<_, i64>(0)).unwrap()
    };
    let full = count("page_count");
    let back = Write::ReturnPages { limit: 100 };
    assert_eq!(store.write(back.clone()).await.unwrap(), 0, "nothing is free");
    let forget = Write::ForgetBodies { cutoff: at(1_001), limit: 1_000 };
    assert_eq!(store.write(forget).await.unwrap(), 300);
    let free = count("freelist_count");
    assert!(free > 1_000, "{free}");
    let mut returned = 0;
    loop {
        let step = store.write(back.clone()).await.unwrap();
        returned += step as i64;
        if step < 100 {
            break;
        }
    }
    assert!(count("page_count") <= full - returned, "less, because their pointers leave too");
    assert_eq!(count("freelist_count"), 128, "for what is written next");
    assert_eq!(store.write(back).await.unwrap(), 0);
    store.write_poll(update(a, vec![long(300)], vec![])).await.unwrap();
    assert_eq!(check(&path).unwrap().problems, Vec::<String>::new());
}

#[tokio::test]
async fn an_unchanged_document_keeps_its_date() {
    let (_folder, _path, store, _) = store().await;
    let remember =
        |hash, now| store.write_document("planet".to_owned(), "atom", [hash; 32], at(now));
    assert_eq!(remember(1, 10).await.unwrap(), at(10));
    assert_eq!(remember(1, 20).await.unwrap(), at(10));
    assert_eq!(remember(2, 30).await.unwrap(), at(30));
}

#[tokio::test]
async fn documents_of_an_older_parser_are_requested_completely_within_a_day() {
    let (_folder, path, store, [key, _]) = store().await;
    store.write_poll(update(key, Vec::new(), Vec::new())).await.unwrap();
    let age = Connection::open(path).unwrap().execute("UPDATE feed SET parser_version = 0", []);
    assert_eq!(age.unwrap(), 2);
    let feeds = vec![feed(None, "http://a.example/feed")];
    for _ in 0..2 {
        store.register(feeds.clone(), Lists::Known, at(9_000)).await.unwrap();
        let state = read(&store, |tx| tx.feed_state(key));
        let again = state.reread_at.unwrap().duration_since(at(9_000));
        assert!((0..86_400).contains(&again.as_secs()), "{again}");
        // The validators stay: before and after that, the server may answer that nothing changed.
        assert!(!state.response.validators.is_empty());
    }
}

#[tokio::test]
async fn a_check_finds_no_damage_in_an_index_that_changed_since_the_last_check() {
    let (_folder, _path, store, [a, _]) = store().await;
    for n in 0..40 {
        let mut item = new_item(&n.to_string(), "", 5);
        item.text.search_words = format!("word{n} and others");
        store.write_poll(update(a, vec![item], vec![])).await.unwrap();
        let found = store.reader().check(|reader| reader.quick_check()).unwrap();
        assert_eq!(found, Some(Vec::new()), "after {n}");
    }
}

/// Whether this file is locked, as Linux lists it. A list that changes while it is read can lack a lock, but never
/// names one that does not exist, so that it is read again until it names one.
fn is_locked(path: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let wanted = format!(":{} ", std::fs::metadata(path).unwrap().ino());
    let of_file = |line: &str| line.contains("POSIX") && line.contains(&wanted);
    let all = || std::fs::read_to_string("/proc/locks").unwrap_or_default();
    (0..1_000).any(|_| all().lines().any(of_file))
}

#[tokio::test]
async fn no_reader_and_no_check_drops_the_locks_of_the_writer() {
    let (_folder, path, store, [a, _]) = store().await;
    store.write_poll(update(a, vec![new_item("1", "", 5)], vec![])).await.unwrap();
    assert!(is_locked(&path) || !cfg!(target_os = "linux"));
    let readers: Vec<_> = (0..4).map(|_| Reader::open(&path).unwrap()).collect();
    for reader in &readers {
        reader.read(|reader| reader.feed_statuses()).unwrap();
        reader.check(|reader| reader.quick_check()).unwrap();
    }
    drop(readers);
    let corrupt = Error::Sqlite(ErrorCause::Corrupt, "malformed".to_owned());
    assert_eq!(examined(&path, corrupt).cause(), ErrorCause::Io);
    assert!(is_locked(&path) || !cfg!(target_os = "linux"));
}

#[test]
fn the_writer_has_the_settings_that_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open::writer(&folder.path().join("newswire.db")).unwrap();
    let setting = |name: &str| {
        let value = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        connection.query_row(&format!("PRAGMA {name}"), [], value).unwrap()
    };
    let full = 2;
    for (name, expected) in [
        ("synchronous", full),
        ("busy_timeout", 5_000),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("journal_size_limit", 64 << 20),
        ("application_id", 0x4E57_4952),
        ("user_version", SCHEMA as i64),
    ] {
        assert_eq!(setting(name), rusqlite::types::Value::Integer(expected), "{name}");
    }
    assert_eq!(setting("journal_mode"), rusqlite::types::Value::Text("wal".to_owned()));
    // Tables of SQLite and of its search have no such form.
    let lax = "SELECT group_concat(name) FROM pragma_table_list
               WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search%'";
    let lax: Option<String> = connection.query_row(lax, [], |row| row.get(0)).unwrap();
    assert_eq!(lax, None);
}

fn document(url: &str) -> SharedDocument {
    SharedDocument {
        url: url.to_owned(),
        final_url: url.to_owned(),
        hops: Vec::new(),
        content_type: None,
        links: Some("</feed>; rel=alternate".to_owned()),
        validators: Validators::default(),
        hash: [1; 32],
        body: b"<rss/>".to_vec(),
        at: at(0),
    }
}

#[tokio::test]
async fn a_document_that_no_feed_is_read_from_is_deleted_sooner() {
    let (_folder, _, store, _) = store().await;
    let urls = ["http://a.example/feed", "http://a.example/fee", "http://site.test/"];
    for url in urls {
        store.write(Write::Share(Box::new(document(url)))).await.unwrap();
    }
    for (cutoff, unread, expected) in
        [(0, 0, [true; 3]), (0, 1, [true, false, false]), (1, 1, [false; 3])]
    {
        let (cutoff, unread) = (at(cutoff), at(unread));
        store.write(Write::ForgetPromises { cutoff, unread }).await.unwrap();
        let kept = |url| read(&store, |tx| tx.shared_document(url)).is_some();
        assert_eq!(urls.map(kept), expected);
    }
}

#[tokio::test]
async fn an_altered_document_is_not_read_and_no_promise_lasts_for_centuries() {
    let (_folder, path, store, _) = store().await;
    let url = "https://site.test/feed".to_owned();
    let document = document(&url);
    store.write(Write::Share(Box::new(document))).await.unwrap();
    let until = at(0) + SignedDuration::from_hours(7 * 24);
    let promise = Promise {
        scope: PromiseScope::Url,
        key: url.clone(),
        host: "site.test".to_owned(),
        reason: PromiseReason::RetryAfter,
        until,
        response_url: url.clone(),
        at: at(0),
    };
    store.write(Write::Promises(vec![promise])).await.unwrap();
    let kept = |store: &Store| {
        let document = read(store, |tx| tx.shared_document(&url));
        let promises = read(store, |tx| tx.promises_about(PromiseScope::Url, &url));
        (document.is_some(), promises[0].until)
    };
    assert_eq!(kept(&store), (true, until));
    let other = Connection::open(&path).unwrap();
    let damage = "UPDATE shared_document SET body = CAST('<rss>' AS BLOB); UPDATE promise SET until = until + (1 << 45)";
    other.execute_batch(damage).unwrap();
    assert_eq!(kept(&store), (false, at(0) + SignedDuration::from_hours(8 * 24)));
}

#[tokio::test]
async fn the_log_stays_below_64_mib_without_a_long_reader() {
    let (_folder, path, store, _) = store().await;
    let log = path.with_file_name("newswire.db-wal");
    let (mut largest, mut written) = (0, 0);
    for n in 0..100 {
        let learnt = vec![n; 1 << 20];
        written += learnt.len() as u64;
        store.write(Write::Weights { at: at(n.into()), learnt }).await.unwrap();
        largest = largest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(written > 64 << 20 && (1 << 20..64 << 20).contains(&largest), "{largest} bytes");
}

#[tokio::test]
async fn a_feed_whose_failure_is_taken_back_keeps_its_state() {
    let (_folder, _, store, [a, b]) = store().await;
    store.write_poll(Arc::new(update(a, Vec::new(), Vec::new()))).await.unwrap();
    let failed = PollUpdate { failures: 1, response: None, ..update(a, Vec::new(), Vec::new()) };
    store.write_poll(Arc::new(failed)).await.unwrap();
    let plan = Plan { at: at(7_000), ..update(a, Vec::new(), Vec::new()).plan };
    for change in ["exonerated", "planned again"] {
        if change == "exonerated" {
            let exonerated = vec![(a, plan.clone())];
            let other = PollUpdate { exonerated, ..update(b, Vec::new(), Vec::new()) };
            store.write_poll(Arc::new(other)).await.unwrap();
        } else {
            store.write(Write::Replan(vec![(a, plan.clone())])).await.unwrap();
        }
        let state = read(&store, |tx| tx.feed_state(a));
        assert_eq!((state.is_altered, state.failures), (false, 0), "{change}");
        assert_eq!(state.response.validators.etag, Some(b"\"1\"".to_vec()), "{change}");
        let status =
            read(&store, |tx| tx.feed_statuses()).into_iter().find(|one| one.info.key == a);
        assert_eq!(status.unwrap().next_poll_at, plan.at, "{change}");
        assert!(read(&store, |tx| tx.altered_rows(10)).is_empty(), "{change}");
    }
}

#[tokio::test]
async fn a_new_output_is_the_same_as_when_it_is_read_back() {
    let (_folder, _, store, _) = store().await;
    let since = Timestamp::from_nanosecond(1_234_567_891).unwrap();
    let output = RegisteredOutput { name: "planet".to_owned(), id: "urn:x".to_owned(), since };
    let first = store.register_outputs(vec![output.clone()]).await.unwrap();
    let second = store.register_outputs(vec![output]).await.unwrap();
    assert_eq!(first, second);
}
