//! `newswire why`: explains when a feed is polled, or how an item was matched and where it is shown.
//!
//! Of a feed: the inputs of the poll schedule and the one that decided, the last polls, the validators, and the limits of the
//! host.

pub(super) mod item;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arguments::Format;
use super::exit::{CommandError, Exit};
use super::known;
use super::operator_decisions;
use super::terminal::failed;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::dedupe::{self, Difference};
use crate::health::{Health, judge};
use crate::model::{FeedStatus, ItemKey, Match, Removed, Rule};
use crate::outputs;
use crate::poll::Subscription;
use crate::store::{
    self, FeedHistory, FeedState, ItemHistory, ItemSummary, PollRecord, Transaction,
};
use crate::text::amounts::{ago, ahead, bytes, count, span};
use crate::text::quoted::in_quotes;

/// Text about the feed of this id or URL, or else about the item of this id, URL or number.
pub(super) fn explain(
    config: &Config,
    reader: &Transaction<'_>,
    name: &str,
    format: Format,
) -> Result<String, Exit> {
    let now = Clock::system().now();
    let statuses = known::statuses(Some(config), reader, now).map_err(failed)?;
    let status = known::named_in(&statuses, name);
    let subscription = status.and_then(|status| {
        config.subscriptions.iter().find(|s| s.feed.url.as_str() == status.info.url)
    });
    let Some((status, subscription)) = status.zip(subscription) else {
        let ids = statuses.iter().map(|status| status.info.id.as_str());
        return explain_item(config, reader, (name, ids), format);
    };
    let key = status.info.key;
    // A feed that was added since the last run is not in the database.
    let is_stored = reader.feeds().map_err(failed)?.iter().any(|feed| feed.key == key);
    let state = match is_stored {
        true => reader.feed_state(key).map_err(failed)?,
        false => FeedState::default(),
    };
    let polls = reader.polls(key, POLLS).map_err(failed)?;
    let past = reader.feed_histories().map_err(failed)?.remove(&key).unwrap_or_default();
    let filtered = reader.filtered_by_rule(key).map_err(failed)?;
    let (state, past, polls, filtered) = (&state, &past, &*polls, &*filtered);
    let why = Why { status, state, past, polls, filtered, subscription };
    Ok(match format {
        Format::Json => format!("{:#}\n", why.json(now)),
        Format::Text => why.text(now),
    })
}

fn explain_item<'i>(
    config: &Config,
    reader: &Transaction<'_>,
    (name, ids): (&str, impl Iterator<Item = &'i str>),
    format: Format,
) -> Result<String, Exit> {
    let now = Clock::system().now();
    let url_key = dedupe::canonical::url_key(name);
    let found = reader.find_items(name, url_key.as_ref()).map_err(failed)?;
    if found.is_empty() {
        let similar = config::nearest(name, ids).map(str::to_owned);
        return Err(failed(CommandError::UnknownTarget { name: name.to_owned(), similar }));
    }
    let item = operator_decisions::only(found, name).map_err(failed)?;
    let visibility = config.outputs.iter().map(|output| {
        let shown = outputs::select(reader, output, now)?;
        Ok((output.id.clone(), outputs::visibility(reader, (output, &shown), &item, now)?))
    });
    let visibility: Result<Vec<_>, outputs::Error> = visibility.collect();
    let visibility = visibility.map_err(failed)?;
    let history = reader.item_history(item.clone()).map_err(failed)?;
    let differences = differences(reader, &history).map_err(failed)?;
    let centre = centre(reader, &history).map_err(failed)?;
    let item = item::Why { history: &history, visibility: &visibility, differences, centre };
    Ok(match format {
        Format::Json => format!("{:#}\n", item.json()),
        Format::Text => item.text(now),
    })
}

/// For each match of an item that its words decided, the places where the two texts differ.
fn differences(
    reader: &Transaction<'_>,
    history: &ItemHistory,
) -> Result<Vec<Vec<Difference>>, store::Error> {
    let others = history.matches.iter().take(item::COMPARED).map(|(_, other, _)| other.key);
    let keys: Vec<ItemKey> = others.chain([history.item.key]).collect();
    let stored = reader.stored_items(&keys)?;
    let find = |key: ItemKey| stored.iter().find(|stored| stored.key == key);
    let between = |other: ItemKey| -> Vec<Difference> {
        let (Some(here), Some(there)) = (find(history.item.key), find(other)) else {
            return Vec::new();
        };
        dedupe::differences(&here.item, &there.item, item::DIFFERENCES)
    };
    let worded = |rule| !matches!(rule, Rule::SamePage | Rule::SameId | Rule::SameText);
    let of = |(matched, other, _): &(Match, ItemSummary, _)| {
        if worded(matched.rule) && (matched.same || matched.rule != Rule::SimilarText) {
            between(other.key)
        } else {
            Vec::new()
        }
    };
    Ok(history.matches.iter().map(of).collect())
}

/// The item of the story that matches the most others.
fn centre(
    reader: &Transaction<'_>,
    history: &ItemHistory,
) -> Result<Option<ItemKey>, store::Error> {
    let others = history.others.iter().map(|other| other.key);
    let keys: Vec<ItemKey> = others.chain([history.item.key]).collect();
    let matches = reader.item_matches(&keys)?;
    Ok(dedupe::centre(&reader.story_items(&keys)?, &matches))
}

/// Number of polls that are shown.
pub(super) const POLLS: usize = 10;

/// What is known about one feed.
#[derive(Debug)]
pub(super) struct Why<'a> {
    /// State, schedule and last poll.
    pub(super) status: &'a FeedStatus,
    /// Validators and their reliability.
    pub(super) state: &'a FeedState,
    /// The inputs of the schedule.
    pub(super) past: &'a FeedHistory,
    /// Number of items that each rule of its filters keeps out.
    pub(super) filtered: &'a [(String, u64)],
    /// The last polls, the newest first.
    pub(super) polls: &'a [PollRecord],
    /// The feed in the config, with its settings.
    pub(super) subscription: &'a Subscription,
}

impl Why<'_> {
    /// The report as text.
    #[must_use]
    pub(super) fn text(&self, now: Timestamp) -> String {
        let (status, mut text) = (self.status, String::new());
        let mut add = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<14} {value}");
        };
        add("feed", status.info.id.as_str());
        add("url", &status.info.url);
        if let Some(url) = &status.address.effective {
            add("", &format!("moved permanently and polled at {url}; write it into the config"));
        }
        if let Some(moved) = &status.address.candidate {
            let since = ago(moved.since, now);
            let text = "redirects permanently to";
            add("", &format!("{text} {} since {since}; accepted after 7 days", moved.url));
        }
        add_health(&judge(status, now), &mut add);
        let next = match (status.next_poll(), self.next_poll()) {
            (None, _) => "never".to_owned(),
            (Some(due), None) => ahead(due, now),
            (_, Some(at)) => format!("{}, {at}", ahead(at, now)),
        };
        add("next poll", &next);
        add("reason", &status.reason_text);
        for input in &self.past.considered {
            let decided = input.kind == status.reason && input.text == status.reason_text;
            let mark = if decided { "  <- decided" } else { "" };
            add("considered", &format!("{:>8}  {}{mark}", span(input.wait), input.text));
        }
        if status.failures > 0 {
            let since = status.failing_since.map_or_else(String::new, |at| ago(at, now));
            let times = count(status.failures.into(), "failure");
            add("failing", &format!("{times} in a row, the first {since}"));
        }
        add_validators(self.state, now, &mut add);
        let settings = &self.subscription.schedule;
        let site = crate::model::site(&self.subscription.feed.url);
        let limits = format!(
            "{site}: at most {} at a time, {} between the starts of two polls",
            count(settings.per_host as u64, "poll"),
            span(settings.host_spacing.as_secs())
        );
        add("host limits", &limits);
        add("items", &status.items.to_string());
        for (name, taken) in self.taken() {
            add(name, &taken);
        }
        for warning in &status.parse_warnings {
            add("parse warning", &format!("{} ({})", warning.message, warning.code));
        }
        for poll in self.polls {
            add("poll", &line(poll, now));
        }
        text
    }

    /// Time of the next poll; `None`: there is none, or the feed is due and not loaded yet.
    fn next_poll(&self) -> Option<Timestamp> {
        self.status.next_poll().filter(|at| *at > Timestamp::UNIX_EPOCH)
    }

    /// What filters keep out and selectors remove.
    fn taken(&self) -> Vec<(&'static str, String)> {
        let filtered = self.filtered.iter();
        let filtered = filtered
            .map(|(rule, items)| ("filtered", format!("{} by {rule}", count(*items, "item"))));
        filtered.chain(self.removed().map(|it| ("removed", removed_text(it)))).collect()
    }

    /// What the selectors of the config removed from the last document.
    fn removed(&self) -> impl Iterator<Item = &Removed> {
        let selectors = &self.subscription.remove;
        let is_set = |it: &&Removed| selectors.iter().any(|set| set.as_str() == it.selector);
        self.status.removed.iter().filter(is_set)
    }

    /// The report as JSON.
    #[must_use]
    pub(super) fn json(&self, now: Timestamp) -> Value {
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
            "parse_warnings": status.parse_warnings,
            "moved_to": status.address.effective.as_ref().map(|url| url.as_str()),
            "redirected_to": candidate.map(|moved| moved.url.as_str()),
            "redirected_since": candidate.map(|moved| moved.since.to_string()),
            "next_poll_at": self.next_poll().map(|at| at.to_string()),
            "next_poll_reason": status.reason.slug(),
            "next_poll_reason_text": status.reason_text,
            "considered": self.past.considered,
            "consecutive_failures": status.failures,
            "etag": opaque(&state.response.validators.etag),
            "last_modified": opaque(&state.response.validators.last_modified),
            "full_response_at": state.trust.last_full_at.map(|at| at.to_string()),
            "validator_use": state.trust.validator_use.slug(),
            "host": {
                "site": crate::model::site(&self.subscription.feed.url),
                "max_parallel": settings.per_host,
                "spacing_seconds": settings.host_spacing.as_secs_f64(),
            },
            "items": status.items,
            "filtered": self.filtered.iter().map(|(rule, items)| json!({
                "rule": rule,
                "items": items,
            })).collect::<Vec<_>>(),
            "removed": self.removed().collect::<Vec<_>>(),
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

/// What a selector removed: `3 elements of 2 items by .share: "Share this"`.
pub(super) fn removed_text(removed: &Removed) -> String {
    let Removed { selector, elements, items, example } = removed;
    let (elements, items) = (count(*elements as u64, "element"), count(*items as u64, "item"));
    let example =
        example.as_ref().map_or_else(String::new, |text| format!(": {}", in_quotes(text)));
    format!("{elements} of {items} by {selector}{example}")
}

/// Adds what makes the next request conditional.
fn add_validators(state: &FeedState, now: Timestamp, add: &mut impl FnMut(&str, &str)) {
    let opaque = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map_or("none".to_owned(), |b| String::from_utf8_lossy(b).into_owned())
    };
    let validators = &state.response.validators;
    add("ETag", &opaque(&validators.etag));
    add("Last-Modified", &opaque(&validators.last_modified));
    if let Some(at) = state.trust.last_full_at {
        let reason = state.trust.validator_use.reason();
        let reason = reason.map_or_else(String::new, |reason| format!("; {reason}"));
        add("full response", &format!("{}{reason}", ago(at, now)));
    }
}

/// State, cause and remedy.
fn add_health(health: &Health, add: &mut impl FnMut(&str, &str)) {
    add("state", health.state.slug());
    if !health.text.is_empty() {
        add("", &health.text);
    }
    let Some(remedy) = &health.remedy else { return };
    add("remedy", &remedy.text);
    let toml = remedy.toml.as_deref().unwrap_or_default();
    for line in toml.lines().chain(remedy.command.as_deref()) {
        add("", &format!("    {line}"));
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
    if let Some(message) = poll.text() {
        let _ = write!(line, "  {message}");
    }
    line
}
