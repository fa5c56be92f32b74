//! What `newswire why` and `explain` know of a feed or an item. Leaves the words to `why` and `item`.

use super::exit::Exit;
use super::probe::Form;
use super::voice::complain;
use super::{decide, item, why};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::FeedStatus;
use crate::outputs;
use crate::store::{Error, Transaction};

/// All about the feed of that name, else about the item.
pub(super) fn tell(
    config: &Config,
    reader: &Transaction<'_>,
    asked: &str,
    form: Form,
) -> Result<String, Exit> {
    let stored = |error: Error| complain(&error, Exit::Io);
    let statuses = reader.feed_statuses().map_err(stored)?;
    let named = |s: &&FeedStatus| s.info.id.as_str() == asked || s.info.url == asked;
    let status = statuses.iter().find(named);
    let subscription = status.and_then(|status| {
        config.subscriptions.iter().find(|s| s.feed.url.as_str() == status.info.url)
    });
    let Some((status, subscription)) = status.zip(subscription) else {
        return tell_item(config, reader, asked, form);
    };
    let key = status.info.key;
    let state = reader.feed_state(key).map_err(stored)?;
    let polls = reader.polls(key, why::POLLS).map_err(stored)?;
    let past = reader.feed_histories().map_err(stored)?.remove(&key).unwrap_or_default();
    let why = why::Why { status, state: &state, past: &past, polls: &polls, subscription };
    let now = Clock::system().now();
    Ok(match form {
        Form::Json => format!("{:#}\n", why.json(now)),
        Form::People => why.text(now),
    })
}

fn tell_item(
    config: &Config,
    reader: &Transaction<'_>,
    asked: &str,
    form: Form,
) -> Result<String, Exit> {
    let stored = |error: Error| complain(&error, Exit::Io);
    let now = Clock::system().now();
    let url_key = crate::dedupe::canonical::url_key(asked);
    let found = reader.find_items(asked, url_key.as_ref()).map_err(stored)?;
    let item = decide::meant(found, asked).map_err(|error| complain(&error, Exit::Usage))?;
    let stands = config.outputs.iter().map(|output| {
        let shown = outputs::select(reader, output, now)?;
        Ok((output.id.clone(), outputs::visibility(reader, (output, &shown), &item, now)?))
    });
    let stands: Result<Vec<_>, outputs::Error> = stands.collect();
    let stands = stands.map_err(|error| complain(&error, Exit::Io))?;
    let receipt = reader.item_history(item.clone()).map_err(stored)?;
    let item = item::Item { receipt: &receipt, stands: &stands };
    Ok(match form {
        Form::Json => format!("{:#}\n", item.json()),
        Form::People => item.text(now),
    })
}
