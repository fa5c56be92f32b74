//! Links between the pages of an output: to paths of the server, or to files of a static site.

use super::stories::{Frame, with_queries};
use crate::outputs::{Query, SitePage};
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
pub(super) fn file_of(query: &Query) -> SitePage {
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
