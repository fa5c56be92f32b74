//! The pages of an output for browsers: its stories by day, with search, filters and paging; and one page
//! per story. Plain HTML without scripts, which loads nothing from other sites.

use std::sync::Arc;

use askama::Template;
use jiff::tz::TimeZone;
use url::form_urlencoded;

use super::base_url::BaseUrl;
use super::filters::{
    FilterOption, ListedFeed, SelectionHeading, feed_options, listed, selection, tag_options,
};
use super::images::{ImageProxy, ItemImage, KnownImage, Variant, image_name, image_url};
use super::links::{
    self, FormatLink, MonthLink, Target, Year, file_url, format_links, page_url, with_queries,
};
use super::parts::{Part, colour, initial, marked, show_match};
use super::response::page_policy;
use super::site::Error;
use super::static_site::logo_name;
use crate::model::{FeedId, FeedInfo, ItemKey, OutputItem};
use crate::outputs::{
    Contents, FEED_LIST, Month, OutputFeeds, Position, Query, Results, ServedOutput, SiteList,
    SitePage, StoryAt,
};
use crate::render::{
    Content, Images, Logo, Media, PageText, Picture, Presentation, Story, Texts, Token,
    content_html, feed_name,
};
use crate::store::SearchQuery;
use crate::text::dates;

/// Number of stories on a page.
const PAGE_SIZE: usize = 40;
/// Maximum number of feeds in the list beside the stories.
const MAX_LISTED: usize = 100;
/// Least width and height of a picture in lists that is only the first one of the text.
const SMALLEST: u32 = 100;

/// The parts of both pages that come from the output.
pub(super) struct Frame {
    /// The texts in the language of the output.
    pub(super) texts: &'static Texts,
    /// Time zone of the dates.
    zone: TimeZone,
    /// Whether the page has the style sheet of Newswire.
    has_own_style: bool,
    /// URL of the style sheet of the operator.
    stylesheet: Option<String>,
    /// URL of the logo.
    logo: Option<String>,
    /// URL of the picture of the merged feed, which previews of links show.
    picture: Option<String>,
    /// HTML of the operator above the page.
    header: Option<Arc<str>>,
    /// HTML of the operator below the page.
    footer: Option<Arc<str>>,
    /// Relative URL of the root of the server.
    pub(super) root: &'static str,
    /// Absolute URL of the root, with `public_url`; `None`: it is not known.
    public_root: Option<String>,
    /// Relative URL of the folder with style sheet and icon.
    assets: String,
    pub(super) target: Target,
    /// Whether the stories are digests, which are of no single feed.
    pub(super) is_digest: bool,
    /// The policy for the content, which a web server of files does not send; `None`: the server sends it.
    policy: Option<String>,
    pub(super) id: String,
    title: String,
    description: String,
    /// URL and name of the site that the output belongs to.
    home: Option<(String, String)>,
    /// The documents with the stories of the page.
    formats: Vec<FormatLink>,
    /// `token=…`, which every link must have; empty for a public output.
    pub(super) token_query: String,
    /// URL of the list of the feeds as OPML; `None`: the output is not public.
    feed_list: Option<String>,
    /// The token for forms; empty for a public output.
    token: String,
    /// How pictures are shown.
    images: Images,
    /// Makes copies of pictures; `None`: they are links.
    proxy: Option<ImageProxy>,
}

#[derive(Template)]
#[template(path = "stories.html", config = "src/web/askama.toml")]
pub(super) struct StoriesPage {
    frame: Frame,
    days: Vec<Day>,
    /// Text of a page without stories.
    nothing: &'static str,
    words: String,
    feeds: Vec<FilterOption>,
    tags: Vec<FilterOption>,
    /// What the search and the filters select; `None`: there are none.
    selection: Option<SelectionHeading>,
    /// The feeds of the output, for the list beside the stories.
    listed: Vec<ListedFeed>,
    /// Number of feeds that are not listed, in words.
    unlisted: Option<String>,
    /// URL of the first page of this selection; `None`: it is this page, or `newer` leads to it.
    newest: Option<String>,
    /// URL of the page before this one, with newer stories; `None`: it is the first page.
    newer: Option<String>,
    /// URL of the next page, with older stories.
    older: Option<String>,
    /// The nearest months with stories, if the page shows one month: newer, then older.
    neighbours: Vec<MonthLink>,
    /// The months of the output, by year.
    archive: Vec<Year>,
    /// URL of this page for search engines; `None`: they must not list it.
    canonical: Option<String>,
    /// URL of the first page without search and filters.
    all: String,
}

#[derive(Template)]
#[template(path = "story.html", config = "src/web/askama.toml")]
pub(super) struct StoryPage {
    frame: Frame,
    shown: ShownStory,
    html: String,
    all: String,
}

/// The stories of one day.
struct Day {
    /// The date for `<time datetime>`: `2023-11-14`.
    machine: String,
    /// `Tuesday, 14 November 2023`.
    date: String,
    stories: Vec<ShownStory>,
}

/// A story with its links and dates.
struct ShownStory {
    story: Story,
    /// Its picture, ready for an `<img>`; `None`: it has none, or pages show none.
    picture: Option<Picture>,
    /// Whether its feed is named: not on a page with stories of this feed alone.
    names_source: bool,
    /// Names of the authors, without those that are the name of the feed.
    authors: Vec<String>,
    /// The title, or the excerpt of a story without a title.
    heading: Vec<Part>,
    /// The excerpt below the title.
    excerpt: Vec<Part>,
    /// The whole text, HTML, in place of the excerpt.
    text: Option<String>,
    /// First letter of the name of its feed.
    initial: String,
    /// Number of the colour of its feed, 0 to 7.
    colour: u8,
    /// URL of its page.
    page: String,
    /// URL of the page with the stories of its feed.
    feed_page: String,
    /// The time for `<time datetime>`, RFC 3339.
    machine: String,
    /// Time of day: `22:13`.
    time: String,
    /// `14 November 2023, 22:13 UTC`.
    date: String,
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
    /// Makes copies of pictures.
    pub(super) images: Option<ImageProxy>,
    /// Whether they lead to paths of the server or to files of a static site.
    pub(super) target: Target,
}

/// The page of stories as HTML.
pub(super) fn page(
    output: &ServedOutput,
    contents: &Contents,
    query: &Query,
    links: &Links,
) -> Result<String, Error> {
    let frame = frame(output, links, query);
    let mut results = contents.browse(query, PAGE_SIZE)?;
    let feeds = contents.feeds()?;
    let selectable = feeds.selectable();
    // The results of a search are in the order of arrival, but items may arrive late.
    results.entries.sort_by_key(|entry| std::cmp::Reverse((entry.sort_at, entry.key)));
    let url = |query: &Query| page_url(&frame, query);
    let older = results.more.map(|position| url(&Query { after: Some(position), ..query.clone() }));
    let first = Query { after: None, ..query.clone() };
    let months = contents.months()?;
    let is_listed = query.after.is_none() && !query.is_filter();
    let is_selection = query.is_filter() || query.month.is_some();
    let ends = (query, query.after.is_none(), older.is_none());
    let newer = contents.newer(query, PAGE_SIZE)?;
    // It would be the same link.
    let is_second = newer.as_ref().is_some_and(|newer| newer.after.is_none());
    let place = Place { frame: &frame, query, sole: sole_feed(&feeds.all, query), list: None };
    let page = StoriesPage {
        days: days(&results, output, place),
        nothing: nothing(&frame, contents, query, &results)?,
        words: query.words.clone(),
        feeds: feed_options(&frame, selectable, query),
        tags: tag_options(&frame, selectable, query),
        selection: is_selection.then(|| selection(&frame, &feeds.all, query, &results)),
        unlisted: feeds
            .all
            .len()
            .checked_sub(MAX_LISTED)
            .filter(|more| *more > 0)
            .map(|more| frame.texts.more_feeds(more)),
        listed: feeds.all.iter().take(MAX_LISTED).map(|feed| listed(&frame, feed, query)).collect(),
        newer: newer.map(|newer| url(&newer)),
        newest: (query.after.is_some() && !is_second).then(|| url(&first)),
        older,
        neighbours: links::neighbouring_months(&months, &frame, ends),
        archive: links::months_by_year(&months, &frame, query),
        canonical: is_listed.then(|| frame.public(url(&first))),
        all: url(&Query::default()),
        frame,
    };
    Ok(page.render()?)
}

/// Why a page has no stories, if it has none.
fn nothing(
    frame: &Frame,
    contents: &Contents,
    query: &Query,
    results: &Results,
) -> Result<&'static str, Error> {
    let has_words = || SearchQuery::read(&query.words).is_some();
    Ok(match &results.more {
        _ if !results.entries.is_empty() => "",
        _ if !query.words.is_empty() && !has_words() => frame.texts.no_words,
        Some(_) => frame.texts.no_newer_match,
        None if query.is_filter() || query.month.is_some() => frame.texts.no_match,
        None if contents.awaits_feeds()? => frame.texts.no_stories,
        None => frame.texts.no_stories_now,
    })
}

/// What the address of a story's page leads to.
pub(super) enum StoryAddress {
    /// The page, as HTML.
    Page(String),
    /// The page with the key of this item.
    Moved(ItemKey),
}

/// The page of one story; `None`: the output does not show this item, and no other one for it.
pub(super) fn story_page(
    output: &ServedOutput,
    contents: &Contents,
    key: ItemKey,
    links: &Links,
) -> Result<Option<StoryAddress>, Error> {
    Ok(match contents.story(key)? {
        Some(StoryAt::Here(entry)) => {
            Some(StoryAddress::Page(story_of(output, &entry, links).render()?))
        }
        Some(StoryAt::Moved(lead)) => Some(StoryAddress::Moved(lead)),
        None => None,
    })
}

/// The page of a story.
pub(super) fn story_of(output: &ServedOutput, entry: &OutputItem, links: &Links) -> StoryPage {
    let query = Query::default();
    let frame = frame(output, links, &query);
    StoryPage {
        html: text_of(&frame, entry, output),
        shown: shown(
            story_as_shown(entry, output),
            &entry.feed.id,
            Place { frame: &frame, query: &query, sole: None, list: None },
        ),
        all: page_url(&frame, &query),
        frame,
    }
}

/// The page of a list of a static site.
pub(super) fn list_of(
    output: &ServedOutput,
    (list, entries): (&SiteList, Vec<OutputItem>),
    (feeds, months): (&OutputFeeds, &[Month]),
    links: &Links,
) -> StoriesPage {
    let mut query = Query::default();
    match &list.page {
        SitePage::Month { month, .. } => query.month = Some(*month),
        SitePage::Feed(id) => query.feed = Some(id.clone()),
        SitePage::Tag(tag) => query.tag = Some(tag.clone()),
        SitePage::Index | SitePage::Story(_) => {}
    }
    let frame = frame(output, links, &query);
    let more = entries.last().filter(|_| list.has_more);
    let more = more.map(|entry| Position { sort_at: entry.sort_at, key: entry.key });
    let results = Results { entries, more };
    let is_part = matches!(list.page, SitePage::Month { part: Some(_), .. });
    let is_listed = !query.is_filter();
    let is_whole = list.page == SitePage::Index;
    let mut heading = selection(&frame, &feeds.all, &query, &results);
    heading.count = heading.count.filter(|_| !is_part);
    let ends = (&query, list.newer.is_none(), list.older.is_none());
    let newest = match &list.page {
        SitePage::Month { month, part: Some(_) } => Some(SitePage::month(*month)),
        _ => None,
    };
    // The link to newer stories may be the same.
    let newest = newest.filter(|page| list.newer.as_ref() != Some(page));
    StoriesPage {
        days: days(
            &results,
            output,
            Place {
                frame: &frame,
                query: &query,
                sole: sole_feed(&feeds.all, &query),
                list: Some(list),
            },
        ),
        nothing: if is_whole { frame.texts.no_stories_now } else { frame.texts.no_match },
        words: String::new(),
        feeds: Vec::new(),
        tags: tag_options(&frame, feeds.selectable(), &query),
        selection: (!is_whole).then_some(heading),
        unlisted: None,
        listed: feeds.all.iter().map(|feed| listed(&frame, feed, &query)).collect(),
        newer: list.newer.as_ref().map(|page| file_url(&frame, page)),
        newest: newest.map(|page| file_url(&frame, &page)),
        older: list.older.as_ref().map(|page| file_url(&frame, page)),
        neighbours: links::neighbouring_months(months, &frame, ends),
        archive: links::months_by_year(months, &frame, &query),
        canonical: is_listed.then(|| frame.public(file_url(&frame, &list.page))),
        all: page_url(&frame, &Query::default()),
        frame,
    }
}

impl Frame {
    /// A URL relative to the page as an absolute one, if the public URL is known.
    fn public(&self, url: String) -> String {
        match (&self.public_root, url.strip_prefix(self.root)) {
            (Some(root), Some(path)) => format!("{root}{path}"),
            _ => url,
        }
    }
}

fn frame(output: &ServedOutput, links: &Links, query: &Query) -> Frame {
    let token_query = links.token.as_ref().map(Token::query).unwrap_or_default();
    let is_served = links.target == Target::Server;
    let mut parsed = form_urlencoded::parse(token_query.as_bytes());
    let (presentation, theme) = (&output.presentation, &output.theme);
    let file =
        |name: &str| with_queries(&format!("{}{}/{name}", links.root, output.id), &[&token_query]);
    let logo_file = |logo: &Logo| file(if is_served { "logo" } else { logo_name(logo.media_type) });
    Frame {
        has_own_style: theme.has_own_style(),
        stylesheet: theme.stylesheet.as_ref().map(|_| file("theme.css")),
        logo: theme.logo.as_ref().map(logo_file),
        picture: presentation.icon.as_ref().map(|url| url.as_str().to_owned()),
        header: theme.header.clone(),
        footer: theme.footer.clone(),
        texts: Texts::of(presentation.language.as_deref()),
        zone: presentation.zone(),
        root: links.root,
        // Without `public_url` it is an address of this machine.
        public_root: output.base_url.domain().map(|_| output.base_url.to_string()),
        assets: if is_served { links.root.to_owned() } else { file("") },
        target: links.target,
        is_digest: output.is_digest,
        policy: (!is_served).then(|| page_policy(presentation.images)),
        id: output.id.clone(),
        title: output.title.clone(),
        description: output.description.clone().unwrap_or_default(),
        home: output
            .link
            .as_ref()
            .and_then(|url| Some((url.to_string(), url.host_str()?.to_owned()))),
        formats: format_links(output, links, (query, &token_query)),
        feed_list: output.token.is_none().then(|| format!("{}{FEED_LIST}", links.root)),
        token: parsed.next().map(|(_, value)| value.into_owned()).unwrap_or_default(),
        images: presentation.images,
        proxy: links.images.clone().filter(|_| presentation.images == Images::Proxy),
        token_query,
    }
}

/// The copy of a picture of an item; `None`: there is none, so that a link is shown.
fn copy(
    frame: &Frame,
    (feed, key): (&FeedId, ItemKey),
    url: &str,
    variant: Variant,
) -> Option<Picture> {
    let (proxy, url) = (frame.proxy.as_ref()?, image_url(url)?);
    let size = match proxy.known(ItemImage { feed, url: &url }, variant) {
        KnownImage::Failed => return None,
        KnownImage::Unknown => None,
        KnownImage::Size(width, height) => Some((width, height)),
    };
    let folder = match variant {
        Variant::Full => "image",
        Variant::Thumbnail => "thumbnail",
    };
    let (root, id) = (frame.root, &frame.id);
    let path = format!("{root}{id}/{folder}/{}/{}", key.0, image_name(&url));
    Some(Picture { source: with_queries(&path, &[&frame.token_query]), size })
}

/// The picture of a story in a list.
fn thumbnail(frame: &Frame, story: &Story, feed: &FeedId) -> Option<Picture> {
    let image = story.image.as_ref()?;
    let is_large = |picture: &Picture| {
        let is_small = |(width, height)| width < SMALLEST || height < SMALLEST;
        !(image.is_guess && picture.size.is_some_and(is_small))
    };
    match frame.images {
        Images::Link => None,
        Images::Direct => Some(Picture { source: image.url.clone(), size: None }),
        Images::Proxy => {
            copy(frame, (feed, story.key), &image.url, Variant::Thumbnail).filter(is_large)
        }
    }
}

/// Where a story is shown.
#[derive(Clone, Copy)]
struct Place<'a> {
    frame: &'a Frame,
    query: &'a Query,
    /// The feed of all stories of the page; `None`: they may be of several feeds.
    sole: Option<&'a FeedInfo>,
    /// The list of a static site, which has one page for each story; `None`: each item has one.
    list: Option<&'a SiteList>,
}

fn sole_feed<'f>(feeds: &'f [Arc<FeedInfo>], query: &Query) -> Option<&'f FeedInfo> {
    let feed = match feeds {
        [feed] => Some(feed),
        _ => feeds.iter().find(|feed| query.feed.as_deref() == Some(feed.id.as_str())),
    };
    feed.map(|feed| &**feed)
}

fn days(results: &Results, output: &ServedOutput, place: Place<'_>) -> Vec<Day> {
    let Place { frame, query, .. } = place;
    let mut days: Vec<Day> = Vec::new();
    let whole = whole_texts(output, query);
    for (n, entry) in results.entries.iter().enumerate() {
        let mut story = story_as_shown(entry, output);
        show_match(&mut story, entry, (&output.presentation, &query.words));
        let at = story.at.to_zoned_datetime(frame.zone.clone());
        let machine = at.strftime("%Y-%m-%d").to_string();
        if days.last().is_none_or(|day| day.machine != machine) {
            let date = frame.texts.calendar().full_date(at.date());
            days.push(Day { machine, date, stories: Vec::new() });
        }
        let Some(day) = days.last_mut() else { continue };
        let mut story = shown(story, &entry.feed.id, place);
        if n < whole {
            story.text = Some(text_of(frame, entry, output));
            story.story.is_truncated = false;
            // It is in the text.
            story.picture = None;
        }
        day.stories.push(story);
    }
    days
}

/// Number of stories at the top of a page that are shown with their whole texts.
fn whole_texts(output: &ServedOutput, query: &Query) -> usize {
    let Presentation { page_text, content, .. } = output.presentation;
    match page_text {
        PageText::Full if content == Content::Full && query.words.is_empty() => usize::MAX,
        // The newest digest on the first page.
        _ if output.is_digest && *query == Query::default() => 1,
        _ => 0,
    }
}

/// The story of an entry. A digest has its titles as excerpt, and its page is here.
fn story_as_shown(entry: &OutputItem, output: &ServedOutput) -> Story {
    let story = Story::of(entry, &output.presentation);
    match entry.item.summary.as_ref().filter(|_| output.is_digest) {
        Some(titles) => {
            Story { excerpt: titles.clone(), is_truncated: true, url: None, image: None, ..story }
        }
        None => story,
    }
}

/// The text of an entry as HTML.
fn text_of(frame: &Frame, entry: &OutputItem, output: &ServedOutput) -> String {
    content_html(entry, &output.presentation, |url| {
        copy(frame, (&entry.feed.id, entry.key), url, Variant::Full)
    })
}

fn shown(story: Story, feed: &FeedId, place: Place<'_>) -> ShownStory {
    let Place { frame, query, sole, list } = place;
    let page = list.map_or(story.key, |list| list.lead_of(story.key));
    let of_feed = Query { feed: Some(story.feed.clone()), ..Query::default() };
    let at = story.at.to_zoned_datetime(frame.zone.clone());
    let has_heading = story.has_own_title || story.excerpt.is_empty();
    let heading = if has_heading { &story.title } else { &story.excerpt };
    let excerpt = if has_heading { &*story.excerpt } else { "" };
    ShownStory {
        heading: marked(heading, &query.words),
        excerpt: marked(excerpt, &query.words),
        text: None,
        initial: initial(&story.source),
        colour: colour(&story.feed),
        page: frame.story_url(&story, page),
        feed_page: page_url(frame, if frame.is_digest { query } else { &of_feed }),
        machine: dates::rfc3339(story.at),
        time: at.strftime("%H:%M").to_string(),
        date: frame.texts.calendar().moment(&at),
        picture: thumbnail(frame, &story, feed),
        names_source: !frame.is_digest && sole.is_none_or(|sole| feed_name(sole) != story.source),
        authors: story.authors.iter().filter(|name| **name != story.source).cloned().collect(),
        story,
    }
}
