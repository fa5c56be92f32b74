//! A feed and its health for programs: one shape for the command and the page.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::judge::Health;
use crate::model::{FeedStatus, Incident, Outcome};

/// One object; times are RFC 3339.
#[must_use]
pub fn feed(status: &FeedStatus, health: &Health) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let remedy = health.remedy.as_ref();
    json!({
        "id": status.info.id.as_str(),
        "title": status.info.title,
        "url": status.info.url,
        "tags": status.info.tags,
        "state": health.state.slug(),
        "cause": health.cause,
        "why": health.why,
        "remedy": remedy.map(|remedy| &remedy.text),
        "toml": remedy.and_then(|remedy| remedy.toml.as_ref()),
        "command": remedy.and_then(|remedy| remedy.command.as_ref()),
        "items": status.items,
        "held": status.activity.held,
        "older": status.activity.older,
        "last_poll_at": time(status.last_poll_at),
        "last_outcome": status.last_outcome.map(Outcome::slug),
        "last_status": status.last_status,
        "last_message": status.last_message,
        "last_url": status.last_url,
        "last_success_at": time(status.last_success_at),
        "last_new_at": time(status.last_new_at),
        "failures": status.failures,
        "failing_since": time(status.failing_since),
        "next_poll_at": status.next_poll_at.to_string(),
        "reason": status.reason.slug(),
        "reason_text": status.reason_text,
        "dialect": status.dialect,
        "effective_url": status.address.effective.as_ref().map(|url| url.as_str()),
        "moved_to": status.address.candidate.as_ref().map(|moved| moved.url.as_str()),
        "parse_warnings": status.parse_warnings,
    })
}

/// One object; times are RFC 3339.
#[must_use]
pub fn incident(incident: &Incident) -> Value {
    json!({
        "kind": incident.kind.slug(),
        "subject": incident.subject,
        "name": incident.name,
        "cause": incident.state,
        "text": incident.text,
        "remedy": incident.remedy,
        "toml": incident.toml,
        "since": incident.since.to_string(),
        "opened_at": incident.opened_at.to_string(),
        "changed_at": incident.changed_at.to_string(),
        "resolved_at": incident.resolved_at.map(|at| at.to_string()),
    })
}
