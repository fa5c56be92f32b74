//! Digests over HTTP and on pages: addresses, validators, deltas, search, months and retention.

use newswire::outputs::{Month, Query};
use newswire::render::{AlsoAt, Format};
use newswire::store::{Store, Write};

use super::Desk;
use crate::support::origin::Answer as Document;
use crate::web::site::{Answer, Site, ask};

impl Desk {
    /// Engine and server after a digest for each of these stories, a day each from 25 November 2026 on.
    async fn with_digests(
        stories: &[&str],
        change: impl FnOnce(&mut newswire::render::Output),
    ) -> (Self, newswire::daemon::Engine, Site) {
        let desk = Self::at("2026-11-24T07:00:00Z").await;
        let engine = desk.open(change).await;
        for (n, title) in stories.iter().enumerate() {
            desk.forget();
            desk.write(title, &format!("2026-11-{}T08:00:00Z", 24 + n));
            desk.pass(&engine, &format!("2026-11-{}T07:00:00Z", 25 + n)).await;
        }
        let site = Site::before(engine.served().clone()).await;
        (desk, engine, site)
    }
}

/// The titles of the digests on a page of stories.
fn digests(page: &Answer) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let days = text.split("<article").skip(1);
    days.map(|part| {
        part.split("story/").nth(1).unwrap().split(['"', '?']).next().unwrap().to_owned()
    })
    .collect()
}

#[tokio::test]
async fn entries_of_served_digests_name_the_host_of_the_request() {
    let (_desk, engine, site) = Desk::with_digests(&["a", "b"], |_| {}).await;
    for format in Format::ALL {
        let path = format!("/planet.{}", format.extension());
        let default = site.get(&path, &[]).await.text();
        assert!(default.contains("http://127.0.0.1:8420/planet/story/2"), "{default}");
        let other = ask(site.address(), "planet.localhost:99", "GET", &path, &[]).await;
        let expected = default.replace("http://127.0.0.1:8420/", "http://planet.localhost:99/");
        assert_eq!(other.text(), expected);
        let known = format!("If-None-Match: {}", other.header("etag").unwrap());
        let again = ask(site.address(), "planet.localhost:99", "GET", &path, &[&known]).await;
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(site.get(&path, &[&known]).await.status, 200, "of another address");
        let since = format!("If-Modified-Since: {}", other.header("last-modified").unwrap());
        assert_eq!(site.get(&path, &[&since]).await.status, 304);
    }
    drop(engine);
}

#[tokio::test]
async fn a_client_with_the_earlier_digests_gets_only_the_new_one() {
    let (desk, engine, site) = Desk::with_digests(&["a", "b"], |output| output.deltas = true).await;
    let mut tags = Vec::new();
    for format in Format::ALL {
        let path = format!("/planet.{}", format.extension());
        for host in ["127.0.0.1:8420", "planet.localhost:99"] {
            let answer = ask(site.address(), host, "GET", &path, &[]).await;
            tags.push((path.clone(), host, answer.header("etag").unwrap().to_owned()));
        }
    }
    desk.forget();
    desk.write("c", "2026-11-26T08:00:00Z");
    desk.pass(&engine, "2026-11-27T07:00:00Z").await;
    for (path, host, tag) in tags {
        let condition = format!("If-None-Match: {tag}");
        let headers = ["A-IM: feed", &*condition];
        let delta = ask(site.address(), host, "GET", &path, &headers).await;
        assert_eq!(delta.status, 226, "{host}{path}");
        let text = delta.text();
        assert!(text.contains("About c.") && !text.contains("About b."), "{host}{path}: {text}");
        assert!(text.contains(&format!("http://{host}/planet/story/3")), "{host}{path}: {text}");
    }
}

#[tokio::test]
async fn a_search_finds_digests_as_it_finds_stories() {
    let (_desk, _engine, site) = Desk::with_digests(&["Café", "tea", "日本語"], |_| {}).await;
    let found = async |query: &str| digests(&site.get(&format!("/planet/?q={query}"), &[]).await);
    assert_eq!(digests(&site.get("/planet/", &[]).await), ["3", "2", "1"]);
    for (query, expected) in [
        ("cafe", &["1"][..]),
        ("CAF", &["1"]),
        ("afe", &[]),
        ("%22about+tea%22", &["2"]),
        ("%22tea+about+tea%22", &[]),
        ("about+-tea", &["3", "1"]),
        ("%E6%9C%AC%E8%AA%9E", &["3"]),
        ("--", &[]),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    let feed = site.get("/planet.json?q=cafe", &[]).await;
    assert_eq!(feed.text().matches("\"date_published\"").count(), 1, "{}", feed.text());
    // No digest is of one feed or tag.
    assert!(digests(&site.get("/planet/?tag=x", &[]).await).is_empty());
    let page = site.get("/planet/", &[]).await.text();
    assert!(!page.contains("?feed=") && !page.contains("?tag="), "{page}");
}

#[tokio::test]
async fn pages_of_digests_go_by_month_and_position() {
    let (desk, engine, site) = Desk::with_digests(&["a", "b", "c", "d", "e", "f"], |_| {}).await;
    desk.forget();
    desk.write("december", "2026-11-30T08:00:00Z");
    desk.pass(&engine, "2026-12-01T07:00:00Z").await;
    let contents = engine.served().output("planet").unwrap().contents.clone().unwrap();
    let months: Vec<String> = contents.months().unwrap().iter().map(Month::to_string).collect();
    assert_eq!(months, ["2026-12", "2026-11"]);
    let page = async |query: &str| digests(&site.get(&format!("/planet/?{query}"), &[]).await);
    assert_eq!(page("month=2026-12").await, ["7"]);
    assert_eq!(page("month=2026-11").await, ["6", "5", "4", "3", "2", "1"]);
    let query = newswire::outputs::Query::default();
    let first = contents.browse(&query, 3).unwrap();
    let keys = |entries: &[newswire::model::OutputItem]| -> Vec<i64> {
        entries.iter().map(|entry| entry.key.0).collect()
    };
    assert_eq!(keys(&first.entries), [7, 6, 5]);
    let after = newswire::outputs::Query { after: first.more, ..query };
    let second = contents.browse(&after, 4).unwrap();
    assert_eq!((keys(&second.entries), second.more), (vec![4, 3, 2, 1], None));
}

#[tokio::test]
async fn pages_of_digests_and_of_their_search_lead_back_to_newer_ones() {
    let (_desk, engine, _) = Desk::with_digests(&["a", "b", "c", "d", "e", "f"], |_| {}).await;
    let contents = engine.served().output("planet").unwrap().contents.clone().unwrap();
    for (words, limit) in [("", 2), ("about", 2), ("about -b", 1)] {
        let first = Query { words: words.to_owned(), ..Query::default() };
        let mut pages = vec![first];
        while let Some(more) = contents.browse(pages.last().unwrap(), limit).unwrap().more {
            pages.push(Query { after: Some(more), ..pages[0].clone() });
        }
        assert!(pages.len() > 2, "{words}");
        for (n, page) in pages.iter().enumerate() {
            let newer = contents.newer(page, limit).unwrap();
            assert_eq!(newer.as_ref(), n.checked_sub(1).map(|before| &pages[before]), "{words}");
        }
    }
}

/// The stories of a digest with words in the language of the output.
#[tokio::test]
async fn a_digest_names_other_feeds_in_the_language_of_the_output() {
    for (language, words) in [
        ("en", " · Also at: <a "),
        ("de", " · Auch bei: <a "),
        ("fr", " · Également sur\u{a0}: <a "),
        ("es", " · También en: <a "),
        ("ja", " · ほかの掲載元：<a "),
    ] {
        let desk = Desk::at("2026-11-24T07:00:00Z").await;
        let mut config = desk.config(|output| {
            output.presentation.language = Some(language.to_owned());
            output.presentation.also_at = AlsoAt::Content;
        });
        let other = desk.world.config(&[desk.world.origin.url("other.test", "/feed")]);
        config.subscriptions.extend(other.subscriptions);
        desk.write("a", "2026-11-24T08:00:00Z");
        let document = "<rss version=\"2.0\"><channel><title>Other</title><item><guid>o</guid><title>a</title>\
            <link>https://site.test/a?a&amp;b</link><description>About a.</description>\
            <pubDate>Tue, 24 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>";
        desk.world.origin.route("other.test", "/feed", [Document::ok(document)]);
        let engine = desk.world.open_with(config).await;
        desk.pass(&engine, "2026-11-24T09:00:00Z").await;
        desk.pass(&engine, "2026-11-25T07:00:00Z").await;
        let html = desk.digests()[0].html.clone();
        assert!(html.contains(words), "{language}: {html}");
    }
}

#[tokio::test]
async fn digests_past_retention_leave_every_document_and_page() {
    let (desk, engine, site) = Desk::with_digests(&["a", "b"], |output| output.site = true).await;
    assert_eq!(site.get("/planet/story/1", &[]).await.status, 200);
    drop(engine);
    {
        let store = Store::open(&desk.world.database(), desk.world.clock.clone()).unwrap();
        let cutoff = "2026-11-26T00:00:00Z".parse().unwrap();
        store.write(Write::ForgetBodies { cutoff, limit: 500 }).await.unwrap();
    }
    let engine = desk.open(|output| output.site = true).await;
    engine.publish().await.unwrap();
    let site = Site::before(engine.served().clone()).await;
    assert_eq!(site.get("/planet/story/1", &[]).await.status, 404);
    assert_eq!(site.get("/planet/story/2", &[]).await.status, 200);
    assert_eq!(digests(&site.get("/planet/", &[]).await), ["2"]);
    for (name, text) in desk.files() {
        assert!(text.contains("About b.") && !text.contains("About a."), "{name}: {text}");
    }
    assert!(!desk.www().join("planet/story/1.html").exists());
    // The next one has the next number and a new id.
    desk.forget();
    desk.write("c", "2026-11-26T08:00:00Z");
    desk.pass(&engine, "2026-11-27T07:00:00Z").await;
    let numbers: Vec<u32> = desk.digests().iter().map(|digest| digest.number).collect();
    assert_eq!(numbers, [2, 3]);
}
