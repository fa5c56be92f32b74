//! JSON of feeds and incidents: one shape for `newswire status --json` and `/status.json`.
//!
//! `docs/reference/json.md` documents it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::judge::{Health, State};
use super::lists::{ListPlace, ListStatus};
use crate::model::{FeedStatus, Incident, Outcome, SubscriberCount};

/// A feed with its health. Times are RFC 3339 in UTC.
#[must_use]
pub fn feed(status: &FeedStatus, health: &Health) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    // A feed that is not loaded yet is due, without a time.
    let next_poll = status.next_poll().filter(|at| *at > Timestamp::UNIX_EPOCH);
    let remedy = health.remedy.as_ref().map(
        |remedy| json!({ "text": remedy.text, "toml": remedy.toml, "command": remedy.command }),
    );
    json!({
        "id": status.info.id.as_str(),
        "title": status.info.title,
        "url": status.info.url,
        "tags": status.info.tags,
        "state": health.state.slug(),
        "code": health.code,
        "text": health.text,
        "since": time(health.since),
        "needs_attention": health.needs_attention,
        "remedy": remedy,
        "items": status.items,
        "held_items": status.activity.held,
        "older_items": status.activity.older,
        "filtered_items": status.activity.filtered,
        "last_poll_at": time(status.last_poll_at),
        "last_outcome": status.last_outcome.map(Outcome::slug),
        "last_status": status.last_status,
        "last_message": status.last_message,
        "last_url": status.last_url,
        "last_success_at": time(status.last_success_at),
        "last_new_item_at": time(status.last_new_at),
        "consecutive_failures": status.failures,
        "failing_since": time(status.failing_since),
        "next_poll_at": time(next_poll),
        "next_poll_reason": status.reason.slug(),
        "next_poll_reason_text": status.reason_text,
        "format": status.dialect,
        "moved_to": status.address.effective.as_ref().map(|url| url.as_str()),
        "redirected_to": status.address.candidate.as_ref().map(|moved| moved.url.as_str()),
        "parse_warnings": status.parse_warnings,
    })
}

/// A followed list. Times are RFC 3339 in UTC.
#[must_use]
pub fn list(list: &ListStatus, now: Timestamp) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let failure = list.failure.as_ref();
    let state = if failure.is_some() { State::Failing } else { State::Ok };
    let (url, file) = match &list.place {
        ListPlace::Web(url) => (Some(url.as_str()), None),
        ListPlace::File(path) => (None, Some(path.to_string_lossy())),
    };
    json!({
        "url": url,
        "file": file,
        "state": state.slug(),
        "needs_attention": list.needs_attention(),
        "has_copy": list.has_copy,
        "last_request_at": time(list.last_request_at),
        "next_request_at": time(list.next_request_at),
        "code": failure.map(|failure| &failure.code),
        "text": list.text(now),
        "remedy": list.remedy(),
        "failing_since": time(failure.map(|failure| failure.since)),
        "consecutive_failures": failure.map_or(0, |failure| failure.failures),
    })
}

/// The number of subscribers of an output on one day.
#[must_use]
pub fn subscribers(count: &SubscriberCount) -> Value {
    json!({
        "output": count.output,
        "date": count.date(),
        "clients": count.clients,
        "reported": count.reported,
    })
}

/// An incident. Times are RFC 3339 in UTC.
#[must_use]
pub fn incident(incident: &Incident) -> Value {
    json!({
        "kind": incident.kind.slug(),
        "subject": incident.subject,
        "name": incident.name,
        "code": incident.state,
        "text": incident.text,
        "remedy": incident.remedy,
        "toml": incident.toml,
        "since": incident.since.to_string(),
        "opened_at": incident.opened_at.to_string(),
        "changed_at": incident.changed_at.to_string(),
        "resolved_at": incident.resolved_at.map(|at| at.to_string()),
    })
}
