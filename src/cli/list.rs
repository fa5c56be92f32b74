//! `newswire list`, `newswire logs` and the names for shell completion.

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Config;
use crate::model::FeedInfo;
use crate::poll::Subscription;
use crate::store::{PollRecord, Reader};
use crate::text::amounts::{bytes, count};

/// A configured feed with its id, which may be derived from its URL.
struct Listed<'c> {
    id: String,
    subscription: &'c Subscription,
}

/// The configured feeds; `database` has the derived ids.
fn listed<'c>(config: &'c Config, database: &Path) -> Vec<Listed<'c>> {
    let reader = Reader::open(database).ok();
    let known: Vec<FeedInfo> =
        reader.and_then(|reader| reader.read(|tx| tx.feeds()).ok()).unwrap_or_default();
    let id = |subscription: &Subscription| {
        let feed = &subscription.feed;
        let derived = || known.iter().find(|known| known.url == feed.url.as_str());
        let id = feed.id.as_ref().or_else(|| derived().map(|known| &known.id));
        id.map_or_else(|| feed.url.to_string(), ToString::to_string)
    };
    let subscriptions = config.subscriptions.iter();
    subscriptions.map(|subscription| Listed { id: id(subscription), subscription }).collect()
}

/// The feeds as a table.
#[must_use]
pub(super) fn table(config: &Config) -> String {
    let feeds = listed(config, &config.store.path);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for Listed { id, subscription } in &feeds {
        let feed = &subscription.feed;
        let paused = if subscription.schedule.paused { "paused" } else { "" };
        let title = feed.title.as_deref().unwrap_or("");
        table.add_row([id, feed.url.as_str(), paused, &feed.tags.join(","), title]);
    }
    let number = count(feeds.len() as u64, "feed");
    if feeds.is_empty() {
        format!("{number}\n")
    } else {
        format!("{}\n\n{number}\n", table.trim_fmt())
    }
}

/// The feeds as JSON: an array of objects.
#[must_use]
pub(super) fn json(config: &Config) -> Value {
    let feed = |Listed { id, subscription }: Listed<'_>| {
        let feed = &subscription.feed;
        json!({
            "id": id,
            "url": feed.url.as_str(),
            "title": feed.title,
            "tags": feed.tags,
            "paused": subscription.schedule.paused,
        })
    };
    listed(config, &config.store.path).into_iter().map(feed).collect()
}

/// The ids of the feeds, one per line, for shell completion.
#[must_use]
pub(super) fn ids(config: &Config) -> String {
    let feeds = listed(config, &config.store.path).into_iter();
    feeds.map(|Listed { id, .. }| id + "\n").collect()
}

/// The last polls of a feed, the newest last.
#[must_use]
pub(super) fn polls(polls: &[PollRecord]) -> String {
    let mut text = String::new();
    for poll in polls.iter().rev() {
        let time = time(poll.at);
        let status = poll.status.map_or_else(String::new, |status| status.to_string());
        let took = poll.duration.as_secs_f64();
        let size = bytes(poll.wire_bytes as f64);
        let _ = write!(
            text,
            "{time}  {:<14} {status:>3}  {took:>5.1} s  {size:>9}",
            poll.outcome.slug()
        );
        if poll.new_items + poll.changed_items > 0 {
            let _ = write!(text, "  {} new, {} changed", poll.new_items, poll.changed_items);
        }
        let message =
            poll.message.as_ref().map_or_else(String::new, |message| format!("  {message}"));
        text.push_str(message.trim_end());
        text.push('\n');
    }
    if polls.is_empty() {
        text.push_str("no polls in the last two weeks\n");
    }
    text
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
