//! The page for people: the stories of one output by day, with search, filters and paging; and one
//! story alone. Plain HTML without scripts, and nothing of others is loaded.

use askama::Template;
use url::form_urlencoded;

use crate::model::ItemKey;
use crate::publish::{
    Found, Listing, Place, Question, Source, Stacks, StacksError, Story, Token, story,
};

/// So many stories stand on a page.
const STORIES: usize = 40;
/// A longer search is no search.
const WORDS: usize = 200;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The store.
    #[error(transparent)]
    Stacks(#[from] StacksError),
    /// The template.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

/// What the head and the frame of both pages need.
struct Frame {
    /// From the page to the root of the server.
    root: &'static str,
    id: String,
    title: String,
    description: String,
    /// Media type, href below the root, name, and the whole address to subscribe to.
    formats: Vec<(&'static str, String, &'static str, String)>,
    /// To stand behind every link: empty, or `token=…`.
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

/// What the query of an address asks for; what it does not understand it leaves out.
pub(super) fn question(query: Option<&str>) -> Question {
    let mut question = Question::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let filled = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match &*name {
            "q" => question.words = words(&value),
            "feed" => question.feed = filled(),
            "tag" => question.tag = filled(),
            "before" => question.behind = value.parse().ok(),
            _ => {}
        }
    }
    question
}

/// What is looked for: none of what no page may hold, and not too much.
pub(super) fn words(asked: &str) -> String {
    let shown: String = asked.chars().filter(|c| !c.is_control()).take(WORDS).collect();
    shown.trim().to_owned()
}

/// The page of stories.
pub(super) fn page(
    listing: &Listing,
    stacks: &dyn Stacks,
    question: &Question,
    token: Option<&Token>,
) -> Result<String, Error> {
    let frame = frame(listing, "", token);
    let mut found = stacks.browse(question, STORIES)?;
    let sources = stacks.sources()?;
    // A search comes in order of arrival, and what arrived late may be old.
    found.entries.sort_by_key(|entry| std::cmp::Reverse((entry.sort_at, entry.key)));
    let link = |question: &Question| address(&frame, question);
    let older = found.more.map(|place| link(&Question { behind: Some(place), ..question.clone() }));
    let page = Stories {
        days: days(&found, listing, &frame),
        words: question.words.clone(),
        feeds: choices(&sources, question),
        tags: tags(&sources, question),
        front: *question == Question::default(),
        older,
        all: link(&Question::default()),
        frame,
    };
    Ok(page.render()?)
}

/// One story alone; `None` where the output has none of this number.
pub(super) fn alone(
    listing: &Listing,
    stacks: &dyn Stacks,
    key: ItemKey,
    token: Option<&Token>,
) -> Result<Option<String>, Error> {
    let Some(entry) = stacks.story(key)? else { return Ok(None) };
    let frame = frame(listing, "../../", token);
    let page = Alone {
        html: story::html(&entry, &listing.look),
        shown: shown(Story::of(&entry, &listing.look), &frame),
        all: address(&frame, &Question::default()),
        frame,
    };
    Ok(Some(page.render()?))
}

fn frame(listing: &Listing, root: &'static str, token: Option<&Token>) -> Frame {
    let token = token.map(Token::query).unwrap_or_default();
    let with_token = |url: &str| match &*token {
        "" => url.to_owned(),
        token => format!("{url}?{token}"),
    };
    let formats = listing.documents.iter().map(|(format, document)| {
        let href = with_token(&format!("{}.{}", listing.id, format.extension()));
        (format.media_type(), href, format.name(), with_token(&document.url))
    });
    let mut parsed = form_urlencoded::parse(token.as_bytes());
    Frame {
        root,
        id: listing.id.clone(),
        title: listing.title.clone(),
        description: listing.description.clone().unwrap_or_default(),
        formats: formats.collect(),
        token_value: parsed.next().map(|(_, value)| value.into_owned()).unwrap_or_default(),
        token,
    }
}

/// The page that answers the question, from where the frame stands.
fn address(frame: &Frame, question: &Question) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !question.words.is_empty() {
        query.append_pair("q", &question.words);
    }
    let behind = question.behind.as_ref().map(Place::to_string);
    let parts = [("feed", &question.feed), ("tag", &question.tag), ("before", &behind)];
    for (name, value) in parts {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let mut query = query.finish();
    if !frame.token.is_empty() {
        query = format!("{}{}{query}", frame.token, if query.is_empty() { "" } else { "&" });
    }
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{query}", frame.root, frame.id)
}

fn days(found: &Found, listing: &Listing, frame: &Frame) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for entry in &found.entries {
        let story = Story::of(entry, &listing.look);
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
    let of_feed = Question { feed: Some(story.feed.clone()), ..Question::default() };
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

fn choices(sources: &[Source], question: &Question) -> Vec<Choice> {
    let choice = |source: &Source| Choice {
        value: source.id.clone(),
        name: source.title.clone(),
        chosen: question.feed.as_ref() == Some(&source.id),
    };
    sources.iter().map(choice).collect()
}

fn tags(sources: &[Source], question: &Question) -> Vec<Choice> {
    let mut tags: Vec<&String> = sources.iter().flat_map(|source| &source.tags).collect();
    tags.sort();
    tags.dedup();
    let choice = |tag: &String| Choice {
        value: tag.clone(),
        name: tag.clone(),
        chosen: question.tag.as_ref() == Some(tag),
    };
    tags.into_iter().map(choice).collect()
}
