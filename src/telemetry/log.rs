//! The log: its levels, its formats and where it goes.
//!
//! It goes to the journal under systemd, as text to a terminal, else as JSON to standard error. Texts are escaped, so that no
//! feed can end a line, colour a terminal or turn text round.
//!
//! The journal is written by its native protocol: one datagram per record. Every field has its length, so that
//! no value can end a field or start one. `tracing-journald` is not used: it prefixes every field, also `MESSAGE_ID`, and
//! passes control characters on, which `journalctl` shows as "blob data".

#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, reload};

use super::event::Event;
use crate::text::bidi;
use crate::text::quoted::with_marks;

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `Journal` under systemd, `Text` on a terminal, else `Json`.
    #[default]
    Auto,
    /// Lines for people: message and fields.
    Text,
    /// One JSON object per line.
    Json,
    /// Records of systemd's journal, with fields.
    Journal,
}

/// The section `[log]` of the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Least severe level that is logged.
    pub level: LevelFilter,
    /// Format of the log.
    pub format: Format,
}

impl Default for Settings {
    fn default() -> Self {
        Self { level: LevelFilter::INFO, format: Format::Auto }
    }
}

/// Changes the log levels of the running process; clones change the same.
#[derive(Debug, Clone)]
pub struct Handle(reload::Handle<Targets, Registry>);

/// A text that is not a log level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a log level; levels are error, warn, info, debug and trace")]
pub struct UnknownLevel(String);

impl Handle {
    /// Logs this level and more severe ones.
    pub fn set_level(&self, level: LevelFilter) {
        self.set(targets(level));
    }

    /// Logs a level (`debug`), and others in some rooms (`info,newswire::fetch=debug`).
    ///
    /// # Errors
    /// When a word is not a level. Nothing changes then.
    pub fn set_levels(&self, levels: &str) -> Result<(), UnknownLevel> {
        let mut chosen = targets(LevelFilter::INFO);
        for word in levels.split(',').map(str::trim) {
            let (room, level) = word.split_once('=').unwrap_or((ROOT, word));
            let level = level_of(level).map_err(|_| UnknownLevel(word.to_owned()))?;
            chosen = chosen.with_target(room, level);
        }
        self.set(chosen);
        Ok(())
    }

    fn set(&self, targets: Targets) {
        // Fails only for the handle of a second `init`, or at the end of the process.
        let _ = self.0.reload(targets);
    }
}

/// The level of this name: error, warn, info, debug or trace. The crate `tracing` has numbers and `off` too.
///
/// # Errors
/// When no level has this name.
pub fn level_of(name: &str) -> Result<LevelFilter, UnknownLevel> {
    const NAMES: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
    let is_known = NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
    let level = is_known.then(|| name.parse().ok()).flatten();
    level.ok_or_else(|| UnknownLevel(name.to_owned()))
}

/// Prefix of the targets of all rooms.
const ROOT: &str = "newswire";

/// Crates whose errors are the failure of a poll, which is logged once.
const SILENT: &[&str] = &["rustls", "rustls_platform_verifier", "tokio_rustls"];

/// Other crates log every request at info level: only their warnings are of use.
fn targets(level: LevelFilter) -> Targets {
    let targets = Targets::new().with_target(ROOT, level).with_default(LevelFilter::WARN);
    SILENT.iter().fold(targets, |targets, name| targets.with_target(*name, LevelFilter::OFF))
}

/// Starts logging to standard error or the journal. A second call has no effect, and its handle neither.
pub fn init(settings: Settings) -> Handle {
    let (levels, handle) = reload::Layer::new(targets(settings.level));
    let _ = Registry::default().with(layer(settings.format).with_filter(levels)).try_init();
    Handle(handle)
}

/// A layer that writes log lines.
type Sink = Box<dyn Layer<Registry> + Send + Sync>;

/// The sink for `format`; text if the journal cannot be reached.
fn layer(format: Format) -> Sink {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let is_plain = is_dumb || std::env::var_os("NO_COLOR").is_some();
    let colours = io::stderr().is_terminal() && !is_plain;
    match format {
        Format::Text => text(io::stderr, colours),
        Format::Json => json(io::stderr),
        Format::Journal => match Journal::open() {
            Ok(journal) => journal.boxed(),
            Err(_) => text(io::stderr, colours),
        },
        Format::Auto if is_standard_error() => layer(Format::Journal),
        Format::Auto if io::stderr().is_terminal() => text(io::stderr, colours),
        Format::Auto => json(io::stderr),
    }
}

fn text<W, F>(writer: F, colours: bool) -> Sink
where
    W: io::Write + 'static,
    F: Fn() -> W + Send + Sync + 'static,
{
    // The message comes first, see `tracing::event!`.
    let fields = debug_fn(|writer, field, value| match field.name() {
        "message" => write!(Plain(writer), "{value:?}"),
        name => write!(Plain(writer), "{}", readable(name, value)),
    });
    let base = tracing_subscriber::fmt::layer().fmt_fields(fields).with_writer(writer);
    base.event_format(Line { colours }).boxed()
}

/// Lines of time, level, message and fields.
struct Line {
    /// Whether levels are coloured.
    colours: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level();
        let (time, shown) = match self.colours {
            true => (Style::new().dimmed(), style(*level)),
            false => (Style::new(), Style::new()),
        };
        write!(writer, "{time}")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "{time:#} {shown}{level:>5}{shown:#} ")?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The style of a level on a terminal.
const fn style(level: Level) -> Style {
    match level {
        Level::ERROR => AnsiColor::Red.on_default(),
        Level::WARN => AnsiColor::Yellow.on_default(),
        Level::INFO => AnsiColor::Green.on_default(),
        Level::DEBUG => AnsiColor::Blue.on_default(),
        Level::TRACE => AnsiColor::Magenta.on_default(),
    }
}

/// One object per line, with all fields at its top level.
fn json<W, F>(writer: F) -> Sink
where
    W: io::Write + 'static,
    F: Fn() -> W + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(move || Json(writer()))
        .with_target(false)
        .boxed()
}

/// Whether the character could end a line, control a terminal or change the text direction: C0, DEL, C1,
/// the separators of lines and paragraphs, and the characters of UAX 9.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || bidi::is_control(c)
        || bidi::is_mark(c)
        || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A field of a log line for people: ` name=value`. Text with spaces or quotes is quoted. The event is
/// left out, because the message names it.
fn readable(name: &str, value: impl fmt::Debug) -> String {
    if name == "event" {
        return String::new();
    }
    let value = with_marks(&format!("{value:?}")).into_owned();
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let is_word = |text: &&str| !text.is_empty() && !text.contains([' ', '"', '\\']);
    format!(" {name}={}", inner.filter(is_word).unwrap_or(&value))
}

/// Writes text for people and for the journal, with hostile characters as `\n` or `\u{202e}`.
struct Plain<W>(W);

impl<W: fmt::Write> fmt::Write for Plain<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(is_hostile) {
            match part.chars().next_back().filter(|c| is_hostile(*c)) {
                Some(c) => {
                    self.0.write_str(&part[..part.len() - c.len_utf8()])?;
                    write!(self.0, "{}", c.escape_default())?;
                }
                None => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// Writes JSON with hostile characters as `\u202e`, which means the same. Each call gets whole objects.
struct Json<W>(W);

impl<W: io::Write> io::Write for Json<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Hostile characters are only inside strings; JSON writers leave DEL and non-ASCII ones as they are.
        let hostile = |c: char| !c.is_ascii() && is_hostile(c) || c == '\u{7f}';
        match std::str::from_utf8(bytes).ok().filter(|text| text.contains(hostile)) {
            Some(text) => {
                let mut escaped = String::with_capacity(text.len() + 16);
                for c in text.chars() {
                    if hostile(c) {
                        escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
                    } else {
                        escaped.push(c);
                    }
                }
                self.0.write_all(escaped.as_bytes())?;
            }
            None => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Socket of the journal.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Longest value of a field, in bytes. A record of ten fields fits into one datagram.
const MAX_VALUE: usize = 8 * 1024;
/// Time to wait for a journal that does not read, so that it cannot block a poll.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends each log line as one record.
struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The journal of this machine.
    ///
    /// # Errors
    /// When no journal listens.
    fn open() -> io::Result<Self> {
        Self::at(Path::new(SOCKET))
    }

    /// The journal that listens at `path`.
    ///
    /// # Errors
    /// When no journal listens.
    fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        // The journal ignores empty datagrams: this finds out whether it listens.
        socket.send_to(&[], path)?;
        Ok(Self { socket, path: path.to_owned() })
    }
}

/// Whether standard error is the journal. systemd passes its device and inode in `JOURNAL_STREAM`, which
/// children inherit even if their standard error is something else.
fn is_standard_error() -> bool {
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
