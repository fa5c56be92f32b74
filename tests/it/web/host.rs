//! Servers without `public_url`: documents contain the host of the request.

use std::sync::Arc;

use newswire::outputs::Served;
use newswire::render::{Format, Output, render};
use newswire::web;
use url::Url;

use super::site::{Answer, Site, ask, put_output, run};
use crate::outputs::sample::{entries, output};

/// An output of a server that listens on all addresses and has no `public_url`.
fn unnamed() -> (Output, web::Settings) {
    let listen = vec!["0.0.0.0:8420".parse().unwrap()];
    let settings = web::Settings { listen, ..web::Settings::default() };
    (Output { link: None, base_url: settings.base_url(), ..output() }, settings)
}

async fn open() -> Site {
    let (output, settings) = unnamed();
    let served = Arc::new(Served::new());
    put_output(&served, &output, &entries());
    Site::serving(web::Site::new(Arc::clone(&served), settings), served).await
}

async fn of_host(site: &Site, host: &str, path: &str, headers: &[&str]) -> Answer {
    ask(site.address, host, "GET", path, headers).await
}

#[test]
fn documents_name_the_host_of_the_request() {
    run(async {
        let site = open().await;
        for format in Format::ALL {
            let path = format!("/all.{}", format.extension());
            for (host, base) in [
                ("planet.localhost:8420", "http://planet.localhost:8420/"),
                ("localhost", "http://localhost/"),
                ("127.0.0.1:8420", "http://127.0.0.1:8420/"),
            ] {
                let answer = of_host(&site, host, &path, &[]).await;
                let expected = Output { base_url: Url::parse(base).unwrap(), ..unnamed().0 };
                assert_eq!(answer.body, render(&expected, *format, &entries()), "{host}{path}");
                let link = format!("<{}>; rel=\"self\"", expected.self_url(*format));
                assert_eq!(answer.header("link"), Some(&*link));
            }
        }
    });
}

#[test]
fn documents_never_name_an_address_that_cannot_be_reached() {
    run(async {
        let site = open().await;
        let plain = of_host(&site, "127.0.0.1:8420", "/all.atom", &[]).await;
        assert!(!plain.text().contains("0.0.0.0:8420"), "the default");
        let (output, settings) = unnamed();
        assert_eq!(output.base_url.as_str(), "http://127.0.0.1:8420/");
        let everywhere = web::Settings { listen: vec!["[::]:80".parse().unwrap()], ..settings };
        assert_eq!(everywhere.base_url().as_str(), "http://127.0.0.1/");
    });
}

#[test]
fn each_host_has_its_validators_and_codings() {
    run(async {
        let site = open().await;
        let get =
            async |host: &str, headers: &[&str]| of_host(&site, host, "/all.rss", headers).await;
        let (one, two) = (get("localhost:1", &[]).await, get("localhost:2", &[]).await);
        let etag = one.header("etag").unwrap();
        assert_ne!(Some(etag), two.header("etag"));
        let condition = format!("If-None-Match: {etag}");
        assert_eq!(get("localhost:1", &[&condition]).await.status, 304);
        assert_eq!(get("localhost:2", &[&condition]).await.status, 200);
        let packed = get("localhost:1", &["Accept-Encoding: br"]).await;
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*packed.body, &mut unpacked).unwrap();
        assert_eq!(unpacked, one.body);
        let condition = format!("If-None-Match: {}", packed.header("etag").unwrap());
        let again = get("localhost:1", &["Accept-Encoding: br", &condition]).await;
        assert_eq!(again.status, 304);
    });
}

#[test]
fn deltas_are_sent_only_by_outputs_that_enable_them() {
    run(async {
        let (output, settings) = unnamed();
        for deltas in [true, false] {
            let output = Output { deltas, ..output.clone() };
            let served = Arc::new(Served::new());
            put_output(&served, &output, &entries()[1..]);
            let site = web::Site::new(Arc::clone(&served), settings.clone());
            let site = Site::serving(site, served).await;
            let before = of_host(&site, "localhost:9", "/all.atom", &[]).await;
            put_output(&site.served, &output, &entries());
            let condition = format!("If-None-Match: {}", before.header("etag").unwrap());
            let answer =
                of_host(&site, "localhost:9", "/all.atom", &["A-IM: feed", &condition]).await;
            assert_eq!(answer.status, if deltas { 226 } else { 200 });
            let base_url = Url::parse("http://localhost:9/").unwrap();
            let here = Output { base_url, ..output };
            let expected = if deltas { &entries()[..1] } else { &entries()[..] };
            assert_eq!(answer.body, render(&here, Format::Atom, expected));
        }
    });
}

#[test]
fn a_path_in_the_public_url_may_be_in_the_request_or_not() {
    run(async {
        let public_url: Url = "https://planet.example.org/feeds/".parse().unwrap();
        let settings =
            web::Settings { public_url: Some(public_url.clone()), ..web::Settings::default() };
        let served = Arc::new(Served::new());
        let shown = Output { base_url: public_url, ..output() };
        put_output(&served, &shown, &entries());
        let site = Site::serving(web::Site::new(Arc::clone(&served), settings), served).await;
        let get = async |path: &str| of_host(&site, "planet.example.org", path, &[]).await;
        for path in ["/", "/all.atom", "/style.css", "/all.json?x=1", "/healthz"] {
            let (stripped, whole) = (get(path).await, get(&format!("/feeds{path}")).await);
            assert_eq!((stripped.status, whole.status), (200, 200), "{path}");
            assert_eq!(stripped.body, whole.body, "{path}");
        }
        let text = get("/feeds/all.atom").await.text();
        assert!(text.contains("href=\"https://planet.example.org/feeds/all.atom\""), "{text}");
        let moved = get("/feeds").await;
        assert_eq!((moved.status, moved.header("location")), (308, Some("feeds/")));
        assert_eq!(get("/feedsx/all.atom").await.status, 404);
        assert_eq!(get("/feeds/feeds/all.atom").await.status, 404);
    });
}

#[test]
fn a_path_that_is_the_id_of_an_output_may_be_in_the_request_or_not() {
    run(async {
        let public_url: Url = "https://planet.example.org/all/".parse().unwrap();
        let settings =
            web::Settings { public_url: Some(public_url.clone()), ..web::Settings::default() };
        let served = Arc::new(Served::new());
        put_output(&served, &Output { base_url: public_url, ..output() }, &entries());
        let site = Site::serving(web::Site::new(Arc::clone(&served), settings), served).await;
        let removed = &["X-Forwarded-Prefix: /all"][..];
        for path in ["/", "/all.atom", "/style.css"] {
            let stripped = of_host(&site, "planet.example.org", path, removed).await;
            let whole = of_host(&site, "planet.example.org", &format!("/all{path}"), &[]).await;
            assert_eq!((stripped.status, whole.status), (200, 200), "{path}");
            assert_eq!(stripped.body, whole.body, "{path}");
        }
    });
}
