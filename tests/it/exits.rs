//! Every exit code of the README, provoked through the program, with what it says then.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt as _;
use rusqlite::Connection;

use crate::cli::{Said, configured, local, newswire};
use crate::support::origin::Origin;

/// A config with this `[store]` path.
fn stored(folder: &Path, path: &str) {
    let text = format!(
        "version = 1\n[store]\npath = \"{path}\"\n[web]\nlisten = \"off\"\n[fetch]\ncontact = \"x@y.z\"\n"
    );
    std::fs::write(folder.join("newswire.toml"), text).unwrap();
}

fn says(said: &Said, code: i32, parts: &[&str]) {
    assert_eq!(said.code, code, "{}", said.err);
    for part in parts {
        assert!(said.err.contains(part), "{part:?} is missing in {}", said.err);
    }
}

#[test]
fn a_command_that_does_what_it_was_asked_exits_with_0_and_one_that_is_none_with_64() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(newswire(folder.path(), &["init"]).code, 0);
    says(&newswire(folder.path(), &["frobnicate"]), 64, &["frobnicate"]);
}

#[test]
fn a_database_of_a_newer_newswire_exits_with_65_and_names_both_versions() {
    let folder = configured(&[]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    let known: i64 = database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    database.pragma_update(None, "user_version", known + 95).unwrap();
    drop(database);
    for command in ["run", "poll", "status"] {
        let said = newswire(folder.path(), &[command]);
        let (found, known) = (format!("schema {}", known + 95), format!("up to {known}"));
        says(&said, 65, &["newswire.db", &found, &known, "restore"]);
    }
}

#[test]
fn a_database_of_another_program_exits_with_65() {
    let folder = configured(&[]);
    let other = Connection::open(folder.path().join("newswire.db")).unwrap();
    other
        .execute_batch("PRAGMA application_id = 7; CREATE TABLE a (b); CREATE TABLE c (d);")
        .unwrap();
    drop(other);
    says(&newswire(folder.path(), &["run"]), 65, &["another program", "[store] path"]);
}

#[test]
fn no_config_and_no_database_exit_with_66() {
    let folder = tempfile::tempdir().unwrap();
    says(&newswire(folder.path(), &["run"]), 66, &["newswire init"]);
    let folder = configured(&[]);
    says(&newswire(folder.path(), &["status"]), 66, &["newswire run"]);
}

#[test]
fn an_address_that_is_taken_exits_with_69_and_names_the_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text =
        format!("version = 1\n[web]\nlisten = \"{address}\"\n[fetch]\ncontact = \"x@y.z\"\n");
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    says(&newswire(folder.path(), &["run"]), 69, &[&address.to_string(), "[web] listen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_the_gate_refuses_is_a_mistake_in_newswire_and_exits_with_70() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    // What is no IRI goes out as a UUID made from it: here as the other item's id.
    let other = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, b"none").urn().to_string();
    let spoil = "UPDATE item SET outward_id = CASE id WHEN 1 THEN 'none' ELSE ?1 END";
    assert_eq!(database.execute(spoil, [other]).unwrap(), 2);
    database.execute("UPDATE revision SET number = number + 1", []).unwrap();
    drop(database);
    let said = newswire(folder.path(), &["poll"]);
    says(&said, 70, &["was not published", "the last good one stays", "report this"]);
}

#[test]
fn a_folder_that_cannot_be_one_exits_with_73_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a-file"), "").unwrap();
    stored(folder.path(), "a-file/state/newswire.db");
    says(&newswire(folder.path(), &["run"]), 73, &["a-file/state/newswire.db", "folder"]);
    says(&newswire(folder.path(), &["init"]), 73, &["newswire.toml", "exists"]);
}

#[test]
fn a_database_that_is_none_exits_with_74_and_says_so() {
    let folder = configured(&[]);
    std::fs::write(folder.path().join("newswire.db"), "not at all ".repeat(1000)).unwrap();
    let said = newswire(folder.path(), &["run"]);
    says(&said, 74, &["newswire.db", "not a database", "check that it is a newswire database"]);
}

#[test]
fn a_database_in_use_exits_with_75_and_names_the_process() {
    let folder = configured(&[]);
    let lock = std::fs::File::create(folder.path().join("newswire.db.lock")).unwrap();
    std::fs::write(folder.path().join("newswire.db.lock"), "4711\n").unwrap();
    lock.lock().unwrap();
    says(&newswire(folder.path(), &["run"]), 75, &["process 4711", "stop that one first"]);
    drop(lock);
    // What a killed process left behind is no obstacle.
    let said = newswire(folder.path(), &["poll"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_folder_that_belongs_to_somebody_else_exits_with_77_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("state");
    std::fs::create_dir(&inside).unwrap();
    stored(folder.path(), &inside.join("newswire.db").display().to_string());
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // Root may do everything: the program is run as nobody then, from where nobody may read it.
    let program = folder.path().join("newswire");
    let built = Command::cargo_bin("newswire").unwrap().get_program().to_owned();
    std::fs::copy(built, &program).unwrap();
    for (path, mode) in [(folder.path(), 0o755), (&program, 0o755), (&inside, 0o555)] {
        allow(path, mode);
    }
    let mut command = Command::new(&program);
    command.current_dir(folder.path()).env_clear().arg("run");
    if std::fs::write(inside.join("probe"), "").is_ok() {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    allow(&inside, 0o755);
    let said = Said {
        code: output.status.code().unwrap_or(-1),
        out: String::new(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    says(&said, 77, &["state/newswire.db", "let this user write there"]);
}

#[test]
fn a_config_with_errors_exits_with_78() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("newswire.toml"), "version = 1\n[shedule]\n").unwrap();
    says(&newswire(folder.path(), &["run"]), 78, &["newswire.toml:2", "shedule"]);
}
