//! The daemon under a service manager: notifications, signals, sockets.

use std::io::{Read as _, Write as _};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;

use crate::cli::newswire;
use crate::exits::{copied, finished};
use crate::support::empty_folder;

const CONFIG: &str = "version = 1\n[web]\nlisten = \"off\"\n";

/// `newswire run` with a notification socket.
fn start(folder: &Path, socket: &Path) -> Mortal {
    std::fs::write(folder.join("newswire.toml"), CONFIG).unwrap();
    started(command(folder, socket))
}

/// A process that is killed at the end of its test, passed or failed.
struct Mortal(Child);

impl Deref for Mortal {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Mortal {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn started(mut command: Command) -> Mortal {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Mortal(command.spawn().unwrap())
}

fn command(folder: &Path, socket: &Path) -> Command {
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).args(["run", "--config", "newswire.toml"]);
    command.env("NOTIFY_SOCKET", socket);
    command
}

/// A notification socket in this folder, with its path. A message that does not come within two minutes is an error.
pub(crate) fn notified(folder: &Path) -> (PathBuf, UnixDatagram) {
    let address = folder.join("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    (address, socket)
}

/// The next message that contains `part`.
pub(crate) fn heard(socket: &UnixDatagram, part: &str) -> String {
    let mut words = [0; 4096];
    // The daemon says how it is again and again.
    for _ in 0..100 {
        let length = socket.recv(&mut words).unwrap_or_else(|error| panic!("no {part}: {error}"));
        let words = String::from_utf8_lossy(&words[..length]).into_owned();
        if words.contains(part) {
            return words;
        }
    }
    panic!("no {part}: last heard {:?}", String::from_utf8_lossy(&words))
}

/// Sends a signal with the shell, which has `kill` built in.
pub(crate) fn signal(child: &Child, name: &str) {
    let command = format!("kill -s {name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

#[test]
fn the_daemon_notifies_systemd_of_start_status_and_stop() {
    for name in ["TERM", "INT"] {
        let folder = empty_folder();
        let (address, socket) = notified(folder.path());
        let mut child = start(folder.path(), &address);
        let extended = |step: &str| {
            let message = heard(&socket, &format!("STATUS={step}"));
            assert!(message.contains("EXTEND_TIMEOUT_USEC=30000000"), "{message}");
        };
        extended("opening the database");
        extended("rendering the outputs");
        heard(&socket, "READY=1");
        let status = heard(&socket, "STATUS=0/0 feeds ok");
        assert!(status.contains("0 failing; 0 new items in 1h; next poll none"), "{status}");
        signal(&child, name);
        heard(&socket, "STOPPING=1");
        extended("finishing polls and publications");
        extended("closing the database");
        assert_eq!(child.wait().unwrap().code(), Some(0), "after SIG{name}");
    }
}

#[test]
fn a_second_daemon_exits_with_75_and_names_the_first() {
    let folder = empty_folder();
    let (address, socket) = notified(folder.path());
    let mut first = start(folder.path(), &address);
    heard(&socket, "READY=1");
    let mut second = Command::cargo_bin("newswire").unwrap();
    let second = second.current_dir(folder.path()).args(["run"]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(75), "{said}");
    assert!(said.contains(&format!("by the process {}", first.id())), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn the_control_socket_answers_its_owner_alone_whatever_its_mode() {
    let folder = empty_folder();
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (address, socket) = notified(folder.path());
    let _running = start(folder.path(), &address);
    heard(&socket, "READY=1");
    let control = folder.path().join("newswire.sock");
    let reload = |change: &dyn Fn(&mut Command)| {
        let mut command = Command::new(copied(folder.path()));
        command.current_dir(folder.path()).args(["reload", "--config", "newswire.toml"]);
        change(&mut command);
        finished(&mut command)
    };
    let own = reload(&|_| {});
    assert_eq!(own.code, 0, "{}", own.err);
    // Only root can run a command as another user.
    if std::fs::metadata(&control).unwrap().uid() == 0 {
        let other = |command: &mut Command| {
            command.uid(65_534).gid(65_534);
        };
        allow(folder.path(), 0o755);
        let refused = reload(&other);
        assert_eq!(refused.code, 77, "by its mode: {}", refused.err);
        allow(&control, 0o666);
        let refused = reload(&other);
        assert_eq!(refused.code, 74, "by its user: {}", refused.err);
        assert!(refused.err.contains("newswire explain no_answer"), "{}", refused.err);
        assert_eq!(reload(&|_| {}).code, 0);
    }
}

#[test]
fn a_reload_reports_its_result_and_notifies_systemd() {
    let folder = empty_folder();
    let (address, socket) = notified(folder.path());
    let mut running = start(folder.path(), &address);
    heard(&socket, "READY=1");
    let good = newswire(folder.path(), &["reload"]);
    assert_eq!(good.code, 0, "{}", good.err);
    assert!(heard(&socket, "RELOADING=1").contains("MONOTONIC_USEC="));
    heard(&socket, "READY=1");
    std::fs::write(folder.path().join("newswire.toml"), format!("{CONFIG}listn = 1\n")).unwrap();
    let bad = newswire(folder.path(), &["reload"]);
    assert_eq!(bad.code, 78);
    assert!(bad.err.contains("newswire.toml:4:1") && bad.err.contains("listen"), "{}", bad.err);
    heard(&socket, "READY=1");
    heard(&socket, "STATUS=config_rejected; 0/0 feeds ok");
    let table = newswire(folder.path(), &["status"]);
    assert!(table.out.contains("0 feeds"), "{}{}", table.out, table.err);
    let chatty = newswire(folder.path(), &["log-level", "debug", "--for", "1m"]);
    assert!(chatty.out.contains("logging debug for 60 s"), "{}{}", chatty.out, chatty.err);
    let odd = newswire(folder.path(), &["log-level", "loud"]);
    assert_eq!(odd.code, 64);
    assert!(odd.err.contains("\"loud\" is not a log level"), "{}", odd.err);
    // SIGHUP reloads too and does not end the process.
    signal(&running, "HUP");
    heard(&socket, "RELOADING=1");
    heard(&socket, "READY=1");
    signal(&running, "TERM");
    assert_eq!(running.wait().unwrap().code(), Some(0));
    let nobody = newswire(folder.path(), &["reload"]);
    assert_eq!(nobody.code, 69);
    assert!(nobody.err.contains("no daemon is running with this database"), "{}", nobody.err);
}

#[test]
fn the_watchdog_is_notified_with_and_without_a_web_server() {
    for listen in ["off", "127.0.0.1:0"] {
        let folder = empty_folder();
        let (address, socket) = notified(folder.path());
        let config = format!("version = 1\n[web]\nlisten = \"{listen}\"\n");
        std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
        let mut command = command(folder.path(), &address);
        command.env("WATCHDOG_USEC", "300000");
        let mut running = started(command);
        for _ in 0..3 {
            heard(&socket, "WATCHDOG=1");
        }
        running.kill().unwrap();
        running.wait().unwrap();
    }
}

/// Starts the daemon with a listening socket of the test, as a service manager does.
fn activated(folder: &Path, notify: &Path, socket: &std::net::TcpListener) -> Mortal {
    let program = command(folder, notify).get_program().to_owned();
    let mut shell = Command::new("sh");
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" run";
    shell.args(["-c", script]).arg(program).current_dir(folder).env("NOTIFY_SOCKET", notify);
    let socket = std::os::fd::OwnedFd::from(socket.try_clone().unwrap());
    let shell = shell.stdin(socket).stdout(Stdio::null()).stderr(Stdio::null());
    Mortal(shell.spawn().unwrap())
}

fn ask(stream: &mut std::net::TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

fn answer(mut stream: std::net::TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_restart_with_an_inherited_socket_refuses_no_connection() {
    let folder = empty_folder();
    let (address, notify) = notified(folder.path());
    std::fs::write(folder.path().join("newswire.toml"), "version = 1\n").unwrap();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let served = socket.local_addr().unwrap();
    let mut first = activated(folder.path(), &address, &socket);
    heard(&notify, "READY=1");
    let mut stream = std::net::TcpStream::connect(served).unwrap();
    ask(&mut stream, "/healthz");
    assert!(answer(stream).starts_with("HTTP/1.1 200"));
    signal(&first, "TERM");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    // No process is running, but the socket accepts the connection.
    let mut waiting = std::net::TcpStream::connect(served).unwrap();
    ask(&mut waiting, "/healthz");
    let mut second = activated(folder.path(), &address, &socket);
    assert!(answer(waiting).starts_with("HTTP/1.1 200"));
    second.kill().unwrap();
    second.wait().unwrap();
}

#[test]
fn documents_link_to_pages_on_an_inherited_socket_though_listen_is_off() {
    let folder = empty_folder();
    let (address, notify) = notified(folder.path());
    let config = "version = 1\n[web]\nlisten = \"off\"\n[[output]]\nid = \"all\"\n";
    std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut running = activated(folder.path(), &address, &socket);
    heard(&notify, "READY=1");
    for _ in 0..2 {
        let mut stream = std::net::TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        ask(&mut stream, "/all.json");
        let document = answer(stream);
        assert!(document.contains("\"home_page_url\""), "{document}");
        let reloaded = newswire(folder.path(), &["reload"]);
        assert_eq!(reloaded.code, 0, "{}", reloaded.err);
    }
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn a_list_whose_server_never_responds_delays_neither_the_start_nor_the_stop() {
    let folder = empty_folder();
    let (address, notify) = notified(folder.path());
    let list = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!(
        "version = 1\n[fetch]\nallow_networks = [\"127.0.0.0/8\"]\n[web]\nlisten = \"off\"\n\
         [[subscriptions]]\nurl = \"http://{}/\"\n",
        list.local_addr().unwrap()
    );
    std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
    let mut running = started(command(folder.path(), &address));
    heard(&notify, "READY=1");
    let _asked = list.accept().unwrap();
    signal(&running, "TERM");
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

#[cfg(all(target_env = "gnu", not(feature = "jemalloc")))]
#[test]
fn the_daemon_returns_freed_memory_at_once_unless_the_operator_set_the_allocator() {
    let folder = empty_folder();
    let (address, socket) = notified(folder.path());
    std::fs::write(folder.path().join("newswire.toml"), CONFIG).unwrap();
    for (given, delay) in [(None, "0"), (Some("50"), "50")] {
        let mut command = command(folder.path(), &address);
        command.env_remove("MIMALLOC_PURGE_DELAY");
        command.envs(given.map(|delay| ("MIMALLOC_PURGE_DELAY", delay)));
        let mut child = started(command);
        heard(&socket, "READY=1");
        // It is the process that was started, under its own name.
        let of_process = |file: &str| {
            let content = std::fs::read(format!("/proc/{}/{file}", child.id())).unwrap();
            String::from_utf8_lossy(&content).into_owned()
        };
        assert_eq!(of_process("comm"), "newswire\n");
        let environment = of_process("environ");
        let found = environment.split('\0').find_map(|it| it.strip_prefix("MIMALLOC_PURGE_DELAY="));
        assert_eq!(found, Some(delay));
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn systemd_gets_the_number_of_a_fatal_error() {
    let folder = empty_folder();
    let (address, socket) = notified(folder.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!("version = 1\n[web]\nlisten = \"{}\"\n", taken.local_addr().unwrap());
    std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
    let mut running = started(command(folder.path(), &address));
    // EADDRINUSE
    let told = heard(&socket, "ERRNO=98");
    assert!(told.contains("STATUS=failed to listen on"), "{told}");
    assert_eq!(running.wait().unwrap().code(), Some(69));
}

/// A daemon with this number of feeds, each on its own address, whose servers never answer, and the connections to them.
fn with_slow_feeds(
    folder: &Path,
    address: &Path,
    feeds: usize,
) -> (Mortal, Vec<std::net::TcpStream>) {
    let server = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let mut config = format!(
        "version = 1\n[fetch]\nallow_networks = [\"127.0.0.0/8\"]\nconcurrency = {feeds}\n\
         [schedule]\nhost_spacing = \"1ms\"\n[web]\nlisten = \"off\"\n"
    );
    for n in 0..feeds {
        config.push_str(&format!("[[feed]]\nurl = \"http://127.1.{}.1:{port}/\"\n", n + 1));
    }
    std::fs::write(folder.join("newswire.toml"), config).unwrap();
    let running = started(command(folder, address));
    (running, (0..feeds).map(|_| server.accept().unwrap().0).collect())
}

#[test]
fn a_hundred_slow_transfers_end_within_five_seconds_of_a_stop_signal() {
    let folder = empty_folder();
    let address = folder.path().join("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let (mut running, _transfers) = with_slow_feeds(folder.path(), &address, 100);
    let clock = newswire::clock::Clock::system();
    signal(&running, "TERM");
    heard(&socket, "STOPPING=1");
    assert_eq!(running.wait().unwrap().code(), Some(0));
    assert!(clock.elapsed() <= Duration::from_secs(5), "{:?}", clock.elapsed());
}

#[test]
fn a_second_stop_signal_ends_the_process_at_once() {
    // 128 and the number of the signal: the polls were not finished.
    for (first, second, code) in [("TERM", "TERM", 143), ("INT", "TERM", 143), ("TERM", "INT", 130)]
    {
        let folder = empty_folder();
        let (address, socket) = notified(folder.path());
        let (mut running, _transfers) = with_slow_feeds(folder.path(), &address, 1);
        signal(&running, first);
        heard(&socket, "STOPPING=1");
        let clock = newswire::clock::Clock::system();
        signal(&running, second);
        assert_eq!(running.wait().unwrap().code(), Some(code), "{first} {second}");
        assert!(clock.elapsed() <= Duration::from_secs(1), "{:?}", clock.elapsed());
    }
}
