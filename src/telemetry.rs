//! Sets up logging: text on a terminal, the journal under systemd, JSON else.
//!
//! Leaves what is said to the rooms. One line a poll that changed something, one a change of a
//! feed's state; the rest is debug.

pub mod vitals;

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

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

/// Starts logging to standard error or the journal; a second call changes nothing.
pub fn init(settings: Settings) {
    // Crates below us are chatty at info and tell of requests we did not log: warnings only.
    let targets =
        Targets::new().with_target("newswire", settings.level).with_default(LevelFilter::WARN);
    let _ = Registry::default().with(layer(settings.format).with_filter(targets)).try_init();
}

/// The sink for `format`; falls back to text where the journal cannot be reached.
fn layer(format: Format) -> Box<dyn Layer<Registry> + Send + Sync> {
    let text = || {
        let ansi = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        // Every message says all on its own; its fields are for machines.
        let message = debug_fn(|writer, field, value| match field.name() {
            "message" => write!(writer, "{value:?}"),
            _ => Ok(()),
        });
        let base = tracing_subscriber::fmt::layer().fmt_fields(message).with_writer(io::stderr);
        base.with_ansi(ansi).with_target(false).boxed()
    };
    let json = || {
        tracing_subscriber::fmt::layer().json().with_writer(io::stderr).with_target(false).boxed()
    };
    let journal = || match tracing_journald::layer() {
        Ok(layer) => layer.with_field_prefix(Some("NEWSWIRE".to_owned())).boxed(),
        Err(_) => text(),
    };
    match format {
        Format::Text => text(),
        Format::Json => json(),
        Format::Journal => journal(),
        // systemd sets JOURNAL_STREAM where standard error is the journal.
        Format::Auto if std::env::var_os("JOURNAL_STREAM").is_some() => journal(),
        Format::Auto if io::stderr().is_terminal() => text(),
        Format::Auto => json(),
    }
}
