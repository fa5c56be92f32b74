//! The list of feeds behind the outputs, as OPML for whoever wants to follow them too.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::model::FeedKey;
use crate::opml::{self, Entry, Head};
use crate::publish::{Output, Selector};
use crate::store::{self, Reader};

/// The file name of the list.
pub(super) const NAME: &str = "subscriptions.opml";

/// Every feed that an output takes which is open to all, but none behind a login. `None`: no output
/// is open.
pub(super) fn subscriptions<'o>(
    reader: &Reader,
    outputs: impl Iterator<Item = &'o Output>,
    hidden: &HashSet<FeedKey>,
) -> Result<Option<String>, store::Error> {
    let open: Vec<&Output> = outputs.filter(|output| output.token.is_none()).collect();
    let title = match open.as_slice() {
        [] => return Ok(None),
        [one] => one.title.clone(),
        _ => "Newswire".to_owned(),
    };
    let taken = |feed: &crate::model::FeedInfo| {
        let takes = |o: &&Output| Selector::new(o, Timestamp::MIN).takes_feed(&feed.id, &feed.tags);
        !hidden.contains(&feed.key) && open.iter().any(takes)
    };
    let feeds = reader.feeds()?;
    let entries: Vec<Entry> =
        feeds.iter().filter(|feed| taken(feed)).filter_map(Entry::of).collect();
    Ok(Some(opml::write(&Head { title, created: None }, &entries)))
}
