//! A config in several files: `newswire.toml` and `conf.d/*.toml` beside it.

use std::path::Path;

use newswire::config::{self, Style};
use tempfile::TempDir;

use super::{HEAD, OUTPUT};
use crate::cli::newswire;
use crate::support::empty_folder;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = empty_folder();
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn feed(n: usize) -> String {
    format!("[[feed]]\nurl = \"https://example.org/{n}\"\n")
}

fn load(folder: &TempDir) -> config::Loaded {
    config::load(&folder.path().join("newswire.toml"))
}

#[test]
fn files_in_conf_d_are_read_like_the_config_in_the_order_of_their_names() {
    let [second, third] = [feed(2), feed(3)];
    let folder = folder(&[
        ("newswire.toml", &format!("{HEAD}{OUTPUT}{}", feed(1))),
        ("conf.d/20-more.toml", &format!("version = 1\n[store]\npath = \"x.db\"\n{third}")),
        ("conf.d/10-feeds.toml", &format!("[schedule]\ninterval = \"3h\"\n{second}")),
        ("conf.d/.10-feeds.toml.swp", "("),
        ("conf.d/.hidden.toml", "("),
        ("conf.d/notes.txt", "("),
    ]);
    let loaded = load(&folder);
    let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.report.draw(Style::Plain)));
    let urls: Vec<_> = config.subscriptions.iter().map(|s| s.feed.url.path()).collect();
    assert_eq!(urls, ["/1", "/2", "/3"]);
    assert_eq!(config.subscriptions[0].schedule.interval.as_secs(), 3 * 60 * 60);
    assert_eq!(config.store.path, folder.path().join("x.db"), "paths count as ever");
    assert_eq!(loaded.database, config.store.path);
    assert!(loaded.report.is_empty(), "{}", loaded.report.draw(Style::Plain));
}

#[test]
fn what_is_said_in_two_files_is_an_error_that_names_both_places() {
    let folder = folder(&[
        (
            "newswire.toml",
            &format!("{HEAD}{OUTPUT}[web]\nlisten = \"off\"\n[log]\nlevel = \"warn\"\n{}", feed(1)),
        ),
        ("conf.d/a.toml", "[web]\nlisten = \"127.0.0.1:1\"\n[[output]]\nid = \"planet\"\n"),
        ("conf.d/b.toml", "[log]\nformat = \"text\"\nlevel = \"info\"\n[[feed]]\nulr = 1\n"),
    ]);
    let said = newswire(folder.path(), &["check"]);
    assert_eq!(said.code, 78, "{}", said.out);
    for part in [
        "error[duplicate_key]: listen is set in two files\n --> conf.d/a.toml:2:1\n",
        "error[duplicate_output]: the output id \"planet\" is used twice\n --> conf.d/a.toml:4:6\n",
        "::: newswire.toml:6:1\n",
        "- first here\n",
        "newswire.toml and 2 files in conf.d: 4 errors, 1 warning\n",
        "error[unknown_key]: unknown key \"ulr\" in [[feed]]\n --> conf.d/b.toml:5:1\n",
    ] {
        assert!(said.out.contains(part), "{part:?} is missing in\n{}", said.out);
    }
    let json = newswire(folder.path(), &["check", "--json"]).out;
    let faults: serde_json::Value = serde_json::from_str(&json).unwrap();
    let files: Vec<_> = faults.as_array().unwrap().iter().map(|f| f["file"].as_str()).collect();
    assert!(files.contains(&Some("conf.d/b.toml")), "{json}");
    let also = |fault: &serde_json::Value| fault["also"]["file"] == "newswire.toml";
    assert!(faults.as_array().unwrap().iter().any(also), "{json}");
}

#[test]
fn errors_of_all_files_are_reported_in_one_run_each_with_its_place() {
    let folder = folder(&[
        ("newswire.toml", &format!("{HEAD}{OUTPUT}[feed]\nurl = 1\n")),
        ("conf.d/a.toml", "ä = 1\n[schedule]\n  intervall = \"1h\"\n"),
        (
            "conf.d/b.toml",
            &format!("{}[schedule]\nhost_spacing = 2s\n[web]\nlisten = \"x\"", feed(1)),
        ),
        ("conf.d/c.toml", ""),
    ]);
    std::fs::write(folder.path().join("conf.d/d.toml"), b"[web]\n# \xff\n").unwrap();
    let report = load(&folder).report;
    let found: Vec<String> = report
        .diagnostics
        .iter()
        .map(|fault| {
            let place = report.location(fault.span.clone().unwrap().start);
            let file = place.path.file_name().unwrap().display();
            format!("{file}:{}:{} {}", place.line, place.column, fault.code)
        })
        .collect();
    let expected = [
        "newswire.toml:5:1 wrong_type",
        "a.toml:3:3 unknown_key",
        "b.toml:4:16 syntax",
        "b.toml:6:10 bad_address",
        "d.toml:2:3 not_utf8",
    ];
    for one in expected {
        assert!(found.iter().any(|found| found == one), "{one}: {found:?}");
    }
}

#[test]
fn add_and_import_write_to_the_main_file_and_know_the_feeds_of_the_others() {
    let folder = folder(&[
        ("newswire.toml", &format!("{HEAD}{OUTPUT}{}", feed(1))),
        ("conf.d/a.toml", &feed(2)),
        ("urls", "https://example.org/2\nhttps://example.org/3\n"),
    ]);
    let said = newswire(folder.path(), &["import", "urls", "--append"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "feeds added to newswire.toml: 1\nno daemon is running; the next start applies it\n"),
        "{}",
        said.err
    );
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(text("newswire.toml").ends_with(&feed(3)) && text("conf.d/a.toml") == feed(2));
    // A fault in another file keeps the main one from being touched.
    std::fs::write(folder.path().join("conf.d/b.toml"), "[schedule]\nper_host = 0\n").unwrap();
    let before = text("newswire.toml");
    std::fs::write(folder.path().join("urls"), "https://example.org/4\n").unwrap();
    let said = newswire(folder.path(), &["import", "urls", "--append"]);
    assert!(said.code == 78 && said.err.contains("conf.d/b.toml:2:12"), "{}", said.err);
    assert_eq!(text("newswire.toml"), before);
}

#[test]
fn a_file_in_place_of_the_folder_is_an_error() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("newswire.toml"), HEAD).unwrap();
    std::fs::write(folder.path().join("conf.d"), "").unwrap();
    let report = config::load(Path::new(&folder.path().join("newswire.toml"))).report;
    assert_eq!(report.diagnostics.iter().filter(|fault| fault.code == "unreadable").count(), 1);
}

#[test]
fn a_variable_of_another_key_is_not_confused_with_keys_of_files() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("newswire.toml"), "version = 1\n[web]\nlisten = \"off\"\n")
        .unwrap();
    let mut command = assert_cmd::Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder.path()).env("NEWSWIRE_WEB_LISTN", "x").args(["check"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let text = text + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("did you mean \"listen\"?"), "{text}");
}
