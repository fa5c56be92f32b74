//! systemd's journal, by its native protocol: one datagram a record, every field with its length, so
//! that no value can end a field or begin one.
//!
//! Done here because `tracing-journald` puts its prefix before every field, `MESSAGE_ID` too, and
//! passes control characters on, which `journalctl` then shows as "blob data".

use std::fmt::{self, Write as _};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::escape::Plain;
use super::event::Event;

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";
/// A record of some ten fields stays far below what one datagram may hold.
const LONGEST: usize = 8 * 1024;
/// A journal that does not read must not hold up a poll for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends each event as one record.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The journal of this machine.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(super) fn open() -> io::Result<Self> {
        Self::at(Path::new(SOCKET))
    }

    /// A journal that listens at `path`.
    ///
    /// # Errors
    /// When nobody does.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        // Nothing, which the journal passes over: tells whether it is there.
        socket.send_to(&[], path)?;
        Ok(Self { socket, path: path.to_owned() })
    }
}

/// Whether standard error is the journal: systemd names its device and inode in the environment,
/// which children inherit whatever became of their standard error.
pub(super) fn is_standard_error() -> bool {
    let stream = || {
        let file = std::fs::File::from(io::stderr().as_fd().try_clone_to_owned().ok()?);
        let meta = file.metadata().ok()?;
        Some(format!("{}:{}", meta.dev(), meta.ino()))
    };
    std::env::var("JOURNAL_STREAM").is_ok_and(|named| Some(named) == stream())
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut record = Record(Vec::with_capacity(512));
        // As syslog numbers them.
        record.put(
            "PRIORITY",
            &match *meta.level() {
                Level::ERROR => 3,
                Level::WARN => 4,
                Level::INFO => 6,
                _ => 7,
            },
        );
        record.put("SYSLOG_IDENTIFIER", &env!("CARGO_PKG_NAME"));
        if let (Some(file), Some(line)) = (meta.file(), meta.line()) {
            record.put("CODE_FILE", &file);
            record.put("CODE_LINE", &line);
        }
        event.record(&mut record);
        // There is nobody left to tell that it failed.
        let _ = self.socket.send_to(&record.0, &self.path);
    }
}

/// The fields of one event as the journal takes them.
struct Record(Vec<u8>);

impl Record {
    /// Name, line feed, length in 8 bytes, value, line feed.
    fn put(&mut self, name: &str, value: &dyn fmt::Display) {
        let mut text = String::new();
        let _ = write!(Plain(&mut text), "{value}");
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let value = &text.as_bytes()[..end];
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.put("MESSAGE", &format_args!("{value:?}")),
            name => {
                let name = format!("NEWSWIRE_{}", name.to_ascii_uppercase().replace('.', "_"));
                self.put(&name, &format_args!("{value:?}"));
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(event) = Event::from_slug(value).filter(|_| field.name() == "event") {
            self.put("MESSAGE_ID", &event.message_id());
        }
        self.record_debug(field, &format_args!("{value}"));
    }
}
