//! The web server over a real socket on loopback, with plain HTTP requests.

mod choices;
mod crowd;
mod delta;
mod guards;
mod host;
#[cfg(feature = "images")]
mod images;
mod months;
mod notices;
mod page;
mod shared;
pub(crate) mod site;
mod static_site;
mod status;
mod token;

use std::io::Read;

use newswire::render::{Format, render};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::site::{DATE, Site, put, run};
use crate::outputs::sample::{entries, output};

#[test]
fn a_document_is_served_with_validators_and_lifetime() {
    run(async {
        let site = Site::open().await;
        for (format, kind) in [
            (Format::Atom, "application/atom+xml; charset=utf-8"),
            (Format::Rss, "application/rss+xml; charset=utf-8"),
            (Format::Json, "application/feed+json"),
        ] {
            let answer = site.get(&format!("/all.{}", format.extension()), &[]).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body, render(&output(), format, &entries()));
            assert_eq!(answer.header("content-type"), Some(kind));
            assert_eq!(answer.header("last-modified"), Some(DATE));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
            assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding, Sec-Fetch-Mode"));
            let link = format!("<{}>; rel=\"self\"", output().self_url(format));
            assert_eq!(answer.header("link"), Some(&*link), "RFC 8288");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert!(answer.header("etag").unwrap().starts_with('"'), "a strong one");
            assert_eq!(answer.header("content-length"), Some(&*answer.body.len().to_string()));
        }
    });
}

#[test]
fn conditional_requests_get_304() {
    run(async {
        let site = Site::open().await;
        let full = site.get("/all.atom", &[]).await;
        let etag = full.header("etag").unwrap();
        for condition in [
            format!("If-None-Match: {etag}"),
            format!("If-None-Match: W/{etag}"),
            format!("If-None-Match: \"other\", {etag}"),
            "If-None-Match: *".to_owned(),
            format!("If-Modified-Since: {DATE}"),
        ] {
            let answer = site.get("/all.atom", &[&condition]).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{condition}");
            for name in ["etag", "last-modified", "cache-control", "vary"] {
                assert_eq!(answer.header(name), full.header(name), "{name}");
            }
        }
        let date = format!("If-Modified-Since: {DATE}");
        let answer = site.get("/all.atom", &["If-None-Match: \"other\"", &date]).await;
        assert_eq!(answer.status, 200, "the tag beats the date");
        let earlier = "If-Modified-Since: Thu, 20 Nov 2025 09:29:59 GMT";
        assert_eq!(site.get("/all.atom", &[earlier]).await.status, 200);
    });
}

#[test]
fn each_coding_is_complete_and_has_its_own_validator() {
    run(async {
        let site = Site::open().await;
        let plain = site.get("/all.rss", &[]).await;
        let gzip = site.get("/all.rss", &["Accept-Encoding: gzip"]).await;
        assert_eq!(gzip.header("content-encoding"), Some("gzip"));
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
        let br = site.get("/all.rss", &["Accept-Encoding: gzip, br"]).await;
        assert_eq!(br.header("content-encoding"), Some("br"));
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*br.body, &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
        let zst = site.get("/all.rss", &["Accept-Encoding: gzip, zstd"]).await;
        assert_eq!(zst.header("content-encoding"), Some("zstd"));
        assert_eq!(zstd::bulk::decompress(&zst.body, 1 << 20).unwrap(), plain.body);
        let tags = [&plain, &gzip, &br, &zst].map(|answer| answer.header("etag").unwrap());
        let different: std::collections::HashSet<&str> = tags.into_iter().collect();
        assert_eq!(different.len(), 4);
        let again = format!("If-None-Match: {}", tags[1]);
        assert_eq!(site.get("/all.rss", &[&again, "Accept-Encoding: gzip"]).await.status, 304);
        assert_eq!(site.get("/all.rss", &[&again]).await.status, 200, "another representation");
    });
}

#[test]
fn head_is_get_without_the_body() {
    run(async {
        let site = Site::open().await;
        for path in ["/all.json", "/", "/healthz", "/none"] {
            let (get, head) = (site.get(path, &[]).await, site.ask("HEAD", path, &[]).await);
            assert_eq!(head.status, get.status);
            assert!(head.body.is_empty());
            for name in ["etag", "content-length", "content-type", "last-modified"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            }
        }
    });
}

#[test]
fn only_get_and_head_are_allowed() {
    run(async {
        let site = Site::open().await;
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
            let answer = site.ask(method, "/all.atom", &[]).await;
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    });
}

#[test]
fn an_unknown_output_is_not_found() {
    run(async {
        let site = Site::open().await;
        for path in [
            "/all",
            "/all/",
            "/all.xml",
            "/none.atom",
            "/a/b",
            "/../all.atom",
            "/%2e%2e/x",
            "/all.atom/",
        ] {
            let answer = site.get(path, &[]).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.text(), "not found\n");
        }
        site.served.keep_only(&[]);
        assert_eq!(site.get("/all.atom", &[]).await.status, 404);
    });
}

#[test]
fn a_publication_is_served_at_once_with_a_new_etag() {
    run(async {
        let site = Site::open().await;
        let before = site.get("/all.atom", &[]).await;
        put(&site.served, &[(Format::Atom, render(&output(), Format::Atom, &entries()))]);
        let same = site.get("/all.atom", &[]).await;
        assert_eq!(same.header("etag"), before.header("etag"), "the same entries");
        put(&site.served, &[(Format::Atom, render(&output(), Format::Atom, &entries()[1..]))]);
        let after = site.get("/all.atom", &[]).await;
        assert_ne!(after.header("etag"), before.header("etag"));
        assert_eq!(site.get("/all.rss", &[]).await.status, 404, "no longer published");
    });
}

#[test]
fn the_index_page_links_to_every_output_without_scripts() {
    run(async {
        let site = Site::open().await;
        let answer = site.get("/", &[]).await;
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        let page = answer.text();
        assert!(page.contains("The Daily Wire &#38; Co") && page.contains("Many &#60;feeds&#62;"));
        assert!(page.contains("6 stories") && page.contains("20 November 2025, 09:30 UTC"));
        for format in Format::ALL {
            let (href, kind) = (output().file_name(*format), format.media_type());
            assert!(page.contains(&format!("rel=\"alternate\" type=\"{kind}\" href=\"{href}\"")));
            assert!(page.contains(&format!("<a href=\"{href}\"")));
        }
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("<style"));
        let style = site.get("/style.css", &[]).await;
        assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
        assert!(style.text().contains("prefers-color-scheme: dark"));
        site.served.keep_only(&[]);
        assert!(site.get("/", &[]).await.text().contains("Nothing has been published yet"));
        assert_eq!(site.get("/healthz", &[]).await.text(), "ok\n");
    });
}

#[test]
fn a_broken_connection_does_not_affect_others() {
    run(async {
        let site = Site::open().await;
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        let one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{one}{one}{last}").as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "pipelined");
        let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
        for nonsense in ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", &huge] {
            let mut stream = TcpStream::connect(site.address).await.unwrap();
            let _ = stream.write_all(nonsense.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{nonsense:.20}");
        }
        assert_eq!(site.get("/healthz", &[]).await.status, 200);
    });
}

#[test]
fn shutdown_finishes_responses_and_closes_idle_connections() {
    run(async {
        let site = Site::open().await;
        let big = vec![b'x'; 8 << 20];
        put(&site.served, &[(Format::Atom, big)]);
        let idle = TcpStream::connect(site.address).await.unwrap();
        let mut reader = TcpStream::connect(site.address).await.unwrap();
        reader.write_all(b"GET /all.atom HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut first = vec![0; 1024];
        reader.read_exact(&mut first).await.unwrap();
        site.stop.send(()).unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).await.unwrap();
        assert!(first.len() + rest.len() > 8 << 20, "the answer came whole");
        site.server.await.unwrap().unwrap();
        assert!(TcpStream::connect(site.address).await.is_err(), "nobody listens any more");
        drop(idle);
    });
}
