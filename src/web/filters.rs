//! What search and filters select on a page of stories: its heading, the options of the filters, and the list of feeds.

use std::sync::Arc;

use super::links::{is_web, page_url};
use super::parts::{colour, initial};
use super::stories::Frame;
use crate::model::FeedInfo;
use crate::outputs::{Query, Results};

/// What the page shows, if it is not the whole output.
pub(super) struct SelectionHeading {
    /// Words, title of the feed, tag and month.
    pub(super) title: String,
    /// The same without the month, which documents ignore; `None`: they have the stories of the whole output.
    pub(super) subscribed: Option<String>,
    /// Number of stories in words, on the first page.
    pub(super) count: Option<String>,
    /// The feed, if one is selected.
    pub(super) feed: Option<ListedFeed>,
}

/// A feed of the output with its links.
pub(super) struct ListedFeed {
    pub(super) name: String,
    /// First letter of the name.
    pub(super) initial: String,
    /// Number of a colour, 0 to 7.
    pub(super) colour: u8,
    /// URL of the page with its stories.
    pub(super) page: String,
    /// URL of its site.
    pub(super) site: Option<String>,
    /// URL of the feed itself.
    pub(super) url: Option<String>,
    pub(super) selected: bool,
}

/// An option of a filter.
pub(super) struct FilterOption {
    pub(super) value: String,
    pub(super) name: String,
    /// URL of the page with these stories.
    pub(super) page: String,
    pub(super) selected: bool,
}

/// What the search and the filters select.
pub(super) fn selection(
    frame: &Frame,
    feeds: &[Arc<FeedInfo>],
    query: &Query,
    results: &Results,
) -> SelectionHeading {
    let is_selected = |feed: &&Arc<FeedInfo>| query.feed.as_deref() == Some(feed.id.as_str());
    let feed = feeds.iter().find(is_selected).map(|feed| listed(frame, feed, query));
    let words = Some(&query.words).filter(|words| !words.is_empty());
    let words = words.map(|words| frame.texts.quoted(words));
    let name = feed.as_ref().map(|feed| feed.name.clone()).or_else(|| query.feed.clone());
    let tag = query.tag.as_ref().map(|tag| format!("#{tag}"));
    let month = query.month.map(|month| frame.texts.calendar().month(month.first_day()));
    let filter: Vec<String> = [words, name, tag].into_iter().flatten().collect();
    let joined = |parts: &[String]| parts.join(" · ");
    let all: Vec<String> = filter.iter().cloned().chain(month).collect();
    let shown = results.entries.len();
    let count = match (&results.more, query.after.is_none()) {
        (None, true) => Some(frame.texts.count(shown)),
        (Some(_), true) if shown > 0 => Some(frame.texts.more_than(shown)),
        _ => None,
    };
    SelectionHeading {
        title: joined(&all),
        subscribed: Some(joined(&filter)).filter(|title| !title.is_empty()),
        count,
        feed,
    }
}

pub(super) fn listed(frame: &Frame, feed: &FeedInfo, query: &Query) -> ListedFeed {
    let id = feed.id.to_string();
    let of_feed = Query { feed: Some(id.clone()), ..Query::default() };
    let site = feed.profile.site_url.clone().filter(|url| is_web(url));
    let url = Some(feed.url.clone()).filter(|url| is_web(url));
    let all = || page_url(frame, &Query::default());
    ListedFeed {
        name: feed.title.clone(),
        initial: initial(&feed.title),
        colour: colour(&id),
        page: match frame.is_digest {
            true => site.clone().or_else(|| url.clone()).unwrap_or_else(all),
            false => page_url(frame, &of_feed),
        },
        site,
        url,
        selected: query.feed == Some(id),
    }
}

pub(super) fn feed_options(
    frame: &Frame,
    feeds: &[Arc<FeedInfo>],
    query: &Query,
) -> Vec<FilterOption> {
    let option = |feed: &Arc<FeedInfo>| {
        let value = feed.id.to_string();
        FilterOption {
            page: page_url(frame, &Query { feed: Some(value.clone()), ..Query::default() }),
            name: feed.title.clone(),
            selected: query.feed.as_ref() == Some(&value),
            value,
        }
    };
    feeds.iter().map(option).collect()
}

pub(super) fn tag_options(
    frame: &Frame,
    feeds: &[Arc<FeedInfo>],
    query: &Query,
) -> Vec<FilterOption> {
    let mut tags: Vec<&String> = feeds.iter().flat_map(|feed| &feed.tags).collect();
    tags.sort();
    tags.dedup();
    let option = |tag: &String| FilterOption {
        value: tag.clone(),
        name: tag.clone(),
        page: page_url(frame, &Query { tag: Some(tag.clone()), ..Query::default() }),
        selected: query.tag.as_ref() == Some(tag),
    };
    tags.into_iter().map(option).collect()
}
