//! The feeds of a site, found by `newswire add` with few requests.

use crate::cli::{configured, newswire};
use crate::errors::assert_fails;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A site with one page, and feeds at `/feed.xml` and at `/good/0` to `/good/5`; all other paths are 404.
async fn site(page: &str) -> (Origin, String) {
    let origin = Origin::start().await;
    let url = origin.url("127.0.0.1", "/").to_string();
    origin.route("127.0.0.1", "/", [Answer::ok(page).with("Content-Type", "text/html")]);
    let good = (0..6).map(|n| format!("/good/{n}.rss"));
    for path in good.chain(["/feed.xml".to_owned()]) {
        origin.route("127.0.0.1", &path, [Answer::ok(rss(&[("a", "A")]))]);
    }
    (origin, url)
}

/// Adds the only feed of a page; returns its path and the number of requests.
async fn added(page: &str) -> (String, usize) {
    let (origin, url) = site(page).await;
    let folder = configured(&[]);
    let run = newswire(folder.path(), &["add", "--print", &url]);
    assert_eq!(run.code, 0, "{page}: {}", run.err);
    let feed = run.out.split('"').nth(1).unwrap();
    (feed.strip_prefix(&*url).unwrap().to_owned(), origin.count())
}

const DECLARED: &str = "<link rel=alternate type=application/rss+xml href=";

#[tokio::test(flavor = "multi_thread")]
async fn add_requests_four_links_at_most_and_the_likeliest_first() {
    let links = |count: usize, link: &str| -> String {
        (0..count).map(|n| link.replace('N', &n.to_string())).collect()
    };
    let about = links(9, "<a href=/about/N>RSS</a>");
    let json = links(9, "<link rel=alternate type=application/json href=/api/N>");
    let page = format!("<title>x</title>{json}{about}<a href=/feed.xml>Subscribe</a>");
    assert_eq!(added(&page).await, ("feed.xml".to_owned(), 2));

    let folder = configured(&[]);
    let (origin, url) = site(&format!("<title>x</title>{about}")).await;
    assert_fails(folder.path(), (&["add", &url], "no_feed_linked", 65, &url, "rss.xml"));
    assert_eq!(origin.count(), 1 + 4);

    let gone = links(9, "<a href=/gone/N.rss>RSS</a>");
    // Those that were not requested are listed too, unless one of the others is the only feed.
    let page = format!("<title>x</title><a href=/good/1.rss>RSS</a>{gone}");
    assert_eq!(added(&page).await, ("good/1.rss".to_owned(), 1 + 4));
    let page = format!("<title>x</title>{}", links(6, "<a href=/good/N.rss>RSS</a>"));
    let (origin, url) = site(&page).await;
    assert_fails(folder.path(), (&["add", &url], "multiple_feeds", 64, &url, "not requested"));
    assert_eq!(origin.count(), 1 + 4);

    let page = format!("<title>x</title>{}", links(30, &format!("{DECLARED}/N.rss>")));
    let (origin, url) = site(&page).await;
    assert_fails(folder.path(), (&["add", &url], "multiple_feeds", 64, "10 more", "/19.rss"));
    assert_eq!(origin.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn add_finds_the_feed_of_a_page_whatever_its_scripts_contain() {
    for head in [
        "<script>document.write('<rss version=\"2.0\"><channel><title>x</title>')</script>",
        "<script type='application/ld+json'>{\"text\":\"use <rss> in\"}</script>",
        "<template><feed/></template><textarea><rss><channel><item/></channel></rss></textarea>",
        "<svg><title/><style/><script/></svg><app-root><feed><title>x</title></feed></app-root>",
        "<base href='javascript:void(0)'>",
    ] {
        let page = format!("<!doctype html><html><head>{head}{DECLARED}feed.xml></html>");
        assert_eq!(added(&page).await, ("feed.xml".to_owned(), 2), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn add_tries_another_link_if_the_declared_feed_is_not_there() {
    let page = format!("<title>x</title>{DECLARED}/dead><a href=/feed.xml>RSS</a>");
    assert_eq!(added(&page).await, ("feed.xml".to_owned(), 3));
    // A repeated command finds the same without a request: the dead link is not requested again.
    let (origin, url) = site(&page).await;
    let folder = configured(&[]);
    newswire::store::Store::open(
        &folder.path().join("newswire.db"),
        newswire::clock::Clock::system(),
    )
    .unwrap();
    for _ in 0..2 {
        let run = newswire(folder.path(), &["add", "--print", &url]);
        assert!(run.out.contains("/feed.xml\""), "{}", run.err);
        assert_eq!(origin.count(), 3);
    }
    let (origin, url) = site(&format!("<title>x</title>{DECLARED}/dead>")).await;
    let folder = configured(&[]);
    assert_fails(folder.path(), (&["add", &url], "not_found", 69, "/dead", ""));
    assert_eq!(origin.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn add_follows_a_page_that_leads_to_another_once() {
    let leave = |to: &str| format!("<meta http-equiv=refresh content='0; url={to}'>");
    let (origin, url) = site(&leave("/en/")).await;
    let english = format!("<title>x</title>{DECLARED}/feed.xml>");
    origin.route("127.0.0.1", "/en/", [Answer::ok(english)]);
    let folder = configured(&[]);
    let run = newswire(folder.path(), &["add", "--print", &url]);
    assert!(run.out.contains("/feed.xml\""), "{}", run.err);
    let (origin, url) = site(&leave("/1")).await;
    origin.route("127.0.0.1", "/1", [Answer::ok(leave("/2"))]);
    assert_fails(folder.path(), (&["add", &url], "no_feed_linked", 65, "/1 is a web page", ""));
    assert_eq!(origin.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn add_reads_the_header_link_and_names_what_reads_a_list() {
    let (origin, url) = site("").await;
    let page = Answer::ok("<title>x</title>");
    let link = "</feed.xml>; rel=\"alternate\"; type=\"application/rss+xml\"";
    origin.route("127.0.0.1", "/page", [page.with("Link", link)]);
    let list = "<opml version='2.0'><body><outline xmlUrl='https://a.test/'/></body></opml>";
    origin.route("127.0.0.1", "/list", [Answer::ok(list)]);
    let folder = configured(&[]);
    let run = newswire(folder.path(), &["add", "--print", &format!("{url}page")]);
    assert!(run.out.contains("/feed.xml\""), "{}", run.err);
    let list = format!("{url}list");
    let named = (&["add", &*list][..], "not_a_feed", 65, "(OPML)", "newswire import");
    assert_fails(folder.path(), named);
}

#[tokio::test(flavor = "multi_thread")]
async fn add_offers_no_private_network_that_a_page_or_a_redirect_leads_to() {
    let link = format!("{DECLARED}http://127.0.0.2/feed.xml>");
    let base = format!("<base href=http://127.0.0.2/>{DECLARED}feed.xml>");
    let leave = "<meta http-equiv=refresh content='0; url=http://127.0.0.2/feed.xml'>".to_owned();
    for page in [link, base, leave] {
        let (_origin, url) = site(&format!("<title>x</title>{page}")).await;
        let folder = configured(&[]);
        let part = format!("{url} leads to http://127.0.0.2/feed.xml: the URL names 127.0.0.2");
        let case =
            (&["add", &*url][..], "blocked_address", 69, &*part, "only if the feed is meant");
        assert_fails(folder.path(), case);
        let run = newswire(folder.path(), &["add", &url]);
        assert!(!run.err.contains("--allow-network"), "{}", run.err);
    }
    let (origin, url) = site("").await;
    let moved = Answer::redirect(302, "http://127.0.0.2/feed.xml");
    origin.route("127.0.0.1", "/moved", [moved]);
    let run = newswire(configured(&[]).path(), &["add", &format!("{url}moved")]);
    assert!(run.err.contains("redirected to http://127.0.0.2/feed.xml"), "{}", run.err);
    assert!(!run.err.contains("--allow-network"), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_of_a_document_is_short_and_cannot_change_the_terminal() {
    let page = format!(
        "<title>x</title>{}",
        ["a", "b"]
            .map(|name| { format!("{DECLARED}/{name} title='x&#x202e;y{}'>", "z".repeat(5_000)) })
            .concat()
    );
    let (origin, url) = site(&page).await;
    let folder = configured(&[]);
    let several = newswire(folder.path(), &["add", &url]);
    assert!(several.err.contains("# xyzz") && several.err.len() < 1_000, "{}", several.err);
    let feed = Answer::ok(rss(&[("a", "A")]))
        .with("ETag", format!("\"{}\"", "e".repeat(20_000)))
        .with("Last-Modified", "Mon\u{202e}day");
    origin.route("127.0.0.1", "/tagged", [feed]);
    let tagged = newswire(folder.path(), &["probe", &format!("{url}tagged")]);
    assert!(tagged.out.contains("Monday"), "{}", tagged.err);
    assert!(tagged.out.lines().all(|line| line.len() < 400), "{}", tagged.out);
    let authors: String =
        (0..3_000).map(|n| format!("<author><name>A{n}</name></author>")).collect();
    let entries = "<entry><title>t</title></entry>".repeat(3_000);
    let feed = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{authors}{entries}</feed>");
    std::fs::write(folder.path().join("feed.xml"), feed).unwrap();
    let many = newswire(folder.path(), &["probe", "feed.xml"]);
    assert!(many.out.contains("\n2000 more items;"), "{}", many.err);
    assert!(many.out.len() < 100_000, "{}", many.out.len());
    let json = newswire(folder.path(), &["probe", "--json", "feed.xml"]);
    assert!(json.out.len() < 5_000_000, "{}", json.out.len());
}
