//! The program under a service manager: what it tells systemd, and how it ends.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;

const CONFIG: &str = "version = 1\n[web]\nlisten = \"off\"\n";

/// `newswire run` in a folder, told where its manager listens.
fn start(folder: &Path, socket: &Path) -> Child {
    std::fs::write(folder.join("newswire.toml"), CONFIG).unwrap();
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).args(["run", "--config", "newswire.toml"]);
    command.env("NOTIFY_SOCKET", socket);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The next words that hold `part`; others are passed over.
pub(crate) fn heard(socket: &UnixDatagram, part: &str) -> String {
    let mut words = [0; 4096];
    loop {
        let length = socket.recv(&mut words).unwrap_or_else(|error| panic!("no {part}: {error}"));
        let words = String::from_utf8_lossy(&words[..length]).into_owned();
        if words.contains(part) {
            return words;
        }
    }
}

/// By the shell, which has the command built in.
pub(crate) fn signal(child: &Child, name: &str) {
    let command = format!("kill -s {name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

#[test]
fn it_tells_systemd_when_it_is_ready_how_it_is_and_that_it_stops() {
    for name in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let address = folder.path().join("notify");
        let socket = UnixDatagram::bind(&address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut child = start(folder.path(), &address);
        heard(&socket, "READY=1");
        let status = heard(&socket, "STATUS=0/0 feeds ok");
        assert!(status.contains("0 failing; 0 new items since start; next poll none"), "{status}");
        signal(&child, name);
        heard(&socket, "STOPPING=1");
        assert_eq!(child.wait().unwrap().code(), Some(0), "after SIG{name}");
    }
}

#[test]
fn a_second_one_on_the_same_database_exits_with_75_and_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut first = start(folder.path(), &address);
    heard(&socket, "READY=1");
    let mut second = Command::cargo_bin("newswire").unwrap();
    let second = second.current_dir(folder.path()).args(["run"]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(75), "{said}");
    assert!(said.contains(&format!("newswire process {}", first.id())), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
}
