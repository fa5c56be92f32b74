//! SIGKILL at any moment: what was published is neither lost nor repeated, and nothing is broken.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;
use newswire::clock::Clock;
use newswire::store::renew_digests;
use rusqlite::Connection;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

const FEEDS: usize = 40;

pub(crate) fn start(folder: &Path) -> Child {
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).args(["run", "--config", "newswire.toml"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn configure(folder: &Path, origin: &Origin) {
    let mut text = "version = 1\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\nallow_networks = [\"127.0.0.0/8\"]\n[web]\nlisten = \"off\"\n\
        public_url = \"https://planet.test/\"\n[[output]]\nid = \"planet\"\ndirectory = \"www\"\nitems = 1000\n"
        .to_owned();
    for n in 0..FEEDS {
        // A host for each, without a name server: 127.0.0.1, 127.0.1.1 and so on are all this machine.
        let host = format!("127.0.{n}.1");
        let guids = [format!("{n}-a"), format!("{n}-b"), format!("{n}-c")];
        let items: Vec<_> = guids.iter().map(|guid| (guid.as_str(), guid.as_str())).collect();
        origin.route(&host, "/feed", [Answer::ok(rss(&items))]);
        text.push_str(&format!("[[feed]]\nurl = \"{}\"\n", origin.url(&host, "/feed")));
    }
    std::fs::write(folder.join("newswire.toml"), text).unwrap();
}

/// The ids in the published file; it is whole whenever it is there.
fn published(folder: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(folder.join("www/planet.json")) else {
        return Vec::new();
    };
    let feed: Value = serde_json::from_str(&text).expect("half a file");
    let items = feed["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_nothing_and_repeats_nothing() {
    let origin = Origin::any_address().await;
    let folder = empty_folder();
    configure(folder.path(), &origin);
    let mut seen: HashSet<String> = HashSet::new();
    // At another moment each time: while opening, polling, committing, publishing.
    for round in 0..8 {
        let before = origin.count();
        let mut child = start(folder.path());
        let clock = Clock::system();
        let begun = clock.elapsed();
        while origin.count() < before + round * 4
            && clock.elapsed() - begun < Duration::from_millis(400)
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let ids = published(folder.path());
        let unique: HashSet<String> = ids.iter().cloned().collect();
        assert_eq!(unique.len(), ids.len(), "an id twice");
        assert!(seen.is_subset(&unique), "lost: {:?}", seen.difference(&unique));
        seen = unique;
    }
    // The polls that were killed count as requests. An interval later every item is there, once.
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    database.execute("UPDATE asked SET at = at - 3600000", []).unwrap();
    database.execute("UPDATE feed SET next_poll_at = 0 WHERE last_poll_at IS NULL", []).unwrap();
    renew_digests(&database).unwrap();
    drop(database);
    let mut child = start(folder.path());
    let clock = Clock::system();
    let begun = clock.elapsed();
    while published(folder.path()).len() < FEEDS * 3
        && clock.elapsed() - begun < Duration::from_secs(120)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ids = published(folder.path());
    let unique: HashSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (FEEDS * 3, FEEDS * 3));
}

/// The hosts of all requests so far, in order.
fn hosts(origin: &Origin) -> Vec<String> {
    origin.asked().into_iter().map(|asked| asked.host).collect()
}

/// Makes every feed due, as an interval later.
fn an_interval_later(folder: &Path) {
    let database = Connection::open(folder.join("newswire.db")).unwrap();
    database.execute("UPDATE asked SET at = at - 7200000", []).unwrap();
    database
        .execute("UPDATE feed SET next_poll_at = 0, last_poll_at = last_poll_at - 7200000", [])
        .unwrap();
    renew_digests(&database).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_polled_at_a_kill_is_polled_last_and_alone() {
    let origin = Origin::any_address().await;
    let folder = empty_folder();
    configure(folder.path(), &origin);
    let gate = Arc::new(Semaphore::new(0));
    let poison = || Answer::Held(Arc::clone(&gate), Box::new(Answer::ok(rss(&[("x", "x")]))));
    let poisonous = ["127.0.0.1", "127.0.7.1"];
    for host in poisonous {
        origin.route(host, "/feed", [poison()]);
    }
    let until = async |count: usize| {
        let clock = Clock::system();
        let begun = clock.elapsed();
        while origin.count() < count {
            assert!(clock.elapsed() - begun < Duration::from_secs(120), "{:?}", hosts(&origin));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Polls that must not start would start meanwhile.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(origin.count(), count, "{:?}", hosts(&origin));
    };
    let mut child = start(folder.path());
    until(FEEDS).await;
    an_interval_later(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = start(folder.path());
    // The first suspect is asked last, and the other one not while it is being polled.
    until(FEEDS + FEEDS - 1).await;
    let asked = hosts(&origin).split_off(FEEDS);
    assert!(poisonous.contains(&&**asked.last().unwrap()), "{asked:?}");
    assert_eq!(asked.iter().filter(|host| poisonous.contains(&&***host)).count(), 1);
    // The process dies of it again: the other suspect, which has no result either, stays one.
    an_interval_later(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = start(folder.path());
    until(3 * FEEDS - 2).await;
    gate.add_permits(2);
    until(3 * FEEDS - 1).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    let suspects: i64 = database
        .query_row("SELECT count(*) FROM feed WHERE is_suspect = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(suspects, 0, "both have a result");
}
