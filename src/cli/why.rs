//! `newswire why FEED`: every input of the plan and which one won, the last polls, what is
//! remembered of the feed, and the gate of its host.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::words::{ago, ahead, bytes, span};
use crate::health::{Health, judge};
use crate::model::FeedStatus;
use crate::poll::Subscription;
use crate::store::{FeedHistory, FeedState, PollRecord};
use crate::text::amounts::count;

/// How many of the last polls are shown.
pub const POLLS: usize = 10;

/// All that there is to say of one feed.
#[derive(Debug)]
pub struct Why<'a> {
    /// How it is doing.
    pub status: &'a FeedStatus,
    /// What is remembered.
    pub state: &'a FeedState,
    /// The inputs of its plan.
    pub past: &'a FeedHistory,
    /// The last of them, the newest first.
    pub polls: &'a [PollRecord],
    /// The config's word.
    pub subscription: &'a Subscription,
}

impl Why<'_> {
    /// For people.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> String {
        let (status, mut text) = (self.status, String::new());
        let mut say = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<14} {value}");
        };
        say("feed", status.info.id.as_str());
        say("address", &status.info.url);
        if let Some(url) = &status.address.effective {
            say("", &format!("moved for good, asked at {url}: write it into the config"));
        }
        if let Some(moved) = &status.address.candidate {
            let since = ago(moved.since, now);
            say(
                "",
                &format!("says since {since} that it moved to {}: believed after 7d", moved.url),
            );
        }
        doing(&judge(status, now), &mut say);
        say("next poll", &format!("{}, {}", ahead(status.next_poll_at, now), status.next_poll_at));
        say("because", &status.reason_text);
        for input in &self.past.considered {
            let won = input.kind == status.reason && input.text == status.reason_text;
            let mark = if won { "  <- won" } else { "" };
            say("considered", &format!("{:>8}  {}{mark}", span(input.wait), input.text));
        }
        if status.failures > 0 {
            let since = status.failing_since.map_or_else(String::new, |at| ago(at, now));
            let times = count(status.failures.into(), "time");
            say("failing", &format!("{times} in a row, since {since}"));
        }
        let opaque = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map_or("none".to_owned(), |b| String::from_utf8_lossy(b).into_owned())
        };
        let validators = &self.state.response.validators;
        say("ETag", &opaque(&validators.etag));
        say("Last-Modified", &opaque(&validators.last_modified));
        if let Some(at) = self.state.trust.last_full_at {
            let doubt = if self.state.trust.unreliable {
                ", asked once a day: its 304s did not hold"
            } else {
                ""
            };
            say("whole answer", &format!("{}{doubt}", ago(at, now)));
        }
        let settings = &self.subscription.schedule;
        let site = crate::model::site(&self.subscription.feed.url);
        let gate = format!(
            "{site}: {} at once, {} between two starts",
            settings.per_host,
            span(settings.host_spacing.as_secs())
        );
        say("host gate", &gate);
        say("items", &status.items.to_string());
        for poll in self.polls {
            say("poll", &line(poll, now));
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self, now: Timestamp) -> Value {
        let opaque = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let (status, state) = (self.status, self.state);
        let settings = &self.subscription.schedule;
        let candidate = status.address.candidate.as_ref();
        let health = judge(status, now);
        json!({
            "id": status.info.id.as_str(),
            "state": health.state.slug(),
            "code": health.code,
            "text": health.text,
            "url": status.info.url,
            "effective_url": status.address.effective.as_ref().map(|url| url.as_str()),
            "moved_to": candidate.map(|moved| moved.url.as_str()),
            "moved_since": candidate.map(|moved| moved.since.to_string()),
            "next_poll_at": status.next_poll_at.to_string(),
            "reason": status.reason.slug(),
            "reason_text": status.reason_text,
            "considered": self.past.considered,
            "failures": status.failures,
            "etag": opaque(&state.response.validators.etag),
            "last_modified": opaque(&state.response.validators.last_modified),
            "whole_answer_at": state.trust.last_full_at.map(|at| at.to_string()),
            "distrusted": state.trust.unreliable,
            "host": {
                "site": crate::model::site(&self.subscription.feed.url),
                "at_once": settings.per_host,
                "spacing_seconds": settings.host_spacing.as_secs_f64(),
            },
            "items": status.items,
            "polls": self.polls.iter().map(|poll| json!({
                "at": poll.at.to_string(),
                "outcome": poll.outcome.slug(),
                "status": poll.status,
                "seconds": poll.duration.as_secs_f64(),
                "wire_bytes": poll.wire_bytes,
                "new_items": poll.new_items,
                "changed_items": poll.changed_items,
                "message": poll.message,
            })).collect::<Vec<_>>(),
        })
    }
}

/// How it is doing, and what to do.
fn doing(health: &Health, say: &mut impl FnMut(&str, &str)) {
    say("state", health.state.slug());
    if !health.text.is_empty() {
        say("", &health.text);
    }
    let Some(remedy) = &health.remedy else { return };
    say("what to do", &remedy.text);
    let toml = remedy.toml.as_deref().unwrap_or_default();
    for line in toml.lines().chain(remedy.command.as_deref()) {
        say("", &format!("    {line}"));
    }
}

fn line(poll: &PollRecord, now: Timestamp) -> String {
    let status = poll.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let mut line = format!(
        "{:>8}  {:<14} {status:>3}  {:>8}  {} new, {} changed",
        ago(poll.at, now),
        poll.outcome.slug(),
        bytes(poll.wire_bytes as f64),
        poll.new_items,
        poll.changed_items
    );
    if let Some(message) = &poll.message {
        let _ = write!(line, "  {message}");
    }
    line
}
