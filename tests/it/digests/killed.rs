//! SIGKILL while periods are closed and published: each period has one digest, and each story is in one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;
use jiff::{SignedDuration, Timestamp};
use newswire::clock::Clock;
use newswire::store::{ClosedPeriods, DigestState, Store, Write};
use rusqlite::Connection;
use serde_json::Value;

use crate::cli::newswire;
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};

const DAYS: i64 = 12;

/// The end of the period that has ended last.
fn midnight() -> Timestamp {
    let now = Clock::system().now().as_second();
    Timestamp::from_second(now - now % 86_400).unwrap()
}

/// A feed with two stories of each day.
fn feed() -> String {
    let item = |n: i64| {
        let at = midnight() - SignedDuration::from_hours(8 + 12 * n);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!(
            "<item><guid isPermaLink='false'>{n}</guid><title>Story {n}</title><link>https://site.test/{n}</link>\
             <description>About {n}.</description><pubDate>{date}</pubDate></item>"
        )
    };
    let items: String = (0..2 * DAYS).map(item).collect();
    format!("<rss version='2.0'><channel><title>Site</title>{items}</channel></rss>")
}

fn configure(folder: &Path, origin: &Origin) {
    origin.route("127.0.1.1", "/feed", std::iter::repeat_n(Answer::ok(feed()), 100));
    let text = format!(
        "version = 1\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\nallow_networks = [\"127.0.0.0/8\"]\n\
         [dedupe]\ninitial_items = 1000\n[web]\nlisten = \"off\"\npublic_url = \"https://planet.test/\"\n\
         [[output]]\nid = \"daily\"\ndirectory = \"www\"\nsite = true\ndigest = \"daily\"\n[[feed]]\nid = \"site\"\nurl = \"{}\"\n",
        origin.url("127.0.1.1", "/feed")
    );
    std::fs::write(folder.join("newswire.toml"), text).unwrap();
}

/// As if the output had published nothing since its first day: the process did not run.
async fn open_all_periods(folder: &Path) {
    let path = folder.join("newswire.db");
    let database = Connection::open(&path).unwrap();
    let clear = "DELETE FROM digest; DELETE FROM publication; DELETE FROM document; UPDATE feed SET added_at = 0";
    database.execute_batch(clear).unwrap();
    drop(database);
    let closed_until = midnight() - SignedDuration::from_hours(24 * DAYS);
    let state = DigestState { closed_until, ..DigestState::default() };
    let closed = ClosedPeriods { output: "daily".to_owned(), state, digests: Vec::new() };
    let store = Store::open(&path, Clock::system()).unwrap();
    store.write(Write::Digests(closed)).await.unwrap();
    std::fs::remove_dir_all(folder.join("www")).unwrap();
}

fn copy(from: &Path, to: &Path) {
    for name in ["newswire.toml", "newswire.db"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn start(folder: &Path) -> Child {
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).args(["poll", "--config", "newswire.toml"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Text of each entry of the published file, by its id; it is whole whenever it is there.
fn published(folder: &Path) -> BTreeMap<String, String> {
    let Ok(text) = std::fs::read_to_string(folder.join("www/daily.json")) else {
        return BTreeMap::new();
    };
    let feed: Value = serde_json::from_str(&text).expect("half a file");
    let items = feed["items"].as_array().unwrap();
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let found: BTreeMap<String, String> =
        items.iter().map(|item| (text(item, "id"), text(item, "content_html"))).collect();
    assert_eq!(found.len(), items.len(), "an id twice");
    found
}

/// The ids of the digests in the database, or nothing while it is in use.
fn stored(folder: &Path) -> BTreeSet<String> {
    let read = || -> rusqlite::Result<BTreeSet<String>> {
        let database = Connection::open(folder.join("newswire.db"))?;
        database.busy_timeout(Duration::from_secs(60))?;
        let mut statement = database.prepare("SELECT id FROM digest")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    read().unwrap_or_default()
}

/// When a process is killed.
type Moment = (&'static str, fn(&Path, Duration) -> bool);

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_closes_each_period_once() {
    let origin = Origin::any_address().await;
    let prepared = empty_folder();
    configure(prepared.path(), &origin);
    let first = newswire(prepared.path(), &["poll"]);
    assert_eq!(first.code, 0, "{}", first.err);
    open_all_periods(prepared.path()).await;
    let reference = empty_folder();
    copy(prepared.path(), reference.path());
    assert_eq!(newswire(reference.path(), &["poll"]).code, 0);
    let expected = published(reference.path());
    assert_eq!(expected.len() as i64, DAYS, "{:?}", expected.keys());
    let moments: &[Moment] = &[
        ("5 ms", |_, time| time > Duration::from_millis(5)),
        ("40 ms", |_, time| time > Duration::from_millis(40)),
        ("80 ms", |_, time| time > Duration::from_millis(80)),
        ("periods are closed", |folder, _| !stored(folder).is_empty()),
        ("a file is there", |folder, _| folder.join("www/daily.atom.gz").exists()),
        ("the document is there", |folder, _| folder.join("www/daily.json").exists()),
        ("a page is there", |folder, _| folder.join("www/daily/story/1.html").exists()),
        ("the first page is there", |folder, _| folder.join("www/daily/index.html").exists()),
    ];
    let mut killed = 0;
    for (name, is_now) in moments {
        let folder = empty_folder();
        copy(prepared.path(), folder.path());
        let mut child = start(folder.path());
        let clock = Clock::system();
        let begun = clock.elapsed();
        while !is_now(folder.path(), clock.elapsed() - begun) && child.try_wait().unwrap().is_none()
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let seen = published(folder.path());
        let closed = stored(folder.path());
        assert!(seen.keys().all(|id| closed.contains(id)), "{name}: published and not stored");
        assert!(closed.is_empty() || closed.len() as i64 == DAYS, "{name}: {closed:?}");
        let end = newswire(folder.path(), &["poll"]);
        assert_eq!(end.code, 0, "{name}: {}", end.err);
        assert_eq!(published(folder.path()), expected, "{name}");
        let verified = newswire(folder.path(), &["verify"]);
        assert_eq!(verified.code, 0, "{name}: {}", verified.out);
        for n in 0..2 * DAYS {
            let text = format!(">Story {n}<");
            let listed = expected.values().filter(|html| html.contains(&text)).count();
            assert_eq!(listed, 1, "{text}");
        }
    }
    assert!(killed >= 5, "only {killed} processes were killed before their end");
    let why = newswire(reference.path(), &["why", "https://site.test/3"]);
    assert_eq!(why.code, 0, "{}", why.err);
    assert!(why.out.contains("digest"), "{}", why.out);
}
