//! Links between the pages of an output: to paths of the server with queries, or to files of a static site. Also reads
//! the queries of such links.

use url::form_urlencoded;

use super::stories::{Frame, Links};
use crate::model::ItemKey;
use crate::outputs::{Month, Query, ServedOutput, SitePage};
use crate::render::{Format, Story, Token};

/// What the links between pages lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Paths of the server, with queries.
    Server,
    /// Files of a static site.
    Files,
    /// Files of a static site that has no pages of stories.
    FilesWithoutStories,
}

/// The page of a static site with the stories of a query.
fn file_of(query: &Query) -> SitePage {
    match (&query.feed, &query.tag, query.month) {
        (Some(id), ..) => SitePage::Feed(id.clone()),
        (None, Some(tag), _) => SitePage::Tag(tag.clone()),
        (None, None, Some(month)) => SitePage::month(month),
        (None, None, None) => SitePage::Index,
    }
}

/// The relative URL of a page of a static site.
pub(super) fn file_url(frame: &Frame, page: &SitePage) -> String {
    format!("{}{}/{}", frame.root, frame.id, page.path())
}

/// A link to a document of an output.
pub(super) struct FormatLink {
    pub(super) media_type: &'static str,
    pub(super) name: &'static str,
    /// URL relative to the root of the server.
    pub(super) href: String,
    /// Absolute URL for feed readers.
    pub(super) url: String,
}

/// The documents with the stories of a page.
pub(super) fn format_links(
    output: &ServedOutput,
    links: &Links,
    (query, token_query): (&Query, &str),
) -> Vec<FormatLink> {
    let filter = query.to_url_query();
    let selecting = |url: &str| with_queries(url, &[&filter, token_query]);
    let formats = output.documents.iter().map(|(format, document)| {
        let file = file_of(query).document(*format).filter(|_| links.target != Target::Server);
        let (href, url) = match file.map(|file| format!("{}/{file}", output.id)) {
            Some(file) => (file.clone(), format!("{}{file}", output.base_url)),
            None => (
                selecting(&format!("{}.{}", output.id, format.extension())),
                selecting(&links.base.apply(output.base_url.as_str(), &document.url)),
            ),
        };
        FormatLink { media_type: format.media_type(), name: format.name(), href, url }
    });
    formats.collect()
}

/// The URL with these queries, of which any may be empty.
pub(super) fn with_queries(url: &str, queries: &[&str]) -> String {
    let queries: Vec<&str> = queries.iter().copied().filter(|query| !query.is_empty()).collect();
    let mark = if queries.is_empty() { "" } else { "?" };
    format!("{url}{mark}{}", queries.join("&"))
}

/// The URL on the server of the stories of a query, below `root`: the document in this format, or the page.
pub(super) fn served_url(
    (root, id): (&str, &str),
    format: Option<Format>,
    query: &Query,
    token: Option<&Token>,
) -> String {
    let name = match format {
        Some(format) => format!("{root}{id}.{}", format.extension()),
        None => format!("{root}{id}/"),
    };
    let month = query.month.map(|month| format!("month={month}")).unwrap_or_default();
    with_queries(
        &name,
        &[&token.map(Token::query).unwrap_or_default(), &query.to_url_query(), &month],
    )
}

/// The relative URL of the page of stories for a query.
pub(super) fn page_url(frame: &Frame, query: &Query) -> String {
    if frame.is_static() {
        return file_url(frame, &file_of(query));
    }
    let before = query.after.as_ref().map(|after| {
        let mut pair = form_urlencoded::Serializer::new(String::new());
        pair.append_pair("before", &after.to_string()).finish()
    });
    let month = query.month.map(|month| format!("month={month}")).unwrap_or_default();
    let queries = [&*frame.token_query, &query.to_url_query(), &month, &before.unwrap_or_default()];
    with_queries(&format!("{}{}/", frame.root, frame.id), &queries)
}

/// Whether a browser may follow the URL.
pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

impl Frame {
    /// Whether the page is a file of a static site.
    pub(super) fn is_static(&self) -> bool {
        self.target != Target::Server
    }

    /// The URL of the page of a story, which has the key of this item.
    pub(super) fn story_url(&self, story: &Story, key: ItemKey) -> String {
        match (self.target, &story.url) {
            (Target::Server, _) => {
                let page = format!("{}{}/story/{}", self.root, self.id, key.0);
                with_queries(&page, &[&self.token_query])
            }
            (Target::FilesWithoutStories, Some(url)) => url.clone(),
            (Target::FilesWithoutStories, None) => {
                file_url(self, &SitePage::Feed(story.feed.clone()))
            }
            (Target::Files, _) => file_url(self, &SitePage::Story(key)),
        }
    }
}

/// The months of one year.
pub(super) struct Year {
    /// The year, in the digits of dates.
    pub(super) number: i16,
    /// Its months with stories, the newest first.
    pub(super) months: Vec<MonthLink>,
    /// Whether its months are shown at first: it is the newest year, or has the month of the page.
    pub(super) is_open: bool,
}

/// A link to the page of a month.
pub(super) struct MonthLink {
    /// Name of the month: `November`.
    pub(super) name: String,
    /// Name with the year: `November 2023`.
    pub(super) title: String,
    /// URL of the page.
    pub(super) page: String,
    /// Whether it is the month of this page.
    pub(super) selected: bool,
}

/// All months, by year, without the filters of the page. Empty where there is only one.
pub(super) fn months_by_year(months: &[Month], frame: &Frame, query: &Query) -> Vec<Year> {
    let mut years: Vec<Year> = Vec::new();
    if months.len() < 2 {
        return years;
    }
    for month in months {
        let link = month_link(*month, frame, &Query::default(), query.month == Some(*month));
        let number = month.first_day().year();
        match years.last_mut().filter(|year| year.number == number) {
            Some(year) => {
                year.is_open |= link.selected;
                year.months.push(link);
            }
            None => {
                let is_open = years.is_empty() || link.selected;
                years.push(Year { number, months: vec![link], is_open });
            }
        }
    }
    years
}

/// The next newer month with stories on the first page of a month, and the next older one on its last page, with the
/// filters of the page.
pub(super) fn neighbouring_months(
    months: &[Month],
    frame: &Frame,
    (query, is_first, is_last): (&Query, bool, bool),
) -> Vec<MonthLink> {
    let Some(shown) = query.month else { return Vec::new() };
    let newer = months.iter().rfind(|month| is_first && **month > shown);
    let older = months.iter().find(|month| is_last && **month < shown);
    newer.into_iter().chain(older).map(|month| month_link(*month, frame, query, false)).collect()
}

fn month_link(month: Month, frame: &Frame, filter: &Query, selected: bool) -> MonthLink {
    let query = Query { month: Some(month), after: None, ..filter.clone() };
    MonthLink {
        name: frame.texts.calendar().month_name(month.first_day()),
        title: frame.texts.calendar().month(month.first_day()),
        page: page_url(frame, &query),
        selected,
    }
}

/// Maximum length of a search in characters.
const MAX_SEARCH: usize = 200;

/// Parses a query string; unknown parameters are ignored.
pub(super) fn query_of(text: Option<&str>) -> Query {
    let mut query = Query::default();
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        let non_empty = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match &*name {
            "q" => query.words = search_words(&value),
            "feed" => query.feed = non_empty(),
            "tag" => query.tag = non_empty(),
            "month" => query.month = value.parse().ok(),
            "before" => query.after = value.parse().ok(),
            _ => {}
        }
    }
    query
}

/// The words of a search, with spaces for control characters such as tabs, and cut to a maximum length.
pub(super) fn search_words(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let words: String = spaced.take(MAX_SEARCH).collect();
    words.trim().to_owned()
}
