//! The pages of an output for browsers: its stories by day, with search, filters and paging; and one page
//! per story. Plain HTML without scripts, which loads nothing from other sites.

use std::sync::Arc;

use askama::Template;
use url::form_urlencoded;

use super::base_url::BaseUrl;
use super::site::Error;
use crate::model::{FeedInfo, ItemKey};
use crate::outputs::{Contents, Position, Query, Results, ServedOutput};
use crate::render::{Story, Token, story};
use crate::text::dates;

/// Number of stories on a page.
const PAGE_SIZE: usize = 40;
/// Maximum length of a search in characters.
const MAX_SEARCH: usize = 200;

/// The parts of both pages that come from the output.
struct Frame {
    /// Relative URL of the root of the server.
    root: &'static str,
    id: String,
    title: String,
    description: String,
    formats: Vec<FormatLink>,
    /// `token=…`, which every link must have; empty for a public output.
    token_query: String,
    /// The token for forms; empty for a public output.
    token: String,
}

/// A document of the output.
struct FormatLink {
    media_type: &'static str,
    name: &'static str,
    /// URL relative to the root of the server.
    href: String,
    /// Absolute URL for feed readers.
    url: String,
}

#[derive(Template)]
#[template(path = "stories.html", config = "src/web/askama.toml")]
struct StoriesPage {
    frame: Frame,
    days: Vec<Day>,
    words: String,
    feeds: Vec<FilterOption>,
    tags: Vec<FilterOption>,
    /// Whether this is the first page without search and filters.
    unfiltered: bool,
    /// URL of the next page, with older stories.
    older: Option<String>,
    /// URL of the first page without search and filters.
    all: String,
}

#[derive(Template)]
#[template(path = "story.html", config = "src/web/askama.toml")]
struct StoryPage {
    frame: Frame,
    shown: ShownStory,
    html: String,
    all: String,
}

/// The stories of one day.
struct Day {
    /// `2023-11-14`.
    machine: String,
    /// `Tuesday, 14 November 2023`.
    date: String,
    stories: Vec<ShownStory>,
}

/// A story with its links and dates.
struct ShownStory {
    story: Story,
    /// URL of its page.
    page: String,
    /// URL of the page with the stories of its feed.
    feed_page: String,
    /// RFC 3339.
    machine: String,
    /// `22:13`.
    time: String,
    /// `14 November 2023, 22:13 UTC`.
    date: String,
}

/// An option of a filter.
struct FilterOption {
    value: String,
    name: String,
    selected: bool,
}

/// Parses a query string; unknown parameters are ignored.
pub(super) fn query(text: Option<&str>) -> Query {
    let mut query = Query::default();
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        let non_empty = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match &*name {
            "q" => query.words = search_words(&value),
            "feed" => query.feed = non_empty(),
            "tag" => query.tag = non_empty(),
            "before" => query.after = value.parse().ok(),
            _ => {}
        }
    }
    query
}

/// The words of a search, without control characters and cut to a maximum length.
pub(super) fn search_words(text: &str) -> String {
    let words: String = text.chars().filter(|c| !c.is_control()).take(MAX_SEARCH).collect();
    words.trim().to_owned()
}

/// How the links of a page begin and end.
#[derive(Debug)]
pub(super) struct Links {
    /// Relative URL of the root of the server.
    pub(super) root: &'static str,
    /// The URL of the server for the client.
    pub(super) base: BaseUrl,
    /// The token that links must contain.
    pub(super) token: Option<Token>,
}

/// The page of stories as HTML.
pub(super) fn page(
    output: &ServedOutput,
    contents: &Contents,
    query: &Query,
    links: &Links,
) -> Result<String, Error> {
    let frame = frame(output, links);
    let mut results = contents.browse(query, PAGE_SIZE)?;
    let feeds = contents.feeds()?;
    // The results of a search are in the order of arrival, but items may arrive late.
    results.entries.sort_by_key(|entry| std::cmp::Reverse((entry.sort_at, entry.key)));
    let url = |query: &Query| page_url(&frame, query);
    let older = results.more.map(|position| url(&Query { after: Some(position), ..query.clone() }));
    let page = StoriesPage {
        days: days(&results, output, &frame),
        words: query.words.clone(),
        feeds: feed_options(&feeds, query),
        tags: tag_options(&feeds, query),
        unfiltered: *query == Query::default(),
        older,
        all: url(&Query::default()),
        frame,
    };
    Ok(page.render()?)
}

/// The page of one story as HTML; `None`: the output does not show this item.
pub(super) fn story_page(
    output: &ServedOutput,
    contents: &Contents,
    key: ItemKey,
    links: &Links,
) -> Result<Option<String>, Error> {
    let Some(entry) = contents.item(key)? else { return Ok(None) };
    let frame = frame(output, links);
    let page = StoryPage {
        html: story::content_html(&entry, &output.presentation),
        shown: shown(Story::of(&entry, &output.presentation), &frame),
        all: page_url(&frame, &Query::default()),
        frame,
    };
    Ok(Some(page.render()?))
}

fn frame(output: &ServedOutput, links: &Links) -> Frame {
    let token_query = links.token.as_ref().map(Token::query).unwrap_or_default();
    let with_token = |url: &str| match &*token_query {
        "" => url.to_owned(),
        token => format!("{url}?{token}"),
    };
    let formats = output.documents.iter().map(|(format, document)| FormatLink {
        media_type: format.media_type(),
        name: format.name(),
        href: with_token(&format!("{}.{}", output.id, format.extension())),
        url: with_token(&links.base.apply(output.base_url.as_str(), &document.url)),
    });
    let mut parsed = form_urlencoded::parse(token_query.as_bytes());
    Frame {
        root: links.root,
        id: output.id.clone(),
        title: output.title.clone(),
        description: output.description.clone().unwrap_or_default(),
        formats: formats.collect(),
        token: parsed.next().map(|(_, value)| value.into_owned()).unwrap_or_default(),
        token_query,
    }
}

/// The relative URL of the page of stories for a query.
fn page_url(frame: &Frame, query: &Query) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    if !query.words.is_empty() {
        pairs.append_pair("q", &query.words);
    }
    let before = query.after.as_ref().map(Position::to_string);
    for (name, value) in [("feed", &query.feed), ("tag", &query.tag), ("before", &before)] {
        if let Some(value) = value {
            pairs.append_pair(name, value);
        }
    }
    let mut pairs = pairs.finish();
    if !frame.token_query.is_empty() {
        let separator = if pairs.is_empty() { "" } else { "&" };
        pairs = format!("{}{separator}{pairs}", frame.token_query);
    }
    let mark = if pairs.is_empty() { "" } else { "?" };
    format!("{}{}/{mark}{pairs}", frame.root, frame.id)
}

fn days(results: &Results, output: &ServedOutput, frame: &Frame) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for entry in &results.entries {
        let story = Story::of(entry, &output.presentation);
        let machine = story.at.strftime("%Y-%m-%d").to_string();
        if days.last().is_none_or(|day| day.machine != machine) {
            let date = story.at.strftime("%A, %-d %B %Y").to_string();
            days.push(Day { machine, date, stories: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.stories.push(shown(story, frame));
        }
    }
    days
}

fn shown(story: Story, frame: &Frame) -> ShownStory {
    let of_feed = Query { feed: Some(story.feed.clone()), ..Query::default() };
    let mark = if frame.token_query.is_empty() { "" } else { "?" };
    let page = format!("{}{}/story/{}", frame.root, frame.id, story.key.0);
    ShownStory {
        page: format!("{page}{mark}{}", frame.token_query),
        feed_page: page_url(frame, &of_feed),
        machine: dates::rfc3339(story.at),
        time: story.at.strftime("%H:%M").to_string(),
        date: dates::long(story.at),
        story,
    }
}

fn feed_options(feeds: &[Arc<FeedInfo>], query: &Query) -> Vec<FilterOption> {
    let option = |feed: &Arc<FeedInfo>| FilterOption {
        value: feed.id.to_string(),
        name: feed.title.clone(),
        selected: query.feed.as_deref() == Some(feed.id.as_str()),
    };
    feeds.iter().map(option).collect()
}

fn tag_options(feeds: &[Arc<FeedInfo>], query: &Query) -> Vec<FilterOption> {
    let mut tags: Vec<&String> = feeds.iter().flat_map(|feed| &feed.tags).collect();
    tags.sort();
    tags.dedup();
    let option = |tag: &String| FilterOption {
        value: tag.clone(),
        name: tag.clone(),
        selected: query.tag.as_ref() == Some(tag),
    };
    tags.into_iter().map(option).collect()
}
