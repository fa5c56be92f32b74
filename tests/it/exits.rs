//! Every exit code, caused through the program, with its message.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt as _;
use newswire::cli::exit::Exit;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::backup::other_program;
use crate::cli::{Finished, configured, local, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::published_under_another_id;

/// A config with this `[store]` path.
fn stored(folder: &Path, path: &str) {
    let text = format!(
        "version = 1\n[store]\npath = \"{path}\"\n[web]\nlisten = \"off\"\n[fetch]\ncontact = \"x@y.z\"\n"
    );
    std::fs::write(folder.join("newswire.toml"), text).unwrap();
}

fn assert_run(run: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(run.code, code, "{}", run.err);
    for part in parts {
        assert!(run.err.contains(part), "{part:?} is missing in {}", run.err);
    }
}

#[test]
fn success_exits_with_0_and_an_unknown_command_with_64() {
    let folder = empty_folder();
    assert_eq!(newswire(folder.path(), &["init"]).code, 0);
    assert_run(&newswire(folder.path(), &["frobnicate"]), 64, &["frobnicate"]);
}

#[test]
fn a_newer_database_exits_with_65_and_names_both_versions() {
    let folder = configured(&[]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    let known: i64 = database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    database.pragma_update(None, "user_version", known + 95).unwrap();
    drop(database);
    for command in ["run", "poll", "status"] {
        let run = newswire(folder.path(), &[command]);
        let (found, known) = (format!("schema {}", known + 95), format!("up to schema {known}"));
        assert_run(&run, 65, &["newswire.db", &found, &known, "restore"]);
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
    assert_run(&newswire(folder.path(), &["run"]), 65, &["another program", "[store]"]);
}

#[test]
fn no_config_and_no_database_exit_with_66() {
    let folder = empty_folder();
    assert_run(&newswire(folder.path(), &["poll"]), 66, &["newswire init"]);
    let folder = configured(&[]);
    assert_run(&newswire(folder.path(), &["status"]), 66, &["newswire run"]);
}

#[test]
fn an_address_in_use_exits_with_69_and_names_the_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = empty_folder();
    let text =
        format!("version = 1\n[web]\nlisten = \"{address}\"\n[fetch]\ncontact = \"x@y.z\"\n");
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    assert_run(&newswire(folder.path(), &["run"]), 69, &[&address.to_string(), "[web] listen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_fails_its_check_exits_with_70() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let path = folder.path().join("newswire.db");
    published_under_another_id(&path).await;
    let database = Connection::open(path).unwrap();
    database.execute("UPDATE revision SET number = number + 1", []).unwrap();
    drop(database);
    let run = newswire(folder.path(), &["poll"]);
    assert_run(&run, 70, &["was not published", "the previous one stays", "report this"]);
}

#[test]
fn a_folder_that_cannot_be_created_exits_with_73_and_is_named() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("a-file"), "").unwrap();
    stored(folder.path(), "a-file/state/newswire.db");
    assert_run(&newswire(folder.path(), &["run"]), 73, &["a-file/state/newswire.db", "folder"]);
    assert_run(&newswire(folder.path(), &["init"]), 73, &["newswire.toml", "exists"]);
}

#[test]
fn a_damaged_database_exits_with_74() {
    let folder = configured(&[]);
    std::fs::write(folder.path().join("newswire.db"), "not at all ".repeat(1000)).unwrap();
    let run = newswire(folder.path(), &["run"]);
    assert_run(&run, 74, &["newswire.db", "not a database", "restore FILE"]);
}

#[test]
fn a_database_in_use_exits_with_75_and_names_the_process() {
    let folder = configured(&[]);
    let lock = std::fs::File::create(folder.path().join("newswire.db.lock")).unwrap();
    std::fs::write(folder.path().join("newswire.db.lock"), "4711\n").unwrap();
    lock.lock().unwrap();
    assert_run(&newswire(folder.path(), &["run"]), 75, &["process 4711", "stop that process"]);
    drop(lock);
    // The lock file of a process that was killed has no effect.
    let run = newswire(folder.path(), &["poll"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

/// A copy of the program in the folder, which every user can run.
pub(crate) fn copied(folder: &Path) -> PathBuf {
    let program = folder.join("newswire");
    if !program.exists() {
        let built = Command::cargo_bin("newswire").unwrap().get_program().to_owned();
        std::fs::copy(built, &program).unwrap();
    }
    program
}

/// Runs a process and waits for its end.
pub(crate) fn finished(process: &mut Command) -> Finished {
    let output = loop {
        match process.output() {
            // Another test forks while the copy is being written: its child has the copy open for a moment.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => break output.unwrap(),
        }
    };
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command without permission for the folder `inside`, which gets this mode meanwhile. Root has every
/// permission, so that the program runs as another user then, from a copy that this user can read.
fn without_permission(folder: &Path, inside: &Path, mode: u32, command: &str) -> Finished {
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let program = copied(folder);
    for (path, mode) in [(folder, 0o755), (&program, 0o755), (inside, mode)] {
        allow(path, mode);
    }
    let mut process = Command::new(&program);
    process.current_dir(folder).env_clear().args(command.split_whitespace());
    if std::fs::write(inside.join("probe"), "").is_ok() {
        process.uid(65_534).gid(65_534);
    }
    let run = finished(&mut process);
    allow(inside, 0o755);
    run
}

#[test]
fn a_folder_of_another_user_exits_with_77_and_is_named() {
    let folder = empty_folder();
    let inside = folder.path().join("state");
    std::fs::create_dir(&inside).unwrap();
    stored(folder.path(), &inside.join("newswire.db").display().to_string());
    let run = without_permission(folder.path(), &inside, 0o555, "run");
    assert_run(&run, 77, &["state/newswire.db", "give this user access"]);
    // Without permission to search the folder it is unknown whether there is a database.
    let run = without_permission(folder.path(), &inside, 0o000, "status");
    assert_run(&run, 77, &["state/newswire.db", "database_permission_denied"]);
    assert!(!run.err.contains("no database"), "{}", run.err);
}

#[test]
fn without_permission_for_the_config_another_one_is_proposed() {
    let folder = empty_folder();
    let inside = folder.path().join("etc");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("newswire.toml"), "version = 1\n").unwrap();
    for command in ["list", "probe http://127.0.0.1:1/"] {
        let command = format!("{command} --config etc/newswire.toml");
        let run = without_permission(folder.path(), &inside, 0o000, &command);
        assert_run(&run, 77, &["etc/newswire.toml", "--config FILE"]);
    }
}

#[test]
fn a_config_with_errors_exits_with_78() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("newswire.toml"), "version = 1\n[shedule]\n").unwrap();
    assert_run(&newswire(folder.path(), &["run"]), 78, &["newswire.toml:2", "shedule"]);
}

#[test]
fn commands_that_read_an_empty_database_file_exit_with_66_and_say_that_it_is_empty() {
    let folder = configured(&[]);
    std::fs::write(folder.path().join("newswire.db"), "").unwrap();
    for command in
        [&["status"][..], &["top"], &["why", "x"], &["plan"], &["replay"], &["release", "x"]]
    {
        let run = newswire(folder.path(), command);
        assert_run(&run, 66, &["newswire.db is empty", "restore a copy", "database_empty"]);
    }
    assert_eq!(newswire(folder.path(), &["export"]).code, 0);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0, "a pass starts a new one");
}

#[test]
fn commands_without_permission_exit_with_77_and_never_say_that_there_is_no_database() {
    let folder = empty_folder();
    let inside = folder.path().join("state");
    std::fs::create_dir(&inside).unwrap();
    stored(folder.path(), &inside.join("newswire.db").display().to_string());
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    for command in ["status", "top", "why x", "plan", "replay", "split x", "join x y", "release x"]
    {
        let run = without_permission(folder.path(), &inside, 0o000, command);
        assert_run(&run, 77, &["state/newswire.db", "database_permission_denied"]);
        assert!(!run.err.contains("no database"), "{command}: {}", run.err);
    }
    // The state of the daemon is unknown, and not bad.
    let run = without_permission(folder.path(), &inside, 0o000, "health");
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(
        run.out.starts_with("unknown: ") && run.out.contains("Permission denied"),
        "{}",
        run.out
    );
}

/// An address where a server answers `/readyz` like a daemon that is ready, with this body.
fn ready_server(body: &'static str) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(format!("{head}{body}\n").as_bytes());
        }
    });
    address
}

#[test]
fn health_asks_the_daemon_also_when_its_config_has_errors() {
    let address = ready_server("ready");
    for fault in
        ["[[nonsense\n", "[shedule]\n", "[schedule]\ninterval = \"soon\"\n", "version = 2\n"]
    {
        let folder = empty_folder();
        let lock = std::fs::File::create(folder.path().join("newswire.db.lock")).unwrap();
        lock.lock().unwrap();
        let text = format!("[web]\nlisten = \"{address}\"\n{fault}");
        std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
        assert_eq!(newswire(folder.path(), &["check"]).code, 78, "{fault}");
        let run = newswire(folder.path(), &["health"]);
        assert_eq!(run.code, 0, "{fault}{}{}", run.out, run.err);
        assert!(run.out.starts_with(&format!("ready\nasked at {address}: ")), "{}", run.out);
    }
}

#[test]
fn health_does_not_believe_another_server_at_the_address() {
    let folder = empty_folder();
    let health = |address| {
        let text = format!("version = 1\n[web]\nlisten = \"{address}\"\n");
        std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
        newswire(folder.path(), &["health"])
    };
    // Another Newswire.
    let run = health(ready_server("ready"));
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    assert!(run.out.starts_with("down: no process uses "), "{}", run.out);
    let lock = std::fs::File::create(folder.path().join("newswire.db.lock")).unwrap();
    lock.lock().unwrap();
    let address = ready_server("all is well");
    let run = health(address);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let expected = format!("unknown: the server at {address} is not Newswire; a process uses ");
    assert!(run.out.starts_with(&expected), "{}", run.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn network_failures_of_add_and_probe_exit_with_69() {
    let origin = Origin::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let here = |path: &str| origin.url("127.0.0.1", path).to_string();
    for status in [403, 404, 410, 429, 500, 503] {
        origin.route("127.0.0.1", &format!("/{status}"), [Answer::status(status)]);
    }
    let cut = Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>".to_vec());
    origin.route("127.0.0.1", "/cut", [cut]);
    let (refused, plain) = (format!("http://{closed}/"), here("/x").replace("http:", "https:"));
    let mut cases = vec![(refused, "connection_refused"), (plain, "no_tls")];
    let codes = ["forbidden", "not_found", "gone", "throttled", "server_error", "server_error"];
    let answers = ["403", "404", "410", "429", "500", "503"].into_iter().zip(codes);
    cases.extend(answers.map(|(path, code)| (here(&format!("/{path}")), code)));
    cases.push((here("/cut"), "truncated"));
    for (url, code) in &cases {
        for command in ["add", "probe"] {
            // What one command is asked for holds the next one.
            let folder = configured(&[]);
            let run = newswire(folder.path(), &[command, url]);
            assert_run(&run, 69, &[&format!("newswire explain {code}\n")]);
        }
    }
}

#[test]
fn a_config_that_cannot_be_read_is_not_one_with_errors() {
    let folder = configured(&[]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    std::fs::create_dir(folder.path().join("conf")).unwrap();
    for command in ["check", "status", "list"] {
        let run = newswire(folder.path(), &["-c", "conf", command]);
        assert_eq!(run.code, 66, "{command}: {}{}", run.out, run.err);
        assert!(!run.out.contains("0 feeds"), "{command}: {}", run.out);
    }
}

#[test]
fn init_creates_the_file_of_the_option_config() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["-c", "x.toml", "init"]);
    assert_run(&run, 0, &[]);
    assert!(folder.path().join("x.toml").exists() && !folder.path().join("newswire.toml").exists());
    assert_eq!(newswire(folder.path(), &["-c", "x.toml", "logs", "x", "-n", "0"]).code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_of_status_is_that_of_all_feeds() {
    let origin = Origin::start().await;
    let broken = origin.url("127.0.0.1", "/500").to_string();
    origin.route("127.0.0.1", "/500", [Answer::status(500)]);
    let folder = configured(&[crate::cli::local(&origin, "/feed"), broken]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    for arguments in [&["status"][..], &["status", "--failing"]] {
        let run = newswire(folder.path(), arguments);
        assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn remedies_of_add_name_only_what_add_has() {
    let origin = Origin::start().await;
    let folder = configured(&[]);
    origin.route("127.0.0.1", "/gone", [Answer::status(410)]);
    let url = origin.url("127.0.0.1", "/gone").to_string();
    let run = newswire(folder.path(), &["add", &url]);
    assert!(run.err.contains("gone") && !run.err.contains("remove this one"), "{}", run.err);
    std::fs::write(folder.path().join("feed.xml"), "<rss/>").unwrap();
    for path in ["feed.xml", "./x.xml", "~/feed.xml", "file:///etc/hostname"] {
        let run = newswire(folder.path(), &["add", path]);
        assert_eq!(run.code, 64, "{path}: {}", run.err);
        assert!(run.err.contains("[[feed]] with file = "), "{path}: {}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_checks_both_sources_before_it_replaces_the_database() {
    let origin = Origin::start().await;
    let folder = configured(&[crate::cli::local(&origin, "/feed")]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    assert_eq!(newswire(folder.path(), &["backup", "copy.db"]).code, 0);
    std::fs::remove_dir_all(folder.path().join("www")).unwrap();
    let run = newswire(folder.path(), &["restore", "copy.db", "--from-outputs"]);
    assert_eq!((run.code, run.out.as_str()), (66, ""), "{}", run.err);
    assert!(!folder.path().join("newswire.db.before-restore-1").exists());
}

/// Runs a command with this standard output.
fn with_output(folder: &Path, arguments: &[&str], out: impl Into<Stdio>) -> Finished {
    let mut process = Command::cargo_bin("newswire").unwrap();
    process.current_dir(folder).env_clear().args(arguments).stdin(Stdio::null()).stdout(out);
    finished(&mut process)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn output_that_a_full_disk_cuts_off_exits_with_74() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let commands = "schema|export|list|list --json|config|config default|man|completions bash|check|init -|\
        why 127.0.0.1-feed|logs 127.0.0.1-feed|plan|replay|status|top|manners|explain|--help|--version|\
        poll --dry-run --all --force";
    for command in commands.split('|') {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let arguments: Vec<&str> = command.split(' ').collect();
        let run = with_output(folder.path(), &arguments, full);
        assert_eq!(run.code, 74, "{command}: {}", run.err);
        assert_eq!(run.err.matches("explain stdio_failed\n").count(), 1, "{command}: {}", run.err);
    }
}

#[test]
fn output_to_a_closed_pipe_ends_without_an_error() {
    let folder = configured(&[]);
    for command in ["schema", "check", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = with_output(folder.path(), &[command], writer);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{command}");
    }
}

#[test]
fn a_run_on_an_address_in_use_creates_no_config() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = empty_folder();
    let run = newswire(folder.path(), &["run", "--listen", &address]);
    assert_run(&run, 69, &[&address, "'newswire run --listen'", "address_in_use"]);
    assert_eq!(run.out, "");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_config_that_cannot_be_written_completely_leaves_no_file() {
    let program = Command::cargo_bin("newswire").unwrap().get_program().to_owned();
    for command in ["init", "run --listen off"] {
        let folder = empty_folder();
        // A limit of the size of files ends a write in the middle, as a full disk does.
        let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" $1";
        let mut process = Command::new("/bin/sh");
        process.args(["-c", script]).arg(&program).arg(command);
        process.current_dir(folder.path()).env_clear().env("HOME", folder.path());
        let run = finished(&mut process);
        assert_run(&run, 73, &["newswire.toml", "newswire explain file_unwritable"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{command}");
    }
}

/// Exit codes of the unit after which systemd does not start it again.
fn codes_without_restart() -> BTreeSet<i32> {
    let unit = include_str!("../../systemd/newswire.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    line.unwrap().split(' ').map(|code| code.parse().unwrap()).collect()
}

const OFF: &str = "[web]\nlisten = \"off\"\n";

/// A folder with a config of this text.
fn prepared(text: &str) -> TempDir {
    let folder = empty_folder();
    let text = format!("version = 1\n[fetch]\ncontact = \"x@y.z\"\n{text}");
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    folder
}

/// Exit code of `newswire run`, which must fail.
fn failed_run(folder: &Path, arguments: &[&str]) -> i32 {
    let run = newswire(folder, &[&["run", "--config", "newswire.toml"], arguments].concat());
    assert_ne!(run.code, 0, "{}", run.out);
    run.code
}

/// Exit codes of the daemon after errors that last until the operator does something.
fn lasting() -> BTreeSet<i32> {
    let option = failed_run(prepared(OFF).path(), &["--no-such-option"]);
    let other = prepared(OFF);
    other_program(&other.path().join("newswire.db"));
    let other = failed_run(other.path(), &[]);
    let missing = failed_run(empty_folder().path(), &[]);
    let file = prepared(&format!("{OFF}[store]\npath = \"file/newswire.db\"\n"));
    std::fs::write(file.path().join("file"), "").unwrap();
    let file = failed_run(file.path(), &[]);
    let denied = prepared(&format!("{OFF}[store]\npath = \"state/newswire.db\"\n"));
    let state = denied.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let denied = without_permission(denied.path(), &state, 0o555, "run").code;
    let wrong = failed_run(prepared("[shedule]\n").path(), &[]);
    let secret =
        prepared(&format!("{OFF}[[output]]\nid = \"x\"\ntoken = {{ file = \"token\" }}\n"));
    let token = secret.path().join("token");
    std::fs::write(&token, "0123456789abcdef").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let secret = failed_run(secret.path(), &[]);
    [option, other, missing, file, denied, wrong, secret].into()
}

/// Exit codes of the daemon after errors that may pass: the port or the database is in use, reading fails. A damaged
/// database has the code of a failing disk.
fn passing() -> BTreeSet<i32> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = prepared(&format!("[web]\nlisten = \"{address}\"\n"));
    let port = failed_run(port.path(), &[]);
    let used = prepared(OFF);
    let lock = std::fs::File::create(used.path().join("newswire.db.lock")).unwrap();
    lock.lock().unwrap();
    let used = failed_run(used.path(), &[]);
    let damaged = prepared(OFF);
    std::fs::write(damaged.path().join("newswire.db"), "not at all ".repeat(1000)).unwrap();
    let damaged = failed_run(damaged.path(), &[]);
    [port, used, damaged].into()
}

#[test]
fn the_unit_starts_again_exactly_after_errors_that_may_pass() {
    let (lasting, passing) = (lasting(), passing());
    assert_eq!(lasting, [64, 65, 66, 73, 77, 78].into());
    assert_eq!(passing, [69, 74, 75].into());
    assert_eq!(codes_without_restart(), lasting);
    // The only codes that are left: those of commands that are not the daemon, and that of a bug.
    let known: BTreeSet<i32> = Exit::ALL.iter().map(|exit| *exit as i32).collect();
    let caused: BTreeSet<i32> = lasting.union(&passing).copied().collect();
    assert_eq!(known.difference(&caused).copied().collect::<Vec<_>>(), [0, 1, 2, 3, 70, 130, 143]);
}
