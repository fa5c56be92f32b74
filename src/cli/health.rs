//! `newswire health`: asks the newswire that runs whether it is of use. For monitors and containers:
//! 0 it is, 1 not fully or it cannot be told, 2 nobody answers.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::exit::Exit;
use crate::store;
use crate::telemetry::Problem;

/// Who lives answers at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer is a few words.
const ANSWER: u64 = 64 * 1024;

/// Asks at the address that the config has newswire listen on; where it listens nowhere, or elsewhere,
/// only whether it runs can be said.
pub(super) fn ask(listen: Option<SocketAddr>, database: &Path) -> (String, Exit) {
    let Some(listen) = listen else {
        return unheard("[web] listen is \"off\"", database);
    };
    let address = SocketAddr::new(reachable(listen.ip()), listen.port());
    match get(address, "/readyz") {
        Ok(answer) => judge(&answer),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            unheard(&format!("nobody answers at {address}: {error}"), database)
        }
        Err(error) => (format!("down: nobody answers at {address}: {error}\n"), Exit::Down),
    }
}

/// What can be said where nobody can be asked.
fn unheard(why: &str, database: &Path) -> (String, Exit) {
    match store::is_in_use(database) {
        true => (
            format!(
                "unknown: a newswire works on {}, and cannot be asked how it is: {why}; 'newswire status' tells of its feeds\n",
                database.display()
            ),
            Exit::Degraded,
        ),
        false => {
            (format!("down: {why}, and no newswire works on {}\n", database.display()), Exit::Down)
        }
    }
}

/// An address of this machine, where one listens on all of them.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

/// The whole answer as text.
fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn judge(answer: &str) -> (String, Exit) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => ("ready\n".to_owned(), Exit::Ok),
        Some("503") => (body.lines().map(reason).collect(), Exit::Degraded),
        _ => ("down: what answers there is no newswire\n".to_owned(), Exit::Down),
    }
}

/// A slug and what it means; only letters of a slug are shown.
fn reason(slug: &str) -> String {
    let slug: String = slug.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').collect();
    match Problem::ALL.iter().find(|trouble| trouble.slug() == slug) {
        Some(trouble) => format!("degraded: {slug}: {}. {}\n", trouble.text(), trouble.remedy()),
        None => format!("degraded: {slug}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_word_and_a_number() {
        let says = |answer: &str| judge(answer);
        assert_eq!(
            says("HTTP/1.1 200 OK\r\nA: b\r\n\r\nready\n"),
            ("ready\n".to_owned(), Exit::Ok)
        );
        let (text, exit) = says("HTTP/1.1 503 x\r\n\r\nstore_full\nweb_stalled\x1b[1m\n");
        assert_eq!(exit, Exit::Degraded);
        assert_eq!(
            text,
            "degraded: store_full: the file system of the database is full. Free space on that file system.\n\
             degraded: web_stalledm\n"
        );
        for other in ["", "HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"] {
            assert_eq!(says(other).1, Exit::Down, "{other}");
        }
    }

    #[test]
    fn who_listens_on_all_addresses_is_asked_on_one() {
        assert_eq!(reachable("0.0.0.0".parse().unwrap()).to_string(), "127.0.0.1");
        assert_eq!(reachable("::".parse().unwrap()).to_string(), "::1");
        assert_eq!(reachable("192.0.2.1".parse().unwrap()).to_string(), "192.0.2.1");
    }

    #[test]
    fn who_listens_nowhere_or_elsewhere_is_not_called_down_while_it_works() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("newswire.db");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let lock = std::fs::File::create(folder.path().join("newswire.db.lock")).unwrap();
        for listen in [None, Some(nobody)] {
            let (text, exit) = ask(listen, &database);
            assert!(exit == Exit::Down && text.starts_with("down: "), "{text}");
            lock.lock().unwrap();
            let (text, exit) = ask(listen, &database);
            assert!(exit == Exit::Degraded && text.starts_with("unknown: "), "{text}");
            lock.unlock().unwrap();
        }
    }
}
