//! Feeds in files of this machine: polled, shown and published like others, without their path.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::newswire;
use crate::support::empty_folder;
use crate::support::world::rss;

const CONFIG: &str = "version = 1\n[web]\nlisten = \"off\"\npublic_url = \"https://planet.example.org/\"\n\
    [fetch]\ncontact = \"https://planet.example.org/\"\n\
    [[output]]\nid = \"planet\"\ndirectory = \"www\"\nlink = \"https://planet.example.org/\"\n\
     [[feed]]\nfile = \"secret-folder/builds.xml\"\n";

fn folder(config: &str) -> tempfile::TempDir {
    let folder = empty_folder();
    fs::write(folder.path().join("newswire.toml"), config).unwrap();
    fs::create_dir(folder.path().join("secret-folder")).unwrap();
    folder
}

fn feed(folder: &Path, text: &str) {
    fs::write(folder.join("secret-folder/builds.xml"), text).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let ran = newswire(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
    ran.out
}

fn lose_the_database(folder: &Path) {
    for name in ["newswire.db", "newswire.db-wal", "newswire.db-shm"] {
        let _ = fs::remove_file(folder.join(name));
    }
}

#[test]
fn an_export_has_only_feeds_that_can_be_imported() {
    let folder = folder(&format!("{CONFIG}[[feed]]\nurl = \"https://x.example/feed\"\n"));
    let at = folder.path();
    feed(at, &rss(&[("a", "Build 1")]));
    let exported = newswire(at, &["export"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let left_out = "feeds left out, because they are files of this machine: 1\n";
    assert_eq!(exported.err, left_out);
    assert!(exported.out.contains("text=\"x.example\""), "{}", exported.out);
    assert!(!exported.out.contains("file:") && !exported.out.contains("=\"\""), "{}", exported.out);
    fs::write(at.join("out.opml"), exported.out).unwrap();
    fs::write(at.join("empty.toml"), "version = 1\n").unwrap();
    let imported = newswire(at, &["import", "out.opml", "--config", "empty.toml"]);
    assert!(imported.err.contains("1 new, 0 already configured, 0 skipped"), "{}", imported.err);
}

#[test]
fn a_file_is_a_feed_whose_path_no_subscriber_learns() {
    let folder = folder(CONFIG);
    let at = folder.path();
    feed(at, &rss(&[("a", "Build 1")]));
    assert!(run(at, &["check"]).contains("0 errors, 0 warnings"));
    let polled = run(at, &["poll"]);
    assert!(polled.contains("builds.xml") && polled.contains("1 new"), "{polled}");
    assert!(run(at, &["poll", "--force", "builds.xml"]).contains("not modified"));
    feed(at, &rss(&[("a", "Build 1"), ("b", "Build 2")]));
    assert!(run(at, &["poll", "--force", "builds.xml"]).contains("1 new"));
    for entry in fs::read_dir(at.join("www")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains("secret-folder") && !text.contains("file:"), "{path:?}: {text}");
    }
    let published = fs::read_to_string(at.join("www/planet.atom")).unwrap();
    assert!(published.contains(">Build 2</title>"), "{published}");
    // Where feeds are listed, it is one.
    let listed: Value = serde_json::from_str(&run(at, &["list", "--json"])).unwrap();
    assert!(listed.to_string().contains("/secret-folder/builds.xml"), "{listed}");
    for command in
        [&["list"][..], &["status"], &["plan"], &["why", "builds.xml"], &["config", "builds.xml"]]
    {
        let said = run(at, command);
        assert!(said.contains("builds.xml"), "{command:?}: {said}");
    }
    assert!(run(at, &["probe", "secret-folder/builds.xml"]).contains("Build 2"));
    assert!(run(at, &["check", "--online", "--force"]).contains("builds.xml"));
}

#[test]
fn relative_links_of_a_file_lead_to_the_site_of_its_feed() {
    let folder = folder(CONFIG);
    let at = folder.path();
    feed(
        at,
        "<rss version='2.0'><channel><title>F</title><link>https://f.example/</link><item><title>A</title>\
         <link>/post/1</link><guid isPermaLink='false'>1</guid><description>&lt;img src='/a.png'></description>\
         </item></channel></rss>",
    );
    assert!(run(at, &["poll"]).contains("1 new"));
    let published = fs::read_to_string(at.join("www/planet.json")).unwrap();
    for url in ["https://f.example/post/1", "https://f.example/a.png"] {
        assert!(published.contains(url), "{published}");
    }
}

#[test]
fn no_server_is_noted_for_a_file() {
    let folder = folder(CONFIG);
    feed(folder.path(), &rss(&[("a", "Build 1")]));
    run(folder.path(), &["poll"]);
    let database = rusqlite::Connection::open(folder.path().join("newswire.db")).unwrap();
    for table in ["promise", "asked", "shared_document"] {
        let rows: i64 = database
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[test]
fn a_file_that_cannot_be_read_fails_like_a_feed() {
    let folder = folder(CONFIG);
    let at = folder.path();
    let polled = newswire(at, &["poll"]);
    assert!(polled.out.contains("(feed_file_unreadable)"), "{}", polled.out);
    assert!(polled.out.contains("No such file"), "{}", polled.out);
    let why = newswire(at, &["why", "builds.xml"]);
    assert!(why.out.contains("feed_file_unreadable"), "{}", why.out);
    let made =
        std::process::Command::new("mkfifo").arg(at.join("secret-folder/builds.xml")).status();
    assert!(made.unwrap().success());
    let polled = newswire(at, &["poll", "--force", "builds.xml"]);
    assert!(polled.out.contains("not a regular file"), "{}", polled.out);
}

#[test]
fn commands_change_a_feed_in_a_file() {
    let folder = folder(CONFIG);
    let at = folder.path();
    feed(at, &rss(&[("a", "Build 1")]));
    run(at, &["poll"]);
    run(at, &["pause", "secret-folder/builds.xml"]);
    run(at, &["tag", "builds.xml", "ci"]);
    let config = fs::read_to_string(at.join("newswire.toml")).unwrap();
    assert!(config.contains("paused = true") && config.contains("tags = [\"ci\"]"), "{config}");
    run(at, &["remove", "builds.xml"]);
    assert!(!fs::read_to_string(at.join("newswire.toml")).unwrap().contains("[[feed]]"));
}

#[test]
fn without_the_database_a_poll_of_files_replaces_no_archive() {
    let dedupe = "[dedupe]\nburst_guard = \"off\"\ninitial_items = 100\n[[output]]\nitems = 10\n";
    let folder = folder(&CONFIG.replace("[[output]]\n", dedupe));
    let at = folder.path();
    let names: Vec<String> = (0..45).map(|n| format!("Build {n}")).collect();
    for count in [15, 30, 45] {
        let shown: Vec<(&str, &str)> =
            names[count - 15..count].iter().rev().map(|name| (&**name, &**name)).collect();
        feed(at, &rss(&shown));
        run(at, &["poll", "--force", "builds.xml"]);
    }
    let archive = || {
        let ids = |page: u32| -> Vec<String> {
            let path = at.join(format!("www/planet/archive/{page}.json"));
            let Ok(bytes) = fs::read(path) else { return Vec::new() };
            let page: Value = serde_json::from_slice(&bytes).unwrap();
            let items = page["items"].as_array().unwrap().iter();
            items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
        };
        (1..9).map(ids).collect::<Vec<_>>()
    };
    let before = archive();
    assert!(before.iter().flatten().count() >= 30, "{before:?}");
    lose_the_database(at);
    let polled = newswire(at, &["poll"]);
    assert!(polled.code == 66 && polled.err.contains("database_lost"), "{}", polled.err);
    assert_eq!(archive(), before);
    run(at, &["restore", "--from-outputs"]);
    run(at, &["poll", "--force", "builds.xml"]);
    assert_eq!(archive(), before);
    run(at, &["verify"]);
}

#[test]
fn without_the_database_a_poll_of_several_files_begins_anew() {
    let folder = folder(&format!("{CONFIG}[[feed]]\nfile = \"secret-folder/more.xml\"\n"));
    let at = folder.path();
    feed(at, &rss(&[("a", "Build 1")]));
    fs::write(at.join("secret-folder/more.xml"), rss(&[("b", "Build 2")])).unwrap();
    run(at, &["poll"]);
    lose_the_database(at);
    assert!(run(at, &["poll"]).contains("2 new"));
}

#[test]
fn items_of_a_file_are_not_read_back_for_another_feed() {
    let folder = folder(CONFIG);
    let at = folder.path();
    feed(at, &rss(&[("a", "Build 1")]));
    run(at, &["poll"]);
    lose_the_database(at);
    let configured = |feed: &str| {
        let config = CONFIG.replace("file = \"secret-folder/builds.xml\"\n", feed);
        fs::write(at.join("newswire.toml"), config).unwrap();
    };
    configured("url = \"https://x.example/feed\"\n");
    let restored = newswire(at, &["restore", "--from-outputs"]);
    assert!(restored.err.contains("items_without_feed"), "{}{}", restored.out, restored.err);
    configured("file = \"secret-folder/builds.xml\"\ntitle = \"Other\"\n");
    let restored = run(at, &["restore", "--from-outputs"]);
    assert!(restored.contains("read back 0 items"), "{restored}");
    configured("file = \"secret-folder/builds.xml\"\ntitle = \"Site\"\n");
    let restored = run(at, &["restore", "--from-outputs"]);
    assert!(restored.contains("read back 1 item "), "{restored}");
}
