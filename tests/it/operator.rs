//! What an operator meets between two polls: commands one after another, cron without a daemon, files that are left.

use std::fs;
use std::path::Path;

use assert_cmd::cargo::CommandCargoExt as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Finished, configured, local, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

fn ok(folder: &TempDir, arguments: &[&str]) -> Finished {
    let run = newswire(folder.path(), arguments);
    assert_eq!(run.code, 0, "{arguments:?}\n{}{}", run.out, run.err);
    run
}

fn config(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("newswire.toml")).unwrap()
}

/// Replaces a text in the config.
fn change(folder: &TempDir, before: &str, after: &str) {
    let text = config(folder);
    assert!(text.contains(before), "{before}");
    fs::write(folder.path().join("newswire.toml"), text.replace(before, after)).unwrap();
}

/// A folder with a database and no feeds.
fn with_database() -> TempDir {
    let folder = configured(&[]);
    ok(&folder, &["poll"]);
    folder
}

#[test]
fn check_warns_of_feeds_in_files_that_cannot_be_read() {
    let folder = configured(&[]);
    let text = config(&folder);
    fs::write(folder.path().join("newswire.toml"), format!("{text}[[feed]]\nfile = \"x.xml\"\n"))
        .unwrap();
    let check = ok(&folder, &["check"]).out;
    assert!(check.contains("warning[feed_file_unreadable]: cannot read "), "{check}");
    assert!(check.contains("x.xml: No such file") && check.contains("1 warning"), "{check}");
    fs::create_dir(folder.path().join("x.xml")).unwrap();
    let check = ok(&folder, &["check"]).out;
    assert!(check.contains("not a regular file"), "{check}");
    fs::remove_dir(folder.path().join("x.xml")).unwrap();
    fs::write(folder.path().join("x.xml"), rss(&[("a", "A")])).unwrap();
    assert!(ok(&folder, &["check"]).out.contains("0 warnings"));
}

#[test]
fn init_creates_the_folder_of_the_config() {
    let folder = empty_folder();
    ok(&folder, &["init", "x/y/z.toml"]);
    assert!(folder.path().join("x/y/z.toml").exists());
    ok(&folder, &["check", "--config", "x/y/z.toml"]);
    fs::write(folder.path().join("file"), "").unwrap();
    let run = newswire(folder.path(), &["init", "file/z.toml"]);
    assert_eq!(run.code, 73, "{}", run.err);
    assert!(run.err.contains("file"), "{}", run.err);
}
