//! The page of one feed: its state, its next poll, how it publishes, its polls and its items.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;

use crate::health::silence::{Gaps, threshold};
use crate::health::{Health, judge};
use crate::model::{Considered, FeedStatus, ItemKey, ParseWarning};
use crate::outputs::{Query, ServedOutput};
use crate::store::{FeedState, ItemFilter, ItemSummary, PollRecord, Transaction};
use crate::text::amounts::{ahead, bytes, span};
use crate::web::links::is_web;
use crate::web::parts::{RemedyParts, Time, feed_name};
use crate::web::site::Error;

/// Maximum number of polls.
const MAX_POLLS: usize = 50;
/// Maximum number of items in each list.
const MAX_ITEMS: usize = 50;
/// Width of the timeline, in units of the drawing.
const TIMELINE_WIDTH: f64 = 640.0;

#[derive(Template)]
#[template(path = "status_feed.html", config = "src/web/askama.toml")]
struct Page {
    root: &'static str,
    title: String,
    id: String,
    site: Option<String>,
    tags: Vec<String>,
    state: &'static str,
    state_name: &'static str,
    text: String,
    remedy: Option<RemedyParts>,
    next_poll: String,
    next_poll_at: Option<Time>,
    reason: String,
    inputs: Vec<Input>,
    stored: Vec<Fact>,
    addresses: Vec<Fact>,
    publishing: Vec<Fact>,
    timeline: Option<Timeline>,
    warnings: Vec<Warning>,
    /// Items that the burst guard holds.
    held: HiddenItems,
    /// Items that were old when the feed was added.
    older: HiddenItems,
    /// Items that filters keep out.
    filtered: HiddenItems,
    /// Numbers of filtered items by rule.
    rules: Vec<(String, u64)>,
    items: Vec<ItemRow>,
    polls: Vec<PollRow>,
    version: &'static str,
}

/// A name with its value.
struct Fact {
    name: &'static str,
    value: String,
}

impl Fact {
    fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }
}

/// An input of the poll plan.
struct Input {
    wait: String,
    text: String,
    /// Whether it decided the time of the next poll.
    decisive: bool,
}

/// The publication times of the newest items, as strokes on a line that ends now.
struct Timeline {
    from: Time,
    /// Positions from the left, in units of the drawing.
    strokes: Vec<f64>,
    description: String,
}

/// A parse warning of the last document.
struct Warning {
    code: String,
    message: String,
    place: String,
}

struct ItemRow {
    title: String,
    url: Option<String>,
    /// URL of the story page; `None`: no public output shows the item.
    story: Option<String>,
    at: Time,
}

/// Items that are not published: their number, and the newest of them.
#[derive(Default)]
struct HiddenItems {
    count: u64,
    items: Vec<ItemRow>,
}

struct PollRow {
    at: Time,
    outcome: String,
    success: bool,
    status: String,
    duration: String,
    size: String,
    result: String,
    message: String,
}

/// The page as HTML; `None`: no feed with this id.
pub(super) fn render(
    reader: &Transaction<'_>,
    outputs: &[Arc<ServedOutput>],
    id: &str,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let statuses = reader.feed_statuses()?;
    let Some(status) = statuses.into_iter().find(|status| status.info.id.as_str() == id) else {
        return Ok(None);
    };
    let key = status.info.key;
    let (state, considered) = (reader.feed_state(key)?, reader.plan_inputs(key)?);
    let polls = reader.polls(key, MAX_POLLS)?;
    let shown = reader.newest_summaries(key, ItemFilter::Shown, MAX_ITEMS)?;
    let hidden = reader.newest_summaries(key, ItemFilter::Held, MAX_ITEMS)?;
    let (older, held): (Vec<ItemSummary>, _) =
        hidden.into_iter().partition(|named| named.held.as_deref() == Some("history"));
    let filtered = reader.newest_summaries(key, ItemFilter::Filtered, MAX_ITEMS)?;
    let story_urls = story_urls(outputs, id)?;
    let page = Page {
        inputs: inputs(&status, &considered),
        stored: stored(&status, &state, now),
        addresses: addresses(&status, now),
        publishing: publishing(&status, now),
        timeline: timeline(&status, now),
        warnings: status.parse_warnings.iter().map(warning).collect(),
        held: hidden_items(status.activity.held, &held, now),
        older: hidden_items(status.activity.older, &older, now),
        filtered: hidden_items(status.activity.filtered, &filtered, now),
        rules: reader.filtered_by_rule(key)?,
        items: shown.iter().map(|named| item(named, &story_urls, now)).collect(),
        polls: polls.iter().map(|past| poll(past, now)).collect(),
        ..head(&status, &judge(&status, now), now)
    };
    Ok(Some(page.render()?))
}

/// The page with everything that the state of the feed gives.
fn head(status: &FeedStatus, health: &Health, now: Timestamp) -> Page {
    Page {
        root: "../",
        title: feed_name(&status.info),
        id: status.info.id.to_string(),
        site: status.info.profile.site_url.clone(),
        tags: status.info.tags.clone(),
        state: health.state.slug(),
        state_name: health.state.name(),
        text: health.text.clone(),
        remedy: health.remedy.as_ref().map(RemedyParts::new),
        next_poll: ahead(status.next_poll_at, now),
        next_poll_at: status.next_poll().map(|at| Time::new(at, now)),
        reason: status.reason_text.clone(),
        version: env!("CARGO_PKG_VERSION"),
        inputs: Vec::new(),
        stored: Vec::new(),
        addresses: Vec::new(),
        publishing: Vec::new(),
        timeline: None,
        warnings: Vec::new(),
        held: HiddenItems::default(),
        older: HiddenItems::default(),
        filtered: HiddenItems::default(),
        rules: Vec::new(),
        items: Vec::new(),
        polls: Vec::new(),
    }
}

fn hidden_items(count: u64, items: &[ItemSummary], now: Timestamp) -> HiddenItems {
    let no_stories = HashMap::new();
    HiddenItems { count, items: items.iter().map(|named| item(named, &no_stories, now)).collect() }
}

/// The URL of the story page of each newest item of the feed in a public output.
fn story_urls(outputs: &[Arc<ServedOutput>], id: &str) -> Result<HashMap<ItemKey, String>, Error> {
    let mut urls = HashMap::new();
    for output in outputs.iter().filter(|output| output.token.is_none()) {
        let Some(contents) = &output.contents else { continue };
        let of_feed = Query { feed: Some(id.to_owned()), ..Query::default() };
        for entry in contents.browse(&of_feed, MAX_ITEMS)?.entries {
            let url = || format!("../{}/story/{}", output.id, entry.key.0);
            urls.entry(entry.key).or_insert_with(url);
        }
    }
    Ok(urls)
}

fn inputs(status: &FeedStatus, considered: &[Considered]) -> Vec<Input> {
    let input = |input: &Considered| Input {
        wait: span(input.wait),
        decisive: input.kind == status.reason && input.text == status.reason_text,
        text: input.text.clone(),
    };
    considered.iter().map(input).collect()
}

/// What newswire has stored about the feed.
fn stored(status: &FeedStatus, state: &FeedState, now: Timestamp) -> Vec<Fact> {
    let header = |value: &Option<Vec<u8>>| {
        let text = value.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        text.unwrap_or_else(|| "none".to_owned())
    };
    let ago = |at: Option<Timestamp>| {
        at.map_or_else(|| "never".to_owned(), |at| Time::new(at, now).relative)
    };
    let validators = &state.response.validators;
    let distrust = state.trust.validator_use.reason();
    let distrust = distrust.map_or_else(String::new, |reason| format!("; {reason}"));
    let format = status.dialect.clone().unwrap_or_else(|| "unknown".to_owned());
    vec![
        Fact::new("Last successful poll", ago(status.last_success_at)),
        Fact::new("Last new item", ago(status.last_new_at)),
        Fact::new("Items stored", status.items.to_string()),
        Fact::new("Format", format),
        Fact::new("ETag", header(&validators.etag)),
        Fact::new("Last-Modified", header(&validators.last_modified)),
        Fact::new("Last full document", format!("{}{distrust}", ago(state.trust.last_full_at))),
    ]
}

fn addresses(status: &FeedStatus, now: Timestamp) -> Vec<Fact> {
    let mut addresses = vec![Fact::new("In the config", status.info.url.clone())];
    if let Some(url) = &status.address.effective {
        addresses.push(Fact::new("Moved permanently to", url.to_string()));
    }
    if let Some(moved) = &status.address.candidate {
        let since = Time::new(moved.since, now).relative;
        let text = format!("{} (first seen {since}, followed after 7 days)", moved.url);
        addresses.push(Fact::new("Permanent redirect to", text));
    }
    if let Some(url) = status.last_url.as_ref().filter(|url| **url != status.info.url) {
        addresses.push(Fact::new("Last response from", url.clone()));
    }
    addresses
}

/// How often the feed publishes.
fn publishing(status: &FeedStatus, now: Timestamp) -> Vec<Fact> {
    let activity = &status.activity;
    let duration = |seconds: i64| span(seconds.max(0).unsigned_abs());
    let mut facts = Vec::new();
    if let Some(gaps) = Gaps::new(&activity.moments) {
        let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs()).max(gaps.longest);
        facts.push(Fact::new("Median gap between items", duration(gaps.median)));
        facts.push(Fact::new("90th percentile", duration(gaps.p90)));
        facts.push(Fact::new("Longest gap", duration(longest)));
    }
    if let Some(last) = status.last_new_at {
        let current = now.duration_since(last).as_secs();
        facts.push(Fact::new("Current gap", duration(current)));
    }
    facts.push(match threshold(activity) {
        Some(threshold) => Fact::new("Counts as silent after", duration(threshold.as_secs())),
        None => Fact::new("Counts as silent after", "unknown: too few items"),
    });
    let answers = [
        ("not modified", activity.not_modified),
        ("same document", activity.same_body),
        ("no new items", activity.nothing_new),
    ];
    let answers = answers.iter().filter(|(_, polls)| *polls > 0);
    let answers: Vec<String> = answers.map(|(what, polls)| format!("{polls} × {what}")).collect();
    if !answers.is_empty() {
        facts.push(Fact::new("Polls since the last new item", answers.join(", ")));
    }
    facts
}

/// The timeline; `None`: there are fewer than three items.
fn timeline(status: &FeedStatus, now: Timestamp) -> Option<Timeline> {
    let times = &status.activity.moments;
    let from = *times.last()?;
    let whole = now.duration_since(from).as_secs_f64();
    if times.len() < 3 || whole <= 0.0 {
        return None;
    }
    let left = |at: &Timestamp| {
        let fraction = at.duration_since(from).as_secs_f64() / whole;
        (fraction * TIMELINE_WIDTH).clamp(1.0, TIMELINE_WIDTH - 1.0)
    };
    let from = Time::new(from, now);
    let description = format!("The newest {} items, from {} until now", times.len(), from.date);
    Some(Timeline { from, strokes: times.iter().map(left).collect(), description })
}

fn warning(warning: &ParseWarning) -> Warning {
    Warning {
        code: warning.code.to_string(),
        message: warning.message.clone(),
        place: warning.offset.map_or_else(String::new, |at| format!("at byte {at}")),
    }
}

fn item(named: &ItemSummary, story_urls: &HashMap<ItemKey, String>, now: Timestamp) -> ItemRow {
    ItemRow {
        title: named.title.clone().unwrap_or_else(|| "untitled".to_owned()),
        url: named.url.clone().filter(|url| is_web(url)),
        story: story_urls.get(&named.key).cloned(),
        at: Time::new(named.sort_at, now),
    }
}

fn poll(past: &PollRecord, now: Timestamp) -> PollRow {
    let seconds = past.duration.as_secs_f64();
    PollRow {
        at: Time::new(past.at, now),
        success: past.outcome.is_success(),
        outcome: past.outcome.slug().replace('_', " "),
        status: past.status.map_or_else(|| "–".to_owned(), |status| status.to_string()),
        duration: if seconds < 1.0 {
            format!("{:.0} ms", seconds * 1e3)
        } else {
            format!("{seconds:.1} s")
        },
        size: bytes(past.wire_bytes as f64),
        result: match (past.new_items, past.changed_items) {
            (0, 0) => "–".to_owned(),
            (new, 0) => format!("{new} new"),
            (0, changed) => format!("{changed} changed"),
            (new, changed) => format!("{new} new, {changed} changed"),
        },
        message: past.text().unwrap_or_default().to_owned(),
    }
}
