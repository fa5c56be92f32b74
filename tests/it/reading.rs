//! What is read of a document, from the body to the output, the commands and the pages.

use newswire::daemon::FeedSelection;
use newswire::model::Conditions;
use serde_json::Value;

use crate::cli::{configured, newswire};
use crate::support::origin::{Answer, Origin};
use crate::support::world::{World, poll, shown_as};

fn rss(channel: &str, items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>F</title>{channel}{items}</channel></rss>")
}

#[tokio::test]
async fn the_filter_authors_sees_the_author_of_the_feed() {
    let item = |n: u32, inner: &str| {
        format!(
            "<item><guid>g{n}</guid><title>Story {n}</title><link>https://e.test/{n}</link>{inner}</item>"
        )
    };
    let own = "<author>bob@e.test (Bob)</author>";
    let editor = "<managingEditor>ann@e.test (Ann)</managingEditor>";
    let json = r#"{"version": "https://jsonfeed.org/version/1.1", "authors": [{"name": "Ann"}],
        "items": [{"id": "3", "title": "Story 3"}]}"#;
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:f</id><title>F</title>\
        <author><name>Cy</name></author><entry><id>urn:4</id><title>Story 4</title>\
        <source><author><name>ANN</name></author></source></entry></feed>";
    let documents = [
        ("/rss", rss(editor, &format!("{}{}", item(1, ""), item(2, own)))),
        ("/json", json.to_owned()),
        ("/atom", atom.to_owned()),
    ];
    let shown = |excluded: bool| {
        let documents = documents.clone();
        async move {
            let world = World::new().await;
            for (path, document) in &documents {
                world.origin.route("e.test", path, [Answer::ok(document.clone())]);
            }
            let urls = documents.map(|(path, _)| world.origin.url("e.test", path));
            let mut config = world.config(&urls);
            let output = &mut config.outputs[0];
            let filter = &mut output.filter;
            let rules = if excluded { &mut filter.exclude } else { &mut filter.include };
            rules.push(Conditions { authors: vec!["Ann".to_owned()], ..Conditions::default() });
            let engine = world.open_with(config).await;
            poll(&engine, FeedSelection::All).await;
            let mut titles = shown_as(&engine, "title");
            titles.sort_unstable();
            titles
        }
    };
    assert_eq!(shown(false).await, ["Story 1", "Story 3", "Story 4"]);
    assert_eq!(shown(true).await, ["Story 2"]);
}

/// A document that exceeds a limit: name, body, code, and end of the warning.
type Beyond = (&'static str, String, &'static str, &'static str);

fn with(inner: &str) -> String {
    let item = "<guid>1</guid><title>A</title><link>https://e.test/1</link>";
    rss("", &format!("<item>{item}{inner}</item>"))
}

fn many(number: usize, part: impl Fn(usize) -> String) -> String {
    with(&(0..number).map(part).collect::<String>())
}

fn too_many_parts() -> Vec<Beyond> {
    let podcast = "xmlns:podcast='https://podcastindex.org/namespace/1.0'";
    let chapters: String = (0..503).map(|n| format!("<psc:chapter start='{n}'/>")).collect();
    let psc = "xmlns:psc='http://podlove.org/simple-chapters'";
    let tags: Vec<String> = (0..150).map(|n| format!("\"t{n}\"")).collect();
    let json = format!(
        "{{\"items\": [{{\"id\": \"1\", \"title\": \"A\", \"tags\": [{}]}}]}}",
        tags.join(",")
    );
    let file = |n| format!("<enclosure url='https://e.test/{n}.mp3' type='audio/mpeg'/>");
    let image = |n| format!("<media:thumbnail url='https://e.test/{n}.png'/>");
    let transcript = |n| format!("<podcast:transcript {podcast} url='https://e.test/{n}.vtt'/>");
    // Categories at the end of an item with many elements.
    let late = |n| match n {
        0..205 => "<x:y xmlns:x='urn:x'/>".to_owned(),
        n => format!("<category>c{n}</category>"),
    };
    let attributes: String = (0..70).map(|n| format!("a{n}='' ")).collect();
    let documents = [
        ("categories", many(250, |n| format!("<category>c{n}</category>")), "categories (200)"),
        ("late categories", many(260, late), "categories (5)"),
        ("tags of JSON", json, "categories (100)"),
        ("authors", many(21, |n| format!("<author>A{n}</author>")), "authors (1)"),
        ("files", many(120, file), "files (70)"),
        ("images", many(101, image), "images (1)"),
        ("transcripts", many(22, transcript), "transcripts (2)"),
        (
            "chapters",
            with(&format!("<psc:chapters {psc}>{chapters}</psc:chapters>")),
            "chapters (3)",
        ),
        (
            "attributes",
            with(&format!("<description {attributes}>x</description>")),
            "64 attributes; 6 left out",
        ),
    ];
    documents.map(|(name, body, end)| (name, body, "too_many_parts", end)).to_vec()
}

fn too_long_texts() -> Vec<Beyond> {
    let words = "word ".repeat(300);
    let summary = format!("<description>{words}</description><content:encoded>x</content:encoded>");
    let content = format!("<description>{}</description>", "word ".repeat(60_000));
    let id = "i".repeat(3_000);
    let documents = [
        ("title", rss("", &format!("<item><title>{words}</title></item>")), "titles (1)"),
        (
            "feed title",
            rss(&format!("<title>{words}</title>"), "").replacen("<title>F</title>", "", 1),
            "titles (1)",
        ),
        ("summary", with(&summary), "summaries (1)"),
        ("content", with(&content), "contents (1)"),
        ("category", with(&format!("<category>{words}</category>")), "names (1)"),
        (
            "id",
            rss("", &format!("<item><guid>{id}</guid><title>A</title></item>")),
            "ids, now hashes (1)",
        ),
    ];
    documents.map(|(name, body, end)| (name, body, "long_text", end)).to_vec()
}

fn beyond_the_limits() -> Vec<Beyond> {
    let dated = |n: usize| {
        let time = format!("{:02}:{:02}", n / 60, n % 60);
        let date = format!("<pubDate>Sun, 01 Jun 2025 {time}:00 GMT</pubDate>");
        format!("<item><guid>{n}</guid><title>Story {n}</title>{date}</item>")
    };
    let items = rss("", &(0..1_010).map(dated).collect::<String>());
    let comments = format!("<comments>https://e.test/{}</comments>", "a".repeat(9_000));
    let deep = format!("{}<b>x</b>{}", "<a>".repeat(120), "</a>".repeat(120));
    let mut documents = too_many_parts();
    documents.extend(too_long_texts());
    documents.extend([
        ("link", with(&comments), "unusable_link", ": 1"),
        ("items", items, "too_many_items", "only the newest 1000 are read (max_items)"),
        ("depth", with(&deep), "too_deep", "the inner ones are ignored"),
    ]);
    documents
}

#[tokio::test]
async fn everything_beyond_a_limit_is_counted_and_reported() {
    let world = World::new().await;
    let documents = beyond_the_limits();
    let path = |n: usize| format!("/{n}");
    for (n, (_, document, ..)) in documents.iter().enumerate() {
        world.origin.route("e.test", &path(n), [Answer::ok(document.clone())]);
    }
    let urls: Vec<_> = (0..documents.len()).map(|n| world.origin.url("e.test", &path(n))).collect();
    let engine = world.open(&urls).await;
    poll(&engine, FeedSelection::All).await;
    let statuses = world.statuses();
    for ((name, _, code, end), url) in documents.iter().zip(&urls) {
        let status = statuses.iter().find(|status| status.info.url == url.as_str()).unwrap();
        let found = status.parse_warnings.iter().find(|warning| warning.code == *code);
        let message =
            &found.unwrap_or_else(|| panic!("{name}: {:?}", status.parse_warnings)).message;
        assert!(message.ends_with(end), "{name}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_shown_by_probe_status_and_why() {
    let origin = Origin::start().await;
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let categories: String = (0..80).map(|n| format!("<category>c{n}</category>")).collect();
    let item = format!("<item><guid>1</guid><title>A</title>{categories}</item>");
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss("", &item))]);
    let folder = configured(std::slice::from_ref(&url));
    newswire(folder.path(), &["poll"]);
    let loss = "left out: categories (30)";
    let probe = newswire(folder.path(), &["probe", "--force", &url]).out;
    assert!(probe.contains(loss), "{probe}");
    for command in [&["status"][..], &["why", "127.0.0.1-feed"]] {
        let text = newswire(folder.path(), command).out;
        assert!(text.contains(loss), "{command:?}: {text}");
    }
    let json = newswire(folder.path(), &["status", "--json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["feeds"][0]["parse_warnings"][0]["code"], "too_many_parts");
}

#[tokio::test]
async fn a_json_feed_in_a_wrapper_keeps_its_newest_items() {
    let item = |n: usize| {
        format!(
            "{{\"id\": \"{n}\", \"title\": \"Story {n}\", \"date_published\": \"2025-05-0{n}T00:00:00Z\"}}"
        )
    };
    let items = [2, 9, 4, 7, 1].map(item).join(",");
    let version = "\"version\": \"https://jsonfeed.org/version/1.1\"";
    let bare = format!("{{{version}, \"items\": [{items}]}}");
    for document in
        [bare.clone(), format!("{{\"data\": {bare}}}"), format!("{{\"a\": {{\"b\": {bare}}}}}")]
    {
        let world = World::new().await;
        world.origin.route("e.test", "/json", [Answer::ok(document.clone())]);
        let mut config = world.config(&[world.origin.url("e.test", "/json")]);
        config.subscriptions[0].max_items = 2;
        let engine = world.open_with(config).await;
        poll(&engine, FeedSelection::All).await;
        assert_eq!(shown_as(&engine, "title"), ["Story 9", "Story 7"], "{document}");
        let warnings = world.status().parse_warnings;
        assert!(warnings[0].message.starts_with("document has 5 items"), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_part_of_an_item_and_a_blank_item_are_not_published() {
    let world = World::new().await;
    let item = |n: u32| {
        format!(
            "<item><title>Story {n}</title><link>https://e.test/{n}</link><guid>g{n}</guid></item>"
        )
    };
    let blank =
        "<item/><item><guid isPermaLink='false'>b</guid></item><item><title>&lt;br></title></item>";
    let cut = rss("", &item(2)).split_once("/2</link>").unwrap().0.to_owned();
    let documents = [rss("", &format!("{blank}{}", item(1))), cut];
    for (path, document) in ["/blank", "/cut"].iter().zip(documents) {
        world.origin.route("e.test", path, [Answer::ok(document)]);
    }
    let urls = ["/blank", "/cut"].map(|path| world.origin.url("e.test", path));
    let engine = world.open(&urls).await;
    poll(&engine, FeedSelection::All).await;
    assert_eq!(shown_as(&engine, "title"), ["Story 1"]);
    let warnings = world.statuses().into_iter().flat_map(|status| status.parse_warnings);
    let codes: Vec<String> = warnings.map(|warning| warning.code.into_owned()).collect();
    for code in ["blank_items", "cut"] {
        assert!(codes.iter().any(|found| found == code), "{codes:?}");
    }
}

#[tokio::test]
async fn chapters_in_the_feed_are_published() {
    let world = World::new().await;
    let item = "<item><guid>1</guid><title>A</title><enclosure url='https://e.test/a.mp3' type='audio/mpeg' length='9'/>\
        <psc:chapters version='1.1'><psc:chapter start='00:00:00.000' title='Intro'/>\
        <psc:chapter start='1:02:03.5' title='Q &amp; A' href='https://e.test/qa'/></psc:chapters></item>";
    world.origin.route("e.test", "/rss", [Answer::ok(rss("", item))]);
    let engine = world.open(&[world.origin.url("e.test", "/rss")]).await;
    poll(&engine, FeedSelection::All).await;
    for format in ["atom", "rss"] {
        let document = engine.served().document(&format!("planet.{format}")).expect("published");
        let text = String::from_utf8_lossy(&document.body).into_owned();
        for part in [
            "<psc:chapter start=\"00:00:00\" title=\"Intro\"/>",
            "<psc:chapter start=\"01:02:03.500\" title=\"Q &amp; A\" href=\"https://e.test/qa\"/>",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    let document = engine.served().document("planet.json").expect("published");
    let feed: Value = serde_json::from_slice(&document.body).unwrap();
    let podcast = &feed["items"][0]["_newswire"]["podcast"];
    assert_eq!(podcast["chapter_list"][1]["title"], "Q & A");
}

#[tokio::test]
async fn an_error_page_that_is_a_feed_does_not_rename_the_feed() {
    let world = World::new().await;
    let document = |title: &str, items: &[u32]| {
        let item = |n: &u32| format!("<item><guid>g{n}</guid><title>Story {n}</title></item>");
        let items: String = items.iter().map(item).collect();
        format!("<rss version=\"2.0\"><channel><title>{title}</title>{items}</channel></rss>")
    };
    let documents = [
        ("Good Feed", &[1, 2][..], "Good Feed"),
        ("Error", &[], "Good Feed"),
        ("Feed not found", &[404], "Good Feed"),
        ("Good Feed", &[1, 2, 3], "Good Feed"),
        ("Better Feed", &[3, 4], "Better Feed"),
    ];
    let answers = documents.map(|(title, items, _)| Answer::ok(document(title, items)));
    world.origin.route("e.test", "/feed", answers);
    let engine = world.open(&[world.origin.url("e.test", "/feed")]).await;
    for (title, _, expected) in documents {
        poll(&engine, FeedSelection::All).await;
        assert_eq!(world.status().info.title, expected, "after {title}");
        world.clock.advance(crate::support::world::HOUR * 24);
    }
}
