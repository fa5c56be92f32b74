//! Feeds behind a proxy: HTTP and SOCKS 5, with a login, and what the guard refuses there.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use newswire::fetch::{ResolveError, Secret};
use newswire::model::{FailureKind, FetchOutcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::support::client::{Client, body, kind};
use crate::support::origin::{Answer, Names, Origin};

const NAME: &str = "feeds.example.org";

/// What a proxy was asked for: login and target of each connection.
type Log = Arc<Mutex<Vec<(Option<String>, String)>>>;

/// A SOCKS 5 proxy (RFC 1928, RFC 1929) that connects every name to the origin.
async fn socks(origin: &Origin, login: bool) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, log, port) = (listener.local_addr().unwrap(), Log::default(), origin.port());
    let shared = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(relay(stream, login, port, Arc::clone(&shared)));
        }
    });
    (address, log)
}

async fn text(stream: &mut TcpStream) -> String {
    let length = stream.read_u8().await.unwrap();
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn relay(mut stream: TcpStream, login: bool, port: u16, log: Log) {
    assert_eq!(stream.read_u8().await.unwrap(), 5);
    let mut methods = vec![0; stream.read_u8().await.unwrap().into()];
    stream.read_exact(&mut methods).await.unwrap();
    let method = if login { 2 } else { 0 };
    assert!(methods.contains(&method), "{methods:?}");
    stream.write_all(&[5, method]).await.unwrap();
    let mut user = None;
    if login {
        assert_eq!(stream.read_u8().await.unwrap(), 1);
        user = Some(format!("{}:{}", text(&mut stream).await, text(&mut stream).await));
        stream.write_all(&[1, 0]).await.unwrap();
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    // A connection to a name: the proxy resolves it.
    assert_eq!(head, [5, 1, 0, 3]);
    let host = text(&mut stream).await;
    let asked = stream.read_u16().await.unwrap();
    log.lock().unwrap().push((user, format!("{host}:{asked}")));
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

/// A client behind a proxy. Its resolver knows no name.
fn behind(proxy: &str) -> Client {
    let unknown = |name: &str| (name.to_owned(), Err(ResolveError::NotFound(name.to_owned())));
    let names = [NAME, "secret.onion"].map(unknown);
    let mut client = Client::new(Arc::new(Names(names.into_iter().collect())));
    client.settings.proxy = Some(proxy.parse().unwrap());
    client.settings.allow_networks = Vec::new();
    client
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_socks_proxy_resolves_the_names() {
    let origin = Origin::start().await;
    for name in [NAME, "secret.onion"] {
        origin.route(name, "/feed", [Answer::ok("<rss/>")]);
    }
    let (proxy, log) = socks(&origin, false).await;
    let client = behind(&format!("socks5h://{proxy}"));
    for name in [NAME, "secret.onion"] {
        let response = client.get(&url(&format!("http://{name}/feed"))).await;
        assert_eq!(body(&response), b"<rss/>");
        assert_eq!(response.remote, None);
    }
    let asked: Vec<String> = log.lock().unwrap().iter().map(|(_, host)| host.clone()).collect();
    assert_eq!(asked, [format!("{NAME}:80"), "secret.onion:80".to_owned()]);
}

#[tokio::test]
async fn a_proxy_gets_its_login_and_the_origin_does_not() {
    let origin = Origin::start().await;
    origin.route(NAME, "/feed", [Answer::ok("<rss/>")]);
    let login = Secret("me@work:p:ss/%41 \u{e4}".to_owned());
    let (proxy, log) = socks(&origin, true).await;
    let mut client = behind(&format!("socks5h://{proxy}"));
    client.settings.proxy_login = Some(login.clone());
    assert_eq!(body(&client.get(&url(&format!("http://{NAME}/feed"))).await), b"<rss/>");
    assert_eq!(log.lock().unwrap()[0].0.as_ref(), Some(&login.0));
    assert_eq!(origin.last().header("proxy-authorization"), None);
    // An HTTP proxy gets the request itself.
    let mut client = behind(&format!("http://127.0.0.1:{}", origin.port()));
    client.settings.proxy_login = Some(Secret("me:p%41:ss".to_owned()));
    // The target of such a request is the whole URL.
    origin.route(NAME, &format!("http://{NAME}/feed"), [Answer::ok("<rss/>")]);
    assert_eq!(body(&client.get(&url(&format!("http://{NAME}/feed"))).await), b"<rss/>");
    assert_eq!(origin.last().header("proxy-authorization"), Some("Basic bWU6cCU0MTpzcw=="));
}

#[tokio::test]
async fn a_proxy_by_name_may_be_on_a_private_network() {
    let origin = Origin::start().await;
    origin.route(NAME, &format!("http://{NAME}/feed"), [Answer::ok("<rss/>")]);
    // `Names` resolves it to 127.0.0.1, which no feed may contact here.
    let client = behind(&format!("http://proxy.lan:{}", origin.port()));
    assert_eq!(body(&client.get(&url(&format!("http://{NAME}/feed"))).await), b"<rss/>");
}

#[tokio::test]
async fn the_local_network_is_not_reached_through_a_proxy() {
    let origin = Origin::start().await;
    let (proxy, log) = socks(&origin, false).await;
    let mut client = behind(&format!("socks5h://{proxy}"));
    for target in
        ["localhost", "printer", "wiki.internal", "wiki.corp", "LOCALHOST.", "127.0.0.1", "[::1]"]
    {
        let response = client.get(&url(&format!("http://{target}/feed"))).await;
        assert_eq!(kind(&response), FailureKind::BlockedAddress, "{target}");
        let FetchOutcome::Failed(failure) = response.outcome else { unreachable!() };
        assert!(failure.help.unwrap().contains("allow_networks"), "{target}");
    }
    assert!(log.lock().unwrap().is_empty());
    // The operator has a feed there.
    origin.route("wiki.internal", "/feed", [Answer::ok("<rss/>")]);
    client.settings.allow_networks = vec!["10.0.0.0/8".parse().unwrap()];
    assert_eq!(body(&client.get(&url("http://wiki.internal/feed")).await), b"<rss/>");
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["socks5h", "http"] {
        let response =
            behind(&format!("{scheme}://{free}")).get(&url(&format!("http://{NAME}/feed"))).await;
        let FetchOutcome::Failed(failure) = response.outcome else { panic!("it answered") };
        assert!(failure.message.contains(&format!("the proxy {free}")), "{failure}");
        assert!(failure.help.unwrap().contains("proxy in [fetch]"));
    }
}

#[tokio::test]
async fn a_name_of_tor_is_not_looked_up_without_a_proxy() {
    let origin = Origin::start().await;
    // RFC 7686 2: this resolver would answer.
    let response = Client::new(origin.resolver()).get(&origin.url("secret.onion", "/feed")).await;
    assert_eq!(kind(&response), FailureKind::NameNotFound);
    let FetchOutcome::Failed(failure) = response.outcome else { unreachable!() };
    assert!(failure.help.unwrap().contains("socks5h://"));
    assert_eq!(origin.count(), 0);
}

/// A proxy that answers each request like this, also CONNECT.
async fn refusing(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_proxy_that_requires_a_login_is_named_with_the_key_of_the_login() {
    let proxy = refusing(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .await;
    for (scheme, login, says) in [
        ("http", None, "requires a login"),
        ("https", None, "requires a login"),
        ("http", Some("me:wrong"), "rejects the login"),
        ("https", Some("me:wrong"), "rejects the login"),
    ] {
        let mut client = behind(&format!("http://{proxy}"));
        client.settings.proxy_login = login.map(|login| Secret(login.to_owned()));
        let response = client.get(&url(&format!("{scheme}://{NAME}/feed"))).await;
        let FetchOutcome::Failed(failure) = response.outcome else { panic!("it answered") };
        assert!(failure.message.contains(&format!("the proxy {proxy} {says}")), "{failure}");
        assert!(failure.help.unwrap().contains("proxy_authorization"), "{scheme}");
    }
}
