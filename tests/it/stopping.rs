//! A stop signal ends the daemon within seconds, whatever it is doing and whatever its clients do.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;
use newswire::clock::Clock;
use serde_json::Value;

use crate::cli::newswire;
use crate::crash::start;
use crate::service::signal;
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// Number of items of the feed. Archive pages have ten.
const ITEMS: usize = 2_000;
const PAGES: usize = ITEMS / 10;

/// A folder with a database of [`ITEMS`] items, none of them published as a file.
async fn with_many_items() -> (tempfile::TempDir, Origin) {
    let (folder, origin) = (empty_folder(), Origin::any_address().await);
    let names: Vec<(String, String)> =
        (0..ITEMS).map(|n| (format!("n{n}"), format!("Note {n}"))).collect();
    let items: Vec<(&str, &str)> = names.iter().map(|(a, b)| (&**a, &**b)).collect();
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&items))]);
    configure(folder.path(), &origin, "[web]\nlisten = \"off\"\n", "");
    let place = folder.path().to_owned();
    let polled = tokio::task::spawn_blocking(move || newswire(&place, &["poll"])).await.unwrap();
    assert_eq!(polled.code, 0, "{}", polled.err);
    (folder, origin)
}

fn configure(folder: &Path, origin: &Origin, web: &str, output: &str) {
    let feed = origin.url("127.0.0.1", "/feed");
    let text = format!(
        "version = 1\n[fetch]\nallow_networks = [\"127.0.0.0/8\"]\n{web}\
         [dedupe]\nburst_guard = \"off\"\ninitial_items = {ITEMS}\n\
         [[output]]\nid = \"planet\"\nitems = 10\n{output}[[feed]]\nurl = \"{feed}\"\n"
    );
    std::fs::write(folder.join("newswire.toml"), text).unwrap();
}

/// Waits until a condition is true, which a process makes true.
fn wait(what: &str, child: &mut Child, mut holds: impl FnMut() -> bool) {
    let clock = Clock::system();
    while !holds() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before {what}");
        assert!(clock.elapsed() < Duration::from_secs(120), "it never came about that {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Ends the process with SIGTERM. Returns the time that it took.
fn stopped(mut child: Child) -> Duration {
    let clock = Clock::system();
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    clock.elapsed()
}

/// The files of archive pages.
fn pages(folder: &Path) -> BTreeSet<PathBuf> {
    let Ok(files) = std::fs::read_dir(folder.join("www/planet/archive")) else {
        return BTreeSet::new();
    };
    let files = files.map(|file| file.unwrap().path());
    files.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.')).collect()
}

/// The titles on the pages in JSON. Each page has ten.
fn titles(folder: &Path) -> Vec<String> {
    let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let titles_of = |path: PathBuf| {
        let page: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let items = page["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 10, "{}", path.display());
        items.into_iter().map(|item| item["title"].as_str().unwrap().to_owned())
    };
    pages(folder).into_iter().filter(is_json).flat_map(titles_of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_archive_does_not_delay_a_stop_and_is_completed_later() {
    let (folder, origin) = with_many_items().await;
    let folder = folder.path();
    let formats = "directory = \"www\"\nformats = [\"atom\", \"json\"]\n";
    configure(folder, &origin, "[web]\nlisten = \"off\"\n", formats);
    let mut child = start(folder);
    wait("a page is written", &mut child, || !pages(folder).is_empty());
    let time = stopped(child);
    assert!(time <= Duration::from_secs(5), "{time:?}");
    let written = titles(folder);
    assert!(!written.is_empty() && written.len() < ITEMS, "{} items", written.len());
    // Each page is in two formats, each with a compressed copy.
    let mut child = start(folder);
    wait("all pages are written", &mut child, || pages(folder).len() == PAGES * 4);
    stopped(child);
    let written = titles(folder);
    let unique: BTreeSet<&String> = written.iter().collect();
    assert_eq!((written.len(), unique.len()), (ITEMS, ITEMS));
    for number in 1..=PAGES {
        let page = folder.join(format!("www/planet/archive/{number}.atom"));
        assert!(std::fs::read_to_string(page).unwrap().trim_end().ends_with("</feed>"));
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A daemon that serves, with its address.
fn serving(folder: &Path, origin: &Origin) -> (Child, SocketAddr) {
    let address = free_address();
    configure(folder, origin, &format!("[web]\nlisten = \"{address}\"\n"), "");
    let mut child = start(folder);
    wait("it listens", &mut child, || TcpStream::connect(address).is_ok());
    (child, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_head_never_ends_does_not_delay_a_stop() {
    let (folder, origin) = (empty_folder(), Origin::any_address().await);
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let (child, address) = serving(folder.path(), &origin);
    let half = b"GET /planet.atom HTTP/1.1\r\nHost: local";
    let mut first = TcpStream::connect(address).unwrap();
    first.write_all(half).unwrap();
    // The same after a request that was answered, which shows that the server has read it.
    let mut second = TcpStream::connect(address).unwrap();
    second.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    second.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    second.write_all(half).unwrap();
    let time = stopped(child);
    assert!(time <= Duration::from_secs(2), "{time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_no_response_does_not_delay_a_stop_for_long() {
    let (folder, origin) = (empty_folder(), Origin::any_address().await);
    let text = "word ".repeat(20_000);
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", &text)]))]);
    let (mut child, address) = serving(folder.path(), &origin);
    let size = || {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = "GET /planet.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer.len()
    };
    wait("it is published", &mut child, || size() > 10_000);
    // More than the buffers of the kernel take.
    let mut stream = TcpStream::connect(address).unwrap();
    let requests =
        "GET /planet.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat((16 << 20) / size());
    stream.set_nonblocking(true).unwrap();
    let _ = stream.write(requests.as_bytes());
    let time = stopped(child);
    assert!(time <= Duration::from_secs(5), "{time:?}");
}

/// A poll that has stored one feed and waits for another, with the rest of its output. `silent` accepts requests and never
/// answers.
fn waiting_poll(
    folder: &Path,
    origin: &Origin,
    silent: &TcpListener,
) -> (Child, BufReader<ChildStdout>) {
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "Stored")]))]);
    configure(folder, origin, "[web]\nlisten = \"off\"\n", "directory = \"www\"\n");
    let path = folder.join("newswire.toml");
    let slow = format!("[[feed]]\nurl = \"http://{}/slow\"\n", silent.local_addr().unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + &slow).unwrap();
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).args(["poll", "--config", "newswire.toml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(first.contains("1 new"), "{first}");
    (child, out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_ends_after_the_signal_is_reported_and_published() {
    let (folder, origin) = (empty_folder(), Origin::any_address().await);
    let silent = TcpListener::bind("127.0.3.1:0").unwrap();
    let (mut child, mut out) = waiting_poll(folder.path(), &origin, &silent);
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(500));
    let (mut stream, _) = silent.accept().unwrap();
    let body = rss(&[("b", "Late")]);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    // All feeds were polled.
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("1 new, ") && rest.contains("2 feeds polled, 0 failed"), "{rest}");
    let document = std::fs::read_to_string(folder.path().join("www/planet.json")).unwrap();
    assert!(document.contains("\"title\": \"Late\""), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_poll_at_once() {
    let (folder, origin) = (empty_folder(), Origin::any_address().await);
    let silent = TcpListener::bind("127.0.3.1:0").unwrap();
    let (mut child, _out) = waiting_poll(folder.path(), &origin, &silent);
    signal(&child, "INT");
    // It waits three seconds for running polls.
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_is_stopped_reports_and_publishes_what_it_stored() {
    let origin = Origin::any_address().await;
    let silent = TcpListener::bind("127.0.3.1:0").unwrap();
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let folder = empty_folder();
        let (mut child, mut out) = waiting_poll(folder.path(), &origin, &silent);
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let summary = "stopped by a signal before 1 feed, what was stored is published";
        assert!(rest.contains(summary), "{rest}");
        let document = std::fs::read_to_string(folder.path().join("www/planet.json")).unwrap();
        assert!(document.contains("\"title\": \"Stored\""), "{document}");
    }
}

#[test]
fn a_limit_of_the_size_of_files_is_an_error_and_not_the_end_of_the_process() {
    let folder = empty_folder();
    let program = env!("CARGO_BIN_EXE_newswire");
    let config = "version = 1\n[[feed]]\nurl = \"https://feed.invalid/\"\n";
    std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
    let limited = format!("ulimit -f 32; exec '{program}' poll --config newswire.toml");
    let ran = Command::new("sh").current_dir(folder.path()).args(["-c", &limited]).output();
    let ran = ran.unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code().is_some_and(|code| code > 1), "{:?} {err}", ran.status);
    assert!(err.contains("newswire explain "), "{err}");
}
