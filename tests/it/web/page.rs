//! The pages of an output for browsers.

use std::time::Duration;

use jiff::tz::TimeZone;
use newswire::daemon::{Engine, FeedSelection};
use newswire::model::Conditions;
use newswire::parse::{Input, parse};
use newswire::render::{Content, Format, Images, Logo, Output, Theme, Token};
use url::Url;

use super::site::{Answer, Site, run};
use crate::support::origin::Answer as Document;
use crate::support::world::{World, poll, rss};

/// The `Accept` header of browsers.
const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A server with an engine that has polled two feeds.
pub(super) struct Planet {
    world: World,
    engine: Engine,
    site: Site,
}

impl Planet {
    /// Applies `change` to the output.
    pub(super) async fn with(change: impl FnOnce(&mut Output)) -> Self {
        let many: Vec<(String, String)> =
            (0..60).map(|n| (format!("n{n}"), format!("Note {n} on rust"))).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (&**a, &**b)).collect();
        let few = rss(&[("x", "Fish &amp; &lt;chips&gt;"), ("y", "Café crème")]);
        Self::of([few, rss(&many)], change).await
    }

    /// With these documents of the feeds.
    pub(super) async fn of(documents: [String; 2], change: impl FnOnce(&mut Output)) -> Self {
        let world = World::new().await;
        let (a, b) = (world.origin.url("a.test", "/feed"), world.origin.url("b.test", "/feed"));
        let mut config = world.config(&[a.clone(), b.clone()]);
        config.subscriptions[0].feed.tags = vec!["tech".to_owned(), "news".to_owned()];
        config.subscriptions[0].feed.title = Some("Site <A>".to_owned());
        config.subscriptions[1].feed.tags = vec!["news".to_owned()];
        change(&mut config.outputs[0]);
        let [first, second] = documents;
        answer(&world, &a, first);
        answer(&world, &b, second);
        let engine = world.open_with(config).await;
        poll(&engine, FeedSelection::All).await;
        let site = Site::before(engine.served().clone()).await;
        Self { world, engine, site }
    }

    /// Polls again after this time; the feeds have these documents now.
    pub(super) async fn again(&self, documents: [String; 2], after: Duration) {
        for (host, document) in ["a.test", "b.test"].into_iter().zip(documents) {
            answer(&self.world, &self.world.origin.url(host, "/feed"), document);
        }
        self.world.clock.advance(after);
        poll(&self.engine, FeedSelection::All).await;
    }

    pub(super) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.site.get(path, &[BROWSER]).await
    }
}

fn answer(world: &World, url: &Url, body: String) {
    world.origin.route(url.host_str().unwrap(), url.path(), [Document::ok(body)]);
}

/// The titles of the stories.
pub(super) fn titles(page: &Answer) -> Vec<String> {
    let text = page.text();
    let headings = text.split("<h3 dir=\"auto\"").skip(1);
    let inner = |part: &str| {
        let link = part.split("<a href=").nth(1).unwrap();
        let title = link.split_once('>').unwrap().1.split("</a>").next().unwrap();
        title.replace("<mark>", "").replace("</mark>", "")
    };
    headings.map(inner).collect()
}

/// The link to the next page.
fn older(page: &str) -> Option<&str> {
    let href = page.split("\" rel=\"next\">").next().filter(|before| before.len() < page.len())?;
    href.rsplit_once("href=\"").map(|(_, href)| href)
}

#[test]
fn browsers_get_the_page_and_feed_readers_the_document() {
    run(async {
        let planet = Planet::open().await;
        let page = planet.get("/planet.atom").await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let feed = planet.site.get("/planet.atom", &["Accept: */*"]).await;
        assert_eq!(feed.header("content-type"), Some("application/atom+xml; charset=utf-8"));
        for answer in [&page, &feed] {
            assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding, Sec-Fetch-Mode"));
        }
        assert_eq!(feed.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(page.header("cache-control"), Some("private, max-age=60"));
        let navigation = planet.site.get("/planet.rss", &["Sec-Fetch-Mode: navigate"]).await;
        assert_eq!(navigation.body, page.body, "the same page");
        let java = "Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
        for name in ["atom", "rss", "json"] {
            let feed = planet.site.get(&format!("/planet.{name}"), &[java]).await;
            let kind = feed.header("content-type").unwrap();
            assert!(feed.status == 200 && kind.contains(name), "{kind}");
        }
        let etag = format!("If-None-Match: {}", page.header("etag").unwrap());
        assert_eq!(planet.site.get("/planet.atom", &[BROWSER, &etag]).await.status, 304);
        let gzip = planet.site.get("/planet/", &["Accept-Encoding: gzip"]).await;
        assert!(
            gzip.header("content-encoding") == Some("gzip") && gzip.body.len() < page.body.len()
        );
    });
}

#[test]
fn the_page_has_an_own_address_which_all_clients_may_use() {
    run(async {
        let planet = Planet::open().await;
        let page = planet.site.get("/planet/", &["Accept: application/atom+xml"]).await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("public, max-age=60"));
        assert_eq!(page.header("vary"), Some("Accept-Encoding"));
        assert!(page.text().contains("<link rel=\"canonical\" href=\"../planet/\">"));
        let bare = planet.site.get("/planet?q=rust&tag=news", &[]).await;
        assert_eq!((bare.status, bare.header("location")), (308, Some("planet/?q=rust&tag=news")));
        for none in ["/none", "/none/", "/planet.xml", "/planet.atom/"] {
            assert_eq!(planet.get(none).await.status, 404, "{none}");
        }
    });
}

#[test]
fn the_page_lists_stories_by_day_and_links_to_the_documents() {
    run(async {
        let planet = Planet::open().await;
        let page = planet.get("/planet/").await.text();
        assert!(page.contains("<time datetime=\"2025-06-01\">Sunday, 1 June 2025</time>"));
        assert!(page.contains("<a href=\"https://site.test/x\">Fish &#38; &#60;chips&#62;</a>"));
        assert!(page.contains("<bdi>Site &#60;A&#62;</bdi>") && page.contains(">11:00</time>"));
        for (kind, name) in [("atom+xml", "atom"), ("rss+xml", "rss"), ("feed+json", "json")] {
            let link =
                format!("rel=\"alternate\" type=\"application/{kind}\" href=\"../planet.{name}\"");
            assert!(page.contains(&link), "{link}");
        }
        assert!(page.contains("<code>http://127.0.0.1:8420/planet.atom</code>"));
    });
}

#[test]
fn paging_reaches_every_story_once() {
    run(async {
        let planet = Planet::with(|output| output.items = 10).await;
        let (mut seen, mut path, mut pages) = (Vec::new(), "/planet/".to_owned(), 0);
        loop {
            let page = planet.get(&path).await;
            seen.extend(titles(&page));
            pages += 1;
            let text = page.text();
            let Some(href) = older(&text) else { break };
            path = href.replace("&#38;", "&").replacen("..", "", 1);
        }
        assert_eq!((pages, seen.len()), (2, 62), "more than the feed shows");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 62);
    });
}

#[test]
fn stories_are_found_by_words_feed_and_tags() {
    run(async {
        let planet = Planet::open().await;
        for (query, expected) in [
            ("q=cafe", 1),
            ("q=CREME+caf%C3%A9", 1),
            ("q=about+fish", 1),
            ("q=note+17+rust", 1),
            ("q=fish+-chips", 0),
            ("q=NEAR%28%22", 0),
            ("q=rust", 40),
            ("feed=a.test-feed", 2),
            ("tag=tech", 2),
            ("tag=news", 40),
            ("feed=a.test-feed&q=cafe", 1),
            ("feed=b.test-feed&q=cafe", 0),
            ("feed=none", 0),
            ("q=&feed=&tag=", 40),
            ("before=nonsense", 40),
        ] {
            let page = planet.get(&format!("/planet/?{query}")).await;
            assert_eq!((page.status, titles(&page).len()), (200, expected), "{query}");
        }
        let page = planet.get("/planet/?q=%22%3E%3Cscript%3E&tag=tech").await.text();
        assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;\"") && !page.contains("<script"));
        assert!(page.contains("<option value=\"tech\" selected>") && page.contains("noindex"));
    });
}

#[test]
fn search_results_have_pages() {
    run(async {
        let planet = Planet::open().await;
        let first = planet.get("/planet/?q=rust").await;
        let text = first.text();
        let href = older(&text).unwrap();
        let second = planet.get(&href.replace("&#38;", "&").replacen("..", "", 1)).await;
        let mut all = [titles(&first), titles(&second)].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 60);
        assert_eq!(older(&second.text()), None);
        assert!(
            second.text().contains("<a href=\"../planet/?q=rust\" rel=\"prev\">Newer stories</a>")
        );
    });
}

#[test]
fn changed_items_are_found_by_their_new_words() {
    run(async {
        let planet = Planet::open().await;
        let url = planet.world.origin.url("a.test", "/feed");
        answer(&planet.world, &url, rss(&[("x", "Soup of the day"), ("y", "Café crème")]));
        planet.world.clock.advance(crate::support::world::HOUR * 2);
        poll(&planet.engine, FeedSelection::All).await;
        let found = planet.get("/planet/?q=soup").await;
        assert_eq!(titles(&found), ["Soup of the day"]);
        assert!(titles(&planet.get("/planet/?q=chips").await).is_empty());
    });
}

#[test]
fn a_story_page_loads_nothing() {
    run(async {
        let planet = Planet::open().await;
        let url = planet.world.origin.url("a.test", "/feed");
        let html = "&lt;p&gt;A &lt;b&gt;long&lt;/b&gt; text &lt;img src=\"https://track.test/p.gif\" alt=\"dot\"&gt;&lt;script&gt;x&lt;/script&gt;&lt;/p&gt;";
        let item = format!(
            "<item><guid>z</guid><title>Zed</title><link>https://site.test/z</link><description>{html}</description></item>"
        );
        answer(&planet.world, &url, rss(&[]).replace("</channel>", &format!("{item}</channel>")));
        planet.world.clock.advance(crate::support::world::HOUR * 2);
        poll(&planet.engine, FeedSelection::All).await;
        let found = planet.get("/planet/story/63").await;
        assert_eq!(found.status, 200);
        let text = found.text();
        assert!(text.contains("<b>long</b>") && text.contains("[dot]</a>"), "{text}");
        for word in ["<img", "<script", "<iframe", "style=", "srcset"] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(
            text.contains("href=\"../../style.css\"") && text.contains("href=\"../../planet/\"")
        );
        for none in ["/planet/story/0", "/planet/story/9999", "/planet/story/x", "/none/story/63"] {
            assert_eq!(planet.get(none).await.status, 404, "{none}");
        }
    });
}

#[test]
fn the_page_shows_as_much_of_a_story_as_the_output() {
    run(async {
        let planet = Planet::with(|output| output.presentation.content = Content::None).await;
        for path in ["/planet/?q=cafe", "/planet/story/1", "/planet/story/2"] {
            let page = planet.get(path).await;
            assert!(page.status == 200 && !page.text().contains("About"), "{path}");
        }
        let whole = Planet::open().await.get("/planet/story/1").await.text();
        assert!(whole.contains("About"), "{whole}");
    });
}

#[test]
fn the_rules_of_an_output_apply_to_its_page() {
    run(async {
        let planet = Planet::with(|output| {
            let tags = vec!["tech".to_owned()];
            output.filter.include = vec![Conditions { tags, ..Conditions::default() }];
        })
        .await;
        assert_eq!(titles(&planet.get("/planet/").await).len(), 2);
        assert!(titles(&planet.get("/planet/?q=rust").await).is_empty());
        let others = planet.get("/planet/story/60").await;
        assert_eq!(others.status, 404, "not by its number either");
        let page = planet.get("/planet/").await.text();
        assert!(!page.contains("b.test"), "nor is its feed named");
    });
}

#[test]
fn only_own_links_contain_the_token() {
    run(async {
        let token = || Some(Token::new("sesame-0123456789".to_owned()));
        let planet = Planet::with(|output| {
            output.token = token();
            output.directory = None;
        })
        .await;
        assert_eq!(planet.get("/planet/").await.status, 404);
        assert_eq!(planet.get("/planet/story/1").await.status, 404);
        let page = planet.get("/planet/?token=sesame-0123456789").await;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("private, max-age=60")));
        let text = page.text();
        for href in text.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap()) {
            let own = href.starts_with("../planet");
            assert_eq!(href.contains("token=sesame-0123456789"), own, "{href}");
        }
        assert!(
            text.contains("<input type=\"hidden\" name=\"token\" value=\"sesame-0123456789\">")
        );
        assert!(text.contains("planet.atom?token=sesame-0123456789</code>"));
        let bearer = "Authorization: Bearer sesame-0123456789";
        let by_header = planet.site.get("/planet/", &[BROWSER, bearer]).await;
        assert!(by_header.status == 200 && !by_header.text().contains("sesame"));
    });
}

#[test]
fn the_page_has_the_security_headers_and_no_scripts() {
    run(async {
        let planet = Planet::open().await;
        let page = planet.get("/planet/").await;
        let policy = page.header("content-security-policy").unwrap();
        for rule in ["default-src 'none'", "style-src 'self'", "img-src 'self'", "base-uri 'none'"]
        {
            assert!(policy.contains(rule) && !policy.contains("unsafe"), "{policy}");
        }
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cross-origin-resource-policy"), Some("same-origin"));
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains(" style=") && !text.contains("<img"));
    });
}

#[test]
fn the_page_of_a_feed_names_it_and_offers_its_stories_as_a_feed() {
    run(async {
        let planet = Planet::open().await;
        let page = planet.get("/planet/?feed=a.test-feed").await.text();
        assert!(page.contains("<h1 dir=\"auto\">Site &#60;A&#62;</h1>"), "{page}");
        assert!(page.contains("2 stories · "), "{page}");
        assert!(page.contains("<a href=\"https://site.test/\">Site</a>"), "{page}");
        let link = "type=\"application/atom+xml\" href=\"../planet.atom?feed=a.test-feed\"";
        assert!(page.contains(link), "{page}");
        assert!(page.contains("<code>http://127.0.0.1:8420/planet.atom?feed=a.test-feed</code>"));
        let found = planet.get("/planet/?q=cafe+%C3%89").await.text();
        assert!(found.contains("noindex"), "{found}");
        let marked = planet.get("/planet/?q=note").await.text();
        assert!(marked.contains("<mark>Note</mark> 0 on rust"), "{marked}");
        assert!(marked.contains("More than 40 stories · "), "{marked}");
    });
}

#[test]
fn a_search_a_tag_and_a_feed_are_feeds_too() {
    run(async {
        let planet = Planet::open().await;
        let whole = planet.site.get("/planet.json", &[]).await;
        for (query, expected) in [
            ("q=cafe", 1),
            ("feed=a.test-feed", 2),
            ("tag=tech", 2),
            ("tag=tech&q=chips", 1),
            ("feed=none", 0),
            ("q=rust&feed=b.test-feed", 60),
        ] {
            for format in Format::ALL {
                let path = format!("/planet.{}?{query}", format.extension());
                let feed = planet.site.get(&path, &[]).await;
                assert_eq!(feed.header("content-type"), Some(format.content_type()), "{path}");
                let etag = format!("If-None-Match: {}", feed.header("etag").unwrap());
                assert_eq!(planet.site.get(&path, &[&etag]).await.status, 304, "{path}");
                let url = url::Url::parse("https://planet.test/").unwrap();
                let input =
                    Input { bytes: &feed.body, content_type: None, url: &url, max_items: 100 };
                let parsed = parse(input).unwrap();
                assert_eq!(parsed.feed.items.len(), expected, "{path}");
            }
            let json = planet.site.get(&format!("/planet.json?{query}"), &[]).await;
            let json: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
            let title = json["title"].as_str().unwrap();
            assert!(title.starts_with("Planet: "), "{title}");
            let ids: Vec<&str> = json["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["id"].as_str().unwrap())
                .collect();
            assert!(ids.iter().all(|id| whole.text().contains(id)), "the same ids");
        }
        let tagged = planet.site.get("/planet.atom?tag=tech&unknown=x", &[]).await.text();
        let own = "rel=\"self\" type=\"application/atom+xml\" href=\"http://127.0.0.1:8420/planet.atom?tag=tech\"";
        assert!(tagged.contains(own), "{tagged}");
        assert!(
            tagged.contains("type=\"text/html\" href=\"http://127.0.0.1:8420/planet/?tag=tech\"")
        );
        let id =
            |atom: &str| atom.split("<id>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let all = planet.site.get("/planet.atom", &[]).await.text();
        let other = planet.site.get("/planet.atom?tag=news", &[]).await.text();
        assert!(id(&tagged) != id(&all) && id(&tagged) != id(&other), "each is a feed of its own");
        // A query without a filter is the feed itself.
        let plain = planet.site.get("/planet.atom?q=&utm_source=x", &[]).await.text();
        assert_eq!(plain, all);
    });
}

#[test]
fn filtered_feeds_of_an_output_with_a_token_need_it_and_link_with_it() {
    run(async {
        let planet = Planet::with(|output| {
            output.token = Some(Token::new("sesame-0123456789".to_owned()));
            output.directory = None;
        })
        .await;
        assert_eq!(planet.site.get("/planet.atom?tag=tech", &[]).await.status, 404);
        let feed = planet.site.get("/planet.atom?tag=tech&token=sesame-0123456789", &[]).await;
        assert_eq!(feed.header("cache-control"), Some("private, max-age=300"));
        let url = "http://127.0.0.1:8420/planet.atom?tag=tech&amp;token=sesame-0123456789\"";
        assert!(feed.text().contains(url), "{}", feed.text());
        let link =
            "<http://127.0.0.1:8420/planet.atom?tag=tech&token=sesame-0123456789>; rel=\"self\"";
        assert_eq!(feed.header("link"), Some(link));
    });
}

#[test]
fn the_page_is_in_the_language_and_the_time_zone_of_its_output() {
    run(async {
        let planet = Planet::with(|output| {
            output.presentation.language = Some("de-AT".to_owned());
            output.presentation.time_zone = TimeZone::get("Asia/Tokyo").ok();
        })
        .await;
        let page = planet.get("/planet/").await.text();
        // 11:00 in UTC, and the last hours of the day before are on this day too.
        for part in [
            "<html lang=\"de\">",
            "<h2><time datetime=\"2025-06-01\">Sonntag, 1. Juni 2025</time></h2>",
            "title=\"1. Juni 2025, 20:00 JST\"><time datetime=\"2025-06-01T11:00:00Z\">20:00</time>",
            "placeholder=\"Titel und Texte durchsuchen\"",
            "<h2>Abonnieren</h2>",
            "rel=\"next\">Ältere Artikel</a>",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        let found = planet.get("/planet/?q=chips").await.text();
        assert!(found.contains("1 Artikel · <a href=\"../planet/\">Alle Artikel</a>"), "{found}");
        for word in ["Stories", "stories", "Subscribe", "Search", "Older"] {
            assert!(!page.contains(word) && !found.contains(word), "{word}");
        }
    });
}

/// A feed with a picture, a sound, and a text with a picture.
fn media(world: &World, url: &Url) {
    let item = "<item><guid>m</guid><title>Media</title><link>https://site.test/m</link>\
        <description>&lt;p&gt;Text &lt;img src=\"https://pics.test/t.jpg\" alt=\"dish\"&gt;&lt;/p&gt;</description>\
        <media:thumbnail url=\"https://pics.test/thumb.jpg\"/>\
        <enclosure url=\"https://sound.test/e.mp3\" type=\"audio/mpeg\" length=\"9\"/></item>";
    let head = "<rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\"><channel><title>M</title>";
    answer(world, url, format!("{head}{item}</channel></rss>"));
}

#[test]
fn sounds_are_played_on_demand_and_pictures_are_shown_if_the_output_says_so() {
    run(async {
        for images in [Images::Link, Images::Direct] {
            let planet = Planet::with(|output| output.presentation.images = images).await;
            media(&planet.world, &planet.world.origin.url("a.test", "/feed"));
            planet.world.clock.advance(crate::support::world::HOUR * 2);
            poll(&planet.engine, FeedSelection::All).await;
            let list = planet.get("/planet/?q=media").await;
            let text = list.text();
            let story = text.split("/story/").nth(1).and_then(|rest| rest.split('"').next());
            let story = planet.get(&format!("/planet/story/{}", story.unwrap())).await;
            let player = "<audio controls preload=\"none\" src=\"https://sound.test/e.mp3\"";
            assert!(story.text().contains(player), "{}", story.text());
            let policy = list.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("media-src https:"));
            assert_eq!(story.header("content-security-policy"), Some(policy));
            let shown = |page: &Answer| page.text().matches("<img ").count();
            match images {
                Images::Link => {
                    assert_eq!((shown(&list), shown(&story)), (0, 0));
                    assert!(policy.contains("img-src 'self';"), "{policy}");
                }
                Images::Proxy => unreachable!("tests/it/web/images.rs"),
                Images::Direct => {
                    assert_eq!((shown(&list), shown(&story)), (1, 1));
                    assert!(text.contains("<img src=\"https://pics.test/thumb.jpg\" alt=\"\""));
                    assert!(policy.contains("img-src 'self' https: http:;"), "{policy}");
                }
            }
            let index = planet.get("/").await;
            let policy = index.header("content-security-policy").unwrap();
            assert!(!policy.contains("https:"), "{policy}");
        }
    });
}

#[test]
fn the_operator_adds_style_logo_header_and_footer_to_the_pages() {
    run(async {
        let planet = Planet::with(|output| {
            output.theme = Theme {
                stylesheet: Some(":root { --link: #a00 }".into()),
                stylesheet_only: false,
                header: Some("<nav><a href=\"/\">Home</a></nav>".into()),
                footer: Some("<p>Made by <b>us</b></p>".into()),
                logo: Some(Logo { bytes: b"<svg/>"[..].into(), media_type: "image/svg+xml" }),
            };
            output.token = Some(Token::new("open sesame".to_owned()));
        })
        .await;
        for page in ["/planet/?token=open+sesame", "/planet/story/1?token=open+sesame"] {
            let page = planet.get(page).await;
            let text = page.text();
            assert_eq!(page.status, 200);
            assert!(text.contains("<nav><a href=\"/\">Home</a></nav>"), "{text}");
            assert!(text.contains("<p>Made by <b>us</b></p>"));
            let place = |name: &str| text.find(name).unwrap_or_else(|| panic!("no {name}"));
            assert!(place("style.css\"") < place("theme.css?"), "the operator overrides ours");
        }
        let style = planet.get("/planet/theme.css?token=open+sesame").await;
        assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
        assert_eq!(style.text(), ":root { --link: #a00 }");
        let logo = planet.get("/planet/logo?token=open+sesame").await;
        assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
        assert!(logo.header("content-security-policy").unwrap().contains("default-src 'none'"));
        let etag = format!("If-None-Match: {}", logo.header("etag").unwrap());
        let again = planet.site.get("/planet/logo?token=open+sesame", &[&etag]).await;
        assert_eq!(again.status, 304);
        for path in ["/planet/theme.css", "/planet/logo", "/none/logo"] {
            assert_eq!(planet.get(path).await.status, 404, "{path}");
        }
        let plain = Planet::open().await;
        assert_eq!(plain.get("/planet/theme.css").await.status, 404);
        assert!(!plain.get("/planet/").await.text().contains("theme.css"));
    });
}

#[test]
fn a_result_shows_the_part_of_the_text_that_was_found() {
    run(async {
        let planet = Planet::open().await;
        let long =
            format!("{} and then a zeppelin landed. {}", "Fog. ".repeat(200), "Sun. ".repeat(90));
        let feed = rss(&[("x", "Weather"), ("y", "Other")]).replace("About Weather", &long);
        answer(&planet.world, &planet.world.origin.url("a.test", "/feed"), feed);
        planet.world.clock.advance(crate::support::world::HOUR * 30);
        poll(&planet.engine, FeedSelection::All).await;
        let page = planet.get("/planet/?q=zeppel").await.text();
        assert!(page.contains("and then a <mark>zeppelin</mark> landed. Sun."), "{page}");
        assert!(page.contains("<p class=\"excerpt\" dir=\"auto\">… "), "{page}");
        let story = page.split("/story/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let story = planet.get(&format!("/planet/story/{story}")).await.text();
        assert!(story.contains("<link rel=\"canonical\" href=\"https://site.test/x\">"), "{story}");
        assert!(story.contains("<meta property=\"og:title\" content=\"Weather\">"), "{story}");
        assert!(story.contains("<meta property=\"og:description\" content=\"Fog. Fog."), "{story}");
    });
}
