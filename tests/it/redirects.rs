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
async fn unusual_redirects_are_followed_as_browsers_do() {
    let origin = Origin::start().await;
    origin.route(HOST, "/300", [Answer::redirect(300, "/caf%C3%A9")]);
    let head = b"HTTP/1.1 301 M\r\nContent-Length: 0\r\nLocation: /caf".to_vec();
    for (path, name) in [("/utf8", &b"\xc3\xa9"[..]), ("/latin1", b"\xe9")] {
        let raw = [&head, name, b"\r\n\r\n"].concat();
        origin.route(HOST, path, [Answer::Raw(raw)]);
    }
    for path in ["/caf%C3%A9", "/caf%E9"] {
        origin.route(HOST, path, [Answer::ok("here")]);
    }
    let client = Client::new(origin.resolver());
    for path in ["/300", "/utf8", "/latin1"] {
        assert_eq!(body(&client.get(&origin.url(HOST, path)).await), b"here", "{path}");
    }
}

#[tokio::test]
async fn a_failure_behind_a_redirect_names_its_target_and_another_remedy() {
    let origin = Origin::start().await;
    for (n, target) in
        ["https://10.0.0.1/feed", "http://user:secret@b.test/feed", "mailto:ann@b.test", "/nothing"]
            .into_iter()
            .enumerate()
    {
        let path = format!("/{n}");
        origin.route(HOST, &path, [Answer::redirect(302, target)]);
        let response = Client::new(origin.resolver()).get(&origin.url(HOST, &path)).await;
        let FetchOutcome::Failed(failure) = response.outcome else { panic!("{target}") };
        let text = format!("{failure}; {}", failure.help.clone().unwrap_or_default());
        assert!(text.starts_with("redirected to ") && !text.contains("secret"), "{text}");
        assert!(!text.contains("check the URL") && !text.contains("set authorization"), "{text}");
    }
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
    // By address and by name, in every notation.
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
        "data:text/xml,<rss/>",
        "unix:/run/x",
        "jar:http://site.test!/x",
        "javascript:1",
        "ws://site.test/",
        "about:blank",
        "blob:http://site.test/x",
        "FILE:///etc/passwd",
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

/// Spellings of addresses that are not public, and names that lead to this machine. `{port}` is the port of a listener.
const SPELLINGS: [&str; 60] = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7F.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0177.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.255.255.254:{port}/",
    "http://127.8.9.10:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://00000000:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    "http://169.254.169.254:{port}/latest/meta-data",
    "http://[fd00:ec2::254]:{port}/latest/meta-data",
    "http://[fe80::1]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://192.0.0.8:{port}/",
    "http://192.0.2.7:{port}/",
    "http://100.64.0.1:{port}/",
    "http://198.18.0.1:{port}/",
    "http://198.51.100.1:{port}/",
    "http://203.0.113.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://LOCALHOST:{port}/",
    "http://x.localhost:{port}/",
    "http://inside.test:{port}/",
    "http://inside.test.:{port}/",
    "http://127\u{3002}0\u{3002}0\u{3002}1:{port}/",
    "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1:{port}/",
    "http://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://127.0.0.1:{port}\\@example.org/",
    "http://127.0.\t0.1:{port}/",
    "http://127.0.\n0.1:{port}/",
    " http://127.0.0.1:{port}/ ",
];

/// A port of every address of this machine that counts its connections.
async fn listener() -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = match tokio::net::TcpListener::bind("[::]:0").await {
        Ok(listener) => listener,
        Err(_) => tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap(),
    };
    let port = listener.local_addr().unwrap().port();
    let count: std::sync::Arc<std::sync::atomic::AtomicUsize> = Default::default();
    let counted = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    (port, count)
}

/// Asserts that the failure names the rule and the key that permits the address.
fn assert_forbidden(response: &newswire::fetch::Response, case: &str) -> bool {
    let FetchOutcome::Failed(failure) = &response.outcome else {
        panic!("{case}: {:?}", response.outcome)
    };
    match failure.kind {
        FailureKind::BlockedAddress => {
            let help = failure.help.as_deref().unwrap_or_default();
            assert!(help.contains("allow_networks"), "{case}: {failure:?}");
            assert!(failure.message.contains("not a public address ("), "{case}: {failure:?}");
            true
        }
        // A user name, or a Location that is no URL.
        FailureKind::BadUrl | FailureKind::BadResponse => false,
        kind => panic!("{case}: {kind:?} {failure:?}"),
    }
}

#[tokio::test]
async fn sixty_spellings_directly_and_by_six_redirects_open_no_connection() {
    let (origin, (port, connections)) = (Origin::any_address().await, listener().await);
    // Only the server that redirects may be contacted; every other name leads to 127.0.0.1.
    let start: IpAddr = "127.0.0.2".parse().unwrap();
    let mut client = Client::new(Names::but(HOST, Ok(vec![start])));
    client.settings.allow_networks = vec!["127.0.0.2/32".parse().unwrap()];
    let (mut cases, mut blocked) = (0, 0);
    for spelling in SPELLINGS {
        let target = spelling.replace("{port}", &port.to_string());
        if let Ok(url) = Url::parse(&target) {
            blocked += usize::from(assert_forbidden(&client.get(&url).await, &target));
        }
        cases += 1;
        // A line break in a header is a folded line.
        let location = target.replace('\n', "\r\n ");
        for (status, location) in [301, 302, 303, 307, 308]
            .map(|status| (status, location.clone()))
            .into_iter()
            .chain([(302, location.replacen("http:", "", 1))])
        {
            origin.route(HOST, "/feed", [Answer::redirect(status, &location)]);
            let response = client.get(&origin.url(HOST, "/feed")).await;
            blocked += usize::from(assert_forbidden(&response, &format!("{status} {location}")));
            cases += 1;
        }
    }
    assert_eq!((cases, connections.load(std::sync::atomic::Ordering::SeqCst)), (420, 0));
    assert!(blocked >= 390, "{blocked} of 420 are rejected for their address");
    // The listener counts.
    client.settings.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    client.settings.timeout = std::time::Duration::from_millis(500);
    client.get(&Url::parse(&format!("http://127.1:{port}/")).unwrap()).await;
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn of_fourteen_shapes_of_redirects_only_those_to_the_same_origin_keep_credentials() {
    let (origin, other) = (Origin::start().await, Origin::start().await);
    let at = |host: &str| origin.url(host, "/end").to_string();
    let own = at("a.test");
    let shapes = [
        ("/end".to_owned(), true),
        ("end?x".to_owned(), true),
        (own.clone(), true),
        (own.replacen("http:", "", 1), true),
        (own.replace("a.test", "A.TEST"), true),
        (at("b.test"), false),
        (at("sub.a.test"), false),
        (at("test"), false),
        (at("a.test."), false),
        (at("127.0.0.1"), false),
        (at("a.test").replace("a.test", "a.test.b.test"), false),
        (at("xa.test"), false),
        (other.url("a.test", "/end").to_string(), false),
        (other.url("b.test", "/end").to_string(), false),
    ];
    let secret = |value: &str| newswire::fetch::Secret(value.to_owned());
    let mut client = Client::new(origin.resolver());
    client.settings.headers =
        vec![("authorization".to_owned(), secret("Bearer x")), ("x-key".to_owned(), secret("y"))];
    for (number, (location, is_same)) in shapes.iter().enumerate() {
        let status = [301, 302, 303, 307, 308][number % 5];
        let path = format!("/{number}");
        origin.route("a.test", &path, [Answer::redirect(status, location)]);
        let before = (origin.count(), other.count());
        client.get(&origin.url("a.test", &path)).await;
        let asked = match other.count() > before.1 {
            true => other.last(),
            false => origin.last(),
        };
        assert!(asked.target.starts_with("/end"), "{location} was not followed: {asked:?}");
        let sent = ["authorization", "x-key", "cookie"].map(|name| asked.header(name).is_some());
        assert_eq!(sent, [*is_same, *is_same, false], "{status} to {location}");
    }
}

#[tokio::test]
async fn messages_about_redirects_are_short() {
    let origin = Origin::start().await;
    let client = Client::new(origin.resolver());
    for (length, path, part) in [
        (5_000, "/", "HTTP 404"),
        (60_000, "/", "a URL of more than 8000 bytes"),
        (5_000, "http://", "is not a host name"),
    ] {
        let target = format!("{path}{}", "x".repeat(length));
        origin.route(HOST, "/feed", [Answer::redirect(302, target)]);
        let response = client.get(&origin.url(HOST, "/feed")).await;
        assert!(response.hops.iter().all(|hop| hop.location.len() < 8_000));
        let FetchOutcome::Failed(failure) = response.outcome else { panic!("{part}") };
        assert!(failure.message.contains(part) && failure.message.len() < 1_000, "{failure}");
    }
}
