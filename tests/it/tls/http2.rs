//! HTTP/2: streams and connections that the server ends. One poll sends one request.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use newswire::model::{FailureKind, FetchOutcome};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use url::Url;

use super::identity;
use crate::support::client::{Client, body, kind};
use crate::support::origin::Names;

// Types and flags of frames. RFC 9113 6
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200`, indexed. RFC 7541 A
const STATUS_200: &[u8] = b"\x88";
/// The same, then `content-length: 9999`, literal with an indexed name.
const STATUS_200_LENGTH_9999: &[u8] = b"\x88\x0f\x0d\x049999";

/// The only stream: that of the first request of a client.
const STREAM: u32 = 1;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn reset(code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, STREAM, &code.to_be_bytes())
}

/// The connection ends; no request was processed.
fn go_away(code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0_u32.to_be_bytes(), code.to_be_bytes()].concat())
}

/// Answers each request with these frames, and counts the requests.
async fn serve(
    mut stream: TlsStream<TcpStream>,
    answer: &[u8],
    requests: &AtomicUsize,
) -> io::Result<()> {
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    loop {
        stream.flush().await?;
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; usize::try_from(length).unwrap()]).await?;
        match (head[3], head[4]) {
            (SETTINGS, flags) if flags & ACK == 0 => {
                stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await?;
            }
            (HEADERS, _) => {
                requests.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer).await?;
            }
            _ => {}
        }
    }
}

/// A client that trusts a new server with these answers, the URL of the server, and the number of its requests.
async fn http2(answer: Vec<u8>) -> (Client, Url, Arc<AtomicUsize>) {
    let (config, root) = identity("inside.test");
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (answer, requests) = (Arc::new(answer), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
            // It ends with the connection.
            tokio::spawn(async move { serve(stream, &answer, &counted).await });
        }
    });
    let mut client = Client::new(Arc::new(Names(Default::default())));
    client.settings.ca = Some(root.into_bytes().into());
    let url = Url::parse(&format!("https://inside.test:{port}/feed")).unwrap();
    (client, url, requests)
}

#[tokio::test]
async fn a_request_that_http_2_refuses_is_not_repeated() {
    for (name, answer, expected) in [
        ("REFUSED_STREAM", reset(7), FailureKind::Reset),
        ("GOAWAY", go_away(0), FailureKind::Reset),
        ("INTERNAL_ERROR", reset(2), FailureKind::BadResponse),
        ("HTTP_1_1_REQUIRED", reset(13), FailureKind::BadResponse),
    ] {
        let (client, url, requests) = http2(answer).await;
        let response = client.get(&url).await;
        assert_eq!(kind(&response), expected, "{name}: {response:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{name}");
        let FetchOutcome::Failed(failure) = response.outcome else { unreachable!() };
        let is_named = failure.message.contains("requires HTTP/1.1");
        assert_eq!(is_named, name == "HTTP_1_1_REQUIRED", "{name}: {failure}");
    }
}

#[tokio::test]
async fn a_server_of_http_2_that_asks_for_calm_throttles() {
    // RFC 9113 7: ENHANCE_YOUR_CALM
    for answer in [reset(11), go_away(11)] {
        let (client, url, requests) = http2(answer).await;
        let response = client.get(&url).await;
        assert_eq!((response.outcome, response.status), (FetchOutcome::Throttled, None));
        assert_eq!(requests.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_document_that_http_2_cuts_is_truncated_and_kept() {
    let start = |head: &[u8]| frame(HEADERS, END_HEADERS, STREAM, head);
    let (data, end) = (frame(DATA, 0, STREAM, b"<rss>"), frame(DATA, END_STREAM, STREAM, b""));
    for (name, answer) in [
        ("reset", [start(STATUS_200), data.clone(), reset(2)].concat()),
        (
            "shorter than announced",
            [start(STATUS_200_LENGTH_9999), data.clone(), end.clone()].concat(),
        ),
    ] {
        let (client, url, _) = http2(answer).await;
        let response = client.get(&url).await;
        assert_eq!(kind(&response), FailureKind::Truncated, "{name}: {response:?}");
        assert_eq!((body(&response), response.body_hash), (&b"<rss>"[..], None), "{name}");
    }
    let whole = [start(STATUS_200), data, end].concat();
    let (client, url, _) = http2(whole).await;
    assert_eq!(client.get(&url).await.outcome, FetchOutcome::Modified);
}
