//! First steps: init, add and run publish a valid merged feed without editing a file.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;
use jiff::Timestamp;
use newswire::clock::Clock;
use newswire::model::{Incident, IncidentKind};
use newswire::parse::{self, Input};
use newswire::store::{self, Reader, Write};

use crate::cli::{local, newswire};
use crate::support::client::{Client, body};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A site with a page that links to its feed.
async fn site() -> Origin {
    let origin = Origin::start().await;
    let page =
        "<html><head><link rel='alternate' type='application/rss+xml' href='/feed'/></head></html>";
    origin.route("127.0.0.1", "/", [Answer::ok(page)]);
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "Apple"), ("b", "Beech")]))]);
    origin
}

/// Sets another port than the default, which another test may use.
fn on_a_free_port(folder: &Path) -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let path = folder.join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let usual = "# listen = \"127.0.0.1:8420\"";
    assert!(text.contains(usual));
    std::fs::write(&path, text.replace(usual, &format!("listen = \"{free}\""))).unwrap();
    free.to_string()
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `newswire run` after its first publication.
fn run(folder: &Path) -> Running {
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).env_clear().arg("run");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let log = BufReader::new(running.0.stderr.take().unwrap());
    let mut seen = String::new();
    let mut lines = log.lines().map_while(Result::ok);
    let published = lines.any(|line| {
        seen.push_str(&line);
        line.contains("\"event\":\"output_published\"") && line.contains("\"items\":2")
    });
    assert!(published, "{seen}");
    // The rest is read so that the pipe never fills.
    std::thread::spawn(move || lines.for_each(drop));
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn init_add_and_run_publish_a_merged_feed_within_a_minute() {
    let origin = site().await;
    let folder = empty_folder();
    let clock = Clock::system();
    let began = clock.elapsed();
    let init = newswire(folder.path(), &["init"]);
    assert_eq!((init.code, init.err.as_str()), (0, ""));
    let port = on_a_free_port(folder.path());
    // The page of the site is enough. Its address is private and has to be allowed.
    let page = origin.url("127.0.0.1", "/").to_string();
    let add = newswire(folder.path(), &["add", &page, "--allow-network", "127.0.0.1/32"]);
    assert_eq!(add.code, 0, "{}", add.err);
    assert!(add.out.contains("Apple") && add.out.contains("added to newswire.toml"), "{}", add.out);
    let _running = run(folder.path());
    let url = format!("http://{port}/planet.atom").parse().unwrap();
    let answer = Client::new(origin.resolver()).get(&url).await;
    let took = clock.elapsed() - began;
    let input = Input { bytes: body(&answer), content_type: None, url: &url, max_items: 10 };
    let parsed = parse::parse(input).unwrap();
    assert!(parsed.parse_warnings.is_empty(), "{:?}", parsed.parse_warnings);
    let titles = parsed.feed.items.iter().map(|item| item.title.as_ref().unwrap().value.as_str());
    assert_eq!(titles.collect::<Vec<_>>(), ["Apple", "Beech"]);
    assert!(took < Duration::from_secs(60), "it took {took:?}");
}

/// `newswire run` with these arguments after its first publication, and what it printed on standard output.
fn run_until_published(folder: &Path, arguments: &[&str]) -> (Running, String) {
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).env_clear().env("HOME", folder).arg("run").args(arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let log = BufReader::new(running.0.stderr.take().unwrap());
    let mut lines = log.lines().map_while(Result::ok);
    let mut seen = String::new();
    let published = lines.any(|line| {
        seen.push_str(&line);
        line.contains("\"event\":\"output_published\"")
    });
    assert!(published, "{seen}");
    std::thread::spawn(move || lines.for_each(drop));
    running.0.kill().unwrap();
    let mut printed = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    (running, printed)
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn run_without_a_config_creates_one_with_the_sample_feeds() {
    let folder = empty_folder();
    let address = free_address();
    let (_first, printed) = run_until_published(folder.path(), &["--listen", &address]);
    assert!(printed.contains("wrote newswire.toml with 6 sample feeds"), "{printed}");
    assert!(printed.contains(&format!("look       http://{address}/\n")), "{printed}");
    assert!(printed.contains(&format!("subscribe  http://{address}/planet.atom\n")), "{printed}");
    let check = newswire(folder.path(), &["check"]);
    assert_eq!(check.code, 0, "{}", check.out);
    let text = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    // The second start uses what is there.
    let status = newswire(folder.path(), &["status", "--json"]);
    assert!(status.out.contains("garden"), "{}", status.out);
    let mut again = Command::cargo_bin("newswire").unwrap();
    again.current_dir(folder.path()).env_clear().args(["run", "--listen", &address]);
    let child = again.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let log = BufReader::new(running.0.stderr.take().unwrap());
    let started = log.lines().map_while(Result::ok);
    assert!(started.into_iter().any(|line| line.contains("\"event\":\"started\"")));
    running.0.kill().unwrap();
    let mut printed = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "", "standard output is no terminal and nothing was created");
    assert_eq!(std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap(), text);
    // The samples are removed, and what serves them has no effect then.
    let removed = newswire(folder.path(), &["remove", "--samples"]);
    assert!(removed.out.starts_with("removed http://"), "{}{}", removed.out, removed.err);
    assert_eq!(newswire(folder.path(), &["list", "--ids"]).out, "");
    // What permitted their network is removed with them, and so is their comment.
    let left = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    let example = include_str!("../../config.example.toml");
    let differ = |(left, line): &(&str, &str)| left != line && !line.starts_with("# samples = ");
    assert_eq!(left.lines().zip(example.lines()).find(differ), None);
    assert_eq!(left.lines().count(), example.lines().count());
    let added = newswire(folder.path(), &["add", &format!("http://{address}/feed")]);
    assert!(added.err.contains("blocked_address"), "{}", added.err);
    let removed = newswire(folder.path(), &["remove", "--samples"]);
    assert_eq!(removed.out, "the config has no sample feeds\n");
    assert_eq!(newswire(folder.path(), &["check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_with_a_url_creates_the_config_and_does_not_advise_to_start() {
    let origin = site().await;
    let folder = empty_folder();
    let feed = origin.url("127.0.0.1", "/feed").to_string();
    let arguments = ["--allow-network", "127.0.0.1", "--listen", &free_address(), &feed];
    let (_running, printed) = run_until_published(folder.path(), &arguments);
    assert!(printed.contains("added to newswire.toml: a new file\n"), "{printed}");
    assert!(!printed.contains("newswire run"), "{printed}");
    assert_eq!(newswire(folder.path(), &["list", "--ids"]).out, "127.0.0.1-feed\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_adds_the_feeds_that_are_named() {
    let origin = site().await;
    let folder = empty_folder();
    let config =
        "version = 1\n[fetch]\nallow_networks = [\"127.0.0.1\"]\n[[output]]\nid = \"planet\"\n";
    std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
    let page = origin.url("127.0.0.1", "/").to_string();
    let arguments = [page.as_str(), "--listen", &free_address()];
    let (_running, printed) = run_until_published(folder.path(), &arguments);
    assert!(printed.contains("added to newswire.toml\n"), "{printed}");
    let text = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    let feed = origin.url("127.0.0.1", "/feed").to_string();
    assert!(text.starts_with(config) && text.contains(&format!("url = \"{feed}\"")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn add_creates_a_config_when_there_is_none() {
    let origin = site().await;
    let folder = empty_folder();
    let url = origin.url("127.0.0.1", "/feed").to_string();
    // A feed that cannot be fetched changes nothing.
    let refused = newswire(folder.path(), &["add", &url]);
    assert_eq!(refused.code, 69);
    let help = format!("newswire add --allow-network 127.0.0.1 {url}");
    assert!(refused.err.contains(&help), "{}", refused.err);
    assert!(!folder.path().join("newswire.toml").exists());
    let add = newswire(folder.path(), &["add", &url, "--allow-network", "127.0.0.1/32"]);
    assert_eq!(add.code, 0, "{}", add.err);
    assert!(
        add.out.contains("newswire.toml: a new file; 'newswire run' starts the daemon"),
        "{}",
        add.out
    );
    let text = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    assert!(text.ends_with("allow_networks = [\"127.0.0.1/32\"]\n"), "{text}");
    assert_eq!(newswire(folder.path(), &["check"]).code, 0);
    // A config that is named must exist.
    let slip = newswire(folder.path(), &["add", &url, "--config", "other.toml"]);
    assert_eq!(slip.code, 66);
}

#[test]
fn a_pass_without_feeds_prints_the_next_step() {
    let folder = empty_folder();
    newswire(folder.path(), &["init"]);
    let poll = newswire(folder.path(), &["poll"]);
    assert_eq!(poll.code, 0);
    assert!(poll.err.contains("no feeds") && poll.err.contains("newswire add URL"), "{}", poll.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_has_the_exit_codes_of_monitoring_plugins() {
    let origin = site().await;
    origin.route("127.0.0.1", "/broken", [Answer::status(500)]);
    let good = origin.url("127.0.0.1", "/feed").to_string();
    let bad = origin.url("127.0.0.1", "/broken").to_string();
    for (feeds, exit, line) in [
        (vec![good.clone()], 0, "NEWSWIRE OK: 1 of 1 feeds ok, 0 failing\n"),
        (
            vec![good, bad.clone()],
            1,
            "NEWSWIRE WARNING: 1 of 2 feeds ok, 1 failing; 127.0.0.1-broken needs attention\n",
        ),
        (vec![bad], 2, "NEWSWIRE CRITICAL: 0 of 1 feeds ok, 1 failing\n"),
    ] {
        let folder = crate::cli::configured(&feeds);
        let early = newswire(folder.path(), &["status", "--check"]);
        assert_eq!(early.code, 2);
        assert!(early.out.contains("CRITICAL: there is no database"), "{}", early.out);
        newswire(folder.path(), &["poll"]);
        let run = newswire(folder.path(), &["status", "--check"]);
        assert_eq!(run.code, exit, "{}", run.out);
        assert!(run.out.starts_with(line), "{}", run.out);
        assert_eq!(newswire(folder.path(), &["status"]).code, exit);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_fails_is_in_the_status_until_one_works() {
    let origin = Origin::start().await;
    let folder = crate::cli::configured(&[local(&origin, "/feed")]);
    // A folder in the place of a document.
    let taken = folder.path().join("www/planet.atom");
    std::fs::create_dir_all(&taken).unwrap();
    let check = || newswire(folder.path(), &["status", "--check"]);
    for _ in 0..2 {
        assert_eq!(newswire(folder.path(), &["poll"]).code, 73);
        let line = check();
        assert!(line.code == 1 && line.out.contains("WARNING: 1 of 1 feeds ok"), "{}", line.out);
        assert!(
            line.out.contains("planet.atom") && line.out.contains("(output_unwritable)"),
            "{}",
            line.out
        );
    }
    let status = newswire(folder.path(), &["status"]);
    assert!(
        status.code == 1 && status.out.contains("(output_unwritable)\n  check"),
        "{}",
        status.out
    );
    assert!(!newswire(folder.path(), &["status", "--failing"]).out.contains("no feed needs"));
    std::fs::remove_dir(&taken).unwrap();
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    assert_eq!(check().code, 0);
    assert_eq!(newswire(folder.path(), &["status"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_ends_only_incidents_that_it_proves_to_be_over() {
    let origin = Origin::start().await;
    let folder = crate::cli::configured(&[local(&origin, "/feed")]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let database = folder.path().join("newswire.db");
    let incident = |kind: IncidentKind, subject: &str, state: &str| Incident {
        kind,
        subject: subject.to_owned(),
        name: "newswire".to_owned(),
        state: state.to_owned(),
        text: "A test.".to_owned(),
        remedy: String::new(),
        toml: None,
        since: Timestamp::UNIX_EPOCH,
        opened_at: Timestamp::UNIX_EPOCH,
        changed_at: Timestamp::UNIX_EPOCH,
        resolved_at: None,
    };
    // As a daemon recorded them.
    let before = vec![
        incident(IncidentKind::Damage, "", "store_damaged"),
        incident(IncidentKind::Rejected, "planet", "rejected"),
        incident(IncidentKind::Rejected, "other", "rejected"),
    ];
    store::transact(&database, |transaction| transaction.apply(&Write::Incidents(before.clone())))
        .unwrap()
        .unwrap();
    let open = || {
        let incidents = Reader::open(&database).unwrap().read(|reader| reader.incidents(0));
        let states = incidents.unwrap().into_iter().map(|it| (it.state, it.subject));
        states.collect::<BTreeSet<_>>()
    };
    let mut expected: BTreeSet<_> =
        before.iter().map(|it| (it.state.clone(), it.subject.clone())).collect();
    assert_eq!(open(), expected);
    let document = folder.path().join("www/planet.atom");
    std::fs::remove_file(&document).unwrap();
    std::fs::create_dir(&document).unwrap();
    assert_eq!(newswire(folder.path(), &["poll"]).code, 73);
    expected.insert(("output_unwritable".to_owned(), String::new()));
    assert_eq!(open(), expected);
    std::fs::remove_dir(&document).unwrap();
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    assert_eq!(open(), BTreeSet::new());
}

/// All files in the folder with their content.
fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        // The requests of a dry run are recorded.
        .filter(|path| !path.to_string_lossy().contains("newswire.db"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_result_of_a_poll_and_writes_nothing() {
    let origin = Origin::start().await;
    let feed = |items: &[(&str, &str)]| Answer::ok(rss(items));
    let answers = [
        feed(&[("a", "Apple"), ("b", "Beech")]),
        feed(&[("c", "Cedar"), ("d", "Sponsored"), ("a", "Apple"), ("b", "Birch")]),
    ];
    origin.route("127.0.0.1", "/feed", answers);
    let folder = crate::cli::configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let output = "directory = \"www\"\nexclude = { title = \"Sponsored\" }\n";
    std::fs::write(&path, text.replace("directory = \"www\"\n", output)).unwrap();
    newswire(folder.path(), &["poll"]);
    let before = everything(folder.path());
    let run = newswire(folder.path(), &["poll", "--all", "--dry-run", "--force"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for part in [
        "127.0.0.1-feed: 2 new, 1 changed\n",
        "  + 4 \"Cedar\" (127.0.0.1-feed)\n",
        "  - 3 \"Sponsored\" (127.0.0.1-feed), output planet: not shown: the output filters it by exclude = { title = \"Sponsored\" }\n",
        "nothing was stored or published\n",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing in\n{}", run.out);
    }
    assert!(before == everything(folder.path()), "something was written");
    let status = newswire(folder.path(), &["status"]);
    assert!(status.out.contains("2 items"), "{}", status.out);
    // Without a database every item is new, and none is created.
    let fresh = crate::cli::configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let run = newswire(fresh.path(), &["poll", "--dry-run"]);
    assert!(run.out.contains(": 4 new, 0 changed"), "{}", run.out);
    assert!(!fresh.path().join("newswire.db").exists());
}

#[test]
fn the_verbose_version_lists_the_parts_of_the_binary() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["--version", "--verbose"]);
    assert_eq!(run.code, 0);
    for part in ["newswire ", "commit ", "SQLite   3.", "feed-rs  3.", "schema "] {
        assert!(run.out.contains(part), "{part} is missing in\n{}", run.out);
    }
}

#[test]
fn the_program_writes_its_manual_and_completions() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["man", "pages"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for page in [
        "man1/newswire.1",
        "man1/newswire-run.1",
        "man5/newswire.toml.5",
        "man7/newswire-feeds.7",
        "man7/newswire-codes.7",
    ] {
        let text = std::fs::read_to_string(folder.path().join("pages").join(page)).unwrap();
        assert!(text.contains(".TH ") && text.contains(".SH NAME"), "{page}: {text}");
    }
    assert!(newswire(folder.path(), &["man"]).out.contains("EXIT STATUS"));
    let script = newswire(folder.path(), &["completions", "bash"]).out;
    std::fs::write(folder.path().join("newswire.bash"), &script).unwrap();
    let read = Command::new("bash").arg("-n").arg(folder.path().join("newswire.bash")).status();
    // Skipped on a machine without bash.
    assert!(read.is_err() || read.is_ok_and(|status| status.success()));
    assert!(script.contains("--dry-run"), "{script}");
}
