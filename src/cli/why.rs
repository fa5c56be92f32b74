//! `newswire why`: explains when a feed is polled, or how an item was matched and where it is shown.

pub(super) mod feed;
pub(super) mod item;

use super::arguments::Format;
use super::exit::Exit;
use super::operator_decisions;
use super::terminal::report;
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Coded, FeedStatus};
use crate::outputs;
use crate::store::Transaction;

/// Text about the feed of this id or URL, or else about the item of this id, URL or number.
pub(super) fn explain(
    config: &Config,
    reader: &Transaction<'_>,
    name: &str,
    format: Format,
) -> Result<String, Exit> {
    let statuses = reader.feed_statuses().map_err(failed)?;
    let matches = |s: &&FeedStatus| s.info.id.as_str() == name || s.info.url == name;
    let status = statuses.iter().find(matches);
    let subscription = status.and_then(|status| {
        config.subscriptions.iter().find(|s| s.feed.url.as_str() == status.info.url)
    });
    let Some((status, subscription)) = status.zip(subscription) else {
        return explain_item(config, reader, name, format);
    };
    let key = status.info.key;
    let state = reader.feed_state(key).map_err(failed)?;
    let polls = reader.polls(key, feed::POLLS).map_err(failed)?;
    let past = reader.feed_histories().map_err(failed)?.remove(&key).unwrap_or_default();
    let why = feed::Why { status, state: &state, past: &past, polls: &polls, subscription };
    let now = Clock::system().now();
    Ok(match format {
        Format::Json => format!("{:#}\n", why.json(now)),
        Format::Text => why.text(now),
    })
}

fn explain_item(
    config: &Config,
    reader: &Transaction<'_>,
    name: &str,
    format: Format,
) -> Result<String, Exit> {
    let now = Clock::system().now();
    let url_key = crate::dedupe::canonical::url_key(name);
    let found = reader.find_items(name, url_key.as_ref()).map_err(failed)?;
    let item = operator_decisions::only(found, name).map_err(failed)?;
    let visibility = config.outputs.iter().map(|output| {
        let shown = outputs::select(reader, output, now)?;
        Ok((output.id.clone(), outputs::visibility(reader, (output, &shown), &item, now)?))
    });
    let visibility: Result<Vec<_>, outputs::Error> = visibility.collect();
    let visibility = visibility.map_err(failed)?;
    let receipt = reader.item_history(item.clone()).map_err(failed)?;
    let item = item::Why { receipt: &receipt, visibility: &visibility };
    Ok(match format {
        Format::Json => format!("{:#}\n", item.json()),
        Format::Text => item.text(now),
    })
}

fn failed(error: impl Coded) -> Exit {
    report(&error)
}
