//! Redirects, and the guard that checks each hop.

use std::net::IpAddr;

use newswire::model::{FailureKind, FetchOutcome};
use url::Url;

use crate::support::client::{Client, HOST, body, kind, site};
use crate::support::origin::{Answer, Names, Origin};

#[tokio::test]
async fn redirects_are_followed_across_hosts_and_recorded() {
    let origin = Origin::start().await;
    let (second, third) = (origin.url("b.test", "/2"), origin.url("c.test", "/3"));
    origin.route("a.test", "/1", [Answer::redirect(301, &second)]);
    origin.route("b.test", "/2", [Answer::redirect(302, &third)]);
    origin.route("c.test", "/3", [Answer::ok("here").with("Content-Type", "text/xml; charset=x")]);
    let response = Client::new(origin.resolver()).get(&origin.url("a.test", "/1#f")).await;
    assert_eq!((body(&response), &response.url), (&b"here"[..], &third));
    let hops: Vec<_> =
        response.hops.iter().map(|hop| (hop.status, hop.location.as_str())).collect();
    assert_eq!(hops, [(301, second.as_str()), (302, third.as_str())]);
    assert_eq!(response.body.unwrap().content_type.as_deref(), Some("text/xml; charset=x"));
    let hosts: Vec<_> = origin.asked().into_iter().map(|asked| asked.host).collect();
    assert_eq!(hosts, ["a.test", "b.test", "c.test"]);
}

#[tokio::test]
async fn a_configured_proxy_is_used_but_not_for_private_addresses() {
    let origin = Origin::start().await;
    origin.route("far.test", "http://far.test/feed", [Answer::ok("here")]);
    let mut client = Client::new(origin.resolver());
    client.settings.proxy = Some(origin.url("127.0.0.1", "/"));
    let response = client.get(&Url::parse("http://far.test/feed").unwrap()).await;
    assert_eq!(body(&response), b"here");
    assert_eq!(response.remote, None);
    let inside = client.get(&Url::parse("http://10.0.0.1/feed").unwrap()).await;
    assert_eq!(kind(&inside), FailureKind::BlockedAddress);
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn configured_headers_are_sent_only_to_the_origin_of_the_feed() {
    let origin = Origin::start().await;
    origin.route("a.test", "/1", [Answer::redirect(302, "/2")]);
    origin.route("a.test", "/2", [Answer::redirect(302, origin.url("b.test", "/3"))]);
    origin.route("b.test", "/3", [Answer::ok("here")]);
    let mut client = Client::new(origin.resolver());
    let secret = |value: &str| newswire::fetch::Secret(value.to_owned());
    client.settings.headers =
        vec![("authorization".to_owned(), secret("Bearer x")), ("x-key".to_owned(), secret("y"))];
    client.get(&origin.url("a.test", "/1")).await;
    let sent: Vec<_> = origin
        .asked()
        .iter()
        .map(|asked| (asked.header("authorization").is_some(), asked.header("x-key").is_some()))
        .collect();
    assert_eq!(sent, [(true, true), (true, true), (false, false)]);
}

#[tokio::test]
async fn loops_and_long_chains_of_redirects_are_failures() {
    let origin = Origin::start().await;
    origin.route(HOST, "/a/feed", [Answer::redirect(308, "../b?c=d#e")]);
    origin.route(HOST, "/b", [Answer::ok("here")]);
    origin.route(HOST, "/circle", [Answer::redirect(307, "/circle")]);
    for n in 0..9 {
        origin.route(HOST, &format!("/{n}"), [Answer::redirect(302, format!("/{}", n + 1))]);
    }
    let client = Client::new(origin.resolver());
    let response = client.get(&origin.url(HOST, "/a/feed")).await;
    assert_eq!(response.url, origin.url(HOST, "/b?c=d"));
    for path in ["/circle", "/0"] {
        let response = client.get(&origin.url(HOST, path)).await;
        assert_eq!(kind(&response), FailureKind::TooManyRedirects, "{path}");
    }
    assert_eq!(client.get(&origin.url(HOST, "/5")).await.outcome.slug(), "not_found");
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_rejected_at_every_hop() {
    // N45, S1: by address and by name, in every notation.
    let private: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap()];
    for target in [
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0xa000001/",
        "http://167772161/",
        "http://169.254.169.254/latest/meta-data",
        "http://inside.test/",
        "http://[fd00::1]/",
        "http://[64:ff9b::a00:1]/",
    ] {
        let origin = Origin::start().await;
        origin.route(HOST, "/feed", [Answer::redirect(302, target)]);
        let client = Client::new(Names::but("inside.test", Ok(private.clone())));
        let response = client.get(&origin.url(HOST, "/feed")).await;
        assert_eq!(kind(&response), FailureKind::BlockedAddress, "{target}");
        assert_eq!(origin.count(), 1, "{target}");
    }
}

#[tokio::test]
async fn loopback_is_rejected_unless_it_is_allowed() {
    let (origin, mut client, url) = site(Answer::ok("x")).await;
    client.settings.allow_networks.clear();
    assert_eq!(kind(&client.get(&url).await), FailureKind::BlockedAddress);
    let literal = Url::parse(&format!("http://127.0.0.1:{}/feed", origin.port())).unwrap();
    assert_eq!(kind(&client.get(&literal).await), FailureKind::BlockedAddress);
    assert_eq!(origin.count(), 0);
}

#[tokio::test]
async fn redirects_to_other_schemes_ports_and_credentials_are_rejected() {
    for target in [
        "file:///etc/passwd",
        "ftp://site.test/",
        "gopher://site.test/",
        "http://me:secret@site.test/",
        "http://site.test:25/",
        "http://",
    ] {
        let (origin, client, url) = site(Answer::redirect(302, target)).await;
        let kind = kind(&client.get(&url).await);
        assert!(
            matches!(kind, FailureKind::BadUrl | FailureKind::BlockedAddress),
            "{target}: {kind:?}"
        );
        assert_eq!(origin.count(), 1);
    }
}

#[tokio::test]
async fn an_https_url_is_never_requested_over_http() {
    let origin = Origin::start().await;
    origin.route(HOST, "/feed", [Answer::ok("x")]);
    let url = Url::parse(&format!("https://{HOST}:{}/feed", origin.port())).unwrap();
    let response = Client::new(origin.resolver()).get(&url).await;
    assert!(matches!(response.outcome, FetchOutcome::Failed(_)), "{:?}", response.outcome);
    assert_eq!(origin.count(), 0);
}
