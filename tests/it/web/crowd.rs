//! Clients who mean no good, or too many of them: everything stays bounded, and readers get in.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use newswire::render::Format;

use super::site::{Answer, Site, put, run};

/// Says so much, and then nothing more.
async fn mute(site: &Site, says: &str) -> TcpStream {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(says.as_bytes()).await.unwrap();
    stream
}

/// What comes back for these bytes, until the server has had enough.
async fn told(site: &Site, says: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    // The server may hang up in the midst of it.
    let _ = stream.write_all(says).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[test]
fn who_asks_for_nothing_gives_his_place_to_a_reader() {
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
fn a_crowd_cuts_no_answer_short() {
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
fn a_head_that_is_too_large_is_refused_before_it_is_read() {
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
        assert_eq!(site.get("/all.atom", &[]).await.status, 200);
    });
}

#[test]
fn a_part_is_not_served_however_many_are_asked_for() {
    run(async {
        let site = Site::open().await;
        let whole = site.get("/all.atom", &[]).await;
        let ranges = format!("Range: bytes={}", "0-,".repeat(4_000));
        let answer = site.get("/all.atom", &[&ranges]).await;
        assert_eq!((answer.status, answer.body.len()), (200, whole.body.len()));
    });
}

#[test]
fn a_thousand_requests_in_one_breath_are_answered_one_by_one() {
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
