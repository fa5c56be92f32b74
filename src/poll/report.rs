//! Log and metrics of a poll: an event if items arrived or the state of the feed changed, otherwise a
//! debug message. For the commands that poll, the end of a poll as a line of text.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, info, warn};
use url::Url;

use super::end::{Held, PollEnd};
use super::gate::{Denial, Denied};
use super::reading::Reading;
use super::start::Target;
use crate::model::{Coded as _, FailureKind, FeedId, FetchOutcome, Outcome, Plan, ReasonKind};
use crate::schedule::NetworkState;
use crate::store::{FeedState, PollCounts, RegisteredFeed};
use crate::telemetry::{Event, ItemCounts, Metrics, Poll};
use crate::text::amounts::{ago, ahead};
use crate::text::chars::shortened;

/// A poll, as it is logged.
pub(super) struct PollReport<'a> {
    /// URL of the request.
    pub(super) asked: &'a Url,
    /// HTTP status, if there was a response.
    pub(super) status: Option<u16>,
    pub(super) outcome: &'a FetchOutcome,
    pub(super) recorded: PollCounts,
    pub(super) plan: &'a Plan,
    pub(super) duration: Duration,
    /// Target of a new permanent redirect.
    pub(super) moved: Option<&'a Url>,
}

/// State of a feed whose changes are logged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Failing,
    Throttled,
    Gone,
}

impl State {
    fn before(feed: &FeedState) -> Self {
        match (feed.failures, feed.last_outcome) {
            (0, _) => Self::Ok,
            (_, Some(Outcome::Throttled)) => Self::Throttled,
            (_, Some(Outcome::Gone)) => Self::Gone,
            _ => Self::Failing,
        }
    }

    fn after(outcome: &FetchOutcome) -> Self {
        match outcome {
            FetchOutcome::Modified | FetchOutcome::NotModified => Self::Ok,
            FetchOutcome::Throttled => Self::Throttled,
            FetchOutcome::Gone => Self::Gone,
            FetchOutcome::Failed(_) => Self::Failing,
        }
    }
}

/// Logs a poll. A permanent redirect and held items are separate events.
pub(super) fn log(target: &Target, feed_before: &FeedState, polled: &PollReport<'_>) {
    let (feed, url) = (target.id.as_str(), polled.asked.as_str());
    let (status, outcome) = (polled.status, polled.outcome.slug());
    let code = match polled.outcome {
        FetchOutcome::Failed(failure) => Some(failure.kind.slug()),
        _ => None,
    };
    let PollCounts { new, changed, .. } = polled.recorded;
    let duration_ms = u64::try_from(polled.duration.as_millis()).unwrap_or(u64::MAX);
    let next = polled.plan.at.to_string();
    /// An event with the common fields. Fields without value are omitted.
    macro_rules! event {
        ($level:ident, $event:ident, $reason:expr, $message:literal) => {
            $level!(
                event = Event::$event.slug(),
                feed,
                url,
                status,
                code,
                duration_ms,
                new,
                changed,
                outcome,
                next,
                text = $reason,
                $message
            )
        };
    }
    log_held_and_moved(target, feed_before, polled);
    // While this machine is offline, the state of feeds is unknown.
    if polled.plan.reason.kind == ReasonKind::Offline {
        return debug!(feed, url, outcome, duration_ms, next, "feed polled while offline");
    }
    let none = None::<&str>;
    let reason = Some(polled.plan.reason.text.as_str());
    match (State::before(feed_before), State::after(polled.outcome)) {
        (State::Ok, State::Ok) if new + changed > 0 => {
            event!(info, FeedChanged, none, "feed changed");
        }
        (before, after) if before == after => {
            debug!(feed, url, status, outcome, duration_ms, next, "feed polled");
        }
        (_, State::Ok) => event!(info, FeedRecovered, none, "feed recovered"),
        (_, State::Throttled) => event!(warn, FeedThrottled, reason, "feed throttled"),
        (_, State::Gone) => event!(warn, FeedGone, reason, "feed gone"),
        (_, State::Failing) => {
            let failure = match polled.outcome {
                FetchOutcome::Failed(failure) => Some(failure.to_string()),
                _ => None,
            };
            event!(warn, FeedFailing, failure, "feed failing");
        }
    }
}

/// Logs a poll that a promise ended.
pub(super) fn log_held(target: &Target, denied: &Denied, plan: &Plan, now: Timestamp) {
    let (feed, url, next) = (target.id.as_str(), denied.url.as_str(), plan.at.to_string());
    let response_url = match &denied.reason {
        Denial::Demand(promise) => Some(promise.response_url.as_str()),
        Denial::Recent { .. } => None,
    };
    // Not that of the plan, which a command does not change.
    let reason = denial(&denied.reason, now);
    debug!(feed, url, response_url, reason, next, "poll held");
}

/// Logs held items and a permanent redirect.
fn log_held_and_moved(target: &Target, before: &FeedState, polled: &PollReport<'_>) {
    let (feed, url) = (target.id.as_str(), polled.asked.as_str());
    let PollCounts { new, guid_changes, held, .. } = polled.recorded;
    if held > 0 && before.items > 0 {
        let help = format!("newswire release {feed}");
        warn!(
            event = Event::ItemsHeld.slug(),
            feed, url, new, guid_changes, held, help, "too many new items at once, items held"
        );
    }
    if let Some(to) = polled.moved.map(Url::as_str) {
        let url = target.subscription.feed.url.as_str();
        let help = "put the new URL into the config";
        warn!(event = Event::FeedMoved.slug(), feed, url, to, help, "feed moved permanently");
    }
}

/// Logs what was noticed of a feed when the config was applied.
pub(crate) fn log_registered(feed: &RegisteredFeed) {
    if feed.is_reset {
        log_reset(&feed.id);
    }
    if let RegisteredFeed { id: feed, successor_of: Some(before), .. } = feed {
        let help = format!("if it is the same feed, add id = \"{before}\" to its [[feed]]");
        warn!(%feed, %before, help, "new feed on the host of a feed that left the config, whose stories leave the outputs");
    }
}

/// Logs that the state of a feed was damaged.
pub(super) fn log_reset(feed: &FeedId) {
    let help = "'newswire verify' checks the database";
    warn!(%feed, help, "state of a feed damaged, the complete document is requested");
}

/// Logs a change of the network state.
pub(super) fn log_network(before: NetworkState, now: NetworkState) {
    match (before, now) {
        (NetworkState::Online, NetworkState::Offline) => {
            warn!(event = Event::Offline.slug(), "network unreachable, failures are not counted");
        }
        (NetworkState::Offline, NetworkState::Online) => {
            info!(event = Event::Online.slug(), "network reachable again");
        }
        _ => {}
    }
}

/// Metrics of a poll that are known before it is stored.
#[derive(Debug)]
pub(super) struct PollMetrics {
    bytes: u64,
    items: usize,
    dropped: usize,
    delays: Vec<Duration>,
}

impl PollMetrics {
    pub(super) fn new(
        before: &FeedState,
        bytes: u64,
        reading: Option<&Reading>,
        now: Timestamp,
    ) -> Self {
        let Some(reading) = reading else {
            return Self { bytes, items: 0, dropped: 0, delays: Vec::new() };
        };
        // At the first poll of a feed the age of its items is not a delay.
        let news = reading.brought.new.iter().filter(|new| before.items > 0 && new.held.is_none());
        let delay = |published: Timestamp| {
            Duration::try_from(now.duration_since(published)).unwrap_or_default()
        };
        let delays = news.filter_map(|new| new.item.published.map(delay)).collect();
        Self { bytes, items: reading.items, dropped: reading.dropped, delays }
    }

    /// Adds the stored poll to the metrics.
    pub(super) fn count(
        &self,
        metrics: &Metrics,
        outcome: &FetchOutcome,
        recorded: PollCounts,
        took: Duration,
    ) {
        let PollCounts { new, changed, held, filtered, .. } = recorded;
        let items = ItemCounts {
            new,
            changed,
            unchanged: self.items.saturating_sub(new + changed + held + filtered),
            held,
            filtered,
            dropped: self.dropped,
        };
        metrics.polled(&Poll {
            outcome: outcome.slug(),
            blocked: blocked(outcome),
            duration: took,
            received_bytes: self.bytes,
            items,
            delivery_delays: &self.delays,
        });
        if matches!(outcome, FetchOutcome::Failed(failure) if failure.kind == FailureKind::Panicked)
        {
            metrics.panicked();
        }
    }
}

/// Slug of the failure, if newswire itself blocked the request or a redirect.
fn blocked(outcome: &FetchOutcome) -> Option<&'static str> {
    match outcome {
        FetchOutcome::Failed(failure) => match failure.kind {
            FailureKind::BlockedAddress | FailureKind::BadUrl | FailureKind::InsecureRedirect => {
                Some(failure.kind.slug())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The result of one feed.
#[must_use]
pub fn result_line(id: &FeedId, end: &PollEnd, now: Timestamp) -> String {
    let polled = match end {
        PollEnd::Polled(polled) => polled,
        PollEnd::Held(Held { denied, .. }) => {
            return format!("{id}: held: {}; --force polls it", denial_line(denied, now));
        }
    };
    let document = polled.document_at.map_or_else(String::new, |at| {
        format!(", from the document that was requested {}", ago(at, now))
    });
    match &polled.outcome {
        FetchOutcome::Failed(failure) => {
            let help = failure.help.as_deref();
            let help = help.map_or_else(String::new, |help| format!("; {help}"));
            format!("{id}: failed ({}): {failure}{help}", failure.code())
        }
        FetchOutcome::Throttled | FetchOutcome::Gone => {
            format!("{id}: {}, {}", polled.outcome.slug(), polled.plan.reason.text)
        }
        FetchOutcome::NotModified => format!("{id}: not modified{document}"),
        FetchOutcome::Modified => {
            let PollCounts { new, changed, filtered, .. } = polled.recorded;
            let filtered = match filtered {
                0 => String::new(),
                filtered => format!(", {filtered} filtered"),
            };
            let held = match polled.burst {
                0 => String::new(),
                burst => format!("; {burst} held: newswire release {id}"),
            };
            format!("{id}: {new} new, {changed} changed{filtered}{document}{held}")
        }
    }
}

/// Until when a URL is not requested, and why.
#[must_use]
pub fn denial_line(denied: &Denied, now: Timestamp) -> String {
    let until = denied.until.strftime("%Y-%m-%d %H:%M:%SZ");
    let url = shortened(denied.url.as_str());
    let why = denial(&denied.reason, now);
    format!("{url} is not requested before {until}, {}: {why}", ahead(denied.until, now))
}

fn denial(reason: &Denial, now: Timestamp) -> String {
    match reason {
        Denial::Demand(promise) => {
            format!("{} of {}", promise.reason, shortened(promise.response_url.as_str()))
        }
        Denial::Recent { at, .. } => format!("requested {}", ago(*at, now)),
    }
}
