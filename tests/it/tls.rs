//! TLS: configured authorities, wrong names, redirects to http, ports without TLS.

mod http2;

use std::sync::Arc;

use newswire::model::{FailureKind, FetchOutcome};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};
use url::Url;

use crate::cli::configured;
use crate::support::client::{Client, kind};
use crate::support::origin::{Answer, Names, Origin};

/// A new authority in PEM.
pub(crate) fn authority() -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

/// Starts a server with a certificate for `name`. Returns its port and its authority in PEM.
pub(crate) async fn server(name: &str, answer: String) -> (u16, Arc<[u8]>) {
    answering(name, move |_| answer.clone()).await
}

/// The same with an answer to the head of each request.
async fn answering(
    name: &str,
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (u16, Arc<[u8]>) {
    answering_as(identity(name), answer).await
}

/// The same with these settings and this authority.
async fn answering_as(
    (config, root): (Arc<ServerConfig>, String),
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (u16, Arc<[u8]>) {
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or_default();
            let answer = answer(&String::from_utf8_lossy(&request[..read]));
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, root.into_bytes().into())
}

/// The settings of a server with a certificate for `name`, and its authority in PEM.
fn identity(name: &str) -> (Arc<ServerConfig>, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (settings(&certificate, &key), root.pem())
}

/// The settings of a server with a certificate that signs itself, and that certificate in PEM.
fn own_identity(name: &str, is_ca: IsCa) -> (Arc<ServerConfig>, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).unwrap();
    (settings(&certificate, &key), certificate.pem())
}

fn settings(certificate: &Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    Arc::new(config)
}

fn client() -> Client {
    Client::new(Arc::new(Names(Default::default())))
}

const FEED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>";

#[tokio::test]
async fn a_configured_authority_is_trusted_only_for_its_feed() {
    let (port, ca) = server("inside.test", FEED.to_owned()).await;
    let url = Url::parse(&format!("https://inside.test:{port}/feed")).unwrap();
    let mut client = client();
    assert_eq!(kind(&client.get(&url).await), FailureKind::Tls);
    client.settings.ca = Some(ca);
    let response = client.get(&url).await;
    assert_eq!(response.outcome, FetchOutcome::Modified, "{response:?}");
    let (_, strangers) = server("inside.test", FEED.to_owned()).await;
    client.settings.ca = Some(strangers);
    assert_eq!(kind(&client.get(&url).await), FailureKind::Tls);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_rejected() {
    let (port, ca) = server("other.test", FEED.to_owned()).await;
    let mut client = client();
    client.settings.ca = Some(ca);
    let url = Url::parse(&format!("https://inside.test:{port}/feed")).unwrap();
    assert_eq!(kind(&client.get(&url).await), FailureKind::Tls);
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_unless_it_is_an_authority() {
    for (is_ca, is_trusted) in
        [(IsCa::ExplicitNoCa, true), (IsCa::Ca(BasicConstraints::Unconstrained), false)]
    {
        let identity = own_identity("inside.test", is_ca);
        let (port, ca) = answering_as(identity, |_| FEED.to_owned()).await;
        let mut client = client();
        client.settings.ca = Some(ca);
        let url = Url::parse(&format!("https://inside.test:{port}/feed")).unwrap();
        match client.get(&url).await.outcome {
            FetchOutcome::Modified => assert!(is_trusted),
            FetchOutcome::Failed(failure) => {
                assert!(!is_trusted, "{failure}");
                assert_eq!(failure.kind, FailureKind::Tls);
                assert!(failure.message.contains("certificate of an authority"), "{failure}");
                let help = failure.help.unwrap();
                assert!(help.contains("basicConstraints=CA:FALSE"), "{help}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_rejected() {
    let origin = Origin::start().await;
    let target = origin.url("inside.test", "/feed");
    let answer = format!("HTTP/1.1 301 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let (port, ca) = server("inside.test", answer).await;
    let mut client = client();
    client.settings.ca = Some(ca);
    let url = Url::parse(&format!("https://inside.test:{port}/feed")).unwrap();
    assert_eq!(kind(&client.get(&url).await), FailureKind::InsecureRedirect);
    assert_eq!(origin.count(), 0);
}

#[tokio::test]
async fn a_redirect_from_http_to_https_of_the_same_host_gets_no_credentials() {
    let (port, ca) = answering("inside.test", |request| match request.contains("x-key") {
        true => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned(),
        false => FEED.to_owned(),
    })
    .await;
    let origin = Origin::start().await;
    let target = format!("https://inside.test:{port}/feed");
    origin.route("inside.test", "/feed", [Answer::redirect(301, &target)]);
    let mut client = client();
    client.settings.ca = Some(ca);
    client.settings.headers =
        vec![("x-key".to_owned(), newswire::fetch::Secret("secret".to_owned()))];
    let response = client.get(&origin.url("inside.test", "/feed")).await;
    assert_eq!(origin.last().header("x-key"), Some("secret"));
    assert_eq!(response.outcome, FetchOutcome::Modified, "{response:?}");
    // The server recognises them.
    let direct = client.get(&Url::parse(&target).unwrap()).await;
    assert_eq!(kind(&direct), FailureKind::Forbidden);
}

#[tokio::test]
async fn tls_on_a_port_without_tls_suggests_http() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        });
        let url = Url::parse(&format!("https://inside.test:{port}/feed")).unwrap();
        let outcome = client().get(&url).await.outcome;
        let FetchOutcome::Failed(failure) = outcome else { panic!("{url}") };
        assert_eq!(failure.kind, FailureKind::NoTls, "{answer:?}");
        assert!(failure.help.as_ref().is_some_and(|help| help.contains("http://")), "{failure:?}");
    }
}

/// The protocols that the next client offers, and an empty feed for it if it trusts the certificate.
async fn offered(listener: &TcpListener, config: Arc<ServerConfig>) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.unwrap();
    let protocols = start.client_hello().alpn().into_iter().flatten();
    let offered = protocols.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    if let Ok(mut stream) = start.into_stream(config).await {
        let _ = stream.read(&mut [0; 4096]).await;
        let feed = r#"{"version": "https://jsonfeed.org/version/1", "title": "J", "items": []}"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", feed.len());
        let _ = stream.write_all((head + feed).as_bytes()).await;
        let _ = stream.shutdown().await;
    }
    offered
}

#[tokio::test]
async fn the_authorities_of_the_system_are_trusted_with_the_same_protocols() {
    let (config, authority) = identity("127.0.0.1");
    let (_, other) = identity("127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/feed", listener.local_addr().unwrap());
    let folder = configured(&[]);
    std::fs::write(folder.path().join("right.pem"), &authority).unwrap();
    std::fs::write(folder.path().join("wrong.pem"), &other).unwrap();
    let text = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    let named = text.replace("[fetch]\n", "[fetch]\nca = \"right.pem\"\n");
    std::fs::write(folder.path().join("named.toml"), named).unwrap();
    for (file, system, is_trusted) in [
        ("newswire.toml", "right.pem", true),
        ("newswire.toml", "wrong.pem", false),
        ("newswire.toml", "missing.pem", false),
        ("named.toml", "wrong.pem", true),
        ("named.toml", "missing.pem", true),
    ] {
        let mut probe = std::process::Command::new(env!("CARGO_BIN_EXE_newswire"));
        probe.args(["probe", "--force", "--config", file, &url]).current_dir(folder.path());
        probe.env("SSL_CERT_FILE", folder.path().join(system)).env_remove("SSL_CERT_DIR");
        let probing = tokio::task::spawn_blocking(move || probe.output());
        let offered = offered(&listener, Arc::clone(&config)).await;
        let ended = probing.await.unwrap().unwrap();
        let printed = [ended.stdout, ended.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        assert_eq!(ended.status.success(), is_trusted, "{file}, {system}: {printed}");
        assert_eq!(offered, ["h2", "http/1.1"], "{file}, {system}");
    }
}
