//! The query of the overview: which feeds it lists, and in which order. Pure.

use std::cmp::Reverse;

use url::form_urlencoded;

use crate::health::{JudgedFeed, State};
use crate::web::query::search_words;

/// Number of feeds on a page of the table.
pub(super) const PAGE_SIZE: usize = 1_000;

/// The order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SortBy {
    /// State, the worst first.
    #[default]
    State,
    /// Title of the feed, in alphabetical order.
    Name,
    /// Time of the last new item, the latest first.
    LastNew,
    /// Time of the next poll, the earliest first.
    NextPoll,
    /// Number of items, the largest first.
    Items,
}

impl SortBy {
    /// Every order with its name in the query.
    pub(super) const NAMED: [(Self, &'static str); 5] = [
        (Self::State, "state"),
        (Self::Name, "name"),
        (Self::LastNew, "last_new"),
        (Self::NextPoll, "next_poll"),
        (Self::Items, "items"),
    ];

    /// The name in the query.
    pub(super) fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(order, _)| *order == self).map_or("", |(_, name)| name)
    }
}

/// The query of the overview.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FeedFilter {
    /// Words that the title, id or URL of a feed must contain, all of them.
    pub(super) words: String,
    pub(super) state: Option<State>,
    pub(super) tag: Option<String>,
    pub(super) sort_by: SortBy,
    /// Number of the page, from 0.
    pub(super) page: usize,
    /// Whether the browser reloads the page every minute.
    pub(super) refresh: bool,
}

impl FeedFilter {
    /// Parses a query string; unknown parameters and values are ignored.
    pub(super) fn parse(query: Option<&str>) -> Self {
        let mut filter = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "q" => filter.words = search_words(&value),
                "state" => filter.state = State::from_slug(&value),
                "tag" => filter.tag = Some(value.into_owned()).filter(|tag| !tag.is_empty()),
                "sort" => {
                    let named = SortBy::NAMED.iter().find(|(_, name)| *name == value);
                    filter.sort_by = named.map(|(order, _)| *order).unwrap_or_default();
                }
                "refresh" => filter.refresh = true,
                "page" => filter.page = value.parse::<usize>().unwrap_or(1).saturating_sub(1),
                _ => {}
            }
        }
        filter
    }

    /// The relative URL of the overview with this query.
    pub(super) fn url(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.words.is_empty() {
            query.append_pair("q", &self.words);
        }
        if let Some(state) = self.state {
            query.append_pair("state", state.slug());
        }
        if let Some(tag) = &self.tag {
            query.append_pair("tag", tag);
        }
        if self.sort_by != SortBy::default() {
            query.append_pair("sort", self.sort_by.name());
        }
        if self.refresh {
            query.append_pair("refresh", "");
        }
        if self.page > 0 {
            query.append_pair("page", &(self.page + 1).to_string());
        }
        match query.finish() {
            query if query.is_empty() => "status".to_owned(),
            query => format!("status?{query}"),
        }
    }

    /// Whether it selects all feeds.
    pub(super) fn selects_all(&self) -> bool {
        self.words.is_empty() && self.state.is_none() && self.tag.is_none()
    }

    /// The selected feeds, sorted.
    pub(super) fn select<'f>(&self, feeds: &'f [JudgedFeed]) -> Vec<&'f JudgedFeed> {
        let words: Vec<String> = self.words.split_whitespace().map(str::to_lowercase).collect();
        let is_selected = |feed: &&JudgedFeed| {
            let info = &feed.status.info;
            self.state.is_none_or(|state| feed.health.state == state)
                && self.tag.as_ref().is_none_or(|tag| info.tags.contains(tag))
                && (words.is_empty() || {
                    let text = format!("{} {} {}", info.title, info.id, info.url).to_lowercase();
                    words.iter().all(|word| text.contains(word))
                })
        };
        let mut selected: Vec<&JudgedFeed> = feeds.iter().filter(is_selected).collect();
        selected.sort_by_cached_key(|feed| feed.status.info.title.to_lowercase());
        match self.sort_by {
            SortBy::Name => {}
            SortBy::State => selected.sort_by_key(|feed| feed.health.state),
            SortBy::LastNew => selected.sort_by_key(|feed| Reverse(feed.status.last_new_at)),
            SortBy::NextPoll => selected.sort_by_key(|feed| feed.status.next_poll_at),
            SortBy::Items => selected.sort_by_key(|feed| Reverse(feed.status.items)),
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_its_url() {
        let query = "q=%C3%A9t%C3%A9+&state=silent&tag=a%26b&sort=next_poll&page=3&refresh";
        let filter = FeedFilter::parse(Some(query));
        assert_eq!(
            filter.url(),
            "status?q=%C3%A9t%C3%A9&state=silent&tag=a%26b&sort=next_poll&refresh=&page=3"
        );
        assert_eq!(FeedFilter::parse(Some(&filter.url()[7..])), filter);
    }

    #[test]
    fn unknown_parameters_and_values_are_ignored() {
        let filter = FeedFilter::parse(Some("state=x&sort=y&page=-1&tag=&z"));
        assert_eq!((filter.url().as_str(), filter.selects_all()), ("status", true));
    }
}
