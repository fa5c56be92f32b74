//! Parts that the operator's pages have in common: times and remedies as a template shows them.

use jiff::Timestamp;

use crate::health::Remedy;
use crate::model::words;

pub(super) use crate::model::words::ahead;

/// A moment for machines and for people.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// RFC 3339.
    pub(super) machine: String,
    /// In full.
    pub(super) date: String,
    /// How long ago.
    pub(super) ago: String,
}

impl Stamp {
    pub(super) fn of(at: Timestamp, now: Timestamp) -> Self {
        Self {
            machine: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            date: at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
            ago: if at > now { words::ahead(at, now) } else { words::ago(at, now) },
        }
    }
}

/// What to do, as a template shows it.
#[derive(Debug, Clone)]
pub(super) struct Remedied {
    pub(super) text: String,
    pub(super) toml: String,
    pub(super) command: String,
}

impl Remedied {
    pub(super) fn of(remedy: &Remedy) -> Self {
        Self {
            text: remedy.text.clone(),
            toml: remedy.toml.clone().unwrap_or_default(),
            command: remedy.command.clone().unwrap_or_default(),
        }
    }
}
