//! Hostile clients and many clients: resources stay bounded, and others are still answered.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use newswire::render::Format;

use super::site::{Answer, Site, put, run};

/// A connection that sends this text and then nothing.
async fn mute(site: &Site, says: &str) -> TcpStream {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(says.as_bytes()).await.unwrap();
    stream
}

/// The response to these bytes, until the server closes the connection.
async fn told(site: &Site, says: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    // The server may close the connection before all is sent.
    let _ = stream.write_all(says).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[test]
fn idle_connections_give_their_slot_to_waiting_clients() {
    run(async {
        let site = Site::open().await;
        let half = "GET /all.atom HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
        for says in ["", half, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
            let mut crowd = Vec::new();
            for _ in 0..130 {
                crowd.push(mute(&site, says).await);
            }
            for _ in 0..3 {
                assert_eq!(site.get("/all.atom", &[]).await.status, 200, "{says:?}");
            }
        }
    });
}

#[test]
fn many_clients_cut_no_response_short() {
    run(async {
        let site = Site::open().await;
        let size = 8 << 20;
        put(&site.served, &[(Format::Atom, vec![b'x'; size])]);
        let ask = "GET /all.atom HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut reader = mute(&site, ask).await;
        let mut answer = vec![0; 1024];
        reader.read_exact(&mut answer).await.unwrap();
        let mut crowd = Vec::new();
        for _ in 0..130 {
            crowd.push(mute(&site, "").await);
        }
        assert_eq!(site.get("/healthz", &[]).await.status, 200, "somebody had to go");
        reader.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Answer::read(&answer).body.len(), size);
    });
}

#[test]
fn a_request_head_that_is_too_large_is_rejected() {
    run(async {
        let site = Site::open().await;
        let tags = "\"0123456789abcdef\",".repeat(100_000);
        for field in [format!("X: {}", "x".repeat(1 << 20)), format!("If-None-Match: {tags}")] {
            let head = format!("GET /all.atom HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n");
            let answer = told(&site, head.as_bytes()).await;
            let refused = answer.is_empty() || answer.starts_with(b"HTTP/1.1 431");
            assert!(refused, "{}", String::from_utf8_lossy(&answer[..answer.len().min(99)]));
        }
        let fields = "A: b\r\n".repeat(1_000);
        let many = format!("GET /all.atom HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
        assert!(told(&site, many.as_bytes()).await.starts_with(b"HTTP/1.1 431"));
        let search = format!("/all/?q={}", "%E6%96%87".repeat(3_000));
        assert_eq!(site.get(&search, &[]).await.status, 414);
        assert_eq!(site.get("/all.atom", &[]).await.status, 200);
    });
}

#[test]
fn range_requests_get_the_whole_document() {
    run(async {
        let site = Site::open().await;
        let whole = site.get("/all.atom", &[]).await;
        let ranges = format!("Range: bytes={}", "0-,".repeat(4_000));
        let answer = site.get("/all.atom", &[&ranges]).await;
        assert_eq!((answer.status, answer.body.len()), (200, whole.body.len()));
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    run(async {
        let site = Site::open().await;
        let one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        let (mut reads, mut writes) = stream.split();
        let all = format!("{}{last}", one.repeat(1_000));
        let mut answer = String::new();
        let (written, read) =
            tokio::join!(writes.write_all(all.as_bytes()), reads.read_to_string(&mut answer));
        assert!(written.is_ok() && read.is_ok());
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 1_001);
    });
}
