//! Canary secrets are given to the program, and none of them appears in any byte that it writes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt as _;

use crate::cli::newswire;
use crate::config::private;
use crate::daemon::free_address;
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

const LOGIN: &str = "canarylogin0123456789";
const HEADER: &str = "canaryheader0123456789";
const TOKEN: &str = "canarytoken0123456789";
const USERINFO: &str = "canaryuserinfo0123456789";
const PROXY: &str = "canaryproxy0123456789";
/// `ann:canarylogin0123456789` in base64.
const BASIC: &str = "YW5uOmNhbmFyeWxvZ2luMDEyMzQ1Njc4OQ";

/// Asserts that no secret appears in the bytes.
fn assert_no_secret(what: &str, bytes: &[u8]) {
    for song in [LOGIN, HEADER, TOKEN, USERINFO, PROXY, BASIC, "canary"] {
        let sung = bytes.windows(song.len()).any(|part| part == song.as_bytes());
        assert!(!sung, "{song} in {what}:\n{}", String::from_utf8_lossy(bytes));
    }
}

/// A daemon with three secrets. Its database and files are in the folder.
async fn world(format: &str, origin: &Origin) -> (tempfile::TempDir, SocketAddr) {
    let (folder, address) = (empty_folder(), free_address().await);
    let secrets = tempfile::tempdir_in(folder.path()).unwrap().keep();
    private(&secrets.join("login"), &format!("ann:{LOGIN}\n"));
    private(&secrets.join("token"), TOKEN);
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    origin.route("127.0.0.1", "/broken", [Answer::status(500)]);
    let url = |path: &str| origin.url("127.0.0.1", path);
    let text = format!(
        "version = 1\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\ncontact = \"me@example.org\"\n\
         allow_networks = [\"127.0.0.1\"]\nauthorization = {{ file = {:?} }}\n\
         headers = {{ X-Key = {{ env = \"FEED_KEY\" }} }}\n\
         [web]\nlisten = \"{address}\"\n[log]\nlevel = \"trace\"\nformat = \"{format}\"\n\
         [[output]]\nid = \"board\"\ntoken = {{ file = {:?} }}\n\
         [[output]]\nid = \"planet\"\ndirectory = \"www\"\n\
         [[feed]]\nurl = \"{}\"\n[[feed]]\nurl = \"{}\"\n",
        secrets.join("login"),
        secrets.join("token"),
        url("/feed"),
        url("/broken"),
    );
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    (folder, address)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).env_clear().env("HOME", folder).env("FEED_KEY", HEADER);
    command.args(arguments);
    command
}

/// Every file that newswire wrote.
fn files(folder: &Path, found: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // The secrets are in a separate folder.
            if !path.join("login").exists() {
                files(&path, found);
            }
        } else if path.is_file() {
            found.extend(std::fs::read(&path).unwrap());
        }
    }
}

fn page(address: SocketAddr, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Requests pages of the daemon and runs commands next to it.
fn asked_around(folder: &Path, address: SocketAddr, feed: &str) {
    let bearer = format!("/board.atom?token={TOKEN}");
    let pages = "/ /planet.atom /planet/ /status /status.json /metrics /healthz /readyz?verbose \
        /subscriptions.opml /board.atom /board.atom?token=wrong /planet/archive/1.atom /none";
    for request in pages.split_whitespace() {
        assert_no_secret(request, &page(address, request));
    }
    // The links of a document contain the token that the client has sent.
    let private = String::from_utf8(page(address, &bearer)).unwrap();
    assert!(private.contains(&format!("board.atom?token={TOKEN}\"")), "{private}");
    assert_no_secret(&bearer, private.replace(TOKEN, "").as_bytes());
    let commands = "status|status --json|why FEED|why FEED --json|plan|export|config|\
        config --json|check|check --online|check --json|probe FEED|probe FEED --json|replay|reload|\
        why nobody";
    for line in commands.split('|') {
        let line = line.replace("FEED", feed);
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let said = command(folder, &arguments).output().unwrap();
        assert_no_secret(&line, &[said.stdout, said.stderr].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_with_debug_log_writes_no_secret() {
    for format in ["json", "text"] {
        let origin = Origin::start().await;
        let (folder, address) = world(format, &origin).await;
        let mut daemon = command(folder.path(), &["run"]);
        let mut daemon = daemon.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(daemon.stderr.take().unwrap());
        let mut told = Vec::new();
        // Until both feeds are logged: the items of one, and the failure of the other.
        let both = |told: &[u8]| {
            let told = String::from_utf8_lossy(told);
            told.contains("127.0.0.1-broken")
                && (told.contains("new=1") || told.contains("\"new\":1"))
        };
        while !both(&told) && log.read_until(b'\n', &mut told).unwrap() > 0 {}
        assert!(both(&told), "{}", String::from_utf8_lossy(&told));
        let asked = origin.asked();
        assert!(asked.iter().all(|asked| asked.header("x-key") == Some(HEADER)));
        assert!(asked.iter().all(|asked| asked.header("authorization").unwrap().contains(BASIC)));
        let id = daemon.id();
        assert_no_secret(
            "its command line",
            &std::fs::read(format!("/proc/{id}/cmdline")).unwrap(),
        );
        asked_around(folder.path(), address, origin.url("127.0.0.1", "/feed").as_str());
        let kill = format!("kill -s TERM {id}");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        log.read_to_end(&mut told).unwrap();
        let mut out = Vec::new();
        daemon.stdout.take().unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(daemon.wait().unwrap().code(), Some(0));
        assert_no_secret("the log", &[told, out].concat());
        let mut written = Vec::new();
        files(folder.path(), &mut written);
        assert!(written.windows(6).any(|part| part == b"SQLite"));
        assert_no_secret("the files", &written);
    }
}

#[test]
fn errors_in_the_line_of_a_secret_do_not_show_it() {
    let folder = empty_folder();
    let path = folder.path().join("newswire.toml");
    for text in [
        format!("[fetch]\nauthorization = \"Bearer {LOGIN}\"\n"),
        format!("[fetch]\nauthorization = \"Bearer {LOGIN}\n"),
        format!("[fetch]\nauthorization = Bearer {LOGIN}\n"),
        format!("[fetch]\nauthorization = {{ value = \"{LOGIN}\" }}\n"),
        format!("[fetch]\nauthorization =\n  \"Bearer {LOGIN}\"\n"),
        format!("[fetch]\nauthorization =\n\nBearer {LOGIN}\n"),
        format!("[[feed]]\nurl = \"https://e.org/f\", authorization = \"Bearer {LOGIN}\"\n"),
        format!("[[feed]]\nurl = \"https://e.org/f\" authorization = \"Bearer {LOGIN}\"\n"),
        format!("[[feed]]\npaused = true authorization = {LOGIN}\n"),
        format!("[[feed]]\npaused = true; authorization = {LOGIN}\n"),
        format!("[fetch]\nautorisation = \"{LOGIN}\"\n"),
        format!("[fetch]\nauthorization: \"{LOGIN}\"\n"),
        format!("[fetch]\nheaders = {{ X-Key = \"{HEADER}\" }}\n"),
        format!("[fetch.headers]\nX-Key = \"{HEADER}\"\nX-Key = \"{HEADER}\"\n"),
        format!("[fetch.headers\nX-Key = \"{HEADER}\"\n"),
        format!("[fetch]\nheaders = {{ X-Key = \"{HEADER}\"\n"),
        format!("[[output]]\nid = \"board\"\ntoken = \"{TOKEN}\"\n"),
        format!("[[output]]\nid = \"board\"\ntoken = \"\"\"{TOKEN}\n"),
        format!("[[output]]\nid = \"board\"\ntokn = [\"{TOKEN}\"]\n"),
        format!("token = '{TOKEN}'\n"),
        format!("[[feed]]\nurl = \"https://ann:{USERINFO}@example.org/\"\n"),
        format!("[[feed]]\nurl = \"https://ann:{USERINFO}@\"\n"),
        format!("[[feed]]\nurl = \"ann:{USERINFO}@example.org/\"\n"),
        format!("[[feed]]\nurl = \"//ann:{USERINFO}@example.org/\"\n"),
        format!("[[feed]]\nurl = https://ann:{USERINFO}@example.org/\n"),
        format!("[[feed]]\nurl = \"https://{USERINFO}@example.org/\"\ninterval = 1\n"),
        format!("[[feed]]\nurl = [\"https://ann:{USERINFO}@example.org/\"]\n"),
        format!("[[server]]\nhost = \"https://ann:{USERINFO}@example.org/\"\n"),
        format!("[fetch]\nproxy = \"http://ann:{PROXY}@127.0.0.1:3128\"\n"),
        format!("[fetch]\nproxy = \"socks5://ann:{PROXY}@127.0.0.1:3128\"\n"),
        format!("[fetch]\nproxi = \"http://ann:{PROXY}@127.0.0.1:3128\"\n"),
    ] {
        std::fs::write(&path, &text).unwrap();
        for arguments in [&["check"][..], &["check", "--json"], &["run"], &["config"]] {
            let said = newswire(folder.path(), arguments);
            assert_eq!(said.code, 78, "{text}{}", said.out);
            assert_no_secret(&text.replace("canary", "…"), (said.out + &said.err).as_bytes());
        }
    }
    // On the command line.
    std::fs::write(&path, "version = 1\n").unwrap();
    let url = format!("https://ann:{USERINFO}@127.0.0.1:1/");
    for arguments in [&["add", &url][..], &["probe", &url], &["why", &url], &["add", &url[8..]]] {
        let said = newswire(folder.path(), arguments);
        assert_ne!(said.code, 0);
        assert_no_secret(arguments[0], (said.out + &said.err).as_bytes());
    }
}

#[test]
fn newswire_does_not_start_with_a_secret_that_other_users_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = empty_folder();
    let secret = folder.path().join("token");
    std::fs::write(&secret, TOKEN).unwrap();
    let text = "version = 1\n[[output]]\nid = \"board\"\ntoken = { file = \"token\" }\n";
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    for (mode, code) in [(0o644, 78), (0o640, 78), (0o604, 78), (0o620, 78), (0o600, 0), (0o400, 0)]
    {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        let said = newswire(folder.path(), &["check"]);
        assert_eq!(said.code, code, "{mode:o}\n{}", said.out);
        if code == 78 {
            let run = newswire(folder.path(), &["run"]);
            for part in [
                "error[readable_secret]",
                "newswire.toml:4:9",
                "help: chmod 600 token",
                &format!("mode {mode:04o}"),
            ] {
                assert!(run.code == 78 && run.err.contains(part), "{part}: {}", run.err);
            }
        }
    }
    // Credentials of systemd are readable by the group of the service.
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o440)).unwrap();
    let text = text.replace("file", "credential");
    std::fs::write(folder.path().join("newswire.toml"), &text).unwrap();
    let mut check = command(folder.path(), &["check"]);
    let code = |command: &mut Command| command.output().unwrap().status.code();
    assert_eq!(code(check.env("CREDENTIALS_DIRECTORY", folder.path())), Some(0));
    assert_eq!(newswire(folder.path(), &["check"]).code, 78);
    std::fs::write(folder.path().join("newswire.toml"), text.replace("\"token\"", "\"../token\""))
        .unwrap();
    let mut check = command(folder.path(), &["check"]);
    assert_eq!(code(check.env("CREDENTIALS_DIRECTORY", folder.path())), Some(78));
}
