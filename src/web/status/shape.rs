//! Parts that the operator's pages have in common: times and remedies as a template shows them.

use jiff::Timestamp;
use url::Url;

use crate::health::Remedy;
use crate::model::FeedInfo;
use crate::text::amounts;

pub(super) use crate::text::amounts::ahead;

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
            ago: if at > now { amounts::ahead(at, now) } else { amounts::ago(at, now) },
        }
    }
}

/// What to call a feed where many stand together: one without a title is called after its host, and
/// many may be of one.
pub(super) fn name(info: &FeedInfo) -> String {
    let host = Url::parse(&info.url).ok();
    match host.as_ref().and_then(Url::host_str) {
        Some(host) if host == info.title => info.id.to_string(),
        _ => info.title.clone(),
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
