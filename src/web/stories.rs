//! The page for people: the stories of one output by day, with search, filters and paging; and one
//! story alone. Plain HTML without scripts, and nothing of others is loaded.

use std::sync::Arc;

use askama::Template;
use url::form_urlencoded;

use super::error::Error;
use crate::model::{FeedInfo, ItemKey};
use crate::outputs::{Contents, Position, Query, Results, ServedOutput};
use crate::render::{Story, Token, story};

/// So many stories stand on a page.
const STORIES: usize = 40;
/// A longer search is no search.
const WORDS: usize = 200;

/// What the head and the frame of both pages need.
struct Frame {
    /// From the page to the root of the server.
    root: &'static str,
    id: String,
    title: String,
    description: String,
    /// Media type, href below the root, name, and the whole address to subscribe to.
    formats: Vec<(&'static str, String, &'static str, String)>,
    /// To stand after every link: empty, or `token=…`.
    token: String,
    /// The same for a form.
    token_value: String,
}

#[derive(Template)]
#[template(path = "stories.html", config = "src/web/askama.toml")]
struct Stories {
    frame: Frame,
    days: Vec<Day>,
    words: String,
    feeds: Vec<Choice>,
    tags: Vec<Choice>,
    /// Whether this is the newest page of everything.
    front: bool,
    older: Option<String>,
    all: String,
}

#[derive(Template)]
#[template(path = "story.html", config = "src/web/askama.toml")]
struct Alone {
    frame: Frame,
    shown: Shown,
    html: String,
    all: String,
}

/// The stories of one day.
struct Day {
    machine: String,
    people: String,
    stories: Vec<Shown>,
}

/// A story with its links and dates in words.
struct Shown {
    story: Story,
    here: String,
    of_feed: String,
    machine: String,
    time: String,
    date: String,
}

/// One option of a filter.
struct Choice {
    value: String,
    name: String,
    chosen: bool,
}

/// The query in an address; unknown parameters are ignored.
pub(super) fn query(text: Option<&str>) -> Query {
    let mut query = Query::default();
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        let filled = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match &*name {
            "q" => query.words = words(&value),
            "feed" => query.feed = filled(),
            "tag" => query.tag = filled(),
            "before" => query.after = value.parse().ok(),
            _ => {}
        }
    }
    query
}

/// What is looked for: none of what no page may hold, and not too much.
pub(super) fn words(asked: &str) -> String {
    let shown: String = asked.chars().filter(|c| !c.is_control()).take(WORDS).collect();
    shown.trim().to_owned()
}

/// The page of stories.
pub(super) fn page(
    output: &ServedOutput,
    contents: &Contents,
    query: &Query,
    token: Option<&Token>,
) -> Result<String, Error> {
    let frame = frame(output, "", token);
    let mut results = contents.browse(query, STORIES)?;
    let feeds = contents.feeds()?;
    // A search comes in order of arrival, and what arrived late may be old.
    results.entries.sort_by_key(|entry| std::cmp::Reverse((entry.sort_at, entry.key)));
    let link = |query: &Query| address(&frame, query);
    let older =
        results.more.map(|position| link(&Query { after: Some(position), ..query.clone() }));
    let page = Stories {
        days: days(&results, output, &frame),
        words: query.words.clone(),
        feeds: choices(&feeds, query),
        tags: tags(&feeds, query),
        front: *query == Query::default(),
        older,
        all: link(&Query::default()),
        frame,
    };
    Ok(page.render()?)
}

/// One story alone; `None` where the output has none of this number.
pub(super) fn alone(
    output: &ServedOutput,
    contents: &Contents,
    key: ItemKey,
    token: Option<&Token>,
) -> Result<Option<String>, Error> {
    let Some(entry) = contents.item(key)? else { return Ok(None) };
    let frame = frame(output, "../../", token);
    let page = Alone {
        html: story::content_html(&entry, &output.look),
        shown: shown(Story::of(&entry, &output.look), &frame),
        all: address(&frame, &Query::default()),
        frame,
    };
    Ok(Some(page.render()?))
}

fn frame(output: &ServedOutput, root: &'static str, token: Option<&Token>) -> Frame {
    let token = token.map(Token::query).unwrap_or_default();
    let with_token = |url: &str| match &*token {
        "" => url.to_owned(),
        token => format!("{url}?{token}"),
    };
    let formats = output.documents.iter().map(|(format, document)| {
        let href = with_token(&format!("{}.{}", output.id, format.extension()));
        (format.media_type(), href, format.name(), with_token(&document.url))
    });
    let mut parsed = form_urlencoded::parse(token.as_bytes());
    Frame {
        root,
        id: output.id.clone(),
        title: output.title.clone(),
        description: output.description.clone().unwrap_or_default(),
        formats: formats.collect(),
        token_value: parsed.next().map(|(_, value)| value.into_owned()).unwrap_or_default(),
        token,
    }
}

/// Address of the page that answers the query, relative to the page of the frame.
fn address(frame: &Frame, query: &Query) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    if !query.words.is_empty() {
        pairs.append_pair("q", &query.words);
    }
    let after = query.after.as_ref().map(Position::to_string);
    let parts = [("feed", &query.feed), ("tag", &query.tag), ("before", &after)];
    for (name, value) in parts {
        if let Some(value) = value {
            pairs.append_pair(name, value);
        }
    }
    let mut pairs = pairs.finish();
    if !frame.token.is_empty() {
        pairs = format!("{}{}{pairs}", frame.token, if pairs.is_empty() { "" } else { "&" });
    }
    let mark = if pairs.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{pairs}", frame.root, frame.id)
}

fn days(results: &Results, output: &ServedOutput, frame: &Frame) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for entry in &results.entries {
        let story = Story::of(entry, &output.look);
        let machine = story.at.strftime("%Y-%m-%d").to_string();
        if days.last().is_none_or(|day| day.machine != machine) {
            let people = story.at.strftime("%A, %-d %B %Y").to_string();
            days.push(Day { machine, people, stories: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.stories.push(shown(story, frame));
        }
    }
    days
}

fn shown(story: Story, frame: &Frame) -> Shown {
    let of_feed = Query { feed: Some(story.feed.clone()), ..Query::default() };
    let mark = if frame.token.is_empty() { "" } else { "?" };
    Shown {
        here: format!("{}{}/story/{}{mark}{}", frame.root, frame.id, story.key.0, frame.token),
        of_feed: address(frame, &of_feed),
        machine: story.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        time: story.at.strftime("%H:%M").to_string(),
        date: story.at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        story,
    }
}

fn choices(feeds: &[Arc<FeedInfo>], query: &Query) -> Vec<Choice> {
    let choice = |feed: &Arc<FeedInfo>| Choice {
        value: feed.id.to_string(),
        name: feed.title.clone(),
        chosen: query.feed.as_deref() == Some(feed.id.as_str()),
    };
    feeds.iter().map(choice).collect()
}

fn tags(feeds: &[Arc<FeedInfo>], query: &Query) -> Vec<Choice> {
    let mut tags: Vec<&String> = feeds.iter().flat_map(|feed| &feed.tags).collect();
    tags.sort();
    tags.dedup();
    let choice = |tag: &String| Choice {
        value: tag.clone(),
        name: tag.clone(),
        chosen: query.tag.as_ref() == Some(tag),
    };
    tags.into_iter().map(choice).collect()
}
