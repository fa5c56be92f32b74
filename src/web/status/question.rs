//! What of the feeds is asked for, and in which order: pure.

use std::cmp::Reverse;

use url::form_urlencoded;

use crate::health::{Judged, State};
use crate::web::stories::words;

/// So many feeds stand on a page.
pub(super) const PAGE: usize = 1_000;

/// What stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    /// What is worst.
    #[default]
    Health,
    /// By title.
    Name,
    /// What published last.
    News,
    /// What is polled next.
    Next,
    /// What brought most.
    Items,
}

impl Order {
    /// By the name that addresses have for it.
    pub(super) const NAMED: [(Self, &'static str); 5] = [
        (Self::Health, "health"),
        (Self::Name, "name"),
        (Self::News, "news"),
        (Self::Next, "next"),
        (Self::Items, "items"),
    ];
}

/// What of the feeds is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Question {
    /// In name, id or address, all of them.
    pub(super) words: String,
    pub(super) state: Option<State>,
    pub(super) tag: Option<String>,
    pub(super) order: Order,
    /// From 0.
    pub(super) page: usize,
    /// Whether the page is to be kept open: the browser asks again by itself.
    pub(super) fresh: bool,
}

impl Question {
    /// Of a query; what it does not understand it leaves out.
    pub(super) fn of(query: Option<&str>) -> Self {
        let mut question = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "q" => question.words = words(&value),
                "state" => question.state = State::from_slug(&value),
                "tag" => {
                    question.tag = Some(value.into_owned()).filter(|tag| !tag.is_empty());
                }
                "sort" => {
                    let named = Order::NAMED.iter().find(|(_, name)| *name == value);
                    question.order = named.map(|(order, _)| *order).unwrap_or_default();
                }
                "fresh" => question.fresh = true,
                "page" => question.page = value.parse::<usize>().unwrap_or(1).saturating_sub(1),
                _ => {}
            }
        }
        question
    }

    /// The address that asks it, from the page itself.
    pub(super) fn address(&self) -> String {
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
        if self.order != Order::default() {
            let named = Order::NAMED.iter().find(|(order, _)| *order == self.order);
            query.append_pair("sort", named.map_or("", |(_, name)| name));
        }
        if self.fresh {
            query.append_pair("fresh", "");
        }
        if self.page > 0 {
            query.append_pair("page", &(self.page + 1).to_string());
        }
        match query.finish() {
            query if query.is_empty() => "status".to_owned(),
            query => format!("status?{query}"),
        }
    }

    /// Whether it asks for all feeds.
    pub(super) fn is_open(&self) -> bool {
        self.words.is_empty() && self.state.is_none() && self.tag.is_none()
    }

    /// The feeds that it asks for, in its order.
    pub(super) fn answer<'f>(&self, feeds: &'f [Judged]) -> Vec<&'f Judged> {
        let words: Vec<String> = self.words.split_whitespace().map(str::to_lowercase).collect();
        let meant = |(status, health): &&Judged| {
            let info = &status.info;
            let text = || format!("{} {} {}", info.title, info.id, info.url).to_lowercase();
            self.state.is_none_or(|state| health.state == state)
                && self.tag.as_ref().is_none_or(|tag| info.tags.contains(tag))
                && (words.is_empty() || {
                    let text = text();
                    words.iter().all(|word| text.contains(word))
                })
        };
        let mut found: Vec<&Judged> = feeds.iter().filter(meant).collect();
        let name = |judged: &&Judged| judged.0.info.title.to_lowercase();
        found.sort_by_cached_key(name);
        match self.order {
            Order::Name => {}
            Order::Health => found.sort_by_key(|(_, health)| health.state),
            Order::News => found.sort_by_key(|(status, _)| Reverse(status.last_new_at)),
            Order::Next => found.sort_by_key(|(status, _)| status.next_poll_at),
            Order::Items => found.sort_by_key(|(status, _)| Reverse(status.items)),
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_asks_what_it_says() {
        let query = "q=%C3%A9t%C3%A9+&state=silent&tag=a%26b&sort=next&page=3&fresh";
        let question = Question::of(Some(query));
        assert_eq!(
            question.address(),
            "status?q=%C3%A9t%C3%A9&state=silent&tag=a%26b&sort=next&fresh=&page=3"
        );
        assert_eq!(Question::of(Some(&question.address()[7..])), question);
    }

    #[test]
    fn what_an_address_cannot_mean_is_left_out() {
        let question = Question::of(Some("state=x&sort=y&page=-1&tag=&z"));
        assert_eq!((question.address().as_str(), question.is_open()), ("status", true));
    }
}
