//! What the items of a document have from their feed, and what they lack.

use super::context::Context;
use crate::model::{ParsedFeed, ParsedItem, SourceInfo, Text};

/// Which sources of items are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    /// Those that are other feeds: some publishers name their own feed, or the topic of the item.
    OtherFeeds,
    /// All: the document is a merged feed, and any feed may be on its host.
    All,
}

/// Completes the items of a feed.
pub(crate) fn complete(feed: &mut ParsedFeed, context: &Context, sources: Sources) {
    let named = |person: &&crate::model::Person| !person.name.is_empty() || person.uri.is_some();
    let authors: Vec<_> = feed.item_authors.iter().filter(named).cloned().collect();
    let hosts = own_hosts(feed, context);
    for item in &mut feed.items {
        if item.authors.is_empty() && !authors.is_empty() {
            item.authors.clone_from(&authors);
            item.authors_are_inherited = true;
            item.surplus.authors = feed.surplus_authors;
        }
        // What holds for the podcast holds for its episodes.
        if item.podcast.explicit.is_none() && !item.enclosures.is_empty() {
            item.podcast.explicit = feed.explicit.filter(|explicit| *explicit);
        }
        let title = item.title.as_ref().map(|title| title.value.as_str());
        let is_own = |source: &SourceInfo| is_own(source, title, &hosts);
        if sources == Sources::OtherFeeds && item.source.as_ref().is_some_and(is_own) {
            item.source = None;
        }
        if is_blank(item) {
            context.report("blank_items", || "an item has no title, text, link or file".into());
        }
    }
}

/// The hosts of the feed: of its URL, its home page and the URL that it gives for itself.
fn own_hosts(feed: &ParsedFeed, context: &Context) -> Vec<String> {
    let links = feed.links.iter().filter(|link| matches!(link.rel.as_str(), "alternate" | "self"));
    let links = links.filter_map(|link| url::Url::parse(&link.href).ok());
    let all = context.base.iter().cloned().chain(links);
    all.filter_map(|url| host(&url).map(str::to_owned)).collect()
}

fn host(url: &url::Url) -> Option<&str> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

/// Whether the source of an item is not another feed: it is on the host of this feed, or has the title of the
/// item, as in Discourse, where it is the topic.
fn is_own(source: &SourceInfo, title: Option<&str>, hosts: &[String]) -> bool {
    // `atom:source` always describes another feed.
    if source.id.is_some() || source.url.is_some() {
        return false;
    }
    let url = source.feed_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let host = url.as_ref().and_then(host);
    let here = host.is_some_and(|host| hosts.iter().any(|own| own == host));
    let same = |name: &String| title.is_some_and(|title| title.trim() == name.trim());
    here || source.title.as_ref().is_some_and(same)
}

/// Whether an item has nothing to show.
fn is_blank(item: &ParsedItem) -> bool {
    let texts = [&item.title, &item.summary, &item.content];
    let none = |text: &Option<Text>| text.as_ref().is_none_or(|text| text.value.trim().is_empty());
    texts.into_iter().all(none)
        && item.links.is_empty()
        && item.enclosures.is_empty()
        && item.thumbnails.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::{Input, parse, parse_published};

    #[test]
    fn a_merged_feed_keeps_sources_on_its_host_and_with_titles_of_items() {
        let text = "<rss version=\"2.0\"><channel><title>Planet</title><link>http://a.test/</link>\
            <item><guid>1</guid><title>One</title><source url=\"http://a.test/feed\">Site</source></item>\
            <item><guid>2</guid><title>Two</title><source url=\"http://b.test/feed\">Two</source></item>\
            </channel></rss>";
        let url = "http://a.test/planet.rss".parse().unwrap();
        let input = Input { bytes: text.as_bytes(), content_type: None, url: &url, max_items: 10 };
        let sources = |parsed: super::super::Parsed| -> Vec<Option<String>> {
            let items = parsed.feed.items.into_iter();
            items.map(|item| item.source.and_then(|source| source.feed_url)).collect()
        };
        assert_eq!(sources(parse(input).unwrap()), [None, None]);
        let kept = ["http://a.test/feed", "http://b.test/feed"].map(|url| Some(url.to_owned()));
        assert_eq!(sources(parse_published(input).unwrap()), kept);
    }
}
