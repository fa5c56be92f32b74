//! Lists of feeds: import, export, the published list; and `add` for one feed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use newswire::daemon::FeedSelection;
use newswire::fetch::Secret;
use newswire::model::{Conditions, Filter};
use newswire::render::Token;

use crate::cli::{configured, local, newswire};
use crate::support::origin::{Answer, Origin};
use crate::support::world::{World, poll, rss};
use crate::web::site::Site;

const OPML: &str = "<opml version='2.0'><body>
<outline text='Rust \"news\"'><outline text='Known' xmlUrl='https://known.example/feed'/>
<outline text='New &amp; fine' xmlUrl='https://new.example/feed' htmlUrl='https://new.example/'/></outline>
<outline text='Old' xmlUrl='gopher://old.example/'/>
</body></opml>";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn import_prints_blocks_for_the_config() {
    let folder = configured(&["https://known.example/feed".to_owned()]);
    write(folder.path(), "x.opml", OPML);
    let run = newswire(folder.path(), &["import", "x.opml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(
        run.out,
        "[[feed]]\nurl = \"https://new.example/feed\"\ntitle = \"New & fine\"\n\
         tags = [\"Rust \\\"news\\\"\"]\n"
    );
    assert!(run.err.contains("x.opml:4: skipped \"Old\": its URL is neither"), "{}", run.err);
    assert!(run.err.contains("https://known.example/feed is already configured"), "{}", run.err);
    write(folder.path(), "new.toml", &format!("version = 1\n{}", run.out));
    let check = newswire(folder.path(), &["check", "--config", "new.toml"]);
    assert_eq!(check.code, 0, "{}", check.out);
}

#[test]
fn import_reports_filters_that_it_does_not_import() {
    let folder = configured(&[]);
    let planet = "[https://a.example/feed]\nname = Ann\nexclude = casino\n";
    write(folder.path(), "planet.ini", planet);
    let run = newswire(folder.path(), &["import", "planet.ini"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("url = \"https://a.example/feed\""), "{}", run.out);
    let ignored = "planet.ini:3: ignored \"exclude in [https://a.example/feed]\": filters are not";
    assert!(run.err.contains(ignored), "{}", run.err);
}

#[test]
fn import_appends_and_keeps_the_rest_unchanged() {
    let folder = configured(&["https://known.example/feed".to_owned()]);
    let config = folder.path().join("newswire.toml");
    let before = read(folder.path(), "newswire.toml") + "# the last word,\twithout an end";
    write(folder.path(), "newswire.toml", &before);
    std::fs::set_permissions(&config, PermissionsExt::from_mode(0o640)).unwrap();
    std::fs::rename(&config, folder.path().join("real.toml")).unwrap();
    std::os::unix::fs::symlink("real.toml", &config).unwrap();
    write(folder.path(), "urls", "https://new.example/feed \"two words\" ~N\nexec:x\n");
    let run = newswire(folder.path(), &["import", "urls", "--append"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "feeds added to newswire.toml: 1\nno daemon is running; the next start applies it\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("urls:2: skipped"), "{}", run.err);
    let after = read(folder.path(), "newswire.toml");
    let block =
        "\n\n[[feed]]\nurl = \"https://new.example/feed\"\ntitle = \"N\"\ntags = [\"two words\"]\n";
    assert_eq!(after, format!("{before}{block}"));
    assert!(config.is_symlink());
    assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(newswire(folder.path(), &["check"]).code, 0);
    // A second import changes nothing.
    let again = newswire(folder.path(), &["import", "urls", "--append"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""));
    assert_eq!(read(folder.path(), "newswire.toml"), after);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing lies about");
}

#[test]
fn import_changes_no_config_that_has_or_would_have_errors() {
    let folder = configured(&[]);
    write(folder.path(), "urls", "https://new.example/feed\n");
    for (config, part) in [
        ("version = 1\n[[feed]]\nurl = 7\n", "it has errors"),
        (
            "version = 1\nfeed = []\n",
            "the new feeds cannot be appended: feed is set above, but not as [[feed]]",
        ),
    ] {
        write(folder.path(), "newswire.toml", config);
        let run = newswire(folder.path(), &["import", "urls", "--append"]);
        assert_eq!((run.code, run.out.as_str()), (78, ""), "{}", run.err);
        assert!(run.err.contains(part), "{}", run.err);
        assert_eq!(read(folder.path(), "newswire.toml"), config);
    }
}

#[test]
fn a_change_without_a_daemon_prints_the_warnings_that_it_causes() {
    let url = "https://a.example/feed";
    let folder = configured(&[url.to_owned()]);
    let run = newswire(folder.path(), &["set", url, "interval=5m"]);
    assert!(run.code == 0 && run.err.contains("warning"), "{}{}", run.out, run.err);
    let again = newswire(folder.path(), &["set", url, "title=A"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""), "a known warning is not repeated");
}

#[test]
fn a_failed_import_has_an_exit_code_and_a_message() {
    let folder = configured(&[]);
    write(folder.path(), "page.html", "<html><body>hi</body></html>");
    write(folder.path(), "cut.opml", &OPML[..OPML.len() - 20]);
    write(folder.path(), "none.opml", "<opml><body><outline text='x'/></body></opml>");
    write(folder.path(), "empty.opml", "<opml><body/></opml>");
    for (arguments, code, part) in [
        (&["import", "nowhere.opml"][..], 66, "failed to read nowhere.opml"),
        (&["import", "page.html"], 65, "<html> is not opml"),
        (&["import", "cut.opml"], 65, "nothing was imported"),
        (&["import", "none.opml"], 65, "none.opml:1: skipped \"x\""),
        (&["import", "none.opml"], 65, "the lines above"),
        (&["import", "empty.opml"], 65, "empty.opml contains no feeds\n  help: export the"),
        (&["import", "cut.opml", "--append", "--config", "no.toml"], 65, "cut.opml"),
        (&["import"], 64, "FILE"),
    ] {
        let run = newswire(folder.path(), arguments);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(part), "{arguments:?}: {}", run.err);
    }
    write(folder.path(), "good.opml", OPML);
    let run = newswire(folder.path(), &["import", "good.opml", "--append", "--config", "no.toml"]);
    assert_eq!(run.code, 66, "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn export_writes_the_titles_of_the_database_and_import_reads_them() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let config = read(folder.path(), "newswire.toml");
    let own =
        "tags = [\"a\", \"b, c\"]\n[[feed]]\nurl = \"https://x.example/<&>\"\ntitle = \"X <1>\"\n";
    write(folder.path(), "newswire.toml", &(config + own));
    // Without a database only titles of the config are known.
    let bare = newswire(folder.path(), &["export"]);
    assert!(bare.out.contains("text=\"127.0.0.1\""), "{}{}", bare.out, bare.err);
    newswire(folder.path(), &["poll", "127.0.0.1-feed"]);
    let run = newswire(folder.path(), &["export"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let feed = format!(
        "<outline text=\"b, c\" title=\"b, c\">\n      <outline type=\"rss\" text=\"Site\" title=\"Site\" \
         xmlUrl=\"{}\" htmlUrl=\"https://site.test/\" category=\"a\"/>",
        origin.url("127.0.0.1", "/feed")
    );
    assert!(run.out.contains(&feed), "{}", run.out);
    write(folder.path(), "out.opml", &run.out);
    write(folder.path(), "empty.toml", "version = 1\n");
    let back = newswire(folder.path(), &["import", "out.opml", "--config", "empty.toml"]);
    for part in [
        "title = \"Site\"\ntags = [\"a\", \"b, c\"]",
        "url = \"https://x.example/%3C&%3E\"\ntitle = \"X <1>\"",
    ] {
        assert!(back.out.contains(part), "{part} is missing in {}", back.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn add_shows_the_newest_items_of_a_feed_and_appends_it_once() {
    let origin = Origin::start().await;
    let folder = configured(&[]);
    let items = [("a", "One\u{1b}[31m"), ("b", "Two"), ("c", "Three"), ("d", "Four")];
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&items))]);
    let (url, before) = (origin.url("127.0.0.1", "/feed"), read(folder.path(), "newswire.toml"));
    let printed = newswire(folder.path(), &["add", url.as_str(), "--print"]);
    assert_eq!(printed.out, format!("[[feed]]\nurl = \"{url}\"\n"), "{}", printed.err);
    assert_eq!(read(folder.path(), "newswire.toml"), before);
    let tags = ["--tag", "a", "--tag", "b", "--tag", "a"];
    let run = newswire(folder.path(), &[&["add", url.as_str()][..], &tags].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    let shown = format!(
        "Site\n{url}\n  2025-06-01  One [31m\n  2025-06-01  Two\n  2025-06-01  Three\n\n\
         added to newswire.toml\n"
    );
    assert_eq!(run.out, shown);
    let after = format!("{before}\n[[feed]]\nurl = \"{url}\"\ntags = [\"a\", \"b\"]\n");
    assert_eq!(read(folder.path(), "newswire.toml"), after);
    let asked = origin.count();
    let again = newswire(folder.path(), &["add", url.as_str()]);
    assert_eq!((again.code, again.out), (0, format!("{url} is already configured\n")));
    assert_eq!((origin.count(), read(folder.path(), "newswire.toml")), (asked, after));
}

#[tokio::test(flavor = "multi_thread")]
async fn add_finds_the_only_feed_of_a_page_and_lists_several() {
    let origin = Origin::start().await;
    let folder = configured(&[]);
    let page = |links: &str| Answer::ok(format!("<!doctype html><html><head>{links}</head>hi"));
    let link = |href: &str, title: &str| {
        format!(
            "<link rel=\"alternate\" type=\"application/rss+xml\" title=\"{title}\" href=\"{href}\">"
        )
    };
    let here = |path: &str| origin.url("127.0.0.1", path).to_string();
    origin.route("127.0.0.1", "/new", [Answer::ok(rss(&[("a", "A")]))]);
    origin.route("127.0.0.1", "/old", [Answer::redirect(301, "/new")]);
    // A feed of comments is no choice.
    let comments = link("/comments", "Comments") + &link("/old", "Posts");
    origin.route("127.0.0.1", "/one", [page(&comments)]);
    let two = link("/new", "Posts &amp; more") + &link("/second", "Second") + &link("/new", "x");
    origin.route("127.0.0.1", "/two", [page(&two)]);
    origin.route("127.0.0.1", "/none", [page("")]);
    let before = read(folder.path(), "newswire.toml");
    let several = newswire(folder.path(), &["add", &here("/two")]);
    assert_eq!((several.code, several.out.as_str()), (64, ""));
    for part in [
        format!("newswire add {}   # Posts & more, application/rss+xml\n", here("/new")),
        format!("newswire add {}   # Second", here("/second")),
    ] {
        assert!(several.err.contains(&part), "{part} is missing in {}", several.err);
    }
    for (asked, code, part) in [
        (here("/none"), 65, "a web page that links to no feed"),
        (here("/nowhere"), 69, "404"),
        ("http://127.0.0.2:8420/".to_owned(), 69, "--allow-network 127.0.0.2"),
        ("https://me:hunter2@site.test/".to_owned(), 64, "remove them"),
    ] {
        let run = newswire(folder.path(), &["add", &asked]);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{asked}: {}", run.err);
        assert!(run.err.contains(part) && !run.err.contains("hunter2"), "{asked}: {}", run.err);
    }
    assert_eq!(read(folder.path(), "newswire.toml"), before);
    let one = newswire(folder.path(), &["add", &here("/one")]);
    assert_eq!(one.code, 0, "{}", one.err);
    // The target of a permanent redirect is written.
    let block = format!("\n[[feed]]\nurl = \"{}\"\n", here("/new"));
    assert_eq!(read(folder.path(), "newswire.toml"), before + &block);
}

#[tokio::test]
async fn the_feeds_of_public_outputs_are_published_as_opml() {
    let world = World::new().await;
    world.origin.route("a.test", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let urls = ["a.test", "login.test", "secret.test"].map(|host| world.origin.url(host, "/feed"));
    let mut config = world.config(&urls);
    config.subscriptions[0].feed.tags = vec!["x".to_owned()];
    let mut behind_login = (*config.subscriptions[1].fetch).clone();
    behind_login.headers = vec![("authorization".to_owned(), Secret("Basic eA==".to_owned()))];
    config.subscriptions[1].fetch = Arc::new(behind_login);
    config.subscriptions[2].feed.tags = vec!["staff".to_owned()];
    let staff = Conditions { tags: vec!["staff".to_owned()], ..Conditions::default() };
    config.outputs[0].filter.exclude = vec![staff];
    let mut staff = config.outputs[0].clone();
    staff.id = "staff".to_owned();
    staff.filter = Filter::default();
    staff.token = Some(Token::new("open-sesame-0123456789".to_owned()));
    staff.directory = Some(world.folder.path().join("staff"));
    config.outputs.push(staff);
    let engine = world.open_with(config.clone()).await;
    poll(&engine, FeedSelection::Named(vec![urls[0].to_string()])).await;
    let site = Site::before(Arc::clone(engine.served())).await;
    let page = site.get("/planet/", &["Accept: text/html"]).await.text();
    assert!(page.contains(urls[0].as_str()) && !page.contains(urls[1].as_str()), "{page}");
    let answer = site.get("/subscriptions.opml", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/x-opml; charset=utf-8"));
    let list = newswire::opml::read(&answer.body).unwrap();
    let [feed] = list.feeds.as_slice() else { panic!("{}", answer.text()) };
    assert_eq!((&feed.url, feed.title.as_deref()), (&urls[0], Some("Site")));
    assert_eq!((feed.tags.as_slice(), feed.page.is_some()), (&["x".to_owned()][..], true));
    let written = world.folder.path().join("www/subscriptions.opml");
    let written = std::fs::read_to_string(written).unwrap();
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("<!--")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&written), lines(&answer.text()));
    assert!(!world.folder.path().join("staff/subscriptions.opml").exists());
    let etag = format!("If-None-Match: {}", answer.header("etag").unwrap());
    assert_eq!(site.get("/subscriptions.opml", &[&etag]).await.status, 304);
    // When all outputs have a token, no list is published.
    drop(engine);
    config.outputs.remove(0);
    let engine = world.open_with(config).await;
    engine.publish().await.unwrap();
    let site = Site::before(Arc::clone(engine.served())).await;
    assert_eq!(site.get("/subscriptions.opml", &[]).await.status, 404);
}

#[tokio::test]
async fn the_list_in_a_directory_has_the_feeds_of_its_outputs_and_replaces_no_file() {
    let world = World::new().await;
    let urls = ["a.test", "b.test", "c.test"].map(|host| world.origin.url(host, "/feed"));
    let mut config = world.config(&urls);
    let first = config.outputs.remove(0);
    for (n, folder) in ["one", "two", "two", "mine"].into_iter().enumerate() {
        config.subscriptions[n.min(2)].feed.tags = vec![format!("t{}", n.min(2))];
        let mut output = first.clone();
        output.id = format!("o{n}");
        output.directory = Some(world.folder.path().join(folder));
        let only = Conditions { tags: vec![format!("t{n}")], ..Conditions::default() };
        output.filter.include = vec![only];
        config.outputs.push(output);
    }
    let path = |folder: &str| world.folder.path().join(folder).join("subscriptions.opml");
    std::fs::create_dir(world.folder.path().join("mine")).unwrap();
    std::fs::write(path("mine"), "<opml/>").unwrap();
    let engine = world.open_with(config.clone()).await;
    engine.publish().await.unwrap();
    let listed = |folder: &str| -> Vec<url::Url> {
        let list = newswire::opml::read(&std::fs::read(path(folder)).unwrap()).unwrap();
        list.feeds.into_iter().map(|feed| feed.url).collect()
    };
    assert_eq!((listed("one"), listed("two")), (vec![urls[0].clone()], urls[1..].to_vec()));
    assert_eq!(std::fs::read_to_string(path("mine")).unwrap(), "<opml/>");
    let reader = newswire::store::Reader::open(&world.database()).unwrap();
    let differences = |n: usize| {
        let output = &config.outputs[n];
        reader.read(|tx| newswire::outputs::differences(tx, output)).unwrap()
    };
    assert!((0..4).all(|n| differences(n).is_empty()));
    std::fs::remove_file(path("one")).unwrap();
    assert!(differences(0)[0].ends_with("does not exist"));
    engine.publish().await.unwrap();
    assert!(path("one").exists());
    // An output that gets a token takes its list away.
    drop(engine);
    config.outputs[0].token = Some(Token::new("open-sesame-0123456789".to_owned()));
    let engine = world.open_with(config.clone()).await;
    engine.publish().await.unwrap();
    assert!(!path("one").exists() && path("two").exists());
}
