//! `newswire why`: explains when a feed is polled, or how an item was matched and where it is shown.

pub(super) mod feed;
pub(super) mod item;

use super::arguments::Format;
use super::error::CommandError;
use super::exit::Exit;
use super::known;
use super::operator_decisions;
use super::terminal::failed;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::dedupe::{self, Difference};
use crate::model::{ItemKey, Match, Rule};
use crate::outputs;
use crate::store::{self, FeedState, ItemHistory, ItemSummary, Transaction};

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
    let polls = reader.polls(key, feed::POLLS).map_err(failed)?;
    let past = reader.feed_histories().map_err(failed)?.remove(&key).unwrap_or_default();
    let filtered = reader.filtered_by_rule(key).map_err(failed)?;
    let (state, past, polls, filtered) = (&state, &past, &*polls, &*filtered);
    let why = feed::Why { status, state, past, polls, filtered, subscription };
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
