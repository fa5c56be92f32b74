//! A feed's own page: what it did, why it is polled when it is, what is remembered of it, and what it
//! brought. Decides nothing.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;

use super::shape::{Remedied, Stamp, ahead};
use crate::health::silence::{Gaps, patience};
use crate::health::{Health, judge};
use crate::model::words::{bytes, span};
use crate::model::{Considered, FeedStatus, ItemKey};
use crate::outputs::{Query, ServedOutput};
use crate::store::{FeedState, ItemFilter, ItemSummary, PollRecord, Transaction};
use crate::web::error::Error;

/// So many polls are shown,
const POLLS: usize = 50;
/// and so many items.
const ITEMS: usize = 50;
/// The room for the strip of items, in the units of the drawing.
const STRIP: f64 = 640.0;

#[derive(Template)]
#[template(path = "status_feed.html", config = "src/web/askama.toml")]
struct Page {
    root: &'static str,
    title: String,
    id: String,
    site: Option<String>,
    tags: Vec<String>,
    state: &'static str,
    why: String,
    remedy: Option<Remedied>,
    next: (String, Stamp),
    reason: String,
    inputs: Vec<Input>,
    facts: Vec<(&'static str, String)>,
    addresses: Vec<(&'static str, String)>,
    cadence: Vec<(&'static str, String)>,
    strip: Option<Strip>,
    mends: Vec<Mend>,
    /// Of a burst, and old when the feed was added.
    waiting: [Waiting; 2],
    items: Vec<Item>,
    polls: Vec<Poll>,
    version: &'static str,
}

/// An input of the plan.
struct Input {
    wait: String,
    text: String,
    won: bool,
}

/// Where items stand in time: a stroke for each.
struct Strip {
    from: Stamp,
    strokes: Vec<f64>,
    says: String,
}

/// Something that had to be mended.
struct Mend {
    code: String,
    message: String,
    place: String,
}

/// An item.
struct Item {
    title: String,
    url: Option<String>,
    story: Option<String>,
    at: Stamp,
}

/// Items that are not shown: how many in all, and the newest of them.
#[derive(Default)]
struct Waiting {
    count: u64,
    items: Vec<Item>,
}

/// A poll of the past.
struct Poll {
    at: Stamp,
    outcome: String,
    good: bool,
    status: String,
    took: String,
    size: String,
    brought: String,
    message: String,
}

/// The page as HTML; `None`: there is no feed of this id.
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
    let polls = reader.polls(key, POLLS)?;
    let named = |which| reader.newest_summaries(key, which, ITEMS);
    let (items, held) = (named(ItemFilter::Shown)?, named(ItemFilter::Held)?);
    let health = judge(&status, now);
    let stories = stories(outputs, id)?;
    let page = Page {
        inputs: inputs(&status, &considered),
        facts: facts(&status, &state, now),
        addresses: addresses(&status, now),
        cadence: cadence(&status, now),
        strip: strip(&status, now),
        mends: mends(&status),
        waiting: waiting(&status, &held, now),
        items: items.iter().map(|named| item(named, &stories, now)).collect(),
        polls: polls.iter().map(|past| poll(past, now)).collect(),
        ..head(&status, &health, now)
    };
    Ok(Some(page.render()?))
}

fn head(status: &FeedStatus, health: &Health, now: Timestamp) -> Page {
    Page {
        root: "../",
        title: status.info.title.clone(),
        id: status.info.id.to_string(),
        site: status.info.profile.site_url.clone(),
        tags: status.info.tags.clone(),
        state: health.state.slug(),
        why: health.why.clone(),
        remedy: health.remedy.as_ref().map(Remedied::of),
        next: (ahead(status.next_poll_at, now), Stamp::of(status.next_poll_at, now)),
        reason: status.reason_text.clone(),
        version: env!("CARGO_PKG_VERSION"),
        inputs: Vec::new(),
        facts: Vec::new(),
        addresses: Vec::new(),
        cadence: Vec::new(),
        strip: None,
        mends: Vec::new(),
        waiting: Default::default(),
        items: Vec::new(),
        polls: Vec::new(),
    }
}

/// Of a burst, and old when the feed was added.
fn waiting(status: &FeedStatus, held: &[ItemSummary], now: Timestamp) -> [Waiting; 2] {
    let (older, burst): (Vec<&ItemSummary>, _) =
        held.iter().partition(|named| named.held.as_deref() == Some("history"));
    [(status.activity.held, burst), (status.activity.older, older)].map(|(count, items)| Waiting {
        count,
        items: items.into_iter().map(|named| item(named, &HashMap::new(), now)).collect(),
    })
}

/// The page of each newest story that an open output shows of the feed.
fn stories(outputs: &[Arc<ServedOutput>], id: &str) -> Result<HashMap<ItemKey, String>, Error> {
    let mut stories = HashMap::new();
    for output in outputs.iter().filter(|output| output.token.is_none()) {
        let Some(contents) = &output.contents else { continue };
        let of_feed = Query { feed: Some(id.to_owned()), ..Query::default() };
        for entry in contents.browse(&of_feed, ITEMS)?.entries {
            let page = || format!("../{}/story/{}", output.id, entry.key.0);
            stories.entry(entry.key).or_insert_with(page);
        }
    }
    Ok(stories)
}

/// Every input of the plan, and which one won.
fn inputs(status: &FeedStatus, considered: &[Considered]) -> Vec<Input> {
    let input = |input: &Considered| Input {
        wait: span(input.wait),
        won: input.kind == status.reason && input.text == status.reason_text,
        text: input.text.clone(),
    };
    considered.iter().map(input).collect()
}

fn facts(status: &FeedStatus, state: &FeedState, now: Timestamp) -> Vec<(&'static str, String)> {
    let opaque = |bytes: &Option<Vec<u8>>| {
        let text = bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        text.unwrap_or_else(|| "none".to_owned())
    };
    let when =
        |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| Stamp::of(at, now).ago);
    let validators = &state.response.validators;
    let trust = if state.trust.unreliable {
        "; asked once a day, for its \"not modified\" did not hold"
    } else {
        ""
    };
    vec![
        ("Last success", when(status.last_success_at)),
        ("Last news", when(status.last_new_at)),
        ("Items kept", status.items.to_string()),
        ("Format", status.dialect.clone().unwrap_or_else(|| "not known yet".to_owned())),
        ("ETag", opaque(&validators.etag)),
        ("Last-Modified", opaque(&validators.last_modified)),
        ("Whole document", format!("{}{trust}", when(state.trust.last_full_at))),
    ]
}

/// Where it lives, beside the config.
fn addresses(status: &FeedStatus, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut addresses = vec![("In the config", status.info.url.clone())];
    if let Some(url) = &status.address.effective {
        addresses.push(("Moved for good to", url.to_string()));
    }
    if let Some(moved) = &status.address.candidate {
        let since = Stamp::of(moved.since, now).ago;
        addresses.push((
            "Says that it moved to",
            format!("{} (since {since}; believed after 7 days)", moved.url),
        ));
    }
    if let Some(url) = status.last_url.as_ref().filter(|url| **url != status.info.url) {
        addresses.push(("Answered last by", url.clone()));
    }
    addresses
}

/// How it publishes.
fn cadence(status: &FeedStatus, now: Timestamp) -> Vec<(&'static str, String)> {
    let pulse = &status.activity;
    let words = |seconds: i64| span(seconds.max(0).unsigned_abs());
    let mut cadence = Vec::new();
    if let Some(gaps) = Gaps::of(&pulse.moments) {
        cadence.push(("Half of its pauses are shorter than", words(gaps.median)));
        cadence.push(("Nine tenths are shorter than", words(gaps.most)));
        let longest = pulse.longest_gap.map_or(0, |gap| gap.as_secs()).max(gaps.longest);
        cadence.push(("The longest one took", words(longest)));
    }
    if let Some(last) = status.last_new_at {
        cadence.push(("Quiet for", words(now.duration_since(last).as_secs())));
    }
    let patience = patience(pulse);
    cadence.push(match patience {
        Some(patience) => ("Called silent after", words(patience.as_secs())),
        None => ("Called silent after", "its habits are not known yet".to_owned()),
    });
    let quiet = [
        ("not modified", pulse.not_modified),
        ("the same document", pulse.same_body),
        ("nothing new in it", pulse.nothing_new),
    ];
    let quiet = quiet.iter().filter(|(_, polls)| *polls > 0);
    let quiet: Vec<String> = quiet.map(|(what, polls)| format!("{polls} × {what}")).collect();
    if !quiet.is_empty() {
        cadence.push(("Answers since the last news", quiet.join(", ")));
    }
    cadence
}

/// The newest items on a line that ends now.
fn strip(status: &FeedStatus, now: Timestamp) -> Option<Strip> {
    let moments = &status.activity.moments;
    let from = *moments.last()?;
    let all = now.duration_since(from).as_secs_f64();
    if moments.len() < 3 || all <= 0.0 {
        return None;
    }
    let place = |at: &Timestamp| {
        (at.duration_since(from).as_secs_f64() / all * STRIP).clamp(1.0, STRIP - 1.0)
    };
    let from = Stamp::of(from, now);
    let says = format!("The newest {} items, from {} until now", moments.len(), from.date);
    Some(Strip { from, strokes: moments.iter().map(place).collect(), says })
}

fn mends(status: &FeedStatus) -> Vec<Mend> {
    let mend = |warning: &crate::model::ParseWarning| Mend {
        code: warning.code.to_string(),
        message: warning.message.clone(),
        place: warning.offset.map_or_else(String::new, |at| format!("at byte {at}")),
    };
    status.parse_warnings.iter().map(mend).collect()
}

fn item(named: &ItemSummary, stories: &HashMap<ItemKey, String>, now: Timestamp) -> Item {
    let web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    Item {
        title: named.title.clone().unwrap_or_else(|| "untitled".to_owned()),
        url: named.url.as_ref().filter(web).cloned(),
        story: stories.get(&named.key).cloned(),
        at: Stamp::of(named.sort_at, now),
    }
}

fn poll(past: &PollRecord, now: Timestamp) -> Poll {
    let seconds = past.duration.as_secs_f64();
    let brought = match (past.new_items, past.changed_items) {
        (0, 0) => "–".to_owned(),
        (new, 0) => format!("{new} new"),
        (new, changed) => format!("{new} new, {changed} changed"),
    };
    Poll {
        at: Stamp::of(past.at, now),
        good: past.outcome.is_success(),
        outcome: past.outcome.slug().replace('_', " "),
        status: past.status.map_or_else(|| "–".to_owned(), |status| status.to_string()),
        took: if seconds < 1.0 {
            format!("{:.0} ms", seconds * 1e3)
        } else {
            format!("{seconds:.1} s")
        },
        size: bytes(past.wire_bytes as f64),
        brought,
        message: past.message.clone().unwrap_or_default(),
    }
}
