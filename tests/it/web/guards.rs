//! The security headers of every response, and requests that are rejected.

use super::site::{Answer, Site, run};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Checks the headers that every response has.
fn is_guarded(answer: &Answer, of: &str) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{of}");
    assert_eq!(answer.header("content-security-policy"), Some(POLICY), "{of}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{of}");
    let own = answer.header("cross-origin-resource-policy") == Some("same-origin");
    let feed = answer.header("access-control-allow-origin") == Some("*");
    assert!(own || feed, "{of}: a page for us, or a feed for all");
    let version = env!("CARGO_PKG_VERSION");
    for line in answer.head.lines().filter(|line| !line.starts_with("etag")) {
        assert!(!line.contains(version) && !line.starts_with("server:"), "{of}: {line}");
    }
}

#[test]
fn every_response_has_the_security_headers() {
    run(async {
        let site = Site::open().await;
        for (path, status) in [
            ("/", 200),
            ("/style.css", 200),
            ("/healthz", 200),
            ("/all.atom", 200),
            ("/all.rss", 200),
            ("/all.json", 200),
            ("/subscriptions.opml", 404),
            ("/readyz", 404),
            ("/metrics", 404),
            ("/status", 404),
            ("/status.json", 404),
            ("/status/a", 404),
            ("/health.atom", 404),
            ("/none.atom", 404),
            ("/all/archive/1.atom", 404),
            ("/all/story/1", 404),
            ("/a/b/c/d", 404),
            ("/none.atom?token=x", 401),
        ] {
            for method in ["GET", "HEAD"] {
                let answer = site.ask(method, path, &[]).await;
                assert_eq!(answer.status, status, "{path}");
                is_guarded(&answer, path);
            }
            let answer = site.ask("POST", path, &["Content-Length: 0"]).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{path}");
            is_guarded(&answer, path);
            let answer = site.of_host("evil.test", path).await;
            assert_eq!(answer.status, 421, "{path}");
            is_guarded(&answer, path);
            assert!(!answer.text().contains("evil"), "{path}: nothing of theirs is repeated");
        }
    });
}

#[test]
fn headers_of_proxies_do_not_change_public_responses() {
    run(async {
        let site = Site::open().await;
        let plain = site.get("/all.atom", &[]).await;
        let forwarded = [
            "X-Forwarded-Host: evil.test",
            "X-Forwarded-Proto: https",
            "Forwarded: host=evil.test",
        ];
        let answer = site.get("/all.atom", &forwarded).await;
        assert_eq!((answer.status, &answer.body), (200, &plain.body));
        assert_eq!(answer.header("link"), plain.header("link"));
    });
}

#[test]
fn without_a_listen_key_only_this_machine_is_served() {
    let (path, state) = (std::path::Path::new("newswire.toml"), std::env::temp_dir());
    let files = newswire::config::Files::one("version = 1\n".to_owned(), path, &state);
    let config = files.read(newswire::config::PathChecks::Writing).config.unwrap();
    let address: std::net::SocketAddr = "127.0.0.1:8420".parse().unwrap();
    assert_eq!(config.web.listen, [address.into()]);
}
