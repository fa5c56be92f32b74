//! The daemon without free file descriptors, and `newswire health`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;

use crate::cli::newswire;
use crate::support::empty_folder;

/// `newswire run` with this limit of file descriptors, once it responds.
fn start(folder: &Path, address: SocketAddr, descriptors: usize) -> Child {
    let config = format!("version = 1\n[web]\nlisten = \"{address}\"\n");
    std::fs::write(folder.join("newswire.toml"), config).unwrap();
    let script = format!("ulimit -n {descriptors}; exec \"$0\" run --config newswire.toml");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .arg(Command::cargo_bin("newswire").unwrap().get_program())
        .current_dir(folder);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    let mut tries = 0;
    while !answers(address) {
        tries += 1;
        if tries > 2_000 {
            child.kill().unwrap();
            panic!("no answer at {address} with {descriptors} descriptors: {:?}", child.wait());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    let _ = stream.write_all(request).and_then(|()| stream.read_to_string(&mut answer));
    answer.starts_with("HTTP/1.1 200")
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn open_files(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count()
}

#[test]
fn the_daemon_survives_a_lack_of_file_descriptors() {
    let (folder, address) = (empty_folder(), free_address());
    let mut plenty = start(folder.path(), address, 1_024);
    // Some are open for a moment only, such as those of the checks after the start.
    let used = (0..20).map(|_| {
        assert!(answers(address));
        open_files(&plenty)
    });
    let used = used.max().unwrap();
    plenty.kill().unwrap();
    plenty.wait().unwrap();
    let mut scarce = start(folder.path(), address, used + 6);
    // The kernel accepts all connections; the daemon has descriptors for six.
    let crowd: Vec<_> = (0..60).map(|_| TcpStream::connect(address).unwrap()).collect();
    // These are answered when earlier connections were closed. One that is accepted may be among the next to be closed.
    let is_answered = || (0..3).any(|_| answers(address));
    assert!(is_answered() && is_answered());
    assert_eq!(scarce.try_wait().unwrap(), None, "it lives");
    drop(crowd);
    assert!(answers(address));
    scarce.kill().unwrap();
    scarce.wait().unwrap();
}

#[test]
fn health_prints_a_line_and_exits_with_a_code() {
    let (folder, address) = (empty_folder(), free_address());
    let health = || {
        let said = newswire(folder.path(), &["health", "--config", "newswire.toml"]);
        (said.code, said.out)
    };
    let mut running = start(folder.path(), address, 1_024);
    let mut said = health();
    for _ in 0..100 {
        if said.0 == 0 {
            break;
        }
        assert_eq!(said.0, 1, "{said:?}");
        said = health();
    }
    assert_eq!(said, (0, "ready\n".to_owned()));
    // A config that was broken since does not change the health of the daemon.
    let config = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}[shedule]\n")).unwrap();
    assert_eq!(health(), (0, "ready\n".to_owned()));
    std::fs::write(&config, text).unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    let (code, text) = health();
    assert_eq!(code, 2);
    assert!(text.starts_with("down: no process uses "), "{text}");
}
