//! Followed lists that are files: while a file is broken, its last good copy is used.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use newswire::config::Followed;
use newswire::daemon::ConfigSource;
use serde_json::Value;

use crate::cli::{configured, local, newswire};
use crate::daemon::{connected, free_address, until};
use crate::following::{answer, good, load, opml, started, urls};
use crate::support::empty_folder;
use crate::support::origin::Answer;
use crate::support::world::{World, rss};

/// Contents that are no list with feeds, with their codes.
const BROKEN: [(&str, &str); 4] = [
    ("", "list_empty"),
    ("<opml><body><outline xmlUrl='https://a.exam", "list_malformed"),
    ("<opml><body/></opml>", "list_without_feeds"),
    ("<html/>", "not_a_feed_list"),
];

/// A folder with a config that follows `x.opml`, and the path of this list.
fn following() -> (tempfile::TempDir, PathBuf) {
    let folder = configured(&[]);
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[[subscriptions]]\nfile = \"x.opml\"\n")).unwrap();
    let list = folder.path().join("x.opml");
    (folder, list)
}

/// The lists of `newswire status --json`.
fn lists(folder: &Path) -> Value {
    let status = newswire(folder, &["status", "--json"]);
    let json: Value = serde_json::from_str(&status.out).unwrap();
    json["lists"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_list_file_is_broken_the_feeds_of_its_copy_are_polled() {
    let world = World::new().await;
    world.origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let feed = local(&world.origin, "/feed");
    let (folder, list) = following();
    let run = |arguments: &[&str]| newswire(folder.path(), arguments);
    std::fs::write(&list, opml(&[&feed])).unwrap();
    let first = run(&["poll"]);
    assert!(first.out.contains("1 feed polled, 0 failed"), "{}{}", first.out, first.err);
    assert_eq!(lists(folder.path())[0]["code"], Value::Null);
    for (content, code) in BROKEN.into_iter().chain([("missing", "list_unreadable")]) {
        match content {
            "missing" => std::fs::remove_file(&list).unwrap(),
            content => std::fs::write(&list, content).unwrap(),
        }
        let check = run(&["check"]);
        assert_eq!(check.code, 0, "{code}: {}", check.out);
        for part in ["warning[bad_list]", "x.opml: ", "; its copy of 2", " UTC is used"] {
            assert!(check.out.contains(part), "{code}: {part} is missing in {}", check.out);
        }
        assert!(run(&["list"]).out.contains(&feed), "{code}");
        let polled = run(&["poll", "--all", "--force"]);
        assert!(polled.out.contains("1 feed polled, 0 failed"), "{}{}", polled.out, polled.err);
        assert!(polled.err.contains(&format!("last copy are polled ({code})")), "{}", polled.err);
        let status = run(&["status"]);
        assert!(status.out.contains("list x.opml: "), "{}", status.out);
        assert!(status.out.contains(&format!("explain {code}'")), "{}", status.out);
        let lists = lists(folder.path());
        assert_eq!((&lists[0]["code"], &lists[0]["url"]), (&code.into(), &Value::Null));
        assert_eq!((&lists[0]["has_copy"], &lists[0]["state"]), (&true.into(), &"failing".into()));
        assert_eq!(lists[0]["file"], "x.opml");
    }
    // Good again, it is used without a command.
    std::fs::write(&list, opml(&[&feed, "https://b.example/"])).unwrap();
    assert!(run(&["list"]).out.contains("b.example"));
    assert!(!run(&["check"]).out.contains("bad_list"));
    assert_eq!(lists(folder.path())[0]["state"], "ok");
}

#[test]
fn without_a_copy_a_broken_list_file_is_an_error_and_an_empty_one_a_warning() {
    let (folder, list) = following();
    for (content, code) in BROKEN {
        std::fs::write(&list, content).unwrap();
        let check = newswire(folder.path(), &["check"]);
        let expected = if code == "list_without_feeds" { 0 } else { 78 };
        assert_eq!(check.code, expected, "{code}: {}", check.out);
        assert!(check.out.contains("bad_list"), "{code}: {}", check.out);
    }
    std::fs::remove_file(&list).unwrap();
    let check = newswire(folder.path(), &["check"]);
    assert!(check.code == 78 && check.out.contains("check the path"), "{}", check.out);
    assert!(!folder.path().join("lists").exists(), "reading a config writes nothing");
}

#[tokio::test]
async fn the_daemon_keeps_a_copy_of_a_list_file_and_starts_with_it() {
    let world = World::new().await;
    let folder = world.folder.path().to_owned();
    let [a, b] = ["a.test", "b.test"].map(|host| {
        world.origin.route(host, "/feed", [Answer::ok(rss(&[(host, host)]))]);
        world.origin.url(host, "/feed").to_string()
    });
    let list = folder.join("x.opml");
    std::fs::write(&list, opml(&[&a])).unwrap();
    let address = free_address().await;
    let text = "[[subscriptions]]\nfile = \"x.opml\"\n";
    let place = folder.clone();
    let source: ConfigSource = Arc::new(move || {
        let mut loaded = load(&place, text);
        if let Some(config) = &mut loaded.config {
            config.web.listen = vec![address.into()];
        }
        loaded
    });
    let warns = |text: &str| text.contains("warning: list_failing\n");
    let (running, stop) = started(&world, Arc::clone(&source)).await;
    let config = good(&folder, text);
    let [Followed::File { copy, .. }] = config.followed.as_slice() else { panic!("{config:?}") };
    until(&world, "there is a copy", || copy.exists()).await;
    std::fs::write(&list, "<opml><body>").unwrap();
    drop(connected(address).await);
    answer(&world, (address, "/readyz"), warns).await;
    let title = format!("List failing: {}", list.display());
    answer(&world, (address, "/health.atom"), |text| text.contains(&title)).await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    // A start with a file that is still broken.
    assert_eq!(urls(&good(&folder, text)), [&a]);
    let (running, stop) = started(&world, source).await;
    drop(connected(address).await);
    answer(&world, (address, "/readyz"), warns).await;
    std::fs::write(&list, opml(&[&a, &b])).unwrap();
    let polled = || world.origin.asked().iter().any(|asked| asked.host == "b.test");
    until(&world, "the new feed is polled", polled).await;
    answer(&world, (address, "/readyz"), |text| !warns(text)).await;
    let resolved = format!("Resolved: {title}");
    answer(&world, (address, "/health.atom"), |text| text.contains(&resolved)).await;
    until(&world, "the copy is replaced", || {
        std::fs::read_to_string(copy).is_ok_and(|text| text.contains("b.test"))
    })
    .await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[test]
fn copies_of_list_files_are_beside_the_database_and_differ() {
    let folder = empty_folder();
    for name in ["x.opml", "y.opml"] {
        std::fs::write(folder.path().join(name), opml(&["https://a.example/"])).unwrap();
    }
    let sections =
        ["x", "y", "x"].map(|name| format!("[[subscriptions]]\nfile = \"{name}.opml\"\n"));
    let config = good(folder.path(), &sections.concat());
    let copy = |list: &Followed| match list {
        Followed::File { copy, .. } | Followed::Web { copy, .. } => copy.clone(),
    };
    let [x, y, again] = [0, 1, 2].map(|n| copy(&config.followed[n]));
    assert!(x != y && x == again);
    assert_eq!(x.parent(), Some(folder.path().join("lists").as_path()));
}

#[test]
fn a_feed_of_a_list_is_changed_by_a_section_with_its_url() {
    let (folder, list) = following();
    std::fs::write(&list, opml(&["https://a.example/feed", "https://b.example/feed"])).unwrap();
    let id = "a.example-feed";
    for arguments in
        [&["pause", id][..], &["set", id, "interval=2h"], &["tag", id, "x"], &["remove", id]]
    {
        let refused = newswire(folder.path(), arguments);
        assert_eq!(refused.code, 64, "{arguments:?}: {}", refused.out);
        let help = "add [[feed]] with url = \"https://a.example/feed\"";
        let parts = [help, "newswire explain only_listed"];
        assert!(parts.iter().all(|part| refused.err.contains(part)), "{}", refused.err);
    }
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let section = "[[feed]]\nurl = \"https://a.example/feed\"\n";
    std::fs::write(&path, format!("{text}\n{section}")).unwrap();
    assert_eq!(newswire(folder.path(), &["pause", id]).code, 0);
    assert_eq!(newswire(folder.path(), &["list", "--ids"]).out.lines().count(), 2);
}

#[test]
fn a_former_feed_of_a_followed_list_can_be_excluded_without_a_warning() {
    let (folder, list) = following();
    std::fs::write(&list, opml(&["https://b.example/feed"])).unwrap();
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let exclude = |rule: &str| format!("{text}[[output]]\nid = \"p\"\nexclude = {{ {rule} }}\n");
    std::fs::write(&path, exclude("feeds = [\"a.example-feed\"]")).unwrap();
    let check = newswire(folder.path(), &["check"]);
    assert!(check.code == 0 && !check.out.contains("no_such_feed"), "{}", check.out);
    std::fs::write(&path, exclude("tags = [\"gone\"]")).unwrap();
    assert!(newswire(folder.path(), &["check"]).out.contains("no_such_feed"));
}
