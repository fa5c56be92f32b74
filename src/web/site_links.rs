//! Links between the pages of an output: to paths of the server, or to files of a static site.

use url::form_urlencoded;

use super::stories::{Frame, Links};
use crate::outputs::{Query, ServedOutput, SitePage};
use crate::render::Story;

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

impl Frame {
    /// Whether the page is a file of a static site.
    pub(super) fn is_static(&self) -> bool {
        self.target != Target::Server
    }

    /// The URL of the page of a story.
    pub(super) fn story_url(&self, story: &Story) -> String {
        match (self.target, &story.url) {
            (Target::Server, _) => {
                let page = format!("{}{}/story/{}", self.root, self.id, story.key.0);
                with_queries(&page, &[&self.token_query])
            }
            (Target::FilesWithoutStories, Some(url)) => url.clone(),
            (Target::FilesWithoutStories, None) => {
                file_url(self, &SitePage::Feed(story.feed.clone()))
            }
            (Target::Files, _) => file_url(self, &SitePage::Story(story.key)),
        }
    }
}
