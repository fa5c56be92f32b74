//! Sets up logging: text on a terminal, the journal under systemd, JSON else. Keeps what is counted
//! ([`Metrics`]) and the signs of life ([`Vitals`]).
//!
//! Leaves what is said to the rooms. One line a poll that changed something, one a change of a
//! feed's state, each an [`Event`]; the rest is debug.

mod escape;
mod event;
mod journal;
mod label;
mod metrics;
mod process;
mod sample;
#[cfg(test)]
mod tests;
pub mod vitals;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, reload};

use self::escape::{Json, Plain};
pub use self::event::Event;
use self::journal::Journal;

pub use self::metrics::{Entries, Metrics, Poll, Publication};
pub use self::process::max_fds;
pub use self::sample::{Exposition, FeedSample, Reload, Sample, StoreSample};
pub use self::vitals::{Part, Trouble, Vitals};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The journal under systemd, text on a terminal, else JSON.
    #[default]
    Auto,
    /// One readable line.
    Text,
    /// One JSON object a line.
    Json,
    /// systemd's journal, with fields.
    Journal,
}

/// `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The least severe level that is logged.
    pub level: LevelFilter,
    /// How a line looks.
    pub format: Format,
}

impl Default for Settings {
    fn default() -> Self {
        Self { level: LevelFilter::INFO, format: Format::Auto }
    }
}

/// Changes what is logged while newswire runs; clones change the same.
#[derive(Debug, Clone)]
pub struct Handle(reload::Handle<Targets, Registry>);

/// A word that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no level: error, warn, info, debug and trace are, also for one room: info,newswire::fetch=debug"
)]
pub struct UnknownLevel(String);

impl Handle {
    /// Logs from this level on.
    pub fn set_level(&self, level: LevelFilter) {
        self.set(targets(level));
    }

    /// Logs from this level on (`debug`), and from others in some rooms (`info,newswire::fetch=debug`).
    ///
    /// # Errors
    /// When a word is no level; then nothing has changed.
    pub fn set_levels(&self, levels: &str) -> Result<(), UnknownLevel> {
        let mut chosen = targets(LevelFilter::INFO);
        for word in levels.split(',').map(str::trim) {
            let (room, level) = word.split_once('=').unwrap_or((ROOT, word));
            let level: LevelFilter = level.parse().map_err(|_| UnknownLevel(word.to_owned()))?;
            chosen = chosen.with_target(room, level);
        }
        self.set(chosen);
        Ok(())
    }

    fn set(&self, targets: Targets) {
        // Fails only where a second call of `init` made it, or after the end.
        let _ = self.0.reload(targets);
    }
}

/// The target that all rooms share.
const ROOT: &str = "newswire";

/// Crates below us are chatty at info and tell of requests we did not log: warnings only.
fn targets(level: LevelFilter) -> Targets {
    Targets::new().with_target(ROOT, level).with_default(LevelFilter::WARN)
}

/// Starts logging to standard error or the journal; a second call changes nothing, and nor does what
/// it answers.
pub fn init(settings: Settings) -> Handle {
    let (levels, handle) = reload::Layer::new(targets(settings.level));
    let _ = Registry::default().with(layer(settings.format).with_filter(levels)).try_init();
    Handle(handle)
}

type Sink = Box<dyn Layer<Registry> + Send + Sync>;

/// The sink for `format`; falls back to text where the journal cannot be reached.
fn layer(format: Format) -> Sink {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
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
    // Every message says all on its own; its fields are for machines.
    let message = debug_fn(|writer, field, value| match field.name() {
        "message" => write!(Plain(writer), "{value:?}"),
        _ => Ok(()),
    });
    let base = tracing_subscriber::fmt::layer().fmt_fields(message).with_writer(writer);
    base.with_ansi(colours).with_target(false).boxed()
}

/// All fields at the top of the object.
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
