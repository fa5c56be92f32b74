//! `newswire status`, `logs` and `health`: what is known about the feeds and the daemon.
//!
//! `health` asks the running daemon whether it is ready, for monitoring and containers. Exit codes: 0 ready, 1 degraded or
//! unknown, 2 not running or no response.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::arguments::Format;
use super::config_file::{self, path, print_diagnostics};
use super::exit::Exit;
use super::feed_lists;
use super::known::{self, FeedName};
use super::status;
use super::terminal::{self, failed, print, print_text, report};
use crate::clock::Clock;
use crate::config::{self, Config, Loaded};
use crate::daemon;
use crate::daemon::control::{ControlError, Reply, Request, send};
use crate::health::{ListStatus, judge};
use crate::model::{Coded as _, FeedInfo, Incident};
use crate::store::{self, Reader, Usage};
use crate::telemetry::{Part, Problem};
use crate::web::ListenAddress;

/// `logs`: the last polls of a feed.
pub(super) fn logs(config: Option<&Path>, feed: &str, lines: u16) -> Result<(), Exit> {
    let (reader, config) = config_file::database_with_config(config)?;
    let now = Clock::system().now();
    let feeds =
        reader.read(|reader| known::statuses(config.as_ref(), reader, now)).map_err(failed)?;
    let Some(found) = known::named_in(&feeds, feed) else {
        return Err(report(&known::unknown(feed, feeds.iter().map(|feed| feed.info.id.as_str()))));
    };
    let polls = reader.read(|reader| reader.polls(found.info.key, usize::from(lines)));
    print_text(&feed_lists::polls(&found.info.id, &polls.map_err(failed)?, found.last_poll_at));
    Ok(())
}

/// `health`. Works with a config that has errors, which must not hide a daemon that runs with the previous one.
pub(super) fn check_health(given: Option<&Path>) -> Result<Exit, Exit> {
    let path = path(given)?;
    let Loaded { report, database, listen, .. } = config::load(&path);
    if !path.exists() {
        return Err(print_diagnostics(&path, &report));
    }
    let (text, exit) = check(&listen, &database);
    print_text(&text);
    Ok(exit)
}

/// Which feeds `status` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// All, or those that are named.
    All,
    /// Only those of them that need attention.
    Failing,
}

/// `status`: a table of feeds, or JSON.
pub(super) fn show_status(
    config: Option<&Path>,
    (named, listed): (&[String], Listed),
    format: Format,
) -> Result<Exit, Exit> {
    let (reader, config) = config_file::database_with_config(config)?;
    let now = Clock::system().now();
    let mut feeds =
        reader.read(|reader| known::statuses(config.as_ref(), reader, now)).map_err(failed)?;
    if let Some(unknown) = named.iter().find(|name| known::named_in(&feeds, name).is_none()) {
        let ids = feeds.iter().map(|feed| feed.info.id.as_str());
        return Err(report(&known::unknown(unknown, ids)));
    }
    let names: Vec<FeedName<'_>> = named.iter().map(|name| FeedName::new(name)).collect();
    let is_named = |FeedInfo { id, url, .. }: &FeedInfo| names.iter().any(|it| it.is_of(id, url));
    feeds.retain(|feed| named.is_empty() || is_named(&feed.info));
    // Lists are not part of a question about feeds.
    let mut lists = if named.is_empty() { lists(config.as_ref(), now) } else { Vec::new() };
    let incidents =
        if named.is_empty() { own_incidents(&reader).map_err(failed)? } else { Vec::new() };
    let exit = status::overall(&feeds, (&lists, &incidents), now).0;
    // A list that is missing may be why there are no feeds.
    let is_explained = feeds.is_empty() && lists.iter().any(ListStatus::needs_attention);
    let unpolled = status::unpolled(&feeds, now).filter(|_| !is_explained);
    let unpolled = unpolled.map_or_else(String::new, |(_, why)| format!("{why}\n"));
    if listed == Listed::Failing {
        feeds.retain(|feed| judge(feed, now).needs_attention);
        lists.retain(ListStatus::needs_attention);
        let is_any = !(feeds.is_empty() && lists.is_empty() && incidents.is_empty());
        if !is_any && format == Format::Text {
            print(&format!("no feed needs attention\n{unpolled}"));
            return Ok(exit);
        }
    }
    let from = now.as_second().div_euclid(86_400) - 14;
    let subscribers = reader.read(|reader| reader.subscriber_counts(from)).map_err(failed)?;
    match format {
        Format::Json => {
            print(&format!("{:#}\n", status::json(&feeds, &lists, &subscribers, now)));
        }
        Format::Text => {
            let table = status::table(&feeds, now, terminal::width(&io::stdout()));
            let (lists, own) =
                (status::failing_lists(&lists, now), status::own_incidents(&incidents));
            print_text(&format!("{table}{unpolled}{lists}{own}"));
        }
    }
    Ok(exit)
}

/// What keeps Newswire itself from storing or publishing, as the daemon or the last `poll` recorded it.
fn own_incidents(reader: &Reader) -> Result<Vec<Incident>, store::Error> {
    let mut incidents = reader.read(|reader| reader.incidents(0))?;
    incidents.retain(status::is_own);
    Ok(incidents)
}

/// The followed lists; without a config none are known.
fn lists(config: Option<&Config>, now: Timestamp) -> Vec<ListStatus> {
    config.map(|config| daemon::list_statuses(&config.followed, now)).unwrap_or_default()
}

/// Added to the line of a config that has errors, such as a followed list in a file that was never readable.
const CONFIG_ERRORS: &str = "the config has errors: run 'newswire check'";

/// Whether this user may not read a file.
fn is_denied(path: &Path) -> bool {
    File::open(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// `status --check`: one line; a database that cannot be read is critical, and a config that cannot be found unknown.
pub(super) fn check_status(config: Option<&Path>) -> Result<Exit, Exit> {
    let path = match config_file::find(config) {
        Ok(path) => path,
        Err(error) => {
            print(&status::plugin_line(Exit::Unknown, &error.to_string()));
            return Ok(Exit::Unknown);
        }
    };
    let Loaded { config, database, .. } = config::load(&path);
    let now = Clock::system().now();
    let feeds = Reader::open(&database).map_err(daemon::Error::from).and_then(|reader| {
        let feeds = reader.read(|reader| known::statuses(config.as_ref(), reader, now))?;
        Ok((feeds, own_incidents(&reader)?))
    });
    let (exit, line) = match feeds {
        Ok((feeds, own)) => status::overall(&feeds, (&lists(config.as_ref(), now), &own), now),
        // Of another user: nothing is known.
        Err(error) if is_denied(&database) => (Exit::Unknown, error.to_string()),
        Err(error) => (Exit::Down, error.to_string()),
    };
    let (exit, line) = match (config, exit) {
        (Some(_), exit) => (exit, line),
        (None, Exit::Ok) => (Exit::Degraded, format!("{line}; {CONFIG_ERRORS}")),
        (None, exit) => (exit, format!("{line}; {CONFIG_ERRORS}")),
    };
    print(&status::plugin_line(exit, &line));
    Ok(exit)
}

/// Time limit for connecting, sending and receiving.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest response that is read, in bytes.
const MAX_RESPONSE: u64 = 64 * 1024;

/// Asks the daemon that uses the database over its control socket. If a process uses the database and its socket cannot be
/// used, requests `/readyz` at the first configured address: another server may answer there, also another Newswire.
fn check(listen: &[ListenAddress], database: &Path) -> (String, Exit) {
    let reason = match send(database, &Request::Ready, |_| ()) {
        Ok(Reply::Done { message, .. }) => {
            if let Some(answer) = interpret(&message) {
                return answer;
            }
            "the answer over the control socket is of another version".to_owned()
        }
        Ok(Reply::Failed(reason)) => reason,
        Ok(_) => "the answer over the control socket is of another version".to_owned(),
        Err(error @ ControlError::Timeout { .. }) => {
            let help = error.help().unwrap_or_default();
            return (format!("down: {error}; {help}\n"), Exit::Down);
        }
        Err(error) => error.to_string(),
    };
    let path = database.display();
    match store::usage(database) {
        Usage::Unused => (format!("down: no process uses {path}\n"), Exit::Down),
        Usage::InUse => over_http(listen, &format!("a process uses {path}, but {reason}")),
        Usage::Unknown(error) => {
            let reason = format!(
                "it is unknown whether a process uses {path}: {error}; run the command as the user of the daemon"
            );
            over_http(listen, &reason)
        }
    }
}

/// The answer of the web server, because of `reason`.
fn over_http(listen: &[ListenAddress], reason: &str) -> (String, Exit) {
    let unknown = |why: String| (format!("unknown: {why}; {reason}\n"), Exit::Degraded);
    let Some(listen) = listen.first() else {
        return unknown("[web] listen is \"off\"".to_owned());
    };
    let address = listen.reachable().map_or_else(|| listen.to_string(), |at| at.to_string());
    match get(listen, "/readyz") {
        Ok(response) => match of_response(&response) {
            Some((text, exit)) => (format!("{text}asked at {address}: {reason}\n"), exit),
            None => unknown(format!("the server at {address} is not Newswire")),
        },
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            (too_late(&address), Exit::Down)
        }
        Err(error) => unknown(format!("no response from {address}: {error}")),
    }
}

/// The text for a server that accepts connections, or drops them, and does not answer.
fn too_late(address: &str) -> String {
    let seconds = TIMEOUT.as_secs();
    format!(
        "down: no response from {address} within {seconds} s: it is busy or was stopped by a signal; check the log of the daemon\n"
    )
}

/// Sends a GET request and returns the response as text.
fn get(listen: &ListenAddress, path: &str) -> io::Result<String> {
    match (listen, listen.reachable()) {
        (ListenAddress::Unix { path: socket, .. }, _) => {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            exchange(stream, path)
        }
        (_, Some(address)) => {
            let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            exchange(stream, path)
        }
        (_, None) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

fn exchange(mut stream: impl io::Read + io::Write, path: &str) -> io::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response)?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

/// What a response of `/readyz` says; `None`: it is not one of Newswire.
fn of_response(response: &str) -> Option<(String, Exit)> {
    let (head, body) = response.split_once("\r\n\r\n")?;
    let expected = match head.split(' ').nth(1)? {
        "200" => Exit::Ok,
        "503" => Exit::Degraded,
        _ => return None,
    };
    interpret(body).filter(|(_, exit)| *exit == expected)
}

/// The lines of `/readyz` with the text and the remedy of each code; `None`: they are not those of Newswire.
fn interpret(lines: &str) -> Option<(String, Exit)> {
    let exit = if lines.lines().next()? == "ready" { Exit::Ok } else { Exit::Degraded };
    lines.lines().map(reason).collect::<Option<String>>().map(|text| (text, exit))
}

/// A line of `/readyz` with the text and the remedy of its code; `None`: it has none.
fn reason(line: &str) -> Option<String> {
    let (severity, slug) = match line.strip_prefix("warning: ") {
        Some(slug) => ("warning", slug),
        None if line == "ready" => return Some("ready\n".to_owned()),
        None => ("degraded", line),
    };
    if let Some(problem) = Problem::ALL.iter().find(|problem| problem.slug() == slug) {
        let (text, remedy) = (problem.text(), problem.remedy());
        return Some(format!("{severity}: {slug}: {text}. {remedy}\n"));
    }
    let is_stalled = |part: &Part| slug.strip_suffix("_stalled") == Some(part.slug());
    Part::ALL.iter().any(is_stalled).then(|| format!("{severity}: {slug}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_becomes_a_line_and_an_exit_code() {
        let of = |text| of_response(text).unwrap();
        assert_eq!(of("HTTP/1.1 200 OK\r\nA: b\r\n\r\nready\n"), ("ready\n".to_owned(), Exit::Ok));
        let warned = of("HTTP/1.1 200 OK\r\n\r\nready\nwarning: config_rejected\n");
        let expected = "ready\nwarning: config_rejected: the config has errors; the previous config still applies. \
                        Run 'newswire check'.\n";
        assert_eq!(warned, (expected.to_owned(), Exit::Ok));
        let (text, exit) = of("HTTP/1.1 503 x\r\n\r\nstore_full\nweb_stalled\n");
        assert_eq!(exit, Exit::Degraded);
        assert_eq!(
            text,
            "degraded: store_full: the file system of the database is full. Free space on that file system.\n\
             degraded: web_stalled\n"
        );
    }

    #[test]
    fn the_answer_of_another_server_is_not_one() {
        for other in [
            "",
            "HTTP/1.1 404 Not Found\r\n\r\n",
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nok\n",
            "HTTP/1.1 200 OK\r\n\r\n<html>ready</html>\n",
            "HTTP/1.1 200 OK\r\n\r\nstore_full\n",
            "HTTP/1.1 503 x\r\n\r\nready\n",
            "HTTP/1.1 503 x\r\n\r\nweb_stalled\x1b[1m\n",
        ] {
            assert_eq!(of_response(other), None, "{other}");
        }
    }

    #[test]
    fn a_server_that_does_not_answer_is_down() {
        assert_eq!(
            too_late("127.0.0.1:8420"),
            "down: no response from 127.0.0.1:8420 within 5 s: it is busy or was stopped by a signal; check the log of \
             the daemon\n"
        );
    }

    #[test]
    fn a_process_that_uses_the_database_is_not_down() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("newswire.db");
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let lock = std::fs::File::create(folder.path().join("newswire.db.lock")).unwrap();
        let socket = ListenAddress::Unix { path: folder.path().join("no.sock"), mode: 0o600 };
        for listen in [vec![], vec![unused.into()], vec![socket]] {
            let (text, exit) = check(&listen, &database);
            assert!(exit == Exit::Down && text.starts_with("down: "), "{text}");
            lock.lock().unwrap();
            let (text, exit) = check(&listen, &database);
            assert!(exit == Exit::Degraded && text.starts_with("unknown: "), "{text}");
            lock.unlock().unwrap();
        }
    }
}
