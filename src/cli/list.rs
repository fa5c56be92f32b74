//! `newswire list`, `newswire logs` and the names for shell completion.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fitting;
use super::known::{self, Known};
use crate::config::Config;
use crate::model::FeedId;
use crate::store::PollRecord;
use crate::text::amounts::{bytes, count};

/// The feeds as a table. In a narrow terminal the URL is below each feed.
#[must_use]
pub(super) fn table(config: &Config, width: Option<usize>) -> String {
    let feeds = known::feeds(config, &config.store.path);
    let number = count(feeds.len() as u64, "feed");
    if feeds.is_empty() {
        return format!("{number}\n");
    }
    let drawn = drawn(&feeds, true);
    let is_narrow = width.is_some_and(|width| fitting::widest(&drawn) > width);
    format!("{}\n\n{number}\n", if is_narrow { self::drawn(&feeds, false) } else { drawn })
}

/// The rows of the table, with the URLs in a column or below.
fn drawn(feeds: &[Known<'_>], in_column: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for Known { feed: known, subscription } in feeds {
        let (id, feed) = (known.id.as_str(), &subscription.feed);
        let paused = if subscription.schedule.paused { "paused" } else { "" };
        // A followed list can have anything in them.
        let plain = |text: &str| text.replace(char::is_control, " ");
        let tags = plain(&feed.tags.join(","));
        let title = plain(feed.title.as_deref().unwrap_or(""));
        match in_column {
            true => table.add_row([id, feed.url.as_str(), paused, &tags, &title]),
            false => table.add_row([id, paused, &tags, &title]),
        };
    }
    if in_column {
        return table.trim_fmt();
    }
    let urls = feeds.iter().map(|known| known.subscription.feed.url.as_str());
    let lines = table.trim_fmt();
    let lines = lines.lines().zip(urls).map(|(line, url)| format!("{line}\n     {url}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The feeds as JSON: an array of objects.
#[must_use]
pub(super) fn json(config: &Config) -> Value {
    let feed = |Known { feed: known, subscription }: Known<'_>| {
        let (id, feed) = (known.id.as_str(), &subscription.feed);
        json!({
            "id": id,
            "url": feed.url.as_str(),
            "title": feed.title,
            "tags": feed.tags,
            "paused": subscription.schedule.paused,
        })
    };
    known::feeds(config, &config.store.path).into_iter().map(feed).collect()
}

/// The ids of the feeds, one per line, for shell completion.
#[must_use]
pub(super) fn ids(config: &Config) -> String {
    let feeds = known::feeds(config, &config.store.path).into_iter();
    feeds.map(|known| format!("{}\n", known.feed.id)).collect()
}

/// The tags of the feeds, one per line, for shell completion.
#[must_use]
pub(super) fn tags(config: &Config) -> String {
    let tags = config.subscriptions.iter().flat_map(|subscription| &subscription.feed.tags);
    let tags: BTreeSet<&String> = tags.filter(|tag| !tag.contains(char::is_control)).collect();
    tags.into_iter().map(|tag| format!("{tag}\n")).collect()
}

/// The last polls of a feed, the newest last. `last` is the time of its last poll, also of one that is no longer recorded.
#[must_use]
pub(super) fn polls(id: &FeedId, polls: &[PollRecord], last: Option<Timestamp>) -> String {
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
        let _ = match last {
            None => writeln!(text, "{id} was not polled yet: 'newswire poll {id}' polls it now"),
            Some(at) => {
                writeln!(text, "no polls in the last two weeks; the last one was at {}", time(at))
            }
        };
    }
    text
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
