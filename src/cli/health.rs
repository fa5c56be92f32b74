//! `newswire health`: asks the running daemon whether it is ready, for monitoring and containers. Exit codes: 0
//! ready, 1 degraded or unknown, 2 no response.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::exit::Exit;
use crate::daemon::control::{Reply, Request, send};
use crate::store::{self, Usage};
use crate::telemetry::Problem;
use crate::web::ListenAddress;

/// Time limit for connecting, sending and receiving.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest response that is read, in bytes.
const MAX_RESPONSE: u64 = 64 * 1024;

/// Requests `/readyz` at the first configured address. If nothing responds there, asks over the control socket; without
/// that, reports only whether a daemon uses the database.
pub(super) fn check(listen: &[ListenAddress], database: &Path) -> (String, Exit) {
    let Some(listen) = listen.first() else {
        return without_response("[web] listen is \"off\"", database);
    };
    let address = listen.reachable().map_or_else(|| listen.to_string(), |at| at.to_string());
    match get(listen, "/readyz") {
        Ok(response) => interpret(&response),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
            ) =>
        {
            without_response(&format!("no response from {address}: {error}"), database)
        }
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            (too_late(&address), Exit::Down)
        }
        Err(error) => (format!("down: no response from {address}: {error}\n"), Exit::Down),
    }
}

/// The text for a server that accepts connections, or drops them, and does not answer.
fn too_late(address: &str) -> String {
    let seconds = TIMEOUT.as_secs();
    format!(
        "down: no response from {address} within {seconds} s: it is busy or was stopped by a signal; check the log of the daemon\n"
    )
}

/// The result without a response of the web server: that of the control socket, if a daemon uses the database.
fn without_response(reason: &str, database: &Path) -> (String, Exit) {
    if let Ok(Reply::Done { message, .. }) = send(database, &Request::Ready, |_| ()) {
        let exit = if message.starts_with("ready\n") { Exit::Ok } else { Exit::Degraded };
        let mut text: String = message.lines().map(self::reason).collect();
        text.push_str(&format!("asked over the control socket: {reason}\n"));
        return (text, exit);
    }
    let path = database.display();
    match store::usage(database) {
        Usage::InUse => (
            format!(
                "unknown: a process uses {path}, but its health is unknown: {reason}; 'newswire status' shows the feeds\n"
            ),
            Exit::Degraded,
        ),
        Usage::Unused => (format!("down: {reason}; no process uses {path}\n"), Exit::Down),
        Usage::Unknown(error) => (
            format!(
                "unknown: {reason}, and it is unknown whether a process uses {path}: {error}; run the command as the user of the daemon\n"
            ),
            Exit::Degraded,
        ),
    }
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

fn interpret(response: &str) -> (String, Exit) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    match head.split(' ').nth(1) {
        Some("200") => (body.lines().map(reason).collect(), Exit::Ok),
        Some("503") => (body.lines().map(reason).collect(), Exit::Degraded),
        _ => ("down: the server at this address is not Newswire\n".to_owned(), Exit::Down),
    }
}

/// A line of the response with the text and the remedy of its code. Only characters of slugs are shown.
fn reason(line: &str) -> String {
    let (severity, slug) = match line.strip_prefix("warning: ") {
        Some(slug) => ("warning", slug),
        None if line == "ready" => return "ready\n".to_owned(),
        None => ("degraded", line),
    };
    let slug: String = slug.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').collect();
    match Problem::ALL.iter().find(|problem| problem.slug() == slug) {
        Some(problem) => format!("{severity}: {slug}: {}. {}\n", problem.text(), problem.remedy()),
        None => format!("{severity}: {slug}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_becomes_a_line_and_an_exit_code() {
        assert_eq!(
            interpret("HTTP/1.1 200 OK\r\nA: b\r\n\r\nready\n"),
            ("ready\n".to_owned(), Exit::Ok)
        );
        let warned = interpret("HTTP/1.1 200 OK\r\n\r\nready\nwarning: config_rejected\n");
        let expected = "ready\nwarning: config_rejected: the config has errors; the previous config still applies. \
                        Run 'newswire check'.\n";
        assert_eq!(warned, (expected.to_owned(), Exit::Ok));
        let (text, exit) = interpret("HTTP/1.1 503 x\r\n\r\nstore_full\nweb_stalled\x1b[1m\n");
        assert_eq!(exit, Exit::Degraded);
        assert_eq!(
            text,
            "degraded: store_full: the file system of the database is full. Free space on that file system.\n\
             degraded: web_stalledm\n"
        );
        for other in ["", "HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"] {
            assert_eq!(interpret(other).1, Exit::Down, "{other}");
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
