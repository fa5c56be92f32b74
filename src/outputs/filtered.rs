//! Some stories of an output as a feed: those of a query, of one feed, or of one tag.
//!
//! A query on the server and a page of the static site that select the same stories have documents with the same id.

use std::sync::Arc;

use super::contents::Query;
use super::error::Error;
use super::select::Feeds;
use super::site_pages::SitePage;
use crate::model::{FeedInfo, OutputItem};
use crate::render::{
    self, Document, Effort, Filtered, Format, Output, OutputIdentity, Page, Texts,
};

/// The feeds of an output, by title.
#[derive(Debug, Clone, Default)]
pub struct OutputFeeds {
    /// All of them.
    pub all: Vec<Arc<FeedInfo>>,
    are_selectable: bool,
}

impl OutputFeeds {
    /// The feeds that an output takes; the private ones without their URLs, which may contain a key.
    pub(super) fn new(output: &Output, feeds: &Feeds) -> Self {
        let public = |feed: &Arc<FeedInfo>| match output.private_feeds.contains(&feed.key) {
            true => Arc::new(FeedInfo { url: String::new(), ..FeedInfo::clone(feed) }),
            false => Arc::clone(feed),
        };
        let mut all: Vec<Arc<FeedInfo>> = feeds.values().map(public).collect();
        all.sort_by_cached_key(|feed| (feed.title.to_lowercase(), feed.id.to_string()));
        Self { all, are_selectable: output.digest.is_none() }
    }

    /// Those that have a page and documents, as their tags have: none of an output with digests, because a digest is of
    /// no single feed.
    #[must_use]
    pub fn selectable(&self) -> &[Arc<FeedInfo>] {
        if self.are_selectable { &self.all } else { &[] }
    }

    /// What a query selects, as a title.
    fn name_of(&self, query: &Query, texts: &Texts) -> String {
        let title = |id: &String| {
            let feed = self.all.iter().find(|feed| feed.id.as_str() == id);
            feed.map_or_else(|| id.clone(), |feed| feed.title.clone())
        };
        let words = Some(query.words.clone()).filter(|words| !words.is_empty());
        let parts = [query.feed.as_ref().map(title), query.tag.clone(), words];
        parts.into_iter().flatten().collect::<Vec<_>>().join(texts.comma)
    }
}

/// The output with the stories of a query only, at the URL of the query.
pub(super) fn of_query(output: &Output, query: &Query, feeds: &OutputFeeds) -> Output {
    filtered(output, (query, feeds), Filtered::Query(query.to_url_query()))
}

/// The output with the stories of a page of its static site; `None`: the page has no documents, because they would be
/// those of the whole output.
pub(super) fn of_page(output: &Output, page: &SitePage, feeds: &OutputFeeds) -> Option<Output> {
    let query = page.filter()?;
    let stem = format!("{}/{}", output.id, page.stem());
    Some(filtered(output, (&query, feeds), Filtered::Page(stem)))
}

fn filtered(output: &Output, (query, feeds): (&Query, &OutputFeeds), filtered: Filtered) -> Output {
    let identity = &output.identity;
    let texts = Texts::of(output.presentation.language.as_deref());
    let seed = format!("{} {}", identity.id, query.to_url_query());
    Output {
        title: texts.introduced(&output.title, &feeds.name_of(query, texts)),
        identity: OutputIdentity::new(&seed, identity.since),
        filtered: Some(filtered),
        ..output.clone()
    }
}

/// A document with these entries, checked, without an archive.
///
/// # Errors
/// When it does not pass the check.
pub(super) fn document(
    output: &Output,
    format: Format,
    entries: &[OutputItem],
) -> Result<Option<Document>, Error> {
    let rendered = render::render_checked(output, &[format], Page::ALONE, entries);
    let mut rendered = rendered.map_err(|rejected| Error::Check {
        name: output.self_url(rejected.format),
        source: rejected.error,
    })?;
    let max_age = render::max_age(entries);
    Ok(rendered.pop().map(|rendered| {
        Document::prepare(format, rendered.bytes, None, max_age)
            .with_effort(Effort::Fast)
            .at(&output.self_url(format))
    }))
}
