//! A server with one output, and its responses.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use newswire::model::OutputItem;
use newswire::outputs::{Served, ServedOutput};
use newswire::render::{Document, Format, Output, render};
use newswire::web;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::outputs::sample::{at, entries, output};

pub(super) const MODIFIED: &str = "2025-11-20T09:30:00.5Z";
pub(super) const DATE: &str = "Thu, 20 Nov 2025 09:30:00 GMT";

/// A server with one output.
pub(crate) struct Site {
    pub(super) address: SocketAddr,
    pub(super) served: Arc<Served>,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) server: JoinHandle<std::io::Result<()>>,
}

impl Site {
    /// A site with the sample output.
    pub(super) async fn open() -> Self {
        let served = Arc::new(Served::new());
        let public_url = Some(output().base_url);
        let settings = web::Settings { public_url, ..web::Settings::default() };
        let site = Self::serving(web::Site::new(Arc::clone(&served), settings), served).await;
        let rendered = |format: &Format| (*format, render(&output(), *format, &entries()));
        put(&site.served, &Format::ALL.iter().map(rendered).collect::<Vec<_>>());
        site
    }

    /// A site with these outputs.
    pub(crate) async fn before(served: Arc<Served>) -> Self {
        let site = web::Site::new(Arc::clone(&served), web::Settings::default());
        Self::serving(site, served).await
    }

    /// Serves a site.
    pub(crate) async fn serving(site: web::Site, served: Arc<Served>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = async { drop(stopped.await) };
        let listener = web::Listener::Tcp(listener.into_std().unwrap());
        let server = tokio::spawn(web::serve(listener, Arc::new(site), ended));
        Self { address, served, stop, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        // The address in the documents of a server without `public_url`.
        ask(self.address, "127.0.0.1:8420", method, path, headers).await
    }

    /// Requests a path with another host name.
    pub(super) async fn of_host(&self, host: &str, path: &str) -> Answer {
        ask(self.address, host, "GET", path, &[]).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.ask("GET", path, headers).await
    }
}

/// The response of the server at `address`.
pub(crate) async fn ask(
    address: SocketAddr,
    host: &str,
    method: &str,
    path: &str,
    headers: &[&str],
) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::read(&bytes)
}

pub(super) fn put(served: &Served, documents: &[(Format, Vec<u8>)]) {
    let prepare = |(format, body): &(Format, Vec<u8>)| {
        let max_age = Duration::from_secs(300);
        let document = Document::prepare(*format, body.clone(), at(MODIFIED), max_age);
        (*format, Arc::new(document.at(&output().self_url(*format))))
    };
    served.put(ServedOutput::new(
        &output(),
        entries().len(),
        documents.iter().map(prepare).collect(),
    ));
}

/// Serves an output with these entries in every format.
pub(super) fn put_output(served: &Served, output: &Output, entries: &[OutputItem]) {
    let prepare = |format: &Format| {
        let (body, max_age) = (render(output, *format, entries), Duration::from_secs(300));
        let document = Document::prepare(*format, body, at(MODIFIED), max_age);
        (*format, Arc::new(document.at(&output.self_url(*format))))
    };
    let documents = Format::ALL.iter().map(prepare).collect();
    served.put(ServedOutput::new(output, entries.len(), documents));
}

/// A response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an end of the headers");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head[9..12].parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// Runs a test with real sockets and real time, within a time limit.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(300), test).await };
    runtime.block_on(limited).expect("the test hangs");
}
