//! Images of other sites as copies from this server: what is fetched, what is shown, and what is refused.

use std::io::Cursor;
use std::sync::Arc;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use newswire::daemon::{Engine, FeedSelection};
use newswire::fetch::Secret;
use newswire::render::{Images, Output, Token};
use newswire::web;
use tokio::sync::Semaphore;

use super::site::{Answer, Site, run};
use crate::support::origin::Answer as File;
use crate::support::world::{HOUR, World, poll};

/// A server whose output shows one item with images.
struct Planet {
    world: World,
    engine: Engine,
    site: Site,
}

/// An image of 1600 by 800 pixels.
fn photograph() -> Vec<u8> {
    let image = RgbImage::from_fn(1600, 800, |x, y| Rgb([x as u8, y as u8, (x * y / 99) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

impl Planet {
    /// The text of the item is this HTML, in which `{port}` is the port of the origin.
    async fn with(html: &str, change: impl FnOnce(&mut Output)) -> Self {
        let world = World::new().await;
        let html = html.replace("{port}", &world.origin.port().to_string());
        let item = format!(
            "<item><guid>m</guid><title>Media</title><link>https://site.test/m</link><description><![CDATA[{html}]]></description></item>"
        );
        let feed = format!("<rss version=\"2.0\"><channel><title>M</title>{item}</channel></rss>");
        world.origin.route("a.test", "/feed", [File::ok(feed)]);
        world.origin.route("pics.test", "/photo.jpg", [File::ok(photograph())]);
        let mut config = world.config(&[world.origin.url("a.test", "/feed")]);
        let fetch = Arc::make_mut(&mut config.subscriptions[0].fetch);
        fetch.headers = vec![("authorization".to_owned(), Secret("Basic eDp5".to_owned()))];
        config.outputs[0].presentation.images = Images::Proxy;
        change(&mut config.outputs[0]);
        let engine = world.open_with(config).await;
        poll(&engine, FeedSelection::All).await;
        let site = serving(&engine).await;
        Self { world, engine, site }
    }

    async fn with_photograph() -> Self {
        Self::with("<p>A <img src='http://pics.test:{port}/photo.jpg' alt='dish'></p>", |_| ())
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.site.get(path, &[]).await
    }

    /// The paths of the images of a page.
    async fn sources(&self, page: &str) -> Vec<String> {
        let text = self.get(page).await.text();
        let images = text.split("<img ").skip(1).filter_map(|tag| tag.split("src=\"").nth(1));
        let sources = images.filter_map(|rest| rest.split('"').next());
        sources.map(|source| format!("/{}", source.trim_start_matches("../"))).collect()
    }

    /// The requests to other hosts than the feed's.
    fn asked(&self) -> usize {
        let asked = self.world.origin.asked();
        asked.iter().filter(|asked| !asked.host.starts_with("a.test")).count()
    }
}

async fn serving(engine: &Engine) -> Site {
    let site = web::Site::new(Arc::clone(engine.served()), web::Settings::default());
    let site = site.with_images(engine.image_proxy().clone());
    Site::serving(site, Arc::clone(engine.served())).await
}

#[test]
fn images_are_shown_as_small_copies_from_this_server() {
    run(async {
        let planet = Planet::with_photograph().await;
        let list = planet.get("/planet/").await;
        let policy = list.header("content-security-policy").unwrap();
        assert!(policy.contains("img-src 'self';"), "{policy}");
        let (small, large) =
            (planet.sources("/planet/").await, planet.sources("/planet/story/1").await);
        assert!(small.len() == 1 && small[0].starts_with("/planet/thumbnail/1/"), "{small:?}");
        assert!(large.len() == 1 && large[0].starts_with("/planet/image/1/"), "{large:?}");
        assert_eq!(planet.asked(), 0, "pages alone fetch nothing");
        for (path, width) in [(&small[0], 480), (&large[0], 1280)] {
            let copy = planet.get(path).await;
            assert_eq!((copy.status, copy.header("content-type")), (200, Some("image/jpeg")));
            assert_eq!(copy.header("cache-control"), Some("public, max-age=604800"));
            assert_eq!(copy.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(copy.header("content-security-policy"), Some("default-src 'none'; sandbox"));
            assert_eq!(copy.header("cross-origin-resource-policy"), Some("same-origin"));
            let image = image::load_from_memory(&copy.body).unwrap();
            assert_eq!((image.width(), image.height()), (width, width / 2));
            let known = format!("If-None-Match: {}", copy.header("etag").unwrap());
            assert_eq!(planet.site.get(path, &[&known]).await.status, 304);
        }
        assert_eq!(planet.asked(), 1, "one request for both copies");
        // Now that the size is known, the page does not move when the image appears.
        assert!(planet.get("/planet/").await.text().contains("width=\"480\" height=\"240\""));
        let story = planet.get("/planet/story/1").await.text();
        assert!(story.contains("alt=\"dish\" width=\"1280\" height=\"640\""), "{story}");
    });
}

#[test]
fn requests_for_images_have_no_secrets_of_feed_or_reader() {
    run(async {
        let planet = Planet::with_photograph().await;
        let path = planet.sources("/planet/").await.remove(0);
        let reader =
            ["Cookie: a=b", "Referer: http://127.0.0.1:8420/planet/", "User-Agent: Reader/1"];
        assert_eq!(planet.site.get(&path, &reader).await.status, 200);
        let asked = planet.world.origin.last();
        assert_eq!(asked.target, "/photo.jpg");
        for header in ["cookie", "referer", "authorization", "x-forwarded-for"] {
            assert_eq!(asked.header(header), None);
        }
        assert!(asked.header("user-agent").unwrap().starts_with("newswire/"));
        assert!(asked.header("accept").unwrap().starts_with("image/"));
    });
}

#[test]
fn only_images_of_items_that_the_output_shows_are_fetched() {
    run(async {
        let planet = Planet::with_photograph().await;
        let path = planet.sources("/planet/story/1").await.remove(0);
        let name = path.rsplit('/').next().unwrap();
        for other in [
            "/planet/image/1/000000000000000000000000".to_owned(),
            format!("/planet/image/2/{name}"),
            format!("/planet/image/-1/{name}"),
            format!("/none/image/1/{name}"),
            "/planet/image/1/http%3A%2F%2Fpics.test%2Fphoto.jpg".to_owned(),
        ] {
            assert_eq!(planet.get(&other).await.status, 404, "{other}");
        }
        assert_eq!(planet.asked(), 0);
        let linking = Planet::with("<img src='http://pics.test:{port}/photo.jpg'>", |output| {
            output.presentation.images = Images::Link;
        })
        .await;
        assert_eq!(linking.get(&path).await.status, 404);
        assert_eq!((linking.asked(), linking.sources("/planet/story/1").await.len()), (0, 0));
    });
}

#[test]
fn images_on_private_networks_and_files_are_not_read() {
    run(async {
        for url in [
            "http://10.0.0.1/a.png",
            "http://169.254.169.254/latest/meta-data.png",
            "http://[fd00::1]/a.png",
            "http://pics.test:{port}/inside.png",
        ] {
            let planet = Planet::with(&format!("<img src='{url}' alt='x'>"), |_| ()).await;
            planet.world.origin.route(
                "pics.test",
                "/inside.png",
                [File::redirect(302, "http://192.168.0.1/a.png")],
            );
            for path in planet.sources("/planet/story/1").await {
                let answer = planet.get(&path).await;
                assert_eq!(
                    (answer.status, answer.header("content-type")),
                    (404, Some("image/svg+xml"))
                );
            }
        }
        for url in ["file:///etc/passwd", "http://pics.test:{port}/drawing.svg"] {
            let planet = Planet::with(&format!("<p>x <img src='{url}' alt='x'></p>"), |_| ()).await;
            assert_eq!(planet.sources("/planet/story/1").await.len(), 0, "{url}");
        }
    });
}

#[test]
fn an_image_that_cannot_be_shown_is_remembered_and_becomes_a_link() {
    run(async {
        for file in [
            File::status(404),
            File::ok("<!doctype html><p>Log in").with("Content-Type", "image/png"),
            File::ok("<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg>"),
            File::ok(b"\xff\xd8\xff\xe0 no more".to_vec()),
        ] {
            let planet = Planet::with_photograph().await;
            planet.world.origin.route("pics.test", "/photo.jpg", [file, File::ok(photograph())]);
            let path = planet.sources("/planet/story/1").await.remove(0);
            for _ in 0..3 {
                let answer = planet.get(&path).await;
                assert_eq!(
                    (answer.status, answer.header("content-type")),
                    (404, Some("image/svg+xml"))
                );
                assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
            }
            assert_eq!(planet.asked(), 1);
            assert_eq!(planet.sources("/planet/story/1").await.len(), 0);
            assert!(planet.get("/planet/story/1").await.text().contains(">[dish]</a>"));
            planet.world.clock.advance(HOUR * 7);
            let path = planet.sources("/planet/story/1").await.remove(0);
            assert_eq!((planet.get(&path).await.status, planet.asked()), (200, 2));
        }
    });
}

#[test]
fn a_server_that_asks_to_wait_is_left_alone() {
    run(async {
        let planet = Planet::with_photograph().await;
        let busy = File::status(503).with("Retry-After", 7200);
        planet.world.origin.route("pics.test", "/photo.jpg", [busy, File::ok(photograph())]);
        let path = planet.sources("/planet/").await.remove(0);
        for _ in 0..2 {
            let answer = planet.get(&path).await;
            assert_eq!((answer.status, answer.header("cache-control")), (503, Some("no-store")));
        }
        assert_eq!(planet.asked(), 1);
        planet.world.clock.advance(HOUR * 3);
        assert_eq!((planet.get(&path).await.status, planet.asked()), (200, 2));
    });
}

#[test]
fn many_readers_lead_to_one_request() {
    run(async {
        let planet = Planet::with_photograph().await;
        let gate = Arc::new(Semaphore::new(0));
        let held = File::Held(Arc::clone(&gate), Box::new(File::ok(photograph())));
        planet.world.origin.route("pics.test", "/photo.jpg", [held]);
        let path = planet.sources("/planet/").await.remove(0);
        let readers: Vec<_> = (0..6).map(|_| planet.get(&path)).collect();
        let opened = async {
            while planet.asked() == 0 {
                tokio::task::yield_now().await;
            }
            gate.add_permits(99);
        };
        let (answers, ()) = tokio::join!(futures_util::future::join_all(readers), opened);
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert_eq!(planet.asked(), 1);
    });
}

#[test]
fn copies_of_a_private_output_need_its_token() {
    run(async {
        let token = Token::new("open sesame".to_owned());
        let html = "<p>A <img src='http://pics.test:{port}/photo.jpg' alt='dish'></p>";
        let planet = Planet::with(html, |output| output.token = Some(token)).await;
        let path = planet.sources("/planet/?token=open+sesame").await.remove(0);
        assert!(path.ends_with("?token=open+sesame"), "{path}");
        assert_eq!(planet.get(path.split('?').next().unwrap()).await.status, 404);
        assert_eq!(planet.asked(), 0);
        let copy = planet.get(&path).await;
        assert_eq!(
            (copy.status, copy.header("cache-control")),
            (200, Some("private, max-age=604800"))
        );
    });
}

#[test]
fn copies_survive_a_restart() {
    run(async {
        let planet = Planet::with_photograph().await;
        let path = planet.sources("/planet/").await.remove(0);
        let before = planet.get(&path).await;
        let Planet { world, engine, site } = planet;
        // The threads of the server use the database until they end.
        drop((engine, site.stop));
        site.server.await.unwrap().unwrap();
        let mut config = world.config(&[world.origin.url("a.test", "/feed")]);
        config.outputs[0].presentation.images = Images::Proxy;
        let engine = world.open_with(config).await;
        poll(&engine, FeedSelection::All).await;
        let planet = Planet { site: serving(&engine).await, world, engine };
        assert!(planet.get("/planet/").await.text().contains("width=\"480\" height=\"240\""));
        assert_eq!(planet.get(&path).await.body, before.body);
        assert_eq!(planet.asked(), 1);
    });
}
