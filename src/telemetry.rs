//! The log, the metrics ([`Metrics`]) and the state of the process ([`Readiness`]).
//!
//! The log goes to the journal under systemd, as text to a terminal, else as JSON to standard error. What
//! is logged is decided by the rooms: at info level, each line is an [`Event`].

mod escape;
mod event;
mod journal;
mod metrics;
pub mod readiness;
mod sample;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, reload};

use self::escape::{Json, Plain, readable};
pub use self::event::Event;
use self::journal::Journal;

pub use self::metrics::{ItemCounts, Metrics, Poll, Publication, RequestKind};
pub use self::readiness::{Part, Problem, Readiness};
pub use self::sample::{
    Exposition, FeedSample, OutputSample, Reload, Sample, StoreSample, max_fds,
};

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
        Format::Auto if journal::is_standard_error() => layer(Format::Journal),
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
