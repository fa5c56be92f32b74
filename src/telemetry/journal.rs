//! systemd's journal by its native protocol: one datagram per record. Every field has its length, so that
//! no value can end a field or start one.
//!
//! `tracing-journald` is not used: it prefixes every field, also `MESSAGE_ID`, and passes control
//! characters on, which `journalctl` shows as "blob data".

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

use super::escape::{Plain, readable};
use super::event::Event;

/// Socket of the journal.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Longest value of a field, in bytes. A record of ten fields fits into one datagram.
const MAX_VALUE: usize = 8 * 1024;
/// Time to wait for a journal that does not read, so that it cannot block a poll.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends each log line as one record.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The journal of this machine.
    ///
    /// # Errors
    /// When no journal listens.
    pub(super) fn open() -> io::Result<Self> {
        Self::at(Path::new(SOCKET))
    }

    /// The journal that listens at `path`.
    ///
    /// # Errors
    /// When no journal listens.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        // The journal ignores empty datagrams: this finds out whether it listens.
        socket.send_to(&[], path)?;
        Ok(Self { socket, path: path.to_owned() })
    }
}

/// Whether standard error is the journal. systemd passes its device and inode in `JOURNAL_STREAM`, which
/// children inherit even if their standard error is something else.
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
        let mut record = Record::default();
        // Severity of syslog, RFC 5424 6.2.1.
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
        // A failure cannot be reported anywhere else.
        let _ = self.socket.send_to(&record.finish(), &self.path);
    }
}

/// One record of the journal.
#[derive(Default)]
struct Record {
    bytes: Vec<u8>,
    /// Message of the line.
    message: String,
    /// Its fields for people, because `journalctl` shows `MESSAGE` alone.
    fields: String,
}

impl Record {
    /// Appends a field: name, line feed, length in 8 bytes, value, line feed.
    fn put(&mut self, name: &str, value: &dyn fmt::Display) {
        let mut text = String::new();
        let _ = write!(Plain(&mut text), "{value}");
        let mut end = text.len().min(MAX_VALUE);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let value = &text.as_bytes()[..end];
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(b'\n');
        self.bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.push(b'\n');
    }

    /// Appends a field of newswire.
    fn put_own(&mut self, name: &str, value: &dyn fmt::Display) {
        let name = format!("NEWSWIRE_{}", name.to_ascii_uppercase().replace('.', "_"));
        self.put(&name, value);
    }

    /// The complete datagram in the native journal protocol.
    fn finish(mut self) -> Vec<u8> {
        let message = format!("{}{}", self.message, self.fields);
        self.put("MESSAGE", &message);
        self.bytes
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => {
                self.fields.push_str(&readable(name, value));
                self.put_own(name, &format_args!("{value:?}"));
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(event) = Event::from_slug(value).filter(|_| field.name() == "event") {
            self.put("MESSAGE_ID", &event.message_id());
        }
        self.fields.push_str(&readable(field.name(), value));
        self.put_own(field.name(), &value);
    }
}
