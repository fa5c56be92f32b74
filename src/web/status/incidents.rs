//! The feed of incidents as a page, `/health.atom` in a browser: what lasts, and what is resolved.

use askama::Template;

use super::snapshot::Snapshot;
use crate::model::Incident;
use crate::web::parts::{RemedyParts, Time};

/// Maximum number of resolved incidents that are shown.
const MAX_RESOLVED: usize = 50;

#[derive(Template)]
#[template(path = "incidents.html", config = "src/web/askama.toml")]
struct Incidents {
    root: &'static str,
    /// Open incidents, the latest first.
    open: Vec<Shown>,
    resolved: Vec<Shown>,
    version: &'static str,
}

struct Shown {
    kind: &'static str,
    name: String,
    text: String,
    remedy: RemedyParts,
    /// Start, or for a resolved incident the end.
    at: Time,
}

/// The page as HTML.
pub(super) fn render(snapshot: &Snapshot) -> Result<String, askama::Error> {
    let shown = |incident: &Incident| Shown {
        kind: incident.kind.word(),
        name: incident.name.clone(),
        text: incident.text.clone(),
        remedy: RemedyParts {
            text: incident.remedy.clone(),
            toml: incident.toml.clone().unwrap_or_default(),
            command: String::new(),
        },
        at: Time::new(incident.resolved_at.unwrap_or(incident.since), snapshot.now),
    };
    let (mut open, mut resolved): (Vec<&Incident>, Vec<&Incident>) =
        snapshot.incidents.iter().partition(|incident| incident.resolved_at.is_none());
    open.sort_by_key(|incident| std::cmp::Reverse(incident.since));
    resolved.sort_by_key(|incident| std::cmp::Reverse(incident.resolved_at));
    Incidents {
        root: "",
        open: open.into_iter().map(shown).collect(),
        resolved: resolved.into_iter().take(MAX_RESOLVED).map(shown).collect(),
        version: env!("CARGO_PKG_VERSION"),
    }
    .render()
}
