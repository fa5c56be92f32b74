//! The examples in the documents work: commands run, configs are valid, named files exist.

use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::newswire;
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

const DOCUMENTS: [(&str, &str); 9] = [
    ("README.md", include_str!("../../README.md")),
    ("docs/operation.md", include_str!("../../docs/operation.md")),
    ("docs/service.md", include_str!("../../docs/service.md")),
    ("docs/reverse-proxy.md", include_str!("../../docs/reverse-proxy.md")),
    ("docs/monitoring.md", include_str!("../../docs/monitoring.md")),
    ("docs/reference/config.md", include_str!("../../docs/reference/config.md")),
    ("docs/reference/stability.md", include_str!("../../docs/reference/stability.md")),
    ("docs/feeds.md", include_str!("../../docs/feeds.md")),
    ("docs/codes.md", include_str!("../../docs/codes.md")),
];

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The lines of indented blocks, without their comments.
fn lines(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        if let Some(line) = line.strip_prefix("    ").filter(|_| !fenced) {
            lines.push(line.split(" #").next().unwrap_or(line).trim().to_owned());
        }
    }
    lines
}

/// The fenced blocks of a language.
fn fenced<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let parts = text.split("\n```").skip(1).step_by(2);
    parts.filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// The text between backticks outside of code blocks.
fn quoted(text: &str) -> Vec<&str> {
    let paragraphs = text.split("\n\n").filter(|part| !part.starts_with("    "));
    let paragraphs = paragraphs.filter(|part| !part.starts_with("```"));
    paragraphs.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// A folder with all files that the documents name, and a server with a feed.
struct Scratch {
    folder: TempDir,
    feed: String,
    _origin: Origin,
}

impl Scratch {
    async fn new() -> Self {
        let origin = Origin::start().await;
        let body = rss(&[("a", "Apple"), ("b", "Beech")]);
        origin.route("127.0.0.1", "/feed", [Answer::ok(body)]);
        let feed = origin.url("127.0.0.1", "/feed").to_string();
        let folder = empty_folder();
        origin.route("127.0.0.1", "/second", [Answer::ok(rss(&[("c", "Cedar")]))]);
        let list = format!("{} tag\n", origin.url("127.0.0.1", "/second"));
        std::fs::write(folder.path().join("FILE"), list).unwrap();
        Self { folder, feed, _origin: origin }
    }

    /// Changes the config that `init` wrote: this machine is allowed, no web server.
    fn opened(&self) {
        let path = self.folder.path().join("newswire.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text
            .replace("# allow_networks = []", "allow_networks = [\"127.0.0.1\"]")
            .replace("# listen = \"127.0.0.1:8420\"", "listen = \"off\"");
        std::fs::write(self.folder.path().join("NEW.toml"), &text).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Replaces the placeholders of the documents.
    fn filled_in(&self, line: &str) -> String {
        let mut pages = ["https://site.test/a", "https://site.test/b"].into_iter();
        let of_item = ["why URL", "split", "join"].iter().any(|word| line.contains(word));
        let word = |word: &str| match word {
            "URL" if of_item => pages.next().unwrap_or("https://site.test/a").to_owned(),
            "URL" | "https://blog.rust-lang.org/" => self.feed.clone(),
            "FEED" => "127.0.0.1-feed".to_owned(),
            "/etc/newswire/newswire.toml" => "newswire.toml".to_owned(),
            word if word.ends_with("newswire-DATE.db") => "copy.db".to_owned(),
            word => word.to_owned(),
        };
        words(line).into_iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// Makes all requests an hour older, because commands keep five minutes between two requests.
    fn wait_an_hour(&self) {
        let database = self.folder.path().join("newswire.db");
        if database.exists() {
            let database = Connection::open(database).unwrap();
            // The database may be that of a fresh config.
            let _ = database.execute("UPDATE asked SET at = at - 3600000", []);
        }
    }

    /// Runs a line as a shell does, with the built `newswire`.
    fn shell(&self, line: &str) {
        self.wait_an_hour();
        let binary = Path::new(env!("CARGO_BIN_EXE_newswire"));
        let path = format!("{}:{}", binary.parent().unwrap().display(), env!("PATH"));
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.folder.path()).env("PATH", path);
        command.env("HOME", self.folder.path()).env_remove("XDG_CONFIG_HOME");
        let output = command.output().unwrap();
        let (out, err) = (&output.stdout, &output.stderr);
        let said = format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        // The exit codes of `health` are not a failure of the command.
        let code = output.status.code().unwrap_or(-1);
        let fine = if line == "newswire health" { 0..=2 } else { 0..=0 };
        assert!(fine.contains(&code), "{line}: {code}\n{said}");
    }

    /// Runs a command that does not end by itself.
    fn daemon(&self, line: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_newswire"));
        command.args(&words(line)[1..]).current_dir(self.folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut lines = std::io::BufRead::lines(log).map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("\"event\":\"output_published\"")
                && line.contains("\"items\":2")),
            "{line}"
        );
        let stop = format!("kill -s TERM {}", child.id());
        assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
        lines.for_each(drop);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_documents_runs() {
    let scratch = Scratch::new().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    scratch.shell("newswire init");
    scratch.opened();
    let mut ran = 0;
    for (name, text) in DOCUMENTS {
        for line in lines(text) {
            let line = line.strip_prefix("*/10 * * * *").unwrap_or(&line).trim();
            let line = line.replace(" --spread 8m", "");
            match words(&line).as_slice() {
                ["newswire", "run", ..] => scratch.daemon(&line),
                ["newswire", "demo"] => {}
                ["newswire", "restore", ..] => {
                    scratch.shell("newswire backup copy.db");
                    scratch.shell(&scratch.filled_in(&line));
                }
                ["newswire", ..] => scratch.shell(&scratch.filled_in(&line)),
                ["install", .., from, _] => {
                    let made = ["target/release/newswire", "newswire.toml"].contains(from);
                    assert!(made || root.join(from).exists(), "{name}: {from} is not there");
                }
                // tests/packaging builds, installs and starts what these make.
                [script] if script.starts_with("packaging/") => {
                    assert!(root.join(script).exists(), "{name}: {script} is not there");
                }
                ["podman", "build", .., "-f", file, "-t", _, "."] => {
                    assert!(root.join(file).exists(), "{name}: {file} is not there");
                }
                ["cargo", "install" | "run" | "test", ..]
                | ["apt", "install", ..]
                | ["echo", "newswire", ..]
                | ["DEBIAN_FRONTEND=noninteractive", "apt-get", "purge", ..]
                | ["podman", "run", ..]
                | ["systemctl", "daemon-reload" | "enable" | "start" | "stop", ..]
                | ["journalctl", "-u", "newswire", ..]
                | ["journalctl", "--update-catalog"]
                | ["curl", "-s", "localhost:8420/metrics"] => {}
                // Search queries and URLs.
                _ if name == "docs/feeds.md" => {}
                _ => panic!("{name}: what is {line:?}?"),
            }
            ran += usize::from(line.starts_with("newswire "));
        }
    }
    assert!(ran >= 20, "only {ran} commands were found");
    // The commands have created their files.
    let status = newswire(scratch.folder.path(), &["status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert!(status["feeds"].as_array().unwrap().iter().any(|feed| feed["items"] == 2), "{status}");
}

#[test]
fn every_config_of_the_documents_is_read() {
    let folder = empty_folder();
    let mut read = 0;
    for (name, text) in DOCUMENTS {
        for block in fenced(text, "toml") {
            std::fs::write(folder.path().join("newswire.toml"), block).unwrap();
            let said = newswire(folder.path(), &["check"]);
            assert_eq!(said.code, 0, "{name}:\n{}", said.out);
            assert!(said.out.contains("0 errors, 0 warnings"), "{name}:\n{}", said.out);
            read += 1;
        }
    }
    assert!(read >= 1);
}

#[test]
fn every_command_and_file_in_running_text_exists() {
    let folder = empty_folder();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for (name, text) in DOCUMENTS {
        for part in quoted(text).into_iter().filter(|part| part.starts_with("newswire ")) {
            let words = words(part);
            let Some(command) = words.get(1).filter(|word| word.starts_with(char::is_lowercase))
            else {
                continue;
            };
            let help = newswire(folder.path(), &[command, "--help"]);
            assert_eq!(help.code, 0, "{name}: there is no `{part}`\n{}", help.err);
            for option in words.iter().filter(|word| word.starts_with("--") && **word != "--help") {
                assert!(help.out.contains(option), "{name}: there is no {option} in `{part}`");
            }
            seen += 1;
        }
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            let folder = root.join(name).parent().unwrap().to_owned();
            assert!(target.contains("://") || folder.join(target).exists(), "{name}: no {target}");
        }
    }
    assert!(seen > 30, "only {seen} were found");
}
